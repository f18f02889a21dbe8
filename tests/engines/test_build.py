"""The build as a command: what it never does, and what never changes it."""

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
from handbook.engines.build import BuildError
from handbook.site import exchange
from tests.commands import BIN, environment, run, unprivileged
from tests.handbooks import ADR, ROOT, SMALL, copy_of, write

pytestmark = pytest.mark.build

# Runs a command of the environment as if it were another day.
ON_ANOTHER_DAY = """
import sys
import time_machine
from importlib.metadata import entry_points
day, name, *arguments = sys.argv[1:]
sys.argv = [name, *arguments]
(command,) = entry_points(group="console_scripts", name=name)
with time_machine.travel(day, tick=True):
    sys.exit(command.load()())
"""


def contents(site: Path) -> dict[str, bytes]:
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
def test_two_years_on_nothing_fails(command: list[str], tmp_path: Path) -> None:
    arguments = [argument.format(site=tmp_path / "site") for argument in command]
    answer = run("python", "-c", ON_ANOTHER_DAY, "2028-11-23", *arguments, cwd=ROOT)
    assert answer.returncode == 0, answer.stderr
    assert "DEC011 warning: was to be reviewed by 2027-03-31" in answer.stdout + answer.stderr


def test_a_commit_has_one_site_wherever_and_whenever_it_is_built(tmp_path: Path) -> None:
    """Byte for byte, in two folders and two years apart; some findings of the clock come in between."""
    root = copy_of(SMALL, tmp_path / "handbook")
    identity = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com")
    commit = (*identity, "commit", "--quiet", "--message", "x")
    for command in (
        ("init", "--quiet"),
        ("add", "."),
        commit,
        ("clone", "--quiet", ".", "../a/clone"),
    ):
        subprocess.run(["git", *command], cwd=root, check=True)
    first, second = tmp_path / "1", tmp_path / "elsewhere/2"
    build = ("handbook", "build", "--output")
    run("python", "-c", ON_ANOTHER_DAY, "2026-11-23", *build, str(first), cwd=root, check=True)
    run(
        "python",
        "-c",
        ON_ANOTHER_DAY,
        "2028-11-24",
        *build,
        str(second),
        cwd=tmp_path / "a/clone",
        check=True,
    )
    assert contents(first) == contents(second)


def test_a_build_prints_its_stages_and_where_the_site_is(tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "a handbook")
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


def test_a_site_is_built_by_f_and_in_a_worktree(tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    who = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com")
    worktree = ("worktree", "add", "--quiet", "-b", "tree", "../a tree")
    for command in (
        ("init", "--quiet"),
        ("add", "."),
        (*who, "commit", "--quiet", "--message", "x"),
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
    assert contents(tmp_path / "1") == contents(tree / "site")


def test_only_mkdocs_yml_holds_the_settings(tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    shutil.copy(root / "mkdocs.yml", root / "other.yml")
    answer = run("mkdocs", "build", "-f", "other.yml", cwd=root)
    assert answer.returncode == 1
    assert (
        "Error: other.yml: the handbook reads its settings from mkdocs.yml; build with that file\n"
        in answer.stderr
    )


@pytest.mark.parametrize(
    "output", [".", "..", "docs/site", "adr", "full", "full/file", ".git/site"]
)
def test_a_site_takes_the_place_of_nothing_else(output: str, tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    write(root, {"full/file": "x", ".git/HEAD": "x"})
    before = contents(tmp_path)
    answer = run("handbook", "build", "--output", output, cwd=root)
    assert answer.returncode == 2
    assert re.fullmatch(
        r"handbook: \S+ (holds the sources|is no folder|is not empty).*\n", answer.stderr
    )
    assert contents(tmp_path) == before


def test_an_inline_script_that_is_not_the_theme_s_stops_the_build(tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"mkdocs.yml": settings + 'copyright: "<script>window.P=1</script>"\n'})
    line = settings.count("\n") + 1
    for command, word in (("handbook", "handbook"), ("mkdocs", "Error")):
        answer = run(command, "build", cwd=root)
        assert answer.returncode == 1
        finding = f"mkdocs.yml:{line}:1: SAFE009 error: inline script 'window.P=1' on /404.html and 27 more is not"
        assert f"{word}: pages cannot be published\n{finding}" in answer.stderr


def test_a_file_that_is_open_in_emacs_stops_nothing(tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    (root / "adr/.#0001-keep-orders-in-sqlite.md").symlink_to("author@host.1234:1")
    (root / "docs/.#index.md").symlink_to("author@host.1234:1")
    assert run("handbook", "check", cwd=root).returncode == 0
    assert run("handbook", "build", cwd=root).returncode == 0


def test_every_error_is_printed_at_once(tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    for name in ("0001-keep-orders-in-sqlite", "0002-use-postgresql", "0003-keep-orders-in-mysql"):
        file = root / f"adr/{name}.md"
        file.write_text(
            file.read_text(encoding="utf-8").replace("deciders: [", "deciders: [nobody, "),
            encoding="utf-8",
        )
    answer = run("mkdocs", "build", cwd=root)
    assert answer.stderr.count("FM005 error: deciders 'nobody'") == 3
    assert answer.stderr.startswith("Error: the gate found errors\n")
    assert "Traceback" not in answer.stderr


def test_a_record_is_shown_as_it_was_checked_whatever_another_plugin_does(tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    spoiler = "def on_page_markdown(markdown, **_):\n    return markdown.replace('PostgreSQL: one', 'Nothing: none')\n"
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"spoil.py": spoiler, "mkdocs.yml": settings + "hooks: [spoil.py]\n"})
    assert run("mkdocs", "build", cwd=root).returncode == 0
    page = (root / "site/adr/0001-keep-orders-in-sqlite/index.html").read_text(encoding="utf-8")
    assert "PostgreSQL: one" in page
    assert "Nothing: none" not in page


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('<p onclick="x">a</p>', "the page would hold <p onclick=…>"),
        ("<div>\n\na\n", "<div> is never closed"),
    ],
)
def test_a_page_that_is_not_safe_stops_the_build(text: str, fault: str, tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    with (root / "docs/markdown.md").open("a", encoding="utf-8") as page:
        page.write(f"\n{text}\n")
    answer = run("mkdocs", "build", cwd=root)
    assert answer.returncode == 1
    assert f"docs/markdown.md:1:1: SAFE009 error: {fault}" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not list((root / "site").rglob("*.html"))


@pytest.mark.parametrize("command", ["handbook", "mkdocs"])
def test_what_only_mkdocs_sees_stops_the_build_too(command: str, tmp_path: Path) -> None:
    root = copy_of(SMALL, tmp_path / "handbook")
    write(root, {"docs/lost.md": "# Not in the navigation\n"})
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"mkdocs.yml": settings + "validation: {nav: {omitted_files: warn}}\n"})
    answer = run(command, "build", cwd=root)
    assert answer.returncode == 1
    assert "lost.md" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The small handbook with the Makefile, and this environment as its own; its site is built."""
    root = copy_of(SMALL, tmp_path / "handbook")
    shutil.copy(ROOT / "Makefile", root / "Makefile")
    shutil.copytree(ROOT / "requirements", root / "requirements")
    shutil.copy(ROOT / "pyproject.toml", root / "pyproject.toml")
    venv = root / ".venv"
    venv.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (venv / name).symlink_to(BIN.parent / name)
    for stamp in (".created", ".site"):
        (venv / stamp).touch()
    assert make(root).returncode == 0
    return root


def make(root: Path, *before: str) -> subprocess.CompletedProcess[str]:
    """`make site`, run by a command where one is given."""
    return subprocess.run(
        [*before, "make", "site"],
        cwd=root,
        env=environment(
            MAKELEVEL="0", MAKEFLAGS=""
        ),  # not as a part of the make that runs the tests
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_make_site_keeps_the_old_site_when_a_build_fails(made: Path) -> None:
    before = contents(made / "site")
    assert "adr/0001-keep-orders-in-sqlite/index.html" in before
    write(made, {"adr/0004-broken.md": ADR.replace("accepted", "acepted")})
    answer = make(made)
    assert answer.returncode != 0
    assert "FM005" in answer.stderr
    assert contents(made / "site") == before
    (made / "adr/0004-broken.md").unlink()
    assert make(made).returncode == 0
    assert contents(made / "site").keys() == before.keys()


def test_make_site_keeps_the_old_site_when_a_link_leads_nowhere(made: Path) -> None:
    """A link that a theme writes: neither the gate nor MkDocs looks at it."""
    before = contents(made / "site")
    settings = (made / "mkdocs.yml").read_text(encoding="utf-8")
    write(
        made,
        {
            "mkdocs.yml": f"{settings}copyright: <a href='https://small.example/imprint/'>Imprint</a>\n"
        },
    )
    answer = make(made)
    assert answer.returncode != 0
    assert answer.stderr.startswith("handbook: the new site has broken links\n")
    assert (
        "LNK101 error: 'https://small.example/imprint/' on /404.html leads to no file of the site"
        in answer.stderr
    )
    assert contents(made / "site") == before


def test_a_build_that_is_killed_leaves_a_whole_site(made: Path) -> None:
    """At moments that are spread over the whole build, some of them about the exchange at its end."""
    whole = contents(made / "site")
    begin = time.monotonic()
    assert make(made).returncode == 0
    took = time.monotonic() - begin
    chance = random.Random(2026)  # noqa: S311 - moments, not secrets
    for moment in (
        *(chance.uniform(0, took) for _ in range(3)),
        *(chance.uniform(0.9, 1.05) * took for _ in range(3)),
    ):
        process = subprocess.Popen(
            ["make", "site"],
            cwd=made,
            env=environment(),
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
        assert contents(made / "site") == whole
    assert make(made).returncode == 0
    assert contents(made / "site") == whole
    assert not (made / ".site.new").exists()


def test_the_site_is_there_at_every_moment_of_the_exchange(tmp_path: Path) -> None:
    """A process that does nothing but look never finds it missing, while another exchanges it a thousand times."""
    write(tmp_path, {"site/index.html": "x"})
    look = "import os, sys; os.chdir(sys.argv[1])\nwhile not os.path.exists('end'): os.stat('site/index.html')"
    looking = subprocess.Popen([sys.executable, "-c", look, str(tmp_path)], stderr=subprocess.PIPE)
    for number in range(1000):
        write(tmp_path, {".site.new/index.html": str(number)})
        exchange.put_in_place(tmp_path / "site")
    (tmp_path / "end").touch()
    assert looking.communicate()[1] == b""
    assert contents(tmp_path / "site") == {"index.html": b"999"}


def test_where_names_cannot_be_exchanged_they_are_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "exchange", lambda one, other: False)
    write(tmp_path, {"site/a": "old", ".site.new/a": "new"})
    exchange.put_in_place(tmp_path / "site")
    assert contents(tmp_path) == {"site/a": b"new"}


class Killed(BaseException):
    """A kill, for a test."""


@pytest.mark.parametrize("renames", [0, 1, 2])
@pytest.mark.parametrize("command", ["build", "serve", "links"])
def test_after_a_kill_the_next_command_restores_a_site(
    command: str, renames: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a system that has neither locks nor a way to exchange two names, killed after each number of renames."""
    root = write(
        tmp_path,
        {"mkdocs.yml": "site_name: x\n", "site/index.html": "old", ".site.new/index.html": "new"},
    )
    monkeypatch.setattr(exchange, "exchange", lambda one, other: False)
    monkeypatch.setattr(locks, "fcntl", None)
    monkeypatch.chdir(root)
    rename, left = Path.rename, iter(range(renames))

    def renamed(self: Path, target: Path) -> Path:
        if next(left, None) is None:
            raise Killed
        return rename(self, target)

    with pytest.MonkeyPatch.context() as patch, suppress(Killed):
        patch.setattr(Path, "rename", renamed)
        patch.setattr(shutil, "rmtree", lambda *_, **__: (_ for _ in ()).throw(Killed))
        exchange.put_in_place(root / "site")
    assert (
        not (root / "site/index.html").exists()
        if renames == 1
        else (root / "site/index.html").exists()
    )

    with suppress(SystemExit), pytest.MonkeyPatch.context() as patch:
        patch.setattr("handbook.cli.serve_command.serve", lambda *_: None)
        patch.setattr(
            "handbook.engines.build._run", lambda *_: (_ for _ in ()).throw(BuildError("stopped"))
        )
        main([command, "site"] if command == "links" else [command])
    assert (root / "site/index.html").read_text() == ("new" if renames == 2 else "old")
    assert not (root / ".site.old").exists() or command == "links"


@pytest.mark.parametrize(
    ("before", "message"),
    [
        (["prlimit", "--fsize=20000"], "handbook: the site cannot be written: File too large"),
        (["read-only"], "handbook: the site cannot be written: Permission denied"),
        (
            ["flock", "--exclusive", ".site.new"],
            "handbook: another build is writing to this folder",
        ),
    ],
    ids=["a full disk", "a folder that is read only", "two builds at once"],
)
def test_what_the_machine_refuses_is_said_in_a_line(
    made: Path, before: list[str], message: str
) -> None:
    whole = contents(made / "site")
    if before == ["read-only"]:
        before = unprivileged()
        made.chmod(0o555)
    if "flock" in before:
        (made / ".site.new").mkdir()
    answer = make(made, *before)
    made.chmod(0o755)
    assert answer.returncode != 0
    first, *rest = answer.stderr.splitlines()
    assert first.startswith(message)
    assert [line for line in rest if not line.startswith("make: ***")] == []
    assert contents(made / "site") == whole
