"""`handbook init`, and the site of a handbook that has no pages of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest
import yaml

import handbook
from handbook.authoring import init
from handbook.authoring.init import make_files
from handbook.cli import main
from handbook.loading import load
from handbook.provided_pages import PROVIDED_PATHS
from handbook.settings import read_settings
from tests.commands import run
from tests.handbooks import ROOT, format_findings, report, write
from tests.repositories import run_git

ARGUMENTS = ("--name", "Our handbook", "--url", "https://handbook.example/", "--team", "a-team")
NAMES = ['It\'s "ours": #1', "Ünïcödé — 手册", "null", "{{ home() }}", "[[url]] <b>&amp;", "- a: b"]
MINIMAL = (
    "site_name: A\nsite_url: https://a.example/\ntheme: {name: material}\nplugins: [handbook]\n"
)


def start(root: Path, *arguments: str) -> Path:
    """Start a handbook in a folder, and return the folder."""
    assert main(["init", str(root), *(arguments or ARGUMENTS)]) == 0
    return root


def read_files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def test_a_new_handbook_is_green_and_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = start(tmp_path / "new/handbook")
    assert main(["check", "--root", str(root), "--strict"]) == 0
    files = read_files(root)
    out = capsys.readouterr().out
    assert {f"wrote {path}" for path in files} == set(out.splitlines()[: len(files)])
    assert files["requirements.txt"].endswith(
        f"\nhandbook[site]=={handbook.__version__}\n".encode()
    )
    assert len(files["mkdocs.yml"].splitlines()) <= 35
    assert not load(root).records


def test_it_works_in_the_current_folder_and_keeps_existing_files(tmp_path: Path) -> None:
    write(tmp_path, {"README.md": "Ours.\n", ".github/CODEOWNERS": ""})
    (tmp_path / ".gitignore").symlink_to("missing")
    answer = run("handbook", "init", *ARGUMENTS, cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    kept = [line for line in answer.stdout.splitlines() if line.startswith("kept ")]
    assert kept == ["kept README.md", "kept .gitignore", "kept .github/CODEOWNERS"]
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "Ours.\n"
    assert not (tmp_path / "missing").exists()
    assert (tmp_path / "mkdocs.yml").is_file()


def test_a_second_run_only_says_what_it_would_add(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = start(tmp_path)
    (root / "requirements.txt").unlink()
    before = read_files(root)
    capsys.readouterr()
    start(root, "--name", "Other", *ARGUMENTS[2:])
    out = capsys.readouterr().out
    assert "would add requirements.txt\nkept mkdocs.yml\n" in out
    assert "wrote" not in out
    assert read_files(root) == before


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_read_as_it_was_written(name: str, tmp_path: Path) -> None:
    root = start(tmp_path, "--name", name, *ARGUMENTS[2:], "--team", "on", "--team", "a-team")
    settings = read_settings(root)
    assert settings.site_name == name
    assert yaml.safe_load((root / "mkdocs.yml").read_text("utf-8"))["site_name"] == name
    assert list(settings.organisation.teams) == ["a-team", "on"]
    assert format_findings(report(root).findings) == []


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--name", " ", "--name is empty"),
        ("--name", "two\nlines", "--name has a line break"),
        ("--name", "TODO", "the check would reject the settings: placeholder 'TODO'"),
        ("--url", "handbook.example", "invalid --url 'handbook.example': it does not begin with"),
        ("--url", "ftp://handbook.example", "it does not begin with https://"),
        ("--url", "https://me@handbook.example/", "it has a user name"),
        ("--url", "https://handbook.example/?a", "it has a query or a fragment"),
        ("--url", "https://hand book.example/", "not a valid address"),
        ("--team", "A Team", "invalid --team 'A Team'"),
        ("--team", "-a", "invalid --team '-a'"),
        ("--team", "1st", "invalid --team '1st'"),
    ],
)
def test_a_wrong_value_writes_nothing(
    option: str, value: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [f"{option}={value}" if argument == option else argument for argument in ARGUMENTS]
    del arguments[arguments.index(f"{option}={value}") + 1]
    assert main(["init", str(tmp_path / "new"), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("option", ["--name", "--url", "--team"])
def test_the_name_the_address_and_a_team_are_required(option: str, tmp_path: Path) -> None:
    position = ARGUMENTS.index(option)
    with pytest.raises(SystemExit) as error:
        main(["init", str(tmp_path), *ARGUMENTS[:position], *ARGUMENTS[position + 2 :]])
    assert error.value.code == 2
    assert not read_files(tmp_path)


def test_all_files_are_written_or_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, {".github": "a file\n"})
    assert main(["init", str(tmp_path), *ARGUMENTS]) == 2
    assert ".github" in capsys.readouterr().err
    assert list(read_files(tmp_path)) == [".github"]
    assert main(["init", str(tmp_path / ".github"), *ARGUMENTS]) == 2


def test_the_starter_of_github_is_valid_and_zizmor_finds_nothing(tmp_path: Path) -> None:
    root = start(tmp_path)
    workflows = sorted(map(str, root.glob(".github/workflows/*")))
    run_git(root, "init", "--quiet")
    commands = [
        ("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows),
        ("check-jsonschema", "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml"),
        ("zizmor", "--offline", "--quiet", "--persona", "pedantic", ".github"),
        ("actionlint", "-no-color", *workflows),
        ("pre-commit", "validate-config"),
    ]
    for command in commands:
        answer = run(*command, cwd=root)
        assert answer.returncode == 0, answer.stdout


def test_the_starter_pins_the_actions_of_this_repository_with_least_privilege() -> None:
    files = make_files("A", "https://a.example/", ["a-team"])
    workflows = [data.decode() for path, data in files.items() if "workflows/" in path]
    own = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / ".github/workflows").iterdir()
    )
    pins = re.findall(r"uses: (\S+@[0-9a-f]{40} # v\S+)", "".join(workflows))
    assert len(pins) == "".join(workflows).count("uses:")
    assert set(pins) <= set(re.findall(r"uses: (\S+@[0-9a-f]{40} # v\S+)", own))
    permissions = {}
    for workflow in workflows:
        assert "secrets." not in workflow
        assert not re.search(r"\bmake\b|\.venv|runbooks/", workflow)
        document = yaml.safe_load(workflow)
        assert document["permissions"] == {}
        for name, job in document["jobs"].items():
            assert job["timeout-minutes"] <= 30
            permissions[name] = job["permissions"]
    assert permissions == {
        "check": {"contents": "read"},
        "build": {"contents": "read"},
        "deploy": {"pages": "write", "id-token": "write"},
        "strict": {"contents": "read", "issues": "write"},
        "links": {"contents": "read", "issues": "write"},
    }


def test_a_pull_request_is_checked_as_by_the_action() -> None:
    """The workflow of the starter gives `handbook check` the same options as action.yml."""
    workflow = make_files("A", "https://a.example/", ["a-team"])[".github/workflows/check.yml"]
    steps = yaml.safe_load(workflow)["jobs"]["check"]["steps"]
    (command,) = [step["run"] for step in steps if "handbook check" in step.get("run", "")]
    action = (ROOT / "action.yml").read_text(encoding="utf-8")
    options = '--format github --summary "$GITHUB_STEP_SUMMARY"'
    assert f"options=({options})" in action
    assert command == f'handbook check {options} ${{BASE:+--base "origin/$BASE"}}'


def test_the_hooks_of_the_starter_are_those_of_the_package() -> None:
    files = make_files("A", "https://a.example/", ["a-team"])
    hooks = yaml.safe_load(files[".pre-commit-config.yaml"])["repos"][0]["hooks"]
    manifest = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    own = ("additional_dependencies", "description", "stages")
    assert [without(hook, own) for hook in hooks] == [without(hook, own) for hook in manifest]
    for hook in hooks:
        assert hook["additional_dependencies"] == [f"handbook=={handbook.__version__}"]


def without(hook: dict[str, object], keys: Collection[str]) -> dict[str, object]:
    """Return a hook without some keys."""
    return {key: value for key, value in hook.items() if key not in keys}


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (None, f"=={handbook.__version__}"),
        ({"url": "file:///srv/a.whl", "archive_info": {}}, f"=={handbook.__version__}"),
        (
            {"url": "file:///srv/a", "vcs_info": {"vcs": "git", "commit_id": "0a1b"}},
            f"=={handbook.__version__}",
        ),
        (
            {"url": "https://git.example/a", "vcs_info": {"vcs": "git", "commit_id": "0a1b"}},
            " @ git+https://git.example/a@0a1b",
        ),
    ],
)
def test_the_starter_names_the_engine_that_wrote_it(
    origin: object, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that pip installed from Git is named with its commit, a local file never."""
    folder = write(tmp_path, {"METADATA": "Name: handbook\nVersion: 1\n"})
    if origin:
        write(folder, {"direct_url.json": json.dumps(origin)})
    monkeypatch.setattr(init, "distribution", lambda name: PathDistribution(folder))
    files = make_files("A", "https://a.example/", ["a-team"])
    assert files["requirements.txt"].decode().endswith(f"\nhandbook[site]{expected}\n")
    hooks = yaml.safe_load(files[".pre-commit-config.yaml"])["repos"][0]["hooks"]
    assert hooks[0]["additional_dependencies"] == [f"handbook{expected}"]


def test_a_page_of_the_repository_replaces_a_provided_page(tmp_path: Path) -> None:
    page = "---\nmoved_from: [/search/]\n---\n# Ours\n"
    write(
        tmp_path,
        {
            "mkdocs.yml": MINIMAL,
            "docs/actions/index.md": "# Ours\n",
            "docs/README.md": "# Ours\n\n[Checklist](checklist.md), [decisions](../adr/index.md)\n",
            "docs/ours.md": page,
        },
    )
    assert set(PROVIDED_PATHS) - load(tmp_path).provided == {
        "docs/actions.md",
        "docs/index.md",
        "docs/search.md",
    }
    assert format_findings(report(tmp_path).findings) == []


def test_links_to_provided_pages_are_checked(tmp_path: Path) -> None:
    links = "[a](how-to/add-a-runbook.md#add-a-runbook), [b](how-to/add-a-runbook.md#gone)"
    nav = "nav: [index.md, checklist.md, checklists.md, ours.md]\n"
    write(tmp_path, {"mkdocs.yml": MINIMAL + nav, "docs/ours.md": f"# Ours\n\n{links}\n"})
    assert format_findings(report(tmp_path).findings) == [
        "docs/ours.md:3:45:LNK003",
        "mkdocs.yml:5:31:FM024",
    ]


def test_a_repository_without_the_plugin_has_no_provided_pages(tmp_path: Path) -> None:
    write(tmp_path, {"mkdocs.yml": "site_name: A\n", "docs/a.md": "# A\n\n[b](checklist.md)\n"})
    assert format_findings(report(tmp_path).findings) == ["docs/a.md:3:1:LNK001"]


def test_provided_pages_have_no_findings(tmp_path: Path) -> None:
    write(tmp_path, {"mkdocs.yml": MINIMAL})
    assert load(tmp_path).provided == frozenset(PROVIDED_PATHS)
    assert format_findings(report(tmp_path).findings) == []


@pytest.mark.build
def test_the_build_needs_no_macros_plugin_and_reports_unrendered_calls(tmp_path: Path) -> None:
    page = "# A page\n\nText.\n\nSee {{ home() }}, `{{ home() }}` and {{ range(3) }}.\n"
    settings = f"{MINIMAL}exclude_docs: /checklist.md\n"
    files = {"mkdocs.yml": settings, "docs/page.md": page, "docs/checklist.md": "# Hidden\n"}
    write(tmp_path, files)
    build = run("handbook", "build", cwd=tmp_path)
    assert build.returncode == 1
    assert (
        "docs/page.md:5:5: LNK110 error: macro call '{{ home() }}' as text on /page/"
        in build.stderr
    )
    assert build.stderr.count(" error: ") == 1
    write(
        tmp_path, {"docs/page.md": "---\nmarkdown: material\n---\n# A page\n\n!!! note\n    Text\n"}
    )
    assert run("handbook", "build", cwd=tmp_path).returncode == 0
    assert 'class="admonition note"' in (tmp_path / "site/page/index.html").read_text(
        encoding="utf-8"
    )
    tabs = re.findall(
        r'md-tabs__link">\s*([^<]+?)\s*<',
        (tmp_path / "site/index.html").read_text(encoding="utf-8"),
    )
    kinds = ["Standards", "Decisions", "Runbooks", "Post-mortems", "Services"]
    assert tabs == ["The handbook", *kinds, "A page", "Teams"]
