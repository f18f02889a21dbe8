"""Find out whether the text of a decision has changed since it was decided."""

from __future__ import annotations

import re
from typing import Final

from handbook.handbook import Handbook
from handbook.history import git
from handbook.reading.ids import ID
from handbook.reading.nodes import Scalar
from handbook.reading.source import Source, read_source
from handbook.records.adr import NOTES, Adr, TextState

_TARGET: Final = re.compile(r"\]\([^()\s]*\)")


def read_decision_texts(handbook: Handbook) -> dict[str, TextState]:
    """Return the state of the text of each decided decision, by path.

    A decision that Git has only under another path, or not at all, has no state. If the date of a
    decision is not recorded, its state is unknown, because its first commit can be much later.
    """
    decided = [adr for adr in handbook.of(Adr) if adr.status not in (None, "proposed")]
    if not decided or git.read_head(handbook.root) is None:
        return {}
    versions = git.list_versions(handbook.root, Adr.folder)
    if versions is None:
        return {adr.path: TextState.UNKNOWN for adr in decided}
    in_git = [adr for adr in decided if adr.path in versions and not adr.moved_from]
    undated = {adr.path: TextState.UNDATED for adr in in_git if adr.date is None}
    known = [adr for adr in in_git if adr.date]
    ids = list(dict.fromkeys(id for adr in known for id in versions[adr.path]))
    try:
        contents = dict(zip(ids, git.read_objects(handbook.root, ids), strict=True))
    except git.RevisionError:  # a partial clone
        return {adr.path: TextState.UNKNOWN for adr in decided}
    return undated | {
        adr.path: _compare(adr.source, [contents[id] for id in versions[adr.path]]) for adr in known
    }


def _compare(source: Source, versions: list[bytes]) -> TextState:
    """Compare the text with the first version that was decided. `versions` are newest first."""
    for content in reversed(versions):
        old = read_source(source.path, content)
        status = old.front_matter.mapping.find("status") if old.front_matter else None
        if isinstance(status, Scalar) and status.text != "proposed":
            is_same = _read_text(old) == _read_text(source)
            return TextState.UNCHANGED if is_same else TextState.CHANGED
    return TextState.UNCHANGED  # The decision is not committed yet.


def _read_text(source: Source) -> str:
    """Return the text without its notes, targets of links, ids and differences of white space.

    A decided decision can change these, because other pages move.
    """
    text = re.split(rf"^## {NOTES}\s*$", source.body, maxsplit=1, flags=re.MULTILINE)[0]
    return " ".join(ID.sub("", _TARGET.sub("]()", text)).split())
