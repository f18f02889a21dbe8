"""Results of one run of the benchmarks: read and written as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

FOLDER: Final = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Key:
    """What was measured: the work, the tool, the number of records, and the quantity.

    `handbook` is `plain` or `messy`.
    """

    work: str
    tool: str
    records: int
    quantity: str
    handbook: str = "plain"


@dataclass
class Results:
    """Measured values of one command, in the order of the runs, with the machine and the tools.

    Times are in seconds, memory is in MB (1,000 kB), and transferred bytes are in kB.
    """

    command: str
    date: str = ""
    commit: str = ""
    machine: str = ""
    minutes: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    values: dict[Key, list[float]] = field(default_factory=dict)

    def add(self, key: Key, value: float) -> None:
        """Add the value of a run."""
        self.values.setdefault(key, []).append(value)

    def find_median(self, key: Key) -> float | None:
        """Return the median of a series, or None if it was not measured."""
        return median(self.values[key]) if key in self.values else None

    def write(self, file: Path) -> None:
        """Write the results as JSON. Each series is on one line."""
        head = {name: value for name, value in vars(self).items() if name != "values"}
        series = [
            json.dumps(asdict(key) | {"values": [round(value, 4) for value in values]})
            for key, values in self.values.items()
        ]
        text = json.dumps(head, indent=1)[:-2] + ',\n "series": [\n  ' + ",\n  ".join(series)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n ]\n}}\n", encoding="utf-8")


def read_results(file: Path) -> Results:
    """Read the results that `Results.write` has written."""
    content = json.loads(file.read_text(encoding="utf-8"))
    series = content.pop("series")
    values = {
        Key(**{k: v for k, v in row.items() if k != "values"}): row["values"] for row in series
    }
    return Results(**content, values=values)
