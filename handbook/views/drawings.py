"""Charts as SVG in the page's colours: timelines, dots with a median, and bars.

Assistive technology sees each chart as an image with a text. The page also has the figures in a
list or a table. Lengths are in units of the SVG, whose width is WIDTH.
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
"""Minimum distance of two labels. Larger gaps are to scale."""
_TALL: Final = 160


def timeline(points: Sequence[tuple[datetime, str]]) -> Markup:
    """Draw moments on a vertical line to scale; "" for fewer than two different moments."""
    moments: dict[datetime, list[str]] = {}
    for at, label in sorted(points, key=lambda point: point[0]):
        moments.setdefault(at, []).append(label)
    if len(moments) < 2:
        return Markup()
    times = list(moments)
    whole = (times[-1] - times[0]).total_seconds()
    marks, y = [], 12.0
    for previous, at in zip([times[0], *times], times, strict=False):
        gap = at - previous
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
    description = "; ".join(f"{mark['time']} {mark['label']}" for mark in marks)
    return _drawing(
        "timeline.svg.j2", marks=marks, width=WIDTH, height=round(y + 14), description=description
    )


def dots(title: str, values: Sequence[timedelta]) -> Markup:
    """Draw durations as dots on a scale with their median; "" for fewer than two."""
    if len(values) < 2:
        return Markup()
    longest = max(values) or timedelta(minutes=1)
    middle = timedelta(seconds=median(value.total_seconds() for value in values))
    margin = 8
    scale_width = WIDTH - 2 * margin

    def x(value: timedelta) -> float:
        return round(margin + scale_width * (value / longest), 1)

    return _drawing(
        "dots.svg.j2",
        title=title,
        width=WIDTH,
        left=margin,
        right=margin + scale_width,
        dots=[x(value) for value in sorted(values)],
        median=x(middle),
        median_text=duration(middle),
        longest_text=duration(longest),
        description=f"{title}: {len(values)} incidents, median {duration(middle)}, "
        f"longest {duration(longest)}",
    )


@dataclass(frozen=True, slots=True)
class Share:
    """Share of a bar: a label, its count, and its colour."""

    label: str
    count: int
    tone: str


def shares(counts: Sequence[Share]) -> Markup:
    """Draw counts as shares of one bar; "" if all are zero."""
    total = sum(share.count for share in counts)
    if not total:
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


def _drawing(template: str, **values: Any) -> Markup:
    return Markup(render(template, **values))  # noqa: S704 - the template escapes
