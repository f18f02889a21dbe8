"""Errors of a build. An error in a plugin, a hook or a macros module becomes one line."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from handbook.reporters.text import escape_unprintable
from handbook.settings import FILE


class BuildError(Exception):
    """Raised if the site cannot be built because of its content. The message holds the faults."""


class EngineError(Exception):
    """Raised if the engine is not installed, or if the preview cannot be served at an address."""


class OutputError(Exception):
    """Raised if standard output cannot be written. Its `__cause__` is the OSError."""


@contextmanager
def as_build_error(root: Path) -> Iterator[None]:
    """Turn an error of the engine, a plugin or a hook in the block into a BuildError.

    An OSError behind a click.ClickException is raised as it is.
    """
    try:
        yield
    except (BuildError, EngineError, OutputError):
        raise
    except click.ClickException as error:
        if isinstance(error.__cause__, OSError):
            raise error.__cause__ from error
        raise BuildError(error.format_message()) from error
    except SystemExit as error:
        raise BuildError(f"a plugin or hook ended the build with exit code {error.code}") from error
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        raise BuildError(describe_error(error, root, "a plugin or hook failed")) from error


def describe_error(error: BaseException, root: Path, summary: str) -> str:
    """Return an error as one line: its place, the summary, its type and its message.

    The place is the last line of the traceback that is in the repository, or mkdocs.yml.
    """
    location = FILE
    if isinstance(error, SyntaxError) and error.filename:
        location = f"{_relative(Path(error.filename), root)}:{error.lineno}"
    else:
        for frame in traceback.extract_tb(error.__traceback__):
            file = Path(frame.filename)
            if file.is_relative_to(root) and "site-packages" not in file.parts:
                location = f"{_relative(file, root)}:{frame.lineno}"
    message = escape_unprintable(" ".join(str(error).split()))
    return f"{escape_unprintable(location)}: {summary}: {type(error).__name__}: {message}"


def _relative(file: Path, root: Path) -> str:
    return (file.relative_to(root) if file.is_relative_to(root) else file).as_posix()
