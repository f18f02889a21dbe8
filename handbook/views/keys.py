"""The keys that the search finds exactly: ids, alerts, titles, aliases and error messages."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Final, NamedTuple
from urllib.parse import quote

from handbook.handbook import Handbook
from handbook.reading.ids import CAMEL_CASE_BOUNDARY
from handbook.reading.letters import CJK, fold, has_cjk, read_stop_words
from handbook.records import Document, Entity, Page, Record
from handbook.records.alert import Alert
from handbook.records.kinds import KINDS as COUNTED
from handbook.records.kinds import RECORDS
from handbook.records.runbook import Runbook
from handbook.records.standard import Standard
from handbook.rules.engine import rules
from handbook.views import Keep, make_now
from handbook.views.rules_reference import find_rule_target

KINDS: Final[Mapping[type[Record], str]] = {kind: kind.label for kind in RECORDS}
"""The label of each kind of record."""

TEAM: Final = "Team"
"""The label of the page of a team."""

SEARCHED: Final = (*(kind.label for kind in COUNTED if kind.has_page), TEAM, Page.label)
"""The labels of the kinds in the filter of the search."""

FOLDER: Final = "assets/keys"
MAX_WORDS: Final = 8_000
"""Limit of the words in `words.json`, about 27 kB compressed. A large site keeps the most used."""

_WORD: Final = re.compile(f"[{CJK}]|[^\\W_{CJK}]+")
_COMPOUND: Final = re.compile(f"[^\\W_{CJK}]+(?:-[^\\W_{CJK}]+)*")
_LETTER: Final = f"[^\\W\\d_{CJK}]"
_NAME: Final = re.compile(f"(?<!{_LETTER}){_LETTER}{{3,20}}(?:-{_LETTER}{{3,20}})?(?!{_LETTER})")
_ID: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*?[A-Za-z]-?0*([0-9]+)(?:\.[0-9]+)?")


class Key(NamedTuple):
    """A text that the search finds, and the title, address, kind and status of its target."""

    text: str
    title: str
    address: str
    kind: str
    status: str = ""


def keys(handbook: Handbook, keep: Keep = make_now) -> dict[str, str]:
    """Return the text of each key file, by path.

    Each file `<xyz>.json` contains all keys with a word that begins with the three characters
    `xyz`, and is no stop word. It is a list of [title, address from the root of the site, kind,
    status, key, …]. The order of the list decides which of two equal matches comes first. To answer
    a query, the search needs only the files of a few words in it. The file `parts.json` lists the
    prefixes of all files, and `words.json` the words of the handbook and the synonyms of the
    settings. A preview keeps the words of each document with `keep`.
    """
    keys_by_prefix: dict[str, dict[tuple[str, ...], list[str]]] = {}
    for key in _find_keys(handbook):
        for prefix in _find_prefixes(key.text):
            keys_by_target = keys_by_prefix.setdefault(prefix, {})
            texts = keys_by_target.setdefault(key[1:], [])
            if key.text not in texts:
                texts.append(key.text)
    rows = {
        prefix: [[*target, *target_keys] for target, target_keys in keys_by_target.items()]
        for prefix, keys_by_target in sorted(keys_by_prefix.items())
    }
    words = {
        "pages": len(handbook.documents),
        "words": group_words(
            keep(("words", path), (document,), partial(_find_words, document))
            for path, document in handbook.documents.items()
        ),
        "synonyms": handbook.settings.organisation.search.synonyms,
    }
    return {
        f"{FOLDER}/{name}.json": json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        for name, content in [("parts", [*rows]), ("words", words), *rows.items()]
    }


def _find_words(document: Document) -> tuple[str, ...]:
    return find_words(" ".join((document.source.body, *document.aliases)))


def find_words(text: str) -> tuple[str, ...]:
    """Return the words of a text. Parts of a word with a hyphen are words too."""
    names = set(_NAME.findall(text.lower()))
    compounds = {name for name in names if "-" in name}
    parts = {part for name in compounds for part in name.split("-")} - names
    joined = {name.replace("-", "") for name in compounds} - names
    # Texts share most words. Without interning, each text would keep its own copies.
    return tuple(map(sys.intern, (*(names - compounds), *parts, *joined)))


def group_words(words_of_texts: Iterable[Iterable[str]]) -> list[str]:
    """Return the words of texts in groups, each a text with spaces: the rarest words first.

    Group n has the words of at least 2^n texts.
    """
    counts: Counter[str] = Counter()
    for words in words_of_texts:
        counts.update(words)
    kept = sorted(sorted(counts), key=counts.__getitem__, reverse=True)[:MAX_WORDS]
    groups: list[list[str]] = [[] for _ in range(max(counts.values(), default=0).bit_length())]
    for word in sorted(kept):
        groups[counts[word].bit_length() - 1].append(word)
    return [" ".join(group) for group in groups]


@lru_cache(maxsize=100_000)  # A preview asks for almost all keys again after each edit.
def _find_prefixes(key: str) -> frozenset[str]:
    """Return the names of the files that contain a key: none for a stop word."""
    # A query can have "OutOfMemory" or "out-of-memory", whose first word is a stop word.
    words = {*_WORD.findall(CAMEL_CASE_BOUNDARY.sub(" ", key)), *_COMPOUND.findall(key)}
    if match := _ID.fullmatch(key):
        words.add(match[1])
    return frozenset(prefix(word) for word in words if word.lower() not in read_stop_words())


def prefix(word: str) -> str:
    """Return the first three characters of a word, for a file name, as search-words.js does.

    A number has no leading zeros. A Chinese or Japanese character is the code of the character.
    """
    folded = fold(word)
    if has_cjk(folded[:1]):
        return f"u{ord(folded[0]):x}"
    if folded.isdecimal() and folded.isascii():
        folded = folded.lstrip("0") or "0"
    return re.sub("[^a-z0-9]", "_", folded[:3])


def _find_team_keys(handbook: Handbook) -> Iterator[Key]:
    """Yield the names of the teams."""
    for name, address in handbook.settings.team_addresses.items():
        yield Key(name, name, quote(address), TEAM)


def _find_file_keys(handbook: Handbook) -> Iterator[Key]:
    """Yield the paths of the files of services."""
    for file in handbook.service_files_by_address.values():
        title = f"{file.name} ({file.service})"
        yield Key(file.name, title, quote(file.address), Page.label)


def find_status(document: Entity) -> str:
    """Return the status or the severity of a record or an alert, or an empty text."""
    return getattr(document, "status", None) or getattr(document, "severity", None) or ""


def _find_keys(handbook: Handbook) -> Iterator[Key]:
    """Yield the keys of the search, in the order in which equal matches appear."""
    yield from _find_record_keys(handbook)
    yield from _find_requirement_keys(handbook)
    yield from _find_messages(handbook)
    yield from _find_team_keys(handbook)
    yield from _find_file_keys(handbook)


def _find_record_keys(handbook: Handbook) -> Iterator[Key]:
    """Yield the names of alerts, and the ids, titles and aliases of records and pages."""
    for alert in handbook.alerts:
        status = find_status(alert)
        yield Key(alert.name, alert.name, handbook.address(alert), Alert.label, status)
    for kind, name in KINDS.items():
        for record in handbook.of(kind):
            title = f"{record.id}: {record.title}" if record.mention else record.title
            target = (title, handbook.address(record), name, find_status(record))
            on_call = ("on call",) if getattr(record, "on_call", None) else ()
            yield Key(record.id, *target)
            yield Key(" ".join((record.title, *record.tags, *on_call)), *target)
            for alias in record.aliases:
                yield Key(alias, *target)
    for page in handbook.of(Page):
        if handbook.find_team(handbook.address(page)):
            continue
        for text in (page.title, *page.aliases):
            yield Key(text, page.title, handbook.address(page), Page.label)


def _find_requirement_keys(handbook: Handbook) -> Iterator[Key]:
    """Yield the ids of requirements, checklist items and rules."""
    for standard in handbook.of(Standard):
        for requirement in standard.requirements:
            if requirement.id:
                url = f"{handbook.address(standard)}#{requirement.id.lower().replace('.', '-')}"
                title = f"{requirement.id} ({standard.title})"
                yield Key(requirement.id, title, url, Standard.label)
    for id, owned in handbook.checklist_items.items():
        url = f"{handbook.address(owned.standard)}#{id.lower()}"
        yield Key(id, f"{id}: {owned.item.item}".replace("`", ""), url, Standard.label)
    if "docs/reference/rules.md" in handbook.documents:
        for rule in rules().values():
            url = find_rule_target(handbook, rule.code)
            yield Key(rule.code, f"{rule.code}: {rule.name}", url, Page.label)


def _find_messages(handbook: Handbook) -> Iterator[Key]:
    """Yield the messages in the symptoms of runbooks."""
    for runbook in handbook.of(Runbook):
        status = find_status(runbook)
        for cause in runbook.causes:
            for message in re.findall(r"`([^`]+)`", cause.symptom or ""):
                title = f"{runbook.title}: {cause.title}"
                url = f"{handbook.address(runbook)}#{cause.anchor}"
                yield Key(message, title, url, Runbook.label, status)
