"""The page of a decision shows whether to follow it, and the index shows each year."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handbook.history.decision_texts import read_decision_texts
from handbook.loading import load
from handbook.records.adr import Adr, TextState
from handbook.views.adr_index import adr_index
from handbook.views.backlinks import backlinks
from handbook.views.decisions import banner, lineage
from handbook.views.facts import facts
from handbook.views.links import Linker
from tests.handbooks import ADR, SETTINGS, write
from tests.repositories import commit_all, create_repository, run_git


def superseded(by: str, day: str = "2026-04-01", also: str = "") -> str:
    """Return a decision that others replaced."""
    return (
        ADR.replace("accepted", "superseded")
        .replace("2026-03-02", day)
        .replace("deciders", f"superseded_by: [{by}]\n{also}deciders")
    )


def superseding(ids: str) -> str:
    """Return an accepted decision that replaces others."""
    return ADR.replace("deciders", f"supersedes: [{ids}]\ndeciders")


def show_banner(root: Path, id: str) -> str:
    """Return the text of the banner of a decision."""
    handbook = load(root)
    adr = handbook.get(Adr, id)
    assert adr
    html = banner(Linker(handbook, handbook.address(adr)), adr) or ""
    return " ".join(re.sub(r"<[^>]*>", "", html).split())


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """Return a handbook in which two decisions replaced the first through a second one."""
    return write(
        tmp_path / "handbook",
        {
            "mkdocs.yml": SETTINGS,
            "adr/0001-a.md": superseded("ADR-0002"),
            "adr/0002-b.md": superseded(
                "ADR-0003, ADR-0004", "2026-05-01", "supersedes: [ADR-0001]\n"
            ),
            "adr/0003-c.md": superseding("ADR-0002"),
            "adr/0004-d.md": superseding("ADR-0002"),
            "adr/0005-e.md": ADR.replace("deciders", "amends: [ADR-0004]\ndeciders"),
            "adr/0006-f.md": ADR.replace("deciders", "amends: [ADR-0005]\ndeciders"),
            "adr/0007-g.md": ADR.replace("accepted", "deprecated"),
            "adr/0008-h.md": ADR.replace("accepted", "rejected"),
            "adr/0009-i.md": ADR.replace("accepted", "proposed"),
        },
    )


@pytest.mark.parametrize(
    ("id", "text"),
    [
        (
            "ADR-0001",
            "Superseded on 2026-04-01 by ADR-0002 A decision. Do not follow. In force today: "
            "ADR-0003 A decision and ADR-0004 A decision.",
        ),
        (
            "ADR-0002",
            "Superseded on 2026-05-01 by ADR-0003 A decision and ADR-0004 A decision. "
            "Do not follow.",
        ),
        ("ADR-0003", ""),
        (
            "ADR-0007",
            "Deprecated on 2026-03-02. Do not use it for new work. No decision replaces it.",
        ),
        ("ADR-0008", "Rejected on 2026-03-02. Do not follow."),
        ("ADR-0009", "Proposed on 2026-03-02. Not in force yet."),
    ],
)
def test_the_banner_names_what_to_follow(id: str, text: str, chain: Path) -> None:
    assert show_banner(chain, id) == text


def test_a_chain_that_ends_without_a_decision_in_force_says_so(chain: Path) -> None:
    for name in ("0003-c", "0004-d"):
        path = chain / f"adr/{name}.md"
        path.write_text(path.read_text().replace("accepted", "deprecated"))
    assert show_banner(chain, "ADR-0001").endswith("No decision replaces it today.")


def test_the_lineage_has_the_chain_and_the_nearest_amendments(chain: Path) -> None:
    handbook = load(chain)
    ids = {}
    for adr in handbook.of(Adr):
        html = lineage(handbook, adr)
        ids[adr.id] = sorted(set(re.findall(r"ADR-000\d", html)))
    assert ids["ADR-0001"] == ["ADR-0001", "ADR-0002", "ADR-0003", "ADR-0004"]
    assert ids["ADR-0004"] == ["ADR-0001", "ADR-0002", "ADR-0003", "ADR-0004", "ADR-0005"]
    assert ids["ADR-0006"] == ["ADR-0005", "ADR-0006"]
    assert ids["ADR-0007"] == []
    drawing = lineage(handbook, handbook.of(Adr)[3])
    assert "ADR-0004 supersedes ADR-0002" in drawing
    assert drawing.count("stroke-dasharray") == 1


@pytest.mark.parametrize(
    ("status", "labels", "changes"),
    [
        (
            "proposed",
            {"ADR-0001": "proposed successor", "ADR-0002": "proposed amendment"},
            ("proposes to supersede ADR-0001", "proposes to amend ADR-0002"),
        ),
        (
            "rejected",
            {"ADR-0001": "rejected successor", "ADR-0002": "rejected amendment"},
            ("would have superseded ADR-0001", "would have amended ADR-0002"),
        ),
    ],
)
def test_a_change_takes_effect_only_when_it_is_accepted(
    status: str, labels: dict[str, str], changes: tuple[str, str], tmp_path: Path
) -> None:
    keys = "supersedes: [ADR-0001]\namends: [ADR-0002]\ndeciders"
    change = ADR.replace("accepted", status).replace("deciders", keys)
    files = {"adr/0001-a.md": ADR, "adr/0002-b.md": ADR, "adr/0003-c.md": change}
    handbook = load(write(tmp_path, {"mkdocs.yml": SETTINGS, **files}))
    for id, label in labels.items():
        adr = handbook.get(Adr, id)
        assert adr
        assert f'<span class="hb-how">{label}</span>' in backlinks(handbook, adr)
        assert f"<dt>{label.capitalize()}</dt>" in facts(handbook, adr)
        for page in (facts, backlinks, lineage):
            assert not re.search("(amended|superseded) by", page(handbook, adr), re.IGNORECASE)
    source = handbook.get(Adr, "ADR-0003")
    assert source
    for change in changes:
        assert f"ADR-0003 {change}" in lineage(handbook, source)
        assert f"<dt>{change.rpartition(' ')[0].capitalize()}</dt>" in facts(handbook, source)
    assert lineage(handbook, source).count('stroke-opacity="0.5"') == 2


def test_titles_that_readers_must_not_follow_are_struck_through(chain: Path) -> None:
    handbook = load(chain)
    index = adr_index(handbook, "adr/")
    struck = re.findall(r'hb-id">(ADR-\d+)</span> <s>', index)
    assert sorted(set(struck)) == ["ADR-0001", "ADR-0002", "ADR-0007", "ADR-0008"]


def test_the_index_counts_each_year_and_sorts_by_date(tmp_path: Path) -> None:
    old = ADR.replace("2026-03-02", "2024-03-02")
    changed = superseded("ADR-0001").replace(
        "deciders", "history: [{status: accepted, date: 2025-01-01}]\ndeciders"
    )
    root = write(
        tmp_path / "handbook",
        {
            "mkdocs.yml": SETTINGS,
            "adr/0001-a.md": superseding("ADR-0003"),
            "adr/0002-b.md": old,
            "adr/0003-c.md": changed,
            "adr/0004-d.md": old.replace("2024-03-02", "2024-05-02"),
        },
    )
    index = adr_index(load(root), "adr/")
    rows = re.findall(r'<th scope="row">(\d+)</th>(.*?)</tr>', index, re.DOTALL)
    counts = {year: re.findall(r">(\d+)</td>", cells) for year, cells in rows}
    assert counts == {"2026": ["1", "1", "0"], "2025": ["1", "0", "1"], "2024": ["2", "2", "0"]}
    order = re.findall(r'<tr data-status="accepted".*?hb-id">(ADR-\d+)', index, re.DOTALL)
    assert order == ["ADR-0001", "ADR-0004", "ADR-0002"]


def test_git_says_whether_the_text_has_changed(tmp_path: Path) -> None:
    proposed = ADR.replace("accepted", "proposed")
    imported = ADR.replace("status:", "imported: {from: doc/a.md, date: 2026-06-01}\nstatus:")
    root = create_repository(
        write(
            tmp_path / "handbook",
            {
                "mkdocs.yml": SETTINGS,
                "adr/0001-a.md": proposed.replace("Why.", "A draft."),
                "adr/0002-b.md": ADR,
                "adr/0003-c.md": proposed,
                "adr/0004-d.md": imported.replace("date: 2026-03-02\n", ""),
                "adr/0005-e.md": imported,
            },
        )
    )
    commit_all(write(root, {"adr/0001-a.md": ADR}), "docs: accept")
    noted = ADR.replace("order-team", "platform-team") + "\n## Notes\n\n- 2026-04-01: a note\n"
    commit_all(write(root, {"adr/0001-a.md": noted}), "docs: note")
    write(root, {"docs/index.md": "# Home\n"})
    write(root, {"adr/0002-b.md": ADR.replace("Why.", "Because.")})
    assert read_decision_texts(load(root)) == {
        "adr/0001-a.md": TextState.UNCHANGED,
        "adr/0002-b.md": TextState.CHANGED,
        "adr/0004-d.md": TextState.UNDATED,
        "adr/0005-e.md": TextState.UNCHANGED,
    }
    shallow = tmp_path / "shallow"
    run_git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{root}", str(shallow))
    assert set(read_decision_texts(load(shallow)).values()) == {TextState.UNKNOWN}
    handbook = load(root)
    adr = handbook.of(Adr)[0]
    assert "unchanged since the decision" in facts(handbook, adr, TextState.UNCHANGED)


def test_without_a_repository_nothing_is_said_of_the_text(tmp_path: Path) -> None:
    root = write(tmp_path / "handbook", {"mkdocs.yml": SETTINGS, "adr/0001-a.md": ADR})
    assert read_decision_texts(load(root)) == {}
