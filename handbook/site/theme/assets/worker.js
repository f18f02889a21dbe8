// The service worker: it keeps a copy of the pages for on call, and answers from the copy if the network does not.
// `handbook finish` moves this file to the root of the site, because a worker controls only what is below its folder.
const SCOPE = new URL(self.registration.scope);
// A scope contains no space, so the caches of a site and of a second site below it differ.
const PREFIX = `handbook-offline ${SCOPE.pathname} `;
const LIST = new URL("offline.json", SCOPE).href;
// Milliseconds that the network has before the copy answers.
const PATIENCE = 3000;
const MAX_CLIENTS = 100;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// Keeping the copy

// A copy is complete if its cache holds the list of its files, which is the last file to be stored.
async function findCopy() {
  for (const name of await caches.keys()) {
    if (!name.startsWith(PREFIX)) continue;
    const cache = await caches.open(name);
    const list = await cache.match(LIST);
    if (list)
      return { name, cache, saved: new Date(list.headers.get("X-Saved")), ...(await list.json()) };
  }
  return null;
}

async function hash(body) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  return [...digest.slice(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const urlOf = (address) =>
  new URL(address.split("/").map(encodeURIComponent).join("/"), SCOPE).href;

// Each stored file has the hash of the list. A deployment in the middle of a download therefore ends the download, and an
// unchanged file comes from the old copy.
async function store(cache, old, address, expected) {
  const url = urlOf(address);
  if (await cache.match(url)) return;
  const same = old?.files[address]?.[0] === expected && (await old.cache.match(url));
  if (same) return cache.put(url, same);
  const response = await fetch(url, { cache: "no-store", priority: "low" });
  const body = await response.arrayBuffer();
  if (!response.ok || (await hash(body)) !== expected)
    throw new Error(`the file ${address || "/"} has another hash than in the list`);
  const type = response.headers.get("Content-Type") ?? "application/octet-stream";
  return cache.put(url, new Response(body, { headers: { "Content-Type": type } }));
}

// Save the pages of the published site. A copy of more than `limit` bytes is only updated.
async function keep(limit) {
  const list = await (await fetch(LIST, { cache: "no-cache" })).json();
  const old = await findCopy();
  if (!old && list.bytes > limit) return;
  const name = PREFIX + list.version;
  const cache = await caches.open(name);
  if (old?.name !== name) {
    const files = Object.entries(list.files);
    const download = async () => {
      for (let file = files.pop(); file; file = files.pop())
        await store(cache, old, file[0], file[1][0]);
    };
    try {
      await Promise.all([download(), download(), download(), download()]);
    } catch (error) {
      files.length = 0;
      // A full disk keeps the old copy. Otherwise, the next visit continues the download.
      if (error.name === "QuotaExceededError") await caches.delete(name);
      throw error;
    }
  }
  const headers = { "Content-Type": "application/json", "X-Saved": new Date().toISOString() };
  await cache.put(LIST, new Response(JSON.stringify(list), { headers }));
  await forget(name);
}

// Delete the copies of this site, except the one with this name.
async function forget(except = "") {
  for (const name of await caches.keys())
    if (name.startsWith(PREFIX) && name !== except) await caches.delete(name);
}

// The page asks for one task after the other, and gets the error, if there is one. Without a network, the next page can try
// again. After a full disk or a file with another hash, it should wait.
let tasks = Promise.resolve();
self.addEventListener("message", (event) => {
  const { task, limit } = event.data;
  tasks = tasks
    .then(() => (task === "keep" ? keep(limit) : forget()))
    .then(
      () => ({ error: "", wait: false }),
      (error) => ({
        error: error.message,
        wait: !(error instanceof TypeError || error instanceof SyntaxError),
      }),
    );
  event.waitUntil(tasks.then((result) => event.ports[0]?.postMessage(result)));
});

// Answering requests

// The copy that belongs to each open page: the files of a page are of the version of the page.
const clientCopies = new Map();

function remember(id, isOffline, copy) {
  if (!id) return;
  clientCopies.set(id, { isOffline, copy });
  if (clientCopies.size > MAX_CLIENTS) clientCopies.delete(clientCopies.keys().next().value);
}

const request = (event, options) => fetch(event.request, options).catch(() => null);
const wait = () => new Promise((resolve) => setTimeout(resolve, PATIENCE, null));
// The headers can arrive although the body stalls. An answer with its whole body, or null if the body does not arrive.
const readWhole = async (network) => {
  const response = await network;
  if (response?.status !== 200 || response.redirected) return response;
  return response.arrayBuffer().then(
    (body) => new Response(body, response),
    () => null,
  );
};
const isAnswer = (response) => response && response.status < 500;

function addressOf(url) {
  const path = url.pathname.slice(SCOPE.pathname.length);
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== SCOPE.origin) return;
  if (event.request.mode === "navigate") event.respondWith(answerPage(event, url));
  else if (clientCopies.has(event.clientId)) event.respondWith(answerFile(event, url));
});

async function answerPage(event, url) {
  // The browser's own cache cannot tell the age of a page, so it must ask the network.
  const network = request(event, { cache: "no-cache" });
  const copy = await findCopy().catch(() => null);
  const address = addressOf(url);
  const kept = copy?.files[address];
  const whole = kept ? readWhole(network) : network;
  const response = await (kept ? Promise.race([whole, wait()]) : whole);
  if (isAnswer(response)) {
    if (kept && response.ok) {
      const body = response.clone().arrayBuffer();
      const isSame = body.then(async (bytes) => (await hash(bytes)) === kept[0]);
      remember(
        event.resultingClientId,
        false,
        isSame.then((same) => (same ? copy : null)).catch(() => null),
      );
    }
    return response;
  }
  if (kept) {
    const page = await copy.cache.match(urlOf(address));
    remember(event.resultingClientId, true, copy);
    if (page) return addBanner(page, copy);
  }
  const folder = address.endsWith("/index.html") ? address.slice(0, -10) : `${address}/`;
  if (copy?.files[folder]) return Response.redirect(urlOf(folder) + url.search);
  const late = response || (await whole);
  if (late) return late;
  remember(event.resultingClientId, true, copy);
  return explainMissing(copy, url);
}

async function answerFile(event, url) {
  const client = clientCopies.get(event.clientId);
  const match = async () => {
    const copy = await client.copy;
    return copy && (await caches.has(copy.name)) && (await copy.cache.match(urlOf(addressOf(url))));
  };
  if (client.isOffline) return (await match()) || fetch(event.request);
  const network = request(event);
  const saved = await match().catch(() => null);
  if (!saved) return (await network) || Response.error();
  const response = await Promise.race([readWhole(network), wait()]);
  return isAnswer(response) ? response : saved;
}

// Pages from the copy

const MARKUP = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escapeHtml = (text) => text.replace(/[&<>"]/g, (character) => MARKUP[character]);

function describeAge(saved) {
  const minutes = Math.floor((Date.now() - saved) / 60_000);
  if (minutes < 1) return "less than a minute old";
  const [number, unit] =
    minutes < 60
      ? [minutes, "minute"]
      : minutes < 48 * 60
        ? [Math.floor(minutes / 60), "hour"]
        : [Math.floor(minutes / 60 / 24), "day"];
  return `${number} ${unit}${number === 1 ? "" : "s"} old`;
}

// "2026-11-26 14:03 (2 hours old), commit abc1234", in the time of the reader's zone.
function describeCopy({ saved, commit }) {
  const local = new Date(saved - saved.getTimezoneOffset() * 60_000).toISOString();
  const day = `<time datetime="${saved.toISOString()}">${local.slice(0, 10)} ${local.slice(11, 16)}</time>`;
  const version = commit ? `commit <code>${escapeHtml(commit)}</code>` : "of uncommitted files";
  return `${day} (${describeAge(saved)}), ${version}`;
}

const page = (html, status = 200) =>
  new Response(html, { status, headers: { "Content-Type": "text/html; charset=utf-8" } });

// The banner is in the header, which stays visible at every anchor.
async function addBanner(response, copy) {
  if (!response.headers.get("Content-Type").startsWith("text/html")) return response;
  const about = urlOf("offline/");
  const banner = `<p class="hb-offline">Offline copy of ${describeCopy(copy)}. <a href="${about}">About this copy</a></p>`;
  const html = await response.text();
  const place = html.includes("</header>") ? /(?=<\/header>)/ : /(?<=<body[^>]*>)/;
  return page(html.replace(place, () => banner));
}

// Page for an address that the copy lacks. It has the frame of 404.html, whose links work at every address.
async function explainMissing(copy, url) {
  const groups = Object.entries(copy?.pages ?? {}).map(([kind, entries]) => {
    const items = entries.map(
      ([title, address]) => `<li><a href="${urlOf(address)}">${escapeHtml(title)}</a></li>`,
    );
    return `<h2>${escapeHtml(kind)}</h2><ul>${items.join("")}</ul>`;
  });
  const state = copy
    ? `<p>The offline copy of ${describeCopy(copy)} lacks this page. It has the pages below.</p>`
    : "<p>This browser has no offline copy of the site.</p>";
  const retry = `<p><a href="${escapeHtml(url.pathname + url.search)}">Try again</a></p>`;
  const article = `<h1>No network</h1>${state}${retry}${groups.join("")}`;
  const frame = await copy?.cache.match(urlOf("404.html"));
  const html = frame
    ? await frame.text()
    : '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">' +
      "<title></title><article></article></html>";
  return page(
    html
      .replace(/<title>.*?<\/title>/s, () => "<title>No network</title>")
      .replace(/(<article[^>]*>).*?(<\/article>)/s, (_, start, end) => start + article + end),
    503,
  );
}
