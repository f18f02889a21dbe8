"""Faulty folders, settings, hooks and pages give one line each, and no file is lost."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from handbook.site.finish import add_policy
from tests.commands import BIN, make_environment, run
from tests.handbooks import ROOT, SMALL, copy_site, write

pytestmark = pytest.mark.build


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the small handbook."""
    return copy_site(SMALL, tmp_path / "handbook")


def add_settings(root: Path, text: str) -> None:
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    write(root, {"mkdocs.yml": settings + text})


def remove_plugins(root: Path, plugins: str) -> None:
    """Give the handbook other plugins."""
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    begin, end = settings.index("plugins:\n"), settings.index("theme:\n")
    write(root, {"mkdocs.yml": settings[:begin] + plugins + settings[end:]})


def test_a_git_repository_is_never_replaced(root: Path) -> None:
    assert run("handbook", "build", "--output", "../pages", cwd=root).returncode == 0
    write(root.parent, {"pages/.git": "gitdir: elsewhere\n"})
    answer = run("handbook", "build", "--output", "../pages", cwd=root)
    assert answer.returncode == 2
    assert "is a Git repository" in answer.stderr
    assert (root.parent / "pages/.git").is_file()


def test_a_folder_with_another_site_is_never_replaced(root: Path) -> None:
    write(root.parent, {"other/index.html": "x", "other/thesis.txt": "x"})
    answer = run("handbook", "build", "--output", "../other", cwd=root)
    assert answer.returncode == 2
    assert (root.parent / "other/thesis.txt").is_file()


def test_hidden_files_of_the_old_site_are_kept(root: Path) -> None:
    assert run("handbook", "build", cwd=root).returncode == 0
    write(root, {"site/.nojekyll": "", "site/.well-known/security.txt": "x"})
    assert run("handbook", "build", cwd=root).returncode == 0
    assert (root / "site/.nojekyll").is_file()
    assert (root / "site/.well-known/security.txt").is_file()


def test_a_leftover_that_cannot_be_replaced_is_named(root: Path) -> None:
    (root / ".site.new").symlink_to(root / "docs")
    answer = run("handbook", "build", cwd=root)
    assert answer.returncode == 2
    assert ".site.new exists and is not a folder; remove it" in answer.stderr
    assert (root / "docs/index.md").is_file()


def test_a_build_within_the_old_site_succeeds(root: Path) -> None:
    assert run("handbook", "build", cwd=root).returncode == 0
    answer = run("handbook", "build", cwd=root / "site")
    assert (answer.returncode, answer.stderr) == (0, "")


HOOKS = {
    "syntax error": "def on_config(config)\n",
    "unknown import": "import nowhere_at_all\n",
    "error in an event": "def on_env(env, **_):\n    raise ValueError('mine')\n",
    "cancelled": "import asyncio\n\ndef on_env(env, **_):\n    raise asyncio.CancelledError\n",
    "exit": "import sys\n\ndef on_files(files, **_):\n    sys.exit(0)\n",
    "no site": "import shutil\n\ndef on_post_build(config):\n    shutil.rmtree(config.site_dir)\n",
}


@pytest.mark.parametrize("engine", ["mkdocs", "properdocs"])
@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_that_fails_is_a_line(hook: str, engine: str, root: Path) -> None:
    write(root, {"hook.py": HOOKS[hook]})
    add_settings(root, "hooks: [hook.py]\n")
    answer = run("handbook", "build", "--engine", engine, cwd=root)
    assert answer.returncode in (1, 2), answer.stdout
    assert "Traceback" not in answer.stderr
    assert answer.stderr.startswith("handbook: ")
    assert not (root / "site").exists()
    assert not (root / ".site.new").exists()


SETTINGS = {
    "not YAML": "plugins: [\n",
    "its own parent": "INHERIT: mkdocs.yml\n",
    "unknown plugin": "site_name: x\nplugins: [no-such-plugin]\n",
}


@pytest.mark.parametrize("command", [("build",), ("stage", "../stage")], ids=["build", "stage"])
@pytest.mark.parametrize("settings", SETTINGS)
def test_settings_that_cannot_be_read_are_reported(
    settings: str, command: tuple[str, ...], root: Path
) -> None:
    write(root, {"mkdocs.yml": SETTINGS[settings]})
    answer = run("handbook", *command, cwd=root)
    assert answer.returncode in (1, 2)
    assert "Traceback" not in answer.stderr
    assert "handbook: " in answer.stderr


@pytest.mark.parametrize("command", [("build",), ("stage", "../stage")], ids=["build", "stage"])
@pytest.mark.parametrize(
    "plugins", ["plugins: []\n", "plugins: [macros]\n"], ids=["none", "macros"]
)
def test_nothing_is_built_without_the_plugin(
    plugins: str, command: tuple[str, ...], root: Path
) -> None:
    remove_plugins(root, plugins)
    answer = run("handbook", *command, cwd=root)
    assert answer.returncode == 1
    line = "handbook: mkdocs.yml: no plugin 'handbook'; add '- handbook' to 'plugins'\n"
    assert answer.stderr == line


@pytest.mark.parametrize(
    "address", ["x", "127.0.0.1", ":8000", "127.0.0.1:99999", "", "1.2.3.4:99", "ü..x:80"]
)
def test_an_address_that_cannot_be_served_is_a_wrong_call(address: str, root: Path) -> None:
    answer = run("handbook", "serve", "--address", address, cwd=root)
    assert answer.returncode == 2
    assert f"--address '{address}'" in answer.stderr
    assert answer.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [("build", "--output"), ("stage",), ("finish",), ("links",)],
    ids=["build", "stage", "finish", "links"],
)
@pytest.mark.parametrize("folder", ["", "loop", "/"], ids=["empty", "a loop of links", "the root"])
def test_a_folder_that_cannot_be_used_is_a_wrong_call(
    folder: str, command: tuple[str, ...], root: Path
) -> None:
    (root / "loop").symlink_to("loop")
    answer = run("handbook", *command, folder, cwd=root)
    assert answer.returncode == 2
    assert answer.stderr.startswith("handbook: ")
    assert answer.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "command", [("build",), ("serve", "--address", "127.0.0.1:{port}")], ids=["build", "serve"]
)
def test_a_command_that_is_terminated_leaves_nothing(command: tuple[str, ...], root: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    temporary = root.parent / "temporary"
    temporary.mkdir()
    process = subprocess.Popen(
        [str(BIN / "handbook"), *(argument.format(port=port) for argument in command)],
        cwd=root,
        env=make_environment(TMPDIR=str(temporary)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 30
    while not any(temporary.glob("*/*/*")) and not any(root.glob(".site.new/*/*")):
        assert time.monotonic() < end, "no page is written"
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)
    assert list(temporary.iterdir()) == []
    assert not (root / ".site.new").exists()


def test_standard_output_that_is_closed_or_full_is_no_fault_of_the_site(root: Path) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        answer = subprocess.run(
            [str(BIN / "handbook"), "build"],
            cwd=root,
            env=make_environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert answer.returncode == 2
    assert answer.stderr == "handbook: standard output cannot be written: No space left on device\n"


PAGES = {
    "a script before the head": "<script>x()</script><!doctype html><html><head></head></html>",
    "an element that only begins like a head": "<head-line></head-line><script>x()</script>",
    "a script of a data type by another attribute": (
        '<head></head><script data-type="application/json">x()</script>'
    ),
    "an unclosed script": "<head></head><script>x()",
    "a script on another host": '<head></head><script src="https://evil.example/x.js"></script>',
    "a drawing's script": '<head></head><svg><script href="data:text/javascript,x()"/></svg>',
    "upper case": "<HEAD></HEAD><SCRIPT TYPE=MODULE>x()</SCRIPT>",
}


@pytest.mark.parametrize("page", PAGES)
def test_finish_reports_scripts_that_are_not_the_theme_s(page: str, tmp_path: Path) -> None:
    write(tmp_path, {"site/index.html": PAGES[page]})
    answer = run("handbook", "finish", "site", "--root", str(SMALL), cwd=tmp_path)
    assert answer.returncode == 1
    assert "SAFE009 error: foreign script '" in answer.stdout


ARTICLE = '<article class="md-content__inner"><h1>Text</h1></article>'
DATA = {
    "a comment": "<head></head><!-- <script>x()</script> -->",
    "an attribute": '<head></head><img alt="<script>x()</script>" src="x.png">',
    "an empty script": "<head></head><script></script>",
    "a template": '<head></head><script type="text/template">x()</script>',
    "JSON": '<head></head><script type="application/json">{}</script>',
}


@pytest.mark.parametrize("page", DATA)
def test_finish_accepts_what_no_browser_runs(page: str, tmp_path: Path) -> None:
    write(tmp_path, {"site/index.html": DATA[page] + ARTICLE})
    answer = run("handbook", "finish", "site", "--root", str(SMALL), cwd=tmp_path)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_policy_is_the_first_element_of_the_head(tmp_path: Path) -> None:
    html = (
        "<!doctype html><!-- <head><meta charset=utf-8> --><html><head><meta charset=utf-8></head>"
    )
    write(tmp_path, {"site/index.html": html + ARTICLE})
    run("handbook", "finish", "site", "--root", str(SMALL), cwd=tmp_path, check=True)
    page = (tmp_path / "site/index.html").read_text(encoding="utf-8")
    assert '<html><head><meta http-equiv="Content-Security-Policy"' in page


PREFIXES = {
    "an element that begins like a head": "<!doctype html><title>x</title><head-line></head-line>",
    "an image before the head": "<img src=x onerror=x()><head></head>",
    "a head in a title": "<title><head></title>",
    "a head in an attribute": '<html data-x="<head>">',
    "a comment that ends at once": "<!--><img src=x onerror=x()>--><head></head>",
    "a byte order mark": "\ufeff<!doctype html><html lang=en><head>",
}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_policy_comes_before_everything_that_can_act(prefix: str) -> None:
    html, _ = add_policy(PREFIXES[prefix] + ARTICLE)
    head = LexborHTMLParser(html.removeprefix("\ufeff")).head
    assert head is not None
    first = next(node for node in head.iter())
    assert first.attributes.get("http-equiv") == "Content-Security-Policy"


@pytest.mark.parametrize("file", ["evil.xhtml", "evil.svg", "a/evil.SHTML"])
def test_finish_reports_other_files_that_can_run_scripts(file: str, tmp_path: Path) -> None:
    write(tmp_path, {"site/index.html": f"<head></head>{ARTICLE}", f"site/{file}": "<script>x()"})
    answer = run("handbook", "finish", "site", "--root", str(SMALL), cwd=tmp_path)
    assert answer.returncode == 1
    assert f"SAFE009 error: file '/{file}' can run scripts" in answer.stdout


@pytest.mark.parametrize("name", [".site.new", ".site.old"])
@pytest.mark.parametrize("command", [("build",), ("links", "site")], ids=["build", "links"])
def test_folders_of_others_beside_the_site_are_kept(
    command: tuple[str, ...], name: str, root: Path
) -> None:
    assert run("handbook", "build", cwd=root).returncode == 0
    write(root, {f"{name}/mine": "x"})
    answer = run("handbook", *command, cwd=root)
    assert answer.returncode == (2 if command == ("build",) and name == ".site.new" else 0)
    assert (root / name / "mine").is_file()


def test_a_theme_and_a_stage_are_no_old_site(root: Path) -> None:
    shutil.copytree(ROOT / "handbook/site/theme", root / "mytheme")
    assert run("handbook", "stage", "staged", cwd=root).returncode == 0
    for folder in ("mytheme", "staged/docs"):
        answer = run("handbook", "build", "--output", folder, cwd=root)
        assert answer.returncode == 2, folder
        assert "holds other files" in answer.stderr


def test_a_stage_escapes_titles(root: Path) -> None:
    settings = (root / "mkdocs.yml").read_text(encoding="utf-8")
    settings = settings.replace("- Markdown: markdown.md", "- '<b>M</b>': markdown.md")
    settings = settings.replace("site_name: A small handbook", "site_name: 'A <img src=x>'")
    write(root, {"mkdocs.yml": settings})
    assert run("handbook", "stage", "staged", cwd=root).returncode == 0
    staged = (root / "staged/mkdocs.yml").read_text(encoding="utf-8")
    assert "site_name: A &lt;img src=x&gt;" in staged
    assert "'&lt;b&gt;M&lt;/b&gt;': markdown.md" in staged


def test_finish_follows_no_link_out_of_the_site(tmp_path: Path) -> None:
    write(tmp_path, {"site/index.html": f"<head></head>{ARTICLE}", "outside.html": "<head></head>"})
    (tmp_path / "site/link.html").symlink_to(tmp_path / "outside.html")
    os.mkfifo(tmp_path / "site/pipe.html")
    run("handbook", "finish", "site", "--root", str(SMALL), cwd=tmp_path, check=True)
    assert (tmp_path / "outside.html").read_text(encoding="utf-8") == "<head></head>"
