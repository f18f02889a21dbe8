"""Git repositories to try things in: real ones, with days and names that never change."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.commands import environment

TEAM = "order-team"


def git(root: Path, *arguments: str, day: str = "2026-11-20") -> str:
    """What a git command prints, done on a day by a team, whatever the machine's settings."""
    moment = f"{day}T12:00:00Z"
    who = {
        f"GIT_{role}_{part}": TEAM for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")
    }
    dates = {"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
    own = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    found = subprocess.run(
        ["git", *arguments],
        cwd=root,
        env=environment(**who, **dates, **own),
        capture_output=True,
        text=True,
        check=True,
    )
    return found.stdout.strip()


def started(root: Path, day: str = "2026-11-20") -> Path:
    """A repository of what lies in a folder, its branch `main` with one commit; answers the folder."""
    git(root, "init", "--quiet", "--initial-branch=main")
    committed(root, "docs: a handbook", day)
    return root


def committed(root: Path, message: str, day: str = "2026-11-20") -> str:
    """Commit everything that lies there; answers the commit's hash."""
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", message, day=day)
    return git(root, "rev-parse", "HEAD")
