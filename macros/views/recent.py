"""What changed lately, by the records' own dates."""

from __future__ import annotations

from macros.handbook import Handbook
from macros.records.adr import Adr
from macros.views import relative, render
from macros.views.adr import newest_first


def recent(handbook: Handbook, here: str, most: int = 5) -> str:
    """The HTML of a list of the `most` decisions whose status changed last."""
    adrs = newest_first(handbook.of(Adr))[:most]
    return render("recent.html.j2", adrs=adrs, url=lambda adr: relative(handbook.url(adr.path) or "", here))
