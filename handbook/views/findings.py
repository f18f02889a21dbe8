"""Findings of a page, displayed on that page in the preview."""

from __future__ import annotations

from collections.abc import Iterable

from handbook.diagnostics import Diagnostic
from handbook.views import render


def findings(diagnostics: Iterable[Diagnostic]) -> str:
    """Render a box with every finding; "" without findings."""
    listed = list(diagnostics)
    return render("findings.html.j2", findings=listed) if listed else ""
