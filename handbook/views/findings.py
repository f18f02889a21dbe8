"""What the gate says of a page, on that page, while an author previews it."""

from __future__ import annotations

from collections.abc import Iterable

from handbook.diagnostics import Diagnostic
from handbook.views import render


def findings(diagnostics: Iterable[Diagnostic]) -> str:
    """The HTML of a box with every finding, or "" where there is none."""
    listed = list(diagnostics)
    return render("findings.html.j2", findings=listed) if listed else ""
