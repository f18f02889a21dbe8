"""Run Git, and read commits, dates of changes, and files of other commits.

Only this module calls Git. All paths are relative to the parameter `root`, which can be a folder
inside a repository. A Git hook sets environment variables such as `GIT_DIR`, which could select
another repository. Therefore this module removes all `GIT_*` variables before it runs Git. The
configuration of a repository can contain commands, and the options of this module prevent Git from
running them.
"""

from __future__ import annotations

import os
import re
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
    "protocol.allow=never",  # a partial clone would run a configured command to fetch objects
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
    *(option for setting in _SAFE_SETTINGS for option in ("-c", setting)),
)


_MISSING_OBJECT: Final = re.compile("could not fetch ([0-9a-f]{40,64}) from promisor remote")


class RevisionError(Exception):
    """Raised if Git fails. The message names the cause, and if possible the solution."""


SUBMODULE_MODE: Final = "160000"
LINK_MODE: Final = "120000"


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A file, symbolic link or submodule in a commit, with its mode and object id."""

    mode: str
    id: str

    @property
    def is_file(self) -> bool:
        """Whether the entry is a regular file."""
        return self.mode.startswith("100")


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """A file, symbolic link or submodule in the index.

    If it is skipped, a sparse checkout does not write it to the work tree.
    """

    mode: str
    is_skipped: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A file that a commit changed.

    `parent_ids` are the object ids of the file in each parent commit. `new_id` is its object id in
    the commit.
    """

    path: str
    parent_ids: tuple[str, ...]
    new_id: str


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, with its changed files. `reviewers` are its trailers `Reviewed-by:`."""

    hash: str
    reviewers: tuple[str, ...]
    changes: tuple[Change, ...]


def find_git_directory(folder: Path) -> tuple[Path, Path] | None:
    """Find the work tree and the Git directory of a folder, without running Git.

    Returns None if the folder is not in a repository. In a linked work tree or a submodule, `.git`
    is a file that contains the path of the Git directory.
    """
    start = Path(os.path.realpath(folder))
    for tree in (start, *start.parents):
        git_folder = tree / ".git"
        if git_folder.is_file():
            name = (
                git_folder.read_text(encoding="utf-8", errors="surrogateescape")
                .removeprefix("gitdir:")
                .strip()
            )
            git_folder = Path(os.path.realpath(tree / name))
        if (git_folder / "HEAD").is_file():
            return tree, git_folder
    return None


def read_head(root: Path) -> str | None:
    """Return the full hash of HEAD, or None if there is no repository or no commit."""
    return _try_git(root, "rev-parse", "--verify", "HEAD") or None


def read_origin(root: Path) -> str | None:
    """Return the URL of the remote `origin` without credentials, or None.

    The result is also None if the remote is a local folder, or if its URL is unclear.
    """
    url = _try_git(root, "config", "--get", "remote.origin.url") or ""
    return remove_credentials(url)


def remove_credentials(url: str) -> str | None:
    """Return the URL of a repository without user name, password, query and fragment.

    Returns None for the path of a local folder, and if the end of the password is unclear.
    """
    url = re.split(r"[?#]", url, maxsplit=1)[0]
    if match := re.fullmatch(
        r"([a-z][a-z0-9+.-]*)://(?:[^/@]*@)?([^/@]+/[^@]+)", url, re.IGNORECASE
    ):
        return f"{match[1]}://{match[2]}" if match[1].lower() != "file" else None
    if match := re.fullmatch(r"(?:[^/@:]+@)?([^/@:]{2,}:[^/\\@][^@]*)", url):  # user@host:path
        return match[1]
    return None


def read_change_days(root: Path) -> dict[str, str] | None:
    """Return the date (YYYY-MM-DD) of the last commit of each file, by path.

    Files that are not committed are not included. Returns None if there is no repository. Also
    returns None in a shallow clone, in which old changes would have the date of its oldest commit.
    """
    if _try_git(root, "rev-parse", "--is-shallow-repository") != "false":
        return None
    log = _try_git(
        root, "log", "--relative", "--format=%x00%cs", "--name-only", "--no-renames", "-z", "HEAD"
    )
    days: dict[str, str] = {}
    day = ""
    for entry in (log or "").split("\0"):
        name = entry.lstrip("\n")
        if len(name) == 10 and name[4] == name[7] == "-" and name.replace("-", "").isdigit():
            day = name
        elif name and day:
            days.setdefault(name, day)
    return days


def list_versions(root: Path, folder: str) -> dict[str, list[str]] | None:
    """Return the object ids of all versions of each file in a folder, newest first, by path.

    Returns None if there is no repository, and in a shallow clone, which lacks old versions.
    """
    if _try_git(root, "rev-parse", "--is-shallow-repository") != "false":
        return None
    options = ("--raw", "--no-abbrev", "--no-renames", "--no-show-signature", "--format=", "-z")
    try:
        output = _run_git(root, "log", "-m", "--first-parent", *options, "--relative", "--", folder)
    except RevisionError:  # no commit yet
        return None
    versions: dict[str, list[str]] = {}
    fields = iter(field for field in output.split(b"\0") if field)
    for header in fields:
        new_id = header.lstrip(b"\n").split()[3].decode()
        path = os.fsdecode(next(fields))
        if set(new_id) != {"0"}:
            versions.setdefault(path, []).append(new_id)
    return versions


def find_commit(root: Path, revision: str) -> str:
    """Return the full hash of the commit of a revision.

    Raises RevisionError if the revision is unknown.
    """
    if _try_git(root, "rev-parse", "--is-inside-work-tree") != "true":
        raise RevisionError(
            f"no readable git repository at {root} ({_read_error(root, 'rev-parse', '--git-dir')})"
        )
    full_hash = _try_git(
        root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
    )
    if not full_hash:
        raise RevisionError(f"unknown commit '{revision}'; fetch it first: git fetch origin")
    return full_hash


def find_merge_base(root: Path, commit: str) -> str:
    """Return the merge base of HEAD and a commit.

    Raises RevisionError if they have no merge base, or in a shallow clone.
    """
    if _try_git(root, "rev-parse", "--is-shallow-repository") != "false":
        raise RevisionError(
            "the history of this shallow clone is too short for a comparison; "
            "run git fetch --unshallow, or set fetch-depth: 0 for actions/checkout"
        )
    merge_base = _try_git(root, "merge-base", commit, "HEAD")
    if not merge_base:
        raise RevisionError(
            f"HEAD and {commit[:12]} have no common commit; "
            "compare with the branch that HEAD started from"
        )
    return merge_base


def read_commit_day(root: Path, commit: str) -> date:
    """Return the date on which a commit was made, in UTC.

    Raises RevisionError if the date is invalid.
    """
    seconds = _run_git(root, "log", "-1", "--no-show-signature", "--format=%ct", commit)
    try:
        return datetime.fromtimestamp(int(seconds), UTC).date()
    except (ValueError, OverflowError, OSError) as error:
        raise RevisionError(f"invalid date of commit {commit[:12]}") from error


def list_tree(root: Path, commit: str) -> dict[str, TreeEntry]:
    """Return the files, symbolic links and submodules below `root` in a commit, by path."""
    entries = {}
    for line in _run_git(root, "ls-tree", "-r", "-z", commit).split(b"\0"):
        attributes, _, name = line.partition(b"\t")
        path = os.fsdecode(name)
        if not {"", ".", ".."} & set(path.split("/")):
            mode, _, id = attributes.decode().split()
            entries[path] = TreeEntry(mode, id)
    return entries


def list_files(root: Path, commit: str) -> dict[str, str]:
    """Return the object id of each regular file below `root` in a commit, by path."""
    return {path: entry.id for path, entry in list_tree(root, commit).items() if entry.is_file}


def find_default_branch(root: Path) -> str | None:
    """Return the name of the branch that is published: the default branch of `origin`, or None."""
    for name in ("origin/HEAD", "origin/main", "origin/master"):
        if _try_git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"):
            return name
    return None


def list_branch_files(root: Path, folder: str) -> frozenset[str]:
    """Return the paths in a folder below `root`, in every local and remote-tracking branch.

    Returns no path if there is no repository.
    """
    output = _try_git(root, "for-each-ref", "--format=%(objectname)", "refs/heads", "refs/remotes")
    paths: set[str] = set()
    for commit in dict.fromkeys((output or "").split()):
        listing = _try_git(root, "ls-tree", "-r", "--name-only", "-z", commit, "--", f"{folder}/")
        paths.update(path for path in (listing or "").split("\0") if path)
    return frozenset(paths)


def read_file(root: Path, commit: str, path: str) -> bytes | None:
    """Return the content of a file below `root` in a commit, or None if the commit lacks it."""
    id = list_files(root, commit).get(path)
    return next(read_objects(root, [id])) if id else None


def list_index(root: Path) -> dict[str, IndexEntry]:
    """Return the files, symbolic links and submodules below `root` in the index, by path."""
    entries = {}
    for line in _run_git(root, "ls-files", "--stage", "-t", "-z").split(b"\0"):
        attributes, _, name = line.partition(b"\t")
        if name:
            status, mode, *_ = attributes.decode().split()
            entries[os.fsdecode(name)] = IndexEntry(mode, is_skipped=status == "S")
    return entries


def list_untracked(root: Path, folders: Iterable[str]) -> list[str]:
    """Return the paths in these folders that Git neither tracks nor ignores.

    The path of a nested repository ends in a slash. Git does not list its files.
    """
    arguments = ("ls-files", "--others", "--exclude-standard", "-z", "--", *folders)
    return [os.fsdecode(path) for path in _run_git(root, *arguments).split(b"\0") if path]


def list_entries(root: Path, commit: str) -> dict[str, str]:
    """Return the mode of each entry in the whole tree of a commit, by path."""
    modes = {}
    for entry in _run_git(root, "ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
        attributes, _, name = entry.partition(b"\t")
        if name:
            modes[os.fsdecode(name)] = attributes.split()[0].decode()
    return modes


def read_prefix(root: Path) -> str:
    """Return the path of a folder from the root of its repository.

    The path is "" or ends in a slash.
    """
    return os.fsdecode(_run_git(root, "rev-parse", "--show-prefix").rstrip(b"\n"))


def read_objects(root: Path, object_ids: Iterable[str]) -> Iterator[bytes]:
    """Yield the contents of the Git objects with these ids, in order."""
    ids = list(object_ids)
    output = _run_git(root, "cat-file", "--batch", stdin="".join(f"{id}\n" for id in ids).encode())
    start = 0
    for id in ids:
        end = output.index(b"\n", start)
        size = output[start:end].rpartition(b" ")[2]
        if not size.isdigit():
            raise RevisionError(_describe_missing(id))
        start = end + 1 + int(size) + 1
        yield output[end + 1 : start - 1]


def _describe_missing(object_id: str) -> str:
    return (
        f"missing git object {object_id}; fetch the whole repository: "
        "git fetch --refetch --no-filter"
    )


def list_renames(root: Path, commit: str) -> dict[str, str]:
    """Return the new path of each file that was renamed since a commit, by its old path.

    Git treats a file as renamed if at least half of its text is the same.
    """
    output = _run_git(
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
    fields = [os.fsdecode(field) for field in output.split(b"\0")]
    return dict(zip(fields[1::3], fields[2::3], strict=False))


def list_deleted(root: Path, since: str) -> list[str]:
    """Return the paths of the files that a commit of HEAD deleted after the commit `since`."""
    output = _run_git(
        root,
        "log",
        "-m",
        "--no-show-signature",
        "--no-renames",
        "--diff-filter=D",
        "--name-only",
        "--format=",
        "-z",
        "--relative",
        f"{since}..HEAD",
    )
    return [path for path in os.fsdecode(output).split("\0") if path]


def list_commits(root: Path, since: str, folders: Iterable[str]) -> Iterator[Commit]:
    """Yield the commits of HEAD that the commit `since` does not contain.

    Each has its changes below `folders`. A merge commit changes a file only if the file differs
    from every parent.
    """
    hashes = _run_git(root, "rev-list", f"{since}..HEAD")
    trailers = "--format=%H%n%(trailers:key=Reviewed-by,valueonly)"
    log = _run_git(root, "log", "--no-show-signature", "-z", trailers, f"{since}..HEAD").decode(
        "utf-8", "replace"
    )
    reviewers = {
        lines[0]: tuple(filter(None, lines[1:]))
        for lines in map(str.splitlines, log.split("\0"))
        if lines
    }
    output = _run_git(
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
        stdin=hashes,
    )
    for commit_hash, changes in _parse_changes(iter(output.split(b"\0"))).items():
        yield Commit(commit_hash, reviewers.get(commit_hash, ()), tuple(changes))


def _parse_changes(fields: Iterator[bytes]) -> Mapping[str, list[Change]]:
    """Parse the output of `git diff-tree -c -z`. Returns the changes by commit hash.

    The output has the hash of each commit. After the hash it has, for each changed file,
    `:modes ids status` and a path. A renamed file has two paths.
    """
    changes_by_commit: dict[str, list[Change]] = {}
    changes: list[Change] = []
    for field in filter(None, fields):
        if not field.startswith(b":"):
            changes = changes_by_commit[field.decode()] = []
            continue
        parents = len(field) - len(field.lstrip(b":"))
        ids = field.decode().split()[parents + 1 : 2 * parents + 2]
        path = next(fields)
        if parents == 1 and field.split()[-1].startswith((b"R", b"C")):
            path = next(fields)
        changes.append(Change(os.fsdecode(path), tuple(ids[:-1]), ids[-1]))
    return changes_by_commit


def _try_git(root: Path, *arguments: str) -> str | None:
    """Return the output of a Git command, or None if it fails."""
    try:
        return _run_git(root, *arguments).decode("utf-8", "replace").strip()
    except RevisionError:
        return None


def _read_error(root: Path, *arguments: str) -> str:
    """Return the first line of the error message of a Git command."""
    try:
        _run_git(root, *arguments)
    except RevisionError as error:
        return str(error)
    return "a repository without a working tree"


def _make_environment() -> dict[str, str]:
    """Return environment variables for Git, without `GIT_*`, prompts and fetches."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return variables | {"GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}


def _run_git(root: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """Run a Git command, and return its output.

    Raises RevisionError with the first line of its error message.
    """
    try:
        completed = subprocess.run(  # noqa: S603 - fixed arguments
            ["git", *_SAFE_OPTIONS, *arguments],  # noqa: S607 - the git on the PATH
            cwd=root,
            env=_make_environment(),
            input=stdin,
            capture_output=True,
            check=False,
            timeout=60,
        )
    except FileNotFoundError as error:
        raise RevisionError("git is not installed") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RevisionError(f"git {arguments[0]} failed: {error}") from error
    if completed.returncode:
        errors = completed.stderr.decode("utf-8", "replace").strip()
        if match := _MISSING_OBJECT.search(errors):  # a partial clone
            raise RevisionError(_describe_missing(match[1]))
        raise RevisionError(errors.splitlines()[0] if errors else f"git {arguments[0]} failed")
    return completed.stdout
