"""Site of a handbook with hostile records: their text is visible, and no script runs.

The checks accept these records. The fixture removes the Content-Security-Policy from the pages,
because it would stop scripts that the pages must not contain in the first place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Dialog, Page

from handbook.reporters.text import text
from tests.browser.conftest import paste
from tests.commands import run, serve_site
from tests.handbooks import SMALL, copy_site, report, write
from tests.reading.test_hostile import ATTACKS

pytestmark = pytest.mark.browser

IMAGE = 'x"><img src=x onerror=alert(1)>'
ENDS = "</script></style></title></template></textarea><script>alert(1)</script>"
IN_MARKDOWN = '`"><img src=x onerror=alert(1)>` &lt;script&gt;alert(1)&lt;/script&gt; {{ 7*7 }}'
ACCEPTED = [
    text.replace("0001-a.md", "0002-use-postgresql/load.png")
    for text, code in ATTACKS.items()
    if code is None
]
# Each text in a file is replaced once.
CHANGES = {
    "mkdocs.yml": {
        "site_name: A small handbook": f"site_name: '{ENDS}'",
        "rules: {SAFE002: error}": 'rules: {SAFE002: error, FM021: "off"}',
        "  - search\n": "",
        '"#team-shop"': f"'{IMAGE}'",
        "Observability": f"'{IMAGE}'",
        "within 15 minutes": f"'{ENDS}'",
    },
    "adr/0001-keep-orders-in-sqlite.md": {"# ": f"# {IN_MARKDOWN} "},
    "adr/0002-use-postgresql.md": {
        "## Measured": f"## Measured {IN_MARKDOWN}",
        "- MySQL": "\n\n".join(["", *ACCEPTED, "- MySQL"]),
    },
    "docs/standards/05-testing.md": {
        "summary: ": f"summary: {IMAGE} ",
        "[pytest]": f"['{IMAGE}', '{ENDS}']",
        "prevents: ": f"prevents: {ENDS} ",
        "item: Somebody": f"item: {IMAGE} {ENDS} a person",
        "**STD-05.1** Tests": f"**STD-05.1** {IN_MARKDOWN}",
    },
    "docs/services/shop.md": {
        "{Orders: ": f"{{'{IMAGE}': ",
        "name: availability": f"name: '{ENDS}'",
        "# Shop": f"# {IN_MARKDOWN}",
    },
    "docs/services/shop/2026-Q4.yml": {
        "no container": f"'{ENDS}'",
        "a look at the settings": f"'{IMAGE}'",
        "c9e2f1": "9a4687",
    },
    "runbooks/shop/shop.rules.yml": {
        "Orders stopped": f"'{IMAGE} {{{{ $value }}}}'",
        "sum(orders) < 1": "'sum(orders{x=\"</script><img src=x onerror=alert(1)>\"}) < 1'",
    },
    "runbooks/shop/slow-search.md": {
        "trigger: A": f"trigger: {IMAGE} {ENDS} a",
        "# Shop": f"# {IN_MARKDOWN}",
        "### No buyers": f"### {IN_MARKDOWN}",
        "No orders.": f"`{IMAGE}`",
        "Whoever": f"{IN_MARKDOWN} whoever",
    },
    "postmortems/2026-05-04-orders-stopped.md": {
        "# Orders stopped": f"# {IN_MARKDOWN}",
        "a migration is": f"{IN_MARKDOWN} is",
        "Alert on the pool": IN_MARKDOWN,
        "An index was": f"{IN_MARKDOWN} was",
    },
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the hostile handbook without errors, and remove the content policy from the site."""
    root = copy_site(SMALL, tmp_path_factory.mktemp("hostile") / "handbook")
    for path, changes in CHANGES.items():
        content = (root / path).read_text(encoding="utf-8")
        for old, new in changes.items():
            assert old in content, (path, old)
            content = content.replace(old, new, 1)
        write(root, {path: content})
    assert "error: " not in text(report(root))
    run("mkdocs", "build", cwd=root, check=True)
    for page in (root / "site").rglob("*.html"):
        html = page.read_text(encoding="utf-8")
        page.write_text(
            re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html), encoding="utf-8"
        )
    return root / "site"


class DialogWatch:
    """Page that records dialogs, because the hostile scripts call `alert`."""

    def __init__(self, browser: Browser) -> None:
        self.dialogs: list[str] = []
        self.page: Page = browser.new_context().new_page()
        self.page.on("dialog", self._note)

    def _note(self, dialog: Dialog) -> None:
        self.dialogs.append(self.page.url)
        dialog.dismiss()

    def find_code(self) -> list[str]:
        """Return the event handlers of the page, and the addresses that are code."""
        attributes: list[str] = self.page.evaluate(
            """() => [...document.querySelectorAll("*")].flatMap((node) => [...node.attributes]
              .filter(({name, value}) =>
                /^on/i.test(name) || /^\\s*(javascript|vbscript|data):/i.test(value))
              .map(({name, value}) => `${node.tagName} ${name}=${value}`))"""
        )
        return attributes


@pytest.fixture
def watch(browser: Browser) -> Iterator[DialogWatch]:
    """Return a page that records dialogs."""
    watch = DialogWatch(browser)
    yield watch
    watch.page.context.close()


def test_no_page_runs_a_script_of_a_record(hostile: Path, watch: DialogWatch) -> None:
    pages = sorted(page.relative_to(hostile).as_posix() for page in hostile.rglob("*.html"))
    assert len(pages) > 20
    visible_text = ""
    with serve_site(hostile) as address:
        for path in pages:
            watch.page.goto(address + path)
            assert watch.find_code() == [], path
            visible_text += watch.page.inner_text("body")
    assert watch.dialogs == []
    assert visible_text.count("onerror=alert(1)") > 20, "the hostile texts must be visible"
    assert "{{ 7*7 }}" in visible_text
    assert "49" not in visible_text


def test_search_and_filters_run_no_script(hostile: Path, watch: DialogWatch) -> None:
    page = watch.page
    with serve_site(hostile) as address:
        page.goto(address)
        for query in ("alert(1)", IMAGE, "onerror", ENDS, "STD-05"):
            search = page.locator("#hb-search input")
            if not search.is_visible():
                page.locator(".hb-find").click()
            paste(search, query)
            page.wait_for_function(
                "query => document.getElementById('hb-search').dataset.shown === query", arg=query
            )
            assert watch.find_code() == [], query
        for path in (
            "adr",
            "runbooks",
            "checklist",
            "services",
            "postmortems",
            "actions",
            "standards",
            "search",
        ):
            for key in ("q", "status", "owner", "kind", "x"):
                page.goto(f"{address}{path}/?{key}={quote(IMAGE)}#{quote(ENDS)}")
                assert watch.find_code() == [], path
    assert watch.dialogs == []


@pytest.mark.parametrize(
    "planted",
    ["<img src=x onerror=alert(1)>", "<script>alert(1)</script>"],
    ids=["handler", "script"],
)
def test_a_planted_script_is_noticed(
    planted: str, hostile: Path, watch: DialogWatch, tmp_path: Path
) -> None:
    """This proves that the tests above can fail: the same page with one text as HTML."""
    html = (hostile / "adr/0002-use-postgresql/index.html").read_text(encoding="utf-8")
    write(tmp_path, {"index.html": html.replace("</h1>", f"</h1>{planted}", 1)})
    with serve_site(tmp_path) as address:
        watch.page.goto(address)
        assert watch.dialogs == [address]
        assert bool(watch.find_code()) == ("onerror" in planted)
