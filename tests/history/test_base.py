"""Rules over a base, in real repositories."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from handbook.history.base import Base, read_base
from handbook.loading import load
from handbook.reporters import REPORTERS
from handbook.rules.engine import Rule, rules, run
from tests.handbooks import ADR, SMALL, TODAY, copy_site, format_findings, replace_once, write
from tests.repositories import commit_all, create_repository, run_git

pytestmark = pytest.mark.history

BASE_RULES = [rule for rule in rules().values() if rule.over is Base]
MESSAGE = "docs: read three pages again\n\nReviewed-by: shop-team"
REVIEW_DAYS = {
    "docs/standards/08-observability.md": "01",
    "runbooks/shop/orders-down.md": "02",
    "runbooks/search/slow.md": "05",
}


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a branch of the small handbook without faults, with uncommitted changes.

    Meanwhile `main` has another commit.
    """
    root = create_repository(copy_site(SMALL, tmp_path_factory.mktemp("harmless") / "handbook"))
    run_git(root, "checkout", "--quiet", "-b", "branch")
    run_git(root, "checkout", "--quiet", "main")
    write(root, {"adr/0004-meanwhile.md": ADR})
    commit_all(root, "docs: a decision")
    run_git(root, "checkout", "--quiet", "branch")
    write(root, {"adr/0005-record-the-prices.md": ADR})
    for path, day in REVIEW_DAYS.items():
        edit(root, path, f"reviewed: 2026-11-{day}", "reviewed: 2026-11-20")
    return root


@pytest.fixture
def branch(harmless: Path, tmp_path: Path) -> Path:
    """A copy of the harmless branch, which a test can break."""
    return copy_site(harmless, tmp_path / "handbook")


def edit(root: Path, path: str, old: str, new: str) -> None:
    text = (root / path).read_text(encoding="utf-8")
    assert old in text
    (root / path).write_text(text.replace(old, new, 1), encoding="utf-8")


def check(root: Path, base: str = "main") -> list[str]:
    """Check against a base, and return the findings as `path:line:column:code`."""
    return format_findings(run(load(root), TODAY, base=read_base(root, base)).findings)


def check_codes(root: Path) -> list[str]:
    """Check against `main`, and return the codes of the findings."""
    return [finding.rpartition(":")[2] for finding in check(root)]


def check_messages(root: Path, base: str = "main") -> list[str]:
    """Check against a base, and return each finding as its code, message and hint."""
    findings = run(load(root), TODAY, base=read_base(root, base)).findings
    return [f"{finding.code} {finding.message}; {finding.hint}" for finding in findings]


def test_a_harmless_branch_has_no_finding(branch: Path) -> None:
    assert check(branch) == []
    commit_all(branch, MESSAGE)
    assert check(branch) == []


@pytest.mark.parametrize("base_rule", BASE_RULES, ids=lambda rule: rule.code)
def test_only_the_rule_itself_reports_its_bad_example(base_rule: Rule, branch: Path) -> None:
    if base_rule.good in MESSAGE:
        commit_all(branch, MESSAGE.replace(base_rule.good, base_rule.bad))
    else:
        replace_once(branch, base_rule.good, base_rule.bad)
        commit_all(branch, MESSAGE)
    without_base = format_findings(run(load(branch), TODAY).findings)
    codes = {finding.rpartition(":")[2] for finding in check(branch) if finding not in without_base}
    assert codes == {base_rule.code}


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
def test_the_text_of_a_decision_cannot_change(old: str, new: str, line: int, branch: Path) -> None:
    edit(branch, DECISION, old, new)
    assert [finding.split(":")[:2] for finding in check(branch) if finding.endswith("DEC013")] == [
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
def test_notes_and_corrected_addresses_are_allowed_in_a_decision(
    old: str, new: str, branch: Path
) -> None:
    edit(branch, DECISION, old, new)
    assert [finding for finding in check(branch) if "DEC013" in finding] == []


def test_links_and_ids_can_follow_a_moved_decision(branch: Path) -> None:
    run_git(branch, "checkout", "--quiet", "main")
    edit(branch, DECISION, "Orders need", "Other than ADR-0003 says, orders need")
    edit(branch, DECISION, "[the context](#context)", "[the reports](0003-keep-orders-in-mysql.md)")
    commit_all(branch, "docs: before it was merged")
    run_git(branch, "checkout", "--quiet", "-b", "renumbering")
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
    assert check(branch) == []


def test_notes_can_be_added_but_not_changed(branch: Path) -> None:
    run_git(branch, "checkout", "--quiet", "main")
    edit(branch, DECISION, END, END + NOTES)
    commit_all(branch, "docs: a note")
    edit(branch, DECISION, "asked for more", "asked for less")
    assert check_messages(branch) == [
        "DEC013 changed note in section 'Notes' of ADR-0002; "
        "restore the note, and add a new note below it"
    ]
    edit(branch, DECISION, "asked for less", "asked for more")
    edit(branch, DECISION, NOTES, NOTES + "- 2026-11-22: It came to nothing.\n")
    assert check(branch) == []
    edit(branch, DECISION, NOTES, "\n## Notes\n")
    assert check_codes(branch) == ["DEC013"]


def test_a_proposed_decision_can_be_rewritten(branch: Path) -> None:
    run_git(branch, "checkout", "--quiet", "main")
    edit(branch, "adr/0004-meanwhile.md", "status: accepted", "status: proposed")
    commit_all(branch, "docs: it is only proposed")
    edit(branch, "adr/0004-meanwhile.md", "What.", "Something else.")
    edit(branch, "adr/0004-meanwhile.md", *move("proposed", "accepted"))
    assert check(branch) == []


def move(old_status: str, status: str, day: str = "2026-11-21") -> tuple[str, str]:
    """Return the front matter of ADR-0004 before and after a change of its status."""
    return (
        f"status: {old_status}\ndate: 2026-03-02\n",
        f"status: {status}\ndate: {day}\n"
        f"history:\n  - {{status: {old_status}, date: 2026-03-02}}\n",
    )


@pytest.mark.parametrize(
    ("old_status", "new_status", "is_allowed"),
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
def test_a_status_changes_in_the_allowed_order(
    old_status: str, new_status: str, is_allowed: bool, branch: Path
) -> None:
    run_git(branch, "checkout", "--quiet", "main")
    edit(branch, "adr/0004-meanwhile.md", "status: accepted", f"status: {old_status}")
    commit_all(branch, "docs: a status")
    edit(branch, "adr/0004-meanwhile.md", f"status: {old_status}", f"status: {new_status}")
    assert check(branch) == [
        "adr/0004-meanwhile.md:3:7:DEC017" if is_allowed else "adr/0004-meanwhile.md:2:9:DEC015"
    ]
    edit(branch, "adr/0004-meanwhile.md", *move(new_status, old_status)[:1], "")
    edit(branch, "adr/0004-meanwhile.md", "---\n", f"---\n{move(old_status, new_status)[1]}")
    assert check(branch) == ([] if is_allowed else ["adr/0004-meanwhile.md:5:5:DEC008"])


HISTORY = "history:\n  - {status: proposed, date: 2026-03-02}\n"


@pytest.mark.parametrize(
    ("front_matter", "message"),
    [
        (
            "status: accepted\ndate: 2026-03-02\n",
            "3:7 status changed from 'proposed' to 'accepted', but not its date; set 'date' to the "
            "day of the change, and add 'history: [{status: proposed, date: 2026-03-02}]'",
        ),
        (
            "status: accepted\ndate: 2026-03-04\nhistory: []\n",
            "4:10 earlier status 'proposed' (in the base) missing from 'history'; "
            "add '{status: proposed, date: 2026-03-02}' to 'history'",
        ),
        (
            "status: deprecated\ndate: 2026-03-04\n"
            "history:\n  - {status: accepted, date: 2026-03-03}\n",
            "5:3 earlier status 'proposed' (in the base) missing from 'history'; "
            "add '- {status: proposed, date: 2026-03-02}' to 'history'",
        ),
        (
            "status: accepted\ndate: 2026-03-04\n"
            "history:\n  - {status: proposed, date: 2026-03-01}\n",
            "5:3 date of the earlier status 'proposed' changed to 2026-03-01 in 'history'; "
            "write '{status: proposed, date: 2026-03-02}', as in the base",
        ),
        (
            "status: accepted\ndate: 2026-03-01\nhistory: [{status: proposed, date: 2026-03-01}]\n",
            "3:7 'accepted' on 2026-03-01, before 'proposed' on 2026-03-02 (in the base); "
            "set 'date' to the day on which the status became 'accepted'",
        ),
        (f"status: accepted\ndate: 2026-03-02\n{HISTORY}", None),
        (f"status: accepted\ndate: 2026-03-04\n{HISTORY}", None),
        (f"status: deprecated\ndate: 2026-03-04\n{HISTORY}", None),
        ("status: proposed\ndate: 2026-03-01\n", None),
        ("status: proposed\ndate: 2026-03-09\n", None),
    ],
)
def test_a_new_status_has_a_new_date_and_the_earlier_status_in_its_history(
    front_matter: str, message: str | None, branch: Path
) -> None:
    path = "adr/0004-meanwhile.md"
    run_git(branch, "checkout", "--quiet", "main")
    edit(branch, path, "status: accepted", "status: proposed")
    commit_all(branch, "docs: it is only proposed")
    edit(branch, path, "status: proposed\ndate: 2026-03-02\n", front_matter)
    findings = run(load(branch), TODAY, base=read_base(branch, "main")).findings
    messages = [
        f"{finding.at.line}:{finding.at.column} {finding.message}; {finding.hint}"
        for finding in findings
    ]
    assert messages[:1] == ([message] if message else [])
    assert {finding.code for finding in findings} <= {"DEC017"}


def test_the_history_keeps_each_earlier_status(branch: Path) -> None:
    path, line = "adr/0003-keep-orders-in-mysql.md", "  - {status: proposed, date: 2026-03-03}\n"
    edit(branch, path, f"history:\n{line}", "")
    assert check_messages(branch) == [
        "DEC017 earlier status 'proposed' (in the base) missing from 'history'; "
        "add 'history: [{status: proposed, date: 2026-03-03}]'"
    ]
    edit(branch, path, "amends:", "history: [{status: proposed, date: 2026-03-02}]\namends:")
    assert check(branch) == []


def test_a_moved_decision_keeps_its_history(branch: Path) -> None:
    run_git(branch, "checkout", "--quiet", "main")
    run_git(branch, "checkout", "--quiet", "-b", "next")
    run_git(branch, "mv", "adr/0004-meanwhile.md", "adr/0009-meanwhile.md")
    edit(
        branch,
        "adr/0009-meanwhile.md",
        "status: accepted",
        "moved_from: [/adr/0004-meanwhile/]\nstatus: deprecated",
    )
    assert check(branch) == ["adr/0009-meanwhile.md:4:7:DEC017"]
    old, new = move("accepted", "deprecated")
    edit(branch, "adr/0009-meanwhile.md", old.replace("accepted", "deprecated"), new)
    assert check(branch) == []


def test_a_status_that_a_revert_restores_is_no_change(branch: Path) -> None:
    run_git(branch, "checkout", "--quiet", "main")
    run_git(branch, "checkout", "--quiet", "-b", "next")
    edit(branch, "adr/0004-meanwhile.md", *move("accepted", "deprecated"))
    commit_all(branch, "docs: deprecate it")
    run_git(branch, "revert", "--no-edit", "HEAD")
    assert check(branch) == []


def test_each_finding_suggests_another_free_number(branch: Path) -> None:
    write(branch, {"adr/0004-x.md": ADR})
    run_git(branch, "checkout", "--quiet", "main")
    write(branch, {"adr/0006-later.md": ADR, "adr/0008-later-still.md": ADR})
    run_git(branch, "add", "adr/0006-later.md", "adr/0008-later-still.md")
    run_git(branch, "commit", "--quiet", "--message", "docs: more")
    run_git(branch, "checkout", "--quiet", "branch")
    write(branch, {"adr/0006-y.md": ADR})
    assert check_messages(branch) == [
        "DEC014 duplicate number ADR-0004 (already used by adr/0004-meanwhile.md in main); "
        "begin the file name with the next free number, 0009",
        "DEC014 duplicate number ADR-0006 (already used by adr/0006-later.md in main); "
        "begin the file name with the next free number, 0010",
    ]


AUDIT = "docs/services/search/2026-Q3.yml"


def test_an_audit_of_an_open_quarter_can_change_and_a_late_audit_can_be_added(branch: Path) -> None:
    edit(branch, "docs/services/shop/2026-Q4.yml", "reason: no container", "reason: none runs")
    edit(branch, AUDIT, "date:", "# what was found out\ndate:")
    late_audit = (branch / AUDIT).read_text(encoding="utf-8").replace("2026-09-01", "2026-03-01")
    write(branch, {"docs/services/search/2026-Q1.yml": late_audit})
    assert check(branch) == []


def test_an_audit_of_a_closed_quarter_cannot_be_removed(branch: Path) -> None:
    (branch / AUDIT).rename(branch / AUDIT.replace("Q3", "Q4"))
    assert [finding for finding in check(branch) if "SVC011" in finding] == [f"{AUDIT}:1:1:SVC011"]


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
    assert [
        finding for finding in check(branch) if "SVC011" in finding or "LNK011" in finding
    ] == []
    edit(branch, AUDIT.replace("search", "find"), "2026-09-01", "2026-09-02")
    assert [finding for finding in check(branch) if "SVC011" in finding] == [
        "docs/services/find/2026-Q3.yml:1:7:SVC011"
    ]


@pytest.mark.parametrize(("day", "codes"), [("2026-12-31", []), ("2027-01-01", ["SVC011"])])
def test_the_date_of_the_base_decides_whether_a_quarter_is_closed(
    day: str, codes: list[str], tmp_path: Path
) -> None:
    root = create_repository(copy_site(SMALL, tmp_path / "handbook"), day)
    edit(root, "docs/services/shop/2026-Q4.yml", "OBS-03: {verdict: fail", "OBS-03: {verdict: pass")
    assert check_codes(root) == codes
    if codes:
        assert check(root) == ["docs/services/shop/2026-Q4.yml:6:3:SVC011"]


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        ('"logging.py:12"', '"logging.py:11"', []),
        ('evidence: "logging.py:12"}', 'evidence: "logging.py:12", of: "70c64e"}', []),
        ("{verdict: fail, by: evidence", "{verdict: unknown, needs: a look, by: evidence", []),
        ("reason: no container", "reason: no label", ["SVC011"]),
    ],
)
def test_proofs_can_change_until_the_service_has_a_newer_audit(
    old: str, new: str, codes: list[str], tmp_path: Path
) -> None:
    audit = "docs/services/shop/2026-Q4.yml"
    root = create_repository(copy_site(SMALL, tmp_path / "handbook"), "2027-01-10")
    edit(root, audit, old, new)
    assert check_codes(root) == codes


def test_the_proofs_of_a_closed_audit_cannot_change(tmp_path: Path) -> None:
    audit = "docs/services/shop/2026-Q4.yml"
    root = copy_site(SMALL, tmp_path / "handbook")
    newer = (root / audit).read_text(encoding="utf-8").replace("2026-11-20", "2027-01-05")
    newer = newer.replace("results:\n", "results:\n  OBS-02: {verdict: unknown, needs: a look}\n")
    write(root, {audit.replace("2026-Q4", "2027-Q1"): newer})
    create_repository(root, "2027-01-10")
    edit(root, audit, "logging.py:12", "logging.py:11")
    assert f"{audit}:5:3:SVC011" in check(root)


def test_only_committed_review_dates_that_still_exist_count(branch: Path) -> None:
    commit_all(branch, "docs: read again")
    assert check_codes(branch) == ["FM018"]
    for path, day in REVIEW_DAYS.items():
        edit(branch, path, "reviewed: 2026-11-20", f"reviewed: 2026-11-{day}")
    commit_all(branch, "docs: set back")
    assert check(branch) == []
    edit(branch, next(iter(REVIEW_DAYS)), "reviewed: 2026-11-01", "reviewed: 2026-11-21")
    assert check(branch) == []


@pytest.mark.parametrize(
    ("message", "has_reviewer"),
    [
        ("docs: x\n\nReviewed-by: order-team", True),
        ("docs: x\n\nreviewed-by: order-team\nSigned-off-by: order-team", True),
        ("docs: x\n\nReviewed-by:", False),
        ("docs: x\n\nReviewed-by: order-team\n\nThat is in the middle.", False),
        ("Reviewed-by: order-team", False),
    ],
)
def test_the_reviewer_is_a_trailer(message: str, has_reviewer: bool, branch: Path) -> None:
    commit = commit_all(branch, message)
    message = (
        f"FM018 no 'Reviewed-by' line in commit {commit[:12]}, which sets the review date of "
        "STD-08, search/slow, shop/orders-down; "
        "end the message of that commit with the line 'Reviewed-by: a-team'"
    )
    assert check_messages(branch) == ([] if has_reviewer else [message])


def test_the_finding_is_at_the_review_date(branch: Path) -> None:
    commit_all(branch, "docs: read again")
    assert check(branch) == ["docs/standards/08-observability.md:7:11:FM018"]


def test_a_new_review_date_of_a_renamed_record_counts(branch: Path) -> None:
    for path, day in REVIEW_DAYS.items():
        edit(branch, path, "reviewed: 2026-11-20", f"reviewed: 2026-11-{day}")
    (branch / "runbooks/shop/orders-flat.md").rename(branch / "runbooks/shop/flat.md")
    edit(
        branch,
        "runbooks/shop/flat.md",
        "alerts:",
        "moved_from: [/runbooks/shop/orders-flat/]\nalerts:",
    )
    edit(branch, "runbooks/shop/flat.md", "reviewed: 2026-11-05", "reviewed: 2026-11-20")
    commit_all(branch, "docs: read again")
    assert [finding for finding in check(branch) if "FM018" in finding] == [
        "runbooks/shop/flat.md:6:11:FM018"
    ]


def test_a_merge_counts_only_review_dates_that_no_parent_has(branch: Path) -> None:
    commit_all(branch, MESSAGE)
    run_git(branch, "checkout", "--quiet", "-b", "side", "HEAD~1")
    edit(branch, "docs/standards/05-testing.md", "reviewed: 2026-11-04", "reviewed: 2026-11-19")
    edit(
        branch,
        "docs/standards/08-observability.md",
        "With a decision.",
        "With a decision that says why.",
    )
    commit_all(branch, MESSAGE)
    run_git(branch, "checkout", "--quiet", "branch")
    run_git(branch, "merge", "--quiet", "--no-edit", "side")
    assert check(branch) == []
    run_git(branch, "merge", "--quiet", "--no-commit", "main")
    edit(branch, "docs/standards/05-testing.md", "reviewed: 2026-11-19", "reviewed: 2026-11-20")
    run_git(branch, "commit", "--quiet", "--all", "--message", "merge")
    assert check_codes(branch) == ["FM018"]


def test_a_moved_page_needs_a_redirect(branch: Path) -> None:
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
    assert check_messages(branch) == [
        "LNK011 published address /markdown/ without a page or a redirect; "
        "add 'moved_from: [/markdown/]' to the front matter of the page that replaces it; "
        "if it was removed on purpose, add this entry to the list 'handbook.removed' in "
        'mkdocs.yml: {path: "docs/markdown.md", reason: TODO}'
    ]
    write(branch, {"docs/text.md": f"---\nmoved_from: [/markdown/]\n---\n{text}"})
    assert check(branch) == []


def test_a_redirect_cannot_be_removed(branch: Path) -> None:
    run_git(branch, "checkout", "--quiet", "main")
    edit(
        branch,
        DECISION,
        "status: accepted",
        "status: accepted\nmoved_from: [/old/place/, /older/place/]",
    )
    commit_all(branch, "docs: it was elsewhere")
    edit(
        branch, DECISION, "moved_from: [/old/place/, /older/place/]", "moved_from: [/older/place/]"
    )
    assert check(branch) == [f"{DECISION}:3:13:LNK011"]
    assert check_messages(branch) == [
        f"LNK011 lost redirect from /old/place/ to {DECISION}; "
        "add 'moved_from: [/old/place/]' to the front matter of this page"
    ]
    edit(
        branch,
        "adr/0004-meanwhile.md",
        "status: accepted",
        "status: accepted\nmoved_from: [/old/place/]",
    )
    assert check(branch) == []


def test_a_page_can_take_the_address_of_a_removed_alert(branch: Path) -> None:
    path = "runbooks/search/search.rules.yml"
    edit(branch, path, "SearchSlow", "SearchTakesLong")
    edit(branch, "runbooks/search/slow.md", "SearchSlow", "SearchTakesLong")
    assert [finding for finding in check(branch) if "LNK011" in finding] == [f"{path}:4:16:LNK011"]
    edit(branch, "runbooks/search/slow.md", "alerts:", "moved_from: [/alerts/SearchSlow/]\nalerts:")
    assert [finding for finding in check(branch) if "LNK011" in finding] == []


def test_a_removed_alert_can_be_suppressed_in_its_rule_file(branch: Path) -> None:
    path = "runbooks/search/search.rules.yml"
    edit(branch, path, "SearchSlow", "SearchTakesLong")
    edit(branch, "runbooks/search/slow.md", "SearchSlow", "SearchTakesLong")
    alert = "      - alert: SearchTakesLong"
    edit(branch, path, alert, f"      # handbook: allow LNK011: never used\n{alert}")
    assert [finding for finding in check(branch) if "LNK011" in finding] == []


REMOVABLE = {
    "docs/markdown.md": {"LNK011"},
    "adr/0003-keep-orders-in-mysql.md": {"LNK011"},
    "docs/standards/08-observability.md": {"LNK011"},
    "postmortems/2026-05-04-orders-stopped.md": {"LNK011"},
    "docs/services/search": {"SVC011"},
    "docs/services/search/2026-Q3.yml": {"SVC011"},
    "runbooks/search": {"LNK011"},
    "runbooks/search/search.rules.yml": {"LNK011"},
}


def allow_removals(root: Path, *paths: str) -> None:
    entries = ", ".join(f"{{path: {path}, reason: no team needs it}}" for path in paths)
    edit(root, "mkdocs.yml", "    tags:", f"    removed: [{entries}]\n    tags:")


def check_removals(root: Path, base: str = "main") -> set[str]:
    """Return the codes of the findings against a base that a check without it does not have."""
    without_base = format_findings(run(load(root), TODAY).findings)
    return {
        finding.rpartition(":")[2] for finding in check(root, base) if finding not in without_base
    }


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


@pytest.mark.parametrize("path", REMOVABLE)
def test_a_removal_can_be_allowed_with_a_reason(path: str, branch: Path) -> None:
    remove(branch / path)
    assert check_removals(branch) == REMOVABLE[path]
    allow_removals(branch, path)
    assert check_removals(branch) == {"FM019"}
    assert [message.partition(" ")[2] for message in exceptions(branch)] == [
        f"new allowed removal of {path}: no team needs it"
    ]
    report = run(load(branch), TODAY, base=read_base(branch, "main"))
    assert report.removal_count == 1
    assert ", 1 allowed removal; new allowed removal" in REPORTERS["text"](report)


def test_an_allowed_removal_covers_only_its_own_path(branch: Path) -> None:
    for path in ("docs/services/search/2026-Q3.yml", "docs/markdown.md"):
        remove(branch / path)
    allow_removals(branch, "docs/markdown.md", "docs/services/search/2026-Q")
    assert check_removals(branch) == {"FM019", "FM028", "SVC011"}


def test_an_entry_of_a_removal_stays_green_after_the_merge(branch: Path) -> None:
    commit_all(branch, MESSAGE)
    before = run_git(branch, "rev-parse", "HEAD")
    remove(branch / "docs/markdown.md")
    allow_removals(branch, "docs/markdown.md")
    merged = commit_all(branch, "docs: remove a page")
    for base, codes in ((before, {"FM019"}), (merged, set())):
        assert check_removals(branch, base) == codes
    write(branch, {"docs/markdown.md": "# It is back\n"})
    assert "FM027" in check_codes(branch)
    commit_all(branch, "docs: a page again")
    remove(branch / "docs/markdown.md")
    commit_all(branch, "docs: remove it again")
    assert check_removals(branch, f"{merged}~2") == {"FM019"}


def test_an_entry_can_name_a_file_that_the_branch_added_and_removed(branch: Path) -> None:
    write(branch, {"docs/more/draft.md": "# A draft\n"})
    commit_all(branch, MESSAGE)
    remove(branch / "docs/more/draft.md")
    commit_all(branch, "docs: no draft")
    allow_removals(branch, "docs/more/")
    assert check_removals(branch) == {"FM019"}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("docs/markdwn.md", "FM028 removed path 'docs/markdwn.md' is not in the base; "),
        ("adr/0009-a.md", "FM028 removed path 'adr/0009-a.md' is not in the base; "),
        ("docs/index.md", "FM027 removed path 'docs/index.md' still exists; "),
        ("docs/services/", "FM027 removed path 'docs/services' still exists; "),
        ("adr/0002-use-postgresql/load.png", "FM027 removed path 'adr/0002-use-postgresql/load"),
        ("docs/../docs/markdown.md", "FM027 invalid path 'docs/../docs/markdown.md'; "),
        ("/docs/markdown.md", "FM027 invalid path '/docs/markdown.md'; "),
        ("../markdown.md", "FM027 invalid path '../markdown.md'; "),
        (".", "FM027 invalid path '.'; "),
    ],
)
def test_the_path_of_a_removal_is_checked(path: str, message: str, branch: Path) -> None:
    remove(branch / "docs/markdown.md")
    allow_removals(branch, path)
    codes = {"FM027", "FM028", "LNK011"}
    messages = [text for text in check_messages(branch) if text.partition(" ")[0] in codes]
    assert [text[: len(message)] for text in messages if "LNK011" not in text] == [message]
    assert len(messages) == 2


def test_entries_of_removals_need_a_reason_and_are_unique(branch: Path) -> None:
    remove(branch / "docs/markdown.md")
    edit(
        branch,
        "mkdocs.yml",
        "    tags:",
        "    removed:\n"
        "      - {path: docs/markdown.md, reason: no team needs it}\n"
        "      - {path: docs/markdown.md/, reason: no team reads it}\n"
        "      - {path: adr/0099-a.md, reason: TODO}\n"
        "      - {path: adr/0098-b.md}\n"
        "    tags:",
    )
    first = line_of(branch, "mkdocs.yml", "removed:") + 1
    assert [
        finding
        for finding in format_findings(run(load(branch), TODAY).findings)
        if "yml" in finding
    ][-3:] == [
        f"mkdocs.yml:{first + 1}:16:FM027",
        f"mkdocs.yml:{first + 2}:39:FM106",
        f"mkdocs.yml:{first + 3}:9:FM007",
    ]


@pytest.mark.parametrize(
    ("path", "address", "code", "subject"),
    [
        (DECISION, "/adr/0002-use-postgresql/", "DEC013", "decision ADR-0002, whose status is "),
        (
            "postmortems/2026-05-04-orders-stopped.md",
            "/postmortems/2026-05-04-orders-stopped/",
            "PMT010",
            "published post-mortem 2026-05-04-orders-stopped",
        ),
        (
            "docs/standards/08-observability.md",
            "/standards/08-observability/",
            "STD008",
            "standard STD-08 with its requirements",
        ),
    ],
)
def test_a_page_does_not_replace_a_permanent_record(
    path: str, address: str, code: str, subject: str, branch: Path
) -> None:
    remove(branch / path)
    text = (branch / "docs/markdown.md").read_text(encoding="utf-8")
    write(branch, {"docs/markdown.md": f"---\nmoved_from: [{address}]\n---\n{text}"})
    assert code in check_removals(branch)
    (message,) = [text for text in check_messages(branch) if text.startswith(code)]
    assert message.startswith(f"{code} removed {subject}")
    assert "(its address leads to docs/markdown.md); restore the file; if it" in message
    entry = message.partition("'handbook.removed' in mkdocs.yml: ")[2]
    entry = entry.replace("TODO", "no team needs it")
    edit(branch, "mkdocs.yml", "    tags:", f"    removed: [{entry}]\n    tags:")
    assert code not in check_removals(branch)


def test_a_page_at_the_address_of_a_decision_does_not_replace_it(branch: Path) -> None:
    write(branch, {"docs/adr/0002-use-postgresql.md": (branch / DECISION).read_bytes()})
    remove(branch / DECISION)
    assert "DEC013" in check_removals(branch)


PAGE = "runbooks/shop/orders-flat.md"


def test_a_heading_with_a_new_text_keeps_its_id(branch: Path) -> None:
    edit(branch, PAGE, "### No buyers", "### No customers")
    assert check(branch) == [f"{PAGE}:19:1:LNK012"]
    assert check_messages(branch) == [
        "LNK012 lost id 'no-buyers' of the published heading 'No buyers'; "
        "write '### No customers {#no-buyers}'"
    ]
    edit(branch, PAGE, "### No customers", "### No customers {#no-buyers}")
    assert check(branch) == []


def test_a_lost_heading_can_be_suppressed_with_a_reason(branch: Path) -> None:
    path = "runbooks/shop/slow-search.md"
    edit(branch, path, "### No buyers\n\n**Symptom:** No orders.\n\n**Fix:** Wait.\n\n", "")
    assert check(branch) == [f"{path}:17:1:LNK012"]
    allowed = "<!-- handbook: allow LNK012: it was never a cause -->\n\n## Common causes and fixes"
    edit(branch, path, "## Common causes and fixes", allowed)
    assert check(branch) == [f"{path}:17:1:FM019"]
    assert run(load(branch), TODAY).findings == ()


def test_titles_can_change_and_headings_can_move(branch: Path) -> None:
    edit(branch, PAGE, "# Shop: orders do not change", "# Shop: no order changes")
    edit(branch, "docs/markdown.md", "### Load\n", "### Loaded\n\nMore.\n\n### Load\n")
    assert check(branch) == []


STANDARD = "docs/standards/08-observability.md"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
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
def test_requirements_and_items_keep_their_ids(
    old: str, new: str, expected: list[str], branch: Path
) -> None:
    edit(branch, STANDARD, old, new)
    if "OBS-06" in new:
        edit(branch, STANDARD, "### OBS-02", "### OBS-06")
    assert check(branch) == [f"{STANDARD}:{finding}" for finding in expected]


def test_the_id_of_a_withdrawn_requirement_cannot_be_reused(branch: Path) -> None:
    run_git(branch, "checkout", "--quiet", "main")
    edit(branch, STANDARD, "Traces SHOULD be kept.", "Withdrawn: too dear.")
    commit_all(branch, "docs: no traces")
    edit(branch, STANDARD, "Withdrawn: too dear.", "Traces SHOULD be cheap.")
    assert check_codes(branch) == ["STD008"]


def test_later_changes_of_main_are_no_findings_of_the_branch(branch: Path) -> None:
    commit_all(branch, MESSAGE)
    run_git(branch, "checkout", "--quiet", "main")
    edit(
        branch,
        PAGE,
        "### No buyers",
        "### No customers {#no-buyers}\n\n**Symptom:** a\n\n**Fix:** b\n\n### New",
    )
    edit(
        branch,
        "adr/0003-keep-orders-in-mysql.md",
        "Two databases to keep.",
        "Two databases to keep!",
    )
    commit_all(branch, "docs: without asking")
    run_git(branch, "checkout", "--quiet", "branch")
    assert check(branch) == []


def test_a_new_handbook_has_nothing_to_compare(tmp_path: Path) -> None:
    root = create_repository(write(tmp_path / "empty", {"README.md": "Nothing yet.\n"}))
    run_git(root, "checkout", "--quiet", "-b", "branch")
    copy_site(SMALL, tmp_path / "handbook")
    for path in (tmp_path / "handbook").iterdir():
        path.rename(root / path.name)
    commit_all(root, "docs: a handbook")
    assert check(root) == []


def test_a_handbook_in_a_subfolder_is_compared_with_the_same_subfolder(tmp_path: Path) -> None:
    repository = write(tmp_path / "all", {"adr/0001-not-ours.md": ADR})
    root = copy_site(SMALL, repository / "some where/handbook")
    create_repository(repository)
    assert check(root) == []
    edit(root, STANDARD, "reviewed: 2026-11-01", "reviewed: 2026-11-20")
    commit_all(repository, "docs: read again")
    edit(root, DECISION, "PostgreSQL 16.", "PostgreSQL 17.")
    assert check(root, "HEAD~1") == [f"{DECISION}:19:1:DEC013", f"{STANDARD}:7:11:FM018"]


def test_symbolic_links_and_odd_names_in_a_base_are_harmless(branch: Path, tmp_path: Path) -> None:
    run_git(branch, "checkout", "--quiet", "main")
    outside = tmp_path / "outside"
    outside.mkdir()
    (branch / "adr/0009-link.md").symlink_to(outside / "0009-link.md")
    (branch / "runbooks/out").symlink_to(outside)
    write(branch, {"docs/ü –\n'\".md": "# Odd\n", "docs/latin-\udce9.md": "# Odder\n"})
    commit_all(branch, "docs: odd names")
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
    """Return the new exceptions of a report against `main`."""
    report = run(load(root), TODAY, base=read_base(root, "main"))
    return [
        f"{finding.at.path}:{finding.at.line} {finding.message}"
        for finding in report.new_exceptions.findings
    ]


def test_the_summary_lists_every_new_exception(branch: Path) -> None:
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
    messages = [
        f"{DECISION}:4 new suppression of FM010: both offices share a name",
        f"mkdocs.yml:{line_of(branch, 'mkdocs.yml', 'FM104')} severity of FM104 lowered to "
        "'warning'",
        f"mkdocs.yml:{line_of(branch, 'mkdocs.yml', 'sha256')} new secret sample for {DECISION}: "
        "a test",
    ]
    assert exceptions(branch) == messages
    report = run(load(branch), TODAY, base=read_base(branch, "main"))
    assert (report.errors, report.warnings) == (0, 3)
    summary = REPORTERS["text"](report).splitlines()[-1]
    assert (
        "0 errors, 3 warnings, 1 suppressed, 1 secret sample, 1 lowered severity; severity of "
        in summary
    )
    assert all(message.partition(" ")[2] in summary for message in messages)


def line_of(root: Path, path: str, text: str) -> int:
    lines = (root / path).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_an_exception_of_the_base_is_not_new(branch: Path) -> None:
    run_git(branch, "checkout", "--quiet", "main")
    edit(branch, DECISION, PLAIN, ALLOWED)
    edit(branch, "mkdocs.yml", "rules: {SAFE002: error}", LOWERED)
    commit_all(branch, "docs: exceptions")
    run_git(branch, "checkout", "--quiet", "-b", "next")
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
    edit(branch, DECISION, PLAIN, "# handbook: allow FM019: no need to know\n" + ALLOWED)
    codes = set(check_codes(branch))
    assert codes == {"FM019", "SAFE008"}


def allowed_on_main(branch: Path, path: str, old: str, new: str) -> None:
    """Commit an exception on `main`, and create a branch from it."""
    run_git(branch, "checkout", "--quiet", "main")
    edit(branch, path, old, new)
    commit_all(branch, "docs: an exception")
    run_git(branch, "checkout", "--quiet", "-b", "next")


ANOTHER_DECISION = "adr/0001-keep-orders-in-sqlite.md"
NEW_SUPPRESSION = f"{ANOTHER_DECISION}:4 new suppression of FM010: both offices share a name"


def test_an_exception_that_moves_to_another_file_is_new(branch: Path) -> None:
    allowed_on_main(branch, DECISION, PLAIN, ALLOWED)
    edit(branch, DECISION, ALLOWED, PLAIN)
    edit(branch, ANOTHER_DECISION, "deciders: [order-team]", ALLOWED.replace("platform", "order"))
    assert exceptions(branch) == [NEW_SUPPRESSION]
    commit_all(branch, "docs: the exception elsewhere")
    assert exceptions(branch) == [NEW_SUPPRESSION]


@pytest.mark.parametrize("path", ["adr/0002-use-postgres.md", "adr/0009-use-postgresql.md"])
def test_an_exception_that_moves_with_its_record_is_not_new(path: str, branch: Path) -> None:
    allowed_on_main(branch, DECISION, PLAIN, ALLOWED)
    run_git(branch, "mv", DECISION, path)
    commit_all(branch, "docs: another name")
    assert exceptions(branch) == []
    edit(branch, path, ALLOWED, PLAIN)
    edit(branch, ANOTHER_DECISION, "deciders: [order-team]", ALLOWED.replace("platform", "order"))
    assert exceptions(branch) == [NEW_SUPPRESSION]


def test_an_exception_that_moves_with_a_redirected_page_is_not_new(branch: Path) -> None:
    allowed = "<!-- handbook: allow MD012: the importer writes it so -->\n\n"
    allowed_on_main(branch, "docs/markdown.md", "### Load\n", f"{allowed}### Load\n")
    (branch / "docs/markdown.md").unlink()
    moved_page = f"---\nmoved_from: [/markdown/]\n---\n# Markup\n\n{allowed}Text.\n"
    write(branch, {"docs/markup.md": moved_page})
    assert exceptions(branch) == []
    write(branch, {"docs/markup.md": moved_page.replace("/markdown/", "/marked/")})
    assert exceptions(branch) == [
        "docs/markup.md:6 new suppression of MD012: the importer writes it so"
    ]


def test_an_exception_that_moves_with_a_rule_file_is_not_new(branch: Path) -> None:
    rules, moved = "runbooks/search/search.rules.yml", "runbooks/search/find.rules.yml"
    allowed_on_main(branch, rules, "groups:", "# handbook: allow RBK012: a test\ngroups:")
    run_git(branch, "mv", rules, moved)
    commit_all(branch, "docs: another name")
    assert exceptions(branch) == []


def test_a_sample_that_moves_to_another_file_is_new(branch: Path) -> None:
    allowed_on_main(branch, "mkdocs.yml", "rules: {SAFE002: error}", SAMPLED)
    edit(branch, "mkdocs.yml", f"path: {DECISION}", f"path: {ANOTHER_DECISION}")
    line = line_of(branch, "mkdocs.yml", "sha256")
    assert exceptions(branch) == [
        f"mkdocs.yml:{line} new secret sample for {ANOTHER_DECISION}: a test"
    ]


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
def test_a_removed_private_pattern_is_an_exception(
    private: str, removed: list[str], branch: Path
) -> None:
    edit(branch, "mkdocs.yml", PRIVATE, private)
    line = line_of(branch, "mkdocs.yml", "private:" if "private" in private else "  handbook:")
    expected = [
        f"mkdocs.yml:{line} pattern '{pattern}' removed from 'handbook.private'"
        for pattern in removed
    ]
    assert exceptions(branch) == sorted(expected)
