"""Commands that change records: nothing else changes, and the check accepts the result."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from handbook.cli import main
from handbook.diagnostics import Severity
from tests.handbooks import ADR, SETTINGS, SMALL, make_png, read_files, replace_once, report, write
from tests.repositories import commit_all, create_repository, run_git

PROPOSED = ADR.replace("accepted", "proposed").replace("deciders: [order-team]\n", "")
DAY = ("--date", "2026-11-20")


def run(root: Path, *arguments: str) -> int:
    """Run a command on a handbook."""
    return main([*arguments, "--root", str(root)])


def changed(old: dict[str, bytes], root: Path) -> dict[str, tuple[list[str], list[str]]]:
    """Return the removed and the added lines of each file that differs, by path."""
    new = read_files(root)
    lines = {}
    for path in sorted({*old, *new}):
        before = old.get(path, b"").decode(errors="replace").splitlines()
        after = new.get(path, b"").decode(errors="replace").splitlines()
        if old.get(path) != new.get(path):
            lines[path] = (
                [line for line in before if line not in after],
                [line for line in after if line not in before],
            )
    return lines


def has_no_error(root: Path) -> bool:
    """Return whether the check has no error."""
    return not [f for f in report(root).findings if f.severity is Severity.ERROR]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return a copy of the small handbook."""
    return shutil.copytree(SMALL, tmp_path / "small")


def make(tmp_path: Path, files: dict[str, str]) -> tuple[Path, dict[str, bytes]]:
    """Write a handbook of decisions. Return its root and its files."""
    root = write(tmp_path / "handbook", {"mkdocs.yml": SETTINGS, **files})
    assert has_no_error(root)
    return root, read_files(root)


def test_accept_sets_the_status_the_date_the_deciders_and_the_history(tmp_path: Path) -> None:
    root, old = make(tmp_path, {"adr/0001-a.md": PROPOSED})
    deciders = ("--deciders", "order-team", "platform-team")
    assert run(root, "adr", "accept", "ADR-0001", *deciders, *DAY) == 0
    removed, added = changed(old, root)["adr/0001-a.md"]
    assert removed == ["status: proposed", "date: 2026-03-02"]
    assert added == [
        "status: accepted",
        "date: 2026-11-20",
        "deciders: [order-team, platform-team]",
        "history:",
        "  - {status: proposed, date: 2026-03-02}",
    ]
    assert has_no_error(root)


def test_accept_supersedes_the_decisions_that_it_replaces(tmp_path: Path) -> None:
    new = PROPOSED.replace("---\n#", "supersedes: [ADR-0001]\n---\n#")
    root, old = make(tmp_path, {"adr/0001-a.md": ADR, "adr/0002-b.md": new})
    assert run(root, "adr", "accept", "2", "--deciders", "order-team", *DAY) == 0
    assert changed(old, root)["adr/0001-a.md"] == (
        ["status: accepted", "date: 2026-03-02"],
        [
            "status: superseded",
            "date: 2026-11-20",
            "history:",
            "  - {status: accepted, date: 2026-03-02}",
            "superseded_by: [ADR-0002]",
        ],
    )
    assert has_no_error(root)


def test_supersede_by_a_proposed_decision_leaves_the_old_one_in_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, old = make(tmp_path, {"adr/0001-a.md": ADR, "adr/0002-b.md": PROPOSED})
    assert run(root, "adr", "supersede", "ADR-0001", "ADR-0002", *DAY) == 0
    assert changed(old, root) == {"adr/0002-b.md": ([], ["supersedes: [ADR-0001]"])}
    assert "ADR-0001 stays in force until ADR-0002 is accepted" in capsys.readouterr().err
    assert has_no_error(root)


def test_supersede_by_an_accepted_decision_writes_both_sides(tmp_path: Path) -> None:
    root, old = make(tmp_path, {"adr/0001-a.md": ADR, "adr/0002-b.md": ADR})
    assert run(root, "adr", "supersede", "adr/0001-a.md", "ADR-0002", *DAY) == 0
    assert changed(old, root)["adr/0002-b.md"] == ([], ["supersedes: [ADR-0001]"])
    assert "superseded_by: [ADR-0002]" in changed(old, root)["adr/0001-a.md"][1]
    assert has_no_error(root)


def test_no_decision_is_superseded_before_its_successor_was_accepted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    undated = ADR.replace("date: 2026-03-02\ndeciders: [order-team]\n", "imported: {IMPORTED}\n")
    undated = undated.replace(
        "{IMPORTED}",
        "{from: 'https://git.example/a.git@" + "a" * 40 + ":doc/1.md', date: 2026-03-02, "
        "sha256: " + "b" * 64 + "}",
    )
    root, old = make(tmp_path, {"adr/0001-a.md": undated, "adr/0002-b.md": ADR})
    assert run(root, "adr", "supersede", "1", "2", "--date", "2026-03-01") == 2
    assert "2026-03-01 is before 'date: 2026-03-02'" in capsys.readouterr().err
    assert read_files(root) == old


@pytest.mark.parametrize(
    ("line_ending", "history"),
    [
        ("\n", "history:\n  - {status: proposed, date: 2026-02-01}\n"),
        ("\r\n", "history:\n  - {status: proposed, date: 2026-02-01}\n"),
        ("\n", "history:\n- status: proposed\n  date: 2026-02-01\n"),
        ("\n", "history: [{status: proposed, date: 2026-02-01}]  # seen\n"),
    ],
    ids=["block", "CRLF", "block mapping", "flow"],
)
def test_every_form_of_a_history_gets_one_more_status(
    line_ending: str, history: str, tmp_path: Path
) -> None:
    text = ADR.replace("---\n#", f"{history}# a comment\ntags: [site]\n---\n#")
    root, old = make(tmp_path, {"adr/0001-a.md": text.replace("\n", line_ending)})
    assert run(root, "adr", "deprecate", "1", *DAY) == 0
    new = (root / "adr/0001-a.md").read_bytes().decode()
    assert new.count("\r\n") == (new.count("\n") if line_ending == "\r\n" else 0)
    assert "{status: accepted, date: 2026-03-02}" in new
    assert "# a comment" in new
    removed, added = changed(old, root)["adr/0001-a.md"]
    assert len(added) == len(removed) + ("[" not in history)
    assert has_no_error(root)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["accept", "ADR-0001"], "ADR-0001 is accepted and cannot become accepted"),
        (["reject", "ADR-0001"], "it can become deprecated or superseded"),
        (["accept", "ADR-0002"], "ADR-0002 has no deciders; add --deciders NAME"),
        (["accept", "ADR-0003"], "this status is final"),
        (["deprecate", "ADR-0002"], "it can become accepted or rejected"),
        (["supersede", "ADR-0002", "ADR-0001"], "cannot be superseded; reject it instead"),
        (["supersede", "ADR-0001", "ADR-0003"], "only a proposed or accepted decision"),
        (["supersede", "ADR-0001", "ADR-0001"], "cannot supersede itself"),
        (["accept", "ADR-0009"], "unknown decision 'ADR-0009'"),
        (["accept", "2", "--deciders", "nobody"], "would report these errors"),
        (["accept", "2", "--deciders", "Jo Doe", "order-team"], "unknown value 'Jo Doe'"),
        (["accept", "2", "--deciders", "order-team, a"], "unknown value 'order-team, a'"),
        (["accept", "2", "--deciders", "o'b: a", "x"], "unknown value 'o'b: a'"),
        (["accept", "2", "--deciders", "order-team", "--date", "2026-01-01"], "is before 'date"),
        (["accept", "2", "--deciders", "order-team", "--date", "2099-01-01"], "in the future"),
        (["renumber", "1", "3"], "ADR-0003 is the number of adr/0003-c.md"),
        (["renumber", "1", "x"], "invalid number 'x'"),
    ],
)
def test_an_illegal_change_is_refused_with_its_reason(
    command: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rejected = ADR.replace("accepted", "rejected")
    root, old = make(
        tmp_path, {"adr/0001-a.md": ADR, "adr/0002-b.md": PROPOSED, "adr/0003-c.md": rejected}
    )
    assert run(root, "adr", *command) == 2
    assert message in capsys.readouterr().err
    assert read_files(root) == old


def test_a_supersession_that_the_check_would_reject_is_refused_with_the_places(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    citing = ADR.replace("accepted", "proposed").replace("Why.", "As ADR-0001 says.")
    root = write(small.parent / "other", {"mkdocs.yml": SETTINGS, "adr/0001-a.md": ADR})
    write(root, {"adr/0002-b.md": ADR, "adr/0003-c.md": citing})
    old = read_files(root)
    assert run(root, "adr", "supersede", "1", "2", *DAY) == 2
    err = capsys.readouterr().err
    assert "adr/0003-c.md:10:4: DEC012 citation of ADR-0001" in err
    assert "nothing is changed" in err
    assert read_files(root) == old


def test_reviewed_and_exercised_change_one_line_and_print_the_trailer(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = read_files(small)
    runbook = next(
        path
        for path in old
        if path.startswith("runbooks/") and path.count("/") == 2 and path.endswith(".md")
    )
    assert run(small, "runbook", "reviewed", runbook, *DAY) == 0
    assert "Reviewed-by: " in capsys.readouterr().err
    assert run(small, "runbook", "exercised", runbook, *DAY) == 0
    removed, added = changed(old, small)[runbook]
    assert all(line.startswith(("reviewed: ", "exercised: ")) for line in removed)
    assert added == ["reviewed: 2026-11-20", "exercised: 2026-11-20"]
    assert list(changed(old, small)) == [runbook]
    assert run(small, "runbook", "reviewed", runbook, "--date", "2026-01-01") == 2


def test_done_and_drop_change_one_cell(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, id = "postmortems/2026-05-04-orders-stopped.md", "A2"
    replace_once(small, "| done 2026-05-12 |", "| open |")
    old = read_files(small)
    copy = shutil.copytree(small, small.parent / "copy")
    assert run(small, "action", "done", path, id, *DAY) == 0
    ((removed,), (added,)) = changed(old, small)[path]
    assert added == removed.replace("| open |", "| done 2026-11-20 |")
    assert run(small, "action", "done", path, id, *DAY) == 2
    assert "is not open: done 2026-11-20" in capsys.readouterr().err
    assert run(copy, "action", "drop", path, id, "--reason", "the pool | is gone") == 0
    ((removed,), (added,)) = changed(old, copy)[path]
    assert added == removed.replace("| open |", "| dropped: the pool \\| is gone |")
    assert has_no_error(copy)


LINKED = """# How to

See [the decision](../../adr/0001-a.md#context), ADR-0001, [ADR-0001](../../adr/0001-a.md),
[data](../../adr/0001-a/x%20y.png), `ADR-0001`, https://a.example/ADR-0001 and [text][it].

```text
../../adr/0001-a.md ADR-0001
```

[it]: ../../adr/0001-a.md
"""


def make_linked(tmp_path: Path) -> Path:
    """Write a handbook in which many places name one decision."""
    own = ADR.replace(
        "Why.", "This is ADR-0001, see [a page](../docs/how-to/a.md) and [x](0001-a/x%20y.png)."
    )
    settings = SETTINGS.replace(
        "extra:", "nav: [index.md, b.md, {A: how-to/a.md}, adr/0001-a.md]\nextra:"
    )
    return write(
        tmp_path / "handbook",
        {
            "mkdocs.yml": settings,
            "docs/index.md": "# Home\n",
            "docs/b.md": "# B\n\nSee [ADR-0001 there](index.md).\n",
            "docs/how-to/a.md": LINKED,
            "adr/0001-a.md": own,
            "adr/0001-a/x y.png": make_png(),
            "adr/0002-b.md": ADR.replace("deciders", "amends: [ADR-0001]  # ADR-0001\ndeciders"),
            "adr/README.md": "[a](0001-a.md)\n",
            "README.md": "[a](adr/0001-a.md)\n",
            "CHANGELOG.md": "[a](adr/0001-a.md)\n",
        },
    )


def test_move_corrects_links_the_nav_and_the_attachments(tmp_path: Path) -> None:
    root = make_linked(tmp_path)
    old = read_files(root)
    assert run(root, "move", "adr/0001-a.md", "adr/0001-keep.md") == 0
    new = read_files(root)
    assert sorted(old.keys() - new.keys()) == ["adr/0001-a.md", "adr/0001-a/x y.png"]
    assert sorted(new.keys() - old.keys()) == ["adr/0001-keep.md", "adr/0001-keep/x y.png"]
    assert not (root / "adr/0001-a").exists()
    assert new["docs/how-to/a.md"].decode() == (
        LINKED.replace("(../../adr/0001-a.md", "(../../adr/0001-keep.md")
        .replace("(../../adr/0001-a/", "(../../adr/0001-keep/")
        .replace("[it]: ../../adr/0001-a.md", "[it]: ../../adr/0001-keep.md")
    )
    assert b"moved_from: [/adr/0001-a/]" in new["adr/0001-keep.md"]
    assert b"[x](0001-keep/x%20y.png)" in new["adr/0001-keep.md"]
    assert b"adr/0001-keep.md]" in new["mkdocs.yml"]
    assert new["README.md"] == b"[a](adr/0001-keep.md)\n"
    assert new["adr/README.md"] == b"[a](0001-keep.md)\n"
    assert new["CHANGELOG.md"] == old["CHANGELOG.md"]
    assert new["adr/0002-b.md"] == old["adr/0002-b.md"]
    assert has_no_error(root)


def test_move_of_a_page_to_another_folder_corrects_its_own_links(tmp_path: Path) -> None:
    root = make_linked(tmp_path)
    assert run(root, "move", "docs/how-to/a.md", "docs/guides/deep/b.md") == 0
    text = (root / "docs/guides/deep/b.md").read_text()
    assert text.startswith("---\nmoved_from: [/how-to/a/]\n---\n# How to\n")
    assert "](../../../adr/0001-a.md#context)" in text
    assert "(../docs/guides/deep/b.md)" in (root / "adr/0001-a.md").read_text()
    assert "{A: guides/deep/b.md}" in (root / "mkdocs.yml").read_text()
    assert has_no_error(root)


@pytest.mark.parametrize(
    ("folder", "command", "changed_path"),
    [
        ("adr", "adr deprecate 0001-a.md", "adr/0001-a.md"),
        ("adr", "adr deprecate ./adr/0001-a.md", "adr/0001-a.md"),
        ("docs", "adr deprecate ../adr/0001-a.md", "adr/0001-a.md"),
        (".", "adr deprecate {root}/adr/0001-a.md", "adr/0001-a.md"),
        ("docs/how-to", "move a.md b.md", "docs/how-to/b.md"),
        ("docs/how-to", "move a.md ../c.md", "docs/c.md"),
        ("docs/how-to", "move docs/how-to/a.md docs/c.md", "docs/c.md"),
        ("docs", "move {root}/docs/how-to/a.md {root}/docs/c.md", "docs/c.md"),
    ],
)
def test_paths_begin_in_the_current_folder_or_in_the_root(
    folder: str,
    command: str,
    changed_path: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = make_linked(tmp_path)
    old = read_files(root)
    monkeypatch.chdir(root / folder)
    assert main([word.format(root=root) for word in command.split()]) == 0
    assert changed_path in changed(old, root)


def test_a_runbook_and_a_post_mortem_are_found_from_their_folder(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_once(small, "| done 2026-05-12 |", "| open |")
    old = read_files(small)
    runbook = next(small.glob("runbooks/*/*.md"))
    monkeypatch.chdir(runbook.parent)
    assert main(["runbook", "exercised", runbook.name, *DAY]) == 0
    monkeypatch.chdir(small / "postmortems")
    assert main(["action", "done", "2026-05-04-orders-stopped.md", "A2", *DAY]) == 0
    assert list(changed(old, small)) == [
        "postmortems/2026-05-04-orders-stopped.md",
        runbook.relative_to(small).as_posix(),
    ]


@pytest.mark.parametrize(
    ("path", "new", "message"),
    [
        ("adr/0001-a.md", "adr/0009-a.md", "use: handbook adr renumber"),
        ("adr/0001-a.md", "docs/a.md", "is no path of a decision"),
        ("adr/0001-a.md", "adr/0001-A.md", "is no path of a decision"),
        ("adr/0001-a.md", "../adr/0001-b.md", "is no path of a decision"),
        ("docs/how-to/a.md", "../a.md", "which is not a page"),
        ("docs/how-to/a.md", "docs/../../a.md", "which is not a page"),
        ("docs/how-to/a.md", "adr/0005-x.md", "which is not a page"),
        ("docs/how-to/a.md", "docs/index.md", "which is not a page"),
        ("docs/how-to/a.md", "docs/.a/b.md", "which is not a page"),
        ("docs/how-to/a.md", "docs/a\nb.md", "invisible character U+000A in the new path"),
        ("docs/how-to/a.md", "docs/a\u202eb.md", "invisible character U+202E in the new path"),
        ("docs/how-to/a.md", "docs/b.md", "already exists"),
        ("docs/how-to/a.md", "docs/due.md", "the engine provides that page"),
        ("docs/how-to/b.md", "docs/c.md", "no page or record 'docs/how-to/b.md'"),
        ("docs/due.md", "docs/c.md", "the engine provides 'docs/due.md'"),
    ],
)
def test_a_move_to_a_wrong_path_is_refused(
    path: str, new: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_linked(tmp_path)
    old = read_files(root)
    assert run(root, "move", path, new) == 2
    assert message in capsys.readouterr().err
    assert read_files(root) == old


def test_renumber_changes_ids_and_links_but_not_code_comments_and_addresses(
    tmp_path: Path,
) -> None:
    root = make_linked(tmp_path)
    assert run(root, "adr", "renumber", "ADR-0001", "7") == 0
    new = read_files(root)
    assert new["docs/how-to/a.md"].decode() == (
        LINKED.replace("(../../adr/0001-a.md", "(../../adr/0007-a.md")
        .replace("(../../adr/0001-a/", "(../../adr/0007-a/")
        .replace("[it]: ../../adr/0001-a.md", "[it]: ../../adr/0007-a.md")
        .replace(", ADR-0001, [ADR-0001]", ", ADR-0007, [ADR-0007]")
    )
    assert b"This is ADR-0007," in new["adr/0007-a.md"]
    assert b"amends: [ADR-0007]  # ADR-0001" in new["adr/0002-b.md"]
    assert b"moved_from: [/adr/0001-a/]" in new["adr/0007-a.md"]
    assert has_no_error(root)


def test_renumber_keeps_addresses_in_front_matter_and_changes_texts_of_other_links(
    tmp_path: Path,
) -> None:
    root = make_linked(tmp_path)
    page = "---\ndescription: Of ADR-0001.\n---\n# C\n"
    service = (SMALL / "docs/services/shop.md").read_text().split("---\n")[2]
    keys = "owner: order-team\ntier: 3\nrepository: https://g.example/x?adr=ADR-0001#ADR-0001\n"
    write(root, {"docs/services/x.md": f"---\n{keys}---\n{service}"})
    settings = (root / "mkdocs.yml").read_text().replace("b.md,", "b.md, c.md,")
    write(root, {"docs/c.md": page, "mkdocs.yml": settings})
    assert run(root, "adr", "renumber", "1", "7") == 0
    assert f"---\n{keys}---" in (root / "docs/services/x.md").read_text()
    assert "Of ADR-0007." in (root / "docs/c.md").read_text()
    assert "[ADR-0007 there](index.md)" in (root / "docs/b.md").read_text()


FORMS = """# Forms of links

- [a]: {0}
  "Of ADR-0001"

> [b]: <{0}> 'Of ADR-0001'
> text

1. [c]:
   {0} (Of ADR-0001)

[d\\] x]: {0}

[a], [b], [c], [d\\] x], [x \\] y]({0}), [x \\[ y]( <{0}> "Of ADR-0001" ),
[`](` x]({0} 'Of ADR-0001'), [x]({0} "a ](b) of ADR-0001"),
![i]({1} "Of ADR-0001"), [![i]({1})]({0}), [x]({2}), [x]({3}).

| [x]({0}) | [x\\|y]({0}) |
| --- | --- |
| a | b |

`x`
[e]: ../adr/0001-a.md

`[x](../adr/0001-a.md "ADR-0001")` <!-- [f]: ../adr/0001-a.md -->

    [g]: ../adr/0001-a.md
"""
FORMS = FORMS.replace("\\\\", "\\")


def fill_forms(path: str, *others: str) -> str:
    """Fill a decision's path, and other spellings of it, into the text with all forms of links."""
    targets = (f"../adr/{path}.md", f"../adr/{path}/x%20y.png", *others)
    return FORMS.format(*targets, *[targets[0]] * (4 - len(targets)))


@pytest.mark.parametrize(
    ("command", "path", "id"),
    [
        (["move", "adr/0001-a.md", "adr/0001-keep.md"], "0001-keep", "ADR-0001"),
        (["adr", "renumber", "1", "7"], "0007-a", "ADR-0007"),
    ],
    ids=["move", "renumber"],
)
@pytest.mark.parametrize("line_ending", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_links_in_every_form_are_corrected(
    command: list[str], path: str, id: str, line_ending: str, tmp_path: Path
) -> None:
    root = make_linked(tmp_path)
    text = fill_forms("0001-a", "../adr/0001\\-a.md", "../adr/0001%2da&#46;md")
    write(root, {"docs/b.md": text.replace("\n", line_ending)})
    assert has_no_error(root)
    assert run(root, *command) == 0
    expected = fill_forms(path).replace("f ADR-0001", f"f {id}")
    new = (root / "docs/b.md").read_bytes().decode()
    assert new == expected.replace("\n", line_ending)
    assert has_no_error(root)


MATERIAL = """---
markdown: material
---
# Page of Material

<a href="../adr/0001-a/#on-adr-0001">x</a>
<img src='../adr/0001-a/x%20y.png' alt="a > b of ADR-0001">
<a href="https://a.example/adr/0001-a/">x</a> <!-- <a href="../adr/0001-a/"> -->

!!! note "Of ADR-0001"
    See [x](../adr/0001-a.md).

    [x](../adr/0001-a.md) of ADR-0001.

    ??? tip
\t    [x](../adr/0001-a.md) of ADR-0001.

        ```text
        [x](../adr/0001-a.md)
        ```

=== "Tab"

    - [x](../adr/0001-a.md)

<div markdown>
[x](../adr/0001-a.md#on-adr-0001) of ADR-0001
</div>

<p>
Of ADR-0001. <code>Of ADR-0001</code>
</p>

    [code](../adr/0001-a.md) of ADR-0001
"""


def test_renumber_corrects_pages_with_the_syntax_of_material(tmp_path: Path) -> None:
    root = make_linked(tmp_path)
    replace_once(root, "This is", "### On ADR-0001\n\nThis is")
    write(root, {"docs/b.md": MATERIAL})
    assert run(root, "adr", "renumber", "1", "7") == 0
    head, code = MATERIAL.split("    [code]")
    new = (
        head.replace("../adr/0001-a", "../adr/0007-a")
        .replace("on-adr-0001", "on-adr-0007")
        .replace("f ADR-0001", "f ADR-0007")
        .replace("<code>Of ADR-0007", "<code>Of ADR-0001")
        .replace('<!-- <a href="../adr/0007-a', '<!-- <a href="../adr/0001-a')
        .replace("text\n        [x](../adr/0007-a", "text\n        [x](../adr/0001-a")
    )
    assert (root / "docs/b.md").read_text() == f"{new}    [code]{code}"


def test_a_moved_page_keeps_its_addresses_in_html(tmp_path: Path) -> None:
    root = make_linked(tmp_path)
    write(root, {"docs/b.md": MATERIAL})
    assert run(root, "move", "docs/b.md", "docs/guides/b.md") == 0
    new = (root / "docs/guides/b.md").read_text()
    assert '<a href="../../adr/0001-a/#on-adr-0001">' in new
    assert "<img src='../../adr/0001-a/x%20y.png' alt=\"a > b of ADR-0001\">" in new
    assert "    [x](../../adr/0001-a.md) of ADR-0001." in new


HEADINGS = """# Page

See [one](#why-adr-0001-fails), [two](#adr-0007-1), [three](#why_adr-0001) and
[four](../adr/0001-a.md#on-adr-0001).

## Why ADR-0001 fails

## ADR-0001

## ADR-0007

## ADR-0007

## ADR-0001 {#why_adr-0001}
"""


def make_headings(tmp_path: Path) -> Path:
    """Write a handbook in which headings of a page and a decision cite the decision."""
    decision = ADR.replace("Why.", "Why [here](#on-adr-0001).\n\n### On ADR-0001\n\nWhy.")
    files = {"adr/0001-a.md": decision, "adr/0007-b.md": ADR, "docs/p.md": HEADINGS}
    return write(tmp_path / "handbook", {"mkdocs.yml": SETTINGS, **files})


def test_renumber_corrects_links_to_headings_whose_text_it_changes(tmp_path: Path) -> None:
    root = make_headings(tmp_path)
    assert has_no_error(root)
    assert run(root, "move", "adr/0007-b.md", "adr/0007-c.md") == 0
    assert run(root, "adr", "renumber", "7", "9") == 0
    assert run(root, "adr", "renumber", "1", "7") == 0
    text = (root / "docs/p.md").read_text()
    assert "[one](#why-adr-0007-fails), [two](#adr-0009-1), [three](#why_adr-0001)" in text
    assert "[four](../adr/0007-a.md#on-adr-0007)" in text
    assert "[here](#on-adr-0007)" in (root / "adr/0007-a.md").read_text()
    assert has_no_error(root)


def test_renumber_keeps_the_anchors_of_published_headings(tmp_path: Path) -> None:
    root = make_headings(tmp_path)
    create_repository(root)
    assert run(root, "adr", "renumber", "1", "8") == 0
    text = (root / "docs/p.md").read_text()
    assert "[one](#why-adr-0001-fails), [two](#adr-0007-1)" in text
    assert "## Why ADR-0008 fails {#why-adr-0001-fails}\n\n## ADR-0008 {#adr-0001}\n" in text
    assert "[four](../adr/0008-a.md#on-adr-0001)" in text
    assert "### On ADR-0008 {#on-adr-0001}" in (root / "adr/0008-a.md").read_text()
    commit_all(root, "docs: renumber ADR-0001")
    assert run(root, "check", "--base", "HEAD~1") == 0


def test_a_move_keeps_the_modes_of_the_files(tmp_path: Path) -> None:
    root = make_linked(tmp_path)
    modes = {"adr/0001-a.md": 0o600, "adr/0001-a/x y.png": 0o755, "docs/b.md": 0o640}
    for path, mode in modes.items():
        (root / path).chmod(mode)
    assert run(root, "adr", "renumber", "1", "7") == 0
    for path, mode in modes.items():
        new_path = path.replace("0001", "0007")
        assert (root / new_path).stat().st_mode & 0o777 == mode


def test_no_empty_folder_is_left_of_nested_attachments(tmp_path: Path) -> None:
    root = make_linked(tmp_path)
    write(root, {"adr/0001-a/more/deep/x.csv": "a\n"})
    assert run(root, "move", "adr/0001-a.md", "adr/0001-keep.md") == 0
    assert (root / "adr/0001-keep/more/deep/x.csv").is_file()
    assert not (root / "adr/0001-a").exists()


def test_a_byte_order_mark_stays_before_the_front_matter(tmp_path: Path) -> None:
    root = make_linked(tmp_path)
    write(root, {"docs/b.md": "\ufeff# B\n"})
    assert run(root, "move", "docs/b.md", "docs/c.md") == 0
    assert (root / "docs/c.md").read_text() == "\ufeff---\nmoved_from: [/b/]\n---\n# B\n"


def test_names_with_umlauts_and_spaces_keep_their_spelling(tmp_path: Path) -> None:
    root = make_linked(tmp_path)
    links = "[x](<{0}#ä>) [x]({1}) [x]({2})\n\n[d]: <{0}> 'd'\n\n[d]\n"
    forms = ("über/{0}.md", "%C3%BCber/{1}.md", "über/{2}.md")
    text = f"# C\n\n{links.format(*forms)}"
    write(
        root,
        {
            "docs/über/ä.md": "# Ä\n",
            "docs/c.md": text.format("ä", "%C3%A4", "ä"),
        },
    )
    assert run(root, "move", "docs/über/ä.md", "docs/über/ö ü.md") == 0
    assert (root / "docs/c.md").read_text() == text.format("ö%20ü", "%C3%B6%20%C3%BC", "ö%20ü")
    assert "moved_from: [/über/ä/]" in (root / "docs/über/ö ü.md").read_text()


def test_a_page_can_move_back(tmp_path: Path) -> None:
    root = make_linked(tmp_path)
    old = read_files(root)
    assert run(root, "move", "docs/b.md", "docs/c.md") == 0
    create_repository(root)
    assert run(root, "move", "docs/c.md", "docs/b.md") == 0
    text = (root / "docs/b.md").read_text()
    assert text == "---\nmoved_from: [/c/]\n---\n" + old["docs/b.md"].decode()
    assert run(root, "move", "docs/b.md", "docs/c.md") == 0
    assert "moved_from: [/b/]" not in (root / "docs/c.md").read_text()


def test_a_duplicate_key_is_refused_and_another_name_of_a_key_is_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = PROPOSED.replace("status: proposed", "status: proposed\nstatus: proposed")
    other = PROPOSED.replace("---\n#", "decision-makers: []\n---\n#")
    root = write(
        tmp_path / "handbook",
        {"mkdocs.yml": SETTINGS, "adr/0001-a.md": twice, "adr/0002-b.md": other},
    )
    assert run(root, "adr", "accept", "1", "--deciders", "order-team", *DAY) == 2
    assert "duplicate key" in capsys.readouterr().err
    assert (root / "adr/0001-a.md").read_text() == twice
    assert run(root, "adr", "accept", "2", "--deciders", "order-team", *DAY) == 0
    assert "decision-makers: [order-team]" in (root / "adr/0002-b.md").read_text()


def test_two_clones_that_take_the_same_number_are_repaired_with_all_citations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    origin = write(tmp_path / "origin", {"mkdocs.yml": SETTINGS, "adr/0001-a.md": ADR})
    write(origin, {"docs/index.md": "# Home\n\nBegin.\n"})
    create_repository(origin)
    clones = [tmp_path / "one", tmp_path / "two"]
    for clone in clones:
        run_git(tmp_path, "clone", "--quiet", str(origin), str(clone))
    for clone, name in zip(clones, ("cache-orders", "export-orders"), strict=True):
        write(
            clone,
            {
                f"adr/0002-{name}.md": ADR,
                f"adr/0003-{name}.md": ADR.replace("deciders", "amends: [ADR-0002]\ndeciders"),
                f"docs/{name}.md": f"# {name}\n\nADR-0002 and [it](../adr/0002-{name}.md).\n",
            },
        )
        commit_all(clone, f"docs: {name}")
    run_git(clones[0], "push", "--quiet", "origin", "HEAD:refs/heads/next")
    run_git(origin, "merge", "--quiet", "--ff-only", "next")
    run_git(clones[1], "pull", "--quiet", "--no-rebase", "origin", "main")
    base = ("--base", "origin/main")
    assert run(clones[1], "check", *base) == 1
    assert "DEC002" in capsys.readouterr().out
    assert run(clones[1], "adr", "renumber", "ADR-0002", *base) == 2
    message = capsys.readouterr().err
    assert "write the path instead of the id" in message
    assert "handbook adr renumber adr/0002-export-orders.md" in message
    assert run(clones[1], "adr", "renumber", "adr/0002-export-orders.md", *base) == 0
    assert run(clones[1], "adr", "renumber", "adr/0003-export-orders.md", *base) == 0
    assert run(clones[1], "check", *base) == 0
    new = read_files(clones[1])
    assert new["docs/export-orders.md"] == (
        b"# export-orders\n\nADR-0004 and [it](../adr/0004-export-orders.md).\n"
    )
    assert b"amends: [ADR-0004]" in new["adr/0005-export-orders.md"]
    assert b"moved_from" not in new["adr/0004-export-orders.md"]
    assert new["docs/cache-orders.md"] == read_files(clones[0])["docs/cache-orders.md"]
    assert b"amends: [ADR-0002]" in new["adr/0003-cache-orders.md"]


def test_numbers_of_other_branches_are_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = create_repository(write(tmp_path / "h", {"mkdocs.yml": SETTINGS, "adr/0001-a.md": ADR}))
    run_git(root, "switch", "--quiet", "--create", "other")
    commit_all(write(root, {"adr/0005-b.md": ADR}), "docs: b")
    run_git(root, "switch", "--quiet", "main")
    assert run(root, "new", "adr", "Another") == 0
    assert capsys.readouterr().out == "adr/0006-another.md\n"
    assert run(root, "adr", "renumber", "1", "5") == 2
    assert "ADR-0005 is the number of adr/0005-b.md" in capsys.readouterr().err
