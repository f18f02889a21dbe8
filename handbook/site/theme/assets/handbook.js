// Enhancements of the pages, which also work without scripts.
const scriptUrl = document.currentScript.src;

document.addEventListener("DOMContentLoaded", () => {
  // Keyboard users can scroll a region only if it can take the focus.
  const makeFocusable = () => {
    for (const region of document.querySelectorAll(
      ".md-typeset__scrollwrap, .md-typeset pre > code, .hb-table",
    )) {
      if (region.scrollWidth > region.clientWidth) region.tabIndex = 0;
      else region.removeAttribute("tabindex");
    }
  };
  new ResizeObserver(makeFocusable).observe(document.body);
  makeFocusable();

  // The search loads nothing until you open it.
  const load = () => import(new URL("search.js", scriptUrl));
  const search = () => load().then((module) => module.open());
  for (const link of document.querySelectorAll("[data-search]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      search();
    });
  }
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, dialog");
    if (
      (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) ||
      (event.key === "k" && (event.ctrlKey || event.metaKey))
    ) {
      event.preventDefault();
      search();
    }
  });

  openMenu();
  removeCodeLandmarks();
  nameSectionInReports();
  const missing = document.querySelector("[data-missing]");
  if (missing) load().then((module) => module.suggest(missing));
  if (document.querySelector("[data-search-page]")) load().then((module) => module.openPage());

  markDue();
  for (const bar of document.querySelectorAll(".hb-filter")) filter(bar);
});

// On a narrow screen, a button opens the menu. Without scripts, the label of a checkbox does.
function openMenu() {
  const label = document.querySelector(".hb-menu-button");
  const drawer = document.getElementById("__drawer");
  const menu = document.getElementById("hb-menu");
  if (!label || !menu) return;
  const button = document.createElement("button");
  button.className = label.className;
  button.append(...label.childNodes);
  button.setAttribute("aria-controls", menu.id);
  label.replaceWith(button);
  menu.tabIndex = -1;
  const update = () => {
    button.setAttribute("aria-expanded", drawer.checked);
    if (drawer.checked) menu.focus({ preventScroll: true });
  };
  button.addEventListener("click", () => drawer.click());
  drawer.addEventListener("change", update);
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !drawer.checked) return;
    drawer.click();
    button.focus();
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget) && drawer.checked)
      drawer.click();
  });
  update();
}

// Material puts the copy button of each block of code into a landmark without a name, once the block is in view.
function removeCodeLandmarks() {
  const article = document.querySelector("article");
  if (!article) return;
  const removeRoles = () => {
    for (const nav of article.querySelectorAll("nav.md-code__nav:not([role])"))
      nav.setAttribute("role", "none");
  };
  new MutationObserver(removeRoles).observe(article, { childList: true, subtree: true });
  removeRoles();
}

// A report names the section that you read: the last heading in the upper third of the window.
function nameSectionInReports() {
  for (const report of document.querySelectorAll(".hb-report")) {
    const form = report.href;
    report.addEventListener("click", () => {
      const headings = [...document.querySelectorAll("article :is(h2, h3, h4)[id]")];
      const section = headings.findLast(
        (heading) => heading.getBoundingClientRect().top < window.innerHeight / 3,
      );
      const address = location.href.replace(/[?#].*/, "") + (section ? `#${section.id}` : "");
      const encode = (text) => encodeURIComponent(text).replaceAll("%2F", "/");
      report.href = form.replace(encode(report.dataset.address), encode(address));
    });
  }
}

// What is late depends on the day of the reader, so the browser computes it. Days count in UTC, as in the records.
function markDue() {
  const day = 24 * 60 * 60 * 1000;
  const today = Math.floor(Date.now() / day);
  const daysUntil = (date) => Math.floor(Date.parse(date) / day) - today;
  const count = (number) => `${number} day${number === 1 ? "" : "s"}`;
  const stateOf = (days) => (days < 0 ? "late" : days <= 30 ? "within 30 days" : "later");
  for (const time of document.querySelectorAll("time.hb-due")) {
    const days = daysUntil(time.dateTime);
    const row = time.closest("tr[data-due]");
    if (row) row.dataset.state = stateOf(days);
    if (days > 30) continue;
    const badge = document.createElement("span");
    badge.className = `hb-badge hb-badge--${days < 0 ? "bad" : "open"}`;
    badge.textContent =
      days < 0 ? `${count(-days)} late` : days ? `due in ${count(days)}` : "due today";
    time.after(" ", badge);
  }
  for (const element of document.querySelectorAll("[data-dates]")) {
    const totals = { late: 0, "within 30 days": 0 };
    for (const entry of element.dataset.dates.split(" ")) {
      const [date, number] = entry.split(":");
      totals[stateOf(daysUntil(date))] += Number(number);
    }
    element.textContent = `${totals.late} late, ${totals["within 30 days"]} due within 30 days`;
  }
}

// A filter by facets and free text over the tables of the page. The address contains the filter, so that you can link to a view.
function filter(bar) {
  const tables = [...document.querySelectorAll(".hb-table[data-rows]")];
  const rows = tables
    .flatMap((table) => [...table.querySelectorAll("tbody > tr")])
    .map((row) => ({ row, table: row.closest(".hb-table"), ...row.dataset }));
  const count = bar.querySelector("output");
  const address = new URLSearchParams(location.search);
  for (const field of bar.elements)
    if (field.name && address.has(field.name)) field.value = address.get(field.name);

  // If a page has one table per group, an empty table hides its heading and its text too.
  const sections = new Map(tables.map((table) => [table, [table]]));
  if (tables.length > 1) {
    for (const [table, all] of sections) {
      for (
        let element = table.previousElementSibling;
        element && element !== bar && !element.matches(".hb-table");
        element = element.previousElementSibling
      ) {
        all.push(element);
        if (element.matches("h2")) break;
      }
    }
  }

  // The browser reads the text of the rows while idle, so that the first key press does not wait for it.
  const readText = (entry) => (entry.words ??= entry.row.textContent.toLowerCase());
  window.requestIdleCallback?.(() => rows.forEach(readText));

  let timer;
  const apply = () => {
    const criteria = [...bar.elements]
      .filter((field) => field.name && field.value.trim())
      .map((field) => [field.name, field.value.trim()]);
    const words = (bar.elements.text?.value ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    const facets = criteria.filter(([name]) => name !== "text");
    const counts = new Map(tables.map((table) => [table, 0]));
    const reappearing = [];
    for (const entry of rows) {
      if (words.length) readText(entry);
      const matches =
        facets.every(([name, value]) => `|${entry[name] ?? ""}|`.includes(`|${value}|`)) &&
        words.every((word) => entry.words.includes(word));
      if (!matches && !entry.row.hidden) entry.row.hidden = true;
      if (matches && entry.row.hidden) reappearing.push(entry.row);
      if (matches) counts.set(entry.table, counts.get(entry.table) + 1);
    }
    let total = 0;
    for (const [table, number] of counts) {
      total += number;
      for (const element of sections.get(table)) element.hidden = !number;
    }
    // Thousands of reappearing rows take long to lay out. The first appear at once; the next key press cancels the rest.
    clearTimeout(timer);
    const showNext = () => {
      for (const row of reappearing.splice(0, 200)) row.hidden = false;
      if (reappearing.length) timer = setTimeout(showNext, 20);
    };
    showNext();
    count.textContent = criteria.length ? `${total} of ${rows.length}` : `${rows.length}`;
    const view = new URL(location);
    view.search = new URLSearchParams(criteria);
    history.replaceState(null, "", view);
  };

  for (const table of tables) fixColumnWidths(table);
  for (const table of tables)
    for (const head of table.querySelectorAll("thead th")) makeSortable(table, head);
  bar.addEventListener("input", apply);
  bar.addEventListener("submit", (event) => event.preventDefault());
  bar.addEventListener("reset", () => setTimeout(apply));
  apply();
}

// The columns of a filtered table keep their initial widths: they do not jump, and the layout of thousands of rows is
// faster. A change of the window's width resets them.
function fixColumnWidths(region) {
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

// A click on a column head sorts by the cell text, or by data-sort. Numbers sort as numbers.
function makeSortable(table, head) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const sibling of table.querySelectorAll("thead th")) sibling.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = table.querySelector("tbody");
    const value = (row) =>
      row.cells[head.cellIndex].dataset.sort ?? row.cells[head.cellIndex].textContent.trim();
    const order = new Intl.Collator(undefined, { numeric: true }).compare;
    const rows = [...body.rows]
      .map((row) => [value(row), row])
      .sort(([a], [b]) => (down ? order(b, a) : order(a, b)));
    body.append(...rows.map(([, row]) => row));
  });
}
