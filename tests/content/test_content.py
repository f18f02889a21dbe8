"""The standards cover what they were asked to cover, in its corrected form: two tables, held against the rendered site.

facts.yml: a fact's id, the page and heading that it stands under (`at`), the words and figures that are read there
(`has`), those of its line that are not, with the reason (`without`), or why the whole is left out (`omitted`).
corrections.yml: a correction's id, where its corrected form is read (`at`, `has`), and patterns that stand nowhere but
in listings of bad examples (`never`), or why it concerns no page (`omitted`).
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from selectolax.lexbor import LexborHTMLParser

from tests.handbooks import ROOT

pytestmark = pytest.mark.build

HERE = Path(__file__).parent
SOURCE = ROOT.parent / "shared/content"
FACTS: dict[str, dict[str, Any]] = {
    id: row
    for path in sorted(HERE.glob("facts*.yml"))
    for id, row in yaml.safe_load(path.read_text("utf-8")).items()
}
CORRECTIONS: dict[str, dict[str, Any]] = {
    id: row
    for path in sorted(HERE.glob("corrections*.yml"))
    for id, row in yaml.safe_load(path.read_text("utf-8")).items()
}
BAD = {
    re.sub(r"\s+", "", path.read_text("utf-8"))
    for path in (ROOT / "docs/standards/samples/bad").rglob("*")
    if path.is_file()
}


def squeeze(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@functools.cache
def sections(site: Path, page: str) -> dict[str, str]:
    """The text of a page under each of its headings, that of the headings below included, by the heading's id."""
    tree = LexborHTMLParser((site / page / "index.html").read_text(encoding="utf-8"))
    article = tree.css_first("article")
    assert article is not None
    for listing in article.css("pre"):
        if re.sub(r"\s+", "", listing.text()) in BAD:
            listing.decompose()
    found: dict[str, str] = {}
    open_at: list[tuple[int, str]] = []
    for node in article.iter(include_text=False):
        level = int(node.tag[1]) if node.tag and re.fullmatch("h[1-6]", node.tag) else None
        if level is not None:
            open_at = [entry for entry in open_at if entry[0] < level]
            id = node.attributes.get("id") or ("top" if level == 1 else "")
            if level == 1:
                id = "top"
            open_at.append((level, id))
        text = squeeze(node.text(separator=""))
        for _, id in open_at:
            found[id] = found.get(id, "") + " " + text
    found["page"] = squeeze(article.text(separator=""))
    return found


def pages(site: Path) -> dict[str, str]:
    """The text of every page, without listings of bad examples."""
    return {
        str(path.parent.relative_to(site)): sections(site, str(path.parent.relative_to(site)))[
            "page"
        ]
        for path in sorted(site.rglob("index.html"))
        if "reference/proofs" not in str(path)
    }


def read_at(site: Path, at: str) -> str:
    page, _, heading = at.partition("#")
    text = sections(site, f"standards/{page}" if page[:2].isdigit() or page == "" else page).get(
        heading or "top"
    )
    assert text is not None, f"there is no heading {at}"
    return text


@pytest.mark.parametrize("id", FACTS)
def test_a_fact_stands_where_its_row_says(id: str, real_site: Path) -> None:
    row = FACTS[id]
    if "omitted" in row:
        assert len(row["omitted"].split()) > 3, "say why"
        return
    text = read_at(real_site, row["at"])
    assert row["has"]
    assert [words for words in row["has"] if squeeze(str(words)) not in text] == []


@pytest.mark.parametrize("id", CORRECTIONS)
def test_a_correction_is_applied(id: str, real_site: Path) -> None:
    row = CORRECTIONS[id]
    if "omitted" in row:
        assert len(row["omitted"].split()) > 3, "say why"
        return
    text = read_at(real_site, row["at"])
    assert [words for words in row["has"] if squeeze(str(words)) not in text] == []
    for pattern in row["never"]:
        for page, words in pages(real_site).items():
            assert not re.search(pattern, words), f"{page}: {pattern}"


def test_no_heading_serves_more_than_twelve_facts() -> None:
    served = Counter(row["at"] for row in FACTS.values() if "at" in row)
    assert {at: count for at, count in served.items() if count > 12} == {}


def test_every_fact_and_every_correction_has_a_row() -> None:
    if not SOURCE.is_dir():
        pytest.skip("the list of facts is not here")
    for name, rows in (("facts.md", FACTS), ("corrections.md", CORRECTIONS)):
        ids = re.findall(
            r"^(?:- )?\*\*([A-Z]\d*\.\d+)\*\*", (SOURCE / name).read_text("utf-8"), re.MULTILINE
        )
        assert ids
        assert sorted(set(ids) - set(rows)) == []
        assert sorted(set(rows) - set(ids)) == []


def test_every_term_and_number_of_a_fact_is_read_or_has_its_reason() -> None:
    if not SOURCE.is_dir():
        pytest.skip("the list of facts is not here")
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
        told = " ".join(map(str, [*row.get("has", ()), *row.get("without", {})]))
        line = re.sub(r"\[→[^\]]*\]", "", line)
        terms = re.findall(r"`([^`]+)`", line) + re.findall(
            r"(?<![\w.`-])\d[\d.,–]*\d|(?<![\w.`-])\d(?!\w)", re.sub(r"`[^`]+`", "", line)
        )
        if absent := [term for term in terms if term not in told]:
            missing[id] = absent
    assert missing == {}
