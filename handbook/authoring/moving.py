"""Move a page or a record, or give a decision another number, and correct all links to it."""

from __future__ import annotations

import posixpath
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape, unescape
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from handbook.authoring.editor import CannotChangeError, RecordEditor
from handbook.authoring.edits import apply_edits
from handbook.authoring.link_targets import find_targets, split_target, urlsplit_safely
from handbook.authoring.material_pages import TextPart, find_addresses, find_html_texts, split_page
from handbook.authoring.planned_change import PlannedChange
from handbook.authoring.rewriting import (
    BodyDraft,
    Rewrite,
    keep_label,
    rewrite_links,
    walk_texts,
)
from handbook.diagnostics import Edit, did_you_mean
from handbook.handbook import Handbook
from handbook.loading import find_document_class
from handbook.provided_pages import make_address
from handbook.reading import nodes
from handbook.reading.blocks import Heading
from handbook.reading.files import find_hidden_character
from handbook.reading.ids import ID, anchor
from handbook.reading.parser import MarkdownNode
from handbook.reading.source import Source, read_source
from handbook.records import Document, Page, Record, next_number
from handbook.records.adr import Adr
from handbook.records.service import Service
from handbook.site_settings import list_nav_entries

_KEPT_KEYS: Final = frozenset({"moved_from", "imported"})
"""The keys whose values describe the past, and do not change."""
_CHANGE_LOG: Final = re.compile(r"(?:changelog|changes|history|news)\.md", re.IGNORECASE)

_UNSAFE: Final = re.compile(r"[^\w./~-]")
"""A character that is percent-encoded in the path of a link."""


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
    if hidden := find_hidden_character(new_path) or ("\n" if "\n" in new_path else None):
        raise CannotChangeError(f"invisible character U+{ord(hidden):04X} in the new path")
    if isinstance(document, Record):
        _check_record_path(document, new_path)
    elif (
        posixpath.normpath(new_path) != new_path
        or any(part.startswith(".") for part in PurePosixPath(new_path).parts)
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
    if path in handbook.provided:
        raise CannotChangeError(f"the engine provides '{path}'; a provided page cannot be moved")
    if document is None:
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


@dataclass(frozen=True, slots=True)
class _ShownText:
    """A part of a body that readers see: a text in or outside a link, or the title of a target."""

    start: int
    end: int
    link: MarkdownNode | None = None
    target: str | None = None


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
        self.anchors: dict[str, dict[str, str]] = {}
        """The new anchor of each heading whose text changes, by path and old anchor."""
        self.kept_anchors: dict[str, tuple[Rewrite, ...]] = {}
        """The anchors of published headings, to write into the headings, by path."""
        change.new_paths |= self.paths

    def run(self) -> None:
        """Plan the new contents of all files. Raises CannotChangeError."""
        root = self.handbook.root
        for new_path in self.paths.values():
            if (root / new_path).exists():
                raise CannotChangeError(f"{new_path} already exists")
        contents = {path: (root / path).read_bytes() for path in self._list_texts()}
        contents = {path: text for path, text in contents.items() if self._must_read(path, text)}
        for path, content in contents.items() if self.new_id else ():
            self._compare_headings(read_source(path, content))
        for path, content in contents.items():
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
        names = [self.document.id, PurePosixPath(self.document.path).stem]
        if self.new_id:
            names += [anchor(str(self.old_id)), anchor(self.new_id)]
        text = unquote(content.decode(errors="replace"))
        return any(name in text for name in names)

    def _rewrite(self, path: str, content: bytes) -> None:
        source = read_source(path, content)
        if source.problem:
            if path == self.document.path:
                raise CannotChangeError(f"{path} cannot be read; run: handbook check {path}")
            self.change.notes.append(f"{path} cannot be read; correct its links by hand")
            return
        rewrites = dict.fromkeys(self._rewrite_body(source))
        edits = [
            Edit(source.at_body(rewrite.start), rewrite.old, rewrite.new) for rewrite in rewrites
        ]
        edits += self._rewrite_references(source)
        new_content, applied = apply_edits(content, edits)
        if len(applied) < len(set(edits)):
            raise CannotChangeError(f"{path}: a link cannot be corrected; edit it first")
        if new_content != content:
            self.change.originals[path] = content
            self.change.contents[self.paths.get(path, path)] = new_content

    def _rewrite_body(self, source: Source) -> Iterator[Rewrite]:
        for part in self._split(source):
            for rewrite in self._rewrite_part(source, part):
                yield replace(rewrite, start=part.find_outer(rewrite.start))
        yield from self.kept_anchors.get(source.path, ())

    def _split(self, source: Source) -> Iterator[TextPart]:
        """Yield the body of a file, and the texts in it that only Python-Markdown reads."""
        return split_page(source) if self._is_material(source) else iter([TextPart(source)])

    def _is_material(self, source: Source) -> bool:
        document = self.handbook.documents.get(source.path)
        return isinstance(document, Page) and document.markdown is not None

    def _rewrite_part(self, source: Source, part: TextPart) -> Iterator[Rewrite]:
        body = BodyDraft(part.source)
        yield from rewrite_links(body, lambda target: self._find_target(source.path, target))
        if self._is_material(source):
            for start, address in find_addresses(part.source):
                new = self._find_address(source.path, unescape(address))
                if new is not None:
                    yield Rewrite(start, address, escape(new), "address in HTML")
        if self.new_id:
            yield from self._rewrite_ids(source, part)

    def _find_target(self, path: str, target: str) -> str | None:
        """Return the new target of a link in the file `path`, or None to leave it."""
        split = split_target(target, path)
        if split is None:
            return None
        linked, path_part, new_part = split[0], urlsplit_safely(target).path, None
        new_linked, new_path = self.paths.get(linked, linked), self.paths.get(path, path)
        folder, new_folder = posixpath.dirname(path), posixpath.dirname(new_path)
        if path_part and (new_linked != linked or folder != new_folder):
            new_part = _make_relative(new_linked, new_folder, path_part)
        return self._change_target(target, new_part, linked)

    def _find_address(self, path: str, target: str) -> str | None:
        """Return the new target of a link in HTML, or None to leave it.

        MkDocs does not resolve such a link. A browser resolves it from the address of the page.
        """
        parts = urlsplit_safely(target)
        if parts.scheme or parts.netloc or not parts.path or parts.path.endswith(".md"):
            return self._find_target(path, target)
        if parts.path.startswith("/"):
            return None
        folder, new_folder = self.handbook.url(path) or "", make_address(self.paths.get(path, path))
        joined = posixpath.join("/", folder, unquote(parts.path))
        address = posixpath.normpath(joined).strip("/")
        linked = self._paths_by_address.get(address, "")
        new_address = address
        if linked in self.paths:
            is_page = linked == self.document.path
            new = self.paths[linked]
            new_address = (
                make_address(new).rstrip("/") if is_page else self.handbook.source_uri(new)
            )
        new_part = None
        if (new_address, new_folder) != (address, folder):
            new_part = _make_relative(new_address, new_folder, parts.path)
        return self._change_target(target, new_part, linked)

    @cached_property
    def _paths_by_address(self) -> Mapping[str, str]:
        """The paths of all documents and moved attachments, by address without a final slash."""
        paths = {*self.handbook.documents, *self.paths}
        return {(self.handbook.url(path) or "").rstrip("/"): path for path in sorted(paths)}

    def _change_target(self, target: str, path: str | None, linked: str) -> str | None:
        """Return a target with another path, and with the new anchor in the linked file.

        `path` is None if the path stays. Returns None if nothing changes.
        """
        parts = urlsplit(target)
        fragment = self.anchors.get(linked, {}).get(unquote(parts.fragment))
        if path is None and fragment is None:
            return None
        parts = parts._replace(path=parts.path if path is None else path)
        return parts._replace(fragment=fragment or parts.fragment).geturl()

    def _compare_headings(self, source: Source) -> None:
        """Find the headings whose anchors change because their texts cite the decision.

        A published heading keeps its anchor, which is then written into the heading.
        """
        old_id = str(self.old_id)
        if source.problem or not any(old_id in heading.text for heading in source.headings):
            return
        rewrites = list(self._rewrite_ids(source, TextPart(source)))
        base = None if self._is_material(source) else self.published.read_file(source.path)
        published_anchors = read_source(source.path, base).anchors if base else frozenset()
        kept = []
        for old, _ in self._list_changed_headings(source, rewrites):
            if (
                old.level > 1
                and old.id in published_anchors
                and re.fullmatch(r"[A-Za-z][\w.-]*", old.id)
            ):
                end = source.node_of(old).children[-1].end
                kept.append(Rewrite(end, "", f" {{#{old.id}}}", "anchor of a published heading"))
        self.kept_anchors[source.path] = tuple(kept)
        changed = self._list_changed_headings(source, [*rewrites, *kept])
        self.anchors[source.path] = {old.id: new.id for old, new in changed}

    def _list_changed_headings(
        self, source: Source, rewrites: Iterable[Rewrite]
    ) -> list[tuple[Heading, Heading]]:
        """Return each heading whose anchor the rewrites change, before and after."""
        body = BodyDraft(source)
        body.change(rewrites)
        pairs = zip(source.headings, body.source.headings, strict=True)
        return [(old, new) for old, new in pairs if old.id != new.id]

    def _rewrite_ids(self, source: Source, part: TextPart) -> Iterator[Rewrite]:
        """Correct the id of the decision in texts, and in texts and titles of links to it."""
        old_id, new_id = str(self.old_id), str(self.new_id)
        text, tree = part.source.body, part.source.tree
        labels = {}
        spans = [_ShownText(node.start, node.end, link) for node, link in walk_texts(tree, None)]
        for written in (written for written in find_targets(text, tree) if written.title):
            end = written.title_start + len(written.title)
            spans.append(_ShownText(written.title_start, end, None, written.target))
        if self._is_material(source):
            spans += [_ShownText(start, end) for start, end in find_html_texts(part.source)]
        for span in spans:
            target = span.link.text if span.link else span.target
            linked = _resolve(source.path, target) if target is not None else None
            if (target and urlsplit_safely(target).scheme) or linked in self._others:
                continue
            is_linked = linked == self.document.path
            for match in ID.finditer(text, span.start, span.end):
                if match[0] != old_id:
                    continue
                at = source.at_body(part.find_outer(match.start()))
                if is_linked or self._is_meant(source, at.line):
                    yield Rewrite(match.start(), old_id, new_id, "id")
                    if span.link:
                        labels[span.link.start] = span.link
        for link in labels.values():
            yield from keep_label(text, link)

    def _rewrite_references(self, source: Source) -> Iterator[Edit]:
        """Correct the ids in front matter: of the decision, or of the moved record."""
        if self.new_id:
            yield from self._rewrite_front_matter_ids(source)
        elif isinstance(self.document, Record):
            new_id = type(self.document).id_of(self.new_path)
            document = self.handbook.documents.get(source.path)
            for reference in document.references if document else ():
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
                mark = BOM_UTF8 if content.startswith(BOM_UTF8) else b""
                text = content.removeprefix(mark)
                self.change.contents[self.new_path] = mark + newline.join(head) + text
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


def _make_relative(path: str, folder: str, written: str) -> str:
    """Return the path of a link in a folder, in the form in which the old one was written."""
    relative = posixpath.relpath(f"/{path}", f"/{folder}")
    slash = "/" if written.endswith("/") else ""
    if "%" in written:
        return quote(relative) + slash
    return _UNSAFE.sub(lambda match: quote(match[0]), relative) + slash


def _resolve(path: str, target: str) -> str | None:
    """Return the path that a relative link in the file `path` names, or None for another link."""
    split = split_target(target, path) if urlsplit_safely(target).path else None
    return split[0] if split else None
