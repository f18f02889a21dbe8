"""The requirements of a standard: their details, their table and the links of the checklist."""

from __future__ import annotations

import json
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser, LexborNode

from handbook.diagnostics import Report
from handbook.handbook import Handbook
from handbook.loading import load
from handbook.records.standard import Standard
from handbook.site.assembly import Assembly
from handbook.views.standards import checklist
from tests.handbooks import SMALL, copy_site

PATH = "docs/standards/08-observability.md"
START, END = "## What it requires\n", "## How to implement it"
EXPLAINED = """
- **STD-08.1** Logs *MUST* be `JSON`; see ADR-0002.
    - Why: A program **reads** them.
    - How: [An example](#how-to-implement-it), [more](05-testing.md)
    - Verified by: OBS-01, SEC-01,
      human review.
- **STD-08.2** Traces SHOULD be kept:
    - for a week
    - How: with Tempo[^1]
    - How: in another way
"""


def load_with(root: Path, requirements: str) -> tuple[Handbook, Standard]:
    """Load the small handbook with other requirements in one standard."""
    root = copy_site(SMALL, root / "handbook")
    text = (root / PATH).read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    (root / PATH).write_text(f"{before}{START}\n{requirements}\n{END}{after}", encoding="utf-8")
    handbook = load(root)
    standard = handbook.get(Standard, "STD-08")
    assert standard is not None
    return handbook, standard


def render_page(handbook: Handbook, standard: Standard) -> LexborHTMLParser:
    """Return the article of a standard."""
    assembly = Assembly(handbook, Report({}, ()), commit=None, changes=None)
    return LexborHTMLParser(assembly.make_article(standard).html)


def read_cells(row: LexborNode) -> list[str]:
    """Return the texts of the cells of a row."""
    return [" ".join(cell.text().split()) for cell in row.css("th, td")]


def test_a_requirement_has_its_reason_its_links_and_its_verification(tmp_path: Path) -> None:
    _, standard = load_with(tmp_path, EXPLAINED)
    first, second = standard.requirements
    assert first.why == "A program **reads** them."
    assert first.how == "[An example](#how-to-implement-it), [more](05-testing.md)"
    assert first.verified_by == ("OBS-01", "SEC-01", "human review")
    assert (second.why, second.how, second.verified_by) == (None, "with Tempo[^1]", ())


def test_each_requirement_is_a_row_with_its_anchor_and_headers(tmp_path: Path) -> None:
    page = render_page(*load_with(tmp_path, f"{EXPLAINED}\n[^1]: Or Jaeger."))
    [table] = page.css(".hb-requirements table")
    heads = ["Id", "Requirement", "Why", "How", "Verified by"]
    assert [head.text() for head in table.css("thead th[scope=col]")] == heads
    rows = table.css("tbody tr")
    assert [row.id for row in rows] == ["std-08-1", "std-08-2"]
    assert all(row.css("th[scope=row]") for row in rows)
    assert read_cells(rows[0]) == [
        "STD-08.1 MUST",
        "Logs MUST be JSON; see ADR-0002.",
        "A program reads them.",
        "An example, more",
        "OBS-01, SEC-01, human review",
    ]
    assert [link.attributes["href"] for link in rows[0].css("a")] == [
        "#std-08-1",
        "../../adr/0002-use-postgresql/",
        "#how-to-implement-it",
        "../05-testing/",
        "#obs-01",
        "../05-testing/#sec-01",
    ]
    assert [cell.attributes.get("data-label") for cell in rows[0].css("td")] == [
        None,
        "Why",
        "How",
        "Verified by",
    ]


def test_nested_text_and_footnotes_of_a_requirement_stay_in_its_row(tmp_path: Path) -> None:
    page = render_page(*load_with(tmp_path, f"{EXPLAINED}\n[^1]: Or Jaeger."))
    [_, row] = page.css(".hb-requirements tbody tr")
    assert [item.text().strip() for item in row.css("td li")] == [
        "for a week",
        "How: in another way",
    ]
    assert len(row.css("sup a")) == 1
    assert "Or Jaeger." in (page.html or "")


def test_columns_without_values_are_left_out(tmp_path: Path) -> None:
    page = render_page(*load_with(tmp_path, "1. **STD-08.1** Logs MUST be JSON.\n"))
    [table] = page.css(".hb-requirements table")
    assert [head.text() for head in table.css("thead th")] == ["Id", "Requirement"]


def test_a_withdrawn_requirement_keeps_its_row(tmp_path: Path) -> None:
    text = "- **STD-08.1** Withdrawn: logs are gone.\n- **STD-08.2** Traces MAY be kept.\n"
    page = render_page(*load_with(tmp_path, text))
    rows = page.css(".hb-requirements tbody tr")
    assert [read_cells(row) for row in rows] == [
        ["STD-08.1 withdrawn", "Withdrawn: logs are gone."],
        ["STD-08.2 MAY", "Traces MAY be kept."],
    ]


def test_a_list_with_an_item_without_an_id_stays_a_list(tmp_path: Path) -> None:
    text = "- **STD-08.1** Logs MUST be JSON.\n- Traces SHOULD be kept.\n"
    page = render_page(*load_with(tmp_path, text))
    assert page.css(".hb-requirements") == []
    assert len(page.css("li#std-08-1")) == 1


def test_an_unclosed_element_ends_in_its_cell(tmp_path: Path) -> None:
    text = "- **STD-08.1** Logs MUST be <kbd>JSON.\n    - Why: so <sub>it is.\n"
    page = render_page(*load_with(tmp_path, text))
    [row] = page.css(".hb-requirements tbody tr")
    assert read_cells(row) == ["STD-08.1 MUST", "Logs MUST be JSON.", "so it is."]
    assert len(row.css("td")) == 2


def test_the_checklist_links_an_item_to_the_requirements_it_verifies(tmp_path: Path) -> None:
    handbook, _ = load_with(tmp_path, EXPLAINED)
    page = LexborHTMLParser(checklist(handbook, "checklist/"))
    [cell] = page.css("#obs-01 td[data-label=Verifies]")
    [link] = cell.css("a")
    assert link.text() == "STD-08.1"
    assert link.attributes["href"] == "../standards/08-observability/#std-08-1"
    [empty] = page.css("#obs-02 td[data-label=Verifies]")
    assert empty.text() == ""


def test_the_json_has_the_details_of_each_requirement(tmp_path: Path) -> None:
    handbook, _ = load_with(tmp_path, EXPLAINED)
    assembly = Assembly(handbook, Report({}, ()), commit=None, changes=None)
    items = json.loads(assembly.files()["api/v1/standards.json"])["items"]
    [standard] = (item for item in items if item["id"] == "STD-08")
    assert standard["requirements"] == [
        {
            "id": "STD-08.1",
            "obligation": "MUST",
            "text": "**STD-08.1** Logs *MUST* be `JSON`; see ADR-0002.",
            "why": "A program **reads** them.",
            "how": "[An example](#how-to-implement-it), [more](05-testing.md)",
            "verified_by": ["OBS-01", "SEC-01", "human review"],
        },
        {
            "id": "STD-08.2",
            "obligation": "SHOULD",
            "text": "**STD-08.2** Traces SHOULD be kept:",
            "why": None,
            "how": "with Tempo[^1]",
            "verified_by": [],
        },
    ]
