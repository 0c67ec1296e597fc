"""What a run is asked to do: every option and its default, checked before all else."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from numbers import Integral
from os import PathLike, fspath
from typing import Any

from xgrad.fit.errors import FitError
from xgrad.fit.network import ACTIVATIONS, INITS, LOSSES, OPTIMIZERS
from xgrad.fit.schema import FLAG, NOT_NEGATIVE, NUMBER, TEXT, Kind, Maybe, OneOf, Several, Whole
from xgrad.fit.words import shortened, shown

DTYPES = ("float32", "float64")
# Adam at 0.01 learns as fast, but now and then a step throws it far off for a while.
LEARNING_RATES = {"adam": 0.003, "adamw": 0.003}
LEARNING_RATE = 0.01  # of the others

# Beyond these a run would end when the machine's memory does, and all of it be lost.
MOST_POINTS = 10_000_000  # they pass through Python lists
MOST_STEPS = 1_000_000_000  # each has a loss that is kept
MOST_PARAMETERS = 100_000_000
MOST_OUTPUTS = 1_000_000_000  # of all units for all points

# What each option must be, here and in a history. That the range is finite is said by itself.
OPTIONS: dict[str, Kind] = {
    "function": Maybe(TEXT),
    "data": Maybe(TEXT),
    "range": Maybe(Several(NUMBER, 2)),
    "points": Maybe(Whole(2, MOST_POINTS)),
    "standardize": FLAG,
    "activation": OneOf(ACTIVATIONS),
    "output_activation": OneOf(ACTIVATIONS),
    "hidden": Several(Whole(1)),
    "init": OneOf(INITS),
    "loss": OneOf(LOSSES),
    "optimizer": OneOf(OPTIMIZERS),
    "lr": Maybe(NOT_NEGATIVE),
    "steps": Whole(1, MOST_STEPS),
    "batch": Maybe(Whole(1, MOST_POINTS)),
    "seed": Whole(0),
    "dtype": OneOf(DTYPES),
    "backend": Maybe(TEXT),
    "device": Maybe(TEXT),
    "out": Maybe(TEXT),
    "gif": Maybe(TEXT),
    "history": Maybe(TEXT),
    "every": Maybe(Whole(1)),
    "quiet": FLAG,
    "fix": FLAG,
}

Points = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True, kw_only=True)
class Config:
    """The options of a fit. Those of the command line have the same names.

    Raises FitError, naming the option, for a value out of its range.
    """

    function: str | None = None  # x**2, unless there is data
    data: str | Points | None = None  # a CSV file, or (x, y)
    range: tuple[float, float] | None = None  # (-100, 100), unless there is data
    points: int | None = None  # 201, unless there is data
    standardize: bool = True  # x and y to mean 0 and standard deviation 1, for training
    activation: str = "relu"
    output_activation: str = "none"
    hidden: tuple[int, ...] = (32, 32)
    init: str = "uniform"
    loss: str = "mse"
    optimizer: str = "adam"
    lr: float | None = None  # of LEARNING_RATES, for the optimizer
    steps: int = 1000
    batch: int | None = None  # None is all points at every step
    seed: int = 0
    dtype: str = "float32"
    backend: str | None = None  # the default one
    device: str | None = None  # the backend's default one
    out: str | None = None
    gif: str | None = None
    history: str | None = None
    every: int | None = None  # steps between two samples of the curve and of the layers
    quiet: bool = True
    fix: bool = False  # try what mends the run, where something is found wrong

    def __post_init__(self) -> None:
        self._plain()
        self._check_types()
        self._complete()
        self._check_data()
        for name in ("backend", "device"):
            if getattr(self, name) == "":
                raise FitError(f"--{name} is empty; leave it out for the default one")
        parameters = sum((n + 1) * m for n, m in pairwise((1, *self.hidden, 1)))
        if parameters > MOST_PARAMETERS:
            raise FitError(
                f"--hidden {self._sizes()} is too large: the network has {shown(parameters)} parameters; "
                f"at most {MOST_PARAMETERS} are trained"
            )

    def _plain(self) -> None:
        """Make integers of other libraries Python's, paths strings, and lists tuples."""
        for name in ("points", "steps", "batch", "seed", "every"):
            self._set(name, _plain_integer(getattr(self, name)))
        for name in ("data", "out", "gif", "history"):
            if isinstance(getattr(self, name), PathLike):
                self._set(name, fspath(getattr(self, name)))
        if isinstance(self.hidden, list | tuple):
            self._set("hidden", tuple(map(_plain_integer, self.hidden)))

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)  # the dataclass is frozen

    def _check_types(self) -> None:
        for name, kind in OPTIONS.items():
            value = getattr(self, name)
            if name == "data" and isinstance(value, list | tuple) and len(value) == 2:
                continue  # points, which are looked at when they are read
            found = kind.fault(value)
            if found:
                raise FitError(f"--{name.replace('_', '-')} {found[1]}")

    def _complete(self) -> None:
        """Fill in the defaults that depend on other options."""
        if self.data is None:
            computed = {"function": "x**2", "range": (-100.0, 100.0), "points": 201}
            for name, default in computed.items():
                if getattr(self, name) is None:
                    self._set(name, default)
        if self.lr is None:
            self._set("lr", LEARNING_RATES.get(self.optimizer, LEARNING_RATE))
        if self.every is None:
            self._set("every", max(1, self.steps // 100))

    def _sizes(self) -> str:
        return shortened(",".join(map(str, self.hidden)))

    def _check_data(self) -> None:
        if self.data is not None:
            for name in ("function", "range", "points"):
                if getattr(self, name) is not None:
                    raise FitError(f"--{name} and --data exclude each other: the points are read")
        if self.range is not None:
            low, high = map(float, self.range)
            why = _fault_of_range(low, high)
            if why:
                raise FitError(f"--range needs two finite numbers LO < HI, not {_short(low)} {_short(high)}: {why}")

    def check_size(self, points: int) -> None:
        """Raises FitError for a network that is too large for so many points."""
        outputs = max(points, self.batch or 0) * (sum(self.hidden) + 1)
        if outputs > MOST_OUTPUTS:
            raise FitError(
                f"--hidden {self._sizes()} is too large for {max(points, self.batch or 0)} points: its units have "
                f"{outputs} outputs; at most {MOST_OUTPUTS} are held"
            )

    def public(self) -> dict[str, Any]:
        """The options as they go into a history: those that make the run what it is, and its files."""
        options = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "fix"}
        if self.data is not None and not isinstance(self.data, str):
            options["data"] = f"{len(self.data[0])} points"
        return options


def _fault_of_range(low: float, high: float) -> str:
    for name, value in (("LO", low), ("HI", high)):
        if not math.isfinite(value):
            return f"{name} is {value}"
    if low >= high:
        return "they are equal" if low == high else "LO is larger than HI"
    return "" if math.isfinite(high - low) else "they are too far apart"


def _short(value: float) -> str:
    """
    >>> _short(5.0), _short(0.1 + 0.2)
    ('5', '0.30000000000000004')
    """
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


def _plain_integer(value: Any) -> Any:
    return operator.index(value) if isinstance(value, Integral) and not isinstance(value, bool) else value
