"""Import decisions of other teams: each value is stated in the source, and none is invented.

tests/sites/imports/adr has twelve decisions in the forms of other teams. If the public records are
installed, a table that was written by hand is compared with their import.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from handbook.authoring.importing.adr import plan_adrs
from handbook.authoring.importing.dates import DayOrder
from handbook.authoring.importing.plan import ImportedRecord, ImportOptions, Plan, to_json, to_text
from handbook.authoring.rewriting import undo
from handbook.cli import main
from handbook.loading import load
from handbook.reading.source import read_source
from handbook.records import Event
from handbook.records.adr import Adr
from handbook.views.facts import facts
from tests.handbooks import CORPORA, needs_corpora, read_yaml, report, write

DAY = date(2026, 11, 26)
OWN = Path(__file__).parent.parent / "sites" / "imports" / "adr"
TABLE: Mapping[str, list[dict[str, Any]]] = read_yaml(
    Path(__file__).parent.parent / "golden" / "imported_adrs.yml"
)
SETTINGS = """site_name: A handbook
site_url: https://handbook.example/
theme: {name: material, font: false, palette: {scheme: default}}
plugins: [macros, handbook]
extra:
  handbook:
    teams: {order-team: {}}
    people: {ana: Ana, bo: Bo}
    tags: [database]
"""


@dataclass(frozen=True)
class Expected:
    """What one of the twelve decisions states."""

    source: str
    id: str
    title: str
    status: str | None
    date: str | None
    format: str
    supersedes: tuple[str, ...] = ()
    superseded_by: tuple[str, ...] = ()


TWELVE = (
    Expected(
        "0001-record-decisions.md",
        "ADR-0001",
        "Record decisions",
        "accepted",
        "2019-03-04",
        "Nygard",
    ),
    Expected(
        "0001-use-one-database.md",
        "ADR-0013",
        "Use one database",
        "accepted",
        "2018-01-02",
        "Nygard",
    ),
    Expected(
        "0002-send-mail-through-a-queue.md",
        "ADR-0002",
        "Send mail through a queue",
        "superseded",
        "2019-05-06",
        "Nygard",
        superseded_by=("ADR-0005",),
    ),
    Expected(
        "0003-draw-the-system.md", "ADR-0003", "Draw the system", "accepted", "2019-06-07", "MADR"
    ),
    Expected(
        "0004-keep-prices-in-a-cache.md",
        "ADR-0004",
        "Keep prices in a cache",
        "accepted",
        "2020-02-03",
        "MADR",
    ),
    Expected(
        "0005-send-mail-through-the-outbox.md",
        "ADR-0005",
        "Send mail through the outbox",
        "accepted",
        "2019-09-10",
        "Nygard",
        supersedes=("ADR-0002",),
    ),
    Expected(
        "0006-pay-on-invoice.md",
        "ADR-0006",
        "Pay on invoice",
        "superseded",
        "2021-01-02",
        "MADR",
        superseded_by=("ADR-0007",),
    ),
    Expected("0008-round-prices.md", "ADR-0008", "Round prices", "proposed", "2021-05-06", "table"),
    Expected("0012-用队列.md", "ADR-0012", "使用队列", "accepted", "2023-04-05", "Nygard"),
    Expected(
        "20220708-freeze-the-catalogue.md",
        "ADR-0014",
        "Freeze the catalogue",
        None,
        "2022-07-08",
        "log4brains",
    ),
    Expected(
        "ADR007-pay-by-card.md",
        "ADR-0007",
        "Pay by card",
        "accepted",
        "2021-03-04",
        "lines",
        supersedes=("ADR-0006",),
    ),
    Expected(
        "archived/0010 Keep old orders.md", "ADR-0010", "Keep old orders", "rejected", None, "lines"
    ),
)


def make_handbook(root: Path, files: Mapping[str, str | bytes] | None = None) -> Path:
    """Write an empty handbook, with other files, and return its root."""
    return write(root, {"mkdocs.yml": SETTINGS, **(files or {})})


def plan_import(root: Path, folder: Path, **options: Any) -> Plan:
    """Plan the import of a folder of decisions."""
    return plan_adrs(load(root), folder, ImportOptions(today=DAY, **options))


def plan_files(tmp_path: Path, files: Mapping[str, str | bytes], **options: Any) -> Plan:
    """Plan the import of these files into an empty handbook."""
    return plan_import(
        make_handbook(tmp_path / "handbook"), write(tmp_path / "source", files), **options
    )


def import_one(
    tmp_path: Path, text: str, name: str = "0001-a.md", **options: Any
) -> ImportedRecord:
    """Plan the import of one file, and return its record."""
    (record,) = plan_files(tmp_path, {name: text}, **options).records
    return record


def read_body(text: str) -> str:
    """Return the body of a record as it was written, without the added line end."""
    return text.split("\n---", 1)[1]


def assert_nothing_is_lost(record: ImportedRecord, data: bytes) -> None:
    """Assert that the body of a record is the body of its source, after undoing the rewrites."""
    source = read_source(record.source, data).body
    changed = read_body(record.text)
    candidates = (changed, changed.removeprefix("\n"))
    assert source in {undo(body, record.passes) for body in candidates if fits(body, record)}


def fits(body: str, record: ImportedRecord) -> bool:
    """Return whether the rewrites of a record can be undone in a body."""
    try:
        undo(body, record.passes)
    except ValueError:
        return False
    return True


def test_the_twelve_decisions_are_imported_as_they_state(tmp_path: Path) -> None:
    plan = plan_import(make_handbook(tmp_path), OWN)
    assert [
        Expected(
            record.source,
            record.values["id"],
            record.values["title"],
            record.values["status"],
            record.values["date"],
            record.values["format"],
            tuple(record.values["supersedes"]),
            tuple(record.values["superseded_by"]),
        )
        for record in plan.records
    ] == list(TWELVE)
    assert [(skipped.source, skipped.reason) for skipped in plan.skipped] == [
        ("README.md", "index or README"),
        ("template.md", "template"),
        ("templates/short.md", "template"),
    ]
    conflicts = {record.source: record.conflicts for record in plan.records if record.conflicts}
    assert conflicts == {
        "0001-use-one-database.md": ("date 2018-01-02 on line 3, 2018-03-04 on line 4",),
        "0008-round-prices.md": ("status 'proposed' on line 3, 'accepted' in README.md:6",),
    }
    left_out = {record.source: record.left_out for record in plan.records if record.left_out}
    assert left_out == {
        "0004-keep-prices-in-a-cache.md": (
            "front matter 'parent: Decisions' (line 2)",
            "front matter 'nav_order: 4' (line 3)",
            "front matter 'informed: everybody in the shop' (line 8)",
            "front matter 'tags: [database, speed]' (line 9)",
        )
    }
    assert sorted(plan.attachments) == [
        "adr/0003-draw-the-system/the-parts.png",
        "adr/0010-keep-old-orders/list.csv",
    ]


def test_the_front_matter_has_what_is_stated(tmp_path: Path) -> None:
    records = {
        record.source: record for record in plan_import(make_handbook(tmp_path), OWN).records
    }
    digest = hashlib.sha256((OWN / "0004-keep-prices-in-a-cache.md").read_bytes()).hexdigest()
    assert records["0004-keep-prices-in-a-cache.md"].text.split("\n---")[0] == (
        "---\nstatus: accepted\ndate: 2020-02-03\ndeciders: [order-team, ana]\nconsulted: [bo]\n"
        "tags: [database]\nimported:\n  from: 0004-keep-prices-in-a-cache.md\n  date: 2026-11-26\n"
        f"  sha256: {digest}"
    )
    nested = records["archived/0010 Keep old orders.md"].text
    assert '  from: "archived/0010 Keep old orders.md"\n' in nested
    assert "date: 2021" not in nested.split("\n---")[0]


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        (
            "0001-record-decisions.md",
            [
                "[the queue](0002-send-mail-through-a-queue.md#decision) and ADR-0005.",
                "finds ADR-0005, ADR-0005 and ADR-0005, but not `ADR 5` in code, and not ADR-0099",
            ],
        ),
        ("0001-use-one-database.md", ["[ADR-0013](0013-use-one-database.md)"]),
        (
            "0003-draw-the-system.md",
            [
                "![The parts of the shop](0003-draw-the-system/the-parts.png)",
                "as in [the first decision](0001-record-decisions.md).",
                "```text\ngraph TD; ADR-8-->ADR-9\n```",
                r"![The parts \[again\]](0003-draw-the-system/the-parts.png)",
            ],
        ),
        (
            "0004-keep-prices-in-a-cache.md",
            [
                "\n# Keep prices in a cache\n\n\n<!-- markdownlint-disable MD025 -->\n",
                r"\<details>\<summary>More\</summary>It expires.\</details>",
                "\n## References\n",
                "See [ADR-0001][ADR 1] and [the outbox][outbox].",
                "[ADR 1]: 0001-record-decisions.md\n",
                "[outbox]: <0005-send-mail-through-the-outbox.md#adr-0008-comes-later>",
            ],
        ),
        (
            "0005-send-mail-through-the-outbox.md",
            [
                "## ADR-0008 comes later",
                "| ADR-0004 | [ADR-0003](0003-draw-the-system.md) |",
                r"Type `Map<Mail>` becomes Map\<Mail> in prose.",
                "Supercedes [2. Send mail through a queue](0002-send-mail-through-a-queue.md)",
            ],
        ),
        (
            "archived/0010 Keep old orders.md",
            [
                "# Keep old orders\n",
                "See [prices](0004-keep-prices-in-a-cache.md) and "
                "[the list](0010-keep-old-orders/list.csv).",
            ],
        ),
    ],
)
def test_bodies_are_rewritten(source: str, texts: list[str], tmp_path: Path) -> None:
    records = {
        record.source: record for record in plan_import(make_handbook(tmp_path), OWN).records
    }
    for text in texts:
        assert text in records[source].text


def test_the_check_reports_only_what_is_wrong_in_the_sources(tmp_path: Path) -> None:
    root = make_handbook(tmp_path)
    plan_import(root, OWN).write(root)
    assert [
        (finding.at.path, finding.code, finding.message) for finding in report(root, DAY).findings
    ] == [
        ("adr/0001-record-decisions.md", "REF002", "unknown id 'ADR-0099'"),
        # The author knows where the root of that repository is, and the importer does not.
        ("adr/0007-pay-by-card.md", "LNK004", "absolute path '/docs/adr/0001-record-decisions.md'"),
    ]


def test_words_and_orders_of_dates_are_read_only_with_options(tmp_path: Path) -> None:
    plan = plan_import(
        make_handbook(tmp_path), OWN, words={"Draft": "proposed"}, order=DayOrder.DAY_FIRST
    )
    records = {record.source: record.values for record in plan.records}
    assert records["20220708-freeze-the-catalogue.md"]["status"] == "proposed"
    assert records["archived/0010 Keep old orders.md"]["date"] == "2021-04-03"


NYGARD = "# 1. A\n\nDate: 2020-01-02\n\n## Status\n\n{status}\n\n## Context\n\nWhy.\n"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Accepted", "accepted"),
        ("**ACCEPTED**", "accepted"),
        ("`rejected`.", "rejected"),
        ("[Accepted](https://shop.example)", "accepted"),
        ("Accepted (lazy consensus) & implemented", "accepted"),
        ("Superceded", "superseded"),
        ("~~Accepted~~ Deprecated", "deprecated"),
        ("~Accepted~ Deprecated", "deprecated"),
        ("- [ ] Proposed\n- [x] Accepted", "accepted"),
        ("Accepted\n\nProposed by all teams in a long discussion.", "accepted"),
        ("2020-01-02 proposed\n\n2020-03-04 accepted", "accepted"),
        ("2020-03-04 accepted\n\n2020-01-02 proposed", "accepted"),
        ("Accepted on 2020-03-04", "accepted"),
        ("<!-- proposed -->\nAccepted", "accepted"),
        ("✅ Accepted", "accepted"),
        (":white_check_mark: Accepted", "accepted"),
        ("Accepted / implemented", "accepted"),
        ("Accepted | Date: 2020-01-02", "accepted"),
        ("Accepted\n\n### Changes\n\nRejected", "accepted"),
        ("Adopted", None),
        ("accepted-provisional", None),
        ("Not accepted", None),
        ("Accepted?", None),
        ("Proposed | Accepted | Rejected", None),
        ("proposed / accepted", None),
        ("Proposed or accepted", None),
        ("Proposed → Accepted", None),
        ("Accepted\n\nRejected", None),
        ("Proposed -> done", None),
        ("- [x] Proposed\n- [x] Accepted", None),
        ("What is the status: proposed, accepted?", None),
        ("To be accepted", None),
        ("", None),
    ],
)
def test_a_status_is_stated_by_its_first_word(
    text: str, status: str | None, tmp_path: Path
) -> None:
    record = import_one(tmp_path, NYGARD.format(status=text))
    assert record.values["status"] == status
    assert ("status" in record.missing) == (status is None)


@pytest.mark.parametrize(
    ("word", "text", "status"),
    [
        ("Draft", "draft", "proposed"),
        ("Draft", "Draft (since March)", "proposed"),
        ("In review", "in review", "proposed"),
        ("Implemented", "Implemented & monitored", "accepted"),
        ("accepted-provisional", "accepted-provisional", "proposed"),
        ("Draft", "Accepted", "accepted"),
        ("Draft", "Drafted", None),
    ],
)
def test_a_mapped_word_is_the_whole_text_or_the_first_word(
    word: str, text: str, status: str | None, tmp_path: Path
) -> None:
    meaning = "accepted" if word == "Implemented" else "proposed"
    record = import_one(tmp_path, NYGARD.format(status=text), words={word: meaning})
    assert record.values["status"] == status


@pytest.mark.parametrize(
    "text",
    [
        "# A\n\n### Status\n\nAccepted\n\n### Context\n",
        "# A\n\n# Status\n\nAccepted\n\n# Context\n",
        "## Status:\n\nAccepted\n",
        "# A\n\n| Status | Accepted |\n|---|---|\n| Date | 2020-01-02 |\n",
        "# A\n\n| | |\n|---|---|\n| **Status** | Accepted |\n",
        "# A\n\n| Date | Status |\n|---|---|\n| 2020-01-02 | Accepted |\n",
        "# A\n\n- **Status**: Accepted\n",
        "# A\n\n> Status: Accepted\n",
        "# A\n\nStatus： Accepted\n",
        "---\nStatus: Accepted\n---\n# A\n",
    ],
)
def test_places_of_a_status(text: str, tmp_path: Path) -> None:
    assert import_one(tmp_path, text).values["status"] == "accepted"


@pytest.mark.parametrize(
    "text",
    [
        "# A\n\n## Context\n\nStatus: accepted\n",
        "# A\n\nThe status is accepted.\n",
        "# A\n\n```\nStatus: accepted\n```\n",
        "# A\n\n## Context\n\n| Status |\n|---|\n| Accepted |\n",
        "# A\n\n<!-- Status: accepted -->\n",
        "# A\n\n| Status |\n|---|\n| Accepted |\n| Rejected |\n",
    ],
)
def test_other_text_states_no_status(text: str, tmp_path: Path) -> None:
    assert import_one(tmp_path, text).values["status"] is None


def test_a_log_of_statuses_is_the_history(tmp_path: Path) -> None:
    text = NYGARD.format(status="2020-01-02 proposed\n\n2020-03-04 accepted")
    record = import_one(tmp_path, text)
    assert record.values["date"] == "2020-03-04"
    assert "history:\n  - {status: proposed, date: 2020-01-02}\n" in record.text
    assert record.conflicts == ("date 2020-03-04 on line 9, 2020-01-02 on line 3",)


@pytest.mark.parametrize(
    ("text", "status", "conflict"),
    [
        (
            "---\nstatus: accepted\n---\n# A\n\nStatus: rejected\n",
            None,
            "status 'accepted' on line 2 and 'rejected' on line 6",
        ),
        (
            "# A\n\nStatus: accepted\nStatus: proposed\n",
            None,
            "status 'accepted' on line 3 and 'proposed' on line 4",
        ),
        ("# 7. A\n", None, "number 1 in the file name, 7 on line 1"),
        (
            "---\ntitle: B\nstatus: accepted\n---\n# A\n",
            "accepted",
            "title 'B' on line 2, 'A' on line 5",
        ),
        (
            "# A\n\nDate: 2020-01-02 (changed 2020-03-04)\n",
            None,
            "date 2020-01-02 on line 3, 2020-03-04 on line 3",
        ),
    ],
    ids=["places", "lines", "number", "title", "dates"],
)
def test_conflicts_name_both_places(
    text: str, status: str | None, conflict: str, tmp_path: Path
) -> None:
    record = import_one(tmp_path, text)
    assert record.values["status"] == status
    assert record.conflicts == (conflict,)


@pytest.mark.parametrize(
    ("name", "text", "number", "title"),
    [
        ("0008-use-mysql.md", "# 8. Use MySQL", 8, "Use MySQL"),
        ("0008-use-mysql.md", "# ADR-0008: Use MySQL", 8, "Use MySQL"),
        ("0008-use-mysql.md", "# ADR 8 — Use MySQL", 8, "Use MySQL"),
        ("0008-use-mysql.md", "# ADR008 Use MySQL", 8, "Use MySQL"),
        ("0008-use-mysql.md", "# [ADR-0008] Use MySQL", 8, "Use MySQL"),
        ("0008-use-mysql.md", "# 8 Use MySQL", 8, "Use MySQL"),
        ("0008-use-mysql.md", "#8. Use MySQL", 8, "Use MySQL"),
        ("0008-use-mysql.md", "ADR 8: Use MySQL\n===", 8, "Use MySQL"),
        ("0008-use-mysql.md", "# TITLE:  Use `MySQL`", 8, "Use MySQL"),
        ("0008-use-mysql.md", "# ADR: Use MySQL", 8, "ADR: Use MySQL"),
        ("0008-use-mysql.md", "# 8.5 is too few", 8, "8.5 is too few"),
        ("0008-use-mysql.md", "# 3 reasons", 8, "3 reasons"),
        ("0008-use-mysql.md", "# 8.", 8, "Use mysql"),
        ("0008-use-mysql.md", "#", 8, "Use mysql"),
        ("0008-use_a-b.md", "> # Quoted", 8, "Use a b"),
        ("0008-use-mysql.md", "---\ntitle: '8. Use *MySQL*'\n---\nText.", 8, "Use *MySQL*"),
        ("adr-12-use-mysql.md", "# Use MySQL", 12, "Use MySQL"),
        ("ADR012.md", "# Use MySQL", 12, "Use MySQL"),
        ("use-mysql.md", "# 12. Use MySQL", 12, "Use MySQL"),
        ("use-mysql.md", "# 12 is enough", None, "12 is enough"),
        ("2fa.md", "# Use two factors", None, "Use two factors"),
        ("2022-07-08-use-mysql.md", "# Use MySQL", None, "Use MySQL"),
        ("20220708-use-mysql.md", "", None, "Use mysql"),
        ("0000-use-mysql.markdown", "# Use MySQL", 0, "Use MySQL"),
    ],
)
def test_numbers_and_titles(
    name: str, text: str, number: int | None, title: str, tmp_path: Path
) -> None:
    record = import_one(tmp_path, f"{text}\n\n## Context\n\nWhy.\n", name)
    assert (record.values["number"], record.values["title"]) == (number, title)
    written = read_source(record.path, record.text.encode())
    assert written.title == title
    assert [heading.level for heading in written.headings].count(1) == 1
    assert_nothing_is_lost(record, f"{text}\n\n## Context\n\nWhy.\n".encode())


SUPERSESSIONS = {
    "link": "Superseded by [the other](0002-b.md)",
    "adr-tools": "Accepted\n\nSuperceded by [2. B](0002-b.md)",
    "id": "superseded by ADR-0002",
    "number": "Superseded by ADR 2",
    "bare": "Superseded by 2",
    "moved": "Superseded by [ADR-0002](../old/b.md)",
    "hyphen": "superseded-by ADR2",
}


@pytest.mark.parametrize("status", SUPERSESSIONS.values(), ids=SUPERSESSIONS)
def test_both_sides_of_a_supersession_are_written(status: str, tmp_path: Path) -> None:
    files = {"0001-a.md": NYGARD.format(status=status), "0002-b.md": "# B\n\nStatus: accepted\n"}
    first, second = plan_files(tmp_path, files).records
    assert first.values["status"] == "superseded"
    assert (first.values["superseded_by"], second.values["supersedes"]) == (
        ["ADR-0002"],
        ["ADR-0001"],
    )
    assert (first.conflicts, second.conflicts) == ((), ())
    assert "superseded_by: [ADR-0002]\n" in first.text
    assert "supersedes: [ADR-0001]\n" in second.text


@pytest.mark.parametrize(
    "status",
    [
        "Accepted. See ADR 2",
        "Accepted, superseded in part by ADR 2",
        "Accepted, not superseded by ADR 2",
        "Accepted and should be superseded by ADR 2",
        "Accepted. May later be superseded by ADR 2",
        "Accepted\n\nWould be superseded by ADR 2 if we move.",
        "Superseded by the second draft of ADR 7; see ADR 2",
        "Superseded by ADR 2 of project Foo",
        "Accepted. Superseded by ADR 2 (except the part on logs)",
        "Superseded by ADR 7 (https://x.example/adr-0002)",
        "Accepted\n\nPartially superseded by ADR 2",
        "Accepted\n\nAmended by [2. B](0002-b.md)",
        "Rejected\n\nRelates to ADR-0002",
        "Accepted\n\nSuperseded by ADR 7",
    ],
)
def test_other_relations_are_no_supersession(status: str, tmp_path: Path) -> None:
    files = {"0001-a.md": NYGARD.format(status=status), "0002-b.md": "# B\n\nStatus: accepted\n"}
    first, second = plan_files(tmp_path, files).records
    assert first.values["superseded_by"] == second.values["supersedes"] == []


def test_what_only_the_successor_states_is_a_conflict(tmp_path: Path) -> None:
    files = {
        "0001-a.md": NYGARD.format(status="Accepted"),
        "0002-b.md": NYGARD.format(status="Accepted\n\nSupersedes ADR-0001"),
        "0003-c.md": NYGARD.format(status="Accepted"),
        "0004-d.md": NYGARD.format(status="Proposed\n\nSupersedes ADR-0003"),
    }
    first, second, third, fourth = (record for record in plan_files(tmp_path, files).records)
    assert first.values["status"] == "superseded"
    assert first.conflicts == ("status 'accepted' on line 7, but ADR-0002 supersedes it",)
    assert second.values["supersedes"] == ["ADR-0001"]
    # A proposal takes nothing over yet.
    assert (third.values["status"], third.values["superseded_by"]) == ("accepted", [])
    assert fourth.values["supersedes"] == ["ADR-0003"]


def test_the_date_of_a_superseded_decision_is_no_day_of_its_supersession(tmp_path: Path) -> None:
    root = make_handbook(tmp_path)
    plan_import(root, OWN).write(root)
    handbook = load(root)
    superseded, accepted = handbook.get(Adr, "ADR-0002"), handbook.get(Adr, "ADR-0001")
    assert superseded is not None
    assert accepted is not None
    assert superseded.events == ()
    assert accepted.events == (Event(date(2019, 3, 4), "accepted"),)
    card = facts(handbook, superseded)
    assert "<dt>Date</dt>" in card
    assert "<dt>Superseded</dt>" not in card
    assert "<dt>Accepted</dt>" in facts(handbook, accepted)


def test_a_number_of_two_files_names_neither_in_metadata(tmp_path: Path) -> None:
    files = {
        "0001-a.md": NYGARD.format(status="Superseded by ADR 2") + "\nSee ADR 2.\n",
        "0002-b.md": "# B\n",
        "0002-c.md": "# C\n\nSee [ADR-2](0002-c.md) and [b](0002-b.md).\n",
    }
    first, second, third = plan_files(tmp_path, files).records
    assert first.values["superseded_by"] == []
    assert first.conflicts == ("ADR 2 is one of ADR-0002, ADR-0003",)
    assert "See ADR-0002." in first.text
    assert (second.path, third.path) == ("adr/0002-b.md", "adr/0003-c.md")
    assert "See [ADR-0003](0003-c.md) and [b](0002-b.md)." in third.text


def test_taken_numbers_stay_with_the_records_of_the_handbook(tmp_path: Path) -> None:
    record = "---\nstatus: proposed\ndate: 2026-11-20\n---\n# Here\n"
    root = make_handbook(tmp_path / "handbook", {"adr/0001-here.md": record})
    folder = write(
        tmp_path / "source",
        {"0001-a.md": "# A\n\nSee ADR 2.\n", "0002-b.md": "# B\n\nSee ADR 1.\n"},
    )
    plan = plan_import(root, folder)
    assert [record.path for record in plan.records] == ["adr/0003-a.md", "adr/0002-b.md"]
    assert "See ADR-0003." in plan.records[1].text
    assert "new numbers:\n  0001-a.md: 1 is now ADR-0003\n" in to_text(plan)


def test_a_later_import_links_to_records_that_are_imported_already(tmp_path: Path) -> None:
    root = make_handbook(tmp_path / "handbook")
    folder = write(tmp_path / "source", {"0007-a.md": "# A\n\nStatus: accepted\n"})
    plan_import(root, folder).write(root)
    later = "# B\n\nStatus: accepted\nSupersedes: ADR-0007\n\n[a](0007-a.md), ADR 7.\n"
    write(folder, {"0008-b.md": later})
    (record,) = plan_import(root, folder).records
    assert record.values["supersedes"] == ["ADR-0007"]
    assert record.conflicts == ("ADR-0007 is already imported, and import does not change it",)
    assert "[a](0007-a.md), ADR-0007." in record.text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("---\na: &b c\nd: *b\n---\n# A\n", "line 2: unsupported YAML: an alias (*name)"),
        ("---\na:\n\tb: c\n---\n# A\n", "line 3: invalid YAML"),
        ("---\nstatus: accepted\nstatus: rejected\n---\n# A\n", "line 3: duplicate key 'status'"),
        ("---\ntitle: ADR: A\n---\n# A\n", "line 2: invalid YAML"),
        ("---\nstatus: accepted\n# A\n", "line 1: front matter without a closing '---'"),
        ("---\n- a\n---\n# A\n", "line 2: front matter that is not a mapping"),
        (b"# \xff\n", "line 1: invalid UTF-8"),
        ("# A\n\n\x00\n", "line 3: invisible character U+0000"),
        ("# A\n" + "x" * 10_001, "line 2: line of more than 10,000 characters"),
        ("# A\n" + "x\n" * 500_001, "file too large"),
        (">" * 200 + " x\n", "line 1: nested too deeply"),
    ],
    ids=[
        "alias",
        "tab",
        "duplicate",
        "colon",
        "unclosed",
        "list",
        "encoding",
        "control",
        "line",
        "size",
        "depth",
    ],
)
def test_a_file_that_cannot_be_read_stops_the_import(
    text: str | bytes, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_handbook(tmp_path / "handbook")
    folder = write(tmp_path / "source", {"0001-a.md": text, "0002-b.md": "# B\n"})
    assert main(["import", "adr", str(folder), "--into", str(root)]) == 1
    out, err = capsys.readouterr()
    assert f"0001-a.md: cannot be read: {reason}" in out
    assert out.endswith("1 record, 0 files skipped, 1 file cannot be read; nothing is written\n")
    assert err == ""
    assert not (root / "adr").exists()


def test_the_json_report_stands_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_handbook(tmp_path)
    assert (
        main(["import", "adr", str(OWN), "--into", str(root), "--format", "json", "--dry-run"]) == 0
    )
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert err == ""
    assert not (root / "adr").exists()
    assert list(document["records"][0]) == [
        "source",
        "path",
        "number",
        "id",
        "title",
        "status",
        "date",
        "supersedes",
        "superseded_by",
        "format",
        "missing",
        "conflicts",
        "left_out",
    ]
    assert document["records"][9]["number"] is document["records"][9]["status"] is None
    assert document["skipped"][0] == {"source": "README.md", "reason": "index or README"}


def test_the_text_report_has_a_table_with_lines(tmp_path: Path) -> None:
    text = to_text(plan_import(make_handbook(tmp_path), OWN))
    header, first = text.split("\n")[:2]
    assert header.split("  ")[0] == "FILE"
    assert re.split(r" {2,}", first) == [
        "0001-record-decisions.md",
        "adr/0001-record-decisions.md",
        "Nygard",
        "title (1), status accepted (7), date 2019-03-04 (3)",
        "deciders, alternatives",
    ]
    assert "supersedes ADR-0006 (other file)" in text
    assert "title (name), status proposed (3)" in text
    assert text.endswith("12 records, 3 files skipped\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["adr", "missing"],
        ["adr", "source", "--map", "Draft"],
        ["adr", "source", "--map", "Draft=drafted"],
        ["adr", "source", "--map", "=proposed"],
        ["adr", "source", "--into", "source"],
        ["adr", "source", "--verify", "source"],
        ["--verify", "missing"],
        [],
    ],
)
def test_usage_errors(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = make_handbook(tmp_path, {"source/0001-a.md": "# A\n"})
    monkeypatch.chdir(root)
    try:
        code = main(["import", *arguments])
    except SystemExit as error:
        code = int(error.code or 0)
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err
    assert not (root / "adr").exists()


@pytest.mark.parametrize(
    "title", ["Template", "[short title of the problem]", "{title}", "NUMBER. TITLE"]
)
def test_templates_are_skipped(title: str, tmp_path: Path) -> None:
    name = "0000-template.md" if title == "Template" else "0000-new.md"
    plan = plan_files(tmp_path, {name: f"# {title}\n\n* Status: [proposed | accepted]\n"})
    assert [(skipped.source, skipped.reason) for skipped in plan.skipped] == [(name, "template")]
    assert plan.records == ()


def test_a_record_whose_status_is_still_a_choice_is_imported(tmp_path: Path) -> None:
    record = import_one(tmp_path, "# A\n\n* Status: [proposed | accepted | rejected]\n")
    assert record.values["status"] is None


def test_a_status_never_comes_from_an_index(tmp_path: Path) -> None:
    index = "| decision | status |\n|---|---|\n| [A](0001-a.md) | accepted |\n"
    (record,) = plan_files(tmp_path, {"0001-a.md": "# A\n", "index.md": index}).records
    assert record.values["status"] is None
    assert record.conflicts == ()


def test_the_table_has_enough_files() -> None:
    assert len(TABLE) == 7
    assert sum(map(len, TABLE.values())) >= 60


@needs_corpora
@pytest.mark.parametrize("project", TABLE)
def test_public_decisions_are_imported_as_the_table_says(project: str, tmp_path: Path) -> None:
    plan = plan_import(make_handbook(tmp_path), CORPORA / "adr" / project)
    records = {
        record.source: {
            "source": record.source,
            **{key: record.values[key] for key in ("number", "status", "date")},
            "supersedes": record.values["supersedes"],
            "superseded_by": record.values["superseded_by"],
            "title_sha256": hashlib.sha256(record.values["title"].encode()).hexdigest(),
        }
        for record in plan.records
    }
    assert [records[row["source"]] for row in TABLE[project]] == TABLE[project]
    assert not plan.has_errors


@needs_corpora
@pytest.mark.parametrize("project", TABLE)
def test_public_bodies_are_the_same_after_undoing_the_rewrites(
    project: str, tmp_path: Path
) -> None:
    folder = CORPORA / "adr" / project
    for record in plan_import(make_handbook(tmp_path), folder).records:
        assert_nothing_is_lost(record, (folder / record.source).read_bytes())


def test_our_bodies_are_the_same_after_undoing_the_rewrites(tmp_path: Path) -> None:
    for record in plan_import(make_handbook(tmp_path), OWN).records:
        assert_nothing_is_lost(record, (OWN / record.source).read_bytes())


DEFECTS: Mapping[str, Mapping[tuple[str, str], int]] = {
    # Links to other parts of the repository, which are not imported.
    "hyades": {
        ("LNK001", "adr/0001"): 1,
        ("LNK004", "adr/0003"): 1,
        ("LNK004", "adr/0020"): 1,
        ("LNK004", "adr/0021"): 1,
    },
    # Two links to how-tos, and six images in a folder that was not copied with the corpus.
    "jabref": {("LNK001", "adr/0027"): 2, ("LNK002", "adr/0040"): 4, ("LNK002", "adr/0050"): 2},
    "james": {
        ("DEC006", "adr/0026"): 1,  # superseded by a decision that is still proposed
        ("LNK001", "adr/0028"): 1,  # a page that has moved
        ("LNK001", "adr/0052"): 1,  # the target is the word TODO
        ("LNK001", "adr/0078"): 1,  # the target is the word link
        ("LNK002", "adr/0068"): 1,  # images that were not copied with the corpus
        ("LNK002", "adr/0069"): 1,
        ("LNK015", "adr/0069"): 1,  # an image without alternative text
        ("LNK002", "adr/0078"): 1,
        ("LNK003", "adr/0035"): 1,  # an anchor with a letter missing
        ("LNK004", "adr/0053"): 1,  # paths from the root of the repository
        ("LNK004", "adr/0055"): 2,
    },
    "notifications-api": {("LNK001", "adr/0008"): 1},  # a path that was never right
    "parallelcluster-ui": {},
    "phodal": {},
    "vultron": {},
}


@needs_corpora
@pytest.mark.parametrize("project", TABLE)
def test_the_check_reports_only_defects_of_public_decisions(project: str, tmp_path: Path) -> None:
    root = make_handbook(tmp_path)
    plan_import(root, CORPORA / "adr" / project).write(root)
    counts: dict[tuple[str, str], int] = {}
    for finding in report(root, DAY).findings:
        key = (finding.code, finding.at.path[:8])
        counts[key] = counts.get(key, 0) + 1
    assert counts == DEFECTS[project]


@needs_corpora
@pytest.mark.parametrize("project", TABLE)
def test_a_second_import_of_public_decisions_changes_nothing(project: str, tmp_path: Path) -> None:
    root, folder = make_handbook(tmp_path), CORPORA / "adr" / project
    first = plan_import(root, folder)
    first.write(root)
    second = plan_import(root, folder)
    assert second.files == {}
    imported = [
        skip.source for skip in second.skipped if skip.reason.startswith("already imported")
    ]
    assert imported == sorted(record.source for record in first.records)
    assert json.loads(to_json(second))["records"] == []
