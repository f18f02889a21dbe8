"""Test the rules for links, references and unpublished content."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.handbooks import ADR, check, format_findings, make_png

OTHERS: dict[str, str | bytes] = {
    "adr/0002-b.md": ADR,
    "adr/0002-b/chart.png": make_png(),
    "adr/index.md": "---\nrender_macros: true\n---\n# Decisions\n",
    "docs/index.md": "# Home\n\n## A part\n",
    "docs/sub/page.md": "# A page\n",
    "README.md": "# Not published\n",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[x](0002-b.md)", None),
        ("[x](0002-b.md#context)", None),
        ("[x](../docs/index.md#a-part)", None),
        ("[x](../docs/sub/page.md)", None),
        ("[x](index.md)", None),
        ("[x](../adr/)", None),
        ("[x](index.md#accepted)", None),
        ("[x](#consequences)", None),
        ("[x](0002-b/chart.png)", None),
        ("![x](0002-b/chart.png)", None),
        ("<https://example.com/?a=b#c>", None),
        ("[x](mailto:team@example.com)", None),
        ("[x](0003-c.md)", "9:1:LNK001"),
        ("`code` [x](0003-c.md)", "9:8:LNK001"),
        ("[x](0002-B.md)", "9:1:LNK001"),
        ("[x](../README.md)", "9:1:LNK001"),
        ("[x](0002-b.md#contexts)", "9:1:LNK003"),
        ("[x](#contexts)", "9:1:LNK003"),
        ("![x](0002-b/missing.png)", "9:1:LNK002"),
        ("![x](https://example.com/x.png)", "9:1:LNK002"),
        ("[x](/adr/0002-b.md)", "9:1:LNK004"),
        ("[x](../../elsewhere.md)", "9:1:LNK004"),
        ("[x](http://[bad)", "9:1:LNK005"),
        ("[x]()", "9:1:LNK005"),
        ("[x](https:///a.example/b)", "9:1:LNK005"),
        ("[x](https:a.example/b)", "9:1:LNK005"),
        ("[x](http://:80/b)", "9:1:LNK005"),
        ("[x](javascript:alert)", "9:1:SAFE003"),
        ("[x](data:text/html,x)", "9:1:SAFE003"),
        ("[x][y]\n\n[y]: 0003-c.md", "9:1:LNK001"),
        ("ADR-0002 and UTF-8 and OBS-01.", None),
        ("`ADR-0003`", None),
        ("ADR-0003", "9:1:REF002"),
        ("See ADR-3.", "9:5:REF002"),
        ("Press <kbd>q</kbd>.", None),
        ("A <b>word</b>.", "9:3:SAFE001"),
        ('A <br onload="x">.', "9:3:SAFE001"),
        ("<div>x</div>", "9:1:SAFE001"),
        ("<!-- a note -->", None),
        ("[x][y]", "9:1:LNK007"),
        ("Text, [x][] too", "9:7:LNK007"),
        ("As said.[^1]", "9:9:LNK007"),
        ("As said [^1].", "9:9:LNK007"),
        ("`[x][y]`, a[1][2], \\[x][y] and - [ ] [x]", None),
        ("[x][y]\n\n[y]: 0002-b.md", None),
    ],
)
def test_links_and_references_of_a_record(text: str, expected: str | None, tmp_path: Path) -> None:
    record = ADR.replace("Why.", f"{text}\n\nWhy.").replace("## Context\n\n", "## Context\n")
    findings = check(tmp_path, {**OTHERS, "adr/0001-a.md": record})
    assert format_findings(findings)[:1] == ([f"adr/0001-a.md:{expected}"] if expected else [])


def test_the_hint_of_a_broken_link_is_a_similar_path(tmp_path: Path) -> None:
    record = ADR.replace("Why.", "[x](../docs/sub/pages.md)")
    (finding,) = check(tmp_path, {**OTHERS, "adr/0001-a.md": record})
    assert finding.hint == "did you mean '../docs/sub/page.md'?"


@pytest.mark.parametrize(
    "path", ["adr/notes.txt", "adr/0009-x/chart.png", "adr/0002-b/notes.md", "adr/sub/0003-c.md"]
)
def test_a_file_that_belongs_to_no_record_is_a_finding(path: str, tmp_path: Path) -> None:
    assert format_findings(check(tmp_path, {**OTHERS, path: "x"})) == [f"{path}:1:1:SAFE002"]


@pytest.mark.parametrize(
    "path", ["adr/README.md", "adr/.hidden", "docs/notes.txt", "docs/.hidden.md"]
)
def test_hidden_files_and_readmes_are_allowed(path: str, tmp_path: Path) -> None:
    assert check(tmp_path, {**OTHERS, path: "x"}) == ()


def test_a_symbolic_link_is_a_finding_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/passwords.md").symlink_to("/etc/passwd")
    assert format_findings(check(tmp_path, OTHERS)) == ["docs/passwords.md:1:1:SAFE002"]


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        (
            "a.svg",
            b"<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0'/><use href='#a'/></svg>",
            True,
        ),
        ("a.svg", b"<svg><script>alert(1)</script></svg>", False),
        ("a.svg", b"<svg><SCRIPT>alert(1)</SCRIPT></svg>", False),
        ("a.svg", b"<svg onload='alert(1)'></svg>", False),
        ("a.svg", b"<svg><foreignObject/></svg>", False),
        ("a.svg", b"<svg><a href='javascript:alert(1)'/></svg>", False),
        ("a.svg", b"<svg><image href='https://elsewhere.example/x.png'/></svg>", False),
        ("a.svg", "<svg><script/></svg>".encode("utf-16"), False),
        ("a.html", b"<p>", False),
        ("a.exe", b"MZ", False),
        ("a.png", b"x" * 1_000_001, False),
        ("a.pdf", b"%PDF-1.7\n%%EOF\n", True),
    ],
)
def test_an_attachment_is_small_and_inert(
    name: str, data: bytes, expected: bool, tmp_path: Path
) -> None:
    path = f"adr/0002-b/{name}"
    assert format_findings(check(tmp_path, {**OTHERS, path: data})) == (
        [] if expected else [f"{path}:1:1:SAFE004"]
    )


def test_two_pages_cannot_have_the_same_old_address(tmp_path: Path) -> None:
    moved = ADR.replace("status: accepted", "status: accepted\nmoved_from: [/old/, /adr/0003-c/]")
    files = {"adr/0001-a.md": moved, "adr/0002-b.md": moved, "adr/0003-c.md": ADR}
    findings = [finding for finding in check(tmp_path, files) if finding.code == "LNK014"]
    assert [(finding.at.path, finding.message) for finding in findings] == [
        ("adr/0001-a.md", "old address '/adr/0003-c/' is the address of adr/0003-c.md"),
        ("adr/0002-b.md", "duplicate old address '/old/' (also in adr/0001-a.md)"),
        ("adr/0002-b.md", "old address '/adr/0003-c/' is the address of adr/0003-c.md"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("![](0002-b/chart.png)", "14:1:LNK015"),
        ("![ ](0002-b/chart.png)", "14:1:LNK015"),
        ("![&nbsp;\u200b](0002-b/chart.png)", "14:1:LNK015"),
        ("![...](0002-b/chart.png)", "14:1:LNK015"),
        ("![chart.png](0002-b/chart.png)", "14:1:LNK015"),
        ("![Image](0002-b/chart.png)", "14:1:LNK015"),
        ("Look: ![][c]\n\n[c]: 0002-b/chart.png", "14:7:LNK015"),
        ("[![](0002-b/chart.png)](0002-b.md)", "14:2:LNK015"),
        ("![Orders by hour](0002-b/chart.png)", None),
        ("![Image of the pool](0002-b/chart.png)", None),
        ("[![Orders by hour](0002-b/chart.png)](0002-b.md)", None),
        ("[](0002-b.md)", "14:1:LNK016"),
        ("Why [ ](0002-b.md)", "14:5:LNK016"),
        ("[**\u200b**](0002-b.md)", "14:1:LNK016"),
        ("[][d]\n\n[d]: 0002-b.md", "14:1:LNK016"),
        ("[<br>](https://elsewhere.example)", "14:1:LNK016"),
        ("[`chart`](0002-b.md)", None),
        ("[→](0002-b.md)", None),
        ("<https://elsewhere.example>", None),
        ("`![](x.png)` and `[](x.md)`", None),
    ],
)
def test_links_and_images_have_a_text(text: str, expected: str | None, tmp_path: Path) -> None:
    findings = check(tmp_path, {**OTHERS, "adr/0001-a.md": ADR.replace("What.", text)})
    assert format_findings(findings) == ([f"adr/0001-a.md:{expected}"] if expected else [])


def test_the_hint_for_a_link_without_text_can_be_pasted(tmp_path: Path) -> None:
    text = ADR.replace("What.", "[](0002-b.md#context)")
    (finding,) = check(tmp_path, {**OTHERS, "adr/0001-a.md": text})
    assert finding.hint == (
        "write the text between the brackets: [0002-b.md#context](0002-b.md#context)"
    )
