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
from handbook.extras import require_modules
from handbook.settings import Settings, read_settings
from handbook.site.built import NoSiteError, Site, add_failures
from handbook.site.exchange import recover
from handbook.site.external import (
    ExternalCheckError,
    Failure,
    check_addresses,
    format_state,
    is_checkable,
    parse_state,
    update_state,
)
from handbook.site.nested import read_all_sites, report_links

EPILOG = """\
example:
  handbook links site --external --state state.json

exit codes:
  0  no errors
  1  errors found, or with --strict warnings that are not advisory
  2  usage error, or a file or system error
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument("site", metavar="SITE", help="the folder of the built site")
    add_root(parser)
    add_report(parser)
    parser.add_argument(
        "--external", action="store_true", help="also check links to other hosts with LinkChecker"
    )
    parser.add_argument(
        "--state",
        metavar="FILE",
        help="remember failed links in FILE; a link that fails in two runs is an error",
    )
    add_today(parser)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError and WriteError."""
    if options.state and not options.external:
        raise UsageError("--state works only with --external; add --external")
    if options.external:
        require_modules("linkcheck", purpose="--external")
    root = find_root(options.root)
    refuse_interrupted(root)
    settings = read_settings(root)
    if not settings.is_readable:
        raise UsageError(f"{SETTINGS_FILE} cannot be read; run `handbook check` for the reason")
    recover(Path(options.site))
    try:
        sites = read_all_sites(options.site, settings, root)
        if options.external:
            sites = _check_external(sites, options)
    except (NoSiteError, ExternalCheckError) as error:
        raise UsageError(str(error)) from error
    return write_report(report_links(sites, root, options.today or date.today()), options)


def _check_external(
    sites: list[tuple[Path, Site]], options: argparse.Namespace
) -> list[tuple[Path, Site]]:
    """Check the links to other hosts, and return the sites with a fault for each failed link.

    The state file counts the failures of each address over several runs.
    """
    previous = _read_state(options.state)
    addresses = {root: _list_checkable(site, read_settings(root)) for root, site in sites}
    answers = check_addresses(sorted(set().union(*addresses.values())))
    state = update_state(answers, previous, str(options.today or date.today()))
    if options.state:
        write_text(format_state(state), options.state)
    failures = {
        address: f"{answer} (since {state[address].since}, runs: {state[address].runs})"
        for address, answer in answers.items()
        if answer
    }
    repeated = {address for address in failures if state[address].runs > 1}
    return [
        (
            root,
            add_failures(
                site, {url: failures[url] for url in failures if url in addresses[root]}, repeated
            ),
        )
        for root, site in sites
    ]


def _list_checkable(site: Site, settings: Settings) -> list[str]:
    """Return the external addresses of a site that the settings of its handbook do not ignore."""
    ignore = settings.organisation.links.ignore
    if report_url := settings.organisation.report_url:
        ignore = (*ignore, f"{report_url.partition('{')[0]}*")  # a form for each page
    return [address for address in site.external if is_checkable(address, ignore)]


def _read_state(file: str | None) -> dict[str, Failure]:
    if file is None or not Path(file).exists():
        return {}
    try:
        return parse_state(Path(file).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"invalid state file '{file}': {error}") from error
