"""The line at the end of every page, with the date of its last change."""

from __future__ import annotations

from collections.abc import Mapping

from handbook.views import render


def footer(changes: Mapping[str, str] | None, path: str) -> str:
    """Render the date of the last change of a file.

    `changes` has the date of each file by path. It is None if the Git history is incomplete or
    missing.
    """
    return render("footer.html.j2", has_history=changes is not None, day=(changes or {}).get(path))
