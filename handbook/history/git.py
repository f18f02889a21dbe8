"""What git knows of a tree: the commit that it was built from, when files changed, and what stood in other commits.

The only module that calls git. Paths are relative to the folder that is asked about, which may be inside a repository.
Git runs without the caller's `GIT_*`, which a hook exports and which would point it at another repository, and with
options that keep it from running what the repository's configuration names.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

_SAFE_SETTINGS: Final = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "log.showSignature=false",
    "gpg.program=false",
    "gpg.ssh.program=false",
    "gpg.x509.program=false",
    "protocol.allow=never",  # a partial clone fetches what it lacks, by a command of its configuration
    "core.quotePath=false",
    "core.pager=cat",
    "color.ui=false",
    "diff.relative=false",
    "diff.orderFile=/dev/null",
    "diff.ignoreSubmodules=none",
    "i18n.logOutputEncoding=UTF-8",
    "trailer.separators=:",
)
_SAFE_OPTIONS: Final = (
    "--no-pager",
    "--no-optional-locks",
    "--literal-pathspecs",
    "--no-replace-objects",
    *(word for setting in _SAFE_SETTINGS for word in ("-c", setting)),
)


class RevisionError(Exception):
    """Something that git cannot answer here; the text says what, and what to do."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file that a commit changed: what each of its parents had, by the object's id, and what stands there now."""

    path: str
    before: tuple[str, ...]
    after: str


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit: its hash, the reviewers that its trailers name (`Reviewed-by:`), and the files that it changed."""

    hash: str
    reviewers: tuple[str, ...]
    changes: tuple[Change, ...]


def git_directory(folder: Path) -> tuple[Path, Path] | None:
    """The repository that holds a folder: its work tree and its Git directory, found without git; None for none.

    In a linked worktree and in a submodule `.git` is a file that names the directory.
    """
    start = Path(os.path.realpath(folder))
    for tree in (start, *start.parents):
        git = tree / ".git"
        if git.is_file():
            name = (
                git.read_text(encoding="utf-8", errors="surrogateescape")
                .removeprefix("gitdir:")
                .strip()
            )
            git = Path(os.path.realpath(tree / name))
        if (git / "HEAD").is_file():
            return tree, git
    return None


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
    log = _git(
        root, "log", "--relative", "--format=%x00%cs", "--name-only", "--no-renames", "-z", "HEAD"
    )
    found: dict[str, str] = {}
    day = ""
    for entry in (log or "").split("\0"):
        name = entry.lstrip("\n")
        if len(name) == 10 and name[4] == name[7] == "-" and name.replace("-", "").isdigit():
            day = name
        elif name and day:
            found.setdefault(name, day)
    return found


def find(root: Path, revision: str) -> str:
    """The full hash of the commit that a revision names. Raises RevisionError where there is none to be found."""
    if _git(root, "rev-parse", "--is-inside-work-tree") != "true":
        raise RevisionError(
            f"{root} is in no git repository that can be read ({_said(root, 'rev-parse', '--git-dir')})"
        )
    found = _git(
        root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
    )
    if not found:
        raise RevisionError(
            f"git knows no commit '{revision}' here; fetch it first: git fetch origin"
        )
    return found


def fork(root: Path, commit: str) -> str:
    """The commit at which HEAD left a commit's history. Raises RevisionError where the history is too short to say."""
    if _git(root, "rev-parse", "--is-shallow-repository") != "false":
        raise RevisionError(
            "this is a shallow clone, which lacks the history to compare with: git fetch --unshallow, or in a workflow "
            "fetch-depth: 0 for actions/checkout"
        )
    found = _git(root, "merge-base", commit, "HEAD")
    if not found:
        raise RevisionError(
            f"HEAD and {commit[:12]} have no commit in common; compare with a branch that HEAD came from"
        )
    return found


def day(root: Path, commit: str) -> date:
    """The day of a commit in UTC, as whoever committed it says. Raises RevisionError where that is no day."""
    seconds = _answer(root, "log", "-1", "--no-show-signature", "--format=%ct", commit)
    try:
        return datetime.fromtimestamp(int(seconds), UTC).date()
    except (ValueError, OverflowError, OSError) as error:
        raise RevisionError(f"the date of commit {commit[:12]} is in no calendar") from error


def files(root: Path, commit: str) -> dict[str, str]:
    """The regular files of a commit below `root`, each with its object's id. No symbolic link, no module, no `..`."""
    found = {}
    for entry in _answer(root, "ls-tree", "-r", "-z", commit).split(b"\0"):
        attributes, _, name = entry.partition(b"\t")
        path = os.fsdecode(name)
        if attributes.startswith(b"100") and not {"", ".", ".."} & set(path.split("/")):
            found[path] = attributes.split()[2].decode()
    return found


def entries(root: Path, commit: str) -> dict[str, str]:
    """Everything in a commit's whole tree, wherever `root` is in it: path from the repository's top, and mode."""
    found = {}
    for entry in _answer(root, "ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
        attributes, _, name = entry.partition(b"\t")
        if name:
            found[os.fsdecode(name)] = attributes.split()[0].decode()
    return found


def prefix(root: Path) -> str:
    """The path of a folder from the repository's top: empty, or with a final slash."""
    return os.fsdecode(_answer(root, "rev-parse", "--show-prefix").rstrip(b"\n"))


def contents(root: Path, objects: Iterable[str]) -> Iterator[bytes]:
    """What the objects with these ids hold, in their order."""
    wanted = list(objects)
    answer = _answer(
        root, "cat-file", "--batch", given="".join(f"{each}\n" for each in wanted).encode()
    )
    start = 0
    for each in wanted:
        end = answer.index(b"\n", start)
        size = answer[start:end].rpartition(b" ")[2]
        if not size.isdigit():
            raise RevisionError(
                f"git lacks the object {each}; fetch the whole repository: git fetch --refetch"
            )
        start = end + 1 + int(size) + 1
        yield answer[end + 1 : start - 1]


def renames(root: Path, commit: str) -> dict[str, str]:
    """The files below `root` that were renamed between a commit and HEAD: the new path by the old one.

    A file was renamed where half of its text is the same.
    """
    words = _answer(
        root,
        "diff-tree",
        "-r",
        "-M",
        "--diff-filter=R",
        "--name-status",
        "-z",
        "--relative",
        commit,
        "HEAD",
    )
    names = [os.fsdecode(word) for word in words.split(b"\0")]
    return dict(zip(names[1::3], names[2::3], strict=False))


def commits(root: Path, since: str, folders: Iterable[str]) -> Iterator[Commit]:
    """The commits that HEAD has and `since` has not, with what they changed below `folders`.

    A merge has changed a file where it differs from that of every parent.
    """
    listed = _answer(root, "rev-list", f"{since}..HEAD")
    trailers = "--format=%H%n%(trailers:key=Reviewed-by,valueonly)"
    log = _answer(root, "log", "--no-show-signature", "-z", trailers, f"{since}..HEAD").decode(
        "utf-8", "replace"
    )
    reviewers = {
        lines[0]: tuple(filter(None, lines[1:]))
        for lines in map(str.splitlines, log.split("\0"))
        if lines
    }
    changed = _answer(
        root,
        "diff-tree",
        "--stdin",
        "-r",
        "-c",
        "-M",
        "-z",
        "--no-abbrev",
        "--relative",
        "--",
        *folders,
        given=listed,
    )
    for commit, changes in _changes(iter(changed.split(b"\0"))).items():
        yield Commit(commit, reviewers.get(commit, ()), tuple(changes))


def _changes(words: Iterator[bytes]) -> Mapping[str, list[Change]]:
    """What `git diff-tree -c -z` prints: a commit's hash, then `:modes ids status` and a path, or two for a rename."""
    found: dict[str, list[Change]] = {}
    changes: list[Change] = []
    for word in filter(None, words):
        if not word.startswith(b":"):
            changes = found[word.decode()] = []
            continue
        parents = len(word) - len(word.lstrip(b":"))
        ids = word.decode().split()[parents + 1 : 2 * parents + 2]
        path = next(words)
        if parents == 1 and word.split()[-1].startswith((b"R", b"C")):
            path = next(words)
        changes.append(Change(os.fsdecode(path), tuple(ids[:-1]), ids[-1]))
    return found


def _git(root: Path, *arguments: str) -> str | None:
    """What a git command prints; None where it fails, or there is no git."""
    try:
        return _answer(root, *arguments).decode("utf-8", "replace").strip()
    except RevisionError:
        return None


def _said(root: Path, *arguments: str) -> str:
    """The first line of what git says against a command."""
    try:
        _answer(root, *arguments)
    except RevisionError as error:
        return str(error)
    return "a repository without a working tree"


def _environment() -> dict[str, str]:
    """The environment without the variables that steer git, and without a question or a fetch."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return own | {"GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}


def _answer(root: Path, *arguments: str, given: bytes = b"") -> bytes:
    """What a git command prints, `given` as its input. Raises RevisionError with git's first words where it fails."""
    try:
        found = subprocess.run(  # noqa: S603 - our own words
            ["git", *_SAFE_OPTIONS, *arguments],  # noqa: S607 - the git that the author uses
            cwd=root,
            env=_environment(),
            input=given,
            capture_output=True,
            check=False,
            timeout=60,
        )
    except FileNotFoundError as error:
        raise RevisionError("git is not installed") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RevisionError(f"git {arguments[0]} did not answer: {error}") from error
    if found.returncode:
        said = found.stderr.decode("utf-8", "replace").strip().splitlines()
        raise RevisionError(said[0] if said else f"git {arguments[0]} failed")
    return found.stdout
