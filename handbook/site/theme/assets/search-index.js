// Finds pages for a query, in our own key files and in the index of Pagefind. It touches no page, so that Node can run it.
import {
  chooseTerms,
  findIds,
  fold,
  isStopWord,
  joinCjk,
  likeness,
  makePattern,
  makeTerm,
  normaliseId,
  prefixOf,
  rank,
  readConcepts,
  replaceSynonyms,
  splitCapitals,
  splitName,
  splitWords,
  stem,
  Vocabulary,
} from "./search-words.js";

export const MAX_RESULTS = 10;
const MAX_EXACT = 5;
// Each word of the text search fetches a part of the index, and the parts of a large site are large. A query fetches parts of
// at most MAX_BYTES. site/index_parts.py writes their sizes, and has the same number of pages.
const SMALL_SITE = 1000;
const MAX_BYTES = 75_000;
const countTerms = (pages) => (pages <= SMALL_SITE ? 6 : 2);
// How much a word counts in the title or an alias of a page, in a heading, in the best section, and elsewhere on the page.
const [IN_TITLE, IN_HEADING, IN_SECTION, IN_PAGE] = [2, 1.5, 1, 0.5];
// How much a page counts by its kind. A reader in a hurry needs a runbook. Reference pages are about the handbook itself.
const KINDS = { Runbook: 1.3, Decision: 0.8 };
const REFERENCE = 0.7;
// How much a page counts that has nearly no word of a query.
const SCATTERED = 0.3;
// Another term with the same meaning counts less than the word itself.
const OTHER_TERM = 0.7;

// Network errors on a phone are often short.
const twice = (action) => action({ isLast: false }).catch(() => action({ isLast: true }));

export class Index {
  // fetchJson returns a file below assets/keys/. loadLibrary returns Pagefind, for an attempt with a number.
  constructor(fetchJson, loadLibrary) {
    this.fetchJson = fetchJson;
    this.loadLibrary = loadLibrary;
    this.attempts = 0;
    this.files = new Map();
    this.found = new Map();
    this.missing = new Set();
  }

  // A failure is not kept, so that the next query reads the file again.
  read(name) {
    if (!this.files.has(name)) {
      const file = twice(() => this.fetchJson(name));
      this.files.set(name, file);
      file.catch(() => this.files.delete(name));
    }
    return this.files.get(name);
  }

  // Load what every query needs.
  start() {
    this.words();
    this.pagefind().catch(() => {});
  }

  pagefind() {
    this.library ??= this.loadLibrary(++this.attempts);
    return this.library;
  }

  async words() {
    this.vocabulary ??= this.read("words").then(({ words, synonyms, pages }) => ({
      vocabulary: new Vocabulary(words),
      synonyms,
      pages,
    }));
    try {
      return await this.vocabulary;
    } catch {
      this.vocabulary = null;
      return { vocabulary: new Vocabulary([]), synonyms: [], pages: 0 };
    }
  }

  // The rows of the key files for some words: title, address, kind, status, and the keys.
  async rows(words) {
    const names = await this.read("parts");
    const prefixes = new Set(words.filter((word) => !isStopWord(word)).map(prefixOf));
    const files = names.filter((name) => prefixes.has(name)).map((name) => this.read(name));
    return (await Promise.all(files)).flat();
  }

  // A query with the words of the site in place of unknown words, and the words that it is searched with.
  async readQuery(query) {
    const { vocabulary, synonyms, pages } = await this.words();
    const inSynonyms = new Set(synonyms.flat().flatMap(splitWords).map(stem));
    const [words, corrections, unknown] = [[], new Map(), []];
    for (const word of splitWords(query)) {
      const parts = splitCapitals(query, word);
      if (vocabulary.knows(word) || inSynonyms.has(stem(word))) words.push(word);
      else if (parts.length > 1 && parts.every((part) => vocabulary.knows(part)))
        words.push(...parts);
      else {
        const [nearest] = vocabulary.nearest(word);
        if (nearest) {
          corrections.set(word, nearest);
          words.push(nearest);
        } else unknown.push(word);
      }
    }
    // The rarest words come first. In a long line, numbers are mostly addresses, times and sizes, but not a code such as 429.
    const isLine = words.length > 4;
    const weight = (word) => weigh(word, pages, vocabulary, isLine);
    const byRarity = (some) =>
      [...some].sort((a, b) => weight(b) - weight(a) || b.length - a.length);
    const corrected = corrections.size ? words.join(" ") : "";
    const variants = replaceSynonyms(corrected || fold(query), synonyms);
    const asked = words.length ? words : unknown;
    const isCommon = asked.length > 0 && asked.every(isStopWord);
    return {
      words: isCommon ? [] : byRarity(asked),
      concepts: isCommon
        ? []
        : readConcepts(asked, synonyms).map((terms) => new Concept(terms, weight)),
      corrections,
      corrected,
      variants,
      variantWords: variants.map((variant) => byRarity(splitWords(variant))),
      unknown,
      pages,
      isUnknown: !words.length && unknown.length > 0,
      isCommon,
      vocabulary,
    };
  }

  async exactMatches(query, kind, { words, pages, corrected, variants, variantWords }) {
    const ids = findIds(query);
    const numbers = ids.map((id) => id.match(/(\d+)(?:\.\d+)?$/)[1]);
    const asked = [[query, 0], ...(corrected ? [[corrected, 0.5]] : [])];
    for (const variant of variants) asked.push([variant, 0.5]);
    const text = fold(query);
    const others = variantWords.slice(0, 2).map(([word]) => word);
    const rows = await this.rows([...numbers, ...words.slice(0, countTerms(pages)), ...others]);
    const best = new Map();
    for (const [title, address, label, badge, ...keys] of rows) {
      if (kind && kind !== label) continue;
      for (const key of keys) {
        let score = Math.max(...asked.map(([text, loss]) => rank(key, text) - loss));
        if (score < 4 && ids.includes(normaliseId(key))) score = 2.5;
        // "disk full" is the title "Order service: disk full".
        if (score && fold(title.split(": ").at(-1)) === text) score = 5;
        // Files of services have the words of many pages in their names.
        if (score < 5 && address.includes("/files/")) score = Math.min(score, 0.5);
        if (score > (best.get(address)?.score ?? 0))
          best.set(address, {
            score,
            title,
            address,
            kind: label,
            badge,
            text: score > 1 && key !== title && !title.startsWith(`${key}:`) ? key : "",
          });
      }
    }
    return [...best.values()].sort((a, b) => b.score - a.score);
  }

  // The names of pages that have a word of a query: titles with tags, and aliases, by address.
  async names({ words, pages }) {
    const names = new Map();
    for (const [title, address, , , ...keys] of await this.rows(
      words.slice(0, countTerms(pages)),
    )) {
      if (address.includes("#")) continue;
      names.set(address, [...new Set([...(names.get(address) ?? []), title, ...keys])]);
    }
    return names;
  }

  // Pagefind finds nothing if it cannot load a part of its index, for example after the site has changed. Nearly all words of the
  // vocabulary are on a page, so a word without results is searched once more in the newest index.
  async search(pagefind, term, vocabulary, isLast) {
    if (!this.found.has(term)) this.found.set(term, pagefind.search(term));
    const { results } = await this.found.get(term);
    if (!results.length && vocabulary.levels.has(term) && !this.missing.has(term)) {
      this.missing.add(term);
      if (!isLast) throw new Error(`No page has ${term}.`);
    }
    return results;
  }

  // Add the scores of the pages with words of a query, by the weights of the words. In every page a word counts at least 0.4
  // times as much as in its best page, so that a page with more of the words comes first.
  // A word that at most `enough` pages have ends the search.
  async findPages(pagefind, terms, enough, vocabulary, isLast) {
    const pages = new Map();
    for (const { term, weight, concept } of terms) {
      if (pages.size && pages.size <= enough) break;
      const results = await this.search(pagefind, term, vocabulary, isLast);
      const most = Math.max(...results.map((result) => result.score), 0);
      for (const result of results) {
        const entry = pages.get(result.id) ?? { result, weights: new Map() };
        const score = weight * (0.4 + (0.6 * result.score) / most);
        entry.weights.set(concept, Math.max(entry.weights.get(concept) ?? 0, score));
        pages.set(result.id, entry);
      }
    }
    for (const entry of pages.values())
      entry.score = [...entry.weights.values()].reduce((sum, score) => sum + score, 0);
    return [...pages.values()].sort((a, b) => b.score - a.score);
  }

  // The same as textMatches. After a failure, it loads Pagefind again.
  async searchTexts(plan, options) {
    try {
      return await this.textMatches(plan, options);
    } catch (error) {
      this.library?.then((pagefind) => pagefind.destroy()).catch(() => {});
      this.library = null;
      this.found.clear();
      throw error;
    }
  }

  async textMatches(
    { concepts, isUnknown, pages: size, vocabulary },
    { kind, limit, hasExact, names, isWanted, isCancelled, isLast },
  ) {
    const isSmall = size <= SMALL_SITE;
    const terms = concepts.flatMap(({ terms: [own, ...others], weight }, concept) => [
      { words: splitWords(own), weight, concept },
      ...others
        .slice(0, 1)
        .map((other) => ({ words: splitWords(other), weight: weight * OTHER_TERM, concept })),
    ]);
    const maxWords = isSmall || !hasExact ? countTerms(size) : 1;
    const sizes = await this.sizes(size);
    const searched = chooseTerms(terms, maxWords, MAX_BYTES, sizes).map((term) => ({
      ...term,
      term: makeTerm(term.words.join(" "), !isUnknown),
    }));
    if (!searched.length || isCancelled()) return { rows: [], more: false };
    const pagefind = await this.pagefind();
    const enough = isSmall ? 0 : MAX_RESULTS;
    const hits = await this.findPages(pagefind, searched, enough, vocabulary, isLast);
    // Each page costs one fetch. A search within one kind reads more pages, until it has enough.
    const maxPages = (kind ? 6 : isSmall ? 2 : 1) * MAX_RESULTS;
    const step = kind ? MAX_RESULTS : maxPages;
    const pages = [];
    let n = 0;
    for (; n < hits.length && n < maxPages && !isCancelled(); n += step) {
      const some = hits.slice(n, n + step);
      const data = await Promise.all(some.map(({ result }) => result.data()));
      pages.push(...data.filter((page) => isWanted(page) && (!kind || page.meta.kind === kind)));
      if (kind && pages.length >= limit) break;
    }
    const rows = pages
      .map((page) => readHit(page, concepts, names.get(toAddress(page.url).split("#")[0]) ?? []))
      .sort((a, b) => b.score - a.score);
    return {
      rows: rows.slice(0, limit),
      more: n < hits.length || rows.length > limit,
      isPartial: rows.length > 0 && !rows.some(({ hasAll }) => hasAll),
    };
  }

  // The sizes of the parts of a large index.
  async sizes(pages) {
    return pages > SMALL_SITE ? this.read("sizes").catch(() => []) : [];
  }

  // The exact matches at once, by onExact, then everything.
  async find(query, { kind = "", isCancelled = () => false, onExact = () => {} } = {}) {
    const plan = await this.readQuery(query);
    const exact = await this.exactMatches(query, kind, plan);
    if (isCancelled()) return null;
    const top = exact.slice(0, MAX_EXACT);
    if (top.length) onExact(top);
    const addresses = new Set(exact.map(({ address }) => address.split("#")[0]));
    const isWanted = (page) => !addresses.has(page.url.split("#")[0].replace(/^\//, ""));
    const options = {
      kind,
      limit: MAX_RESULTS - top.length,
      hasExact: top.length > 0,
      names: await this.names(plan),
      isWanted,
      isCancelled,
    };
    const text = await twice(({ isLast }) => this.searchTexts(plan, { ...options, isLast })).catch(
      () => ({
        rows: [],
        more: false,
        isBroken: true,
      }),
    );
    if (isCancelled()) return null;
    // If the text search has few results, more exact matches fill the list.
    const rest = exact.slice(MAX_EXACT, Math.max(MAX_EXACT, MAX_RESULTS - text.rows.length));
    const rows = [...top, ...text.rows, ...rest];
    const near = rows.length ? [] : await this.nearest(query);
    return {
      rows,
      more: text.more || rows.length < exact.length + text.rows.length,
      corrections: plan.corrections,
      isPartial: !top.length && text.isPartial,
      isCommon: plan.isCommon,
      isBroken: text.isBroken,
      near: rows.length || near.length ? near : this.nearWords(plan),
    };
  }

  // Searches for words of the site that begin as the unknown words of a query.
  nearWords({ unknown, vocabulary }) {
    const words = unknown.flatMap((word) => vocabulary.beginLike(word));
    return words.map((word) => ({
      title: word,
      address: `search/?${new URLSearchParams({ q: word })}`,
      kind: "Search",
    }));
  }

  // The ids, alerts and pages whose names or addresses are most like a text, such as a path that does not exist.
  async nearest(text, limit = 5) {
    const words = splitName(text).filter((word) => !isStopWord(word));
    const ids = findIds(words.join(" "));
    const numbers = ids.map((id) => id.match(/(\d+)(?:\.\d+)?$/)[1]);
    const long = words.filter((word) => word.length > 2).sort((a, b) => b.length - a.length);
    const rows = await this.rows([...numbers, ...long.slice(0, 4)]);
    const best = new Map();
    for (const [title, address, kind, badge, ...keys] of rows) {
      const [page, fragment] = address.split("#");
      const score = Math.max(
        likeness(text, page) - (fragment ? 0.01 : 0),
        ...keys.map((key) => (ids.includes(normaliseId(key)) ? 2 : likeness(text, key))),
      );
      const id = ids.length ? address : page;
      if (score >= 0.5 && score > (best.get(id)?.score ?? 0))
        best.set(id, { score, title, address, kind, badge, text: "" });
    }
    const sorted = [...best.values()].sort((a, b) => b.score - a.score);
    return sorted.filter(({ score }) => score > sorted[0].score - 0.3).slice(0, limit);
  }
}

// The weight of a word: the fewer pages have it, the more it says. In a long line, numbers are mostly addresses, times and
// sizes, but not a code such as 429.
function weigh(word, pages, vocabulary, isLine) {
  const most = Math.log2(pages + 2);
  if (/\p{N}/u.test(word)) return isLine && !/^\d{3}$/.test(word) ? 0.1 : most;
  if (word.length < 3 && !/\P{ASCII}/u.test(word)) return 0.3;
  return Math.max(most - vocabulary.level(word), 0.3);
}

// A thing that a query asks for: a word or term, and others with the same meaning. Its rarest word has its weight.
class Concept {
  constructor(terms, weight) {
    this.terms = terms;
    this.weight = Math.max(...splitWords(terms[0]).map(weight));
    this.patterns = terms.map(makePattern);
  }

  // How often a folded text has the term, or else OTHER_TERM if it has another one.
  count(text) {
    for (const [n, pattern] of this.patterns.entries()) {
      const matches = text.match(pattern);
      if (matches) return n ? OTHER_TERM : matches.length;
    }
    return 0;
  }

  // How well a name has the term: 1 if the query has all words of the name.
  share(name, concepts) {
    const text = fold(name);
    const matched = Math.min(this.count(text), 1);
    if (!matched) return 0;
    const words = splitWords(text);
    const covered = words.filter((word) => concepts.some((concept) => concept.count(word)));
    return matched * (0.5 + 0.5 * Math.min(covered.length / words.length, 1));
  }
}

const EXCERPT_LENGTH = 170;
// The part of a section with most of a query, in parts: those with odd numbers are marked.
function makeExcerpt({ heading, text }, concepts) {
  let start = 0;
  const hasHeading = heading && text.startsWith(heading);
  const body = hasHeading ? text.slice(heading.length).replace(/^[\s.:¶]+/, "") : text;
  const folded = fold(body);
  const ranges = [];
  // Folding can change the length of a text. Its words are then not marked.
  if (folded.length === body.length)
    for (const { patterns, weight } of concepts)
      for (const pattern of patterns)
        for (const match of folded.matchAll(pattern))
          ranges.push({ from: match.index, to: match.index + match[0].length, weight, pattern });
  ranges.sort((a, b) => a.from - b.from);
  let best = 0;
  for (const { from } of ranges) {
    const near = ranges.filter((range) => range.from >= from && range.to <= from + EXCERPT_LENGTH);
    const patterns = new Map(near.map(({ pattern, weight }) => [pattern, weight]));
    const sum = [...patterns.values()].reduce((total, weight) => total + weight, 0);
    if (sum > best) [best, start] = [sum, from];
  }
  start = start < 60 ? 0 : body.lastIndexOf(" ", start - 30) + 1;
  let end = start + EXCERPT_LENGTH + 30;
  end = end >= body.length ? body.length : body.lastIndexOf(" ", end);
  const parts = [];
  let position = start;
  for (const { from, to } of ranges) {
    if (from < position || to > end) continue;
    parts.push(body.slice(position, from), body.slice(from, to));
    position = to;
  }
  parts.push(body.slice(position, end));
  return parts.map(joinCjk);
}

const toAddress = (url) => url.replace(/^\//, "");

// The sections of a page: its text between headings, which Pagefind counts in words.
function* splitSections(page) {
  const words = page.content.split(/\s+/);
  const anchors = page.anchors.filter(({ element }) => /^(?:h[1-6]|tr)$/i.test(element));
  const starts = [{ id: "", text: "", location: 0 }, ...anchors];
  for (const [n, { id, text, location }] of starts.entries()) {
    const end = starts[n + 1]?.location ?? words.length;
    // The row of a requirement begins with its id.
    const heading = text || (id && words[location]);
    if (end > location) yield { id, heading, text: words.slice(location, end).join(" ") };
  }
}

// How well a page answers the concepts of a query: its score, its best section, and the excerpt of that section.
function readHit(page, concepts, names) {
  const title = page.meta.title;
  const total = concepts.reduce((sum, { weight }) => sum + weight, 0);
  const inTitle = concepts.map((concept) =>
    Math.max(...[title, ...names].map((name) => concept.share(name, concepts))),
  );
  const inPage = concepts.map(() => 0);
  const inHeadings = concepts.map(() => 0);
  let best;
  for (const section of splitSections(page)) {
    // The title of the page counts apart.
    const heading = section.heading === title ? "" : fold(section.heading);
    const text = fold(section.text);
    let score = 0;
    concepts.forEach((concept, n) => {
      const [a, b] = [concept.count(heading), concept.count(text)];
      inHeadings[n] = Math.max(inHeadings[n], Math.min(a, 1));
      inPage[n] = Math.max(inPage[n], Math.min(b, 1));
      // More occurrences count a little, and the first words of a page are its summary.
      const often = b && Math.min(b, 1) * (1 + Math.log2(Math.max(b, 1)) / 6);
      score += concept.weight * (IN_HEADING * Math.min(a, 1) + IN_SECTION * often);
    });
    if (!best || score > best.score) best = { ...section, score };
  }
  const share = concepts.reduce(
    (sum, { weight }, n) => sum + weight * Math.max(inPage[n], Math.min(inTitle[n], 1)),
    0,
  );
  const rest = concepts.reduce(
    (sum, { weight }, n) => sum + weight * (IN_TITLE * inTitle[n] + IN_PAGE * inPage[n]),
    0,
  );
  const prior = page.url.includes("/reference/") ? REFERENCE : (KINDS[page.meta.kind] ?? 1);
  const hasHeading = best.id && best.heading && best.heading !== title;
  return {
    title: joinCjk(page.meta.id ? `${page.meta.id}: ${title}` : title),
    section: hasHeading ? joinCjk(best.heading) : "",
    address: toAddress(page.url) + (hasHeading ? `#${best.id}` : ""),
    kind: page.meta.kind ?? "",
    badge: page.meta.status ?? "",
    excerpt: makeExcerpt(best, concepts),
    score: (best.score + rest) * (SCATTERED + ((1 - SCATTERED) * share) / total) * prior,
    hasAll: inPage.every(Boolean),
  };
}
