"""Build command: reproducible sites, errors, and the exchange of the old site."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from handbook.authoring import locks
from handbook.cli import main
from handbook.engines.build import SITE_FILES
from handbook.engines.errors import BuildError
from handbook.site import exchange
from tests.commands import BIN, drop_privileges, make_environment, run
from tests.handbooks import ADR, ROOT, SMALL, copy_site, replace_once, write

pytestmark = pytest.mark.build

ON_ANOTHER_DAY = str(ROOT / "tests/programs/on_another_day.py")


def read_files(site: Path) -> dict[str, bytes]:
    return {
        file.relative_to(site).as_posix(): file.read_bytes()
        for file in sorted(site.rglob("*"))
        if file.is_file()
    }


@pytest.mark.parametrize(
    "command",
    [["handbook", "check"], ["handbook", "build", "--output", "{site}"]],
    ids=["check", "build"],
)
def test_nothing_fails_two_years_later(command: list[str], tmp_path: Path) -> None:
    arguments = [argument.format(site=tmp_path / "site") for argument in command]
    answer = run("python", ON_ANOTHER_DAY, "2028-11-23", *arguments, cwd=SMALL)
    assert answer.returncode == 0, answer.stderr
    assert " warning: review was due on " in answer.stdout + answer.stderr


def test_two_builds_of_a_commit_are_identical(tmp_path: Path) -> None:
    """The builds run in two folders and two years apart. Later dates add findings."""
    root = copy_site(SMALL, tmp_path / "handbook")
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    commit = (*identity, "commit", "--quiet", "--message", "x")
    for command in (
        ("init", "--quiet"),
        ("add", "."),
        commit,
        ("clone", "--quiet", ".", "../a/clone"),
    ):
        subprocess.run(["git", *command], cwd=root, check=True)
    first_site, second_site = tmp_path / "1", tmp_path / "elsewhere/2"
    build = ("handbook", "build", "--output")
    run("python", ON_ANOTHER_DAY, "2026-11-23", *build, str(first_site), cwd=root, check=True)
    run(
        "python",
        ON_ANOTHER_DAY,
        "2028-11-24",
        *build,
        str(second_site),
        cwd=tmp_path / "a/clone",
        check=True,
    )
    assert read_files(first_site) == read_files(second_site)


def test_a_build_prints_its_stages_and_the_folder_of_the_site(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "a handbook")
    answer = run("handbook", "build", "--root", str(root), "--output", "a site/x", cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    stages = [re.sub(r"\b\d+(\.\d)?", "N", line) for line in answer.stdout.splitlines()]
    assert stages == [
        "checked N records and N pages in N s",
        "built in N s",
        "finished N pages and N redirects in N s",
        "checked N links of N pages in N s",
        "wrote N pages to a site/x in N s",
        "to read them: python3 -m http.server --directory 'a site/x'",
    ]
    assert (tmp_path / "a site/x/index.html").is_file()
    assert not (root / "site").exists()


def test_a_site_can_be_built_with_the_option_f_and_in_a_worktree(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    worktree = ("worktree", "add", "--quiet", "-b", "tree", "../a tree")
    for command in (
        ("init", "--quiet"),
        ("add", "."),
        (*identity, "commit", "--quiet", "--message", "x"),
        worktree,
    ):
        subprocess.run(["git", *command], cwd=root, check=True)
    tree = tmp_path / "a tree"
    assert run("handbook", "build", cwd=tree / "docs").returncode == 0
    answer = run(
        "mkdocs",
        "build",
        "-f",
        str(root / "mkdocs.yml"),
        "--site-dir",
        str(tmp_path / "1"),
        cwd=tmp_path,
    )
    assert answer.returncode == 0, answer.stderr
    assert read_files(tmp_path / "1") == read_files(tree / "site")


def test_only_mkdocs_yml_holds_the_settings(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    shutil.copy(root / "mkdocs.yml", root / "other.yml")
    answer = run("mkdocs", "build", "-f", "other.yml", cwd=root)
    assert answer.returncode == 1
    assert (
        "Error: unsupported settings file 'other.yml'; move the settings to mkdocs.yml\n"
        in answer.stderr
    )


@pytest.mark.parametrize(
    "output", [".", "..", "docs/site", "adr", "full", "full/file", ".git/site"]
)
def test_a_site_replaces_only_an_older_site(output: str, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    write(root, {"full/file": "x", ".git/HEAD": "x"})
    files = read_files(tmp_path)
    answer = run("handbook", "build", "--output", output, cwd=root)
    assert answer.returncode == 2
    assert re.fullmatch(r"handbook: \S+ (holds|is not a folder|is a Git).*\n", answer.stderr)
    assert read_files(tmp_path) == files


def test_an_unknown_inline_script_stops_the_build(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    replace_once(root, "rules: {SAFE002: error}", 'rules: {SAFE002: error, FM021: "off"}')
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"mkdocs.yml": settings + 'copyright: "<script>window.P=1</script>"\n'})
    line = settings.count("\n") + 1
    for command, prefix in (("handbook", "handbook"), ("mkdocs", "Error")):
        answer = run(command, "build", cwd=root)
        assert answer.returncode == 1
        finding = (
            f"mkdocs.yml:{line}:1: SAFE009 error: foreign script 'window.P=1' on /404.html and "
        )
        assert f"{prefix}: pages cannot be published\n{finding}" in answer.stderr


def test_a_lock_file_of_emacs_does_not_stop_the_build(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    (root / "adr/.#0001-keep-orders-in-sqlite.md").symlink_to("author@host.1234:1")
    (root / "docs/.#index.md").symlink_to("author@host.1234:1")
    assert run("handbook", "check", cwd=root).returncode == 0
    assert run("handbook", "build", cwd=root).returncode == 0


def test_all_errors_are_printed_together(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    for name in ("0001-keep-orders-in-sqlite", "0002-use-postgresql", "0003-keep-orders-in-mysql"):
        file = root / f"adr/{name}.md"
        file.write_text(
            file.read_text(encoding="utf-8").replace("deciders: [", "deciders: [no-team, "),
            encoding="utf-8",
        )
    answer = run("mkdocs", "build", cwd=root)
    assert answer.stderr.count("FM005 error: unknown value 'no-team' for 'deciders'") == 3
    assert answer.stderr.startswith("Error: the check found errors\n")
    assert "Traceback" not in answer.stderr


def test_a_hook_cannot_change_the_text_of_a_record(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    hook = (
        "def on_page_markdown(markdown, **_):\n"
        "    return markdown.replace('PostgreSQL: one', 'Nothing: none')\n"
    )
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"hook.py": hook, "mkdocs.yml": settings + "hooks: [hook.py]\n"})
    assert run("mkdocs", "build", cwd=root).returncode == 0
    page = (root / "site/adr/0001-keep-orders-in-sqlite/index.html").read_text(encoding="utf-8")
    assert "PostgreSQL: one" in page
    assert "Nothing: none" not in page


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('<p onclick="x">a</p>', "active content <p onclick=…>"),
        ("<div>\n\na\n", "unclosed element <div>"),
    ],
    ids=["active content", "unclosed element"],
)
def test_an_unsafe_page_stops_the_build(text: str, fault: str, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    with (root / "docs/markdown.md").open("a", encoding="utf-8") as page:
        page.write(f"\n{text}\n")
    answer = run("mkdocs", "build", cwd=root)
    assert answer.returncode == 1
    assert f"docs/markdown.md:1:1: SAFE009 error: {fault}" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not list((root / "site").rglob("*.html"))


@pytest.mark.parametrize("command", ["handbook", "mkdocs"])
def test_a_warning_of_mkdocs_stops_the_build(command: str, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    write(root, {"docs/lost.md": "# Not in the navigation\n"})
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"mkdocs.yml": settings + "validation: {nav: {omitted_files: warn}}\n"})
    answer = run(command, "build", cwd=root)
    assert answer.returncode == 1
    assert "lost.md" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.fixture(scope="module")
def made_handbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small handbook with the Makefile, this environment, and a built site."""
    root = copy_site(SMALL, tmp_path_factory.mktemp("made") / "handbook")
    shutil.copy(ROOT / "Makefile", root / "Makefile")
    shutil.copytree(ROOT / "requirements", root / "requirements")
    shutil.copy(ROOT / "pyproject.toml", root / "pyproject.toml")
    venv = root / ".venv"
    venv.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (venv / name).symlink_to(BIN.parent / name)
    for stamp in (".created", ".site"):
        (venv / stamp).touch()
    assert make_site(root).returncode == 0
    return root


@pytest.fixture
def handbook(made_handbook: Path, tmp_path: Path) -> Path:
    """Copy of a small handbook with the Makefile, this environment, and a built site."""
    return copy_site(made_handbook, tmp_path / "handbook")


def make_site(root: Path, *prefix: str) -> subprocess.CompletedProcess[str]:
    """Run `make site`, with a prefix of the command."""
    return subprocess.run(
        [*prefix, "make", "site"],
        cwd=root,
        # These variables hide the make that runs the tests.
        env=make_environment(MAKELEVEL="0", MAKEFLAGS=""),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_make_site_keeps_the_old_site_when_a_build_fails(handbook: Path) -> None:
    old_site = read_files(handbook / "site")
    assert "adr/0001-keep-orders-in-sqlite/index.html" in old_site
    write(handbook, {"adr/0004-broken.md": ADR.replace("accepted", "acepted")})
    answer = make_site(handbook)
    assert answer.returncode != 0
    assert "FM005" in answer.stderr
    assert read_files(handbook / "site") == old_site
    (handbook / "adr/0004-broken.md").unlink()
    assert make_site(handbook).returncode == 0
    assert read_files(handbook / "site").keys() == old_site.keys()


def test_make_site_keeps_the_old_site_when_a_link_is_broken(handbook: Path) -> None:
    """The theme writes this link. The check of the sources and MkDocs do not report it."""
    old_site = read_files(handbook / "site")
    settings = (handbook / "mkdocs.yml").read_text(encoding="utf-8")
    link = "<a href='https://small.example/imprint/'>Imprint</a>"
    write(handbook, {"mkdocs.yml": f"{settings}copyright: {link}\n"})
    answer = make_site(handbook)
    assert answer.returncode != 0
    assert answer.stderr.startswith("handbook: the new site has broken links\n")
    assert (
        "LNK101 error: broken link 'https://small.example/imprint/' on /actions/: no such file"
        in answer.stderr
    )
    assert read_files(handbook / "site") == old_site


def test_a_killed_build_leaves_a_complete_site(handbook: Path) -> None:
    """The kills are spread over the build. Half of them are near the exchange at its end."""
    complete_site = read_files(handbook / "site")
    begin = time.monotonic()
    assert make_site(handbook).returncode == 0
    duration = time.monotonic() - begin
    generator = random.Random(2026)  # noqa: S311 - no secrets
    for moment in (
        *(generator.uniform(0, duration) for _ in range(3)),
        *(generator.uniform(0.9, 1.05) * duration for _ in range(3)),
    ):
        process = subprocess.Popen(
            ["make", "site"],
            cwd=handbook,
            env=make_environment(),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with suppress(subprocess.TimeoutExpired):
            process.wait(moment)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert read_files(handbook / "site") == complete_site
    assert make_site(handbook).returncode == 0
    assert read_files(handbook / "site") == complete_site
    assert not (handbook / ".site.new").exists()


def test_a_signal_before_the_first_file_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(exchange, "recover", interrupt)
    with pytest.raises(KeyboardInterrupt), exchange.replace_folder(tmp_path / "site", ()):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_site_exists_at_every_moment_of_the_exchange(tmp_path: Path) -> None:
    """One process reads the site all the time, while this one exchanges it 1,000 times."""
    write(tmp_path, {"site/index.html": "x"})
    program = (
        "import os, sys; os.chdir(sys.argv[1])\n"
        "while not os.path.exists('end'): os.stat('site/index.html')"
    )
    reader = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stderr=subprocess.PIPE
    )
    for number in range(1000):
        write(tmp_path, {".site.new/index.html": str(number)})
        exchange.put_new_in_place(tmp_path / "site")
    (tmp_path / "end").touch()
    assert reader.communicate()[1] == b""
    assert read_files(tmp_path / "site") == {"index.html": b"999"}


def test_a_system_without_exchange_renames_the_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "exchange", lambda first, second: False)
    write(tmp_path, {"site/a": "old", ".site.new/a": "new"})
    exchange.put_new_in_place(tmp_path / "site")
    assert read_files(tmp_path) == {"site/a": b"new"}


class Killed(BaseException):
    """Simulated kill."""


@pytest.mark.parametrize("renames", [0, 1, 2])
@pytest.mark.parametrize("command", ["build", "serve", "links"])
def test_the_next_command_after_a_kill_restores_the_site(
    command: str, renames: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system has neither locks nor an exchange of names. The kill follows some renames."""
    root = write(
        tmp_path,
        {
            "mkdocs.yml": "site_name: x\n",
            "site/index.html": "old",
            ".site.new/index.html": "new",
            **{f"{folder}/{file}": "" for folder in ("site", ".site.new") for file in SITE_FILES},
        },
    )
    monkeypatch.setattr(exchange, "exchange", lambda first, second: False)
    monkeypatch.setattr(locks, "fcntl", None)
    monkeypatch.chdir(root)
    rename, allowed_renames = Path.rename, iter(range(renames))

    def rename_or_kill(self: Path, target: Path) -> Path:
        if next(allowed_renames, None) is None:
            raise Killed
        return rename(self, target)

    with pytest.MonkeyPatch.context() as patch, suppress(Killed):
        patch.setattr(Path, "rename", rename_or_kill)
        patch.setattr(shutil, "rmtree", lambda *_, **__: (_ for _ in ()).throw(Killed))
        exchange.put_new_in_place(root / "site")
    assert (root / "site/index.html").exists() == (renames != 1)

    with suppress(SystemExit), pytest.MonkeyPatch.context() as patch:
        patch.setattr("handbook.cli.serve_command.serve", lambda *_: None)
        patch.setattr(
            "handbook.engines.build._run_engine",
            lambda *_: (_ for _ in ()).throw(BuildError("stopped")),
        )
        main([command, "site"] if command == "links" else [command])
    assert (root / "site/index.html").read_text() == ("new" if renames == 2 else "old")
    assert not (root / ".site.old").exists() or command != "build"


@pytest.mark.parametrize(
    ("prefix", "message"),
    [
        (["prlimit", "--fsize=20000"], "handbook: the site cannot be written: File too large"),
        (["read-only"], "handbook: the site cannot be written: Permission denied"),
        (
            ["flock", "--exclusive", ".site.new"],
            "handbook: another build is writing to this folder",
        ),
    ],
    ids=["full disk", "read-only folder", "two builds at once"],
)
def test_a_system_error_is_reported_in_one_line(
    handbook: Path, prefix: list[str], message: str
) -> None:
    complete_site = read_files(handbook / "site")
    if prefix == ["read-only"]:
        prefix = drop_privileges()
        handbook.chmod(0o555)
    if "flock" in prefix:
        (handbook / ".site.new").mkdir()
    answer = make_site(handbook, *prefix)
    handbook.chmod(0o755)
    assert answer.returncode != 0
    first_line, *more_lines = answer.stderr.splitlines()
    assert first_line.startswith(message)
    assert [line for line in more_lines if not line.startswith("make: ***")] == []
    assert read_files(handbook / "site") == complete_site
