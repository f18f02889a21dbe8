"""The `handbook` command: arguments and exit codes, and nothing else.

Exit 0 clean, 1 findings, 2 usage or environment.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from io import TextIOWrapper
from pathlib import Path

from handbook.authoring.fix import fix
from handbook.authoring.journal import INTERRUPTED, is_interrupted, restore, write_files
from handbook.authoring.new import CannotWriteError, new
from handbook.authoring.writer import WriteError, write_file
from handbook.diagnostics import Report, Severity
from handbook.handbook import Handbook
from handbook.history.base import Base, read_base
from handbook.history.git import RevisionError, commit, files, find
from handbook.loading import load, uncollected
from handbook.records import Record
from handbook.records.audit import Audit
from handbook.records.kinds import RECORDS
from handbook.reporters import REPORTERS
from handbook.reporters.text import shown, text
from handbook.rules.engine import Rule, rules, run, run_on_site
from handbook.settings import FILE, Settings, read_settings, settings_schema
from handbook.site.built import NoSiteError, Site, read_site, with_answers
from handbook.site.external import Failure, NoWebError, after, ask, remembered, worth_asking, written
from handbook.views import api
from handbook.views.rules_reference import explain


class UsageError(Exception):
    """Something about the call or the machine is wrong; the text says what."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and answer its exit code."""
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file's name need not be text, nor a terminal UTF-8
    try:
        code = int(options.run(options))
        sys.stdout.flush()
        return code
    except (UsageError, WriteError) as error:
        return _failed(str(error))
    except BrokenPipeError:
        _drop_output()  # the reader has read enough
        return 2
    except OSError as error:
        if error.filename is None:
            _drop_output()  # else Python tries to write it once more at its end
            return _failed(f"standard output cannot be written: {error.strerror}")
        return _failed(f"{error.filename}: {error.strerror}")


def _failed(message: str) -> int:
    """Print what is wrong with the call or the machine, in one line; the exit code for that."""
    print(f"handbook: {shown(message)}", file=sys.stderr)
    return 2


def _drop_output() -> None:
    """Discard what is still to be printed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="handbook", description="Check and export the engineering handbook.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    check = commands.add_parser("check", help="load every record, run the rules, print every finding")
    check.add_argument("paths", nargs="*", metavar="PATH", help="report only what lies under these paths")
    _root(check)
    _report(check)
    check.add_argument("--select", metavar="CODES", default="", help="report only these codes, or codes that begin so")
    check.add_argument(
        "--ignore", metavar="CODES", default="", help="do not report these codes, or codes that begin so"
    )
    check.add_argument(
        "--base", metavar="REV", help="find also what this branch did to what others rely on: origin/main"
    )
    check.add_argument("--fix", action="store_true", help="mend what has one right answer, then check again")
    check.add_argument("--strict", action="store_true", help="warnings fail, too")
    _today(check)
    check.set_defaults(run=_check)

    links = commands.add_parser("links", help="check every link of a built site")
    links.add_argument("site", metavar="SITE", help="the folder that holds the built site")
    _root(links)
    _report(links)
    links.add_argument("--external", action="store_true", help="ask other hosts, too, through LinkChecker")
    links.add_argument(
        "--state", metavar="FILE", help="what did not answer, kept for the next run: a second time is an error"
    )
    links.add_argument("--strict", action="store_true", help="warnings fail, too")
    _today(links)
    links.set_defaults(run=_links)

    explained = commands.add_parser("rules", help="list the rules, or explain one")
    explained.add_argument("code", nargs="?", metavar="CODE")
    explained.set_defaults(run=_rules)

    schema = commands.add_parser("schema", help="the JSON Schema of a record's front matter, or of the settings")
    schema.add_argument("kind", choices=[*(kind.kind for kind in RECORDS), "audit", "settings"], metavar="KIND")
    _root(schema)
    schema.set_defaults(run=_schema)

    made = commands.add_parser("new", help="write a record of a kind from its template, print its path")
    made.add_argument("kind", choices=[kind.kind for kind in RECORDS], metavar="KIND")
    made.add_argument("title", metavar="TITLE")
    made.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a key of its front matter")
    made.add_argument("--base", metavar="REV", help="a number that is taken there is not free: origin/main")
    _today(made)
    _root(made)
    made.set_defaults(run=_new)

    export = commands.add_parser("export", help="the knowledge base as JSON, as the site serves it under api/v1/")
    _root(export)
    export.add_argument("--output", default=".", metavar="DIR", help="the folder that receives api/v1/ (default: here)")
    export.set_defaults(run=_export)
    return parser


def _root(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--root", metavar="DIR", help=f"the repository (default: the nearest parent holding {FILE})")


def _report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=list(REPORTERS), default="text", help="how findings are written")
    parser.add_argument("--output", metavar="FILE", help="write them to a file instead of standard output")


def _today(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--today", type=_day, default=None, metavar="YYYY-MM-DD", help="the day that counts as today")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a date YYYY-MM-DD") from None


def find_root(given: str | None) -> Path:
    """The repository: the folder given, else the nearest one above that holds mkdocs.yml. Raises UsageError."""
    if given is not None:
        root = Path(given).resolve()
        if not (root / FILE).is_file():
            raise UsageError(f"{given} holds no {FILE}")
        return root
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / FILE).is_file():
            return folder
    raise UsageError(f"neither this folder nor one above it holds {FILE}; say --root DIR")


def _check(options: argparse.Namespace) -> int:
    root = find_root(options.root)
    if options.fix:
        _restore(root)
    else:
        _refuse_interrupted(root)
    paths = [_relative(path, root) for path in options.paths]
    base = _base(root, options.base)
    handbook = load(root)
    if base:
        _compare(base, handbook)
    report = _reported(handbook, options, paths, base)
    if options.fix and _fixed(handbook, options, paths, report):
        report = _reported(load(root), options, paths, base)
    return _told(report, options)


def _refuse_interrupted(root: Path) -> None:
    """Raise UsageError where a killed command has left some files of a change old and some new."""
    if is_interrupted(root):
        raise UsageError(INTERRUPTED)


def _restore(*folders: Path) -> None:
    """Restore the files of an interrupted change, and report them on standard error."""
    for folder in folders:
        if restoration := restore(folder):
            for path in restoration.restored:
                print(f"handbook: restored {shown(path)}: the command that changed it was interrupted", file=sys.stderr)
            for path in restoration.edited:
                print(f"handbook: left {shown(path)} as it is: it was edited since", file=sys.stderr)


def _told(report: Report, options: argparse.Namespace) -> int:
    """Write a report as it was asked for; answers the exit code."""
    if options.format == "text" and options.output is None and _in_colour():
        _write(text(report, colour=True), None)
    else:
        _write(REPORTERS[options.format](report), options.output)
    return 1 if report.errors or (options.strict and report.warnings) else 0


def _links(options: argparse.Namespace) -> int:
    if options.state and not options.external:
        raise UsageError("--state is for --external")
    root = find_root(options.root)
    _refuse_interrupted(root)
    settings = read_settings(root)
    if not settings.readable:
        raise UsageError(f"{FILE} cannot be read; `handbook check` says why")
    try:
        site = read_site(options.site, settings.site_url)
        if options.external:
            site = _asked(site, settings, options)
    except (NoSiteError, NoWebError) as error:
        raise UsageError(str(error)) from error
    if not site.faults:
        return _told(Report(site.counts, ()), options)
    return _told(run_on_site(site, load(root), options.today or date.today()), options)


def _asked(site: Site, settings: Settings, options: argparse.Namespace) -> Site:
    """The site with what other hosts said; what did not answer is counted on in the file of the state."""
    before = _remembered(options.state)
    ignore = settings.organisation.links.ignore
    answers = ask(address for address in site.external if worth_asking(address, ignore))
    state = after(answers, before, str(options.today or date.today()))
    if options.state:
        _write(written(state), options.state)
    silent = {
        address: f"{said} (since {state[address].since}, runs: {state[address].runs})"
        for address, said in answers.items()
        if said
    }
    return with_answers(site, silent, {address for address in silent if state[address].runs > 1})


def _remembered(file: str | None) -> dict[str, Failure]:
    if file is None or not Path(file).exists():
        return {}
    try:
        return remembered(Path(file).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{file} holds no state of an earlier run: {error}") from error


def _base(root: Path, revision: str | None) -> Base | None:
    try:
        return None if revision is None else read_base(root, revision)
    except RevisionError as error:
        raise UsageError(f"--base {revision}: {error}") from error
    except OSError as error:
        raise UsageError(f"--base {revision}: its files cannot be laid out: {error}") from error


def _reported(handbook: Handbook, options: argparse.Namespace, paths: Sequence[str], base: Base | None) -> Report:
    select, ignore = _codes(options.select), _codes(options.ignore)
    with uncollected():
        report = run(handbook, options.today or date.today(), base=base, select=select, ignore=ignore)
    return _narrowed(report, paths)


def _compare(base: Base, handbook: Handbook) -> None:
    """Report a handbook that the base did not have. Raises UsageError where the base cannot be compared with."""
    try:
        if base.is_before(handbook):
            print(f"handbook: the handbook is new: {shown(base.revision)} has no record", file=sys.stderr)
    except RevisionError as error:
        raise UsageError(f"--base {base.revision}: {error}") from error


def _fixed(handbook: Handbook, options: argparse.Namespace, paths: Sequence[str], report: Report) -> bool:
    """Apply the fixes, and report them on standard error; whether anything changed.

    Values come first, then the order of keys, whose lines hold them. The order has no code: it is left as it is where
    codes are selected.
    """
    edits = (finding.fix for finding in report.findings if finding.fix)
    fixed = fix(handbook, edits, lambda path: not options.select and _under(paths, path))
    write_files(handbook.root, {handbook.root / path: content for path, content in fixed.contents.items()})
    changes = [
        (edit.at, f"{edit.old!r} is now {edit.new!r}" if edit.old else f"added {edit.new!r}") for edit in fixed.values
    ]
    changes += [(edit.at, "the keys are now in their order") for edit in fixed.orders]
    for at, change in changes:
        print(f"{shown(at.path)}:{at.line}:{at.column}: {change}", file=sys.stderr)
    return bool(changes)


def _in_colour() -> bool:
    """Whether standard output is a terminal that wants colour (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _codes(text: str) -> tuple[str, ...]:
    codes = tuple(code.strip() for code in text.split(",") if code.strip())
    for code in codes:
        if not any(known.startswith(code) for known in rules()):
            raise UsageError(f"no rule's code begins with '{code}'")
    return codes


def _relative(path: str, root: Path) -> str:
    resolved = Path(path).resolve()
    if not resolved.is_relative_to(root):
        raise UsageError(f"{path} lies outside of {root}")
    if not resolved.exists():
        raise UsageError(f"{path} does not exist")
    return resolved.relative_to(root).as_posix()


def _narrowed(report: Report, paths: Sequence[str]) -> Report:
    return replace(report, findings=tuple(each for each in report.findings if _under(paths, each.at.path)))


def _under(paths: Sequence[str], path: str) -> bool:
    """Whether a path is among those that were asked for; where none were, all are."""
    return not paths or any(each == "." or path == each or path.startswith(f"{each}/") for each in paths)


def _write(text: str, output: str | None) -> None:
    if output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write_file(Path(output), _encoded(text))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _rules(options: argparse.Namespace) -> int:
    known = rules()
    if options.code is None:
        for each in known.values():
            print(_line(each))
        return 0
    if options.code not in known:
        raise UsageError(f"there is no rule '{options.code}'; `handbook rules` lists them")
    print(explain(known[options.code]))
    return 0


def _line(each: Rule) -> str:
    first = " ".join(each.text.split("\n\n")[0].split())
    severity = "" if each.severity is Severity.ERROR else " (warning)"
    return f"{each.code} {each.name}{severity}: {first}"


def _schema(options: argparse.Namespace) -> int:
    if options.kind == "settings":
        print(json.dumps(settings_schema(), indent=2))
        return 0
    handbook = load(find_root(options.root))
    kinds: tuple[type[Record] | type[Audit], ...] = (*RECORDS, Audit)
    kind = next(kind for kind in kinds if kind.kind == options.kind)
    print(json.dumps(api.schema(handbook, kind), indent=2))
    return 0


def _new(options: argparse.Namespace) -> int:
    given = dict(pair.partition("=")[::2] for pair in options.set)
    for pair in options.set:
        if "=" not in pair:
            raise UsageError(f"--set {pair}: write key=value")
    root = find_root(options.root)
    _restore(root)
    handbook = load(root)
    try:
        others = files(handbook.root, find(handbook.root, options.base)) if options.base is not None else ()
        path, text = new(handbook, options.kind, options.title, given, options.today or date.today(), others)
    except RevisionError as error:
        raise UsageError(f"--base {options.base}: {error}") from error
    except CannotWriteError as error:
        raise UsageError(str(error)) from error
    write_files(root, {root / path: _encoded(text)})
    print(path)
    return 0


def _export(options: argparse.Namespace) -> int:
    root, folder = find_root(options.root), Path(options.output)
    base = root if folder.resolve().is_relative_to(root) else folder
    _restore(*dict.fromkeys((root, base)))
    contents = api.files(load(root), commit(root))
    write_files(base, {folder / name: _encoded(content) for name, content in contents.items()})
    return 0
