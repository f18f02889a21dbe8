"""Every defect that a record can have, by product and not by choice: `make mutation`.

Each key of a front matter × each way to spoil it, each required section × each way, each link × path and fragment,
each row of a list or table that a machine reads × each way. One mutant is one change of one real record; the gate
kills it by any finding. What lives on has a reason why that is right, or is a hole in the gate.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from pathlib import Path

from handbook import loading
from handbook.diagnostics import Location
from handbook.handbook import Handbook
from handbook.loading import load
from handbook.reading import nodes
from handbook.reading.blocks import Item, Paragraph, Table
from handbook.reading.fields import Field, FieldType, Group, Many, MapOf, Text, fields_of
from handbook.reading.ids import RULE_ITEM
from handbook.reading.source import Source, read_source
from handbook.records import Page, Record
from handbook.records.alert import RuleFileFields
from handbook.records.audit import Audit
from handbook.records.postmortem import ACTIONS, TIMELINE
from handbook.records.runbook import CAUSES, ESCALATION
from handbook.records.standard import REQUIREMENTS
from handbook.rules.engine import run
from tests.handbooks import NEWEST, ROOT

KEY_WAYS = ("delete", "misspell the key", "wrong type", "bad value", "duplicate", "empty")
SECTION_WAYS = ("delete", "empty", "swap", "duplicate", "put into a fence")
CONTENT = ("mkdocs.yml", "adr", "docs", "runbooks", "postmortems")
OBLIGATION = r"\b(?:MUST|SHOULD|MAY)\b"
LABEL = re.compile(r"\*\*(Symptom|Fix):\*\* ?")
OPTIONAL = "an optional key"
EQUAL = "a swap of equal values"
MADE = "an anchor of a page that macros make, which the build looks for"


@dataclass(frozen=True)
class Mutant:
    """One record with one change. `right` says why it may live, where it may."""

    path: str
    what: str
    way: str
    text: str
    right: str = ""

    @property
    def name(self) -> str:
        return f"{self.path}: {self.what}: {self.way}"


def mutants(handbook: Handbook) -> Iterator[Mutant]:
    """Every mutant of every record, in the order of paths."""
    for record in handbook.records:
        raw = (handbook.root / record.path).read_bytes().decode()
        assert record.mapping
        head, body = raw.removeprefix("---\n").split("\n---\n", 1)
        for what, way, text, right in _keys(record.mapping, type(record)):
            yield Mutant(
                record.path, what, way, f"---\n{text}\n{_comments(head)}---\n{body}", right
            )
        yield from _sections(record, raw)
        yield from _links(handbook, record, raw)
        yield from _rows(record, raw)
    tables = {audit.path: Audit for audit in handbook.audits} | {
        file.path: RuleFileFields for file in handbook.rule_files
    }
    for path, table in tables.items():
        raw = (handbook.root / path).read_bytes().decode()
        mapping = nodes.parse(raw, path)
        assert isinstance(mapping, nodes.Mapping)
        for what, way, text, right in _keys(mapping, table):
            yield Mutant(path, what, way, f"{text}\n{_comments(raw)}", right)


def _comments(yaml: str) -> str:
    """The comments of a YAML text: sections of listings are marked there."""
    return "".join(f"{line}\n" for line in yaml.split("\n") if line.lstrip().startswith("#"))


def _keys(mapping: nodes.Mapping, table: type) -> Iterator[tuple[str, str, str, str]]:
    """Each key of a mapping, at any depth, spoilt in each way: what, way, the YAML, and why it may live."""
    for way_there, within, rows in _mappings(
        mapping, {row.key: row for row in fields_of(table)}, ()
    ):
        for index, entry in enumerate(within.entries):
            row = rows.get(entry.key)
            key, value = json.dumps(entry.key), _flow(entry.value)
            kind = row.type if row else rows.item if isinstance(rows, _Own) else None
            bad = (
                "TODO" if kind is None or _free(kind) else "zzz"
            )  # any word is a text; this one waits for another
            changes = {
                "delete": "",
                "misspell the key": f"{json.dumps(entry.key + 'x')}: {value}",
                "wrong type": f"{key}: {'[a]' if isinstance(entry.value, nodes.Mapping) else '{a: 1}'}",
                "bad value": f"{key}: {_bad_value(entry.value, bad)}",
                "duplicate": f"{key}: {value}, {key}: {value}",
                "empty": f"{key}: ",
            }
            if way_there[-1:] == ("dashboards",):  # a dashboard has whatever name it has
                del changes["misspell the key"]
            what = ".".join((*way_there, entry.key))
            for way, changed in changes.items():
                parts = [f"{json.dumps(each.key)}: {_flow(each.value)}" for each in within.entries]
                parts[index] = changed
                spoilt = "{" + ", ".join(filter(None, parts)) + "}"
                optional = way in ("delete", "empty") and not (row and row.required)
                yield what, way, _flow(mapping, within, spoilt), OPTIONAL if optional else ""


def _mappings(
    node: nodes.Node, rows: Mapping[str, Field], way: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], nodes.Mapping, Mapping[str, Field]]]:
    """A mapping and those within it, each with the way there and the fields that it can have."""
    if isinstance(node, nodes.Mapping):
        yield way, node, rows
        for entry in node.entries:
            yield from _mappings(entry.value, _below(rows.get(entry.key), rows), (*way, entry.key))
    elif isinstance(node, nodes.Sequence):
        for number, item in enumerate(node.items, 1):
            yield from _mappings(item, rows, (*way, str(number)))


def _below(row: Field | None, rows: Mapping[str, Field]) -> Mapping[str, Field]:
    """The fields of what stands under a key; under a name of the organisation's own, those of its neighbours' kind."""
    kind = row.type if row else None
    while isinstance(kind, Many):
        kind = kind.item
    if isinstance(kind, MapOf):  # names of the organisation's own, each with a value of one type
        return _Own(kind.item)
    if row is None and isinstance(rows, _Own):
        kind = rows.item
    return {each.key: each for each in fields_of(kind.table)} if isinstance(kind, Group) else {}


class _Own(dict[str, Field]):
    """No fields: the names under a key are the organisation's own, and `item` is what stands under each."""

    def __init__(self, item: FieldType) -> None:
        super().__init__()
        self.item = item


def _free(kind: FieldType) -> bool:
    while isinstance(kind, Many | MapOf):
        kind = kind.item
    return type(kind) is Text


def _bad_value(value: nodes.Node, bad: str) -> str:
    """The value with a bad word in the place of its last."""
    if isinstance(value, nodes.Sequence) and all(
        isinstance(item, nodes.Scalar) for item in value.items
    ):
        return "[" + ", ".join([*map(_flow, value.items[:-1]), bad]) + "]"
    return bad


def _flow(node: nodes.Node, spoilt: nodes.Node | None = None, text: str = "") -> str:
    """A node as YAML in one line; `text` stands where the node `spoilt` is."""
    if node is spoilt:
        return text
    if isinstance(node, nodes.Scalar):
        return "null" if node.empty else json.dumps(node.text)
    if isinstance(node, nodes.Sequence):
        return "[" + ", ".join(_flow(item, spoilt, text) for item in node.items) + "]"
    return (
        "{"
        + ", ".join(
            f"{json.dumps(each.key)}: {_flow(each.value, spoilt, text)}" for each in node.entries
        )
        + "}"
    )


def _sections(record: Record, raw: str) -> Iterator[Mutant]:
    lines = raw.split("\n")
    found = [
        section for section in record.source.sections if section.heading.text in record.sections
    ]
    for index, section in enumerate(found):
        head, first, last = section.heading.first - 1, section.heading.last, section.last
        other = found[index - 1]
        oh, ol = other.heading.first - 1, other.last
        whole = lines[head:last]
        low, high = sorted(((head, last), (oh, ol)))
        changes = {
            "delete": lines[:head] + lines[last:],
            "empty": [*lines[:first], "", *lines[last:]],
            "swap": lines[: low[0]]
            + lines[high[0] : high[1]]
            + lines[low[1] : high[0]]
            + lines[low[0] : low[1]]
            + lines[high[1] :],
            "duplicate": lines[:last] + whole + lines[last:],
            "put into a fence": [*lines[:head], "`````text", *whole, "`````", "", *lines[last:]],
        }
        for way in SECTION_WAYS:
            yield Mutant(record.path, f"## {section.heading.text}", way, "\n".join(changes[way]))


def _links(handbook: Handbook, record: Record, raw: str) -> Iterator[Mutant]:
    """Each link within the repository × path and fragment, and each id in prose."""
    for resolved in handbook.links_of(record):
        link, target = resolved.link, resolved.target
        if not target.external:  # what is on the web is asked there, not here
            path, _, fragment = link.target.partition("#")
            page = handbook.documents.get(target.path or "")
            made = MADE if isinstance(page, Page) and page.render_macros else ""
            for way, spoilt, right in (
                ("path", f"{path}x#{fragment}".rstrip("#"), ""),
                ("fragment", f"{path}#{fragment}-zzz", made),
            ):
                text = _replaced(raw, link.at, f"({link.target})", f"({spoilt})")
                yield Mutant(record.path, f"{link.at.line}: {link.target}", way, text, right)
    defined = {(id, block.first) for id, block in record.source.marked}
    for mention in record.source.mentions:
        if handbook.named(mention.id).kind and (mention.id, mention.at.line) not in defined:
            text = _replaced(
                raw,
                mention.at,
                mention.id,
                re.sub(r"[0-9](?=[0-9]*$)", "9", mention.id).rstrip("9") + "99",
            )
            yield Mutant(record.path, f"{mention.at.line}: {mention.id}", "id", text)


def _replaced(raw: str, at: Location, old: str, new: str) -> str:
    """The text with `new` for the first `old` from a line on; columns may have shifted, and links run over lines."""
    line_start = sum(len(line) + 1 for line in raw.split("\n")[: at.line - 1])
    start = raw.index(old, line_start)
    return f"{raw[:start]}{new}{raw[start + len(old) :]}"


def _rows(record: Record, raw: str) -> Iterator[Mutant]:
    """Each row that a machine reads: timelines, escalations, tables of actions, causes, rules of standards."""
    lines = raw.split("\n")

    def mutant(first: int, last: int, way: str, changed: list[str], right: str = "") -> Mutant:
        text = "\n".join([*lines[: first - 1], *changed, *lines[last:]])
        return Mutant(record.path, f"{first}: {lines[first - 1].strip()[:40]}", way, text, right)

    for section in record.source.sections:
        rows = list(
            _machine_rows(record.source, section.heading.text, section.heading.last, section.last)
        )
        for index, number in enumerate(rows):
            own, other = lines[number - 1], lines[rows[index - 1] - 1]
            for way, changed in _spoilt(own):
                yield mutant(number, number, way, [changed])
            item = [own, *takewhile(lambda line: line.startswith(" "), lines[number:])]
            if RULE_ITEM.match(own.removeprefix("- ")):
                unbound = [re.sub(OBLIGATION, "zzz", line) for line in item]
                yield mutant(number, number + len(item) - 1, "bad words", unbound)
            if section.heading.text in (TIMELINE, ACTIONS, ESCALATION) and len(rows) > 1:
                swapped = list(lines)
                swapped[number - 1], swapped[rows[index - 1] - 1] = other, own
                equal = EQUAL if _key(own) == _key(other) else ""
                what = f"{number}: {own.strip()[:40]}"
                yield Mutant(record.path, what, "reorder", "\n".join(swapped), equal)


def _machine_rows(source: Source, title: str, first: int, last: int) -> Iterator[int]:
    for block in source.blocks:
        if not first < block.first <= last:
            continue
        if title in (TIMELINE, ESCALATION, REQUIREMENTS) and isinstance(block, Item):
            if title != REQUIREMENTS or RULE_ITEM.match(
                source.line(block.first).removeprefix("- ")
            ):
                yield block.first
        elif title == ACTIONS and isinstance(block, Table):
            yield from range(block.first + 2, block.last + 1)
        elif title == CAUSES and isinstance(block, Paragraph) and LABEL.match(block.text):
            yield block.first


def _key(row: str) -> str:
    """What the order of a row goes by: the time of a line, the tier of a step, the id of an action."""
    match = re.match(r"- (?:[0-9-]{10} )?[0-9:]{5}|- Tier [0-9]+|\| *\w+", row)
    return match[0] if match else row


def _spoilt(row: str) -> Iterator[tuple[str, str]]:
    """A row with a part dropped, and with a part that cannot be read."""
    if row.startswith("|"):
        cells = row.strip().strip("|").split("|")
        for index in range(len(cells)):
            yield (
                f"drop cell {index + 1}",
                "|" + "|".join([*cells[:index], *cells[index + 1 :]]) + "|",
            )
        for index in (0, 2, 3, 4):  # the second is free text
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


class Gate:
    """A copy of the handbook in which one file after another is spoilt and mended again."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="mutants-"))
        for name in CONTENT:
            source = root / name
            shutil.copytree(source, self.root / name) if source.is_dir() else shutil.copy(
                source, self.root / name
            )
        loading.read_source = lru_cache(maxsize=256)(read_source)  # type: ignore[attr-defined]

    def kills(self, mutant: Mutant) -> str:
        """The first code by which the gate finds a mutant, or nothing."""
        file = self.root / mutant.path
        before = file.read_bytes()
        file.write_bytes(mutant.text.encode())
        try:
            return next((found.code for found in run(load(self.root), NEWEST).findings), "")
        finally:
            file.write_bytes(before)

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.root)


def judged(chosen: list[Mutant]) -> list[tuple[Mutant, str]]:
    """Each mutant with the code that killed it, or with nothing."""
    with Gate() as gate:
        return [(mutant, gate.kills(mutant)) for mutant in chosen]


def holes(results: Iterable[tuple[Mutant, str]]) -> list[str]:
    """The mutants that lived and should not have."""
    return [mutant.name for mutant, code in results if not code and not mutant.right]


def main(arguments: list[str]) -> int:
    """Try all mutants, or a sample; print what was killed and what lived. Answers 0 where no hole is left."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=main.__doc__)
    parser.add_argument("--sample", type=int, default=0, help="try so many, drawn at random")
    parser.add_argument("--seed", type=int, default=0, help="what the draw begins with")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    begin = time.monotonic()
    chosen = list(mutants(load(ROOT)))
    if options.sample:
        chosen = sorted(
            random.Random(options.seed).sample(chosen, options.sample),  # noqa: S311 - no secret
            key=lambda mutant: mutant.name,
        )
    parts = [chosen[start :: options.processes] for start in range(options.processes)]
    with ProcessPoolExecutor(options.processes) as pool:
        results = [result for part in pool.map(judged, parts) for result in part]
    killed = Counter(code for _, code in results if code)
    for mutant, code in sorted(results, key=lambda each: (each[0].right, each[0].name)):
        if not code:
            print(
                f"lives: {mutant.name}" + (f" ({mutant.right})" if mutant.right else "  <-- a hole")
            )
    print(", ".join(f"{code} {count}" for code, count in sorted(killed.items())))
    print(
        f"{killed.total()}/{len(results)} killed, {len(holes(results))} holes, {time.monotonic() - begin:.0f} s"
    )
    return 1 if holes(results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
