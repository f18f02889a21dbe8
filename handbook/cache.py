"""Keep the results of earlier checks, so that a check of the same files is quick.

A report is a function of the answers of the file system, of the date and the options, and of the
installed packages. A file of the cache holds a report with all of these. `find_report` asks each
question again, and returns the report only if every answer is the same. The answer about the
content of a file is its hash, so a file with an old time cannot hide a change.

If a file has changed, the check runs again. The results of the last check then save work on the
texts without a fault (`reading.kept_results`).

The cache is in the folder of the user, because the files of a repository come from other people.
Its format is JSON, which runs no code. A checksum detects a file that is incomplete or damaged, and
a file is only ever replaced as a whole. So the cache is safe with several processes, and it is safe
to delete at any moment.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from handbook.diagnostics import Diagnostic, Edit, Location, Report, Severity
from handbook.reading.files import Answers, FileQuestion, ask, record_answers
from handbook.reading.kept_results import KeptResults, use_results

BUDGET: Final = 64_000_000
"""The limit of the size of the cache, in bytes. The files that were used last stay."""

_PACKAGE: Final = Path(__file__).parent
_CHECKSUM_SIZE: Final = 32


class CheckCache:
    """The results of the last check of a handbook.

    The report belongs to one set of options. The results come from a check with any options.
    """

    def __init__(self, root: Path, today: date, options: tuple[str, ...]) -> None:
        self._installation = _describe_installation()
        self._key = [self._installation, str(root), today.isoformat(), *options]
        folder = find_folder()
        self._report_file = folder / _hash(json.dumps([str(root), *options]).encode())
        self._results_file = folder / f"{_hash(str(root).encode())}-results"
        self._answers, self._results = Answers(is_consistent=False), KeptResults()

    def find_report(self) -> Report | None:
        """Return the report if the check would give it again, or None."""
        stored = _load(self._report_file)
        try:
            if stored["key"] == self._key and all(_is_true(*row) for row in stored["answers"]):
                return _read_report(stored["report"])
        except (OSError, ValueError, KeyError, TypeError):
            pass  # A folder is missing, or the file is no report.
        return None

    @contextmanager
    def record(self) -> Iterator[None]:
        """Use the results of the last check, and record what `store` needs."""
        with record_answers() as self._answers, use_results(self._read_results()) as results:
            self._results = results
            yield

    def _read_results(self) -> KeptResults:
        stored = _load(self._results_file)
        try:
            if stored["key"] == self._installation:
                return KeptResults.from_json(stored)
        except (KeyError, TypeError):
            pass
        return KeptResults()

    def store(self, report: Report) -> None:
        """Store the results of a recorded check. Without permission or space, do nothing.

        If a file has changed during the check, the settings can be older than the report says.
        """
        answers = self._answers
        if not answers.is_consistent:
            return
        results: dict[str, Any] = {"key": self._installation, **self._results.to_json()}
        _save(self._results_file, results)
        if answers.is_complete:
            rows = [[*question, answer] for question, answer in answers.by_question.items()]
            stored = {"key": self._key, "answers": rows, "report": asdict(report)}
            _save(self._report_file, stored)


def find_folder() -> Path:
    """Return the folder of the cache: `handbook` in the cache folder of the user."""
    configured = Path(os.environ.get("XDG_CACHE_HOME") or "")
    if configured.is_absolute():
        return configured / "handbook"
    try:
        return Path("~/.cache/handbook").expanduser()
    except RuntimeError:  # The user has no home. No file can be below the null device.
        return Path(os.devnull, "handbook")


def is_off() -> bool:
    """Return whether a check must not use the cache, because it runs in CI."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def _describe_installation() -> str:
    """Return the hash of the version of Python, of all packages, and of the files of this package.

    The files count, because the version of this package does not change while you edit them.
    """
    folders = {*sys.path, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    packages = sorted(
        {name for folder in folders for name in _list_names(folder) if name.endswith("-info")}
    )
    files = sorted(
        (str(path), status.st_size, status.st_mtime_ns) for path, status in _walk(str(_PACKAGE))
    )
    return _hash(json.dumps([sys.version, sys.platform, packages, files]).encode())


def _list_names(folder: str) -> list[str]:
    try:
        with os.scandir(folder or ".") as entries:
            return [entry.name for entry in entries]
    except OSError:
        return []


def _walk(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield each file below a folder, with its status, except compiled code."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _walk(entry.path)
            else:
                yield entry.path, entry.stat()


def _hash(data: bytes) -> str:
    return blake2b(data, digest_size=_CHECKSUM_SIZE // 2).hexdigest()


def _is_own(folder: Path) -> bool:
    """Return whether a folder belongs to this user, and no other user can write to it."""
    status = folder.stat()
    is_writable_by_others = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return not is_writable_by_others and (os.name == "nt" or status.st_uid == os.getuid())


def _is_true(question: str, path: str, answer: object) -> bool:
    return ask(FileQuestion(question), Path(path)) == answer


def _load(file: Path) -> dict[str, Any]:
    """Return the content of a file of the cache. Return {} if it is missing or damaged."""
    try:
        if not _is_own(file.parent):
            return {}
        data = file.read_bytes()
        checksum, content = data[:_CHECKSUM_SIZE], data[_CHECKSUM_SIZE:]
        if checksum != _hash(content).encode():
            return {}
        stored = json.loads(content)
        os.utime(file)
    except (OSError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}


def _save(file: Path, stored: dict[str, Any]) -> None:
    """Write a file under another name, then give it its name. No process sees a part of it."""
    content = json.dumps(stored, separators=(",", ":")).encode()
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _is_own(file.parent):
            return
        handle, name = tempfile.mkstemp(dir=file.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(_hash(content).encode() + content)
            Path(name).replace(file)
        except BaseException:
            Path(name).unlink()
            raise
        _shrink(file.parent)


def _shrink(folder: Path) -> None:
    """Delete the files that were not used for the longest time, until the others fit the budget.

    A file of a killed process counts like any other, so it is deleted in its turn.
    """
    with os.scandir(folder) as entries:
        files = [(entry.stat(), entry.path) for entry in entries]
    total = 0
    for status, path in sorted(files, key=lambda file: file[0].st_mtime_ns, reverse=True):
        total += status.st_size
        if total > BUDGET:
            with suppress(OSError):
                Path(path).unlink()


def _read_report(stored: dict[str, Any]) -> Report:
    return Report(**{**stored, "findings": tuple(map(_read_diagnostic, stored["findings"]))})


def _read_diagnostic(stored: dict[str, Any]) -> Diagnostic:
    fix = stored["fix"]
    changes = {
        "at": Location(**stored["at"]),
        "severity": Severity(stored["severity"]),
        "fix": fix and Edit(**{**fix, "at": Location(**fix["at"])}),
    }
    return Diagnostic(**{**stored, **changes})
