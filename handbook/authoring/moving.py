"""Move a page or a record, or give a decision another number, and correct all links to it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote, urlsplit

from handbook.authoring.editor import CannotChangeError, RecordEditor
from handbook.authoring.edits import apply_edits
from handbook.authoring.planned_change import PlannedChange
from handbook.authoring.rewriting import (
    BodyDraft,
    Rewrite,
    keep_label,
    rewrite_links,
    split_target,
    urlsplit_safely,
    walk_texts,
)
from handbook.diagnostics import Edit, did_you_mean
from handbook.handbook import Handbook
from handbook.loading import find_document_class
from handbook.provided_pages import make_address
from handbook.reading import nodes
from handbook.reading.ids import ID
from handbook.reading.source import Source, read_source
from handbook.records import Document, Record, next_number
from handbook.records.adr import Adr
from handbook.records.service import Service
from handbook.site_settings import list_nav_entries

_KEPT_KEYS: Final = frozenset({"moved_from", "imported"})
"""The keys whose values describe the past, and do not change."""
_CHANGE_LOG: Final = re.compile(r"(?:changelog|changes|history|news)\.md", re.IGNORECASE)


@dataclass(frozen=True)
class Published:
    """The files that other people can have seen.

    - `paths`: the files of the published branch, or None if there is no repository.
    - `taken_paths`: the files of all branches, whose numbers are taken.
    - `read_file`: returns the content of a file in the base of the branch, or None.
    - `has_base`: True if a base is known.
    """

    paths: Collection[str] | None
    taken_paths: Collection[str] = ()
    read_file: Callable[[str], bytes | None] = field(default=lambda _path: None)
    has_base: bool = False

    def has(self, path: str) -> bool:
        """Return whether a file can be published, so that its address must stay valid."""
        return self.paths is None or path in self.paths


def move(change: PlannedChange, path: str, new_path: str, published: Published) -> None:
    """Move a page or a record, its attachments, and all links to it.

    The new page gets the old address under `moved_from`, if it was published. Raises
    CannotChangeError.
    """
    handbook = change.handbook
    document = _find_document(handbook, path)
    if isinstance(document, Service):
        raise CannotChangeError(
            f"{path} cannot be moved: its name is the id of the service in records, runbooks and "
            "audits; add a new service instead"
        )
    if isinstance(document, Record):
        _check_record_path(document, new_path)
    elif (
        posixpath.normpath(new_path) != new_path
        or find_document_class(new_path) is not type(document)
        or "index.md" in (PurePosixPath(path).name, PurePosixPath(new_path).name)
    ):
        raise CannotChangeError(f"{path} cannot become {new_path}, which is not a page")
    elif new_path in handbook.provided:
        raise CannotChangeError(f"{path} cannot become {new_path}: the engine provides that page")
    _Mover(change, document, new_path, published).run()


def renumber(change: PlannedChange, adr: Adr, number: int | None, published: Published) -> str:
    """Give a decision another number, and correct all its citations. Return its new path.

    Without a number, the decision gets the next one that no branch uses. Raises CannotChangeError.
    """
    taken = {*change.handbook.documents, *published.taken_paths}
    free_number = next_number(Adr, taken)
    number = free_number if number is None else number
    id = f"ADR-{number:04}"
    owner = next((path for path in sorted(taken) if Adr.owns(path) and Adr.id_of(path) == id), None)
    if owner:
        raise CannotChangeError(
            f"{id} is the number of {owner}; the next free number is {free_number:04}"
        )
    slug = adr.path.removeprefix(f"{Adr.folder}/")[4:]
    new_path = f"{Adr.folder}/{number:04}{slug}"
    if not adr.has_valid_name or number > 9999:
        raise CannotChangeError(f"{adr.path} cannot get the number {number}")
    _Mover(change, adr, new_path, published, new_id=id).run()
    return new_path


def _find_document(handbook: Handbook, path: str) -> Document:
    document = handbook.documents.get(path)
    if document is None or path in handbook.provided:
        hint = did_you_mean(path, handbook.documents)
        raise CannotChangeError(f"no page or record '{path}'{f'; {hint}' if hint else ''}")
    return document


def _check_record_path(record: Record, new_path: str) -> None:
    cls = type(record)
    name = new_path.removeprefix(f"{cls.folder}/")
    match = cls.file_name.fullmatch(name)
    if not cls.owns(new_path) or match is None:
        raise CannotChangeError(
            f"'{new_path}' is no path of a {cls.label.lower()}; write {cls.folder}/{cls.file_form}"
        )
    if "number" in match.groupdict() and cls.id_of(new_path) != record.id:
        use = "; use: handbook adr renumber" if cls is Adr else ""
        raise CannotChangeError(f"{record.path} keeps its number{use}")


class _Mover:
    """Plans the move of one document. `new_id` is the new id of a decision, or None."""

    def __init__(
        self,
        change: PlannedChange,
        document: Document,
        new_path: str,
        published: Published,
        new_id: str | None = None,
    ) -> None:
        self.change, self.handbook = change, change.handbook
        self.document, self.new_path = document, new_path
        self.published, self.new_id = published, new_id
        self.old_id = document.id if new_id else None
        self.paths = self._list_moved_paths()
        change.new_paths |= self.paths

    def run(self) -> None:
        """Plan the new contents of all files. Raises CannotChangeError."""
        root = self.handbook.root
        for new_path in self.paths.values():
            if (root / new_path).exists():
                raise CannotChangeError(f"{new_path} already exists")
        for path in self._list_texts():
            content = (root / path).read_bytes()
            if self._must_read(path, content):
                self._rewrite(path, content)
        for path, new_path in self.paths.items():
            content = (root / path).read_bytes()
            self.change.originals |= {path: content, new_path: None}
            self.change.contents.setdefault(new_path, content)
            self.change.contents[path] = None
        self._update_old_addresses()
        self._rewrite_nav()

    def _list_moved_paths(self) -> Mapping[str, str]:
        """Return the new path of the document and of each of its attachments, by old path."""
        paths = {self.document.path: self.new_path}
        if isinstance(self.document, Record):
            old, new = (path.removesuffix(".md") for path in (self.document.path, self.new_path))
            attachments = sorted(self.handbook.attachments)
            paths |= {
                path: f"{new}/{path.removeprefix(f'{old}/')}"
                for path in attachments
                if path.startswith(f"{old}/")
            }
        return paths

    def _list_texts(self) -> list[str]:
        """Return the paths of all Markdown files with links, also of those without a page."""
        root = self.handbook.root
        in_root = (path.name for path in root.glob("*.md") if path.is_file())
        others = [name for name in in_root if not _CHANGE_LOG.fullmatch(name)]
        documents = self.handbook.documents.keys() - self.handbook.provided
        return sorted({*documents, *self.handbook.readmes, *others})

    def _must_read(self, path: str, content: bytes) -> bool:
        """Return whether a file can have a link or an id to correct. Most files have none."""
        if path in self.paths:
            return True
        names = [PurePosixPath(name).name for name in self.paths]
        names += [self.document.id]
        return any(name.encode() in content or quote(name).encode() in content for name in names)

    def _rewrite(self, path: str, content: bytes) -> None:
        source = read_source(path, content)
        if source.problem:
            if path == self.document.path:
                raise CannotChangeError(f"{path} cannot be read; run: handbook check {path}")
            self.change.notes.append(f"{path} cannot be read; correct its links by hand")
            return
        edits = [
            Edit(source.at_body(rewrite.start), rewrite.old, rewrite.new)
            for rewrite in self._rewrite_body(source)
        ]
        edits += self._rewrite_references(source)
        new_content, applied = apply_edits(content, edits)
        if len(applied) < len(set(edits)):
            raise CannotChangeError(f"{path}: a link cannot be corrected; edit it first")
        if new_content != content:
            self.change.originals[path] = content
            self.change.contents[self.paths.get(path, path)] = new_content

    def _rewrite_body(self, source: Source) -> Iterator[Rewrite]:
        body = BodyDraft(source)
        yield from rewrite_links(body, lambda target: self._find_target(source.path, target))
        if self.old_id and self.new_id:
            yield from self._rewrite_ids(body)

    def _find_target(self, path: str, target: str) -> str | None:
        """Return the new target of a link in the file `path`, or None to leave it."""
        linked = _resolve(path, target)
        if linked is None:
            return None
        new_linked, new_path = self.paths.get(linked, linked), self.paths.get(path, path)
        folder, new_folder = posixpath.dirname(path), posixpath.dirname(new_path)
        if new_linked == linked and folder == new_folder:
            return None
        parts = urlsplit(target)
        relative = posixpath.relpath(new_linked, new_folder or ".")
        slash = "/" if parts.path.endswith("/") else ""
        return parts._replace(path=quote(relative) + slash).geturl()

    def _rewrite_ids(self, body: BodyDraft) -> Iterator[Rewrite]:
        """Correct the id of the decision in texts, and in texts of links to it."""
        old_id, new_id = str(self.old_id), str(self.new_id)
        labels = {}
        for node, link in walk_texts(body.tree, None):
            linked = _resolve(body.source.path, link.text) if link else None
            if link and (urlsplit_safely(link.text).scheme or linked in self._others):
                continue
            is_linked = linked == self.document.path
            for match in ID.finditer(body.text, node.start, node.end):
                if match[0] != old_id:
                    continue
                at = body.source.at_body(match.start())
                if is_linked or self._is_meant(body.source, at.line):
                    yield Rewrite(match.start(), old_id, new_id, "id")
                    if link:
                        labels[link.start] = link
        for link in labels.values():
            yield from keep_label(body.text, link)

    def _rewrite_references(self, source: Source) -> Iterator[Edit]:
        """Correct the ids in front matter: of the decision, or of the moved record."""
        if self.new_id:
            yield from self._rewrite_front_matter_ids(source)
        elif isinstance(self.document, Record):
            new_id = type(self.document).id_of(self.new_path)
            document = self.handbook.documents.get(source.path)
            for reference in document.references() if document else ():
                is_same = (reference.kind, reference.id) == (self.document.kind, self.document.id)
                if is_same and new_id != reference.id:
                    yield Edit(reference.at, reference.id, new_id)

    def _rewrite_front_matter_ids(self, source: Source) -> Iterator[Edit]:
        front_matter = source.front_matter
        for entry in front_matter.mapping.entries if front_matter else ():
            if entry.key in _KEPT_KEYS:
                continue
            for scalar in nodes.walk_scalars(entry.value):
                if "://" in scalar.text:  # An id in an address is not a citation.
                    continue
                count = sum(match[0] == self.old_id for match in ID.finditer(scalar.text))
                yield from self._find_ids(source, scalar, count)

    def _find_ids(self, source: Source, scalar: nodes.Scalar, count: int) -> Iterator[Edit]:
        """Yield the edits of the first `count` ids after the start of a value."""
        line, column = scalar.at.line, scalar.at.column - 1
        while count and line < source.body_line:
            for match in ID.finditer(source.line(line), column):
                if match[0] == self.old_id and count:
                    count -= 1
                    if self._is_meant(source, line):
                        at = source.at(line, match.start() + 1)
                        yield Edit(at, str(self.old_id), str(self.new_id))
            line, column = line + 1, 0

    @cached_property
    def _others(self) -> tuple[str, ...]:
        """The paths of the other decisions with the same id."""
        return tuple(
            adr.path
            for adr in self.handbook.of(Adr)
            if adr.id == self.old_id and adr is not self.document
        )

    def _is_meant(self, source: Source, line: int) -> bool:
        """Return whether an id on a line means the decision that gets another number.

        If two files have the id, the line is compared with the base: a line of the base means the
        decision of the base, and a line of the branch means the decision of the branch.
        """
        if not self._others or source.path == self.document.path:
            return True
        if source.path in self._others:
            return False
        published = self.published
        is_old = published.has_base and published.has(self.document.path)
        are_others_old = published.has_base and any(map(published.has, self._others))
        document = self.handbook.documents.get(source.path)
        is_moved = document is not None and bool(document.moved_from)
        if is_old == are_others_old or (is_moved and published.read_file(source.path) is None):
            self.change.notes.append(
                f"{source.path}:{line}: {self.old_id} can mean {self.document.path} or "
                f"{', '.join(self._others)}; it was not changed"
            )
            return False
        return (source.line(line) in self._base_lines(source.path)) == is_old

    def _base_lines(self, path: str) -> frozenset[str]:
        content = self.published.read_file(path)
        return frozenset(read_source(path, content).text.splitlines()) if content else frozenset()

    def _update_old_addresses(self) -> None:
        """Add the old address to `moved_from`, and remove the new one, which is in use again."""
        old_address = f"/{self.handbook.address(self.document)}"
        new_address = f"/{make_address(self.new_path)}"
        is_published = self.published.has(self.document.path)
        content = self.change.contents[self.new_path] or b""
        if read_source(self.new_path, content).front_matter is None:
            if is_published:
                newline = b"\r\n" if b"\r\n" in content else b"\n"
                head = [b"---", f"moved_from: [{old_address}]".encode(), b"---", b""]
                self.change.contents[self.new_path] = newline.join(head) + content
            return
        editor = RecordEditor(type(self.document), self.new_path, content)
        editor.remove_value("moved_from", new_address)
        if is_published:
            editor.add_value("moved_from", old_address)
        self.change.contents[self.new_path] = editor.content

    def _rewrite_nav(self) -> None:
        """Correct the path of the document in the setting `nav`."""
        settings = self.handbook.settings
        uris = {
            self.handbook.source_uri(path): self.handbook.source_uri(new)
            for path, new in self.paths.items()
        }
        edits: dict[str, list[Edit]] = {}
        for entry in list_nav_entries(settings.root_node):
            if entry.text in uris:
                edit = Edit(entry.at, entry.text, uris[entry.text])
                edits.setdefault(entry.at.path, []).append(edit)
        for path, edits_of_file in edits.items():
            content = (self.handbook.root / path).read_bytes()
            self.change.originals[path] = content
            self.change.contents[path], _ = apply_edits(content, edits_of_file)


def _resolve(path: str, target: str) -> str | None:
    """Return the path that a relative link in the file `path` names, or None for another link."""
    split = split_target(target, path) if urlsplit_safely(target).path else None
    return split[0] if split else None
