"""Go templates of alerts: valid templates, and the message and the hint of each fault.

`tests/rules/test_promtool.py` compares random templates with promtool.
"""

from __future__ import annotations

import time

import pytest

from handbook.reading.go_templates import VARIABLES, find_template_fault


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no template }}",
        "{{ $labels.instance }} at {{ $value | humanizePercentage }}",
        "{{- $externalURL -}}{{ $externalLabels.region }}",
        "{{ if gt $value 0.9 }}a{{ else if eq $labels.job `x` }}b{{ else }}c{{ end }}",
        "{{ range $i, $v := query `up` }}{{ $i }}{{ $v.Labels.job }}{{ .Anything }}{{ end }}",
        "{{ with $x := printf `%.2f` $value }}{{ $x }}{{ end }}",
        "{{ with query `up` }}{{ . | first | value }}{{ else }}{{ .Value }}{{ end }}",
        "{{ with 1 }}{{ else with 2 }}{{ end }}",
        '{{ define "x" }}{{ .Anything }}{{ end }}{{ template "x" $labels }}',
        '{{ block "x" . }}{{ .Anything }}{{ end }}',
        "{{/* {{ $nothing */}}",
        "{{ `}} {{ $nothing` }}",
        "{{ .Labels.job }} {{ $.Value }} {{ (query `up` | first).Value }}",
        "{{ range query `up` }}{{ break }}{{ end }}",
        r'{{ "\n\x41\u00e4\U0001F600\101" }}',
        "{{ $a := 1 }}{{ $a = 0x1F }}{{ $a }}",
    ],
)
def test_a_valid_template_has_no_fault(text: str) -> None:
    assert find_template_fault(text) is None


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("{{ $labels.instance ", "'{{' without '}}'", "add '}}'"),
        ("{{ humanise $value }}", "unknown function 'humanise'", "did you mean 'humanize'?"),
        ("{{ $value | humanize1000 }}", "unknown function 'humanize1000'", None),
        ("{{ xyz 1 }}", "unknown function 'xyz'", "use a function of Prometheus"),
        ("{{ $label.job }}", "unknown variable '$label'", "did you mean '$labels'?"),
        ("{{ $q }}", "unknown variable '$q'", f"use one of {', '.join(VARIABLES)}"),
        ("{{ .labels.job }}", "unknown field '.labels'", "did you mean '.Labels'?"),
        ("{{ $.value }}", "unknown field '.value'", "did you mean '.Value'?"),
        ("{{ with .Foo }}{{ end }}", "unknown field '.Foo'", None),
        ("{{ template `x` }}", "unknown template 'x'", "define it in the same text"),
        ("{{ if $value }}a", "no '{{ end }}'", "add '{{ end }}'"),
        ("a{{ end }}", "'{{ end }}' without '{{ if }}'", None),
        ("{{ else }}", "'{{ else }}' without '{{ if }}'", None),
        ("{{ if 1 }}{{ else }}{{ else }}{{ end }}", "second '{{ else }}'", "remove one of them"),
        ("{{ if 1 }}{{ else x }}{{ end }}", "unexpected 'x' in '{{ else }}'", "remove it"),
        ("{{ }}", "no value in '{{ }}'", "add a value"),
        ("{{ if }}{{ end }}", "no value in '{{ if }}'", "add a value"),
        ("{{ printf (1 }}", "'(' without ')'", "add ')'"),
        ("{{ 1) }}", "')' without '('", None),
        ("{{ $value == 1 }}", "unexpected '=' in '{{ }}'", "remove it"),
        (
            "{{ $labels['a'] }}",
            "unexpected '[' after 'labels'",
            "remove it, or add a space before it",
        ),
        ("{{ \u201ca\u201d }}", "invalid character U+201C in a template", "remove it"),
        ('{{ "a }}', 'text without closing " in a template', 'add "'),
        (r'{{ "\d" }}', r'invalid escape in "\d"', None),
        ("{{ 'ab' }}", "invalid character constant 'ab'", 'quote text with "'),
        ("{{ 08 }}", "invalid number '08' in a template", None),
        ("{{ 1 | 2 }}", "'2' after '|' is not a function", "write a function after '|'"),
        ("{{ true.x }}", "field of the value 'true'", "remove the field"),
        ("{{ break }}", "'{{ break }}' outside of '{{ range }}'", "remove it"),
        ("{{ $a, $b := 1 }}", "too many variables in '{{ }}'", "remove ','"),
        ("{{/* a", "comment without '*/'", "add '*/}}'"),
        ("{{/* a */ }}", "comment without '}}'", None),
        ('{{ define "x" }}{{ $labels }}{{ end }}', "unknown variable '$labels'", None),
        (
            '{{ define "x" }}a{{ end }}{{ define "x" }}b{{ end }}',
            "duplicate template 'x'",
            "rename one of them",
        ),
        (
            "{{ " + "(" * 150 + "1" + ")" * 150 + " }}",
            "template nested deeper than 100 levels",
            None,
        ),
        ("{{ if 1 }}" * 150, "template nested deeper than 100 levels", None),
    ],
)
def test_a_fault_has_a_message_and_a_hint(text: str, message: str, hint: str | None) -> None:
    fault = find_template_fault(text)
    assert fault is not None
    assert fault.message == message
    assert hint is None or fault.hint == hint


@pytest.mark.parametrize(
    "text",
    [
        "{{" * 100_000,
        "{{ 1 }}" * 50_000,
        "{{ " + "." * 100_000,
        "{{/*" * 50_000,
        "{{ `" * 50_000,
        "{{ " + "1 | " * 50_000,
        "{{ " + "$x, " * 50_000,
        "{{ " + "a" * 100_000,
        "{{ '" * 50_000,
    ],
)
@pytest.mark.fuzz
def test_a_long_template_takes_linear_time(text: str) -> None:
    begin = time.process_time()
    find_template_fault(text)
    assert time.process_time() - begin < 5
