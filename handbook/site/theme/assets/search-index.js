// Finds pages for a query, in our own key files and in the index of Pagefind. It touches no page, so that Node can run it.
import {
  dropHeading,
  findIds,
  fold,
  isStopWord,
  joinCjk,
  likeness,
  makeTerm,
  normaliseId,
  prefixOf,
  rank,
  replaceSynonyms,
  splitCapitals,
  splitName,
  splitWords,
  Vocabulary,
} from "./search-words.js";

export const MAX_RESULTS = 10;
const [MAX_EXACT, MAX_KEY_FILES] = [5, 2];
// Each word of the text search fetches a part of the index, and the parts of a large site are large.
const SMALL_SITE = 1000;
const countTerms = (pages, hasExact) => (pages <= SMALL_SITE ? 3 : hasExact ? 1 : 2);

export class Index {
  // fetchJson returns a file below assets/keys/. library is a promise of Pagefind, or of null if there is no index.
  constructor(fetchJson, library) {
    this.library = library;
    this.files = new Map();
    this.fetchJson = fetchJson;
    this.found = new Map();
  }

  read(name) {
    if (!this.files.has(name)) this.files.set(name, this.fetchJson(name));
    return this.files.get(name);
  }

  words() {
    this.vocabulary ??= this.read("words").then(
      ({ words, synonyms, pages }) => ({ vocabulary: new Vocabulary(words), synonyms, pages }),
      () => ({ vocabulary: new Vocabulary([]), synonyms: [], pages: 0 }),
    );
    return this.vocabulary;
  }

  // The rows of the key files for some words: title, address, kind, status, and the keys.
  async rows(words) {
    const names = await this.read("parts");
    const prefixes = [...new Set(words.map(prefixOf))].filter((prefix) => names.includes(prefix));
    return (await Promise.all(prefixes.map((prefix) => this.read(prefix)))).flat();
  }

  // A query with the words of the site in place of unknown words, and the words that it is searched with.
  async readQuery(query) {
    const { vocabulary, synonyms, pages } = await this.words();
    const [words, corrections, unknown] = [[], new Map(), []];
    for (const word of splitWords(query)) {
      const parts = splitCapitals(query, word);
      if (vocabulary.knows(word)) words.push(word);
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
    const cost = (word) => {
      if (/\p{N}/u.test(word)) return isLine && !/^\d{3}$/.test(word) ? 20 : 1;
      return word.length < 3 ? 15 : vocabulary.level(word);
    };
    const byRarity = (some) => [...some].sort((a, b) => cost(a) - cost(b) || b.length - a.length);
    const corrected = corrections.size ? words.join(" ") : "";
    const variants = replaceSynonyms(corrected || fold(query), synonyms);
    return {
      words: byRarity(words.length ? words : unknown),
      corrections,
      corrected,
      variants,
      variantWords: variants.map((variant) => byRarity(splitWords(variant))),
      unknown,
      pages,
      isUnknown: !words.length && unknown.length > 0,
      vocabulary,
    };
  }

  async exactMatches(query, kind, { words, corrected, variants, variantWords }) {
    const ids = findIds(query);
    const numbers = ids.map((id) => id.match(/(\d+)(?:\.\d+)?$/)[1]);
    const asked = [[query, 0], ...(corrected ? [[corrected, 0.5]] : [])];
    for (const variant of variants) asked.push([variant, 0.5]);
    const others = variantWords.slice(0, 2).map(([word]) => word);
    const rows = await this.rows([...numbers, ...words.slice(0, MAX_KEY_FILES), ...others]);
    const best = new Map();
    for (const [title, address, label, badge, ...keys] of rows) {
      if (kind && kind !== label) continue;
      for (const key of keys) {
        let score = Math.max(...asked.map(([text, loss]) => rank(key, text) - loss));
        if (score < 4 && ids.includes(normaliseId(key))) score = 2.5;
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

  search(pagefind, term) {
    if (!this.found.has(term))
      this.found.set(
        term,
        pagefind.search(term).then(({ results }) => results),
      );
    return this.found.get(term);
  }

  // Add the scores of the pages that contain words of a query. Rarer words count more. In every page a word counts at least
  // 0.4 times as much as in its best page, so that a page with more of the words comes first.
  async score(pagefind, terms, scores, weight) {
    for (const term of terms) {
      const results = await this.search(pagefind, term);
      const most = Math.max(...results.map((result) => result.score), 0);
      const rarity = weight / Math.log2(2 + results.length);
      for (const result of results) {
        const entry = scores.get(result.id) ?? { result, score: 0 };
        entry.score += rarity * (0.4 + (0.6 * result.score) / most);
        scores.set(result.id, entry);
      }
    }
  }

  async textMatches(
    { words, variantWords, isUnknown },
    { kind, limit, maxTerms, isWanted, pause, isCancelled },
  ) {
    const pagefind = await this.library;
    const searched = words.filter((word) => !isStopWord(word));
    const long = searched.filter((word) => word.length > 2);
    const terms = (long.length ? long : searched)
      .slice(0, maxTerms)
      .map((word) => makeTerm(word, !isUnknown));
    if (!pagefind || !terms.length) return { rows: [], more: false };
    const scores = new Map();
    await this.score(pagefind, terms, scores, 1);
    for (const variant of variantWords.slice(0, 1)) {
      const others = variant.map((word) => makeTerm(word)).filter((term) => !terms.includes(term));
      await this.score(pagefind, others.slice(0, maxTerms - 1), scores, 0.8);
    }
    // A search for all words fetches nothing more, and marks all of them in the excerpts.
    if (terms.length > 1 && !terms.some((term) => term.startsWith('"')))
      for (const result of await this.search(pagefind, terms.join(" ")))
        if (scores.has(result.id)) scores.get(result.id).result = result;
    const hits = [...scores.values()].sort((a, b) => b.score - a.score);
    await pause;
    const pages = [];
    // Each page costs one fetch, so the search reads as many pages as it shows. A search within one kind reads more pages.
    const maxPages = (kind ? 6 : 1) * MAX_RESULTS;
    let n = 0;
    for (
      ;
      n < hits.length && n < maxPages && pages.length < limit && !isCancelled();
      n += MAX_RESULTS
    ) {
      const some = hits.slice(n, n + MAX_RESULTS);
      const data = await Promise.all(some.map(({ result }) => result.data()));
      pages.push(
        ...data
          .map((page, i) => ({ page, score: some[i].score }))
          .filter(({ page }) => isWanted(page) && (!kind || page.meta.kind === kind)),
      );
    }
    // All words count for the order, and words in headings count twice. Reference pages about the handbook itself come last.
    for (const entry of pages) {
      const countIn = (text) => {
        const folded = fold(joinCjk(text));
        return searched.filter((word) => folded.includes(fold(word))).length;
      };
      entry.count = countIn(entry.page.content);
      const headings = countIn(`${entry.page.meta.title} ${findSection(entry.page)?.title ?? ""}`);
      entry.isReference = entry.page.url.includes("/reference/") ? 1 : 0;
      entry.rank = entry.score * (0.5 + (entry.count + headings) / searched.length);
    }
    pages.sort((a, b) => a.isReference - b.isReference || b.rank - a.rank);
    return {
      rows: pages.slice(0, limit).map(({ page }) => readHit(page)),
      more: n < hits.length || pages.length > limit,
      isPartial: pages.length > 0 && !pages.some(({ count }) => count === searched.length),
    };
  }

  // The exact matches at once, by onExact, then everything.
  async find(query, { kind = "", pause, isCancelled = () => false, onExact = () => {} } = {}) {
    const plan = await this.readQuery(query);
    const exact = await this.exactMatches(query, kind, plan);
    if (isCancelled()) return null;
    const top = exact.slice(0, MAX_EXACT);
    if (top.length) onExact(top);
    const addresses = new Set(exact.map(({ address }) => address.split("#")[0]));
    const isWanted = (page) => !addresses.has(page.url.split("#")[0].replace(/^\//, ""));
    const text = await this.textMatches(plan, {
      kind,
      limit: MAX_RESULTS - top.length,
      maxTerms: countTerms(plan.pages, top.length > 0),
      isWanted,
      pause,
      isCancelled,
    });
    if (isCancelled()) return null;
    // If the text search has few results, more exact matches fill the list.
    const rest = exact.slice(MAX_EXACT, Math.max(MAX_EXACT, MAX_RESULTS - text.rows.length));
    const rows = [...top, ...text.rows, ...rest];
    return {
      rows,
      more: text.more || rows.length < exact.length + text.rows.length,
      corrections: plan.corrections,
      isPartial: !top.length && text.isPartial,
      isCommon: !plan.words.some((word) => !isStopWord(word)),
      near: rows.length ? [] : [...(await this.nearest(query)), ...this.nearWords(plan)],
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

// The section of a page that has the most matches.
const findSection = (page) =>
  page.sub_results.reduce(
    (a, b) => (b.locations.length > a.locations.length ? b : a),
    page.sub_results[0],
  );

// A page of Pagefind as a hit. Pagefind escapes the text around its <mark> elements.
function readHit(page) {
  const section = findSection(page);
  const title = page.meta.title;
  const hasSection = section && section.title !== title;
  const parts = joinCjk(section?.excerpt ?? page.excerpt).split(/<\/?mark>/);
  return {
    title: joinCjk(page.meta.id ? `${page.meta.id}: ${title}` : title),
    section: hasSection ? joinCjk(section.title) : "",
    address: (section?.url ?? page.url).replace(/^\//, ""),
    kind: page.meta.kind ?? "",
    badge: page.meta.status ?? "",
    excerpt: dropHeading(parts, [section?.title, title]),
  };
}
