"""Find the new targets of the links of imported records, and the files that they need."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from urllib.parse import quote

from handbook.authoring.importing.drafts import RecordDraft
from handbook.authoring.importing.sources import Sources
from handbook.authoring.link_targets import split_target, urlsplit_safely
from handbook.authoring.new import make_slug
from handbook.authoring.rewriting import rewrite_links
from handbook.handbook import Handbook
from handbook.reading.attachments import check_attachment, is_attachment_name
from handbook.reading.source import Source


class LinkTargets:
    """Rewrites the links of all records of an import, and collects their attachments.

    A link to another imported file becomes a link to its record. A link to a file that can be an
    attachment becomes a link to its copy. A link to a page of the handbook stays a link to it. Any
    other link stays as it is.
    """

    def __init__(self, handbook: Handbook, sources: Sources, drafts: Sequence[RecordDraft]) -> None:
        self.handbook, self.sources, self.drafts = handbook, sources, drafts
        self.attachments: dict[str, bytes] = {}
        """The files to copy, by path from the root of the handbook."""
        self._copies: dict[tuple[str, str], str] = {}
        self._records: dict[str, RecordDraft] = {draft.file.path: draft for draft in drafts}
        self._anchors: Mapping[str, Mapping[str, str]] = {
            draft.file.path: _map_anchors(draft.original, draft.body.source) for draft in drafts
        }

    def rewrite(self) -> None:
        """Rewrite the links of all records."""
        for draft in self.drafts:
            draft.body.change(rewrite_links(draft.body, partial(self._resolve, draft)))

    def _resolve(self, draft: RecordDraft, target: str) -> str | None:
        """Return the new target of a link, or None to leave it."""
        split = self._split(target, draft)
        if split is None:
            return None
        path, fragment = split
        new_fragment = self._anchors.get(path, {}).get(fragment, fragment)
        if path == draft.file.path and target.startswith("#"):
            return f"#{new_fragment}"
        new = self._find(path, draft)
        if new is None:
            return None
        return f"{new}#{new_fragment}" if fragment else new

    def _split(self, target: str, draft: RecordDraft) -> tuple[str, str] | None:
        """Return the path of a target below the imported folder, and its fragment.

        A path from the root of the repository is found if the folder is in a repository.
        """
        split = split_target(target, draft.file.path)
        parts = urlsplit_safely(target)
        if split is None and not parts.scheme and not parts.netloc:
            folder = Path(os.path.realpath(self.sources.folder))
            if folder != self.sources.boundary:
                file = self.sources.boundary / parts.path.lstrip("/")
                return Path(os.path.relpath(file, folder)).as_posix(), parts.fragment
        return split

    def _find(self, path: str, draft: RecordDraft) -> str | None:
        """Return the path from a record to the present place of a path of the imported folder."""
        folder = posixpath.dirname(draft.path)
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
            return self._copy(file, path, draft)
        return None

    def _copy(self, file: Path, path: str, draft: RecordDraft) -> str | None:
        """Copy a file to the attachments of a record, and return the path of the copy."""
        if not is_attachment_name(file.name):
            return None
        key = (draft.path, str(file))
        if key not in self._copies:
            if finding := check_attachment(file.parent, file.name):
                remark = f"attachment {path}: {finding.message}"
                if remark not in draft.left_out:
                    draft.left_out.append(remark)
                return None
            self._copies[key] = self._choose_name(file, draft)
            self.attachments[self._copies[key]] = file.read_bytes()
        return posixpath.relpath(self._copies[key], posixpath.dirname(draft.path))

    def _choose_name(self, file: Path, draft: RecordDraft) -> str:
        """Return a new path in the folder of the attachments of a record."""
        folder = draft.path.removesuffix(".md")
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
