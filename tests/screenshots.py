"""Take the pictures of the README from the built site and its example: `make screenshots`."""

from __future__ import annotations

import sys

from tests.browser.conftest import chromium
from tests.commands import serve_site
from tests.handbooks import ROOT

PICTURES = ROOT / ".github/pictures"
SHOTS = {
    # name: page, width, height, palette, search query
    "home": ("example/", 1200, 760, "light", ""),
    "postmortems": ("example/postmortems/", 1200, 760, "light", ""),
    "standard": ("standards/08-observability/#how-to-implement-it", 1200, 760, "light", ""),
    "runbook-phone": ("runbooks/order-service/high-error-rate/", 390, 760, "dark", ""),
    "search-phone": ("", 390, 760, "dark", "connection pool timeout"),
}

CARDS = ROOT / "handbook/site/theme/assets/cards"
KINDS = {
    "adr": "Decision",
    "alert": "Alert",
    "page": "Handbook",
    "postmortem": "Post-mortem",
    "runbook": "Runbook",
    "service": "Service",
    "standard": "Standard",
}
"""The word on the card of each kind of page. Chat programs show the card beside a link."""
CARD = """\
<body style="margin: 0; background: #17466b; color: #fff; font: 700 128px sans-serif">
<div style="display: flex; height: 630px; align-items: center; padding-left: 88px">
<div style="border-left: 16px solid #8fc7f0; padding-left: 48px">{}</div></div>
"""


def draw_cards() -> int:
    """Draw the card of each kind of page: `python -m tests.screenshots cards`."""
    CARDS.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1200, "height": 630})
        for kind, word in KINDS.items():
            page.set_content(CARD.format(word))
            page.screenshot(path=str(CARDS / f"{kind}.png"))
            print((CARDS / f"{kind}.png").relative_to(ROOT))
    return 0


def main() -> int:
    """Take all pictures of the site in site/. Returns 1 if the site is missing."""
    site = ROOT / "site"
    if not (site / "index.html").is_file():
        print("missing site; run make site", file=sys.stderr)
        return 1
    PICTURES.mkdir(parents=True, exist_ok=True)
    with serve_site(site) as address, chromium() as browser:
        for name, (url, width, height, palette, query) in SHOTS.items():
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if palette == "dark" else "light",
                reduced_motion="reduce",
            )
            page.goto(address + url)
            if query:
                page.locator(".hb-find").click()
                page.locator("#hb-search input").fill(query)
                page.wait_for_selector("#hb-search[data-shown]")
            page.screenshot(path=str(PICTURES / f"{name}.png"))
            print(f"{(PICTURES / name).relative_to(ROOT)}.png")
    return 0


if __name__ == "__main__":
    sys.exit(draw_cards() if sys.argv[1:] == ["cards"] else main())
