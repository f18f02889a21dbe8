"""The terms that pages define, and the links of their first mentions."""

from __future__ import annotations

from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from handbook.loading import load
from handbook.reading.glossary import Glossary
from handbook.reading.render import render
from handbook.views.references import PageReferences
from tests.handbooks import SETTINGS, SMALL, copy_site, write

GLOSSARY = """\
# Glossary

| Term | Meaning |
|---|---|
| <dfn id="error-budget">error budget</dfn> | What an [objective](x.md) still `allows`. |
| <dfn id="budget">budget</dfn> | Money. |
| gauge | A term without a link. |
"""


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("Spend the error budget.", ["error budget"]),
        ("Error budgets and a budget", ["Error budgets", "budget"]),
        ("gauge", []),
        ("budgeting, re-budget, budget.yml, a/budget and budget-file", []),
        ("The budget. A budget, (budget)", ["budget", "budget", "budget"]),
    ],
)
def test_mentions_are_whole_words_and_the_longest_term(text: str, mentions: list[str]) -> None:
    glossary = Glossary.read([("glossary.md", GLOSSARY)])
    assert [match[0] for match, _ in glossary.find_mentions(text)] == mentions


def test_the_meaning_is_the_rest_of_the_line_as_plain_text() -> None:
    terms = Glossary.read([("glossary.md", GLOSSARY)]).terms
    assert terms["error budget"].meaning == "What an objective still allows."


def test_without_a_definition_nothing_is_a_term() -> None:
    assert list(Glossary.read([("a.md", "# A\n")]).find_mentions("error budget")) == []


def test_a_definition_in_code_or_in_a_comment_is_an_example(tmp_path: Path) -> None:
    dfn = '<dfn id="{0}">{0}</dfn> text'
    forms = ("`{}`", "```html\n{}\n```", "    {}", "<!-- {} -->", "<!--\n\n{}\n\n-->", "{} `ab`")
    page = "\n\n".join(
        form.format(dfn.format(name)) for name, form in zip("abcdef", forms, strict=True)
    )
    write(tmp_path, {"mkdocs.yml": SETTINGS, "docs/x.md": f"# X\n\n{page}\n"})
    terms = load(tmp_path).glossary.terms
    assert {name: term.meaning for name, term in terms.items()} == {"f": "text ab"}


def test_only_the_first_mention_in_a_paragraph_is_a_link(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    page = (
        "# An error budget\n\n## Budget\n\n- a budget\n\n`budget` [budget](glossary.md)\n\n"
        "| budget |\n|---|\n| budget |\n\nSpend an *error budget* and a budget & a budget.\n\n"
        "Spend no budget.\n"
    )
    write(root, {"docs/glossary.md": GLOSSARY, "docs/page.md": page})
    handbook = load(root)
    references = PageReferences(handbook, "docs/page.md", "page/")
    html = render(handbook.documents["docs/page.md"].source, references).html
    links = LexborHTMLParser(html).css("a.hb-term")
    assert [(link.attributes["href"], link.text()) for link in links] == [
        ("../glossary/#error-budget", "error budget"),
        ("../glossary/#budget", "budget"),
    ]
    assert "and a <a" in html
    assert "&amp; a budget." in html
    own = PageReferences(handbook, "docs/glossary.md", "glossary/")
    assert list(own.find_terms("error budget")) == []
