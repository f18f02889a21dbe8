"""The files of the repository are consistent: locks, workflows, hooks and documents."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from handbook.reporters.text import text
from tests.__main__ import (
    CONTENT,
    ENGINE_PARTS,
    PARTS,
    STYLE,
    has_quick_memory,
    list_commands,
    main,
)
from tests.commands import BIN, make_offline_environment, run
from tests.conftest import GROUPS
from tests.handbooks import CORPORA, ROOT, SMALL, copy_package, copy_site, replace_once, report
from tests.repositories import create_repository
from tests.vague_names import CODE, python_files, vague_share

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def list_tracked_files() -> list[Path]:
    """Return the files of the repository that Git tracks."""
    output = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [ROOT / name for name in output.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_every_package_with_hashes_and_names_no_host(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    packages = re.findall(r"^[a-z0-9][^\s#]*", text, re.MULTILINE)
    assert packages
    assert all("==" in package for package in packages)
    assert text.count("--hash=sha256:") >= len(packages)
    assert not re.search(r"https?:|--index|--find-links|--extra", text)


def read_locks() -> tuple[str, str]:
    """Return the texts of the locks of the site and of its tests."""
    folder = ROOT / "requirements"
    return (folder / "site.txt").read_text("utf-8"), (folder / "test.txt").read_text("utf-8")


def test_both_locks_pin_the_same_version_of_a_shared_package() -> None:
    site, test = (
        dict(re.findall(r"^([a-z0-9.-]+)==([^\s;]+)", lock, re.MULTILINE)) for lock in read_locks()
    )
    assert {name: version for name, version in site.items() if test.get(name) != version} == {}


def test_the_required_packages_are_locked() -> None:
    site, test = read_locks()
    required = (
        "mkdocs",
        "mkdocs-material",
        "mkdocs-macros-plugin",
        "pyyaml",
        "python-frontmatter",
        "jinja2",
        "linkchecker",
    )
    for name in required:
        assert re.search(rf"^{name}==", site, re.MULTILINE), name
    assert re.search(r"^pytest==", test, re.MULTILINE)


def test_workflows_are_valid_and_zizmor_finds_nothing() -> None:
    schema = ["--builtin-schema", "vendor.github-workflows"]
    valid = run("check-jsonschema", *schema, *map(str, WORKFLOWS), cwd=ROOT)
    assert valid.returncode == 0, valid.stdout
    audit = run("zizmor", "--offline", "--quiet", "--persona", "pedantic", ".github", cwd=ROOT)
    assert audit.returncode == 0, audit.stdout
    lint = run("actionlint", "-no-color", *map(str, WORKFLOWS), cwd=ROOT)
    assert lint.returncode == 0, lint.stdout


def read_jobs(name: str) -> dict[str, Any]:
    """Return the jobs of a workflow of this repository."""
    workflow = yaml.safe_load((ROOT / ".github/workflows" / name).read_text(encoding="utf-8"))
    jobs: dict[str, Any] = workflow["jobs"]
    return jobs


def test_the_workflow_runs_every_part_of_the_tests() -> None:
    assert read_jobs("check.yml")["test"]["strategy"]["matrix"]["part"] == list(PARTS)


def test_the_parts_of_the_engine_skip_the_content_tests() -> None:
    assert set(PARTS) - set(ENGINE_PARTS) == {"samples"}
    tests, *style = list_commands(ENGINE_PARTS, CONTENT)
    assert {f"--ignore={folder}" for folder in CONTENT} <= set(tests)
    assert len(style) == len(STYLE)
    assert main(["--engine", "samples"]) == 2
    assert main(["--engine"]) == 2


@pytest.mark.parametrize(
    ("blocks", "flags", "variables", "is_used"),
    [
        (2_000_000, 0, {}, True),
        (10_000, 0, {}, False),
        (2_000_000, os.ST_NOEXEC, {}, False),
        (2_000_000, 0, {"TMPDIR": "/var/tmp"}, False),  # noqa: S108 - nothing is written
    ],
    ids=["room", "no room", "no programs", "folder of the user"],
)
def test_files_of_the_tests_are_in_memory_if_it_has_room(
    blocks: int,
    flags: int,
    variables: dict[str, str],
    is_used: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.__main__.MEMORY", tmp_path)
    monkeypatch.setattr(
        os, "statvfs", lambda _: SimpleNamespace(f_bavail=blocks, f_frsize=4096, f_flag=flags)
    )
    monkeypatch.setattr(os, "environ", variables)
    assert has_quick_memory() == is_used


def test_the_groups_name_existing_files() -> None:
    """Otherwise each process would build the fixture that a group shares.

    A fork has no content tests.
    """
    is_fork = not (ROOT / "tests/content").is_dir()
    files = [file for file in GROUPS if not (is_fork and file.startswith("tests/content/"))]
    assert [file for file in files if not (ROOT / file).is_file()] == []


def test_no_test_of_the_engine_reads_the_records_of_this_repository() -> None:
    """The fixture of the real site is in tests/content, so that only the content tests have it."""
    for file in (ROOT / "tests").glob("**/test_*.py"):
        if not file.relative_to(ROOT).as_posix().startswith(CONTENT):
            text = file.read_text(encoding="utf-8")
            assert not re.search(r"\b(?:load|report|read_settings)\(ROOT\b", text), file


def test_publishing_waits_for_the_check_and_the_tests() -> None:
    jobs = read_jobs("publish.yml")
    assert jobs["check"]["uses"] == "$/.github/workflows/check.yml"
    assert set(jobs["deploy"]["needs"]) == {"check", "build"}


def test_a_pull_request_of_a_fork_gets_the_site_without_a_secret() -> None:
    workflow = (ROOT / ".github/workflows/check.yml").read_text(encoding="utf-8")
    assert "secrets." not in workflow
    assert "pull_request_target" not in workflow
    for job in read_jobs("check.yml").values():
        assert job["permissions"] == {"contents": "read"}
    uploads = [
        step["with"]["path"]
        for step in read_jobs("check.yml")["site"]["steps"]
        if "upload-artifact" in step.get("uses", "")
    ]
    assert uploads == ["site"]


def test_dependabot_updates_every_lock_file_after_a_cool_down() -> None:
    file = ".github/dependabot.yml"
    valid = run("check-jsonschema", "--builtin-schema", "vendor.dependabot", file, cwd=ROOT)
    assert valid.returncode == 0, valid.stdout
    updates = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))["updates"]
    folders = {
        (update["package-ecosystem"], folder)
        for update in updates
        for folder in update.get("directories", [update.get("directory")])
    }
    locks = {
        ("npm", f"/{path.parent.relative_to(ROOT).as_posix()}")
        for path in list_tracked_files()
        if path.name == "package-lock.json" and not path.is_relative_to(ROOT / "docs")
    }
    assert folders == {("github-actions", "/"), ("pip", "/requirements"), *locks}
    for update in updates:
        assert update["schedule"]["interval"] == "weekly"
        assert update["cooldown"]["default-days"] >= 7


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_a_workflow_has_least_privilege_a_timeout_and_pinned_actions(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    assert document["permissions"] == {}
    assert "concurrency" in document
    for job in document["jobs"].values():
        assert "uses" in job or job["timeout-minutes"] <= 30
        assert "permissions" in job
    for action in re.findall(r"uses: ([^$\s]\S+)", text):
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action), action


def test_actions_are_pinned_as_in_the_list() -> None:
    pins = CORPORA.parent / "content/actions.tsv"
    if not pins.is_file():
        pytest.skip("missing list of pinned actions")
    pinned = {
        f"{name}@{commit} # {version}"
        for name, version, commit in (
            line.split("\t") for line in pins.read_text(encoding="utf-8").splitlines()[1:]
        )
    }
    for workflow in (*WORKFLOWS, ROOT / "action.yml"):
        assert (
            set(re.findall(r"uses: ([^$].+)$", workflow.read_text(encoding="utf-8"), re.MULTILINE))
            <= pinned
        )


def test_the_hooks_are_valid() -> None:
    assert run("pre-commit", "validate-config", cwd=ROOT).returncode == 0
    assert run("pre-commit", "validate-manifest", cwd=ROOT).returncode == 0


@pytest.mark.build
def test_another_repository_can_use_the_hooks(tmp_path: Path) -> None:
    """pre-commit installs the hooks of this repository in one that contains only records.

    The command `handbook` is not on PATH. The packages that pip would fetch come from this
    environment.
    """
    site = create_repository(copy_site(SMALL, tmp_path / "records"))
    hooks = create_repository(copy_package(tmp_path / "hooks"))
    folders = [
        folder
        for folder in os.environ["PATH"].split(os.pathsep)
        if not (Path(folder) / "handbook").exists()
    ]
    environment = make_offline_environment(
        PATH=os.pathsep.join(folders),
        PRE_COMMIT_HOME=str(tmp_path / "home"),
        GIT_CONFIG_GLOBAL=os.devnull,
    )

    def try_hook(hook: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(BIN / "pre-commit"), "try-repo", str(hooks), hook, "--all-files"],
            cwd=site,
            env=environment,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    replace_once(site, "status: superseded", "status: superceded")
    bad = try_hook("handbook")
    assert (bad.returncode, "did you mean 'superseded'?" in bad.stdout) == (1, True), bad.stdout
    fix = try_hook("handbook-fix")
    assert (fix.returncode, "files were modified by this hook" in fix.stdout) == (1, True)
    good = try_hook("handbook")
    assert (good.returncode, "Passed" in good.stdout) == (0, True), good.stdout + good.stderr


def test_the_editor_parses_the_report(tmp_path: Path) -> None:
    task = json.loads((ROOT / ".vscode/tasks.json").read_text(encoding="utf-8"))["tasks"][0]
    pattern = task["problemMatcher"]["pattern"]
    root = copy_site(SMALL, tmp_path / "handbook")
    replace_once(root, "status: superseded", "status: superceded")
    printed = text(report(root)).splitlines()
    (match,) = filter(None, (re.fullmatch(pattern["regexp"], line) for line in printed))
    read = {key: match[group] for key, group in pattern.items() if key != "regexp"}
    assert read["message"].startswith("unknown value 'superceded' for 'status'")
    assert (read["file"], read["line"], read["column"]) == (
        "adr/0001-keep-orders-in-sqlite.md",
        "2",
        "9",
    )
    assert (read["code"], read["severity"]) == ("FM005", "error")


def test_no_file_contains_a_local_path_or_a_registry() -> None:
    forbidden = re.compile(
        "|".join(
            (
                "/" + r"root/",
                r"(?<!\w)/" + r"home/\w",
                "/" + "work/",
                "pypi" + r"\.org",
                "registry" + r"\.npmjs",
            )
        )
    )
    for file in list_tracked_files():
        if file.suffix.lower() in (".png", ".ico"):
            continue
        match = forbidden.search(file.read_text(encoding="utf-8"))
        assert not match, f"{file.relative_to(ROOT)}: {match and match[0]}"


def test_the_change_log_has_the_version() -> None:
    import handbook

    assert f"## [{handbook.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_names_say_what_they_hold() -> None:
    share, vague = vague_share(python_files(ROOT / folder for folder in CODE))
    assert share < 0.02, vague.most_common()
