"""Files and folders that a check cannot compare with a base, and the causes."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Final

from handbook.handbook import list_folders
from handbook.history import git
from handbook.records.kinds import FOLDERS, MOUNTED
from handbook.settings import DOCS

_PUBLISHED: Final = (DOCS, *MOUNTED)
"""The folders that the loader reads."""
_IN_PUBLISHED: Final = tuple(f"{folder}/" for folder in _PUBLISHED)
_IN_SAMPLES: Final = "docs/standards/samples/"
_READ_SUFFIXES: Final = (".md", ".yml", ".yaml")


class Obstacle(StrEnum):
    """The cause for which a file or folder cannot be compared. The value is its description."""

    SUBMODULE = "it is a submodule"
    REPOSITORY = "it is a nested Git repository"
    IGNORED = "Git ignores it"
    UNTRACKED = "Git no longer tracks it"
    LINK = "it is a symbolic link in the base"
    LFS = "it is a pointer of Git LFS in the base"
    ENCRYPTED = "it is encrypted in the base"


_OBSTACLES_BY_START: Final[Mapping[bytes, Obstacle]] = {
    b"version https://git-lfs.github.com/spec/": Obstacle.LFS,
    b"\0GITCRYPT\0": Obstacle.ENCRYPTED,
}
"""The first bytes of a stored file whose text Git restores with a filter in the work tree."""


def find_obstacle_in(content: bytes) -> Obstacle | None:
    """Find the obstacle in the stored content of a file."""
    for start, obstacle in _OBSTACLES_BY_START.items():
        if content.startswith(start):
            return obstacle
    return None


def find_obstacles(entries: Mapping[str, git.TreeEntry]) -> dict[str, Obstacle]:
    """Return the submodules and symbolic links among the entries of a commit, by path."""
    obstacle_by_mode = {
        git.SUBMODULE_MODE: Obstacle.SUBMODULE,
        git.LINK_MODE: Obstacle.LINK,
    }
    return {
        path: obstacle_by_mode[entry.mode]
        for path, entry in entries.items()
        if entry.mode in obstacle_by_mode and not path.startswith(_IN_SAMPLES)
    }


def can_hold_records(folder: str) -> bool:
    """Return whether a folder is a record folder, is in one, or contains one."""
    return any(
        f"{folder}/".startswith(f"{record_folder}/") or record_folder.startswith(f"{folder}/")
        for record_folder in FOLDERS
    )


@dataclass(frozen=True)
class Tracking:
    """The files of the work tree, as Git sees them."""

    tracked: frozenset[str] = frozenset()
    untracked: frozenset[str] = frozenset()
    """The paths in the published folders that Git neither tracks nor ignores."""
    repositories: Mapping[str, Obstacle] = field(default_factory=dict)
    """The submodules and nested repositories, by path."""

    def find_obstacle(self, path: str, base_paths: Collection[str]) -> tuple[str, Obstacle] | None:
        """Find the obstacle to the comparison of a file in the work tree.

        Returns the outermost file or folder with the obstacle, or None if Git has the file.
        `base_paths` are the paths of the base.
        """
        name = unicodedata.normalize("NFC", path)  # macOS stores names in another form
        if name in self._tracked_names:
            return None
        for folder in list_folders(path):
            if folder in self.repositories:
                return folder, self.repositories[folder]
        if name in self._untracked_names:
            return (path, Obstacle.UNTRACKED) if path in base_paths else None
        if path.startswith(_IN_PUBLISHED):
            folders = [
                folder for folder in list_folders(path) if folder not in self._comparable_folders
            ]
            return (folders[-1] if folders else path), Obstacle.IGNORED
        return None

    @cached_property
    def _tracked_names(self) -> frozenset[str]:
        return _normalize(self.tracked)

    @cached_property
    def _untracked_names(self) -> frozenset[str]:
        return _normalize(self.untracked)

    @cached_property
    def _comparable_folders(self) -> frozenset[str]:
        return frozenset(
            folder for path in (*self.tracked, *self.untracked) for folder in list_folders(path)
        )


def _normalize(paths: Iterable[str]) -> frozenset[str]:
    return frozenset(unicodedata.normalize("NFC", path) for path in paths)


def read_tracking(root: Path) -> Tracking:
    """Read which files of the folder `root` Git tracks.

    Raises handbook.history.git.RevisionError if a sparse checkout leaves out a file that the loader
    reads.
    """
    index = git.list_index(root)
    for path, entry in index.items():
        is_read = path.startswith(_IN_PUBLISHED) and path.endswith(_READ_SUFFIXES)
        if entry.is_skipped and is_read and not (root / path).exists():
            raise git.RevisionError(
                f"the sparse checkout leaves out {path}; "
                "check out all files: git sparse-checkout disable"
            )
    untracked = git.list_untracked(root, _PUBLISHED)
    nested = [path.rstrip("/") for path in untracked if path.endswith("/")]
    submodules = [path for path, entry in index.items() if entry.mode == git.SUBMODULE_MODE]
    return Tracking(
        tracked=frozenset(index).difference(submodules),
        untracked=frozenset(path for path in untracked if not path.endswith("/")),
        repositories={
            **dict.fromkeys(nested, Obstacle.REPOSITORY),
            **dict.fromkeys(submodules, Obstacle.SUBMODULE),
        },
    )
