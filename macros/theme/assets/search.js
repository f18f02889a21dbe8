// The search: fetched when a reader opens it. What is exactly an id, an alert or an error message comes first, from lists
// of our own; then what Pagefind finds in the text. Both are fetched in parts, those that a query needs.
const dialog = document.getElementById("hb-search");
const base = new URL(dialog.dataset.base + "/", location);
const form = dialog.querySelector("form");
const [input, kind] = [form.elements.q, form.elements.kind];
const [status, results] = [dialog.querySelector(".hb-search__status"), dialog.querySelector(".hb-search__results")];
const [MOST, FEW] = [10, 5];
const PAUSE = 150; // milliseconds without a key, after which the reader is answered

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
const SMALL = new Set(`a after all an and any are as at be before but by can do does each every for from has have how i if in into is it its long may
  more most no not of off on only or our out over so some than that the their then there these they this to under until up use was we were what when
  where which while who why will with without write you your`.split(/\s+/));
const matter = (query) => query.split(" ").filter((word) => !SMALL.has(word)).join(" ") || query;

// The words of a query that matter, the rarest first, by rule of thumb: numbers, then the longest.
const rarest = (query, word) => matter(query).match(word).sort((one, other) => /\d\d/.test(other) - /\d\d/.test(one) || other.length - one.length);

// The keys that a query can find: those that hold its rarest word. They stand in parts, by the first three characters of
// their words (views/keys.py).
async function candidates(query) {
  const [word] = rarest(query, /[\p{L}\p{N}]+|$/gu);
  const part = [...word].slice(0, 3).join("").replace(/[^a-z0-9]/gu, "_");
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
  // Each word costs the reader a part of the index: two find the pages, or one where something is known; all sort them.
  const wanted = rarest(query, /\S+/g);
  const { results: found } = await pagefind.search(wanted.slice(0, known.size ? 1 : 2).join(" "));
  const last = (page) => Number(page.url.includes("/reference/"));
  const fits = (page) => !known.has(new URL(page.url, location).href) && (!kind.value || page.meta.kind === kind.value);
  const pages = [];
  // Each page looked at is a file fetched; a search within a kind has to pass over those of the others.
  const far = (kind.value ? 6 : 2) * MOST;
  for (let n = 0; n < found.length && n < far && pages.length < most; n += most) {
    const some = await Promise.all(found.slice(n, n + most).map((each) => each.data()));
    pages.push(...some.filter(fits).slice(0, most - pages.length));
  }
  // What describes the handbook itself comes last.
  const holds = (page) => wanted.filter((word) => page.content.toLowerCase().includes(word)).length;
  pages.sort((one, other) => last(one) - last(other) || holds(other) - holds(one));
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
let text = Promise.resolve();
async function search(event) {
  const query = plain(input.value);
  const mine = ++turn;
  const over = () => mine !== turn;
  if (!query) return (results.replaceChildren(), (status.textContent = ""));
  if (event.type === "input") await new Promise((after) => setTimeout(after, PAUSE));
  if (over()) return;
  const first = await exact(query);
  if (over()) return;
  // What is found to the letter is shown at once; the text follows, one search after the other, and the last alone.
  const few = first.slice(0, FEW);
  if (few.length) results.replaceChildren(...few.map(row));
  const known = new Set(first.map((hit) => hit.url.split("#")[0]));
  text = text.then(() => (over() ? [] : inText(query, MOST - few.length, known))).catch(() => []);
  const rest = await text;
  if (over()) return;
  if (few.length) results.append(...rest.map(row));
  else results.replaceChildren(...rest.map(row));
  const shown = few.length + rest.length;
  dialog.dataset.shown = input.value;
  status.textContent = shown ? `${shown === MOST ? "The first " : ""}${shown} found` : "Nothing is found. The list of everything is below.";
}

input.addEventListener("input", search);
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
