// Words of a query: pure functions, which read no page and fetch nothing. tests/browser/test_search_words.py runs them in Node.

const LETTERS = {
  ß: "ss",
  ø: "o",
  æ: "ae",
  œ: "oe",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ı: "i",
  ħ: "h",
};

// Lower case, without accents: "Łódź" and "lodz" are the same. reading/letters.py folds in the same way.
export const fold = (text) =>
  text
    .toLowerCase()
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .normalize("NFC")
    .replace(/[ßøæœłđðþıħ]/g, (letter) => LETTERS[letter]);

// Chinese and Japanese text has no spaces. Each of its characters is a word of the index (reading/letters.py).
const CJK = "[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}ー]";
const CJK_RUN = new RegExp(`${CJK}+`, "gu");
const CJK_OR_STOP = `(?:${CJK}|[、-〿！-･])`;
const CJK_SPACE = new RegExp(`(?<=${CJK_OR_STOP})(</mark>)? (<mark>)?(?=${CJK_OR_STOP})`, "gu");
// A text of the index without the spaces between Chinese and Japanese characters. Adjacent marks become one.
export const joinCjk = (html) => html.replace(CJK_SPACE, "$1$2").replaceAll("</mark><mark>", "");

// Stop words: words of grammar and of questions. They weigh nothing while a query has other words.
const STOP_WORDS = new Set(
  `a about after again all also always am an and any are as at be because been before being but by can cannot could did do does
  doing done each every for from get gets give go goes going had has have having he her here him his how i if in into is it its
  just keep keeps let like long make makes many may me might more most much must my need needs no not now of off on only or our
  out over put say says shall she should so some someone somebody than that the their them then there these they thing things this
  those to too under until up us use very want wants was we well were what when where which while who whom whose why will with
  without would you your`.split(/\s+/),
);
export const isStopWord = (word) => STOP_WORDS.has(word);

// The words of a text, without stop words if anything else is left. A hyphen between letters belongs to a word.
export function splitWords(text) {
  const spaced = text.replace(CJK_RUN, (run) => ` ${run} `);
  const words = spaced.match(/[\p{L}\p{M}\p{N}]+(?:-[\p{L}\p{M}]{2,}(?![\p{N}]))*/gu) ?? [];
  const lower = [...new Set(words.map((word) => word.toLowerCase()))];
  const rest = lower.filter((word) => !STOP_WORDS.has(word));
  return rest.length ? rest : lower;
}

// The search term of Pagefind for a word. Characters of Chinese and Japanese words must follow one another. An unknown word
// is quoted, because Pagefind would otherwise take the pages with its first letters.
export function makeTerm(word, isKnown = true) {
  if (word.match(CJK_RUN)?.[0] === word) return `"${[...word].join(" ")}"`;
  return isKnown ? word : `"${word}"`;
}

// "ADR-0023", "adr 23" and "adr0023" are "adr23". "STD-05.3" is "std5.3". Null for a text that is no id.
const ID = /^([a-z](?:[a-z0-9]*[a-z])?)[\s_-]*0*(\d+)(?:\.0*(\d+))?$/;
export function normaliseId(text) {
  const [, prefix, number, part] = fold(text).trim().match(ID) ?? [];
  return prefix ? `${prefix}${number}${part ? `.${part}` : ""}` : null;
}

// The ids in a query, such as "sec3" in "SEC-3 order-service".
export const findIds = (query) =>
  (fold(query).match(/(?<![a-z0-9])[a-z][a-z0-9]*[\s_-]*\d+(?:\.\d+)?(?![a-z0-9])/g) ?? [])
    .map(normaliseId)
    .filter(Boolean);

// Three characters that name the key file of a word. views/keys.py has the same function.
export function prefixOf(word) {
  const folded = fold(word);
  const [first] = folded;
  if (first && new RegExp(CJK, "u").test(first)) return `u${first.codePointAt(0).toString(16)}`;
  return [...(/^\d+$/.test(folded) ? folded.replace(/^0+(?=\d)/, "") : folded)]
    .slice(0, 3)
    .join("")
    .replace(/[^a-z0-9]/gu, "_");
}

// The number of edits between two words: a letter more, less, other, or two letters that change places. Above max: max + 1.
export function countEdits(a, b, max) {
  if (Math.abs(a.length - b.length) > max) return max + 1;
  let [before, last] = [[], Array.from({ length: b.length + 1 }, (_, n) => n)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isEqual = a[i - 1] === b[j - 1];
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (isEqual ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j], before[j - 2] + 1);
    }
    if (Math.min(...row) > max) return max + 1;
    [before, last] = [last, row];
  }
  return Math.min(last[b.length], max + 1);
}

// Short words have too many neighbours, also with an ending: "killed" is not "filled".
function maxEdits(word) {
  const { length } = word.replace(/(?:ing|ed|s)$/, "");
  return length < 5 ? 0 : length < 8 ? 1 : 2;
}

// A word without its English ending: "dropped" and "drops" are "drop", "queries" and "query" are "quer".
const ENDINGS = "ments?|ions?|ings?|ers?|ies|ied|als?|ed|es|ly|e|s|y|d";
const ENDING = new RegExp(`^(.{3,}?)(?:${ENDINGS})$`, "u");
export function stem(word) {
  const [, start] = word.match(ENDING) ?? [];
  if (!start || /ss$/.test(word) || /[aeo]y$/.test(word)) return word;
  const single = start.replace(/([bdgmnprt])\1$/, "$1");
  return single.length < 4 && single === start ? word.replace(/(.{3})s$/, "$1") : single;
}

// The parts of the index that a word may be in, as positions in a list of [first word, bytes] in alphabetical order. Pagefind
// has its own stem of a word, which is between our stem and the word.
function findParts(word, sizes) {
  const name = word.replaceAll("-", "");
  const last = sizes.findLastIndex(([first]) => first <= name);
  const first = sizes.findLastIndex(([start]) => start <= stem(name));
  return sizes.map((_, n) => n).slice(Math.max(first, 0), last + 1);
}

// The terms to search: those with the greatest weights whose words fit into a number of words, and whose parts of the index fit
// into a number of bytes. If none fits, the term with the smallest parts.
export function chooseTerms(terms, maxWords, maxBytes, sizes) {
  const fetched = new Set();
  const count = (some) => [...some].reduce((sum, part) => sum + sizes[part][1], 0);
  const partsOf = ({ words }) => new Set(words.flatMap((word) => findParts(word, sizes)));
  const chosen = [];
  let left = maxWords;
  for (const term of [...terms].sort((a, b) => b.weight - a.weight)) {
    if (chosen.length && term.words.length > left) break;
    const parts = partsOf(term);
    if (count(new Set([...fetched, ...parts])) > maxBytes) continue;
    for (const part of parts) fetched.add(part);
    left -= term.words.length;
    chosen.push(term);
  }
  const size = (term) => count(partsOf(term));
  return chosen.length ? chosen : [...terms].sort((a, b) => size(a) - size(b)).slice(0, 1);
}

// A pattern for a term in folded text, with any endings of its words, and with or without spaces and hyphens between them.
export function makePattern(term) {
  const words = fold(term).match(new RegExp(`${CJK}|[\\p{L}\\p{M}\\p{N}]+`, "gu")) ?? [];
  const parts = words.map((word) => {
    const start = stem(word);
    return /^[a-z]{3,}$/.test(start) ? `${start}${start.at(-1)}?(?:${ENDINGS})?` : start;
  });
  const [before, after] = [words[0], words.at(-1)].map((word = "") =>
    new RegExp(CJK, "u").test(word) ? "" : "[\\p{L}\\p{N}]",
  );
  const pattern = parts.join("[^\\p{L}\\p{N}]*");
  return new RegExp(`${before && `(?<!${before})`}${pattern}${after && `(?!${after})`}`, "gu");
}

// The things that a query asks for: each is a word, or a term of a synonym group with the other terms of its group.
export function readConcepts(words, groups) {
  const text = ` ${words.join(" ")} `;
  const concepts = [];
  const taken = new Set();
  for (const group of groups) {
    const own = group.find((term) => makePattern(term).test(text));
    if (!own) continue;
    const parts = splitWords(own).map(stem);
    const covered = words.filter((word) => parts.includes(stem(word)));
    if (covered.some((word) => taken.has(word))) continue;
    for (const word of covered) taken.add(word);
    concepts.push([covered.join(" "), ...group.filter((term) => term !== own)]);
  }
  return [...concepts, ...words.filter((word) => !taken.has(word)).map((word) => [word])];
}

// The words of the site. words.json has them in groups: words of one page, of two or three pages, of four to seven, and so on.
export class Vocabulary {
  constructor(groups) {
    this.levels = new Map();
    this.folded = new Map();
    this.stems = new Map();
    for (const [level, group] of groups.entries()) {
      for (const word of group.split(" ").filter(Boolean)) {
        this.levels.set(word, level);
        this.stems.set(stem(word), level); // groups come in order, so that the highest level stays
        const folded = fold(word);
        if (folded !== word) this.folded.set(folded, [...(this.folded.get(folded) ?? []), word]);
      }
    }
    this.sorted = [...this.levels.keys()].sort();
  }

  // The rarity of a word with any ending: 0 for a word of one page.
  level(word) {
    return Math.max(this.levels.get(word) ?? 0, this.stems.get(stem(word)) ?? 0);
  }

  // Whether a word of the site is the word, begins with it, or has another ending.
  knows(word) {
    if (!/^[\p{L}\p{M}-]+$/u.test(word) || this.levels.has(word)) return true;
    if (word.includes("-")) return word.split("-").every((part) => this.knows(part));
    if (this.stems.has(stem(word))) return true;
    let [low, high] = [0, this.sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sorted[middle] < word) low = middle + 1;
      else high = middle;
    }
    return this.sorted[low]?.startsWith(word) ?? false;
  }

  // The words of the site that are nearest to a word, the best first.
  nearest(word) {
    const spelt = this.folded.get(fold(word));
    if (spelt) return spelt;
    const folded = fold(word);
    if (this.levels.has(folded)) return [folded];
    let max = maxEdits(folded);
    let words = [];
    for (const [candidate, level] of this.levels) {
      if (Math.abs(candidate.length - folded.length) > max + 1) continue;
      const edits = countEdits(folded, fold(candidate), max);
      if (edits > max) continue;
      words.push({ candidate, edits, level, start: candidate[0] === folded[0] ? 0 : 1 });
      max = Math.max(edits, 1);
    }
    words = words.sort((a, b) => a.edits - b.edits || a.start - b.start || b.level - a.level);
    return words.slice(0, 3).map(({ candidate }) => candidate);
  }

  // Words that begin as a word does, for a word that has no near one.
  beginLike(word) {
    for (let length = word.length - 1; length > 3; length--) {
      const words = this.sorted.filter((candidate) => candidate.startsWith(word.slice(0, length)));
      if (words.length) return words.sort((a, b) => this.level(b) - this.level(a)).slice(0, 3);
    }
    return [];
  }
}

// The other ways to say a query: each term of a synonym group is replaced by the others of its group.
export function replaceSynonyms(query, groups) {
  const words = ` ${query} `;
  const others = [];
  for (const group of groups)
    for (const term of group)
      if (words.includes(` ${fold(term)} `))
        for (const other of group)
          if (other !== term && !words.includes(` ${fold(other)} `))
            others.push(words.replace(` ${fold(term)} `, ` ${fold(other)} `).trim());
  return [...new Set(others)];
}

const simple = (text) => fold(text).replace(/\s+/g, " ").trim();
const wordsOf = (text) =>
  (fold(text).match(/[\p{L}\p{M}\p{N}]+/gu) ?? []).filter((word) => /\p{L}{3}/u.test(word));

// How well a key answers a query.
// 5: it is the query. 4: it is the same id. 3: it begins with the query, or a message contains the query, or the query contains
// the whole message. 2: nearly all words of the key are in the query. 1: the key contains every word of the query, or the query
// contains a name such as order-service. 0: not at all.
export function rank(key, query) {
  const [k, q] = [simple(key), simple(query)];
  if (!q) return 0;
  if (k === q) return 5;
  // "no orders" is in OrderServiceNoOrders.
  const isName = q.includes(" ") && /^\w*[a-z][A-Z]\w*$/.test(key);
  if (isName && ` ${splitName(key).join(" ")} `.includes(` ${q} `)) return 3;
  const id = normaliseId(k);
  if (id && id === normaliseId(q)) return 4;
  const isCjk = CJK_RUN.test(q);
  CJK_RUN.lastIndex = 0;
  if (q.length < (isCjk ? 2 : 3)) return 0;
  if (k.startsWith(q) || ((k.includes(" ") || isCjk) && k.includes(q))) return 3;
  const [inKey, inQuery] = [wordsOf(k), wordsOf(q)];
  const isMessage = inKey.length > 2 || /\p{Ll}\p{Lu}/u.test(key);
  if (
    isMessage &&
    ` ${q.replace(/[^\p{L}\p{N}]+/gu, " ")} `.includes(
      ` ${k.replace(/[^\p{L}\p{N}]+/gu, " ").trim()} `,
    )
  )
    return 3;
  const share = (some, all) => some.filter((word) => all.includes(word)).length / some.length;
  if (inKey.length > 2 && share(inKey, inQuery) >= 0.75) return 2;
  if (/^[a-z]+(?:-[a-z]+)+$/.test(k) && ` ${q} `.includes(` ${k} `)) return 1;
  const words = splitWords(q).filter((word) => !isStopWord(word));
  if (words.length && words.every((word) => k.includes(word.replace(/s$/, "")))) return 1;
  return inQuery.length > 3 && inKey.length > 2 && share(inQuery, inKey) >= 0.75 ? 1 : 0;
}

// The parts of an address or of a name: /alerts/OrderServiceDown has alerts, order, service and down.
export const splitName = (name) =>
  fold(name.replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, " ")).match(
    /[\p{L}\p{M}\p{N}]+/gu,
  ) ?? [];

// The parts of a word that a query writes with capitals inside: DiskFull has disk and full.
export function splitCapitals(query, word) {
  const start = query.toLowerCase().indexOf(word);
  return start < 0 ? [] : splitName(query.slice(start, start + word.length));
}

// The last part of an address without separators: orderservicedown for /alerts/OrderServiceDown/.
const joinLast = (name) => splitName(name.replace(/\/+$/, "").split("/").pop()).join("");

// How alike two names are, from 0 to 1: the share of their parts that are equal, nearly equal, or begin alike.
export function likeness(a, b) {
  const [last, otherLast] = [joinLast(a), joinLast(b)];
  const max = maxEdits(last);
  if (max && countEdits(last, otherLast, max) <= max) return last === otherLast ? 1 : 0.95;
  const [some, others] = [splitName(a), splitName(b)];
  const match = (x, y) => {
    if (x === y) return 1;
    if (x.length > 2 && y.length > 2 && (x.startsWith(y) || y.startsWith(x))) return 0.8;
    return countEdits(x, y, maxEdits(x)) <= maxEdits(x) ? 0.8 : 0;
  };
  const sum = (from, to) =>
    from.reduce((total, x) => total + Math.max(0, ...to.map((y) => match(x, y))), 0);
  return (sum(some, others) + sum(others, some)) / (some.length + others.length || 1);
}
