"""A placeholder is one finding, FM106: no other rule reports the same value or text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from handbook.loading import load
from handbook.reading import nodes
from handbook.reading.blocks import Heading, Paragraph, Table
from handbook.reading.placeholders import find_placeholder
from handbook.records import ITEM_ID, Record
from tests.handbooks import ADR, SETTINGS, SMALL, check, copy_site, format_findings, report, write

HANDBOOK = load(SMALL)
PLACEHOLDERS = ("TODO", "To be written.")


@pytest.mark.parametrize(
    "text",
    [
        "TODO",
        "TODO: say what",
        "TODO describe the symptom",
        "TODO discuss this with the team",
        "TODO details",
        "TODO(platform): say what",
        "FIXME, this is wrong",
        "TBD after the review",
        "Call the owner. TODO",
        "Owner: TBD",
        "The limit — TBD",
        "Then TODO: say what",
        "> TODO",
        "- [ ] TODO",
        "### TODO: name the cause",
        "- **STD-09.1** TODO state what a team must do",
        "**Symptom:** TODO",
        "| A1 | TODO | x |",
        "The target is [TBD] for now",
        "We watch it (TODO).",
        "2026-11-TODO",
        "ADR-XXX",
        "to be written",
        "**To be written.**",
        "The target. To be defined.",
        "Lorem ipsum dolor",
        "tbd",
        "Fix the pool.\nTODO",
        "Fix the pool\nTODO",
    ],
)
def test_a_placeholder(text: str) -> None:
    placeholder = find_placeholder(text)
    assert placeholder
    assert text[placeholder.offset :].startswith(placeholder.text)


@pytest.mark.parametrize(
    "text",
    [
        "Todo el tráfico va por aquí",
        "Todo",
        "The Todo service",
        "todo-service",
        "todo",
        "mastodon",
        "TBD means trunk-based development",
        "TBD reduces merge conflicts.",
        "TBD and feature flags go together",
        "TBD: trunk-based development",
        "| TBD | trunk-based development |",
        "We use [TBD](trunk.md)",
        "Trunk-based development (TBD) is short",
        "TODO comments are forbidden",
        "XXX marks a dangerous line",
        "Search for markers, e.g. TODO or FIXME",
        "The team has a TODO list.",
        "TODO.md lists them",
        "every team that practises\nTBD every day",
        "Two tools will need to be written.",
        "`TODO` is a word of ours",
        "Somebody writes a todo",
    ],
)
def test_a_text_that_is_no_placeholder(text: str) -> None:
    assert find_placeholder(text) is None


def test_placeholders_in_a_long_line_take_linear_time() -> None:
    assert find_placeholder("a TODO " * 100_000) is None


def read_values() -> Iterator[tuple[str, nodes.Scalar]]:
    """Yield the path and value of every scalar, except names that others refer to."""
    for entity in HANDBOOK.entities:
        if entity.path in HANDBOOK.provided:  # The engine has the file of this page.
            continue
        names = (
            set() if entity.mapping is None else {id(name) for name in _find_names(entity.mapping)}
        )
        for value in nodes.walk_scalars(entity.mapping) if entity.mapping else ():
            if not value.empty and id(value) not in names:
                yield entity.path, value


def _find_names(mapping: nodes.Mapping) -> Iterator[nodes.Node]:
    """Yield the ids of checklist items and the names of alerts, which others refer to."""
    for name in (mapping.find("alert"), *(_find_item_ids(mapping.find("checklist")))):
        if name:
            yield name


def _find_item_ids(checklist: nodes.Node | None) -> Iterator[nodes.Node | None]:
    for item in checklist.items if isinstance(checklist, nodes.Sequence) else ():
        yield item.find("id") if isinstance(item, nodes.Mapping) else None


def replace_value(text: str, value: nodes.Scalar, placeholder: str) -> str | None:
    """Replace a value with a placeholder. Returns None if the file has it in another form."""
    lines = text.split("\n")
    line, start = lines[value.at.line - 1], value.at.column - 1
    quoted = line[start] in "'\""
    end = line.index(line[start], start + 1) + 1 if quoted else start + len(value.text)
    if not quoted and line[start:end] != value.text:
        return None
    lines[value.at.line - 1] = f'{line[:start]}"{placeholder}"{line[end:]}'
    return "\n".join(lines)


@pytest.mark.mutation
@pytest.mark.parametrize("placeholder", PLACEHOLDERS)
def test_a_placeholder_as_value_is_one_finding(placeholder: str, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    count = 0
    for path, value in read_values():
        original = (root / path).read_text(encoding="utf-8")
        text = replace_value(original, value, placeholder)
        if text is not None:
            (root / path).write_text(text, encoding="utf-8")
            expected = f"{path}:{value.at.line}:{value.at.column}:FM106"
            assert format_findings(report(root).findings) == [expected], value.text
            (root / path).write_text(original, encoding="utf-8")
            count += 1
    assert count > 150


def make_changes(record: Record, placeholder: str) -> Iterator[tuple[int, int, str]]:
    """Yield changes that put a placeholder into a text that rules read.

    A change is its first line, its last line and the new text.
    """
    for block in record.source.blocks:
        line = record.source.line(block.first)
        # RBK016 needs the warnings, which keep readers safe.
        if isinstance(block, Paragraph) and "[!WARNING]" not in line:
            marker = re.match(r"\s*(?:[-*+] |\d+[.)] |> )*", line)
            yield block.first, block.last, (marker[0] if marker else "") + placeholder
            if label := re.match(
                r"\*\*(?:Symptom|Fix):\*\* |- \*\*STD-[0-9.]+\*\* |- [0-9:]{5} — ", line
            ):
                yield block.first, block.last, label[0] + placeholder
        elif isinstance(block, Heading) and block.level == 3:
            yield block.first, block.last, f"### {placeholder}"
        elif isinstance(block, Table):
            yield from _change_rows(record, block, placeholder)
    for section in record.source.sections:
        if section.heading.text in record.sections:
            yield section.heading.last + 1, section.last, f"\n{placeholder}\n"
            yield section.heading.last + 1, section.last, f"\n- {placeholder}\n"


def _change_rows(record: Record, table: Table, placeholder: str) -> Iterator[tuple[int, int, str]]:
    for number in range(table.first + 2, table.last + 1):
        cells = record.source.line(number).strip().strip("|").split("|")
        yield number, number, f"| {placeholder} |{' |' * (len(cells) - 1)}"
        for index in range(len(cells)):
            yield (
                number,
                number,
                "|" + "|".join([*cells[:index], f" {placeholder} ", *cells[index + 1 :]]) + "|",
            )


@pytest.mark.mutation
@pytest.mark.parametrize("placeholder", PLACEHOLDERS)
def test_a_placeholder_as_text_is_one_finding(placeholder: str, tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    count = 0
    for record in HANDBOOK.of(Record):
        original = (root / record.path).read_text(encoding="utf-8")
        for first, last, text in make_changes(record, placeholder):
            lines = original.split("\n")
            lines[first - 1 : last] = [text, *[""] * (last - first)]
            (root / record.path).write_text("\n".join(lines), encoding="utf-8")
            # Other files have findings too: links to the heading, references to the item.
            codes = [
                finding.code for finding in report(root).findings if finding.at.path == record.path
            ]
            assert codes == ["FM106"], f"{record.path}:{first}: {text}"
            count += 1
        (root / record.path).write_text(original, encoding="utf-8")
    assert count > 180


@pytest.mark.parametrize(
    ("kind", "old", "new", "expected"),
    [
        ("a list that is a word", "deciders: [order-team]", "deciders: TODO", ["4:11:FM106"]),
        (
            "two in a list",
            "deciders: [order-team]",
            "deciders: [TODO, TODO]",
            ["4:12:FM106", "4:18:FM106"],
        ),
        ("groups", "deciders:", "history: [TODO]\ndeciders:", ["4:11:FM106"]),
        ("a part of a date", "date: 2026-03-02", "date: 2026-03-TODO", ["3:7:FM106"]),
        ("an invalid id", "deciders:", "services: [tbd]\ndeciders:", ["4:12:FM106"]),
        ("a name that begins like it", "[order-team]", "[todo-team]", ["4:12:FM005"]),
        ("another fault", "status: accepted", "status: TODO\nzebra: 1", ["2:9:FM106", "3:1:FM003"]),
    ],
)
def test_a_value_in_front_matter(
    kind: str, old: str, new: str, expected: list[str], tmp_path: Path
) -> None:
    findings = check(tmp_path, {"adr/0001-a.md": ADR.replace(old, new, 1)})
    locations = [location.removeprefix("adr/0001-a.md:") for location in format_findings(findings)]
    assert locations == expected, kind


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("date: 2026-03-02", "date: TODO", "replace it with a date, YYYY-MM-DD"),
        (
            "status: accepted",
            "status: TODO",
            "replace it with one of proposed, accepted, rejected, deprecated, superseded",
        ),
        (
            "[order-team]",
            "[TODO]",
            "replace it with one of order-team, platform-team, or remove the key",
        ),
        (
            "deciders:",
            "review_by: TODO\ndeciders:",
            "replace it with a date, YYYY-MM-DD, or remove the key",
        ),
        (
            "deciders:",
            "history: [{status: proposed, date: TODO}]\ndeciders:",
            "replace it with a date, YYYY-MM-DD",
        ),
        (
            "What.",
            "TODO: what.",
            "replace it with text, or put it in backticks if it is not a placeholder",
        ),
    ],
)
def test_the_hint_says_what_to_write(old: str, new: str, hint: str, tmp_path: Path) -> None:
    (finding,) = check(tmp_path, {"adr/0001-a.md": ADR.replace(old, new, 1)})
    assert (finding.code, finding.message, finding.hint) == ("FM106", "placeholder 'TODO'", hint)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("- TODO\n- Tier 1 (15 min): Engineer", ["FM106"]),
        ("- Tier 1 (15 min): TODO\n- Tier 3 (30 min): Owner", ["FM106", "RBK006"]),
        ("- Tier 1 (15 min): Engineer\n- Call the owner. TODO", ["FM106"]),
        ("- TODO\n- Call the owner", ["FM106", "RBK005"]),
        ("- Todo el equipo", ["RBK005"]),
        ("- `TODO`", ["RBK005"]),
    ],
)
def test_text_beside_a_placeholder_is_still_checked(
    body: str, expected: list[str], tmp_path: Path
) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    file = root / "runbooks/shop/orders-down.md"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text[: text.index("## Escalation")] + f"## Escalation\n\n{body}\n", encoding="utf-8"
    )
    assert [finding.code for finding in report(root).findings] == expected


def test_an_explanation_without_its_id_can_belong_to_any_item(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    file = root / "docs/standards/08-observability.md"
    text = file.read_text(encoding="utf-8")
    ids = re.findall(rf"- id: ({ITEM_ID})", text)
    assert len(ids) > 2
    file.write_text(text.replace(f"- id: {ids[0]}", "- id: TODO"), encoding="utf-8")
    assert [
        finding.code
        for finding in report(root).findings
        if finding.at.path.startswith("docs/standards/")
    ] == ["FM106"]


def test_settings_and_rule_files(tmp_path: Path) -> None:
    settings = SETTINGS + "    expect: {adr: TODO}\n    rules: {DEC001: TODO}\n"
    rules = (
        "groups:\n  - name: todo\n    interval: TODO\n    rules:\n"
        "      - {record: a, expr: b}\n      - {alert: A, expr: up, for: TODO}\n"
    )
    write(
        tmp_path,
        {"mkdocs.yml": settings, "adr/0001-a.md": ADR, "runbooks/shop/shop.rules.yml": rules},
    )
    locations = [
        location
        for location in format_findings(report(tmp_path).findings)
        if location.endswith((":FM106", ":FM005", ":FM006"))
    ]
    assert locations == [
        "mkdocs.yml:9:19:FM106",
        "mkdocs.yml:10:21:FM106",
        "runbooks/shop/shop.rules.yml:3:15:FM106",
        "runbooks/shop/shop.rules.yml:6:35:FM106",
    ]
