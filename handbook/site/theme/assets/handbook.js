// Enhancements of the pages, which also work without scripts.
const scriptUrl = document.currentScript.src;

// A page from the file system can load a script, but no module. It then works as without the module.
const enhance = (name, start, giveUp = () => {}) =>
  import(new URL(name, scriptUrl)).then(start, giveUp);
const loadScript = (name) =>
  document.head.append(
    Object.assign(document.createElement("script"), { src: new URL(name, scriptUrl) }),
  );

document.addEventListener("DOMContentLoaded", () => {
  // Keyboard users can scroll a region only if it can take the focus. The observer calls the function after the first
  // layout too. The function reads all sizes before it writes, so that the browser lays the page out only once.
  const makeFocusable = () => {
    const regions = [
      ...document.querySelectorAll(
        ":not(.hb-table) > .md-typeset__scrollwrap, .md-typeset pre > code, .hb-table",
      ),
    ];
    const scrolls = regions.map((region) => region.scrollWidth > region.clientWidth);
    for (const [n, region] of regions.entries()) {
      if (scrolls[n]) region.tabIndex = 0;
      else region.removeAttribute("tabindex");
    }
  };
  new ResizeObserver(makeFocusable).observe(document.body);

  openSearch();
  openMenu();
  removeCodeLandmarks();
  copyCode();
  nameSectionInReports();
  // Screen readers announce the theme's message, such as "Copied to clipboard".
  document.querySelector(".md-dialog__inner")?.setAttribute("role", "status");
  if (document.querySelector(".hb-bar, .hb-printed")) loadScript("runbook.js");

  markDue();
  keepOfflineCopy();
  const bar = document.querySelector(".hb-filter");
  if (bar) enhance("indexes.js", (module) => module.startIndex(bar));
});

// The search loads nothing until you open it. The dialog opens at once, so that it has all that the reader types meanwhile.
// The archive of the site has no dialog: there, the link opens the list of everything.
function openSearch() {
  const dialog = document.getElementById("hb-search");
  if (!dialog) return;
  const page = document.querySelector("[data-search-page]");
  const links = document.querySelectorAll("[data-search]");
  // The offline copy of the pages for on call has no search either.
  const openList = () => {
    if (!dialog.open) return;
    dialog.close();
    location.assign(links[0].href);
  };
  const start = () => enhance("search.js", (module) => module.start(), openList);
  const open = (event) => {
    event.preventDefault();
    if (!page && !dialog.open) dialog.showModal();
    const field = (page ?? dialog).querySelector("[type=search]");
    field.focus();
    field.select();
    start();
  };
  if (page || document.querySelector("[data-missing]")) start();
  for (const link of links) {
    link.addEventListener("click", (event) => {
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey) open(event);
    });
  }
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, dialog");
    if (event.ctrlKey || event.metaKey ? /^k$/i.test(event.key) : event.key === "/" && !typing)
      open(event);
  });
}

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
    if (!drawer.checked) return;
    menu.focus({ preventScroll: true });
    const current = [...menu.querySelectorAll("a[aria-current=page]")];
    current
      .findLast((link) => link.getClientRects().length)
      ?.scrollIntoView({ block: "center", behavior: "instant" });
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

// The theme says that it has copied, even if the browser has refused. This listener comes before that of the theme.
function copyCode() {
  const dialog = document.querySelector(".md-dialog");
  if (!dialog) return;
  let timer;
  const copy = async (event) => {
    const button = event.target.closest("[data-clipboard-target]");
    const code = button && document.querySelector(button.dataset.clipboardTarget);
    if (!code) return;
    event.stopPropagation();
    const copied = code.cloneNode(true);
    for (const note of copied.querySelectorAll(".md-annotation")) note.remove();
    const isCopied = await writeClipboard(copied.textContent.trimEnd(), code);
    button.focus({ preventScroll: true });
    dialog.querySelector(".md-dialog__inner").textContent = isCopied
      ? "Copied to clipboard"
      : "Not copied. The text is selected: copy it with the menu or the keyboard.";
    dialog.classList.add("md-dialog--active");
    clearTimeout(timer);
    timer = setTimeout(() => dialog.classList.remove("md-dialog--active"), isCopied ? 2000 : 8000);
  };
  document.addEventListener("click", copy, { capture: true });
}

// Copy a text, and return whether it worked. If not, the code stays selected, so that the reader can copy it.
async function writeClipboard(text, code) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without HTTPS, or without the permission, the older command can still work. It needs a selection.
    getSelection().selectAllChildren(code);
    let isCopied = false;
    const setText = (event) => {
      event.clipboardData.setData("text/plain", text);
      event.preventDefault();
      isCopied = true;
    };
    document.addEventListener("copy", setText);
    isCopied = document.execCommand("copy") && isCopied;
    document.removeEventListener("copy", setText);
    if (isCopied) getSelection().removeAllRanges();
    return isCopied;
  }
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

// Only a finished site has a content policy and an offline copy. A preview has neither.
function keepOfflineCopy() {
  const isFinished = document.querySelector('meta[http-equiv="Content-Security-Policy"]');
  if (!isFinished || location.protocol === "file:") return;
  const start = () => enhance("offline.js", (module) => module.start());
  const whenIdle = () => (window.requestIdleCallback ?? setTimeout)(start);
  if (document.querySelector("[data-offline]")) start();
  else if (navigator.serviceWorker)
    window.addEventListener("load", () => setTimeout(whenIdle, 2000));
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
