"""Register the rules and run them.

The check of a rule is a generator function that takes one subject and yields findings. `over` is
the class of the subject: a kind of record, any document, the whole handbook, the base or the
finished site. The docstring of the function is the documentation of the rule: the requirement,
then `Why:`, `Bad:` and `Good:`. The rule reference prints this documentation, and the tests run its
examples. Each rule has a permanent code, and a default severity that the settings can change.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from importlib import import_module
from typing import Any, Final, TypeVar, cast

from handbook.diagnostics import (
    MOST_LISTED,
    Diagnostic,
    Finding,
    Report,
    Severity,
    make_hint,
    sort_findings,
)
from handbook.handbook import Handbook
from handbook.history.base import Base
from handbook.reading.files import read_text
from handbook.reading.kept_results import find_results, make_key
from handbook.reading.policy import locate_original
from handbook.reading.problems import ProblemKind
from handbook.reading.suppressions import Suppression
from handbook.records import Entity, Record
from handbook.rules.credentials import Credential, find_credentials
from handbook.settings import Settings
from handbook.site.built import Site
from handbook.site.origins import Origins
from handbook.vocabulary import OFF

E = TypeVar("E", bound=Entity)

_FAMILIES: Final = (
    "front_matter",
    "configuration",
    "markdown",
    "form",
    "standards",
    "decisions",
    "runbooks",
    "commands",
    "rule_files",
    "postmortems",
    "services",
    "references",
    "links",
    "contradictions",
    "safety",
    "changes",
    "published",
    "exceptions",
)


_MOST_SUGGESTIONS: Final = 5 * MOST_LISTED
"""The number of findings of a rule in a file that have a suggestion.

It is higher than the number of listed findings, because rules yield findings in any order.
"""

_LONGEST_TEXT: Final = 2_000
"""The length limit of a message or a hint, in characters."""

_MANDATORY_FAMILY: Final = "SAFE"
"""The family whose rules are all mandatory."""
RETIRED: Final = frozenset(
    f"MD{number:03}" for number in (1, 3, 4, 5, 8, 9, 10, 11, 14, 15, 16, 17, 18, 19, 99)
)
"""The codes of removed rules (ADR-0021). They are never reused."""


@dataclass(frozen=True)
class Context:
    """Inputs that all checks share: the handbook, today's date, the base and the finished site."""

    handbook: Handbook
    today: date
    base: Base | None = None
    site: Site | None = None
    unused_suppressions: tuple[Suppression, ...] = ()
    """The suppressions that match no finding. They are empty until the other rules have run."""

    rules_by_path: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The codes of the rules that a later check must run on each document.

    They are the rules with a finding in it, and the rules that need more than the document.
    """

    @cached_property
    def _key_by_path(self) -> Mapping[str, str]:
        """The keys of the results of readable documents, by path.

        A document depends on its text, on its path and on the settings.
        """
        settings = self.handbook.settings
        texts = [str(read_text(self.handbook.root, path)) for path in settings.files]
        settings_key = make_key(*texts)
        return {
            path: make_key(
                "document",
                settings_key,
                path,
                document.source.text,
                str(document.source.replacements),
            )
            for path, document in self.handbook.documents.items()
            if document.source.problem is None
        }

    @cached_property
    def _known_rules_by_path(self) -> Mapping[str, _KnownRules]:
        """The rules to run on each document that an earlier check judged.

        A rule that has read the date in the earlier check must run only on another day.
        """
        kept = find_results()
        if kept is None or self.base or self.site:
            return {}
        known_rules = {}
        for path, key in self._key_by_path.items():
            if (texts := kept.known_rules.get(key)) is not None:
                codes = texts.split()
                dated = {code for code in codes if "@" in code} if "@" in texts else ()
                certain = frozenset(codes).difference(dated)
                valid = {code for code in dated if code.endswith(self._day_mark)}
                expired = {code.partition("@")[0] for code in dated if code not in valid}
                self.rules_by_path[path].update(certain, valid)
                known_rules[path] = _KnownRules(certain, certain | expired)
        return known_rules

    @cached_property
    def _day_mark(self) -> str:
        """The end of the code of a rule whose result is valid today."""
        return f"@{self.today}"

    def select_judged(self, code: str, entities: Iterable[E]) -> list[E]:
        """Return the entities that a rule must judge.

        Leave out each document of which an earlier check proves that it has no fault: the check
        found none in the same document, and asked for nothing but the document and the settings.
        """
        rules_by_path = self._known_rules_by_path
        return [
            entity
            for entity in entities
            if (known := rules_by_path.get(entity.path)) is None or code in known.to_run
        ]

    def judge(
        self, code: str, entities: Iterable[E], check: Callable[[E, Context], Iterable[Finding]]
    ) -> Iterator[Finding]:
        """Yield the findings of a rule in the entities that it must judge.

        Note the rules that a later check must run on each document.
        """
        rules_by_path = self._known_rules_by_path
        watches = find_results() is not None
        for entity in self.select_judged(code, entities):
            known = rules_by_path.get(entity.path)
            # The check of the same document would ask for the same again.
            if watches and (known is None or code not in known.certain):
                yield from self._watch(code, entity, check)
            else:
                yield from check(entity, self)

    def _watch(
        self, code: str, entity: E, check: Callable[[E, Context], Iterable[Finding]]
    ) -> Iterator[Finding]:
        """Run a check on an entity, and note whether a later check must run it."""
        watched = self._watched
        watched.is_used = watched.has_read_today = False
        has_finding = False
        for finding in check(entity, cast("Context", watched)):
            has_finding = True
            yield finding
        if has_finding or watched.is_used:
            self.rules_by_path[entity.path].add(code)
        elif watched.has_read_today:
            self.rules_by_path[entity.path].add(code + self._day_mark)

    @cached_property
    def _watched(self) -> _WatchedContext:
        return _WatchedContext(self)

    def keep_rules(self) -> None:
        """Keep the rules that a later check must run on each document."""
        kept = find_results()
        # With unreadable settings, only some rules have run.
        if kept and self.handbook.settings.is_readable:
            for path, key in self._key_by_path.items():
                kept.rules[key] = " ".join(sorted(self.rules_by_path[path]))

    @cached_property
    def credentials(self) -> tuple[Credential, ...]:
        """The published texts that look like credentials."""
        return find_credentials(self.handbook)

    @cached_property
    def origins(self) -> Origins:
        """Finder of the source files that cause faults of the finished site.

        Raises ValueError if the context has no site.
        """
        if self.site is None:
            raise ValueError("no site has been read")
        return Origins(self.handbook, self.site)


@dataclass(frozen=True, slots=True)
class _KnownRules:
    """The codes of the rules to run on a document that an earlier check judged.

    A later check must run those in `certain` too, unless the document changes.
    """

    certain: frozenset[str]
    to_run: frozenset[str]


class _WatchedContext:
    """A context that notes whether a check asks for more than the settings."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.is_used = self.has_read_today = False
        self.handbook = _WatchedHandbook(self, context.handbook)

    @property
    def today(self) -> date:
        self.has_read_today = True
        return self._context.today

    def __getattr__(self, name: str) -> Any:
        self.is_used = True
        return getattr(self._context, name)


class _WatchedHandbook:
    """The handbook of a watched context."""

    def __init__(self, context: _WatchedContext, handbook: Handbook) -> None:
        self._context, self._handbook = context, handbook
        self.settings = handbook.settings

    def __getattr__(self, name: str) -> Any:
        self._context.is_used = True
        return getattr(self._handbook, name)


Check = Callable[..., Iterator[Finding]]
"""The function of a rule. It takes a subject, and the context if a parameter has that name."""


@dataclass(frozen=True, slots=True)
class RulePage:
    """Documentation of a rule, for the rule reference and the tests."""

    text: str
    """The requirement."""
    why: str
    """The consequence of a violation."""
    bad: str
    """Text that breaks the rule, or the path of a file that breaks it."""
    good: str
    """The same text or path without the fault."""


def read_page(check: Check) -> RulePage:
    """Read the documentation of a rule from the docstring of its check."""
    docstring = inspect.getdoc(check) or ""
    text, *parts = re.split(r"^(Why|Bad|Good):[ \n]", docstring, flags=re.MULTILINE)
    text_by_name = dict(zip(parts[::2], parts[1::2], strict=True))
    return RulePage(
        text.strip(),
        *(
            inspect.cleandoc("\n" + text_by_name[name]).strip("\n")
            for name in ("Why", "Bad", "Good")
        ),
    )


@dataclass(frozen=True)
class Rule:
    """A check with its permanent code, its name and its severity.

    `requires` lists codes of other rules: if one of them has a finding in a file, this rule reports
    nothing in that file. A mandatory rule (`is_mandatory`) cannot be suppressed, and its severity
    cannot be lowered. `reports` is a kind of problem found while reading files. Each kind has only
    one rule that reports it. `--strict` does not count the warnings of an advisory rule
    (`is_advisory`), unless the settings set its severity.
    """

    code: str
    name: str
    over: type[Entity] | type[Handbook] | type[Base] | type[Site]
    severity: Severity
    requires: tuple[str, ...]
    check: Check
    is_mandatory: bool = False
    asks_imported: bool = True
    """False if the rule asks for facts that nobody may have recorded of an imported record."""
    is_advisory: bool = False
    reports: ProblemKind | None = None
    start: Callable[[Context], None] | None = None
    """Start work in another process. The rule needs the result, so it runs after all others."""
    own_page: RulePage | None = None
    """The documentation of a rule whose check has no docstring."""

    @property
    def severity_label(self) -> str:
        """The default severity in words: error, warning or advisory warning."""
        return f"advisory {self.severity}" if self.is_advisory else str(self.severity)

    def severity_in(self, settings: Settings) -> Severity:
        """Return the severity that the settings define, or the default severity of the rule.

        A mandatory rule keeps its error. A rule that is off keeps its severity.
        """
        configured = self._configured_severity(settings)
        if configured in (None, OFF) or (self.is_mandatory and self.severity is Severity.ERROR):
            return self.severity
        return Severity(configured)

    def is_off_in(self, settings: Settings) -> bool:
        """Return whether the settings disable this rule. A mandatory rule is never disabled."""
        return not self.is_mandatory and self._configured_severity(settings) == OFF

    def is_lowered_by(self, settings: Settings) -> bool:
        """Return whether the settings disable this rule, or lower this error to a warning.

        The result is also true for a mandatory rule, although that setting has no effect.
        """
        configured = self._configured_severity(settings)
        return configured == OFF or (
            self.severity is Severity.ERROR and configured == Severity.WARNING
        )

    def is_advisory_in(self, settings: Settings) -> bool:
        """Return whether `--strict` does not count the findings of this rule."""
        return self.is_advisory and self._configured_severity(settings) is None

    def _configured_severity(self, settings: Settings) -> str | None:
        setting = settings.organisation.rules.get(self.key_in(settings))
        return setting.severity if setting else None

    def key_in(self, settings: Settings) -> str:
        """Return the key of this rule in the settings (`handbook.rules`): its name or its code."""
        return self.name if self.name in settings.organisation.rules else self.code

    def findings(self, subject: object, context: Context) -> Iterator[Finding]:
        """Run the check on one subject. Pass the context if the check has that parameter."""
        if not self.needs_context:
            return self.check(subject)
        return self.check(subject, context) if len(self._parameters) == 2 else self.check(context)

    @cached_property
    def needs_context(self) -> bool:
        """True if the check depends on more than its subject."""
        return self._parameters[-1] == "context"

    @cached_property
    def _parameters(self) -> tuple[str, ...]:
        return tuple(inspect.signature(self.check).parameters)

    @cached_property
    def page(self) -> RulePage:
        """The documentation of the rule."""
        return self.own_page or read_page(self.check)

    @property
    def text(self) -> str:
        """The requirement."""
        return self.page.text

    @property
    def why(self) -> str:
        """The consequence of a violation."""
        return self.page.why

    @property
    def bad(self) -> str:
        """Text that breaks the rule, or the path of a file that breaks it."""
        return self.page.bad

    @property
    def good(self) -> str:
        """The same text or path without the fault."""
        return self.page.good


_registered: dict[str, Rule] = {}


def rule(
    code: str,
    name: str,
    *,
    over: type[Entity] | type[Handbook] | type[Base] | type[Site],
    severity: Severity = Severity.ERROR,
    requires: tuple[str, ...] = (),
    mandatory: bool = False,
    advisory: bool = False,
    asks_imported: bool = True,
    reports: ProblemKind | None = None,
    start: Callable[[Context], None] | None = None,
    page: RulePage | None = None,
) -> Callable[[Check], Check]:
    """Register a check as a rule. Without `page`, its docstring is its documentation.

    No rule of the family SAFE can be suppressed or lowered: all are mandatory. `asks_imported` is
    False for a rule that ignores imported records. Raises ValueError for a code that is in use or
    retired, for a required code that is not registered yet, for an advisory error, and for an error
    that requires a warning. Some warnings depend on the date. If they could hide an error, the
    error would depend on the date, too.
    """

    def register(check: Check) -> Check:
        if code in _registered or code in RETIRED:
            raise ValueError(f"duplicate or retired code {code}")
        if unknown_codes := set(requires) - set(_registered):
            raise ValueError(
                f"unknown codes required by {code}: {', '.join(sorted(unknown_codes))}"
            )
        if severity is Severity.ERROR and any(
            _registered[required].severity is not severity for required in requires
        ):
            raise ValueError(f"{code} is an error and requires a warning")
        if advisory and severity is Severity.ERROR:
            raise ValueError(f"{code} is an advisory error")
        is_mandatory = mandatory or code.startswith(_MANDATORY_FAMILY)
        _registered[code] = Rule(
            code,
            name,
            over,
            severity,
            requires,
            check,
            is_mandatory,
            asks_imported,
            advisory,
            reports,
            start,
            page,
        )
        return check

    return register


def rules() -> Mapping[str, Rule]:
    """Return all rules by code, in the order in which they run."""
    _import_families()
    return _registered


@functools.cache
def _import_families() -> None:
    """Import the modules of the rules, which register them."""
    for family in _FAMILIES:
        import_module(f"handbook.rules.{family}")


def find_rule(code_or_name: str) -> Rule | None:
    """Return the rule with this code or name, or None."""
    return rules().get(code_or_name) or next(
        (rule for rule in rules().values() if rule.name == code_or_name), None
    )


def run(
    handbook: Handbook,
    today: date,
    *,
    base: Base | None = None,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
) -> Report:
    """Run the rules on a handbook, and return the report.

    Rules that compare with a base run only if `base` is not None. `select` and `ignore` contain
    codes, or prefixes of codes. They filter the report, but all rules run. If the settings are not
    readable, the report contains only the findings in the settings, because they cause the others.
    """
    context = Context(handbook, today, base)
    diagnostics = _run_rules(
        [rule for rule in rules().values() if not _judges_suppressions(rule)], context
    )
    diagnostics = [
        diagnostic for diagnostic in diagnostics if not _is_about_removal(diagnostic, handbook)
    ]
    context.keep_rules()
    unsuppressed, unused_suppressions = _apply_suppressions(diagnostics, handbook)
    suppressed_count = len(diagnostics) - len(unsuppressed)
    if handbook.settings.is_readable:
        unsuppressed += _run_rules(
            filter(_judges_suppressions, rules().values()),
            replace(context, unused_suppressions=unused_suppressions),
        )
    select, ignore = tuple(select), tuple(ignore)
    reported = [
        diagnostic
        for diagnostic in _drop_disabled(unsuppressed, handbook)
        if (not select or diagnostic.code.startswith(select))
        and not (ignore and diagnostic.code.startswith(ignore))
    ]
    return make_report(handbook.entity_counts, handbook.settings, reported, suppressed_count)


def make_report(
    records: Mapping[str, int],
    settings: Settings,
    findings: Iterable[Diagnostic] = (),
    suppressed: int = 0,
) -> Report:
    """Make the report of a check: the sorted findings, and the number of exceptions by type.

    `records` is the number of records by kind. `suppressed` is the number of suppressed findings.
    The settings contain the other exceptions: secret samples, lowered severities and removals.
    """
    lowered = sum(
        not rule.is_mandatory and rule.is_lowered_by(settings) for rule in rules().values()
    )
    organisation = settings.organisation
    return Report(
        records,
        sort_findings(findings),
        suppressed,
        len(organisation.samples),
        lowered,
        len(organisation.removed),
        settings.site_url if settings.has_site_url else None,
    )


def run_on_site(site: Site, handbook: Handbook, today: date) -> Report:
    """Run only the rules that check a finished site, and return the report.

    `handbook` is the source from which the site was built.
    """
    diagnostics = _run_rules(
        [rule for rule in rules().values() if rule.over is Site],
        Context(handbook, today, site=site),
    )
    unsuppressed, _ = _apply_suppressions(diagnostics, handbook)
    suppressed_count = len(diagnostics) - len(unsuppressed)
    reported = _drop_disabled(unsuppressed, handbook)
    return make_report(site.counts, handbook.settings, reported, suppressed_count)


def _drop_disabled(diagnostics: Iterable[Diagnostic], handbook: Handbook) -> list[Diagnostic]:
    """Return the findings of the rules that are not off.

    A rule that is off runs, because its findings hide those of the rules that require it, and use
    suppressions.
    """
    off = {rule.code for rule in rules().values() if rule.is_off_in(handbook.settings)}
    return [diagnostic for diagnostic in diagnostics if diagnostic.code not in off]


def _is_about_removal(diagnostic: Diagnostic, handbook: Handbook) -> bool:
    """Return whether a finding reports the removal of a file that `handbook.removed` lists."""
    is_about_base = issubclass(rules()[diagnostic.code].over, Base)
    return is_about_base and handbook.is_removed(diagnostic.at.path)


def _judges_suppressions(rule: Rule) -> bool:
    return rule.check.__module__.endswith(".exceptions")


def _run_rules(rules_to_run: Iterable[Rule], context: Context) -> list[Diagnostic]:
    """Run rules. Drop a finding if a required rule has a finding in the same file.

    Only the first findings of a rule in a file get a suggestion, because the search for a similar
    name is slow.
    """
    handbook = context.handbook
    counts: Counter[tuple[str, str]] = Counter()
    diagnostics: list[Diagnostic] = []
    rules_to_run = sorted(rules_to_run, key=lambda rule: rule.start is not None)
    if handbook.settings.is_readable:
        for rule in rules_to_run:
            if rule.start:
                rule.start(context)
    for rule in rules_to_run:
        # A missing section that the settings allow hides nothing in the other sections.
        hides = rule.asks_imported or not rule.is_off_in(handbook.settings)
        for finding in _check_subjects(rule, context):
            if any(counts[code, finding.at.path] for code in rule.requires):
                continue
            if not rule.asks_imported and _is_imported(finding.at.path, handbook):
                continue
            counts[rule.code, finding.at.path] += hides
            has_suggestion = counts[rule.code, finding.at.path] <= _MOST_SUGGESTIONS
            diagnostics.append(
                _make_diagnostic(rule, finding, handbook, has_suggestion=has_suggestion)
            )
        if not handbook.settings.is_readable and diagnostics:
            break
    # An alias of YAML has the faults of its anchor again, at the same place.
    return list(dict.fromkeys(diagnostics))


def _is_imported(path: str, handbook: Handbook) -> bool:
    record = handbook.documents.get(path)
    return isinstance(record, Record) and record.is_imported


def _make_diagnostic(
    rule: Rule,
    finding: Finding,
    handbook: Handbook,
    *,
    has_suggestion: bool,
) -> Diagnostic:
    """Make a diagnostic from a finding.

    Its location is in the original file, before values replaced the policy names.
    """
    at, fix = finding.at, finding.fix
    document = handbook.documents.get(at.path)
    if document and document.source.replacements:
        at = locate_original(at, document.source.replacements)
        fix = (
            replace(fix, at=locate_original(fix.at, document.source.replacements)) if fix else None
        )
    message = _shorten(finding.message)
    hint = make_hint(finding, has_suggestion=has_suggestion)
    return Diagnostic(
        at,
        rule.code,
        rule.name,
        Severity.WARNING if finding.is_warning else rule.severity_in(handbook.settings),
        message,
        None if hint is None else _shorten(hint),
        fix,
        rule.is_advisory_in(handbook.settings),
    )


def _shorten(text: str) -> str:
    """Cut off a text that is too long for a report, because it quotes a long value."""
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"


def _apply_suppressions(
    diagnostics: Iterable[Diagnostic], handbook: Handbook
) -> tuple[list[Diagnostic], tuple[Suppression, ...]]:
    """Return the findings that no suppression matches, and the suppressions without a finding.

    Findings of mandatory rules cannot be suppressed. Suppressions of two types are never reported
    as unused. For a rule that compares with a base, the change can already be part of the base. For
    a rule that checks a finished site, this run has no site.
    """
    allowed: dict[tuple[str, int, str], Suppression] = {}
    for suppression in handbook.suppressions:
        rule = find_rule(suppression.rule) if suppression.rule else None
        if suppression.rule and not (rule and rule.is_mandatory):
            allowed[
                suppression.at.path, suppression.line, rule.code if rule else suppression.rule
            ] = suppression
    unsuppressed = []
    used = set()
    for diagnostic in diagnostics:
        key = (diagnostic.at.path, diagnostic.at.line, diagnostic.code)
        if key in allowed:
            used.add(key)
        else:
            unsuppressed.append(diagnostic)
    never_unused = {rule.code for rule in rules().values() if issubclass(rule.over, Base | Site)}
    unused = (
        suppression
        for key, suppression in allowed.items()
        if key not in used and key[2] not in never_unused
    )
    return unsuppressed, tuple(unused)


def _check_subjects(rule: Rule, context: Context) -> Iterator[Finding]:
    """Run a rule on each of its subjects."""
    handbook = context.handbook
    if issubclass(rule.over, Base):
        if context.base:
            yield from rule.findings(context.base, context)
        return
    if issubclass(rule.over, Site):
        if context.site:
            yield from rule.findings(context.site, context)
        return
    if issubclass(rule.over, Handbook):
        yield from rule.findings(handbook, context)
        return
    yield from context.judge(rule.code, handbook.of(rule.over), rule.findings)
