"""Handbooks for tests: the small one on disk, and helpers to edit and check it."""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from handbook import diagnostics, loading
from handbook.diagnostics import Diagnostic, Report, _find_close_matches
from handbook.handbook import Handbook
from handbook.loading import load
from handbook.reading.credential_forms import find_matches, may_hold_credential
from handbook.reading.render import render
from handbook.reading.source import read_source
from handbook.rules import credentials
from handbook.rules.engine import run
from handbook.views.references import PageReferences
from hatch_build import find_files

ROOT = Path(__file__).parent.parent
CORPORA = Path(os.environ.get("HANDBOOK_CORPORA") or ROOT.parent / "shared" / "corpora")
"""Optional folder of public records, the only files outside of the repository that tests read."""
needs_corpora = pytest.mark.skipif(
    not CORPORA.is_dir(), reason="the public records are not installed"
)

SMALL = Path(__file__).parent / "sites" / "small"
FORMS = Path(__file__).parent / "sites" / "forms"
BROKEN = Path(__file__).parent / "sites" / "broken"
GOLDEN = Path(__file__).parent / "golden"
TODAY = date(2026, 11, 23)
NEWEST = date(2026, 11, 27)
"""Date of the newest record of this repository. Update it with that record."""

# The tests check the same files thousands of times, and these results depend on the text alone.
loading.read_source = lru_cache(1024)(read_source)  # type: ignore[attr-defined]
diagnostics._find_close_matches = lru_cache(4096)(_find_close_matches)
credentials.may_hold_credential = lru_cache(1024)(may_hold_credential)  # type: ignore[attr-defined]
credentials.find_matches = lru_cache(1024)(lambda text: tuple(find_matches(text)))  # type: ignore[assignment,attr-defined]

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

SITE_SETTINGS = """site_name: A handbook
site_url: https://handbook.example/
theme: material
plugins: [macros, handbook]
"""
SETTINGS = f"""{SITE_SETTINGS}extra:
  handbook:
    teams: {{order-team: {{}}, platform-team: {{}}}}
    tags: [database, site]
"""


def make_png(data: bytes = b"") -> bytes:
    """Make a PNG without pixels that contains these bytes as a comment."""
    return (
        b"\x89PNG\r\n\x1a\n"
        + len(data).to_bytes(4)
        + b"tEXt"
        + data
        + bytes(4)  # checksum
        + bytes(4)  # length of the last chunk
        + b"IEND\xaeB`\x82"
    )


def read_yaml(file: Path) -> Any:
    """Read a YAML file with the parser in C, which is ten times faster."""
    return yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files under a root, and return the root."""
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def render_article(handbook: Handbook, path: str, text: str) -> str:
    """Render the HTML of a file with this text, as on the site."""
    source = read_source(path, text.encode())
    return render(source, PageReferences(handbook, path, handbook.url(path) or "x/")).html


def report(root: Path, today: date = TODAY) -> Report:
    """Check a root, and return the report."""
    return run(load(root), today)


def check(
    root: Path, files: Mapping[str, str | bytes], today: date = TODAY
) -> tuple[Diagnostic, ...]:
    """Check these files with the default settings, and return the findings."""
    write(root, {"mkdocs.yml": SETTINGS, **files})
    return report(root, today).findings


def format_findings(findings: Iterable[Diagnostic]) -> list[str]:
    """Format findings as `path:line:column:code`."""
    return [
        f"{finding.at.path}:{finding.at.line}:{finding.at.column}:{finding.code}"
        for finding in findings
    ]


def read_files(root: Path) -> dict[str, bytes]:
    """Return the content of each file below a folder, by path from the folder."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def copy_site(site: Path, to: Path) -> Path:
    """Copy a site, so that a test can edit it."""
    shutil.copytree(site, to, symlinks=True)
    return to


def copy_package(to: Path) -> Path:
    """Copy the files of this repository that its action and its hooks need."""
    ignore = shutil.ignore_patterns("__pycache__")
    for folder in ("handbook", "requirements"):
        shutil.copytree(ROOT / folder, to / folder, ignore=ignore)
    files = ("pyproject.toml", "hatch_build.py", ".pre-commit-hooks.yaml", "action.yml")
    for file in (*files, "mkdocs.yml", *find_files(ROOT)):
        (to / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, to / file)
    return to


def replace_once(root: Path, good: str, bad: str) -> str:
    """Replace the first `good` by `bad`, or rename the file `good`; return the changed path."""
    if (root / good).is_file():
        (root / bad).parent.mkdir(parents=True, exist_ok=True)
        (root / good).rename(root / bad)
        return bad
    for path in sorted(root.rglob("*")):
        if path.suffix in (".md", ".yml") or path.name == ".gitignore":
            text = path.read_text(encoding="utf-8")
            for indent in ("    ", "  ", ""):
                if textwrap.indent(good, indent) in text:
                    text = text.replace(
                        textwrap.indent(good, indent), textwrap.indent(bad, indent), 1
                    )
                    path.write_text(text, encoding="utf-8")
                    return path.relative_to(root).as_posix()
    raise AssertionError(f"not in the small handbook: {good}")
