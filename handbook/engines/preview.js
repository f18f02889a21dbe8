function (known) {
  "use strict";
  const note = document.getElementById("hb-preview");
  // The search loads this library, and forgets what it has found when the version in the address changes.
  function setLibrary() {
    const dialog = document.getElementById("hb-search");
    if (dialog) dialog.dataset.library = known.library;
  }
  const retry = () => setTimeout(poll, 1000);
  function poll() {
    fetch(known.url + "?" + new URLSearchParams(known), { cache: "no-store" })
      .then((answer) => answer.json())
      .then((state) => {
        if (state.version !== known.version) {
          location.reload();
          return;
        }
        Object.assign(known, state);
        setLibrary();
        note.textContent = state.message;
        note.hidden = !state.message;
        poll();
      })
      .catch(retry);
  }
  setLibrary();
  addEventListener("load", poll);
}
