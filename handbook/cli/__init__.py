"""Command `handbook`. The module of a subcommand is imported when it is called."""

from handbook.cli.program import main

__all__ = ["main"]
