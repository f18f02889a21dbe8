// What pages gain from scripts; all of them are read without.
const here = document.currentScript.src;

document.addEventListener("DOMContentLoaded", () => {
  // A region that scrolls sideways can be reached by keyboard.
  const reach = () => {
    for (const region of document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset pre > code, .hb-table")) {
      if (region.scrollWidth > region.clientWidth) region.tabIndex = 0;
      else region.removeAttribute("tabindex");
    }
  };
  new ResizeObserver(reach).observe(document.body);
  reach();

  // Search: nothing of it is fetched before somebody asks.
  const search = () => import(new URL("search.js", here)).then((module) => module.open());
  for (const link of document.querySelectorAll("[data-search]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      search();
    });
  }
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, dialog");
    if ((event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) || (event.key === "k" && (event.ctrlKey || event.metaKey))) {
      event.preventDefault();
      search();
    }
  });

  for (const bar of document.querySelectorAll(".hb-filter")) filter(bar);
});

// A bar of facets and free text over the tables of its page. What is chosen stands in the address, so that a view can be linked.
function filter(bar) {
  const tables = [...document.querySelectorAll(".hb-table[data-rows]")];
  const rows = tables.flatMap((table) => [...table.querySelectorAll("tbody > tr")]).map((row) => ({ row, table: row.closest(".hb-table"), ...row.dataset }));
  const count = bar.querySelector("output");
  const address = new URLSearchParams(location.search);
  for (const field of bar.elements) if (field.name && address.has(field.name)) field.value = address.get(field.name);

  // Where a page has a table for each group, the heading and the words above an empty one go with it.
  const parts = new Map(tables.map((table) => [table, [table]]));
  if (tables.length > 1) {
    for (const [table, all] of parts) {
      for (let part = table.previousElementSibling; part && part !== bar && !part.matches(".hb-table"); part = part.previousElementSibling) {
        all.push(part);
        if (part.matches("h2")) break;
      }
    }
  }

  // What the rows say is read when there is nothing else to do, so that the first key does not wait for it.
  const read = (each) => (each.words ??= each.row.textContent.toLowerCase());
  window.requestIdleCallback?.(() => rows.forEach(read));

  let later;
  const apply = () => {
    const wanted = [...bar.elements].filter((field) => field.name && field.value.trim()).map((field) => [field.name, field.value.trim()]);
    const words = (bar.elements.text?.value ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    const facets = wanted.filter(([name]) => name !== "text");
    const left = new Map(tables.map((table) => [table, 0]));
    const coming = [];
    for (const each of rows) {
      if (words.length) read(each);
      const shown = facets.every(([name, value]) => `|${each[name] ?? ""}|`.includes(`|${value}|`)) && words.every((word) => each.words.includes(word));
      if (!shown && !each.row.hidden) each.row.hidden = true;
      if (shown && each.row.hidden) coming.push(each.row);
      if (shown) left.set(each.table, left.get(each.table) + 1);
    }
    let total = 0;
    for (const [table, number] of left) {
      total += number;
      for (const part of parts.get(table)) part.hidden = !number;
    }
    // Thousands of rows that come back take long to lay out: the first are seen at once, the next key stops the others.
    clearTimeout(later);
    const some = () => {
      for (const row of coming.splice(0, 200)) row.hidden = false;
      if (coming.length) later = setTimeout(some, 20);
    };
    some();
    count.textContent = wanted.length ? `${total} of ${rows.length}` : `${rows.length}`;
    const view = new URL(location);
    view.search = new URLSearchParams(wanted);
    history.replaceState(null, "", view);
  };

  for (const table of tables) steady(table);
  for (const table of tables) for (const head of table.querySelectorAll("thead th")) sortable(table, head);
  bar.addEventListener("input", apply);
  bar.addEventListener("submit", (event) => event.preventDefault());
  bar.addEventListener("reset", () => setTimeout(apply));
  apply();
}

// The columns of a filtered table keep the widths that they are first shown with: they do not jump, and thousands of rows are
// laid out sooner. They are measured anew when the window's width changes.
function steady(region) {
  const table = region.querySelector("table");
  const heads = [...table.querySelectorAll("thead th")];
  let width = 0;
  new ResizeObserver(() => {
    if (region.clientWidth === width || region.hidden) return;
    width = region.clientWidth;
    table.style.tableLayout = "";
    for (const head of heads) head.style.width = "";
    const widths = heads.map((head) => head.getBoundingClientRect().width);
    for (const [n, head] of heads.entries()) head.style.width = `${widths[n]}px`;
    table.style.tableLayout = "fixed";
  }).observe(region);
}

// The head of a column sorts by it: what a cell shows, or its data-sort; numbers as numbers.
function sortable(table, head) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of table.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = table.querySelector("tbody");
    const value = (row) => row.cells[head.cellIndex].dataset.sort ?? row.cells[head.cellIndex].textContent.trim();
    const order = new Intl.Collator(undefined, { numeric: true }).compare;
    const rows = [...body.rows].map((row) => [value(row), row]).sort(([one], [other]) => (down ? order(other, one) : order(one, other)));
    body.append(...rows.map(([, row]) => row));
  });
}
