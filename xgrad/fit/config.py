"""The options of a run, with their defaults and checks."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from numbers import Integral
from os import PathLike, fspath
from typing import Any

from xgrad._words import shortened, shown
from xgrad.fit.errors import FitError
from xgrad.fit.network import ACTIVATIONS, INITS, LOSSES, OPTIMIZERS
from xgrad.fit.schema import FLAG, NOT_NEGATIVE, NUMBER, TEXT, Kind, Maybe, OneOf, Several, Whole

DTYPES = ("float32", "float64")
# At 0.01, Adam learns as fast, but now and then a step raises the loss for a while.
LEARNING_RATES = {"adam": 0.003, "adamw": 0.003}
LEARNING_RATE = 0.01  # of the others

# A larger run would exhaust the memory of the machine and lose its results.
MOST_POINTS = 10_000_000  # in Python lists
MOST_STEPS = 1_000_000_000  # the loss of each is kept
MOST_PARAMETERS = 100_000_000
MOST_OUTPUTS = 1_000_000_000  # of all units together, for all points

# The kind of value of each option, here and in a history. `_check_data` checks that a range is finite.
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
    "compile": FLAG,
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
    """The options of a fit, checked and completed. The command line has options of the same names.

    Args:
        function: what to learn, a function of x such as "sin(3*x) + x/5". None means "x**2" where there is no `data`.
        data: the points to learn instead: the path of a CSV file with columns x and y, or a pair of sequences (x, y).
        range: the lowest and the highest x of the points of a function. None means (-100, 100).
        points: how many points of a function, evenly spaced, 2 or more. None means 201.
        standardize: whether x and y are scaled to mean 0 and standard deviation 1 for the training.
        activation: after each hidden layer: the name of an activation, or "none".
        output_activation: after the last layer: the name of an activation, or "none".
        hidden: the sizes of the hidden layers, a tuple or list of integers; empty for none.
        init: the distribution of the starting weights: "uniform" (that of Linear), "kaiming_uniform", "kaiming_normal",
            "xavier_uniform" or "xavier_normal". With the last four the biases start at 0.
        loss: "mse", "l1" or "huber".
        optimizer: the name of a class in xgrad.optim, in lower case.
        lr: the learning rate. None means 0.003 for adam and adamw, 0.01 for the others. The other options of the optimizer have
            their defaults.
        steps: how many steps of the optimizer.
        batch: how many points are drawn for each step, with replacement. None means all points at every step.
        seed: the seed of all random numbers.
        compile: whether the steps between two samples of the layers run as a program (xgrad.compile). The losses are the same;
            the diagnosis reads only the losses of these steps.
        dtype: "float32" or "float64".
        backend: the name of an array library, or "auto". None means the current backend.
        device: a device of the backend. None means its default one.
        out: the path of a picture to write.
        gif: the path of an animation to write.
        history: the path of a JSON file to write, with all numbers.
        every: how many steps lie between two samples of the curve and of the layers. None means a hundredth of `steps`.
        quiet: whether there is no progress bar.
        fix: whether to try a fix where something is found wrong.

    Raises:
        FitError: for a value that is not allowed, or options that exclude each other. The message names the option.
        TypeError: for an unknown option.

    >>> from xgrad.fit import Config
    >>> config = Config(function="sin(x)", range=(-3, 3))
    >>> config.lr, config.points, config.every
    (0.003, 201, 10)

    The starting weights are those of https://docs.pytorch.org/docs/stable/nn.init.html, the losses and optimizers PyTorch's.
    """

    function: str | None = None
    data: str | Points | None = None
    range: tuple[float, float] | None = None
    points: int | None = None
    standardize: bool = True
    activation: str = "relu"
    output_activation: str = "none"
    hidden: tuple[int, ...] = (32, 32)
    init: str = "uniform"
    loss: str = "mse"
    optimizer: str = "adam"
    lr: float | None = None
    steps: int = 1000
    batch: int | None = None
    seed: int = 0
    compile: bool = False
    dtype: str = "float32"
    backend: str | None = None
    device: str | None = None
    out: str | None = None
    gif: str | None = None
    history: str | None = None
    every: int | None = None
    quiet: bool = True
    fix: bool = False

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
        """Convert integers of other libraries to int, paths to str, and lists to tuples."""
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
                continue  # points are checked when they are loaded
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
                    raise FitError(f"--{name} and --data exclude each other: the points come from the data")
        if self.range is not None:
            low, high = map(float, self.range)
            why = _fault_of_range(low, high)
            if why:
                raise FitError(f"--range needs two finite numbers LO < HI, not {_short(low)} {_short(high)}: {why}")

    def check_size(self, points: int) -> None:
        """Raise FitError for a network whose units have too many outputs for this number of points."""
        outputs = max(points, self.batch or 0) * (sum(self.hidden) + 1)
        if outputs > MOST_OUTPUTS:
            raise FitError(
                f"--hidden {self._sizes()} is too large for {max(points, self.batch or 0)} points: its units have "
                f"{outputs} outputs; at most {MOST_OUTPUTS} are held"
            )

    def public(self) -> dict[str, Any]:
        """The options as a history holds them: all but `fix`. Points that were passed in are replaced by their number."""
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
