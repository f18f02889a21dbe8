"""The `handbook` command: arguments, errors and exit codes.

Exit code 0: nothing wrong. 1: findings. 2: a wrong call, or something that the machine refuses.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from io import StringIO, TextIOWrapper, UnsupportedOperation
from typing import Final, NoReturn

from handbook import __version__
from handbook.authoring.writer import WriteError
from handbook.cli.common import UsageError
from handbook.reporters.text import shown

COMMANDS: Final = {
    "build": "check everything, and build the site",
    "serve": "serve a preview, which is built again on every change",
    "check": "check every record and page, and report every finding",
    "links": "check every link of a built site",
    "finish": "finish a site that another engine has built: content policy, redirects, search",
    "stage": "write the site as the sources of another engine",
    "rules": "list the rules, or explain one",
    "schema": "print the JSON Schema of a record's front matter, or of the settings",
    "new": "write a new record, and print its path",
    "export": "write the handbook as JSON and CSV",
}
"""Every subcommand with its help; its module is `<name>_command`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code. Raises SystemExit after --help and --version, and for a wrong call."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    _open_streams()
    try:
        options = _parser(arguments).parse_args(arguments)
        code = int(options.run(options))
        sys.stdout.flush()
        return code
    except (UsageError, WriteError) as error:
        return _failed(str(error))
    except BrokenPipeError:
        _drop_output()  # the reader has read enough
        return 2
    except KeyboardInterrupt:
        return _failed("interrupted")
    except OSError as error:
        if error.filename is None:
            _drop_output()  # otherwise Python tries to write it once more when it exits
            return _failed(f"standard output cannot be written: {error.strerror}")
        return _failed(f"{error.filename}: {error.strerror}")


def _open_streams() -> None:
    """Make standard output and error take any text, also where the caller has closed them."""
    sys.stdout, sys.stderr = sys.stdout or StringIO(), sys.stderr or StringIO()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(
                errors="backslashreplace"
            )  # the name of a file need not be text, nor a terminal UTF-8


class _Parser(argparse.ArgumentParser):
    """A parser whose errors name an argument without its control characters."""

    def error(self, message: str) -> NoReturn:
        super().error(shown(message))


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of the command; only the subcommand that is called has its arguments, because they cost imports."""
    parser = _Parser(prog="handbook", description="Check and export the engineering handbook.")
    parser.add_argument("--version", action="version", version=f"handbook {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", parser_class=_Parser)
    called = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name, help_text in COMMANDS.items():
        if name == called:
            command = import_module(f"handbook.cli.{name}_command")
            subparser = commands.add_parser(
                name,
                help=help_text,
                description=f"{help_text[0].upper()}{help_text[1:]}.",
                epilog=command.EPILOG,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
            command.add_arguments(subparser)
            subparser.set_defaults(run=command.run)
        else:
            commands.add_parser(name, help=help_text)
    if called is None:
        parser.set_defaults(run=lambda _: _print_help(parser))
    return parser


def _print_help(parser: argparse.ArgumentParser) -> int:
    parser.print_help(sys.stderr)
    return 2


def _failed(message: str) -> int:
    """Print what is wrong in one line, and return the exit code for it."""
    print(f"handbook: {shown(message)}", file=sys.stderr)
    return 2


def _drop_output() -> None:
    """Discard what is still to be printed."""
    with suppress(UnsupportedOperation):  # a caller has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
