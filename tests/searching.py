"""Run the scripts of the search in Node, without a browser."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.commands import run_node
from tests.handbooks import ROOT

ASSETS = ROOT / "handbook/site/theme/assets"
_HERE = Path(__file__).parent / "browser"


def _copy_modules(folder: Path, *scripts: Path) -> Path:
    """Copy scripts into a folder in which Node reads them as modules, and return the folder."""
    folder.mkdir(exist_ok=True)
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    for script in scripts:
        shutil.copy(script, folder)
    return folder


def _run(folder: Path, values: Any, *command: str) -> Any:
    answer = run_node(folder, "node", *command, stdin=json.dumps(values))
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def call_functions(folder: Path, calls: Sequence[Sequence[Any]]) -> list[Any]:
    """Call functions of search-words.js, each with its arguments, and return the results."""
    modules = _copy_modules(folder, ASSETS / "search-words.js")
    script = str(modules / "search-words.js")
    results: list[Any] = _run(modules, calls, str(_HERE / "call.mjs"), script)
    return results


def ask(folder: Path, site: Path, questions: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
    """Return the answers of a built site's search.

    A question has the key `query`, or `path` for the suggestions for a missing address. An answer
    has `rows`, and for a query also `near` and `corrections`.
    """
    scripts = [site / "pagefind/pagefind.js", *sorted((site / "assets").glob("search-*.js"))]
    modules = _copy_modules(folder, *scripts)
    answers: list[dict[str, Any]] = _run(
        modules, questions, str(_HERE / "ask.mjs"), str(modules), str(site)
    )
    return answers


def read_titles(answer: dict[str, Any]) -> list[str]:
    """Return the titles of the hits, with their sections, as the site shows them."""
    return [
        f"{row['title']}: {row['section']}" if row.get("section") else row["title"]
        for row in answer["rows"]
    ]


def read_addresses(answer: dict[str, Any]) -> list[str]:
    """Return the addresses of the hits, without fragments."""
    return [row["address"].partition("#")[0] for row in answer["rows"]]
