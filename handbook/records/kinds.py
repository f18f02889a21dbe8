"""A list of all kinds of record."""

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

KINDS: Final[tuple[type[Entity], ...]] = (Standard, Adr, Runbook, Alert, Postmortem, Service, Audit)
"""All kinds, in their order on the site."""

RECORDS: Final[tuple[type[Record], ...]] = tuple(kind for kind in KINDS if issubclass(kind, Record))
"""The kinds whose records are Markdown files."""

FOLDERS: Final = tuple(kind.folder for kind in RECORDS)
"""The folders of records."""

MOUNTED: Final = tuple(folder for folder in FOLDERS if not folder.startswith("docs/"))
"""The folders of records outside docs/. The engine adds them to the site."""
