"""Hostile files: each is checked within bounds of time and memory, without a traceback."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import pytest

from handbook.cli import main
from handbook.loading import load
from handbook.reporters import REPORTERS
from handbook.site.html_faults import find_fault
from tests.commands import BIN, drop_privileges, make_environment
from tests.handbooks import ADR, SETTINGS, check, render_article, report, write

pytestmark = pytest.mark.fuzz

SECONDS, MEMORY = 120, 1 << 30  # generous limits: a slow machine stays below them, a bomb does not
RECORD, RULES, AUDIT = (
    "adr/0001-a.md",
    "runbooks/shop/x.rules.yml",
    "docs/services/shop/2026-Q4.yml",
)
POLICY = "mkdocs.yml"
SHOP = (
    "---\nowner: order-team\ntier: 3\nrepository: https://git.example/shop\n---\n"
    "# Shop\n\nIt sells.\n"
)


@dataclass(frozen=True)
class Answer:
    """The exit code, the errors and the locations of the findings of a check."""

    code: int
    errors: str
    locations: list[str]


def run_check(root: Path, *prefix: str) -> Answer:
    """Run the check in a process within the bounds. `prefix` is a command that runs another."""
    process = subprocess.run(
        [
            *prefix,
            str(BIN / "handbook"),
            "check",
            "--format",
            "json",
            "--today",
            "2026-11-23",
            "--root",
            str(root),
        ],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        stdin=subprocess.DEVNULL,
        env=make_environment(),
    )
    assert "Traceback" not in process.stderr, process.stderr
    findings = json.loads(process.stdout)["findings"] if process.stdout else []
    locations = ["{path}:{line}:{column}:{code}".format_map(finding) for finding in findings]
    assert process.returncode == (2 if process.stderr else 1 if findings else 0)
    return Answer(process.returncode, process.stderr, locations)


def head(line: str) -> str:
    """Return a decision with one more line in its front matter, line 5."""
    return ADR.replace("deciders: [order-team]", f"deciders: [order-team]\n{line}")


def body(text: str) -> str:
    """Return a decision with a text in its context, line 10."""
    return ADR.replace("Why.", text)


def bomb(last: str) -> str:
    """Return nine lists, each of ten aliases of the previous list, and a last line."""
    lists = (
        f"{name}: &{name} [{', '.join([f'*{previous}'] * 10)}]"
        for previous, name in pairwise("abcdefghi")
    )
    return "\n".join(["a: &a [x, x, x, x, x, x, x, x, x, x]", *lists, last]) + "\n"


Files = dict[str, str | bytes]


def template(text: str) -> Files:
    """Return a page that Jinja renders."""
    return {"docs/x.md": f"---\nrender_macros: true\n---\n# X\n\n{text}\n"}


def promql(expression: str) -> Files:
    """Return an alert with an expression, broken into lines as YAML allows."""
    lines = "\n  ".join(re.findall(".{1,5000}", expression))
    labels = "{severity: paige}"
    return {
        RULES: f'groups: [{{name: g, rules: [{{alert: A, labels: {labels}, expr: "{lines}"}}]}}]\n',
        "docs/services/shop.md": SHOP,
    }


ALERT = "groups: [{name: g, rules: [{alert: A, expr: up, annotations: {summary: *i}}]}]"
SICK = "groups: [{name: g, rules: [{alert: A, expr: up}]}]\n"
TAG = "!!python/object/apply:os.system ['touch pwned']"
LONG = "x" * 100_000_000
CASES: dict[str, tuple[Files, list[str]]] = {
    "aliases in a record": ({RECORD: head(bomb("x: *i").strip())}, [f"{RECORD}:5:4:FM001"]),
    "aliases in rules": ({RULES: bomb(ALERT)}, [f"{RULES}:4:4:FM001"]),
    "aliases in the settings": ({POLICY: SETTINGS + bomb("nav: *i")}, [f"{POLICY}:12:4:FM001"]),
    "aliases in an audit": (
        {AUDIT: bomb("results: *i"), "docs/services/shop.md": SHOP},
        [f"{AUDIT}:1:4:FM001"],
    ),
    "a value in itself": ({POLICY: SETTINGS + "x: &a [*a]\n"}, [f"{POLICY}:9:4:FM001"]),
    "a tag in a record": ({RECORD: head(f"x: {TAG}")}, [f"{RECORD}:5:4:FM001"]),
    "a tag in rules": ({RULES: f"groups: {TAG}\n"}, [f"{RULES}:1:1:RBK013", f"{RULES}:1:42:FM006"]),
    "a tag in the settings": ({POLICY: f"{SETTINGS}x: {TAG}\n"}, [f"{POLICY}:9:1:FM003"]),
    "100 MB in a line": ({RECORD: body(LONG)}, [f"{RECORD}:1:1:FM001"]),
    "100 MB of YAML": ({RULES: f"x: {LONG}"}, [f"{RULES}:1:1:FM001"]),
    "100 MB of settings": ({POLICY: f"{SETTINGS}x: {LONG}"}, [f"{POLICY}:1:1:FM001"]),
    "no UTF-8 in a record": ({RECORD: ADR.encode() + b"\xff\n"}, [f"{RECORD}:23:1:FM001"]),
    "no UTF-8 in rules": ({RULES: b"groups: []\n# \xff\n"}, [f"{RULES}:2:1:FM001"]),
    "no UTF-8 in the settings": (
        {POLICY: SETTINGS.encode() + b"# \xff\n"},
        [f"{POLICY}:9:1:FM001"],
    ),
    "a byte order mark": ({RECORD: b"\xef\xbb\xbf" + ADR.encode()}, []),
    "a mark, then an error": (
        {RECORD: b"\xef\xbb\xbf" + body("[x](y.md)").encode()},
        [f"{RECORD}:10:1:LNK001"],
    ),
    "other ends of lines": ({RECORD: ADR.replace("\n", "\r\n")}, []),
    "others, then an error": (
        {RECORD: body("[x](y.md)").replace("\n", "\r\n")},
        [f"{RECORD}:10:1:LNK001"],
    ),
    "NUL": ({RECORD: body("a\0b")}, [f"{RECORD}:10:2:FM001"]),
    "NUL in YAML": ({POLICY: f"{SETTINGS}x: a\0b\n"}, [f"{POLICY}:9:5:FM001"]),
    "a terminal's commands": ({RECORD: body("\x1b]0;owned\x07")}, [f"{RECORD}:10:1:FM001"]),
    "text in another direction": (
        {RECORD: body("`rm \u202efr-\u202c x`")},
        [f"{RECORD}:10:5:FM001"],
    ),
    "10,000 headings": ({RECORD: ADR + "\n## Same\n\nText.\n" * 10_000}, []),
    "a line of code": ({RECORD: body(f"```\n{'x' * 10_001}\n```")}, [f"{RECORD}:11:1:FM001"]),
    "a paragraph of brackets": ({RECORD: body("[[[[[\n" * 1000)}, []),
    "20,000 rows": ({RECORD: body("| a |\n|---|\n" + "| x |\n" * 20_000)}, []),
    "lists in lists": ({RECORD: body("- " * 1000 + "x")}, [f"{RECORD}:10:1:FM001"]),
    "quotations in quotations": ({RECORD: body("> " * 1000 + "x")}, [f"{RECORD}:10:1:FM001"]),
    "HTML in quotations": (
        {RECORD: body("x\n\n" + "> " * 30 + "<script>x</script>")},
        [f"{RECORD}:12:{column}:SAFE001" for column in (61, 70)],
    ),
    "brackets in brackets": ({RECORD: body("[" * 1000 + "x" + "]" * 1000)}, []),
    "images in images": (
        {RECORD: body("![" * 1000 + "x" + "](y)" * 1000)},
        [f"{RECORD}:10:1:FM001"],
    ),
    "values in values": (
        {RECORD: head("x: " + "[" * 1000 + "]" * 1000)},
        [f"{RECORD}:5:103:FM001"],
    ),
    "values, 9,000 deep": ({RECORD: head("x:" + "\n  [" * 9_000)}, [f"{RECORD}:105:3:FM001"]),
    "values in the settings": (
        {POLICY: f"{SETTINGS}x: {'{a: ' * 1000}{'}' * 1000}\n"},
        [f"{POLICY}:9:400:FM001"],
    ),
    "arithmetic in arithmetic": (
        {RECORD: body("```sh\necho " + "$((" * 40 + "\n```")},
        [f"{RECORD}:11:25:FM107"],
    ),
    "PromQL of 4,200 terms": (promql("+".join(["1"] * 4_200)), [f"{RULES}:1:58:RBK017"]),
    "PromQL of 9,000 calls": (
        promql("abs(" * 9_000 + "up" + ")" * 9_000),
        [f"{RULES}:1:58:RBK017", f"{RULES}:1:72:RBK009"],
    ),
    "PromQL of 400,000 signs": (
        promql("-" * 400_000 + "up"),
        [f"{RULES}:1:58:RBK017", f"{RULES}:1:72:RBK009"],
    ),
    "a template in parentheses": (
        template("{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}"),
        ["docs/x.md:4:1:MD020"],
    ),
    "a template of lists": (
        template("{{ " + "[" * 2000 + "]" * 2000 + " }}"),
        ["docs/x.md:4:1:MD020"],
    ),
    "a template of signs": (template("{{ " + "- " * 2000 + "1 }}"), ["docs/x.md:4:1:MD020"]),
    "a template of conditions": (template("{% if x %}\n\n" * 30_000), ["docs/x.md:4:1:MD020"]),
    "YAML that ends too soon": (
        {AUDIT: "date: [", "docs/services/shop.md": SHOP},
        [f"{AUDIT}:1:8:FM001"],
    ),
    "tags without an end": ({"docs/x.md": "# X\n\n<div>\n" + "<a\n" * 300_000}, []),
    "settings that are a list": ({POLICY: "- a\n"}, [f"{POLICY}:1:1:FM001"]),
    "settings of wrong shapes": (
        {POLICY: "extra:\n  handbook: [x]\n  policy: 3\n"},
        [f"{RECORD}:4:12:FM005", f"{POLICY}:2:13:FM006", f"{POLICY}:3:11:FM006"],
    ),
    "a policy of wrong shapes": (
        {
            POLICY: f"{SETTINGS}  policy: {{alerts: 3, review: [x], postmortem: x}}\n",
            RULES: SICK,
            "docs/services/shop.md": SHOP,
        },
        [f"{POLICY}:9:{column}:FM006" for column in (20, 31, 48)] + [f"{RULES}:1:36:RBK011"],
    ),
    "teams of wrong shapes": (
        {
            POLICY: "extra:\n  handbook: "
            "{teams: {order-team: 3}, rules: [1], tags: {a: b}, expect: x}\n"
        },
        [f"{RECORD}:4:12:FM005", *(f"{POLICY}:2:{column}:FM006" for column in (34, 45, 56, 72))],
    ),
    "settings that inherit themselves": (
        {POLICY: f"INHERIT: mkdocs.yml\n{SETTINGS}"},
        [f"{POLICY}:1:10:FM001"],
    ),
    "settings in a circle": (
        {POLICY: f"INHERIT: b.yml\n{SETTINGS}", "b.yml": "INHERIT: mkdocs.yml\n"},
        ["b.yml:1:10:FM001"],
    ),
    "settings from a device": (
        {POLICY: f"INHERIT: /dev/zero\n{SETTINGS}"},
        [f"{POLICY}:1:10:FM001"],
    ),
    "pages from everywhere": ({POLICY: f"{SETTINGS}docs_dir: /\n"}, [f"{POLICY}:9:11:FM001"]),
    "pages from above": ({POLICY: f"{SETTINGS}docs_dir: docs/../..\n"}, [f"{POLICY}:9:11:FM001"]),
    "rules from above": (
        {"docs/services/shop.md": SHOP.replace("tier", "rules: [../../x.yml]\ntier")},
        ["docs/services/shop.md:3:9:RBK013"],
    ),
    "an audit of wrong shapes": (
        {
            AUDIT: "date: [x]\nresults: [1]\nauditor: {a: b}\ncommit: 3\n",
            "docs/services/shop.md": SHOP,
        },
        [f"{AUDIT}:1:7:FM006", f"{AUDIT}:2:10:FM006", f"{AUDIT}:3:10:FM006", f"{AUDIT}:4:9:FM006"],
    ),
    "rules of wrong shapes": (
        {RULES: "groups: [1, {name: [], rules: {}}, {rules: [1, {alert: [], expr: {}}]}]\n"},
        [
            f"{RULES}:1:{position}"
            for position in (
                "10:FM006",
                "20:FM006",
                "31:FM006",
                "36:FM007",
                "45:FM006",
                "56:FM006",
                "66:FM006",
            )
        ],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_file_has_its_findings(case: str, tmp_path: Path) -> None:
    files, expected = CASES[case]
    answer = run_check(write(tmp_path, {POLICY: SETTINGS, RECORD: ADR, **files}))
    assert answer.locations == expected
    assert not (tmp_path / "pwned").exists()


def make_pipe(root: Path) -> None:
    os.mkfifo(root / "adr/0002-b.md")


def make_yaml_pipes(root: Path) -> None:
    write(root, {"docs/services/shop.md": SHOP.replace("tier", "rules: [x.yml]\ntier")})
    (root / "runbooks/shop").mkdir(parents=True)
    os.mkfifo(root / RULES)
    os.mkfifo(root / "x.yml")


def make_settings_pipe(root: Path) -> None:
    (root / POLICY).unlink()
    os.mkfifo(root / POLICY)


def make_links(root: Path) -> None:
    (root / "adr/0002-b.md").symlink_to("/etc/passwd")
    (root / "adr/round").symlink_to(root / "adr")
    (root / "adr/0003-c.md").symlink_to("0003-c.md")
    (root / "docs").mkdir()
    (root / "docs/up").symlink_to("..")


def link_folder(root: Path) -> None:
    (root / "adr").rename(root / "elsewhere")
    (root / "adr").symlink_to("elsewhere")


def link_rules(root: Path) -> None:
    write(root, {"docs/services/shop.md": SHOP.replace("tier", "rules: [x.yml]\ntier")})
    (root / "x.yml").symlink_to("/dev/zero")


def forbid_record(root: Path) -> None:
    (root / RECORD).chmod(0)


def forbid_settings(root: Path) -> None:
    (root / POLICY).chmod(0)


def write_odd_names(root: Path) -> None:
    for number, name in enumerate(
        ("a b", "'\"", "a\nb", "\u200f\u202eab", "\x1b[31m", "%0A::error::x")
    ):
        write(root, {f"adr/{number}{name}.md": ADR, f"adr/0001-a/{number}{name}.txt": "x"})
    (root / os.fsdecode(b"adr/0001-a/\xff.txt")).write_text("x", encoding="utf-8")


@pytest.mark.parametrize(
    ("corrupt", "expected"),
    [
        (make_pipe, ["adr/0002-b.md:1:1:SAFE002"]),
        (make_yaml_pipes, ["docs/services/shop.md:3:9:RBK013", f"{RULES}:1:1:SAFE002"]),
        (
            make_links,
            [
                f"{path}:1:1:SAFE002"
                for path in ("adr/0002-b.md", "adr/0003-c.md", "adr/round", "docs/up")
            ],
        ),
        (link_folder, ["adr:1:1:SAFE002"]),
        (link_rules, ["docs/services/shop.md:3:9:RBK013"]),
        (forbid_record, [f"{RECORD}:1:1:FM001"]),
        (forbid_settings, [f"{POLICY}:1:1:FM001"]),
    ],
)
def test_only_regular_files_are_read(
    corrupt: Callable[[Path], None], expected: list[str], tmp_path: Path
) -> None:
    corrupt(write(tmp_path, {POLICY: SETTINGS, RECORD: ADR}))
    assert run_check(tmp_path, *drop_privileges()).locations == expected


@pytest.mark.parametrize(
    "path",
    [
        "adr/{}.md",
        "adr/0001-a/{}.png",
        "docs/{}.md",
        "docs/{}.png",
        "docs/services/{}.md",
        "docs/services/shop/{}.yml",
        "docs/standards/{}.md",
        "docs/standards/samples/{}.py",
        "runbooks/{}/a.md",
        "runbooks/shop/{}.rules.yml",
        "postmortems/{}.md",
    ],
)
@pytest.mark.parametrize("name", [b"\xff", b"caf\xe9", b"\xed\xa0\x80"])
def test_a_name_that_is_not_utf8_is_one_finding_in_every_format(
    path: str, name: bytes, tmp_path: Path
) -> None:
    file = path.format(os.fsdecode(name))
    write(tmp_path, {POLICY: SETTINGS, RECORD: ADR, file: "---\n---\n# A\n"})
    result = report(tmp_path)
    assert [(finding.at.path, finding.code) for finding in result.findings] == [(file, "SAFE002")]
    for form, reporter in REPORTERS.items():
        assert (
            main(
                [
                    "check",
                    "--root",
                    str(tmp_path),
                    "--format",
                    form,
                    "--output",
                    str(tmp_path / form),
                ]
            )
            == 1
        )
        text = (tmp_path / form).read_text(encoding="utf-8")
        assert text == reporter(result).encode("utf-8", "backslashreplace").decode()
    assert (
        f"{quote(os.fsencode(file))}"
        in json.loads((tmp_path / "sarif").read_text())["runs"][0]["results"][0]["locations"][0][
            "physicalLocation"
        ]["artifactLocation"]["uri"]
    )


@pytest.mark.parametrize("corrupt", [make_settings_pipe, lambda root: (root / "adr").chmod(0)])
def test_an_error_of_the_system_is_one_line(
    corrupt: Callable[[Path], None], tmp_path: Path
) -> None:
    corrupt(write(tmp_path, {POLICY: SETTINGS, RECORD: ADR}))
    answer = run_check(tmp_path, *drop_privileges())
    (tmp_path / "adr").chmod(0o755)
    assert (answer.code, answer.errors.count("\n")) == (2, 1)


@pytest.mark.parametrize("form", REPORTERS)
def test_an_odd_name_stays_in_one_line(form: str, tmp_path: Path) -> None:
    write_odd_names(write(tmp_path, {POLICY: SETTINGS, RECORD: ADR}))
    answer = subprocess.run(
        [str(BIN / "handbook"), "check", "--root", str(tmp_path), "--format", form],
        capture_output=True,
        check=False,
        env=make_environment(PYTHONIOENCODING="ascii"),
    )
    assert len(report(tmp_path).findings) >= 6
    assert (answer.returncode, answer.stderr) == (1, b"")
    output = answer.stdout.decode("ascii")
    if form in ("text", "github"):
        assert not [line for line in output.split("\n") if not line.isprintable()]
        assert (
            sum(
                " error: " in line or line.startswith("::error file=adr/")
                for line in output.split("\n")
            )
            >= 6
        )
    else:
        json.loads(output)


# Texts that try to bring a script into a page, and the code of their finding. None: the page shows
# it as text, without a link. The rendered page is checked in both cases.
ATTACKS: dict[str, str | None] = {
    "<script>alert(1)</script>": "SAFE001",
    "x <ScRiPt>alert(1)</sCrIpT>": "SAFE001",
    "x <img src=x onerror=alert(1)>": "SAFE001",
    "x <svg/onload=alert(1)>": None,
    '<details open ontoggle="alert(1)">x</details>': "SAFE001",
    "x <a href='javascript:alert(1)'>x</a>": "SAFE001",
    "### <img src=x onerror=alert(1)>": "SAFE001",
    "- <iframe srcdoc='<script>alert(1)</script>'></iframe>": "SAFE001",
    "| a |\n|---|\n| <img src=x onerror=alert(1)> |": "SAFE001",
    "> <script>alert(1)</script>": "SAFE001",
    "<!--> <script>alert(1)</script> -->": "SAFE001",
    "<!---> <script>alert(1)</script> -->": "SAFE001",
    "<!-- --!> <script>alert(1)</script> -->": "SAFE001",
    "<![CDATA[<script>alert(1)</script>]]>": "SAFE001",
    "<?x <script>alert(1)</script> ?>": "SAFE001",
    "<br onclick=alert(1)>": "SAFE001",
    "[x](javascript:alert(1))": "SAFE003",
    "[x](JaVaScRiPt:alert(1))": "SAFE003",
    "[x](javascript&#58;alert(1))": "SAFE003",
    "[x](javascript&colon;alert(1))": "SAFE003",
    "[x](&#106;avascript:alert(1))": "SAFE003",
    "[x](java&#9;script:alert(1))": "SAFE003",
    "[x](java&NewLine;script:alert(1))": "SAFE003",
    "[x](&#1;javascript:alert(1))": "SAFE003",
    "[x](<javascript:alert(1)>)": "SAFE003",
    "[x](vbscript:x)": "SAFE003",
    "[x](data:text/html,<script>alert(1)</script>)": "SAFE003",
    "[x](data:text/html;base64,PHNjcmlwdD4=)": "SAFE003",
    "![x](javascript:alert(1))": "SAFE003",
    "<javascript:alert(1)>": "SAFE003",
    "[x][r]\n\n[r]: javascript:alert(1)": "SAFE003",
    "[r]\n\n[r]: <javascript:alert(1)> 'x'": "SAFE003",
    "> [x][r]\n\n[r]: javascript&#58;alert(1)": "SAFE003",
    '[x](#context "\' onmouseover=alert(1) ")': None,
    '[x](#context "x\\" onmouseover=\\"alert(1)")': None,
    '![" onerror="alert(1)](0001-a.md)': None,
    "`<script>alert(1)</script>`": None,
    "    <script>alert(1)</script>": None,
    "```html\n<script>alert(1)</script>\n```": None,
    "\\<script>alert(1)\\</script>": None,
    "&lt;script&gt;alert(1)&lt;/script&gt;": None,
    "[x]\\(javascript:alert(1))": None,
    "javascript:alert(1)": None,
    "### x { onclick=alert(1) }": None,
    "[x](#context){ onclick=alert(1) }": None,
    "&#x202e;": None,
}


@pytest.mark.parametrize("text", ATTACKS)
def test_no_script_reaches_a_page(text: str, tmp_path: Path) -> None:
    codes = {finding.code for finding in check(tmp_path, {RECORD: body(f"x\n\n{text}")})}
    assert codes == ({ATTACKS[text]} if ATTACKS[text] else set())
    assert find_fault(render_article(load(tmp_path), RECORD, text)) is None


# HTML that macros or an organisation's pages could put into a page. The build finds it.
@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<p onclick="x"></p>', "active content <p onclick=…>"),
        ("<script>x</script>", "active content <script>"),
        ('<a href="java\tscript:x"></a>', "active content <a href='javascript:…'>"),
        ('<a href="&#1;JAVASCRIPT&colon;x"></a>', "active content <a href='javascript:…'>"),
        ('<img src="data:image/png;base64,x">', "active content <img src='data:…'>"),
        (
            '<svg><a xlink:href="javascript:x"/></svg>',
            "active content <a xlink:href='javascript:…'>",
        ),
        ('<svg><set attributeName="href" to="javascript:x"/></svg>', "active content <set>"),
        ('<p><a href="a:b"></a></p>', "active content <a href='a:…'>"),
        ("<style>p {}</style>", "active content <style>"),
        ("<p><b>x</p>", "unclosed element <b>"),
        ("<div><p>x</p>", "unclosed element <div>"),
        ("</div>", "unmatched end tag </div>"),
        (
            '<p><a href="./a:b">b</a><a href="#a:b"></a><a href="mailto:x@example.com"></a>'
            '<img src="a.png"></p>',
            None,
        ),
        ('<svg><path d="M0 0"/></svg><p>a<br>b<br/>c</p>', None),
    ],
)
def test_active_or_unbalanced_html_is_found(html: str, fault: str | None) -> None:
    assert find_fault(html) == fault


@pytest.mark.parametrize(
    ("name", "data", "is_valid"),
    [
        ("a.html", b"<script>alert(1)</script>", False),
        ("a.png", b"<script>alert(1)</script>", False),
        ("a.jpg", b"GIF89a", False),
        ("a.txt", b" \n<!DOCTYPE html><script>alert(1)</script>", False),
        ("a.txt", b"\xef\xbb\xbf<html>", False),
        ("a.log", b"<host> says x < y", True),
        ("a.csv", b"a,b\n1,<script>\n", True),
        ("a.svg", b"<svg><scr\x1b(Bipt>alert(1)</script></svg>", False),
        ("a.svg", "<svg><script>alert(1)</script></svg>".encode("utf-16"), False),
        ("a.svg", b"<svg><animate attributeName='href' to='javascript:x'/></svg>", False),
        (
            "a.svg",
            b"<svg><x:script xmlns:x='http://www.w3.org/2000/svg'>alert(1)</x:script></svg>",
            False,
        ),
        ("a.svg", b"<!DOCTYPE svg [<!ENTITY x 'y'>]><svg>&x;</svg>", False),
        ("a.svg", b"<svg><path d='" + b"M0 0" * 20_000 + b"'/></svg>", True),
        ("a.svg", b"<svg>" + b"<g>" * 99 + b"</g>" * 99 + b"</svg>", True),
        ("a.svg", b"<svg>" + b"<g>" * 100 + b"</g>" * 100 + b"</svg>", False),
        ("a.svg", b"<svg>" + b"<g>" * 140_000 + b"</g>" * 140_000 + b"</svg>", False),
        ("a.svg", b"<svg>" + b"<g\nid='a'\n>" * 80_000 + b"</svg>", False),
        ("a.svg", b"<svg>" + b"<svg:g>" * 60_000 + b"</svg:g>" * 60_000 + b"</svg>", False),
        ("a.svg", b"<svg>" + b"<g/>" * 200_000 + b"</svg>", True),
        ("a.svg", b"<svg>" + b"<g></g>" * 140_000 + b"</svg>", True),
        ("a.svg", b"<svg>" + b"<g " * 300_000 + b"</svg>", False),
    ],
)
def test_an_attachment_has_the_format_of_its_name(
    name: str, data: bytes, is_valid: bool, tmp_path: Path
) -> None:
    data = data.replace(b"<svg>", b"<svg xmlns='http://www.w3.org/2000/svg'>")
    findings = check(tmp_path, {RECORD: ADR, f"adr/0001-a/{name}": data})
    assert [finding.code for finding in findings] == ([] if is_valid else ["SAFE004"])


def test_a_listing_is_code_and_includes_nothing_else(tmp_path: Path) -> None:
    files: Files = {
        "runbooks/x/a.txt": "<script>alert(1)</script>\n",
        "runbooks/x/b.txt": "```\n<script>alert(1)</script>\n",
        "runbooks/x/c.txt": '--8<-- "x/c.txt"\n',
        "runbooks/x/d.txt": f"{'x' * 9_999}\n" * 40,
        "docs/a.md": '# A\n\n```\n--8<-- "x/a.txt"\n```\n',
        "docs/b.md": '# B\n\n--8<-- "x/a.txt"\n',
        "docs/c.md": '# C\n\n```\n--8<-- "x/b.txt"\n--8<-- "x/c.txt"\n```\n',
        "docs/d.md": "# D\n\n```\n--8<--\nx/a.txt\n--8<--\n--8<-- 'x/a.txt'\n```\n",
        "docs/e.md": "# E\n\n```\n" + '--8<-- "x/d.txt"\n' * 1000 + "```\n",
    }
    locations = [
        f"{finding.at.path}:{finding.at.line}"
        for finding in check(tmp_path, {RECORD: ADR, **files})
        if finding.code == "LNK006"
    ]
    assert locations == [
        "docs/b.md:3",
        "docs/c.md:4",
        "docs/c.md:5",
        "docs/d.md:4",
        "docs/d.md:6",
        "docs/d.md:7",
        "docs/e.md:6",
    ]
