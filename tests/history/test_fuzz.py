"""Fuzz the comparison with a base: random changes between the commits of a small handbook.

Each example is a chain of commits. Each commit is compared with every commit before it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handbook.diagnostics import Report, Severity
from handbook.handbook import list_folders
from handbook.history.base import Base, read_base
from handbook.history.git import SUBMODULE_MODE, RevisionError, list_tree
from handbook.loading import load
from handbook.records.adr import Adr
from handbook.rules.engine import rules, run
from tests.handbooks import ADR, SETTINGS, TODAY, write
from tests.repositories import commit_all, create_repository, run_git

pytestmark = pytest.mark.fuzz

EXAMPLES = os.environ.get("FUZZ_EXAMPLES")
fuzzed = settings(
    max_examples=int(EXAMPLES or 2000) // 200,
    derandomize=EXAMPLES is None,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
COMMITS = 4
FOLDERS = ("adr", "docs", "runbooks/shop")
BASE_CODES = {code for code, rule in rules().items() if rule.over is Base}


def make_decision(number: int, status: str = "accepted") -> str:
    text = ADR.replace("What.", f"Decision {number}.").replace("Why.", f"Reason {number}.")
    return text.replace("status: accepted", f"status: {status}")


FILES: dict[str, str | bytes] = {
    "mkdocs.yml": SETTINGS,
    "docs/index.md": "---\nmoved_from: []\n---\n# Home\n",
    "docs/page.md": "# Page\n\n## Part\n",
    "runbooks/shop/a.md": "---\nowner: order-team\n---\n# Slow\n",
    **{
        f"adr/000{number}-d{number}.md": make_decision(number, status)
        for number, status in enumerate(("accepted", "rejected", "deprecated", "proposed"), 1)
    },
}


@dataclass(frozen=True)
class Change:
    """A change of the work tree. `choice` selects the changed file or folder."""

    edit: Callable[[Path, int], None]
    choice: int


def choose_file(root: Path, choice: int) -> Path:
    paths = [
        path
        for folder in ("adr", "docs", "runbooks")
        for path in sorted((root / folder).rglob("*.md"))
        if path.is_file() and ".git" not in path.parts
    ]
    return paths[choice % len(paths)] if paths else root / "mkdocs.yml"


def add_file(root: Path, choice: int) -> None:
    if not (root / "adr").is_symlink():
        write(root, {f"adr/001{choice % 9}-new.md": make_decision(choice)})


def change_text(root: Path, choice: int) -> None:
    path = choose_file(root, choice)
    path.write_bytes(path.read_bytes().replace(b"Decision", b"Choice"))


def change_status(root: Path, choice: int) -> None:
    path = choose_file(root, choice)
    new_status = (b"superseded", b"deprecated", b"proposed")[choice % 3]
    path.write_bytes(path.read_bytes().replace(b"status: accepted", b"status: " + new_status))


def rename_file(root: Path, choice: int) -> None:
    path = choose_file(root, choice)
    names = (f"{path.stem[:4]}-other.md", f"002{choice % 9}-other.md", "page-other.md", "a.txt")
    if path.name != "mkdocs.yml":
        path.rename(path.with_name(names[choice % 4]))


def move_to_docs(root: Path, choice: int) -> None:
    path = choose_file(root, choice)
    if path.parent.name == "adr" and not (root / "docs/adr").exists():
        (root / "docs/adr").mkdir(parents=True)
        path.rename(root / "docs/adr" / path.name)


def delete_file(root: Path, choice: int) -> None:
    path = choose_file(root, choice)
    if path.name != "mkdocs.yml":
        path.unlink()


def replace_by_redirect(root: Path, choice: int) -> None:
    path, home = choose_file(root, choice), root / "docs/index.md"
    if path != home and path.parent.name == "adr" and home.is_file():
        path.unlink()
        redirect = f"moved_from: [/adr/{path.stem}/]".encode()
        home.write_bytes(home.read_bytes().replace(b"moved_from: []", redirect))


def link_file(root: Path, choice: int) -> None:
    path = choose_file(root, choice)
    if path.name != "mkdocs.yml":
        target = write(root, {f"elsewhere/{path.name}": path.read_bytes()})
        path.unlink()
        path.symlink_to(target / "elsewhere" / path.name)


def turn_into_folder(root: Path, choice: int) -> None:
    path = choose_file(root, choice)
    if path.name != "mkdocs.yml":
        content = path.read_bytes()
        path.unlink()
        write(path, {"0001-a.md": content})


def change_mode(root: Path, choice: int) -> None:
    choose_file(root, choice).chmod(0o755 if choice % 2 else 0o644)


def nest_repository(root: Path, choice: int) -> None:
    """Turn a folder into a repository. A commit of the handbook records it as a submodule."""
    folder = root / FOLDERS[choice % 3]
    if folder.is_dir() and not folder.is_symlink() and not (folder / ".git").exists():
        run_git(root, "rm", "-r", "--quiet", "--cached", "--ignore-unmatch", FOLDERS[choice % 3])
        create_repository(folder)


def ignore_folder(root: Path, choice: int) -> None:
    folder = FOLDERS[choice % 3]
    write(root, {".gitignore": f"/{folder}/\n"})
    if not (root / folder / ".git").exists():
        run_git(root, "rm", "-r", "--quiet", "--cached", "--ignore-unmatch", folder)


def link_folder(root: Path, choice: int) -> None:
    folder = root / FOLDERS[choice % 3]
    if folder.is_dir() and not folder.is_symlink():
        target = root / f"linked-{choice % 3}"
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
        folder.symlink_to(target)


def store_in_lfs(root: Path, choice: int) -> None:
    path = choose_file(root, choice)
    if path.name != "mkdocs.yml":
        path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 5\n")


def allow_removal(root: Path, choice: int) -> None:
    path = choose_file(root, choice)
    if path.name != "mkdocs.yml":
        entry = f"{{path: {path.relative_to(root).as_posix()}, reason: no team needs it}}"
        write(root, {"mkdocs.yml": f"{SETTINGS}    removed: [{entry}]\n"})
        path.unlink()


def break_bytes(root: Path, choice: int) -> None:
    path = choose_file(root, choice)
    path.write_bytes(path.read_bytes()[: choice * 7] + b"\xff\x00---\n")


EDITS = (
    add_file,
    change_text,
    change_status,
    rename_file,
    move_to_docs,
    delete_file,
    replace_by_redirect,
    link_file,
    turn_into_folder,
    change_mode,
    nest_repository,
    ignore_folder,
    link_folder,
    store_in_lfs,
    allow_removal,
    break_bytes,
)
changes = st.lists(
    st.builds(Change, st.sampled_from(EDITS), st.integers(0, 40)), min_size=1, max_size=2
)


def commit_with_submodules(root: Path) -> str:
    for folder in FOLDERS:
        if (root / folder / ".git").exists():
            commit_all(root / folder, "docs: a change")
    return commit_all(root, "docs: a change")


def read_decided(root: Path) -> dict[str, str]:
    """Return the text of each decided decision without its front matter, by path."""
    return {
        adr.path: adr.source.text.partition("\n# ")[2]
        for adr in load(root).of(Adr)
        if adr.status not in (None, "proposed")
    }


def keep_committed(root: Path, commit: str, texts: dict[str, str]) -> dict[str, str]:
    """Return only the texts of files that the commit or one of its submodules has."""
    entries = list_tree(root, commit)
    submodules = {path for path, entry in entries.items() if entry.mode == SUBMODULE_MODE}
    return {
        path: text
        for path, text in texts.items()
        if (path in entries and entries[path].is_file)
        or not submodules.isdisjoint(list_folders(path))
    }


def reports_loss(report: Report, path: str) -> bool:
    """Return whether a report has an error against the base, or a finding about the file."""
    return bool(report.new_exceptions) or any(
        (finding.code in BASE_CODES or finding.at.path == path)
        and finding.severity is Severity.ERROR
        for finding in report.findings
    )


@fuzzed
@given(st.lists(changes, min_size=COMMITS, max_size=COMMITS))
def test_a_lost_decision_is_always_reported(chain: list[list[Change]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = create_repository(write(Path(folder) / "handbook", FILES))
        texts_by_commit = {run_git(root, "rev-parse", "HEAD"): read_decided(root)}
        for commit_changes in chain:
            for change in commit_changes:
                change.edit(root, change.choice)
            current = read_decided(root)
            commit = commit_with_submodules(root)
            for base_commit, texts in texts_by_commit.items():
                lost = [path for path, text in texts.items() if text not in current.values()]
                try:
                    base = read_base(root, base_commit)
                    base.predates(handbook := load(root))
                except RevisionError:
                    continue
                report = run(handbook, TODAY, base=base)
                assert all(reports_loss(report, path) for path in lost), (lost, report.findings)
            texts_by_commit[commit] = keep_committed(root, commit, current)
