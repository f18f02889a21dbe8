"""The OpenSearch description, with which a browser adds the search of the site to its own."""

from __future__ import annotations

from xml.sax.saxutils import escape

from handbook.handbook import Handbook


def opensearch(handbook: Handbook) -> str:
    """Return the OpenSearch description of the site. The site needs a `site_url`."""
    site_name = handbook.settings.site_name
    site = escape(handbook.settings.site_url.rstrip("/"))
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">\n'
        f"  <ShortName>{escape(site_name[:16].strip())}</ShortName>\n"
        f"  <Description>Search {escape(site_name)}</Description>\n"
        "  <InputEncoding>UTF-8</InputEncoding>\n"
        f'  <Url type="text/html" template="{site}/search/?q={{searchTerms}}"/>\n'
        "</OpenSearchDescription>\n"
    )
