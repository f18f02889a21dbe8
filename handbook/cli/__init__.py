"""Command `handbook`. The module of a subcommand is imported only when the user calls it."""

from handbook.cli.program import main

__all__ = ["main"]
