"""The box with the findings of a page, which the preview shows on the page."""

from __future__ import annotations

from collections.abc import Iterable

from handbook.diagnostics import Diagnostic, limit_findings
from handbook.views import render


def findings(diagnostics: Iterable[Diagnostic]) -> str:
    """Render a box with the findings of a page. Returns "" if there are no findings."""
    listing = limit_findings(diagnostics)
    return render("findings.html.j2", listing=listing) if listing.findings else ""
