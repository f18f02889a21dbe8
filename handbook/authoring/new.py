"""Create the path and the text of a new record. A value that the author must add is TODO."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from pathlib import PurePosixPath
from typing import Final

from handbook.diagnostics import did_you_mean
from handbook.handbook import Handbook
from handbook.reading import nodes
from handbook.reading.fields import Field, Many, Reading, fields_of
from handbook.reading.files import find_hidden_character
from handbook.reading.problems import ProblemKind
from handbook.records import SLUG, Record
from handbook.records.draft import TODO, Draft, IncompleteDraftError
from handbook.records.forms import RecordForm
from handbook.records.kinds import RECORDS

_LIST: Final = f"[{TODO}]"
_RESERVED_NAMES: Final = frozenset({"index.md", "readme.md"})
_LONGEST_SLUG: Final = 100
_LETTERS: Final = str.maketrans(
    {"æ": "ae", "ð": "d", "đ": "d", "ħ": "h", "ı": "i", "ł": "l", "ŋ": "n", "ø": "o", "œ": "oe"}
    | {"þ": "th", "ŧ": "t"}
)
"""Letters that Unicode does not split into a letter from a to z and an accent."""


class CannotWriteError(ValueError):
    """Raised if a record cannot be created. The message gives the reason."""


def new_record(
    handbook: Handbook,
    kind: str,
    title: str,
    values: Mapping[str, Sequence[str]],
    today: date,
    taken: Collection[str] = (),
    slug: str | None = None,
) -> tuple[str, str]:
    """Return the path and the text of a new record.

    `values` maps keys to the author's values, written in YAML. A key belongs to the front matter,
    or is `service`. `taken` holds the paths of the base, so that the new record does not get a
    number that the base uses. `slug` is the name for the path, by default made from the title.
    Raises CannotWriteError if the kind, a key or a value is invalid, if the kind needs a value that
    is missing, or if the path is not possible.
    """
    kinds = {cls.kind: cls for cls in RECORDS}
    if kind not in kinds:
        raise CannotWriteError(f"unknown kind '{kind}'; use one of: {', '.join(kinds)}")
    cls = kinds[kind]
    rows = {row.key: row for row in fields_of(cls)}
    yaml_values: dict[str, str] = {}
    for key, texts in values.items():
        if key not in rows and key not in cls.template_keys:
            hint = did_you_mean(key, rows)
            raise CannotWriteError(f"unknown key '{key}' for {kind}{'; ' + hint if hint else ''}")
        yaml_values[key] = _write_value(key, rows.get(key), texts, handbook)
    title = " ".join(title.split())
    if hidden := find_hidden_character(title):
        raise CannotWriteError(f"invisible character U+{ord(hidden):04X} in the title")
    name = make_slug(title) if slug is None else slug
    _check_slug(name, slug)
    ids = {cls.kind: tuple(record.id for record in handbook.of(cls)) for cls in RECORDS}
    form = _choose_form(cls, handbook)
    existing_paths = frozenset({*handbook.documents, *taken})
    draft = Draft(name, yaml_values, today, existing_paths, ids, form.name)
    try:
        path = cls.new_path(draft)
    except IncompleteDraftError as error:
        raise CannotWriteError(str(error)) from error
    if not cls.owns(path) or PurePosixPath(path).name in _RESERVED_NAMES:
        raise CannotWriteError(
            f"'{path}' is the page of its folder, not a record; add --slug SLUG with another name"
        )
    if (handbook.root / path).exists():
        raise CannotWriteError(f"'{path}' already exists; use another title, or add --slug SLUG")
    front_matter, body = _write_front_matter(cls, draft), _write_body(cls, form, path, draft)
    return path, f"---\n{front_matter}---\n# {title}\n\n{body}\n"


def _check_slug(name: str, slug: str | None) -> None:
    """Raise CannotWriteError if a name cannot be part of a path.

    `slug` is the name that the author gave, or None if the name is made from the title.
    """
    if not name and slug is None:
        raise CannotWriteError(
            "the title has no letter from a to z and no digit for the file name; add --slug SLUG, "
            "such as --slug orders-stopped"
        )
    if not re.fullmatch(SLUG, name):
        raise CannotWriteError(
            f"invalid slug '{slug}'; use lower-case words joined by hyphens, such as orders-stopped"
        )
    if len(name) > _LONGEST_SLUG:
        raise CannotWriteError(
            f"file name of more than {_LONGEST_SLUG} characters; add --slug SLUG with a shorter one"
        )


def make_slug(title: str) -> str:
    """Make the slug of a file name from a title. Letters with accents become letters from a to z.

    The result is "" if the title has no letter from a to z and no digit. The anchors of headings do
    not use this function.
    """
    letters = title.casefold().translate(_LETTERS)
    plain = unicodedata.normalize("NFKD", letters).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _write_value(key: str, row: Field | None, texts: Sequence[str], handbook: Handbook) -> str:
    """Return the YAML of a value, from the texts that the author gave for its key.

    A list can be a YAML list, texts between commas, or several texts. Raises CannotWriteError if
    the value is not valid for its key.
    """
    joined = "".join(texts)
    hidden = find_hidden_character(joined) or ("\n" if "\n" in joined else None)
    if hidden:
        raise CannotWriteError(f"--set {key}: invisible character U+{ord(hidden):04X} in the value")
    is_list = row is not None and isinstance(row.type, Many)
    if not is_list and len(texts) > 1:
        raise CannotWriteError(f"--set {key}: {len(texts)} values, but the key has only one")
    if row is None:
        return texts[0]
    value = _write_list(texts) if is_list else _quote(texts[0], "{}")
    reading = Reading(handbook.settings.allowed_values)
    try:
        node = nodes.parse(f"{key}: {value}", "")
    except nodes.YamlError as error:
        raise CannotWriteError(f"--set {key}: {error.finding.message}") from error
    if isinstance(node, nodes.Mapping):
        row.type.read(key, node.entries[0].value, reading)
    for problem in reading.problems:
        if problem.kind is not ProblemKind.PLACEHOLDER:
            hint = f"; {problem.finding.hint}" if problem.finding.hint else ""
            raise CannotWriteError(f"--set {key}: {problem.finding.message}{hint}")
    return value


def _write_list(texts: Sequence[str]) -> str:
    """Return a YAML list. Each text is a YAML list, a YAML mapping, or texts between commas."""
    items: list[str] = []
    for text in map(str.strip, texts):
        if text.startswith("[") and text.endswith("]"):
            items.append(text[1:-1].strip().rstrip(","))
        elif text.startswith("{"):
            items.append(text)
        else:
            items.extend(_quote(item.strip(), "[{}]") for item in text.split(","))
    return f"[{', '.join(filter(None, items))}]"


def _quote(text: str, form: str) -> str:
    """Return a text as YAML, in quotes if YAML would read another text from it.

    `form` is the YAML around the text. A text in quotes stays as it is.
    """
    if text[:1] in ("'", '"', "[", "{"):
        return text
    try:
        node = nodes.parse(f"key: {form.replace('{}', text)}", "")
    except nodes.YamlError:
        return json.dumps(text, ensure_ascii=False)
    value = node.entries[0].value if isinstance(node, nodes.Mapping) else None
    if isinstance(value, nodes.Sequence) and len(value.items) == 1:
        value = value.items[0]
    is_same = isinstance(value, nodes.Scalar) and value.text == text.strip()
    return text if is_same or not text.strip() else json.dumps(text, ensure_ascii=False)


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


def _choose_form(cls: type[Record], handbook: Handbook) -> RecordForm:
    """Return the form of new records: the one in `handbook.template`, or our own."""
    name = handbook.settings.organisation.template.get(cls.kind)
    return next((form for form in cls.forms() if form.name == name), cls.forms()[0])


def _write_body(cls: type[Record], form: RecordForm, path: str, draft: Draft) -> str:
    """Return the text of the body. A kind without sections has one text."""
    if not form.sections:
        return cls.template[""]
    parts = (
        (f"{'#' * section.level} {section.heading}", cls.new_text(section.text, path, draft))
        for section in form.required
    )
    return "\n\n".join(text for part in parts for text in part if text)
