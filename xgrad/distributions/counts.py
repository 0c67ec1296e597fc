"""Trials and counts: Bernoulli, Binomial, Geometric and Poisson."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad.distributions import constraints
from xgrad.distributions.constraints import Constraint
from xgrad.distributions.distribution import Distribution, needs
from xgrad.distributions.parameters import binary_logits, broadcast_all, filled, one_of, xlogy
from xgrad.engine.tensor import Tensor
from xgrad.random import Generator
from xgrad.random.place import all_true


class OfTrials(Distribution):
    """What distributions of trials have in common: a probability of success, given as `probs` or as `logits`."""

    arg_constraints = needs(probs=constraints.unit_interval, logits=constraints.real)
    _logits: Tensor | None
    _probs: Tensor | None

    def _take(self, probs: Any, logits: Any, *others: Any) -> tuple[Tensor, ...]:
        one_of(type(self).__name__, probs, logits)
        given, *rest = broadcast_all(logits if probs is None else probs, *others)
        self._logits, self._probs = (given, None) if probs is None else (None, given)
        return (given, *rest)

    def _check_given(self) -> None:
        if self._validate_args:
            name = "probs" if self._logits is None else "logits"
            self._check(name, self.arg_constraints[name], self._param)

    @property
    def probs(self) -> Tensor:
        """The probability of success."""
        if self._probs is None:
            assert self._logits is not None
            self._probs = xg.sigmoid(self._logits)
        return self._probs

    @property
    def logits(self) -> Tensor:
        """The logarithm of the odds of success."""
        if self._logits is None:
            assert self._probs is not None
            self._logits = binary_logits(self._probs)
        return self._logits

    @property
    def _param(self) -> Tensor:
        return self.probs if self._logits is None else self.logits

    @property
    def param_shape(self) -> tuple[int, ...]:
        """The shape of the parameter that was given, probs or logits."""
        return self._param.shape

    def _parameter_ndim(self, name: str) -> int:
        return 0

    def __repr__(self) -> str:
        name = "probs" if self._logits is None else "logits"
        return f"{type(self).__name__}({name}: {self._param.shape})"


class Bernoulli(OfTrials):
    """1 with the given probability, otherwise 0.

    >>> import xgrad as xg
    >>> d = xg.distributions.Bernoulli(0.25)
    >>> d.sample((5,), rng=xg.random.Generator(1)).tolist()
    [0.0, 0.0, 1.0, 0.0, 0.0]
    >>> round(d.log_prob(1.0).item(), 4), round(d.entropy().item(), 4)
    (-1.3863, 0.5623)

    Args:
        probs: the probability of 1: a number or an array.
        logits: in its place, the logarithm of the odds.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: if both or none of probs and logits are given, for a probability outside of [0, 1], and for values that are
            neither 0 nor 1.

    https://docs.pytorch.org/docs/stable/distributions.html#bernoulli
    """

    has_enumerate_support = True
    support = constraints.boolean

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        (given,) = self._take(probs, logits)
        super().__init__(given.shape, validate_args=validate_args)
        self._check_given()

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        return xg.where(self.probs == 0.5, math.nan, xg.astype(self.probs >= 0.5, self._param.dtype))

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        drawn = self._rng(rng).random(self._extended_shape(sample_shape), like=self._param)
        return xg.astype(drawn < self.probs.detach(), self._param.dtype)

    def log_prob(self, value: Any) -> Tensor:
        value = self._value(value, self._param)
        return -xg.sigmoid_cross_entropy(*xg.broadcast_arrays(self.logits, value))

    def cdf(self, value: Any) -> Tensor:
        value = self._value(value, self._param)
        return xg.where(value < 1, 1 - self.probs, 1.0)

    def entropy(self) -> Tensor:
        return xg.sigmoid_cross_entropy(self.logits, self.probs)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = self._param.__array_namespace__().arange(2)
        return self._enumerated(xg.astype(values, self._param.dtype), expand)


class Binomial(OfTrials):
    """How many of `total_count` trials succeed.

    Its parameters are copied to the host to draw samples, which waits for a device.

    >>> import xgrad as xg
    >>> d = xg.distributions.Binomial(10, 0.25)
    >>> d.mean.item(), round(d.log_prob(3.0).item(), 4)
    (2.5, -1.3852)

    Args:
        total_count: the number of trials, 0 or more: an integer or an array.
        probs: the probability of success: a number or an array.
        logits: in its place, the logarithm of the odds.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: if both or none of probs and logits are given, for a probability outside of [0, 1], for numbers of trials that
            are no integers or below 0, and for values that are no integers from 0 to `total_count`.
        NotImplementedError: by `log_prob` and `entropy`, on a library without a gamma function; by `entropy` and
            `enumerate_support`, if the numbers of trials differ.

    https://docs.pytorch.org/docs/stable/distributions.html#binomial
    """

    has_enumerate_support = True
    arg_constraints = needs(
        total_count=constraints.nonnegative_integer, probs=constraints.unit_interval, logits=constraints.real
    )

    def __init__(
        self, total_count: Any = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        given, self.total_count = self._take(probs, logits, total_count)
        super().__init__(given.shape, validate_args=validate_args)
        self._check_given()

    @property
    def support(self) -> Constraint:  # type: ignore[override]
        """The integers from 0 to `total_count`."""
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        return xg.minimum(xg.floor((self.total_count + 1) * self.probs), self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        shape = self._extended_shape(sample_shape)
        probs = self.probs.detach()
        return self._rng(rng).binomial(self.total_count.detach(), probs, shape, dtype=probs.dtype)

    def log_prob(self, value: Any) -> Tensor:
        k, n = self._value(value, self._param), self.total_count
        gammaln = xg.special.gammaln
        ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
        return ways + k * self.logits - n * xg.softplus(self.logits)

    def entropy(self) -> Tensor:
        log_prob = self.log_prob(self.enumerate_support(expand=False))
        return -xg.sum(xg.exp(log_prob) * log_prob, axis=0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        count = xg.max(self.total_count.detach())
        if all_true(self.total_count.detach() == count) is False:
            raise NotImplementedError("Binomial: the number of trials differs in the batch, and so does the support")
        values = self._param.__array_namespace__().arange(int(count.item()) + 1)
        return self._enumerated(xg.astype(values, self._param.dtype), expand)


class Geometric(OfTrials):
    """The number of trials that fail before the first one that succeeds.

    >>> import xgrad as xg
    >>> d = xg.distributions.Geometric(0.25)
    >>> d.mean.item(), round(d.log_prob(2.0).item(), 4), d.cdf(1.0).item()
    (3.0, -1.9617, 0.4375)

    Args:
        probs: the probability of success, above 0: a number or an array.
        logits: in its place, the logarithm of the odds.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: if both or none of probs and logits are given, for a probability that is not above 0, and at most 1, and for
            values that are no integers, 0 or more.

    https://docs.pytorch.org/docs/stable/distributions.html#geometric
    """

    support = constraints.nonnegative_integer

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        (given,) = self._take(probs, logits)
        super().__init__(given.shape, validate_args=validate_args)
        self._check_given()
        if self._validate_args and probs is not None:
            self._check("probs", constraints.positive, given)

    @property
    def mean(self) -> Tensor:
        return 1 / self.probs - 1

    @property
    def mode(self) -> Tensor:
        return filled(self._param, 0.0)

    @property
    def variance(self) -> Tensor:
        return (1 / self.probs - 1) / self.probs

    def sample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        drawn = self._rng(rng).standard_exponential(self._extended_shape(sample_shape), like=self._param)
        probs = self.probs.detach()
        sure = probs == 1
        return xg.where(sure, 0.0, xg.floor(drawn / -xg.log1p(-xg.where(sure, 0.5, probs))))

    def log_prob(self, value: Any) -> Tensor:
        value = self._value(value, self._param)
        return xg.special.xlog1py(value, -self.probs) + xg.log(self.probs)

    def cdf(self, value: Any) -> Tensor:
        return -xg.expm1(xg.special.xlog1py(xg.floor(self._value(value, self._param)) + 1, -self.probs))

    def entropy(self) -> Tensor:
        return xg.sigmoid_cross_entropy(self.logits, self.probs) / self.probs


class Poisson(Distribution):
    """The number of events in a unit of time, of which `rate` happen on average.

    The rate is copied to the host to draw samples, which waits for a device.

    >>> import xgrad as xg
    >>> d = xg.distributions.Poisson(3.0)
    >>> round(d.log_prob(2.0).item(), 4), round(d.cdf(2.0).item(), 4)
    (-1.4959, 0.4232)

    Args:
        rate: the mean, 0 or more: a number or an array.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: for a rate below 0, and for values that are no integers, 0 or more.
        NotImplementedError: by `log_prob` and `cdf`, on a library without a gamma function; by `entropy`, as in PyTorch.

    https://docs.pytorch.org/docs/stable/distributions.html#poisson
    """

    arg_constraints = needs(rate=constraints.nonnegative)
    support = constraints.nonnegative_integer

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.rate

    @property
    def mode(self) -> Tensor:
        return xg.floor(self.rate)

    @property
    def variance(self) -> Tensor:
        return self.rate

    def sample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self._rng(rng).poisson(self.rate.detach(), shape, dtype=self.rate.dtype)

    def log_prob(self, value: Any) -> Tensor:
        value = self._value(value, self.rate)
        return xlogy(value, self.rate) - self.rate - xg.special.gammaln(value + 1)

    def cdf(self, value: Any) -> Tensor:
        return xg.special.gammaincc(xg.floor(self._value(value, self.rate)) + 1, self.rate)
