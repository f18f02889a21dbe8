"""`handbook check --fix`: what has one right answer is mended, and nothing else in the file is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from macros.cli import main
from tests.handbooks import ADR, SETTINGS, write

OLD = ADR.replace("accepted", "superseded").replace("deciders", "superseded_by: [ADR-0002]\ndeciders")
NEW = ADR.replace("deciders", "supersedes: [ADR-0001]\ndeciders")


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
    for slip, word in (("acepted", "accepted"), ("Accepted", "accepted"), ("ordr", "order"), ("platfrom", "platform")):
        text = text.replace(slip, word)
    assert (tmp_path / "adr/0001-a.md").read_bytes() == text.replace("\n", "\r\n").encode()
    assert "is now" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["nearly", "ted"])
def test_a_word_that_may_be_another_is_left(word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = ADR.replace("accepted", word)
    assert mended(tmp_path, {"adr/0001-a.md": text}) == 1
    assert (tmp_path / "adr/0001-a.md").read_text(encoding="utf-8") == text
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("old", "new", "fixed_old", "fixed_new"),
    [
        (OLD, ADR, OLD, ADR.replace("\n---\n", "\nsupersedes: [ADR-0001]\n---\n")),
        (OLD, NEW.replace("[ADR-0001]", "[]"), OLD, NEW),
        (OLD.replace("superseded_by: [ADR-0002]\n", ""), NEW,
         OLD.replace("superseded_by: [ADR-0002]\n", "").replace("\n---\n", "\nsuperseded_by: [ADR-0002]\n---\n"), NEW),
        (OLD.replace("[ADR-0002]", "\n  - ADR-0003"), NEW,
         OLD.replace("[ADR-0002]", "\n  - ADR-0002\n  - ADR-0003"), NEW),
        (OLD.replace("[ADR-0002]", "[ADR-0003]"), NEW, OLD.replace("[ADR-0002]", "[ADR-0002, ADR-0003]"), NEW),
    ],
)  # fmt: skip
def test_the_other_side_of_a_pair_is_added(old: str, new: str, fixed_old: str, fixed_new: str, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"adr/0001-a.md": old, "adr/0002-b.md": new, "adr/0003-c.md": NEW}
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
