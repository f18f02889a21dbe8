"""Languages of blocks of code whose commands the checks read."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final

_LANGUAGE: Final = re.compile(r"[^\s,{]+")


class CodeFamily(Enum):
    """A group of languages whose commands have the same form."""

    SHELL = auto()
    POWERSHELL = auto()
    SESSION = auto()
    TEXT = auto()
    SQL = auto()
    REDIS = auto()
    MONGO = auto()
    HTTP = auto()
    OUTPUT = auto()
    OTHER = auto()


_FAMILIES: Final = {
    CodeFamily.SHELL: "bash sh shell zsh ksh fish",
    CodeFamily.POWERSHELL: "powershell pwsh ps1 posh bat batch cmd dosbatch winbatch",
    CodeFamily.SESSION: "console shell-session shellsession bash-session sh-session terminal "
    "ps1con pwsh-session doscon",
    CodeFamily.TEXT: "text txt plain plaintext none",
    CodeFamily.SQL: "sql psql postgres postgresql plpgsql mysql mariadb sqlite sqlite3 tsql plsql "
    "cql clickhouse hql",
    CodeFamily.REDIS: "redis",
    CodeFamily.MONGO: "js javascript mongo mongodb mongosh",
    CodeFamily.HTTP: "http rest",
    CodeFamily.OUTPUT: "promql logql log output diff patch markdown md mermaid regex",
}
_FAMILY_BY_LANGUAGE: Final = {
    language: family for family, languages in _FAMILIES.items() for language in languages.split()
}


def read_language(info: str) -> str:
    """Return the language of a fence in small letters: `bash` for `Bash title="x"`."""
    match = _LANGUAGE.match(info)
    return match[0].lower() if match else ""


def family_of(language: str) -> CodeFamily:
    """Return the family of a language. Code without a language is text."""
    return _FAMILY_BY_LANGUAGE.get(language, CodeFamily.OTHER if language else CodeFamily.TEXT)
