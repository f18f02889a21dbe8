"""RBK016 and RBK025: the commands of runbooks and other documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import shorten
from typing import Final

from handbook.diagnostics import Edit, Finding, Location
from handbook.reading.blocks import Block, Code, Heading, Paragraph, Quote, Table
from handbook.reading.code_languages import CodeFamily, family_of, read_language
from handbook.reading.destructive import find_destructive_command
from handbook.reading.source import Source
from handbook.reading.unpasteable import (
    PasteFault,
    PromptFault,
    find_faulty_characters,
    find_paste_faults,
    is_command,
)
from handbook.records import Document
from handbook.records.runbook import Runbook
from handbook.rules.engine import rule

_SHELL_FAMILIES: Final = (CodeFamily.SHELL, CodeFamily.POWERSHELL, CodeFamily.SESSION)
_WARNING: Final = re.compile(r"\W*(?:warning|caution|danger)\b", re.IGNORECASE)
_WARNING_CALLOUTS: Final = ("WARNING", "CAUTION", "IMPORTANT")
_USE: Final = "When to use this runbook"
_SYMPTOM: Final = "**Symptom:**"
_INLINE_CODE: Final = re.compile(r"(?<!`)(?P<marks>`+)(?!`)(?P<code>.+?)(?<!`)(?P=marks)(?!`)")
_DO: Final = r"(?:run|use|execute|type|enter|paste|issue|call|do|try|start|send)(?:ning|ing)?"
_MENTION_BEFORE: Final = re.compile(
    rf"(?:\b(?:never|not|cannot)|n['’]t)\s+(?:(?:ever|just|simply|yet|also|blindly)\s+)*"
    rf"(?:{_DO}\s+(?:[\w-]+\s+){{0,4}})?(?:`[^`]*`(?:,\s*|\s+(?:and|or|nor)\s+|\s*,\s*or\s+))*$"
    r"|\b(?:instead\s+of|rather\s+than|without|avoid|unlike|no\s+need\s+(?:to|for)|ran|such\s+as)"
    r"\s+(?:[\w-]+\s+){0,4}(?:`[^`]*`(?:,\s*|\s+(?:and|or)\s+|\s*,\s*or\s+))*$",
    re.IGNORECASE,
)
"""Text before a command in a sentence that does not tell the reader to run it."""
_MENTION_AFTER: Final = re.compile(
    r"\s+(?:was|were|had|has|have|hangs?|fails?|failed|hung|is\s+(?:forbidden|dangerous|not))\b"
)
_RUN_BEFORE: Final = re.compile(rf"\b{_DO}\s+(?:the\s+)?(?:command\s+)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _InlineCode:
    """Code in backticks: its text, its location, and the text of the line around it."""

    text: str
    at: Location
    text_before: str
    text_after: str


@rule("RBK016", "missing-warning", over=Runbook)
def missing_warning(runbook: Runbook) -> Iterator[Finding]:
    """Every destructive command has a warning above it, under the same heading.

    Destructive commands delete, drain, drop, truncate, overwrite, stop, disable, terminate or
    force, or scale to 0. The rule reads blocks of code, and commands in backticks. It ignores dry
    runs, printed text and comments, and commands after words such as "never run" or "instead of".
    A warning is a callout (`> [!WARNING]`, `> [!CAUTION]`) or a paragraph that begins with
    "Warning" or "Caution". The rule reports one finding for each block.

    Why: at three in the morning, an engineer can paste the command without knowing the risk.

    Bad:
        > Mind the time.

        ```bash
        kubectl delete job old-index
    Good:
        > [!WARNING]
        > What is deleted is gone.

        ```bash
        kubectl delete job old-index
    """
    source = runbook.source
    has_warning, section = False, ""
    for block in source.blocks:
        if isinstance(block, Heading):
            has_warning = False
            section = block.text if block.level <= 2 else section
        elif isinstance(block, Quote):
            has_warning = has_warning or block.callout in _WARNING_CALLOUTS
        elif isinstance(block, Paragraph) and _WARNING.match(block.text):
            has_warning = True
        elif has_warning:
            continue
        elif isinstance(block, Code):
            yield from _check_code(source, block)
        elif isinstance(block, (Paragraph, Table)) and section != _USE:
            yield from _check_inline_code(source, block)


def _check_code(source: Source, code: Code) -> Iterator[Finding]:
    """Report the first destructive command of a block of code."""
    command = find_destructive_command(code.text, family_of(read_language(code.info)))
    if command:
        at = _locate_in_code(source, code, command.offset)
        yield _make_warning_finding(at, command.text, "code")


def _check_inline_code(source: Source, block: Paragraph | Table) -> Iterator[Finding]:
    """Report the first destructive command in backticks of a paragraph or a table."""
    if isinstance(block, Paragraph) and block.text.startswith(_SYMPTOM):
        return
    for code in _list_inline_code(source, block):
        command = find_destructive_command(code.text, CodeFamily.TEXT)
        if command and not _is_mention(code):
            at = Location(code.at.path, code.at.line, code.at.column + command.offset)
            yield _make_warning_finding(at, command.text, "text")
            return


def _make_warning_finding(at: Location, command: str, block: str) -> Finding:
    return Finding(
        at,
        f"no warning above the destructive command '{shorten(command, 60, placeholder='…')}'",
        f"add '> [!WARNING]' above the {block}, and a line '> ' with the risk",
    )


def _is_mention(code: _InlineCode) -> bool:
    """Return whether a text names a command, and does not tell the reader to run it."""
    if _MENTION_BEFORE.search(code.text_before) or _MENTION_AFTER.match(code.text_after):
        return True
    return " " not in code.text.strip() and not _RUN_BEFORE.search(code.text_before)


def _list_inline_code(source: Source, block: Block) -> Iterator[_InlineCode]:
    """Yield the code in backticks of a paragraph or a table, in the order of the file."""
    if not isinstance(block, (Paragraph, Table)):
        return
    previous = ""
    for line in range(block.first, block.last + 1):
        text = source.line(line)
        for match in _INLINE_CODE.finditer(text):
            text_before = f"{previous} {text[: match.start()]}"
            at = source.at(line, match.start("code") + 1)
            yield _InlineCode(match["code"], at, text_before, text[match.end() :])
        previous = text if isinstance(block, Paragraph) else ""


@rule("RBK025", "unpasteable-command", over=Document)
def unpasteable_command(document: Document) -> Iterator[Finding]:
    """Shell code has no characters that a terminal does not accept.

    The rule reports dashes instead of hyphens, curly quotation marks, unusual spaces, invisible
    characters, prompts and line numbers before commands, `...` instead of arguments, and spaces
    after the backslash at the end of a line. In quotes and comments, it reports only invisible
    characters. A block with the language `console` can have prompts and output. In runbooks, the
    rule also reads commands in backticks.

    Why: readers paste the code into a terminal, and the fault is often invisible.

    Bad:
        df –h
    Good:
        df -h
    """
    source = document.source
    for code in source.blocks_of(Code):
        family = family_of(read_language(code.info))
        if code.fenced and code.closed and family in _SHELL_FAMILIES:
            yield from _check_pasting(source, code, family)
    if isinstance(document, Runbook) and not source.body.isascii():
        for block in source.blocks:
            for inline in _list_inline_code(source, block):
                if not inline.text.isascii() and is_command(inline.text.strip()):
                    yield from _check_inline_pasting(inline)


def _check_pasting(source: Source, code: Code, family: CodeFamily) -> Iterator[Finding]:
    """Report the faults of a block of code, and its prompts as one finding."""
    paste_faults = find_paste_faults(code.text, family)
    if prompt := paste_faults.prompt:
        yield _make_prompt_finding(source, code, prompt)
    for fault in paste_faults.faults:
        at = _locate_in_code(source, code, fault.start)
        yield _make_fault_finding(at, code.text, fault)


def _check_inline_pasting(code: _InlineCode) -> Iterator[Finding]:
    """Report the faulty characters of code in backticks."""
    for fault in find_faulty_characters(code.text, is_whole=False):
        at = Location(code.at.path, code.at.line, code.at.column + fault.start)
        yield _make_fault_finding(at, code.text, fault)


def _make_fault_finding(at: Location, text: str, fault: PasteFault) -> Finding:
    fix = Edit(at, text[fault.start : fault.end], fault.repaired) if fault.is_certain else None
    return Finding(at, fault.message, fault.hint, fix)


def _make_prompt_finding(source: Source, code: Code, prompt: PromptFault) -> Finding:
    """Return the finding for the prompts of a block.

    If the block has no output, the fix removes the prompts. Otherwise it changes the language.
    """
    at = _locate_in_code(source, code, prompt.spans[0][0])
    if not prompt.is_shell:
        return Finding(at, prompt.message, "begin the block with ```text, or write the command")
    if not prompt.has_output:
        hint = "remove it from each line, or begin the block with ```console"
        return Finding(at, prompt.message, hint, _remove_prompts(source, code, prompt))
    fix = None
    if prompt.text[-1] in "$#%":
        language = read_language(code.info)
        column = source.line(code.first).lower().rfind(language) + 1
        name = source.line(code.first)[column - 1 :][: len(language)]
        fix = Edit(source.at(code.first, column), name, "console")
    return Finding(at, prompt.message, "begin the block with ```console", fix)


def _remove_prompts(source: Source, code: Code, prompt: PromptFault) -> Edit:
    """Return the edit from the first prompt to the last, on the lines of the file."""
    first = _locate_in_code(source, code, prompt.spans[0][0])
    last = _locate_in_code(source, code, prompt.spans[-1][0])
    widths = {
        _locate_in_code(source, code, start).line: (
            _locate_in_code(source, code, start).column,
            end - start,
        )
        for start, end in prompt.spans
    }
    old_lines, new_lines = [], []
    for line in range(first.line, last.line + 1):
        column, width = widths.get(line, (1, 0))
        begin = first.column - 1 if line == first.line else 0
        text = source.line(line)
        end = column - 1 + width if line == last.line else len(text)
        old_lines.append(text[begin:end])
        new_lines.append(text[begin : column - 1] + text[column - 1 + width : end])
    return Edit(first, "\n".join(old_lines), "\n".join(new_lines))


def _locate_in_code(source: Source, code: Code, offset: int) -> Location:
    """Return the location in the file of an offset in a block of code."""
    row = code.text.count("\n", 0, offset)
    column = offset - (code.text.rfind("\n", 0, offset) + 1)
    line = code.first + row + code.fenced
    indent = source.line(line).find(code.text.split("\n")[row])
    return source.at(line, max(indent, 0) + column + 1)
