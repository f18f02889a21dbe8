"""What stands below every page: when it last changed."""

from __future__ import annotations

from collections.abc import Mapping

from handbook.views import render


def footer(changes: Mapping[str, str] | None, path: str) -> str:
    """The HTML of a line that says when a file last changed, by `changes`; None where git knows nothing."""
    return render("footer.html.j2", known=changes is not None, day=(changes or {}).get(path))
