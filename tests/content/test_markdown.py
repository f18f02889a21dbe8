"""The Markdown of this repository's pages, for programs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urljoin

from handbook.diagnostics import Report
from handbook.handbook import Handbook
from handbook.loading import load
from handbook.site.assembly import Assembly
from tests.handbooks import ROOT

TARGET = re.compile(r"(?<!\\)\]\(<?([^\s)>]+)")


def make_markdown(handbook: Handbook) -> Mapping[str, str]:
    """Return the Markdown of all pages, by path in the site."""
    return Assembly(handbook, Report({}, ()), None, None).markdown()


def list_addresses(handbook: Handbook) -> set[str]:
    """Return the addresses of the pages and the files of a site."""
    entities = (*handbook.documents.values(), *handbook.alerts)
    pages = {handbook.address(entity) for entity in entities}
    return pages | {f"{page}index.md" for page in pages}


def test_a_listing_is_included() -> None:
    markdown = make_markdown(load(ROOT))["standards/08-observability/index.md"]
    assert "--8<--" not in markdown
    assert "- alert: OrderServiceDown" in markdown


def test_no_link_of_a_record_leads_to_a_source_file() -> None:
    handbook = load(ROOT)
    addresses = list_addresses(handbook)
    for name, text in make_markdown(handbook).items():
        if not name.startswith(("adr/", "runbooks/", "postmortems/", "alerts/")):
            continue
        prose = re.sub(r"`+[^`]*`+", "", text)
        for target in TARGET.findall(prose):
            if "://" in target or target.startswith(("#", "mailto:")):
                continue
            address = urljoin(f"/{name}", target).removeprefix("/").partition("#")[0]
            if address.endswith(".md"):
                assert address in addresses, f"{name}: {target}"
