function (known) {
  "use strict";
  const note = document.getElementById("hb-preview");
  const retry = () => setTimeout(poll, 1000);
  function poll() {
    const query = new URLSearchParams({ page: known.page, version: known.version, message: known.message });
    fetch(known.url + "?" + query, { cache: "no-store" })
      .then((answer) => answer.json())
      .then((state) => {
        if (state.version !== known.version) {
          location.reload();
          return;
        }
        known.message = note.textContent = state.message;
        note.hidden = !state.message;
        poll();
      })
      .catch(retry);
  }
  addEventListener("load", poll);
}
