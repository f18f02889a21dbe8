"""Markdown that other site generators often render differently from GitHub (cases M2 to M7)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import watch
from tests.commands import run, serve_site
from tests.handbooks import ADR, SMALL, copy_site, write

pytestmark = pytest.mark.browser

TEXT = """
Why: see https://a.example/x_y, or write to ann@a.example.

- [x] measured
- [ ] decided

~~gone~~, then one\\
two \\~ \\$ \\@, [a] [context], foo**"a"**

```make
all:
\tls
```

- ```sh
  ls
  ```

[a](#context (The context))

### Same

### Same

[context]: #context
"""


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Return the page of a decision with the Markdown above."""
    root = copy_site(SMALL, tmp_path_factory.mktemp("markdown") / "handbook")
    write(root, {"adr/0099-x.md": ADR.replace("\nWhy.\n", TEXT, 1)})
    run("mkdocs", "build", "--quiet", cwd=root, check=True)
    with serve_site(root / "site") as address:
        context = browser.new_context(viewport={"width": 390, "height": 844})
        watched = watch(context.new_page(), address)
        yield watched.open("adr/0099-x/")
        assert watched.faults == []
        context.close()


def test_bare_addresses_are_links(page: Page) -> None:
    assert (
        page.get_by_role("link", name="https://a.example/x_y").get_attribute("href")
        == "https://a.example/x_y"
    )
    assert (
        page.get_by_role("link", name="ann@a.example").get_attribute("href")
        == "mailto:ann@a.example"
    )


def test_a_list_of_tasks_has_boxes(page: Page) -> None:
    assert [box.is_checked() for box in page.locator(".task-list input").all()] == [True, False]


def test_inline_markdown_looks_as_on_github(page: Page) -> None:
    text = page.locator("p", has_text="gone").inner_text()
    assert text == 'gone, then one\ntwo ~ $ @, [a] context, foo**"a"**'
    assert page.locator("del").inner_text() == "gone"


def test_a_tab_in_code_is_copied_as_a_tab(page: Page) -> None:
    assert page.locator("code", has_text="all:").text_content() == "all:\n\tls\n"


def test_a_fence_on_the_line_of_its_list_item_is_code(page: Page) -> None:
    assert page.locator("li .highlight code").text_content() == "ls\n"


def test_a_title_in_parentheses_is_the_title_of_its_link(page: Page) -> None:
    assert page.locator('a[title="The context"]').get_attribute("href") == "#context"


@pytest.mark.parametrize("id", ["same", "same-1", "same_1"])
def test_a_repeated_heading_has_its_id_and_its_old_id(id: str, page: Page) -> None:
    page.goto(f"{page.url.partition('#')[0]}#{id}")
    heading = page.get_by_role("heading", name="Same").nth(0 if id == "same" else 1)
    assert page.evaluate(
        "document.querySelector(':target').closest('h3').id"
    ) == heading.get_attribute("id")
