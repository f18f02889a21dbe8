"""Import post-mortems of other teams: days, times, timelines and actions that are clear."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import pytest

from handbook.authoring.importing.dates import DayOrder
from handbook.authoring.importing.moments import read_moment, read_zone
from handbook.authoring.importing.plan import ImportedRecord, ImportOptions, Plan
from handbook.authoring.importing.postmortem import plan_postmortems
from handbook.authoring.rewriting import undo
from handbook.cli import main
from handbook.loading import load
from handbook.reading.source import read_source
from handbook.records.postmortem import Postmortem
from tests.handbooks import (
    CORPORA,
    SMALL,
    TODAY,
    copy_site,
    format_findings,
    needs_corpora,
    read_files,
    report,
    write,
)

NAME = "2025-03-04-paint-stopped.md"
_ENTRY = re.compile(r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2} )?([0-9]{2}:[0-9]{2}) — ")
HEAD = "# Paint stopped\n\nNo paint came.\n\n"


@dataclass(frozen=True)
class Expected:
    """A source, and what its record has."""

    name: str
    text: str
    file: str = NAME
    path: str = "postmortems/2025-03-04-paint-stopped.md"
    values: Mapping[str, str | None] = field(default_factory=dict)
    timeline: tuple[str, ...] = ()
    actions: tuple[tuple[str, str], ...] = ()
    conflicts: tuple[str, ...] = ()
    kept: str = ""
    """A text of the source that the record has unchanged."""


CASES = (
    Expected("day in the file name", HEAD),
    Expected(
        "day in the title",
        "# Paint stopped - March 4, 2025\n",
        "paint.md",
        "postmortems/2025-03-04-paint-stopped-march-4-2025.md",
    ),
    Expected("day in a line", "# Paint stopped\n\n**Date:** 4 March 2025\n", "PM-1 - paint.md"),
    Expected("day in front matter", "---\ndate: 2025-03-04\n---\n# Paint stopped\n", "paint.md"),
    Expected(
        "day in a table of figures",
        HEAD + "## Stats\n\n| Label | Value |\n|---|---|\n| Date | 2025-03-04 |\n",
        "paint.md",
    ),
    Expected(
        "day of all rows of the timeline",
        HEAD
        + "## Timeline\n\nAll times in CET.\n\n| Time | Event |\n|---|---|\n"
        + "| 2025-03-04 10:00 | The tap closes |\n| 2025-03-04 11:00 | It opens |\n",
        "paint.md",
        kept="| 2025-03-04 11:00 | It opens |",
    ),
    Expected(
        "title before the file name",
        "# Paint stopped on March 4th, 2025\n",
        "2025-03-09-paint-stopped.md",
        conflicts=("day 2025-03-04 on line 1, 2025-03-09 in the file name",),
    ),
    Expected(
        "several days in a line",
        "# Paint stopped\n\n**Date:** March 4-6, 2025\n",
        conflicts=("day 2025-03-04 in the file name, 'March 4-6, 2025' on line 3",),
    ),
    Expected(
        "times with zones",
        "# Paint stopped\n\nStart time: 10:18 AM CET\n\nImpact ended: 11:00\n\n"
        "- Detected: 2025-03-04 09:30 UTC\n- Resolved: 2025-03-04T12:15:00+02:00\n",
        values={
            "started": "2025-03-04T09:18Z",
            "detected": "2025-03-04T09:30Z",
            "mitigated": None,
            "resolved": "2025-03-04T10:15Z",
        },
    ),
    Expected(
        "zone of all times",
        "# Paint stopped\n\nAll times are in UTC.\n\n## Stats\n\n"
        "- **Start:** 10:18\n- End: 13:00\n",
        values={"started": "2025-03-04T10:18Z", "resolved": "2025-03-04T13:00Z"},
    ),
    Expected(
        "times without a zone, with other words, or in a zone of another season",
        "# Paint stopped\n\nStart time: 10:18\n\nDetected: about 10:30 UTC\n\n"
        "Mitigated: 11:00 CEST\n\nResolved: 12:00 PST\n",
        values=dict.fromkeys(("started", "detected", "mitigated", "resolved")),
    ),
    Expected(
        "labels of something else",
        "# Paint stopped\n\n## Next maintenance\n\nDate: 2025-05-06\n\nStart: 10:00 UTC\n\n"
        "| Date | Severity |\n|---|---|\n| 2025-05-07 | sev-1 |\n",
        values={"started": None, "severity": None, "day": "2025-03-04"},
    ),
    Expected(
        "two starts",
        "# Paint stopped\n\nStart time: 10:18 UTC\n\nStarted: 10:20 UTC\n",
        values={"started": None},
        conflicts=(
            "times: started 2025-03-04T10:18Z on line 3, started 2025-03-04T10:20Z on line 5",
        ),
    ),
    Expected(
        "end before the start",
        "# Paint stopped\n\nStart time: 10:18 UTC\n\nEnd time: 09:00 UTC\n",
        values={"started": None, "resolved": None},
        conflicts=(
            "times: started 2025-03-04T10:18Z on line 3, resolved 2025-03-04T09:00Z on line 5",
        ),
    ),
    Expected(
        "start on the day before, in UTC",
        "# Paint stopped\n\nDate: 2025-03-05\n\nStarted: 00:30 CET\n",
        "paint.md",
        values={"started": "2025-03-04T23:30Z", "day": "2025-03-04"},
        conflicts=("day 2025-03-05 on line 3, started 2025-03-04T23:30Z on line 5",),
    ),
    Expected(
        "severity of the settings",
        "# Paint stopped\n\n**Severity:** SEV-1\n",
        values={"severity": "sev-1"},
    ),
    Expected(
        "severity of another scale",
        "# Paint stopped\n\n**Severity:** Critical\n",
        values={"severity": None},
        kept="**Severity:** Critical",
    ),
    Expected(
        "times in bold",
        HEAD
        + "## Timeline\n\nAll times in UTC.\n\n"
        + "- **9:45** - the [tap](https://tap.example/) closes\n"
        + "- **10:05**: it opens\n    - slowly\n- 1:20 PM – it is **open**\n",
        timeline=(
            "09:45 the [tap](https://tap.example/) closes",
            "10:05 it opens",
            "13:20 it is **open**",
        ),
    ),
    Expected(
        "times that are each in UTC, with images between",
        HEAD
        + "## Timeline\n\n- **16:58 UTC** - closed\n\n"
        + '<img src="https://far.example/a.png" alt="tap">\n\n- `17:02 GMT` open\n'
        + "- 17:03 (UTC) - open\n- [17:04Z] open\n",
        timeline=("16:58 closed", "17:02 open", "17:03 open", "17:04 open"),
    ),
    Expected(
        "table of times",
        HEAD
        + "## Timeline\n| Time (UTC) | Event |\n|:--|--|\n"
        + "| 2025-03-04 23:10 | `a \\| b` **fails** |\n"
        + "| 2025-03-04 23:50 | retry |\n| 2025-03-05 0:05 | [Open] again |\n## Next\n",
        timeline=("23:10 `a | b` **fails**", "23:50 retry", "00:05 [Open] again"),
    ),
    Expected(
        "lists below days",
        HEAD
        + "## Timeline of events\n\nAll times in UTC\n\n### March 4, 2025\n\n- 10:00 closed\n\n"
        + "### March 5, 2025: again\n\n- 09:00 closed\n\n### March 6-7\n\n- **11:00** - closed\n",
        timeline=("10:00 closed", "09:00 closed"),
        kept="- **11:00** - closed",
    ),
    Expected(
        "times of an unknown zone in our form",
        "# Paint stopped\n\nStart time: 09:00 UTC\n\n## Timeline\n\n- 10:00 — closed\n",
        values={"started": "2025-03-04T09:00Z"},
        kept="- 10:00 – closed\n",
    ),
    *(
        Expected(f"timeline that is not clear: {name}", HEAD + f"## Timeline\n\n{text}", kept=text)
        for name, text in {
            "no zone": "- **10:00** - closed\n",
            "another zone": "All times in CET.\n\n- **10:00** - closed\n",
            "another zone of an entry": "All times in UTC.\n\n- 10:00 PST - closed\n",
            "a range": "All times in UTC.\n\n- 10:00 - 11:00 closed\n",
            "about a time": "All times in UTC.\n\n- 10:00 closed\n- 11:00~ open\n",
            "a day without a year": "- 10:00 UTC (Mar 4) - closed\n",
            "no order": "All times in UTC.\n\n- 23:50 closed\n- 00:10 open\n",
            "a row without a time": "All times in UTC.\n\n| Time | Event |\n|---|---|\n"
            "| 2025-03-04 10:00 | closed |\n| 2025-03-04 HH:mm | open |\n",
            "a month and a time": "| Time (UTC) | Event |\n|---|---|\n"
            "| Mar 4, 10:18 AM | closed |\n",
            "another column": "| Time (UTC) | Who | Event |\n|---|---|---|\n"
            "| 10:18 | A | closed |\n",
            "a zone in brackets": "- 10:00 (CET) - closed\n",
            "no time": "All times in UTC.\n\n- closed\n- open\n",
            "a time that does not exist": "All times in UTC.\n\n- 25:10 closed\n",
        }.items()
    ),
    Expected(
        "actions with links",
        HEAD
        + "## Follow-ups\n\nWe do:\n\n- Add [a tap](https://tap.example/1),\n  and `a | b`\n"
        + "- ✅ Tell the teams. Owner: @bo\n    - https://t.example/2\n    - [three](https://t.example)\n",
        actions=(
            ("Add [a tap](https://tap.example/1), and `a | b`", ""),
            (
                "✅ Tell the teams. Owner: @bo, https://t.example/2, [three](https://t.example)",
                "",
            ),
        ),
    ),
    Expected(
        "actions with boxes",
        HEAD + "## Action Items\n\n- [x] Add a tap\n- [ ] Add a pot\n\n\n- Wait\n\n## End\n\nX.\n",
        actions=(("\\[x\\] Add a tap", ""), ("Add a pot", "open"), ("Wait", "")),
    ),
    *(
        Expected(
            f"actions that are not clear: {name}", HEAD + f"## Action items\n\n{text}", kept=text
        )
        for name, text in {
            "two lists": "- one\n\nThen:\n\n- two\n",
            "parts below": "### Now\n\n- one\n",
            "steps below": "- one\n    - two\n",
            "code below": "- one\n\n      code\n",
            "two paragraphs": "- one\n\n  two\n",
            "empty": "-\n",
            "text": "We wait.\n",
        }.items()
    ),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return copy_site(SMALL, tmp_path / "handbook")


def plan(root: Path, folder: Path, order: DayOrder | None = None) -> Plan:
    options = ImportOptions(order=order, today=TODAY, services=("shop", "search"))
    return plan_postmortems(load(root), folder, options)


def run(root: Path, folder: Path, *options: str) -> int:
    arguments = ["import", "postmortem", f"{folder}", "--into", f"{root}", "--today", f"{TODAY}"]
    return main([*arguments, *options])


def assert_body_is_kept(data: bytes, record: ImportedRecord) -> None:
    body = record.text.split("\n---", 1)[1]
    source = read_source(record.source, data).body
    bodies = (body, body.removeprefix("\n"))
    assert source in [undo(text, record.passes) for text in bodies if _fits(text, record)]


def _fits(body: str, record: ImportedRecord) -> bool:
    try:
        undo(body, record.passes)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("expected", CASES, ids=lambda expected: expected.name)
def test_postmortem_has_what_its_source_states(
    root: Path, tmp_path: Path, expected: Expected
) -> None:
    folder = write(tmp_path / "sources", {expected.file: expected.text})
    before = format_findings(report(root).findings)
    result = plan(root, folder)
    (record,) = result.records
    assert record.path == expected.path
    assert record.conflicts == expected.conflicts
    assert {key: record.values[key] for key in expected.values} == dict(expected.values)
    result.write(root)
    postmortem = load(root).documents[expected.path]
    assert isinstance(postmortem, Postmortem)
    assert postmortem.services == ("shop", "search")
    assert (postmortem.authors, postmortem.status, postmortem.published) == ((), None, None)
    entries = [entry.text for entry in postmortem.timeline if entry.event]
    assert [_ENTRY.sub(r"\1 ", text).split("\n")[0] for text in entries] == list(expected.timeline)
    assert len(entries) == (record.values["timeline"] or 0)
    actions = tuple((action.text, action.status) for action in postmortem.actions)
    assert actions == expected.actions
    assert len(actions) == (record.values["actions"] or 0)
    assert all(action.owner == "" for action in postmortem.actions)
    assert expected.kept in postmortem.source.body
    assert format_findings(report(root).findings) == before
    assert_body_is_kept(expected.text.encode(), record)


def test_days_of_a_timeline_are_written_once(root: Path, tmp_path: Path) -> None:
    case = next(case for case in CASES if case.name == "table of times")
    plan(root, write(tmp_path / "sources", {case.file: case.text})).write(root)
    postmortem = load(root).documents[case.path]
    assert isinstance(postmortem, Postmortem)
    assert [f"{entry.at:%d %H:%M}" for entry in postmortem.timeline] == [
        "04 23:10",
        "04 23:50",
        "05 00:05",
    ]
    assert "\n- 2025-03-04 23:10 — " in postmortem.source.body
    assert "\n- 23:50 — retry\n- 2025-03-05 00:05 — " in postmortem.source.body


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("# Paint stopped\n", ""),
        (
            "# Paint stopped\n\nDate: 03/04/2021\n",
            " ('03/04/2021' on line 3 is not one clear day)",
        ),
        (
            "# Paint stopped\n\nDate: May 1-3, 2021\n",
            " ('May 1-3, 2021' on line 3 is not one clear day)",
        ),
        (
            "# A\n\n## Timeline\n\n| Time | Event |\n|--|--|\n| 2021-05-02 10:00 | a |\n"
            "| 2021-05-04 10:00 | b |\n",
            " (its timeline is from 2021-05-02 to 2021-05-04)",
        ),
        (
            "# A\n\n## Timeline\n\n| Time | Event |\n|--|--|\n| 2021-05-02 | a |\n| later | b |\n",
            "",
        ),
    ],
)
def test_incident_without_a_day_is_skipped(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, reason: str
) -> None:
    folder = write(tmp_path / "sources", {"paint.md": text})
    before = read_files(root)
    assert run(root, folder, "--service", "shop") == 0
    hint = "begin its file name with YYYY-MM-DD"
    assert f"paint.md: no day of the incident{reason}: {hint}\n" in capsys.readouterr().out
    assert read_files(root) == before


def test_order_of_dates_makes_a_day_clear(root: Path, tmp_path: Path) -> None:
    folder = write(tmp_path / "sources", {"a.md": "# Paint stopped\n\nDate: 03/04/2021\n"})
    (record,) = plan(root, folder, DayOrder.DAY_FIRST).records
    assert record.path == "postmortems/2021-04-03-paint-stopped.md"


def test_names_that_clash_get_a_number_and_links_follow(root: Path, tmp_path: Path) -> None:
    folder = write(
        tmp_path / "sources",
        {
            "a/PM 1.md": "# Paint stopped\n\nDate: 2025-03-04\n\nSee [two][2].\n\n"
            "[2]: ../b/PM%202.md#actions\n",
            "b/PM 2.md": "# Paint stopped\n\nDate: 2025-03-04\n\n## Actions\n\n- Wait\n",
        },
    )
    one, two = plan(root, folder).records
    assert two.path == "postmortems/2025-03-04-paint-stopped-2.md"
    assert "## Action items\n\n| Id |" in two.text
    assert "[2]: 2025-03-04-paint-stopped-2.md#action-items\n" in one.text


def test_command_imports_once_and_for_all_services(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path / "sources", {NAME: HEAD, "README.md": "# All\n"})
    options = ("--service", "shop", "search", "--service", "warehouse", "--format", "json")
    assert run(root, folder, *options) == 0
    document = json.loads(capsys.readouterr().out)
    (record,) = document["records"]
    assert record["services"] == ["shop", "search", "warehouse"]
    assert (record["day"], record["started"], record["timeline"]) == ("2025-03-04", None, None)
    first = read_files(root)
    assert run(root, folder, *options) == 0
    skipped = json.loads(capsys.readouterr().out)["skipped"]
    assert [entry["reason"] for entry in skipped] == [
        "already imported as postmortems/2025-03-04-paint-stopped.md",
        "index or README",
    ]
    assert read_files(root) == first
    assert main(["import", "--verify", f"{folder}", "--into", f"{root}"]) == 0


def test_nothing_is_written_if_a_file_cannot_be_read(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(
        tmp_path / "sources", {NAME: HEAD, "b.md": "---\ndate: 2025-03-04\ndate: 1\n---\n# B\n"}
    )
    before = read_files(root)
    assert run(root, folder, "--service", "shop") == 1
    assert "b.md: cannot be read: line 3: duplicate key 'date'" in capsys.readouterr().out
    assert read_files(root) == before


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("10:18 UTC", "2025-07-01T10:18"),
        ("10:18 AM (UTC)", "2025-07-01T10:18"),
        ("12:05 a.m. GMT", "2025-07-01T00:05"),
        ("12:05 PM UTC+2", "2025-07-01T10:05"),
        ("Tuesday at 23:30 -0430", "2025-07-02T04:00"),
        ("10:18 CEST", "2025-07-01T08:18"),
        ("10:18 CET", None),
        ("30 March 2025, 01:59 CET", "2025-03-30T00:59"),
        ("30 March 2025, 03:00 CET", None),
        ("26 October 2025, 02:30 CEST", "2025-10-26T00:30"),
        ("2025-06-30 10:18:31.5 UTC", "2025-06-30T10:18"),
        ("03/04/2025 10:18 UTC", None),
        ("10:18", None),
        ("10:18 IST", None),
        ("10:18 UTC to 11:00 UTC", None),
        ("~ 10:18 UTC, by Bo", None),
        ("13:18 PM UTC", None),
        ("24:10 UTC", None),
        ("3 hours", None),
        ("", None),
    ],
)
def test_moment_has_one_meaning_or_none(text: str, moment: str | None) -> None:
    result = read_moment(text, date(2025, 7, 1), None, None)
    expected = datetime.fromisoformat(f"{moment}+00:00") if moment else None
    assert result == expected


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("All times in UTC.", "UTC"),
        ("(all times are given in CET)", "CET"),
        ("All timestamps UTC", "UTC"),
        ("All times in UTC. Below, all times in CET.", None),
        ("At all times, we waited.", None),
        ("It failed at 10:00 UTC.", None),
    ],
)
def test_zone_of_all_times(text: str, zone: str | None) -> None:
    assert read_zone(text) == zone


DEFECTS = {
    ("2019-12-04-hellman-kubernetes-cluster-node-deletion", "LNK001"): 2,
    ("2025-11-24-shai-hulud-attack", "LNK004"): 1,
}
"""Real defects of the public post-mortems, with the numbers of their findings.

- LNK001: a link to an incident that is skipped, because its timeline has several days.
- LNK004: a link to `/community/…`, which is a path of another site.
"""


@needs_corpora
def test_public_postmortems_have_only_their_own_defects(root: Path) -> None:
    before = Counter(format_findings(report(root).findings))
    result = plan(root, CORPORA / "postmortems")
    assert len(result.records) == 28
    reasons = Counter(entry.reason.split("(")[0].split(":")[0].strip() for entry in result.skipped)
    assert reasons == {"no day of the incident": 17, "index or README": 2, "template": 2}
    result.write(root)
    new = Counter(format_findings(report(root).findings)) - before
    defects = Counter((Path(entry.split(":")[0]).stem, entry.split(":")[-1]) for entry in new)
    assert defects == DEFECTS
    for record in result.records:
        data = (CORPORA / "postmortems" / record.source).read_bytes()
        assert_body_is_kept(data, record)


@needs_corpora
def test_public_incidents_of_several_days_are_imported_under_a_day(
    root: Path, tmp_path: Path
) -> None:
    before = Counter(format_findings(report(root).findings))
    skipped = [
        CORPORA / "postmortems" / entry.source
        for entry in plan(root, CORPORA / "postmortems").skipped
        if entry.reason.startswith("no day")
    ]
    folder = write(
        tmp_path / "sources", {f"2020-01-02 {path.name}": path.read_bytes() for path in skipped}
    )
    result = plan(root, folder)
    assert len(result.records) == len(skipped) == 17
    result.write(root)
    new = Counter(format_findings(report(root).findings)) - before
    assert [entry.split(":")[-1] for entry in new] == ["SAFE006"]  # the name of a private host
