"""Distributions of a location and a scale, other than the normal distribution: Laplace, Cauchy, HalfCauchy, Gumbel, Uniform."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad.distributions import constraints
from xgrad.distributions.constraints import Constraint
from xgrad.distributions.distribution import Distribution, needs
from xgrad.distributions.parameters import broadcast_all, filled
from xgrad.engine.tensor import Tensor
from xgrad.random import Generator
from xgrad.random.place import all_true

EULER = 0.5772156649015328606


class Laplace(Distribution):
    """The Laplace distribution: an exponential distribution on both sides of `loc`.

    >>> import xgrad as xg
    >>> d = xg.distributions.Laplace(0.0, 1.0)
    >>> round(d.log_prob(2.0).item(), 4), d.icdf(0.5).item()
    (-2.6931, 0.0)

    Args:
        loc: the mean: a number or an array.
        scale: the mean distance from it, above 0: a number or an array. It is broadcast with `loc`.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: for a scale that is not above 0, and for values that are nan.

    https://docs.pytorch.org/docs/stable/distributions.html#laplace
    """

    has_rsample = True
    arg_constraints = needs(loc=constraints.real, scale=constraints.positive)
    support = constraints.real

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return self.scale * math.sqrt(2)

    @property
    def variance(self) -> Tensor:
        return 2 * xg.square(self.scale)

    def rsample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        drawn = self._rng(rng).laplace(size=self._extended_shape(sample_shape), like=self.loc)
        return self.loc + drawn * self.scale

    def log_prob(self, value: Any) -> Tensor:
        value = self._value(value, self.loc)
        return -xg.log(2 * self.scale) - xg.abs(value - self.loc) / self.scale

    def cdf(self, value: Any) -> Tensor:
        z = (self._value(value, self.loc) - self.loc) / self.scale
        tail = 0.5 * xg.exp(-xg.abs(z))
        return xg.where(z < 0, tail, 1 - tail)

    def icdf(self, value: Any) -> Tensor:
        p = self._probability(value, self.loc)
        below = p < 0.5
        return self.loc + self.scale * xg.where(below, xg.log(2 * p), -xg.log1p(1 - 2 * p))

    def entropy(self) -> Tensor:
        return 1 + xg.log(2 * self.scale)


class Cauchy(Distribution):
    """The Cauchy distribution. It has no mean and no variance; its median is `loc`.

    >>> import xgrad as xg
    >>> d = xg.distributions.Cauchy(0.0, 1.0)
    >>> round(d.cdf(1.0).item(), 4), d.mean.item()
    (0.75, nan)

    Args:
        loc: the median: a number or an array.
        scale: half the distance between the quartiles, above 0: a number or an array. It is broadcast with `loc`.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: for a scale that is not above 0, and for values that are nan.

    https://docs.pytorch.org/docs/stable/distributions.html#cauchy
    """

    has_rsample = True
    arg_constraints = needs(loc=constraints.real, scale=constraints.positive)
    support = constraints.real

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return filled(self.loc, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return filled(self.loc, math.inf)

    def rsample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        drawn = self._rng(rng).standard_cauchy(self._extended_shape(sample_shape), like=self.loc)
        return self.loc + drawn * self.scale

    def log_prob(self, value: Any) -> Tensor:
        z = (self._value(value, self.loc) - self.loc) / self.scale
        return -math.log(math.pi) - xg.log(self.scale) - xg.log1p(xg.square(z))

    def cdf(self, value: Any) -> Tensor:
        return xg.atan((self._value(value, self.loc) - self.loc) / self.scale) / math.pi + 0.5

    def icdf(self, value: Any) -> Tensor:
        return xg.tan(math.pi * (self._probability(value, self.loc) - 0.5)) * self.scale + self.loc

    def entropy(self) -> Tensor:
        return math.log(4 * math.pi) + xg.log(self.scale)


class HalfCauchy(Distribution):
    """The distribution of abs(x), where x has the Cauchy distribution with median 0.

    >>> import xgrad as xg
    >>> d = xg.distributions.HalfCauchy(2.0)
    >>> round(d.cdf(2.0).item(), 4), d.mean.item()
    (0.5, inf)

    Args:
        scale: the median, above 0: a number or an array.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: for a scale that is not above 0, and for values below 0.

    https://docs.pytorch.org/docs/stable/distributions.html#halfcauchy
    """

    has_rsample = True
    arg_constraints = needs(scale=constraints.positive)
    support = constraints.nonnegative

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        (self.scale,) = broadcast_all(scale)
        super().__init__(self.scale.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return filled(self.scale, math.inf)

    @property
    def mode(self) -> Tensor:
        return filled(self.scale, 0.0)

    @property
    def variance(self) -> Tensor:
        return filled(self.scale, math.inf)

    def rsample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        drawn = self._rng(rng).standard_cauchy(self._extended_shape(sample_shape), like=self.scale)
        return xg.abs(drawn) * self.scale

    def log_prob(self, value: Any) -> Tensor:
        value = self._value(value, self.scale)
        found = math.log(2 / math.pi) - xg.log(self.scale) - xg.log1p(xg.square(value / self.scale))
        return xg.where(value >= 0, found, -math.inf)

    def cdf(self, value: Any) -> Tensor:
        return xg.atan(self._value(value, self.scale) / self.scale) * (2 / math.pi)

    def icdf(self, value: Any) -> Tensor:
        return xg.tan((math.pi / 2) * self._probability(value, self.scale)) * self.scale

    def entropy(self) -> Tensor:
        return math.log(2 * math.pi) + xg.log(self.scale)


class Gumbel(Distribution):
    """The Gumbel distribution: that of the largest of many numbers.

    >>> import xgrad as xg
    >>> d = xg.distributions.Gumbel(0.0, 1.0)
    >>> round(d.mean.item(), 4), round(d.log_prob(1.0).item(), 4)
    (0.5772, -1.3679)

    Args:
        loc: the most likely value: a number or an array.
        scale: the scale, above 0: a number or an array. It is broadcast with `loc`.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: for a scale that is not above 0, and for values that are nan.

    https://docs.pytorch.org/docs/stable/distributions.html#gumbel
    """

    has_rsample = True
    arg_constraints = needs(loc=constraints.real, scale=constraints.positive)
    support = constraints.real

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc + EULER * self.scale

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return (math.pi / math.sqrt(6)) * self.scale

    @property
    def variance(self) -> Tensor:
        return (math.pi**2 / 6) * xg.square(self.scale)

    def rsample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        drawn = self._rng(rng).gumbel(size=self._extended_shape(sample_shape), like=self.loc)
        return self.loc + drawn * self.scale

    def log_prob(self, value: Any) -> Tensor:
        y = (self.loc - self._value(value, self.loc)) / self.scale
        return y - xg.exp(y) - xg.log(self.scale)

    def cdf(self, value: Any) -> Tensor:
        return xg.exp(-xg.exp((self.loc - self._value(value, self.loc)) / self.scale))

    def icdf(self, value: Any) -> Tensor:
        return self.loc - self.scale * xg.log(-xg.log(self._probability(value, self.loc)))

    def entropy(self) -> Tensor:
        return xg.log(self.scale) + (1 + EULER)


class Uniform(Distribution):
    """The uniform distribution between `low` and `high`.

    >>> import xgrad as xg
    >>> d = xg.distributions.Uniform(1.0, [3.0, 5.0])
    >>> d.mean.tolist(), d.cdf(2.0).tolist()
    ([2.0, 3.0], [0.5, 0.25])

    Args:
        low: the lower end, which belongs to the distribution: a number or an array.
        high: the upper end, above `low`: a number or an array. It is broadcast with `low`.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: for a `low` that is not below `high`, and for values outside of the two.

    https://docs.pytorch.org/docs/stable/distributions.html#uniform
    """

    has_rsample = True
    arg_constraints = needs(low=constraints.real, high=constraints.real)

    def __init__(self, low: Any, high: Any, validate_args: bool | None = None) -> None:
        self.low, self.high = broadcast_all(low, high)
        super().__init__(self.low.shape, validate_args=validate_args)
        if self._validate_args and all_true(self.low.detach() < self.high.detach()) is False:
            raise ValueError(f"Uniform: low must be below high, got {low!r} and {high!r}")

    @property
    def support(self) -> Constraint:  # type: ignore[override]
        """The numbers from `low` to `high`."""
        return constraints.interval(self.low, self.high)

    @property
    def mean(self) -> Tensor:
        return (self.high + self.low) / 2

    @property
    def mode(self) -> Tensor:
        return math.nan * self.high

    @property
    def stddev(self) -> Tensor:
        return (self.high - self.low) / math.sqrt(12)

    @property
    def variance(self) -> Tensor:
        return xg.square(self.high - self.low) / 12

    def rsample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        drawn = self._rng(rng).random(self._extended_shape(sample_shape), like=self.low)
        return self.low + drawn * (self.high - self.low)

    def log_prob(self, value: Any) -> Tensor:
        value = self._value(value, self.low)
        inside = (value >= self.low) & (value < self.high)
        return xg.where(inside, -xg.log(self.high - self.low), -math.inf)

    def cdf(self, value: Any) -> Tensor:
        return xg.clip((self._value(value, self.low) - self.low) / (self.high - self.low), 0.0, 1.0)

    def icdf(self, value: Any) -> Tensor:
        return self._probability(value, self.low) * (self.high - self.low) + self.low

    def entropy(self) -> Tensor:
        return xg.log(self.high - self.low)
