// The search: fetched when a reader opens it. What is exactly an id, an alert or an error message comes first, from lists
// of our own; then what Pagefind finds in the text. Both are fetched in parts, those that a query needs.
const dialog = document.getElementById("hb-search");
const base = new URL(dialog.dataset.base + "/", location);
const form = dialog.querySelector("form");
const [input, kind] = [form.elements.q, form.elements.kind];
const [status, results] = [dialog.querySelector(".hb-search__status"), dialog.querySelector(".hb-search__results")];
const [MOST, FEW] = [10, 5];
// Milliseconds without a key, after which a query is looked for, and after which pages are fetched to show what they say.
const [LOOK, SHOW] = [80, 250];
const pause = (milliseconds) => new Promise((after) => setTimeout(after, milliseconds));

const fetched = new Map();
const keys = (name) => {
  if (!fetched.has(name)) fetched.set(name, fetch(new URL(`assets/keys/${name}.json`, base)).then((answer) => answer.json()));
  return fetched.get(name);
};
keys("parts");
const library = import(new URL("pagefind/pagefind.js", base)).then(async (pagefind) => {
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

// The words to look for in the text. Each costs the reader a part of the index, so two find the pages, or one where
// something is known; all that matter sort them. One or two letters count where nothing longer stands.
function wanted(query) {
  const words = rarest(query, /\S+/g).filter((word) => !SMALL.has(word));
  const long = words.filter((word) => word.length > 2);
  return { words, look: long.length ? long : words };
}

// A query is often typed on without a change of the words to look for: the last answer is kept.
let kept = {};
function pages(pagefind, words) {
  if (kept.words !== words) kept = { words, answer: pagefind.search(words) };
  return kept.answer;
}

const nothing = { rows: [], more: false };
async function inText({ words, look }, most, known, still, over) {
  const pagefind = await library;
  if (!pagefind || !look.length) return nothing;
  const { results: found } = await pages(pagefind, look.slice(0, known.size ? 1 : 2).join(" "));
  await still;
  const last = (page) => Number(page.url.includes("/reference/"));
  const fits = (page) => !known.has(new URL(page.url, location).href) && (!kind.value || page.meta.kind === kind.value);
  const fitting = [];
  // Each page looked at is a file fetched: as many as are shown, but a search within a kind passes over the others.
  const far = (kind.value ? 6 : 1) * MOST;
  let n = 0;
  for (; n < found.length && n < far && fitting.length < most && !over(); n += MOST) {
    const some = await Promise.all(found.slice(n, n + MOST).map((each) => each.data()));
    fitting.push(...some.filter(fits));
  }
  // What describes the handbook itself comes last.
  const holds = (page) => words.filter((word) => page.content.toLowerCase().includes(word)).length;
  fitting.sort((one, other) => last(one) - last(other) || holds(other) - holds(one));
  const rows = fitting.slice(0, most).map((page) => {
    // The part of the page that speaks of it, where one has more than the page's beginning.
    const part = page.sub_results.reduce((one, other) => (other.locations.length > one.locations.length ? other : one), page.sub_results[0]);
    return { title: page.meta.title, part: part && part.title !== page.meta.title ? part.title : "", url: part?.url ?? page.url, kind: page.meta.kind ?? "", excerpt: part?.excerpt ?? page.excerpt };
  });
  return { rows, more: n < found.length || fitting.length > most };
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
  if (!query) return (results.replaceChildren(), (status.textContent = dialog.dataset.shown = ""));
  const asked = wanted(query);
  // One or two letters are likely to be typed on, and begin many words.
  const short = asked.look.every((word) => word.length < 3);
  const still = pause(event.type === "input" ? SHOW : 0);
  if (event.type === "input") await (short ? still : pause(LOOK));
  if (over()) return;
  const first = await exact(query);
  if (over()) return;
  // What is found to the letter is shown at once; the text follows, one search after the other, and the last alone.
  const few = first.slice(0, FEW);
  if (few.length) results.replaceChildren(...few.map(row));
  const known = new Set(first.map((hit) => hit.url.split("#")[0]));
  text = text.then(() => (over() ? nothing : inText(asked, MOST - few.length, known, still, over))).catch(() => ((kept = {}), nothing));
  const { rows, more } = await text;
  if (over()) return;
  // Where the text has little to add, there is room for more that is found to the letter.
  const rest = [...rows, ...first.slice(FEW, MOST - rows.length)];
  if (!few.length) results.replaceChildren();
  results.append(...rest.map(row));
  dialog.dataset.shown = input.value;
  const shown = few.length + rest.length;
  const part = more || shown < first.length + rows.length;
  const none = asked.words.length ? "Nothing is found." : "Such words stand on nearly every page.";
  status.textContent = shown ? `${part ? "The first " : ""}${shown} found` : `${none} The list of everything is below.`;
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
