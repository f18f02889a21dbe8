"""Git repositories for tests, with fixed days and authors."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.commands import make_environment

TEAM = "order-team"


def run_git(root: Path, *arguments: str, day: str = "2026-11-20") -> str:
    """Run a git command on a day as a team, and return its output.

    The settings of the machine are ignored.
    """
    moment = f"{day}T12:00:00Z"
    people = {f"GIT_{role}_NAME": TEAM for role in ("AUTHOR", "COMMITTER")}
    addresses = {f"GIT_{role}_EMAIL": TEAM for role in ("AUTHOR", "COMMITTER")}
    dates = {"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
    configuration = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    answer = subprocess.run(
        ["git", *arguments],
        cwd=root,
        env=make_environment(**people, **addresses, **dates, **configuration),
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout.strip()


def create_repository(root: Path, day: str = "2026-11-20") -> Path:
    """Create a repository of a folder, with one commit on `main`, and return the folder."""
    run_git(root, "init", "--quiet", "--initial-branch=main")
    commit_all(root, "docs: a handbook", day)
    return root


def commit_all(root: Path, message: str, day: str = "2026-11-20") -> str:
    """Commit all files, and return the hash of the commit."""
    run_git(root, "add", "--all")
    run_git(root, "commit", "--quiet", "--allow-empty", "--message", message, day=day)
    return run_git(root, "rev-parse", "HEAD")
