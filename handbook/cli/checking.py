"""The work of `handbook check`: load the handbook, run the rules, apply the fixes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from pathlib import Path

from handbook.authoring.fix import apply_fixes
from handbook.authoring.journal import write_files
from handbook.cache import CheckCache
from handbook.cli.common import UsageError, write_text
from handbook.diagnostics import Report
from handbook.handbook import Handbook
from handbook.history.base import Base, read_base
from handbook.history.comparison import compare_records
from handbook.history.git import RevisionError
from handbook.loading import load, without_garbage_collection
from handbook.reporters.job_summary import job_summary
from handbook.reporters.text import escape_unprintable
from handbook.rules.engine import find_rule, rules
from handbook.rules.engine import run as run_rules


def check(
    root: Path,
    today: date,
    options: argparse.Namespace,
    paths: Sequence[str],
    cache: CheckCache | None,
) -> Report:
    """Check the handbook, and return the findings below `paths`. Raises UsageError, WriteError.

    Use the results of the cache if there is one, and store the results in it.
    """
    base = _read_base(root, options.base)
    with cache.record() if cache else nullcontext():
        handbook = load(root)
        if base:
            _report_new_handbook(base, handbook)
        report = _make_report(handbook, today, options, paths, base)
    if cache:
        cache.store(report)
    if options.fix and _fix(handbook, options, paths, report):
        handbook = load(root)
        report = _make_report(handbook, today, options, paths, base)
    if options.summary is not None:
        write_text(_summarise(report, handbook, paths, base), options.summary)
    return report


def _read_base(root: Path, revision: str | None) -> Base | None:
    try:
        return None if revision is None else read_base(root, revision)
    except RevisionError as error:
        raise UsageError(f"--base {revision}: {error}") from error
    except OSError as error:
        raise UsageError(f"--base {revision}: cannot read its files: {error}") from error


def _report_new_handbook(base: Base, handbook: Handbook) -> None:
    """Print a note if the base has no records.

    Raises UsageError if the tree of the base contains records and none of them could be read.
    """
    try:
        if base.predates(handbook):
            print(
                f"handbook: new handbook: {escape_unprintable(base.revision)} has no records",
                file=sys.stderr,
            )
    except RevisionError as error:
        raise UsageError(f"--base {base.revision}: {error}") from error


def _make_report(
    handbook: Handbook,
    today: date,
    options: argparse.Namespace,
    paths: Sequence[str],
    base: Base | None,
) -> Report:
    select, ignore = _parse_codes(options.select), _parse_codes(options.ignore)
    with without_garbage_collection():
        report = run_rules(handbook, today, base=base, select=select, ignore=ignore)
    findings = tuple(finding for finding in report.findings if _is_below(paths, finding.at.path))
    return replace(report, findings=findings)


def _summarise(report: Report, handbook: Handbook, paths: Sequence[str], base: Base | None) -> str:
    """Return the job summary, with the changes of records below `paths` if there is a base."""
    if base is None:
        return job_summary(report)
    changes = [
        change for change in compare_records(base, handbook) if _is_below(paths, change.path)
    ]
    return job_summary(report, changes, base.revision)


def _parse_codes(text: str) -> tuple[str, ...]:
    codes = []
    for word in filter(None, map(str.strip, text.split(","))):
        rule = find_rule(word)
        if rule is None and not any(code.startswith(word) for code in rules()):
            raise UsageError(f"unknown rule '{word}'; run `handbook rules` to list all rules")
        codes.append(rule.code if rule else word)
    return tuple(codes)


def _is_below(paths: Sequence[str], path: str) -> bool:
    """Tell whether a path is one of `paths` or below one of them. Empty `paths` include all."""
    return not paths or any(
        selected in (".", path) or path.startswith(f"{selected}/") for selected in paths
    )


def _quote(text: str) -> str:
    """Return text in quotes. For text of several lines, return only its first line."""
    first, *more_lines = text.strip("\n").split("\n")
    return f"the block {first!r}" if more_lines else repr(text)


def _fix(
    handbook: Handbook, options: argparse.Namespace, paths: Sequence[str], report: Report
) -> bool:
    """Apply the fixes, and list them on standard error. Returns True if a file has changed.

    The fixes of findings come first, because sorting the keys moves their lines. With `--select`,
    the keys are not sorted, because unsorted keys are not a finding and have no code.
    """
    edits = (finding.fix for finding in report.findings if finding.fix)
    result = apply_fixes(
        handbook, edits, lambda path: not options.select and _is_below(paths, path)
    )
    write_files(
        handbook.root,
        {handbook.root / path: content for path, content in result.contents.items()},
        {handbook.root / path: content for path, content in result.originals.items()},
    )
    changes = [
        (
            edit.at,
            f"replaced {_quote(edit.old)} with {_quote(edit.new)}"
            if edit.old
            else f"added {edit.new!r}",
        )
        for edit in result.value_edits
    ]
    changes += [(edit.at, "sorted the keys") for edit in result.order_edits]
    for at, change in changes:
        print(f"{escape_unprintable(at.path)}:{at.line}:{at.column}: {change}", file=sys.stderr)
    return bool(changes)
