"""Write a whole valid handbook of any size: `python benchmarks/generate.py DIR --records N`.

A record is a Markdown file: a decision, a runbook, a post-mortem, a service or a standard. Alerts and audits come on
top of the number that is asked for. What refers to what is planned first, so that every pair is true on both sides;
then the texts are written. The same seed and day give the same bytes. The settings are those of the project, with
teams, tags and numbers of this handbook, so that what is measured has the extensions and plugins that we build with.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice, product
from pathlib import Path, PurePosixPath
from posixpath import relpath
from typing import Any, Final

import yaml

from handbook.reading.ids import slug

SITE_URL: Final = "https://generated.example/"
TODAY: Final = date(2026, 11, 23)
SHARES: Final = {"runbook": 0.20, "postmortem": 0.15, "service": 0.05}
"""How much of a handbook each kind is; standards are 13 at most, decisions are the rest."""

_PROJECT: Final = Path(__file__).parent.parent / "mkdocs.yml"
_SETTINGS: Final = ("theme", "validation")
_WORDS: Final[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "words.yml").read_text(encoding="utf-8")
)
_MATTER: Final = ("subjects", "objects", "conditions", "closings")
"""Of these a record has a few: it speaks of something, and not of everything."""

_WIDTH: Final = 120
_QUIET_DAYS: Final = 30  # nothing but drafts is younger, so that no day comes out after today


@dataclass
class Entry:
    """A record as others see it, before its text is written."""

    path: str
    title: str
    id: str = ""
    owner: str = ""
    day: date = TODAY
    anchors: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its slug."""
        return PurePosixPath(self.path).stem


@dataclass
class Plan:
    """Every record of a handbook, with what each says of others in its front matter."""

    standards: list[Entry]
    services: list[Entry]
    adrs: list[Entry]
    runbooks: list[Entry]
    postmortems: list[Entry]

    def in_force(self) -> list[Entry]:
        """The decisions that are accepted."""
        return [adr for adr in self.adrs if adr.facts["status"] == "accepted"]


class Author:
    """Writes a handbook. Every choice comes from one generator of random numbers."""

    def __init__(self, records: int, seed: int, today: date) -> None:
        self.records = max(records, 20)
        self.random = random.Random(seed)  # noqa: S311 - texts, not secrets
        self.today = today
        self.matter: dict[str, list[str]] = {kind: _WORDS[kind] for kind in _MATTER}
        self.project: dict[str, Any] = yaml.safe_load(_PROJECT.read_text(encoding="utf-8"))
        self.severities = list(self.project["extra"]["policy"]["severities"])
        self.plan = self._plan()

    # What there is, and what refers to what.

    def _plan(self) -> Plan:
        numbers = {kind: max(2, round(share * self.records)) for kind, share in SHARES.items()}
        standards = self._standards(min(len(_WORDS["standards"]), max(2, self.records // 20)))
        services = self._services(numbers["service"])
        adrs = self._adrs(
            self.records - sum(numbers.values()) - len(standards), services, standards
        )
        runbooks = self._runbooks(numbers["runbook"], services)
        plan = Plan(standards, services, adrs, runbooks, [])
        plan.postmortems = self._postmortems(numbers["postmortem"], plan)
        return plan

    def _some(self, of: Sequence[Any], least: int, most: int) -> list[Any]:
        most = min(most, len(of))
        return self.random.sample(of, self.random.randint(min(least, most), most))

    def _ago(self, least: int, most: int) -> date:
        return self.today - timedelta(days=self.random.randint(least, most))

    def _team(self) -> str:
        return str(self.random.choice(_WORDS["teams"]))

    def _standards(self, number: int) -> list[Entry]:
        groups = list(self.project["extra"]["handbook"]["groups"])
        found = []
        for index, title in enumerate(islice(_WORDS["standards"], number)):
            group, first = groups[index % len(groups)], 3 * (index // len(groups)) + 1
            verify = ("automated", "evidence", "attested")
            items = [
                {
                    "id": f"{group}-{first + each:02}",
                    "item": self._sentence().rstrip("."),
                    "verify": verify[each],
                    "since": f"{self.today.year - 2}-Q1",
                }
                for each in range(3)
            ]
            facts: dict[str, Any] = {
                "summary": self._sentence(),
                "core_tools": self._some(
                    ["git", "make", "pytest", "Prometheus", "Kubernetes", "PostgreSQL"], 1, 3
                ),
                "prevents": self._sentence().rstrip("."),
                "calms": self._some(
                    ["culture", "automation", "lean", "measurement", "sharing"], 1, 3
                ),
                "owner": self._team(),
                "reviewed": self._ago(10, 300),
                "checklist": items,
            }
            id = f"STD-{index + 1:02}"
            anchors = (
                f"std-{index + 1:02}-1",
                f"std-{index + 1:02}-4",
                items[0]["id"].lower(),
                "when-to-deviate",
            )
            path = f"docs/standards/{index + 1:02}-{slug(title, '-')}.md"
            found.append(Entry(path, title, id, facts["owner"], facts["reviewed"], anchors, facts))
        return found

    def _services(self, number: int) -> list[Entry]:
        names = [f"{domain}-{role}" for domain, role in product(_WORDS["domains"], _WORDS["roles"])]
        self.random.shuffle(names)
        found: list[Entry] = []
        for index in range(number):
            name = names[index % len(names)] + (
                f"-{index // len(names) + 1}" if index >= len(names) else ""
            )
            owner, tier = self._team(), self.random.randint(1, 4)
            facts = {
                "owner": owner,
                "tier": tier,
                "repository": f"https://git.example/{name}",
                "on_call": f"https://rota.example/{owner}",
                "dashboards": {"Overview": f"https://grafana.example/d/{name}"},
                "slos": [{"name": "availability", "objective": 99.9, "window": "30d"}],
                "depends_on": [other.name for other in self._some(found, 0, 3)],
                "tags": self._some(_WORDS["tags"], 0, 2),
            }
            title = name.replace("-", " ").capitalize()
            found.append(
                Entry(f"docs/services/{name}.md", title, name, owner, self.today, (), facts)
            )
        return found

    def _adrs(self, number: int, services: list[Entry], standards: list[Entry]) -> list[Entry]:
        found: list[Entry] = []
        for index in range(number):
            # Evenly over five years, oldest first, as numbers are given.
            day = self.today - timedelta(days=_QUIET_DAYS + 1800 * (number - index) // number)
            title = f"Use {self.random.choice(_WORDS['technologies'])} for {self.random.choice(_WORDS['purposes'])}"
            status = self.random.choices(
                ["accepted", "proposed", "rejected", "deprecated"], [80, 8, 6, 6]
            )[0]
            facts: dict[str, Any] = {"status": status, "date": day}
            if status != "proposed":
                facts["deciders"] = sorted(self._some(_WORDS["teams"], 1, 3))
                facts["history"] = [
                    {"status": "proposed", "date": day - timedelta(days=self.random.randint(3, 20))}
                ]
            if status == "deprecated":
                facts["history"].append({"status": "accepted", "date": day - timedelta(days=1)})
            if status == "accepted":
                facts["review_by"] = self.today + timedelta(days=self.random.randint(200, 700))
                replaced = [each for each in found[-60:] if each.facts["status"] == "accepted"]
                if replaced and self.random.random() < 0.15:
                    self._supersede(self.random.choice(replaced), f"ADR-{index + 1:04}", facts)
                elif replaced and self.random.random() < 0.1:
                    facts["amends"] = [self.random.choice(replaced).id]
            facts["services"] = sorted(each.name for each in self._some(services, 0, 3))
            facts["standards"] = sorted(each.id for each in self._some(standards, 0, 2))
            facts["tags"] = sorted(self._some(_WORDS["tags"], 0, 3))
            owner = facts.get("deciders", [self._team()])[0]
            path = f"adr/{index + 1:04}-{slug(title, '-')}.md"
            anchors = ("context", "decision", "alternatives-considered", "consequences")
            found.append(Entry(path, title, f"ADR-{index + 1:04}", owner, day, anchors, facts))
        gone = {adr.id for adr in found if adr.facts["status"] == "superseded"}
        for adr in found:
            if gone & set(adr.facts.get("amends", ())):
                del adr.facts["amends"]  # what it amended was replaced later
        return found

    def _supersede(self, old: Entry, id: str, facts: dict[str, Any]) -> None:
        facts["supersedes"] = [old.id]
        old.facts["history"].append({"status": "accepted", "date": old.facts["date"]})
        old.facts |= {"status": "superseded", "date": facts["date"], "superseded_by": [id]}
        del old.facts["review_by"]

    def _runbooks(self, number: int, services: list[Entry]) -> list[Entry]:
        found = []
        pairs = list(product(_WORDS["symptoms"], services))
        # Every symptom of a service once; the services by turns, so that each has runbooks.
        for symptom, service in islice(self._dealt(pairs, len(services)), number):
            causes = self._some(_WORDS["causes"], 3, 5)
            camel = "".join(
                word.capitalize() for word in f"{service.name} {symptom}".replace("-", " ").split()
            )
            facts: dict[str, Any] = {}
            if self.random.random() < 0.85:
                facts["alerts"] = [camel, f"{camel}Soon"] if self.random.random() < 0.3 else [camel]
            else:
                facts["trigger"] = (
                    f"A customer or a colleague reports {symptom} of the {service.title.lower()}"
                )
            facts |= {
                "severity": self.random.choice(self.severities),
                "owner": service.owner,
                "reviewed": self._ago(1, 60),
                "tags": sorted(self._some(_WORDS["tags"], 0, 2)),
            }
            if self.random.random() < 0.6:
                facts["exercised"] = self._ago(1, 150)
            id = f"{service.name}/{slug(symptom, '-')}"
            title = f"{service.title}: {symptom}"
            anchors = tuple(slug(cause, "-") for cause in causes)
            facts["_causes"] = causes
            found.append(
                Entry(
                    f"runbooks/{id}.md", title, id, service.owner, facts["reviewed"], anchors, facts
                )
            )
        return found

    def _dealt(self, pairs: list[Any], hand: int) -> Iterator[Any]:
        for first in range(0, len(pairs), hand):
            dealt = pairs[first : first + hand]
            self.random.shuffle(dealt)
            yield from dealt

    def _postmortems(self, number: int, plan: Plan) -> list[Entry]:
        found: dict[str, Entry] = {}
        while len(found) < number:
            runbook = self.random.choice(plan.runbooks)
            service = runbook.id.split("/")[0]
            draft = len(found) % 50 == 49
            day = self.today - timedelta(days=1) if draft else self._ago(_QUIET_DAYS, 1500)
            path = f"postmortems/{day}-{runbook.id.replace('/', '-')}.md"
            if path in found:
                continue
            started = datetime(
                day.year, day.month, day.day, self.random.randint(1, 14), self.random.randint(0, 59)
            )
            times = [started + timedelta(minutes=each) for each in self._minutes()]
            others = (each.name for each in self._some(plan.services, 0, 2))
            facts: dict[str, Any] = {
                "severity": self.random.choice(self.severities),
                "status": "draft" if draft else "published",
                **dict(
                    zip(
                        ("started", "detected", "acknowledged", "mitigated", "resolved"),
                        times,
                        strict=True,
                    )
                ),
                "caused_by": self.random.choice(
                    ["change", "capacity", "dependency", "configuration", "security"]
                ),
                "services": sorted({service, *others}),
                "alerts": runbook.facts.get("alerts", []),
                "authors": [runbook.owner],
                "reviewers": sorted(self._some(_WORDS["teams"], 1, 2)),
                "runbooks": [runbook.id],
                "adrs": sorted(each.id for each in self._some(plan.in_force(), 0, 2)),
                "tags": sorted(self._some(_WORDS["tags"], 0, 3)),
            }
            if not draft:
                facts["published"] = day + timedelta(days=self.random.randint(2, 6))
            symptom = runbook.title.split(": ")[1]
            title = f"{symptom.capitalize()} of the {runbook.title.split(':')[0].lower()}"
            anchors = ("impact", "root-cause", "action-items", "lessons-learned")
            found[path] = Entry(
                path, title, PurePosixPath(path).stem, runbook.owner, day, anchors, facts
            )
        return [found[path] for path in sorted(found)]

    def _minutes(self) -> list[int]:
        """Minutes after the start: started, detected, acknowledged, mitigated, resolved."""
        steps = [0, self.random.randint(1, 10), self.random.randint(1, 10)]
        steps += [self.random.randint(10, 60), self.random.randint(5, 120)]
        return [sum(steps[: each + 1]) for each in range(5)]

    # Text.

    def _sentence(self, mention: str = "") -> str:
        pick = self.random.choice
        parts = [pick(self.matter["subjects"]), pick(_WORDS["verbs"]), pick(self.matter["objects"])]
        if self.random.random() < 0.8:
            parts.append(pick(self.matter["conditions"]))
        text = " ".join(parts)
        if mention:
            text += f", as {mention} says" if self.random.random() < 0.6 else f" (see {mention})"
        elif self.random.random() < 0.5:
            text += f", {pick(self.matter['closings'])}"
        if self.random.random() < 0.2:
            text += f": {self.random.randint(2, 900)} {pick(['ms', 'requests a second', 'MB', 'rows', 'minutes'])}"
        return f"{text}."

    def _paragraph(
        self, least: int, most: int, mentions: Iterable[str] = (), indent: str = ""
    ) -> str:
        """Sentences, filled into lines; what is mentioned is spread over them."""
        mentions = list(mentions)
        number = max(self.random.randint(least, most), len(mentions))
        at = self.random.sample(range(number), len(mentions))
        named = dict(zip(at, mentions, strict=True))
        return _filled(
            " ".join(self._sentence(named.get(each, "")) for each in range(number)), indent
        )

    def _listing(self, name: str, indent: str = "") -> str:
        language = self.random.choice(list(_WORDS["listings"]))
        values = {
            "name": name,
            "place": self.random.choice(["production", "staging"]),
            "table": name.replace("-", "_"),
        }
        lines = [
            each.format(**values, number=self.random.randint(2, 60))
            for each in self._some(_WORDS["listings"][language], 1, 3)
        ]
        return textwrap.indent("\n".join((f"```{language}", *lines, "```")), indent)

    def _message(self, name: str) -> str:
        return str(self.random.choice(_WORDS["messages"])).format(
            name=name, number=self.random.randint(2, 900)
        )

    def _table(self) -> str:
        rows = [
            f"| {each.capitalize()} | {self.random.randint(1, 900)} ms | {self.random.randint(1, 99)}% |"
            for each in self._some([each.removeprefix("the ") for each in _WORDS["purposes"]], 3, 6)
        ]
        return "\n".join(("| Measured | p99 | Share |", "|---|---|---|", *rows))

    def _links(self, here: Entry, number: int) -> list[str]:
        """Ids and links to other records, each as prose names it."""
        plan = self.plan
        # What was superseded is cited by nobody but its successor.
        adrs = [adr for adr in plan.adrs if adr.facts["status"] != "superseded"]
        kinds = [adrs, adrs, plan.runbooks, plan.postmortems, plan.standards, plan.services]
        found = []
        for _ in range(number):
            other = self.random.choice(self.random.choice(kinds))
            if other is here:
                continue
            if other.id.startswith(("ADR-", "STD-")) and self.random.random() < 0.6:
                found.append(
                    other.id
                    + (".1" if other.id.startswith("STD-") and self.random.random() < 0.5 else "")
                )
                continue
            anchor = (
                self.random.choice(other.anchors)
                if other.anchors and self.random.random() < 0.3
                else ""
            )
            target = relpath(other.path, PurePosixPath(here.path).parent.as_posix())
            found.append(f"[{other.title}]({target}{f'#{anchor}' if anchor else ''})")
        if self.random.random() < 0.3:
            found.append(
                self.random.choice(self.random.choice(plan.standards).facts["checklist"])["id"]
            )
        return found

    # Records.

    def files(self) -> Iterator[tuple[str, str]]:
        """Every file of the handbook: its path and its text."""
        yield "mkdocs.yml", self._settings()
        yield from self._pages()
        yield "docs/standards/samples/settings.yml", "limits:\n  attempts: 3\n  timeout: 5s\n"
        for standard in self.plan.standards:
            yield standard.path, self._standard(standard)
        for service in self.plan.services:
            yield service.path, self._service(service)
            yield from self._audits(service)
        for adr in self.plan.adrs:
            yield adr.path, self._adr(adr)
        for runbook in self.plan.runbooks:
            yield runbook.path, self._runbook(runbook)
        yield from self._rule_files()
        for postmortem in self.plan.postmortems:
            yield postmortem.path, self._postmortem(postmortem)

    def _record(self, entry: Entry, parts: Iterable[str]) -> str:
        keys = {
            key: value
            for key, value in entry.facts.items()
            if not key.startswith("_") and value != []
        }
        keys |= {"checklist": entry.facts["checklist"]} if "checklist" in entry.facts else {}
        head = "".join(f"{key}: {_flow(value)}\n" for key, value in keys.items())
        self.matter = {
            kind: self._some(_WORDS[kind], 4, 4) for kind in _MATTER
        }  # the next record's
        return f"---\n{head}---\n# {entry.title}\n\n" + "\n\n".join(parts) + "\n"

    def _adr(self, adr: Entry) -> str:
        links = self._links(adr, 5)
        chosen = self._some(_WORDS["alternatives"], 2, 4)
        return self._record(
            adr,
            [
                "## Context",
                self._paragraph(4, 7, links[:2]),
                self._paragraph(4, 6),
                self._table(),
                "## Decision",
                self._paragraph(4, 6, links[2:3]),
                self._listing(adr.name[5:30].strip("-")),
                "## Alternatives considered",
                "\n".join(
                    _filled(f"- {each}: {self._paragraph(3, 5)}", "    ", hang=True)
                    for each in chosen
                ),
                "## Measured",
                self._paragraph(4, 6, links[3:4]),
                self._listing(adr.name[5:30].strip("-")),
                "## Consequences",
                "\n".join(
                    _filled(f"- {kind}: {self._sentence()} {self._sentence()}", "    ", hang=True)
                    for kind in ("Good", "Good", "Bad", "Bad")
                ),
                self._paragraph(3, 5, links[4:]),
            ],
        )

    def _runbook(self, runbook: Entry) -> str:
        links = self._links(runbook, 4)
        service = runbook.id.split("/")[0]
        entry = f"[the service](../../docs/services/{service}.md)"
        steps = (
            f"{number}. {_filled(self._sentence() + ' ' + self._sentence(), '    ', hang=True)}\n\n"
            + self._listing(service, "    ")
            for number in range(1, 6)
        )
        parts = [
            "## When to use this runbook",
            self._paragraph(4, 6, [entry, *links[:1]]),
            "## Diagnosis steps",
            "\n\n".join(steps),
            "## Common causes and fixes",
            self._paragraph(2, 3, links[1:2]),
        ]
        for cause in runbook.facts["_causes"]:
            parts += [
                f"### {cause}",
                f"**Symptom:** `{self._message(service)}`\n{self._paragraph(2, 3)}",
                _filled(f"**Fix:** {self._paragraph(2, 4)}"),
                self._listing(service),
            ]
        tiers = (
            "Engineer on call",
            f"Owner of the service, `@{runbook.owner}`",
            "Director of engineering",
        )
        parts += [
            "## Escalation",
            self._paragraph(1, 2, links[2:]),
            "\n".join(
                f"- Tier {tier} ({15 * tier} min): {who}" for tier, who in enumerate(tiers, 1)
            ),
        ]
        return self._record(runbook, parts)

    def _postmortem(self, postmortem: Entry) -> str:
        links = self._links(postmortem, 5)
        facts = postmortem.facts
        runbook = f"[the runbook](../runbooks/{facts['runbooks'][0]}.md)"
        moments = sorted(
            {
                *(
                    facts[key]
                    for key in ("started", "detected", "acknowledged", "mitigated", "resolved")
                ),
                *(
                    facts["started"] + timedelta(minutes=self.random.randint(-30, 100))
                    for _ in range(8)
                ),
            }
        )
        return self._record(
            postmortem,
            [
                "## Impact",
                self._paragraph(4, 6, links[:1]),
                self._table(),
                "## Timeline",
                "\n".join(
                    _filled(f"- {each:%H:%M} — {_small(self._sentence())}", "    ", hang=True)
                    for each in moments
                ),
                "## Root cause",
                self._paragraph(4, 7, [runbook, *links[1:3]]),
                self._listing(facts["services"][0]),
                self._paragraph(5, 7),
                "## What went well",
                "\n".join(
                    _filled(f"- {self._sentence()} {self._sentence()}", "    ", hang=True)
                    for _ in range(4)
                ),
                "## What went wrong",
                "\n".join(
                    _filled(f"- {self._sentence()} {self._sentence()}", "    ", hang=True)
                    for _ in range(5)
                ),
                self._paragraph(3, 5, links[3:]),
                "## Action items",
                "\n".join(
                    (
                        "| Id | Action | Owner | Due | Status |",
                        "|---|---|---|---|---|",
                        *self._actions(postmortem),
                    )
                ),
                "## Lessons learned",
                "\n".join(_filled(f"- {self._sentence()}", "    ", hang=True) for _ in range(4)),
            ],
        )

    def _actions(self, postmortem: Entry) -> Iterator[str]:
        for number in range(1, self.random.randint(3, 7)):
            due = postmortem.day + timedelta(days=self.random.randint(7, 60))
            status = "dropped" if self.random.random() < 0.1 else f"done {min(due, self.today)}"
            if postmortem.day > self.today - timedelta(days=200) and self.random.random() < 0.5:
                due, status = self.today + timedelta(days=self.random.randint(1, 90)), "open"
            yield f"| A{number} | {self._sentence().rstrip('.')} | {self._team()} | {due} | {status} |"

    def _service(self, service: Entry) -> str:
        links = self._links(service, 4)
        return self._record(
            service,
            [
                self._paragraph(5, 7, links[:1]),
                "## What it keeps",
                self._paragraph(4, 7, links[1:2]),
                self._table(),
                "## How it runs",
                self._paragraph(4, 7, links[2:3]),
                self._listing(service.name),
                self._paragraph(4, 6),
                "## Limits",
                "\n".join(
                    _filled(f"- {self._sentence()} {self._sentence()}", "    ", hang=True)
                    for _ in range(6)
                ),
                self._paragraph(4, 7, links[3:]),
            ],
        )

    def _standard(self, standard: Entry) -> str:
        links = self._links(standard, 6)
        rules = (
            f"- **{standard.id}.{number}** {_filled(self._sentence() + ' It MUST hold.', '    ', hang=True)}"
            for number in range(1, 7)
        )
        parts = [
            "## Why it matters",
            self._paragraph(4, 6, links[:2]),
            "## What it requires",
            "\n".join(rules),
            "## How to implement it",
            self._paragraph(4, 6, links[2:4]),
            '```yaml\n--8<-- "settings.yml"\n```',
            self._table(),
            self._paragraph(4, 6),
            "## How to verify it",
            self._paragraph(2, 3),
        ]
        for item in standard.facts["checklist"]:
            parts += [
                f"### {item['id']} {self.random.choice(_WORDS['causes'])}",
                self._paragraph(3, 5),
            ]
        parts += ["## When to deviate", self._paragraph(4, 6, links[4:])]
        return self._record(standard, parts)

    def _audits(self, service: Entry) -> Iterator[tuple[str, str]]:
        """Two audits of two services in three: of the quarter before today's, and of the one before that."""
        if self.random.random() < 1 / 3:
            return
        last = self.today.replace(day=1, month=3 * ((self.today.month - 1) // 3) + 1)
        for _ in range(2):
            last = (last - timedelta(days=1)).replace(day=20)
            quarter = f"{last.year}-Q{(last.month + 2) // 3}"
            results = "".join(
                f"  {item['id']}: {_flow(self._result(item))}\n"
                for standard in self.plan.standards
                for item in standard.facts["checklist"]
            )
            head = f"date: {last}\nauditor: {self._team()}\ncommit: {self.random.getrandbits(28):07x}\n"
            yield f"docs/services/{service.name}/{quarter}.yml", f"{head}results:\n{results}"
            last = last.replace(day=1, month=3 * ((last.month - 1) // 3) + 1)

    def _result(self, item: Mapping[str, str]) -> dict[str, Any]:
        verdict = self.random.choices(
            ["pass", "fail", "unknown", "not-applicable", "waived"], [70, 10, 8, 7, 5]
        )[0]
        match verdict:
            case "unknown":
                return {"verdict": verdict, "needs": "the figures of the quarter"}
            case "not-applicable":
                return {"verdict": verdict, "reason": "a batch job"}
            case "waived":
                adr = self.random.choice(self.plan.in_force()).id
                return {"verdict": verdict, "adr": adr, "until": self.today + timedelta(days=200)}
        if item["verify"] == "attested":
            of = hashlib.sha256(item["item"].encode()).hexdigest()[:6]
            return {"verdict": verdict, "by": "attested", "who": self._team(), "of": _Quoted(of)}
        return {
            "verdict": verdict,
            "by": "evidence",
            "evidence": f"settings.py:{self.random.randint(1, 300)}",
        }

    def _rule_files(self) -> Iterator[tuple[str, str]]:
        """The rules of each service whose runbooks list alerts."""
        alerts: dict[str, list[tuple[str, Entry]]] = {}
        for runbook in self.plan.runbooks:
            for name in runbook.facts.get("alerts", []):
                alerts.setdefault(runbook.id.split("/")[0], []).append((name, runbook))
        for service, listed in alerts.items():
            series = service.replace("-", "_")
            rows = [
                {
                    "alert": name,
                    "expr": f"sum(rate({series}_requests_total{{code=~'5..'}}[5m])) > {self.random.randint(1, 99)}",
                    "for": f"{self.random.randint(1, 15)}m",
                    "labels": {"severity": self.random.choice(["page", "ticket"])},
                    "annotations": {
                        "summary": runbook.title,
                        "runbook_url": f"{SITE_URL}alerts/{name}/",
                    },
                }
                for name, runbook in listed
            ]
            yield (
                f"runbooks/{service}/{service}.rules.yml",
                _yaml({"groups": [{"name": service, "rules": rows}]}),
            )

    # Pages and settings.

    def _pages(self) -> Iterator[tuple[str, str]]:
        for path, (title, macros) in PAGES.items():
            calls = "\n\n".join(f"{{{{ {macro}() }}}}" for macro in macros)
            yield (
                path,
                f"---\nrender_macros: true\nhide: [toc]\n---\n# {title}\n\n{self._paragraph(2, 3)}\n\n{calls}\n",
            )

    def _settings(self) -> str:
        plan, extra = self.plan, self.project["extra"]
        expect = {
            "standard": len(plan.standards),
            "adr": len(plan.adrs),
            "runbook": len(plan.runbooks),
            "postmortem": len(plan.postmortems),
            "service": len(plan.services),
        }
        own = {
            "teams": {team: {"channel": f"#{team}"} for team in _WORDS["teams"]},
            "tags": _WORDS["tags"],
            "groups": extra["handbook"]["groups"],
            "expect": expect,
        }
        listed = [standard.path.removeprefix("docs/") for standard in plan.standards]
        nav = [
            {"Home": "index.md"},
            {"Standards": ["standards/index.md", *listed, "checklist.md"]},
            {"Decisions": ["adr/index.md"]},
            {"Runbooks": ["runbooks/index.md"]},
            {"Post-mortems": ["postmortems/index.md", "actions.md"]},
            {"Services": ["services/index.md"]},
            {"Reference": ["rules.md", "search.md"]},
        ]
        settings = {
            "site_name": "A generated handbook",
            "site_url": SITE_URL,
            "strict": True,
            "edit_uri_template": "https://git.example/handbook/edit/main/{path}",
            "nav": nav,
            "not_in_nav": "/services/*.md\n!/services/index.md\n",
            "exclude_docs": self.project["exclude_docs"],
            **{key: self.project[key] for key in _SETTINGS},
            "plugins": [_without_modules(plugin) for plugin in self.project["plugins"]],
            "extra": {"generator": False, "handbook": own, "policy": extra["policy"]},
        }
        return _yaml(settings)


PAGES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "docs/index.md": ("Home", ("home",)),
    "docs/standards/index.md": ("Standards", ("standards_index",)),
    "docs/checklist.md": ("Compliance checklist", ("checklist",)),
    "adr/index.md": ("Decisions", ("adr_index",)),
    "runbooks/index.md": ("Runbooks", ("runbook_catalog",)),
    "postmortems/index.md": ("Post-mortems", ("postmortem_archive",)),
    "docs/actions.md": ("Actions", ("actions",)),
    "docs/services/index.md": ("Services", ("services_index",)),
    "docs/rules.md": ("Rules", ("rules_reference",)),
    "docs/search.md": ("Everything, A to Z", ("everything",)),
}
"""The pages that call macros: path, title, and the macros."""


class _Quoted(str):
    """Text that YAML would take for a number if it were not quoted."""

    __slots__ = ()


def _flow(value: Any) -> str:
    """A value as an author writes it behind a key: lists and mappings on the same line, items of the checklist not."""
    if isinstance(value, _Quoted):
        return f'"{value}"'
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%MZ}"
    if isinstance(value, list):
        if value and isinstance(value[0], dict) and len(value[0]) > 3:
            return "".join(
                f"\n  {'-' if number == 0 else ' '} {key}: {_flow(each)}"
                for item in value
                for number, (key, each) in enumerate(item.items())
            )
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(each)}" for key, each in value.items()) + "}"
    text = str(value)
    return (
        f'"{text}"'
        if isinstance(value, str) and (": " in text or text[-1:] == "," or ", " in text)
        else text
    )


def _yaml(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=_WIDTH)


def _without_modules(plugin: Any) -> Any:
    """A plugin of the settings without the macros of this repository: the engine registers its own."""
    if isinstance(plugin, dict) and "macros" in plugin:
        return {
            "macros": {key: value for key, value in plugin["macros"].items() if key != "modules"}
        }
    return plugin


def _filled(text: str, indent: str = "", *, hang: bool = False) -> str:
    """Text filled into lines; with `hang` the first is not indented."""
    return textwrap.fill(
        " ".join(text.split()),
        _WIDTH,
        initial_indent="" if hang else indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _small(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")


def generate(root: Path, records: int, seed: int = 1, today: date = TODAY) -> None:
    """Write a handbook of `records` Markdown records (20 at least) below `root`, as of `today`."""
    for path, text in Author(records, seed, today).files():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; answers 2 where the folder holds something already."""
    parser = argparse.ArgumentParser(description="Write a valid handbook of any size.")
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="a folder that is empty or not there"
    )
    parser.add_argument(
        "--records", type=int, required=True, metavar="N", help="the number of Markdown records"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="S", help="another seed, other texts"
    )
    parser.add_argument("--today", type=date.fromisoformat, default=TODAY, metavar="YYYY-MM-DD")
    options = parser.parse_args(arguments)
    if options.folder.exists() and any(options.folder.iterdir()):
        print(f"{options.folder} is not empty", file=sys.stderr)
        return 2
    generate(options.folder, options.records, options.seed, options.today)
    return 0


if __name__ == "__main__":
    sys.exit(main())
