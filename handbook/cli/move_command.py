"""`handbook move`: move a page or a record, and correct all links to it."""

from __future__ import annotations

import argparse

from handbook.authoring.editor import CannotChangeError
from handbook.authoring.moving import move
from handbook.cli.changing import (
    add_base,
    open_change,
    read_published,
    resolve_new_path,
    resolve_path,
    write_change,
)
from handbook.cli.common import UsageError, add_root

EPILOG = """\
example:
  handbook move runbooks/order-service/slow.md runbooks/order-service/orders-are-slow.md

The paths are relative to this folder or to the root of the handbook. The new page
redirects from the old address.

exit codes:
  0  the files are moved
  2  usage error, a move that is not allowed, or a file or system error
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument("path", metavar="PATH", help="the file of the page or record")
    parser.add_argument("new", metavar="NEW", help="its new path")
    add_base(parser)
    add_root(parser)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand. Raises UsageError and WriteError."""
    change = open_change(options)
    root = change.handbook.root
    published = read_published(root, options.base)
    path = resolve_path(options.path, root)
    new_path = resolve_new_path(options.new, options.path, root)
    try:
        move(change, path, new_path, published)
    except CannotChangeError as error:
        raise UsageError(str(error)) from error
    write_change(change)
    return 0
