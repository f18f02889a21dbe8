"""The files of the repository are consistent: locks, workflows, hooks and documents."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from handbook.cli.program import COMMANDS
from handbook.reporters.text import text
from tests.commands import BIN, make_offline_environment, run
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
    assert len(packages) > 20
    assert all("==" in package for package in packages)
    assert text.count("--hash=sha256:") >= len(packages)
    assert not re.search(r"https?:|--index|--find-links|--extra", text)


def test_both_locks_pin_the_same_version_of_a_shared_package() -> None:
    site, test = (
        dict(re.findall(r"^([a-z0-9.-]+)==([^\s;]+)", lock.read_text(), re.MULTILINE))
        for lock in LOCKS
    )
    assert {name: version for name, version in site.items() if test.get(name) != version} == {}


def test_the_required_packages_are_locked() -> None:
    site, test = (lock.read_text(encoding="utf-8") for lock in LOCKS)
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


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_a_workflow_has_least_privilege_a_timeout_and_pinned_actions(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    assert document["permissions"] == {}
    assert "concurrency" in document
    for job in document["jobs"].values():
        assert job["timeout-minutes"] <= 30
        assert "permissions" in job
    for action in re.findall(r"uses: (\S+)", text):
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
    for workflow in WORKFLOWS:
        assert (
            set(re.findall(r"uses: (.+)$", workflow.read_text(encoding="utf-8"), re.MULTILINE))
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


def test_every_command_of_the_readme_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    used = set(re.findall(r"(?:^|`)make ([a-z]+)", readme, re.MULTILINE))
    assert {"site", "test"} <= used <= targets
    commands = set(re.findall(r"`(?:.venv/bin/)?handbook ([a-z]+)", readme))
    assert {"check", "new"} <= commands <= set(COMMANDS)


def test_every_link_of_a_document_has_a_target() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
            assert (ROOT / target).exists(), f"{name}: {target}"


def test_no_file_contains_a_local_path_or_a_registry() -> None:
    forbidden = re.compile(
        "|".join(
            (
                "/" + r"root/",
                "/" + r"home/\w",
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
