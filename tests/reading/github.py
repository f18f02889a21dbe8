"""Compare our rendering of Markdown with GitHub's: normal form, inputs, known differences.

GitHub renders with cmark-gfm, which `cmarkgfm` binds. Its page and ours have different HTML for
the same text. `normal_form` keeps only the visible content, without the elements in the tables
`DROPPED` and `UNWRAPPED`. The comparison also evens out these differences:

- Callouts: cmark-gfm has none, so their mark is removed from its quotations.
- Raw HTML: GitHub keeps all of it, but a record's page keeps a few elements. The raw HTML from
  cmark-gfm is rewritten in the form of a record's page, so that all HTML is compared. The effect of
  an unpaired element is not compared: our pages close it where it was opened.
- Ids of records are not links here, because `UnchangedReferences` resolves no record.
- Addresses are percent-encoded on both sides. GitHub encodes them. On our pages the references do.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import unified_diff
from html import escape, unescape
from pathlib import Path
from typing import Final
from unittest.mock import patch
from urllib.parse import quote

import cmarkgfm
from cmarkgfm.cmark import Options
from selectolax.lexbor import LexborHTMLParser, LexborNode

from handbook.reading.highlighting import highlight_code
from handbook.reading.render import NamedTarget, render
from handbook.reading.source import Source, read_page_body

# --- GitHub's renderer ------------------------------------------------------------------------

EXTENSIONS: Final = ("table", "autolink", "strikethrough", "tasklist")
_OMITTED: Final = "<!-- raw HTML omitted -->"
_CALLOUT: Final = re.compile(
    r"<blockquote>\n<p>\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\](?:(</p>)|(?:<br />)?\n)",
    re.IGNORECASE,
)
_TAG: Final = re.compile(
    r"<!---?>|<!--.*?(?:--!?>|\Z)|<(?:\"[^\"]*\"|'[^']*'|[^'\">])*>", re.DOTALL
)
_SHOWN: Final = re.compile(r"<(?:br ?/?|/?(?:kbd|sub|sup|details|summary))>", re.IGNORECASE)
_SECTION: Final = re.compile(r"</?(?:details|summary)>", re.IGNORECASE)


def github_html(text: str) -> str:
    """Render a text as GitHub does, but with raw HTML in a record's form."""
    html = _render_cmark(text, Options.CMARK_OPT_UNSAFE)
    if "<" in text and _OMITTED in (without := _render_cmark(text, 0)):
        return _rewrite_html(html, without)
    return html


def _render_cmark(text: str, options: int) -> str:
    html = cmarkgfm.markdown_to_html_with_extensions(
        text, options=options | Options.CMARK_OPT_FOOTNOTES, extensions=EXTENSIONS
    )
    return _CALLOUT.sub(_mark_callout, html) if "<blockquote>\n<p>[!" in html else html


def _mark_callout(match: re.Match[str]) -> str:
    return f'<blockquote class="{match[1].lower()}">\n' + ("" if match[2] else "<p>")


def _rewrite_html(html: str, without: str) -> str:
    """Rewrite the raw HTML in `html`. `without` is the same HTML with marks in place of it."""
    previous, *texts = without.split(_OMITTED)
    pattern = _make_pattern(previous)
    for text in texts:
        is_block = previous[-1:] in ("", "\n") and text.startswith("\n")
        pattern += (r"( {0,3}<.*?)" if is_block else r"(<.*?>)") + _make_pattern(text)
        previous = text
    match = re.fullmatch(pattern, html, re.DOTALL)
    assert match is not None, html
    groups = list(match.groups())
    for index in range(1, len(groups), 2):
        begins_line = groups[index - 1][-1:] in ("", "\n")
        groups[index] = _rewrite_raw_html(groups[index], begins_line=begins_line)
    return "".join(groups)


def _make_pattern(html: str) -> str:
    """Make a pattern of HTML in which addresses of active schemes are empty."""
    return "(" + re.sub(r'(href|src)=""', r'\1="[^"]*"', re.escape(html)) + ")"


def _rewrite_raw_html(raw: str, *, begins_line: bool) -> str:
    """Rewrite raw HTML as a record does: few elements, no comments, other tags as text."""
    html, end = "", 0
    for match in _TAG.finditer(raw):
        html += escape(unescape(raw[end : match.start()]), quote=False)
        end = match.end()
        if match[0].startswith("<!--"):
            continue
        is_kept = _SHOWN.fullmatch(match[0]) and (begins_line or not _SECTION.fullmatch(match[0]))
        html += match[0] if is_kept else escape(match[0], quote=False)
    return html + escape(unescape(raw[end:]), quote=False)


# --- our renderer -----------------------------------------------------------------------------


class UnchangedReferences:
    """References that leave every address unchanged and resolve no record, drawing or file."""

    def resolve_link(self, link: str) -> str:
        """Return the address unchanged."""
        return link

    def resolve_id(self, id: str) -> NamedTarget | None:
        """Return no record."""
        return None

    def find_terms(self, text: str) -> Iterator[tuple[re.Match[str], NamedTarget]]:
        """Return no term."""
        return iter(())

    def read_drawing(self, link: str, alt: str) -> str | None:
        """Return no drawing."""
        return None

    @property
    def read_listing(self) -> Callable[[str], str | None]:
        """A function that returns no file."""
        return lambda path: None

    def find_listing_page(self, path: str) -> None:
        """Return no page."""


def handbook_html(source: Source) -> str:
    """Render a file as our pages do, with the language of each block of code."""
    with patch("handbook.reading.render.highlight_code", _code_block_with_language):
        return render(source, UnchangedReferences()).html


def _code_block_with_language(text: str, info: str) -> str:
    language = re.split(r"[ \t]", info)[0]
    return f'<div data-language="{escape(language)}">{highlight_code(text, info)}</div>'


# --- the normal form --------------------------------------------------------------------------

DROPPED: Final[Mapping[str, str]] = {
    "a.headerlink": "the permalink of a heading; GitHub's site adds its own",
    "a.footnote-backref": "the backlink of a footnote; GitHub has one for each reference",
    "p.admonition-title": "the title of a callout, which repeats its kind",
    "span.filename": "the title of a block of code, which GitHub does not show",
    "span.linenos": "the number of a line of code, which GitHub does not show",
    "input": "the box of a task; the normal form has its state in the item",
}
"""Elements that are left out with their content, and the reason."""
UNWRAPPED: Final[Mapping[str, str]] = {
    "div": "the boxes around code",
    "label": "the box around the state of a task",
    "span": "the colours of Pygments",
    "tbody": "absent in GitHub's tables without rows; cells of the head have their own element",
    "thead": "as tbody",
}
"""Elements of which only the content is compared, and the reason."""
_INLINE: Final = frozenset(("a", "code", "del", "em", "img", "kbd", "note", "strong", "sub", "sup"))
_HEADINGS: Final = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_EXPLICIT_ID: Final = re.compile(r"\s+\{#[A-Za-z][\w.-]*\}\s*$")
_BACK_SPACE: Final = re.compile(r"[ \xa0]+$")
"""The space between the text of a footnote and its backlink."""
_SPACE: Final = re.compile(r"[ \t\n\f\r]+")
_SAFE_IN_ADDRESS: Final = "-_.+!*'(),%#@?=;:/&$~"
"""The characters that cmark-gfm keeps in an address. It percent-encodes the others."""


@dataclass
class Element:
    """An element of the normal form: its name, its relevant attributes and its content."""

    name: str
    label: str = ""
    children: list[Element | str] = field(default_factory=list)

    def lines(self, indent: str = "") -> Iterator[str]:
        """Yield this element and its content, one per line."""
        yield f"{indent}{self.name} {self.label}".rstrip()
        for child in self.children:
            if isinstance(child, str):
                yield f"{indent}  {child!r}"
            else:
                yield from child.lines(indent + "  ")


def normal_form(html: str) -> str:
    """Return the elements and texts of a page, one per line, indented by their depth."""
    body = LexborHTMLParser(f"<body>{html}</body>").body
    assert body is not None
    return "\n".join(Element("page", children=_read_block(body)).lines())


def _read_children(node: LexborNode) -> Iterator[Element | str]:
    for child in node.iter(include_text=True):
        if child.tag == "-text":
            yield child.text_content or ""
        elif child.is_element_node and not {child.tag, _read_name(child)} & DROPPED.keys():
            yield from _read_element(child, child.tag or "")


def _read_name(node: LexborNode) -> str:
    """Return the tag of an element and its first class."""
    return f"{node.tag}.{(node.attributes.get('class') or '').partition(' ')[0]}"


def _read_element(node: LexborNode, tag: str) -> Iterator[Element | str]:
    name = _read_name(node)
    if tag == "pre":
        yield _read_code_block(node)
    elif name in ("div.footnote", "section.footnotes"):
        notes = node.css_first("ol")
        yield Element("notes", children=_read_block(notes) if notes else [])
    elif name == "div.admonition" or (tag == "blockquote" and node.attributes.get("class")):
        kind = _read_attribute(node, "class").removeprefix("admonition ")
        yield Element("callout", kind.partition(" ")[0], _read_block(node))
    elif tag == "sup" and node.css_first(".footnote-ref"):
        yield Element("note", node.text())
    elif tag == "code":
        yield Element("code", children=[node.text()])
    elif tag == "a" and "href" not in node.attributes:
        return  # it is the anchor of an old id
    elif tag in UNWRAPPED:
        yield from _read_children(node)
    elif tag == "strong" and node.parent and node.parent.tag == "strong":
        yield from _read_children(node)  # GitHub unwraps strong text in strong text
    elif tag in _INLINE:
        yield Element(tag, _make_label(node, tag), _merge_texts(_read_children(node)))
    else:
        has_backlink = tag == "p" and node.css_first("a.footnote-backref") is not None
        end = _BACK_SPACE if has_backlink else _EXPLICIT_ID if tag in _HEADINGS else None
        children = _read_block(node, end)
        if children or not has_backlink:
            yield Element(tag, _make_label(node, tag), children)


def _make_label(node: LexborNode, tag: str) -> str:
    match tag:
        case "a":
            return f"{_read_address(node, 'href')} {_read_attribute(node, 'title')!r}"
        case "img":
            alt = _SPACE.sub(" ", _read_attribute(node, "alt")).strip(" ")
            return f"{_read_address(node, 'src')} {alt!r} {_read_attribute(node, 'title')!r}"
        case "li":
            return _read_task_state(node)
        case "ol":
            return _read_attribute(node, "start") or "1"
        case "td" | "th":
            return _read_attribute(node, "align")
        case _:
            return ""


def _read_attribute(node: LexborNode, name: str) -> str:
    return node.attributes.get(name) or ""


def _read_address(node: LexborNode, name: str) -> str:
    return quote(_read_attribute(node, name), safe=_SAFE_IN_ADDRESS)


def _read_task_state(item: LexborNode) -> str:
    """Return the state of a task. Its box is in the item, as on GitHub, or in its text."""
    box = item.css_first("input")
    container = box.parent if box else None
    while container is not None and container.tag in ("label", "p", *_HEADINGS):
        container = container.parent
    if box is None or container is None or container.mem_id != item.mem_id:
        return ""
    return "done" if "checked" in box.attributes else "to do"


def _read_code_block(pre: LexborNode) -> Element:
    code = pre.css_first("code") or pre
    for number in code.css("span.linenos"):
        number.decompose()
    language = _read_attribute(code, "class").removeprefix("language-")
    box = pre.parent
    while box is not None and box.tag == "div":
        language = _read_attribute(box, "data-language") or language
        box = box.parent
    lines: list[Element | str] = [*code.text().removesuffix("\n").split("\n")]
    return Element("pre", language.strip(), lines)


def _merge_texts(children: Iterator[Element | str]) -> list[Element | str]:
    """Join neighbouring texts, collapse white space, and remove it beside line breaks."""
    merged: list[Element | str] = []
    for child in children:
        if isinstance(child, str) and merged and isinstance(last := merged[-1], str):
            merged[-1] = last + child
        else:
            merged.append(child)
    return [*_trim_texts(merged)]


def _trim_texts(children: list[Element | str]) -> Iterator[Element | str]:
    neighbours = zip([None, *children], children, [*children[1:], None], strict=False)
    for previous, child, following in neighbours:
        if isinstance(child, str):
            text = _SPACE.sub(" ", child)
            text = text.lstrip(" ") if _is_block(previous) else text
            text = text.rstrip(" ") if _is_block(following) else text
            if text:
                yield text
        else:
            yield child


def _is_block(child: Element | str | None) -> bool:
    return isinstance(child, Element) and child.name not in _INLINE


def _read_block(node: LexborNode, end: re.Pattern[str] | None = None) -> list[Element | str]:
    """Read a block, without white space and a match of `end` at its end."""
    edge, children = Element("br"), [*_read_children(node)]
    if end and children and isinstance(last := children[-1], str):
        children[-1] = end.sub("", last)
    return _merge_texts(iter([edge, *children, edge]))[1:-1]


# --- a comparison -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """The normal forms of one text on our page and on GitHub."""

    ours: str
    github: str

    @property
    def agrees(self) -> bool:
        """Whether both forms are equal."""
        return self.ours == self.github

    def report(self) -> str:
        """Return the lines that differ."""
        lines = unified_diff(
            self.github.split("\n"), self.ours.split("\n"), "GitHub", "our page", lineterm="", n=2
        )
        return "\n".join(lines)


def compare_source(source: Source) -> Comparison:
    """Compare the renderings of the body of a file. Errors of our renderer pass through."""
    return Comparison(normal_form(handbook_html(source)), normal_form(github_html(source.body)))


def compare(text: str) -> Comparison:
    """Compare a text without front matter."""
    return compare_source(read_page_body("x.md", text))


# --- inputs -----------------------------------------------------------------------------------

CORPUS: Final = Path(__file__).parent / "github_corpus"
_HEX: Final = re.compile("⟨([0-9A-F]+)⟩")


@dataclass(frozen=True)
class Example:
    """An input of the corpus. `name` is its file and its idea."""

    name: str
    text: str


def read_corpus() -> tuple[Example, ...]:
    """Read the inputs of `github_corpus`. Each begins below a line `@@ its idea`.

    `→` is a tab, `·` is a space, and `⟨A0⟩` is the character U+00A0. `∎` marks the end of a file
    whose last line has no line end.
    """
    return tuple(
        Example(
            f"{path.stem}: {text.partition(chr(10))[0]}", _decode_signs(text.partition("\n")[2])
        )
        for path in sorted(CORPUS.glob("*.md"))
        for text in re.split(r"^@@ ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    )


def _decode_signs(text: str) -> str:
    """Replace the signs of the corpus with their characters."""
    text = text.replace("→", "\t").replace("·", " ").removesuffix("∎\n")
    return _HEX.sub(lambda match: chr(int(match[1], 16)), text)


def _read_fragments(text: str) -> tuple[str, ...]:
    return tuple(
        _decode_signs(fragment)
        for line in text.strip().split("\n")
        for fragment in line.split(" ¦ ")
    )


BLOCKS: Final = _read_fragments("""
⟨20⟩ ¦ text ¦ more text ¦ # H ¦ ## H ## ¦ ####### h ¦ #h ¦ #· ¦ === ¦ --- ¦ - - - ¦ *** ¦ * * *
- a ¦ - b ¦ * s ¦ + p ¦ - ¦ 1. one ¦ 2) two ¦ 1. ¦ 0. x ¦ 10. ten ¦ - - n ¦ 1. - n ¦ -   wide
    - n ¦   two ¦    three ¦     four ¦ →tab ¦ - →tab ¦ >→tab ¦ > q ¦ > ¦ >q ¦ > > qq ¦ > - q
- > q
> [!NOTE] ¦ > [!tip] ¦ - [ ] to do ¦ - [x] done ¦ - [ ] ¦ - [X] ¦ 1. [x] done ¦ [x] no task
``` ¦ ```sh ¦ ~~~ ¦ ~~~ a b ¦ ```` ¦ ``` x`y ¦   ``` ¦     code ¦ - ``` ¦ > ```
| a | b | ¦ |---|---| ¦ | :-: | --: | ¦ | 1 | 2 | ¦ a | b ¦ --- | --- ¦ -|- ¦ |-| ¦ -|
| `a\\|b` | c |
| 1 | 2 | 3 | ¦ | *a | b* | ¦     | 1 | 2 | ¦ | ¦ \\| ¦ [^1]: note ¦ [^2]: ¦ [^1]:
""")
"""Lines and starts of lines with block syntax."""
INLINES: Final = _read_fragments("""
*em* ¦ **strong** ¦ *a **b*** ¦ ***a** b* ¦ a_b_c ¦ _a_ ¦ *a ¦ b* ¦ ** ¦ __ ¦ a*b*c
~~x~~ ¦ ~x~ ¦ a~b~ ¦ ~~ ¦ `co` de ¦ `a ¦ ``a`b`` ¦ ` ` ¦ \\ ¦ \\*a* ¦ x·· ¦ x\\
&amp; &copy; &x; ¦ &#35; &#0; ¦ a⟨A0⟩b ¦ é ¦ 🎉 ¦ ⟨3000⟩
[l](u) ¦ [l](<u v> 't') ¦ [l](u "t") ¦ [l]( u ) ¦ [l] ¦ [l][l] ¦ [L][] ¦ [l]: /u ¦ [l]: <> 't'
[l]:
[q]:' ¦ ![i](u) ¦ ![*i*][l] ¦ [![i](u)](v) ¦ [a [b](c) d](e) ¦ [l](u ¦ [*a](b)* ¦ ![
<https://x.example> ¦ <a@b.example> ¦ https://x.example/a_b*c ¦ www.x.example.
(https://x.example/(a))
https://x.example/&amp; ¦ a@b.example ¦ e@.b ¦ e@x.1 ¦ [http://x ¦ https://x.example/*a*
ftp://x.example
x[^1] ¦ [^1][^2] ¦ ![a[^1]](u) ¦ <br> ¦ <kbd>k</kbd> ¦ <!-- c --> ¦ <!-- ¦ --> ¦ <div> ¦ </div>
<b>x</b> ¦ <x y='>'> ¦ <?p?> ¦ <!D>
""")
"""Fragments of text with inline syntax."""
ACTIVE: Final = _read_fragments("""
<script>x</script> ¦ <script ¦ <svg onload=x> ¦ <img src=x onerror=y> ¦ <style> ¦ <iframe src=x>
<a href=x>
<details> ¦ </details> ¦ <summary> ¦ </summary> ¦ <kbd> ¦ </kbd> ¦ <sub> ¦ </sup> ¦ <br/>
<br onclick=x>
<details open> ¦ - <details> ¦ > </details> ¦ | <kbd> | ¦ # <sub> ¦ <KBD> ¦ <kbd ¦ &lt;script&gt;
<!-->
<![CDATA[ ¦ --!> ¦ [x](javascript:x) ¦ ![x](data:text/html,x) ¦ <javascript:x> ¦ [x]: javascript:x
[x]
[x](u "\\" onclick='y") ¦ ![" onerror="x](u) ¦ ```" onclick="x ¦ # "><b> ¦ [^"><b>] ¦ [^"><b>]: x
# x {#y"z}
""")
"""Fragments that would run code or break a page as HTML."""
PREFIXES: Final = (
    "> ",
    "- ",
    "1. ",
    " ",
    "  ",
    "    ",
    "\t",
    "> > ",
    "# ",
    "| ",
    "*",
    "**",
    "~",
    "[",
    "!",
)
SUFFIXES: Final = (" ", "  ", " |", "*", "**", "~", "]", "](u)", "\\", " {#x}", ".", "\t", "_")


def awkward_documents(
    count: int, seed: int, fragments: Sequence[str] = (*BLOCKS, *INLINES)
) -> Iterator[str]:
    """Yield documents of one to seven lines. Each line has one or two fragments."""
    draw = random.Random(seed)  # noqa: S311 - nothing secret depends on it
    for _ in range(count):
        lines = (_draw_line(draw, fragments) for _ in range(draw.randint(1, 7)))
        yield "\n".join(lines) + draw.choice(("\n", "\n", "\n", ""))


def ordered_documents(count: int, seed: int) -> Iterator[str]:
    """Yield documents of nested blocks, which lines drawn one by one hardly ever make."""
    draw = random.Random(seed)  # noqa: S311 - nothing secret depends on it
    for _ in range(count):
        blocks = [_draw_block(draw, 0) for _ in range(draw.randint(1, 4))]
        yield "\n\n".join((*blocks, "[l]: /u 't'", "[^1]: one\n\n    - two", "[^2]: three")) + "\n"


PLAIN_INLINES: Final = (
    "text",
    "*em*",
    "**strong**",
    "~~gone~~",
    "`code`",
    "[l](/u 't')",
    "[text][l]",
    "![i](/i.png)",
    "https://x.example/a",
    "<b@x.example>",
    "note[^1]",
    "again[^2]",
    "<kbd>k</kbd>",
    "H<sub>2</sub>O",
    "a<br>b",
    "&amp;",
    "\\*",
    "🎉",
)


def _draw_block(draw: random.Random, depth: int) -> str:
    text = " ".join(draw.choices(PLAIN_INLINES, k=draw.randint(1, 4)))
    inner = (
        [_draw_block(draw, depth + 1) for _ in range(draw.randint(1, 2))] if depth < 3 else ["text"]
    )
    kind = draw.choice(
        (
            "text",
            "lines",
            "heading",
            "table",
            "fence",
            "quote",
            "callout",
            "bullets",
            "numbers",
            "details",
        )
    )
    match kind:
        case "text":
            return text
        case "lines":
            return f"{text}{draw.choice(('', '  ', chr(92)))}\nmore {text}"
        case "heading":
            return f"{'#' * draw.randint(1, 6)} {text}"
        case "table":
            columns = draw.randint(1, 3)
            rows = [
                [draw.choice((*PLAIN_INLINES, "`a\\|b`")) for _ in range(columns)]
                for _ in range(draw.randint(1, 4))
            ]
            rows.insert(1, [draw.choice(("---", ":--", "--:", ":-:")) for _ in range(columns)])
            return "\n".join(f"| {' | '.join(row)} |" for row in rows)
        case "fence":
            return f"```{draw.choice(('', 'sh', 'py'))}\nls\n\n  x\n```"
        case "quote":
            return _indent("\n\n".join(inner), "> ", "> ")
        case "callout":
            name = draw.choice(("NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION"))
            return _indent(f"[!{name}]\ntext\n\n" + "\n\n".join(inner), "> ", "> ")
        case "details":
            return f"<details>\n<summary>More</summary>\n\n{text}\n\n</details>"
        case _:
            gap = draw.choice(("\n", "\n\n"))
            marks = ["- "] * 2 if kind == "bullets" else [f"{draw.choice((1, 7))}. ", "8. "]
            items = [
                _indent(f"{text}\n\n{block}", mark, " " * len(mark))
                for mark, block in zip(marks, inner, strict=False)
            ]
            return gap.join((*items, f"{marks[0]}last"))


def _indent(text: str, first: str, following: str) -> str:
    lines = [f"{following}{line}" if line else following.rstrip() for line in text.split("\n")]
    return "\n".join((first + text.split("\n")[0], *lines[1:]))


def _draw_line(draw: random.Random, fragments: Sequence[str]) -> str:
    line = draw.choice(fragments)
    if draw.random() < 0.15:
        line += draw.choice(("", " ")) + draw.choice(fragments)
    if draw.random() < 0.25:
        line = draw.choice(PREFIXES) + line
    if draw.random() < 0.1:
        line += draw.choice(SUFFIXES)
    return line


def reduce(text: str, fails: Callable[[str], bool]) -> str:
    """Reduce a text that fails: first remove lines, then characters."""
    text = "\n".join(_reduce_items(text.split("\n"), lambda lines: fails("\n".join(lines))))
    return "".join(_reduce_items(list(text), lambda characters: fails("".join(characters))))


def _reduce_items(items: list[str], fails: Callable[[list[str]], bool]) -> list[str]:
    size = max(len(items) // 2, 1)
    while size:
        index = 0
        while index < len(items):
            rest = items[:index] + items[index + size :]
            if fails(rest):
                items = rest
            else:
                index += 1
        size //= 2
    return items


# --- known differences ------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """A construct that our page shows differently from GitHub.

    `smallest` is the smallest text with the difference. `pattern` matches the construct and
    `replacement` makes it plain. The difference explains a disagreement only if both renderings
    agree after the replacement. `rule` is the rule that reports the construct.
    """

    name: str
    smallest: str
    reason: str
    pattern: str
    replacement: str | Callable[[re.Match[str]], str]
    rule: str = ""

    def without(self, text: str) -> str:
        """Replace the construct in a text with a plain one."""
        return re.sub(self.pattern, self.replacement, text, flags=re.MULTILINE)


def explain(text: str) -> tuple[str, ...]:
    """Return the names of the known differences that explain a disagreement."""
    for difference in KNOWN:
        plain = difference.without(text)
        if plain != text and compare(plain).agrees:
            return (difference.name,)
    names, plain = [], text
    for difference in KNOWN:
        previous, plain = plain, difference.without(plain)
        if previous != plain:
            names.append(difference.name)
    return tuple(names) if len(names) > 1 and compare(plain).agrees else ()


_MARK: Final = r"(?:>|[-+*]|\d{1,9}[.)]|\[\^[^\]\n]+\]:)"
"""The mark of a quotation, an item or a footnote."""
_ITEM_MARK: Final = r"(?:[-+*]|\d{1,9}[.)])"
_DELIMITERS: Final = r"(?:\|[ \t]*:?-+:?[ \t]*\|?|:?-+:?[ \t]*\|)"
"""A row of delimiters of one column."""
_ROW: Final = r"(?=[^\n]*\|)[|: \t]*-[|: \t-]*"
"""A row of delimiters of any number of columns."""


def _simplify_rows(match: re.Match[str]) -> str:
    return match[1] + re.sub(_DELIMITERS, "x", match[2])


def _simplify_address(match: re.Match[str]) -> str:
    return match[1] + re.sub(r"[*_~&>]", "x", match[2])


def _simplify_references(match: re.Match[str]) -> str:
    """Remove the references from the definition of a footnote."""
    return re.sub(
        r"(\A\[\^|^[ >]*\[\^[^\]\n]+\]:)|\[\^",
        lambda mark: mark[1] or r"\[^",
        match[0],
        flags=re.MULTILINE,
    )


def _simplify_symbol(match: re.Match[str]) -> str:
    return "x" if unicodedata.category(match[0])[0] == "S" else match[0]


DIFFERENCES: Final = (
    Difference(
        "one tilde within a word",
        "a~b~",
        "GitHub strikes out with one tilde within words, pulldown-cmark only between words",
        r"(?<=\w)~(?=\w)",
        r"\\~",
        rule="MD024",
    ),
    Difference(
        "a tilde beside a star",
        "*~ b*",
        "cmark-gfm ignores tildes beside a mark of emphasis",
        r"(?<![\w*])([*_]+)~+(?=\s|\Z)|(?<=\s)~+([*_]+)(?![^\W_])"
        r"|(?<=\w)([*_]+)~+(?=\w)|(?<=\w)~+([*_]+)(?=\w)",
        r"\1\2\3\4",
    ),
    Difference(
        "one tilde beside two",
        "~x~~x~",
        "pulldown-cmark pairs runs of tildes in another order",
        r"(?<!~)~(?!~)(?=[^\n]*~~)|(?<=~~)(?!~)([^\n~]+)~(?!~)",
        r"\1",
        rule="MD024",
    ),
    Difference(
        "a symbol beside a mark",
        "*£*a",
        "a symbol is punctuation since CommonMark 0.31, and cmark-gfm implements 0.29",
        r"(?<=[*_~])[^\x00-\x7f]|[^\x00-\x7f](?=[*_~])",
        _simplify_symbol,
    ),
    Difference(
        "a delimiter row below a text without a pipe",
        "x\n|-",
        "pulldown-cmark needs a pipe in the head of a table of one column",
        rf"^((?:[^|\n]|\\\|)*\n)((?:[ >\t]*{_DELIMITERS}[ \t]*(?:\n|\Z))+)",
        _simplify_rows,
        rule="MD023",
    ),
    Difference(
        "two delimiter rows below a text",
        "a\n|-|-\n-|-",
        "pulldown-cmark makes the first row the head, GitHub makes no table",
        rf"^([ >\t]*{_ROW}\n)((?:.*[^ \t\n].*\n?)+)",
        lambda match: match[1] + re.sub(rf"{_ROW}$", "x", match[2], flags=re.MULTILINE),
    ),
    Difference(
        "a delimiter row that begins as an item",
        "a|\n- |",
        "GitHub begins a list, pulldown-cmark makes a table",
        r"^([ >]*-)[ \t]+(?=[|: \t-]*\|[|: \t-]*$)",
        r"\1x",
    ),
    Difference(
        "a table without outer pipes below a text",
        "a\nb|c\n-|-",
        "in pulldown-cmark only a row that begins with a pipe ends a paragraph",
        rf"^(.*[^\s>].*\n(?:[ >\t]*[^|\s>].*| {{4,}}.*|\t.*)\|.*\n[ >\t]*){_ROW}$",
        r"\1x",
        rule="MD023",
    ),
    Difference(
        "an indented row",
        "a|\n-|\n    b",
        "GitHub ends the table and makes code of the line, pulldown-cmark makes a row",
        rf"(^[ >\t]*{_ROW}\n(?:[ \t]*[^ \t\n].*\n)*?)(?: {{4}}| {{0,3}}\t)[ \t]*(?=\S)",
        r"\1",
        rule="MD002",
    ),
    Difference(
        "a box without text",
        "- [ ]\n",
        "pulldown-cmark makes a box, GitHub shows the brackets",
        rf"({_ITEM_MARK}[ \t]*\n?[ \t]+)\[(?=[ xX]\][ \t]*$)",
        r"\1\\[",
    ),
    Difference(
        "a task behind another mark",
        ">- [ ] a",
        "cmark-gfm makes a box only where the item begins its line",
        rf"({_MARK}[ \t]*{_ITEM_MARK}[ \t]+)\[(?=[ xX]\])",
        r"\1\\[",
    ),
    Difference(
        "a second box in a task",
        "- [ ] [x]",
        "cmark-gfm shows a task as done if `[x]` is anywhere in its line",
        r"(\[ \].*)\[[xX]\]",
        r"\1[y]",
    ),
    Difference(
        "HTML on a lazy line",
        "- a\n<x>",
        "cmark-gfm begins a block of HTML there; in CommonMark the line continues the text",
        r"(?:(?<=[^ \t\n]\n)|(?<=[^ \t\n][ \t]\n)|(?<=[^ \t\n]  \n))([ >\t]{0,9})"
        r"<(?=/?[A-Za-z][\w-]*(?:[\s/][^\n]*)?>)",
        r"\1\\<",
    ),
    Difference(
        "an indented line in a code span",
        "`\n `",
        "pulldown-cmark keeps the indentation; browsers show one space",
        r"(?<!`)(`{1,2})(?!`)(?:(?!\n[ >\t]*\n)[\s\S])*?(?<!`)\1(?!`)",
        lambda match: re.sub(r"(\n(?: *>)*)[ \t]+", r"\1", match[0]),
    ),
    Difference(
        "a tab before the mark of a quotation",
        ">\n\t>",
        "GitHub makes code of the line, pulldown-cmark continues the quotation",
        r"^\t+(?=>)",
        "",
    ),
    Difference(
        "a tab at the end of a line",
        "a \t\nb",
        "pulldown-cmark breaks the line at a tab and a space as at two spaces",
        r"(?:[ \t]+\t|\t[ \t]+)(?=\n)",
        "",
    ),
    Difference(
        "a tab behind a closing fence",
        "```\n```\t\n",
        "in pulldown-cmark the fence stays open",
        r"^([ >]*(?:`{3,}|~{3,}))[ \t]*\t[ \t]*$",
        r"\1",
        rule="MD007",
    ),
    Difference(
        "a tab behind the hashes that close a heading",
        "# #\t",
        "GitHub takes the hashes away, pulldown-cmark shows them",
        r"(#)[ \t]*\t[ \t]*$",
        r"\1",
    ),
    Difference(
        "a line of spaces in an empty item",
        "*\n  \n  -",
        "cmark-gfm continues the item; in CommonMark an item ends that begins with two blank lines",
        rf"^((?:[ >]|{_MARK})*{_MARK}[ \t]*\n)[ \t]+\n",
        r"\1\n",
    ),
    Difference(
        "a footnote that a footnote refers to",
        "[^1]:[^1]",
        "GitHub numbers footnotes in the order of the file, our page in the order of references",
        r"\[\^[^\]\n]+\]:.*\n?(?:.*[^ \t\n].*\n?)*",
        _simplify_references,
    ),
    Difference(
        "a footnote in a link",
        "[[^1]]()\n[^1]:",
        "GitHub makes a link around the mark of the footnote, pulldown-cmark makes no link",
        r"(\[(?:[^\[\]]|\[[^\[\]^]*\])*)\[\^[^\]\s]+\](?=[^\[\]]*\])",
        r"\1",
    ),
    Difference(
        "a space in the name of a footnote",
        "[^ a]:",
        "GitHub makes a link of it, pulldown-cmark a footnote",
        r"\[\^[^\]\n]*\s[^\]\n]*\]",
        "x",
    ),
    Difference(
        "the line below the mark of a callout",
        ">[!NOTE]\n[l]:/",
        "the comparison causes it: cmark-gfm reads the mark as text, which the line continues",
        r"(\[!(?:NOTE|tip)\][ \t]*\n[ >\t]*)(?=\[[^\]\n]+\]:)",
        r"\1x ",
    ),
    Difference(
        "a bracket in the name of a footnote",
        "[^[]:",
        "cmark-gfm makes a footnote of it, pulldown-cmark does not",
        r"\[\^[^\]\s\[]*\[[^\]\n]*\]",
        "x",
    ),
    Difference(
        "the mark of no footnote behind a reference",
        "[a][^b]\n\n[a]:c",
        "pulldown-cmark makes a link of the reference, GitHub shows the brackets of both",
        r"(\[(?!\^)[^\[\]\n]*\])(?=\[\^)",
        r"\1 ",
    ),
    Difference(
        "a declaration in lower case",
        "<!a",
        "it is HTML since CommonMark 0.30, and cmark-gfm implements 0.29",
        r"<!(?=[a-z])",
        "x",
    ),
    Difference(
        "a code span behind two backticks that are not closed",
        "``\n`a`\n` `",
        "cmark-gfm overlooks the last code span",
        rf"((?<!`)``(?!`)[\s\S]*?(?<!`)``(?!`))|(?<!`)``(?!`)"
        rf"|^(?!(?:[ \t]|{_MARK})*`{{3}}).*?(?<!`)`{{3,}}|(?<!`)`{{3,}}(?=[^`\n]+`)",
        lambda match: match[1] or re.sub("`{2,}", "x", match[0]),
    ),
    Difference(
        "an address that the parser has divided",
        r"\http://a*b*",
        "our parser reads the address again in angle brackets, which cannot hold every address",
        r"((?:https?|ftp)://|www\.)([^\s<]*[^\s<*_~])",
        _simplify_address,
    ),
    Difference(
        "an escaped pipe in an address",
        "|a|\n|-|\n|http://a\\|b|",
        "GitHub removes the backslash, our parser finds addresses in the text as it was written",
        r"(://[^\s|]*)\\\|",
        r"\1x",
    ),
    Difference(
        "a mail address with a point behind the at sign",
        "&amp; e@.b",
        "behind an entity it is read again in angle brackets, which hold no such address",
        r"@(?=\.\w)",
        "@x",
    ),
    Difference(
        "a parenthesis in a target",
        "[l]:(",
        "cmark-gfm makes a target of it; in CommonMark its parentheses have to match",
        r"(\]:\s*\S*?|\]\([ \t]*[^\s()]*)\((?![^\s()]*\))",
        r"\1x",
    ),
    Difference(
        "hyphens below a definition",
        "[l]:u\n---",
        "GitHub shows them, pulldown-cmark makes a thematic break",
        r"^([ >]*\[[^\]\n]+\]:[ \t]*\n?.*\n[ >]*)-{2,}[ \t]*$",
        r"\1x",
    ),
    Difference(
        "a tab behind a row of delimiters",
        "a|\n-|\t",
        "GitHub makes a table, pulldown-cmark does not",
        r"^(?=[^\n]*\|)([ >\t|:-]*[|-])[ \t]*\t[ \t]*$",
        r"\1",
        rule="MD023",
    ),
    Difference(
        "a tab behind the mark of an item in a footnote",
        "[^1]: - \ta\nb",
        "pulldown-cmark has the text continue the footnote, GitHub begins a paragraph",
        r"(\]:[ \t]*[-+*][ \t]*)\t",
        r"\1 ",
    ),
    Difference(
        "a thematic break before a blank line in an item",
        "- ***\n\n  a",
        "cmark-gfm overlooks the blank line, so that the list is tight",
        rf"({_ITEM_MARK}[ \t]+)(?:(?:-[ \t]*){{3,}}|(?:\*[ \t]*){{3,}}|(?:_[ \t]*){{3,}})"
        r"(?=\n[ >\t]*\n)",
        r"\1# x",
    ),
    Difference(
        "brackets behind a link in a text of a link",
        "[[a](b)[c]](d)",
        "cmark-gfm makes a link around a link",
        r"(?<=\)) *\[(?!\^)[^\[\]\n]*\](?=[^\[\]]*\]\()",
        "x",
    ),
    Difference(
        "a reference behind a footnote",
        "[^a][b]\n[^a]:",
        "GitHub makes a footnote, pulldown-cmark shows the brackets of both",
        r"(\[\^[^\]\s]+\])(?=\[(?!\^))",
        r"\1 ",
    ),
    Difference(
        "a space in a row of delimiters",
        "a|b\n-|- -",
        "pulldown-cmark makes a table, GitHub shows the row",
        r"^(?=[^\n]*\|)[|: \t>-]*-[ \t]+-[|: \t-]*$",
        "x",
    ),
    Difference(
        "a definition over a lazy line",
        ">[a]:\n=",
        "GitHub makes a definition of both lines, pulldown-cmark shows them",
        rf"^((?:[ >]|{_MARK})*{_MARK}[ ]*\[[^\]\n]+\]:)[ \t]*\n",
        r"\1x\n",
    ),
    Difference(
        "a definition right above a table",
        "[a]:b\n||\n|-",
        "cmark-gfm makes the table first, and shows the definition",
        rf"^([ >]*\[[^\]\n]+\]:(?:.*\n){{1,5}}?)(?=.*\|.*\n[ >\t]*{_ROW}$)",
        r"\1\n",
    ),
    Difference(
        "the head of a table on a lazy line",
        ">a\n||\n>|-",
        "GitHub makes a table, in pulldown-cmark the line ends the container",
        rf"^((?![ \t]|{_MARK}).*\|.*\n(?:>|[ \t]{{2,}}|\t)[ >\t]*){_ROW}$",
        r"\1x",
        rule="MD023",
    ),
    Difference(
        "a fence behind a tab in an item",
        "- a\n\t```\n    b",
        "cmark-gfm leaves a space before each line of the code",
        r"^\t+(?=`{3}|~{3})",
        "    ",
    ),
    Difference(
        "HTML in the text of an image",
        "![<b>]()",
        "GitHub puts the tag into the text, our page leaves it out",
        r"(!\[(?:[^\[\]]|\[[^\[\]]*\])*?)<(?=[^\]]*\])",
        r"\1x",
    ),
    Difference(
        "spaces at the end of a file in an open fence",
        "```\n ",
        "pulldown-cmark leaves out the line",
        r"((?:`{3}|~{3})[\s\S]*\n[ >]*)[ \t]+\Z",
        r"\1",
    ),
    Difference(
        "a wide space before a language",
        "```\u3000 a",
        "our parser takes it away, GitHub makes it a part of the language",
        rf"^((?:[ \t]|{_MARK})*(?:`{{3,}}|~{{3,}}))[ \t]*[\u3000\u00a0]\s*",
        r"\1",
    ),
    Difference(
        "a wide space in the text of an image",
        "![\u3000]()",
        "our page has a common space in its place",
        r"(!\[[^\]]*)[\u3000\u00a0]",
        r"\1x",
    ),
    Difference(
        "an escape behind a mail address",
        r"a@b.c\_",
        "cmark-gfm removes the backslash first, and links no address that ends in an underscore",
        r"(@[\w.-]+)\\(?=[\w.@-])",
        r"\1 ",
    ),
    Difference(
        "a definition behind a box",
        "- [ ] [l]:u",
        "GitHub removes the box first, so that the definition begins the paragraph",
        r"(\[[ xX]\][ \t]+)\[(?=[^\]\n]+\]:)",
        r"\1\\[",
    ),
    Difference(
        "a star within a word behind two stars",
        "**a*b*a*",
        "in CommonMark the last star pairs with one of the first two, cmark-gfm pairs neither",
        r"(?<!\w)\*\*(?![^*]*\*\*)(?:.+\n?)*",
        lambda match: re.sub(r"(?<=[A-Za-z0-9])\*(?=[A-Za-z0-9])", r"\\*", match[0]),
    ),
    Difference(
        "an escaped pipe in a text above a table",
        "`\\|`\n||\n|-",
        "cmark-gfm removes the backslash above the table as in its head",
        rf"\\\|(?=.*\n(?:[ \t]*[^ \t\n].*\n)*[ >\t]*{_ROW}$)",
        "x",
    ),
    Difference(
        "a backslash at the end of the head or above it",
        "a|\\\n-|-",
        "pulldown-cmark breaks the line there, and makes no table",
        rf"\\(?=\n(?:.*\n)?[ >\t]*{_ROW}$)",
        "",
        rule="MD023",
    ),
    Difference(
        "an element that is not paired",
        "</kbd>",
        "our page closes each element where it was opened, and shows any other end tag as text",
        r"(?<!\\)(<(kbd|sub|sup|details|summary)>(?:(?!</?\2>)[\s\S])*</\2>)"
        r"|</?(?:kbd|sub|sup|details|summary)>",
        lambda match: match[1] or "x",
        rule="MD025",
    ),
    Difference(
        "an empty line above the mark of a callout",
        ">\n>[!NOTE]",
        "the comparison causes it: in pulldown-cmark the mark has to be on the first line",
        r"^([ >]*>[ \t]*\n[ >]*)\[!",
        r"\1[",
    ),
    Difference(
        "a backslash behind the mark of a callout",
        ">[!NOTE]\\\na",
        "the comparison causes it: in pulldown-cmark nothing may follow the mark",
        r"(\[!(?:NOTE|tip)\])\\(?=\n)",
        r"\1",
    ),
)
"""The differences that stay. A rule reports each one that an author is likely to write."""

FAULTS: Final = (
    Difference(
        "www without a host",
        "www. a",
        "GitHub links the three letters where more text follows",
        r"(?<![A-Za-z0-9])www\.[._*~]*(?=\s|\Z)",
        "x",
    ),
    Difference(
        "an address in a bracket",
        "[http://x",
        "GitHub links no address while a bracket is open: `[see https://x.example]` has no link",
        r"(?<!\\)\[(?![^\[\]\n\\]*\](?:\([^()\n]*\)|\[))"
        r"(?=(?:\[(?:[^\[\]]|\[[^\[\]]*\])*\]|[^\]])*?(?:://|www\.))",
        r"\\[",
    ),
    Difference(
        "a mail address that ends in an address",
        "a@b.http://c",
        "GitHub links the second",
        r"(?<=[A-Za-z0-9.])(?=(?:https?|ftp)://)",
        " ",
    ),
    Difference(
        "a mail address behind a scheme",
        "mailto:a@b.c",
        "GitHub links the scheme too",
        r"(?<![(<])(?<!\]: )(?:mailto|xmpp):(?=\S*@)",
        "",
    ),
    Difference(
        "a mail address with two at signs",
        "a@b@c.d",
        "GitHub links from the second part",
        r"@(?=[\w.-]+@)",
        " ",
    ),
    Difference(
        "www right behind the mark of a quotation or of a cell",
        ">www.a.b",
        "GitHub links it",
        r"(?<=[>|])www",
        " www",
    ),
    Difference(
        "an address in emphasis by underscores",
        "_http://a.b_",
        "GitHub does not count the underscore at the end of a text as a part of the host",
        r"_((?:https?|ftp)://\S*?)_$|((?:://|(?<![A-Za-z0-9])www\.)\S*)_$",
        lambda match: f"*{match[1]}*" if match[1] else f"{match[2]}*",
    ),
)
"""The differences that are faults of our parser and renderer. A fixed fault leaves the list."""

KNOWN: Final = (*DIFFERENCES, *FAULTS)
