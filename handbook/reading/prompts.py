"""Find the prompts of terminals in blocks of code."""

from __future__ import annotations

import re
from typing import Final

_PROMPT: Final = re.compile(
    r"""[ \t]*(?:
        (?:\([\w.-]+\)[ ]?)?                                   # a Python environment
        (?:
            [$%❯➜»λ]
            | PS(?:[ ](?:[A-Za-z]:|[~/])[^>\n]*)?>
            | [A-Za-z]:\\[^>\n]*>
            | \[[\w.-]+@[\w.-]+[ ][^\]\n]*\][$\#%]
            | [\w.-]+@[\w.-]+(?:[:][^\s$\#%>]*|[ ][~/][^\s$\#%>]*)?[ ]?[$\#%>]
            | (?:bash|sh|zsh|ksh|dash)-[0-9][\w.]*[$\#]
            | (?:~|/[\w./-]+)[ ]?[$%❯➜»]
        )
        | (?P<client>[A-Za-z_]\w*[=-][\#>]                     # psql
        | (?:mysql|sqlite|redis|mongo|test|MariaDB[ ]\[[^\]\n]*\]|[\w.-]+:[0-9]+)>
        | >>>)
    )[ \t]+(?=\S)""",
    re.VERBOSE,
)
_ROOT_PROMPT: Final = re.compile(r"[ \t]*#[ \t]+(?=\S)")
_CONTINUATION_PROMPT: Final = re.compile(r"[ \t]*>[ \t]+(?=\S)")


def find_prompt(line: str, *, is_session: bool = False) -> re.Match[str] | None:
    """Return the prompt at the start of a line with the blanks around it, or None.

    The group `client` matches the prompt of a database client or of Python. In a session of a
    terminal, `# ` is the prompt of root. In other code, it begins a comment.
    """
    return _PROMPT.match(line) or (_ROOT_PROMPT.match(line) if is_session else None)


def blank_prompts(text: str, *, is_session: bool = False) -> str:
    """Replace prompts and the output of commands by spaces. The other characters keep their offset.

    A text without a prompt has no output, so it does not change.
    """
    lines = text.split("\n")
    if not any(find_prompt(line, is_session=is_session) for line in lines):
        return text
    blanked, continues = [], False
    for line in lines:
        match = find_prompt(line, is_session=is_session) or (
            _CONTINUATION_PROMPT.match(line) if continues else None
        )
        if match:
            line = " " * match.end() + line[match.end() :]
        elif not continues:
            line = " " * len(line)
        continues = line.endswith("\\") or (continues and bool(match))
        blanked.append(line)
    return "\n".join(blanked)
