"""Our rendering of Markdown agrees with GitHub's, except for a closed list of differences.

`FUZZ_EXAMPLES=50000` compares 50,000 awkward documents. `FUZZ_SEED=8` draws other documents.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from operator import attrgetter

import pytest
from selectolax.lexbor import LexborHTMLParser

from handbook.handbook import Handbook
from handbook.loading import load
from handbook.reading.render import render
from handbook.reading.source import Source, read_page_body, read_source
from handbook.records.adr import Adr
from handbook.rules.engine import Context, rules
from handbook.site.html_faults import find_fault
from handbook.views.references import PageReferences
from tests.handbooks import CORPORA, SMALL, TODAY, needs_corpora
from tests.reading import github
from tests.reading.github import (
    ACTIVE,
    BLOCKS,
    DIFFERENCES,
    FAULTS,
    INLINES,
    KNOWN,
    Difference,
    Example,
    awkward_documents,
    compare,
    compare_source,
    explain,
    handbook_html,
    ordered_documents,
    read_corpus,
    reduce,
)

DOCUMENTS = int(os.environ.get("FUZZ_EXAMPLES", 1500))
SEED = int(os.environ.get("FUZZ_SEED", 7))
EXAMPLES = read_corpus()
REPORTED = [difference for difference in DIFFERENCES if difference.rule]


@pytest.fixture(scope="module")
def handbook() -> Handbook:
    return load(SMALL)


@cache
def read_public_records() -> tuple[Source, ...]:
    """Read the public records, in the order of their paths."""
    return tuple(
        read_source(path.relative_to(CORPORA).as_posix(), path.read_bytes())
        for path in sorted(CORPORA.rglob("*.md"))
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=attrgetter("name"))
def test_an_example_looks_as_on_github(example: Example) -> None:
    comparison = compare(example.text)
    assert comparison.agrees, comparison.report()


def test_examples_are_unique() -> None:
    assert len(EXAMPLES) >= 150
    assert len({example.name for example in EXAMPLES}) == len(EXAMPLES)
    assert len({example.text for example in EXAMPLES}) == len(EXAMPLES)


@needs_corpora
def test_public_records_look_as_on_github() -> None:
    assert len(read_public_records()) > 400
    differing = [
        source.path for source in read_public_records() if not compare_source(source).agrees
    ]
    assert differing == []


def is_unknown(text: str) -> bool:
    """Whether both renderings of a text differ, and no known difference explains it."""
    return not compare(text).agrees and not explain(text)


@pytest.mark.fuzz
def test_ordered_documents_look_as_on_github_except_for_known_differences() -> None:
    unknown = next(filter(is_unknown, ordered_documents(DOCUMENTS // 3, SEED)), None)
    assert unknown is None, compare(unknown).report()


@pytest.mark.fuzz
def test_awkward_documents_look_as_on_github_except_for_known_differences() -> None:
    unknown = next(filter(is_unknown, awkward_documents(DOCUMENTS, SEED)), None)
    if unknown is not None:
        smallest = reduce(unknown, is_unknown)
        pytest.fail(f"{smallest!r}, from {unknown!r}\n{compare(smallest).report()}")


def test_a_text_is_reduced_to_what_fails() -> None:
    text = "one\n- two three\n\n> four\nfive"
    assert (
        reduce(text, lambda text: "two" in text and "\n" in text and "four" in text) == "two\nfour"
    )
    assert reduce(text, lambda text: True) == ""


@pytest.mark.parametrize("difference", DIFFERENCES, ids=attrgetter("name"))
def test_a_difference_is_one_and_explains_its_text_alone(difference: Difference) -> None:
    assert not compare(difference.smallest).agrees, "both agree now: remove it from the list"
    assert find_explanations(difference.smallest) == [difference.name]


@pytest.mark.parametrize("difference", REPORTED, ids=attrgetter("name"))
def test_a_rule_reports_a_difference(difference: Difference, handbook: Handbook) -> None:
    source = read_source("adr/0001-x.md", difference.smallest.encode())
    record = Adr(path=source.path, source=source)
    assert any(rules()[difference.rule].findings(record, Context(handbook, TODAY)))


@pytest.mark.parametrize("fault", FAULTS, ids=attrgetter("name"))
def test_a_fault_in_the_list_still_shows(fault: Difference) -> None:
    assert not compare(fault.smallest).agrees, "it is fixed: remove it from FAULTS"
    assert find_explanations(fault.smallest) == [fault.name]


def find_explanations(text: str) -> list[str]:
    """Return the names of the known differences that alone explain a disagreement."""
    plain_texts = {difference.name: difference.without(text) for difference in KNOWN}
    return [
        name
        for name, plain_text in plain_texts.items()
        if plain_text != text and compare(plain_text).agrees
    ]


BROKEN = {
    "no emphasis": (r"</?em>", ""),
    "strong text as emphasis": (r"(</?)strong>", r"\1em>"),
    "no strikethrough": (r"</?del>", ""),
    "no titles": (r'(<(?:a|img) [^>]*?) title="[^"]*"', r"\1"),
    "another target": (r'href="([^"]+)"', r'href="\1/"'),
    "no links": (r"<a href=[^>]*>|</a>", ""),
    "another image": (r'src="', 'src="x'),
    "no text of images": (r'alt="[^"]*"', 'alt=""'),
    "no line breaks": (r"<br>", ""),
    "no code": (r"</?code>", ""),
    "another language": (r'data-language="(\w+)"', r'data-language="\1x"'),
    "code without indentation": (r"(?m)^[ \t]+", ""),
    "no alignment": (r' align="\w+"', ""),
    "no cells of the head": (r"(</?)th\b", r"\1td"),
    "tasks done": (r' aria-label="to do"', " checked"),
    "tight lists": (r"<li>\n<p>(.*?)</p>", r"<li>\1"),
    "lists from one": (r' start="\d+"', ""),
    "bullets": (r"(</?)ol\b", r"\1ul"),
    "lists not nested": (r"(?s)<ul>\n<li>(?=.*<ul>)", ""),
    "no quotations": (r"</?blockquote>", ""),
    "another callout": (r'class="admonition \w+', 'class="admonition x'),
    "headings one level lower": (r"(</?)h2\b", r"\1h3"),
    "no thematic breaks": (r"<hr>", ""),
    "no footnotes": (r'(?s)<div class="footnote">.*', ""),
    "one paragraph": (r"</p>\n<p>", "\n"),
    "no keys": (r"</?kbd>", ""),
}
"""Possible faults of a renderer: a pattern in its HTML, and the replacement."""


@cache
def render_examples() -> tuple[tuple[Example, str], ...]:
    """Return each example with the HTML of its page."""
    return tuple(
        (example, handbook_html(read_page_body("x.md", example.text))) for example in EXAMPLES
    )


@pytest.mark.parametrize(("pattern", "replacement"), BROKEN.values(), ids=BROKEN)
def test_a_fault_is_found_and_no_known_difference_explains_it(
    pattern: str, replacement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only examples with a disagreement are compared with the known differences.

    No pattern can recognise a lazy line. Examples that this difference explains are left out.
    """
    broken = re.compile(pattern)
    examples = (example for example, html in render_examples() if broken.search(html))
    monkeypatch.setattr(
        github, "handbook_html", lambda source: broken.sub(replacement, handbook_html(source))
    )
    differing = [example for example in examples if not compare(example.text).agrees]
    assert differing
    explained = {example.name: explain(example.text) for example in differing}
    assert [
        name
        for name, classes in explained.items()
        if classes and "HTML on a lazy line" not in classes
    ] == []


def test_a_reference_and_its_footnote_link_to_each_other() -> None:
    """The comparison ignores the targets of these links: GitHub gives the ids other names."""
    checked = 0
    for example, html in render_examples():
        references = re.findall(r'<a class="footnote-ref" href="#fn:(\d+)">(\d+)</a>', html)
        notes = re.findall(r'<li id="fn:(\d+)">', html)
        backlinks = re.findall(r'<a class="footnote-backref" href="#fnref:(\d+)"', html)
        assert all(target == number for target, number in references), example.name
        assert {target for target, _ in references} == set(notes), example.name
        assert notes == backlinks == [str(number) for number in range(1, len(notes) + 1)], (
            example.name
        )
        assert set(backlinks) == set(re.findall(r' id="fnref:(\d+)"', html)), example.name
        checked += bool(notes)
    assert checked > 5


ELEMENTS = frozenset(
    re.findall(
        r"\w+",
        "a blockquote br code del details div em h1 h2 h3 h4 h5 h6 hr img input kbd label li ol "
        "p pre span strong sub summary sup table tbody td th thead tr ul",
    )
)
"""The elements that a record's page can contain."""


def find_page_faults(handbook: Handbook, sources: Iterator[Source]) -> Iterator[tuple[str, str]]:
    """Yield faults in the pages of records, each with the body of its record."""
    references = PageReferences(handbook, "docs/x.md", "x/")
    for source in sources:
        html = render(source, references).html
        root = LexborHTMLParser(f"<body>{html}</body>").body
        assert root is not None
        tags = {node.tag or "" for node in root.traverse() if node.is_element_node} - {"body"}
        if fault := find_fault(html) or " ".join(sorted(tags - ELEMENTS)):
            yield fault, source.body


def test_pages_of_awkward_records_are_inert_and_balanced(handbook: Handbook) -> None:
    documents = awkward_documents(DOCUMENTS, SEED, (*BLOCKS, *INLINES, *ACTIVE, *ACTIVE))
    assert (
        list(find_page_faults(handbook, (read_page_body("docs/x.md", text) for text in documents)))
        == []
    )


def test_pages_of_examples_are_inert_and_balanced(handbook: Handbook) -> None:
    texts = (example.text for example in EXAMPLES)
    assert (
        list(find_page_faults(handbook, (read_page_body("docs/x.md", text) for text in texts)))
        == []
    )


@needs_corpora
def test_pages_of_public_records_are_inert_and_balanced(handbook: Handbook) -> None:
    assert list(find_page_faults(handbook, iter(read_public_records()))) == []
