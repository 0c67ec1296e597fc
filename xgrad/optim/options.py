"""The options of an optimizer: their checks, and the groups of parameters that share them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from xgrad.engine import tracing
from xgrad.engine.tensor import Tensor

Check = Callable[[str, Any], Any]  # (where, value) -> the converted value, or ValueError


def finite(where: str, value: Any) -> float:
    """Any finite number."""
    return _number(where, value, "a finite number", lambda v: True)


def at_least_zero(where: str, value: Any) -> float:
    """A finite number, 0 or more."""
    return _number(where, value, "a finite number, 0 or more", lambda v: v >= 0)


def at_most_zero(where: str, value: Any) -> float:
    """A finite number, 0 or less."""
    return _number(where, value, "a finite number, 0 or less", lambda v: v <= 0)


def one_or_more(where: str, value: Any) -> float:
    """A finite number, 1 or more."""
    return _number(where, value, "a finite number, 1 or more", lambda v: v >= 1)


def zero_to_one(where: str, value: Any) -> float:
    """A number from 0 to 1."""
    return _number(where, value, "a number from 0 to 1", lambda v: 0 <= v <= 1)


def two_fractions(where: str, value: Any) -> tuple[float, float]:
    """Two numbers, each at least 0 and less than 1."""
    right = "two numbers, each at least 0 and less than 1"
    first, second = _numbers(where, value, 2, right)
    if not (0 <= first < 1 and 0 <= second < 1):
        raise ValueError(f"{where} must be {right}, got {value!r}")
    return first, second


def around_one(where: str, value: Any) -> tuple[float, float]:
    """Two numbers, of which the first is between 0 and 1, and the second more than 1."""
    less, more = _numbers(where, value, 2, "two numbers, the first between 0 and 1, the second more than 1")
    if not 0 < less < 1 < more:
        raise ValueError(
            f"{where} must be two numbers, the first between 0 and 1, the second more than 1, got {value!r}"
        )
    return less, more


def ascending(where: str, value: Any) -> tuple[float, float]:
    """Two numbers, 0 or more, of which the second is not less than the first."""
    right = "two numbers, 0 or more, the second not less than the first"
    first, second = _numbers(where, value, 2, right)
    if not 0 <= first <= second:
        raise ValueError(f"{where} must be {right}, got {value!r}")
    return first, second


def two_eps(where: str, value: Any) -> tuple[float | None, float]:
    """None or a number, and a number; 0 or more."""
    right = "two numbers, 0 or more, of which the first may be None"
    try:
        first, second = value
    except (TypeError, ValueError):
        raise ValueError(f"{where} must be {right}, got {value!r}") from None
    second = _number(where, second, right, lambda v: v >= 0)
    return (None if first is None else _number(where, first, right, lambda v: v >= 0)), second


def three_numbers(where: str, value: Any) -> tuple[float, float, float]:
    """Three finite numbers."""
    first, second, third = _numbers(where, value, 3, "three finite numbers")
    return first, second, third


def below_100(where: str, value: Any) -> int:
    """An integer from 0 to 99."""
    try:
        number = operator.index(value)
    except TypeError:
        number = -1
    if not 0 <= number < 100:
        raise ValueError(f"{where} must be an integer from 0 to 99, got {value!r}")
    return number


class one_of:  # noqa: N801 (a check, as the functions here)
    """The check of an option that is None or one of these names. It can be pickled, with the group that has it."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.right = "None or " + " or ".join(map(repr, names))
        self.__doc__ = f"{self.right}."

    def __call__(self, where: str, value: Any) -> Any:
        if value is not None and value not in self.names:
            raise ValueError(f"{where} must be {self.right}, got {value!r}")
        return value


def whole(where: str, value: Any) -> int:
    """An integer, 0 or more."""
    return _integer(where, value, "an integer, 0 or more", 0)


def at_least_one(where: str, value: Any) -> int:
    """An integer, 1 or more."""
    return _integer(where, value, "an integer, 1 or more", 1)


def whole_or_none(where: str, value: Any) -> int | None:
    """An integer, 0 or more, or None."""
    return None if value is None else _integer(where, value, "an integer, 0 or more, or None", 0)


def flag(where: str, value: Any) -> bool:
    """True or False."""
    # 1 and 0 are accepted
    if isinstance(value, str | bytes) or getattr(value, "shape", ()) != () or value not in (0, 1):
        raise ValueError(f"{where} must be True or False, got {value!r}")
    return bool(value)


def _numbers(where: str, value: Any, count: int, right: str) -> list[float]:
    """So many finite numbers."""
    try:
        numbers = [] if isinstance(value, str | bytes) else list(value)
    except TypeError:
        numbers = []
    if len(numbers) != count:
        raise ValueError(f"{where} must be {right}, got {value!r}")
    return [_number(where, number, right, lambda v: True) for number in numbers]


def _number(where: str, value: Any, right: str, good: Callable[[float], bool]) -> float:
    try:
        number = math.nan if isinstance(value, str | bytes) else float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{where} must be {right}, got {value!r}") from None
    if not (math.isfinite(number) and good(number)):
        raise ValueError(f"{where} must be {right}, got {value!r}")
    return number


def _integer(where: str, value: Any, right: str, least: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{where} must be {right}, got {value!r}") from None
    if isinstance(value, bool) or number < least:
        raise ValueError(f"{where} must be {right}, got {value!r}")
    return number


class Options:
    """The options of a group as attributes: `o.lr`. The object is immutable: a group in which an option is set makes another."""

    _prepared: Any = None  # the Prepared of these options

    def __init__(self, values: Mapping[str, Any]) -> None:
        vars(self).update(values)

    def __reduce__(self) -> Any:
        return Options, ({name: value for name, value in vars(self).items() if name != "_prepared"},)


class ParamGroup(MutableMapping[str, Any]):
    """Parameters and the options that they share, with the interface of PyTorch's dict.

    An option is checked and converted when it is set, so that a step need not do it: `group["lr"] = float("nan")` raises
    ValueError and leaves the group as it was. Keys that are no options of the optimizer are stored as they are.
    """

    def __init__(
        self,
        owner: str,
        checks: Mapping[str, Check],
        params: list[Tensor],
        items: Mapping[str, Any],
    ) -> None:
        self.owner = owner
        self.checks = checks
        self.params = params
        self.options: dict[str, Any] = {}
        self.named = Options({})  # the same as attributes, for updates
        self.others: dict[str, Any] = {}
        for name, value in items.items():
            self[name] = value

    def __getitem__(self, name: str) -> Any:
        if name == "params":
            return self.params
        return self.options[name] if name in self.options else self.others[name]

    def __setitem__(self, name: str, value: Any) -> None:
        if name == "params":
            self.params = list(value)
        elif name in self.checks:
            if (trace := tracing.current()) is not None:
                trace.refuse(
                    f"the option {name!r} of an optimizer is set inside of the compiled function, as a schedule does",
                    "Set it outside: each call reads it anew",
                )
            checked = self.checks[name](f"{self.owner}: {name}", value)
            self.options = {**self.options, name: checked}
            self.named = Options(self.options)
        else:
            self.others[name] = value

    def __delitem__(self, name: str) -> None:
        if name == "params" or name in self.options:
            raise KeyError(f"{self.owner} needs {name!r}: it cannot be deleted from a group")
        del self.others[name]

    def __iter__(self) -> Iterator[str]:
        yield "params"
        yield from self.options
        yield from self.others

    def __len__(self) -> int:
        return 1 + len(self.options) + len(self.others)

    def __repr__(self) -> str:
        return repr(dict(self))
