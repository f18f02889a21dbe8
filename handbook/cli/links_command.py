"""`handbook links`: check every link of a built site."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from handbook.cli.common import (
    SETTINGS_FILE,
    UsageError,
    add_report,
    add_root,
    add_today,
    find_root,
    refuse_interrupted,
    write_report,
    write_text,
)
from handbook.loading import load
from handbook.rules.engine import make_report, run_on_site
from handbook.settings import Settings, read_settings
from handbook.site.built import NoSiteError, Site, read_site, with_answers
from handbook.site.exchange import recover
from handbook.site.external import (
    Failure,
    NoWebError,
    after,
    ask,
    remembered,
    worth_asking,
    written,
)

EPILOG = """\
example:
  handbook links site --external --state state.json

exit codes:
  0  no error
  1  an error, or a warning with --strict
  2  a wrong call, or something that the machine refuses
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument("site", metavar="SITE", help="the folder of the built site")
    add_root(parser)
    add_report(parser)
    parser.add_argument(
        "--external", action="store_true", help="ask other hosts, too, through LinkChecker"
    )
    parser.add_argument(
        "--state",
        metavar="FILE",
        help="keep what did not answer for the next run, where a second failure is an error",
    )
    add_today(parser)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError and WriteError."""
    if options.state and not options.external:
        raise UsageError("--state needs --external")
    root = find_root(options.root)
    refuse_interrupted(root)
    settings = read_settings(root)
    if not settings.readable:
        raise UsageError(f"{SETTINGS_FILE} cannot be read; `handbook check` says why")
    recover(Path(options.site))
    try:
        site = read_site(options.site, settings.site_url)
        if options.external:
            site = _with_answers(site, settings, options)
    except (NoSiteError, NoWebError) as error:
        raise UsageError(str(error)) from error
    if not site.faults:
        return write_report(make_report(site.counts, settings), options)
    return write_report(run_on_site(site, load(root), options.today or date.today()), options)


def _with_answers(site: Site, settings: Settings, options: argparse.Namespace) -> Site:
    """The site with the answers of other hosts; failures are counted on in the file of the state."""
    before = _remembered(options.state)
    ignore = settings.organisation.links.ignore
    answers = ask(address for address in site.external if worth_asking(address, ignore))
    state = after(answers, before, str(options.today or date.today()))
    if options.state:
        write_text(written(state), options.state)
    silent = {
        address: f"{answer} (since {state[address].since}, runs: {state[address].runs})"
        for address, answer in answers.items()
        if answer
    }
    return with_answers(site, silent, {address for address in silent if state[address].runs > 1})


def _remembered(file: str | None) -> dict[str, Failure]:
    if file is None or not Path(file).exists():
        return {}
    try:
        return remembered(Path(file).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{file} holds no state of an earlier run: {error}") from error
