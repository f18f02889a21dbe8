"""The search index of a large site has no stop words, and the search fetches few parts of it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from handbook.reading.letters import read_stop_words
from handbook.site.finish import write_search_index
from handbook.site.index_parts import SIZES, shrink_parts
from tests.searching import ASSETS, ask

PAGE = """<!doctype html><html lang="en"><body><article class="md-content__inner">
<h1>{title}</h1><p>{text}</p></article></body></html>"""
TEXTS = {
    "Observability": "What every one of the teams measures, and the office of only one.",
    "Pipeline": "The stages that run for every commit. They are fast.",
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with two pages, whose list of words says that it has 2,000."""
    site = tmp_path / "site"
    keys = {"parts": [], "words": {"pages": 2_000, "words": [], "synonyms": []}}
    (site / "assets/keys").mkdir(parents=True)
    for name, content in keys.items():
        (site / f"assets/keys/{name}.json").write_text(json.dumps(content), encoding="utf-8")
    for script in ASSETS.glob("search-*.js"):
        (site / "assets" / script.name).write_bytes(script.read_bytes())
    for title, text in TEXTS.items():
        page = site / title.lower() / "index.html"
        page.parent.mkdir()
        page.write_text(PAGE.format(title=title, text=text), encoding="utf-8")
    return site


def read_parts(site: Path) -> dict[str, bytes]:
    """Return the content of the parts of an index, by name."""
    parts = sorted((site / "pagefind/index").iterdir())
    return {part.name: gzip.decompress(part.read_bytes()) for part in parts}


def test_a_large_index_has_no_stop_words_and_finds_all_other_words(site: Path) -> None:
    write_search_index(site)
    before = b"".join(read_parts(site).values())
    assert b"cthe" in before  # a word of CBOR, after its length
    assert b"eeveri" in before
    write_search_index(site, is_large=True)
    after = b"".join(read_parts(site).values())
    words = {"the", "of", "everi", "onli", "that", "for", "they"}
    assert {word for word in words if bytes([0x60 + len(word)]) + word.encode() in after} == set()
    queries = ["what is observability", "office", "the commits", "every team"]
    answers = ask(site.parent / "modules", site, [{"query": query} for query in queries])
    titles = [[row["title"] for row in answer["rows"]] for answer in answers]
    assert titles == [["Observability"], ["Observability"], ["Pipeline"], ["Observability"]]


def test_the_list_of_sizes_has_the_parts_of_a_large_index(site: Path) -> None:
    write_search_index(site)
    assert not (site / SIZES).exists()
    write_search_index(site, is_large=True)
    text = (site / SIZES).read_text(encoding="utf-8")
    parts = (site / "pagefind/index").iterdir()
    assert sorted(size for _, size in json.loads(text)) == sorted(
        part.stat().st_size for part in parts
    )
    files = read_parts(site)
    shrink_parts(site, site / "pagefind")
    assert (read_parts(site), (site / SIZES).read_text(encoding="utf-8")) == (files, text)


def test_an_index_of_another_format_is_not_changed(site: Path) -> None:
    write_search_index(site)
    [part] = (site / "pagefind/index").iterdir()
    part.write_bytes(gzip.compress(b"pagefind_xyz"))
    with pytest.raises(ValueError, match="is no file of Pagefind"):
        shrink_parts(site, site / "pagefind")
    assert not (site / SIZES).exists()


def test_the_stop_words_are_those_of_the_search() -> None:
    assert {"the", "of", "whose", "a", "your"} <= read_stop_words()
    assert "pipeline" not in read_stop_words()
