// The search dialog, the search page, and the suggestions of the page for missing addresses. The browser loads this when you
// need it. Exact matches (ids, alerts, error messages) come first, from our own key files. Then follow the full-text results of
// Pagefind. A query fetches only the parts of both indexes that it needs.
import { Index } from "./search-index.js";

const dialog = document.getElementById("hb-search");
// A server can have one page for missing addresses, also for those below a nested site. Then search that site.
const nested = [...document.querySelectorAll("[data-nested]")].find((link) =>
  location.pathname.startsWith(link.pathname),
);
// The page for missing addresses has an absolute base, which ends with a slash.
const base = new URL(nested?.href ?? dialog.dataset.base.replace(/\/?$/, "/"), location);
const page = document.querySelector("[data-search-page]");
// The search starts after a pause in typing that is longer than the reader's own pauses between two letters, in milliseconds.
// So a slow reader does not load the results of each beginning of a word.
const [MIN_PAUSE, FIRST_PAUSE, MAX_PAUSE] = [150, 500, 2000];
// Slower answers have a status while they load, in milliseconds.
const SLOW = 500;
// A reader can paste a whole log. The search reads its first and its last letters, half of this number each.
const MAX_LETTERS = 2000;
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function readKeys(name) {
  const response = await fetch(new URL(`assets/keys/${name}.json`, base));
  if (!response.ok) throw new Error(`assets/keys/${name}.json: ${response.status}`);
  return response.json();
}

// Pagefind and some browsers keep a failure, so each attempt loads a module of its own.
async function loadLibrary(name, attempt) {
  const url = new URL(name, base);
  if (attempt > 1) url.searchParams.set("attempt", attempt);
  const pagefind = await import(url);
  await pagefind.options({ baseUrl: "/", excerptLength: 24 });
  await pagefind.init();
  return pagefind;
}

let shared;
let library;
function getIndex() {
  // Only `handbook serve` names a library, and another one after each edit.
  const name = dialog.dataset.library ?? "pagefind/pagefind.js";
  if (library === name) return shared;
  library = name;
  shared = new Index(readKeys, (attempt) => loadLibrary(name, attempt));
  return shared;
}

function create(tag, text, className) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...[text].flat());
  return element;
}

// Parts with odd numbers are marked.
const makeExcerpt = (parts) =>
  create(
    "p",
    parts.map((part, n) => create(n % 2 ? "mark" : "span", part)),
  );

function makeRow(hit) {
  const link = create("a", hit.section ? `${hit.title}: ${hit.section}` : hit.title);
  link.href = new URL(hit.address, base);
  const item = create("li", [link, create("span", hit.kind, "hb-search__what")]);
  if (hit.badge) item.append(create("span", hit.badge, "hb-search__badge"));
  if (hit.excerpt) item.append(makeExcerpt(hit.excerpt));
  else if (hit.text && hit.text !== hit.title) item.append(create("p", hit.text));
  return item;
}

class Search {
  // root has a form with a field and a list of kinds, a line for the status, and a list for the results.
  constructor(root, { onQuery = () => {} } = {}) {
    this.root = root;
    this.onQuery = onQuery;
    const form = root.querySelector("form");
    [this.input, this.kind] = [form.elements.q, form.elements.kind];
    const find = (name) => root.querySelector(`.hb-search__${name}`);
    [this.status, this.results] = [find("status"), find("results")];
    this.latest = 0;
    [this.gap, this.typed] = [0, -Infinity];
    this.last = Promise.resolve();
    this.input.addEventListener("input", (event) => this.run(event));
    this.kind.addEventListener("change", (event) => this.run(event));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.goToFirst(event);
    });
    root.addEventListener("keydown", (event) => this.moveFocus(event));
  }

  moveFocus(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.target === this.kind || event.isComposing) return;
    const stops = [this.input, ...this.results.querySelectorAll("a")];
    const from = Math.max(stops.indexOf(document.activeElement), 0);
    stops[(from + step + stops.length) % stops.length].focus();
    event.preventDefault();
  }

  // Go to the first result of what the field says now, not of what it said before, and not to one of the nearest names. A reader
  // who has closed the search or moved to a result meanwhile stays there.
  async goToFirst(event) {
    const query = this.readQuery();
    let isOpen = true;
    if (this.answered !== query) {
      this.root.addEventListener("close", () => (isOpen = false), { once: true });
      await this.run(event);
    }
    if (isOpen && this.answered === query && document.activeElement === this.input)
      this.first?.click();
  }

  readQuery() {
    const query = this.input.value.replace(/\s+/g, " ").trim();
    if (query.length <= MAX_LETTERS) return query;
    return `${query.slice(0, MAX_LETTERS / 2)} ${query.slice(-MAX_LETTERS / 2)}`;
  }

  // Replace the results. A reader who has moved to one of them stays on it, or goes back to the field if it is gone.
  show(query, hits, isAnswer = true) {
    const focused = document.activeElement;
    const hadFocus = this.results.contains(focused);
    this.results.replaceChildren(...hits.map(makeRow));
    this.answered = query;
    const links = [...this.results.querySelectorAll("a")];
    this.first = isAnswer ? links[0] : null;
    if (!hadFocus) return;
    (links.find(({ href }) => href === focused.href) ?? this.input).focus();
  }

  // The pause to wait for, from the longest pause between two letters of this query.
  measurePause(event, query) {
    const gap = event.timeStamp - this.typed;
    if (query.length < 2) this.gap = 0;
    else if (gap < MAX_PAUSE) this.gap = Math.max(this.gap, gap);
    this.typed = event.timeStamp;
    if (event.inputType === "insertFromPaste") return 0;
    return this.gap ? Math.min(Math.max(MIN_PAUSE, this.gap * 1.5), MAX_PAUSE) : FIRST_PAUSE;
  }

  async run(event) {
    const query = this.readQuery();
    const number = ++this.latest;
    const isCancelled = () => number !== this.latest;
    this.answered = null;
    if (!query) {
      [this.gap, this.typed] = [0, -Infinity];
      this.onQuery(query);
      this.show(query, []);
      this.status.textContent = "";
      this.kind.hidden = !this.kind.value;
      this.root.dataset.shown = "";
      return;
    }
    if (event.type === "input") await pause(this.measurePause(event, query));
    if (isCancelled()) return;
    this.onQuery(query);
    const kind = this.kind.value;
    const slow = setTimeout(() => {
      if (!isCancelled()) this.status.textContent = "Searching…";
    }, SLOW);
    // Exact matches appear at once. Searches run one after the other, and only the latest one continues.
    const onExact = (hits) => this.show(query, hits);
    this.last = this.last.then(() =>
      isCancelled()
        ? null
        : getIndex()
            .find(query, { kind, isCancelled, onExact })
            .catch(() => ({ rows: [], corrections: new Map(), near: [], isBroken: true })),
    );
    const found = await this.last;
    clearTimeout(slow);
    if (!found || isCancelled()) return;
    const hasRows = found.rows.length > 0;
    this.show(query, hasRows ? found.rows : found.near, hasRows);
    this.kind.hidden = !hasRows && !kind;
    this.status.textContent = describe(found, kind);
    this.root.dataset.shown = this.input.value;
  }
}

// What the line above the results says.
function describe({ rows, more, corrections, isPartial, isCommon, isBroken, near }, kind) {
  const count = rows.length;
  if (isBroken && !count)
    return "The search could not be loaded. Try again, or see the list of everything below.";
  if (!count) {
    const none = kind ? `No results of the kind ${kind}.` : "No results.";
    const reason = isCommon ? "These words are too common to search for." : none;
    return near.length
      ? `${reason} The nearest names:`
      : `${reason} See the list of everything below.`;
  }
  const sentences = [`${more ? "First " : ""}${count} result${count > 1 ? "s" : ""}`];
  if (corrections.size)
    sentences.push(
      [...corrections].map(([word, nearest]) => `${nearest} instead of ${word}`).join(", "),
    );
  if (isBroken) sentences.push("only names, because the texts could not be loaded");
  if (isPartial) sentences.push("no page has all the words");
  return sentences.join(" · ");
}

// Start each part of this page that shows a search, once. handbook.js has opened the dialog.
export function start() {
  const missing = document.querySelector("[data-missing]");
  if (missing) suggest(missing);
  if (page) startPage();
  if (dialog.open) startDialog();
}

let dialogSearch;
function startDialog() {
  if (dialogSearch) return;
  const link = dialog.querySelector("[data-search-link]");
  dialogSearch = new Search(dialog, {
    onQuery: (query) => {
      link.hidden = !query;
      link.href = makeAddress(new URL("search/", base), dialogSearch);
    },
  });
  dialogSearch.results.addEventListener("click", (event) => {
    const result = event.target.closest("a");
    if (!result || event.ctrlKey || event.metaKey || event.shiftKey) return;
    // The result can be this page, which keeps the names that the reader has filled in, or a section of it.
    if (result.href === location.href.split("#")[0]) {
      event.preventDefault();
      scrollTo(0, 0);
    }
    dialog.close();
  });
  dialog.querySelector(".hb-search__close").addEventListener("click", () => dialog.close());
  // A click beside the dialog closes it, if it also began there: you can select text beyond the edge.
  const isBeside = ({ target, clientX: x, clientY: y }) => {
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    return target === dialog && (x < left || x > right || y < top || y > bottom);
  };
  let beganBeside = false;
  dialog.addEventListener("pointerdown", (event) => (beganBeside = isBeside(event)));
  dialog.addEventListener("click", (event) => beganBeside && isBeside(event) && dialog.close());
  getIndex().start();
  dialogSearch.run({ type: "open" }); // what the reader has typed while this was loaded
}

function makeAddress(url, search) {
  const entries = { q: search.readQuery(), kind: search.kind.value };
  url.search = new URLSearchParams(Object.entries(entries).filter(([, value]) => value));
  return url;
}

// The search page reads its query from its address, and writes it there.
let pageSearch;
function startPage() {
  if (pageSearch) return;
  const address = new URLSearchParams(location.search);
  page.hidden = false;
  pageSearch = new Search(page, {
    onQuery: () => history.replaceState(null, "", makeAddress(new URL(location), pageSearch)),
  });
  pageSearch.input.value = address.get("q") ?? "";
  pageSearch.kind.value = address.get("kind") ?? "";
  if (pageSearch.kind.selectedIndex < 0) pageSearch.kind.value = "";
  if (pageSearch.input.value) pageSearch.run({ type: "open" });
}

function decode(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // The address has an incomplete escape, such as `%`.
  }
}

// The page for missing addresses: names that are most like the address, and the search field with its words.
let hasSuggested = false;
async function suggest(element) {
  if (hasSuggested) return;
  hasSuggested = true;
  const path = decode(location.pathname)
    .replace(base.pathname, "")
    .replace(/(?:index)?\.html?$|\/+$/g, "");
  if (nested) element.querySelector("form").action = new URL("search/", base);
  const parts = path.split("/").filter(Boolean);
  // The folder of a kind says little, except before a number, such as adr/23.
  const rest = parts.length > 1 && !/^\d+$/.test(parts[1]) ? parts.slice(1) : parts;
  element.querySelector("input").value = rest.join(" ").replace(/[-_]+/g, " ");
  const near = await getIndex().nearest(path);
  const list = element.querySelector(".hb-search__results");
  list.replaceChildren(...near.map(makeRow));
  list.parentElement.hidden = !near.length;
}
