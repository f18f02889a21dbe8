"""`handbook check --fix` applies unambiguous fixes, and changes nothing else in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from handbook.authoring.fix import apply_fixes
from handbook.cli import main
from handbook.diagnostics import Edit, Location
from handbook.loading import load
from tests.handbooks import ADR, SETTINGS, report, write

OLD = ADR.replace("accepted", "superseded").replace("\n---\n", "\nsuperseded_by: [ADR-0002]\n---\n")
NEW = ADR.replace("\n---\n", "\nsupersedes: [ADR-0001]\n---\n")


def run_fix(root: Path, files: dict[str, str | bytes], *arguments: str) -> int:
    """Write a handbook, run `handbook check --fix` on it, and return the exit code."""
    write(root, {"mkdocs.yml": SETTINGS, **files})
    return main(["check", "--root", str(root), "--today", "2026-11-23", "--fix", *arguments])


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("status: accepted", "status: acepted"),
        ("status: accepted", "status: Accepted"),
        ("[order-team]", "[ordr-team]"),
        ("[order-team]", "[order-team, 'platfrom-team']"),
        ("accepted\n", "acepted   # as decided in May\n"),
    ],
    ids=["letter", "case", "list", "quoted-item", "comment"],
)
def test_a_value_with_one_candidate_is_fixed(
    good: str, bad: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = ADR.replace(good, bad)
    assert run_fix(tmp_path, {"adr/0001-a.md": text.replace("\n", "\r\n").encode()}) == 0
    for typo, correction in (
        ("acepted", "accepted"),
        ("Accepted", "accepted"),
        ("ordr", "order"),
        ("platfrom", "platform"),
    ):
        text = text.replace(typo, correction)
    assert (tmp_path / "adr/0001-a.md").read_bytes() == text.replace("\n", "\r\n").encode()
    assert "replaced '" in capsys.readouterr().err


@pytest.mark.parametrize("status", ["nearly", "ted"])
def test_an_ambiguous_value_is_not_changed(
    status: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = ADR.replace("accepted", status)
    assert run_fix(tmp_path, {"adr/0001-a.md": text}) == 1
    assert (tmp_path / "adr/0001-a.md").read_text(encoding="utf-8") == text
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("old", "new", "fixed_old", "fixed_new"),
    [
        (OLD, ADR, OLD, ADR.replace("\n---\n", "\nsupersedes: [ADR-0001]\n---\n")),
        (OLD, NEW.replace("[ADR-0001]", "[]"), OLD, NEW),
        (
            OLD.replace("superseded_by: [ADR-0002]\n", ""),
            NEW,
            OLD.replace("superseded_by: [ADR-0002]\n", "").replace(
                "\n---\n", "\nsuperseded_by: [ADR-0002]\n---\n"
            ),
            NEW,
        ),
        (
            OLD.replace("[ADR-0002]", "\n  - ADR-0003"),
            NEW,
            OLD.replace("[ADR-0002]", "\n  - ADR-0002\n  - ADR-0003"),
            NEW,
        ),
        (
            OLD.replace("[ADR-0002]", "[ADR-0003]"),
            NEW,
            OLD.replace("[ADR-0002]", "[ADR-0002, ADR-0003]"),
            NEW,
        ),
    ],
    ids=["missing", "empty-list", "missing-in-old", "block-list", "flow-list"],
)
def test_the_missing_side_of_a_pair_is_added(
    old: str, new: str, fixed_old: str, fixed_new: str, tmp_path: Path
) -> None:
    files: dict[str, str | bytes] = {
        "adr/0001-a.md": old,
        "adr/0002-b.md": new,
        "adr/0003-c.md": NEW,
    }
    if "ADR-0003" not in old:
        del files["adr/0003-c.md"]
    assert run_fix(tmp_path, files) == 0
    assert (tmp_path / "adr/0001-a.md").read_text(encoding="utf-8") == fixed_old
    assert (tmp_path / "adr/0002-b.md").read_text(encoding="utf-8") == fixed_new


def test_an_accepted_decision_is_not_marked_as_superseded(tmp_path: Path) -> None:
    assert run_fix(tmp_path, {"adr/0001-a.md": ADR, "adr/0002-b.md": NEW}) == 1
    assert (tmp_path / "adr/0001-a.md").read_text(encoding="utf-8") == ADR


def test_only_reported_findings_are_fixed(tmp_path: Path) -> None:
    text = ADR.replace("accepted", "acepted")
    files: dict[str, str | bytes] = {"adr/0001-a.md": text, "adr/0002-b.md": text}
    assert run_fix(tmp_path, files, str(write(tmp_path, files) / "adr/0002-b.md")) == 0
    assert (tmp_path / "adr/0001-a.md").read_text(encoding="utf-8") == text
    assert (tmp_path / "adr/0002-b.md").read_text(encoding="utf-8") == ADR
    assert run_fix(tmp_path, files, "--ignore", "FM005") == 0
    assert (tmp_path / "adr/0002-b.md").read_text(encoding="utf-8") == text


def with_front_matter(head: str) -> str:
    """Return the sample decision with this front matter."""
    return "---\n" + head + "---\n" + ADR.split("---\n", 2)[2]


ORDERED = "status: accepted\ndate: 2026-03-02\ndeciders: [order-team]\n"


@pytest.mark.parametrize(
    ("head", "fixed_head"),
    [
        ("deciders: [order-team]\ndate: 2026-03-02\nstatus: accepted\n", ORDERED),
        ("date: 2026-03-02\nstatus: accepted\ndeciders: [order-team]\n", ORDERED),
        (
            "'date': 2026-03-02\nstatus:   acepted  # in May\ndeciders: [order-team]\n",
            "status:   accepted  # in May\n'date': 2026-03-02\ndeciders: [order-team]\n",
        ),
        (
            "# Who.\ndeciders:\n  # one\n  - order-team\n\n"
            "# When,\n# by day.\n\ndate: 2026-03-02\nstatus: accepted\n",
            "status: accepted\n# When,\n# by day.\n\ndate: 2026-03-02\n"
            "# Who.\ndeciders:\n  # one\n  - order-team\n\n",
        ),
        (
            "status: accepted\ntags: [database]\n# handbook: allow FM010: twice is meant\n"
            "deciders: [order-team, order-team]\ndate: 2026-03-02\n",
            "status: accepted\ndate: 2026-03-02\n# handbook: allow FM010: twice is meant\n"
            "deciders: [order-team, order-team]\ntags: [database]\n",
        ),
    ],
    ids=["reversed", "swapped", "quoted-key", "comments", "suppression"],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_keys_are_sorted(
    head: str, fixed_head: str, end: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key moves with its lines and the comments above it, and no byte changes."""
    assert (
        run_fix(
            tmp_path,
            {"adr/0001-a.md": with_front_matter(head).replace("\n", end).encode()},
            "--strict",
        )
        == 0
    )
    assert (tmp_path / "adr/0001-a.md").read_bytes() == with_front_matter(fixed_head).replace(
        "\n", end
    ).encode()
    assert "sorted the keys" in capsys.readouterr().err


@pytest.mark.parametrize(
    "head",
    [
        "{deciders: [order-team], status: accepted, date: 2026-03-02}\n",
        "{deciders: [order-team],\nstatus: accepted,\ndate: 2026-03-02}\n",
    ],
    ids=["one-line", "three-lines"],
)
def test_keys_of_a_flow_mapping_are_not_moved(head: str, tmp_path: Path) -> None:
    text = with_front_matter(head)
    run_fix(tmp_path, {"adr/0001-a.md": text})
    assert (tmp_path / "adr/0001-a.md").read_text(encoding="utf-8") == text


def test_key_order_is_not_a_finding_and_not_fixed_outside_of_the_selection(
    tmp_path: Path,
) -> None:
    text = with_front_matter("date: 2026-03-02\nstatus: accepted\ndeciders: [order-team]\n")
    files: dict[str, str | bytes] = {"adr/0001-a.md": text, "adr/0002-b.md": text}
    write(tmp_path, {"mkdocs.yml": SETTINGS, **files})
    assert not report(tmp_path).findings
    assert run_fix(tmp_path, files, "--select", "FM") == 0
    assert (tmp_path / "adr/0001-a.md").read_text(encoding="utf-8") == text
    assert run_fix(tmp_path, files, str(tmp_path / "adr/0002-b.md")) == 0
    assert (tmp_path / "adr/0001-a.md").read_text(encoding="utf-8") == text
    assert (tmp_path / "adr/0002-b.md").read_text(encoding="utf-8") == with_front_matter(ORDERED)


def test_an_added_key_is_sorted(tmp_path: Path) -> None:
    old = OLD.replace("superseded_by: [ADR-0002]", "review_by: 2027-01-01")
    assert run_fix(tmp_path, {"adr/0001-a.md": old, "adr/0002-b.md": NEW}, "--strict") == 0
    fixed = OLD.replace("\n---\n", "\nreview_by: 2027-01-01\n---\n")
    assert (tmp_path / "adr/0001-a.md").read_text(encoding="utf-8") == fixed


def test_an_unknown_key_stays_below_its_neighbour(tmp_path: Path) -> None:
    text = with_front_matter(
        "date: 2026-03-02\nzebra: 1\nstatus: accepted\ndeciders: [order-team]\n"
    )
    assert run_fix(tmp_path, {"adr/0001-a.md": text}) == 1
    fixed = with_front_matter(
        "status: accepted\ndate: 2026-03-02\nzebra: 1\ndeciders: [order-team]\n"
    )
    assert (tmp_path / "adr/0001-a.md").read_text(encoding="utf-8") == fixed


def test_a_provided_page_is_not_written(tmp_path: Path) -> None:
    """It is a page of the package, so the repository has no such file."""
    handbook = load(write(tmp_path, {"mkdocs.yml": SETTINGS, "adr/0001-a.md": ADR}))
    edit = Edit(Location("docs/index.md", 2, 1), "render_macros", "x")
    result = apply_fixes(handbook, [edit], lambda path: path in handbook.provided)
    assert (result.contents, result.value_edits, result.order_edits) == ({}, (), ())
