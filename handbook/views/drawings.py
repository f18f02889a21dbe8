"""Draw charts as SVG in the colours of the page: timelines, dot charts and bars.

Assistive technology treats each chart as an image with an alternative text. The page also shows the
figures in a list or table. All lengths are in units of the SVG, which is WIDTH units wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log
from statistics import median
from typing import Any, Final

from markupsafe import Markup

from handbook.views import duration, render

WIDTH: Final = 360
_LINE: Final = 22
"""The minimum distance between two labels. Larger distances are to scale."""
_DATE_LINE: Final = 16
"""The height of the date above the first time of a day."""
_TALL: Final = 160
_HOUR: Final = 60
_DAY: Final = 24 * _HOUR
_TICKS: Final = tuple(
    timedelta(minutes=minutes)
    for minutes in (1, 10, _HOUR, 6 * _HOUR, _DAY, 7 * _DAY, 30 * _DAY, 365 * _DAY)
)
"""The possible ticks of a logarithmic scale of durations."""


def timeline(points: Sequence[tuple[datetime, str]]) -> Markup:
    """Draw moments on a vertical line, to scale.

    If they are on several days, each day begins with its date. Returns "" if there are fewer than
    two different moments.
    """
    moments: dict[datetime, list[str]] = {}
    for at, label in sorted(points, key=lambda point: point[0]):
        moments.setdefault(at, []).append(label)
    if len(moments) < 2:
        return Markup()
    times = list(moments)
    whole_seconds = (times[-1] - times[0]).total_seconds()
    has_dates = times[0].date() != times[-1].date()
    marks: list[dict[str, Any]] = []
    y = 12.0
    for previous, at in zip([None, *times], times, strict=False):
        gap = at - previous if previous else timedelta()
        is_new_day = has_dates and (previous is None or previous.date() != at.date())
        line = _LINE + (_DATE_LINE if is_new_day else 0)
        y += max(line, _TALL * gap.total_seconds() / whole_seconds) if gap else line - _LINE
        marks.append(
            {
                "y": round(y, 1),
                "day": f"{at:%Y-%m-%d}" if is_new_day else "",
                "time": f"{at:%H:%M}",
                "label": ", ".join(moments[at]),
                "gap": duration(gap) if gap else "",
            }
        )
    return _drawing(
        "timeline.svg.j2",
        marks=marks,
        axis=100 if has_dates else 76,
        width=WIDTH,
        height=round(y + 14),
        description="; ".join(
            " ".join(filter(None, (mark["day"], mark["time"], mark["label"]))) for mark in marks
        ),
    )


def dots(title: str, values: Sequence[timedelta], comparable: Sequence[timedelta] = ()) -> Markup:
    """Draw durations as dots on a logarithmic scale, with their median.

    `comparable` are the durations of other charts that need the same scale. Returns "" if there are
    fewer than two durations.
    """
    if len(values) < 2:
        return Markup()
    longest = max(values)
    median_value = timedelta(seconds=median(value.total_seconds() for value in values))
    start, end = _find_scale((*values, *comparable))
    margin = 20
    scale_width = WIDTH - 2 * margin

    def scale_to_x(value: timedelta) -> float:
        return round(margin + scale_width * log(max(value, start) / start) / log(end / start), 1)

    return _drawing(
        "dots.svg.j2",
        title=title,
        width=WIDTH,
        left=margin,
        right=margin + scale_width,
        ticks=[(scale_to_x(tick), duration(tick)) for tick in _TICKS if start <= tick <= end],
        dots=[scale_to_x(value) for value in sorted(values)],
        median=scale_to_x(median_value),
        median_text=duration(median_value),
        description=f"{title}: {len(values)} incidents, median {duration(median_value)}, "
        f"longest {duration(longest)}",
    )


def _find_scale(values: Sequence[timedelta]) -> tuple[timedelta, timedelta]:
    """Return the first and the last tick of a scale that contains durations."""
    start = max((tick for tick in _TICKS if tick <= min(values)), default=_TICKS[0])
    ticks = (tick for tick in _TICKS if tick >= max(values) and tick > start)
    return start, min(ticks, default=max(*values, 2 * start))


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a bar: its label, its count and its colour."""

    label: str
    count: int
    tone: str


def shares(counts: Sequence[Share], whole: int = 0) -> Markup:
    """Draw counts as parts of one bar. Returns "" if all counts are zero.

    `whole` is the count of the full width, by default the sum of the counts.
    """
    total = whole or sum(share.count for share in counts)
    if not any(share.count for share in counts):
        return Markup()
    bars, x = [], 0.0
    for share in counts:
        width = WIDTH * share.count / total
        if share.count:
            bars.append(
                {
                    "x": round(x, 1),
                    "width": round(width, 1),
                    "tone": share.tone,
                    "label": share.label,
                    "count": share.count,
                }
            )
        x += width
    description = ", ".join(f"{share.count} {share.label}" for share in counts if share.count)
    return _drawing("shares.svg.j2", bars=bars, width=WIDTH, description=description)


@dataclass(frozen=True, slots=True)
class Arc:
    """A relation between two rows of `arcs`, from the row `start` to the row `end`."""

    start: int
    end: int
    is_dashed: bool = False
    is_faint: bool = False


def arcs(
    title: str, labels: Sequence[str], here: int, relations: Sequence[Arc], description: str
) -> Markup:
    """Draw labels in rows, and arcs with arrow heads between them.

    `here` is the row of the present page. `description` is the alternative text.
    """
    x, line = 200, 26
    rows = [
        {"label": label, "x": x, "y": 14 + line * row, "is_here": row == here}
        for row, label in enumerate(labels)
    ]
    curves = []
    for arc in relations:
        start, end = 14 + line * arc.start, 14 + line * arc.end
        radius = abs(end - start) / 2
        curves.append(
            {
                "x": x,
                "start": start,
                "end": end,
                "rx": round(min(radius, WIDTH - x - 12), 1),
                "ry": round(radius, 1),
                "sweep": 1 if end > start else 0,
                "head": -6 if end > start else 6,
                "is_dashed": arc.is_dashed,
                "is_faint": arc.is_faint,
            }
        )
    return _drawing(
        "arcs.svg.j2",
        title=title,
        nodes=rows,
        arcs=curves,
        width=WIDTH,
        height=28 + line * (len(labels) - 1),
        description=description,
    )


def _drawing(template: str, **values: Any) -> Markup:
    return Markup(render(template, **values))  # noqa: S704 - the template escapes
