"""The rules: what is asked of a handbook, each a small generator with a permanent code.

A rule is a function from one subject (`over` says of which class: a record of a kind, any document, the whole handbook,
the base that it is compared with, or the finished site, where there is one) to its findings. Its docstring is its page:
what it asks, then `Why:`, `Bad:` and `Good:`, which the reference prints and the tests run. Severity is data: the
rule's own, or the organisation's in the settings.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from importlib import import_module
from typing import Final

from handbook.diagnostics import Diagnostic, Finding, Report, Severity
from handbook.handbook import Handbook
from handbook.history.base import Base
from handbook.reading.policy import as_written
from handbook.reading.problems import ProblemKind
from handbook.reading.suppressions import Suppression
from handbook.records import Entity
from handbook.rules.credentials import Credential, find_credentials
from handbook.settings import Settings
from handbook.site.built import Site
from handbook.site.origins import Origins

_FAMILIES: Final = (
    "front_matter",
    "markdown",
    "form",
    "standards",
    "decisions",
    "runbooks",
    "postmortems",
    "services",
    "references",
    "links",
    "safety",
    "changes",
    "published",
    "exceptions",
)


_FIRM_FAMILY: Final = "SAFE"
RETIRED: Final = frozenset(
    f"MD{number:03}" for number in (1, 3, 4, 5, 8, 9, 10, 11, 14, 15, 16, 17, 18, 19, 99)
)
"""The codes of rules that are gone (ADR-0021). No other rule gets one."""


@dataclass(frozen=True)
class Context:
    """What a rule may know beside its subject: the whole handbook, and the day that counts as today."""

    handbook: Handbook
    today: date
    base: Base | None = None
    site: Site | None = None
    useless: tuple[Suppression, ...] = ()
    """The suppressions that silenced nothing; known when all other rules have run."""

    @cached_property
    def credentials(self) -> tuple[Credential, ...]:
        """The texts that have the form of a credential."""
        return find_credentials(self.handbook)

    @cached_property
    def origins(self) -> Origins:
        """Where the faults of the finished site come from. Raises ValueError where there is no site."""
        if self.site is None:
            raise ValueError("no site has been read")
        return Origins(self.handbook, self.site)


Check = Callable[..., Iterator[Finding]]
"""A check takes its subject and, where it asks for it, the context."""


@dataclass(frozen=True, slots=True)
class RulePage:
    """What the reference says of a rule, and the tests run."""

    text: str
    """The rule's own description: what it asks."""
    why: str
    """What goes wrong without it."""
    bad: str
    """A piece of a handbook that breaks the rule, or the path of a file that does."""
    good: str
    """What stands there instead."""


def read_page(check: Check) -> RulePage:
    """Read the page of a rule from the docstring of its check: its text, then `Why:`, `Bad:` and `Good:`."""
    docstring = inspect.getdoc(check) or ""
    text, *parts = re.split(r"^(Why|Bad|Good):[ \n]", docstring, flags=re.MULTILINE)
    named = dict(zip(parts[::2], parts[1::2], strict=True))
    return RulePage(
        text.strip(),
        *(inspect.cleandoc("\n" + named[name]).strip("\n") for name in ("Why", "Bad", "Good")),
    )


@dataclass(frozen=True)
class Rule:
    """A rule with its permanent code. `requires` names rules whose finding in the same file silences this one there.

    A `firm` rule can be neither suppressed nor lowered. `reports` is the kind of problem of the reading that the rule
    reports; no other rule reports it.
    """

    code: str
    name: str
    over: type[Entity] | type[Handbook] | type[Base] | type[Site]
    severity: Severity
    requires: tuple[str, ...]
    check: Check
    firm: bool = False
    reports: ProblemKind | None = None
    own_page: RulePage | None = None
    """The page of a rule whose check has no docstring of its own."""

    def severity_in(self, settings: Settings) -> Severity:
        """The severity that the settings give the rule, else its own; a firm rule is never lowered."""
        severity = Severity(self._set_in(settings) or self.severity)
        return self.severity if self.firm and self.severity is Severity.ERROR else severity

    def is_lowered_by(self, settings: Settings) -> bool:
        """Whether the settings make a warning of the rule's errors, or would, if it were not firm."""
        return self.severity is Severity.ERROR and self._set_in(settings) == Severity.WARNING

    def _set_in(self, settings: Settings) -> str | None:
        """The severity that the settings give the rule."""
        return settings.organisation.rules.get(self.key_in(settings))

    def key_in(self, settings: Settings) -> str:
        """The word by which `handbook.rules` names the rule: its code, or its name."""
        return self.name if self.name in settings.organisation.rules else self.code

    def findings(self, subject: object, context: Context) -> Iterator[Finding]:
        """Run the check over one subject."""
        return self.check(subject, context) if self._needs_context else self.check(subject)

    @cached_property
    def _needs_context(self) -> bool:
        return "context" in inspect.signature(self.check).parameters

    @cached_property
    def page(self) -> RulePage:
        """What the reference says of the rule."""
        return self.own_page or read_page(self.check)

    @property
    def text(self) -> str:
        """The rule's own description: what it asks."""
        return self.page.text

    @property
    def why(self) -> str:
        """What goes wrong without it."""
        return self.page.why

    @property
    def bad(self) -> str:
        """A piece of a handbook that breaks the rule, or the path of a file that does."""
        return self.page.bad

    @property
    def good(self) -> str:
        """What stands there instead."""
        return self.page.good


_registered: dict[str, Rule] = {}


def rule(
    code: str,
    name: str,
    *,
    over: type[Entity] | type[Handbook] | type[Base] | type[Site],
    severity: Severity = Severity.ERROR,
    requires: tuple[str, ...] = (),
    firm: bool = False,
    reports: ProblemKind | None = None,
    page: RulePage | None = None,
) -> Callable[[Check], Check]:
    """Register a check as a rule; all of the family SAFE are firm. Its page is its docstring unless given.

    Raises ValueError for a code that is taken, for a required one that comes later, and where an error would be
    silenced by a warning: what a warning says may hang on the day, and errors may not.
    """

    def register(check: Check) -> Check:
        if code in _registered or code in RETIRED or not set(requires) <= set(_registered):
            raise ValueError(f"{code} is taken, or requires a rule that is not yet there")
        if severity is Severity.ERROR and any(
            _registered[each].severity is not severity for each in requires
        ):
            raise ValueError(f"{code} is an error and requires a warning")
        is_firm = firm or code.startswith(_FIRM_FAMILY)
        _registered[code] = Rule(
            code, name, over, severity, requires, check, is_firm, reports, page
        )
        return check

    return register


def rules() -> Mapping[str, Rule]:
    """Every rule by its code, in the order in which they run."""
    for family in _FAMILIES:
        import_module(f"handbook.rules.{family}")
    return _registered


def find_rule(word: str) -> Rule | None:
    """The rule with a code or a name; None where there is none."""
    return rules().get(word) or next((rule for rule in rules().values() if rule.name == word), None)


def run(
    handbook: Handbook,
    today: date,
    *,
    base: Base | None = None,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
) -> Report:
    """Run every rule, and report every finding, sorted by place and code. Without a `base`, no rule over one runs.

    `select` and `ignore` are codes or beginnings of codes; both narrow what is reported, not what is run. Where the
    settings cannot be read nothing else is reported: everything would follow from it.
    """
    others = [each for each in rules().values() if not _judges_suppressions(each)]
    context = Context(handbook, today, base)
    found = _found(others, context)
    kept, useless = _suppressed(found, handbook)
    suppressed = len(found) - len(kept)
    if handbook.settings.readable:
        kept += _found(
            filter(_judges_suppressions, rules().values()), replace(context, useless=useless)
        )
    select, ignore = tuple(select), tuple(ignore)
    reported = [
        diagnostic
        for diagnostic in kept
        if (not select or diagnostic.code.startswith(select))
        and not (ignore and diagnostic.code.startswith(ignore))
    ]
    return make_report(handbook.counts, handbook.settings, reported, suppressed)


def make_report(
    records: Mapping[str, int],
    settings: Settings,
    findings: Iterable[Diagnostic] = (),
    suppressed: int = 0,
) -> Report:
    """Make the report of a run: its findings, sorted, and every exception that is made.

    `suppressed` is the number of findings that were silenced; samples and lowered severities are those of the settings.
    """
    lowered = sum(not rule.firm and rule.is_lowered_by(settings) for rule in rules().values())
    in_order = sorted(findings, key=lambda finding: (finding.at, finding.code, finding.message))
    return Report(records, tuple(in_order), suppressed, len(settings.organisation.samples), lowered)


def run_on_site(site: Site, handbook: Handbook, today: date) -> Report:
    """Run the rules over a finished site alone; `handbook` is what it was built from. Sorted as that of `run`."""
    over_site = [each for each in rules().values() if each.over is Site]
    found = _found(over_site, Context(handbook, today, site=site))
    kept, _ = _suppressed(found, handbook)
    return make_report(site.counts, handbook.settings, kept, len(found) - len(kept))


def _judges_suppressions(each: Rule) -> bool:
    return each.check.__module__.endswith(".exceptions")


def _found(wanted: Iterable[Rule], context: Context) -> list[Diagnostic]:
    """What rules find, each silenced in a file where a rule that it requires has spoken."""
    handbook = context.handbook
    fired: set[tuple[str, str]] = set()
    found: list[Diagnostic] = []
    for each in wanted:
        severity = each.severity_in(handbook.settings)
        for finding in _findings(each, context):
            if any((code, finding.at.path) in fired for code in each.requires):
                continue
            fired.add((each.code, finding.at.path))
            found.append(_diagnostic(each, severity, finding, handbook))
        if not handbook.settings.readable and found:
            break
    return found


def _diagnostic(rule: Rule, severity: Severity, finding: Finding, handbook: Handbook) -> Diagnostic:
    """The finding of a rule, at its place in the file as it was written."""
    at, fix = finding.at, finding.fix
    document = handbook.documents.get(at.path)
    if document and document.source.replacements:
        at = as_written(at, document.source.replacements)
        fix = replace(fix, at=as_written(fix.at, document.source.replacements)) if fix else None
    return Diagnostic(at, rule.code, rule.name, severity, finding.message, finding.hint, fix)


def _suppressed(
    found: Iterable[Diagnostic], handbook: Handbook
) -> tuple[list[Diagnostic], tuple[Suppression, ...]]:
    """The findings that no suppression silences, and the suppressions that silence none. Firm rules have none.

    One for a rule over a base silences nothing any more once it is in the base itself, and may stay; so may one for a
    rule over the finished site, which the gate does not see.
    """
    allowed: dict[tuple[str, int, str], Suppression] = {}
    for suppression in handbook.suppressions:
        rule = find_rule(suppression.rule) if suppression.rule else None
        if suppression.rule and not (rule and rule.firm):
            allowed[
                suppression.at.path, suppression.line, rule.code if rule else suppression.rule
            ] = suppression
    used = {(each.at.path, each.at.line, each.code) for each in found}
    kept = [each for each in found if (each.at.path, each.at.line, each.code) not in allowed]
    kept_for = {each.code for each in rules().values() if issubclass(each.over, Base | Site)}
    useless = (place for place in allowed if place not in used and place[2] not in kept_for)
    return kept, tuple(allowed[place] for place in useless)


def _findings(each: Rule, context: Context) -> Iterator[Finding]:
    handbook = context.handbook
    if issubclass(each.over, Base):
        if context.base:
            yield from each.findings(context.base, context)
        return
    if issubclass(each.over, Site):
        if context.site:
            yield from each.findings(context.site, context)
        return
    if issubclass(each.over, Handbook):
        yield from each.findings(handbook, context)
        return
    for entity in handbook.of(each.over):
        yield from each.findings(entity, context)
