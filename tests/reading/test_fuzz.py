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
from tests.handbooks import CORPORA, FORMS, ROOT, SMALL, TODAY, render_article

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
    "## Status",
    "## Considered Options",
    "## Mitigation",
    "## Action Items",
    "| Action Item | Type | Owner | Bug |",
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
    "<<<<<<< HEAD",
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
    "imported:",
    "imported: {from: docs/x.md, date: 2026-02-03, sha256: x}",
    "decision-makers: a, b",
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
    "||||||| x",
    "groups: [{name: x, rules: [{alert: A, expr: up}]}]",
)
RULE_FILES = (
    "kind: PrometheusRule",
    "kind: List",
    "items: [{kind: PrometheusRule, spec: {groups: []}}]",
    "spec: {groups: [{name: x, rules: []}]}",
    "namespace: x",
    "---",
    "      labels: {<<: *a, severity: page}",
    "      labels: &a {severity: page}",
    "      <<: [*a, *a]",
    "    - record: a:b",
    "    - {alert: A, record: b, expr: 'c:d > 1', for: 5m}",
    "      annotations: {x: '{{ $value | humanize }}'}",
    "      for: 1m5h",
    "limit: 5",
    "expr: a{b=~`\\d**`}",
    "{{",
    "}}",
    "{{ if $value }}",
    "{{ end }}",
    "{{ $labels.x",
    "`",
)
ACTION_TEXTS = r"""
{{ |}}|{{- | -}}|if |else|end|range |with |define |template |block |break|$labels|$x|:=|=|,|.
|.Labels|humanize|(|)|"a"|`b`|'c'|1|0x1p3|1i|true|nil|/*|*/|\\|$
"""
ACTIONS = (*ACTION_TEXTS.split("|"), "\u00a0", "\U0001f600")
BYTES = (
    b"\0",
    b"\xff",
    b"\xc3",
    b"\r",
    b"\r\n",
    b"\x1b",
    b"\xe2\x80\xae",
    b"\xef\xbb\xbf",
    b"\t",
    b"\x0c",
    b"\xc2\x85",
)


def read_seeds(*patterns: str) -> list[str]:
    """Read real files as seeds, the shortest first: it gives the simplest failing example."""
    paths = (
        path for root in (ROOT, SMALL, FORMS) for pattern in patterns for path in root.glob(pattern)
    )
    return sorted((path.read_text(encoding="utf-8") for path in paths), key=len)


@st.composite
def corrupted(draw: st.DrawFn, texts: list[str], fragments: tuple[str, ...]) -> bytes:
    """Draw one of the texts with up to eight changes."""
    lines = draw(st.sampled_from(texts)).split("\n")
    for _ in range(draw(st.integers(0, 8))):
        index = draw(st.integers(0, max(len(lines) - 1, 0)))
        fragment = draw(st.sampled_from(fragments))
        line = lines[index] if lines else ""
        column = draw(st.integers(0, len(line)))
        match draw(st.integers(0, 9)):
            case 0:
                del lines[index : index + draw(st.integers(1, 5))]
            case 1:
                lines[index:index] = lines[index : index + draw(st.integers(1, 5))]
            case 2:
                lines.insert(index, fragment)
            case 3:
                lines[index : index + 1] = [line[:column] + fragment + line[column:]]
            case 4:
                lines[index : index + 1] = [line[:column], line[column:]]
            case 5:
                lines[index : index + 2] = ["".join(lines[index : index + 2])]
            case 6:
                lines[index : index + 1] = [
                    draw(st.sampled_from(("  ", "    ", "\t", "> ", "- ", "# "))) + line
                ]
            case 7:
                lines[index : index + 1] = [line.partition(":")[0] + ": " + fragment]
            case 8:
                lines[index:index] = draw(st.sampled_from(texts)).split("\n")[
                    : draw(st.integers(1, 12))
                ]
            case _:
                lines[index : index + 1] = [
                    line[:column] + fragment * draw(st.sampled_from((2, 30, 400)))
                ]
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 9)) == 0:
        offset = draw(st.integers(0, len(data)))
        data = data[:offset] + draw(st.sampled_from(BYTES)) + data[offset:]
    return data


def check_properties(path: str, data: bytes, handbook: Callable[[], Handbook]) -> Report:
    """Check a handbook with the data as a file, and test properties of the report."""
    begin = time.process_time()
    report = run(handbook(), TODAY)
    assert time.process_time() - begin < SECONDS
    assert run(handbook(), TODAY) == report
    text = files.decode(path, data, longest=files.LARGEST)
    if not isinstance(text, str):
        text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    for finding in report.findings:
        at = finding.at
        if at.path == path:
            assert 1 <= at.line <= len(lines), finding
            assert 1 <= at.column <= len(lines[at.line - 1]) + 1, finding
    for reporter in REPORTERS.values():
        assert reporter(report)
    return report


PATHS = {
    "adr": "adr/0042-x.md",
    "runbook": "runbooks/shop/x.md",
    "postmortem": "postmortems/2026-05-04-x.md",
    "standard": "docs/standards/05-x.md",
    "service": "docs/services/shop.md",
}
TEXTS = {kind.kind: read_seeds(f"{kind.folder}/{'*/' * (kind.depth - 1)}*.md") for kind in RECORDS}
FOREIGN = sorted(
    (path.read_text(encoding="utf-8", errors="replace") for path in CORPORA.rglob("*.md")), key=len
)[:300]


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.kind)
def test_a_record(kind: type[Record], monkeypatch: pytest.MonkeyPatch) -> None:
    rules()  # loads the rules in their order
    # Shell code has its own test below, with many scripts at once.
    monkeypatch.setattr("handbook.rules.form._start_shellcheck", lambda handbook: None)
    monkeypatch.setattr("handbook.rules.form.find_shell_errors", lambda scripts: ())
    path = PATHS[kind.kind]

    @settings(fuzzed, max_examples=fuzzed.max_examples // (len(RECORDS) - 2))
    @given(corrupted([*TEXTS[kind.kind], *FOREIGN], MARKDOWN + YAML))
    def holds(data: bytes) -> None:
        def handbook() -> Handbook:
            source = read_source(path, data)
            document = read_document(kind, source, HANDBOOK.settings.allowed_values)
            return replace(HANDBOOK, documents={path: document})

        check_properties(path, data, handbook)
        text = files.decode(path, data)
        assert not isinstance(text, str) or find_fault(render_article(HANDBOOK, path, text)) is None

    holds()


@fuzzed
@given(corrupted(read_seeds("docs/services/*/*.yml"), YAML))
def test_an_audit(data: bytes) -> None:
    path = "docs/services/shop/2026-Q4.yml"

    def handbook() -> Handbook:
        audit = read_entity(Audit, path, files.decode(path, data), HANDBOOK.settings.allowed_values)
        return replace(HANDBOOK, documents=AUDITED, alerts=(), rule_files=(), audits=(audit,))

    check_properties(path, data, handbook)


@fuzzed
@given(
    corrupted(
        read_seeds("runbooks/*/*.rules.yml", "docs/standards/samples/**/*.rules.yml"),
        YAML + RULE_FILES,
    )
)
def test_a_rule_file(data: bytes) -> None:
    path = "runbooks/shop/shop.rules.yml"

    def handbook() -> Handbook:
        file = read_rule_file(path, "shop", files.decode(path, data))
        return replace(HANDBOOK, documents={}, alerts=make_alerts([file]), rule_files=(file,))

    check_properties(path, data, handbook)


SETTINGS = (
    "INHERIT: mkdocs.yml",
    "INHERIT: [x]",
    "INHERIT: http://x/y",
    'INHERIT: "x\\0"',
    "site_url: http://[",
    "site_url: //x:99999/?",
    "site_url: !ENV [X, y]",
    "x: !ENV {a: b}",
    "x: !ENV []",
    "x: !!python/name:x",
    "<<: [{a: b}, x]",
    "<<: x",
    "site_dir: ..",
    'site_dir: "x\\0"',
    "theme: x",
    '  custom_dir: "x\\0"',
    "plugins: x",
    "plugins: [{a: b, c: d}, []]",
    "nav: [[[x]], {x: [y, {z: }]}]",
    "nav: ['', '/', '..', 'x#y.md']",
    "edit_uri_template: '{'",
    "edit_uri_template: '{}{x!y:z}'",
    "extra_css: ['', '\\0', ../x]",
    "extra_javascript: [{path: [x]}, []]",
    "hooks: [" + "x" * 300 + "]",
    "validation: {nav: x}",
    "severities: {a: {alias: a}, b: x}",
)
"""Lines of mkdocs.yml with values that a reader can misread."""


@fuzzed
@given(st.lists(st.sampled_from(ACTIONS) | st.text(max_size=3), max_size=40).map("".join))
def test_a_template_of_an_alert(text: str) -> None:
    for template in (text, f"{{{{ {text} }}}}"):
        fault = find_template_fault(template)
        assert fault is None or fault.message


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
        for error in find_shell_errors(tuple((text,) for text in texts)):
            lines = texts[error.file].split("\n")
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
