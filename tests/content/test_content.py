"""The standards contain the required facts in their corrected form.

Two kinds of tables are compared with the rendered site.

facts.yml has a row for each fact. `at` is its page and heading, `has` lists the words and figures
in this section, and `without` lists omitted ones with the reason. `omitted` is the reason for a
missing fact.

corrections.yml has a row for each correction. `at` and `has` locate its corrected form. `never`
lists patterns that only listings of bad examples may contain. `omitted` is the reason for no
correction.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from tests.content.conftest import list_pages
from tests.handbooks import CORPORA, ROOT, read_yaml

pytestmark = pytest.mark.build

FOLDER = Path(__file__).parent
SOURCE = CORPORA.parent / "content"
"""Optional folder with the lists of facts and corrections."""

FACTS: dict[str, dict[str, Any]] = {
    id: row for path in sorted(FOLDER.glob("facts*.yml")) for id, row in read_yaml(path).items()
}
CORRECTIONS: dict[str, dict[str, Any]] = {
    id: row
    for path in sorted(FOLDER.glob("corrections*.yml"))
    for id, row in read_yaml(path).items()
}
BAD = {
    re.sub(r"\s+", "", path.read_text("utf-8"))
    for path in (ROOT / "docs/standards/samples/bad").rglob("*")
    if path.is_file()
}


def squeeze(text: str) -> str:
    """Replace each run of white space with one space."""
    return re.sub(r"\s+", " ", text)


@functools.cache
def read_sections(site: Path, page: str) -> dict[str, str]:
    """Return the text of each section of a page by the id of its heading.

    The text includes the sections below. The key `page` has the whole text.
    """
    tree = LexborHTMLParser((site / page / "index.html").read_text(encoding="utf-8"))
    article = tree.css_first("article")
    assert article is not None
    for listing in article.css("pre"):
        if re.sub(r"\s+", "", listing.text()) in BAD:
            listing.decompose()
    sections: dict[str, str] = {}
    open_headings: list[tuple[int, str]] = []
    for node in article.iter(include_text=False):
        level = int(node.tag[1]) if node.tag and re.fullmatch("h[1-6]", node.tag) else None
        if level is not None:
            open_headings = [entry for entry in open_headings if entry[0] < level]
            id = node.attributes.get("id") or ("top" if level == 1 else "")
            if level == 1:
                id = "top"
            open_headings.append((level, id))
        text = squeeze(node.text(separator=""))
        for _, id in open_headings:
            sections[id] = sections.get(id, "") + " " + text
    sections["page"] = squeeze(article.text(separator=""))
    return sections


def read_pages(site: Path) -> dict[str, str]:
    """Return the text of every page, without listings of bad examples and pages of files.

    The files of the reference service have their own tests in tests/samples.
    """
    return {
        str(path.parent.relative_to(site)): read_sections(site, str(path.parent.relative_to(site)))[
            "page"
        ]
        for path in list_pages(site)
        if "reference/proofs" not in str(path) and "order-service/files" not in str(path)
    }


def read_section(site: Path, at: str) -> str:
    """Return the text of a section, such as `05-testing-pyramid/#why-it-matters`."""
    page, _, heading = at.partition("#")
    folder = f"standards/{page}" if page[:2].isdigit() or page == "" else page
    text = read_sections(site, folder).get(heading or "top")
    assert text is not None, f"unknown heading {at}"
    return text


@pytest.mark.parametrize("id", FACTS)
def test_a_fact_is_in_its_section(id: str, real_site: Path) -> None:
    row = FACTS[id]
    if "omitted" in row:
        assert len(row["omitted"].split()) > 3, "missing reason"
        return
    text = read_section(real_site, row["at"])
    assert row["has"]
    assert [words for words in row["has"] if squeeze(str(words)) not in text] == []


@pytest.mark.parametrize("id", CORRECTIONS)
def test_a_correction_is_applied(id: str, real_site: Path) -> None:
    row = CORRECTIONS[id]
    if "omitted" in row:
        assert len(row["omitted"].split()) > 3, "missing reason"
        return
    text = read_section(real_site, row["at"])
    assert [words for words in row["has"] if squeeze(str(words)) not in text] == []
    for pattern in row["never"]:
        for page, words in read_pages(real_site).items():
            assert not re.search(pattern, words), f"{page}: {pattern}"


def test_no_section_is_used_for_more_than_twelve_facts() -> None:
    counts = Counter(row["at"] for row in FACTS.values() if "at" in row)
    assert {at: count for at, count in counts.items() if count > 12} == {}


def test_every_fact_and_every_correction_has_a_row() -> None:
    if not SOURCE.is_dir():
        pytest.skip("missing list of facts")
    for name, rows in (("facts.md", FACTS), ("corrections.md", CORRECTIONS)):
        ids = re.findall(
            r"^(?:- )?\*\*([A-Z]\d*\.\d+)\*\*", (SOURCE / name).read_text("utf-8"), re.MULTILINE
        )
        assert ids
        assert sorted(set(ids) - set(rows)) == []
        assert sorted(set(rows) - set(ids)) == []


def test_every_term_and_number_of_a_fact_is_present_or_has_a_reason() -> None:
    if not SOURCE.is_dir():
        pytest.skip("missing list of facts")
    lines = re.findall(
        r"^- \*\*([A-Z]\d*\.\d+)\*\* — (.+)$",
        (SOURCE / "facts.md").read_text("utf-8"),
        re.MULTILINE,
    )
    missing = {}
    for id, line in lines:
        row = FACTS.get(id, {})
        if "omitted" in row:
            continue
        row_text = " ".join(map(str, [*row.get("has", ()), *row.get("without", {})]))
        line = re.sub(r"\[→[^\]]*\]", "", line)
        terms = re.findall(r"`([^`]+)`", line) + re.findall(
            r"(?<![\w.`-])\d[\d.,–]*\d|(?<![\w.`-])\d(?!\w)", re.sub(r"`[^`]+`", "", line)
        )
        if absent := [term for term in terms if term not in row_text]:
            missing[id] = absent
    assert missing == {}
