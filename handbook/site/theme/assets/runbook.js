// Runbooks and alerts: names that the reader fills in once, and addresses of links on paper.
// This is no module, because a page from the file system can load none.
(() => {
  // A link on paper needs a whole address. The site's address is in the canonical link.
  const site = document.querySelector("link[rel=canonical]")?.href;
  const base = site ?? location.href;
  const page = new URL(base);
  for (const link of document.querySelectorAll("article a[href]:not(.headerlink, .hb-bar a)")) {
    const url = new URL(link.getAttribute("href"), base);
    if (url.origin === page.origin && url.pathname !== page.pathname)
      link.dataset.printed = url.href;
  }

  const names = document.querySelector(".hb-bar[data-names]")?.dataset.names.split("|") ?? [];
  const marks = new Map(names.map((name) => [name, []]));
  markAll("article .highlight code", names);
  const used = names.filter((name) => marks.get(name).length);
  // Code in a sentence is a command too. Code that holds only the name is about the name itself, so it stays.
  markAll("article :not(pre) > code:not(.highlight *)", used, (code, name) => code !== name);
  if (used.length) addForm();

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
})();
