"""What a branch may not do to what others rely on: rules over a base, in real repositories."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from handbook.history.base import Base, read_base
from handbook.loading import load
from handbook.reporters import REPORTERS
from handbook.rules.engine import Rule, rules, run
from tests.handbooks import ADR, SMALL, TODAY, copy_of, places, replace_once, write
from tests.repositories import committed, git, started

OVER_A_BASE = [each for each in rules().values() if each.over is Base]
MESSAGE = "docs: read three pages again\n\nReviewed-by: shop-team"
STAMPED = {
    "docs/standards/08-observability.md": "01",
    "runbooks/shop/orders-down.md": "02",
    "runbooks/search/slow.md": "05",
}


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A branch of the small handbook that did nothing wrong, not yet committed, while `main` went on."""
    root = started(copy_of(SMALL, tmp_path_factory.mktemp("harmless") / "handbook"))
    git(root, "checkout", "--quiet", "-b", "branch")
    git(root, "checkout", "--quiet", "main")
    write(root, {"adr/0004-meanwhile.md": ADR})
    committed(root, "docs: a decision")
    git(root, "checkout", "--quiet", "branch")
    write(root, {"adr/0005-record-the-prices.md": ADR})
    for path, day in STAMPED.items():
        edit(root, path, f"reviewed: 2026-11-{day}", "reviewed: 2026-11-20")
    return root


@pytest.fixture
def branch(harmless: Path, tmp_path: Path) -> Path:
    """The same, to spoil."""
    return copy_of(harmless, tmp_path / "handbook")


def edit(root: Path, path: str, old: str, new: str) -> None:
    text = (root / path).read_text(encoding="utf-8")
    assert old in text
    (root / path).write_text(text.replace(old, new, 1), encoding="utf-8")


def found(root: Path, base: str = "main") -> list[str]:
    """What the gate says against a base, as `path:line:column:code`."""
    return places(run(load(root), TODAY, base=read_base(root, base)).findings)


def messages(root: Path, base: str = "main") -> list[str]:
    findings = run(load(root), TODAY, base=read_base(root, base)).findings
    return [f"{each.code} {each.message}; {each.hint}" for each in findings]


def test_a_branch_that_did_nothing_wrong_has_no_finding(branch: Path) -> None:
    assert found(branch) == []
    committed(branch, MESSAGE)
    assert found(branch) == []


@pytest.mark.parametrize("each", OVER_A_BASE, ids=lambda each: each.code)
def test_the_bad_example_is_found_by_its_rule_and_by_no_other_over_a_base(
    each: Rule, branch: Path
) -> None:
    if each.good in MESSAGE:
        committed(branch, MESSAGE.replace(each.good, each.bad))
    else:
        replace_once(branch, each.good, each.bad)
        committed(branch, MESSAGE)
    alone = places(run(load(branch), TODAY).findings)
    assert {place.rpartition(":")[2] for place in found(branch) if place not in alone} == {
        each.code
    }


DECISION = "adr/0002-use-postgresql.md"
END = "Somebody operates it.\n"
NOTES = "\n## Notes\n\n- 2026-11-20: ADR-0003 asked for more.\n"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("PostgreSQL 16.", "PostgreSQL 16!", 19),
        ("transactions.\n", "transactions.\n\nMany.\n", 17),
        (END, END + "\nAnd pays for it.\n", 40),
        ("\n" + END, "", 36),
        ("# Use PostgreSQL for orders", "# Use PostgreSQL for all orders", 11),
        ("## Measured", "## Weighed", 25),
        ("- MySQL: weaker", "1. MySQL: weaker", 23),
        ("SELECT 1;", "SELECT 2;", 33),
        ("[SQLite](0001-keep-orders-in-sqlite.md)", "[SQLite](0003-keep-orders-in-mysql.md)", 27),
        ("(#context)", "(#decision)", 27),
        ("load.png", "load.csv", 30),
        (END, END + "\n## Notes\n\nIt was cheap.\n", 42),
        (END, END + "\n## Notes\n\n- It was cheap.\n", 42),
    ],
)
def test_what_a_decision_said_stays(old: str, new: str, line: int, branch: Path) -> None:
    edit(branch, DECISION, old, new)
    assert [place.split(":")[:2] for place in found(branch) if place.endswith("DEC013")] == [
        [DECISION, str(line)]
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sqlite.md) did not keep up", "sqlite.md)\ndid not keep  up"),
        ("(0001-keep-orders", "(./0001-keep-orders"),
        ("https://postgresql.example", "https://archive.example/postgresql"),
        ("## Measured", "## Measured {#measured}"),
        (
            "## Context\n",
            "<!-- handbook: allow DEC012 until 2027-01-31: a reason -->\n\n## Context\n",
        ),
        (END, END + NOTES),
        (
            END,
            END
            + NOTES
            + "- 2026-11-23: And [more](0003-keep-orders-in-mysql.md).\n    - In part.\n",
        ),
        ("tags: [database]", "tags: []\nstandards: [STD-08]"),
    ],
)
def test_what_keeps_a_decision_alive_is_legal(old: str, new: str, branch: Path) -> None:
    edit(branch, DECISION, old, new)
    assert [place for place in found(branch) if "DEC013" in place] == []


def test_a_link_and_an_id_follow_what_has_moved(branch: Path) -> None:
    git(branch, "checkout", "--quiet", "main")
    edit(branch, DECISION, "Orders need", "Other than ADR-0003 says, orders need")
    edit(branch, DECISION, "[the context](#context)", "[the reports](0003-keep-orders-in-mysql.md)")
    committed(branch, "docs: before it was merged")
    git(branch, "checkout", "--quiet", "-b", "renumbering")
    (branch / "adr/0003-keep-orders-in-mysql.md").rename(
        branch / "adr/0007-keep-orders-in-mysql.md"
    )
    edit(
        branch,
        "adr/0007-keep-orders-in-mysql.md",
        "amends:",
        "moved_from: [/adr/0003-keep-orders-in-mysql/]\namends:",
    )
    edit(branch, DECISION, "ADR-0003", "ADR-0007")
    edit(branch, DECISION, "0003-keep-orders", "0007-keep-orders")
    assert found(branch) == []


def test_notes_grow_and_are_not_rewritten(branch: Path) -> None:
    git(branch, "checkout", "--quiet", "main")
    edit(branch, DECISION, END, END + NOTES)
    committed(branch, "docs: a note")
    edit(branch, DECISION, "asked for more", "asked for less")
    assert messages(branch) == [
        "DEC013 a note of ADR-0002 was changed; put it back, and add one below it"
    ]
    edit(branch, DECISION, "asked for less", "asked for more")
    edit(branch, DECISION, NOTES, NOTES + "- 2026-11-22: It came to nothing.\n")
    assert found(branch) == []
    edit(branch, DECISION, NOTES, "\n## Notes\n")
    assert [place.rpartition(":")[2] for place in found(branch)] == ["DEC013"]


def test_what_is_only_proposed_may_be_rewritten(branch: Path) -> None:
    git(branch, "checkout", "--quiet", "main")
    edit(branch, "adr/0004-meanwhile.md", "status: accepted", "status: proposed")
    committed(branch, "docs: it is only proposed")
    edit(branch, "adr/0004-meanwhile.md", "What.", "Something else.")
    edit(branch, "adr/0004-meanwhile.md", "status: proposed", "status: accepted")
    assert found(branch) == []


@pytest.mark.parametrize(
    ("before", "after", "legal"),
    [
        ("proposed", "accepted", True),
        ("proposed", "rejected", True),
        ("proposed", "deprecated", True),
        ("accepted", "deprecated", True),
        ("accepted", "proposed", False),
        ("accepted", "rejected", False),
        ("rejected", "accepted", False),
        ("deprecated", "accepted", False),
    ],
)
def test_a_status_moves_as_it_can(before: str, after: str, legal: bool, branch: Path) -> None:
    git(branch, "checkout", "--quiet", "main")
    edit(branch, "adr/0004-meanwhile.md", "status: accepted", f"status: {before}")
    committed(branch, "docs: a status")
    edit(branch, "adr/0004-meanwhile.md", f"status: {before}", f"status: {after}")
    assert found(branch) == ([] if legal else ["adr/0004-meanwhile.md:2:9:DEC015"])


def test_the_next_free_numbers_are_named_one_after_another(branch: Path) -> None:
    write(branch, {"adr/0004-x.md": ADR})
    git(branch, "checkout", "--quiet", "main")
    write(branch, {"adr/0006-later.md": ADR, "adr/0008-later-still.md": ADR})
    git(branch, "add", "adr/0006-later.md", "adr/0008-later-still.md")
    git(branch, "commit", "--quiet", "--message", "docs: more")
    git(branch, "checkout", "--quiet", "branch")
    write(branch, {"adr/0006-y.md": ADR})
    assert messages(branch) == [
        "DEC014 ADR-0004 is adr/0004-meanwhile.md in main; the next free number is 0009",
        "DEC014 ADR-0006 is adr/0006-later.md in main; the next free number is 0010",
    ]


AUDIT = "docs/services/search/2026-Q3.yml"


def test_an_open_quarter_may_be_audited_anew_and_a_late_audit_added(branch: Path) -> None:
    edit(branch, "docs/services/shop/2026-Q4.yml", "reason: no container", "reason: none runs")
    edit(branch, AUDIT, "date:", "# what was found out\ndate:")
    write(branch, {"docs/services/search/2026-Q2.yml": (branch / AUDIT).read_bytes()})
    assert found(branch) == []


def test_a_closed_audit_is_not_taken_out(branch: Path) -> None:
    (branch / AUDIT).rename(branch / AUDIT.replace("Q3", "Q4"))
    assert [place for place in found(branch) if "SVC011" in place] == [f"{AUDIT}:1:1:SVC011"]


def test_closed_audits_move_with_their_service(branch: Path) -> None:
    (branch / "docs/services/search").rename(branch / "docs/services/find")
    text = (branch / "docs/services/search.md").read_text(encoding="utf-8")
    (branch / "docs/services/search.md").unlink()
    write(
        branch,
        {
            "docs/services/find.md": text.replace(
                "owner:", "moved_from: [/services/search/]\nowner:"
            )
        },
    )
    assert [place for place in found(branch) if "SVC011" in place or "LNK011" in place] == []
    edit(branch, AUDIT.replace("search", "find"), "2026-09-01", "2026-09-02")
    assert [place for place in found(branch) if "SVC011" in place] == [
        "docs/services/find/2026-Q3.yml:1:7:SVC011"
    ]


@pytest.mark.parametrize(("day", "codes"), [("2026-12-31", []), ("2027-01-01", ["SVC011"])])
def test_the_day_of_the_base_closes_a_quarter_not_the_clock(
    day: str, codes: list[str], tmp_path: Path
) -> None:
    root = started(copy_of(SMALL, tmp_path / "handbook"), day)
    edit(root, "docs/services/shop/2026-Q4.yml", "OBS-03: {verdict: fail", "OBS-03: {verdict: pass")
    assert [place.rpartition(":")[2] for place in found(root)] == codes
    if codes:
        assert found(root) == ["docs/services/shop/2026-Q4.yml:6:3:SVC011"]


def test_a_stamp_that_was_set_back_or_is_in_no_commit_does_not_count(branch: Path) -> None:
    committed(branch, "docs: read again")
    assert [place.rpartition(":")[2] for place in found(branch)] == ["FM018"]
    for path, day in STAMPED.items():
        edit(branch, path, "reviewed: 2026-11-20", f"reviewed: 2026-11-{day}")
    committed(branch, "docs: set back")
    assert found(branch) == []
    edit(branch, next(iter(STAMPED)), "reviewed: 2026-11-01", "reviewed: 2026-11-21")
    assert found(branch) == []


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("docs: x\n\nReviewed-by: order-team", True),
        ("docs: x\n\nreviewed-by: order-team\nSigned-off-by: order-team", True),
        ("docs: x\n\nReviewed-by:", False),
        ("docs: x\n\nReviewed-by: order-team\n\nThat is in the middle.", False),
        ("Reviewed-by: order-team", False),
    ],
)
def test_a_reviewer_stands_in_a_trailer(message: str, named: bool, branch: Path) -> None:
    commit = committed(branch, message)
    told = (
        f"FM018 commit {commit[:12]} stamps STD-08, search/slow, shop/orders-down as reviewed, and names no reviewer; "
        "end the commit's message with a line Reviewed-by: a-team"
    )
    assert messages(branch) == ([] if named else [told])


def test_a_stamp_points_to_the_day(branch: Path) -> None:
    committed(branch, "docs: read again")
    assert found(branch) == ["docs/standards/08-observability.md:7:11:FM018"]


def test_a_record_that_is_renamed_and_stamped_was_stamped(branch: Path) -> None:
    for path, day in STAMPED.items():
        edit(branch, path, "reviewed: 2026-11-20", f"reviewed: 2026-11-{day}")
    (branch / "runbooks/shop/orders-flat.md").rename(branch / "runbooks/shop/flat.md")
    edit(
        branch,
        "runbooks/shop/flat.md",
        "alerts:",
        "moved_from: [/runbooks/shop/orders-flat/]\nalerts:",
    )
    edit(branch, "runbooks/shop/flat.md", "reviewed: 2026-11-05", "reviewed: 2026-11-20")
    committed(branch, "docs: read again")
    assert [place for place in found(branch) if "FM018" in place] == [
        "runbooks/shop/flat.md:6:11:FM018"
    ]


def test_a_merge_stamps_only_what_no_parent_had(branch: Path) -> None:
    committed(branch, MESSAGE)
    git(branch, "checkout", "--quiet", "-b", "side", "HEAD~1")
    edit(branch, "docs/standards/05-testing.md", "reviewed: 2026-11-04", "reviewed: 2026-11-19")
    edit(
        branch,
        "docs/standards/08-observability.md",
        "With a decision.",
        "With a decision that says why.",
    )
    committed(branch, MESSAGE)
    git(branch, "checkout", "--quiet", "branch")
    git(branch, "merge", "--quiet", "--no-edit", "side")
    assert found(branch) == []
    git(branch, "merge", "--quiet", "--no-commit", "main")
    edit(branch, "docs/standards/05-testing.md", "reviewed: 2026-11-19", "reviewed: 2026-11-20")
    git(branch, "commit", "--quiet", "--all", "--message", "merge")
    assert [place.rpartition(":")[2] for place in found(branch)] == ["FM018"]


def test_a_page_that_moved_says_so(branch: Path) -> None:
    edit(branch, "mkdocs.yml", "- Markdown: markdown.md", "- Markdown: text.md")
    text = (branch / "docs/markdown.md").read_text(encoding="utf-8")
    (branch / "docs/markdown.md").unlink()
    for page in branch.rglob("*.md"):
        page.write_text(
            page.read_text(encoding="utf-8").replace("markdown.md", "text.md"), encoding="utf-8"
        )
    for rules_file in branch.rglob("*.rules.yml"):
        changed = rules_file.read_text(encoding="utf-8").replace("/markdown/", "/text/")
        rules_file.write_text(changed, encoding="utf-8")
    write(branch, {"docs/text.md": text})
    assert messages(branch) == [
        "LNK011 /markdown/ was published, and leads nowhere now; "
        "the page that replaces it says moved_from: [/markdown/]"
    ]
    write(branch, {"docs/text.md": f"---\nmoved_from: [/markdown/]\n---\n{text}"})
    assert found(branch) == []


def test_an_old_address_goes_on_leading_somewhere(branch: Path) -> None:
    git(branch, "checkout", "--quiet", "main")
    edit(
        branch,
        DECISION,
        "status: accepted",
        "status: accepted\nmoved_from: [/old/place/, /older/place/]",
    )
    committed(branch, "docs: it was elsewhere")
    edit(
        branch, DECISION, "moved_from: [/old/place/, /older/place/]", "moved_from: [/older/place/]"
    )
    assert found(branch) == [f"{DECISION}:3:13:LNK011"]
    assert messages(branch)[0].startswith(
        f"LNK011 /old/place/ led to {DECISION}, and leads nowhere now; "
    )
    edit(
        branch,
        "adr/0004-meanwhile.md",
        "status: accepted",
        "status: accepted\nmoved_from: [/old/place/]",
    )
    assert found(branch) == []


def test_an_alert_that_is_gone_leaves_its_address_to_a_page(branch: Path) -> None:
    path = "runbooks/search/search.rules.yml"
    edit(branch, path, "SearchSlow", "SearchTakesLong")
    edit(branch, "runbooks/search/slow.md", "SearchSlow", "SearchTakesLong")
    assert [place for place in found(branch) if "LNK011" in place] == [f"{path}:1:1:LNK011"]
    edit(branch, "runbooks/search/slow.md", "alerts:", "moved_from: [/alerts/SearchSlow/]\nalerts:")
    assert [place for place in found(branch) if "LNK011" in place] == []


PAGE = "runbooks/shop/orders-flat.md"


def test_a_heading_keeps_its_id_under_another_text(branch: Path) -> None:
    edit(branch, PAGE, "### Nobody buys", "### No customers")
    assert found(branch) == [f"{PAGE}:19:1:LNK012"]
    assert messages(branch) == [
        "LNK012 the heading 'Nobody buys' was here, #nobody-buys; ### No customers {#nobody-buys}"
    ]
    edit(branch, PAGE, "### No customers", "### No customers {#nobody-buys}")
    assert found(branch) == []


def test_a_heading_that_is_gone_on_purpose_is_allowed_with_a_reason(branch: Path) -> None:
    path = "runbooks/shop/slow-search.md"
    edit(branch, path, "### Nobody buys\n\n**Symptom:** No orders.\n\n**Fix:** Wait.\n\n", "")
    assert found(branch) == [f"{path}:17:1:LNK012"]
    allowed = "<!-- handbook: allow LNK012: it was never a cause -->\n\n## Common causes and fixes"
    edit(branch, path, "## Common causes and fixes", allowed)
    assert found(branch) == [f"{path}:17:1:FM019"]
    assert run(load(branch), TODAY).findings == ()


def test_a_title_may_change_and_headings_may_change_places(branch: Path) -> None:
    edit(branch, PAGE, "# Shop: orders do not change", "# Shop: no order changes")
    edit(branch, "docs/markdown.md", "### Load\n", "### Loaded\n\nMore.\n\n### Load\n")
    assert found(branch) == []


STANDARD = "docs/standards/08-observability.md"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("Logs MUST be JSON.", "Every log line MUST be structured as JSON.", []),
        ("Logs MUST be JSON.", "Withdrawn: STD-08.2 says it.", []),
        ("Logs MUST be JSON.", "Somebody MUST sleep.", ["39:1:STD008"]),
        ("- **STD-08.1** Logs MUST be JSON.\n", "", ["37:1:STD008"]),
        ("**STD-08.1** Logs", "**STD-08.3** Logs", ["37:1:STD008"]),
        ("item: Logs are JSON", "item: Each line of a log is JSON", []),
        ("item: Logs are JSON", "item: Backups are encrypted", ["10:9:CHK005"]),
        ("  since: 2026-Q4\n- id: OBS-02", "  since: 2026-Q4\n  until: 2026-Q4\n- id: OBS-02", []),
        ("id: OBS-02", "id: OBS-06", ["9:1:CHK005"]),
        ("id: OBS-02", "id: TODO", ["13:7:FM106"]),
        ("item: Logs are JSON", "item: TODO", ["10:9:FM106"]),
        ("Logs MUST be JSON.", "TODO", ["39:16:FM106"]),
    ],
)
def test_ids_mean_what_they_meant(old: str, new: str, told: list[str], branch: Path) -> None:
    edit(branch, STANDARD, old, new)
    if "OBS-06" in new:
        edit(branch, STANDARD, "### OBS-02", "### OBS-06")
    assert found(branch) == [f"{STANDARD}:{place}" for place in told]


def test_an_id_that_was_withdrawn_is_not_given_again(branch: Path) -> None:
    git(branch, "checkout", "--quiet", "main")
    edit(branch, STANDARD, "Traces SHOULD be kept.", "Withdrawn: too dear.")
    committed(branch, "docs: no traces")
    edit(branch, STANDARD, "Withdrawn: too dear.", "Traces SHOULD be cheap.")
    assert [place.rpartition(":")[2] for place in found(branch)] == ["STD008"]


def test_what_main_did_meanwhile_is_not_the_branchs(branch: Path) -> None:
    committed(branch, MESSAGE)
    git(branch, "checkout", "--quiet", "main")
    edit(
        branch,
        PAGE,
        "### Nobody buys",
        "### No customers {#nobody-buys}\n\n**Symptom:** a\n\n**Fix:** b\n\n### New",
    )
    edit(
        branch,
        "adr/0003-keep-orders-in-mysql.md",
        "Two databases to keep.",
        "Two databases to keep!",
    )
    committed(branch, "docs: without asking")
    git(branch, "checkout", "--quiet", "branch")
    assert found(branch) == []


def test_a_branch_that_begins_a_handbook_is_compared_with_none(tmp_path: Path) -> None:
    root = started(write(tmp_path / "empty", {"README.md": "Nothing yet.\n"}))
    git(root, "checkout", "--quiet", "-b", "branch")
    copy_of(SMALL, tmp_path / "handbook")
    for path in (tmp_path / "handbook").iterdir():
        path.rename(root / path.name)
    committed(root, "docs: a handbook")
    assert found(root) == []


def test_a_handbook_below_the_root_of_a_repository_is_compared_with_itself(tmp_path: Path) -> None:
    repository = write(tmp_path / "all", {"adr/0001-not-ours.md": ADR})
    root = copy_of(SMALL, repository / "some where/handbook")
    started(repository)
    assert found(root) == []
    edit(root, STANDARD, "reviewed: 2026-11-01", "reviewed: 2026-11-20")
    committed(repository, "docs: read again")
    edit(root, DECISION, "PostgreSQL 16.", "PostgreSQL 17.")
    assert found(root, "HEAD~1") == [f"{DECISION}:19:1:DEC013", f"{STANDARD}:7:11:FM018"]


def test_links_and_odd_names_in_a_base_harm_nothing(branch: Path, tmp_path: Path) -> None:
    git(branch, "checkout", "--quiet", "main")
    outside = tmp_path / "outside"
    outside.mkdir()
    (branch / "adr/0009-link.md").symlink_to(outside / "0009-link.md")
    (branch / "runbooks/out").symlink_to(outside)
    write(branch, {"docs/ü –\n'\".md": "# Odd\n", "docs/latin-\udce9.md": "# Odder\n"})
    committed(branch, "docs: odd names")
    base = read_base(branch, "main")
    assert list(outside.iterdir()) == []
    assert not {"adr/0009-link.md", "runbooks/out"} & set(base.handbook.documents)
    assert "docs/ü –\n'\".md" in base.handbook.documents
    assert "docs/latin-\udce9.md" in base.handbook.strays


ALLOWED = (
    "# handbook: allow FM010: both offices share a name\ndeciders: [platform-team, platform-team]"
)
PLAIN = "deciders: [platform-team]"
LOWERED = "rules: {SAFE002: error, FM104: warning}"
SAMPLED = """rules: {SAFE002: error}
    samples:
      - {path: adr/0002-use-postgresql.md, sha256: DIGEST, reason: a test}""".replace(
    "DIGEST", hashlib.sha256(b"AKIA" + b"Q7ZK2M9XW4RT8B3N").hexdigest()
)


def exceptions(root: Path) -> list[str]:
    """The new exceptions that the summary of a report lists, against main."""
    report = run(load(root), TODAY, base=read_base(root, "main"))
    return [f"{each.at.path}:{each.at.line} {each.message}" for each in report.new_exceptions]


def test_every_new_exception_is_a_warning_that_the_summary_lists(branch: Path) -> None:
    edit(branch, DECISION, PLAIN, ALLOWED)
    edit(
        branch, DECISION, END, END + "\n## Notes\n\n- 2026-11-20: AKIA" + "Q7ZK2M9XW4RT8B3N" + "\n"
    )
    edit(
        branch,
        "mkdocs.yml",
        "rules: {SAFE002: error}",
        SAMPLED.replace("{SAFE002: error}", LOWERED[7:]),
    )
    messages_of_all = [
        f"{DECISION}:4 new suppression of FM010: both offices share a name",
        f"mkdocs.yml:{line_of(branch, 'mkdocs.yml', 'FM104')} new lowered severity of FM104",
        f"mkdocs.yml:{line_of(branch, 'mkdocs.yml', 'sha256')} new secret sample in {DECISION}: a test",
    ]
    assert exceptions(branch) == messages_of_all
    report = run(load(branch), TODAY, base=read_base(branch, "main"))
    assert (report.errors, report.warnings) == (0, 3)
    summary = REPORTERS["text"](report).splitlines()[-1]
    assert (
        "0 errors, 3 warnings, 1 suppressed, 1 secret sample, 1 lowered severity; new suppression"
        in summary
    )
    assert all(message.partition(" ")[2] in summary for message in messages_of_all)


def line_of(root: Path, path: str, text: str) -> int:
    lines = (root / path).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_an_exception_of_the_base_is_not_new(branch: Path) -> None:
    git(branch, "checkout", "--quiet", "main")
    edit(branch, DECISION, PLAIN, ALLOWED)
    edit(branch, "mkdocs.yml", "rules: {SAFE002: error}", LOWERED)
    committed(branch, "docs: exceptions")
    git(branch, "checkout", "--quiet", "-b", "next")
    assert exceptions(branch) == []
    edit(branch, DECISION, "---\nstatus", "---\n# A comment above moves it.\nstatus")
    assert exceptions(branch) == []
    edit(branch, DECISION, "allow FM010:", "allow FM010 until 2027-01-01:")
    assert exceptions(branch) == [
        f"{DECISION}:5 new suppression of FM010: both offices share a name"
    ]
    edit(branch, DECISION, "allow FM010 until 2027-01-01:", "allow FM010:")
    edit(
        branch,
        "adr/0001-keep-orders-in-sqlite.md",
        "deciders: [order-team]",
        "# handbook: allow FM010: both offices share a name\ndeciders: [order-team, order-team]",
    )
    assert exceptions(branch) == [
        "adr/0001-keep-orders-in-sqlite.md:4 new suppression of FM010: both offices share a name"
    ]


def test_a_warning_of_a_new_exception_cannot_be_suppressed(branch: Path) -> None:
    edit(branch, DECISION, PLAIN, "# handbook: allow FM019: nobody has to know\n" + ALLOWED)
    codes = {place.rpartition(":")[2] for place in found(branch)}
    assert codes == {"FM019", "SAFE008"}


def allowed_on_main(branch: Path, path: str, old: str, new: str) -> None:
    """Let main make an exception in a file, and begin a branch there."""
    git(branch, "checkout", "--quiet", "main")
    edit(branch, path, old, new)
    committed(branch, "docs: an exception")
    git(branch, "checkout", "--quiet", "-b", "next")


ELSEWHERE = "adr/0001-keep-orders-in-sqlite.md"
NEW_THERE = f"{ELSEWHERE}:4 new suppression of FM010: both offices share a name"


def test_an_exception_that_goes_to_another_file_is_new(branch: Path) -> None:
    allowed_on_main(branch, DECISION, PLAIN, ALLOWED)
    edit(branch, DECISION, ALLOWED, PLAIN)
    edit(branch, ELSEWHERE, "deciders: [order-team]", ALLOWED.replace("platform", "order"))
    assert exceptions(branch) == [NEW_THERE]
    committed(branch, "docs: the exception elsewhere")
    assert exceptions(branch) == [NEW_THERE]


@pytest.mark.parametrize("path", ["adr/0002-use-postgres.md", "adr/0009-use-postgresql.md"])
def test_an_exception_that_moves_with_its_record_is_not_new(path: str, branch: Path) -> None:
    allowed_on_main(branch, DECISION, PLAIN, ALLOWED)
    git(branch, "mv", DECISION, path)
    committed(branch, "docs: another name")
    assert exceptions(branch) == []
    edit(branch, path, ALLOWED, PLAIN)
    edit(branch, ELSEWHERE, "deciders: [order-team]", ALLOWED.replace("platform", "order"))
    assert exceptions(branch) == [NEW_THERE]


def test_an_exception_that_moves_with_a_page_that_says_so_is_not_new(branch: Path) -> None:
    allowed = "<!-- handbook: allow MD012: the importer writes it so -->\n\n"
    allowed_on_main(branch, "docs/markdown.md", "### Load\n", f"{allowed}### Load\n")
    (branch / "docs/markdown.md").unlink()
    other = f"---\nmoved_from: [/markdown/]\n---\n# Markup\n\n{allowed}Text.\n"
    write(branch, {"docs/markup.md": other})
    assert exceptions(branch) == []
    write(branch, {"docs/markup.md": other.replace("/markdown/", "/marked/")})
    assert exceptions(branch) == [
        "docs/markup.md:6 new suppression of MD012: the importer writes it so"
    ]


def test_an_exception_that_moves_with_a_rule_file_is_not_new(branch: Path) -> None:
    rules, moved = "runbooks/search/search.rules.yml", "runbooks/search/find.rules.yml"
    allowed_on_main(branch, rules, "groups:", "# handbook: allow RBK012: a test\ngroups:")
    git(branch, "mv", rules, moved)
    committed(branch, "docs: another name")
    assert exceptions(branch) == []


def test_a_sample_that_goes_to_another_file_is_new(branch: Path) -> None:
    allowed_on_main(branch, "mkdocs.yml", "rules: {SAFE002: error}", SAMPLED)
    edit(branch, "mkdocs.yml", f"path: {DECISION}", f"path: {ELSEWHERE}")
    line = line_of(branch, "mkdocs.yml", "sha256")
    assert exceptions(branch) == [f"mkdocs.yml:{line} new secret sample in {ELSEWHERE}: a test"]


PRIVATE = 'private: ["*@corp.example", "*.internal"]'


@pytest.mark.parametrize(
    ("private", "removed"),
    [
        ('private: ["*@corp.example"]', ["*.internal"]),
        ('private: ["*@corp.example", "db.internal"]', ["*.internal"]),
        ("private: []", ["*@corp.example", "*.internal"]),
        ("links: {}", ["*@corp.example", "*.internal"]),
        ('private: ["*.INTERNAL", "*@corp.example", "*.corp.example"]', []),
    ],
)
def test_a_private_pattern_that_is_removed_is_an_exception(
    private: str, removed: list[str], branch: Path
) -> None:
    edit(branch, "mkdocs.yml", PRIVATE, private)
    line = line_of(branch, "mkdocs.yml", "private:" if "private" in private else "  handbook:")
    expected = [
        f"mkdocs.yml:{line} pattern removed from handbook.private: '{pattern}'"
        for pattern in removed
    ]
    assert exceptions(branch) == sorted(expected)
