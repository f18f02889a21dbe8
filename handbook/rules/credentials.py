"""Find credentials in all published texts: documents, paths, settings, attachments and samples."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby

from handbook.diagnostics import Location
from handbook.handbook import Handbook
from handbook.reading import files, nodes
from handbook.reading.credential_forms import ESCAPE, Form, find_matches, may_hold_credential
from handbook.reading.kept_results import find_results, make_key
from handbook.records import Document
from handbook.settings import Sample

Match = tuple[int, int, Form]
"""The start, the end and the form of a credential in a text."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A text that looks like a credential.

    `name` is the kind of credential. `sample` is the entry of `handbook.samples` that declares it
    as a published example, or None.
    """

    at: Location
    name: str
    sha256: str
    sample: Sample | None


@dataclass(frozen=True, slots=True)
class SearchedText:
    """A text to search for credentials, with the location of its start.

    `escapes` are the offsets at which backslashes were removed. `is_decoded` is true for the
    decoded value of a YAML key, whose file is also searched. `is_path` is true for the path of a
    file.
    """

    start: Location
    text: str
    escapes: tuple[int, ...] = ()
    is_decoded: bool = False
    is_path: bool = False

    def locate(self, offsets: Iterable[int]) -> Iterator[Location]:
        """Return the locations of offsets in this text. The offsets are in ascending order."""
        if self.is_path or self.is_decoded:
            return (self.start for _ in offsets)
        if not self.escapes:
            return locate_offsets(self.start, self.text, offsets)
        return _locate_escaped(self, offsets)


def find_credentials(handbook: Handbook) -> tuple[Credential, ...]:
    """Find all texts that look like credentials, sorted by location."""
    samples: dict[tuple[str | None, str | None], Sample] = {}
    for sample in handbook.settings.organisation.samples:
        samples.setdefault((sample.path, sample.sha256), sample)
    credentials: list[Credential] = []
    searched_lines: set[tuple[str, int]] = set()
    for text, matches in _search_texts(handbook):
        locations = list(text.locate(start for start, _, _ in matches))
        for at, (start, end, form) in zip(locations, matches, strict=True):
            if text.is_decoded and (at.path, at.line) in searched_lines:
                continue
            digest = hashlib.sha256(
                text.text[start:end].encode("utf-8", "surrogateescape")
            ).hexdigest()
            credentials.append(Credential(at, form.name, digest, samples.get((at.path, digest))))
        searched_lines.update((at.path, at.line) for at in locations)
    return tuple(sorted(credentials, key=lambda credential: credential.at))


def list_published_texts(handbook: Handbook) -> Iterator[tuple[Location, str]]:
    """List all published texts with their locations: whole files, and the values of YAML files.

    The list includes the sample files, because pages show parts of them.
    """
    for entity in handbook.entities:
        if isinstance(entity, Document):
            if entity.path not in handbook.provided:
                yield entity.source.at(1), entity.source.text
        elif entity.mapping:
            yield from ((value.at, value.text) for value in nodes.walk_scalars(entity.mapping))
    yield from ((Location(path), text) for path, text in handbook.texts.items())


def _search_texts(handbook: Handbook) -> Iterator[tuple[SearchedText, list[Match]]]:
    """Yield the texts and paths with credentials, each with their places.

    All texts of a file are searched if a quick test finds a sign in one of them, and so are all
    paths. A later check need not search a file without a credential.
    """
    kept = find_results()
    for _, group in groupby(_list_searched_texts(handbook), key=lambda text: text.start.path):
        texts_of_file = list(group)
        key = make_key("credential", *(text.text for text in texts_of_file)) if kept else ""
        if kept and kept.is_known(key):
            continue
        is_suspicious = may_hold_credential("\n".join(text.text for text in texts_of_file))
        matches = _match(texts_of_file) if is_suspicious else []
        yield from matches
        if kept and not matches:
            kept.add(key)
    own_paths = (document.path for document in _list_own_documents(handbook))
    paths = sorted(
        {*own_paths, *handbook.attachments, *handbook.texts, *_list_yaml_paths(handbook)}
    )
    if may_hold_credential("\n".join(paths)):
        yield from _match(SearchedText(Location(path), path, is_path=True) for path in paths)


def _match(texts: Iterable[SearchedText]) -> list[tuple[SearchedText, list[Match]]]:
    """Return the texts with credentials, each with their places."""
    pairs = ((text, list(find_matches(text.text))) for text in texts)
    return [(text, matches) for text, matches in pairs if matches]


def _list_own_documents(handbook: Handbook) -> Iterator[Document]:
    """Yield the documents of the repository. Provided pages only repeat its settings."""
    for path, document in handbook.documents.items():
        if path not in handbook.provided:
            yield document


def _list_searched_texts(handbook: Handbook) -> Iterator[SearchedText]:
    """List the texts of published files, settings and README.md files, file by file."""
    for document in _list_own_documents(handbook):
        yield _remove_escapes(document.source.at(1), document.source.text)
    yield from _list_yaml_texts(handbook)
    for path, text in handbook.texts.items():
        yield SearchedText(Location(path), text)
    for path in handbook.readmes:
        yield _remove_escapes(Location(path), files.read_searchable_text(handbook.root, path))


def _remove_escapes(start: Location, text: str) -> SearchedText:
    r"""Return a Markdown text without backslash escapes.

    The site shows `s3cr3t\_9` as `s3cr3t_9`.
    """
    if "\\" not in text:
        return SearchedText(start, text)
    offsets = (match.start() for match in ESCAPE.finditer(text))
    return SearchedText(
        start, ESCAPE.sub("", text), tuple(offset - index for index, offset in enumerate(offsets))
    )


def _list_yaml_paths(handbook: Handbook) -> list[str]:
    """List the paths of the settings, the audits and the rule files."""
    audits = (audit.path for audit in handbook.audits)
    return [*handbook.settings.files, *audits, *(file.path for file in handbook.rule_files)]


def _list_yaml_texts(handbook: Handbook) -> Iterator[SearchedText]:
    r"""List the whole texts of YAML files, with their keys and comments.

    For a file that can contain escapes such as `"\x41"`, and for a file outside the root, the list
    also includes the decoded values.
    """
    values: dict[str, list[nodes.Scalar]] = defaultdict(list)
    for value in nodes.walk_scalars(handbook.settings.root_node):
        values[value.at.path].append(value)
    mappings: dict[str, list[nodes.Mapping]] = defaultdict(list)
    for entity in (*handbook.alerts, *handbook.audits):
        if entity.mapping:
            mappings[entity.path].append(entity.mapping)
    for path in dict.fromkeys((*_list_yaml_paths(handbook), *values)):
        text = files.read_searchable_text(handbook.root, path)
        yield SearchedText(Location(path), text)
        if not text or "\\" in text:
            decoded = chain(values[path], *map(nodes.walk_scalars, mappings[path]))
            yield from (SearchedText(value.at, value.text, is_decoded=True) for value in decoded)


def locate_offsets(start: Location, text: str, offsets: Iterable[int]) -> Iterator[Location]:
    """Return the location of each offset in a text that begins at `start`.

    The offsets are in ascending order.
    """
    line, begin, previous = start.line, 1 - start.column, 0
    for offset in offsets:
        if ends := text.count("\n", previous, offset):
            line, begin = line + ends, text.rindex("\n", previous, offset) + 1
        previous = offset
        yield Location(start.path, line, offset - begin + 1)


def _locate_escaped(text: SearchedText, offsets: Iterable[int]) -> Iterator[Location]:
    """Return the location of each offset, in the original text with its backslashes.

    The offsets are in ascending order.
    """
    offsets = list(offsets)
    for offset, at in zip(offsets, locate_offsets(text.start, text.text, offsets), strict=True):
        begin = text.text.rfind("\n", 0, offset) + 1
        removed = bisect_right(text.escapes, offset) - bisect_right(text.escapes, begin - 1)
        yield Location(at.path, at.line, at.column + removed)
