"""Crafted files: each repeats a part that can make a parser or a rule slow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, pairwise
from math import isqrt
from typing import Final

LINE: Final = 9_000
"""The length of a long line. It is below the limit of the check."""

SETTINGS: Final = """site_name: A handbook
site_url: https://handbook.example/
extra:
  handbook:
    teams: {order-team: {}, platform-team: {}}
"""
POLICY: Final = "mkdocs.yml"
_RECORD_HEAD: Final = (
    "---\nstatus: accepted\ndate: 2026-03-02\ndeciders: [order-team]{}\n---\n# A decision\n\n"
    "## Context\n\n"
)
_RECORD_TAIL: Final = (
    "\n\n## Decision\n\nWhat.\n\n## Alternatives considered\n\n- Another.\n\n"
    "## Consequences\n\nThen.\n"
)
_SHOP: Final = (
    "---\nowner: order-team\ntier: 3\nrepository: https://git.example/shop\n---\n"
    "# Shop\n\nIt sells.\n"
)
_SERVICE: Final = {"docs/services/shop.md": _SHOP}

Files = Mapping[str, str]
Repeat = Callable[[int], str]
"""A function that returns a text of about a given size in bytes."""


@dataclass(frozen=True)
class Case:
    """A crafted file: `make` returns the files for a text, and `repeat` the text."""

    name: str
    make: Callable[[str], Files]
    repeat: Repeat


def record(text: str) -> Files:
    """Return a decision with a text."""
    return {"adr/0001-a.md": _RECORD_HEAD.replace("{}", "") + text + _RECORD_TAIL}


def front_matter(text: str) -> Files:
    """Return a decision with more lines in its front matter."""
    return {"adr/0001-a.md": _RECORD_HEAD.replace("{}", f"\n{text}") + f"Why.{_RECORD_TAIL}"}


def page(text: str) -> Files:
    """Return a page with a text, and a decision."""
    return {"docs/x.md": f"# X\n\n{text}\n", **record("Why.")}


def template(text: str) -> Files:
    """Return a page that Jinja renders, and a decision."""
    return {"docs/x.md": f"---\nrender_macros: true\n---\n# X\n\n{text}\n", **record("Why.")}


def sample(text: str) -> Files:
    """Return a sample file with a text, and a decision."""
    return {"docs/standards/samples/x.txt": text, **record("Why.")}


def standard(text: str) -> Files:
    """Return a standard with a text."""
    head = "---\nstatus: in-force\nowner: order-team\n---\n# Tests\n\n"
    return {"docs/standards/05-tests.md": f"{head}{text}\n"}


def runbook(text: str) -> Files:
    """Return a runbook with a text in its steps, and its service."""
    head = "---\nservice: shop\nseverity: sev-2\nowner: order-team\nreviewed: 2026-11-01\n---\n"
    return {
        "runbooks/shop/slow.md": f"{head}# Slow\n\n## When to use this runbook\n\nNow.\n\n"
        f"## Diagnosis steps\n\n{text}\n\n## Common causes and fixes\n\n### A\n\n"
        "**Symptom:** A.\n\n**Fix:** B.\n\n## Escalation\n\n- Tier 1 (15 min): On-call engineer\n",
        **_SERVICE,
    }


def postmortem(timeline: str, actions: str = "") -> Files:
    """Return a post-mortem with a timeline and a table of actions, and its service."""
    head = (
        "---\nstatus: draft\nseverity: sev-2\nservices: [shop]\nauthors: [order-team]\n"
        "started: 2026-03-01T10:00Z\ndetected: 2026-03-01T10:01Z\n"
        "resolved: 2026-03-01T11:00Z\n---\n"
    )
    table = f"| Id | Action | Owner | Due | Status |\n|---|---|---|---|---|\n{actions}"
    return {
        "postmortems/2026-03-01-a.md": f"{head}# A\n\n## Impact\n\nNone.\n\n"
        f"## Timeline\n\n{timeline}\n\n## Root cause\n\nA.\n\n## What went well\n\nA.\n\n"
        f"## What went wrong\n\nA.\n\n## Action items\n\n{table}\n\n## Lessons learned\n\nA.\n",
        **_SERVICE,
    }


def action_table(rows: str) -> Files:
    """Return a post-mortem with these rows in its table of actions, and its service."""
    return postmortem("- 10:00 — x", rows)


def rule_file(text: str) -> Files:
    """Return a rule file and its service."""
    return {"runbooks/shop/x.rules.yml": text, **_SERVICE}


def rule_list(text: str) -> Files:
    """Return a rule file of one group, and its service."""
    return rule_file(f"groups:\n- name: g\n  rules:\n{text}\n")


def group_list(text: str) -> Files:
    """Return a rule file with these groups, and its service."""
    return rule_file(f"groups:\n{text}\n")


def audit(text: str) -> Files:
    """Return an audit and its service."""
    return {"docs/services/shop/2026-Q4.yml": text, **_SERVICE}


def results(text: str) -> Files:
    """Return an audit with these results, and its service."""
    return audit(f"date: 2026-11-01\nauditor: order-team\ncommit: abc\nresults:\n{text}\n")


def settings(text: str) -> Files:
    """Return settings with more lines, and a decision."""
    return {POLICY: f"{SETTINGS}{text}\n", **record("Why.")}


def lines(part: str, separator: str = "\n") -> Repeat:
    """Repeat a part on its own lines. `{}` in the part becomes a number."""

    def repeat(size: int) -> str:
        parts: list[str] = []
        length = 0
        for number in count(1):
            if length >= size:
                break
            parts.append(part.replace("{}", str(number)))
            length += len(parts[-1].encode()) + len(separator)
        return separator.join(parts)

    return repeat


def inline(part: str, longest: int = 10**9) -> Repeat:
    """Repeat a part in a paragraph of long lines, at most `longest` bytes."""

    def repeat(size: int) -> str:
        line = part * max(min(LINE, longest, size) // len(part.encode()), 1)
        return "\n".join([line] * max(min(size, longest) // len(line.encode()), 1))

    return repeat


def runs(part: str, before: str = "", after: str = "") -> Repeat:
    """Repeat paragraphs of one line, each with one long run of a part."""

    def repeat(size: int) -> str:
        length = min(LINE, size) - len(before) - len(after)
        line = before + part * max(length // len(part), 1) + after
        return "\n\n".join([line] * max(size // len(line.encode()), 1))

    return repeat


def around(before: str, repeat: Repeat, after: str = "") -> Repeat:
    """Put a text before and after a repeated part."""
    return lambda size: f"{before}{repeat(size)}{after}"


def one_line(before: str, part: str, after: str = "") -> Repeat:
    """Repeat a part on one line, up to the longest line."""
    return lambda size: before + part * (min(size, LINE - len(before)) // len(part)) + after


def nested(opening: str, closing: str = "") -> Repeat:
    """Nest a part, with a line break after each 1,000 levels."""

    def repeat(size: int) -> str:
        levels = size // (len(opening) + len(closing))
        groups = [min(1000, levels - level) for level in range(0, levels, 1000)]
        start = "\n".join(opening * group for group in groups)
        return f"{start}x" + "\n".join(closing * group for group in groups)

    return repeat


def nested_line(before: str, opening: str, closing: str) -> Repeat:
    """Nest a part on one line."""

    def repeat(size: int) -> str:
        levels = min(size, LINE) // (len(opening) + len(closing))
        return f"{before}{opening * levels}x{closing * levels}"

    return repeat


def fences(script: str, language: str = "sh") -> Repeat:
    """Repeat a block of code."""
    return lines(f"```{language}\n{script}\n```\n")


def one_fence(script: Repeat) -> Repeat:
    """Put a long script into one block of code."""
    return around("```sh\n", script, "\n```")


def stairs(part: str, step: str, levels: int) -> Repeat:
    """Repeat a part, each deeper than the one before, and start again after `levels`."""

    def repeat(size: int) -> str:
        block = "".join(f"{step * level}{part}\n" for level in range(levels))
        return "\n".join([block] * max(size // len(block), 1))

    return repeat


def table(cells: int, row: str) -> Repeat:
    """Repeat a row of a table with this number of columns."""
    return around(f"|{'a|' * cells}\n|{'-|' * cells}\n", lines(row))


def growing(part: str, before: str = "") -> Repeat:
    """Repeat lines with one part more on each line than on the line before."""
    return lambda size: "\n".join(
        before + part * (number % LINE) for number in range(1, isqrt(2 * size // len(part)))
    )


def wide_merges(size: int) -> str:
    """Return a wide mapping, and many mappings into which it is merged."""
    keys = lines("k{}: v", ",\n  ")(size // 2)
    merges = lines("y{}: {<<: *a}")(size // 2)
    return f"x: &a {{{keys}}}\n{merges}"


def bomb(size: int) -> str:
    """Return nine lists, each of ten aliases of the list before, and a comment."""
    lists = (f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in pairwise("abcdefghi"))
    comment = lines("# a")(size)
    return "\n".join(["a: &a [x, x, x, x, x, x, x, x, x, x]", *lists, comment])


MARKDOWN: Final[Mapping[str, Repeat]] = {
    "comment starts": inline("<!--"),
    "comment starts in lines": lines("<!--"),
    "comment starts after text": lines("a <!--"),
    "comments": lines("<!-- a -->"),
    "comments in text": lines("a <!-- a --> b"),
    "declaration starts": inline("<!a"),
    "CDATA starts": inline("a <![CDATA["),
    "processing starts": inline("a <?"),
    "tag starts": inline("<a "),
    "tags": inline("<b>"),
    "end tags": inline("</kbd>"),
    "allowed tags": inline("<kbd>"),
    "same tags": lines("x <b> <b> <b>\n"),
    "tag attributes": runs("b=c ", "<a "),
    "unclosed attributes": inline("<a b='"),
    "image starts": inline("!["),
    "link starts": inline("[a]("),
    "link starts with angles": inline("[a](<b"),
    "link starts with titles": inline('[a](b "'),
    "link starts with parentheses": inline("[a](("),
    "brackets": inline("["),
    "closing brackets": inline("]"),
    "bracket pairs": inline("[]"),
    "nested brackets": nested("[", "]"),
    "reference links": inline("[a][b] "),
    "unknown references": lines("[a{}][b{}] "),
    "footnote references": lines("[^a{}] "),
    "footnotes": lines("x[^a{}]\n\n[^a{}]: Note.\n"),
    "same footnote": lines("[^a]: Note.\n"),
    "references to one footnote": around("[^a]: Note.\n\n", inline("x[^a] ")),
    "definitions": lines("[a{}]: /b"),
    "definitions and links": lines("[a{}]: 0001-a.md\n\n[a{}]\n"),
    "same definition": lines("[a]: /b"),
    "links to one definition": around(f"[a]: {'b' * 5000}\n\n", inline("[a] ")),
    "emphasis": inline("*a **b "),
    "emphasis marks": inline("*"),
    "emphasis alternating": inline("*_"),
    "underscores": inline("_a__b"),
    "closing marks": inline("a** b* "),
    "strikethrough": inline("~~a "),
    "strikethrough and emphasis": inline("~a *b _c "),
    "code starts": growing("`", "a "),
    "code spans": inline("`a` "),
    "autolinks": inline("https://a.example "),
    "autolinks with marks": inline("https://a.example/a_*b* *"),
    "long addresses": runs("a", "https://a.example/"),
    "addresses with entities": runs("&a;", "https://a.example/"),
    "addresses with parentheses": runs(")", "https://a.example/"),
    "schemes": inline("http://"),
    "mail": inline("a@b.example "),
    "mail starts": inline("a@"),
    "mail parts": inline("a."),
    "mail dashes": inline("a@b-"),
    "www": inline("www.a "),
    "angle links": inline("<https://a.example> "),
    "angle starts": inline("<https://a "),
    "entities": inline("&amp;"),
    "ampersands": inline("&"),
    "backslashes": inline("\\"),
    "escapes": inline("\\*"),
    "escaped brackets": inline("\\[a](b"),
    "hard breaks": lines("a  "),
    "one character": inline("x"),
    "one character in lines": lines("x"),
    "paragraphs": lines("x\n"),
    "blank lines": lines(""),
    "spaces": inline(" "),
    "spaces and a letter": runs(" ", "", "a"),
    "tabs": inline("\t"),
    "quote lines": lines("> x"),
    "quotes": lines("> x\n"),
    "nested quotes": nested("> "),
    "quotes 90 deep": lines("> " * 90 + "x\n"),
    "lazy quotes": around("> " * 50, lines("x")),
    "list items": lines("- x"),
    "loose list items": lines("- x\n"),
    "nested list items": stairs("- x", "  ", 40),
    "items on one line": nested("- "),
    "numbered items": lines("{}. x"),
    "items with code": lines("- ```\n  x\n  ```"),
    "task items": lines("- [ ] x"),
    "item then paragraph": lines("- x\n\n  y\n"),
    "checklist items": lines("- **STD-05.{}** x"),
    "same checklist item": lines("- **STD-05.1** x"),
    "headings": lines("## H {}\n\nx\n"),
    "same headings": lines("## Same\n\nx\n"),
    "same headings with numbers": lines("## Same\n\nx\n\n## Same-{}\n\nx\n"),
    "headings near ids": lines("### x {#same-{}}\n\n### Same\n\nx\n"),
    "subheadings": lines("### H {}\n"),
    "setext headings": lines("H {}\n---\n"),
    "long setext heading": around("", inline("x "), "\n---\n"),
    "heading ids": lines("### H {#h-{}}\n"),
    "heading braces": runs("{#", "### "),
    "hashes": inline("#"),
    "table rows": table(2, "| c | d |"),
    "table cells": table(1000, f"|{'x|' * 1000}"),
    "short rows of a wide table": table(1000, "|x|"),
    "tables": lines("| a |\n|---|\n| b |\n"),
    "table heads": lines("| a |\n|---|"),
    "pipes": inline("|"),
    "almost tables": lines("| a | b |\n|---|"),
    "rules": lines("---\n"),
    "fences": lines("```\nx\n```\n"),
    "unclosed fences": lines("```"),
    "longer fences": growing("`", "```"),
    "shell fences": fences("if true; then"),
    "plain shell fences": fences("kubectl get pods"),
    "json fences": fences('{"a": 1}', "json"),
    "yaml fences": fences("a: b", "yaml"),
    "console fences": fences("$ ls", "console"),
    "callouts": lines("> [!NOTE]\n> x\n"),
    "admonitions": lines("!!! note\n    x\n"),
    "admonition titles": lines('!!! note "x"'),
    "nested admonitions": stairs("!!! note", "    ", 90),
    "tabs of Material": lines('=== "a"\n\n    x\n'),
    "definition lists": lines("a\n:   b\n"),
    "abbreviations": lines("*[A{}]: b\n"),
    "attribute lists": inline("x{: .a } "),
    "attribute list starts": inline("{: "),
    "keys of Material": inline("++a+"),
    "marks of Material": inline("==a "),
    "critic marks": inline("{++a "),
    "emoji names": inline(":a:"),
    "math": inline("$a "),
    "math blocks": lines("$$\na\n"),
    "includes": lines('```\n--8<-- "x"\n```\n'),
    "include marks": lines("--8<--"),
    "suppressions": lines("<!-- handbook: allow LNK001: a -->\n[x](y.md)\n"),
    "suppressions alone": lines("<!-- handbook: allow LNK001: a -->"),
    "suppressions without reason": lines("<!-- handbook: allow LNK001 -->\n"),
    "suppressions and spaces": runs(" ", "<!-- handbook:", "-->"),
    "suppression words": runs("-a", "<!-- handbook: allow a", "-->"),
    "unknown ids": inline("ADR-0099 "),
    "known ids": inline("ADR-0001 "),
    "different ids": lines("ADR-{}"),
    "almost ids": inline("ADR-"),
    "hyphens": inline("a-"),
    "links to a file": lines("[x](0001-a.md)"),
    "broken links": lines("[x](y{}.md)"),
    "broken anchors": lines("[x](#y{})"),
    "links to sections": lines("[x](#context)"),
    "links up": inline(f"[x]({'../' * 50}) "),
    "images": lines("![x](y{}.png)"),
    "details": lines("<details>\n\nx\n\n</details>\n"),
    "unclosed details": lines("<details>\n"),
    "to do": lines("TODO: x\n"),
    "to do in text": inline("TODO "),
    "placeholders": inline("<pod> "),
    "angle brackets": inline("<"),
    "ellipses": lines("...\n"),
    "instructions": lines("[Describe the context …]\n"),
    "conflict marks": lines("<<<<<<< HEAD"),
    "percentages": inline("5 % "),
    "times": inline("10:00 "),
    "dates": inline("2026-03-02 "),
    "names of hosts": inline("a-host.internal "),
    "addresses of hosts": inline("10.0.0.1 "),
    "dotted letters": inline("a.b.c.d."),
    "passwords in URLs": inline("//a:b@c "),
    "password starts": inline("//a:"),
    "slashes": inline("//"),
    "passwords in queries": inline("?password="),
    "bearer starts": inline("Bearer "),
    "assignments": inline("password = "),
    "assignments of secrets": inline("api_key: "),
    "token prefixes": inline("ghp_"),
    "secret keys": inline("secret_access_key "),
    "private key headers": lines("-----BEGIN PRIVATE KEY-----"),
    "private key headers in a line": inline("-----BEGIN PRIVATE KEY-----"),
    "private key body": around("-----BEGIN PRIVATE KEY-----\n", lines("A" * 64)),
    "private key breaks": around("-----BEGIN PRIVATE KEY-----", inline("\\n")),
    "PuTTY headers": inline("PuTTY-User-Key-File-2: "),
    "base64": inline("aB3+"),
    "AWS words": inline("aws "),
    "AWS secrets": inline("aws_secret_access_key='"),
    "OpenAI starts": inline("sk-"),
    "JWT starts": inline("eyJ"),
    "JWT parts": inline("eyJhbGciOi.eyJ"),
    "combining characters": inline("a\u0301"),
    "alarm emoji": inline("\U0001f6a8"),
    "zero width": inline("a\u200b"),
    "dashes and quotes": inline("“–”"),
    "full width": inline("\uff21"),
    "capital sharp s": inline("\u1e9e"),
    "dotted I": inline("\u0130"),
    "Arabic": inline("\u0627\u0644 "),
    "non-breaking spaces": inline("\xa0"),
}

SHELL: Final[Mapping[str, Repeat]] = {
    "braces": one_line("echo ", "{a,"),
    "closed braces": nested_line("echo ", "{a,", "}"),
    "braces in lines": lines("echo {a,{a,{a,{a,{a,{a,"),
    "parentheses": one_line("echo ", "$("),
    "12 parentheses": lines(f"echo {'$(' * 12}{')' * 12}"),
    "6 arithmetics": lines(f"echo {'$((' * 6}1{'))' * 6}"),
    "brackets of arithmetics": one_line("echo ", "$["),
    "parameters": one_line("echo ", "${a:-"),
    "closed parameters": nested_line("echo ", "${a:-", "}"),
    "subscripts": one_line("a", "[a"),
    "parameters with subscripts": one_line("echo ", "${a["),
    "backquotes": one_line("echo ", "`"),
    "escaped backquotes": one_line("echo ", "`echo \\"),
    "mixed quotes": one_line("echo ", "\"$(echo '"),
    "double quotes": lines('echo "a'),
    "nested double quotes": one_line("echo ", '"${a:-'),
    "single quotes": lines("echo 'a"),
    "if": lines("if true; then"),
    "closed if": lines("if true; then a; fi"),
    "while": lines("while a; do"),
    "case": lines("case a in"),
    "case patterns": lines("case a in a) b"),
    "functions": lines("f{}() {"),
    "groups": inline("{ "),
    "here documents": lines("cat <<A{}"),
    "here documents on a line": one_line("cat ", "<<A "),
    "pipes": one_line("a ", "| a "),
    "pipes in lines": lines("a |"),
    "and": lines("a &&"),
    "semicolons": inline("a;"),
    "words": inline("a "),
    "words with equals": inline("a=b "),
    "arrays": inline("a=("),
    "commands": lines("echo $a{}"),
    "commands with braces": lines("echo {a,b}"),
    "assignments": lines("a{}=$a{}"),
    "continued lines": lines("kubectl get \\"),
    "continued words": lines("foo \\"),
    "brackets": inline("[ "),
    "double brackets": inline("[[ "),
    "conditions": one_line("[[ ", "a && ("),
    "negations": one_line("[[ ", "! "),
    "extended globs": one_line("echo ", "@(a|"),
    "process substitutions": one_line("a ", "<("),
    "redirections": inline("> a "),
    "exclamations": inline("! "),
    "comments": lines("# a"),
    "directives": lines("# shellcheck disable=SC1000"),
    "plain words": one_line("kubectl ", "a "),
    "plain quotes": one_line("kubectl ", "'a'"),
    "plain mixed quotes": one_line("kubectl ", "'a\"a"),
    "plain pipes": one_line("grep a ", "| grep a "),
    "plain almost": one_line("grep ", "a", "$"),
    "plain almost in lines": lines("grep a b c d $"),
    "ANSI quotes": inline("$'a"),
    "destructive": lines("rm -rf /"),
    "destructive on a line": inline("rm -rf "),
    "deletes": inline("delete from "),
    "flags": one_line("rm ", "-a "),
    "kubectl flags": one_line("kubectl ", "-a ", "delete"),
    "sudo": one_line("", "sudo ", "rm"),
    "environment": one_line("", "A=b ", "rm"),
    "SQL": inline("update a set "),
    "curl": one_line("curl ", "-X ", "DELETE"),
    "find": one_line("find ", "-name a ", "-delete"),
    "xargs": one_line("", "xargs ", "rm"),
    "typographic": inline("“a” – "),
    "prompts": lines("$ ls"),
}

YAML: Final[Mapping[str, Repeat]] = {
    "keys": lines("k{}: v"),
    "misspelt keys": lines("statu{}: v"),
    "same key": lines("k: v"),
    "flow keys": around("x: {", lines("k{}: v", ",\n  "), "}"),
    "items": around("x:\n", lines("- a")),
    "misspelt values": around("tags: [", lines("databas{}", ",\n  "), "]"),
    "references": around("supersedes: [", lines("ADR-9{}", ",\n  "), "]"),
    "flow items": around("x: [", lines("a", ",\n  "), "]"),
    "deep blocks": lambda size: "\n".join(" " * i + "a:" for i in range(isqrt(2 * size))),
    "deep lists": nested("[", "]"),
    "deep dashes": nested("- "),
    "starts": around("x: ", lines("[", "\n  ")),
    "plain scalar": around("x: ", lines("a" * 80, "\n  ")),
    "plain words": around("x: ", lines("a", "\n  ")),
    "long status": around("status: ", lines("a" * 80, "\n  ")),
    "double quotes": around('x: "', lines("a" * 80, "\n  "), '"'),
    "escapes": around('x: "', lines("\\x41" * 20, "\n  "), '"'),
    "unclosed quotes": around('x: "', lines("a" * 80, "\n  ")),
    "literal": around("x: |\n  ", lines("a" * 80, "\n  ")),
    "literal of short lines": around("x: |\n  ", lines("a", "\n  ")),
    "folded": around("x: >\n  ", lines("a", "\n  ")),
    "blank literal": around("x: |\n  a\n", lines(""), "\ny: a"),
    "comments": lines("# a"),
    "suppressions": lines("# handbook: allow LNK001: a"),
    "suppressions and keys": lines("# handbook: allow FM003: a\nk{}: v"),
    "aliases": around("x: &a [b]\n", lines("y{}: *a")),
    "anchors": lines("k{}: &a{} v"),
    "merges": around("x: &a {b: c}\n", lines("y{}:\n  <<: *a")),
    "merge lists": around("x: &a {b: c}\ny:\n  <<: [", lines("*a", ",\n  "), "]"),
    "wide merges": wide_merges,
    "bomb": bomb,
    "tags": lines("k{}: !!str v"),
    "documents": lines("---\na: b"),
    "colons": inline("a:"),
    "question marks": inline("? "),
    "dashes": inline("- "),
    "quoted keys": lines('"k{}": v'),
    "tabs": inline("\t"),
    "dates": lines("k{}: 2026-01-01"),
    "percents": inline("%"),
    "passwords": lines("password{}: a"),
}

PROMQL: Final = {
    "sums": "up+",
    "negations": "-",
    "parentheses": "(",
    "selectors": 'up{a="b"} or ',
    "labels": 'a="b",',
    "strings": '"a" ',
    "raw strings": "`a` ",
    "comments": "# a ",
    "braces": "{",
    "brackets": "[",
    "calls": "abs(",
    "words": "a ",
    "digits": "1",
    "colons": "a:",
    "dashes": "a-",
    "ranges": "up[5m] + ",
    "patterns": '{a=~"(a|b)+"} or ',
    "templates": "{{ $labels.a }}",
}

RULES: Final = {
    "alerts": "  - alert: A{}\n    expr: up == 0\n    labels: {severity: page}",
    "same alert": "  - alert: A\n    expr: up == 0",
    "similar alerts": "  - alert: OrdersAreVerySlowNow{}\n    expr: up == 0",
    "recordings": "  - record: a:b:c{}\n    expr: up",
    "same recording": "  - record: a:b:c\n    expr: up",
    "alerts of recordings": "  - record: a:b:c{}\n    expr: up\n"
    "  - alert: A{}\n    expr: a:b:c{} > 1",
    "unknown recordings": "  - record: a:b:c{}\n    expr: up\n"
    "  - alert: A{}\n    expr: a:b:d{} > 1",
    "invalid expressions": "  - alert: A{}\n    expr: up =",
    "deep expressions": f"  - alert: A{{}}\n    expr: {'-' * 120}up",
    "unknown severities": "  - alert: A{}\n    expr: up\n    labels: {severity: paige}",
    "unknown keys": "  - alert: A{}\n    expr: up\n    foo: bar",
    "runbook addresses": "  - alert: A{}\n    expr: up\n    annotations:\n"
    "      runbook_url: https://handbook.example/alerts/B{}/",
    "templates": "  - alert: A{}\n    expr: up\n    annotations:\n"
    "      summary: '{{ $value }} {{ $x }}'",
    "scalars": "  - a",
}

JINJA: Final[Mapping[str, Repeat]] = {
    "expressions": inline("{{ a }}"),
    "expression starts": inline("{{ "),
    "statements": lines("{% if x %}"),
    "closed statements": lines("{% if x %}{% endif %}"),
    "comments": inline("{# "),
    "calls": inline("{{ adr_index() }}"),
    "filters": around("{{ a", inline("|b"), " }}"),
    "sums": around("{{ a", inline("+b"), " }}"),
    "parentheses": around("{{ ", nested("(", ")"), " }}"),
    "macros": lines("{% macro a{}() %}{% endmacro %}{{ a{}() }}"),
    "loops": lines("{% for a in range(9) %}"),
    "assignments": lines("{% set a{} = 1 %}"),
    "text": inline("a"),
    "raw": lines("{% raw %}a{% endraw %}"),
    "policy": inline("{{ policy.a.b }}"),
}

_TIMELINE: Final = {
    "entries": "- 10:00 — x",
    "dated entries": "- 2026-03-01 10:00 — x",
    "wrong entries": "- x {}",
    "falling entries": "- 11:00 — x\n- 10:00 — y",
}
_ACTIONS: Final = {
    "actions": "| A{} | x | order-team | 2026-12-01 | open |",
    "same action": "| A1 | x | order-team | 2026-12-01 | open |",
    "wrong rows": "| x |",
}


def _list_promql() -> Iterator[Case]:
    for name, part in PROMQL.items():
        expression = "\n        ".join((part * (LINE // len(part)), ""))
        yield Case(
            f"promql: {name}",
            rule_list,
            around("  - alert: A\n    expr: >-\n        ", lines(expression, "        ")),
        )


def list_cases() -> Iterator[Case]:
    """List all cases."""
    for make in (record, runbook, standard, page, sample):
        for name, repeat in MARKDOWN.items():
            yield Case(f"{make.__name__}: {name}", make, repeat)
    for name, repeat in SHELL.items():
        yield Case(f"shell: {name}", runbook, one_fence(repeat))
        yield Case(f"inline shell: {name}", runbook, around("`", repeat, "`"))
        yield Case(f"shell fences: {name}", runbook, fences(repeat(100)))
    for make in (front_matter, rule_file, audit, settings):
        for name, repeat in YAML.items():
            yield Case(f"{make.__name__}: {name}", make, repeat)
    yield from _list_promql()
    for name, part in RULES.items():
        yield Case(f"rules: {name}", rule_list, lines(part))
    yield Case("rules: groups", group_list, lines("- {name: g{}, rules: []}"))
    yield Case("rules: same group", group_list, lines("- {name: g, rules: []}"))
    yield Case("audit: unknown items", results, lines("  T-{}: {verdict: pass}"))
    yield Case("audit: same item", results, lines("  T-01: {verdict: pass}"))
    for name, part in _TIMELINE.items():
        yield Case(f"timeline: {name}", postmortem, lines(part))
    for name, part in _ACTIONS.items():
        yield Case(f"actions: {name}", action_table, lines(part))
    for name, repeat in JINJA.items():
        yield Case(f"template: {name}", template, repeat)
        yield Case(f"template in a standard: {name}", standard, repeat)
