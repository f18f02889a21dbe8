"""Test that valid ways to write the same records, settings and rule files have no finding."""

from __future__ import annotations

import filecmp
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.handbooks import GOLDEN, SMALL, copy_site, read_yaml, report, write

VARIATIONS: Mapping[str, list[dict[str, Any]]] = read_yaml(GOLDEN / "variations.yml")
DECISION = "adr/0002-use-postgresql.md"
FILES = (
    DECISION,
    "docs/markdown.md",
    "docs/standards/05-testing.md",
    "docs/services/shop.md",
    "docs/services/shop/2026-Q4.yml",
    "postmortems/2026-05-04-orders-stopped.md",
    "runbooks/shop/orders-down.md",
    "runbooks/shop/shop.rules.yml",
    "mkdocs.yml",
)
"""One file of each kind."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
ENCODINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "a byte order mark": lambda data: BYTE_ORDER_MARK + data,
    "CRLF": lambda data: data.replace(b"\n", b"\r\n"),
    "CRLF and a byte order mark": lambda data: BYTE_ORDER_MARK + data.replace(b"\n", b"\r\n"),
    "CR": lambda data: data.replace(b"\n", b"\r"),
    "CRLF in the first line only": lambda data: data.replace(b"\n", b"\r\n", 1),
    "no line end at the end": lambda data: data.rstrip(b"\n"),
    "a space at the end": lambda data: data.rstrip(b"\n") + b" ",
    "blank lines at the end": lambda data: data + b"\n\n\r\n",
}


@pytest.fixture(scope="module")
def shared_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the small handbook for all tests of this module."""
    return copy_site(SMALL, tmp_path_factory.mktemp("variations") / "handbook")


@pytest.fixture
def root(shared_root: Path) -> Iterator[Path]:
    """The shared copy, which is restored after the test. A copy for each test would be slower."""
    yield shared_root
    for path in shared_root.rglob("*"):
        if path.is_file() and not (SMALL / path.relative_to(shared_root)).is_file():
            path.unlink()
    for original in SMALL.rglob("*"):
        copy = shared_root / original.relative_to(SMALL)
        if original.is_file() and not (
            copy.is_file() and filecmp.cmp(original, copy, shallow=False)
        ):
            shutil.copyfile(original, copy)


def apply_variation(variation: Mapping[str, Any], root: Path) -> None:
    """Apply a variation to a copy of the small handbook."""
    if "rename" in variation:
        old_path, new_path = variation["rename"]
        (root / old_path).rename(root / new_path)
    for edit in variation.get("edits", [variation] if "replace" in variation else []):
        old, new = edit["replace"]
        file = root / edit["file"]
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} is not exactly once in {edit['file']}"
        file.write_text(text.replace(old, new), encoding="utf-8")
    write(root, variation.get("add", {}))


@pytest.mark.parametrize(
    "variation",
    [
        pytest.param(
            variation,
            id=f"{kind}: {variation['variation']}",
            marks=[pytest.mark.mutation] if index % 2 else [],
        )
        for kind, variations in VARIATIONS.items()
        for index, variation in enumerate(variations)
    ],
)
def test_a_valid_variation_has_no_finding(variation: Mapping[str, Any], root: Path) -> None:
    apply_variation(variation, root)
    assert [finding for finding in report(root).findings if not finding.is_advisory] == []


@pytest.mark.parametrize("encoding", ["a byte order mark", "CRLF", "no line end at the end"])
@pytest.mark.parametrize("path", FILES)
def test_another_encoding_of_one_file_has_no_finding(path: str, encoding: str, root: Path) -> None:
    data = (root / path).read_bytes()
    (root / path).write_bytes(ENCODINGS[encoding](data))
    assert (root / path).read_bytes() != data
    assert report(root).findings == ()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_another_encoding_of_all_files_has_no_finding(encoding: str, root: Path) -> None:
    for path in root.rglob("*"):
        if path.suffix in (".md", ".yml", ".csv", ".json"):
            path.write_bytes(ENCODINGS[encoding](path.read_bytes()))
    assert report(root).findings == ()


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(
    "text",
    [
        "Größe in Ångström, für Žluťoučký.",
        "[Größe](#größe)\n\n### Größe\n\nText.",
        "[größe] und [Größe][GRÖSSE]\n\n[größe]: größe.md\n[grösse]: größe.md#größe",
        "![Größe](0002-use-postgresql/größe.png)",
        "`für` **für** *für* ~~für~~ für_für\n\n| für | ö |\n|---|---|\n| ü | å |",
    ],
    ids=["text", "anchor", "reference", "image", "emphasis"],
)
def test_both_normal_forms_of_unicode_have_no_finding(
    form: Literal["NFC", "NFD"], text: str, root: Path
) -> None:
    decision = (root / DECISION).read_text(encoding="utf-8")
    decision = decision.replace("PostgreSQL 16.", text.replace("größe.md", "../docs/größe.md"))
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    files = {
        DECISION: decision,
        "mkdocs.yml": settings.replace(
            "- Markdown: markdown.md", "- Größe: größe.md\n  - markdown.md"
        ),
        "docs/größe.md": "# Größe\n",
    }
    normalized = {
        unicodedata.normalize(form, path): unicodedata.normalize(form, content)
        for path, content in files.items()
    }
    folder = DECISION.removesuffix(".md")
    picture = (root / folder / "load.png").read_bytes()
    write(root, {**normalized, unicodedata.normalize(form, f"{folder}/größe.png"): picture})
    assert report(root).findings == ()


def test_there_are_enough_variations_of_each_kind() -> None:
    names = [variation["variation"] for kind in VARIATIONS.values() for variation in kind]
    assert len(names) >= 300
    assert min(map(len, VARIATIONS.values())) >= 10


@pytest.mark.parametrize("kind", VARIATIONS)
def test_the_names_of_a_kind_are_unique(kind: str) -> None:
    names = [variation["variation"] for variation in VARIATIONS[kind]]
    assert len(names) == len(set(names))
