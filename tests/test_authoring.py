"""`handbook new`: a record that is valid but for what is still to be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from macros.cli import main
from macros.records.kinds import RECORDS
from tests.handbooks import SMALL, copy_of, report

NEW = [
    ("adr", [], "adr/0004-a-new-thing.md"),
    ("standard", [], "docs/standards/09-a-new-thing.md"),
    ("runbook", ["service=shop"], "runbooks/shop/a-new-thing.md"),
    ("runbook", ["service=shop", "alerts=[OrdersDown]"], "runbooks/shop/a-new-thing.md"),
    ("postmortem", ["started=2026-11-20T23:30-02:00"], "postmortems/2026-11-21-a-new-thing.md"),
    ("service", [], "docs/services/a-new-thing.md"),
]


def written(root: Path, kind: str, title: str, given: list[str]) -> int:
    pairs = [part for pair in given for part in ("--set", pair)]
    return main(["new", kind, title, "--root", str(root), "--today", "2026-11-23", *pairs])


@pytest.mark.parametrize(("kind", "given", "path"), NEW)
def test_its_only_findings_are_its_unwritten_sections(
    kind: str, given: list[str], path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    assert written(root, kind, "A new  thing!", given) == 0
    assert capsys.readouterr().out == f"{path}\n"
    sections = max(1, len(next(each for each in RECORDS if each.kind == kind).sections))
    findings = report(root).findings
    assert [(each.at.path, each.code) for each in findings] == [(path, "FM106")] * sections
    text = (root / path).read_text(encoding="utf-8").replace("To be written", "It is so")
    (root / path).write_text(text, encoding="utf-8")
    assert report(root).findings == ()


@pytest.mark.parametrize("title", ['Say "no": {{ config }} & <b>', "ünïcode", "a: b # c", "- [x] y"])
def test_any_title_is_taken(title: str, tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    for kind, given, _ in NEW[:3]:
        assert written(root, kind, title, given) == 0
    assert {each.code for each in report(root).findings} <= {"FM106", "SAFE001"}


@pytest.mark.parametrize(
    ("kind", "title", "given", "message"),
    [
        ("runbook", "x", [], "a runbook needs --set service="),
        ("runbook", "x", ["service=shpo"], "there is no service 'shpo'; did you mean 'shop'?"),
        ("postmortem", "x", [], "a post-mortem needs --set started="),
        ("postmortem", "x", ["started=2026-05-15"], "a post-mortem needs --set started="),
        ("adr", "x", ["statsu=accepted"], "adr has no key 'statsu'; did you mean 'status'?"),
        ("adr", "x", ["status"], "write key=value"),
        ("adr", "!?", [], "the title has no letter"),
        ("service", "Shop", [], "docs/services/shop.md is there already"),
    ],
)
def test_what_cannot_be_written_is_said_and_nothing_is(
    kind: str, title: str, given: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    before = sorted(path.relative_to(root) for path in root.rglob("*"))
    assert written(root, kind, title, given) == 2
    assert message in capsys.readouterr().err
    assert sorted(path.relative_to(root) for path in root.rglob("*")) == before
