"""The menu of a page, with the records around it, and the links to the record before and after it.

A page shows at most `WINDOW` records, so that the size of a site grows with the number of records,
and not with its square.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import groupby
from posixpath import basename, dirname
from typing import Any, Final, TypeVar

from markupsafe import escape

from handbook.handbook import Handbook
from handbook.records import Entity, Page, Record
from handbook.records.adr import Adr
from handbook.records.alert import Alert
from handbook.records.kinds import RECORDS
from handbook.records.postmortem import Postmortem
from handbook.records.runbook import Runbook
from handbook.records.service import Service
from handbook.records.service_file import files_address
from handbook.records.standard import Standard
from handbook.views import NOT_RECORDED, or_not_recorded, render
from handbook.views.adr_index import STATUS_ORDER, find_year
from handbook.views.links import Linker

R = TypeVar("R", bound=Record)

_ALERTS: Final = "alerts/"
_TEAMS: Final = "teams/"

WINDOW: Final = 15
"""The largest number of records in a menu."""


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A link to a page. Addresses count from the root of the site, and titles are HTML.

    `label` is an id or a date. `is_void` is True for a decision that readers must not follow.
    """

    title: str
    address: str
    label: str = ""
    is_void: bool = False
    group: str = ""
    group_address: str = ""


Neighbours = tuple[MenuEntry | None, MenuEntry | None]
"""The entries before and after a record."""


@dataclass(frozen=True, slots=True)
class MenuList:
    """The pages of a kind in the order of the menu.

    `address` leads from the title to the index of the kind, and `all_address` from the last line of
    the menu. Both are "" if there is no index.
    """

    title: str
    address: str
    all_title: str
    all_address: str
    entries: tuple[MenuEntry, ...]

    def make_menu(self, position: int | None) -> Mapping[str, Any]:
        """Return the menu of the page at a position, or of a page that is not in the list.

        Templates and front matter can hold the result: it has only mappings, lists and texts.
        """
        centre = position or 0
        start = max(0, min(centre - WINDOW // 2, len(self.entries) - WINDOW))
        shown = self.entries[start : start + WINDOW]
        current = None if position is None else self.entries[position]
        groups = groupby(shown, key=lambda entry: (entry.group, entry.group_address))
        return {
            "title": str(self.title),
            "url": self.address,
            "groups": [
                {
                    "title": str(title),
                    "url": address,
                    "entries": [_make_item(entry, entry is current) for entry in entries],
                }
                for (title, address), entries in groups
            ],
            "all": {"title": self.all_title, "url": self.all_address},
        }


def _make_item(entry: MenuEntry, is_current: bool) -> Mapping[str, Any]:
    return {
        "title": str(entry.title),
        "url": entry.address,
        "label": entry.label,
        "current": is_current,
        "void": entry.is_void,
    }


@dataclass(frozen=True)
class Menus:
    """The menus of all pages of a handbook. They are computed once for a build."""

    handbook: Handbook

    def find_menu(self, address: str) -> Mapping[str, Any] | None:
        """Return the menu of the page at an address, or None for a page without siblings."""
        place = self._places.get(address)
        return place[0].make_menu(place[1]) if place else None

    def find_neighbours(self, address: str) -> Neighbours:
        """Return the entries before and after a record. Each can be None."""
        return self._neighbours.get(address, (None, None))

    @cached_property
    def _places(self) -> Mapping[str, tuple[MenuList, int | None]]:
        """The list and the position of each page, by address. An index has no position."""
        places: dict[str, tuple[MenuList, int | None]] = {}
        for menu_list in self._make_lists():
            for position, entry in enumerate(menu_list.entries):
                places.setdefault(entry.address, (menu_list, position))
            if menu_list.address and menu_list.entries:
                places.setdefault(menu_list.address, (menu_list, None))
        return places

    def _make_lists(self) -> Iterator[MenuList]:
        """Yield the lists. Records that the navigation lists are not among their entries."""
        makers: Mapping[type[Record], Callable[[], Iterator[MenuEntry]]] = {
            Standard: self._list_standards,
            Adr: self._list_decisions,
            Runbook: self._list_runbooks,
            Postmortem: self._list_postmortems,
        }
        for kind in RECORDS:
            records = self.handbook.of(kind)
            title, address = kind.list_title, self._find_index(kind)
            entries = makers[kind]() if kind in makers else self._list_by_title(kind)
            yield MenuList(title, address, _count_all(title, len(records)), address, tuple(entries))
        alerts = tuple(self._list_alerts())
        yield MenuList("Alerts", _ALERTS, _count_all("Alerts", len(alerts)), _ALERTS, alerts)
        for service in self.handbook.of(Service):
            yield self._list_files(service)
        teams = tuple(self._list_teams())
        yield MenuList("Teams", _TEAMS, _count_all("Teams", len(teams)), _TEAMS, teams)
        yield MenuList("More pages", "", "", "", tuple(self._list_other_pages()))

    def _find_index(self, kind: type[Record]) -> str:
        address = f"{self.handbook.source_uri(kind.folder)}/"
        return address if self.handbook.has_address(address) else ""

    def _unlisted(self, kind: type[R]) -> Iterator[R]:
        """Yield the records of a kind that the navigation does not list."""
        listed = self.handbook.settings.nav or ()
        for record in self.handbook.of(kind):
            if self.handbook.source_uri(record.path) not in listed:
                yield record

    def _make_entry(
        self, entity: Entity, label: str = "", group: str = "", group_address: str = ""
    ) -> MenuEntry:
        return MenuEntry(
            escape(self._linker.title(entity)),
            self.handbook.address(entity),
            label,
            isinstance(entity, Adr) and entity.is_void,
            escape(group),
            group_address,
        )

    @cached_property
    def _linker(self) -> Linker:
        return Linker(self.handbook, "")

    def _list_standards(self) -> Iterator[MenuEntry]:
        for standard in sorted(self._unlisted(Standard), key=_get_id):
            yield self._make_entry(standard, standard.id)

    def _list_decisions(self) -> Iterator[MenuEntry]:
        """Yield the decisions by status and year, the newest first, as their index does."""

        def sort_key(adr: Adr) -> tuple[int, str, date, str]:
            status = or_not_recorded(adr, adr.status)
            # A preview also shows a decision whose status is missing or unknown.
            order = STATUS_ORDER.index(status) if status in STATUS_ORDER else len(STATUS_ORDER)
            return -order, find_year(adr), adr.date or date.min, adr.id

        for adr in sorted(self._unlisted(Adr), key=sort_key, reverse=True):
            status = or_not_recorded(adr, adr.status) or "unknown status"
            year = find_year(adr)
            if year != NOT_RECORDED:
                group = f"{status}, {year}"
            else:
                # If neither is recorded, the group says so once.
                group = status if status == NOT_RECORDED else f"{status}, year {year}"
            yield self._make_entry(adr, adr.id, group.capitalize())

    def _list_runbooks(self) -> Iterator[MenuEntry]:
        """Yield the runbooks by service. A title does not repeat the name of its service."""
        for runbook in sorted(self._unlisted(Runbook), key=self._sort_in_service):
            entry = self._make_entry(runbook, "", *self._describe_service(runbook.service))
            rest = entry.title.removeprefix(f"{entry.group}: ")
            yield replace(entry, title=rest if rest == entry.title else rest[:1].upper() + rest[1:])

    def _list_alerts(self) -> Iterator[MenuEntry]:
        for alert in sorted(self.handbook.alerts, key=self._sort_in_service):
            yield self._make_entry(alert, "", *self._describe_service(alert.service))

    def _sort_in_service(self, entity: Runbook | Alert) -> tuple[str, str, str]:
        return self._describe_service(entity.service)[0], entity.title.casefold(), entity.id

    def _describe_service(self, id: str) -> tuple[str, str]:
        """Return the title and the address of a service. An unknown one has only its id."""
        service = self.handbook.get(Service, id)
        return (service.title, self.handbook.address(service)) if service else (id, "")

    def _list_postmortems(self) -> Iterator[MenuEntry]:
        for postmortem in sorted(self._unlisted(Postmortem), key=_get_id, reverse=True):
            day = postmortem.id[:10]
            yield self._make_entry(postmortem, day, day[:4])

    def _list_by_title(self, kind: type[Record]) -> Iterator[MenuEntry]:
        for record in sorted(self._unlisted(kind), key=lambda record: record.title):
            yield self._make_entry(record)

    def _list_files(self, service: Service) -> MenuList:
        entries = (
            MenuEntry(
                escape(basename(file.name)), file.address, "", False, escape(dirname(file.name))
            )
            for file in sorted(
                self.handbook.files_of(service), key=lambda file: file.name.rpartition("/")
            )
            if file.has_page
        )
        title, address = escape(f"Files of {service.title}"), files_address(service.id)
        return MenuList(title, address, "All files", address, tuple(entries))

    def _list_teams(self) -> Iterator[MenuEntry]:
        for name, address in sorted(self.handbook.settings.team_addresses.items()):
            if address in self._unlisted_pages:
                yield MenuEntry(escape(name), address)

    @cached_property
    def _unlisted_pages(self) -> Mapping[str, Page]:
        """The provided pages that the navigation does not list, by address."""
        settings = self.handbook.settings
        return {
            self.handbook.address(page): page
            for page in self.handbook.of(Page)
            if page.path in self.handbook.provided
            and not (settings.nav is not None and settings.is_in_nav(self._source(page)))
        }

    def _source(self, page: Page) -> str:
        return self.handbook.source_uri(page.path)

    def _list_other_pages(self) -> Iterator[MenuEntry]:
        """Yield the provided pages that the navigation does not list, by folder."""
        teams = self.handbook.settings.team_addresses.values()
        for page in sorted(self._unlisted_pages.values(), key=lambda page: dirname(page.path)):
            if self.handbook.address(page) not in teams:
                folder = basename(dirname(self._source(page))).replace("-", " ").capitalize()
                yield self._make_entry(page, "", folder)

    @cached_property
    def _neighbours(self) -> Mapping[str, Neighbours]:
        """The entries before and after each record that has an order, by address."""
        runbooks = sorted(self.handbook.of(Runbook), key=self._sort_in_service)
        sequences: list[Sequence[Record]] = [
            sorted(self.handbook.of(kind), key=_get_id) for kind in (Standard, Adr, Postmortem)
        ]
        sequences += [
            list(records) for _, records in groupby(runbooks, key=lambda runbook: runbook.service)
        ]
        neighbours: dict[str, Neighbours] = {}
        for sequence in sequences:
            entries = [self._make_entry(record, _get_label(record)) for record in sequence]
            for before, entry, after in zip(
                [None, *entries], entries, [*entries[1:], None], strict=False
            ):
                neighbours[entry.address] = (before, after)
        return neighbours


def render_steps(handbook: Handbook, record: Record, neighbours: Neighbours) -> str:
    """Render the links to the record before and after a record, or "" if it has neither."""
    before, after = neighbours
    if before is None and after is None:
        return ""
    linker = Linker(handbook, handbook.address(record))
    noun = record.label.lower()
    return render("steps.html.j2", before=before, after=after, noun=noun, linker=linker)


def _count_all(title: str, number: int) -> str:
    """Return the text of a link to the index of a list, such as `All 3 services`."""
    return f"All {number} {title.lower()}" if number > 1 else f"All {title.lower()}"


def _get_id(record: Record) -> str:
    return record.id


def _get_label(record: Record) -> str:
    """Return the id of a record that a text can mention, or the date of a post-mortem, or ""."""
    if isinstance(record, Postmortem):
        return record.id[:10]
    return record.id if record.mention else ""
