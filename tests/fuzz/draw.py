"""What a row of the grammar draws from: the values there are, random choices, and conditions."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.fuzz.plain_numpy import names as plain_names
from tests.fuzz.program import Host, Step, spelled

LARGEST = 25.0  # a value's largest element
SIZE = 48  # and how many there may be
MARGIN = 0.03  # how far from a kink, a tie, or a bound
KINDS = {"f": "f", "c": "c", "i": "i", "u": "i", "b": "b"}


class UnfitError(Exception):
    """What was drawn does not meet the conditions: try another row."""


def need(condition: Any) -> None:
    if not condition:
        raise UnfitError


@dataclass
class Value:
    """A value of the program: in a text it is its name."""

    name: str
    memory: Host
    depends: bool  # on an input

    def __post_init__(self) -> None:
        self.look_again()

    def look_again(self) -> None:
        """The array without its last digits, which differ from run to run: conditions on them must not."""
        self.array = np.round(self.memory, 10) if self.memory.dtype.kind in "fc" else self.memory

    def __str__(self) -> str:
        return self.name

    @property
    def kind(self) -> str:
        return KINDS[self.array.dtype.kind]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.array.shape)

    @property
    def ndim(self) -> int:
        return int(self.array.ndim)

    @property
    def size(self) -> int:
        return int(self.array.size)

    @property
    def dtype(self) -> str:
        return str(self.array.dtype.name)


class Draw:
    """A program that is being made."""

    def __init__(self, rng: random.Random, inputs: Sequence[Host], dtype: str, *, views: bool = False) -> None:
        self.rng, self.dtype, self.views = rng, dtype, views
        self.dims = sorted({n for x in inputs for n in x.shape if n} | {2, 3})
        self.values = [Value(f"x{i}", x, True) for i, x in enumerate(inputs)]
        self.steps: list[Step] = []
        self.tags: set[str] = set()
        self.hidden: set[str] = set()
        self.row = ""
        self.scope = plain_names(exact=True) | {v.name: v.memory for v in self.values}

    # --- to take back what a row began ---

    def mark(self) -> tuple[int, int, set[str]]:
        return len(self.values), len(self.steps), set(self.tags)

    def back_to(self, mark: tuple[int, int, set[str]]) -> None:
        values, steps, self.tags = mark
        self.hidden -= {v.name for v in self.values[values:]}
        del self.values[values:], self.steps[steps:]

    # --- lines of the program ---

    def let(self, expression: str, plain: str | None = None, *, wide: bool = False) -> Value:
        """A new value, which the expression gives. `wide`: its elements need not be of order 1."""
        name = f"v{len(self.values)}"
        return self.do((name,), f"{name} = {expression}", plain and f"{name} = {plain}", wide=wide)[0]

    def several(self, count: int, expression: str) -> list[Value]:
        """New values from an expression that gives a tuple of them."""
        names = tuple(f"v{len(self.values) + i}" for i in range(count))
        return self.do(names, f"{', '.join(names)}{',' * (count == 1)} = {expression}")

    def do(self, defines: tuple[str, ...], text: str, plain: str | None = None, *, wide: bool = False) -> list[Value]:
        """Lines that define names; they are run at once, in NumPy."""
        step = Step(self.row, defines, text, plain)
        with np.errstate(all="ignore"):
            try:
                exec(plain or text, self.scope)
            except (ValueError, TypeError, IndexError, np.linalg.LinAlgError, ZeroDivisionError) as error:
                raise UnfitError(str(error)) from error
        depends = any(v.depends for v in self.values if v.name in step.uses)
        made = [Value(n, np.asarray(self.scope[n]), depends) for n in defines]
        if not defines:  # a write through a view
            for v in self.values:
                v.look_again()
        for v in made or self.values:
            need(v.size <= SIZE and v.ndim <= 5)
            if v.kind in "fc" and v.size:
                need(np.isfinite(v.array).all() and (wide or np.abs(v.array).max() <= LARGEST))
        self.steps.append(step)
        self.values += made
        return made

    def constant(self, array: Host) -> Value:
        """A value that no input reaches."""
        return self.let(spelled(np.asarray(array)))

    def hide(self, *values: Value) -> None:
        """Let no other row use them: an eigenvector is known up to its sign or phase."""
        self.hidden |= {v.name for v in values}

    def shown(self) -> list[Value]:
        return [v for v in self.values if v.name not in self.hidden]

    # --- choices ---

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def one_of(self, choices: Sequence[Any]) -> Any:
        need(len(choices))
        return choices[int(self.rng.random() * len(choices))]

    def pick(
        self,
        kinds: str = "f",
        *,
        dims: tuple[int, int] = (0, 4),
        where: Callable[[Value], Any] = lambda v: True,
    ) -> Value:
        """A value there is; the later, the likelier."""
        fit = [v for v in self.shown() if v.kind in kinds and dims[0] <= v.ndim <= dims[1] and where(v)]
        if "f" in kinds or "c" in kinds:  # what depends on no input has no derivative
            moving = [v for v in fit if v.depends]
            fit = moving if moving and self.chance(0.95) else fit
        need(fit)
        weights = [3.0 if k >= len(fit) - 4 else 1.0 for k in range(len(fit))]
        at = self.rng.random() * sum(weights)
        for v, w in zip(fit, weights, strict=True):
            at -= w
            if at <= 0:
                return v
        return fit[-1]

    def full(self, kinds: str = "f", **conditions: Any) -> Value:
        """A value that is not empty."""
        where = conditions.pop("where", lambda v: True)
        return self.pick(kinds, where=lambda v: v.size and where(v), **conditions)

    def axis(self, v: Value, *, nonempty: bool = False) -> int:
        """An axis of the value, counted from either end."""
        fit = [k for k in range(v.ndim) if v.shape[k] or not nonempty]
        k = self.one_of(fit)
        return int(k if self.chance(0.5) else k - v.ndim)

    def axes(self, v: Value, *, none: bool = True) -> Any:
        """An axis, several, or None for all."""
        if v.ndim == 0 or (none and self.chance(0.3)):
            need(none)
            return None
        if self.chance(0.5):
            return self.axis(v)
        count = 1 + int(self.rng.random() * v.ndim)
        order = list(range(v.ndim))
        self.rng.shuffle(order)
        return tuple(k if self.chance(0.5) else k - v.ndim for k in order[:count])

    def scalar(self, low: float = 0.3, high: float = 2.0) -> Any:
        """A Python number."""
        value = round(low + (high - low) * self.rng.random(), 2)
        return -value if low > 0 and self.chance(0.3) and low != 0.31 else value

    def fraction(self, low: float, high: float) -> float:
        return round(low + (high - low) * self.rng.random(), 2)

    def numbers(self, shape: tuple[int, ...], low: float = -1.5, high: float = 1.5, dtype: str | None = None) -> Host:
        """Random numbers with few digits, none near 0."""
        size = int(np.prod(shape, dtype=int))
        flat = [round(low + (high - low) * self.rng.random(), 3) for _ in range(size)]
        flat = [v if abs(v) > 0.1 else v + 0.25 for v in flat]
        return np.asarray(flat, dtype=dtype or self.dtype).reshape(shape)

    def keepdims(self) -> str:
        return ", keepdims=True" if self.chance(0.4) else ""

    # --- values that meet a condition: one there is, or a function of one there is ---

    def within(self, low: float, high: float, kinds: str = "f", **conditions: Any) -> Value:
        """A real value with all elements between low and high."""
        inside = lambda v: v.size == 0 or (v.array.min() > low and v.array.max() < high)  # noqa: E731
        if self.chance(0.7):
            try:
                where = conditions.get("where", lambda v: True)
                others = {k: c for k, c in conditions.items() if k != "where"}
                return self.pick(kinds, where=lambda v: inside(v) and where(v), **others)
            except UnfitError:
                pass
        v = self.pick(kinds, **conditions)
        return v if inside(v) else self.squeezed(v, low, high)

    def squeezed(self, v: Value, low: float, high: float) -> Value:
        """The value, taken smoothly to between low and high."""
        middle, half = (low + high) / 2, (high - low) * 0.45
        if self.chance(0.5):
            return self.let(f"xp.sin({v}) * {half:.4g} + {middle:.4g}")
        return self.let(f"xp.tanh({v}) * {half:.4g} + {middle:.4g}")

    def spelled_alike(self, expressions: Sequence[str], plain: str | None = None) -> Value:
        """The value of one of several ways to write the same."""
        return self.let(self.one_of(expressions), plain)


# --- conditions on arrays --------------------------------------------------------------------------------------


def away(array: Host, *places: float) -> None:
    """No element is near any of the places."""
    for place in places:
        need(not array.size or np.abs(array - place).min() > MARGIN)


def away_from_integers(array: Host) -> None:
    need(not array.size or np.abs(array - np.round(array)).min() > MARGIN)


def apart(array: Host, axis: int | None = None) -> None:
    """No two elements along the axis are near each other."""
    flat = array.reshape(-1) if axis is None else array
    ordered = np.sort(flat, axis=-1 if axis is None else axis)
    gaps = np.diff(ordered, axis=-1 if axis is None else axis)
    need(not gaps.size or gaps.min() > MARGIN)


def broadcasts(*values: Value) -> bool:
    try:
        np.broadcast_shapes(*(v.shape for v in values))
    except ValueError:
        return False
    return True
