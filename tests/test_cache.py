"""The cache of reports: a check gives the same result with it and without it."""

from __future__ import annotations

import builtins
import io
import json
import os
import random
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from handbook import cache
from handbook.cli import main
from handbook.diagnostics import Finding
from handbook.loading import load
from handbook.reading import shell
from handbook.reading.blocks import Heading
from handbook.reading.body import Body, read_body
from handbook.reading.files import FileQuestion, record_answers
from handbook.reading.kept_results import KeptResults, use_results
from handbook.reading.outline import OutlinedBody, make_outline
from handbook.reading.source import read_source
from handbook.records import Document
from handbook.rules.engine import Context, _registered, find_rule
from handbook.rules.engine import run as run_rules
from tests.handbooks import BROKEN, FORMS, ROOT, SMALL, TODAY, copy_site

EDITS = 40
KILLS = 20
TOMORROW = TODAY + timedelta(1)


@pytest.fixture(autouse=True)
def _real_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read each file again, because `tests.handbooks` remembers the files of all tests."""
    monkeypatch.setattr("handbook.loading.read_source", read_source)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the reports, and switch the cache on."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CI", raising=False)
    return tmp_path / "cache/handbook"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return copy_site(SMALL, tmp_path / "root")


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., tuple[int, bytes]]:
    """Return a function that checks a handbook, and returns the exit code and the report."""

    def run(root: Path, *options: str) -> tuple[int, bytes]:
        output = tmp_path / "report"
        arguments = ("--root", str(root), "--today", TODAY.isoformat(), "--output", str(output))
        code = main(["check", *arguments, "--format", "json", *options])
        return code, output.read_bytes()

    return run


@pytest.fixture
def only_cached(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function after which a check that does not use the cache fails the test."""

    def forbid() -> None:
        monkeypatch.setattr(
            "handbook.cli.checking.check", lambda *_: pytest.fail("a check without the cache")
        )

    return forbid


@pytest.mark.parametrize("site", [SMALL, BROKEN, FORMS], ids=lambda site: site.name)
def test_both_reports_are_the_same(
    site: Path, folder: Path, check: Any, only_cached: Any, tmp_path: Path
) -> None:
    root = copy_site(site, tmp_path / "root")
    cold = check(root, "--no-cache")
    cold_text = check(root, "--no-cache", "--format", "text")
    assert not folder.exists()
    assert check(root) == cold
    only_cached()
    assert check(root) == cold
    assert check(root, "--format", "text") == cold_text


def test_each_choice_of_findings_has_its_report(root: Path, folder: Path, check: Any) -> None:
    (root / "docs/new.md").write_text("# New\n\nTODO\n", encoding="utf-8")
    choices: tuple[list[str], ...] = (
        [],
        ["--select", "FM"],
        ["--ignore", "FM"],
        [str(root / "adr")],
        ["--strict"],
    )
    for _ in range(2):
        for choice in choices:
            assert check(root, *choice) == check(root, *choice, "--no-cache")


def list_reports(folder: Path) -> list[Path]:
    """Return the files with a report."""
    return [file for file in folder.iterdir() if not file.name.endswith("-results")]


@contextmanager
def watch_file_system(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Collect the path of every question that Python asks about the file system."""
    paths: set[str] = set()

    def watch(module: Any, name: str) -> None:
        function = getattr(module, name)

        def ask(path: Any, *arguments: Any, **options: Any) -> Any:
            if isinstance(path, (str, os.PathLike)):
                paths.add(os.fspath(path))
            return function(path, *arguments, **options)

        context.setattr(module, name, ask)

    with monkeypatch.context() as context:
        for name in ("stat", "lstat", "readlink", "scandir", "listdir", "open", "access"):
            watch(os, name)
        watch(io, "open")
        watch(builtins, "open")
        yield paths


@pytest.mark.parametrize("site", [SMALL, BROKEN, FORMS], ids=lambda site: site.name)
def test_the_answers_cover_every_question_about_the_file_system(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = copy_site(site, tmp_path / "root")
    run_rules(load(root), TODAY)  # loads the modules
    with watch_file_system(monkeypatch) as paths, record_answers() as answers:
        run_rules(load(root), TODAY)
    recorded = {path for _, path in answers.by_question}
    targets = {path for question, path in answers.by_question if question is FileQuestion.TARGET}
    below = {path for path in paths if path.startswith(f"{root}/")}
    assert len(below) > 20
    # To follow the links of a path, Python asks about each of its parts.
    parts = {str(part) for path in targets for part in (Path(path), *Path(path).parents)}
    assert below - recorded - parts == set()


def edit_at_random(root: Path, choice: random.Random) -> None:
    """Change, add, move or delete a file, or change its mode."""
    files = [
        path for path in sorted(root.rglob("*")) if path.is_file() and path != root / "mkdocs.yml"
    ]
    file, other = choice.choice(files), choice.choice(files)
    match choice.randrange(11):
        case 0:
            file.unlink()
        case 1:
            file.rename(file.with_name(f"moved-{file.name}"))
        case 2:
            file.with_name(f"{choice.randrange(99):04}-copy{file.suffix}").write_bytes(
                other.read_bytes()
            )
        case 3:
            file.chmod(file.stat().st_mode ^ 0o100)
        case 4:
            file.with_name(f"link-{file.name}").unlink(missing_ok=True)
            file.with_name(f"link-{file.name}").symlink_to(other)
        case 5:
            content = file.read_bytes()
            status = file.stat()
            file.write_bytes(content.swapcase())
            # The size and the time stay the same, as after the checkout of an archive.
            os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        case 6:
            settings = root / "mkdocs.yml"
            settings.write_bytes(settings.read_bytes() + b"# A comment.\n")
        case 7 | 8:
            # A line of another file is often a heading, a reference, a date or a status.
            lines = file.read_bytes().split(b"\n")
            new_line = choice.choice(other.read_bytes().split(b"\n"))
            lines.insert(choice.randrange(len(lines)), new_line)
            file.write_bytes(b"\n".join(lines))
        case 9:
            content = file.read_bytes()
            words = (b"accepted", b"superseded", b"2026", b"2027", b"ADR-0001", b"ADR-0002")
            file.write_bytes(content.replace(choice.choice(words), choice.choice(words)))
        case _:
            lines = file.read_bytes().split(b"\n")
            del lines[choice.randrange(len(lines))]
            file.write_bytes(b"\n".join(lines))


@pytest.mark.fuzz
@pytest.mark.parametrize("site", [SMALL, BROKEN, FORMS], ids=lambda site: site.name)
def test_no_edit_changes_only_one_of_both_results(
    site: Path, folder: Path, check: Any, tmp_path: Path
) -> None:
    root = copy_site(site, tmp_path / "root")
    choice = random.Random(30)  # noqa: S311 - the edits are no secret
    for number in range(EDITS):
        edit_at_random(root, choice)
        day = ("--today", str(TODAY + timedelta(choice.choice((-400, 0, 0, 0, 1, 400)))))
        cold = check(root, "--no-cache", *day)
        assert check(root, *day) == cold, f"edit {number}"
        assert check(root, *day) == cold


@pytest.mark.parametrize("folder_name", ["docs/services", "adr", "docs"])
def test_a_deleted_folder_is_a_change(
    folder_name: str, root: Path, folder: Path, check: Any
) -> None:
    check(root)
    shutil.rmtree(root / folder_name)
    assert check(root) == check(root, "--no-cache")


def test_damaged_files_are_not_used(root: Path, folder: Path, check: Any) -> None:
    cold = check(root, "--no-cache")  # parses the provided pages, once for each process
    assert check(root) == cold
    good_files = {file: file.read_bytes() for file in folder.iterdir()}
    assert len(good_files) == 2
    for file, good in good_files.items():
        changed = bytearray(good)
        changed[len(good) // 2] ^= 1
        bodies = [b"[]", b"{}", json.dumps({"key": [], "answers": []}).encode()]
        foreign = [cache._hash(body).encode() + body for body in bodies]
        for content in (b"", good[:9], good + b" ", bytes(changed), b"\x80\x04.", *foreign):
            file.write_bytes(content)
            for report in list_reports(folder) if file.name.endswith("-results") else ():
                report.unlink()
            assert check(root) == cold
            assert {file: file.read_bytes() for file in folder.iterdir()} == good_files


def test_another_installation_or_day_does_not_use_the_report(
    root: Path, folder: Path, check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(root)
    assert cache.CheckCache(root, TODAY, ("", "", "")).find_report()
    assert not cache.CheckCache(root, TODAY.replace(day=24), ("", "", "")).find_report()
    monkeypatch.setattr("sys.version", "another")
    assert not cache.CheckCache(root, TODAY, ("", "", "")).find_report()


@pytest.mark.parametrize("variable", ["true", "1", "woodpecker"])
def test_ci_does_not_use_the_cache(
    variable: str, root: Path, folder: Path, check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", variable)
    check(root)
    assert not folder.exists()


def test_a_folder_that_others_can_write_to_is_not_used(
    root: Path, folder: Path, check: Any
) -> None:
    check(root)
    folder.chmod(0o777)
    assert not cache.CheckCache(root, TODAY, ("", "", "")).find_report()


@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "HOME"])
def test_without_a_folder_the_check_still_works(
    variable: str, root: Path, folder: Path, check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv(variable, os.devnull)
    assert check(root) == check(root, "--no-cache")


def test_the_oldest_reports_are_deleted(
    root: Path, folder: Path, check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(root)
    (first,) = list_reports(folder)
    size = sum(file.stat().st_size for file in folder.iterdir())
    monkeypatch.setattr(cache, "BUDGET", size + first.stat().st_size // 2 * 3)
    check(root, "--select", "FM")
    (second,) = {*list_reports(folder)} - {first}
    os.utime(first, (1, 1))
    os.utime(second, (2, 2))
    check(root)  # uses the first report
    check(root, "--select", "MD")
    assert first in list_reports(folder)
    assert second not in list_reports(folder)
    assert len(list_reports(folder)) == 2


def test_a_change_of_one_file_does_not_repeat_the_judgement_of_the_others(
    root: Path, folder: Path, check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "```bash\nfor id in $(jq .id); do echo; done\n```\n"
    files = [root / f"docs/{name}.md" for name in ("one", "two")]
    for file in files:
        file.write_text(f"# Title\n\n{script}", encoding="utf-8")
    check(root)
    monkeypatch.setattr(shell, "_Run", lambda _: pytest.fail("shellcheck runs again"))
    shell.start_shell_check.cache_clear()
    judged: list[str] = []
    rule = find_rule("text-under-table")
    assert rule

    def judge(document: Document) -> Iterator[Finding]:
        judged.append(document.path)
        return iter(())

    monkeypatch.setitem(_registered, rule.code, replace(rule, check=judge))
    files[0].write_text(f"# Another title\n\n{script}", encoding="utf-8")
    check(root)
    assert "docs/one.md" in judged
    assert "docs/two.md" not in judged


def test_a_change_of_the_settings_repeats_all_judgements(root: Path) -> None:
    def is_judged(day: date) -> bool:
        handbook = load(root)
        page = handbook.documents["docs/index.md"]
        return page in Context(handbook, day).select_judged("MD002", handbook.of(Document))

    with use_results(KeptResults()) as results:
        run_rules(load(root), TODAY)
    with use_results(KeptResults(known_rules=results.rules)):
        assert not is_judged(TODAY)
        with (root / "mkdocs.yml").open("a", encoding="utf-8") as settings:
            settings.write("# A comment.\n")
        assert is_judged(TODAY)


def judge_twice(root: Path, ask: Callable[[Context], object], day: date) -> list[str]:
    """Check twice, the second time on a day, with a rule that asks `ask` of the context.

    Return the paths of the documents that the rule judges in the second check.
    """
    judged: list[str] = []

    def judge(document: Document, context: Context) -> Iterator[Finding]:
        judged.append(document.path)
        ask(context)
        return iter(())

    rule = find_rule("missing-title")
    assert rule
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setitem(_registered, rule.code, replace(rule, check=judge))
        with use_results(KeptResults()) as results:
            run_rules(load(root), TODAY)
        judged.clear()
        with use_results(KeptResults.from_json(json.loads(json.dumps(results.to_json())))):
            run_rules(load(root), day)
    return judged


@pytest.mark.parametrize(
    ("ask", "day", "is_judged"),
    [
        (lambda context: None, TOMORROW, False),
        (lambda context: context.handbook.settings.organisation, TOMORROW, False),
        (lambda context: context.handbook.documents, TODAY, True),
        (lambda context: context.base, TODAY, True),
        (lambda context: context.today, TODAY, False),
        (lambda context: context.today, TOMORROW, True),
    ],
)
def test_a_rule_judges_an_old_text_if_it_asked_for_more_than_the_text(
    ask: Callable[[Context], object], day: date, is_judged: bool, root: Path
) -> None:
    assert bool(judge_twice(root, ask, day)) is is_judged


def test_a_result_of_a_day_is_kept_for_the_third_check(root: Path) -> None:
    results = KeptResults()
    for _ in range(3):
        with use_results(KeptResults.from_json(results.to_json())) as new:
            run_rules(load(root), TODAY)
        assert results.rules in ({}, new.rules)
        results = new
    assert any(str(TODAY) in codes for codes in results.rules.values())


def test_a_change_of_one_file_does_not_parse_the_others(
    root: Path, folder: Path, check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(root)
    (record, *_) = sorted((root / "adr").glob("0*.md"))
    record.write_text(record.read_text(encoding="utf-8") + "\nMore.\n", encoding="utf-8")
    parsed: list[str] = []

    def read(path: str, text: str, first_line: int) -> Body:
        parsed.append(path)
        return read_body(path, text, first_line)

    monkeypatch.setattr("handbook.reading.outline.read_body", read)
    monkeypatch.setattr("handbook.reading.source.read_body", read)
    cold = check(root, "--no-cache")
    assert len(parsed) > 20
    parsed.clear()
    assert check(root) == cold
    assert record.relative_to(root).as_posix() in parsed
    assert len(parsed) < 5


@pytest.mark.parametrize("site", [SMALL, BROKEN, FORMS, ROOT], ids=lambda site: site.name)
def test_an_outline_gives_the_same_parts_as_the_body(site: Path) -> None:
    outlines = 0
    for document in load(site).documents.values():
        source = document.source
        body = read_body(source.path, source.body, source.body_line)
        outline = make_outline(body)
        if outline is None:
            assert any(heading.parent for heading in body.headings)
            continue
        outlines += 1
        outlined = OutlinedBody(
            source.path, source.body, source.body_line, json.loads(json.dumps(outline))
        )
        for name in ("links", "mentions", "undefined_links", "has_html", "item_ids"):
            assert getattr(outlined, name) == getattr(body, name), name
        assert list(map(astuple, outlined.headings)) == list(map(astuple, body.headings))
        assert [type(block) for block in outlined.blocks] == [type(block) for block in body.blocks]
        headings = [block for block in outlined.blocks if isinstance(block, Heading)]
        assert [*map(id, headings)] == [*map(id, outlined.headings)]
    assert outlines > 5


def test_unreadable_settings_give_no_result_for_documents(root: Path) -> None:
    with (root / "mkdocs.yml").open("a", encoding="utf-8") as settings:
        settings.write("site_name: [\n")
    with use_results(KeptResults()) as results:
        run_rules(load(root), TODAY)
    assert results.rules == {}


def test_a_file_that_changes_during_the_check_leaves_no_result(
    root: Path, folder: Path, check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Path.read_bytes

    def read_and_change(path: Path) -> bytes:
        content = read(path)
        if path.name == "mkdocs.yml" and path.parent == root:
            path.write_bytes(content + b"#\n")
        return content

    monkeypatch.setattr(Path, "read_bytes", read_and_change)
    check(root)
    assert not folder.exists()


def start_check(root: Path) -> int:
    """Start a check in another process, and return the id of the process."""
    process = os.fork()
    if process == 0:
        try:
            os._exit(main(["check", "--root", str(root), "--output", os.devnull]))
        finally:
            os._exit(3)
    return process


def kill_at_size(root: Path, size: int) -> int:
    """Kill a check when it writes more than `size` bytes to a file. Return the signal, or 0."""
    process = os.fork()
    if process == 0:
        try:
            sys.dont_write_bytecode = True
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
            arguments = ("--root", str(root), "--today", TODAY.isoformat(), "--output", os.devnull)
            os._exit(main(["check", *arguments]))
        finally:
            os._exit(3)
    _, status = os.waitpid(process, 0)
    return os.WTERMSIG(status)


def test_a_kill_during_a_write_leaves_the_files_of_the_last_check(
    root: Path, folder: Path, check: Any
) -> None:
    check(root)
    files = {file: file.read_bytes() for file in folder.iterdir()}
    (root / "docs/new.md").write_text("# New\n\nTODO\n", encoding="utf-8")
    for size in (0, 100, 5000):
        assert kill_at_size(root, size) == signal.SIGXFSZ
        assert {file: file.read_bytes() for file in files} == files
    # The killed process wrote one of the files as a whole, and was killed in the next.
    largest = max(map(len, files.values()))
    assert kill_at_size(root, largest // 2) == signal.SIGXFSZ
    assert check(root) == check(root, "--no-cache")


@pytest.mark.fuzz
def test_killed_processes_leave_no_wrong_report(root: Path, folder: Path, check: Any) -> None:
    choice = random.Random(30)  # noqa: S311 - the edits are no secret
    for _ in range(KILLS):
        edit_at_random(root, choice)
        processes = [start_check(root), start_check(root)]
        time.sleep(choice.uniform(0, 0.3))
        for process in processes:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
        assert check(root) == check(root, "--no-cache")
