"""The pages that the plugin `handbook` provides: indexes, how-tos and the reference of the rules.

A page of the repository with the same address replaces the provided page.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

PROVIDED_PATHS: Final = (
    "adr/index.md",
    "docs/actions.md",
    "docs/alerts.md",
    "docs/checklist.md",
    "docs/due.md",
    "docs/exceptions.md",
    "docs/how-to/add-a-decision.md",
    "docs/how-to/add-a-post-mortem.md",
    "docs/how-to/add-a-runbook.md",
    "docs/how-to/add-a-service.md",
    "docs/how-to/add-a-standard.md",
    "docs/how-to/add-an-alert.md",
    "docs/how-to/deviate-from-a-standard.md",
    "docs/how-to/run-an-audit.md",
    "docs/index.md",
    "docs/offline.md",
    "docs/reference/records.md",
    "docs/reference/rules.md",
    "docs/search.md",
    "docs/services/index.md",
    "docs/standards/index.md",
    "docs/tags.md",
    "docs/teams/index.md",
    "postmortems/index.md",
    "runbooks/index.md",
)
_FOLDER: Final = Path(__file__).parent / "pages"
_TEAM_PAGE: Final = """\
---
render_macros: true
---
# {}

{{{{ team_page() }}}}
"""
_MARKUP: Final = re.compile(r"([!-/:-@\[-`{-~])")
"""The characters that Markdown can read as markup. A backslash makes each of them text."""


def read_provided_page(path: str) -> bytes:
    """Return the content of a provided page."""
    return (_FOLDER / path).read_bytes()


def make_team_pages(addresses: Mapping[str, str]) -> dict[str, bytes]:
    """Return the content of the page of each team, by path.

    `addresses` maps the name of each team to the address of its page, such as `teams/order-team/`.
    """
    return {
        f"docs/{address.removesuffix('/')}.md": _write_team_page(name)
        for name, address in addresses.items()
    }


def _write_team_page(name: str) -> bytes:
    return _TEAM_PAGE.format(_MARKUP.sub(r"\\\1", name)).encode()


def find_replacements(paths: Iterable[str], owners: Mapping[str, str]) -> dict[str, str]:
    """Return the provided pages that the repository replaces, each with the path of its own file.

    `owners` maps each address of the repository, such as `actions/`, to the path of its file.
    """
    addresses = ((path, make_address(path)) for path in paths)
    return {path: owners[address] for path, address in addresses if address in owners}


def make_address(path: str) -> str:
    """Return the address of a page from the root of the site, such as `actions/`."""
    folder, name = posixpath.split(path.removeprefix("docs/").removesuffix(".md"))
    address = folder if name in ("index", "README") else posixpath.join(folder, name)
    return f"{address}/" if address else ""
