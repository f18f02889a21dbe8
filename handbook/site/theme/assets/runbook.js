// Runbooks and alerts: names that the reader fills in once, copying, and addresses of links on paper.

// A link on paper needs a whole address. The site's address is in the canonical link.
const site = document.querySelector("link[rel=canonical]")?.href;
const base = site ?? location.href;
const page = new URL(base);
for (const link of document.querySelectorAll("article a[href]:not(.headerlink, .hb-bar a)")) {
  const url = new URL(link.getAttribute("href"), base);
  if (url.origin === page.origin && url.pathname !== page.pathname) link.dataset.printed = url.href;
}

const names = document.querySelector(".hb-bar[data-names]")?.dataset.names.split("|") ?? [];
const marks = new Map(names.map((name) => [name, []]));
markAll("article .highlight code", names);
const used = names.filter((name) => marks.get(name).length);
// Code in a sentence is a command too. Code that holds only the name is about the name itself, so it stays.
markAll("article :not(pre) > code:not(.highlight *)", used, (code, name) => code !== name);
if (used.length) addForm();
copyCode();

// A longer name is first, because it can contain a shorter one.
function markAll(selector, names, isCommand = () => true) {
  const ordered = [...names].sort((first, second) => second.length - first.length);
  for (const code of document.querySelectorAll(selector))
    for (const name of ordered)
      if (isCommand(code.textContent.trim(), name)) marks.get(name).push(...mark(code, name));
}

// Put each place of a name in a block of code into an element. Highlighting can split a name.
function mark(code, name) {
  const escaped = name.replace(/[.*+?^${}()|[\]\\-]/g, "\\$&");
  const pattern = name.startsWith("<") ? escaped : `(?<![\\w\${-])${escaped}(?![\\w=-])`;
  const matches = [...code.textContent.matchAll(new RegExp(pattern, "g"))].reverse();
  return matches.flatMap(({ index }) => {
    const range = document.createRange();
    range.setStart(...find(code, index, true));
    range.setEnd(...find(code, index + name.length));
    if (range.startContainer.parentElement.closest(".hb-name")) return [];
    const element = document.createElement("span");
    element.className = "hb-name";
    element.append(range.extractContents());
    range.insertNode(element);
    return element;
  });
}

// Find the text node at an offset, and the offset in it. At a border, a start is in the next node.
function find(code, offset, isStart = false) {
  const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
  for (let rest = offset; walker.nextNode(); rest -= walker.currentNode.length) {
    const { length } = walker.currentNode;
    if (isStart ? rest < length : rest <= length) return [walker.currentNode, rest];
  }
}

// A form above the first command with a name. The values are kept only on this page.
function addForm() {
  const form = document.createElement("form");
  form.className = "hb-names";
  form.setAttribute("aria-label", "Names in the commands");
  form.autocomplete = "off";
  form.addEventListener("submit", (event) => event.preventDefault());
  const intro = document.createElement("p");
  intro.textContent = "Fill in once. All commands on this page then have your text.";
  form.append(intro);
  for (const name of used) {
    const label = document.createElement("label");
    const input = document.createElement("input");
    const text = document.createElement("code");
    text.textContent = name;
    Object.assign(input, { type: "text", spellcheck: false, autocapitalize: "none" });
    input.addEventListener("input", () => {
      const value = input.value.trim();
      for (const element of marks.get(name)) {
        element.textContent = value || name;
        element.toggleAttribute("data-filled", Boolean(value));
      }
    });
    label.append(text, input);
    form.append(label);
  }
  document.querySelector(".highlight .hb-name").closest(".highlight").before(form);
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
