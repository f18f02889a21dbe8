"""Commands that write: after a kill at any moment each file is wholly old or wholly new, and no record is lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest

from handbook.authoring import writer
from handbook.authoring.journal import is_interrupted, restore, write_files
from handbook.authoring.writer import WriteError, write_file
from handbook.cli import main
from tests.commands import BIN, environment, unprivileged
from tests.handbooks import ADR, ROOT, SETTINGS, SMALL, write
from tests.repositories import git, started

SPOILT = ADR.replace("accepted", "acepted") + "Long. " * 400
REORDERED = ADR.replace(
    "status: accepted\ndate: 2026-03-02\n", "date: 2026-03-02\nstatus: accepted\n"
)
FILES = {
    "mkdocs.yml": SETTINGS,
    "adr/0001-a.md": SPOILT,
    "adr/0002-b.md": ADR,
    "adr/0003-c.md": SPOILT.replace("\n", "\r\n"),
    "adr/0004-d.md": REORDERED,
    "site/index.html": "<!doctype html><title>A</title><p>x",
    "report.txt": "an old report\n",
    "out/api/v1/adrs.json": "old\n",
}
CHANGES = ("open", "write", "fsync", "fchmod", "replace", "unlink", "mkdir", "rmdir")
"""The functions of `os` by which a command changes files; those of pathlib call them."""


_NO_PROCESS = 2**22 + 1
"""More than Linux ever gives to a process: who writes under it is dead."""


class Killed(BaseException):
    """The process ends here: nothing that it does afterwards reaches the disk."""


@dataclass
class Disk:
    """Counts the changes that are made to files, and ends them at the one that is given."""

    last: int | None = None
    fault: type[BaseException] = Killed
    once: bool = False
    done: int = 0

    def wrapped(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **options: Any) -> Any:
            if name == "open" and not arguments[1] & os.O_CREAT:
                return function(*arguments, **options)
            self.done += 1
            if self.last is not None and (
                self.done == self.last or (self.done > self.last and not self.once)
            ):
                if name == "write" and self.done == self.last:
                    function(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                raise self.fault(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return function(*arguments, **options)

        return called


@contextmanager
def changes_of(disk: Disk) -> Iterator[None]:
    """A disk on which the changes of this process are counted."""
    with pytest.MonkeyPatch.context() as patched:
        for name in CHANGES:
            patched.setattr(os, name, disk.wrapped(name, getattr(os, name)))
        patched.setattr(os, "getpid", lambda: _NO_PROCESS)
        patched.setattr(writer, "_PROCESS", "00000000")
        yield


def snapshot(root: Path) -> dict[str, bytes]:
    """Every file of a handbook, but those of the writer's own."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and not {".git", ".handbook"} & set(path.parts)
        and not path.name.endswith(".tmp")
    }


COMMANDS = {
    "fix of several files": ["check", "--fix"],
    "fix of one file": ["check", "--fix", "{root}/adr/0001-a.md"],
    "new": ["new", "adr", "A new thing", "--set", "tags=[database]"],
    "new in a new folder": ["new", "service", "A shop"],
    "export": ["export", "--output", "{root}/out"],
    "export into a new folder": ["export", "--output", "{root}/more/out"],
    "report": ["check", "--output", "{root}/report.txt"],
    "new report": ["check", "--format", "json", "--output", "{root}/report.json"],
    "state": ["links", "{root}/site", "--external", "--state", "{root}/state.json"],
}


def called(root: Path, command: list[str]) -> int:
    day = [] if command[0] == "export" else ["--today", "2026-11-23"]
    return main([*(word.format(root=root) for word in command), "--root", str(root), *day])


@pytest.fixture(params=["with git", "without git"])
def handbook(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A handbook in which several files can be fixed."""
    root = write(tmp_path / "handbook", FILES)
    if request.param == "with git":
        shutil.rmtree(started(root) / ".git/hooks")
    return root


@pytest.fixture
def few_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    """An export of three files, which has every kind of moment that one of twenty has."""
    files = {
        "api/v1/adrs.json": "new\n",
        "api/v1/schemas/adr.json": "{}\n",
        "checklist.csv": "id\n",
    }
    monkeypatch.setattr("handbook.views.api.files", lambda *_: files)


def copies(root: Path, folder: Path) -> Iterator[tuple[int, Path]]:
    """Fresh copies of a handbook, numbered from 1."""
    number = 0
    while True:
        number += 1
        yield number, shutil.copytree(root, folder / str(number), symlinks=True)


@pytest.mark.fuzz
@pytest.mark.usefixtures("few_exported")
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_kill_at_any_moment_leaves_each_file_old_or_new_and_the_next_command_restores(
    command: list[str], handbook: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = snapshot(handbook)
    finished = shutil.copytree(handbook, tmp_path / "finished", symlinks=True)
    disk = Disk()
    with changes_of(disk):
        assert called(finished, command) in (0, 1)
    new = snapshot(finished)
    assert new != old
    for moment, root in copies(handbook, tmp_path / "killed"):
        if moment > disk.done:
            break
        with changes_of(Disk(moment)), pytest.raises(Killed):
            called(root, command)
        found = snapshot(root)
        for path in {*old, *new, *found}:
            assert found.get(path) in (old.get(path), new.get(path)), (moment, path)
        interrupted = is_interrupted(root)
        assert interrupted or found in (old, new), moment
        capsys.readouterr()
        code = main(["check", "--root", str(root)])
        assert (code == 2) == interrupted
        if interrupted:
            err = capsys.readouterr().err
            assert err.startswith("handbook: a command was interrupted while it changed files; ")
            assert err.count("\n") == 1
        restored = restore(root)
        assert (restored is not None) == interrupted
        assert snapshot(root) in (old, new), moment
        assert main(["check", "--root", str(root)]) != 2
        called(root, command)
        assert not list(root.rglob(".handbook*")), moment


@pytest.mark.fuzz
@pytest.mark.usefixtures("few_exported")
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_change_that_fails_at_any_moment_changes_nothing_and_says_so_in_one_line(
    command: list[str], handbook: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = snapshot(handbook)
    finished = shutil.copytree(handbook, tmp_path / "finished", symlinks=True)
    disk = Disk()
    with changes_of(disk):
        called(finished, command)
    failures = 0
    for moment, root in copies(handbook, tmp_path / "failed"):
        if moment > disk.done:
            break
        capsys.readouterr()
        with changes_of(Disk(moment, OSError, once=True)):
            code = called(root, command)
        err = capsys.readouterr().err
        if (
            "No space left on device" in err
        ):  # not where a temporary file could not be removed, or a folder flushed
            failures += 1
            assert (code, err.count("\n")) == (2, 1), err
            assert "nothing changed in it" in err
            assert snapshot(root) == old, moment
        else:
            assert snapshot(root) == snapshot(finished), moment
        assert not is_interrupted(root)
    assert failures > 3


@pytest.mark.parametrize("moment", [1, 6, 14, 18, 20, 22, 24])
def test_sigkill_loses_nothing(moment: int, handbook: Path) -> None:
    old = snapshot(handbook)
    program = [sys.executable, str(ROOT / "tests" / "programs/killed.py"), str(moment)]
    answer = subprocess.run(
        [*program, "check", "--fix", "--root", str(handbook)],
        env=environment(),
        capture_output=True,
        check=False,
    )
    assert answer.returncode == -signal.SIGKILL, answer.stderr
    restore(handbook)
    assert snapshot(handbook) == old


@pytest.mark.usefixtures("few_exported")
def test_a_restored_file_is_named_and_one_that_was_edited_since_is_left(
    handbook: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finished = shutil.copytree(handbook, tmp_path / "finished", symlinks=True)
    with changes_of(disk := Disk()):
        called(finished, COMMANDS["export"])
    for moment in range(
        disk.done, 0, -1
    ):  # from the end back to the moment before the journal is removed
        root = shutil.copytree(handbook, tmp_path / str(moment), symlinks=True)
        with changes_of(Disk(moment)), pytest.raises(Killed):
            called(root, COMMANDS["export"])
        if is_interrupted(root):
            break
    assert snapshot(root) == snapshot(finished)
    (root / "out/api/v1/adrs.json").write_text("edited\n")
    called(root, ["new", "adr", "After that"])
    err = capsys.readouterr().err
    assert "out/checklist.csv: the command that changed it was interrupted\n" in err
    assert "out/api/v1/adrs.json as it is: it was edited since\n" in err
    assert (root / "out/api/v1/adrs.json").read_text() == "edited\n"
    assert not (root / "out/checklist.csv").exists()


@pytest.mark.parametrize("path", ["../outside.txt", "/etc/outside.txt", "link/outside.txt"])
def test_a_journal_that_names_a_file_elsewhere_is_refused(
    path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write(tmp_path / "handbook", FILES)
    (root / "link").symlink_to(tmp_path)
    entry = {"path": path, "old": "0" * 64, "new": "1" * 64}
    write(
        root,
        {
            ".handbook/journal.json": json.dumps({"files": [entry], "folders": []}),
            ".handbook/0": "harm",
        },
    )
    assert called(root, COMMANDS["new"]) == 2
    assert ".handbook/journal.json is damaged" in capsys.readouterr().err
    assert not (tmp_path / "outside.txt").exists()


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "[" * 200_000, '{"files": [1], "folders": []}', "\xff"]
)
def test_a_journal_that_cannot_be_read_is_said(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write(tmp_path / "handbook", FILES | {".handbook/journal.json": text.encode("latin-1")})
    assert called(root, COMMANDS["new"]) == 2
    err = capsys.readouterr().err
    assert "journal.json is damaged; restore the files from Git, and remove it" in err
    assert err.count("\n") == 1


def limited(command: str, root: Path) -> subprocess.CompletedProcess[str]:
    """A command that may write files of 1,024 bytes only."""
    return subprocess.run(
        ["bash", "-c", f"ulimit -f 1; exec {BIN}/handbook {command}"],
        cwd=root,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ("check --fix adr/0001-a.md", "adr/0001-a.md"),
        ("export --output out", "out/"),
        ("check --format sarif --output report.txt", "report.txt"),
        (
            "new runbook 'Orders are slow' --set service=shop --root small",
            "small/runbooks/shop/orders-are-slow.md",
        ),
    ],
)
def test_a_size_limit_loses_no_record(command: str, file: str, tmp_path: Path) -> None:
    root = write(tmp_path, FILES)
    shutil.copytree(SMALL, root / "small")
    before = snapshot(root)
    answer = limited(
        command if "new" not in command else command + f" --set 'trigger={'x' * 1200}'", root
    )
    assert answer.returncode == 2
    assert answer.stderr.startswith(f"handbook: {file}")
    assert answer.stderr.endswith("cannot be written: File too large; nothing changed in it\n")
    assert answer.stderr.count("\n") == 1
    assert snapshot(root) == before


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    root = write(tmp_path, FILES)
    (root / "adr").chmod(0o555)
    for command in (["check", "--fix"], ["new", "adr", "A thing"]):
        answer = subprocess.run(
            [*unprivileged(), str(BIN / "handbook"), *command],
            cwd=root,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 2
        assert answer.stderr.startswith("handbook: adr/00")
        assert answer.stderr.endswith(
            " cannot be written: Permission denied; nothing changed in it\n"
        )
        assert answer.stderr.count("\n") == 1
    (root / "adr").chmod(0o755)
    assert snapshot(root) == snapshot(write(tmp_path / "again", FILES))


def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path: Path) -> None:
    root = write(tmp_path, FILES)
    (root / "adr/0003-c.md").chmod(0o444)
    answer = subprocess.run(
        [*unprivileged(), str(BIN / "handbook"), "check", "--fix"],
        cwd=root,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 2
    assert (
        answer.stderr
        == "handbook: adr/0003-c.md cannot be written: Permission denied; nothing changed in it\n"
    )
    assert (root / "adr/0001-a.md").read_text(encoding="utf-8") == SPOILT


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o640])
def test_permissions_and_links_are_kept(mode: int, tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old")
    target.chmod(mode)
    (tmp_path / "first").symlink_to("second")
    (tmp_path / "second").symlink_to(target)
    write_file(tmp_path / "first", b"new")
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == mode
    assert (tmp_path / "first").is_symlink()
    assert (tmp_path / "second").is_symlink()


def test_a_new_file_has_the_permissions_that_the_user_gives_new_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "file", b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_a_pipe_is_written_straight(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_file(tmp_path / "pipe", b"a report")
    reader.join()
    assert read == [b"a report"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "{root}/link"])
def test_standard_output_by_its_name_is_written_straight(name: str, tmp_path: Path) -> None:
    """Also where it is a file that something was written into before."""
    root = write(tmp_path / "handbook", FILES)
    (root / "link").symlink_to("/dev/stdout")
    log = tmp_path / "log.txt"
    log.write_text("before\n")
    with log.open("a") as output:
        subprocess.run(
            [str(BIN / "handbook"), "check", "--output", name.format(root=root)],
            cwd=root,
            env=environment(),
            stdout=output,
            check=False,
        )
        output.write("after\n")
    lines = log.read_text(encoding="utf-8").splitlines()
    assert (lines[0], lines[-1]) == ("before", "after")
    assert any("FM005" in line for line in lines)


@pytest.mark.parametrize("arguments", [["check", "--output", "/dev/full"], ["check"], ["rules"]])
def test_output_that_cannot_be_written_is_said_in_one_line(
    arguments: list[str], tmp_path: Path
) -> None:
    root = write(tmp_path, FILES)
    with Path("/dev/full").open("w") as full:
        answer = subprocess.run(
            [str(BIN / "handbook"), *arguments],
            cwd=root,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert answer.returncode == 2
    assert "cannot be written: No space left on device" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_folder_in_place_of_the_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(
        WriteError, match="cannot be written: Is a directory; nothing changed in it"
    ):
        write_file(tmp_path, b"new")


@pytest.mark.parametrize("last", ["c.txt", "d"])
def test_a_link_that_leads_out_of_the_folder_is_followed_and_undone(
    last: str, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("old")
    base = write(tmp_path / "base", {"a.txt": "old", "c.txt": "old"})
    (base / "b.txt").symlink_to(outside)
    (base / "d").mkdir()
    contents: Mapping[Path, bytes] = {base / name: b"new" for name in ("a.txt", "b.txt", last)}
    if last == "d":
        with pytest.raises(WriteError, match="d cannot be written: Is a directory"):
            write_files(base, contents)
    else:
        write_files(base, contents)
    text = "old" if last == "d" else "new"
    assert (base / "a.txt").read_text() == outside.read_text() == text
    assert (base / "b.txt").is_symlink()
    assert not (base / ".handbook").exists()


def test_a_file_behind_a_link_is_restored_where_a_later_one_fails(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("old")
    base = write(tmp_path / "base", {"a.txt": "old"})
    (base / "b.txt").symlink_to(outside)
    contents: Mapping[Path, bytes] = {base / name: b"new" for name in ("b.txt", "a.txt")}
    real, calls = os.replace, []

    def second_fails(source: object, target: object) -> None:
        calls.append(target)
        if target == base / "a.txt":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(source, target)  # type: ignore[arg-type]

    with (
        patch("os.replace", second_fails),
        pytest.raises(WriteError, match="a\\.txt cannot be written"),
    ):
        write_files(base, contents)
    assert outside in calls
    assert (base / "a.txt").read_text() == outside.read_text() == "old"


@pytest.mark.parametrize("several", [True, False])
def test_what_an_editor_saves_meanwhile_is_not_lost(several: bool, tmp_path: Path) -> None:
    base = write(tmp_path, {"a.txt": "old", "b.txt": "old"})
    contents = {base / name: b"new" for name in ("a.txt", "b.txt") if several or name == "a.txt"}
    before: Mapping[Path, bytes | None] = dict.fromkeys(contents, b"older")
    with pytest.raises(
        WriteError, match=r"a\.txt cannot be written: it was edited at the same time; nothing"
    ):
        write_files(base, contents, before)
    assert snapshot(base) == {"a.txt": b"old", "b.txt": b"old"}
    real = os.fsync

    def saved_meanwhile(descriptor: int) -> None:
        real(descriptor)
        (base / "a.txt").write_text("saved")

    with (
        patch("os.fsync", saved_meanwhile),
        pytest.raises(WriteError, match="edited at the same time"),
    ):
        write_files(base, contents)
    assert snapshot(base) == {"a.txt": b"saved", "b.txt": b"old"}


def test_a_new_record_takes_no_file_that_exists_by_now(tmp_path: Path) -> None:
    base = write(tmp_path, {"a.txt": "old"})
    with pytest.raises(
        WriteError, match=r"a\.txt cannot be written: it exists by now; nothing changed"
    ):
        write_files(base, {base / "a.txt": b"new"}, {base / "a.txt": None})
    assert snapshot(base) == {"a.txt": b"old"}


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user of the machine can reach, unlike those of pytest."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "shared"


def test_the_group_stays_where_the_owner_cannot(open_folder: Path) -> None:
    """Else the owner of a shared record would lose it."""
    if os.geteuid():
        pytest.skip("only root can try another user")
    root = write(open_folder, {"mkdocs.yml": SETTINGS, "adr/0001-a.md": SPOILT})
    for path in (root, *root.rglob("*")):
        os.chown(path, 12001, 12000)
        path.chmod(0o775 if path.is_dir() else 0o660)
    # What the command imports is loaded first: the other user may not be able to read where it is installed.
    program = (
        "import os; from handbook.cli.program import main; main(['check'])\n"
        "os.setgroups([12000]); os.setresgid(12002, 12002, 12002); os.setresuid(12002, 12002, 12002)\n"
        "main(['check', '--fix'])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        cwd=root,
        env=environment(PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    status = (root / "adr/0001-a.md").stat()
    assert "accepted" in (root / "adr/0001-a.md").read_text(encoding="utf-8"), answer.stderr
    assert (status.st_gid, stat.S_IMODE(status.st_mode)) == (12000, 0o660)


def test_a_temporary_file_of_a_dead_process_of_the_same_number_is_removed(tmp_path: Path) -> None:
    left = [
        f".handbook-{os.getpid()}-00000000-11111111.tmp",
        f".handbook-{2**22 + 1}-00000000-11111111.tmp",
    ]
    base = write(tmp_path, dict.fromkeys([*left, ".handbook-1-00000000-11111111.tmp"], "half"))
    write_file(base / "a.txt", b"new")
    assert sorted(path.name for path in base.iterdir()) == [
        ".handbook-1-00000000-11111111.tmp",
        "a.txt",
    ]


@pytest.mark.parametrize(
    "arguments", ["check", "rules", "check --output /dev/stdout", "export --output {root}"]
)
def test_a_closed_standard_output_is_no_traceback(arguments: str, tmp_path: Path) -> None:
    root = write(tmp_path, FILES)
    command = arguments.format(root=root)
    answer = subprocess.run(
        ["bash", "-c", f"{BIN}/handbook {command} >&-"],
        cwd=root,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert "Traceback" not in answer.stderr
    assert answer.returncode in (0, 1, 2)


def test_the_journal_of_a_linked_worktree_is_in_its_own_git_directory(tmp_path: Path) -> None:
    root = started(write(tmp_path / "handbook", FILES))
    git(root, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    linked = tmp_path / "linked"
    for moment in range(1, 100):
        with changes_of(Disk(moment)), pytest.raises(Killed):
            called(linked, COMMANDS["fix of several files"])
        if is_interrupted(linked):
            break
    assert (root / ".git/worktrees/linked/handbook/journal.json").is_file()
    assert not is_interrupted(root)
    assert called(root, COMMANDS["report"]) == 1


def test_two_commands_at_once_make_two_whole_changes(tmp_path: Path) -> None:
    base = write(tmp_path, {f"{name}.txt": "old" for name in "abcdef"})

    def change(content: bytes) -> None:
        for _ in range(5):
            write_files(base, {base / f"{name}.txt": content for name in "abcdef"})

    threads = [threading.Thread(target=change, args=[content]) for content in (b"one", b"two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(base / f"{name}.txt").read_bytes() for name in "abcdef"}) == 1
    assert not list(base.glob(".handbook*"))
