"""Commands lose no record, even if the process is killed or the disk is full."""

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

from handbook.authoring import journal, writer
from handbook.authoring.journal import is_interrupted, restore, write_files
from handbook.authoring.writer import WriteError, write_file
from handbook.cli import main
from tests.commands import BIN, drop_privileges, make_environment
from tests.handbooks import ADR, ROOT, SETTINGS, SMALL, make_png, write
from tests.repositories import create_repository, run_git

pytestmark = pytest.mark.fuzz

BROKEN_ADR = ADR.replace("accepted", "acepted") + "Long. " * 400
UNSORTED_ADR = ADR.replace(
    "status: accepted\ndate: 2026-03-02\n", "date: 2026-03-02\nstatus: accepted\n"
)
FILES: dict[str, str | bytes] = {
    "mkdocs.yml": SETTINGS,
    "adr/0001-a.md": BROKEN_ADR,
    "adr/0002-b.md": ADR,
    "adr/0003-c.md": BROKEN_ADR.replace("\n", "\r\n"),
    "adr/0004-d.md": UNSORTED_ADR,
    "adr/0005-h.md": ADR.replace("Why.", "ADR-0002, [it](0002-b.md), [data](0002-b/a.csv)."),
    "adr/0002-b/a.csv": "a\n",
    "adr/0002-b/more/a.csv": "a\n",
    "docs/b.md": "# B\n\nSee [it](../adr/0002-b.md).\n",
    "site/index.html": "<!doctype html><title>A</title><p>x",
    "report.txt": "an old report\n",
    "out/api/v1/adrs.json": "old\n",
    "old/0007-e.md": "# 7. E\n\n![picture](f.png)\n",
    "old/0008-g.md": "# 8. G\n",
    "old/f.png": make_png(),
}
CHANGES = ("open", "write", "fsync", "fchmod", "replace", "unlink", "mkdir", "rmdir")
"""The functions of `os` that change files. The functions of pathlib call them."""

_NO_PROCESS = 2**22 + 1
"""A process number that Linux never uses, so that the process counts as dead."""


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flush nothing to the disk, because no test stops the machine. The flushes are counted."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


class Killed(BaseException):
    """Killed process: its later changes do not reach the disk."""


@dataclass
class Disk:
    """Counter of changes to files, which fails at change number `failing`."""

    failing: int | None = None
    fault: type[BaseException] = Killed
    fails_only_then: bool = False
    changes: int = 0

    def wrap(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function of `os`, counted and failing at the change."""

        def call(*arguments: Any, **options: Any) -> Any:
            if name == "open" and not arguments[1] & os.O_CREAT:
                return function(*arguments, **options)
            self.changes += 1
            is_failing = self.changes == self.failing
            has_failed = self.failing is not None and self.changes > self.failing
            if is_failing or (has_failed and not self.fails_only_then):
                if name == "write" and is_failing:
                    function(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                raise self.fault(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return function(*arguments, **options)

        return call


@contextmanager
def count_changes(disk: Disk) -> Iterator[None]:
    """Count the changes of this process on the disk."""
    with pytest.MonkeyPatch.context() as patched:
        for name in CHANGES:
            patched.setattr(os, name, disk.wrap(name, getattr(os, name)))
        patched.setattr(os, "getpid", lambda: _NO_PROCESS)
        for module in (writer, journal):
            patched.setattr(module, "PROCESS", "00000000")
        yield


def snapshot(root: Path) -> dict[str, bytes]:
    """Return the content of each file of a handbook, without temporary files and journals."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and not {".git", ".handbook"} & set(path.parts)
        and not path.name.endswith(".tmp")
    }


def list_paths(root: Path) -> set[str]:
    """Return the paths of all files and folders, also of temporary files and journals."""
    paths = (path.relative_to(root) for path in root.rglob("*"))
    return {path.as_posix() for path in paths if path.parts[0] != ".git"}


COMMANDS = {
    "fix of several files": ["check", "--fix"],
    "fix of one file": ["check", "--fix", "{root}/adr/0001-a.md"],
    "new": ["new", "adr", "A new thing", "--set", "tags=[database]"],
    "new in a new folder": ["new", "service", "A shop"],
    "import": ["import", "adr", "{root}/old"],
    "export": ["export", "--output", "{root}/out"],
    "export into a new folder": ["export", "--output", "{root}/more/out"],
    "move": ["move", "adr/0002-b.md", "adr/0002-moved.md"],
    "move into a new folder": ["move", "docs/b.md", "docs/new/deep/b.md"],
    "deprecate": ["adr", "deprecate", "ADR-0002", "--date", "2026-11-23"],
    "renumber": ["adr", "renumber", "ADR-0002", "12"],
    "supersede": ["adr", "supersede", "ADR-0002", "ADR-0005", "--date", "2026-11-23"],
    "report": ["check", "--output", "{root}/report.txt"],
    "new report": ["check", "--format", "json", "--output", "{root}/report.json"],
    "state": ["links", "{root}/site", "--external", "--state", "{root}/state.json"],
}


def run_command(root: Path, command: list[str]) -> int:
    """Run a command of the table on a handbook, and return its exit code."""
    day = [] if command[0] in ("export", "move", "adr") else ["--today", "2026-11-23"]
    return main([*(argument.format(root=root) for argument in command), "--root", str(root), *day])


@pytest.fixture(params=["with git", "without git"])
def handbook(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Handbook in which several files have fixes."""
    root = write(tmp_path / "handbook", FILES)
    if request.param == "with git":
        shutil.rmtree(create_repository(root) / ".git/hooks")
    return root


@pytest.fixture
def few_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Export three files instead of twenty: this has the same kinds of changes."""
    files = {
        "api/v1/adrs.json": "new\n",
        "api/v1/schemas/adr.json": "{}\n",
        "checklist.csv": "id\n",
    }
    monkeypatch.setattr("handbook.views.api.files", lambda *_: files)


def copies(root: Path, folder: Path) -> Iterator[tuple[int, Path]]:
    """Yield fresh copies of a handbook, numbered from 1."""
    number = 0
    while True:
        number += 1
        yield number, shutil.copytree(root, folder / str(number), symlinks=True)


@pytest.mark.fuzz
@pytest.mark.usefixtures("few_exported")
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_after_a_kill_each_file_is_old_or_new_and_the_next_command_restores(
    command: list[str], handbook: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = snapshot(handbook)
    finished = shutil.copytree(handbook, tmp_path / "finished", symlinks=True)
    disk = Disk()
    with count_changes(disk):
        assert run_command(finished, command) in (0, 1)
    new = snapshot(finished)
    assert new != old
    for moment, root in copies(handbook, tmp_path / "killed"):
        if moment > disk.changes:
            break
        with count_changes(Disk(moment)), pytest.raises(Killed):
            run_command(root, command)
        current = snapshot(root)
        for path in {*old, *new, *current}:
            assert current.get(path) in (old.get(path), new.get(path)), (moment, path)
        interrupted = is_interrupted(root)
        assert interrupted or current in (old, new), moment
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
        if command[0] in ("move", "adr", "import"):
            assert list_paths(root) in (list_paths(handbook), list_paths(finished)), moment
        assert main(["check", "--root", str(root)]) != 2
        run_command(root, command)
        assert not list(root.rglob(".handbook*")), moment


@pytest.mark.fuzz
@pytest.mark.usefixtures("few_exported")
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_failed_change_changes_nothing_and_prints_one_line(
    command: list[str], handbook: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = snapshot(handbook)
    finished = shutil.copytree(handbook, tmp_path / "finished", symlinks=True)
    disk = Disk()
    with count_changes(disk):
        run_command(finished, command)
    failures = 0
    for moment, root in copies(handbook, tmp_path / "failed"):
        if moment > disk.changes:
            break
        capsys.readouterr()
        with count_changes(Disk(moment, OSError, fails_only_then=True)):
            code = run_command(root, command)
        err = capsys.readouterr().err
        # The message is missing if only the removal of a temporary file or a flush has failed.
        if "No space left on device" in err:
            failures += 1
            assert (code, err.count("\n")) == (2, 1), err
            assert "nothing changed in it" in err
            assert snapshot(root) == old, moment
        else:
            assert snapshot(root) == snapshot(finished), moment
        assert not is_interrupted(root)
    assert failures > 3


@pytest.mark.parametrize(
    "moment",
    [1, 14, 22, *(pytest.param(moment, marks=pytest.mark.fuzz) for moment in (6, 18, 20, 24))],
)
def test_sigkill_loses_nothing(moment: int, handbook: Path) -> None:
    old = snapshot(handbook)
    program = [sys.executable, str(ROOT / "tests" / "programs/killed.py"), str(moment)]
    answer = subprocess.run(
        [*program, "check", "--fix", "--root", str(handbook)],
        env=make_environment(),
        capture_output=True,
        check=False,
    )
    assert answer.returncode == -signal.SIGKILL, answer.stderr
    restore(handbook)
    assert snapshot(handbook) == old


@pytest.mark.usefixtures("few_exported")
def test_restored_files_are_named_and_files_edited_since_are_not_changed(
    handbook: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finished = shutil.copytree(handbook, tmp_path / "finished", symlinks=True)
    with count_changes(disk := Disk()):
        run_command(finished, COMMANDS["export"])
    # The loop goes back to the last change before the removal of the journal.
    for moment in range(disk.changes, 0, -1):
        root = shutil.copytree(handbook, tmp_path / str(moment), symlinks=True)
        with count_changes(Disk(moment)), pytest.raises(Killed):
            run_command(root, COMMANDS["export"])
        if is_interrupted(root):
            break
    assert snapshot(root) == snapshot(finished)
    (root / "out/api/v1/adrs.json").write_text("edited\n")
    run_command(root, ["new", "adr", "After that"])
    err = capsys.readouterr().err
    assert "out/checklist.csv after an interrupted command\n" in err
    assert "out/api/v1/adrs.json: it was edited since\n" in err
    assert (root / "out/api/v1/adrs.json").read_text() == "edited\n"
    assert not (root / "out/checklist.csv").exists()


@pytest.mark.parametrize("mode", [0o600, 0o755])
def test_files_that_are_restored_keep_their_modes(mode: int, tmp_path: Path) -> None:
    root = write(tmp_path / "handbook", FILES)
    old, new = root / "adr/0002-b.md", root / "new/b.md"
    old.chmod(mode)
    paths = list_paths(root)

    def refuse() -> None:
        assert not old.exists()
        assert stat.S_IMODE(new.stat().st_mode) == mode
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        write_files(root, {old: None, new: b"new"}, None, refuse, {new: old})
    assert stat.S_IMODE(old.stat().st_mode) == mode
    assert list_paths(root) == paths


@pytest.mark.parametrize("path", ["../outside.txt", "/etc/outside.txt", "link/outside.txt"])
def test_a_journal_with_a_file_outside_of_the_tree_is_refused(
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
    assert run_command(root, COMMANDS["new"]) == 2
    assert ".handbook/journal.json is damaged" in capsys.readouterr().err
    assert not (tmp_path / "outside.txt").exists()


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "[" * 200_000, '{"files": [1], "folders": []}', "\xff"],
    ids=["empty", "object", "list", "deep", "number", "latin-1"],
)
def test_an_unreadable_journal_is_reported(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write(tmp_path / "handbook", FILES | {".handbook/journal.json": text.encode("latin-1")})
    assert run_command(root, COMMANDS["new"]) == 2
    err = capsys.readouterr().err
    assert "journal.json is damaged; restore the files from Git, then remove it" in err
    assert err.count("\n") == 1


def run_limited(command: str, root: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that can only write files of up to 1,024 bytes.

    Python would write compiled modules of that size, which no later run can load.
    """
    return subprocess.run(
        ["bash", "-c", f"ulimit -f 1; exec {BIN}/handbook {command}"],
        cwd=root,
        env=make_environment() | {"PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ("check --fix adr/0001-a.md", "adr/0001-a.md"),
        ("export --output out", ".handbook/journal.json"),
        ("check --format sarif --output report.txt", "report.txt"),
        (
            "new runbook 'Orders are slow' --set service=shop --root small",
            "small/runbooks/shop/orders-are-slow.md",
        ),
    ],
    ids=["fix", "export", "report", "new"],
)
def test_a_size_limit_loses_no_record(command: str, file: str, tmp_path: Path) -> None:
    root = write(tmp_path, FILES)
    shutil.copytree(SMALL, root / "small")
    files = snapshot(root)
    answer = run_limited(
        command if "new" not in command else command + f" --set 'trigger={'x' * 1200}'", root
    )
    assert answer.returncode == 2
    assert answer.stderr.startswith(f"handbook: {file}")
    assert answer.stderr.endswith("cannot be written: File too large; nothing changed in it\n")
    assert answer.stderr.count("\n") == 1
    assert snapshot(root) == files


def test_an_unwritable_folder_is_reported(tmp_path: Path) -> None:
    root = write(tmp_path, FILES)
    (root / "adr").chmod(0o555)
    for command in (["check", "--fix"], ["new", "adr", "A thing"]):
        answer = subprocess.run(
            [*drop_privileges(), str(BIN / "handbook"), *command],
            cwd=root,
            env=make_environment(),
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


def test_a_read_only_file_is_not_replaced(tmp_path: Path) -> None:
    root = write(tmp_path, FILES)
    (root / "adr/0003-c.md").chmod(0o444)
    answer = subprocess.run(
        [*drop_privileges(), str(BIN / "handbook"), "check", "--fix"],
        cwd=root,
        env=make_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 2
    assert (
        answer.stderr
        == "handbook: adr/0003-c.md cannot be written: Permission denied; nothing changed in it\n"
    )
    assert (root / "adr/0001-a.md").read_text(encoding="utf-8") == BROKEN_ADR


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o640], ids=oct)
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


def test_a_new_file_has_the_permissions_of_the_umask(tmp_path: Path) -> None:
    old_umask = os.umask(0o027)
    try:
        write_file(tmp_path / "file", b"new")
    finally:
        os.umask(old_umask)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_a_pipe_is_written_directly(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_file(tmp_path / "pipe", b"a report")
    reader.join()
    assert read == [b"a report"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "{root}/link"])
def test_standard_output_by_its_name_is_written_directly(name: str, tmp_path: Path) -> None:
    """This also works if standard output is a file with content."""
    root = write(tmp_path / "handbook", FILES)
    (root / "link").symlink_to("/dev/stdout")
    log = tmp_path / "log.txt"
    log.write_text("before\n")
    with log.open("a") as output:
        subprocess.run(
            [str(BIN / "handbook"), "check", "--output", name.format(root=root)],
            cwd=root,
            env=make_environment(),
            stdout=output,
            check=False,
        )
        output.write("after\n")
    lines = log.read_text(encoding="utf-8").splitlines()
    assert (lines[0], lines[-1]) == ("before", "after")
    assert any("FM005" in line for line in lines)


@pytest.mark.parametrize(
    "arguments",
    [["check", "--output", "/dev/full"], ["check"], ["rules"]],
    ids=["output", "check", "rules"],
)
def test_an_output_error_prints_one_line(arguments: list[str], tmp_path: Path) -> None:
    root = write(tmp_path, FILES)
    with Path("/dev/full").open("w") as full:
        answer = subprocess.run(
            [str(BIN / "handbook"), *arguments],
            cwd=root,
            env=make_environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert answer.returncode == 2
    assert "cannot be written: No space left on device" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_folder_instead_of_the_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(
        WriteError, match="cannot be written: Is a directory; nothing changed in it"
    ):
        write_file(tmp_path, b"new")


@pytest.mark.parametrize("last", ["c.txt", "d"])
def test_a_link_out_of_the_folder_is_followed_and_undone(last: str, tmp_path: Path) -> None:
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


def test_a_file_behind_a_link_is_restored_if_the_next_file_fails(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("old")
    base = write(tmp_path / "base", {"a.txt": "old"})
    (base / "b.txt").symlink_to(outside)
    contents: Mapping[Path, bytes] = {base / name: b"new" for name in ("b.txt", "a.txt")}
    real, calls = os.replace, []

    def fail_at_second_file(source: object, target: object) -> None:
        calls.append(target)
        if target == base / "a.txt":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(source, target)  # type: ignore[arg-type]

    with (
        patch("os.replace", fail_at_second_file),
        pytest.raises(WriteError, match="a\\.txt cannot be written"),
    ):
        write_files(base, contents)
    assert outside in calls
    assert (base / "a.txt").read_text() == outside.read_text() == "old"


@pytest.mark.parametrize("several", [True, False], ids=["several", "one"])
def test_a_change_by_an_editor_is_not_lost(several: bool, tmp_path: Path) -> None:
    base = write(tmp_path, {"a.txt": "old", "b.txt": "old"})
    contents = {base / name: b"new" for name in ("a.txt", "b.txt") if several or name == "a.txt"}
    expected: Mapping[Path, bytes | None] = dict.fromkeys(contents, b"older")
    with pytest.raises(
        WriteError, match=r"a\.txt cannot be written: it was edited at the same time; nothing"
    ):
        write_files(base, contents, expected)
    assert snapshot(base) == {"a.txt": b"old", "b.txt": b"old"}
    real = os.fsync

    def save_during_flush(descriptor: int) -> None:
        real(descriptor)
        (base / "a.txt").write_text("saved")

    with (
        patch("os.fsync", save_during_flush),
        pytest.raises(WriteError, match="edited at the same time"),
    ):
        write_files(base, contents)
    assert snapshot(base) == {"a.txt": b"saved", "b.txt": b"old"}


def test_a_new_record_does_not_replace_an_existing_file(tmp_path: Path) -> None:
    base = write(tmp_path, {"a.txt": "old"})
    with pytest.raises(
        WriteError, match=r"a\.txt cannot be written: it already exists; nothing changed"
    ):
        write_files(base, {base / "a.txt": b"new"}, {base / "a.txt": None})
    assert snapshot(base) == {"a.txt": b"old"}


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Folder that all users of the machine can read, unlike the folders of pytest."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "shared"


def test_the_group_is_kept_if_the_owner_cannot_be(open_folder: Path) -> None:
    """Without the group, the owner of a shared record could not write it."""
    if os.geteuid():
        pytest.skip("only root can try another user")
    root = write(open_folder, {"mkdocs.yml": SETTINGS, "adr/0001-a.md": BROKEN_ADR})
    for path in (root, *root.rglob("*")):
        os.chown(path, 12001, 12000)
        path.chmod(0o775 if path.is_dir() else 0o660)
    # Imports come first, because the second user may be unable to read the installed packages.
    program = (
        "import os; from handbook.cli.program import main; main(['check'])\n"
        "os.setgroups([12000])\n"
        "os.setresgid(12002, 12002, 12002)\n"
        "os.setresuid(12002, 12002, 12002)\n"
        "main(['check', '--fix'])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        cwd=root,
        env=make_environment(PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    status = (root / "adr/0001-a.md").stat()
    assert "accepted" in (root / "adr/0001-a.md").read_text(encoding="utf-8"), answer.stderr
    assert (status.st_gid, stat.S_IMODE(status.st_mode)) == (12000, 0o660)


def test_a_temporary_file_of_a_dead_process_of_the_same_number_is_removed(tmp_path: Path) -> None:
    abandoned = [
        f".handbook-{os.getpid()}-00000000-11111111.tmp",
        f".handbook-{2**22 + 1}-00000000-11111111.tmp",
    ]
    base = write(tmp_path, dict.fromkeys([*abandoned, ".handbook-1-00000000-11111111.tmp"], "half"))
    write_file(base / "a.txt", b"new")
    assert sorted(path.name for path in base.iterdir()) == [
        ".handbook-1-00000000-11111111.tmp",
        "a.txt",
    ]


@pytest.mark.parametrize(
    "arguments",
    ["check", "rules", "check --output /dev/stdout", "export --output {root}"],
    ids=["check", "rules", "output", "export"],
)
def test_a_closed_standard_output_causes_no_traceback(arguments: str, tmp_path: Path) -> None:
    root = write(tmp_path, FILES)
    command = arguments.format(root=root)
    answer = subprocess.run(
        ["bash", "-c", f"{BIN}/handbook {command} >&-"],
        cwd=root,
        env=make_environment(),
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert "Traceback" not in answer.stderr
    assert answer.returncode in (0, 1, 2)


def test_the_journal_of_a_linked_worktree_is_in_its_own_git_directory(tmp_path: Path) -> None:
    root = create_repository(write(tmp_path / "handbook", FILES))
    run_git(root, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    linked = tmp_path / "linked"
    for moment in range(1, 100):
        with count_changes(Disk(moment)), pytest.raises(Killed):
            run_command(linked, COMMANDS["fix of several files"])
        if is_interrupted(linked):
            break
    assert (root / ".git/worktrees/linked/handbook/journal.json").is_file()
    assert not is_interrupted(root)
    assert run_command(root, COMMANDS["report"]) == 1


def test_two_simultaneous_commands_make_two_whole_changes(tmp_path: Path) -> None:
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
