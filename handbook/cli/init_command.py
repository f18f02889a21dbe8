"""`handbook init`: start a handbook, and list the written files."""

from __future__ import annotations

import argparse
import re
import tempfile
from datetime import date
from pathlib import Path
from typing import Final

from handbook.authoring.init import SETTINGS, Start, make_files, plan_start
from handbook.authoring.journal import write_files
from handbook.authoring.standards_copy import copy_standards
from handbook.cli.common import UsageError, restore_interrupted
from handbook.loading import load
from handbook.reporters.text import escape_unprintable
from handbook.rules.engine import run as check
from handbook.site_settings import find_url_fault

EPILOG = """\
example:
  handbook init our-handbook --name "Our handbook" --url https://handbook.example/ --team a-team

An existing file is not changed. In a folder that already has mkdocs.yml, the command writes
nothing, and lists the files that it would add.

exit codes:
  0  the files are written, or there is nothing to do
  2  usage error, or a file or system error
"""

_TEAM: Final = re.compile("[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", default=".", help="default: this folder"
    )
    parser.add_argument("--name", required=True, help="the title of the site")
    parser.add_argument("--url", required=True, help="the address at which you will publish it")
    parser.add_argument(
        "--team",
        action="append",
        required=True,
        help="the name of a team, such as platform-team; repeat the option for more teams",
    )
    parser.add_argument(
        "--with",
        action="append",
        choices=["standards"],
        default=[],
        dest="additions",
        help="standards: copy the thirteen standards, with their policy, for the first team",
    )


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError and WriteError."""
    name = _check_name(options.name)
    if fault := find_url_fault(options.url):
        raise UsageError(
            f"invalid --url '{options.url}': {fault}; "
            "write a full address, such as https://handbook.example/"
        )
    teams = tuple(dict.fromkeys(options.team))
    for team in teams:
        if not _TEAM.fullmatch(team):
            raise UsageError(
                f"invalid --team '{team}': write a-z, 0-9 and hyphens, such as platform-team"
            )
    folder = Path(options.folder)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"'{options.folder}' is not a folder")
    if folder.is_dir():
        restore_interrupted(folder.resolve())
    with_standards = "standards" in options.additions
    standards = copy_standards(teams[0], options.url, date.today()) if with_standards else None
    start = plan_start(folder, name, options.url, teams, standards)
    if not start.is_second:
        _check_settings(make_files(name, options.url, teams)[SETTINGS])
        _write(folder, start)
    _report(start, options.folder)
    return 0


def _check_name(name: str) -> str:
    stripped = name.strip()
    if not stripped:
        raise UsageError("--name is empty: write the title of the site")
    if not stripped.isprintable():
        raise UsageError("--name has a line break or an invisible character: write it on one line")
    return stripped


def _check_settings(settings: bytes) -> None:
    """Raise UsageError if the check would report an error in the new settings."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "docs").mkdir()
        (root / SETTINGS).write_bytes(settings)
        for finding in check(load(root), date.today()).findings:
            raise UsageError(f"the check would reject the settings: {finding.message}")


def _write(folder: Path, start: Start) -> None:
    """Write all missing files or none of them."""
    created = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        root = folder.resolve()
        contents = {root / path: data for path, data in start.missing.items()}
        write_files(root, contents, dict.fromkeys(contents))
    except BaseException:
        for path in created:
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        raise


def _report(start: Start, folder: str) -> None:
    word = "would add" if start.is_second else "wrote"
    for path in start.missing:
        print(f"{word} {path}")
    for path in start.kept:
        print(f"kept {path}")
    if start.is_second:
        reason = "because mkdocs.yml exists" if start.missing else "because no file is missing"
        print(f"nothing is written, {reason}")
        return
    change = "" if folder == "." else f"cd {escape_unprintable(folder)} && "
    print(f"next: {change}handbook check && handbook build")
