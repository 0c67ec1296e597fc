"""The normal distribution, and the distributions of the exponential and of the size of a normal number."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad.distributions import constraints
from xgrad.distributions.distribution import Distribution, needs
from xgrad.distributions.parameters import broadcast_all, filled
from xgrad.engine.tensor import Tensor
from xgrad.random import Generator

HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)


def log_density(z: Tensor, scale: Tensor) -> Tensor:
    """The logarithm of the normal density at z standard deviations."""
    return -0.5 * xg.square(z) - xg.log(scale) - HALF_LOG_2_PI


class Normal(Distribution):
    """The normal distribution with mean `loc` and standard deviation `scale`.

    >>> import xgrad as xg
    >>> d = xg.distributions.Normal(0.0, 2.0)
    >>> round(d.log_prob(1.0).item(), 4), round(d.cdf(1.0).item(), 4)
    (-1.7371, 0.6915)
    >>> loc = xg.asarray([1.0, 5.0], requires_grad=True)
    >>> xg.sum(xg.distributions.Normal(loc, 1.0).rsample((10,))).backward()
    >>> loc.grad.tolist()
    [10.0, 10.0]

    Args:
        loc: the mean: a number or an array.
        scale: the standard deviation, above 0: a number or an array. It is broadcast with `loc`.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: for a scale that is not above 0, for a parameter that is nan, and for such values.

    https://docs.pytorch.org/docs/stable/distributions.html#normal
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
        return self.scale

    @property
    def variance(self) -> Tensor:
        return xg.square(self.scale)

    def rsample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        drawn = self._rng(rng).standard_normal(self._extended_shape(sample_shape), like=self.loc)
        return self.loc + drawn * self.scale

    def log_prob(self, value: Any) -> Tensor:
        value = self._value(value, self.loc)
        return log_density((value - self.loc) / self.scale, self.scale)

    def cdf(self, value: Any) -> Tensor:
        return xg.special.ndtr((self._value(value, self.loc) - self.loc) / self.scale)

    def icdf(self, value: Any) -> Tensor:
        return self.loc + self.scale * xg.special.ndtri(self._probability(value, self.loc))

    def entropy(self) -> Tensor:
        return 0.5 + HALF_LOG_2_PI + xg.log(self.scale)


class LogNormal(Distribution):
    """The distribution of exp(x), where x is normally distributed with mean `loc` and standard deviation `scale`.

    >>> import xgrad as xg
    >>> d = xg.distributions.LogNormal(0.0, 1.0)
    >>> round(d.mean.item(), 4), round(d.log_prob(2.0).item(), 4)
    (1.6487, -1.8523)

    Args:
        loc: the mean of the logarithm: a number or an array.
        scale: the standard deviation of the logarithm, above 0: a number or an array. It is broadcast with `loc`.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: for a scale that is not above 0, and for values that are not above 0.

    https://docs.pytorch.org/docs/stable/distributions.html#lognormal
    """

    has_rsample = True
    arg_constraints = needs(loc=constraints.real, scale=constraints.positive)
    support = constraints.positive

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return xg.exp(self.loc + xg.square(self.scale) / 2)

    @property
    def mode(self) -> Tensor:
        return xg.exp(self.loc - xg.square(self.scale))

    @property
    def variance(self) -> Tensor:
        squared = xg.square(self.scale)
        return xg.expm1(squared) * xg.exp(2 * self.loc + squared)

    def rsample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        drawn = self._rng(rng).standard_normal(self._extended_shape(sample_shape), like=self.loc)
        return xg.exp(self.loc + drawn * self.scale)

    def log_prob(self, value: Any) -> Tensor:
        x = xg.log(self._value(value, self.loc))
        return log_density((x - self.loc) / self.scale, self.scale) - x

    def cdf(self, value: Any) -> Tensor:
        return xg.special.ndtr((xg.log(self._value(value, self.loc)) - self.loc) / self.scale)

    def icdf(self, value: Any) -> Tensor:
        return xg.exp(self.loc + self.scale * xg.special.ndtri(self._probability(value, self.loc)))

    def entropy(self) -> Tensor:
        return 0.5 + HALF_LOG_2_PI + xg.log(self.scale) + self.loc


class HalfNormal(Distribution):
    """The distribution of abs(x), where x is normally distributed with mean 0 and standard deviation `scale`.

    >>> import xgrad as xg
    >>> d = xg.distributions.HalfNormal(2.0)
    >>> round(d.mean.item(), 4), round(d.cdf(2.0).item(), 4)
    (1.5958, 0.6827)

    Args:
        scale: the standard deviation of x, above 0: a number or an array.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: for a scale that is not above 0, and for values below 0.

    https://docs.pytorch.org/docs/stable/distributions.html#halfnormal
    """

    has_rsample = True
    arg_constraints = needs(scale=constraints.positive)
    support = constraints.nonnegative

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        (self.scale,) = broadcast_all(scale)
        super().__init__(self.scale.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def mode(self) -> Tensor:
        return filled(self.scale, 0.0)

    @property
    def variance(self) -> Tensor:
        return xg.square(self.scale) * (1 - 2 / math.pi)

    def rsample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        drawn = self._rng(rng).standard_normal(self._extended_shape(sample_shape), like=self.scale)
        return xg.abs(drawn) * self.scale

    def log_prob(self, value: Any) -> Tensor:
        value = self._value(value, self.scale)
        found = log_density(value / self.scale, self.scale) + math.log(2)
        return xg.where(value >= 0, found, -math.inf)

    def cdf(self, value: Any) -> Tensor:
        return xg.special.erf(self._value(value, self.scale) / (self.scale * math.sqrt(2)))

    def icdf(self, value: Any) -> Tensor:
        return self.scale * (math.sqrt(2) * xg.special.erfinv(self._probability(value, self.scale)))

    def entropy(self) -> Tensor:
        return 0.5 + HALF_LOG_2_PI + xg.log(self.scale) - math.log(2)
