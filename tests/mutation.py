"""Mutation test: break every record in every known way, and report the missed mutants.

A mutant is one real file with one change. The changes break each key of front matter, each required
section, each link and its target, each id, and each row of a list or table that the handbook reads.
They also break each key of mkdocs.yml. The check detects a mutant with any finding. A mutant
without a finding needs an excuse, or the check has missed it. Run `make mutation`.
"""

from __future__ import annotations

import argparse
import json
import posixpath
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain, takewhile
from pathlib import Path

from handbook.diagnostics import Location
from handbook.handbook import Handbook, Target
from handbook.loading import load
from handbook.reading import nodes
from handbook.reading.blocks import Item, Link, Paragraph, Table
from handbook.reading.fields import (
    Field,
    FieldType,
    Group,
    Many,
    MapOf,
    RecordId,
    Text,
    field,
    fields_of,
)
from handbook.reading.ids import ITEM_WITH_ID
from handbook.reading.source import Source
from handbook.records import Page, Record
from handbook.records.audit import Audit
from handbook.records.postmortem import ACTIONS, TIMELINE
from handbook.records.rule_file import RuleFileFields
from handbook.records.runbook import CAUSES, ESCALATION
from handbook.records.standard import REQUIREMENTS
from handbook.rules.engine import run
from handbook.settings import FILE, Organisation, Policy, read_settings
from tests.handbooks import NEWEST, ROOT

KEY_CHANGES = ("delete", "misspell the key", "wrong type", "bad value", "duplicate", "empty")
RULE_CHANGES = (
    "repeat the group",
    "repeat the rule",
    "make a record of an alert",
    "make an alert of a record",
    "rename a label",
    "rename an annotation",
    "open a template",
    "call an unknown function",
    "use an unknown variable",
    "break the expression",
    "query an unknown series",
    "swap the units of a duration",
)
SECTION_CHANGES = ("delete", "empty", "duplicate", "put into a fence")
TARGET_CHANGES = (
    "another id",
    "another record",
    "record of another kind",
    "attachment of another record",
    "id of another record",
    "path instead of the id",
    "case of the id",
    "case of the path",
    "missing file",
    "folder",
    "anchor of another page",
    "misspelt scheme",
    "scheme without colon",
    "no host",
)
CONTENT = ("mkdocs.yml", "adr", "docs", "runbooks", "postmortems")
OBLIGATION = r"\b(?:MUST|SHOULD|MAY)\b"
CHECKED_LABELS = ("severity", "runbook_url")
"""The labels and annotations of alerts that a rule checks. Others can have any name."""
LABEL = re.compile(r"\*\*(Symptom|Fix):\*\* ?")
OPTIONAL_KEY = "an optional key"
EQUAL_VALUES = "a swap of equal values"
OPTION = "an option of a theme or plugin, which only that theme or plugin reads"
FREE_POLICY = "a value of the policy that no page shows"
FREE_NAME = "a name or text that the organisation chooses"
OTHER_RECORD = "another record, which only a reader can tell from the right one"
OTHER_ATTACHMENT = "an attachment of another record, which several records can show"
FOLDER_PAGE = "a folder with an index page, which is the target"
SMALL_LETTERS = "an id in small letters is an ordinary word, for example in a file name"
MACRO_ANCHOR = "an anchor of a page with macros, which only the build checks"


@dataclass(frozen=True)
class Mutant:
    """A file with one change. `excuse` is the reason why the check may miss it, if there is one."""

    path: str
    target: str
    change: str
    text: str
    excuse: str = ""

    @property
    def name(self) -> str:
        return f"{self.path}: {self.target}: {self.change}"


def make_mutants(handbook: Handbook) -> Iterator[Mutant]:
    """Make every mutant of every record, audit and rule file, and of mkdocs.yml."""
    for record in handbook.records:
        raw = (handbook.root / record.path).read_bytes().decode()
        assert record.mapping
        head, body = raw.removeprefix("---\n").split("\n---\n", 1)
        for mutant in chain(
            _mutate_keys(record.path, record.mapping, type(record)),
            _mutate_references(handbook, record.path, record.mapping, type(record)),
        ):
            yield replace(mutant, text=f"---\n{mutant.text}\n{_comments(head)}---\n{body}")
        yield from _mutate_sections(record, raw)
        yield from _mutate_links(handbook, record, raw)
        yield from _mutate_link_targets(handbook, record, raw)
        yield from _mutate_ids(handbook, record, raw)
        yield from _mutate_rows(record, raw)
    tables = {audit.path: Audit for audit in handbook.audits} | {
        file.path: RuleFileFields for file in handbook.rule_files
    }
    for path, table in tables.items():
        raw = (handbook.root / path).read_bytes().decode()
        mapping = nodes.parse(raw, path)
        assert isinstance(mapping, nodes.Mapping)
        mutants = chain(
            _mutate_keys(path, mapping, table),
            _mutate_references(handbook, path, mapping, table),
        )
        if table is RuleFileFields:
            mutants = chain(mutants, _mutate_rules(path, mapping))
        for mutant in mutants:
            yield replace(mutant, text=f"{mutant.text}\n{_comments(raw)}")
    yield from make_settings_mutants(handbook)


@dataclass(frozen=True, kw_only=True)
class _Extra:
    """The settings of the handbook in mkdocs.yml."""

    handbook: object = field(Group(Organisation), "settings")
    policy: object = field(Group(Policy), "policy")


@dataclass(frozen=True, kw_only=True)
class _SettingsFields:
    """The keys of mkdocs.yml whose values have the types of the handbook."""

    extra: object = field(Group(_Extra), "settings of the handbook")


def make_settings_mutants(handbook: Handbook) -> Iterator[Mutant]:
    """Break each key of mkdocs.yml at any depth."""
    raw = (handbook.root / FILE).read_bytes().decode()
    mapping = nodes.parse(raw, FILE, plain=False)
    assert isinstance(mapping, nodes.Mapping)
    for mutant in _mutate_keys(FILE, mapping, _SettingsFields):
        yield replace(mutant, excuse=mutant.excuse or _excuse_settings_mutant(mutant))


_OPTIONS = ("theme.icon.", "theme.palette", "plugins.", "extra.generator")
"""The keys whose names and values the check does not read. It finds only their duplicates."""
_FREE_NAMES = ("extra.handbook.teams.", "extra.handbook.groups.", "extra.policy.severities.")


def _excuse_settings_mutant(mutant: Mutant) -> str:
    """Return why the check may miss a mutant of mkdocs.yml, or an empty text."""
    target, change = mutant.target, mutant.change
    if change == "duplicate":
        return ""
    known_keys = {f"extra.policy.{row.key}" for row in fields_of(Policy)}
    is_free_policy = target.startswith("extra.policy.") and not target.startswith(tuple(known_keys))
    if target.startswith(_OPTIONS) or target in ("theme.language", "theme.features"):
        return OPTION
    if is_free_policy:
        return FREE_POLICY
    is_name = change == "misspell the key" and target.startswith((*_FREE_NAMES, "nav."))
    return FREE_NAME if is_name or (target, change) == ("exclude_docs", "bad value") else ""


def _comments(yaml: str) -> str:
    """Return the comments of a YAML text, because they mark the sections of listings."""
    return "".join(f"{line}\n" for line in yaml.split("\n") if line.lstrip().startswith("#"))


def _mutate_keys(path: str, mapping: nodes.Mapping, table: type) -> Iterator[Mutant]:
    """Break each key of a mapping at any depth. The text of a mutant is the mapping as YAML."""
    fields = {field.key: field for field in fields_of(table)}
    for parent_keys, inner, inner_fields in _nested_mappings(mapping, fields, ()):
        for index, entry in enumerate(inner.entries):
            field = inner_fields.get(entry.key)
            for change, changed_entry in _changed_entries(entry, field, inner_fields).items():
                if change == "misspell the key" and parent_keys[-1:] == ("dashboards",):
                    continue  # A dashboard can have any name.
                if change == "misspell the key" and _is_free_label(parent_keys, entry.key):
                    continue
                entries = [
                    f"{json.dumps(sibling.key)}: {_flow(sibling.value)}"
                    for sibling in inner.entries
                ]
                entries[index] = changed_entry
                flow_mapping = "{" + ", ".join(filter(None, entries)) + "}"
                is_optional = change in ("delete", "empty") and not (field and field.required)
                yield Mutant(
                    path,
                    ".".join((*parent_keys, entry.key)),
                    change,
                    _flow(mapping, inner, flow_mapping),
                    OPTIONAL_KEY if is_optional else "",
                )


def _is_free_label(parent_keys: tuple[str, ...], key: str) -> bool:
    """Return whether a key is a label or annotation of a rule that can have any name."""
    return parent_keys[-1:] in (("labels",), ("annotations",)) and key not in CHECKED_LABELS


def _changed_entries(
    entry: nodes.Entry, field: Field | None, fields: Mapping[str, Field]
) -> Mapping[str, str]:
    """Return an entry as YAML with each change of KEY_CHANGES."""
    key, value = json.dumps(entry.key), _flow(entry.value)
    kind = field.type if field else fields.item if isinstance(fields, _AnyKey) else None
    # Any word is a valid text, except a placeholder.
    bad_word = "TODO" if kind is None or _is_free_text(kind) else "zzz"
    return {
        "delete": "",
        "misspell the key": f"{json.dumps(entry.key + 'x')}: {value}",
        "wrong type": f"{key}: {'[a]' if isinstance(entry.value, nodes.Mapping) else '{a: 1}'}",
        "bad value": f"{key}: {_bad_value(entry.value, bad_word)}",
        "duplicate": f"{key}: {value}, {key}: {value}",
        "empty": f"{key}: ",
    }


def _mutate_rules(path: str, mapping: nodes.Mapping) -> Iterator[Mutant]:
    """Break each group and each rule of a rule file in the ways that Prometheus refuses."""
    groups = mapping.find("groups")
    assert isinstance(groups, nodes.Sequence)
    for number, group in enumerate(groups.items, 1):
        assert isinstance(group, nodes.Mapping)
        name = f"groups.{number}"
        text = f"{_flow(group)}, {{name: {_flow_at(group, 'name')}, rules: []}}"
        yield Mutant(path, name, "repeat the group", _flow(mapping, group, text))
        rules = group.find("rules")
        assert isinstance(rules, nodes.Sequence)
        for rule_number, rule in enumerate(rules.items, 1):
            assert isinstance(rule, nodes.Mapping)
            for change, changed_rule in _changed_rules(rule):
                text = _flow(mapping, rule, changed_rule)
                yield Mutant(path, f"{name}.{rule_number}", change, text)


def _changed_rules(rule: nodes.Mapping) -> Iterator[tuple[str, str]]:
    """Yield a rule as YAML with each change of RULE_CHANGES that is possible."""

    def with_entry(key: str, value: str) -> str:
        others = [entry for entry in rule.entries if entry.key != key]
        rest = "".join(f", {json.dumps(entry.key)}: {_flow(entry.value)}" for entry in others)
        return f"{{{json.dumps(key)}: {value}{rest}}}"

    expr = rule.find("expr")
    assert isinstance(expr, nodes.Scalar)
    yield "repeat the rule", f"{_flow(rule)}, {_flow(rule)}"
    yield "break the expression", with_entry("expr", json.dumps(f"{expr.text} +"))
    yield "query an unknown series", with_entry("expr", json.dumps(f"({expr.text}) * zz:zz:zz"))
    labels, annotations = rule.find("labels"), rule.find("annotations")
    if isinstance(labels, nodes.Mapping):
        yield "rename a label", with_entry("labels", f"{{a-b: x, {_flow(labels)[1:]}")
    if rule.find("record"):
        yield "make an alert of a record", with_entry("alert", "Zzz")
        yield "swap the units of a duration", with_entry("for", "5m")
        return
    yield "make a record of an alert", with_entry("record", "'a:b'")
    yield "swap the units of a duration", with_entry("for", "1m5h")
    if isinstance(annotations, nodes.Mapping):
        rest = _flow(annotations)[1:]
        yield "rename an annotation", with_entry("annotations", f"{{a-b: x, {rest}")
        for change, template in (
            ("open a template", "{{ $value"),
            ("call an unknown function", "{{ humanise $value }}"),
            ("use an unknown variable", "{{ $valu }}"),
        ):
            yield change, with_entry("annotations", f"{{zz: {json.dumps(template)}, {rest}")


def _flow_at(mapping: nodes.Mapping, key: str) -> str:
    """Return the value of a key as YAML."""
    value = mapping.find(key)
    assert value is not None
    return _flow(value)


def _nested_mappings(
    node: nodes.Node, fields: Mapping[str, Field], keys: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], nodes.Mapping, Mapping[str, Field]]]:
    """Yield a mapping and all mappings inside it, each with its key path and its fields."""
    if isinstance(node, nodes.Mapping):
        yield keys, node, fields
        for entry in node.entries:
            inner_fields = _inner_fields(fields.get(entry.key), fields)
            yield from _nested_mappings(entry.value, inner_fields, (*keys, entry.key))
    elif isinstance(node, nodes.Sequence):
        for number, item in enumerate(node.items, 1):
            yield from _nested_mappings(item, fields, (*keys, str(number)))


def _inner_fields(field: Field | None, fields: Mapping[str, Field]) -> Mapping[str, Field]:
    """Return the fields of the value of a key. Under free keys, all values have the same."""
    kind = field.type if field else None
    while isinstance(kind, Many):
        kind = kind.item
    if isinstance(kind, MapOf):
        return _AnyKey(kind.item)
    if field is None and isinstance(fields, _AnyKey):
        kind = fields.item
    if isinstance(kind, Group):
        return {inner_field.key: inner_field for inner_field in fields_of(kind.table)}
    return {}


class _AnyKey(dict[str, Field]):
    """Fields of a mapping with free keys, whose values all have the type `item`."""

    def __init__(self, item: FieldType) -> None:
        super().__init__()
        self.item = item


def _is_free_text(kind: FieldType) -> bool:
    while isinstance(kind, Many | MapOf):
        kind = kind.item
    return isinstance(kind, Text)


def _bad_value(value: nodes.Node, bad_word: str) -> str:
    """Return a value as YAML with a bad word instead of its last word."""
    if isinstance(value, nodes.Sequence) and all(
        isinstance(item, nodes.Scalar) for item in value.items
    ):
        return "[" + ", ".join([*map(_flow, value.items[:-1]), bad_word]) + "]"
    return bad_word


def _flow(node: nodes.Node, changed_node: nodes.Node | None = None, text: str = "") -> str:
    """Return a node as YAML on one line, with `text` instead of `changed_node`."""
    if node is changed_node:
        return text
    if isinstance(node, nodes.Scalar):
        return "null" if node.empty else json.dumps(node.text)
    if isinstance(node, nodes.Sequence):
        # A line of a file has a length limit.
        return "[" + ",\n  ".join(_flow(item, changed_node, text) for item in node.items) + "]"
    return (
        "{"
        + ", ".join(
            f"{json.dumps(entry.key)}: {_flow(entry.value, changed_node, text)}"
            for entry in node.entries
        )
        + "}"
    )


def _mutate_sections(record: Record, raw: str) -> Iterator[Mutant]:
    """Break each required section."""
    lines = raw.split("\n")
    sections = [
        section for section in record.source.sections if section.heading.text in record.sections
    ]
    for section in sections:
        head, first, last = section.heading.first - 1, section.heading.last, section.last
        section_lines = lines[head:last]
        changed_lines = {
            "delete": lines[:head] + lines[last:],
            "empty": [*lines[:first], "", *lines[last:]],
            "duplicate": lines[:last] + section_lines + lines[last:],
            "put into a fence": [
                *lines[:head],
                "`````text",
                *section_lines,
                "`````",
                "",
                *lines[last:],
            ],
        }
        for change in SECTION_CHANGES:
            text = "\n".join(changed_lines[change])
            yield Mutant(record.path, f"## {section.heading.text}", change, text)


def _mutate_links(handbook: Handbook, record: Record, raw: str) -> Iterator[Mutant]:
    """Break the path and the fragment of each internal link, and each id in prose."""
    for resolved in handbook.links_of(record):
        link, target = resolved.link, resolved.target
        if not target.is_external:  # The check does not request other hosts.
            path, _, fragment = link.target.partition("#")
            page = handbook.documents.get(target.path or "")
            excuse = MACRO_ANCHOR if isinstance(page, Page) and page.render_macros else ""
            for change, bad_target, change_excuse in (
                ("path", f"{path}x#{fragment}".rstrip("#"), ""),
                ("fragment", f"{path}#{fragment}-zzz", excuse),
            ):
                text = _replace_after(raw, link.at, f"({link.target})", f"({bad_target})")
                name = f"{link.at.line}: {link.target}"
                yield Mutant(record.path, name, change, text, change_excuse)
    defined_ids = {(id, block.first) for id, block in record.source.items_with_ids}
    for mention in record.source.mentions:
        is_defined = (mention.id, mention.at.line) in defined_ids
        if handbook.resolve_id(mention.id).kind and not is_defined:
            unknown_id = re.sub(r"[0-9]+$", lambda number: "9" * max(len(number[0]), 2), mention.id)
            text = _replace_after(raw, mention.at, mention.id, unknown_id)
            yield Mutant(record.path, f"{mention.at.line}: {mention.id}", "id", text)


def _mutate_references(
    handbook: Handbook, path: str, mapping: nodes.Mapping, table: type
) -> Iterator[Mutant]:
    """Replace each id of a record in a mapping by other ids. The text of a mutant is YAML."""
    fields = {field.key: field for field in fields_of(table)}
    for parent_keys, inner, inner_fields in _nested_mappings(mapping, fields, ()):
        for entry in inner.entries:
            field = inner_fields.get(entry.key)
            kind = (
                field.type.item if field and isinstance(field.type, Many) else field and field.type
            )
            if isinstance(kind, RecordId):
                for scalar in nodes.walk_scalars(entry.value):
                    for change, id, excuse in _change_reference(handbook, kind.kind, scalar.text):
                        text = _flow(mapping, scalar, json.dumps(id))
                        target = ".".join((*parent_keys, entry.key, scalar.text))
                        yield Mutant(path, target, change, text, excuse)


def _change_reference(handbook: Handbook, kind: str, id: str) -> Iterator[tuple[str, str, str]]:
    """Yield each change of an id in front matter: its name, the new id and the excuse."""
    entities = [entity for entity in handbook.entities if entity.id]
    others = [entity.id for entity in entities if entity.kind == kind and entity.id != id]
    if others:
        yield "id of another record", others[0], OTHER_RECORD
    ids_of_kind = {id, *others}
    for other_kind in sorted({entity.kind for entity in entities} - {kind}):
        ids = [entity.id for entity in entities if entity.kind == other_kind]
        wrong_id = next((other_id for other_id in ids if other_id not in ids_of_kind), None)
        if wrong_id:
            yield f"id of the kind {other_kind}", wrong_id, ""
    yield "case of the id", id.swapcase(), ""
    path = next((entity.path for entity in entities if entity.id == id), None)
    if path:
        yield "path instead of the id", path, ""


def _mutate_link_targets(handbook: Handbook, record: Record, raw: str) -> Iterator[Mutant]:
    """Replace the target of each link by a similar one."""
    for resolved in handbook.links_of(record):
        link, target = resolved.link, resolved.target
        if f"({link.target})" not in record.source.line(link.at.line):
            continue  # A bare address with a misspelt scheme is text.
        changes = (
            _change_scheme(link.target)
            if target.is_external
            else _change_target(handbook, record, link, target)
        )
        for change, bad_target, excuse in changes:
            if bad_target != link.target:
                text = _replace_after(raw, link.at, f"({link.target})", f"({bad_target})")
                yield Mutant(record.path, f"{link.at.line}: {link.target}", change, text, excuse)


def _change_scheme(address: str) -> Iterator[tuple[str, str, str]]:
    """Yield changes of the scheme of an address: their names, the address and the excuse."""
    scheme, _, rest = address.partition(":")
    yield "misspelt scheme", f"{scheme[0]}{scheme[2:]}:{rest}", ""
    yield "scheme without colon", f"{scheme}{rest}", ""
    yield "no host", f"{scheme}:///{rest.lstrip('/').partition('/')[2]}", ""


def _change_target(
    handbook: Handbook, record: Record, link: Link, target: Target
) -> Iterator[tuple[str, str, str]]:
    """Yield changes of an internal target: their names, the target and the excuse."""
    path, hash_mark, fragment = link.target.partition("#")
    page = handbook.documents.get(target.path or "")
    macro_excuse = MACRO_ANCHOR if isinstance(page, Page) and page.render_macros else ""
    if fragment:
        yield "case of the fragment", f"{path}#{fragment.swapcase()}", macro_excuse
    if page and (anchor := min(record.source.anchors - page.source.anchors, default=None)):
        yield "anchor of another page", f"{path}#{anchor}", macro_excuse
    if not path:
        return
    folder, slash, name = path.rpartition("/")
    yield "missing file", f"{folder}{slash}zzz-{name}{hash_mark}{fragment}", ""
    yield "case of the path", f"{folder}{slash}{name.swapcase()}{hash_mark}{fragment}", ""
    folder_target = handbook.resolve(record.path, folder or ".")
    is_page = folder_target.path in handbook.documents
    yield "folder", folder or ".", FOLDER_PAGE if is_page else ""
    for change, other_path, excuse in _list_other_targets(handbook, record, target):
        relative = posixpath.relpath(other_path, posixpath.dirname(record.path))
        yield change, relative, excuse


def _list_other_targets(
    handbook: Handbook, record: Record, target: Target
) -> Iterator[tuple[str, str, str]]:
    """Yield other existing files for a link: the name of the change, the path and the excuse."""
    page = handbook.documents.get(target.path or "")
    if isinstance(page, Record):
        for similar in handbook.records:
            if type(similar) is type(page) and similar.path not in (page.path, record.path):
                yield "another record", similar.path, OTHER_RECORD
                break
        for similar in handbook.records:
            if type(similar) is not type(page):
                yield "record of another kind", similar.path, OTHER_RECORD
                break
    elif target.path in handbook.attachments:
        folder = posixpath.splitext(record.path)[0]
        suffix = posixpath.splitext(target.path)[1]
        for attachment in sorted(handbook.attachments):
            if not attachment.startswith(f"{folder}/") and attachment.endswith(suffix):
                yield "attachment of another record", attachment, OTHER_ATTACHMENT
                break


def _mutate_ids(handbook: Handbook, record: Record, raw: str) -> Iterator[Mutant]:
    """Replace each id in prose by another one of its kind, and by one in small letters."""
    defined_ids = {(id, block.first) for id, block in record.source.items_with_ids}
    for mention in record.source.mentions:
        target = handbook.resolve_id(mention.id).record
        if target is None or (mention.id, mention.at.line) in defined_ids:
            continue
        similar = next(
            (
                similar
                for similar in handbook.records
                if type(similar) is type(target) and similar not in (target, record)
            ),
            None,
        )
        for change, id, excuse in (
            ("another id", similar.id if similar else mention.id, OTHER_RECORD),
            ("case of the id", mention.id.lower(), SMALL_LETTERS),
        ):
            if id != mention.id:
                text = _replace_after(raw, mention.at, mention.id, id)
                yield Mutant(record.path, f"{mention.at.line}: {mention.id}", change, text, excuse)


def _replace_after(raw: str, at: Location, old: str, new: str) -> str:
    """Replace the first `old` from a line on.

    The column is not used, because links can span lines.
    """
    line_start = sum(len(line) + 1 for line in raw.split("\n")[: at.line - 1])
    start = raw.index(old, line_start)
    return f"{raw[:start]}{new}{raw[start + len(old) :]}"


def _mutate_rows(record: Record, raw: str) -> Iterator[Mutant]:
    """Break each parsed row.

    Rows are entries of timelines, escalation tiers, actions, causes and requirements.
    """
    lines = raw.split("\n")

    def mutant(
        first: int, last: int, change: str, changed_lines: list[str], excuse: str = ""
    ) -> Mutant:
        text = "\n".join([*lines[: first - 1], *changed_lines, *lines[last:]])
        target = f"{first}: {lines[first - 1].strip()[:40]}"
        return Mutant(record.path, target, change, text, excuse)

    for section in record.source.sections:
        numbers = list(
            _parsed_lines(record.source, section.heading.text, section.heading.last, section.last)
        )
        for index, number in enumerate(numbers):
            row, neighbour = lines[number - 1], lines[numbers[index - 1] - 1]
            for change, changed_row in _changed_rows(row):
                yield mutant(number, number, change, [changed_row])
            item = [row, *takewhile(lambda line: line.startswith(" "), lines[number:])]
            if ITEM_WITH_ID.match(row.removeprefix("- ")):
                without_obligation = [re.sub(OBLIGATION, "zzz", line) for line in item]
                yield mutant(number, number + len(item) - 1, "bad words", without_obligation)
            if section.heading.text in (TIMELINE, ACTIONS, ESCALATION) and len(numbers) > 1:
                swapped = list(lines)
                swapped[number - 1], swapped[numbers[index - 1] - 1] = neighbour, row
                excuse = EQUAL_VALUES if _sort_key(row) == _sort_key(neighbour) else ""
                target = f"{number}: {row.strip()[:40]}"
                yield Mutant(record.path, target, "reorder", "\n".join(swapped), excuse)


def _parsed_lines(source: Source, title: str, first: int, last: int) -> Iterator[int]:
    """Yield the numbers of the lines that the handbook parses as rows."""
    for block in source.blocks:
        if not first < block.first <= last:
            continue
        if title in (TIMELINE, ESCALATION, REQUIREMENTS) and isinstance(block, Item):
            if title != REQUIREMENTS or ITEM_WITH_ID.match(
                source.line(block.first).removeprefix("- ")
            ):
                yield block.first
        elif title == ACTIONS and isinstance(block, Table):
            yield from range(block.first + 2, block.last + 1)
        elif title == CAUSES and isinstance(block, Paragraph) and LABEL.match(block.text):
            yield block.first


def _sort_key(row: str) -> str:
    """Return the part of a row that decides its order: the time, the tier or the id."""
    match = re.match(r"- (?:[0-9-]{10} )?[0-9:]{5}|- Tier [0-9]+|\| *\w+", row)
    return match[0] if match else row


def _changed_rows(row: str) -> Iterator[tuple[str, str]]:
    """Yield a row without one of its elements, and with an invalid one."""
    if row.startswith("|"):
        cells = row.strip().strip("|").split("|")
        for index in range(len(cells)):
            yield (
                f"drop cell {index + 1}",
                "|" + "|".join([*cells[:index], *cells[index + 1 :]]) + "|",
            )
        for index in (0, 2, 3, 4):  # The second cell is free text.
            yield (
                f"bad value in cell {index + 1}",
                "|" + "|".join([*cells[:index], " zzz ", *cells[index + 1 :]]) + "|",
            )
    elif LABEL.match(row):
        yield "drop the label", LABEL.sub("", row)
        yield "bad label", LABEL.sub("**Zzz:** ", row)
    elif match := re.match(r"- (?P<head>\*\*[^*]+\*\*) ", row):
        yield "drop the id", row.replace(f"{match['head']} ", "")
        yield "bad id", row.replace(match["head"], "**zzz**")
    else:
        head, mark, rest = row.partition(" — ") if " — " in row else row.partition(": ")
        yield "drop the head", f"- {rest}"
        yield "drop the text", f"{head}{mark}".rstrip()
        yield "bad head", f"- zzz{mark}{rest}"


class HandbookCopy:
    """A temporary copy of the handbook, in which one file at a time is replaced by a mutant."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="mutants-"))
        for name in CONTENT:
            source = root / name
            shutil.copytree(source, self.root / name) if source.is_dir() else shutil.copy(
                source, self.root / name
            )
        for folder in read_settings(root).organisation.nested.values():
            shutil.copytree(root / folder, self.root / folder)

    def first_code(self, mutant: Mutant) -> str:
        """Return the code of the first finding in the copy with this mutant, or an empty text."""
        file = self.root / mutant.path
        original = file.read_bytes()
        file.write_bytes(mutant.text.encode())
        try:
            findings = run(load(self.root), NEWEST).findings
            return next((finding.code for finding in findings), "")
        finally:
            file.write_bytes(original)

    def __enter__(self) -> HandbookCopy:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.root)


def judge_mutants(mutants: list[Mutant], root: Path = ROOT) -> list[tuple[Mutant, str]]:
    """Return each mutant of a root with the code of its first finding, or with an empty text."""
    with HandbookCopy(root) as copy:
        return [(mutant, copy.first_code(mutant)) for mutant in mutants]


def find_missed_mutants(results: Iterable[tuple[Mutant, str]]) -> list[str]:
    """Return the names of the mutants with neither a finding nor an excuse."""
    return [mutant.name for mutant, code in results if not code and not mutant.excuse]


def main(arguments: list[str]) -> int:
    """Test all mutants or a sample, print the result, and return 1 if the check missed a mutant."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=main.__doc__)
    parser.add_argument(
        "--sample", type=int, default=0, metavar="N", help="test N mutants, drawn at random"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the random sample")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    begin = time.monotonic()
    mutants = list(make_mutants(load(ROOT)))
    if options.sample:
        mutants = sorted(
            random.Random(options.seed).sample(mutants, options.sample),  # noqa: S311 - no secret
            key=lambda mutant: mutant.name,
        )
    batches = [mutants[start :: options.processes] for start in range(options.processes)]
    with ProcessPoolExecutor(options.processes) as pool:
        results = [result for batch in pool.map(judge_mutants, batches) for result in batch]
    counts = Counter(code for _, code in results if code)
    missed_count = len(find_missed_mutants(results))
    for mutant, code in sorted(results, key=lambda result: (result[0].excuse, result[0].name)):
        if not code:
            print(f"no finding: {mutant.name} ({mutant.excuse or 'MISSED'})")
    print(", ".join(f"{code} {count}" for code, count in sorted(counts.items())))
    print(
        f"{counts.total()}/{len(results)} detected, {missed_count} missed, "
        f"{time.monotonic() - begin:.0f} s"
    )
    return 1 if missed_count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
