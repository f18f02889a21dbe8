"""The `handbook` command: one module per subcommand, which is imported when it is called."""

from handbook.cli.program import main

__all__ = ["main"]
