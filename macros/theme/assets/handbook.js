/* What Material leaves out for those who use a keyboard or a screen reader. Pages are read without this file. */
document.addEventListener("DOMContentLoaded", () => {
  document.querySelector('.md-search[role="dialog"]')?.setAttribute("aria-label", "Search");

  // A region that scrolls sideways can be reached by keyboard.
  const reach = () => {
    for (const region of document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset pre > code, .hb-table")) {
      if (region.scrollWidth > region.clientWidth) region.tabIndex = 0;
      else region.removeAttribute("tabindex");
    }
  };
  new ResizeObserver(reach).observe(document.body);
  reach();
});
