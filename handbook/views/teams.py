"""The list of teams, the page of a team, and the contacts of a runbook's owner."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from handbook.handbook import Handbook
from handbook.reading.ids import anchor
from handbook.records import Record
from handbook.records.adr import Adr
from handbook.records.alert import Alert
from handbook.records.postmortem import Action, Postmortem
from handbook.records.runbook import ESCALATION, Runbook
from handbook.records.service import Service
from handbook.records.standard import Standard
from handbook.views import Keep, make_now, render
from handbook.views.due import count_dates, due_table, list_deadlines
from handbook.views.links import Linker, PageLink


@dataclass(frozen=True, slots=True)
class TeamRecords:
    """The records that a team owns, decided or wrote, and the incidents whose actions it owes.

    Its runbooks list the alerts. The open actions of each incident are under its path.
    """

    services: tuple[Service, ...]
    runbooks: tuple[Runbook, ...]
    standards: tuple[Standard, ...]
    alerts: tuple[Alert, ...]
    decisions: tuple[Adr, ...]
    incidents: tuple[Postmortem, ...]
    open_actions: dict[str, list[Action]]

    @property
    def owned(self) -> tuple[Record, ...]:
        """The records whose owner is the team."""
        return (*self.services, *self.runbooks, *self.standards)


def find_records(handbook: Handbook, team: str) -> TeamRecords:
    """Return the records of a team."""
    return handbook.derive(_find_records, team)


def _find_records(handbook: Handbook, team: str) -> TeamRecords:
    runbooks = handbook.records_with(Runbook, "owner", team)
    names = {name for runbook in runbooks for name in runbook.alerts}
    open_actions = {
        incident.path: actions
        for incident in handbook.of(Postmortem)
        if (actions := [item for item in incident.actions if item.is_open and item.owner == team])
    }
    return TeamRecords(
        handbook.records_with(Service, "owner", team),
        runbooks,
        handbook.records_with(Standard, "owner", team),
        tuple(alert for alert in handbook.alerts if alert.name in names),
        handbook.records_with(Adr, "deciders", team),
        tuple(
            incident
            for incident in reversed(handbook.of(Postmortem))
            if team in incident.authors or incident.path in open_actions
        ),
        open_actions,
    )


def teams_index(handbook: Handbook, page_address: str) -> str:
    """Render all teams of the settings, with the numbers of their records and due dates."""
    linker = Linker(handbook, page_address)
    rows = []
    for name, team in handbook.settings.organisation.teams.items():
        records = find_records(handbook, name)
        counts = _count(
            (len(records.services), "service"),
            (len(records.runbooks), "runbook"),
            (len(records.alerts), "alert"),
            (len(records.standards), "standard"),
        )
        on_call, team_deadlines = linker.on_call(team.on_call), list_deadlines(handbook, name)
        dates = count_dates(team_deadlines)
        rows.append((linker.team(name), team, on_call, counts, len(team_deadlines), dates))
    return render("teams_index.md.j2", rows=rows)


def _count(*counts: tuple[int, str]) -> str:
    """Return the counts that are not 0 as text, such as `2 services, 1 runbook`."""
    return ", ".join(
        f"{number} {noun}{'s' if number > 1 else ''}" for number, noun in counts if number
    )


def team_page(handbook: Handbook, page_address: str, keep: Keep = make_now) -> str:
    """Render the records, due dates, decisions and incidents of the team with this page."""
    name = handbook.find_team(unquote(page_address))
    if name is None:
        return "No team of the settings has this page."
    linker = Linker(handbook, page_address)
    team = handbook.settings.team(name)
    deadlines = list_deadlines(handbook, name)
    return render(
        "team_page.md.j2",
        team=team,
        on_call=linker.on_call(team.on_call),
        records=find_records(handbook, name),
        due=due_table(deadlines, linker, keep, has_owners=False),
        linker=linker,
        link_action=lambda incident, action: PageLink(
            "", action.id, linker.at(f"actions/#{incident.id}-{anchor(action.id)}")
        ),
    )


def add_contacts(linker: Linker, runbook: Runbook, html: str) -> str:
    """Add the rota, the owner and its channel below the heading "Escalation" of a runbook."""
    section = runbook.find_section(ESCALATION)
    if section is None or not runbook.owner:
        return html
    head, mark, tail = html.partition(f' id="{section.heading.id}"')
    end = f"</h{section.heading.level}>"
    if not mark or end not in tail:
        return html
    title, _, rest = tail.partition(end)
    contacts = render(
        "contacts.html.j2",
        owners=linker.people((runbook.owner,)),
        channel=linker.handbook.settings.team(runbook.owner).channel,
        on_call=linker.on_call(linker.handbook.on_call_of(runbook)),
    )
    return f"{head}{mark}{title}{end}\n{contacts}{rest}"
