"""Views: functions that show values of the handbook as Markdown, HTML or JSON.

A view does not use files, the time or the network. It shows only values of the handbook. Its links
are relative to the page that shows the view. The parameter `page_address` is the address of this
page from the root of the site.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    pass_eval_context,
    select_autoescape,
)
from jinja2.nodes import EvalContext
from markupsafe import Markup, escape

from handbook.reading.addresses import make_relative
from handbook.reading.ids import CAMEL_CASE_BOUNDARY
from handbook.records import Record

T = TypeVar("T")

_FIRST_ROWS: Final = 100
"""The number of rows that an index shows at first, as in indexes.js."""

_LABEL: Final = re.compile(
    r"\{\{\s*(?:humanize\w*\s+)?\$(?:labels\.(?P<label>\w+)|value)\s*(?:\|[^{}]*)?\}\}"
)
"""A label or the value in a template of Prometheus, such as `{{ $value | humanize }}`."""

NOT_RECORDED: Final = "not recorded"
"""The text for a fact of an imported record that nobody recorded."""

TONES: Final[Mapping[str, str]] = {
    "accepted": "good",
    "published": "good",
    "pass": "good",
    "done": "good",
    "proposed": "open",
    "draft": "open",
    "in-review": "open",
    "unknown": "open",
    "open": "open",
    "deprecated": "gone",
    "superseded": "gone",
    "not-applicable": "gone",
    "dropped": "gone",
    "rejected": "bad",
    "fail": "bad",
    "waived": "note",
    "example": "note",
    "must": "note",
}
"""The colour of the badge of each word. The word alone also carries the meaning."""


def duration(value: timedelta | None) -> str:
    """Format a duration, such as `1 h 5 min`. Returns "n/a" if the duration is unknown."""
    if value is None:
        return "n/a"
    minutes = round(value.total_seconds() / 60)
    hours, rest = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    amounts = ((days, "d"), (hours, "h"), (rest, "min"))
    return " ".join(f"{number} {unit}" for number, unit in amounts if number) or "0 min"


def moment(value: datetime) -> str:
    """Format a time in UTC, such as `2026-05-15 10:14 UTC`."""
    return f"{value:%Y-%m-%d %H:%M} UTC"


def size(count: int) -> str:
    """Format a number of bytes, such as `4.8 kB`."""
    if count < 1_000:
        return f"{count} byte{'' if count == 1 else 's'}"
    return f"{count / 1_000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def fence(text: str, language: str) -> str:
    """Wrap a text in a Markdown code block. Its fence is longer than any fence in the text."""
    longest = max((len(backticks) for backticks in re.findall(r"`{3,}", text)), default=2)
    mark = "`" * max(3, longest + 1)
    escaped_text = text.replace("--8<--", ";--8<--")  # shows the line, and includes no file
    return f"{mark}{language}\n{escaped_text}\n{mark}"


@dataclass(frozen=True, slots=True)
class Facet:
    """A filter of a table.

    `title` is its label, `name` the data attribute of the rows, and `values` are the choices.
    """

    title: str
    name: str
    values: list[str]


def make_facet(title: str, name: str, values: Iterable[object]) -> Facet:
    """Make a filter from the values of the rows. Duplicate and empty values are left out.

    The choice "not recorded" is the last one.
    """
    texts = {str(value) for value in values if value not in (None, "")}
    return Facet(title, name, sorted(texts, key=lambda text: (text == NOT_RECORDED, text)))


@dataclass(frozen=True, slots=True)
class Imports:
    """The number of imported records in a list, and of the gaps in them."""

    records: int
    gaps: int


def count_imports(records: Iterable[Record]) -> Imports:
    """Count the imported records and their gaps."""
    imported = [record for record in records if record.is_imported]
    return Imports(len(imported), sum(len(record.gaps) for record in imported))


def or_not_recorded(record: Record, value: Any) -> Any:
    """Return a value, or "not recorded" if an imported record lacks it."""
    return NOT_RECORDED if record.is_imported and value in (None, "", ()) else value


def each_or_not_recorded(record: Record, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values of a list, or "not recorded" if an imported record has none."""
    return values or ((NOT_RECORDED,) if record.is_imported else ())


def make_breakable(name: str) -> Markup:
    """Allow line breaks between the words of a name such as `OrderServiceDown`."""
    return Markup("<wbr>").join(CAMEL_CASE_BOUNDARY.split(name))


def show_labels(text: str) -> str:
    """Write the labels and the value of an alert as names: `{{ $labels.pod }}` becomes `<pod>`.

    Other templates of Prometheus stay as they are.
    """
    return _LABEL.sub(lambda match: f"<{match['label'] or 'value'}>", text)


def split_rows(rows: Markup) -> tuple[Markup, Markup, int]:
    """Split the rows of an index: the first hundred, the others, and the number of all rows.

    A browser shows the others only on request, because thousands of rows take seconds on a phone.
    """
    parts = re.split(r"(?=<tr\b)", rows.strip())
    parts = parts if parts[0] else parts[1:]
    first, rest = ("".join(part).strip() for part in (parts[:_FIRST_ROWS], parts[_FIRST_ROWS:]))
    return Markup(first), Markup(rest), len(parts)  # noqa: S704 - rows that we made


@pass_eval_context
def _keep_in_line(context: EvalContext, value: Any) -> Any:
    """Return a value of a template, whose text has entities instead of line ends.

    In Markdown, a blank line in a value would end the HTML around it.
    """
    if not context.autoescape or not isinstance(value, str) or isinstance(value, Markup):
        return value
    escaped = escape(value)
    if "\n" in escaped or "\r" in escaped:
        line = str(escaped).replace("\n", "&#10;").replace("\r", "&#13;")
        return Markup(line)  # noqa: S704 - escaped above
    return escaped


@cache
def _make_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        auto_reload=False,
        finalize=_keep_in_line,
    )
    environment.globals["relative"] = make_relative
    environment.globals["split_rows"] = split_rows
    environment.globals["recorded"] = or_not_recorded
    environment.globals["recorded_list"] = each_or_not_recorded
    environment.globals["not_recorded"] = NOT_RECORDED
    environment.filters |= {"duration": duration, "moment": moment, "size": size}
    environment.filters["breakable"] = make_breakable
    environment.filters["show_labels"] = show_labels
    environment.filters["tone"] = lambda status: TONES.get(str(status).lower(), "gone")
    return environment


class Keep(Protocol):
    """Function that returns a value for a key, which a preview keeps from build to build.

    The value depends only on the inputs, and on the answers of a traced handbook to `make`.
    """

    def __call__(self, key: Hashable, inputs: tuple[Any, ...], make: Callable[[], T]) -> T:
        """Return the kept value, or make it."""


def make_now(key: Hashable, inputs: tuple[Any, ...], make: Callable[[], T]) -> T:  # noqa: ARG001
    """Return a value that is not kept."""
    return make()


@dataclass(frozen=True, slots=True)
class Rows:
    """Makes the rows of a table with a macro of its template. A preview keeps each row.

    `table` tells the table from others. A row depends only on its inputs and on the handbook.
    """

    keep: Keep
    table: tuple[Hashable, ...]

    def make(self, macro: Callable[..., Markup], key: Hashable, *inputs: Any) -> Markup:
        """Return the row with a key, which the macro makes from the inputs."""
        return self.keep(("row", *self.table, key), inputs, lambda: macro(*inputs))


def render(template: str, **values: Any) -> str:
    """Render a template of this package. Values are escaped for HTML."""
    return _make_environment().get_template(template).render(**values)
