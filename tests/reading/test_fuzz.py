"""Fuzz the readers and the rules with corrupted real files.

Lines, parser syntax and bytes are changed, so that the files keep much of their structure. In CI
the examples are always the same. `make fuzz` draws many more random examples, and prints its seed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handbook.diagnostics import Report
from handbook.handbook import Handbook
from handbook.loading import load
from handbook.reading import files
from handbook.reading.blocks import Code
from handbook.reading.go_templates import find_template_fault
from handbook.reading.shell import LANGUAGES, find_shell_errors
from handbook.reading.source import read_source
from handbook.records import Record, read_document, read_entity
from handbook.records.alert import make_alerts
from handbook.records.audit import Audit
from handbook.records.kinds import RECORDS
from handbook.records.rule_file import read_rule_file
from handbook.records.service import Service
from handbook.records.standard import Standard
from handbook.reporters import REPORTERS
from handbook.rules.engine import rules, run, run_on_site
from handbook.settings import FILE, read_settings
from handbook.site.built import read_site
from handbook.site.html_faults import find_fault
from tests.handbooks import CORPORA, ROOT, SMALL, TODAY, render_article

pytestmark = pytest.mark.fuzz

EXAMPLES = os.environ.get("FUZZ_EXAMPLES")
fuzzed = settings(
    max_examples=int(EXAMPLES or 2000),
    derandomize=EXAMPLES is None,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)

HANDBOOK = load(SMALL)
SECONDS = 20
AUDITED = {
    path: document
    for path, document in HANDBOOK.documents.items()
    if isinstance(document, Service | Standard)
}

MARKDOWN = (
    "# x",
    "## Context",
    "### x {#y}",
    "####### x",
    "#x",
    "- ",
    "- x",
    "    - x",
    "* x",
    "1. x",
    "1) x",
    "> x",
    "> > x",
    ">",
    "> [!NOTE]",
    "```",
    "```sh",
    "```sh title=x",
    "~~~",
    "    x",
    "\t- x",
    "---",
    "===",
    "***",
    "| a | b |",
    "|---|:-:|",
    "| `a|b` |",
    "<!--",
    "-->",
    "<!-->",
    "<div>",
    "</div>",
    "<script>x</script>",
    "<br>",
    "x <b onclick=x>",
    "\\<b>",
    "<a@b.c>",
    "<https://x.example>",
    "[x](y)",
    "[x](javascript:y)",
    "[x](y 'z')",
    "[x](<y z>)",
    "![x](y)",
    "[x][y]",
    "[x]",
    "[x]: y",
    "[^x]",
    "[x](y(z)",
    "**x**",
    "*x_y*_",
    "`x``",
    "\\",
    "&#58;",
    "&amp",
    "  ",
    "x  ",
    "ADR-0001",
    "STD-05.3",
    "{{ policy.a.b }}",
    '--8<-- "x"',
    "--8<--",
    ';--8<-- "x"',
    "<!-- handbook: allow FM001: x -->",
    "- **STD-05.3** MUST x",
    "- 10:14 — x",
    "| A1 | x | order-team | 2026-01-01 | open |",
    "@fuzzed
@given(st.lists(st.sampled_from(ACTIONS) | st.text(max_size=3), max_size=40).map("".join))
def test_a_template_of_an_alert(text: str) -> None:
    for template in (text, f"{{{{ {text} }}}}"):
        fault = find_template_fault(template)
        assert fault is None or fault.message
    "=======",
    ">>>>>>> x",
    "TODO",
    "TBD means x y",
    "FIXME: x",
    "[Describe x y]",
    "N/A",
    "![](x.svg)",
    "[](x.md)",
    "# ADR-0012: x",
    "SEC-4711",
    "**Symptom:** x",
    "- Tier 1 (15 min): x",
    "\ufeff",
    "\u200f",
    "\u3000x",
    "é" * 80,
)
YAML = (
    "---",
    "...",
    "x: y",
    "x:",
    ": x",
    "? x",
    "- x",
    "-",
    "- - x",
    "x: [",
    "x: {a: b",
    "x: {a: b}",
    "x: [[a]]",
    "x: &a b",
    "x: *a",
    "x: !!x y",
    "x: !x",
    "<<: *a",
    "x: |",
    "x: >-",
    "  x",
    "\tx: y",
    "x: 'y",
    'x: "\\x',
    "x: ''",
    "x: ~",
    "x: 2026-02-30",
    "x: 0023",
    "x: no",
    "x: 1e999",
    "# handbook: allow FM001: x",
    "# x",
    "%YAML 1.1",
    "@x",
    "`x`",
    "x: y: z",
    "x: '\u2003'",
    "status: [x]",
    "date: {}",
    "tags: x",
    "{",
    "}",
    "]",
    "    - alert: x",
    "    expr: up{",
    "results: {TEST-01: {verdict: waived}}",
    "date: 2026-02-03",
    "  TEST-1: {verdict: pass, by: automated, evidence: 'x.py:0'}",
    "  OBS-01: {verdict: pass, by: evidence, evidence: 'javascript:x'}",
    "  OBS-01: {verdict: pass, by: evidence, evidence: 'https://small.example/x/'}",
    "  OBS-01: {verdict: pass, by: automated, evidence: logging.py:99}",
    "  OBS-04: {verdict: waived, adr: ADR-0002, until: 2026-01-01}",
    "  SEC-01: {verdict: unknown, needs: N/A}",
    "evidence: '...'",
    "<<<<<<< HEAD",
    "

def test_settings(tmp_path: Path) -> None:
    @fuzzed
    @given(corrupted(read_seeds("mkdocs.yml", "tests/sites/broken/mkdocs.yml"), YAML + SETTINGS))
    def holds(data: bytes) -> None:
        (tmp_path / FILE).write_bytes(data)
        check_properties(
            FILE, data, lambda: replace(HANDBOOK, documents={}, settings=read_settings(tmp_path))
        )

    holds()


SHELL = (
    "if",
    "fi",
    "'",
    '"',
    "$(",
    ")",
    "<<E",
    "E",
    "|",
    "&&",
    "{",
    "}",
    "case x in",
    "esac",
    "for x in y; do",
    "done",
    "`",
    "# shellcheck disable=all",
    "# shellcheck source=/dev/zero",
    ". /etc/passwd",
    "$((",
    "[[ x",
    "\\",
    "é",
    "function x {",
    "\u00a0",
    ";;",
    "<(",
    "!",
    "[ x",
    "${x",
)


def test_shell_code() -> None:
    """Check a hundred scripts at once, because each call starts a program."""
    sources = (
        read_source("x.md", text.encode()) for text in (*TEXTS["runbook"], *TEXTS["standard"])
    )
    blocks = (code for source in sources for code in source.blocks_of(Code))
    scripts = sorted(
        {code.text for code in blocks if code.info.split(" ")[0] in LANGUAGES}, key=len
    )

    @settings(fuzzed, max_examples=fuzzed.max_examples // 100)
    @given(st.lists(corrupted(scripts, SHELL), min_size=100, max_size=100))
    def holds(drawn: list[bytes]) -> None:
        decoded = (files.decode("x", data) for data in drawn)
        texts = tuple(text for text in decoded if isinstance(text, str))
        for error in find_shell_errors(texts):
            lines = texts[error.script].split("\n")
            assert 1 <= error.line <= len(lines)
            assert error.column >= 1

    holds()


HTML = (
    "<a href=x>",
    "<a href>",
    "<a href='",
    '<a href="#x">',
    "</a>",
    "<p id=x>",
    "<p id=x id=y>",
    "<a name=x>",
    "<base href=//x>",
    "<base href=../x/>",
    "<img srcset='x 1x,,y'>",
    "<img src= alt=x>",
    "<!--",
    "-->",
    "<![CDATA[",
    "<script>",
    "</script>",
    "<style>",
    "@import 'x",
    "url(x",
    "/*",
    "<template>",
    "</template>",
    "<textarea>",
    "<svg><use xlink:href=#x />",
    "<plaintext>",
    "<meta http-equiv=refresh content='0;url=x'>",
    "<link href=x>",
    "<meta http-equiv=refresh content=';'>",
    "<loc>x</loc>",
    "<id>x",
    "http://[",
    "http://x:y/",
    "//",
    "%",
    "%zz",
    "https://h.example/../..",
    "\\\\x",
    "%00",
    "%2e%2e/",
    "../" * 9,
    "#:~:text=x",
    "javascript:x",
    "mailto:",
    "<",
    ">",
    '{"url": "https://h.example/x"}',
    '[["x", "y", "z"]]',
    '"',
    "[",
    "{",
    "&amp",
    "&#0;",
    "\u202e",
)


def test_a_site(tmp_path: Path) -> None:
    """Read pages, feeds, sitemaps, JSON and style sheets, each as every other type too."""
    texts = [
        "<!doctype html>\n<html>\n<head>\n<link rel=stylesheet href=a.css>\n</head>\n"
        "<body>\n<h1 id=x>x</h1>\n<a href='index.html#x'>x</a>\n"
        "<img src=x.png srcset='x 1x, y 2x'>\n<a href=../>x</a>\n</body>\n</html>",
        "<feed>\n<link href='https://h.example/'/>\n<entry>\n<id>https://h.example/#x</id>\n</entry>\n</feed>",
        "<urlset>\n<url>\n<loc>https://h.example/</loc>\n</url>\n</urlset>",
        '{"items": [\n{"path": "adr/0001-keep-orders-in-sqlite.md", "name": "x",\n'
        '"url": "https://h.example/x/"}\n]}',
        '[["x", "x/", "Page", "x"],\n["y", "y/#y", "Page", "y"]]',
        "@import 'x';\na { background: url(x.png) }\n/* url(y) */",
    ]
    names = (
        "a/index.html",
        "feed.xml",
        "sitemap.xml",
        "api/v1/x.json",
        "assets/keys/x.json",
        "a.css",
    )
    for name in ("index.html", *names):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("<p id=x>")

    @fuzzed
    @given(st.sampled_from(names), corrupted(texts, HTML))
    def holds(name: str, data: bytes) -> None:
        original = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data)
        begin = time.process_time()
        site = read_site(tmp_path, "https://h.example/")
        assert time.process_time() - begin < SECONDS
        report = run_on_site(site, HANDBOOK, TODAY)
        assert bool(report.findings) == bool(site.link_faults)
        assert all(len(finding.message) < 1000 for finding in report.findings)
        (tmp_path / name).write_bytes(original)

    holds()
