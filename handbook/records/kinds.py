"""The kinds that there are."""

from __future__ import annotations

from typing import Final

from handbook.records import Entity, Record
from handbook.records.adr import Adr
from handbook.records.alert import Alert
from handbook.records.audit import Audit
from handbook.records.postmortem import Postmortem
from handbook.records.runbook import Runbook
from handbook.records.service import Service
from handbook.records.standard import Standard

RECORDS: Final[tuple[type[Record], ...]] = (Standard, Adr, Runbook, Postmortem, Service)
"""Every kind of record that is a Markdown file, in the order in which a reader meets them."""

KINDS: Final[tuple[type[Entity], ...]] = (Standard, Adr, Runbook, Alert, Postmortem, Service, Audit)
"""Every kind that is counted and can be expected."""
