// The offline copy as pages see it: ask the worker for it after the page is idle, and describe it on the page /offline/.
const root = new URL("..", import.meta.url);
const PREFIX = `handbook-offline ${root.pathname} `;
const LIST = new URL("offline.json", root);
const NOT_BEFORE = `${root.pathname}.offline-not-before`;
// A larger copy is saved only if the reader asks for it.
const AUTOMATIC_LIMIT = 20_000_000;
const HOUR = 60 * 60 * 1000;

// Before this time, a copy is saved only if the reader asks for it. After the reader has removed it, the time is infinite.
// A browser can refuse the storage. The time then lasts as long as the page.
let notBefore = 0;
try {
  notBefore = Number(localStorage.getItem(NOT_BEFORE));
} catch {}

function postpone(time) {
  notBefore = time;
  try {
    localStorage.setItem(NOT_BEFORE, time);
  } catch {}
}

async function findWorker() {
  const registration = await navigator.serviceWorker.register(new URL("worker.js", root), {
    scope: root.pathname,
    updateViaCache: "none",
  });
  const worker = registration.installing ?? registration.waiting ?? registration.active;
  if (worker.state !== "activated" && worker.state !== "redundant")
    await new Promise((resolve) =>
      worker.addEventListener("statechange", () => {
        if (["activated", "redundant"].includes(worker.state)) resolve();
      }),
    );
  return registration.active;
}

// Let the worker do a task, and return the text of its error, or "".
async function ask(message) {
  const worker = await findWorker();
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
  });
  worker.postMessage(message, [port2]);
  const { error, wait } = await answer;
  if (wait) postpone(Date.now() + HOUR);
  return error;
}

export async function start() {
  const region = document.querySelector("[data-offline]");
  if (!navigator.serviceWorker) {
    region.textContent =
      "This browser keeps no copy. It needs an address with https, and not every browser keeps a copy in a private window.";
    return;
  }
  const isSaving = navigator.connection?.saveData;
  const isWanted = Date.now() >= notBefore && !isSaving;
  try {
    if (region) await describe(region);
    const error = isWanted && (await ask({ task: "keep", limit: AUTOMATIC_LIMIT }));
    if (region && isWanted) await describe(region, error);
  } catch (error) {
    if (region) region.textContent = `This browser keeps no copy: ${error.message}.`;
  }
}

const megabytes = (bytes) => `${(bytes / 1_000_000).toFixed(1)} MB`;

async function findCopy() {
  for (const name of await caches.keys()) {
    if (!name.startsWith(PREFIX)) continue;
    const list = await (await caches.open(name)).match(LIST);
    if (list) return { saved: new Date(list.headers.get("X-Saved")), ...(await list.json()) };
  }
  return null;
}

// Show the size and the age of the copy, and a button that removes or saves it.
async function describe(region, error = "") {
  const copy = await findCopy();
  const text = document.createElement("p");
  const button = Object.assign(document.createElement("button"), {
    type: "button",
    className: "md-button",
  });
  let task;
  if (copy) {
    const count = Object.keys(copy.files).length;
    const commit = copy.commit ? `, commit ${copy.commit}` : "";
    text.textContent = `This browser keeps ${count} files (${megabytes(copy.bytes)}), last compared with the site on ${copy.saved.toLocaleString()}${commit}.`;
    button.textContent = "Remove the copy";
    task = { task: "forget" };
  } else {
    const size = await fetch(LIST)
      .then((response) => response.json())
      .then((list) => ` (${megabytes(list.bytes)})`)
      .catch(() => "");
    text.textContent = "This browser keeps no copy.";
    button.textContent = `Keep a copy${size}`;
    task = { task: "keep", limit: Number.POSITIVE_INFINITY };
  }
  if (error) text.textContent += ` The last attempt to save it failed: ${error}.`;
  button.addEventListener("click", async () => {
    button.disabled = true;
    postpone(task.task === "forget" ? Number.POSITIVE_INFINITY : 0);
    await describe(region, await ask(task).catch((failure) => failure.message));
    region.querySelector("button").focus();
  });
  region.replaceChildren(text, button);
}
