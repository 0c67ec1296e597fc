"""The points to learn, as Python floats, which are the same on every backend."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import xgrad as xg
from xgrad._words import printable, shortened, shown
from xgrad.fit.config import Config
from xgrad.fit.csvfile import read_csv
from xgrad.fit.errors import FitError
from xgrad.fit.expression import Expression, parse

CURVE_POINTS = 1001
LONGEST_NAME = 60  # characters for which a title has room
LARGEST = 1e200  # matplotlib can draw it, and the sum of MOST_POINTS such numbers is finite
LARGEST_RAW = {"float32": 3.4e38, "float64": 1e150}  # beyond 1e150 the square overflows in double precision


@dataclass(frozen=True)
class Samples:
    """Points (x, y) in the units of the data, and the curve on which they lie, if it is known."""

    name: str
    x: list[float]
    y: list[float]
    curve: tuple[list[float], list[float]] | None


@dataclass(frozen=True)
class Scale:
    """A change of units: the training uses (value - mean) / std."""

    mean: float = 0.0
    std: float = 1.0

    @classmethod
    def standard(cls, values: Sequence[float]) -> Scale:
        """The scale in which `values` have mean 0 and standard deviation 1 (0 if all are equal)."""
        if min(values) == max(values):
            return cls(values[0], 1.0)  # rounding could make the mean differ from them
        mean = math.fsum(values) / len(values)
        away = [value - mean for value in values]
        unit = unit_of(away)
        std = unit * math.sqrt(math.fsum((d / unit) ** 2 for d in away) / len(away))
        return cls(mean, std or unit)

    def to_training(self, values: Sequence[float]) -> list[float]:
        return [(value - self.mean) / self.std for value in values]

    def to_data(self, values: Sequence[float]) -> list[float]:
        return [value * self.std + self.mean for value in values]


def unit_of(values: Sequence[float]) -> float:
    """The power of two by which to divide numbers so that their squares neither overflow nor underflow. The division is exact.

    >>> unit_of([3.0, -5e200]) > 1e200
    True
    """
    return math.ldexp(1.0, math.frexp(max(map(abs, values)))[1] - 1)


def load_samples(config: Config) -> Samples:
    """The points of a run.

    Raises FitError for a function outside the grammar or not finite on the range, for a file or lists without points, and for
    numbers that are too large.
    """
    samples = _load(config)
    config.check_size(len(samples.x))
    raw = not config.standardize
    limit = LARGEST_RAW[config.dtype] if raw else LARGEST
    for name, values in (("x", samples.x), ("y", samples.y)):
        largest = max(values, key=abs)
        if abs(largest) > limit:
            raise FitError(
                f"{samples.name}: {name} reaches {largest:g}, which is too large: "
                f"at most {limit:.2g} is allowed{f' with --raw and {config.dtype}' if raw else ''}"
            )
    return samples


def _load(config: Config) -> Samples:
    if isinstance(config.data, str):
        return Samples(shortened(printable(Path(config.data).name), LONGEST_NAME), *read_csv(config.data), curve=None)
    if config.data is not None:
        return _given(*config.data)
    assert config.function is not None
    assert config.range is not None
    assert config.points is not None
    function = parse(config.function)
    low, high = config.range
    x, y = _evaluate(function, low, high, config.points)
    for at, value in zip(x, y, strict=True):
        if not math.isfinite(value):
            raise FitError(
                f"function {shown(function.text)} is {value} at x = {at:g}; choose a --range where it is finite"
            )
    name = f"{shortened(function.text, LONGEST_NAME)} on [{low:g}, {high:g}]"
    return Samples(name, x, y, curve=_evaluate(function, low, high, CURVE_POINTS))


def _given(xs: Sequence[float], ys: Sequence[float]) -> Samples:
    x, y = [float(value) for value in xs], [float(value) for value in ys]
    if len(x) != len(y) or len(x) < 2:
        raise FitError(f"data: two points or more are needed, with as many x as y; got {len(x)} x and {len(y)} y")
    for place, point in enumerate(zip(x, y, strict=True)):
        if not all(math.isfinite(value) for value in point):
            raise FitError(f"data: point {place} is {point}, which is not finite")
    return Samples(f"{len(x)} points", x, y, curve=None)


def _evaluate(function: Expression, low: float, high: float, points: int) -> tuple[list[float], list[float]]:
    with xg.use_backend("numpy"), xg.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the caller reports the first value that is not finite
        x = xg.linspace(low, high, points, dtype=xg.float64)
        return x.numpy().tolist(), function(xg, x).numpy().tolist()
