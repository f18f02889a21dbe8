"""The feed: decisions that changed status, post-mortems that were published, standards that were reviewed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Final

from feedgenerator import Atom1Feed

from handbook.handbook import Handbook
from handbook.records import Record
from handbook.records.adr import Adr
from handbook.records.postmortem import Postmortem
from handbook.records.standard import Standard

_MOST: Final = 50


class _Feed(Atom1Feed):  # type: ignore[misc]
    """A feed whose day is never the clock's, which is what the library takes where there is no entry."""

    def latest_post_date(self) -> datetime:
        newest: datetime = super().latest_post_date() if self.items else datetime(1980, 1, 1, tzinfo=UTC)
        return newest


def feed(handbook: Handbook) -> str:
    """Atom (RFC 4287): what happened to records, the newest first. Its dates are the records' own."""
    site = handbook.settings.site_url.rstrip("/")
    happened: list[tuple[date, str, str, Record]] = []
    for adr in handbook.of(Adr):
        changes = [(change.status, change.date) for change in adr.history] + [(adr.status, adr.date)]
        happened += [(day, status, adr.id, adr) for status, day in changes if status and day]
    for postmortem in handbook.of(Postmortem):
        if postmortem.status == "published" and postmortem.published:
            happened.append((postmortem.published, "published", postmortem.id, postmortem))
    for standard in handbook.of(Standard):
        if standard.reviewed:
            happened.append((standard.reviewed, "reviewed", standard.id, standard))
    happened.sort(key=lambda each: (each[0], each[2]), reverse=True)

    made = _Feed(
        title=handbook.settings.site_name,
        link=f"{site}/",
        feed_url=f"{site}/feed.xml",
        description="Decisions that changed status, post-mortems published, standards reviewed",
        language="en",
        author_name=handbook.settings.site_name,
    )
    for day, word, id, record in happened[:_MOST]:
        link = f"{site}/{handbook.address(record)}"
        made.add_item(
            title=f"{id}: {record.title} ({word})" if record.mention else f"{record.title} ({word})",
            link=link,
            description=f"{word.capitalize()} on {day}.",
            pubdate=datetime.combine(day, time(), UTC),
            updateddate=datetime.combine(day, time(), UTC),
            unique_id=f"{link}#{word}-{day}",
        )
    text: str = made.writeString("utf-8")
    return text
