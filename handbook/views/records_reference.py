"""The reference of the records, made from their tables of fields."""

from __future__ import annotations

from handbook.reading.fields import fields_of
from handbook.records import Record
from handbook.records.kinds import RECORDS
from handbook.views import render


def records_reference() -> str:
    """Render the folder, the sections and the keys of each kind, then the keys of every record."""
    common = fields_of(Record)
    kinds = [(kind, [row for row in fields_of(kind) if row not in common]) for kind in RECORDS]
    return render("records.md.j2", kinds=kinds, common=common)
