"""Remember the texts without a fault, so that a later check need not judge them again.

A judgement must depend on nothing but the parts of its key and the installed packages.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b


@dataclass
class Verdicts:
    """The keys of faultless texts: those of an earlier check (`known`), and those of this one."""

    known: frozenset[str] = frozenset()
    faultless: set[str] = field(default_factory=set)

    def is_known(self, key: str) -> bool:
        """Return whether an earlier check found no fault. If so, keep the key for later checks."""
        if key not in self.known:
            return False
        self.faultless.add(key)
        return True

    def add(self, key: str) -> None:
        """Remember that a text has no fault."""
        self.faultless.add(key)


_current: list[Verdicts] = []


@contextmanager
def use_verdicts(verdicts: Verdicts) -> Iterator[Verdicts]:
    """Use the verdicts of an earlier check, and add those of this one."""
    _current.append(verdicts)
    try:
        yield verdicts
    finally:
        _current.remove(verdicts)


def find_verdicts() -> Verdicts | None:
    """Return the verdicts in use, or None."""
    return _current[-1] if _current else None


def make_key(*parts: str) -> str:
    """Return the key of a text: the hash of all parts on which its judgement depends."""
    digest = blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()
