"""Write the result of a check as Markdown, for the job summary of a workflow on GitHub.

GitHub shows only ten errors and ten warnings of a step as annotations. The summary lists them all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote

from handbook.diagnostics import Diagnostic, Report, Severity, Unlisted
from handbook.history.comparison import ChangeKind, RecordChange
from handbook.reporters.text import ADVISORY, describe_unlisted, escape_unprintable, summary

MAX_BYTES: Final = 1_000_000
"""The largest size of a summary. GitHub drops the summary of a step above 1 MiB."""

_MAX_CHANGES_BYTES: Final = 400_000
_RESERVED_BYTES: Final = 100_000
"""The size of the part outside of the tables."""
_MARKUP: Final = re.compile(r"[^\w\s.,/()';%=-]|_|(?<=[Ww]{3})\.")
"""Characters that Markdown, HTML or GitHub can read as markup, and the dot of `www.`."""
_URL_CHARACTERS: Final = "/:?#[]@!$&'*+,;=%~"


def job_summary(
    report: Report, changes: Sequence[RecordChange] | None = None, base: str | None = None
) -> str:
    """Return the summary: the counts, the changes of records against the base, and the findings.

    Without a base, `changes` is None, and the summary has no section of changes. A summary that
    would be too large leaves out rows, and says how many.
    """
    lines = ["## Handbook check", "", _cut(summary(report))]
    if changes is not None:
        lines += ["", f"### Records compared with {_escape(base or 'the base')}", ""]
        lines += _write_changes(changes)
    room = MAX_BYTES - _RESERVED_BYTES - sum(map(_size, lines))
    lines += ["", "### Findings", "", *_write_findings(report, room)]
    return "\n".join(lines) + "\n"


def _write_changes(changes: Sequence[RecordChange]) -> list[str]:
    if not changes:
        return ["No record was added, changed or removed."]
    counts = Counter(change.kind for change in changes)
    counted = ", ".join(f"{counts[kind]} {kind}" for kind in ChangeKind if counts[kind])
    return [
        f"{counted}.",
        "",
        *_write_table(
            ("Change", "Kind", "Record", "Status", "File"),
            map(_write_change, changes),
            len(changes),
            _MAX_CHANGES_BYTES,
        ),
    ]


def _write_change(change: RecordChange) -> tuple[str, ...]:
    title = _escape(change.title)
    if change.url:
        title = f"[{title}]({quote(change.url, safe=_URL_CHARACTERS)})"
    statuses = dict.fromkeys(filter(None, (change.old_status, change.status)))
    paths = dict.fromkeys(filter(None, (change.old_path, change.path)))
    return (
        str(change.kind),
        _escape(change.label),
        title,
        " → ".join(map(_escape, statuses)),
        " → ".join(map(_code, paths)),
    )


def _write_findings(report: Report, room: int) -> list[str]:
    listing = report.listing
    entries: list[Diagnostic | Unlisted] = [*listing.findings, *listing.more]
    if not entries:
        return ["No findings."]
    # Errors come first, so that a bound on the size leaves out warnings.
    entries.sort(key=lambda entry: entry.severity is not Severity.ERROR)
    return _write_table(
        ("Severity", "Place", "Rule", "Finding"), map(_write_finding, entries), len(entries), room
    )


def _write_finding(entry: Diagnostic | Unlisted) -> tuple[str, ...]:
    rule = _escape(f"{entry.code} {entry.rule}")
    if isinstance(entry, Unlisted):
        return str(entry.severity), _code(entry.path), rule, describe_unlisted(entry)
    place = f"{entry.at.path}:{entry.at.line}:{entry.at.column}"
    mark = ADVISORY if entry.is_advisory else ""
    texts = filter(None, (entry.message, entry.hint))
    return f"{entry.severity}{mark}", _code(place), rule, "<br>".join(map(_escape, texts))


def _write_table(
    titles: Sequence[str], rows: Iterable[Sequence[str]], count: int, room: int
) -> list[str]:
    """Return the lines of a table with as many rows as `room` bytes can hold.

    The last line counts the rows that are left out. `count` is the number of all rows.
    """
    lines = [_write_row(titles), _write_row(["---"] * len(titles))]
    for number, row in enumerate(rows):
        line = _write_row(row)
        room -= _size(line)
        if room < 0:
            left_out = f"{count - number:,} more, left out because of the size limit of a summary."
            return [*lines, "", f"And {left_out}"]
        lines.append(line)
    return lines


def _write_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _size(line: str) -> int:
    """Return the size of a line with its line end in bytes."""
    return len(line.encode("utf-8", "backslashreplace")) + 1


def _cut(text: str) -> str:
    """Escape a line of text, and cut it to its first 10,000 characters."""
    return _escape(text if len(text) <= 10_000 else f"{text[:10_000]} …")


def _escape(text: str) -> str:
    """Escape text, so that GitHub shows each character as it is, also in a table."""
    return _MARKUP.sub(lambda match: f"&#{ord(match[0])};", escape_unprintable(text))


def _code(text: str) -> str:
    return f"<code>{_escape(text)}</code>"
