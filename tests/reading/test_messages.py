"""Messages of the reading name the fault, and hints say how to fix it."""

from __future__ import annotations

from pathlib import Path

import pytest

from handbook.diagnostics import Finding
from handbook.reading import nodes
from handbook.reading.attachments import check_attachment
from handbook.reading.files import decode
from tests.handbooks import ADR, SETTINGS, check

STATUSES = "proposed, accepted, rejected, deprecated, superseded"


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        ("accepted", "acepted", "unknown value 'acepted' for 'status'", "did you mean 'accepted'?"),
        ("accepted", "xyz", "unknown value 'xyz' for 'status'", f"use one of {STATUSES}"),
        (
            "deciders:",
            "status: accepted\ndeciders:",
            "duplicate key 'status' (first on line 2)",
            "remove one of the two keys, with its value",
        ),
        (
            "[order-team]",
            "[order-team, order-team]",
            "duplicate value 'order-team' in 'deciders'",
            "remove the duplicate",
        ),
        (
            "[order-team]",
            "order-team",
            "unexpected single value 'order-team' under 'deciders'",
            "write 'deciders: [order-team]'",
        ),
        (
            "2026-03-02",
            "[2026-03-02]",
            "unexpected list under 'date'",
            "write a date, YYYY-MM-DD",
        ),
        (
            "2026-03-02",
            "2026-02-30",
            "date '2026-02-30' does not exist",
            "write an existing date, YYYY-MM-DD",
        ),
        ("2026-03-02", "spring", "invalid value 'spring' for 'date'", "write a date, YYYY-MM-DD"),
        (
            "date: 2026-03-02",
            "date:",
            "empty value of 'date'",
            "write a date, YYYY-MM-DD, or remove the key",
        ),
    ],
)
def test_front_matter(old: str, new: str, message: str, hint: str, tmp_path: Path) -> None:
    (finding,) = check(tmp_path, {"adr/0001-a.md": ADR.replace(old, new, 1)})
    assert (finding.message, finding.hint) == (message, hint)


def test_a_hint_names_the_key_of_a_vocabulary_in_the_settings(tmp_path: Path) -> None:
    settings = SETTINGS.replace("    teams: {order-team: {}, platform-team: {}}\n", "")
    assert settings != SETTINGS
    (finding,) = [
        finding
        for finding in check(tmp_path, {"mkdocs.yml": settings, "adr/0001-a.md": ADR})
        if finding.code == "FM005"
    ]
    assert finding.message == "unknown value 'order-team' for 'deciders'"
    assert finding.hint == (
        "define the team or the person under 'extra.handbook.teams' or 'extra.handbook.people' in "
        "mkdocs.yml"
    )


def test_the_hint_for_missing_front_matter_has_the_lines_of_the_kind(tmp_path: Path) -> None:
    findings = check(tmp_path, {"adr/0001-a.md": "# A\n"})
    hints = {finding.message: finding.hint for finding in findings if finding.code == "FM002"}
    lines = "'---', 'status: TODO', 'date: TODO' and '---'"
    assert hints == {"missing front matter": f"begin the file with the lines {lines}"}


@pytest.mark.parametrize(
    ("name", "data", "message", "hint"),
    [
        (
            "a.png",
            b"GIF89a",
            "file is not a PNG, but its name ends with '.png'",
            "save it as a PNG, or correct the suffix of its name",
        ),
        (
            "a.txt",
            b"<html>",
            "HTML content in a file whose name ends with '.txt'",
            "save it as plain text",
        ),
        (
            "a.exe",
            b"MZ",
            "unsupported attachment type '.exe'",
            "attach a picture, a PDF or a text file",
        ),
    ],
)
def test_attachments(name: str, data: bytes, message: str, hint: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    finding = check_attachment(tmp_path, name)
    assert finding is not None
    assert (finding.message, finding.hint) == (message, hint)


@pytest.mark.parametrize(
    ("data", "message", "hint"),
    [
        ("a\u202eb".encode(), "invisible character U+202E", "remove it"),
        (b"\xff", "invalid UTF-8: byte 0xff", "save the file as UTF-8"),
        (b"x" * 10_001, "line of more than 10,000 characters", "break it into several lines"),
    ],
)
def test_files(data: bytes, message: str, hint: str) -> None:
    finding = decode("a.md", data)
    assert isinstance(finding, Finding)
    assert (finding.message, finding.hint) == (message, hint)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("a: [b", "did not find expected ',' or ']'", "close the '[' that begins here"),
        ("a: 'b", "found unexpected end of stream", "close the quotation mark that begins here"),
        ("a: &x b\nc: *x", "an alias (*name)", "write the value out in each place"),
        ("a: !!python/none x", "the tag 'tag:yaml.org,2002:python/none'", "remove the tag"),
    ],
)
def test_yaml(text: str, message: str, hint: str) -> None:
    with pytest.raises(nodes.YamlError) as error:
        nodes.parse(text, "a.yml")
    assert error.value.finding.message.endswith(f"YAML: {message}")
    assert error.value.finding.hint == hint
