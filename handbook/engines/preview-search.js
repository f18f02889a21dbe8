// The search of `handbook serve`, in place of Pagefind. One index has all pages, and a small one has the pages that have changed
// since then. The small one replaces these pages of the other.
const { folders, replaced } = await (await fetch(new URL("search.json", import.meta.url))).json();
if (!folders.length) throw new Error("There is no search index yet.");
// The version in the address makes the browser load the indexes again.
const version = new URL(import.meta.url).search;
const libraries = await Promise.all(
  folders.map((folder) => import(`${folder}pagefind.js${version}`)),
);
const old = new Set(replaced);

export const options = (values) => Promise.all(libraries.map((library) => library.options(values)));
export const init = () => Promise.all(libraries.map((library) => library.init()));

// The scores of the small index have another scale, because a word is never rare there. So its best page counts as the best of
// all pages. This only says which pages the search reads. It ranks them by their text.
export async function search(term) {
  const [all, edited] = await Promise.all(libraries.map((library) => library.search(term)));
  const best = ({ results }) => Math.max(0, ...results.map(({ score }) => score));
  const kept = all.results.filter(({ id }) => !old.has(id));
  if (!edited) return { results: kept };
  const scale = (best(all) || 1) / (best(edited) || 1);
  const scaled = edited.results.map((result) => ({ ...result, score: result.score * scale }));
  return { results: [...scaled, ...kept] };
}
