"""Descriptions of pages, which chat programs and search engines show beside a link."""

from __future__ import annotations

from pathlib import Path

import pytest

from handbook.handbook import Handbook
from handbook.loading import load
from handbook.records import Entity, Page
from handbook.records.adr import Adr
from handbook.records.alert import Alert
from handbook.records.postmortem import Postmortem
from handbook.records.runbook import Runbook
from handbook.records.service import Service
from handbook.views.descriptions import describe
from tests.handbooks import SMALL, copy_site


def find(handbook: Handbook, kind: type[Entity], id: str) -> Entity:
    entity = handbook.get(kind, id)
    assert entity
    return entity


@pytest.mark.parametrize(
    ("kind", "id", "description"),
    [
        (Alert, "OrdersDown", "Orders stopped · sev-1 · shop-team"),
        (Runbook, "shop/orders-down", "When OrdersDown fires. · sev-1 · shop-team"),
        (Service, "shop", "Sells books. · tier 1 · shop-team"),
    ],
)
def test_a_description_tells_what_it_is_how_severe_and_whose(
    kind: type[Entity], id: str, description: str
) -> None:
    handbook = load(SMALL)
    assert describe(handbook, find(handbook, kind, id)) == description


def test_the_page_of_a_team_tells_its_channel_and_its_services() -> None:
    handbook = load(SMALL)
    descriptions = {describe(handbook, page) for page in handbook.of(Page)}
    assert "Team shop-team · #team-shop · owns Shop" in descriptions
    assert "Team order-team · #team-orders" in descriptions


def test_a_post_mortem_begins_with_its_severity_and_its_day() -> None:
    handbook = load(SMALL)
    (postmortem, *_) = handbook.of(Postmortem)
    assert describe(handbook, postmortem).startswith(
        "sev-1 · 2026-05-04 · No order for 40 minutes."
    )


def test_a_decision_begins_with_its_status() -> None:
    handbook = load(SMALL)
    for adr in handbook.of(Adr):
        assert describe(handbook, adr).startswith(f"{str(adr.status).capitalize()} · ")


def test_a_long_description_ends_after_a_word_and_keeps_severity_and_owner(
    tmp_path: Path,
) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    path = root / "runbooks/shop/orders-down.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("When `OrdersDown` fires.", "Many words. " * 60), encoding="utf-8")
    handbook = load(root)
    description = describe(handbook, find(handbook, Runbook, "shop/orders-down"))
    assert len(description) <= 200
    assert description.endswith("Many… · sev-1 · shop-team")


def test_each_record_and_alert_has_a_description() -> None:
    handbook = load(SMALL)
    assert all(describe(handbook, entity) for entity in (*handbook.records, *handbook.alerts))
