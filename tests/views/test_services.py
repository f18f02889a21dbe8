"""The page of a service, the matrix of services, and the services of each checklist item."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handbook.handbook import Handbook
from handbook.loading import load
from handbook.records.service import Service
from handbook.views.services import service_details, service_headings, services_index
from handbook.views.standards import checklist
from tests.handbooks import SMALL, copy_site, write

AUDIT = "docs/services/shop/2026-Q4.yml"
BEFORE = """\
date: 2026-08-20
auditor: platform-team
commit: 1a2b3c4
results:
  OBS-01: {verdict: fail, by: evidence, evidence: "https://grafana.example/d/shop"}
  OBS-03: {verdict: pass, by: evidence, evidence: "https://grafana.example/d/shop"}
  OBS-05: {verdict: unknown, needs: the list of containers}
  SEC-01: {verdict: unknown, needs: a look at the settings}
  SEC-09: {verdict: pass, by: evidence, evidence: "https://grafana.example/d/shop"}
"""


def edit(root: Path, path: str, old: str, new: str) -> None:
    """Replace a text that a file contains."""
    text = (root / path).read_text(encoding="utf-8")
    assert old in text
    (root / path).write_text(text.replace(old, new), encoding="utf-8")


def show_shop(root: Path) -> str:
    handbook = load(root)
    return service_details(handbook, find_shop(handbook))


def find_shop(handbook: Handbook) -> Service:
    service = handbook.get(Service, "shop")
    assert service
    return service


def test_the_results_begin_with_what_needs_work() -> None:
    rows = re.findall(r'<tr id="([^"]+)"', show_shop(SMALL))
    assert rows == [
        f"2026-q4-{id}" for id in ("obs-03", "sec-01", "obs-04", "obs-01", "sec-02", "obs-05")
    ]


def test_the_contents_list_names_each_section_and_quarter_of_the_page() -> None:
    handbook = load(SMALL)
    shop = find_shop(handbook)
    headings = [heading.id for heading in service_headings(handbook, shop)]
    assert "2026-q4" in headings
    assert headings == re.findall(r'<h[23] id="([^"]+)"', service_details(handbook, shop))


def test_a_page_tells_what_changed_since_the_audit_before(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    write(root, {"docs/services/shop/2026-Q3.yml": BEFORE})
    page = show_shop(root)
    changes = page.partition("Changes since 2026-Q3:")[2].partition("</ul>")[0]
    lines = [
        " ".join(re.sub("<[^>]+>", "", line).split())
        for line in re.findall("<li>(.*?)</li>", changes)
    ]
    assert lines == [
        "worse no longer pass: OBS-03",
        "better now pass: OBS-01",
        "OBS-05: from unknown to not-applicable",
        "2 items audited for the first time",
        "no longer audited: SEC-09",
    ]
    assert 'href="#2026-q4-obs-03"' in changes


def test_equal_verdicts_are_no_change(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    write(root, {"docs/services/shop/2026-Q3.yml": (root / AUDIT).read_text("utf-8")})
    assert "Changes since 2026-Q3: none." in show_shop(root)


@pytest.mark.parametrize(
    ("repository", "url"),
    [
        ("https://github.com/a/shop", "https://github.com/a/shop/blob/3f2c9d1/src/login.py#L12"),
        (
            "https://gitlab.shop.example/a/shop.git",
            "https://gitlab.shop.example/a/shop/-/blob/3f2c9d1/src/login.py#L12",
        ),
        (
            "https://codeberg.org/a/shop/",
            "https://codeberg.org/a/shop/src/commit/3f2c9d1/src/login.py#L12",
        ),
        ("https://git.example/shop", None),
    ],
)
def test_evidence_in_another_repository_links_to_the_audited_commit(
    repository: str, url: str | None, tmp_path: Path
) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    edit(root, "docs/services/shop.md", "source: docs/standards/samples/shop\n", "")
    edit(root, "docs/services/shop.md", "https://git.example/shop", repository)
    edit(root, AUDIT, "logging.py:12", "src/login.py:12")
    link = f'<a href="{url}"><code>' if url else " <code>"
    assert f"{link}src/login.py:12</code>" in show_shop(root)


def test_the_matrix_counts_the_passes_of_each_group_without_items_that_do_not_apply() -> None:
    matrix = services_index(load(SMALL), "services/").partition("Compliance by group")[2]
    row = next(row for row in matrix.split("</tr>") if "Shop" in row)
    cells = re.findall(r'hb-badge--(\w+)" href="([^"]+)"[^>]*>([^<]+)<', row)
    assert cells == [
        ("bad", "shop/?group=OBS&amp;quarter=2026-Q4#2026-q4", "1 of 3"),
        ("open", "shop/?group=SEC&amp;quarter=2026-Q4#2026-q4", "1 of 2"),
    ]


def test_a_group_whose_items_do_not_apply_is_not_applicable(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    results = "{verdict: not-applicable, reason: no user data}"
    text = BEFORE.partition("results:")[0] + f"results:\n  SEC-01: {results}\n"
    write(root, {AUDIT: text})
    matrix = services_index(load(root), "services/").partition("Compliance by group")[2]
    assert 'aria-label="Shop, Security: not applicable">not applicable</a>' in matrix
    assert "0 of 0" not in matrix


def test_only_the_newest_audit_is_unfolded(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    write(root, {"docs/services/shop/2026-Q3.yml": BEFORE})
    page = show_shop(root)
    newest, fold, folded = page.partition('<details class="hb-fold">')
    assert fold
    assert 'id="2026-q4"' in newest
    assert 'id="2026-q4-sec-01"' in newest
    summary, _, content = folded.partition("</summary>")
    assert '<h3 id="2026-q3">2026-Q3</h3>' in summary
    assert "2 of 5 items passed" in summary
    assert 'id="2026-q3-sec-01"' in content.partition("</details>")[0]


def test_a_service_without_an_audit_is_not_in_the_matrix() -> None:
    matrix = services_index(load(SMALL), "services/").partition("Compliance by group")[2]
    assert "Shop" in matrix
    assert "Warehouse" not in matrix


def test_each_checklist_item_tells_which_services_pass_it() -> None:
    page = checklist(load(SMALL), "checklist/")
    rows = {match[1]: match[2] for match in re.finditer(r'<tr id="([^"]+)"(.*?)</tr>', page, re.S)}
    assert "1 of 1 pass" in rows["sec-02"]
    assert '<a href="../services/shop/#2026-q4-sec-02">Shop</a>' in rows["sec-02"]
    assert "0 of 1 pass" in rows["obs-03"]
    assert "<summary>not applicable</summary>" in rows["obs-05"]


def test_a_checklist_without_audits_has_no_column_of_services(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    for audit in (root / "docs/services").glob("*/*.yml"):
        audit.unlink()
    assert "Services</th>" not in checklist(load(root), "checklist/")
