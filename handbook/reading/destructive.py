"""Find destructive commands: commands that delete data, or stop or force something.

A command is known by its program, its subcommand and its options (`destructive_forms`), also behind
`sudo`, `xargs`, `ssh` and the like, in substitutions, and in scripts and SQL that are arguments or
the standard input of a program. Printed text, comments, questions (`kubectl auth can-i delete`) and
rehearsals (`--dry-run`) are not commands.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from itertools import islice
from typing import Final

from handbook.reading.code_languages import CodeFamily
from handbook.reading.destructive_forms import (
    BULK_PROGRAMS,
    COMMON_SIGNS,
    FLAGS,
    FORMS,
    KEY_VALUE_CLIENTS,
    MONGO_CLIENTS,
    OTHER_SIGNS,
    PRINTERS,
    REHEARSALS,
    RUNNERS,
    SCRIPT_CARRIERS,
    SHELLS,
    SQL_CLIENTS,
)
from handbook.reading.destructive_sql import (
    find_destructive_mongo,
    find_destructive_sql,
    find_destructive_sql_line,
)
from handbook.reading.prompts import blank_prompts
from handbook.reading.shell_words import Command, Word, read_script

_DEEPEST: Final = 6
"""The limit of commands in commands, such as `ssh host "sudo sh -c '…'"`."""

_MOST_CANDIDATES: Final = 12
"""The limit of words in a command that can begin another command."""

_ASSIGNMENT: Final = re.compile(r"\w+\+?=")
_OPTION_NAME: Final = re.compile(r"--?[\w-]+=|-[a-zA-Z](?=[A-Z])")
_BARE_OPTION: Final = re.compile(r"--?[A-Za-z][A-Za-z-]*")
"""An option without a value in the same word. `-n1` and `--name=x` have one."""
_SUFFIX: Final = re.compile(r"\.(?:sh|exe|cmd|bat)$")
_LIST_PROGRAMS: Final = frozenset(("xargs", "parallel"))
_EXECUTING_OPTIONS: Final = frozenset(
    ("-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec", "--exec-batch")
)
_NULL_COMMANDS: Final[tuple[list[str], ...]] = ([], [":"], ["true"], ["cat", "/dev/null"])
"""Commands without output."""
_HARMLESS_TARGETS: Final = ("/dev/null", "/dev/std*", "/dev/fd/*", "/dev/tty", "/tmp/*")  # noqa: S108
_DEVICES: Final = (
    "/dev/sd*",
    "/dev/nvme*",
    "/dev/vd*",
    "/dev/xvd*",
    "/dev/mapper/*",
    "/dev/disk/*",
)
_SIGN: Final = re.compile(r"[a-z]{2,}")
_TRIGGER: Final = "/proc/sysrq-trigger"
_HTTP_REQUEST: Final = re.compile(r"^[ \t]*DELETE[ \t]+(?:/|https?://)\S*", re.MULTILINE)
_LITERAL: Final = re.compile(
    r"\"(?P<double>[^\"\n]*)\"|'(?P<single>[^'\n]*)'"
    r"|^[ \t]*(?:-[ \t]+)*(?:[\w.-]+:[ \t]+|-[ \t]+)(?P<value>[^\s\"'|>\[{].*)$",
    re.MULTILINE,
)
"""A string, or a value of YAML."""


@dataclass(frozen=True, slots=True)
class DestructiveCommand:
    """A destructive command in a text: the offset of its program, and its significant words."""

    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class _CommandForm:
    """A line of `FORMS` without its programs."""

    words: tuple[tuple[str, ...], ...]
    options: tuple[tuple[str, ...], ...]
    arguments: tuple[tuple[str, ...], ...]
    excluded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Span:
    """The start and the end of a destructive command in a text."""

    start: int
    end: int


def find_destructive_command(text: str, family: CodeFamily) -> DestructiveCommand | None:
    """Return the first destructive command of a block of code, or None."""
    if not _can_be_destructive(text):
        return None
    code = blank_prompts(text, is_session=family is CodeFamily.SESSION)
    match family:
        case CodeFamily.SHELL | CodeFamily.POWERSHELL | CodeFamily.SESSION:
            spans = list(_search_script(code, 0))
        case CodeFamily.TEXT:
            spans = _search_text(code)
        case CodeFamily.SQL:
            spans = _as_spans(find_destructive_sql(code))
        case CodeFamily.MONGO:
            spans = _as_spans(find_destructive_mongo(text)) or list(_search_literals(text))
        case CodeFamily.REDIS:
            spans = list(_search_key_commands(code))
        case CodeFamily.HTTP:
            spans = [_Span(*match.span()) for match in _HTTP_REQUEST.finditer(text)]
        case CodeFamily.OUTPUT:
            spans = []
        case CodeFamily.OTHER:
            spans = list(_search_literals(text))
    span = min(spans, key=lambda span: span.start, default=None)
    if span is None:
        return None
    words = text[span.start : span.end].replace("\\\n", " ").split()
    return DestructiveCommand(span.start, " ".join(words))


def _can_be_destructive(text: str) -> bool:
    """Return whether a text has a word of a destructive command, or a redirection.

    This test is much cheaper than the search, and most texts have no such word.
    """
    return ">" in text or "XDELETE" in text or not _signs().isdisjoint(_SIGN.findall(text.lower()))


@cache
def _signs() -> frozenset[str]:
    """Words of which each destructive command has at least one."""
    signs = set(BULK_PROGRAMS) | OTHER_SIGNS
    for line in FORMS.strip().split("\n"):
        programs, *parts = line.split(" ")
        # The last word of a form is rarer than the others: `docker volume rm`.
        words = [pattern for pattern in reversed(parts) if pattern[0] not in "-@!"]
        options = [pattern for pattern in parts if pattern[0] in "-@"]
        names = (_read_signs(pattern.lstrip("@").split("|")) for pattern in (*words, *options))
        signs |= next(filter(None, names), _read_signs(programs.split(",")))
    return frozenset(signs)


def _read_signs(alternatives: Sequence[str]) -> set[str]:
    """Return the longest rare word of each alternative, or nothing if one has no such word."""
    # An option of one letter can be in a group, so only its value is a word.
    words = [
        set(_SIGN.findall(re.sub(r"^-\w(?:=|$)", "", alternative.lower()))) - COMMON_SIGNS
        for alternative in alternatives
    ]
    return {max(names, key=len) for names in words} if all(words) else set()


def _as_spans(span: tuple[int, int] | None) -> list[_Span]:
    return [_Span(*span)] if span else []


def _search_text(text: str) -> list[_Span]:
    """Return destructive commands of a text that can be shell code, SQL or JavaScript."""
    return [
        *_search_script(text, 0, is_code=False),
        *_as_spans(find_destructive_sql_line(text)),
        *_as_spans(find_destructive_mongo(text)),
    ]


def _search_literals(text: str) -> Iterator[_Span]:
    """Yield the destructive commands in strings and YAML values of code in another language."""
    for literal in _LITERAL.finditer(text):
        start = literal.start(literal.lastgroup or 0)
        for span in _search_text(literal[literal.lastgroup or 0]):
            yield _Span(start + span.start, start + span.end)


def _search_script(text: str, depth: int, *, is_code: bool = True) -> Iterator[_Span]:
    """Yield the destructive commands of a shell script.

    If `is_code` is False, the text can contain more than commands, so a redirection alone is none.
    """
    for command in read_script(text).commands:
        yield from _search_command(command, command.words, depth, set())
        if is_code:
            yield from _search_redirections(command)


def _search_redirections(command: Command) -> Iterator[_Span]:
    """Yield a redirection that empties a file or writes to a device."""
    words = [word.text for word in command.words]
    is_null = words in _NULL_COMMANDS
    for operator, target in command.redirections:
        if operator not in (">", ">|", "&>", ">>"):
            continue
        is_harmless = any(fnmatchcase(target.text, glob) for glob in _HARMLESS_TARGETS)
        is_device = target.text == _TRIGGER or any(
            fnmatchcase(target.text, glob) for glob in _DEVICES
        )
        if is_device or (is_null and operator != ">>" and target.text and not is_harmless):
            start = target.start - 1
            yield _Span(command.words[0].start if words else max(start - 1, 0), target.end)


def _search_command(
    command: Command,
    words: Sequence[Word],
    depth: int,
    searched: set[int],
    *,
    is_bulk: bool = False,
) -> Iterator[_Span]:
    """Yield the destructive commands in words of a command.

    `searched` holds the offsets of the inner commands that are already searched. `is_bulk` is True
    for a command that runs for each line of a list.
    """
    words = _skip_assignments(words)
    if not words or depth > _DEEPEST or words[0].start in searched:
        return
    searched.add(words[0].start)
    program = _read_program(words[0])
    span = _match_forms(program, words, is_bulk=is_bulk)
    if span:
        yield span
        return
    if program == "command" and len(words) > 1 and words[1].text in ("-v", "-V"):
        return
    for start in islice(_find_inner_commands(program, words), _MOST_CANDIDATES):
        is_list = program in _LIST_PROGRAMS or words[start - 1].text in _EXECUTING_OPTIONS
        yield from _search_command(command, words[start:], depth + 1, searched, is_bulk=is_list)
    yield from _search_arguments(program, words, depth)
    for text in _list_inputs(command):
        yield from _search_input(program, text, depth)


def _skip_assignments(words: Sequence[Word]) -> Sequence[Word]:
    start = 0
    while start < len(words) and _ASSIGNMENT.match(words[start].text):
        start += 1
    return words[start:]


def _read_program(word: Word) -> str:
    """Return the name of a program without its folder: `kubectl` for `$KUBECTL`."""
    name = word.text.strip('${}"').rsplit("/", 1)[-1].rsplit("\\", 1)[-1].casefold()
    return _SUFFIX.sub("", name)


def _find_inner_commands(program: str, words: Sequence[Word]) -> Iterator[int]:
    """Yield the index of each word that can begin a command in a command."""
    if program in ("find", "fd", "fdfind"):
        for index, word in enumerate(words[:-1]):
            if word.text in _EXECUTING_OPTIONS:
                yield index + 1
        return
    for names, skipped in _runners().get(program, ()):
        first = _find_subcommand(words, names)
        if first is not None:
            yield from _find_candidates(words, first, skipped)
    texts = [word.text for word in words]
    if "--" in texts[:-1] and program not in ("git", "grep", "rg", "echo", "printf"):
        yield texts.index("--") + 1


@cache
def _runners() -> Mapping[str, list[tuple[tuple[str, ...], int]]]:
    """The subcommands of each program that runs other commands, with the words to skip."""
    runners: dict[str, list[tuple[tuple[str, ...], int]]] = defaultdict(list)
    for skipped, names in RUNNERS.items():
        for name in names:
            program, *subcommands = name.split(":")
            runners[program].append((tuple(subcommands), skipped))
    return runners


def _find_subcommand(words: Sequence[Word], names: Sequence[str]) -> int | None:
    """Return the index after the subcommands of a program, or None if it has others."""
    index = 1
    for name in names:
        candidates = _find_candidates(words, index, 0)
        position = next((index for index in candidates if words[index].text == name), None)
        if position is None:
            return None
        index = position + 1
    return index


def _find_candidates(words: Sequence[Word], first: int, skipped: int) -> Iterator[int]:
    """Yield the index of each word that can be the argument after `skipped` others.

    A word after an option is an argument, or the value of the option.
    """
    certain, possible = 0, 0
    for index in range(first, len(words)):
        text = words[index].text
        if text == "--" or text.startswith("-") or _ASSIGNMENT.match(text):
            continue
        if possible >= skipped:
            yield index
        possible += 1
        certain += not _can_be_value(words, index, first)
        if certain > skipped:
            return


def _can_be_value(words: Sequence[Word], index: int, first: int = 1) -> bool:
    """Return whether a word can be the value of the option before it."""
    option = words[index - 1].text if index > first else ""
    return option not in FLAGS and bool(_BARE_OPTION.fullmatch(option))


def _search_arguments(program: str, words: Sequence[Word], depth: int) -> Iterator[_Span]:
    """Yield the destructive commands in arguments that are scripts, SQL or JavaScript."""
    if program in ("ssh", "eval") and len(words) > 1:
        yield from _search_word(words[-1], depth)
    for word in words[1:]:
        if program in SCRIPT_CARRIERS and re.search(r"\s", word.text):
            yield from _search_word(word, depth)
        if program in SQL_CLIENTS and re.search(r"\s", word.text):
            yield from _locate(word, find_destructive_sql(_blank_option(word.text)))
        if program in MONGO_CLIENTS:
            yield from _locate(word, find_destructive_mongo(word.text))


def _search_word(word: Word, depth: int) -> Iterator[_Span]:
    """Yield the destructive commands of a word that is a script."""
    for span in _search_script(_blank_option(word.text), depth + 1):
        yield from _locate(word, (span.start, span.end))


def _blank_option(text: str) -> str:
    """Replace the option before a value, such as `--command=`, by spaces."""
    match = _OPTION_NAME.match(text)
    return " " * match.end() + text[match.end() :] if match else text


def _locate(word: Word, span: tuple[int, int] | None) -> Iterator[_Span]:
    """Yield a span of the text of a word as a span of the whole text.

    In a word with several quotations or escapes, the span is that of the whole word.
    """
    if span is None:
        return
    quotes = word.end - word.start - len(word.text)
    if quotes in (0, 2):
        start = word.start + quotes // 2
        yield _Span(start + span[0], start + span[1])
    else:
        yield _Span(word.start, word.end)


def _list_inputs(command: Command) -> Iterator[Word]:
    """Yield the texts on the standard input of a command."""
    yield from command.inputs
    source = command.source
    if source and source.words and source.words[0].text in PRINTERS:
        yield from source.inputs
        yield from source.words[1:]


def _search_input(program: str, word: Word, depth: int) -> Iterator[_Span]:
    if program in SQL_CLIENTS:
        yield from _locate(word, find_destructive_sql(word.text))
    if program in MONGO_CLIENTS:
        yield from _locate(word, find_destructive_mongo(word.text))
    if program in SHELLS:
        yield from _search_word(word, depth)
    if program in KEY_VALUE_CLIENTS:
        for span in _search_key_commands(word.text):
            yield from _locate(word, (span.start, span.end))


def _search_key_commands(text: str) -> Iterator[_Span]:
    """Yield the destructive commands of Redis and memcached in a text."""
    for command in read_script(text.replace("'", " ").replace("\\n", " \n")).commands:
        if command.words:
            first = command.words[0]
            if first.text.casefold() == "flush_all":
                yield _Span(first.start, first.end)
            words = [Word("redis-cli", first.start, first.start), *command.words]
            if span := _match_forms("redis-cli", words):
                yield span


def _match_forms(program: str, words: Sequence[Word], *, is_bulk: bool = False) -> _Span | None:
    """Return the span from the program to the last significant word, or None."""
    forms = _forms().get(program) or _forms().get(f"{program.split('.')[0]}.*", ())
    if not forms and not (is_bulk and program in BULK_PROGRAMS):
        return None
    texts = [word.text for word in words]
    texts = texts[: texts.index("--")] if "--" in texts else texts
    if _is_rehearsal(program, texts):
        return None
    for form in forms:
        last = _match(form, words[: len(texts)])
        if last is not None:
            return _Span(words[0].start, words[last].end)
    if is_bulk and program in BULK_PROGRAMS and "-0" not in texts:
        return _Span(words[0].start, words[0].end)
    return None


def _is_rehearsal(program: str, texts: Sequence[str]) -> bool:
    if any(text.casefold() in REHEARSALS for text in texts[1:]):
        return True
    # The last argument `-h` has no value, so it is not a host. `shutdown -h` halts.
    return len(texts) > 1 and (texts[-1] == "help" or (texts[-1] == "-h" and program != "shutdown"))


@cache
def _forms() -> Mapping[str, tuple[_CommandForm, ...]]:
    """The forms of each program."""
    forms: dict[str, list[_CommandForm]] = defaultdict(list)
    for line in FORMS.strip().split("\n"):
        programs, *parts = line.split(" ")
        form = _read_form(parts)
        for program in programs.split(","):
            forms[program].append(form)
    return {program: tuple(program_forms) for program, program_forms in forms.items()}


def _read_form(parts: Sequence[str]) -> _CommandForm:
    words: list[tuple[str, ...]] = []
    options: list[tuple[str, ...]] = []
    arguments: list[tuple[str, ...]] = []
    excluded: list[str] = []
    for pattern in parts:
        alternatives = tuple(pattern.lstrip("@!").split("|"))
        if pattern.startswith("!"):
            excluded += alternatives
        elif pattern.startswith("@"):
            arguments.append(alternatives)
        elif pattern.startswith("-"):
            options.append(alternatives)
        else:
            words.append(alternatives)
    return _CommandForm(tuple(words), tuple(options), tuple(arguments), tuple(excluded))


def _match(form: _CommandForm, words: Sequence[Word]) -> int | None:
    """Return the index of the last word that a form names, or None if it does not match."""
    texts = [word.text for word in words]
    if any(_find_argument(texts, glob) or _find_option(texts, glob) for glob in form.excluded):
        return None
    last = _match_words(form.words, words, 1)
    for alternatives in form.options:
        places = [_find_option(texts, alternative) for alternative in alternatives]
        last = None if last is None or not any(places) else max(last, *places)
    for alternatives in form.arguments:
        places = [_find_argument(texts, alternative) for alternative in alternatives]
        last = None if last is None or not any(places) else max(last, *places)
    return last


def _match_words(
    patterns: Sequence[tuple[str, ...]], words: Sequence[Word], first: int
) -> int | None:
    """Return the index of the word that the last pattern matches, or None."""
    if not patterns:
        return first - 1
    if patterns[0] == ("$",):
        return None if any(_find_candidates(words, first, 0)) else first - 1
    if patterns[0] == ("...",):
        places = [
            index
            for index in range(first, len(words))
            if not words[index].text.startswith("-") and not _can_be_value(words, index, first)
        ]
        patterns = patterns[1:]
    else:
        places = list(_find_candidates(words, first, 0))
    for index in places:
        if any(_matches(words[index].text, pattern) for pattern in patterns[0]):
            last = _match_words(patterns[1:], words, index + 1)
            if last is not None:
                return last
    return None


@lru_cache(4096)
def _matches(text: str, pattern: str) -> bool:
    return fnmatchcase(text.casefold(), pattern.casefold())


def _find_argument(texts: Sequence[str], pattern: str) -> int:
    """Return the index of the first argument that matches a pattern, or 0."""
    return next((index for index, text in enumerate(texts) if index and _matches(text, pattern)), 0)


def _find_option(texts: Sequence[str], option: str) -> int:
    """Return the index of an option or of its value, or 0 if the command does not have it."""
    name, separator, value = option.partition("=")
    for index, text in enumerate(texts):
        if not index or not text.startswith("-"):
            continue
        if len(name) > 2 or name[1:].isdigit():
            given_name, given_separator, given_value = text.partition("=")
            if not _matches(given_name, name):
                continue
        else:
            if text.startswith("--") or name[1] not in text or not name.startswith("-"):
                continue
            cluster, _, given_value = text[1:].partition(name[1])
            given_separator = given_value
            if not (cluster + ("" if separator else given_value)).isalnum() and (
                cluster or (given_value and not separator)
            ):
                continue
        if not separator:
            if given_value not in ("false", "no") or len(name) == 2:
                return index
        elif given_separator:
            if _matches(given_value.removeprefix("="), value):
                return index
        elif index + 1 < len(texts) and _matches(texts[index + 1], value):
            return index + 1
    return 0
