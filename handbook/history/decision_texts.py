"""Find out whether the text of a decision has changed since it was decided."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final

from handbook.handbook import Handbook
from handbook.history import git
from handbook.reading.ids import ID
from handbook.reading.nodes import Scalar
from handbook.reading.source import read_source
from handbook.records.adr import NOTES, Adr, TextState

_TARGET: Final = re.compile(r"\]\([^()\s]*\)")
_decided_digests: Final[dict[str, bytes | None]] = {}
"""The digest of the text of each version of a decision, by the id of its object in Git.

It is None if the version was not decided. The content of an object never changes, so that a preview
parses each version once.
"""


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
        _read_versions(handbook, [id for id in ids if id not in _decided_digests])
    except git.RevisionError:  # a partial clone
        return {adr.path: TextState.UNKNOWN for adr in decided}
    return undated | {
        adr.path: _compare(adr.source.body, reversed(versions[adr.path])) for adr in known
    }


def _read_versions(handbook: Handbook, ids: list[str]) -> None:
    """Read versions of decisions from Git, and note the digest of each text that was decided."""
    for id, content in zip(ids, git.read_objects(handbook.root, ids), strict=True):
        source = read_source(id, content)
        status = source.front_matter.mapping.find("status") if source.front_matter else None
        is_decided = isinstance(status, Scalar) and status.text != "proposed"
        _decided_digests[id] = _digest_text(source.body) if is_decided else None


def _compare(body: str, versions: Iterable[str]) -> TextState:
    """Compare the text with the first version that was decided. `versions` are oldest first."""
    decided = next(filter(None, map(_decided_digests.get, versions)), None)
    # Without a decided version, the decision is not committed yet.
    is_same = decided is None or decided == _digest_text(body)
    return TextState.UNCHANGED if is_same else TextState.CHANGED


def _digest_text(body: str) -> bytes:
    """Return a digest of the text without notes, targets of links, ids and white space.

    A decided decision can change these, because other pages move.
    """
    text = re.split(rf"^## {NOTES}\s*$", body, maxsplit=1, flags=re.MULTILINE)[0]
    words = ID.sub("", _TARGET.sub("]()", text)).split()
    return hashlib.sha256(" ".join(words).encode()).digest()
