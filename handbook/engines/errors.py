"""What can go wrong in a build, and errors of plugins, hooks and modules of macros as one line."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from handbook.settings import FILE


class BuildError(Exception):
    """A build that found something wrong; the text says what."""


class EngineError(Exception):
    """An engine that is not installed, or an address that cannot be served; the text says why."""


class OutputError(Exception):
    """A line that cannot be printed; the cause is the OSError of standard output."""


@contextmanager
def as_build_error(root: Path) -> Iterator[None]:
    """Raise errors of an engine, a plugin or a hook as BuildError, and I/O errors unchanged."""
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
    except Exception as error:
        raise BuildError(describe_error(error, root, "a plugin or hook failed")) from error


def describe_error(error: BaseException, root: Path, summary: str) -> str:
    """The last place in the repository that an error comes from, a summary, and the error."""
    location = FILE
    if isinstance(error, SyntaxError) and error.filename:
        location = f"{_relative(Path(error.filename), root)}:{error.lineno}"
    else:
        for frame in traceback.extract_tb(error.__traceback__):
            file = Path(frame.filename)
            if file.is_relative_to(root) and "site-packages" not in file.parts:
                location = f"{_relative(file, root)}:{frame.lineno}"
    return f"{location}: {summary}: {type(error).__name__}: {' '.join(str(error).split())}"


def _relative(file: Path, root: Path) -> str:
    return (file.relative_to(root) if file.is_relative_to(root) else file).as_posix()
