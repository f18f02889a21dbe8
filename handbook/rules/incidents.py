"""Find statements about the times of an incident in the prose of its post-mortem.

Only sentences of certain forms are read, whose subject is the incident itself, such as "The outage
lasted 42 minutes." or "Time to detect: 5 minutes".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from handbook.handbook import Handbook
from handbook.reading import nodes
from handbook.reading.quantities import (
    Bound,
    ClockTime,
    Quantity,
    find_clock_times,
    find_durations,
)
from handbook.records.postmortem import Postmortem
from handbook.records.service import Service
from handbook.rules.prose import Prose, read_prose

MOMENTS: Final = ("started", "detected", "acknowledged", "mitigated", "resolved")
"""The keys of the moments of an incident, in order."""
_MINUTE: Final = Fraction(60)
_INCIDENT: Final = (
    r"(?:the|this)(?: (?:whole|entire|full|complete|total))?"
    r" (?:incident|outage|downtime|disruption)"
)
_SUBJECT: Final = rf"(?:{_INCIDENT}|(?:the|this) (?:problem|failure)|it)"
_END: Final = r"\s?(?:[.,;:)!]|$)| (?:and|but|so|in total|in all|overall|altogether)\b"
_END_OR_AGENT: Final = rf"{_END}| by\b"
_LEAD: Final = re.compile(
    r"(?:(?:in total|in all|overall|altogether|so|thus|therefore|hence|as a result|finally),? )?"
    r"|(?:(?!\b(?:in|on|during|if|when|unless|whether|last|previous|earlier|first|second|third"
    r"|other|another|without|would|unlike|before|after|since|because|while)\b)[^\n])*"
    r"(?:[,;:]|,? (?:and|but|so)) ",
    re.IGNORECASE,
)
"""The words that can come before the subject without changing the incident that it means."""
_IT: Final = re.compile(r"\bit\b", re.IGNORECASE)
_NOUN: Final = re.compile(r"\b(?:incident|outage|downtime|disruption)\b", re.IGNORECASE)

_DURATION_WORDS: Final = (
    *("lasted", "down", "unavailable", "offline", "unreachable", "caused"),
    *("detected", "acknowledged", "mitigated", "resolved", "duration", "time to"),
)
_TIME_WORDS: Final = (
    *("started", "began", "detected", "acknowledged", "mitigated", "resolved", "ended", " open"),
)
Span = tuple[str, str]
"""The keys of the first and the last moment of a duration."""
_TOTAL: Final[tuple[Span, ...]] = (("started", "mitigated"), ("started", "resolved"))
_TO_DETECT: Final[tuple[Span, ...]] = (("started", "detected"),)
_TO_ACKNOWLEDGE: Final[tuple[Span, ...]] = (
    ("detected", "acknowledged"),
    ("started", "acknowledged"),
)
_TO_MITIGATE: Final[tuple[Span, ...]] = tuple(
    (start, "mitigated") for start in ("acknowledged", "detected", "started")
)
_TO_RESOLVE: Final[tuple[Span, ...]] = tuple(
    (start, "resolved") for start in ("mitigated", "acknowledged", "detected", "started")
)
_SPANS_BY_VERB: Final = {
    "detected": _TO_DETECT,
    "acknowledged": _TO_ACKNOWLEDGE,
    "mitigated": _TO_MITIGATE,
    "resolved": _TO_RESOLVE,
}


@dataclass(frozen=True, slots=True)
class _DurationForm:
    """A form of a statement of a duration: the words before and after it.

    `spans` are the durations that it can mean. The last one is the longest.
    """

    before: re.Pattern[str]
    after: re.Pattern[str]
    spans: tuple[Span, ...]


def _make_form(
    before: str, after: str, spans: tuple[Span, ...], *, begins_sentence: bool = False
) -> _DurationForm:
    lead = "" if begins_sentence else ".*?"
    return _DurationForm(
        re.compile(rf"(?P<lead>{lead})(?P<subject>{before})", re.IGNORECASE),
        re.compile(after, re.IGNORECASE),
        spans,
    )


_FORMS: Final = (
    _make_form(rf"{_INCIDENT} (?:has |had )?lasted(?: for)?(?: a total of)?", _END, _TOTAL),
    _make_form(r"(?:lasted|down for|unavailable for)", _END, _TOTAL, begins_sentence=True),
    _make_form(rf"{_INCIDENT} caused", r" of (?:downtime|unavailability)\b", _TOTAL),
    _make_form(
        r"(?:the|this) (?:page|alert|incident) was acknowledged",
        r" after (?:it (?:went out|fired|was sent)|the (?:page|alert|detection)\b)",
        _TO_ACKNOWLEDGE[:1],
    ),
    *(
        form
        for verb, spans in _SPANS_BY_VERB.items()
        for form in (
            _make_form(
                rf"{_SUBJECT} (?:was|were) (?:only |finally )?{verb} (?:only )?after",
                _END_OR_AGENT,
                spans,
            ),
            _make_form(
                rf"{verb} (?:only )?(?:after|within)", _END_OR_AGENT, spans, begins_sentence=True
            ),
            _make_form(
                rf"{_SUBJECT} (?:was|were) {verb}",
                r" after (?:it (?:started|began)|(?:the|its) (?:start|beginning))\b",
                spans[-1:],
            ),
            _make_form(
                rf"{_SUBJECT} (?:was|were) {verb} within",
                _END_OR_AGENT,
                spans,
            ),
        )
    ),
)
_LABELS: Final = tuple(
    (re.compile(rf"\W*(?:{label}) ?:", re.IGNORECASE), spans)
    for label, spans in (
        (r"(?:total )?(?:duration|downtime)(?: of (?:the )?(?:incident|outage))?", _TOTAL),
        (r"(?:incident|outage) duration", _TOTAL),
        (r"time to detect(?:ion)?", _TO_DETECT),
        (r"time to acknowledge(?:ment)?", _TO_ACKNOWLEDGE),
        (r"time to mitigat(?:e|ion)", _TO_MITIGATE),
        (r"time to (?:resolve|resolution)", _TO_RESOLVE),
    )
)
_DOWN_FOR: Final = re.compile(
    r"(?:was|were|has been|had been) (?:completely |fully |entirely )?"
    r"(?:down|unavailable|offline|unreachable) for",
    re.IGNORECASE,
)
"""The end of the sentence "the shop was down for". The form needs the name of the service."""
_LABEL_END: Final = re.compile(r"[ \t]*(?:[\n.,;()]|$)")
_KEYS_BY_VERB: Final = {
    "started": ("started",),
    "began": ("started",),
    "detected": ("detected",),
    "acknowledged": ("acknowledged",),
    "mitigated": ("mitigated",),
    "resolved": ("resolved",),
    "ended": ("mitigated", "resolved"),
}
_ON_DAY: Final = r"(?: on [0-9]{4}-[0-9]{2}-[0-9]{2},?)?"
_TIME_FORMS: Final = tuple(
    (
        re.compile(
            rf"(?P<lead>.*?)(?P<subject>{_SUBJECT} (?:(?:was|were|is) )?"
            rf"(?:first |fully |declared |only )?{verb}{_ON_DAY} at)",
            re.IGNORECASE,
        ),
        re.compile(rf"(?P<lead>)(?P<subject>{verb}{_ON_DAY} at)", re.IGNORECASE),
        re.compile(rf"\W*{verb}(?: at)? ?:(?: [0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}},?)?", re.IGNORECASE),
        keys,
    )
    for verb, keys in _KEYS_BY_VERB.items()
)
_OPEN: Final = re.compile(r".*\bincident (?:stayed|remained|was) open\b[^0-9]{0,60}", re.IGNORECASE)
_JOINT: Final = re.compile(r"\s*(?:UTC\s*)?(?:[-–—]|to|until)\s*")


@dataclass(frozen=True, slots=True)
class StatedDuration:
    """A duration in a post-mortem that its moments contradict. `spans` are the known durations."""

    prose: Prose
    quantity: Quantity
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class StatedTime:
    """A time in a post-mortem that its moments contradict."""

    prose: Prose
    time: ClockTime
    keys: tuple[str, ...]


def moment_of(postmortem: Postmortem, key: str) -> datetime | None:
    """Return a moment of an incident in UTC, or None if it is unknown."""
    moment: datetime | None = getattr(postmortem, key)
    return moment


def span_of(postmortem: Postmortem, span: Span) -> timedelta | None:
    """Return the time between two moments of an incident, or None if one is unknown."""
    start, end = (moment_of(postmortem, key) for key in span)
    return end - start if start and end else None


def find_wrong_durations(postmortem: Postmortem, handbook: Handbook) -> Iterator[StatedDuration]:
    """Yield the durations in the prose that no duration between the moments can mean."""
    for prose in read_prose(postmortem, _DURATION_WORDS):
        for quantity in find_durations(prose.text):
            spans = _find_spans(prose, quantity, postmortem, handbook)
            if spans and not _is_possible(postmortem, quantity, spans):
                known = tuple(span for span in spans if span_of(postmortem, span) is not None)
                yield StatedDuration(prose, quantity, known)


def _service_forms(postmortem: Postmortem, handbook: Handbook) -> tuple[_DurationForm, ...]:
    """Return the form "the shop was down for" if the incident affected only one service."""
    if len(postmortem.services) != 1:
        return ()
    id = postmortem.services[0]
    service = handbook.get(Service, id)
    names = {id, id.replace("-", " "), *([service.title] if service else [])}
    words = "|".join(sorted(map(re.escape, names)))
    subject = rf"(?:(?:the|our|this) )?(?:{words}|service|site|website|system|platform|api|we)"
    return (_make_form(rf"(?<!\S){subject} {_DOWN_FOR.pattern}", _END, _TOTAL),)


def _find_spans(
    prose: Prose, quantity: Quantity, postmortem: Postmortem, handbook: Handbook
) -> tuple[Span, ...]:
    """Return the durations that a quantity can mean, or () if this is not certain."""
    line = _label_before(prose, quantity.start)
    for label, spans in _LABELS:
        if label.fullmatch(line) and _LABEL_END.match(prose.text, quantity.end):
            return spans
    before, after = prose.before(quantity.start), prose.after(quantity.end)
    if quantity.bound is Bound.AT_MOST and re.match(
        r"within\b", prose.text[quantity.start :], re.I
    ):
        before = f"{before} within"
    service_forms = _service_forms(postmortem, handbook) if _DOWN_FOR.search(before) else ()
    for form in (*_FORMS, *service_forms):
        match = form.before.fullmatch(before)
        if match and form.after.match(after) and _is_about_incident(prose, match, quantity.start):
            return form.spans
    return ()


def _is_about_incident(prose: Prose, match: re.Match[str], offset: int) -> bool:
    """Return whether the subject of a sentence is the incident of the post-mortem.

    The subject "it" must be at the start of the paragraph, or after a sentence about the incident.
    """
    if match["subject"].lower().startswith("it "):
        *_, last = _IT.finditer(prose.text, 0, offset)
        earlier = prose.text[: last.start()]
        if earlier.strip() and not _NOUN.search(earlier):
            return False
    return bool(_LEAD.fullmatch(match["lead"]))


def _label_before(prose: Prose, offset: int) -> str:
    """Return the label before a value, such as "Time to detect:", or "".

    A line that continues a sentence begins in lower case. It has no label.
    """
    line = prose.line_before(offset)
    begins_paragraph = "\n" not in prose.text[:offset]
    return line if begins_paragraph or line.lstrip("-*+| ")[:1].isupper() else ""


def _is_possible(postmortem: Postmortem, quantity: Quantity, spans: tuple[Span, ...]) -> bool:
    """Return whether a quantity can be one of several durations, with the moments that are known.

    An unknown duration can have any value up to the longest one.
    """
    durations = [span_of(postmortem, span) for span in spans]
    longest = durations[-1]
    if longest is None:
        return True
    if None in durations and quantity.value <= Fraction(longest.total_seconds()):
        return True
    return any(
        quantity.agrees_with(Fraction(duration.total_seconds()), _MINUTE)
        for duration in durations
        if duration is not None
    )


def find_wrong_times(postmortem: Postmortem) -> Iterator[StatedTime]:
    """Yield the times in the prose that are not the times of the moments that they name."""
    for prose in read_prose(postmortem, _TIME_WORDS):
        times = list(find_clock_times(prose.text))
        for index, time in enumerate(times):
            keys = _find_keys(prose, times, index)
            if keys and all(moment_of(postmortem, key) for key in keys):
                minutes = {
                    minute for key in keys for minute in _minutes_of(postmortem, key, time.is_utc)
                }
                if time.minute_of_day not in minutes:
                    yield StatedTime(prose, time, keys)


def _find_keys(prose: Prose, times: list[ClockTime], index: int) -> tuple[str, ...]:
    """Return the moments that a time can mean, or () if this is not certain."""
    time = times[index]
    line, before = _label_before(prose, time.start), prose.before(time.start)
    for sentence, fragment, label, keys in _TIME_FORMS:
        if label.fullmatch(line):
            return keys
        match = sentence.fullmatch(before) or fragment.fullmatch(before)
        if match and _is_about_incident(prose, match, time.start):
            return keys
    following = times[index + 1] if index + 1 < len(times) else None
    if following and _JOINT.fullmatch(prose.text[time.end : following.start]):
        return ("started",) if _OPEN.fullmatch(before) else ()
    previous = times[index - 1] if index else None
    if previous and _JOINT.fullmatch(prose.text[previous.end : time.start]):
        is_open = _OPEN.fullmatch(prose.before(previous.start))
        return ("mitigated", "resolved") if is_open else ()
    return ()


def _minutes_of(postmortem: Postmortem, key: str, in_utc: bool) -> Iterator[int]:
    """Yield the minute of the day of a moment, in UTC and in the zone of the front matter."""
    moment = moment_of(postmortem, key)
    if moment is None:
        return
    yield moment.hour * 60 + moment.minute
    node = postmortem.mapping.find(key) if postmortem.mapping else None
    if not in_utc and isinstance(node, nodes.Scalar):
        written = datetime.fromisoformat(node.text)
        yield written.hour * 60 + written.minute


def format_minutes(duration: timedelta) -> str:
    """Return a duration in words, such as "40 minutes" or "3 hours 5 minutes"."""
    minutes = int(duration.total_seconds() // 60)
    hours, rest = divmod(minutes, 60) if minutes >= 120 else (0, minutes)
    parts = [_count(hours, "hour")] if hours else []
    parts += [_count(rest, "minute")] if rest or not hours else []
    return " ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
