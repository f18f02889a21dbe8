"""Find the new targets of the links of imported records, and the files that they need."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from urllib.parse import quote

from handbook.authoring.importing.rewriting import (
    BodyDraft,
    rewrite_links,
    split_target,
    urlsplit_safely,
)
from handbook.authoring.importing.sources import Sources
from handbook.authoring.new import make_slug
from handbook.handbook import Handbook
from handbook.reading.attachments import check_attachment, is_attachment_name
from handbook.reading.source import Source


@dataclass
class LinkedBody:
    """The body of a record with the paths of its source and of the record.

    `original` is the source as it was. `left_out` describes files that are not copied.
    """

    source_path: str
    path: str
    original: Source
    body: BodyDraft
    left_out: list[str] = field(default_factory=list)


class LinkTargets:
    """Rewrites the links of all records of an import, and collects their attachments.

    A link to another imported file becomes a link to its record. A link to a file that can be an
    attachment becomes a link to its copy. A link to a page of the handbook stays a link to it. Any
    other link stays as it is.
    """

    def __init__(self, handbook: Handbook, sources: Sources, bodies: Sequence[LinkedBody]) -> None:
        self.handbook, self.sources, self.bodies = handbook, sources, bodies
        self.attachments: dict[str, bytes] = {}
        """The files to copy, by path from the root of the handbook."""
        self._copies: dict[tuple[str, str], str] = {}
        self._records: dict[str, LinkedBody] = {body.source_path: body for body in bodies}
        self._anchors: Mapping[str, Mapping[str, str]] = {
            body.source_path: _map_anchors(body.original, body.body.source) for body in bodies
        }

    def rewrite(self) -> None:
        """Rewrite the links of all bodies."""
        for body in self.bodies:
            body.body.change(rewrite_links(body.body, partial(self._resolve, body)))

    def _resolve(self, body: LinkedBody, target: str) -> str | None:
        """Return the new target of a link, or None to leave it."""
        split = self._split(target, body)
        if split is None:
            return None
        path, fragment = split
        new_fragment = self._anchors.get(path, {}).get(fragment, fragment)
        if path == body.source_path and target.startswith("#"):
            return f"#{new_fragment}"
        new = self._find(path, body)
        if new is None:
            return None
        return f"{new}#{new_fragment}" if fragment else new

    def _split(self, target: str, body: LinkedBody) -> tuple[str, str] | None:
        """Return the path of a target below the imported folder, and its fragment.

        A path from the root of the repository is found if the folder is in a repository.
        """
        split = split_target(target, body.source_path)
        parts = urlsplit_safely(target)
        if split is None and not parts.scheme and not parts.netloc:
            folder = Path(os.path.realpath(self.sources.folder))
            if folder != self.sources.boundary:
                file = self.sources.boundary / parts.path.lstrip("/")
                return Path(os.path.relpath(file, folder)).as_posix(), parts.fragment
        return split

    def _find(self, path: str, body: LinkedBody) -> str | None:
        """Return the path from a record to the present place of a path of the imported folder."""
        folder = posixpath.dirname(body.path)
        if path in self._records:
            return posixpath.relpath(self._records[path].path, folder)
        if record := self.sources.imported.get(path):
            return posixpath.relpath(record.path, folder)
        file = Path(os.path.realpath(self.sources.folder / path))
        root = Path(os.path.realpath(self.handbook.root))
        if file.is_relative_to(root):
            published = file.relative_to(root).as_posix()
            if published in self.handbook.documents or published in self.handbook.attachments:
                return quote(posixpath.relpath(published, folder))
        if file.is_file() and file.is_relative_to(self.sources.boundary):
            return self._copy(file, path, body)
        return None

    def _copy(self, file: Path, path: str, body: LinkedBody) -> str | None:
        """Copy a file to the attachments of a record, and return the path of the copy."""
        if not is_attachment_name(file.name):
            return None
        key = (body.path, str(file))
        if key not in self._copies:
            if finding := check_attachment(file.parent, file.name):
                remark = f"attachment {path}: {finding.message}"
                if remark not in body.left_out:
                    body.left_out.append(remark)
                return None
            self._copies[key] = self._choose_name(file, body)
            self.attachments[self._copies[key]] = file.read_bytes()
        return posixpath.relpath(self._copies[key], posixpath.dirname(body.path))

    def _choose_name(self, file: Path, body: LinkedBody) -> str:
        """Return a new path in the folder of the attachments of a record."""
        folder = body.path.removesuffix(".md")
        stem = make_slug(file.stem) or "file"
        names = (f"{stem}{'' if number == 1 else f'-{number}'}" for number in count(1))
        return next(
            path
            for name in names
            if (path := f"{folder}/{name}{file.suffix.lower()}") not in self.attachments
        )


def _map_anchors(original: Source, final: Source) -> Mapping[str, str]:
    """Return the new anchor of each anchor that has changed.

    The headings of both texts correspond from the last to the first, because a title can be added.
    Without this correspondence, for example after a title was moved, no anchor is mapped.
    """
    added = len(final.headings) - len(original.headings)
    title = original.title_heading
    if added not in (0, 1) or title not in (None, *original.headings[:1]):
        return {}
    return {
        old.id: new.id
        for old, new in zip(reversed(original.headings), reversed(final.headings), strict=False)
        if old.id != new.id
    }
