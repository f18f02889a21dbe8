"""Note what a page asks of the handbook, so that a preview makes it again only for other answers.

A view reads no file, no clock and no network: it asks the handbook. The tracer notes each question
with its answer while a value is made. After an edit it asks the same questions of the new handbook.
If every answer is the same, the value is the same (ADR-0053).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum, auto
from typing import Any, Final, TypeVar

from handbook.records import Document

T = TypeVar("T")

_NOT_TRACED: Final = frozenset({"settings"})
"""Attributes that need no question. Other settings start a new tracer."""
_NEVER_KEPT: Final = frozenset({"root"})
"""Attributes that lead to files. A value that needs one of them is always made again."""
_MISSING: Final = object()
"""The answer for a key that a mapping does not have."""


class _QuestionForm(Enum):
    """The forms of a question about an attribute."""

    VALUE = auto()
    CALL = auto()
    ITEM = auto()
    KEYS = auto()


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A question: the name of a subject, an attribute of it ("" for itself), and arguments."""

    subject: str
    attribute: str
    form: _QuestionForm
    arguments: tuple[Any, ...] = ()

    @property
    def key(self) -> Hashable:
        """The key under which the question is asked once for each build."""
        arguments = tuple(map(_make_key, self.arguments))
        return self.subject, self.attribute, self.form, arguments

    def ask(self, subjects: Mapping[str, Any]) -> Any:
        """Return the answer."""
        subject = subjects[self.subject]
        value = getattr(subject, self.attribute) if self.attribute else subject
        match self.form:
            case _QuestionForm.CALL:
                return value(*self.arguments)
            case _QuestionForm.ITEM:
                return value.get(self.arguments[0], _MISSING)
            case _QuestionForm.KEYS:
                return tuple(value)
        return value


@dataclass(slots=True)
class _Trace:
    """The questions and answers behind a value, in order. `is_kept` is False if it read a file."""

    answers: dict[Hashable, tuple[Question, Any]]
    is_kept: bool = True


@dataclass(frozen=True, slots=True)
class _Kept:
    inputs: tuple[Any, ...]
    trace: _Trace
    value: Any


class Tracer:
    """Keeps values from build to build, each with its questions and their answers."""

    def __init__(self) -> None:
        self._subjects: Mapping[str, Any] = {}
        self._values: dict[Hashable, _Kept] = {}
        self._used: set[Hashable] = set()
        self._open: list[_Trace] = []
        self._answers: dict[Hashable, tuple[Question, Any]] = {}
        self._comparisons: dict[tuple[Hashable, int], tuple[Any, bool]] = {}

    def start(self, subjects: Mapping[str, Any]) -> None:
        """Start a build, in which these subjects answer the questions.

        Forgets the values that the last build did not use.
        """
        self._values = {key: self._values[key] for key in self._used & self._values.keys()}
        self._used.clear()
        self._subjects = subjects
        self._answers.clear()
        self._comparisons.clear()

    def wrap(self, subject: str) -> Any:
        """Return a stand-in for a subject, which notes every question about it."""
        is_mapping = isinstance(self._subjects[subject], Mapping)
        return (_TracedMapping if is_mapping else _Traced)(self, subject)

    def recall(self, key: Hashable, inputs: tuple[Any, ...], make: Callable[[], T]) -> T:
        """Return the kept value with a key, if its inputs and all answers are the same.

        Otherwise make the value, and keep it.
        """
        self._used.add(key)
        kept = self._values.get(key)
        if kept is None or not (is_same(kept.inputs, inputs) and self._holds(kept.trace)):
            trace = _Trace({})
            self._open.append(trace)
            try:
                value = make()
            finally:
                self._open.pop()
            kept = _Kept(inputs, trace, value)
            if trace.is_kept:
                self._values[key] = kept
            else:
                self._values.pop(key, None)
        if self._open:
            self._open[-1].answers.update(kept.trace.answers)
            self._open[-1].is_kept &= kept.trace.is_kept
        return kept.value  # type: ignore[no-any-return]

    def get_attribute(self, subject: str, attribute: str) -> Any:
        """Return an attribute of a subject, and note it as a question."""
        value = getattr(self._subjects[subject], attribute)
        if attribute in _NEVER_KEPT and self._open:
            self._open[-1].is_kept = False
        if attribute in _NOT_TRACED | _NEVER_KEPT or not self._open:
            return value
        if callable(value):
            return lambda *arguments: self.ask(
                Question(subject, attribute, _QuestionForm.CALL, arguments)
            )
        if isinstance(value, Mapping):
            return _TracedMapping(self, subject, attribute)
        return self.ask(Question(subject, attribute, _QuestionForm.VALUE))

    def ask(self, question: Question) -> Any:
        """Return the answer to a question, and note both."""
        key = question.key
        if key not in self._answers:
            self._answers[key] = question, question.ask(self._subjects)
        if self._open:
            self._open[-1].answers[key] = self._answers[key]
        return self._answers[key][1]

    def _holds(self, trace: _Trace) -> bool:
        """Return whether every question of a trace has the answer that it had."""
        return all(
            self._is_unchanged(key, question, answer)
            for key, (question, answer) in trace.answers.items()
        )

    def _is_unchanged(self, key: Hashable, question: Question, answer: Any) -> bool:
        comparison = self._comparisons.get((key, id(answer)))
        if comparison is None:
            try:
                new_answer = self.ask(question)
            except LookupError:  # The subject of the question is gone.
                new_answer = _MISSING
            # The answer is part of the value, so that its id is not used again in this build.
            comparison = answer, is_same(answer, new_answer)
            self._comparisons[key, id(answer)] = comparison
            if comparison[1]:
                self._answers[key] = question, answer
        return comparison[1]


class _Traced:
    """Stand-in for a subject."""

    def __init__(self, tracer: Tracer, subject: str) -> None:
        self._tracer, self._subject = tracer, subject

    def __getattr__(self, name: str) -> Any:
        return self._tracer.get_attribute(self._subject, name)


class _TracedMapping(Mapping[Any, Any]):
    """Stand-in for a mapping. To look up a key is a question, and so is to list the keys."""

    def __init__(self, tracer: Tracer, subject: str, attribute: str = "") -> None:
        self._tracer, self._subject, self._attribute = tracer, subject, attribute

    def __getitem__(self, key: Any) -> Any:
        value = self._ask(_QuestionForm.ITEM, key)
        if value is _MISSING:
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[Any]:
        return iter(self._ask(_QuestionForm.KEYS))

    def __len__(self) -> int:
        return len(self._ask(_QuestionForm.KEYS))

    def _ask(self, form: _QuestionForm, *arguments: Any) -> Any:
        return self._tracer.ask(Question(self._subject, self._attribute, form, arguments))


def is_same(old: Any, new: Any) -> bool:
    """Return whether a view shows the same for two answers.

    A document is the same only if it is the same object. The loading keeps the object of a file
    with the same content. Objects without an equality of their own are different.
    """
    if old is new:
        return True
    if type(old) is not type(new) or isinstance(old, Document):
        return False
    if isinstance(old, tuple | list):
        return len(old) == len(new) and all(map(is_same, old, new))
    if isinstance(old, Mapping):
        return list(old) == list(new) and all(is_same(old[key], new[key]) for key in old)
    if is_dataclass(old) and type(old).__eq__ is not object.__eq__:
        return all(
            is_same(getattr(old, field.name), getattr(new, field.name)) for field in fields(old)
        )
    return bool(old == new)


def _make_key(argument: Any) -> Hashable:
    """Return a key for an argument of a question.

    The key of an object with fields is its identity. The question holds the object, so that no
    other object gets this identity in the same build.
    """
    return ("id", id(argument)) if is_dataclass(argument) else argument
