"""Shares of a whole: Beta and Dirichlet. Samples are ratios of gamma samples, with their implicit gradients."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad.distributions import constraints
from xgrad.distributions.distribution import Distribution, needs
from xgrad.distributions.gamma import log_gamma
from xgrad.distributions.parameters import as_array, broadcast_all, floating, xlogy
from xgrad.engine.tensor import Tensor
from xgrad.random import Generator


class Beta(Distribution):
    """The beta distribution on [0, 1], with density proportional to x**(concentration1 - 1) * (1 - x)**(concentration0 - 1).

    Samples are differentiable: x / (x + y), with gamma samples x and y. The concentrations are copied to the host to draw them,
    which waits for a device.

    >>> import xgrad as xg
    >>> d = xg.distributions.Beta(2.0, 3.0)
    >>> d.mean.item(), round(d.log_prob(0.5).item(), 4), round(d.cdf(0.5).item(), 4)
    (0.4, 0.4055, 0.6875)

    Args:
        concentration1: the first concentration, above 0: a number or an array.
        concentration0: the second concentration, above 0: a number or an array. The two are broadcast.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: for concentrations that are not above 0, and for values outside of [0, 1].
        NotImplementedError: by methods that need special functions, on a library that has none.

    https://docs.pytorch.org/docs/stable/distributions.html#beta
    """

    has_rsample = True
    arg_constraints = needs(concentration1=constraints.positive, concentration0=constraints.positive)
    support = constraints.unit_interval

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        super().__init__(self.concentration1.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def mode(self) -> Tensor:
        concentration = xg.stack([self.concentration1, self.concentration0], axis=-1)
        return Dirichlet(concentration, validate_args=False).mode[..., 0]

    @property
    def variance(self) -> Tensor:
        total = self.concentration1 + self.concentration0
        return self.concentration1 * self.concentration0 / (xg.square(total) * (total + 1))

    def rsample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        shape, rng = self._extended_shape(sample_shape), self._rng(rng)
        both = [log_gamma(xg.broadcast_to(each, shape), rng) for each in (self.concentration1, self.concentration0)]
        return xg.sigmoid(both[0] - both[1])

    def log_prob(self, value: Any) -> Tensor:
        value = self._value(value, self.concentration1)
        a, b = self.concentration1, self.concentration0
        return xlogy(a - 1, value) + xg.special.xlog1py(b - 1, -value) - xg.special.betaln(a, b)

    def cdf(self, value: Any) -> Tensor:
        return xg.special.betainc(self.concentration1, self.concentration0, self._value(value, self.concentration1))

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        digammas = (a - 1) * xg.special.digamma(a) + (b - 1) * xg.special.digamma(b)
        return xg.special.betaln(a, b) - digammas + (a + b - 2) * xg.special.digamma(a + b)


class Dirichlet(Distribution):
    """The Dirichlet distribution: of K shares, 0 or more and with the sum 1.

    Samples are differentiable: gamma samples, divided by their sum. The concentrations are copied to the host to draw them, which
    waits for a device.

    >>> import xgrad as xg
    >>> d = xg.distributions.Dirichlet([1.0, 2.0, 5.0])
    >>> d.event_shape, d.mean.tolist(), round(d.log_prob([0.2, 0.2, 0.6]).item(), 4)
    ((3,), [0.125, 0.25, 0.625], 1.6944)

    Args:
        concentration: the concentrations along the last axis, above 0: an array of one axis or more.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: for a number in the place of the array, for concentrations that are not above 0, and for values that are no
            shares.
        NotImplementedError: by methods that need special functions, on a library that has none.

    https://docs.pytorch.org/docs/stable/distributions.html#dirichlet
    """

    has_rsample = True
    arg_constraints = needs(concentration=constraints.independent(constraints.positive, 1))
    support = constraints.simplex

    def __init__(self, concentration: Any, validate_args: bool | None = None) -> None:
        self.concentration = floating(xg.asarray(as_array(concentration)))
        if self.concentration.ndim < 1:
            raise ValueError("Dirichlet: concentration must have at least one axis, got a number")
        shape = self.concentration.shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / xg.sum(self.concentration, axis=-1, keepdims=True)

    @property
    def mode(self) -> Tensor:
        above = xg.maximum(self.concentration - 1, 0.0)
        total = xg.sum(above, axis=-1, keepdims=True)
        inner = above / xg.where(total > 0, total, 1.0)
        # If all concentrations are below 1, every corner is a mode; as in PyTorch, it is the first one. nan if none is above 1.
        places = self.concentration.__array_namespace__().arange(self.concentration.shape[-1])
        corner = xg.where(places == 0, 1.0, xg.zeros_like(inner))
        below = xg.all(self.concentration < 1, axis=-1, keepdims=True)
        return xg.where(below, corner, xg.where(total > 0, inner, math.nan))

    @property
    def variance(self) -> Tensor:
        total = xg.sum(self.concentration, axis=-1, keepdims=True)
        return self.concentration * (total - self.concentration) / (xg.square(total) * (total + 1))

    def rsample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return xg.softmax(log_gamma(xg.broadcast_to(self.concentration, shape), self._rng(rng)), axis=-1)

    def log_prob(self, value: Any) -> Tensor:
        value, a = self._value(value, self.concentration), self.concentration
        norm = xg.special.gammaln(xg.sum(a, axis=-1)) - xg.sum(xg.special.gammaln(a), axis=-1)
        return xg.sum(xlogy(a - 1, value), axis=-1) + norm

    def entropy(self) -> Tensor:
        a = self.concentration
        total = xg.sum(a, axis=-1)
        norm = xg.sum(xg.special.gammaln(a), axis=-1) - xg.special.gammaln(total)
        rest = xg.sum((a - 1) * xg.special.digamma(a), axis=-1)
        return norm + (total - a.shape[-1]) * xg.special.digamma(total) - rest
