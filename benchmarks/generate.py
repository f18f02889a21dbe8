"""Write a valid handbook of any size: `python benchmarks/generate.py DIR --records N`.

N is the number of Markdown records: decisions, runbooks, post-mortems, services and standards.
Alerts and audits are not part of this number. The script first plans the references, so that both
sides of a reference agree, and then writes the texts. The same seed and day give the same files.

With `--messy`, the runbooks have real shell code (loops, variables, here-documents) and more
tables, and the decisions are twice as long.

The plugins and other settings come from this project, so that the benchmarks build the handbook as
our site is built. The teams, tags and numbers of records are generated.
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
"""Share of each kind in the records. There are at most 13 standards. All others are decisions."""

_BASE: Final[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "settings.yml").read_text(encoding="utf-8")
)
"""The settings that all generated handbooks share."""
_WORDS: Final[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "words.yml").read_text(encoding="utf-8")
)
_TOPIC_KINDS: Final = ("subjects", "objects", "conditions", "closings")
"""Kinds of phrases. Each record uses only a few phrases of each kind, so that it has a topic."""

_WIDTH: Final = 120
_QUIET_DAYS: Final = 30
"""Minimum age in days of a record that is not a draft, so that none of its dates is after today."""


@dataclass
class Entry:
    """Planned record, before its text is written: path, title, id, front matter and anchors."""

    path: str
    title: str
    id: str = ""
    owner: str = ""
    day: date = TODAY
    anchors: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the file without `.md`."""
        return PurePosixPath(self.path).stem


@dataclass
class Plan:
    """All planned records of a handbook, by kind, with the references in their front matter."""

    standards: list[Entry]
    services: list[Entry]
    adrs: list[Entry]
    runbooks: list[Entry]
    postmortems: list[Entry]

    def list_accepted(self) -> list[Entry]:
        """Return the accepted decisions."""
        return [adr for adr in self.adrs if adr.facts["status"] == "accepted"]


class Author:
    """Writer of a handbook. Its random choices depend only on the seed."""

    def __init__(self, records: int, seed: int, today: date, *, messy: bool = False) -> None:
        self.records = max(records, 20)
        self.random = random.Random(seed)  # noqa: S311 - not used for secrets
        self.today = today
        self.messy = messy
        self.topic: dict[str, list[str]] = {kind: _WORDS[kind] for kind in _TOPIC_KINDS}
        self.severities = list(_BASE["extra"]["policy"]["severities"])
        self.plan = self._make_plan()

    # Records and their references.

    def _make_plan(self) -> Plan:
        numbers = {kind: max(2, round(share * self.records)) for kind, share in SHARES.items()}
        standards = self._plan_standards(min(len(_WORDS["standards"]), max(2, self.records // 20)))
        services = self._plan_services(numbers["service"])
        adrs = self._plan_adrs(
            self.records - sum(numbers.values()) - len(standards), services, standards
        )
        runbooks = self._plan_runbooks(numbers["runbook"], services)
        plan = Plan(standards, services, adrs, runbooks, [])
        plan.postmortems = self._plan_postmortems(numbers["postmortem"], plan)
        return plan

    def _sample(self, values: Sequence[Any], least: int, most: int) -> list[Any]:
        most = min(most, len(values))
        return self.random.sample(values, self.random.randint(min(least, most), most))

    def _choose_day(self, least: int, most: int) -> date:
        """Return a random day that is at least `least` and at most `most` days before today."""
        return self.today - timedelta(days=self.random.randint(least, most))

    def _choose_team(self) -> str:
        return str(self.random.choice(_WORDS["teams"]))

    def _plan_standards(self, number: int) -> list[Entry]:
        groups = list(_BASE["extra"]["handbook"]["groups"])
        standards = []
        for index, title in enumerate(islice(_WORDS["standards"], number)):
            group, first = groups[index % len(groups)], 3 * (index // len(groups)) + 1
            verify = ("automated", "evidence", "attested")
            items = [
                {
                    "id": f"{group}-{first + number:02}",
                    "item": self._write_sentence().rstrip("."),
                    "verify": verify[number],
                    "since": f"{self.today.year - 2}-Q1",
                }
                for number in range(3)
            ]
            facts: dict[str, Any] = {
                "summary": self._write_sentence(),
                "core_tools": self._sample(
                    ["git", "make", "pytest", "Prometheus", "Kubernetes", "PostgreSQL"], 1, 3
                ),
                "prevents": self._write_sentence().rstrip("."),
                "calms": self._sample(
                    ["culture", "automation", "lean", "measurement", "sharing"], 1, 3
                ),
                "owner": self._choose_team(),
                "reviewed": self._choose_day(10, 300),
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
            entry = Entry(path, title, id, facts["owner"], facts["reviewed"], anchors, facts)
            standards.append(entry)
        return standards

    def _plan_services(self, number: int) -> list[Entry]:
        names = [f"{domain}-{role}" for domain, role in product(_WORDS["domains"], _WORDS["roles"])]
        self.random.shuffle(names)
        services: list[Entry] = []
        for index in range(number):
            name = names[index % len(names)] + (
                f"-{index // len(names) + 1}" if index >= len(names) else ""
            )
            owner, tier = self._choose_team(), self.random.randint(1, 4)
            facts = {
                "owner": owner,
                "tier": tier,
                "repository": f"https://git.example/{name}",
                "on_call": f"https://rota.example/{owner}",
                "dashboards": {"Overview": f"https://grafana.example/d/{name}"},
                "slos": [{"name": "availability", "objective": 99.9, "window": "30d"}],
                "depends_on": [service.name for service in self._sample(services, 0, 3)],
                "tags": self._sample(_WORDS["tags"], 0, 2),
            }
            title = name.replace("-", " ").capitalize()
            path = f"docs/services/{name}.md"
            services.append(Entry(path, title, name, owner, self.today, (), facts))
        return services

    def _plan_adrs(self, number: int, services: list[Entry], standards: list[Entry]) -> list[Entry]:
        adrs: list[Entry] = []
        for index in range(number):
            # The dates rise evenly over five years, because a later decision has a higher number.
            day = self.today - timedelta(days=_QUIET_DAYS + 1800 * (number - index) // number)
            technology = self.random.choice(_WORDS["technologies"])
            title = f"Use {technology} for {self.random.choice(_WORDS['purposes'])}"
            status = self.random.choices(
                ["accepted", "proposed", "rejected", "deprecated"], [80, 8, 6, 6]
            )[0]
            facts: dict[str, Any] = {"status": status, "date": day}
            if status != "proposed":
                facts["deciders"] = sorted(self._sample(_WORDS["teams"], 1, 3))
                facts["history"] = [
                    {"status": "proposed", "date": day - timedelta(days=self.random.randint(3, 20))}
                ]
            if status == "deprecated":
                facts["history"].append({"status": "accepted", "date": day - timedelta(days=1)})
            if status == "accepted":
                facts["review_by"] = self.today + timedelta(days=self.random.randint(200, 700))
                accepted = [adr for adr in adrs[-60:] if adr.facts["status"] == "accepted"]
                if accepted and self.random.random() < 0.15:
                    self._supersede(self.random.choice(accepted), f"ADR-{index + 1:04}", facts)
                elif accepted and self.random.random() < 0.1:
                    facts["amends"] = [self.random.choice(accepted).id]
            facts["services"] = sorted(service.name for service in self._sample(services, 0, 3))
            facts["standards"] = sorted(standard.id for standard in self._sample(standards, 0, 2))
            facts["tags"] = sorted(self._sample(_WORDS["tags"], 0, 3))
            owner = facts.get("deciders", [self._choose_team()])[0]
            path = f"adr/{index + 1:04}-{slug(title, '-')}.md"
            anchors = ("context", "decision", "alternatives-considered", "consequences")
            adrs.append(Entry(path, title, f"ADR-{index + 1:04}", owner, day, anchors, facts))
        superseded = {adr.id for adr in adrs if adr.facts["status"] == "superseded"}
        for adr in adrs:
            # A decision cannot amend a superseded decision.
            if superseded & set(adr.facts.get("amends", ())):
                del adr.facts["amends"]
        return adrs

    def _supersede(self, old: Entry, id: str, facts: dict[str, Any]) -> None:
        facts["supersedes"] = [old.id]
        old.facts["history"].append({"status": "accepted", "date": old.facts["date"]})
        old.facts |= {"status": "superseded", "date": facts["date"], "superseded_by": [id]}
        del old.facts["review_by"]

    def _plan_runbooks(self, number: int, services: list[Entry]) -> list[Entry]:
        runbooks = []
        pairs = list(product(_WORDS["symptoms"], services))
        # Each pair is used only once. The services alternate, so that each service gets runbooks.
        for symptom, service in islice(self._shuffle_groups(pairs, len(services)), number):
            causes = self._sample(_WORDS["causes"], 3, 5)
            camel = "".join(
                segment.capitalize()
                for segment in f"{service.name} {symptom}".replace("-", " ").split()
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
                "reviewed": self._choose_day(1, 60),
                "tags": sorted(self._sample(_WORDS["tags"], 0, 2)),
            }
            if self.random.random() < 0.6:
                facts["exercised"] = self._choose_day(1, 150)
            id = f"{service.name}/{slug(symptom, '-')}"
            title = f"{service.title}: {symptom}"
            anchors = tuple(slug(cause, "-") for cause in causes)
            facts["_causes"] = causes
            path = f"runbooks/{id}.md"
            runbooks.append(
                Entry(path, title, id, service.owner, facts["reviewed"], anchors, facts)
            )
        return runbooks

    def _shuffle_groups(self, pairs: list[Any], size: int) -> Iterator[Any]:
        """Split the pairs into groups of `size`, shuffle each group, and yield all pairs."""
        for first in range(0, len(pairs), size):
            group = pairs[first : first + size]
            self.random.shuffle(group)
            yield from group

    def _plan_postmortems(self, number: int, plan: Plan) -> list[Entry]:
        postmortems: dict[str, Entry] = {}
        while len(postmortems) < number:
            runbook = self.random.choice(plan.runbooks)
            service = runbook.id.split("/")[0]
            draft = len(postmortems) % 50 == 49
            day = self.today - timedelta(days=1) if draft else self._choose_day(_QUIET_DAYS, 1500)
            path = f"postmortems/{day}-{runbook.id.replace('/', '-')}.md"
            if path in postmortems:
                continue
            started = datetime(
                day.year, day.month, day.day, self.random.randint(1, 14), self.random.randint(0, 59)
            )
            times = [started + timedelta(minutes=minutes) for minutes in self._choose_minutes()]
            affected = (entry.name for entry in self._sample(plan.services, 0, 2))
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
                "services": sorted({service, *affected}),
                "alerts": runbook.facts.get("alerts", []),
                "authors": [runbook.owner],
                "reviewers": sorted(
                    self._sample([team for team in _WORDS["teams"] if team != runbook.owner], 1, 2)
                ),
                "runbooks": [runbook.id],
                "adrs": sorted(adr.id for adr in self._sample(plan.list_accepted(), 0, 2)),
                "tags": sorted(self._sample(_WORDS["tags"], 0, 3)),
            }
            if not draft:
                facts["published"] = day + timedelta(days=self.random.randint(2, 6))
            symptom = runbook.title.split(": ")[1]
            title = f"{symptom.capitalize()} of the {runbook.title.split(':')[0].lower()}"
            anchors = ("impact", "root-cause", "action-items", "lessons-learned")
            postmortems[path] = Entry(
                path, title, PurePosixPath(path).stem, runbook.owner, day, anchors, facts
            )
        return [postmortems[path] for path in sorted(postmortems)]

    def _choose_minutes(self) -> list[int]:
        """Return the minutes from the start of an incident to each of its five times."""
        steps = [0, self.random.randint(1, 10), self.random.randint(1, 10)]
        steps += [self.random.randint(10, 60), self.random.randint(5, 120)]
        return [sum(steps[: number + 1]) for number in range(5)]

    # Texts.

    def _write_sentence(self, mention: str = "") -> str:
        pick = self.random.choice
        topic = self.topic
        phrases = [pick(topic["subjects"]), pick(_WORDS["verbs"]), pick(topic["objects"])]
        if self.random.random() < 0.8:
            phrases.append(pick(topic["conditions"]))
        text = " ".join(phrases)
        if mention:
            text += f", as {mention} says" if self.random.random() < 0.6 else f" (see {mention})"
        elif self.random.random() < 0.5:
            text += f", {pick(topic['closings'])}"
        if self.random.random() < 0.2:
            number = self.random.randint(2, 900)
            text += f": {number} {pick(['ms', 'requests a second', 'MB', 'rows', 'minutes'])}"
        return f"{text}."

    def _write_paragraph(
        self, least: int, most: int, mentions: Iterable[str] = (), indent: str = ""
    ) -> str:
        """Return a wrapped paragraph of `least` to `most` sentences.

        `mentions` holds ids and links, each of which appears in a different sentence.
        """
        mentions = list(mentions)
        number = max(self.random.randint(least, most), len(mentions))
        positions = self.random.sample(range(number), len(mentions))
        by_position = dict(zip(positions, mentions, strict=True))
        sentences = (self._write_sentence(by_position.get(index, "")) for index in range(number))
        return _wrap(" ".join(sentences), indent)

    def _write_listing(self, name: str, indent: str = "") -> str:
        language = self.random.choice(list(_WORDS["listings"]))
        values = {
            "name": name,
            "place": self.random.choice(["production", "staging"]),
            "table": name.replace("-", "_"),
        }
        lines = [
            line.format(**values, number=self.random.randint(2, 60))
            for line in self._sample(_WORDS["listings"][language], 1, 3)
        ]
        return textwrap.indent("\n".join((f"```{language}", *lines, "```")), indent)

    def _write_scripts(self, name: str, number: int, indent: str = "") -> str:
        """Return different shell scripts, each in its own block."""
        scripts = self._sample(_WORDS["scripts"], number, number)
        blocks = (f"```bash\n{script.replace('%name', name)}```" for script in scripts)
        return textwrap.indent("\n\n".join(blocks), indent)

    def _write_message(self, name: str) -> str:
        return str(self.random.choice(_WORDS["messages"])).format(
            name=name, number=self.random.randint(2, 900)
        )

    def _write_table(self) -> str:
        rows = [
            f"| {purpose.capitalize()} | {self.random.randint(1, 900)} ms "
            f"| {self.random.randint(1, 99)}% |"
            for purpose in self._sample(
                [purpose.removeprefix("the ") for purpose in _WORDS["purposes"]], 3, 6
            )
        ]
        return "\n".join(("| Measured | p99 | Share |", "|---|---|---|", *rows))

    def _make_links(self, entry: Entry, number: int) -> list[str]:
        """Return up to `number` references to other records: ids, or links in Markdown."""
        plan = self.plan
        # A superseded decision may be cited only by its successor.
        adrs = [adr for adr in plan.adrs if adr.facts["status"] != "superseded"]
        kinds = [adrs, adrs, plan.runbooks, plan.postmortems, plan.standards, plan.services]
        links = []
        for _ in range(number):
            target = self.random.choice(self.random.choice(kinds))
            if target is entry:
                continue
            if target.id.startswith(("ADR-", "STD-")) and self.random.random() < 0.6:
                is_rule = target.id.startswith("STD-") and self.random.random() < 0.5
                links.append(f"{target.id}.1" if is_rule else target.id)
                continue
            has_anchor = target.anchors and self.random.random() < 0.3
            anchor = f"#{self.random.choice(target.anchors)}" if has_anchor else ""
            address = relpath(target.path, PurePosixPath(entry.path).parent.as_posix())
            links.append(f"[{target.title}]({address}{anchor})")
        if self.random.random() < 0.3:
            links.append(
                self.random.choice(self.random.choice(plan.standards).facts["checklist"])["id"]
            )
        return links

    # Records.

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield the path and the text of every file of the handbook."""
        yield "mkdocs.yml", self._write_settings()
        yield from self._write_pages()
        yield "docs/standards/samples/settings.yml", "limits:\n  attempts: 3\n  timeout: 5s\n"
        for standard in self.plan.standards:
            yield standard.path, self._write_standard(standard)
        for service in self.plan.services:
            yield service.path, self._write_service(service)
            yield from self._write_audits(service)
        for adr in self.plan.adrs:
            yield adr.path, self._write_adr(adr)
        for runbook in self.plan.runbooks:
            yield runbook.path, self._write_runbook(runbook)
        yield from self._write_rule_files()
        for postmortem in self.plan.postmortems:
            yield postmortem.path, self._write_postmortem(postmortem)

    def _write_record(self, entry: Entry, blocks: Iterable[str]) -> str:
        keys = {
            key: value
            for key, value in entry.facts.items()
            if not key.startswith("_") and value != []
        }
        keys |= {"checklist": entry.facts["checklist"]} if "checklist" in entry.facts else {}
        head = "".join(f"{key}: {_format_value(value)}\n" for key, value in keys.items())
        # The next record gets another topic.
        self.topic = {kind: self._sample(_WORDS[kind], 4, 4) for kind in _TOPIC_KINDS}
        return f"---\n{head}---\n# {entry.title}\n\n" + "\n\n".join(blocks) + "\n"

    def _write_adr(self, adr: Entry) -> str:
        links = self._make_links(adr, 5)
        alternatives = self._sample(_WORDS["alternatives"], 2, 4)
        details = (
            block
            for _ in range(6 if self.messy else 0)
            for block in (self._write_paragraph(5, 8), self._write_table())
        )
        return self._write_record(
            adr,
            [
                "## Context",
                self._write_paragraph(4, 7, links[:2]),
                self._write_paragraph(4, 6),
                self._write_table(),
                *details,
                "## Decision",
                self._write_paragraph(4, 6, links[2:3]),
                self._write_listing(adr.name[5:30].strip("-")),
                "## Alternatives considered",
                "\n".join(
                    _wrap(f"- {alternative}: {self._write_paragraph(3, 5)}", "    ", hang=True)
                    for alternative in alternatives
                ),
                "## Measured",
                self._write_paragraph(4, 6, links[3:4]),
                self._write_listing(adr.name[5:30].strip("-")),
                "## Consequences",
                "\n".join(
                    _wrap(
                        f"- {kind}: {self._write_sentence()} {self._write_sentence()}",
                        "    ",
                        hang=True,
                    )
                    for kind in ("Good", "Good", "Bad", "Bad")
                ),
                self._write_paragraph(3, 5, links[4:]),
            ],
        )

    def _write_runbook(self, runbook: Entry) -> str:
        links = self._make_links(runbook, 4)
        service = runbook.id.split("/")[0]
        service_link = f"[the service](../../docs/services/{service}.md)"
        steps = (
            f"{number}. "
            + _wrap(f"{self._write_sentence()} {self._write_sentence()}", "    ", hang=True)
            + f"\n\n{self._write_step(service)}"
            for number in range(1, 6)
        )
        blocks = [
            "## When to use this runbook",
            self._write_paragraph(4, 6, [service_link, *links[:1]]),
            "## Diagnosis steps",
            "\n\n".join(steps),
            "## Common causes and fixes",
            self._write_paragraph(2, 3, links[1:2]),
        ]
        for cause in runbook.facts["_causes"]:
            blocks += [
                f"### {cause}",
                f"**Symptom:** `{self._write_message(service)}`\n{self._write_paragraph(2, 3)}",
                _wrap(f"**Fix:** {self._write_paragraph(2, 4)}"),
                self._write_scripts(service, 1) if self.messy else self._write_listing(service),
            ]
        tiers = (
            "Engineer on call",
            f"Owner of the service, `@{runbook.owner}`",
            "Director of engineering",
        )
        blocks += [
            "## Escalation",
            self._write_paragraph(1, 2, links[2:]),
            "\n".join(
                f"- Tier {tier} ({15 * tier} min): {person}" for tier, person in enumerate(tiers, 1)
            ),
        ]
        return self._write_record(runbook, blocks)

    def _write_step(self, service: str) -> str:
        """Return what follows the text of a step: a listing, or two scripts and a table."""
        indent = "    "
        if not self.messy:
            return self._write_listing(service, indent)
        table = textwrap.indent(self._write_table(), indent)
        return f"{self._write_scripts(service, 2, indent)}\n\n{table}"

    def _write_postmortem(self, postmortem: Entry) -> str:
        links = self._make_links(postmortem, 5)
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
        return self._write_record(
            postmortem,
            [
                "## Impact",
                self._write_paragraph(4, 6, links[:1]),
                self._write_table(),
                "## Timeline",
                "\n".join(
                    _wrap(
                        f"- {moment:%H:%M} — {_make_clause(self._write_sentence())}",
                        "    ",
                        hang=True,
                    )
                    for moment in moments
                ),
                "## Root cause",
                self._write_paragraph(4, 7, [runbook, *links[1:3]]),
                self._write_listing(facts["services"][0]),
                self._write_paragraph(5, 7),
                "## What went well",
                "\n".join(
                    _wrap(f"- {self._write_sentence()} {self._write_sentence()}", "    ", hang=True)
                    for _ in range(4)
                ),
                "## What went wrong",
                "\n".join(
                    _wrap(f"- {self._write_sentence()} {self._write_sentence()}", "    ", hang=True)
                    for _ in range(5)
                ),
                self._write_paragraph(3, 5, links[3:]),
                "## Action items",
                "\n".join(
                    (
                        "| Id | Action | Owner | Due | Status |",
                        "|---|---|---|---|---|",
                        *self._write_actions(postmortem),
                    )
                ),
                "## Lessons learned",
                "\n".join(
                    _wrap(f"- {self._write_sentence()}", "    ", hang=True) for _ in range(4)
                ),
            ],
        )

    def _write_actions(self, postmortem: Entry) -> Iterator[str]:
        for number in range(1, self.random.randint(3, 7)):
            due = postmortem.day + timedelta(days=self.random.randint(7, 60))
            status = "dropped" if self.random.random() < 0.1 else f"done {min(due, self.today)}"
            if postmortem.day > self.today - timedelta(days=200) and self.random.random() < 0.5:
                due, status = self.today + timedelta(days=self.random.randint(1, 90)), "open"
            action = self._write_sentence().rstrip(".")
            yield f"| A{number} | {action} | {self._choose_team()} | {due} | {status} |"

    def _write_service(self, service: Entry) -> str:
        links = self._make_links(service, 4)
        return self._write_record(
            service,
            [
                self._write_paragraph(5, 7, links[:1]),
                "## What it keeps",
                self._write_paragraph(4, 7, links[1:2]),
                self._write_table(),
                "## How it runs",
                self._write_paragraph(4, 7, links[2:3]),
                self._write_listing(service.name),
                self._write_paragraph(4, 6),
                "## Limits",
                "\n".join(
                    _wrap(f"- {self._write_sentence()} {self._write_sentence()}", "    ", hang=True)
                    for _ in range(6)
                ),
                self._write_paragraph(4, 7, links[3:]),
            ],
        )

    def _write_standard(self, standard: Entry) -> str:
        links = self._make_links(standard, 6)
        rules = (
            f"- **{standard.id}.{number}** "
            + _wrap(f"{self._write_sentence()} It MUST hold.", "    ", hang=True)
            + "\n    - Verified by: human review"
            for number in range(1, 7)
        )
        blocks = [
            "## Why it matters",
            self._write_paragraph(4, 6, links[:2]),
            "## What it requires",
            "\n".join(rules),
            "## How to implement it",
            self._write_paragraph(4, 6, links[2:4]),
            '```yaml\n--8<-- "settings.yml"\n```',
            self._write_table(),
            self._write_paragraph(4, 6),
            "## How to verify it",
            self._write_paragraph(2, 3),
        ]
        for item in standard.facts["checklist"]:
            blocks += [
                f"### {item['id']} {self.random.choice(_WORDS['causes'])}",
                self._write_paragraph(3, 5),
            ]
        blocks += ["## When to deviate", self._write_paragraph(4, 6, links[4:])]
        return self._write_record(standard, blocks)

    def _write_audits(self, service: Entry) -> Iterator[tuple[str, str]]:
        """Yield the audits of a service for the last two quarters. A third of services has none."""
        if self.random.random() < 1 / 3:
            return
        last = self.today.replace(day=1, month=3 * ((self.today.month - 1) // 3) + 1)
        for _ in range(2):
            last = (last - timedelta(days=1)).replace(day=20)
            quarter = f"{last.year}-Q{(last.month + 2) // 3}"
            results = "".join(
                f"  {item['id']}: {_format_value(self._make_result(item))}\n"
                for standard in self.plan.standards
                for item in standard.facts["checklist"]
            )
            head = f"date: {last}\nauditor: {self._choose_team()}\n"
            head += f"commit: {self.random.getrandbits(28):07x}\n"
            yield f"docs/services/{service.name}/{quarter}.yml", f"{head}results:\n{results}"
            last = last.replace(day=1, month=3 * ((last.month - 1) // 3) + 1)

    def _make_result(self, item: Mapping[str, str]) -> dict[str, Any]:
        verdict = self.random.choices(
            ["pass", "fail", "unknown", "not-applicable", "waived"], [70, 10, 8, 7, 5]
        )[0]
        match verdict:
            case "unknown":
                return {"verdict": verdict, "needs": "the figures of the quarter"}
            case "not-applicable":
                return {"verdict": verdict, "reason": "a batch job"}
            case "waived":
                adr = self.random.choice(self.plan.list_accepted()).id
                return {"verdict": verdict, "adr": adr, "until": self.today + timedelta(days=200)}
        if item["verify"] == "attested":
            of = _Quoted(hashlib.sha256(item["item"].encode()).hexdigest()[:6])
            return {"verdict": verdict, "by": "attested", "who": self._choose_team(), "of": of}
        return {
            "verdict": verdict,
            "by": "evidence",
            "evidence": f"https://metrics.example/{self.random.randint(1, 300)}",
        }

    def _choose_alert_severity(self, runbook: Entry) -> str:
        """Return the severity of an alert. An alert does not page for the lowest severity."""
        severity = str(self.random.choice(["page", "ticket"]))
        return "ticket" if runbook.facts["severity"] == self.severities[-1] else severity

    def _write_rule_files(self) -> Iterator[tuple[str, str]]:
        """Yield the rule file of each service whose runbooks list alerts."""
        alerts: dict[str, list[tuple[str, Entry]]] = {}
        for runbook in self.plan.runbooks:
            for name in runbook.facts.get("alerts", []):
                alerts.setdefault(runbook.id.split("/")[0], []).append((name, runbook))
        for service, alerts_of_service in alerts.items():
            series = service.replace("-", "_")
            rows = [
                {
                    "alert": name,
                    "expr": f"sum(rate({series}_requests_total{{code=~'5..'}}[5m]))"
                    f" > {self.random.randint(1, 99)}",
                    "for": f"{self.random.randint(1, 15)}m",
                    "labels": {"severity": self._choose_alert_severity(runbook)},
                    "annotations": {
                        "summary": runbook.title,
                        "runbook_url": f"{SITE_URL}alerts/{name}/",
                    },
                }
                for name, runbook in alerts_of_service
            ]
            yield (
                f"runbooks/{service}/{service}.rules.yml",
                _dump_yaml({"groups": [{"name": service, "rules": rows}]}),
            )

    # Pages and settings.

    def _write_pages(self) -> Iterator[tuple[str, str]]:
        for path, (title, macros) in PAGES.items():
            calls = "\n\n".join(f"{{{{ {macro}() }}}}" for macro in macros)
            head = "---\nrender_macros: true\nhide: [toc]\n---\n"
            yield path, f"{head}# {title}\n\n{self._write_paragraph(2, 3)}\n\n{calls}\n"

    def _write_settings(self) -> str:
        plan, extra = self.plan, _BASE["extra"]
        expect = {
            "standard": len(plan.standards),
            "adr": len(plan.adrs),
            "runbook": len(plan.runbooks),
            "postmortem": len(plan.postmortems),
            "service": len(plan.services),
        }
        organisation = {
            "teams": {team: {"channel": f"#{team}"} for team in _WORDS["teams"]},
            "tags": _WORDS["tags"],
            "groups": extra["handbook"]["groups"],
            "expect": expect,
        }
        standards = [standard.path.removeprefix("docs/") for standard in plan.standards]
        nav = [
            {"Home": "index.md"},
            {"Standards": ["standards/index.md", *standards, "checklist.md"]},
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
            **{key: value for key, value in _BASE.items() if key != "extra"},
            "extra": {"generator": False, "handbook": organisation, "policy": extra["policy"]},
        }
        return _dump_yaml(settings)


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
"""Title and macros of each page that is not a record, by its path."""


class _Quoted(str):
    """Text that is written in quotes, because YAML could read it as a number."""

    __slots__ = ()


def _format_value(value: Any) -> str:
    """Return a value as YAML on one line. Only checklist items take several lines."""
    if isinstance(value, _Quoted):
        return f'"{value}"'
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%MZ}"
    if isinstance(value, list):
        if value and isinstance(value[0], dict) and len(value[0]) > 3:
            return "".join(
                f"\n  {'-' if number == 0 else ' '} {key}: {_format_value(field_value)}"
                for item in value
                for number, (key, field_value) in enumerate(item.items())
            )
        return f"[{', '.join(map(_format_value, value))}]"
    if isinstance(value, dict):
        pairs = (f"{key}: {_format_value(field_value)}" for key, field_value in value.items())
        return "{" + ", ".join(pairs) + "}"
    text = str(value)
    return (
        f'"{text}"'
        if isinstance(value, str) and (": " in text or text[-1:] == "," or ", " in text)
        else text
    )


def _dump_yaml(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=_WIDTH)


def _wrap(text: str, indent: str = "", *, hang: bool = False) -> str:
    """Wrap text into indented lines. With `hang`, the first line is not indented."""
    return textwrap.fill(
        " ".join(text.split()),
        _WIDTH,
        initial_indent="" if hang else indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _make_clause(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")


def generate(
    root: Path, records: int, seed: int = 1, today: date = TODAY, *, messy: bool = False
) -> None:
    """Write a handbook with this number of records (at least 20) below `root`."""
    for path, text in Author(records, seed, today, messy=messy).files():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns 2 if the folder is not empty."""
    parser = argparse.ArgumentParser(description="Write a valid handbook of any size.")
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="the folder to write: new or empty"
    )
    parser.add_argument(
        "--records", type=int, required=True, metavar="N", help="the number of Markdown records"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="S", help="the seed of the random texts"
    )
    parser.add_argument("--today", type=date.fromisoformat, default=TODAY, metavar="YYYY-MM-DD")
    parser.add_argument(
        "--messy", action="store_true", help="write real shell code, more tables and longer texts"
    )
    options = parser.parse_args(arguments)
    if options.folder.exists() and any(options.folder.iterdir()):
        print(f"{options.folder} is not empty", file=sys.stderr)
        return 2
    generate(options.folder, options.records, options.seed, options.today, messy=options.messy)
    return 0


if __name__ == "__main__":
    sys.exit(main())
