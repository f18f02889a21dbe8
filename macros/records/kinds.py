"""The kinds that there are."""

from __future__ import annotations

from typing import Final

from macros.records import Entity, Record
from macros.records.adr import Adr
from macros.records.alert import Alert
from macros.records.audit import Audit
from macros.records.postmortem import Postmortem
from macros.records.runbook import Runbook
from macros.records.service import Service
from macros.records.standard import Standard

RECORDS: Final[tuple[type[Record], ...]] = (Standard, Adr, Runbook, Postmortem, Service)
"""Every kind of record that is a Markdown file, in the order in which a reader meets them."""

KINDS: Final[tuple[type[Entity], ...]] = (Standard, Adr, Runbook, Alert, Postmortem, Service, Audit)
"""Every kind that is counted and can be expected."""
