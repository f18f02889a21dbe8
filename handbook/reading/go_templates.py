"""Check the syntax of Go templates in the labels and annotations of alerts.

The lexer and the parser follow the package text/template of Go, so that they accept the templates
that Prometheus accepts. They also refuse two faults that Prometheus finds only when the alert
fires: an unknown field such as `{{ .labels }}`, and a template that is called but not defined.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, NoReturn
from unicodedata import category

from handbook.diagnostics import did_you_mean

_GO_FUNCTIONS: Final = """
and call eq ge gt html index js le len lt ne not or print printf println slice urlquery
"""
_PROMETHEUS_FUNCTIONS: Final = """
args externalURL first graphLink humanize humanize1024 humanizeDuration humanizePercentage
humanizeTimestamp label match now parseDuration pathPrefix query reReplaceAll safeHtml sortByLabel
stripDomain stripPort strvalue tableLink title toDuration toLower toTime toUpper urlQueryEscape
value
"""
FUNCTIONS: Final = frozenset((_GO_FUNCTIONS + _PROMETHEUS_FUNCTIONS).split())
"""The functions that a template can call."""

VARIABLES: Final = ("$labels", "$value", "$externalLabels", "$externalURL")
"""The variables that Prometheus defines before each template."""

FIELDS: Final = ("Labels", "Value", "ExternalLabels", "ExternalURL")
"""The fields of the data of a template, such as `.Labels`."""

_DEEPEST: Final = 100
_LEFT_TRIM: Final = re.compile(r"-[ \t\r\n]")
_RIGHT: Final = re.compile(r"(?:[ \t\r\n]-)?\}\}")
_SPACE: Final = re.compile(r"[ \t\r\n]+")
_QUOTED: Final = re.compile(r'"(?:\\[^\n]|[^"\\\n])*"')
_CHARACTER: Final = re.compile(r"'(?:\\[^\n]|[^'\\\n])*'")
_RAW: Final = re.compile(r"`[^`]*`")
_NUMBER: Final = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?"
    r"|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?"
    r"|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?"
)
_ESCAPE: Final = re.compile(
    r"\\(?:[abfnrtv\\]|x[0-9a-fA-F]{2}|[0-3][0-7]{2}"
    r"|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}"
    r"|U(?!0000[dD][89a-fA-F])00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})"
)
_DIGITS: Final = r"[0-9](?:_?[0-9])*"
_INTEGER: Final = re.compile(
    r"[+-]?(?:0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|0(?:_?[0-7])*"
    rf"|(?!0){_DIGITS})"
)
_FLOAT: Final = re.compile(
    rf"[+-]?(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?"
)
_HEX_FLOAT: Final = re.compile(
    r"[+-]?0[xX]_?(?=\.?[0-9a-fA-F])(?:[0-9a-fA-F](?:_?[0-9a-fA-F])*)?"
    rf"(?:\.(?:[0-9a-fA-F](?:_?[0-9a-fA-F])*)?)?[pP][+-]?{_DIGITS}"
)


class _Kind(Enum):
    """The kinds of token."""

    TEXT = auto()
    LEFT = auto()
    RIGHT = auto()
    SPACE = auto()
    ASSIGN = auto()
    PIPE = auto()
    STRING = auto()
    NUMBER = auto()
    VARIABLE = auto()
    DOT = auto()
    FIELD = auto()
    NAME = auto()
    KEYWORD = auto()
    NIL = auto()
    BOOL = auto()
    OPEN = auto()
    CLOSE = auto()
    OTHER = auto()
    END = auto()


_KEYWORDS: Final = frozenset(
    ("block", "break", "continue", "define", "else", "end", "if", "range", "template", "with")
)
_TERMS: Final = frozenset(
    (
        _Kind.BOOL,
        _Kind.NUMBER,
        _Kind.DOT,
        _Kind.FIELD,
        _Kind.NAME,
        _Kind.NIL,
        _Kind.STRING,
        _Kind.VARIABLE,
        _Kind.OPEN,
    )
)
"""The tokens that can begin an operand."""
_VALUES: Final = frozenset((_Kind.BOOL, _Kind.NUMBER, _Kind.NIL, _Kind.STRING, _Kind.DOT))
"""The operands that cannot have a field, and that no pipe can pass a value to."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: _Kind
    text: str


_END: Final = _Token(_Kind.END, "")


class GoTemplateFault(Exception):  # noqa: N818 - a fault of the text, not an error of this program
    """Raised for an invalid template. `hint` says how to correct it, if that is known."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def find_template_fault(text: str) -> GoTemplateFault | None:
    """Return the first fault of a template, or None if the template is valid."""
    if "{{" not in text:
        return None
    try:
        _TemplateParser(list(_split(text))).parse()
    except GoTemplateFault as fault:
        return fault
    return None


def _split(text: str) -> Iterator[_Token]:
    """Yield the tokens of a template. Raises GoTemplateFault for an invalid token."""
    position = 0
    while (start := text.find("{{", position)) >= 0:
        if start > position:
            yield _Token(_Kind.TEXT, text[position:start])
        position = start + 2
        if _LEFT_TRIM.match(text, position):
            position += 2
        if text.startswith("/*", position):
            position = _skip_comment(text, position)
            continue
        yield _Token(_Kind.LEFT, "{{")
        depth = 0
        while (end := _find_right_end(text, position)) is None:
            token, position = _read_token(text, position)
            depth += (token.kind is _Kind.OPEN) - (token.kind is _Kind.CLOSE)
            if depth < 0:
                raise GoTemplateFault("')' without '('", "remove ')', or add '('")
            yield token
        if depth:
            raise GoTemplateFault("'(' without ')'", "add ')'")
        yield _Token(_Kind.RIGHT, "}}")
        position = end
    if position < len(text):
        yield _Token(_Kind.TEXT, text[position:])


def _find_right_end(text: str, position: int) -> int | None:
    """Return the end of `}}` or ` -}}` at a position, or None if neither is there."""
    match = _RIGHT.match(text, position)
    return match.end() if match else None


def _skip_comment(text: str, position: int) -> int:
    """Return the end of the comment at a position, with its `}}`."""
    end = text.find("*/", position + 2)
    if end < 0:
        raise GoTemplateFault("comment without '*/'", "add '*/}}'")
    after = _find_right_end(text, end + 2)
    if after is None:
        raise GoTemplateFault("comment without '}}'", "write '}}' directly after '*/'")
    return after


def _read_token(text: str, position: int) -> tuple[_Token, int]:
    """Return the token at a position inside an action, and the position of its end."""
    char = text[position : position + 1]
    if not char:
        raise GoTemplateFault("'{{' without '}}'", "add '}}'")
    if space := _SPACE.match(text, position):
        end = space.end()
        if text.startswith("-}}", end) and end - position > 1:
            end -= 1
        return _Token(_Kind.SPACE, " "), end
    if text.startswith(":=", position):
        return _Token(_Kind.ASSIGN, ":="), position + 2
    if char in _SINGLE:
        return _Token(_SINGLE[char], char), position + 1
    if char in "\"'`":
        return _read_quoted(text, position, char)
    next_char = text[position + 1 : position + 2]
    if char == "$" or (char == "." and not ("0" <= next_char <= "9")):
        return _read_path(text, position, char)
    if char in "+-." or "0" <= char <= "9":
        return _read_number(text, position)
    if _is_name_character(char):
        return _read_word(text, position)
    if " " < char < "\x7f":
        return _Token(_Kind.OTHER, char), position + 1
    raise GoTemplateFault(f"invalid character U+{ord(char):04X} in a template", "remove it")


_SINGLE: Final = {"=": _Kind.ASSIGN, "|": _Kind.PIPE, "(": _Kind.OPEN, ")": _Kind.CLOSE}


def _is_name_character(char: str) -> bool:
    """Return whether Go allows a character in a name."""
    if char < "\x80":
        return char == "_" or char.isalnum()
    return category(char)[0] == "L" or category(char) == "Nd"


def _find_name_end(text: str, position: int) -> int:
    """Return the end of the name at a position. Raises GoTemplateFault if no separator follows."""
    end = position
    while end < len(text) and _is_name_character(text[end]):
        end += 1
    if end < len(text) and text[end] not in " \t\r\n.,|:()}":
        raise GoTemplateFault(
            f"unexpected '{text[end]}' after '{text[position:end]}'",
            "remove it, or add a space before it",
        )
    return end


def _read_path(text: str, position: int, mark: str) -> tuple[_Token, int]:
    """Read a variable such as `$labels`, a field such as `.Value`, or a dot."""
    end = _find_name_end(text, position + 1)
    if mark == "$":
        return _Token(_Kind.VARIABLE, text[position:end]), end
    kind = _Kind.FIELD if end > position + 1 else _Kind.DOT
    return _Token(kind, text[position:end]), end


def _read_word(text: str, position: int) -> tuple[_Token, int]:
    """Read a keyword, a constant or the name of a function."""
    end = _find_name_end(text, position)
    word = text[position:end]
    if word in _KEYWORDS:
        return _Token(_Kind.KEYWORD, word), end
    if word in ("true", "false"):
        return _Token(_Kind.BOOL, word), end
    return _Token(_Kind.NIL if word == "nil" else _Kind.NAME, word), end


def _read_quoted(text: str, position: int, quote: str) -> tuple[_Token, int]:
    """Read a string, a raw string or a character, and check its escapes."""
    pattern = {'"': _QUOTED, "'": _CHARACTER, "`": _RAW}[quote]
    match = pattern.match(text, position)
    if match is None:
        raise GoTemplateFault(f"text without closing {quote} in a template", f"add {quote}")
    content = match[0][1:-1]
    if quote != "`" and _has_invalid_escape(content, quote):
        raise GoTemplateFault(
            f"invalid escape in {match[0]}", r"write '\\' for a backslash, or quote with `"
        )
    if quote == "'" and len(_ESCAPE.sub("x", content).replace("\\'", "x")) != 1:
        raise GoTemplateFault(f"invalid character constant {match[0]}", 'quote text with "')
    kind = _Kind.NUMBER if quote == "'" else _Kind.STRING
    return _Token(kind, match[0]), match.end()


def _has_invalid_escape(content: str, quote: str) -> bool:
    position = content.find("\\")
    while position >= 0:
        match = _ESCAPE.match(content, position)
        if match is None and content[position + 1 : position + 2] != quote:
            return True
        position = content.find("\\", match.end() if match else position + 2)
    return False


def _read_number(text: str, position: int) -> tuple[_Token, int]:
    """Read a number, and check its syntax and range."""
    match = _NUMBER.match(text, position)
    end = match.end() if match else position
    is_complex = False
    if text[end : end + 1] in ("+", "-"):
        imaginary = _NUMBER.match(text, end)
        is_complex = imaginary is not None and imaginary[0].endswith("i")
        end = imaginary.end() if imaginary else end
        if not is_complex:
            _refuse_number(text[position:end])
    if end < len(text) and _is_name_character(text[end]):
        _refuse_number(text[position : end + 1])
    word = text[position:end]
    if not (is_complex or _is_number(word)):
        _refuse_number(word)
    return _Token(_Kind.NUMBER, word), end


def _refuse_number(word: str) -> NoReturn:
    raise GoTemplateFault(f"invalid number '{word}' in a template", "write a number such as 1.5")


def _is_number(word: str) -> bool:
    """Return whether Go accepts a number."""
    if word.endswith("i"):
        return _is_finite(word[:-1])
    if _INTEGER.fullmatch(word):
        digits = re.sub(r"^([+-]?)0_?([0-7])", r"\g<1>0o\2", word)
        value = int(digits, 0)
        return -(1 << 63) <= value < 1 << (63 if word[0] in "+-" else 64)
    return _is_finite(word) and not word.lstrip("+-").replace("_", "").isdigit()


def _is_finite(word: str) -> bool:
    if _HEX_FLOAT.fullmatch(word):
        return not math.isinf(_read_hex_float(word.replace("_", "")))
    return bool(_FLOAT.fullmatch(word)) and not math.isinf(float(word.replace("_", "")))


def _read_hex_float(word: str) -> float:
    try:
        return float.fromhex(word)
    except OverflowError:
        return math.inf


class _TemplateParser:
    """Parses the tokens of a template by recursive descent, as Go does."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.index = 0
        self.variables = ["$", *VARIABLES]
        self.range_depth = 0
        self.depth = 0
        self.is_dot_known = True
        """True if `.` is the data that Prometheus passes to the template."""
        self.definitions: dict[str, bool] = {}
        """The defined templates by name, and whether each is blank."""
        self.calls: list[str] = []

    def parse(self) -> None:
        """Parse the whole template."""
        while self.peek().kind is not _Kind.END:
            if self.peek().kind is _Kind.LEFT and self.keyword_after_left() == "define":
                self.parse_definition()
                continue
            keyword = self.parse_text_or_action()
            if keyword in ("end", "else"):
                raise GoTemplateFault(
                    f"'{{{{ {keyword} }}}}' without '{{{{ if }}}}'", "remove it, or add '{{ if }}'"
                )
        for name in self.calls:
            if name not in self.definitions:
                raise GoTemplateFault(
                    f"unknown template '{name}'",
                    did_you_mean(name, self.definitions) or "define it in the same text",
                )

    # tokens

    def peek(self) -> _Token:
        return self.tokens[self.index] if self.index < len(self.tokens) else _END

    def next(self) -> _Token:
        token = self.peek()
        self.index += 1
        return token

    def skip_space(self) -> None:
        while self.peek().kind is _Kind.SPACE:
            self.index += 1

    def next_after_space(self) -> _Token:
        self.skip_space()
        return self.next()

    def keyword_after_left(self) -> str:
        position = self.index + 1
        while position < len(self.tokens) and self.tokens[position].kind is _Kind.SPACE:
            position += 1
        token = self.tokens[position] if position < len(self.tokens) else _END
        return token.text if token.kind is _Kind.KEYWORD else ""

    def expect_right(self, construct: str) -> None:
        token = self.next_after_space()
        if token.kind is not _Kind.RIGHT:
            self.refuse(token, construct)

    def refuse(self, token: _Token, construct: str) -> NoReturn:
        """Raise the fault of an unexpected token in a construct, such as `if`."""
        if token.kind is _Kind.RIGHT:
            raise GoTemplateFault(f"no value in '{construct}'", "add a value before '}}'")
        raise GoTemplateFault(f"unexpected '{token.text}' in '{construct}'", "remove it")

    def descend(self) -> None:
        """Count a nested level. The parser uses recursion, so their number has a limit."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise GoTemplateFault(
                f"template nested deeper than {_DEEPEST} levels",
                f"nest at most {_DEEPEST} levels",
            )

    # actions

    def parse_text_or_action(self) -> str:
        """Parse a text or an action. Return its keyword, or "" for a text or a value."""
        self.skip_space()
        token = self.next()
        if token.kind is _Kind.TEXT:
            return ""
        if token.kind is not _Kind.LEFT:
            self.refuse(token, "{{ }}")
        self.skip_space()
        token = self.peek()
        if token.kind is not _Kind.KEYWORD:
            self.parse_pipeline("{{ }}", _Kind.RIGHT)
            return "value"
        self.next()
        self.parse_keyword(token)
        return token.text

    def parse_keyword(self, token: _Token) -> None:
        """Parse the rest of an action that begins with a keyword."""
        keyword = token.text
        if keyword in ("if", "with", "range"):
            self.parse_control(keyword)
        elif keyword == "else":
            self.skip_space()
            if self.peek().text not in ("if", "with") or self.peek().kind is not _Kind.KEYWORD:
                self.expect_right("{{ else }}")
        elif keyword == "end":
            self.expect_right("{{ end }}")
        elif keyword in ("break", "continue"):
            self.expect_right(f"{{{{ {keyword} }}}}")
            if not self.range_depth:
                raise GoTemplateFault(
                    f"'{{{{ {keyword} }}}}' outside of '{{{{ range }}}}'", "remove it"
                )
        elif keyword == "template":
            self.parse_call()
        elif keyword == "block":
            name = self.parse_template_name("{{ block }}")
            self.parse_pipeline("{{ block }}", _Kind.RIGHT)
            self.parse_definition_body(name, "block")
        else:
            self.refuse(token, "{{ }}")

    def parse_list(self) -> tuple[str, bool]:
        """Parse up to `{{ end }}` or `{{ else }}`.

        Return the keyword, and whether the parsed part is blank.
        """
        is_blank = True
        while True:
            self.skip_space()
            token = self.peek()
            if token.kind is _Kind.END:
                raise GoTemplateFault("no '{{ end }}'", "add '{{ end }}'")
            keyword = self.parse_text_or_action()
            if keyword in ("end", "else"):
                return keyword, is_blank
            is_blank = is_blank and not keyword and not token.text.strip()

    def parse_control(self, keyword: str) -> None:
        """Parse `if`, `with` or `range`, up to its `{{ end }}`."""
        self.descend()
        variable_count, is_dot_known = len(self.variables), self.is_dot_known
        self.parse_pipeline(f"{{{{ {keyword} }}}}", _Kind.RIGHT, is_range=keyword == "range")
        self.range_depth += keyword == "range"
        self.is_dot_known = is_dot_known and keyword == "if"
        last, _ = self.parse_list()
        self.range_depth -= keyword == "range"
        self.is_dot_known = is_dot_known
        if last == "else":
            self.parse_else(keyword)
        del self.variables[variable_count:]
        self.depth -= 1

    def parse_else(self, keyword: str) -> None:
        """Parse the part after `{{ else`, up to the `{{ end }}` of `keyword`."""
        self.skip_space()
        token = self.peek()
        if token.kind is _Kind.KEYWORD:  # `else if`, or `else with` of newer versions of Go
            if token.text != keyword:
                self.refuse(token, "{{ else }}")
            self.next()
            self.parse_control(keyword)
            return
        last, _ = self.parse_list()
        if last != "end":
            raise GoTemplateFault("second '{{ else }}'", "remove one of them")

    def parse_template_name(self, construct: str) -> str:
        token = self.next_after_space()
        if token.kind is not _Kind.STRING:
            self.refuse(token, construct)
        return token.text[1:-1]

    def parse_call(self) -> None:
        """Parse the rest of `{{ template "name" }}`."""
        self.calls.append(self.parse_template_name("{{ template }}"))
        self.skip_space()
        if self.peek().kind is _Kind.RIGHT:
            self.next()
        else:
            self.parse_pipeline("{{ template }}", _Kind.RIGHT)

    def parse_definition(self) -> None:
        """Parse `{{ define "name" }}` and its body."""
        self.next()
        self.next_after_space()
        name = self.parse_template_name("{{ define }}")
        self.expect_right("{{ define }}")
        self.parse_definition_body(name, "define")

    def parse_definition_body(self, name: str, keyword: str) -> None:
        """Parse the body of a named template, which has only the variable `$`."""
        self.descend()
        outer = self.variables, self.range_depth, self.is_dot_known
        self.variables, self.range_depth, self.is_dot_known = ["$"], 0, False
        last, is_blank = self.parse_list()
        if last == "else":
            raise GoTemplateFault(f"'{{{{ else }}}}' in '{{{{ {keyword} }}}}'", "remove it")
        self.variables, self.range_depth, self.is_dot_known = outer
        self.depth -= 1
        if not self.definitions.get(name, True) and not is_blank:
            raise GoTemplateFault(f"duplicate template '{name}'", "rename one of them")
        self.definitions[name] = self.definitions.get(name, True) and is_blank

    # values

    def parse_pipeline(self, construct: str, end: _Kind, *, is_range: bool = False) -> None:
        """Parse commands that are joined by `|`, up to the token `end`."""
        self.descend()
        self.parse_declarations(construct, 2 if is_range else 1)
        command_count = 0
        while True:
            token = self.next_after_space()
            if token.kind is end:
                break
            if token.kind not in _TERMS:
                self.refuse(token, construct)
            if command_count and token.kind in _VALUES:
                raise GoTemplateFault(
                    f"'{token.text}' after '|' is not a function", "write a function after '|'"
                )
            self.index -= 1
            self.parse_command(construct)
            command_count += 1
        if not command_count:
            raise GoTemplateFault(f"no value in '{construct}'", "add a value")
        self.depth -= 1

    def parse_declarations(self, construct: str, limit: int) -> None:
        """Parse variables before `:=` or `=`, and before `,` in `range`."""
        for number in range(1, limit + 1):
            self.skip_space()
            start = self.index
            variable = self.next()
            if variable.kind is not _Kind.VARIABLE:
                self.index = start
                return
            token = self.next_after_space()
            if token.kind is _Kind.ASSIGN:
                self.variables.append(variable.text)
                return
            if token.text != "," or token.kind is not _Kind.OTHER:
                self.index = start
                return
            if number == limit:
                raise GoTemplateFault(f"too many variables in '{construct}'", "remove ','")
            self.variables.append(variable.text)
            self.skip_space()
            if self.peek().kind not in (_Kind.VARIABLE, _Kind.RIGHT, _Kind.CLOSE):
                self.refuse(self.peek(), construct)

    def parse_command(self, construct: str) -> None:
        """Parse a function or a value with its arguments, and the `|` after it."""
        while True:
            self.skip_space()
            self.parse_operand(construct)
            token = self.next()
            if token.kind is _Kind.SPACE:
                continue
            if token.kind in (_Kind.RIGHT, _Kind.CLOSE):
                self.index -= 1
            elif token.kind is not _Kind.PIPE:
                self.refuse(token, construct)
            return

    def parse_operand(self, construct: str) -> None:
        """Parse a value with its fields, if there is one."""
        token = self.peek()
        if token.kind not in _TERMS:
            return
        self.next()
        if token.kind is _Kind.OPEN:
            self.parse_pipeline("( )", _Kind.CLOSE)
        self.check_term(token)
        if self.peek().kind is _Kind.FIELD and token.kind in _VALUES:
            raise GoTemplateFault(f"field of the value '{token.text}'", "remove the field")
        if token.text == "$" and self.peek().kind is _Kind.FIELD and "$labels" in self.variables:
            self.check_field(self.peek())
        while self.peek().kind is _Kind.FIELD:
            self.next()

    def check_term(self, token: _Token) -> None:
        """Check that the function, the variable or the field of a term exists."""
        if token.kind is _Kind.NAME and token.text not in FUNCTIONS:
            hint = did_you_mean(token.text, sorted(FUNCTIONS))
            raise GoTemplateFault(
                f"unknown function '{token.text}'", hint or "use a function of Prometheus"
            )
        if token.kind is _Kind.VARIABLE and token.text not in self.variables:
            hint = did_you_mean(token.text, [name for name in self.variables if name != "$"])
            raise GoTemplateFault(
                f"unknown variable '{token.text}'", hint or f"use one of {', '.join(VARIABLES)}"
            )
        if token.kind is _Kind.FIELD and self.is_dot_known:
            self.check_field(token)

    @staticmethod
    def check_field(token: _Token) -> None:
        """Check a field of the data that Prometheus passes to the template."""
        if token.text[1:] not in FIELDS:
            fields = [f".{name}" for name in FIELDS]
            hint = did_you_mean(token.text, fields) or f"use one of {', '.join(fields)}"
            raise GoTemplateFault(f"unknown field '{token.text}'", hint)
