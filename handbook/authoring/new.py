"""Make the path and the text of a new record. Every value that the author did not give is TODO."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from datetime import date
from typing import Final

from handbook.diagnostics import did_you_mean
from handbook.handbook import Handbook
from handbook.reading.fields import Many, fields_of
from handbook.reading.files import hidden_character
from handbook.records import Record
from handbook.records.draft import TODO, Draft, IncompleteDraftError
from handbook.records.kinds import RECORDS

_LIST: Final = f"[{TODO}]"


class CannotWriteError(ValueError):
    """A record that cannot be written; the text says why."""


def new(
    handbook: Handbook,
    kind: str,
    title: str,
    given: Mapping[str, str],
    today: date,
    others: Collection[str] = (),
) -> tuple[str, str]:
    """Make the path and the text of a new record. `given` are keys of its front matter, as YAML, and `service`.

    `others` are files of the branch that this one will be merged into: their numbers are taken.

    Raises CannotWriteError for an unknown kind or key, for a missing value that the kind needs, and for a path that
    is taken.
    """
    kinds = {each.kind: each for each in RECORDS}
    if kind not in kinds:
        raise CannotWriteError(f"'{kind}' is no kind: {', '.join(kinds)}")
    cls = kinds[kind]
    keys = [row.key for row in fields_of(cls)]
    for key in given:
        if key not in keys and key not in cls.template_keys:
            hint = did_you_mean(key, keys)
            raise CannotWriteError(f"{kind} has no key '{key}'{'; ' + hint if hint else ''}")
    title = " ".join(title.split())
    if hidden := hidden_character(title):
        raise CannotWriteError(f"the title holds an invisible character, U+{ord(hidden):04X}")
    name = _slug(title)
    if not name:
        raise CannotWriteError(
            "the title has no letter from a to z, and no digit, to make a name of"
        )
    ids = {each.kind: tuple(record.id for record in handbook.of(each)) for each in RECORDS}
    draft = Draft(name, given, today, frozenset({*handbook.documents, *others}), ids)
    try:
        path = cls.new_path(draft)
    except IncompleteDraftError as error:
        raise CannotWriteError(str(error)) from error
    if (handbook.root / path).exists():
        raise CannotWriteError(f"{path} is there already")
    return path, f"---\n{_front_matter(cls, draft)}---\n# {title}\n\n{_body(cls, path, draft)}\n"


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _front_matter(cls: type[Record], draft: Draft) -> str:
    """Make the lines of the front matter: the author's values, the kind's own, and TODO for all others."""
    rows = {row.key: row for row in fields_of(cls)}
    own = cls.new_values(draft)
    wanted = {key for key, row in rows.items() if row.required} | cls.new_keys(draft) | own.keys()
    values = {key: _LIST if isinstance(rows[key].type, Many) else TODO for key in wanted}
    values |= {**own, **{key: value for key, value in draft.given.items() if key in rows}}
    comment = cls.new_comment(values)
    lines = ([comment] if comment else []) + [
        f"{key}: {values[key]}" for key in rows if key in values
    ]
    return "".join(f"{line}\n" for line in lines)


def _body(cls: type[Record], path: str, draft: Draft) -> str:
    texts = cls.new_sections(path, draft)
    return "\n\n".join(f"## {section}\n\n{texts[section]}" for section in cls.sections) or texts[""]
