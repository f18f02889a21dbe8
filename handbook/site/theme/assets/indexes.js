// The tables of an index: filter, order, and rows on demand. The address contains the view, so that you can link to it.
// The script changes no row before there is a view, because the layout of thousands of rows takes seconds on a phone.
const ROWS_AT_ONCE = 100;
const narrow = matchMedia("(max-width: 44.9em)");

export function startIndex(bar) {
  const tables = [...document.querySelectorAll(".hb-table[data-rows]")].map(readTable);
  const count = bar.querySelector("output");
  const size = tables.reduce((sum, table) => sum + table.rows.length, 0);
  const clear = bar.querySelector("[type=reset]");
  const empty = document.querySelector(".hb-empty");
  const toggle = bar.querySelector(".hb-filter__toggle");
  const { sort } = bar.elements;

  // If a page has one table per group, an empty table hides its heading and its text too.
  for (const table of tables) {
    table.section = [table.region];
    let element = tables.length > 1 ? table.region.previousElementSibling : null;
    while (element && element !== bar && !element.matches(".hb-table, .hb-empty")) {
      table.section.push(element);
      if (element.matches("h2")) break;
      element = element.previousElementSibling;
    }
    if (table.fold) table.section.push(table.fold);
  }

  const names = new Set(tables.flatMap((table) => table.heads.map(([name]) => name)));
  for (const name of names) {
    sort.append(
      new Option(`${name}, ascending`, name),
      new Option(`${name}, descending`, `-${name}`),
    );
  }

  const address = new URLSearchParams(location.search);
  for (const field of bar.elements) {
    if (field.name && address.has(field.name)) field.value = address.get(field.name);
    if (field.selectedIndex < 0) field.value = "";
  }

  const apply = () => {
    const criteria = [...bar.elements]
      .filter((field) => field.name && field.value.trim())
      .map((field) => [field.name, field.value.trim()]);
    const words = (bar.elements.text?.value ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    const facets = criteria.filter(([name]) => name !== "text" && name !== "sort");
    const matches = (row) =>
      facets.every(([name, value]) =>
        `|${row.element.dataset[name] ?? ""}|`.includes(`|${value}|`),
      ) && words.every((word) => readText(row).includes(word));
    fixColumnWidths(tables);
    let total = 0;
    for (const table of tables) {
      order(table, sort.value);
      const matching = table.rows.filter(matches);
      total += show(table, matching);
      unfold(table, matching.length > 0 && words.length + facets.length > 0);
    }
    count.textContent = words.length || facets.length ? `${total} of ${size}` : `${size}`;
    empty.hidden = total > 0;
    clear.hidden = !criteria.length;
    const number = facets.length;
    toggle.textContent = number ? `More filters (${number})` : "More filters";
    const view = new URL(location);
    view.search = new URLSearchParams(criteria);
    history.replaceState(history.state, "", view);
  };

  for (const table of tables) {
    table.more?.addEventListener("change", apply);
    for (const [name, head] of table.heads) {
      addSortButton(head, () => {
        sort.value = sort.value === name ? `-${name}` : name;
        apply();
      });
    }
  }
  toggle.addEventListener("click", () => {
    toggle.ariaExpanded = `${toggle.ariaExpanded !== "true"}`;
  });
  bar.addEventListener("input", apply);
  bar.addEventListener("submit", (event) => event.preventDefault());
  bar.addEventListener("reset", () => {
    // The buttons hide themselves, so a reader at the keyboard continues at the first field.
    const isKeyboard = document.activeElement?.matches("[type=reset]:focus-visible");
    setTimeout(() => {
      apply();
      if (isKeyboard) bar.elements.text?.focus();
    });
  });

  // The target of a link can be in a row or a group that is not shown.
  const showTarget = () => {
    const target = findTarget();
    // Not every browser unfolds the target of a link, and none does if it is the heading of the fold.
    const fold = target?.closest("details:not([open])");
    if (fold) {
      fold.open = true;
      target.scrollIntoView();
    }
    if (!target || (target.checkVisibility?.() ?? true)) return;
    for (const field of bar.elements) if (field.name) field.value = "";
    for (const table of tables) {
      if (!table.region.contains(target)) continue;
      if (table.more) table.more.checked = true;
      table.isUnfolded = false; // It stays open when the filter is cleared.
    }
    apply();
    target.scrollIntoView();
  };
  addEventListener("hashchange", followTarget);
  addEventListener("hashchange", showTarget);

  count.textContent = `${size}`;
  const isView = [...bar.elements].some((field) => field.name && field.value);
  if (isView || tables.some((table) => table.more?.checked)) apply();
  if (location.hash) {
    followTarget();
    showTarget();
  }

  // The browser reads the text of the rows while idle, so that the first key press does not wait for it.
  const unread = tables.flatMap((table) => table.rows);
  const readNext = (deadline) => {
    while (unread.length && deadline.timeRemaining() > 1) {
      for (const row of unread.splice(-50)) readText(row);
    }
    if (unread.length) requestIdleCallback(readNext);
  };
  window.requestIdleCallback?.(readNext);
}

function readTable(region) {
  const [body, rest] = region.querySelectorAll("tbody");
  const rows = [...region.querySelectorAll("tbody > tr")];
  return {
    region,
    body,
    rest,
    more: region.querySelector(".hb-more input"),
    fold: region.closest("details"),
    isUnfolded: false,
    heads: [...region.querySelectorAll("thead th")]
      .filter((head) => head.textContent.trim())
      .map((head) => [head.textContent.trim(), head]),
    rows: rows.map((element, position) => ({ element, position })),
    sort: "",
  };
}

function readText(row) {
  row.text ??= row.element.textContent.toLowerCase();
  return row.text;
}

// Show the matching rows of a table: the first of them, or all if the reader asked for all. Returns their number.
function show(table, matching) {
  if (table.rest) {
    for (const row of table.rest.rows) row.hidden = true;
    table.body.append(...table.rest.rows);
    table.rest.remove();
    table.rest = null;
  }
  const shown = new Set(table.more?.checked ? matching : matching.slice(0, ROWS_AT_ONCE));
  for (const row of table.rows) {
    if (row.element.hidden === shown.has(row)) row.element.hidden = !shown.has(row);
  }
  if (table.more) {
    table.more.closest(".hb-more").hidden = matching.length <= ROWS_AT_ONCE;
    table.more.nextElementSibling.textContent = matching.length;
  }
  for (const element of table.section) element.hidden = !matching.length;
  return matching.length;
}

// Unfold a table while a filter shows some of its rows. Afterwards it is as the reader left it.
function unfold(table, isFiltered) {
  if (!table.fold || (isFiltered ? table.fold.open : !table.isUnfolded)) return;
  table.fold.open = isFiltered;
  table.isUnfolded = isFiltered;
}

// Sort the rows of a table by the text of a column, or by data-sort. Numbers sort as numbers.
function order(table, sort) {
  if (table.sort === sort) return;
  table.sort = sort;
  const descending = sort.startsWith("-");
  const [, column] = table.heads.find(([name]) => name === sort.replace(/^-/, "")) ?? [];
  for (const [, head] of table.heads) {
    if (head === column) head.ariaSort = descending ? "descending" : "ascending";
    else head.removeAttribute("aria-sort");
  }
  const { compare } = new Intl.Collator(undefined, { numeric: true });
  const value = ({ element }) => {
    const cell = element.cells[column.cellIndex];
    return cell.dataset.sort ?? cell.textContent.trim();
  };
  if (column) {
    const values = new Map(table.rows.map((row) => [row, value(row)]));
    table.rows.sort((a, b) => compare(values.get(a), values.get(b)) * (descending ? -1 : 1));
  } else {
    table.rows.sort((a, b) => a.position - b.position);
  }
  table.body.append(...table.rows.map((row) => row.element));
}

// A narrow screen has no column heads. There, the order is a field of the filter.
function addSortButton(head, onClick) {
  const add = () => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", onClick);
    head.append(button);
  };
  const update = () => {
    const button = head.querySelector("button");
    if (button) button.tabIndex = narrow.matches ? -1 : 0;
    else if (!narrow.matches) add();
  };
  narrow.addEventListener("change", update);
  update();
}

// The columns of a filtered table keep their initial widths, so that they do not jump. A change of the window's width
// resets them. All widths are read before the first is written. Tables that the browser has not laid out are left out.
function fixColumnWidths(tables) {
  if (narrow.matches) return;
  const heads = tables
    .filter(({ isFixed, region, heads }) => !isFixed && !region.hidden && heads.length)
    .filter(
      ({ heads: [[, head]] }) => head.checkVisibility?.({ contentVisibilityAuto: true }) ?? true,
    )
    .map((table) => [table, [...table.region.querySelectorAll("thead th")]]);
  const widths = heads.map(([, cells]) => cells.map((cell) => cell.getBoundingClientRect().width));
  for (const [n, [table, cells]] of heads.entries()) {
    for (const [m, cell] of cells.entries()) cell.style.width = `${widths[n][m]}px`;
    table.region.querySelector("table").style.tableLayout = "fixed";
    table.isFixed = true;
    const reset = () => {
      for (const cell of cells) cell.style.width = "";
      table.region.querySelector("table").style.tableLayout = "";
      table.isFixed = false;
    };
    addEventListener("resize", reset, { once: true });
  }
}

// Return the element that the address names, or null.
function findTarget() {
  try {
    return document.getElementById(decodeURIComponent(location.hash.slice(1)));
  } catch {
    return null; // The address has an incomplete escape, such as `%`.
  }
}

// A row of a summary can have the old address of a text. Go on to the text.
function followTarget() {
  const link = findTarget()?.querySelector("a[data-text]");
  if (link) location.replace(link.href);
}
