"""Render the notice above every page: the setting `handbook.notice`."""

from __future__ import annotations

import re
from typing import Final

from handbook.handbook import Handbook
from handbook.reading.render import render_line
from handbook.settings import NOTICE_SOURCE
from handbook.views.references import PageReferences

_LINK: Final = re.compile(r'(?<=<a href=")(?![a-z][a-z0-9+.-]*:|[/#])', re.IGNORECASE)
"""The start of a link that is relative to the root of the site."""


def notice(handbook: Handbook, outer_url: str | None) -> list[str]:
    """Return the HTML of the notice, split where the address of the root of the site belongs.

    The theme joins the parts with this address, because it is different on each page. `outer_url`
    is the address of the site in which this one is nested. Links to it become relative, so that
    they also work in a copy of both sites. Without a notice, the list is empty.
    """
    text = handbook.settings.organisation.notice
    if not text:
        return []
    html = render_line(text, PageReferences(handbook, NOTICE_SOURCE, ""))
    if outer_url:
        html = html.replace(f'<a href="{outer_url.rstrip("/")}/', '<a href="../')
    return _LINK.split(html)
