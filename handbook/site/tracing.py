"""Note what a page asks of the handbook, so that a preview makes it again only for other answers.

A view reads no file, no clock and no network: it asks the handbook. The tracer notes each question
with its answer while a value is made. After an edit it asks the same questions of the new handbook.
If every answer is the same, the value is the same (ADR-0053).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from enum import Enum, auto
from functools import cache
from operator import attrgetter, is_
from typing import Any, Final, TypeVar

from handbook.records import Document

T = TypeVar("T")

_NOT_TRACED: Final = frozenset({"find_team", "settings", "source_uri"})
"""Attributes that depend on the settings alone. Other settings start a new tracer."""
_BASES: Final = dict.fromkeys(("address", "resolve", "url"), "layout")
"""Attributes whose answers depend on their arguments and on one other attribute alone."""
_NEVER_KEPT: Final = frozenset({"root"})
"""Attributes that lead to files. A value that needs one of them is always made again."""
_PLAIN: Final = frozenset({bool, date, int, str})
"""The most frequent types of values without fields."""
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
        return self.subject, self.attribute, self.form.value, *map(_make_key, self.arguments)

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


@dataclass(slots=True, eq=False)
class _Answered:
    """A question with its last answer. `changed` is the build since which the answer is this one.

    `asked` is the last build that has asked the question.
    """

    question: Question
    answer: Any
    changed: int
    asked: int


@dataclass(slots=True)
class _Trace:
    """The questions behind a value, in order. `is_kept` is False if the value read a file."""

    questions: dict[_Answered, None]
    is_kept: bool = True


@dataclass(frozen=True, slots=True)
class _Kept:
    """A value, with the build that made it."""

    build: int
    inputs: tuple[Any, ...]
    trace: _Trace
    value: Any


class Tracer:
    """Keeps values from build to build, each with the questions behind it.

    A value is right as long as no answer has changed since the build that made it. Builds are
    counted from 1.
    """

    def __init__(self) -> None:
        self._build = 0
        self._subjects: Mapping[str, Any] = {}
        self._values: dict[Hashable, _Kept] = {}
        self._used: set[Hashable] = set()
        self._open: list[_Trace] = []
        self._questions: dict[Hashable, _Answered] = {}

    def start(self, subjects: Mapping[str, Any]) -> None:
        """Start a build, in which these subjects answer the questions.

        Forgets the values that the last build did not use, and the questions that it did not ask.
        """
        self._values = {key: self._values[key] for key in self._used & self._values.keys()}
        self._used.clear()
        self._questions = {
            key: answered
            for key, answered in self._questions.items()
            if answered.asked == self._build
        }
        self._build += 1
        self._subjects = subjects

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
        if kept is None or not (is_same(kept.inputs, inputs) and self._holds(kept)):
            trace = _Trace({})
            self._open.append(trace)
            try:
                value = make()
            finally:
                self._open.pop()
            kept = _Kept(self._build, inputs, trace, value)
            if trace.is_kept:
                self._values[key] = kept
            else:
                self._values.pop(key, None)
        if self._open:
            self._open[-1].questions.update(kept.trace.questions)
            self._open[-1].is_kept &= kept.trace.is_kept
        return kept.value  # type: ignore[no-any-return]

    def get_attribute(self, subject: str, attribute: str) -> Any:
        """Return an attribute of a subject, and note it as a question."""
        value = getattr(self._subjects[subject], attribute)
        if attribute in _NEVER_KEPT and self._open:
            self._open[-1].is_kept = False
        if not self._open or attribute in _NOT_TRACED or attribute in _NEVER_KEPT:
            return value
        if callable(value):
            return lambda *arguments: self.ask(
                Question(subject, attribute, _QuestionForm.CALL, arguments)
            )
        if isinstance(value, Mapping):
            return _TracedMapping(self, subject, attribute)
        return self.ask(Question(subject, attribute, _QuestionForm.VALUE))

    def ask(self, question: Question) -> Any:
        """Return the answer to a question, and note the question."""
        answered = self._answer(question)
        if answered.answer is _MISSING:
            answered.answer = question.ask(self._subjects)  # raises the error to the view
        if self._open:
            self._open[-1].questions[answered] = None
        return answered.answer

    def _answer(self, question: Question) -> _Answered:
        """Ask a question, unless this build has asked it before."""
        key = question.key
        answered = self._questions.get(key)
        if answered is None:
            answer = question.ask(self._subjects)
            answered = _Answered(question, answer, self._build, self._build)
            self._questions[key] = answered
        elif answered.asked != self._build:
            self._ask_again(answered)
        return answered

    def _holds(self, kept: _Kept) -> bool:
        """Return whether no answer behind a value has changed since the value was made."""
        build = self._build
        for answered in kept.trace.questions:
            if answered.asked != build:
                self._ask_again(answered)
            if answered.changed > kept.build:
                return False
        return True

    def _ask_again(self, answered: _Answered) -> None:
        """Ask a question in a new build. An answer that is the same stays the same object."""
        question, last_build = answered.question, answered.asked
        answered.asked = self._build
        if basis := _BASES.get(question.attribute):
            basis_question = Question(question.subject, basis, _QuestionForm.VALUE)
            if self._answer(basis_question).changed <= last_build:
                return
        try:
            answer = question.ask(self._subjects)
        except LookupError:  # The subject of the question is gone.
            answer = _MISSING
        if not is_same(answered.answer, answer):
            answered.answer, answered.changed = answer, self._build


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
    cls = type(old)
    if cls is not type(new):
        return False
    if cls in _PLAIN:
        return bool(old == new)
    if isinstance(old, Document):
        return False
    if isinstance(old, tuple | list):
        return len(old) == len(new) and _are_same(old, new)
    # mypy takes the __hash__ of the instances for that of the class.
    if read_fields := _find_fields(cls):  # type: ignore[arg-type]
        return _are_same(read_fields(old), read_fields(new))
    if isinstance(old, Mapping):
        return list(old) == list(new) and _are_same([*old.values()], [*new.values()])
    return bool(old == new)


def _are_same(old: Sequence[Any], new: Sequence[Any]) -> bool:
    """Return whether all values are the same. Most are the same objects."""
    return all(map(is_, old, new)) or all(map(is_same, old, new))


@cache
def _find_fields(cls: Hashable) -> Callable[[Any], tuple[Any, ...]] | None:
    """Return a function that reads all fields of a dataclass with an equality, or None."""
    if not (isinstance(cls, type) and is_dataclass(cls)) or cls.__eq__ is object.__eq__:
        return None
    names = [field.name for field in fields(cls)]
    if len(names) < 2:  # `attrgetter` returns a tuple only for several names.
        return lambda value: tuple(getattr(value, name) for name in names)
    return attrgetter(*names)


def _make_key(argument: Any) -> Hashable:
    """Return a key for an argument of a question.

    The key of an object with fields is its identity. The question holds the object, so that no
    other object gets this identity in the same build.
    """
    return ("id", id(argument)) if is_dataclass(argument) else argument
