// The search, which the browser loads when you open it. Exact matches (ids, alerts, error messages) come first, from our own
// key files. Then follow the full-text results of Pagefind. A query fetches only the parts of both indexes that it needs.
const dialog = document.getElementById("hb-search");
// The page for missing addresses has an absolute base, which ends with a slash.
const base = new URL(dialog.dataset.base.replace(/\/?$/, "/"), location);
const form = dialog.querySelector("form");
const [input, kind] = [form.elements.q, form.elements.kind];
const [status, results] = [
  dialog.querySelector(".hb-search__status"),
  dialog.querySelector(".hb-search__results"),
];
const [MAX_RESULTS, MAX_EXACT] = [10, 5];
// Milliseconds without a key press before the search starts, and before it fetches pages for their excerpts.
const [SEARCH_DELAY, FETCH_DELAY] = [80, 250];
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const fetched = new Map();
const keys = (name) => {
  if (!fetched.has(name))
    fetched.set(
      name,
      fetch(new URL(`assets/keys/${name}.json`, base)).then((response) => response.json()),
    );
  return fetched.get(name);
};
keys("parts");
const library = import(new URL("pagefind/pagefind.js", base)).then(
  async (pagefind) => {
    await pagefind.options({ baseUrl: base.pathname, excerptLength: 24 });
    await pagefind.init();
    return pagefind;
  },
  () => null,
);

// Stop words: a result need not contain them.
const SMALL = new Set(
  `a after all an and any are as at be before but by can do does each every for from has have how i if in into is it its long may
  more most no not of off on only or our out over so some than that the their then there these they this to under until up use was we were what when
  where which while who why will with without write you your`.split(/\s+/),
);
const withoutStopWords = (query) =>
  query
    .split(" ")
    .filter((word) => !SMALL.has(word))
    .join(" ") || query;

// The words of a query without stop words. The order estimates rarity: first numbers, then the longest words.
const rarestWords = (query, pattern) =>
  withoutStopWords(query)
    .match(pattern)
    .sort((a, b) => /\d\d/.test(b) - /\d\d/.test(a) || b.length - a.length);

// The keys that can match a query: the keys with its rarest word. The key files are named by the first three characters of
// a word (views/keys.py).
async function candidates(query) {
  const [word] = rarestWords(query, /[\p{L}\p{N}]+|$/gu);
  const prefix = [...word]
    .slice(0, 3)
    .join("")
    .replace(/[^a-z0-9]/gu, "_");
  return (await keys("parts")).includes(prefix) ? keys(prefix) : [];
}

const plain = (text) => text.toLowerCase().replace(/\s+/g, " ").trim();

// 3: the query is the key. 2: the key starts with the query, or a message contains it. 1: the key contains every word of it.
function rank(key, query) {
  if (key === query) return 3;
  if (query.length > 2 && (key.startsWith(query) || (key.includes(" ") && key.includes(query))))
    return 2;
  return query.length > 2 &&
    withoutStopWords(query)
      .split(" ")
      .every((word) => key.includes(word.replace(/s$/, "")))
    ? 1
    : 0;
}

async function exactMatches(query) {
  const best = new Map();
  for (const [title, url, label, ...names] of await candidates(query)) {
    if (kind.value && kind.value !== label) continue;
    for (const key of names) {
      const score = rank(plain(key), query);
      if (score > (best.get(url)?.score ?? 0))
        best.set(url, {
          score,
          title,
          url: new URL(url, base).href,
          kind: label,
          text: score > 1 && key !== title ? key : "",
        });
    }
  }
  return [...best.values()].sort((a, b) => b.score - a.score);
}

// The words for the full-text search. Each word fetches a part of the index, so the search uses two words, or one if there
// are exact matches. All words count for the order. Words of one or two letters count only without a longer word.
function searchTerms(query) {
  const words = rarestWords(query, /\S+/g).filter((word) => !SMALL.has(word));
  const long = words.filter((word) => word.length > 2);
  return { words, terms: long.length ? long : words };
}

// Longer queries often have the same search terms, so the search reuses its last response.
let lastSearch = {};
function findPages(pagefind, words) {
  if (lastSearch.words !== words) lastSearch = { words, response: pagefind.search(words) };
  return lastSearch.response;
}

const noMatches = { rows: [], more: false };
async function textMatches({ words, terms }, limit, exactUrls, delay, isCancelled) {
  const pagefind = await library;
  if (!pagefind || !terms.length) return noMatches;
  const { results: hits } = await findPages(
    pagefind,
    terms.slice(0, exactUrls.size ? 1 : 2).join(" "),
  );
  await delay;
  const isReference = (page) => Number(page.url.includes("/reference/"));
  const isWanted = (page) =>
    !exactUrls.has(new URL(page.url, location).href) &&
    (!kind.value || page.meta.kind === kind.value);
  const matches = [];
  // Each page costs one fetch, so the search reads as many pages as it displays. A search within one kind reads more pages.
  const maxPages = (kind.value ? 6 : 1) * MAX_RESULTS;
  let n = 0;
  for (
    ;
    n < hits.length && n < maxPages && matches.length < limit && !isCancelled();
    n += MAX_RESULTS
  ) {
    const pages = await Promise.all(hits.slice(n, n + MAX_RESULTS).map((hit) => hit.data()));
    matches.push(...pages.filter(isWanted));
  }
  // Reference pages about the handbook itself come last.
  const countWords = (page) =>
    words.filter((word) => page.content.toLowerCase().includes(word)).length;
  matches.sort((a, b) => isReference(a) - isReference(b) || countWords(b) - countWords(a));
  const rows = matches.slice(0, limit).map((page) => {
    // The section with the most matches.
    const section = page.sub_results.reduce(
      (a, b) => (b.locations.length > a.locations.length ? b : a),
      page.sub_results[0],
    );
    return {
      title: page.meta.title,
      section: section && section.title !== page.meta.title ? section.title : "",
      url: section?.url ?? page.url,
      kind: page.meta.kind ?? "",
      excerpt: section?.excerpt ?? page.excerpt,
    };
  });
  return { rows, more: n < hits.length || matches.length > limit };
}

// Pagefind escapes the text around its <mark> elements. The excerpt keeps only these elements.
function excerpt(html) {
  const text = document.createElement("p");
  for (const [n, fragment] of html.split(/<\/?mark>/).entries()) {
    const node = n % 2 ? document.createElement("mark") : document.createElement("span");
    // The parser drops leading spaces. A letter before them prevents that.
    node.textContent = new DOMParser()
      .parseFromString(`x${fragment}`, "text/html")
      .body.textContent.slice(1);
    text.append(node);
  }
  return text;
}

function row(hit) {
  const [item, link, label] = ["li", "a", "span"].map((tag) => document.createElement(tag));
  link.href = hit.url;
  link.textContent = hit.section ? `${hit.title}: ${hit.section}` : hit.title;
  label.className = "hb-search__what";
  label.textContent = hit.kind;
  item.append(link, label);
  if (hit.excerpt) item.append(excerpt(hit.excerpt));
  else if (hit.text && hit.text !== hit.title)
    item.append(Object.assign(document.createElement("p"), { textContent: hit.text }));
  return item;
}

let latestSearch = 0;
let textSearch = Promise.resolve();
async function search(event) {
  const query = plain(input.value);
  const number = ++latestSearch;
  const isCancelled = () => number !== latestSearch;
  if (!query) {
    results.replaceChildren();
    status.textContent = "";
    dialog.dataset.shown = "";
    return;
  }
  const { words, terms } = searchTerms(query);
  // After one or two letters, more are likely to follow, and many words start with them.
  const isShort = terms.every((word) => word.length < 3);
  const delay = pause(event.type === "input" ? FETCH_DELAY : 0);
  if (event.type === "input") await (isShort ? delay : pause(SEARCH_DELAY));
  if (isCancelled()) return;
  const exact = await exactMatches(query);
  if (isCancelled()) return;
  // Exact matches appear at once. Text searches run one after the other, and only the latest one continues.
  const top = exact.slice(0, MAX_EXACT);
  if (top.length) results.replaceChildren(...top.map(row));
  const exactUrls = new Set(exact.map((hit) => hit.url.split("#")[0]));
  textSearch = textSearch
    .then(() =>
      isCancelled()
        ? noMatches
        : textMatches({ words, terms }, MAX_RESULTS - top.length, exactUrls, delay, isCancelled),
    )
    .catch(() => {
      lastSearch = {};
      return noMatches;
    });
  const { rows, more } = await textSearch;
  if (isCancelled()) return;
  // If the text search has few results, more exact matches fill the list.
  const rest = [...rows, ...exact.slice(MAX_EXACT, MAX_RESULTS - rows.length)];
  if (!top.length) results.replaceChildren();
  results.append(...rest.map(row));
  dialog.dataset.shown = input.value;
  const count = top.length + rest.length;
  const hasMore = more || count < exact.length + rows.length;
  const reason = words.length ? "No results." : "These words are too common to search for.";
  status.textContent = count
    ? `${hasMore ? "First " : ""}${count} result${count > 1 ? "s" : ""}`
    : `${reason} See the list of everything below.`;
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
