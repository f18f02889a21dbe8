"""The kinds that there are."""

from __future__ import annotations

from typing import Final

from macros.records import Record
from macros.records.adr import Adr

KINDS: Final[tuple[type[Record], ...]] = (Adr,)
"""Every kind of record, in the order in which a reader meets them."""
