"""What a run is asked to do: every option and its default, checked before all else."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from os import PathLike, fspath
from typing import Any

from xgrad.fit.errors import FitError
from xgrad.fit.network import ACTIVATIONS, INITS, LOSSES, OPTIMIZERS

DTYPES = ("float32", "float64")
# Adam at 0.01 learns as fast, but now and then a step throws it far off for a while.
LEARNING_RATES = {"adam": 0.003, "adamw": 0.003}
LEARNING_RATE = 0.01  # of the others
MOST_POINTS = 10_000_000  # they pass through Python lists


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
        self._complete()
        self._check_data()
        _one_of("activation", self.activation, ACTIVATIONS)
        _one_of("output-activation", self.output_activation, ACTIVATIONS)
        _one_of("init", self.init, INITS)
        _one_of("loss", self.loss, LOSSES)
        _one_of("optimizer", self.optimizer, OPTIMIZERS)
        _one_of("dtype", self.dtype, DTYPES)
        for size in self.hidden:
            _at_least(1, "hidden", size)
        for name in ("steps", "batch", "every"):
            value = getattr(self, name)
            if value is not None:
                _at_least(1, name, value)
        _at_least(0, "seed", self.seed)
        assert self.lr is not None
        if not (math.isfinite(self.lr) and self.lr >= 0):
            raise FitError(f"--lr must be a finite number, 0 or more; it is {self.lr}")
        if self.device is not None and not self.device:
            raise FitError("--device is empty; leave it out for the backend's own default")

    def _complete(self) -> None:
        """Fill in the defaults that depend on other options, and make paths strings."""
        for name in ("data", "out", "gif", "history"):
            if isinstance(getattr(self, name), PathLike):
                object.__setattr__(self, name, fspath(getattr(self, name)))
        if self.data is None:
            computed = {"function": "x**2", "range": (-100.0, 100.0), "points": 201}
            for name, default in computed.items():
                if getattr(self, name) is None:
                    object.__setattr__(self, name, default)  # the dataclass is frozen
        if self.lr is None:
            rate = LEARNING_RATES.get(self.optimizer, LEARNING_RATE)
            object.__setattr__(self, "lr", rate)
        if self.every is None:
            object.__setattr__(self, "every", max(1, self.steps // 100))

    def _check_data(self) -> None:
        if self.data is not None:
            for name in ("function", "range", "points"):
                if getattr(self, name) is not None:
                    raise FitError(f"--{name} and --data exclude each other: the points are read")
        if self.range is not None:
            low, high = self.range
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise FitError(f"--range needs two finite numbers LO < HI, not {low:g} {high:g}")
        if self.points is not None:
            _at_least(2, "points", self.points)
            if self.points > MOST_POINTS:
                raise FitError(f"--points must be {MOST_POINTS} or less; it is {self.points}")

    def public(self) -> dict[str, Any]:
        """The options as they go into a history: those that make the run what it is, and its files."""
        options = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "fix"}
        if self.data is not None and not isinstance(self.data, str):
            options["data"] = f"{len(self.data[0])} points"
        return options


def _one_of(option: str, value: str, choices: Collection[str]) -> None:
    if value not in choices:
        raise FitError(f"--{option} {value!r} is unknown; there are {', '.join(choices)}")


def _at_least(least: int, option: str, value: int) -> None:
    if not isinstance(value, int) or value < least:
        raise FitError(f"--{option} must be a whole number, {least} or more; it is {value}")
