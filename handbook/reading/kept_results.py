"""Remember what a check found out about texts, so that a later check need not do so again.

Each result must depend on nothing but the parts of its key and the installed packages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handbook.reading.outline import Outline


@dataclass
class KeptResults:
    """The results of an earlier check (`known_…`), and those to keep for a later one, by key.

    - `faultless`: the keys of texts without a fault.
    - `outlines`: the outlines of Markdown bodies.
    - `rules`: the codes of the rules that a later check must run on a document.
    """

    known_faultless: frozenset[str] = frozenset()
    known_outlines: Mapping[str, Outline] = field(default_factory=dict)
    known_rules: Mapping[str, str] = field(default_factory=dict)
    faultless: set[str] = field(default_factory=set)
    outlines: dict[str, Outline] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> KeptResults:
        """Return the results that an earlier check stored. Raises KeyError and TypeError."""
        return cls(frozenset(stored["faultless"]), stored["outlines"], stored["rules"])

    def to_json(self) -> dict[str, Any]:
        """Return the results to keep."""
        return {
            "faultless": sorted(self.faultless),
            "outlines": self.outlines,
            "rules": self.rules,
        }

    def follow(self) -> KeptResults:
        """Return the results for the next check in the same process."""
        return KeptResults(frozenset(self.faultless), self.outlines, self.rules)

    def is_known(self, key: str) -> bool:
        """Return whether an earlier check found no fault. If so, keep the key for later checks."""
        if key not in self.known_faultless:
            return False
        self.faultless.add(key)
        return True

    def add(self, key: str) -> None:
        """Remember that a text has no fault."""
        self.faultless.add(key)

    def find_outline(self, key: str) -> Outline | None:
        """Return the outline that an earlier check made of a text, and keep it for later checks."""
        outline = self.known_outlines.get(key)
        if outline:
            self.outlines[key] = outline
        return outline


_current: list[KeptResults] = []


@contextmanager
def use_results(results: KeptResults) -> Iterator[KeptResults]:
    """Use the results of an earlier check, and add the new ones."""
    _current.append(results)
    try:
        yield results
    finally:
        _current.remove(results)


def find_results() -> KeptResults | None:
    """Return the results in use, or None."""
    return _current[-1] if _current else None


def make_key(*parts: str) -> str:
    """Return the key of a text: the hash of all parts on which its result depends."""
    digest = blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()
