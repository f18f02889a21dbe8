"""Write a report as text, JSON, annotations of a pull request, or SARIF."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from handbook.diagnostics import Report
from handbook.reporters.as_json import as_json
from handbook.reporters.github import github
from handbook.reporters.sarif import sarif
from handbook.reporters.text import text

Reporter = Callable[[Report], str]

REPORTERS: Final[Mapping[str, Reporter]] = {
    "text": text,
    "json": as_json,
    "github": github,
    "sarif": sarif,
}
"""Every reporter by its name in `--format`."""
