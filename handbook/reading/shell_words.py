"""Split shell scripts into commands and words, with their offsets.

The reader accepts any text: an unclosed quote or parenthesis ends with the script. It knows enough
of the language to find every command: quotes, substitutions, here-documents, pipelines and
keywords. It does not expand variables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

_NAME: Final = r"<[A-Za-z][\w.-]*(?: [\w.-]+)*>"
NAME_TO_REPLACE: Final = re.compile(rf"(?<![ \t<]){_NAME}|(?<!<){_NAME}(?![\w$~\"'])")
"""A name such as `<pod>` that the reader of a command replaces.

`sort <input>output` has two redirections: a blank before the name and a letter after it.
"""

_DEEPEST: Final = 8
"""The limit of nested substitutions that are read, because each level is read again."""

_KEYWORDS: Final = frozenset(("if", "then", "elif", "else", "do", "while", "until", "!", "{"))
"""Words before a command that are not a part of it."""

_GAP: Final = re.compile(r"(?:[ \t]|\\\n)+")
_OPERATOR: Final = re.compile(r"&&|\|\||;;&?|;&|\|&|[;&|()\n]")
_REDIRECTION: Final = re.compile(r"&>>?|[0-9]*(?:<<<|<<-?|>>|>\||>&|<>|<&|>(?!\()|<(?!\())")
_PART: Final = re.compile(
    r"(?P<plain>[^\s'\"\\$`;&|()<>]+)|\\(?P<escaped>.?)|'(?P<single>[^']*)(?P<close>'|\Z)"
    r"|(?P<double>\$?\")|(?P<open>\$\(|[<>]\(|`)|(?P<value>\$\{[^}]*\}?|\$)",
    re.DOTALL,
)
_IN_DOUBLE_QUOTES: Final = re.compile(
    r"(?P<plain>[^\"\\$`]+)|\\(?P<escaped>.?)|(?P<end>\")|(?P<open>\$\(|`)"
    r"|(?P<value>\$\{[^}]*\}?|\$)",
    re.DOTALL,
)
_NESTED: Final = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"|\\.|(?P<parenthesis>[()])", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a command. `text` is the word without its quotes."""

    text: str
    start: int
    end: int
    is_quoted: bool = False


@dataclass(slots=True)
class Command:
    """A simple command: its words, redirections and texts on its standard input.

    - `redirections`: each operator, such as `>`, with its target.
    - `inputs`: the here-documents and here-strings.
    - `source`: the command whose output a pipe sends to this command, or None.
    """

    words: list[Word] = field(default_factory=list)
    redirections: list[tuple[str, Word]] = field(default_factory=list)
    inputs: list[Word] = field(default_factory=list)
    source: Command | None = None


@dataclass(slots=True)
class Script:
    """The commands of a script.

    - `literals`: the start and end of each comment, quoted text and here-document.
    - `unclosed_quote`: the offset of a quotation mark without a partner, or None.
    """

    commands: list[Command] = field(default_factory=list)
    literals: list[tuple[int, int]] = field(default_factory=list)
    unclosed_quote: int | None = None


def read_script(text: str) -> Script:
    """Read the commands of a shell script, also those in substitutions."""
    reader = _ScriptReader(text, 0, len(text))
    reader.read()
    return reader.script


class _ScriptReader:
    """Reader of a part of a text: a script, or the substitution between two offsets."""

    def __init__(self, text: str, start: int, end: int, depth: int = 0) -> None:
        self.text = text
        self.offset = start
        self.end = end
        self.depth = depth
        self.script = Script()
        self.command = Command()
        self.here_documents: list[tuple[Command, str, bool]] = []

    def read(self) -> None:
        while self.offset < self.end:
            if match := _GAP.match(self.text, self.offset, self.end):
                self.offset = match.end()
            elif self.text[self.offset] == "#":
                self._read_comment()
            elif match := _REDIRECTION.match(self.text, self.offset, self.end):
                self._read_redirection(match)
            elif match := _OPERATOR.match(self.text, self.offset, self.end):
                self.offset = match.end()
                self._end_command(match[0])
            else:
                self._add_word(self._read_word())
        self._end_command("")

    def _add_word(self, word: Word) -> None:
        """Add a word to the command, or skip a character that is no word, such as an odd space."""
        if word.start == word.end:
            self.offset += 1
        elif self.command.words or word.is_quoted or word.text not in _KEYWORDS:
            self.command.words.append(word)

    def _end_command(self, operator: str) -> None:
        command = self.command
        if command.words or command.redirections:
            self.script.commands.append(command)
        self.command = Command(source=command if operator in ("|", "|&") else None)
        if operator == "\n":
            if not command.words and command.source:
                self.command.source = command.source
            for owner, delimiter, has_indent in self.here_documents:
                self._read_here_document(owner, delimiter, has_indent=has_indent)
            self.here_documents.clear()

    def _read_comment(self) -> None:
        end = self.text.find("\n", self.offset, self.end)
        end = self.end if end < 0 else end
        self.script.literals.append((self.offset, end))
        self.offset = end

    def _read_redirection(self, match: re.Match[str]) -> None:
        if name := NAME_TO_REPLACE.match(self.text, match.start(), self.end):
            word = self._read_word(name)
            self.command.words.append(word)
            return
        operator = match[0].lstrip("0123456789")
        self.offset = match.end()
        if gap := _GAP.match(self.text, self.offset, self.end):
            self.offset = gap.end()
        target = self._read_word()
        if operator in ("<<", "<<-"):
            self.here_documents.append((self.command, target.text, operator == "<<-"))
        elif operator == "<<<":
            self.command.inputs.append(target)
        else:
            self.command.redirections.append((operator, target))

    def _read_here_document(self, owner: Command, delimiter: str, *, has_indent: bool) -> None:
        start = self.offset
        indent = r"\t*" if has_indent else ""
        end_line = re.compile(rf"^{indent}{re.escape(delimiter)}$", re.MULTILINE)
        match = end_line.search(self.text, start, self.end)
        body_end, self.offset = match.span() if match else (self.end, self.end)
        self.script.literals.append((start, body_end))
        owner.inputs.append(Word(self.text[start:body_end], start, body_end))

    def _read_word(self, name: re.Match[str] | None = None) -> Word:
        """Read a word. The result is empty at an operator.

        `name` is the placeholder that begins the word, if there is one.
        """
        start, parts, is_quoted = self.offset, [name[0]] if name else [], False
        self.offset = name.end() if name else start
        while self.offset < self.end:
            match = NAME_TO_REPLACE.match(self.text, self.offset, self.end) or _PART.match(
                self.text, self.offset, self.end
            )
            if match is None or match[0] == "\\\n":
                break
            begin, self.offset = self.offset, match.end()
            if match.re is NAME_TO_REPLACE:
                parts.append(match[0])
                continue
            if match["double"]:
                parts.append(self._read_double_quotes(begin))
                is_quoted = True
            elif match["single"] is not None:
                parts.append(match["single"])
                is_quoted = True
                self._add_quotation(begin, is_closed=bool(match["close"]))
            elif match["open"]:
                self._read_substitution(match["open"])
                parts.append(self.text[begin : self.offset])
            else:
                parts.append(match["plain"] or match["escaped"] or match["value"] or "")
        return Word("".join(parts), start, self.offset, is_quoted)

    def _add_quotation(self, start: int, *, is_closed: bool) -> None:
        self.script.literals.append((start, self.offset))
        if not is_closed:
            self.script.unclosed_quote = start

    def _read_double_quotes(self, start: int) -> str:
        parts: list[str] = []
        while match := _IN_DOUBLE_QUOTES.match(self.text, self.offset, self.end):
            begin, self.offset = self.offset, match.end()
            if match["end"]:
                self._add_quotation(start, is_closed=True)
                return "".join(parts)
            if match["open"]:
                self._read_substitution(match["open"])
                parts.append(self.text[begin : self.offset])
            elif match["escaped"] is not None:
                # Only these characters lose the backslash in double quotes.
                is_special = match["escaped"] in ('"', "\\", "$", "`")
                parts.append(match["escaped"] if is_special else match[0].replace("\\\n", ""))
            else:
                parts.append(match[0])
        self._add_quotation(start, is_closed=False)
        return "".join(parts)

    def _read_substitution(self, opening: str) -> None:
        """Read `$(…)` or backquotes. The offset is after the opening mark."""
        start = self.offset
        end = self._find_backquote() if opening == "`" else self._find_parenthesis()
        self.offset = min(end + 1, self.end)
        if self.depth < _DEEPEST:
            reader = _ScriptReader(self.text, start, end, self.depth + 1)
            reader.read()
            self.script.commands += reader.script.commands

    def _find_backquote(self) -> int:
        match = re.compile(r"(?:[^`\\]|\\.)*", re.DOTALL).match(self.text, self.offset, self.end)
        return match.end() if match else self.end

    def _find_parenthesis(self) -> int:
        depth = 1
        for match in _NESTED.finditer(self.text, self.offset, self.end):
            if match["parenthesis"]:
                depth += 1 if match[0] == "(" else -1
                if depth == 0:
                    return match.start()
        return self.end
