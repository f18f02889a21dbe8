"""`handbook check --fix`: what has one right answer is mended, and nothing else in the file is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from handbook.cli import main
from tests.handbooks import ADR, SETTINGS, report, write

OLD = ADR.replace("accepted", "superseded").replace("\n---\n", "\nsuperseded_by: [ADR-0002]\n---\n")
NEW = ADR.replace("\n---\n", "\nsupersedes: [ADR-0001]\n---\n")


def mended(root: Path, files: dict[str, str | bytes], *arguments: str) -> int:
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
)
def test_a_word_with_one_candidate_is_mended(
    good: str, bad: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = ADR.replace(good, bad)
    assert mended(tmp_path, {"adr/0001-a.md": text.replace("\n", "\r\n").encode()}) == 0
    for slip, word in (
        ("acepted", "accepted"),
        ("Accepted", "accepted"),
        ("ordr", "order"),
        ("platfrom", "platform"),
    ):
        text = text.replace(slip, word)
    assert (tmp_path / "adr/0001-a.md").read_bytes() == text.replace("\n", "\r\n").encode()
    assert "is now" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["nearly", "ted"])
def test_a_word_that_may_be_another_is_left(
    word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = ADR.replace("accepted", word)
    assert mended(tmp_path, {"adr/0001-a.md": text}) == 1
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
)
def test_the_other_side_of_a_pair_is_added(
    old: str, new: str, fixed_old: str, fixed_new: str, tmp_path: Path
) -> None:
    files: dict[str, str | bytes] = {
        "adr/0001-a.md": old,
        "adr/0002-b.md": new,
        "adr/0003-c.md": NEW,
    }
    if "ADR-0003" not in old:
        del files["adr/0003-c.md"]
    assert mended(tmp_path, files) == 0
    assert (tmp_path / "adr/0001-a.md").read_text(encoding="utf-8") == fixed_old
    assert (tmp_path / "adr/0002-b.md").read_text(encoding="utf-8") == fixed_new


def test_a_decision_that_is_still_accepted_is_left_to_its_author(tmp_path: Path) -> None:
    assert mended(tmp_path, {"adr/0001-a.md": ADR, "adr/0002-b.md": NEW}) == 1
    assert (tmp_path / "adr/0001-a.md").read_text(encoding="utf-8") == ADR


def test_only_what_is_reported_is_mended(tmp_path: Path) -> None:
    text = ADR.replace("accepted", "acepted")
    files: dict[str, str | bytes] = {"adr/0001-a.md": text, "adr/0002-b.md": text}
    assert mended(tmp_path, files, str(write(tmp_path, files) / "adr/0002-b.md")) == 0
    assert (tmp_path / "adr/0001-a.md").read_text(encoding="utf-8") == text
    assert (tmp_path / "adr/0002-b.md").read_text(encoding="utf-8") == ADR
    assert mended(tmp_path, files, "--ignore", "FM005") == 0
    assert (tmp_path / "adr/0002-b.md").read_text(encoding="utf-8") == text


def headed(head: str) -> str:
    """The sample decision with another front matter."""
    return "---\n" + head + "---\n" + ADR.split("---\n", 2)[2]


ORDERED = "status: accepted\ndate: 2026-03-02\ndeciders: [order-team]\n"


@pytest.mark.parametrize(
    ("head", "mended_head"),
    [
        ("deciders: [order-team]\ndate: 2026-03-02\nstatus: accepted\n", ORDERED),
        ("date: 2026-03-02\nstatus: accepted\ndeciders: [order-team]\n", ORDERED),
        (
            "'date': 2026-03-02\nstatus:   acepted  # in May\ndeciders: [order-team]\n",
            "status:   accepted  # in May\n'date': 2026-03-02\ndeciders: [order-team]\n",
        ),
        (
            "# Who.\ndeciders:\n  # one\n  - order-team\n\n# When,\n# by day.\n\ndate: 2026-03-02\nstatus: accepted\n",
            "status: accepted\n# When,\n# by day.\n\ndate: 2026-03-02\n# Who.\ndeciders:\n  # one\n  - order-team\n\n",
        ),
        (
            "status: accepted\ntags: [database]\n# handbook: allow FM010: twice is meant\n"
            "deciders: [order-team, order-team]\ndate: 2026-03-02\n",
            "status: accepted\ndate: 2026-03-02\n# handbook: allow FM010: twice is meant\n"
            "deciders: [order-team, order-team]\ntags: [database]\n",
        ),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_keys_are_put_in_their_order(
    head: str, mended_head: str, end: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With their lines and the comments above them, and not a byte is another."""
    assert (
        mended(tmp_path, {"adr/0001-a.md": headed(head).replace("\n", end).encode()}, "--strict")
        == 0
    )
    assert (tmp_path / "adr/0001-a.md").read_bytes() == headed(mended_head).replace(
        "\n", end
    ).encode()
    assert "the keys are now in their order" in capsys.readouterr().err


@pytest.mark.parametrize(
    "head",
    [
        "{deciders: [order-team], status: accepted, date: 2026-03-02}\n",
        "{deciders: [order-team],\nstatus: accepted,\ndate: 2026-03-02}\n",
    ],
)
def test_keys_that_cannot_be_moved_by_lines_are_left(head: str, tmp_path: Path) -> None:
    text = headed(head)
    mended(tmp_path, {"adr/0001-a.md": text})
    assert (tmp_path / "adr/0001-a.md").read_text(encoding="utf-8") == text


def test_the_order_of_keys_is_no_finding_and_is_left_where_others_are_asked_for(
    tmp_path: Path,
) -> None:
    text = headed("date: 2026-03-02\nstatus: accepted\ndeciders: [order-team]\n")
    files: dict[str, str | bytes] = {"adr/0001-a.md": text, "adr/0002-b.md": text}
    write(tmp_path, {"mkdocs.yml": SETTINGS, **files})
    assert not report(tmp_path).findings
    assert mended(tmp_path, files, "--select", "FM") == 0
    assert (tmp_path / "adr/0001-a.md").read_text(encoding="utf-8") == text
    assert mended(tmp_path, files, str(tmp_path / "adr/0002-b.md")) == 0
    assert (tmp_path / "adr/0001-a.md").read_text(encoding="utf-8") == text
    assert (tmp_path / "adr/0002-b.md").read_text(encoding="utf-8") == headed(ORDERED)


def test_the_other_side_of_a_pair_comes_to_its_place(tmp_path: Path) -> None:
    old = OLD.replace("superseded_by: [ADR-0002]", "review_by: 2027-01-01")
    assert mended(tmp_path, {"adr/0001-a.md": old, "adr/0002-b.md": NEW}, "--strict") == 0
    fixed = OLD.replace("\n---\n", "\nreview_by: 2027-01-01\n---\n")
    assert (tmp_path / "adr/0001-a.md").read_text(encoding="utf-8") == fixed


def test_a_misspelt_key_stays_below_its_neighbour(tmp_path: Path) -> None:
    text = headed("date: 2026-03-02\nzebra: 1\nstatus: accepted\ndeciders: [order-team]\n")
    assert mended(tmp_path, {"adr/0001-a.md": text}) == 1
    fixed = headed("status: accepted\ndate: 2026-03-02\nzebra: 1\ndeciders: [order-team]\n")
    assert (tmp_path / "adr/0001-a.md").read_text(encoding="utf-8") == fixed
