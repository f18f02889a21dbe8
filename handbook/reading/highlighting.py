"""Convert blocks of code to HTML with the CSS classes of Material for MkDocs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from html import escape
from typing import Any, Final

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_for_filename, get_lexer_by_name
from pygments.style import Style, StyleMeta
from pygments.util import ClassNotFound
from pymdownx.highlight import Highlight

_OPTION = re.compile(r'(title|linenums|hl_lines)="([^"]*)"')
_LANGUAGE = re.compile(r"[^\s,{]+")
_NUMBER = re.compile(r"[0-9]{1,6}")
_LONGEST: Final = 100_000
"""The longest code that Pygments colours, in characters. It needs a second for 500,000."""


class _NoColours(StyleMeta):  # type: ignore[misc]
    """A metaclass for Pygments styles that define no colours."""

    def __iter__(self) -> Iterator[Any]:
        return iter(())


class Uncoloured(Style, metaclass=_NoColours):  # type: ignore[misc]
    """A Pygments style without colours. The theme defines the colours of the code.

    The style is empty for speed: Pygments would compute its colours again for each formatter, which
    takes as long as the conversion of one block of code.
    """


_FORMATTER: Final = HtmlFormatter(cssclass="highlight", wrapcode=True, style=Uncoloured)
_LINE_FORMATTER: Final = HtmlFormatter(nowrap=True, style=Uncoloured)


@lru_cache(4096)
def highlight_code(text: str, info: str) -> str:
    """Return the HTML of a block of code.

    `info` is the text after the opening fence: a language, and then the options of Material:
    `title="…"`, `linenums="…"` and `hl_lines="…"`. Code in an unknown language has no colours.
    """
    match = _LANGUAGE.match(info)
    language = match[0] if match and len(text) <= _LONGEST else ""
    if options := dict(_OPTION.findall(info)):
        return _highlight_with_options(text, language, options)
    lexer = _find_lexer(language)
    if lexer is None:
        code = f"<code>{escape(text, quote=False)}</code>"
        return f'<div class="highlight"><pre><span></span>{code}</pre></div>\n'
    return str(highlight(text, lexer, _FORMATTER))


def highlight_file(text: str, name: str) -> str:
    """Return the HTML of a whole file, with a numbered anchor for each line, such as `L12`.

    The name decides the language. The numbers are no text, so that a copy does not contain them.
    """
    lexer_class = find_lexer_class_for_filename(name) if len(text) <= _LONGEST else None
    if lexer_class:
        lexer = lexer_class(stripnl=False, ensurenl=False)
        html = str(highlight(text, lexer, _LINE_FORMATTER))
    else:
        html = escape(text, quote=False)
    lines = "".join(
        f'<span class="hb-line" id="L{number}"><a href="#L{number}" data-line="{number}" '
        f'tabindex="-1" aria-hidden="true"></a>{line}</span>'
        for number, line in enumerate(html.splitlines(keepends=True), 1)
    )
    code = f'<pre><span></span><code tabindex="0">{lines}</code></pre>'
    return f'<div class="highlight hb-file">{code}</div>\n'


@lru_cache(256)
def _find_lexer(language: str) -> Lexer | None:
    """Return the lexer of a language, or None if Pygments does not support it."""
    try:
        return get_lexer_by_name(language, stripnl=False) if language else None
    except ClassNotFound:
        return None


def _highlight_with_options(text: str, language: str, options: dict[str, str]) -> str:
    """Return the HTML of a block of code with a title, line numbers or highlighted lines."""
    first = options.get("linenums", "")
    highlighter = Highlight(
        None,
        pygments_style=Uncoloured,
        linenums_style="pymdownx-inline",
        anchor_linenums=False,
        stripnl=False,
    )
    html = highlighter.highlight(
        text,
        language,
        hl_lines=[
            int(line) for line in options.get("hl_lines", "").split() if _NUMBER.fullmatch(line)
        ],
        linestart=int(first) if _NUMBER.fullmatch(first) else -1,
        title=options.get("title"),
    )
    return f"{html}\n"
