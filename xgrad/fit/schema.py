"""Kinds of values, such as "an integer, 2 or more" or "a list of numbers": checks, and messages for values that fail them."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real

from xgrad._words import shown

Place = tuple[str | int, ...]  # the place of a value within another: keys and positions
Fault = tuple[Place, str]  # the place, and the message: "must be a whole number; it is 'x'"


class Kind:
    """A kind of value."""

    @property
    def words(self) -> str:
        """The kind in words, to follow "must be"."""
        raise NotImplementedError

    def fault(self, value: object, at: Place = ()) -> Fault | None:
        """The first fault of a value, which is at `at`; None if it has none."""
        raise NotImplementedError


@dataclass(frozen=True)
class Is(Kind):
    """A value for which `holds` is true."""

    what: str
    holds: Callable[[object], bool]

    @property
    def words(self) -> str:
        return self.what

    def fault(self, value: object, at: Place = ()) -> Fault | None:
        return None if self.holds(value) else (at, f"must be {self.words}; it is {shown(value)}")


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number within bounds."""

    least: int | None = None
    most: int | None = None

    @property
    def words(self) -> str:
        return "a whole number" + ("" if self.least is None else f", {self.least} or more")

    def fault(self, value: object, at: Place = ()) -> Fault | None:
        if not isinstance(value, Integral) or isinstance(value, bool):
            return at, f"must be {self.words}; it is {shown(value)}"
        if self.least is not None and int(value) < self.least:
            return at, f"must be {self.words}; it is {shown(value)}"
        if self.most is not None and int(value) > self.most:
            return at, f"must be {self.most} or less; it is {shown(value)}"
        return None


@dataclass(frozen=True)
class OneOf(Kind):
    """One of several words."""

    choices: Collection[str]

    @property
    def words(self) -> str:
        return f"one of {', '.join(self.choices)}"

    def fault(self, value: object, at: Place = ()) -> Fault | None:
        if isinstance(value, str) and value in self.choices:
            return None
        return at, f"{shown(value)} is unknown; there are {', '.join(self.choices)}"


@dataclass(frozen=True)
class Maybe(Kind):
    """A value of another kind, or None."""

    of: Kind

    @property
    def words(self) -> str:
        return f"{self.of.words}, or null"

    def fault(self, value: object, at: Place = ()) -> Fault | None:
        return None if value is None else self.of.fault(value, at)


@dataclass(frozen=True)
class Several(Kind):
    """A list of values of one kind, of length `count` if that is given."""

    of: Kind
    count: int | None = None

    @property
    def words(self) -> str:
        return "a list" if self.count is None else f"a list of {self.count}"

    def fault(self, value: object, at: Place = ()) -> Fault | None:
        if not isinstance(value, list | tuple):
            return at, f"must be {self.words}; it is {shown(value)}"
        if self.count not in (None, len(value)):
            return at, f"must be {self.words}; it has {len(value)}"
        return next((found for i, v in enumerate(value) if (found := self.of.fault(v, (*at, i)))), None)


@dataclass(frozen=True)
class Named(Kind):
    """An object with fields. Other fields than those of `fields` are allowed; if `others` is given, they must be of that kind."""

    fields: Mapping[str, Kind] = field(default_factory=dict)
    required: Collection[str] = ()
    others: Kind | None = None
    together: Sequence[str] = ()  # fields that are lists of the same length

    @property
    def words(self) -> str:
        return "an object"

    def fault(self, value: object, at: Place = ()) -> Fault | None:
        if not isinstance(value, Mapping):
            return at, f"must be {self.words}; it is {shown(value)}"
        missing = next((name for name in self.required if name not in value), None)
        if missing is not None:
            return (*at, missing), "is missing"
        for name, inner in value.items():
            kind = self.fields.get(name, self.others)
            found = kind.fault(inner, (*at, name)) if kind is not None else None
            if found:
                return found
        return self._fault_of_lengths(value, at)

    def _fault_of_lengths(self, value: Mapping[str, Sequence[object]], at: Place) -> Fault | None:
        there = [name for name in self.together if name in value]
        for name in there[1:]:
            if len(value[name]) != len(value[there[0]]):
                why = f"must be as long as {there[0]}: it has {len(value[name])}, {there[0]} has {len(value[there[0]])}"
                return (*at, name), why
        return None


def place(at: Place) -> str:
    """
    >>> place(("config", "hidden", 2))
    'config.hidden[2]'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in at).removeprefix(".")


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def is_finite(value: object) -> bool:
    """Whether a value is a number that is finite as a float."""
    try:
        return _is_number(value) and math.isfinite(value)  # type: ignore[arg-type]
    except OverflowError:  # an integer that no float can hold
        return False


TEXT = Is("a text", lambda value: isinstance(value, str))
FLAG = Is("true or false", lambda value: isinstance(value, bool))
FINITE = Is("a finite number", is_finite)
NOT_NEGATIVE = Is("a finite number, 0 or more", lambda value: is_finite(value) and value >= 0)  # type: ignore[operator]
NUMBER = Is(
    'a number, "nan", "inf" or "-inf"',
    lambda value: is_finite(value) or isinstance(value, float) or value in ("nan", "inf", "-inf"),
)
