"""Compare the check of rule files with promtool, which loads them as Prometheus does.

A generator with a fixed seed makes valid files, and files with each kind of fault. For each file,
the check and `promtool check rules` must agree whether Prometheus accepts it.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from handbook.handbook import Handbook
from handbook.loading import load
from handbook.reading.go_templates import find_template_fault
from handbook.records.alert import make_alerts
from handbook.records.rule_file import read_rule_file
from handbook.rules.engine import run
from tests.commands import require_tool
from tests.handbooks import SMALL, TODAY

pytestmark = pytest.mark.samples

REFUSED = frozenset(
    re.findall(
        r"\w+",
        """
        FM001 FM003 FM004 FM005 FM006 FM007 FM009
        RBK009 RBK018 RBK019 RBK020 RBK021 RBK022
        """,
    )
)
"""The rules whose findings say that Prometheus rejects the file."""
FILES_PER_KIND = 6


def make_file(*rules: str, group: str = "name: shop") -> str:
    """Return a rule file with one group. Each rule is YAML in flow style."""
    rows = "".join(f"  - {rule}\n" for rule in rules)
    return f"groups:\n- {group}\n  rules:\n{rows}"


def alert(more: str = "", expr: str = "up == 0", name: str = "Down") -> str:
    return f"{{alert: {name}, expr: {json.dumps(expr)}{more}}}"


def record(more: str = "", expr: str = "sum(up)", name: str = "'job:up:sum'") -> str:
    return f"{{record: {name}, expr: {json.dumps(expr)}{more}}}"


def label(name: str, value: str = "x", key: str = "labels") -> str:
    return f", {key}: {{{name}: {value}}}"


DURATIONS = ["5m", "0", "0s", "1h30m", "1y2w3d4h5m6s7ms", "90s", "0m", "292y"]
NO_DURATIONS = [
    "1m5h",
    "300",
    "-5m",
    "1.5h",
    "5 m",
    "''",
    "5M",
    "5min",
    "m",
    "999y",
    "1h1h",
    "[5m]",
]
NAMES = ["team", "_x", "A1", "__x", "alertname", "a_b"]
NO_NAMES = ["se-rvice", "1a", "a.b", "'a:b'", "'a b'", "ä", "''", "5", "'a/b'"]
VALUES = ["x", "'a b'", "5", "true", "2026-01-01", "", "''", "'{}'", "ä", "~"]
NO_VALUES = ["[x]", "{a: b}", "[]"]
EXPRESSIONS = [
    "up",
    "sum by (job) (rate(x_total[5m])) > 0.5",
    "a and on (job) b unless ignoring (x) c",
    "histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m])))",
    r"x{a=~`\d+`}",
    'x{a=~"\\\\d+",b!="c"}',
    "max_over_time(up[1h:5m])",
    "rate(x[5m] offset -1h)",
    "up @ start()",
    "1 > bool 2",
    "absent(up) or vector(1)",
    "predict_linear(x[6h], 4 * 3600) < 0",
    "holt_winters(x[5m], 0.1, 0.2)",
    "job:up:sum * 2 # a comment",
    "label_replace(up, `a`, `$1`, `b`, `(.*)`)",
    "sum(up) without (job)",
    "-x ^ 2",
    "topk(3, up)",
    'count_values("v", up)',
    "x{a=~`(a+?|b{2}?)[*+]`}",
    "'text'",
    "1e3 + 0x1f + Inf",
    "{__name__=~'a|b'}",
    "a * on (x) group_left (y) b",
    "quantile_over_time(0.9, up[5m])",
    "`raw`",
]
NO_EXPRESSIONS = [
    "up >",
    "orders > 5%",
    "sum(",
    "rate(up)",
    "rate(up[5m]",
    "unknown(up)",
    "up{a=b}",
    'up{a="b}',
    "{}",
    '{a=""}',
    "up up",
    "1 == 1",
    "sum(up) by",
    "topk(up)",
    "a and 1",
    "x{a=~`(`}",
    "x{a=~`a**`}",
    r'x{a="\d"}',
    "a[5m] + 1",
    "up offset",
    "up[0s]",
    "=",
    "a on (b) + c",
    "x{a=~`x`",
    "up offset 5m offset 6m",
    "a{b='c'",
    "# only a comment",
    "(up",
]
ACTIONS = r"""
{{|}}|{{- | -}}|{{ if |{{ end }}|{{ else }}|{{ else if |{{ range |{{ with |{{ define `x` }}|
{{ block `x` .|{{ break }}|$labels|$value|$externalURL|$x|$x := | |.|.Labels|.Value|humanize|
humanise|printf|title|(|)|'a'|`b`|1|-1|0x1p3|1.5|08|1i|true|nil|text|, |=|{{/* c */}}|-|_|"a"|"\n"|
"\d"|$labels.job|{{ $value }}|{{ $labels.job | title }}|{{ humanize $value }}
"""
TOKENS = [*ACTIONS.split("|"), " | "]


def make_template(chance: random.Random) -> str:
    """Return a random template, valid or broken, that has no fault that promtool cannot find."""
    while True:
        text = "".join(chance.choices(TOKENS, k=chance.randint(1, 7)))
        text = text if chance.random() < 0.5 else f"{{{{ {text} }}}}"
        fault = find_template_fault(text)
        if fault is None or not fault.message.startswith(("unknown field", "unknown template")):
            return json.dumps(text)


Maker = Callable[[random.Random], str]
KINDS: dict[str, Maker] = {
    "an alert": lambda _: make_file(alert()),
    "a record": lambda _: make_file(record()),
    "durations": lambda chance: make_file(
        alert(f", for: {chance.choice(DURATIONS)}, keep_firing_for: {chance.choice(DURATIONS)}")
    ),
    "invalid durations": lambda chance: make_file(
        alert(f", {chance.choice(('for', 'keep_firing_for'))}: {chance.choice(NO_DURATIONS)}")
    ),
    "intervals": lambda chance: make_file(
        alert(),
        group=f"name: a\n  interval: {chance.choice(DURATIONS)}\n  limit: {chance.choice('059')}",
    ),
    "invalid intervals": lambda chance: make_file(
        alert(), group=f"name: a\n  interval: {chance.choice(NO_DURATIONS)}"
    ),
    "limits": lambda chance: make_file(
        alert(),
        group=f"name: a\n  limit: {chance.choice(['5', '-1', '0x10', '1_000', '5.0', '1e3'])}",
    ),
    "invalid limits": lambda chance: make_file(
        alert(),
        group="name: a\n  limit: "
        + chance.choice(["'5'", "x", "true", "[5]", "5m", "99999999999999999999", "''"]),
    ),
    "names of labels": lambda chance: make_file(
        alert(label(chance.choice(NAMES))), record(label(chance.choice(NAMES)))
    ),
    "invalid names of labels": lambda chance: make_file(
        chance.choice((alert, record))(label(chance.choice([*NO_NAMES, "__name__"])))
    ),
    "names of annotations": lambda chance: make_file(
        alert(label(chance.choice([*NAMES, "__name__"]), key="annotations"))
    ),
    "invalid names of annotations": lambda chance: make_file(
        alert(label(chance.choice(NO_NAMES), key="annotations"))
    ),
    "values of labels": lambda chance: make_file(
        alert(label("a", chance.choice(VALUES)) + label("a", chance.choice(VALUES), "annotations"))
    ),
    "invalid values of labels": lambda chance: make_file(
        alert(label("a", chance.choice(NO_VALUES), chance.choice(("labels", "annotations"))))
    ),
    "labels of another type": lambda chance: make_file(
        alert(f", labels: {chance.choice(['[a]', 'x', chr(39) * 2, '5', '[{a: b}]'])}")
    ),
    "no labels": lambda chance: make_file(alert(f", labels: {chance.choice(['', '{}', '~'])}")),
    "a duplicate label": lambda chance: make_file(
        alert(f", labels: {{a: x, b: y, {chance.choice('ab')}: z}}")
    ),
    "expressions": lambda chance: make_file(
        chance.choice((alert, record))(expr=chance.choice(EXPRESSIONS))
    ),
    "nested expressions": lambda chance: make_file(
        record(expr=f"(({chance.choice(EXPRESSIONS[:11])})) or {chance.choice(EXPRESSIONS[:9])}")
    ),
    "invalid expressions": lambda chance: make_file(
        chance.choice((alert, record))(expr=chance.choice(NO_EXPRESSIONS))
    ),
    "expressions of another type": lambda chance: make_file(
        f"{{alert: A, expr: {chance.choice(['[up]', '{a: b}', chr(39) * 2, ''])}}}"
    ),
    "numbers as expressions": lambda chance: make_file(
        f"{{alert: A, expr: {chance.choice(['1', '1.5', '0x1f'])}}}"
    ),
    "no expression": lambda chance: make_file(chance.choice(["{alert: A}", "{record: a}"])),
    "an alert and a record": lambda chance: make_file(
        chance.choice([alert(", record: a"), record(", alert: A")])
    ),
    "no alert and no record": lambda chance: make_file(
        chance.choice(["{expr: up}", "{expr: up, labels: {a: b}}", "{expr: up, for: 5m}", "{}"])
    ),
    "keys of alerts in a record": lambda chance: make_file(
        record(
            chance.choice([", for: 5m", ", keep_firing_for: 1ms", label("a", key="annotations")])
        )
    ),
    "keys of alerts without a value": lambda chance: make_file(
        record(chance.choice([", for: 0s", ", keep_firing_for: 0", ", annotations: {}"]))
    ),
    "names of records": lambda chance: make_file(
        record(name=chance.choice(["a", "'a:b'", "_", "':a'", "a1"]))
    ),
    "invalid names of records": lambda chance: make_file(
        record(name=chance.choice(["a-b", "1a", "'a b'", "ä", "'sum(up)'", "a.b", "'up{}'"]))
    ),
    "names of alerts": lambda chance: make_file(
        alert(name=chance.choice(["a-b", "'a b'", "ä", "5", "'{}'", "true"]))
    ),
    "invalid names of alerts": lambda chance: make_file(
        alert(name=chance.choice(["[A]", "{A: B}", "''", ""]))
    ),
    "templates": lambda chance: make_file(alert(label("a", make_template(chance), "annotations"))),
    "templates in labels": lambda chance: make_file(alert(label("a", make_template(chance)))),
    "no templates in records": lambda chance: make_file(record(label("a", make_template(chance)))),
    "unknown keys": lambda chance: make_file(
        alert(f", {chance.choice(['Expr', 'exprs', 'severity', 'alerts', 'x'])}: y")
    ),
    "unknown keys of a group": lambda chance: make_file(
        alert(), group=f"name: a\n  {chance.choice(['Name', 'x', 'source', 'rule'])}: b"
    ),
    "unknown keys of a file": lambda chance: (
        make_file(alert()) + f"{chance.choice(['version', 'x-anchors', 'Groups'])}: 1\n"
    ),
    "a duplicate key": lambda chance: make_file(
        alert(f", {chance.choice(['expr: x', 'alert: B', 'for: 5m, for: 5m'])}")
    ),
    "the same group twice": lambda chance: (
        make_file(alert(), group=f"name: {chance.choice(['a', '5', 'true'])}")
        + f"- {{name: {chance.choice(['a', '5', 'true'])}, rules: []}}\n"
    ),
    "two groups": lambda _: make_file(alert()) + "- {name: other, rules: []}\n",
    "no name of a group": lambda chance: make_file(
        alert(), group=chance.choice(["interval: 5m", "name: ''", "name:", "name: [a]"])
    ),
    "lists of another type": lambda chance: chance.choice(
        ["groups: {}", "groups: x", "groups: [{name: a, rules: {}}]", "groups: [x]", "[]", "x"]
    ),
    "empty lists": lambda chance: chance.choice(["groups: []", "groups: [{name: a, rules: []}]"]),
    "merge keys": lambda chance: make_file(
        f"&r {alert(', labels: &l {a: b}')}",
        f"{{alert: B, expr: up, labels: {{{chance.choice(['<<: *l', 'a: c, <<: *l'])}}}}}",
        f"{{<<: {chance.choice(['*r', '[*r]', '[*r, *r]'])}, alert: C}}",
    ),
    "invalid merge keys": lambda chance: make_file(
        alert(", labels: &l {a: b}"),
        f"{{alert: B, expr: up, labels: "
        f"{{{chance.choice(['<<: x', '<<: [x]', '<<: *l, <<: *l', '<<: ', '<<: *x'])}}}}}",
    ),
    "a merged fault": lambda _: make_file(
        f"&r {record()}", "{<<: *r, for: 5m}", "{<<: *r, record: other}"
    ),
    "invalid YAML": lambda chance: (
        make_file(alert()) + chance.choice(["x: [\n", "\tx: y\n", "x: 'y\n", "@x\n"])
    ),
    "tags": lambda chance: make_file(
        alert(label("a", chance.choice(["!x y", "!!str 5", "!!int 5"])))
    ),
    "several faults": lambda chance: make_file(
        alert(label("a-b") + f", for: {chance.choice(NO_DURATIONS)}"),
        record(", for: 5m", chance.choice(NO_EXPRESSIONS)),
    ),
}

NEWER = "newer versions of Prometheus accept it"
EMPTY = "an empty value is a mistake, although Prometheus reads it as absent"
ON_PURPOSE: list[tuple[str, str, str]] = [
    # reason, text, codes of the findings; promtool 2.42 says the contrary
    (NEWER, make_file(alert(), group="name: a\n  query_offset: 1m"), ""),
    (NEWER, make_file(alert(), group="name: a\n  labels: {a: b}"), ""),
    (NEWER, make_file(record(expr="limitk(3, up)")), ""),
    (NEWER, make_file(record(expr='{"service.name"="x"}')), ""),
    (NEWER, make_file(alert(label("a", "'{{ with 1 }}a{{ else with 2 }}b{{ end }}'"))), ""),
    (NEWER, make_file(alert(label("a", "'{{ now }}'"))), ""),
    ("Mimir", "namespace: a\n" + make_file(alert()), ""),
    ("Kubernetes", "apiVersion: v1\nkind: PrometheusRule\nspec: {groups: []}\n", ""),
    (EMPTY, make_file(alert(", for: ")), "FM009"),
    (EMPTY, make_file(alert(", record: ''")), "FM009"),
    (EMPTY, make_file(alert(), group="name: a\n  limit:"), "FM009"),
    (EMPTY, make_file(alert(label("severity", "''"))), "FM009"),
    (EMPTY, "groups:\n", "FM009"),
    (EMPTY, "groups: [{name: a}]", "FM007"),
    (EMPTY, "{}", "FM007"),
    (EMPTY, "", "FM001"),
    (EMPTY, make_file("~"), "FM006"),
    ("Prometheus ignores the second document", make_file(alert()) + "---\n{}", "FM001 FM007"),
    ("the message instead of the text", make_file(alert(label("a", "'{{ .labels }}'"))), "RBK022"),
    (
        "the message instead of the text",
        make_file(alert(label("a", "'{{template `x`}}'"))),
        "RBK022",
    ),
]


def find_codes(text: str, *, utf8_names: bool = False) -> set[str]:
    """Return the codes of the findings in a rule file of a handbook without any other record."""
    handbook = load_small(utf8_names)
    file = read_rule_file("shop.rules.yml", "shop", text)
    handbook = replace(handbook, alerts=make_alerts([file]), rule_files=(file,))
    return {finding.code for finding in run(handbook, TODAY).findings}


@cache
def load_small(utf8_names: bool) -> Handbook:
    handbook = load(SMALL)
    organisation = replace(handbook.settings.organisation, utf8_names=utf8_names)
    return replace(
        handbook, documents={}, settings=replace(handbook.settings, organisation=organisation)
    )


def find_accepted(files: dict[Path, str], lint: str) -> set[Path]:
    """Return the files that promtool accepts. One process checks all files."""
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    promtool = require_tool("promtool")
    command = [promtool, "check", "rules", f"--lint={lint}", *map(str, files)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    blocks = answer.stdout.split("Checking ")[1:]
    assert len(blocks) == len(files), answer.stderr
    return {Path(block.split("\n")[0]) for block in blocks if "SUCCESS" in block}


def has_utf8_names() -> bool:
    """Return whether promtool accepts all UTF-8 names, as Prometheus does from version 3 on."""
    command = [require_tool("promtool"), "--version"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    match = re.search(r"version (\d+)\.", answer.stdout + answer.stderr)
    assert match
    return int(match[1]) >= 3


@pytest.mark.parametrize("seed", [4, 11])
def test_promtool_agrees(
    seed: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    files: dict[Path, str] = {}
    for number, make in enumerate(KINDS.values()):
        for copy in range(FILES_PER_KIND * (10 if make in TEMPLATES else 1)):
            files[tmp_path / f"{number}-{copy}.yml"] = make(chance)
    accepted = find_accepted(files, "none")
    utf8_names = has_utf8_names()
    refused = {
        path: codes & REFUSED
        for path, text in files.items()
        if (codes := find_codes(text, utf8_names=utf8_names)) & REFUSED
    }
    disagreements = [
        (refused.get(path), text)
        for path, text in files.items()
        if (path in accepted) is (path in refused)
    ]
    assert disagreements == []
    assert min(len(accepted), len(refused)) > 100
    record_property("rule files of which promtool says the same", len(files))


TEMPLATES = (KINDS["templates"], KINDS["templates in labels"])
TWICE = [
    # rules of one file, and whether two of them have the same name and labels
    ([alert(), alert()], True),
    ([alert(), alert(expr="up == 1")], True),
    ([alert(label("a")), alert(label("a", "y"))], False),
    ([alert(label("a")), alert()], False),
    ([record(), record(expr="max(up)")], True),
    ([record(label("a")), record(label("a"))], True),
    ([record(label("a")), record(label("b"))], False),
    ([alert(), record(name="Other")], False),
    ([alert(), alert(name="Other"), alert(name="Other")], True),
    ([alert(label("a", key="annotations")), alert(label("b", key="annotations"))], True),
]


def test_promtool_finds_the_same_duplicate_rules(tmp_path: Path) -> None:
    files = {
        tmp_path / f"{number}.yml": make_file(*rules) for number, (rules, _) in enumerate(TWICE)
    }
    promtool = [require_tool("promtool"), "check", "rules", "--lint-fatal"]
    for (path, text), (_, is_duplicate) in zip(files.items(), TWICE, strict=True):
        path.write_text(text, encoding="utf-8")
        answer = subprocess.run([*promtool, str(path)], capture_output=True, check=False)
        assert bool(answer.returncode) is is_duplicate, text
        assert ("RBK023" in find_codes(text)) is is_duplicate, text


@pytest.mark.parametrize(("reason", "text", "codes"), ON_PURPOSE)
def test_a_deliberate_disagreement(reason: str, text: str, codes: str) -> None:
    assert find_codes(text) & REFUSED == set(codes.split()), reason
