"""Kinds of values in a config, beside those of `xgrad.fit.schema`, and all faults of a value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xgrad._words import shown
from xgrad.fit.schema import Fault, Is, Kind, OneOf, Place, Several, is_finite
from xgrad.train.problems import instead


@dataclass(frozen=True)
class Either(Kind):
    """A value of one of several kinds."""

    kinds: tuple[Kind, ...]

    @property
    def words(self) -> str:
        return " or ".join(kind.words for kind in self.kinds)

    def fault(self, value: object, at: Place = ()) -> Fault | None:
        if any(kind.fault(value, at) is None for kind in self.kinds):
            return None
        several = next((kind for kind in self.kinds if isinstance(kind, Several)), None)
        if isinstance(value, list) and several is not None:
            return several.fault(value, at)
        return at, f"must be {self.words}; it is {shown(value)}"


def faults(kind: Kind, value: object, at: Place = ()) -> Iterator[Fault]:
    """Everything that is wrong with a value: of a list, each element."""
    several = next((each for each in (kind, *getattr(kind, "kinds", ())) if isinstance(each, Several)), None)
    if several is not None and isinstance(value, list) and several.count in (None, len(value)):
        for i, each in enumerate(value):
            yield from faults(several.of, each, (*at, i))
        return
    found = kind.fault(value, at)
    if found is not None and isinstance(kind, OneOf):
        yield found[0], f"{shown(value)} is unknown; {instead(value, kind.choices)}"
    elif found is not None:
        at, why = found
        yield at, why.removesuffix(repr(value)) + str(value).lower() if isinstance(value, bool) else why


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


WORD = Is("a text", _is_text)
COLUMN = Is(
    "the name of a column, or its place, a whole number",
    lambda value: _is_text(value) or (isinstance(value, int) and not isinstance(value, bool)),
)
ABOVE_0 = Is("a finite number above 0", lambda value: is_finite(value) and value > 0)  # type: ignore[operator]
SHARE = Is("a number from 0 to below 1", lambda value: is_finite(value) and 0 <= value < 1)  # type: ignore[operator]
NO = Is("false", lambda value: value is False)
ONE_CHARACTER = Is(
    "one character that is no quotation mark and no end of a line",
    lambda value: isinstance(value, str) and len(value) == 1 and value not in '"\r\n',
)
