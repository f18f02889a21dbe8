"""Find what makes a shell command fail in a terminal, although a reader does not see the fault.

Word processors, chats and web pages replace hyphens, quotation marks and spaces. Authors copy
prompts and line numbers, and leave out arguments. In quotes and in comments, these characters can
be intended, so only invisible ones are faults there.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from handbook.reading.code_languages import CodeFamily
from handbook.reading.destructive_forms import FORMS
from handbook.reading.prompts import blank_prompts, find_prompt
from handbook.reading.shell import PROGRAMS
from handbook.reading.shell_words import Command, Script, Word, read_script

_DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d"
_LONG_DASHES: Final = "\u2014\u2015"
_EN_DASHES: Final = "\u2012\u2013"
"""Dashes that can stand for `-` or for `--`."""
_DOUBLE_QUOTES: Final = "\u201c\u201d\u201e\u201f\uff02"
_SINGLE_QUOTES: Final = "\u2018\u2019\u201a\u201b\u00b4\uff07"
_QUOTE: Final = re.compile(f"[{_DOUBLE_QUOTES}{_SINGLE_QUOTES}]")
_APOSTROPHE: Final = re.compile("(?<=\\w)\u2019(?=\\w)")
_WRONG_END: Final = re.compile(
    f"\\$?(?:\"[^\n{_DOUBLE_QUOTES}]*(?=[{_DOUBLE_QUOTES}])|'[^\n{_SINGLE_QUOTES}]*"
    f"(?=[{_SINGLE_QUOTES}]))(?P<mark>.)"
)
"""A straight quotation mark and the next curly one on its line."""
_SPACES: Final = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_INVISIBLE: Final = re.compile("[\u00ad\u180e\u200b\u2060\ufeff]+")
_JOINERS: Final = re.compile("[\u061c\u200c-\u200f]+")
"""Invisible characters that emoji and some scripts need in a text."""
_OPTION: Final = re.compile(rf"(?P<dashes>-*[{_DASHES}][-{_DASHES}]*)(?P<name>.*)", re.DOTALL)
_BLANK_AFTER_BACKSLASH: Final = re.compile(r"(?<!\\)\\[ \t]+(?=\n[ \t]*\S|(?<=[ \t]\\[ \t])\Z)")
_LAST_BACKSLASH: Final = re.compile(r"(?<!\\)\\\s*\Z")
_OMISSION: Final = re.compile(r"[\[{(<]?(?:\.\.\.|\u2026)[\]})>]?|.*\u2026.*|.*[\w-]\.\.\.")
_LINE_NUMBER: Final = re.compile(r"[ \t]*[0-9]{1,5}[.:)|]?[ \t]+(?=(?P<program>[a-z][\w.-]*)\b)")
_REDIRECTED: Final = re.compile(r"[ \t]*>[ \t]+(?=(?P<program>[a-z][\w.-]*)[ \t]+\S)")
_COMMENTED: Final = re.compile(
    r"[ \t]*#[ \t]+(?=(?P<program>[a-z][\w.-]*)[ \t]+"
    r"(?!(?:the|an?|all|your|this|that|these|it|its|and|or|is|are|for|to|in|of|on|which)\b)\S"
    r"[^\n]*[^\s.:,]$)"
)

_MOST_UNCLOSED: Final = 10
"""The limit of unclosed quotations that are repaired, because each is read again."""

_PRINTERS: Final = frozenset(("echo", "printf", "logger", "wall", "say"))
"""Programs whose arguments are text."""
_DOTTED: Final = frozenset(("go", "git", "bazel", "buck2"))
"""Programs with `...` in their arguments."""
_OTHER_PROGRAMS: Final = frozenset(
    """
    apt apt-get bash cat cd chmod chown cp cut dnf export find free htop id kill less ls lsof mkdir
    more mv nano netstat oc pgrep pwd rm sed service ssh sudo tar tee touch vi vim watch yum
    """.split()  # noqa: SIM905 - a list of words
)


@dataclass(frozen=True, slots=True)
class PasteFault:
    """A part of a script that cannot be pasted.

    - `start` and `end`: its offsets in the script.
    - `repaired`: the text that most likely belongs there, so that shellcheck can read the script.
    - `is_certain`: True if a program can replace the text by `repaired`.
    """

    start: int
    end: int
    message: str
    hint: str
    repaired: str
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class _ArgumentWord:
    """A word with its command and its index in it. `is_text` is True if a program prints it."""

    word: Word
    command: Command
    index: int
    is_text: bool

    @property
    def is_first_of_printer(self) -> bool:
        """True for the word directly after `echo` or a similar program."""
        return self.index > 0 and self.command.words[self.index - 1].text in _PRINTERS


@dataclass(frozen=True, slots=True)
class PromptFault:
    """Prompts or line numbers before the commands of a block.

    - `spans`: the start and end of each, in the order of the block.
    - `has_output`: True if the block has lines without them.
    - `is_shell`: False for prompts of another program, such as `mysql> `.
    """

    text: str
    spans: tuple[tuple[int, int], ...]
    has_output: bool
    is_shell: bool = True

    @property
    def message(self) -> str:
        """The message of a finding."""
        is_number = self.text[0].isdigit() and not self.text.endswith(">")
        return f"{'line number' if is_number else 'prompt'} '{self.text}' in shell code"


@dataclass(frozen=True, slots=True)
class PasteFaults:
    """The faults of a block of code, and its commands without them, for shellcheck."""

    prompt: PromptFault | None = None
    faults: tuple[PasteFault, ...] = ()
    repaired: str = ""

    def find_column(self, text: str, line: int, column: int) -> int:
        """Return the column in the block of a column in the repaired text. Both count from 1."""
        start = sum(len(row) + 1 for row in text.split("\n")[: line - 1])
        for fault in self.faults:
            if start <= fault.start < start + column - 1:
                column += fault.end - fault.start - len(fault.repaired)
        return column


def find_paste_faults(text: str, family: CodeFamily) -> PasteFaults:
    """Find the faults of a block of shell code, or of a session in a terminal."""
    if family is CodeFamily.SESSION:
        commands = blank_prompts(text, is_session=True)
        # Without prompts, all lines can be output.
        faults = find_faulty_characters(commands, is_whole=False) if commands != text else ()
        return PasteFaults(None, faults, text)
    if family not in (CodeFamily.SHELL, CodeFamily.POWERSHELL):
        return PasteFaults(repaired=text)
    prompt = _find_prompts(text)
    if prompt and not prompt.is_shell:
        return PasteFaults(prompt)
    if prompt and prompt.has_output:
        text = blank_prompts(text)
    elif prompt:
        text = _blank(text, prompt.spans)
    # PowerShell accepts dashes, quotation marks and spaces of a word processor.
    faults = () if family is CodeFamily.POWERSHELL else find_faulty_characters(text)
    return PasteFaults(prompt, faults, _repair(text, faults))


def find_faulty_characters(text: str, *, is_whole: bool = True) -> tuple[PasteFault, ...]:
    """Return the faults of a script without prompts, in order and without overlaps.

    If `is_whole` is False, the text is code in a sentence, which can omit arguments.
    """
    has_backslash = "\\ " in text or "\\\t" in text or _LAST_BACKSLASH.search(text)
    if text.isascii() and "..." not in text and not has_backslash:
        return ()
    unclosed = list(_close_quotes(text))
    text = _repair(text, unclosed)
    script = read_script(text)
    code = _blank(text, script.literals, "\0")
    candidates = [
        *unclosed,
        *_find_quotes(text, code),
        *_find_dashes(text, code, script),
        *_find_spaces(code),
        *_find_invisible_characters(text, code, script),
    ]
    if is_whole:
        candidates += (*_find_omissions(code, script), *_find_backslashes(code))
    faults: list[PasteFault] = []
    for fault in sorted(candidates, key=lambda fault: (fault.start, -fault.end)):
        if not faults or fault.start >= faults[-1].end:
            faults.append(fault)
    return tuple(faults)


def is_command(text: str) -> bool:
    """Return whether a text begins with the name of a known program."""
    match = re.match(r"[\w.-]+", text)
    return match is not None and match[0] in _programs()


@lru_cache(1)
def _programs() -> frozenset[str]:
    names = {name for line in FORMS.strip().split("\n") for name in line.split(" ")[0].split(",")}
    return frozenset(names | set(PROGRAMS.split("|")) | _OTHER_PROGRAMS)


def _blank(text: str, spans: Sequence[tuple[int, int]], character: str = " ") -> str:
    """Replace parts of a text, except line ends, by a character."""
    parts: list[str] = []
    last = 0
    for start, end in sorted(spans):
        if start >= last:
            blanks = re.sub(r"[^\n]", character, text[start:end])
            parts += (text[last:start], blanks)
            last = end
    return "".join((*parts, text[last:]))


def _repair(text: str, faults: Sequence[PasteFault]) -> str:
    parts: list[str] = []
    last = 0
    for fault in faults:
        parts += (text[last : fault.start], fault.repaired)
        last = fault.end
    return "".join((*parts, text[last:]))


def _find_prompts(text: str) -> PromptFault | None:
    """Return the prompts or the line numbers of a block of shell code, or None."""
    lines = text.split("\n")
    matches = [_match_prompt(line) for line in lines]
    if not any(matches):
        return _find_commented_prompts(lines)
    script = read_script(text)
    literals = sorted(script.literals)
    starts = [start for start, _ in literals]
    offset, spans, has_output, continues = 0, [], False, False
    for line, match in zip(lines, matches, strict=True):
        index = bisect_right(starts, offset) - 1
        is_literal = index >= 0 and literals[index][0] <= offset < literals[index][1]
        if match and not is_literal and not continues:
            spans.append((offset + match.start(), offset + match.end()))
        elif line.strip() and not line.lstrip().startswith("#") and not is_literal:
            has_output = has_output or not continues
        continues = line.endswith("\\")
        offset += len(line) + 1
    if not spans:
        return None
    prompt = text[slice(*spans[0])].strip()
    match = find_prompt(f"{prompt} x")
    is_shell = match is None or match["client"] is None
    return PromptFault(prompt, tuple(spans), has_output, is_shell)


def _match_prompt(line: str) -> re.Match[str] | None:
    """Return a prompt, or a line number or `>` before a program, or None."""
    if prompt := find_prompt(line):
        return prompt
    match = _LINE_NUMBER.match(line) or _REDIRECTED.match(line)
    return match if match and match["program"] in _programs() else None


def _find_commented_prompts(lines: Sequence[str]) -> PromptFault | None:
    """Return the prompts of root in a block in which every line begins with `# `, or None."""
    offset, spans = 0, []
    for line in lines:
        match = _COMMENTED.match(line)
        if match and match["program"] in _programs():
            spans.append((offset + match.start(), offset + match.end()))
        elif line.strip():
            return None
        offset += len(line) + 1
    return PromptFault("#", tuple(spans), has_output=False) if spans else None


def _find_quotes(text: str, code: str) -> Iterator[PasteFault]:
    """Yield each pair of curly quotation marks, and each of them without a partner."""
    end = 0
    apostrophes = {match.start() for match in _APOSTROPHE.finditer(code)}
    for match in _QUOTE.finditer(code):
        start = match.start()
        if start < end or start in apostrophes:
            continue
        marks, straight = (
            (_DOUBLE_QUOTES, '"') if match[0] in _DOUBLE_QUOTES else (_SINGLE_QUOTES, "'")
        )
        pair = re.compile(rf"[{marks}]([^{marks}\n]*)[{marks}]").match(text, start)
        end = pair.end() if pair else start + 1
        repaired = f"{straight}{pair[1]}{straight}" if pair else straight
        is_certain = pair is not None and straight not in pair[1]
        yield PasteFault(
            start,
            end,
            f"curly quotation mark '{match[0]}' in shell code",
            f"write {repaired}",
            repaired,
            is_certain,
        )


def _close_quotes(text: str) -> Iterator[PasteFault]:
    """Yield each curly quotation mark that ends a text after a straight one.

    Each of them hides the next, so the function repairs the script and reads it again.
    """
    for _ in range(_MOST_UNCLOSED):
        match = _find_wrong_end(text, read_script(text))
        if match is None:
            return
        straight = '"' if match["mark"] in _DOUBLE_QUOTES else "'"
        start, end = match.span("mark")
        message = f"curly quotation mark '{match['mark']}' in shell code"
        yield PasteFault(start, end, message, f"write {straight}", straight)
        text = f"{text[:start]}{straight}{text[end:]}"


def _find_wrong_end(text: str, script: Script) -> re.Match[str] | None:
    """Return the first straight quotation mark whose line has a curly one as its end, or None.

    A text with several lines can have pairs of curly quotation marks.
    """
    for start, end in script.literals:
        is_unclosed = start == script.unclosed_quote
        if is_unclosed or (text.startswith(('"', "'"), start) and "\n" in text[start:end]):
            match = _WRONG_END.match(text, start)
            if match and (is_unclosed or text.startswith("\n", match.end("mark"))):
                return match
    return None


def _list_words(script: Script) -> list[_ArgumentWord]:
    """Return each word of a script with its command, in the order of the script."""
    words = []
    for command in script.commands:
        is_text = False
        for index, word in enumerate(command.words):
            words.append(_ArgumentWord(word, command, index, is_text))
            is_text = is_text or word.text in _PRINTERS
    return sorted(words, key=lambda argument: argument.word.start)


def _find_dashes(text: str, code: str, script: Script) -> Iterator[PasteFault]:
    """Yield each word with a dash instead of a hyphen."""
    if not any(dash in code for dash in _DASHES):
        return
    for argument in _list_words(script):
        word = argument.word
        unquoted = code[word.start : word.end]
        if not any(dash in unquoted for dash in _DASHES):
            continue
        option = _OPTION.match(unquoted)
        is_option = option is not None and option["name"] and argument.is_first_of_printer
        if argument.is_text and not is_option:
            continue
        word_text = text[word.start : word.end]
        dash = next(character for character in unquoted if character in _DASHES)
        message = f"dash U+{ord(dash):04X} instead of a hyphen in '{word_text}'"
        if option:
            yield _make_option_fault(word, option["dashes"], word_text, message)
        else:
            repaired = re.sub(f"[{_DASHES}]", "-", word_text)
            hint = f"write '{repaired}', or put the word in quotes"
            yield PasteFault(word.start, word.end, message, hint, repaired, is_certain=False)


def _make_option_fault(word: Word, dashes: str, word_text: str, message: str) -> PasteFault:
    """Return the fault of a word that begins with dashes instead of one or two hyphens."""
    name = word_text[len(dashes) :]
    is_letter = bool(re.match(r"[A-Za-z0-9](?![A-Za-z-])", name))
    if len(dashes) > 1:
        hyphens, is_certain = "--", True
    elif dashes in _LONG_DASHES:
        hyphens, is_certain = ("-" if is_letter else "--"), not is_letter
    else:
        is_certain = dashes not in _EN_DASHES or is_letter
        hyphens = "-" if is_certain or not name else "--"
    end = word.start + len(dashes)
    hint = f"write '{hyphens}{name}'"
    if not is_certain:
        alternative = "--" if hyphens == "-" else "-"
        hint += f" or '{alternative}{name}'"
    return PasteFault(word.start, end, message, hint, hyphens, is_certain)


def _find_spaces(code: str) -> Iterator[PasteFault]:
    for match in _SPACES.finditer(code):
        name = unicodedata.name(match[0][0]).lower()
        yield PasteFault(
            match.start(),
            match.end(),
            f"{name} U+{ord(match[0][0]):04X} in shell code",
            "write an ordinary space",
            " " * len(match[0]),
        )


def _find_invisible_characters(text: str, code: str, script: Script) -> Iterator[PasteFault]:
    """Yield invisible characters, in quotes only those that no text needs."""
    comments = [span for span in script.literals if text.startswith("#", span[0])]
    without_comments = _blank(text, comments)
    for pattern, searched in ((_INVISIBLE, without_comments), (_JOINERS, code)):
        for match in pattern.finditer(searched):
            yield PasteFault(
                match.start(),
                match.end(),
                f"invisible character U+{ord(match[0][0]):04X} in shell code",
                "remove it",
                "",
            )


def _find_omissions(code: str, script: Script) -> Iterator[PasteFault]:
    """Yield each word that stands for arguments that the author left out."""
    if "..." not in code and "\u2026" not in code:
        return
    for argument in _list_words(script):
        word = argument.word
        unquoted = code[word.start : word.end]
        if not _OMISSION.fullmatch(unquoted) or argument.is_text:
            continue
        if argument.command.words[0].text in _DOTTED and "\u2026" not in unquoted:
            continue
        yield PasteFault(
            word.start,
            word.end,
            f"omitted text '{unquoted}' in a shell command",
            "write the whole command, or a placeholder such as '<name>'",
            "x" * len(unquoted),
            is_certain=False,
        )


def _find_backslashes(code: str) -> Iterator[PasteFault]:
    """Yield blanks after the backslash at the end of a line, and a backslash at the end."""
    for blanks in _BLANK_AFTER_BACKSLASH.finditer(code):
        yield PasteFault(
            blanks.start(),
            blanks.end(),
            "blank after the backslash at the end of a line",
            "remove the blank, so that the command continues on the next line",
            "\\",
        )
    if match := _LAST_BACKSLASH.search(code):
        yield PasteFault(
            match.start(),
            match.start() + 1,
            "backslash at the end of the last line",
            "remove the backslash, or add the next line",
            " ",
            is_certain=False,
        )
