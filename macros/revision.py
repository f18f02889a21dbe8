"""What git knows of a tree: the commit that it was built from, and when each file last changed."""

from __future__ import annotations

import subprocess
from pathlib import Path


def commit(root: Path) -> str | None:
    """The full hash of HEAD of the repository that holds `root`, or None where git knows none."""
    return _git(root, "rev-parse", "--verify", "HEAD") or None


def changes(root: Path) -> dict[str, str] | None:
    """The day (YYYY-MM-DD) of the last commit that changed each file, by its path relative to `root`.

    Files that no commit holds are not in it. None where git knows nothing, or too little: in a shallow clone every file
    would seem to have changed with the oldest commit that is there.
    """
    if _git(root, "rev-parse", "--is-shallow-repository") != "false":
        return None
    log = _git(root, "log", "--relative", "--format=%x00%cs", "--name-only", "--no-renames", "-z", "HEAD")
    found: dict[str, str] = {}
    day = ""
    for entry in (log or "").split("\0"):
        name = entry.lstrip("\n")
        if len(name) == 10 and name[4] == name[7] == "-" and name.replace("-", "").isdigit():
            day = name
        elif name and day:
            found.setdefault(name, day)
    return found


def _git(root: Path, *arguments: str) -> str | None:
    """What a git command prints; None where it fails, or there is no git."""
    try:
        found = subprocess.run(  # noqa: S603 - our own words
            ["git", *arguments],  # noqa: S607 - the git that the author uses
            cwd=root,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() if found.returncode == 0 else None
