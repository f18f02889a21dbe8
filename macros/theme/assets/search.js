// The search: fetched when a reader opens it. What is exactly an id, an alert or an error message comes first, from lists
// of our own; then what Pagefind finds in the text. Both are fetched in parts, those that a query needs.
const dialog = document.getElementById("hb-search");
const base = new URL(dialog.dataset.base + "/", location);
const form = dialog.querySelector("form");
const [input, kind] = [form.elements.q, form.elements.kind];
const [status, results] = [dialog.querySelector(".hb-search__status"), dialog.querySelector(".hb-search__results")];
const [MOST, FEW] = [12, 5];

const fetched = new Map();
const keys = (name) => {
  if (!fetched.has(name)) fetched.set(name, fetch(new URL(`assets/keys/${name}.json`, base)).then((answer) => answer.json()));
  return fetched.get(name);
};
keys("parts");
const words = import(new URL("pagefind/pagefind.js", base)).then(async (pagefind) => {
  await pagefind.options({ baseUrl: base.pathname, excerptLength: 24 });
  await pagefind.init();
  return pagefind;
}, () => null);

// Words of a question that say nothing of its matter; an answer need not hold them.
const SMALL = new Set("a an and are can do does for has have how i in is it long may of on or our the to we what when where which who why with write".split(" "));
const matter = (query) => query.split(" ").filter((word) => !SMALL.has(word)).join(" ") || query;

// The keys that a query can find: those that hold its longest word, the rarest by rule of thumb. They stand in parts, by the
// first two characters of their words (views/keys.py).
async function candidates(query) {
  const longest = (matter(query).match(/[\p{L}\p{N}]+/gu) ?? []).reduce((one, other) => (other.length > one.length ? other : one), "");
  const part = [...longest].slice(0, 2).join("").replace(/[^a-z0-9]/gu, "_");
  return (await keys("parts")).includes(part) ? keys(part) : [];
}

const plain = (text) => text.toLowerCase().replace(/\s+/g, " ").trim();

// 3: the key itself; 2: it begins so, or the query is a part of a message; 1: all words that matter stand in it.
function rank(key, query) {
  if (key === query) return 3;
  if (query.length > 2 && (key.startsWith(query) || (key.includes(" ") && key.includes(query)))) return 2;
  return query.length > 2 && matter(query).split(" ").every((word) => key.includes(word.replace(/s$/, ""))) ? 1 : 0;
}

async function exact(query) {
  const best = new Map();
  for (const [title, url, of, ...names] of await candidates(query)) {
    if (kind.value && kind.value !== of) continue;
    for (const key of names) {
      const found = rank(plain(key), query);
      if (found > (best.get(url)?.found ?? 0)) best.set(url, { found, title, url: new URL(url, base).href, kind: of, text: found > 1 && key !== title ? key : "" });
    }
  }
  return [...best.values()].sort((one, other) => other.found - one.found);
}

async function inText(query, most, known) {
  const pagefind = await words;
  if (!pagefind) return [];
  const { results: found } = await pagefind.search(matter(query));
  const last = (page) => Number(page.url.includes("/reference/"));
  // An alert is found by its name; its page repeats a runbook.
  const fits = (page) => !known.has(new URL(page.url, location).href) && (kind.value ? page.meta.kind === kind.value : page.meta.kind !== "Alert");
  const pages = [];
  // Each page looked at is a file fetched; a search within a kind has to pass over those of the others.
  const far = (kind.value ? 6 : 2) * MOST;
  for (let n = 0; n < found.length && n < far && pages.length < most; n += most) {
    const some = await Promise.all(found.slice(n, n + most).map((each) => each.data()));
    pages.push(...some.filter(fits));
  }
  // What describes the handbook itself comes last.
  pages.sort((one, other) => last(one) - last(other));
  return pages.map((page) => {
    // The part of the page that speaks of it, where one has more than the page's beginning.
    const part = page.sub_results.reduce((one, other) => (other.locations.length > one.locations.length ? other : one), page.sub_results[0]);
    return { title: page.meta.title, part: part && part.title !== page.meta.title ? part.title : "", url: part?.url ?? page.url, kind: page.meta.kind ?? "", excerpt: part?.excerpt ?? page.excerpt };
  });
}

// Pagefind escapes the text around its <mark>; only those are taken over.
function excerpt(html) {
  const text = document.createElement("p");
  for (const [n, piece] of html.split(/<\/?mark>/).entries()) {
    const node = n % 2 ? document.createElement("mark") : document.createElement("span");
    // A parser drops the blanks that a text begins with; a letter before them keeps them.
    node.textContent = new DOMParser().parseFromString(`x${piece}`, "text/html").body.textContent.slice(1);
    text.append(node);
  }
  return text;
}

function row(hit) {
  const [item, link, what] = ["li", "a", "span"].map((tag) => document.createElement(tag));
  link.href = hit.url;
  link.textContent = hit.part ? `${hit.title}: ${hit.part}` : hit.title;
  what.className = "hb-search__what";
  what.textContent = hit.kind;
  item.append(link, what);
  if (hit.excerpt) item.append(excerpt(hit.excerpt));
  else if (hit.text && hit.text !== hit.title) item.append(Object.assign(document.createElement("p"), { textContent: hit.text }));
  return item;
}

let turn = 0;
async function search() {
  const query = plain(input.value);
  const mine = ++turn;
  if (!query) return (results.replaceChildren(), (status.textContent = ""));
  const first = await exact(query);
  const known = new Set(first.map((hit) => hit.url.split("#")[0]));
  const rest = await inText(query, MOST - Math.min(first.length, FEW), known);
  if (mine !== turn) return;
  const shown = [...first.slice(0, FEW), ...rest].slice(0, MOST);
  results.replaceChildren(...shown.map(row));
  dialog.dataset.shown = input.value;
  status.textContent = shown.length ? "" : "Nothing is found. The list of everything is below.";
  if (shown.length) status.textContent = `${shown.length === MOST ? "The first " : ""}${shown.length} found`;
}

let waiting;
const soon = () => (clearTimeout(waiting), (waiting = setTimeout(search, 80)));
input.addEventListener("input", soon);
kind.addEventListener("change", search);
form.addEventListener("submit", (event) => {
  if (event.submitter) return;
  event.preventDefault();
  results.querySelector("a")?.click();
});
dialog.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || event.target === kind) return;
  const stops = [input, ...results.querySelectorAll("a")];
  stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length].focus();
  event.preventDefault();
});
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());

export function open() {
  if (!dialog.open) dialog.showModal();
  input.focus();
  input.select();
}
