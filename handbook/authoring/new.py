"""Create the path and the text of a new record. A value that the author must add is TODO."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from datetime import date
from typing import Final

from handbook.diagnostics import did_you_mean
from handbook.handbook import Handbook
from handbook.reading.fields import Many, fields_of
from handbook.reading.files import find_hidden_character
from handbook.records import Record
from handbook.records.draft import TODO, Draft, IncompleteDraftError
from handbook.records.kinds import RECORDS

_LIST: Final = f"[{TODO}]"


class CannotWriteError(ValueError):
    """Raised if a record cannot be created. The message gives the reason."""


def new_record(
    handbook: Handbook,
    kind: str,
    title: str,
    values: Mapping[str, str],
    today: date,
    taken: Collection[str] = (),
) -> tuple[str, str]:
    """Return the path and the text of a new record.

    `values` maps keys to the author's values, written in YAML. A key belongs to the front matter,
    or is `service`. `taken` holds the paths of the base, so that the new record does not get a
    number that the base uses. Raises CannotWriteError if the kind or a key is unknown, if the kind
    needs a value that is missing, or if the path already exists.
    """
    kinds = {cls.kind: cls for cls in RECORDS}
    if kind not in kinds:
        raise CannotWriteError(f"unknown kind '{kind}'; use one of: {', '.join(kinds)}")
    cls = kinds[kind]
    keys = [row.key for row in fields_of(cls)]
    for key in values:
        if key not in keys and key not in cls.template_keys:
            hint = did_you_mean(key, keys)
            raise CannotWriteError(f"unknown key '{key}' for {kind}{'; ' + hint if hint else ''}")
    title = " ".join(title.split())
    if hidden := find_hidden_character(title):
        raise CannotWriteError(f"invisible character U+{ord(hidden):04X} in the title")
    name = _make_slug(title)
    if not name:
        raise CannotWriteError(
            "invalid title: it needs a letter from a to z, or a digit, for the file name"
        )
    ids = {cls.kind: tuple(record.id for record in handbook.of(cls)) for cls in RECORDS}
    draft = Draft(name, values, today, frozenset({*handbook.documents, *taken}), ids)
    try:
        path = cls.new_path(draft)
    except IncompleteDraftError as error:
        raise CannotWriteError(str(error)) from error
    if (handbook.root / path).exists():
        raise CannotWriteError(f"'{path}' already exists")
    front_matter, body = _write_front_matter(cls, draft), _write_body(cls, path, draft)
    return path, f"---\n{front_matter}---\n# {title}\n\n{body}\n"


def _make_slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _write_front_matter(cls: type[Record], draft: Draft) -> str:
    """Return the text of the front matter.

    Each value comes from the author, or otherwise from the kind. If neither has one, it is TODO.
    """
    rows = {row.key: row for row in fields_of(cls)}
    defaults = cls.new_values(draft)
    required = {key for key, row in rows.items() if row.required}
    keys = required | cls.new_keys(draft) | defaults.keys()
    values = {key: _LIST if isinstance(rows[key].type, Many) else TODO for key in keys}
    values |= {**defaults, **{key: value for key, value in draft.values.items() if key in rows}}
    comment = cls.new_comment(values)
    lines = ([comment] if comment else []) + [
        f"{key}: {values[key]}" for key in rows if key in values
    ]
    return "".join(f"{line}\n" for line in lines)


def _write_body(cls: type[Record], path: str, draft: Draft) -> str:
    texts = cls.new_sections(path, draft)
    return "\n\n".join(f"## {section}\n\n{texts[section]}" for section in cls.sections) or texts[""]
