"""Which files an import reads, where it says that they are from, and how they are verified."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from handbook.authoring.importing.adr import plan_adrs
from handbook.authoring.importing.plan import ImportOptions, Plan, to_text
from handbook.authoring.importing.verify import SourceState, compare_sources
from handbook.authoring.writer import WriteError
from handbook.cli import main
from handbook.history.git import remove_credentials
from handbook.loading import load
from tests.authoring.test_import_adr import DAY, make_handbook, plan_import
from tests.handbooks import make_png, report, write
from tests.repositories import commit_all, create_repository, run_git

ADDRESS = "https://git.example/shop/orders"


def make_repository(folder: Path, origin: str = ADDRESS) -> tuple[Path, str]:
    """Create a repository with two decisions in docs/adr, and return this folder and the commit."""
    write(
        folder,
        {
            "docs/adr/0001-a.md": "# A\n\n[root](/docs/adr/0002-b.md#b) ![x](../x.png)\n",
            "docs/adr/0002-b.md": "# 2. B\n\n[out](../../../secret.txt)\n",
            "docs/x.png": make_png(),
        },
    )
    write(folder.parent, {"secret.txt": "not in the repository\n"})
    create_repository(folder)
    run_git(folder, "remote", "add", "origin", origin)
    return folder / "docs/adr", run_git(folder, "rev-parse", "HEAD")


def list_origins(plan: Plan) -> list[str]:
    """Return the value of `imported.from` of each record."""
    return [record.text.split("  from: ")[1].split("\n")[0] for record in plan.records]


@pytest.mark.parametrize(
    ("origin", "address"),
    [
        (ADDRESS, ADDRESS),
        ("https://ana:" + "pass@git.example/shop/orders", ADDRESS),
        ("https://token@git.example/shop/orders", ADDRESS),
        ("git@git.example:shop/orders.git", "git.example:shop/orders.git"),
        ("/srv/git/orders", None),
        ("file:///srv/git/orders", None),
    ],
)
def test_the_source_is_a_file_of_a_commit(origin: str, address: str | None, tmp_path: Path) -> None:
    folder, commit = make_repository(tmp_path / "orders", origin)
    write(folder, {"0003-c.md": "# C\n"})  # not committed
    plan = plan_import(make_handbook(tmp_path / "handbook"), folder)
    committed = [f"{address}@{commit}:docs/adr/{name}" for name in ("0001-a.md", "0002-b.md")]
    assert list_origins(plan) == [
        *(committed if address else ["0001-a.md", "0002-b.md"]),
        "0003-c.md",
    ]


def test_links_stay_in_the_repository(tmp_path: Path) -> None:
    folder, _ = make_repository(tmp_path / "orders")
    plan = plan_import(make_handbook(tmp_path / "handbook"), folder)
    first, second = plan.records
    assert "[root](0002-b.md#b) ![x](0001-a/x.png)" in first.text
    assert "[out](../../../secret.txt)" in second.text
    assert list(plan.attachments) == ["adr/0001-a/x.png"]


def test_a_second_import_changes_nothing_after_other_commits(tmp_path: Path) -> None:
    folder, _ = make_repository(tmp_path / "orders")
    root = make_handbook(tmp_path / "handbook")
    plan_import(root, folder).write(root)
    write(tmp_path / "orders", {"README.md": "# Other\n"})
    commit_all(tmp_path / "orders", "docs: other")
    plan = plan_import(root, folder)
    assert plan.files == {}
    assert [skipped.reason for skipped in plan.skipped] == [
        "already imported as adr/0001-a.md",
        "already imported as adr/0002-b.md",
    ]


def test_a_source_that_changed_since_is_not_imported_twice(tmp_path: Path) -> None:
    folder, _ = make_repository(tmp_path / "orders")
    root = make_handbook(tmp_path / "handbook")
    plan_import(root, folder).write(root)
    write(folder, {"0002-b.md": "# 2. B, in other words\n"})
    plan = plan_import(root, folder)
    assert plan.files == {}
    assert plan.skipped[1].reason == "changed since its import as adr/0002-b.md"


def test_the_same_name_in_another_folder_is_imported_and_reported(tmp_path: Path) -> None:
    root = make_handbook(tmp_path / "handbook")
    plan_import(root, write(tmp_path / "one", {"0001-a.md": "# A\n"})).write(root)
    (record,) = plan_import(root, write(tmp_path / "two", {"0001-a.md": "# B\n"})).records
    assert record.path == "adr/0002-b.md"
    assert record.conflicts == (
        "adr/0001-a.md was imported from a file with this path and other content",
    )


def test_files_with_the_same_bytes_are_two_records(tmp_path: Path) -> None:
    root = make_handbook(tmp_path / "handbook")
    folder = write(tmp_path / "source", {"0001-a.md": "# A\n", "0002-b.md": "# A\n"})
    plan = plan_import(root, folder)
    assert [record.path for record in plan.records] == ["adr/0001-a.md", "adr/0002-a.md"]
    plan.write(root)
    assert [skipped.reason for skipped in plan_import(root, folder).skipped] == [
        "already imported as adr/0001-a.md",
        "already imported as adr/0002-a.md",
    ]


def test_names_with_spaces_other_letters_and_folders(tmp_path: Path) -> None:
    root = make_handbook(tmp_path / "my handbook")
    folder = write(
        tmp_path / "Größe 1",
        {
            "a b/0001 Übung.md": "# Übung\n\n[zwei](../c/0002-zwei%20(2).md) ![é](é%20é.PNG)\n",
            "c/0002-zwei (2).md": "# Zwei\n\n[eins](<../a b/0001 Übung.md>)\n",
            "a b/é é.PNG": make_png(),
            "a b/e-e.png": make_png(),
        },
    )
    plan = plan_import(root, folder)
    first, second = plan.records
    assert "[zwei](0002-zwei.md) ![é](0001-ubung/e-e.png)" in first.text
    assert "[eins](<0001-ubung.md>)" in second.text
    assert '  from: "a b/0001 Übung.md"\n' in first.text
    plan.write(root)
    assert report(root, DAY).findings == ()
    assert plan_import(root, folder).files == {}


def test_two_attachments_with_one_slug_have_different_names(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "source",
        {
            "0001-a.md": "# A\n\n![1](x/p.png) ![2](y/p.png) ![1](x/p.png)\n",
            "x/p.png": make_png(b"1"),
            "y/p.png": make_png(b"2"),
        },
    )
    plan = plan_import(make_handbook(tmp_path / "handbook"), folder)
    assert plan.attachments == {
        "adr/0001-a/p.png": make_png(b"1"),
        "adr/0001-a/p-2.png": make_png(b"2"),
    }
    assert "![1](0001-a/p.png) ![2](0001-a/p-2.png) ![1](0001-a/p.png)" in plan.records[0].text


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("x.svg", b"<svg><script/></svg>", "SVG with a script"),
        ("x.png", b"GIF89a", "file is not a PNG"),
        ("x.txt", b"<html>", "HTML content in a file"),
        ("x.png", make_png() + b"x" * 1_000_000, "file too large"),
    ],
)
def test_an_unsafe_attachment_is_not_copied(
    name: str, data: bytes, message: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "source", {"0001-a.md": f"# A\n\n[x]({name})\n", name: data})
    plan = plan_import(make_handbook(tmp_path / "handbook"), folder)
    assert plan.attachments == {}
    assert plan.records[0].left_out[0].startswith(f"attachment {name}: {message}")
    assert f"not taken over:\n  0001-a.md: attachment {name}: {message}" in to_text(plan)


def test_symbolic_links_are_skipped_and_not_followed(tmp_path: Path) -> None:
    secret = write(tmp_path / "elsewhere", {"s.md": "# S\n", "s.txt": "secret\n"})
    folder = write(tmp_path / "source", {"0001-a.md": "# A\n\n[s](s.txt)\n"})
    (folder / "0002-s.md").symlink_to(secret / "s.md")
    (folder / "0003-gone.md").symlink_to(secret / "gone.md")
    (folder / "sub").symlink_to(secret)
    (folder / "s.txt").symlink_to(secret / "s.txt")
    plan = plan_import(make_handbook(tmp_path / "handbook"), folder)
    assert [record.source for record in plan.records] == ["0001-a.md"]
    assert plan.attachments == {}
    assert {(skipped.source, skipped.reason) for skipped in plan.skipped} >= {
        ("0002-s.md", "symbolic link"),
        ("0003-gone.md", "symbolic link"),
        ("sub", "symbolic link"),
    }
    assert not plan.has_errors


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("README.md", "index or README"),
        ("readme.MD", "index or README"),
        ("sub/index.md", "index or README"),
        ("0000-template.md", "template"),
        ("adr_template.md", "template"),
        ("templates/x.md", "template"),
        ("0001-a.adoc", "not Markdown (its name does not end with .md)"),
        ("notes", "not Markdown (its name does not end with .md)"),
    ],
)
def test_other_files_are_skipped_with_a_reason(name: str, reason: str, tmp_path: Path) -> None:
    plan = plan_import(
        make_handbook(tmp_path / "handbook"),
        write(tmp_path / "source", {name: "# A\n", ".hidden.md": "# H\n", ".git/x.md": "# G\n"}),
    )
    assert plan.records == ()
    assert [(skipped.source, skipped.reason) for skipped in plan.skipped] == [(name, reason)]


@pytest.mark.parametrize(
    "name",
    ["0008-use-template-engine.md", "0009-template-engine.md", "0011-adr-template.md"],
)
def test_a_record_about_a_template_is_imported(name: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "source", {name: "# Use the template\n\nStatus: accepted\n"})
    plan = plan_import(make_handbook(tmp_path / "handbook"), folder)
    assert [record.source for record in plan.records] == [name]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/acme/shop.git", "https://github.com/acme/shop.git"),
        ("git@github.com:acme/shop.git", "github.com:acme/shop.git"),
        ("https://user:pass@git.example/a/b.git", "https://git.example/a/b.git"),
        ("https://git.example/a/b.git?private_token=x#y", "https://git.example/a/b.git"),
        ("user:pass@git.example:a/b.git", None),
        ("https://user:pa/ss@git.example/a/b.git", None),
        ("https://user:pa@ss@git.example/a/b.git", None),
        ("../shop", None),
    ],
)
def test_an_origin_has_no_credentials(url: str, expected: str | None) -> None:
    assert remove_credentials(url) == expected


def test_the_name_contemplate_is_no_template(tmp_path: Path) -> None:
    plan = plan_import(
        make_handbook(tmp_path / "handbook"),
        write(tmp_path / "source", {"0001-contemplate-it.md": "# Contemplate it\n"}),
    )
    assert len(plan.records) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read every file")
def test_a_file_without_permission_cannot_be_read(tmp_path: Path) -> None:
    folder = write(tmp_path / "source", {"0001-a.md": "# A\n"})
    (folder / "0001-a.md").chmod(0)
    assert plan_import(make_handbook(tmp_path / "handbook"), folder).has_errors


def test_a_pipe_and_a_name_that_is_not_utf8_cannot_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    os.mkfifo(folder / "0001-pipe.md")
    (folder / os.fsdecode(b"0002-\xff.md")).write_text("# A\n")
    plan = plan_import(make_handbook(tmp_path / "handbook"), folder)
    assert [skipped.is_error for skipped in plan.skipped] == [True, True]
    assert "not a regular file" in plan.skipped[0].reason


def test_a_folder_of_the_handbook_can_be_imported(tmp_path: Path) -> None:
    root = make_handbook(
        tmp_path,
        {
            "docs/old/0001-a.md": "# A\n\n[page](../index.md#home) [b](0002-b.md)\n",
            "docs/old/0002-b.md": "# B\n",
            "docs/index.md": "# Home\n",
            "adr/0001-here.md": "---\nstatus: proposed\ndate: 2026-11-20\n---\n# Here\n",
        },
    )
    plan = plan_import(root, root / "docs/old")
    assert [record.path for record in plan.records] == ["adr/0003-a.md", "adr/0002-b.md"]
    assert "[page](../docs/index.md#home) [b](0002-b.md)" in plan.records[0].text
    everything = plan_import(root, root)
    assert (
        "adr/0001-here.md",
        "record of this handbook (to import it, move it to another folder)",
    ) in [(skipped.source, skipped.reason) for skipped in everything.skipped]
    assert plan_import(root, root / "adr").files == {}


def test_the_command_finds_the_nearest_handbook_or_the_one_of_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path / "source", {"0001-a.md": "# A\n"})
    near = make_handbook(tmp_path / "near", {"docs/index.md": "# Home\n"})
    far = make_handbook(tmp_path / "far")
    monkeypatch.chdir(near / "docs")
    assert main(["import", "adr", str(folder), "--into", str(far)]) == 0
    assert (far / "adr/0001-a.md").exists()
    assert not (near / "adr").exists()
    assert main(["import", "--into", str(far), "adr", str(folder)]) == 0
    assert not (near / "adr").exists()
    assert main(["import", "adr", "../../source", "--today", "2026-11-26"]) == 0
    digest = hashlib.sha256(b"# A\n").hexdigest()
    assert (near / "adr/0001-a.md").read_text() == (
        f"---\nimported:\n  from: 0001-a.md\n  date: 2026-11-26\n  sha256: {digest}\n---\n# A\n"
    )
    assert capsys.readouterr().err == ""


def test_a_file_that_exists_is_never_replaced(tmp_path: Path) -> None:
    root = make_handbook(tmp_path / "handbook", {"adr/0001-a/x.png": make_png(b"3")})
    folder = write(
        tmp_path / "source", {"0001-a.md": "# A\n\n![x](x.png)\n", "x.png": make_png(b"4")}
    )
    plan = plan_adrs(load(root), folder, ImportOptions(today=DAY))
    with pytest.raises(WriteError, match="it already exists"):
        plan.write(root)
    assert (root / "adr/0001-a/x.png").read_bytes() == make_png(b"3")
    assert not (root / "adr/0001-a.md").exists()


def test_a_long_title_gives_a_short_name(tmp_path: Path) -> None:
    title = "Word " * 80 + "end"
    folder = write(
        tmp_path / "source", {"0001-a.md": f"# {title}\n", "0002-b.md": "# " + "x" * 300}
    )
    plan = plan_import(make_handbook(tmp_path / "handbook"), folder)
    first, second = plan.records
    assert first.values["title"] == title
    assert first.path == f"adr/0001-{'-'.join(['word'] * 20)}.md"
    assert second.path == f"adr/0002-{'x' * 100}.md"


@pytest.mark.fuzz
def test_no_number_is_free(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = {f"adr/{number:04}-x.md": "# X\n" for number in range(1, 10_000)}
    root = make_handbook(tmp_path / "handbook", names)
    folder = write(tmp_path / "source", {"a.md": "# A\n"})
    assert main(["import", "adr", str(folder), "--into", str(root)]) == 2
    assert capsys.readouterr().err == "handbook: no number up to 9999 is free\n"


def test_after_the_last_number_a_free_one_is_used(tmp_path: Path) -> None:
    folder = write(tmp_path / "source", {"9999-a.md": "# A\n", "b.md": "# B\n"})
    plan = plan_import(make_handbook(tmp_path / "handbook"), folder)
    assert [record.values["id"] for record in plan.records] == ["ADR-9999", "ADR-0001"]


def import_decisions(tmp_path: Path) -> tuple[Path, Path]:
    """Import a repository of two decisions, and return the root and the folder."""
    folder, _ = make_repository(tmp_path / "orders")
    root = make_handbook(tmp_path / "handbook")
    plan_import(root, folder).write(root)
    return root, folder


def list_states(root: Path, folder: Path) -> list[SourceState]:
    """Return the state of each source."""
    return [record.state for record in compare_sources(load(root), folder).records]


def test_unchanged_sources_are_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, folder = import_decisions(tmp_path)
    assert main(["import", "--verify", str(folder), "--into", str(root)]) == 0
    assert capsys.readouterr().out == "2 same, 0 changed, 0 missing\n"
    # A folder above or a moved file has the same bytes.
    assert list_states(root, tmp_path / "orders") == [SourceState.SAME] * 2
    (folder / "0002-b.md").rename(folder / "0020-b.md")
    assert list_states(root, folder) == [SourceState.SAME] * 2


def test_changed_and_missing_sources_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, folder = import_decisions(tmp_path)
    commit = run_git(folder, "rev-parse", "HEAD")
    write(folder, {"0001-a.md": "# A, changed\n"})
    (folder / "0002-b.md").unlink()
    assert main(["import", "--verify", str(folder), "--into", str(root)]) == 1
    assert capsys.readouterr().out == (
        "changed: adr/0001-a.md (source 0001-a.md)\n"
        f"missing: adr/0002-b.md (source {ADDRESS}@{commit}:docs/adr/0002-b.md)\n"
        "0 same, 1 changed, 1 missing\n"
    )
    assert main(["import", "--verify", str(folder), "--into", str(root), "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["records"][0] == {
        "path": "adr/0001-a.md",
        "from": f"{ADDRESS}@{commit}:docs/adr/0001-a.md",
        "file": "0001-a.md",
        "state": "changed",
    }


def test_records_of_another_repository_are_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, _ = import_decisions(tmp_path)
    other, _ = make_repository(tmp_path / "b/other", "https://git.example/shop/other")
    write(other, {"0001-a.md": "# Other\n", "0002-b.md": "# Other\n"})
    assert main(["import", "--verify", str(other), "--into", str(root)]) == 0
    assert capsys.readouterr().out == (
        "0 same, 0 changed, 0 missing, 2 from elsewhere (not compared)\n"
    )
    assert list_states(root, tmp_path / "orders/docs/adr") == [SourceState.SAME] * 2


def test_a_copy_without_a_repository_is_compared_by_path(tmp_path: Path) -> None:
    root, _ = import_decisions(tmp_path)
    copy = write(tmp_path / "copy", {"0001-a.md": "# Changed\n"})
    assert list_states(root, copy) == [SourceState.CHANGED, SourceState.MISSING]


def test_pipes_and_folders_are_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, folder = import_decisions(tmp_path)
    (folder / "0003-dir.md").mkdir()
    os.mkfifo(folder / "0004-pipe.md")
    assert main(["import", "--verify", str(folder), "--into", str(root)]) == 0
    assert capsys.readouterr().out == "2 same, 0 changed, 0 missing\n"
