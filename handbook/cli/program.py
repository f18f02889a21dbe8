"""Command `handbook`: arguments, errors and exit codes.

Exit codes: 0 no errors, 1 errors found, 2 usage error, or a file or system error.
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
from handbook.extras import BUILD_MODULES, MissingPackageError, require_modules
from handbook.reporters.text import escape_unprintable

COMMANDS: Final = {
    "build": "check the handbook, then build the site",
    "serve": "serve a preview, and rebuild it on every change",
    "check": "check all records and pages, and report the findings",
    "links": "check all links of a built site",
    "finish": "add content policy, redirects and search to a site that another engine has built",
    "stage": "write the site as source files for another engine",
    "rules": "list all rules, or explain one",
    "schema": "print the JSON Schema of front matter or of the settings",
    "init": "start a handbook in an empty folder or in a repository",
    "new": "create a record from its template, and print its path",
    "import": "import records of another team or repository",
    "adr": "accept, reject, deprecate, supersede or renumber a decision",
    "runbook": "record that a runbook was reviewed or exercised",
    "action": "record that an action was done or dropped",
    "move": "move a page or a record, and correct all links to it",
    "export": "export the handbook as JSON and CSV",
}
"""Help text of each subcommand by its name. The module of a subcommand is `<name>_command`."""

_MODULES: Final = {
    "build": BUILD_MODULES,
    "serve": BUILD_MODULES,
    "stage": BUILD_MODULES,
    "finish": ("pagefind",),
}
"""The modules of the extra `site` that a command needs, by its name."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code.

    Raises SystemExit after --help, after --version and for a usage error.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    _open_streams()
    try:
        options = _make_parser(arguments).parse_args(arguments)
        code = int(options.run(options))
        sys.stdout.flush()
        return code
    except (UsageError, WriteError, MissingPackageError) as error:
        return _print_error(str(error))
    except BrokenPipeError:
        _drop_output()  # The reader has closed the pipe.
        return 2
    except KeyboardInterrupt:
        return _print_error("interrupted")
    except OSError as error:
        if error.filename is None:
            _drop_output()  # Otherwise Python writes the output again when it exits.
            return _print_error(f"standard output cannot be written: {error.strerror}")
        return _print_error(f"{error.filename}: {error.strerror}")


def _open_streams() -> None:
    """Prepare standard output and standard error for any text, even if they are closed."""
    sys.stdout, sys.stderr = sys.stdout or StringIO(), sys.stderr or StringIO()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A file name need not be valid text, and a terminal need not use UTF-8.
            stream.reconfigure(errors="backslashreplace")


class _Parser(argparse.ArgumentParser):
    """Argument parser that escapes control characters in its errors."""

    def error(self, message: str) -> NoReturn:
        super().error(escape_unprintable(message))


def _make_parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of the arguments.

    Only the module of the called subcommand is imported, because the import of all modules is slow.
    """
    parser = _Parser(prog="handbook", description="Check and export the engineering handbook.")
    parser.add_argument("--version", action="version", version=f"handbook {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", parser_class=_Parser)
    called = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name, help_text in COMMANDS.items():
        if name == called:
            require_modules(*_MODULES.get(name, ()), purpose=f"handbook {name}")
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


def _print_error(message: str) -> int:
    """Print an error on one line, and return the exit code 2."""
    print(f"handbook: {escape_unprintable(message)}", file=sys.stderr)
    return 2


def _drop_output() -> None:
    """Discard the output that is still in the buffer of standard output."""
    with suppress(UnsupportedOperation):  # A caller has closed the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
