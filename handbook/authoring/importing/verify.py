"""Compare imported records with their sources, by hash."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from handbook.authoring.importing.sources import (
    Origin,
    Repository,
    hash_bytes,
    is_same_path,
    read_origin,
    walk_markdown,
)
from handbook.handbook import Handbook
from handbook.records import Record


class SourceState(StrEnum):
    """How the source of a record is now."""

    SAME = "same"
    CHANGED = "changed"
    MISSING = "missing"
    ELSEWHERE = "elsewhere"
    """The record is from another repository."""


@dataclass(frozen=True, slots=True)
class ComparedRecord:
    """An imported record with the state of its source. `file` is None if no file is its source."""

    path: str
    origin: str
    state: SourceState
    file: str | None = None


@dataclass
class Comparison:
    """The imported records of a handbook, compared with the files of a folder."""

    records: list[ComparedRecord] = field(default_factory=list)

    @property
    def is_same(self) -> bool:
        """True if no source has changed, and none is missing."""
        return all(
            record.state in (SourceState.SAME, SourceState.ELSEWHERE) for record in self.records
        )


def compare_sources(handbook: Handbook, folder: Path) -> Comparison:
    """Compare the imported records of a handbook with the Markdown files below a folder.

    Raises NotADirectoryError if `folder` is not a folder, and OSError if a file cannot be read.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"no folder '{folder}'")
    repository = Repository.of(folder)
    hashes = {path: hash_bytes((folder / path).read_bytes()) for path in walk_markdown(folder)}
    comparison = Comparison()
    for record in handbook.records:
        origin = read_origin(record)
        if record.imported and record.imported.source and origin:
            state, file = _find_state(record, origin, repository, hashes)
            comparison.records.append(
                ComparedRecord(record.path, record.imported.source, state, file)
            )
    return comparison


def _find_state(
    record: Record, origin: Origin, repository: Repository, hashes: dict[str, str]
) -> tuple[SourceState, str | None]:
    """Return the state of the source of a record, and its path in the folder."""
    paths = [
        path
        for path in sorted(hashes, key=len, reverse=True)
        if is_same_path(origin.path, path)
        and (
            origin.url != repository.url
            or not origin.url
            or origin.path == repository.prefix + path
        )
    ]
    sha256 = record.imported.sha256 if record.imported else None
    same = [path for path, other in hashes.items() if other == sha256]
    if same:
        return SourceState.SAME, next((path for path in paths if path in same), same[0])
    if origin.url and repository.url and origin.url != repository.url:
        return SourceState.ELSEWHERE, None
    if paths:
        return SourceState.CHANGED, paths[0]
    is_outside = origin.url is not None and origin.url == repository.url
    if is_outside and not origin.path.startswith(repository.prefix):
        return SourceState.ELSEWHERE, None
    return SourceState.MISSING, None


def comparison_json(comparison: Comparison) -> str:
    """Return a comparison as JSON."""
    document = {
        "records": [
            {
                "path": record.path,
                "from": record.origin,
                "file": record.file,
                "state": record.state.value,
            }
            for record in comparison.records
        ]
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + os.linesep


def comparison_text(comparison: Comparison) -> str:
    """Return a comparison as text: each record whose source is not the same, then the counts."""
    lines = list(_list_differences(comparison))
    counts = [
        f"{sum(record.state is state for record in comparison.records)} {state}"
        for state in SourceState
        if state is not SourceState.ELSEWHERE
    ]
    elsewhere = sum(record.state is SourceState.ELSEWHERE for record in comparison.records)
    if elsewhere:
        counts.append(f"{elsewhere} from elsewhere (not compared)")
    return "".join(f"{line}\n" for line in [*lines, ", ".join(counts)])


def _list_differences(comparison: Comparison) -> Iterator[str]:
    for record in comparison.records:
        if record.state is SourceState.CHANGED:
            yield f"changed: {record.path} (source {record.file})"
        elif record.state is SourceState.MISSING:
            yield f"missing: {record.path} (source {record.origin})"
