"""Table of all kinds."""

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
"""All kinds, in the order of the site."""

RECORDS: Final[tuple[type[Record], ...]] = tuple(kind for kind in KINDS if issubclass(kind, Record))
"""Kinds whose records are Markdown files."""

FOLDERS: Final = tuple(kind.folder for kind in RECORDS)
"""Folders of records."""

MOUNTED: Final = tuple(folder for folder in FOLDERS if not folder.startswith("docs/"))
"""Published folders outside docs/."""
