"""Drawings made from figures: a timeline to scale, dots with their median, shares as bars. SVG, in the page's colours.

Each is an image to assistive technology, with a sentence for its text; the figures themselves stand in a list or a
table beside it. Lengths are in the units of the drawing, which is as wide as WIDTH.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final

from markupsafe import Markup

from handbook.views import duration, render

WIDTH: Final = 360
_LINE: Final = 22
"""The least distance of two labels, above which gaps are to scale."""
_TALL: Final = 160


def timeline(points: Sequence[tuple[datetime, str]]) -> Markup:
    """The HTML of moments on a vertical line, gaps to scale; "" for fewer than two different moments."""
    moments: dict[datetime, list[str]] = {}
    for at, label in sorted(points, key=lambda point: point[0]):
        moments.setdefault(at, []).append(label)
    if len(moments) < 2:
        return Markup()
    times = list(moments)
    whole = (times[-1] - times[0]).total_seconds()
    marks, y = [], 12.0
    for before, at in zip([times[0], *times], times, strict=False):
        gap = at - before
        y += max(_LINE, _TALL * gap.total_seconds() / whole) if gap else 0
        label = ", ".join(moments[at])
        marks.append(
            {
                "y": round(y, 1),
                "time": f"{at:%H:%M}",
                "label": label,
                "gap": duration(gap) if gap else "",
            }
        )
    told = "; ".join(f"{mark['time']} {mark['label']}" for mark in marks)
    return _drawing("timeline.svg.j2", marks=marks, width=WIDTH, height=round(y + 14), told=told)


def dots(title: str, values: Sequence[timedelta]) -> Markup:
    """The HTML of durations as dots on one scale from zero, with a line at their median; "" for fewer than two."""
    if len(values) < 2:
        return Markup()
    most = max(values) or timedelta(minutes=1)
    middle = timedelta(seconds=median(value.total_seconds() for value in values))
    left, wide = 8, WIDTH - 16

    def x(value: timedelta) -> float:
        return round(left + wide * (value / most), 1)

    return _drawing(
        "dots.svg.j2",
        title=title,
        width=WIDTH,
        left=left,
        right=left + wide,
        dots=[x(value) for value in sorted(values)],
        median=x(middle),
        median_text=duration(middle),
        most_text=duration(most),
        told=f"{title}: {len(values)} incidents, median {duration(middle)}, the longest {duration(most)}",
    )


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a bar: a word, its count, and its tone."""

    word: str
    count: int
    tone: str


def shares(parts: Sequence[Share]) -> Markup:
    """The HTML of counts as shares of one bar; "" where all are zero."""
    total = sum(part.count for part in parts)
    if not total:
        return Markup()
    bars, x = [], 0.0
    for part in parts:
        width = WIDTH * part.count / total
        if part.count:
            bars.append(
                {
                    "x": round(x, 1),
                    "width": round(width, 1),
                    "tone": part.tone,
                    "word": part.word,
                    "count": part.count,
                }
            )
        x += width
    told = ", ".join(f"{part.count} {part.word}" for part in parts if part.count)
    return _drawing("shares.svg.j2", bars=bars, width=WIDTH, told=told)


def _drawing(template: str, **values: Any) -> Markup:
    return Markup(render(template, **values))  # noqa: S704 - the template escapes
