"""The feed of changes: decisions, published post-mortems and reviewed standards."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Final

from feedgenerator import Atom1Feed

from handbook.handbook import Handbook

_MAX_ENTRIES: Final = 50


class _Feed(Atom1Feed):  # type: ignore[misc]
    """An Atom feed that does not depend on the current time.

    The library would write the current time into an empty feed. This class writes a fixed time.
    """

    def latest_post_date(self) -> datetime:
        newest: datetime = (
            super().latest_post_date() if self.items else datetime(1980, 1, 1, tzinfo=UTC)
        )
        return newest


def feed(handbook: Handbook) -> str:
    """Return the changes of records as an Atom feed (RFC 4287), newest first."""
    site = handbook.settings.site_url.rstrip("/")
    events = [
        (event.day, event.change, record.id, record)
        for record in handbook.records
        for event in record.events
    ]
    events.sort(key=lambda row: (row[0], row[2]), reverse=True)

    atom = _Feed(
        title=handbook.settings.site_name,
        link=f"{site}/",
        feed_url=f"{site}/feed.xml",
        description="Decisions that changed status, post-mortems published, standards reviewed",
        language="en",
        author_name=handbook.settings.site_name,
    )
    for day, change, id, record in events[:_MAX_ENTRIES]:
        link = f"{site}/{handbook.address(record)}"
        atom.add_item(
            title=f"{id}: {record.title} ({change})"
            if record.mention
            else f"{record.title} ({change})",
            link=link,
            description=f"{change.capitalize()} on {day}.",
            pubdate=datetime.combine(day, time(), UTC),
            updateddate=datetime.combine(day, time(), UTC),
            unique_id=f"{link}#{change}-{day}",
        )
    text: str = atom.writeString("utf-8")
    return text
