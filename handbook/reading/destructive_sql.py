"""Find destructive statements in SQL, and in the JavaScript of MongoDB."""

from __future__ import annotations

import re
from typing import Final

_LITERAL: Final = re.compile(r"--[^\n]*|/\*.*?(?:\*/|\Z)|'(?:[^']|'')*(?:'|\Z)", re.DOTALL)
"""A comment or a string."""

_STATEMENT: Final = re.compile(r"[^;]+")
_EXPLAINS: Final = re.compile(r"\s*explain\b(?!\s*(?:\([^)]*)?\s*\banaly[sz]e\b)", re.IGNORECASE)
"""`EXPLAIN` without `ANALYZE`, which does not run the statement."""

_NAME: Final = r"[\w.\"`\[\]$]+"
_HARM: Final = re.compile(
    rf"\bdelete\s+(?:{_NAME}\s+)?from\b"
    r"|\btruncate\s+(?:table\s+)?(?:only\s+)?[\w\"`\[]"
    r"|(?<!\w)drop\s+(?!not\b|default\b|identity\b|expression\b)[a-z]\w*"
    rf"|(?<!\bdo\s)\bupdate\s+(?:only\s+)?(?P<updated>{_NAME}(?:\s+(?:as\s+)?\w+)?)\s+set\b"
    r"|\bthen\s+delete\b"
    rf"|\balter\s+table\s+{_NAME}\s+delete\b"
    r"|\bpg_(?:terminate_backend|drop_replication_slot|switch_wal_and_drop)\s*\("
    r"|^\s*(?:kill\s+(?:connection\s+|query\s+)?[0-9@]"
    r"|purge\s+(?:binary|master)\s+logs|reset\s+(?:master|slave|replica)\b|shutdown\s*$)",
    re.IGNORECASE,
)
_WHERE: Final = re.compile(r"\bwhere\b(?!\s+(?:true|1\s*=\s*1)\s*$)", re.IGNORECASE)
_GRANTS: Final = re.compile(r"\s*(?:grant|revoke|show|comment|help)\b", re.IGNORECASE)
"""Statements that only name another statement."""

_IN_TEXT: Final = re.compile(
    rf"^[ \t]*(?:[\w@()-]+[=#>]+[ \t]+)?(?P<statement>"
    rf"delete[ \t]+from[ \t]+{_NAME}[ \t]*(?:;|$|where\b|using\b|returning\b|limit\b)"
    rf"|truncate[ \t]+(?:table[ \t]+)?{_NAME}[ \t]*(?:;|$|,|cascade\b|restart\b)"
    r"|drop[ \t]+(?:table|database|schema|index|view|user|role|materialized[ \t]+view|keyspace)"
    rf"[ \t]+(?:if[ \t]+exists[ \t]+|concurrently[ \t]+)*{_NAME}[ \t]*(?:;|$|,|cascade\b)"
    rf"|alter[ \t]+table[ \t][^;\n]*\bdrop[ \t]+(?:column|constraint|partition)\b"
    rf"|update[ \t]+{_NAME}[ \t]+set[ \t][^;]*"
    r"|(?:with|select|explain)\b[^;]*)",
    re.IGNORECASE | re.MULTILINE,
)
"""A statement at the start of a line. The words of other text rarely have this form."""

_MONGO: Final = re.compile(
    r"\.(?:drop|dropDatabase|dropIndex|dropIndexes|dropUser|deleteMany|deleteOne|remove"
    r"|findOneAndDelete|shutdownServer|killOp)\s*\("
)
_MONGO_LITERAL: Final = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)


def find_destructive_sql(text: str) -> tuple[int, int] | None:
    """Return the span of the first words that delete data or end sessions, or None.

    `UPDATE` is destructive without `WHERE`. `EXPLAIN` runs a statement only with `ANALYZE`.
    """
    if not re.search(
        r"(?i)delete|truncate|drop|update|pg_|kill|purge|reset|shutdown", text
    ):  # This test is cheaper than the search below.
        return None
    code = _LITERAL.sub(lambda literal: re.sub(r"[^\n]", " ", literal[0]), text)
    for statement in _STATEMENT.finditer(code):
        if _EXPLAINS.match(statement[0]) or _GRANTS.match(statement[0]):
            continue
        for match in _HARM.finditer(statement[0]):
            if match["updated"] and _WHERE.search(statement[0], match.end()):
                continue
            start = statement.start() + match.start()
            start += len(match[0]) - len(match[0].lstrip())
            return start, statement.start() + match.end()
    return None


def find_destructive_sql_line(text: str) -> tuple[int, int] | None:
    """Return the span of the first destructive SQL in a text that is not only SQL, or None.

    A statement begins at the start of a line.
    """
    for match in _IN_TEXT.finditer(text):
        span = find_destructive_sql(match["statement"])
        if span:
            start = match.start("statement")
            return start + span[0], start + span[1]
    return None


def find_destructive_mongo(text: str) -> tuple[int, int] | None:
    """Return the span of the first call that deletes data in JavaScript of MongoDB, or None."""
    if "db" not in text:
        return None
    code = _MONGO_LITERAL.sub(lambda literal: re.sub(r"[^\n]", " ", literal[0]), text)
    match = _MONGO.search(code)
    return (match.start() + 1, match.end() - 1) if match else None
