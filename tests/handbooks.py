"""Handbooks to try things on: the small one on disk, and what becomes of it with an edit."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from handbook.diagnostics import Diagnostic, Report
from handbook.handbook import Handbook
from handbook.loading import load
from handbook.reading.render import render
from handbook.reading.source import read_source
from handbook.rules.engine import run
from handbook.views.references import PageReferences

ROOT = Path(__file__).parent.parent
SMALL = Path(__file__).parent / "sites" / "small"
BROKEN = Path(__file__).parent / "sites" / "broken"
TODAY = date(2026, 11, 23)
NEWEST = date(2026, 11, 26)
"""The day of the newest record of this repository, on which it has no finding: raise it with that record."""

ADR = """---
status: accepted
date: 2026-03-02
deciders: [order-team]
---
# A decision

## Context

Why.

## Decision

What.

## Alternatives considered

- Another.

## Consequences

Then.
"""

SETTINGS = """site_name: A handbook
extra:
  handbook:
    teams: {order-team: {}, platform-team: {}}
    tags: [database, site]
"""


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Lay files under a root; answers the root."""
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def article(handbook: Handbook, path: str, text: str) -> str:
    """The HTML of a file with this text, as the site makes it."""
    source = read_source(path, text.encode())
    return render(source, PageReferences(handbook, path, handbook.url(path) or "x/")).html


def report(root: Path, today: date = TODAY) -> Report:
    """What the gate says of a root."""
    return run(load(root), today)


def check(
    root: Path, files: Mapping[str, str | bytes], today: date = TODAY
) -> tuple[Diagnostic, ...]:
    """What the gate says of settings and the files given."""
    write(root, {"mkdocs.yml": SETTINGS, **files})
    return report(root, today).findings


def places(findings: Iterable[Diagnostic]) -> list[str]:
    """Findings as `path:line:column:code`."""
    return [f"{each.at.path}:{each.at.line}:{each.at.column}:{each.code}" for each in findings]


def copy_of(site: Path, to: Path) -> Path:
    """A copy of a site that a test may spoil."""
    shutil.copytree(site, to, symlinks=True)
    return to


def replace_once(root: Path, good: str, bad: str) -> str:
    """Put `bad` where `good` stands first, or rename the file `good`; answers the path that changed."""
    if (root / good).is_file():
        (root / bad).parent.mkdir(parents=True, exist_ok=True)
        (root / good).rename(root / bad)
        return bad
    for path in sorted(root.rglob("*")):
        if path.suffix in (".md", ".yml"):
            text = path.read_text(encoding="utf-8")
            for indent in ("    ", "  ", ""):
                if textwrap.indent(good, indent) in text:
                    text = text.replace(
                        textwrap.indent(good, indent), textwrap.indent(bad, indent), 1
                    )
                    path.write_text(text, encoding="utf-8")
                    return path.relative_to(root).as_posix()
    raise AssertionError(f"the small handbook does not hold: {good}")
