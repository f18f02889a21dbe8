"""`--base` names each file and folder that Git cannot compare."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from handbook.history.base import read_base
from handbook.history.git import RevisionError
from handbook.loading import load
from handbook.rules.engine import run
from tests.handbooks import ADR, SETTINGS, TODAY, write
from tests.repositories import commit_all, create_repository, run_git

pytestmark = pytest.mark.history

DECISION = "adr/0001-a.md"
SERVICE = "---\nowner: order-team\n---\n# Shop\n\n## Runbooks\n"
FILES: dict[str, str | bytes] = {
    "mkdocs.yml": SETTINGS,
    "adr/0001-a.md": ADR,
    "adr/0002-b.md": ADR,
    "docs/index.md": "# Home\n",
    "docs/more/page.md": "# More\n",
}


def check_codes(root: Path, base: str = "main") -> list[str]:
    """Check against a base, and return the findings of its rules as `path:code`."""
    findings = run(load(root), TODAY, base=read_base(root, base)).findings
    return [
        f"{finding.at.path}:{finding.code}"
        for finding in findings
        if finding.code in ("DEC013", "LNK011", "FM029")
    ]


def check_messages(root: Path, base: str = "main") -> list[str]:
    findings = run(load(root), TODAY, base=read_base(root, base)).findings
    return [f"{finding.message}; {finding.hint}" for finding in findings if finding.code == "FM029"]


@pytest.fixture
def branch(tmp_path: Path) -> Path:
    """Create a small handbook on `main`, and a branch of it."""
    root = create_repository(write(tmp_path / "handbook", FILES))
    run_git(root, "checkout", "--quiet", "-b", "branch")
    return root


def add_submodule(root: Path, path: str, files: dict[str, str | bytes]) -> None:
    """Put a repository with these files in a folder, and record it as a submodule."""
    create_repository(write(root / path, files))
    run_git(root, "add", path)


def test_a_handbook_without_obstacles_has_no_finding(branch: Path) -> None:
    assert check_codes(branch) == []


def ignore_folder(root: Path) -> None:
    write(root, {".gitignore": "/runbooks/\n/docs/more/new*\n", "runbooks/shop/a.md": ADR})


def ignore_file(root: Path) -> None:
    write(root, {"adr/.gitignore": "0003*\n", "adr/0003-c.md": ADR})


def untrack(root: Path) -> None:
    run_git(root, "rm", "--quiet", "--cached", DECISION)
    run_git(root, "commit", "--quiet", "--message", "docs: no longer in Git")


def untrack_and_ignore(root: Path) -> None:
    untrack(root)
    write(root, {".gitignore": "0001-a.md\n"})


def nest_repository(root: Path) -> None:
    run_git(root, "init", "--quiet", "runbooks")
    write(root, {"runbooks/shop/a.md": ADR})


def nest_submodule(root: Path) -> None:
    add_submodule(root, "runbooks/shop", {"a.md": ADR})
    run_git(root, "commit", "--quiet", "--message", "docs: a submodule")


def ignore_page(root: Path) -> None:
    write(root, {".git/info/exclude": "generated.md\n", "docs/generated.md": "# Generated\n"})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (ignore_folder, ["runbooks:FM029"]),
        (ignore_file, ["adr/0003-c.md:FM029"]),
        (untrack, [f"{DECISION}:FM029"]),
        (untrack_and_ignore, [f"{DECISION}:FM029"]),
        (nest_repository, ["runbooks:FM029"]),
        (nest_submodule, ["runbooks/shop:FM029"]),
        (ignore_page, ["docs/generated.md:FM029"]),
    ],
)
def test_a_file_that_git_does_not_have_is_named(
    change: Callable[[Path], None], expected: list[str], branch: Path
) -> None:
    change(branch)
    assert check_codes(branch) == expected


def test_the_finding_names_the_cause_and_the_fix(branch: Path) -> None:
    ignore_folder(branch)
    untrack(branch)
    assert check_messages(branch) == [
        "no comparison of 'adr/0001-a.md' with the base: Git no longer tracks it; "
        "run: git add adr/0001-a.md",
        "no comparison of 'runbooks' with the base: Git ignores it; "
        "remove its pattern from .gitignore, and run: git add runbooks",
    ]


@pytest.mark.parametrize("path", ["adr/0003-c.md", "runbooks/shop/a.md", "docs/é.md"])
def test_a_new_file_can_be_untracked(path: str, branch: Path) -> None:
    write(branch, {path: ADR})
    assert check_codes(branch) == []
    run_git(branch, "add", "--intent-to-add", path)
    assert check_codes(branch) == []


def test_other_ignored_files_do_not_matter(branch: Path) -> None:
    write(
        branch,
        {
            ".gitignore": "*.tmp\nnode_modules/\n",
            "adr/0001-a.tmp": "x",
            "docs/standards/samples/node_modules/a.md": "x",
            "node_modules/adr/0001-a.md": ADR,
        },
    )
    run_git(branch, "init", "--quiet", "vendor")
    write(branch, {"vendor/adr/0001-a.md": ADR})
    assert check_codes(branch) == []


def test_an_ignored_file_that_git_tracks_is_compared(branch: Path) -> None:
    write(branch, {".gitignore": "*.md\n", DECISION: ADR.replace("What.", "Else.")})
    assert check_codes(branch) == [f"{DECISION}:DEC013"]


def test_a_handbook_in_an_ignored_folder_is_not_only_new(branch: Path) -> None:
    root = write(branch / "build/handbook", FILES)
    write(branch, {".gitignore": "build/\n"})
    assert check_codes(root) == ["adr:FM029", "docs:FM029"]


@pytest.fixture
def with_submodule(tmp_path: Path) -> Path:
    """Create a handbook whose decisions are a submodule on `main`, and a branch of it."""
    root = write(tmp_path / "handbook", {k: v for k, v in FILES.items() if "adr" not in k})
    create_repository(root)
    write(root, {"runbooks/index.md": "# Runbooks\n", "docs/standards/01-a.md": ADR})
    add_submodule(root, "adr", {"0001-a.md": ADR, "0002-b.md": ADR})
    commit_all(root, "docs: decisions elsewhere")
    run_git(root, "checkout", "--quiet", "-b", "branch")
    return root


def remove_folder(root: Path) -> None:
    shutil.rmtree(root / "adr")
    commit_all(root, "docs: no decisions")


def rewrite(root: Path) -> None:
    write(root, {DECISION: ADR.replace("What.", "Else.")})
    commit_all(root / "adr", "docs: rewrite a decision")
    commit_all(root, "docs: a newer submodule")


def move_into_the_repository(root: Path) -> None:
    shutil.rmtree(root / "adr/.git")
    run_git(root, "rm", "--quiet", "--cached", "adr")
    commit_all(root, "docs: no submodule")


def leave_unpopulated(root: Path) -> None:
    shutil.rmtree(root / "adr")
    (root / "adr").mkdir()


@pytest.mark.parametrize(
    "change", [remove_folder, rewrite, move_into_the_repository, leave_unpopulated, load]
)
def test_a_record_folder_that_is_a_submodule_in_the_base_is_named(
    change: Callable[[Path], object], with_submodule: Path
) -> None:
    change(with_submodule)
    assert check_codes(with_submodule) == ["adr:FM029"]
    assert "it is a submodule; move its records" in check_messages(with_submodule)[0]


def test_a_submodule_without_documents_does_not_matter(branch: Path) -> None:
    run_git(branch, "checkout", "--quiet", "main")
    for path in ("docs/pictures", "vendor", "docs/standards/samples/shop"):
        add_submodule(branch, path, {"a.txt": "x"})
    commit_all(branch, "docs: submodules")
    assert check_codes(branch) == []
    write(branch, {"docs/pictures/page.md": "# A page\n"})
    assert check_codes(branch) == ["docs/pictures:FM029"]


def test_a_symbolic_link_in_the_base_is_named_once_the_branch_has_the_text(branch: Path) -> None:
    run_git(branch, "checkout", "--quiet", "main")
    write(branch, {"elsewhere/0003-c.md": ADR})
    (branch / "adr/0003-c.md").symlink_to("../elsewhere/0003-c.md")
    (branch / "runbooks").symlink_to("elsewhere")
    commit_all(branch, "docs: links")
    assert check_codes(branch) == []
    (branch / "adr/0003-c.md").unlink()
    write(branch, {"adr/0003-c.md": ADR})
    assert check_codes(branch) == ["adr/0003-c.md:FM029"]
    (branch / "runbooks").unlink()
    write(branch, {"runbooks/index.md": "# Runbooks\n"})
    assert check_codes(branch) == ["adr/0003-c.md:FM029", "runbooks:FM029"]


@pytest.mark.parametrize("target", ["elsewhere", "../outside"])
def test_a_record_folder_that_becomes_a_symbolic_link_loses_its_pages(
    target: str, branch: Path
) -> None:
    (branch / "adr").rename(branch / "adr" / ".." / target)
    (branch / "adr").symlink_to(target)
    assert check_codes(branch) == [f"adr/000{name}.md:LNK011" for name in ("1-a", "2-b")]


def test_a_renamed_record_folder_loses_its_pages(branch: Path) -> None:
    run_git(branch, "mv", "adr", "decisions")
    commit_all(branch, "docs: another name")
    assert check_codes(branch) == [f"adr/000{name}.md:LNK011" for name in ("1-a", "2-b")]


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


@pytest.mark.parametrize("content", [LFS, b"\0GITCRYPT\0\x12\x89\xff"])
@pytest.mark.parametrize("path", [DECISION, "docs/more/page.md", "docs/services/shop/2026-Q3.yml"])
def test_a_file_that_a_filter_restores_is_named(content: bytes, path: str, branch: Path) -> None:
    text = (branch / path).read_bytes() if (branch / path).exists() else b"date: 2026-09-01\n"
    run_git(branch, "checkout", "--quiet", "main")
    write(branch, {path: content, "docs/more/load.csv": content})
    commit_all(branch, "docs: a stored form")
    write(branch, {path: text})
    assert check_codes(branch) == [f"{path}:FM029"]
    (branch / path).unlink()
    assert f"{path}:FM029" in check_codes(branch)


def test_a_sparse_checkout_is_refused(branch: Path) -> None:
    run_git(branch, "sparse-checkout", "set", "docs")
    assert not (branch / "adr").exists()
    with pytest.raises(RevisionError, match=r"leaves out adr/0001-a\.md; check out all files: git"):
        read_base(branch, "main")
    run_git(branch, "sparse-checkout", "set", "docs", "adr")
    assert check_codes(branch) == []
    run_git(branch, "sparse-checkout", "disable")
    run_git(branch, "update-index", "--skip-worktree", DECISION)
    write(branch, {DECISION: ADR.replace("What.", "Else.")})
    assert check_codes(branch) == [f"{DECISION}:DEC013"]


@pytest.mark.parametrize("left_out", ["blob:none", "tree:0"])
def test_a_partial_clone_without_the_objects_of_the_base_is_refused(
    left_out: str, branch: Path, tmp_path: Path
) -> None:
    run_git(branch, "config", "uploadpack.allowFilter", "true")
    run_git(branch, "checkout", "--quiet", "main")
    write(branch, {DECISION: ADR.replace("Why.", "Why?")})
    commit_all(branch, "docs: another text")
    run_git(branch, "checkout", "--quiet", "-B", "branch")
    write(branch, {DECISION: ADR.replace("What.", "Else.")})
    commit_all(branch, "docs: rewrite a decision")
    run_git(tmp_path, "clone", "--quiet", f"--filter={left_out}", f"file://{branch}", "partial")
    with pytest.raises(RevisionError, match=r"^missing git object [0-9a-f]{40}; ") as refusal:
        read_base(tmp_path / "partial", "origin/main")
    command = str(refusal.value).partition(": git ")[2].split()
    assert command == ["fetch", "--refetch", "--no-filter"]
    run_git(tmp_path / "partial", *command)
    assert check_codes(tmp_path / "partial", "origin/main") == [f"{DECISION}:DEC013"]
