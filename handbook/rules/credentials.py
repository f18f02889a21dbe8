"""Find credentials in everything that the handbook publishes: texts, paths, the settings, attachments and samples."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from handbook.diagnostics import Location
from handbook.handbook import Handbook
from handbook.reading import files, nodes
from handbook.reading.credential_forms import ESCAPE, find_matches, has_sign
from handbook.records import Document
from handbook.settings import FILE, Sample


@dataclass(frozen=True, slots=True)
class Credential:
    """A text that has the form of a credential. `sample` declares it as a published example, in the settings."""

    at: Location
    name: str
    sha256: str
    sample: Sample | None


@dataclass(frozen=True, slots=True)
class SearchedText:
    """A text to search, which begins at a place.

    `escapes` are the offsets at which a backslash was removed. A `decoded` text is a part of another in other words.
    The credentials of a `name` are in the path of the file.
    """

    start: Location
    text: str
    escapes: tuple[int, ...] = ()
    decoded: bool = False
    name: bool = False

    def places(self, offsets: Iterable[int]) -> Iterator[Location]:
        """The places of rising offsets."""
        if self.name or self.decoded:
            return (self.start for _ in offsets)
        if not self.escapes:
            return locate(self.start, self.text, offsets)
        return _locate_escaped(self, offsets)


def find_credentials(handbook: Handbook) -> tuple[Credential, ...]:
    """Every text that has the form of a credential, by path and place."""
    samples: dict[tuple[str | None, str | None], Sample] = {}
    for sample in handbook.settings.organisation.samples:
        samples.setdefault((sample.path, sample.sha256), sample)
    credentials: list[Credential] = []
    lines: set[tuple[str, int]] = set()
    for text in _suspects(handbook):
        matches = list(find_matches(text.text))
        places = list(text.places(start for start, _, _ in matches))
        for at, (start, end, form) in zip(places, matches, strict=True):
            if text.decoded and (at.path, at.line) in lines:
                continue
            digest = hashlib.sha256(
                text.text[start:end].encode("utf-8", "surrogateescape")
            ).hexdigest()
            credentials.append(Credential(at, form.name, digest, samples.get((at.path, digest))))
        lines.update((at.path, at.line) for at in places)
    return tuple(sorted(credentials, key=lambda credential: credential.at))


def texts(handbook: Handbook) -> Iterator[tuple[Location, str]]:
    """Everything that the handbook publishes as text, with its place: whole files, and values of YAML files.

    The samples are part of it, because pages show parts of them.
    """
    for entity in handbook.entities:
        if isinstance(entity, Document):
            yield entity.source.at(1), entity.source.text
        elif entity.mapping:
            yield from ((value.at, value.text) for value in nodes.scalars(entity.mapping))
    yield from ((Location(path), text) for path, text in handbook.texts.items())


def _suspects(handbook: Handbook) -> Iterator[SearchedText]:
    """The texts of those files that contain a sign of a credential, and the paths that do."""
    for _, group in groupby(_searched(handbook), key=lambda text: text.start.path):
        of_file = list(group)
        if has_sign("\n".join(text.text for text in of_file)):
            yield from of_file
    names = sorted(
        {*handbook.documents, *handbook.attachments, *handbook.texts, *_yaml_files(handbook)}
    )
    if has_sign("\n".join(names)):
        yield from (SearchedText(Location(path), path, name=True) for path in names)


def _searched(handbook: Handbook) -> Iterator[SearchedText]:
    """The texts of all files, file by file: what is published, the settings, and README.md in folders of records."""
    for document in handbook.documents.values():
        yield _unescaped(document.source.at(1), document.source.text)
    yield from _searched_yaml(handbook)
    for path, text in handbook.texts.items():
        yield SearchedText(Location(path), text)
    for path in handbook.readmes:
        yield _unescaped(Location(path), files.read_loosely(handbook.root, path))


def _unescaped(start: Location, text: str) -> SearchedText:
    r"""A Markdown text without its escapes: `s3cr3t\_9` is published as `s3cr3t_9`."""
    if "\\" not in text:
        return SearchedText(start, text)
    offsets = (match.start() for match in ESCAPE.finditer(text))
    return SearchedText(
        start, ESCAPE.sub("", text), tuple(offset - index for index, offset in enumerate(offsets))
    )


def _yaml_files(handbook: Handbook) -> list[str]:
    audits = (audit.path for audit in handbook.audits)
    return [FILE, *audits, *(file.path for file in handbook.rule_files)]


def _searched_yaml(handbook: Handbook) -> Iterator[SearchedText]:
    r"""The whole text of the settings, audits and rule files: keys and comments are published or read, too.

    A value is searched as it is read, too, where it can hold escapes (`"\x41"`), or comes from outside of the root.
    """
    values: dict[str, list[SearchedText]] = defaultdict(list)
    entities = (*handbook.alerts, *handbook.audits)
    for node in (handbook.settings.root_node, *(entity.mapping for entity in entities)):
        for value in nodes.scalars(node) if node else ():
            values[value.at.path].append(SearchedText(value.at, value.text, decoded=True))
    for path in dict.fromkeys((*_yaml_files(handbook), *values)):
        text = files.read_loosely(handbook.root, path)
        yield SearchedText(Location(path), text)
        if not text or "\\" in text:
            yield from values[path]


def locate(start: Location, text: str, offsets: Iterable[int]) -> Iterator[Location]:
    """The places of rising offsets in a text that begins at `start`."""
    line, begin, known = start.line, 1 - start.column, 0
    for offset in offsets:
        if ends := text.count("\n", known, offset):
            line, begin = line + ends, text.rindex("\n", known, offset) + 1
        known = offset
        yield Location(start.path, line, offset - begin + 1)


def _locate_escaped(text: SearchedText, offsets: Iterable[int]) -> Iterator[Location]:
    """The places in a text before its escapes were removed: a backslash moves what follows it in its line."""
    offsets = list(offsets)
    for offset, at in zip(offsets, locate(text.start, text.text, offsets), strict=True):
        begin = text.text.rfind("\n", 0, offset) + 1
        moved = bisect_right(text.escapes, offset) - bisect_right(text.escapes, begin - 1)
        yield Location(at.path, at.line, at.column + moved)
