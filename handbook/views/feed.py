"""The feed: decisions that changed status, post-mortems that were published, standards that were reviewed."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Final

from feedgenerator import Atom1Feed

from handbook.handbook import Handbook

_MOST: Final = 50


class _Feed(Atom1Feed):  # type: ignore[misc]
    """A feed whose day is never the clock's, which is what the library takes where there is no entry."""

    def latest_post_date(self) -> datetime:
        newest: datetime = (
            super().latest_post_date() if self.items else datetime(1980, 1, 1, tzinfo=UTC)
        )
        return newest


def feed(handbook: Handbook) -> str:
    """Atom (RFC 4287): what happened to records, the newest first. Its dates are the records' own."""
    site = handbook.settings.site_url.rstrip("/")
    happened = [
        (event.day, event.word, record.id, record)
        for record in handbook.records
        for event in record.events
    ]
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
            title=f"{id}: {record.title} ({word})"
            if record.mention
            else f"{record.title} ({word})",
            link=link,
            description=f"{word.capitalize()} on {day}.",
            pubdate=datetime.combine(day, time(), UTC),
            updateddate=datetime.combine(day, time(), UTC),
            unique_id=f"{link}#{word}-{day}",
        )
    text: str = made.writeString("utf-8")
    return text
