"""Summary of a check for the job summary of a workflow."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options

from handbook.cli.program import main
from handbook.diagnostics import Diagnostic, Location, Report, Severity
from handbook.history.comparison import ChangeKind, RecordChange
from handbook.reporters.job_summary import MAX_BYTES, job_summary
from tests.handbooks import ADR, SETTINGS, SMALL, copy_site, replace_once, write
from tests.repositories import commit_all, create_repository, run_git

LIMIT = 1024 * 1024
"""The size above which GitHub drops the summary of a step, in bytes."""
SITE = "https://small.example"


def make_report(count: int = 0, message: str = "missing title") -> Report:
    """Make a report with findings of one rule, each in a file of its own."""
    finding = Diagnostic(Location("adr/x.md"), "FM101", "missing-title", Severity.ERROR, message)
    return Report(
        {"adr": 1},
        tuple(
            replace(finding, at=Location(f"adr/{number:04}.md", 3, 1)) for number in range(count)
        ),
    )


def make_change(title: str = "A decision", **values: Any) -> RecordChange:
    """Make an added decision."""
    path = "adr/0001-a.md"
    change = RecordChange(ChangeKind.ADDED, "Decision", title, path, f"{SITE}/adr/0001-a/")
    return replace(change, **values)


def render(markdown: str) -> str:
    """Render Markdown as GitHub does, with its HTML elements."""
    html: str = cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
    return html


def read_rows(markdown: str) -> list[list[str]]:
    """Return the text of the cells of each row that a reader sees on GitHub, without titles."""
    html = render(markdown)
    rows = re.findall(r"<tr>\n(<td>.*?)</tr>", html, re.DOTALL)
    return [
        [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td>(.*?)</td>", row)]
        for row in rows
    ]


def summarise(root: Path, *arguments: str) -> tuple[int, str]:
    """Check a handbook, and return the exit code and the summary."""
    file = root.parent / "summary.md"
    command = ["check", "--root", str(root), "--today", "2026-11-23", "--summary", str(file)]
    code = main([*command, *arguments])
    return code, file.read_text(encoding="utf-8")


@pytest.fixture
def branch(tmp_path: Path) -> Path:
    """A branch of the small handbook with a change of each kind."""
    root = create_repository(copy_site(SMALL, tmp_path / "handbook"))
    write(root, {"adr/0004-sell-gift-cards.md": ADR.replace("accepted", "proposed")})
    write(root, {"adr/0005-sell-vouchers.md": ADR.replace("accepted", "proposed")})
    commit_all(root, "docs: proposals")
    run_git(root, "checkout", "--quiet", "-b", "branch")
    write(root, {"adr/0006-record-the-prices.md": ADR})
    write(root, {"adr/0004-sell-gift-cards.md": ADR})
    (root / "adr/0005-sell-vouchers.md").unlink()
    replace_once(root, "reviewed: 2026-11-01", "reviewed: 2026-11-20")
    replace_once(root, "runbooks/shop/orders-flat.md", "runbooks/shop/orders-are-flat.md")
    commit_all(root, "docs: changes")
    return root


def test_the_summary_lists_the_changes_against_the_base(branch: Path) -> None:
    _, markdown = summarise(branch, "--base", "main")
    assert "### Records compared with main" in markdown
    assert "1 moved in status, 1 added, 2 changed, 1 removed." in markdown
    rows = read_rows(markdown.partition("### Findings")[0])
    assert [row[0] for row in rows] == ["moved in status", "added", "changed", "changed", "removed"]
    assert rows[0][3:] == ["proposed → accepted", "adr/0004-sell-gift-cards.md"]
    assert rows[1][3:] == ["accepted", "adr/0006-record-the-prices.md"]
    assert rows[3][4] == "runbooks/shop/orders-flat.md → runbooks/shop/orders-are-flat.md"
    assert rows[4][3:] == ["proposed", "adr/0005-sell-vouchers.md"]
    for address in ("adr/0006-record-the-prices/", "runbooks/shop/orders-are-flat/"):
        assert f"({SITE}/{address})" in markdown


def test_paths_limit_the_changes_and_the_findings(branch: Path) -> None:
    _, markdown = summarise(branch, "--base", "main", str(branch / "runbooks"))
    assert "1 changed." in markdown
    assert "adr" not in "".join(map(str, read_rows(markdown)))


def test_without_a_base_there_are_only_counts_and_findings(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    replace_once(root, "status: superseded", "status: superceded")
    code, markdown = summarise(root)
    assert code == 1
    assert "Records compared" not in markdown
    assert "1 error, 0 warnings" in markdown
    ((severity, place, rule, text),) = read_rows(markdown)
    assert (severity, place) == ("error", "adr/0001-keep-orders-in-sqlite.md:2:9")
    assert rule == "FM005 unknown-value"
    assert text.startswith("unknown value 'superceded' for 'status'did you mean")


def test_a_branch_without_changes_says_so(tmp_path: Path) -> None:
    root = create_repository(copy_site(SMALL, tmp_path / "handbook"))
    code, markdown = summarise(root, "--base", "main")
    assert code == 0
    assert "No record was added, changed or removed." in markdown
    assert "No findings." in markdown


def test_every_record_of_a_new_handbook_is_added(tmp_path: Path) -> None:
    root = create_repository(write(tmp_path / "handbook", {"mkdocs.yml": SETTINGS}))
    write(root, {"adr/0001-a.md": ADR})
    _, markdown = summarise(root, "--base", "main")
    assert "1 added." in markdown


def test_a_fix_changes_the_summary(tmp_path: Path) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    replace_once(root, "status: superseded", "status: superceded")
    code, markdown = summarise(root, "--fix")
    assert (code, "No findings." in markdown) == (0, True)


def test_the_summary_has_the_findings_without_an_annotation() -> None:
    """GitHub shows ten annotations of each severity per step."""
    assert len(read_rows(job_summary(make_report(25)))) == 25


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<!-- a comment",
        "A | B || C",
        "`code` and **bold** and _slanted_ and ~~struck~~",
        "![x](https://elsewhere.example/x.png) [y](z)",
        "https://elsewhere.example www.elsewhere.example ftp://elsewhere.example",
        "@everyone #1 a@b &amp; &lt; \\| \\",
        "$x$ :tada: {% raw %} ]( )",
    ],
)
def test_text_is_shown_as_it_is(text: str) -> None:
    markdown = job_summary(make_report(1, text), [make_change(text)], text)
    html = render(markdown)
    change, finding = read_rows(markdown)
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert (change[2], finding[3]) == (escaped, escaped)
    assert set(re.findall(r"<(\w+)", html)) == {
        *("a", "code", "h2", "h3", "p"),
        *("table", "tbody", "td", "th", "thead", "tr"),
    }
    assert re.findall(r'href="([^"]*)', html) == [f"{SITE}/adr/0001-a/"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("adr/a b/", "adr/a%20b/"),
        ("adr/a)(b/", "adr/a%29%28b/"),
        ("adr/a|b/", "adr/a%7Cb/"),
        ('adr/"<b>/', "adr/%22%3Cb%3E/"),
    ],
)
def test_an_address_stays_an_address(path: str, expected: str) -> None:
    change = make_change(url=f"{SITE}/{path}")
    html = render(job_summary(make_report(), [change]))
    assert re.findall(r'href="([^"]*)', html) == [f"{SITE}/{expected}"]


@pytest.mark.parametrize("message", ["x" * 100, "ü" * 3000, "<" * 500], ids=["x", "ü", "escaped"])
def test_a_summary_stays_below_the_limit_and_counts_the_rest(message: str) -> None:
    changes = [make_change(message)] * 10_000
    markdown = job_summary(make_report(20_000, message), changes, "main")
    assert MAX_BYTES / 2 < len(markdown.encode()) <= MAX_BYTES < LIMIT
    *_, changes_left, findings_left = re.findall(r"And ([\d,]+) more", markdown)
    shown = len(read_rows(markdown))
    left = sum(int(count.replace(",", "")) for count in (changes_left, findings_left))
    assert shown + left == 30_000


def test_errors_come_before_warnings() -> None:
    warning = replace(make_report(1).findings[0], severity=Severity.WARNING)
    findings = (warning, *make_report(2).findings)
    rows = read_rows(job_summary(Report({}, findings)))
    assert [row[0] for row in rows] == ["error", "error", "warning"]


def test_an_unwritable_summary_exits_with_2_and_prints_no_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = copy_site(SMALL, tmp_path / "handbook")
    assert main(["check", "--root", str(root), "--summary", str(tmp_path)]) == 2
    assert capsys.readouterr().out == ""
