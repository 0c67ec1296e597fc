"""One of K: Categorical, OneHotCategorical and Multinomial."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad.distributions import constraints
from xgrad.distributions.constraints import Constraint
from xgrad.distributions.distribution import Distribution, needs
from xgrad.distributions.parameters import as_array, clamp_probs, filled, floating, one_of
from xgrad.engine.integers import integer
from xgrad.engine.tensor import Tensor
from xgrad.random import Generator
from xgrad.random.choices import level_of


class OfLogits(Distribution):
    """What the three have in common: probabilities along the last axis, given as `probs` or as `logits`."""

    arg_constraints = needs(probs=constraints.simplex, logits=constraints.real_vector)
    _logits: Tensor | None
    _probs: Tensor | None

    def _take(self, probs: Any, logits: Any) -> Tensor:
        """The parameter, normalized. Returns it as it was given."""
        name = type(self).__name__
        one_of(name, probs, logits)
        given = floating(xg.asarray(as_array(logits if probs is None else probs)))
        if given.ndim < 1:
            raise ValueError(
                f"{name}: {'logits' if probs is None else 'probs'} must have at least one axis, got a number"
            )
        if probs is None:
            self._logits, self._probs = given - xg.logsumexp(given, axis=-1, keepdims=True), None
        else:
            self._logits, self._probs = None, given / xg.sum(given, axis=-1, keepdims=True)
        return given

    def _check_given(self, given: Tensor) -> None:
        """The weights may have any sum, so that the check is that of what they are divided by."""
        if not self._validate_args:
            return
        if self._probs is None:
            self._check("logits", constraints.real_vector, given)
        else:
            self._check("probs", constraints.independent(constraints.nonnegative, 1), given)
            self._check("probs", constraints.simplex, self._probs)

    @property
    def probs(self) -> Tensor:
        """The probabilities along the last axis, with the sum 1."""
        if self._probs is None:
            assert self._logits is not None
            self._probs = xg.softmax(self._logits, axis=-1)
        return self._probs

    @property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        if self._logits is None:
            assert self._probs is not None
            self._logits = xg.log(clamp_probs(self._probs))
        return self._logits

    @property
    def _param(self) -> Tensor:
        return self.probs if self._logits is None else self.logits

    @property
    def param_shape(self) -> tuple[int, ...]:
        """The shape of the parameter that was given, probs or logits."""
        return self._param.shape

    def _parameter_ndim(self, name: str) -> int:
        return 1

    def _draw(self, shape: tuple[int, ...], rng: Generator | None) -> Tensor:
        """Positions, with this shape in front of the batch shape."""
        probs = self.probs.detach()
        levels = xg.cumulative_sum(probs, axis=-1)
        shape = (*shape, *probs.shape[:-1])
        drawn = self._rng(rng).random(shape, like=probs) * levels[..., -1]
        # A number that rounding brings to 1 is above all levels.
        positions: Tensor = xg.clip(level_of(levels, drawn), max=probs.shape[-1] - 1)
        return positions

    def _positions(self) -> Tensor:
        positions: Tensor = self._param.__array_namespace__().arange(self._param.shape[-1])
        return positions

    def _one_hot(self, indices: Tensor) -> Tensor:
        return xg.astype(self._positions() == indices[..., None], self._param.dtype)

    def _entropy(self) -> Tensor:
        logits = xg.maximum(self.logits, xg.finfo(self._param.dtype).min)
        return -xg.sum(self.probs * logits, axis=-1)

    def __repr__(self) -> str:
        name = "probs" if self._logits is None else "logits"
        return f"{type(self).__name__}({name}: {self._param.shape})"


class Categorical(OfLogits):
    """One of the integers 0 to K - 1, with the given probabilities.

    The probabilities stay where they are: a sample needs no value of a device on the host.

    >>> import xgrad as xg
    >>> d = xg.distributions.Categorical([0.25, 0.75])
    >>> d.sample((4,), rng=xg.random.Generator(0)).tolist()
    [1, 1, 0, 0]
    >>> round(d.log_prob(1).item(), 4), round(d.entropy().item(), 4)
    (-0.2877, 0.5623)

    Args:
        probs: weights along the last axis, 0 or more, which are divided by their sum: an array of one axis or more.
        logits: in their place, the logarithms of such weights.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: if both or none of probs and logits are given; for a number in their place, for weights below 0, and for
            values that are no integer from 0 to K - 1.

    https://docs.pytorch.org/docs/stable/distributions.html#categorical
    """

    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        given = self._take(probs, logits)
        super().__init__(given.shape[:-1], validate_args=validate_args)
        self._check_given(given)

    @property
    def support(self) -> Constraint:  # type: ignore[override]
        """The integers from 0 to K - 1."""
        return constraints.integer_interval(0, self._param.shape[-1] - 1)

    @property
    def mean(self) -> Tensor:
        return filled(self._param[..., 0], math.nan)

    @property
    def mode(self) -> Tensor:
        return xg.argmax(self.probs, axis=-1)

    @property
    def variance(self) -> Tensor:
        return filled(self._param[..., 0], math.nan)

    def sample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self._draw(shape[: len(shape) - len(self._batch_shape)], rng)

    def log_prob(self, value: Any) -> Tensor:
        value = self._checked(value if isinstance(value, Tensor) else self._param.__array_namespace__().asarray(value))
        indices = value if xg.isdtype(value.dtype, "integral") else xg.astype(value, self._positions().dtype)
        indices = indices[..., None]
        shape = xg.broadcast_shapes(indices.shape[:-1], self._batch_shape)
        logits = xg.broadcast_to(self.logits, (*shape, self._param.shape[-1]))
        return xg.take_along_axis(logits, xg.broadcast_to(indices, (*shape, 1)), axis=-1)[..., 0]

    def entropy(self) -> Tensor:
        return self._entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        return self._enumerated(self._positions(), expand)


class OneHotCategorical(OfLogits):
    """One of K, as a vector that is 1 at its place and 0 elsewhere.

    >>> import xgrad as xg
    >>> d = xg.distributions.OneHotCategorical([0.25, 0.75])
    >>> d.sample(rng=xg.random.Generator(0)).tolist(), round(d.log_prob([0.0, 1.0]).item(), 4)
    ([0.0, 1.0], -0.2877)

    Args:
        probs: weights along the last axis, 0 or more, which are divided by their sum: an array of one axis or more.
        logits: in their place, the logarithms of such weights.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: if both or none of probs and logits are given; for a number in their place, for weights below 0, and for
            values that are not 1 at one place and 0 elsewhere.

    https://docs.pytorch.org/docs/stable/distributions.html#onehotcategorical
    """

    has_enumerate_support = True
    support = constraints.one_hot

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        given = self._take(probs, logits)
        super().__init__(given.shape[:-1], given.shape[-1:], validate_args=validate_args)
        self._check_given(given)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        return self._one_hot(xg.argmax(self.probs, axis=-1))

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self._one_hot(self._draw(shape[: len(shape) - len(self._batch_shape) - 1], rng))

    def log_prob(self, value: Any) -> Tensor:
        value = self._value(value, self._param)
        # A logit may be -inf, so that a sum of products would be nan.
        return xg.sum(xg.where(value > 0, self.logits, 0.0), axis=-1)

    def entropy(self) -> Tensor:
        return self._entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        count = self._param.shape[-1]
        values = xg.reshape(self._one_hot(self._positions()), (count, *([1] * len(self._batch_shape)), count))
        return xg.broadcast_to(values, (count, *self._batch_shape, count)) if expand else values


class Multinomial(OfLogits):
    """How often each of K outcomes occurs in `total_count` trials.

    >>> import xgrad as xg
    >>> d = xg.distributions.Multinomial(5, [0.25, 0.75])
    >>> d.sample(rng=xg.random.Generator(0)).tolist(), round(d.log_prob([2.0, 3.0]).item(), 4)
    ([2.0, 3.0], -1.333)

    Args:
        total_count: the number of trials, an integer, 0 or more.
        probs: weights along the last axis, 0 or more, which are divided by their sum: an array of one axis or more.
        logits: in their place, the logarithms of such weights.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: if both or none of probs and logits are given; for a number in their place, for weights or a number of trials
            below 0, and for values that are no counts with that sum.
        TypeError: for a number of trials that is no integer.
        NotImplementedError: by `log_prob` and `entropy`, on a library without a gamma function.

    https://docs.pytorch.org/docs/stable/distributions.html#multinomial
    """

    def __init__(
        self, total_count: int = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self.total_count = integer("Multinomial", total_count, "total_count")
        if self.total_count < 0:
            raise ValueError(f"Multinomial: total_count must be 0 or more, got {total_count!r}")
        given = self._take(probs, logits)
        super().__init__(given.shape[:-1], given.shape[-1:], validate_args=validate_args)
        self._check_given(given)

    @property
    def support(self) -> Constraint:  # type: ignore[override]
        """Counts with the sum `total_count`."""
        return constraints.multinomial(self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        shape = self._extended_shape(sample_shape)
        drawn = self._draw((self.total_count, *shape[: len(shape) - len(self._batch_shape) - 1]), rng)
        counts = [xg.count_nonzero(drawn == k, axis=0) for k in range(self._param.shape[-1])]
        return xg.astype(xg.stack(counts, axis=-1), self._param.dtype)

    def log_prob(self, value: Any) -> Tensor:
        value = self._value(value, self._param)
        norm = xg.special.gammaln(xg.sum(value, axis=-1) + 1) - xg.sum(xg.special.gammaln(value + 1), axis=-1)
        logits = xg.where((value == 0) & (self.logits == -math.inf), 0.0, self.logits)
        return norm + xg.sum(logits * value, axis=-1)

    def entropy(self) -> Tensor:
        n, probs = self.total_count, clamp_probs(self.probs)
        counts = xg.astype(self.probs.__array_namespace__().arange(1, n + 1), probs.dtype)
        counts = xg.reshape(counts, (n, *([1] * probs.ndim)))
        # The expected logarithms of the factorials of the counts, each of which has a binomial distribution.
        log_odds = counts * xg.log(probs) + (n - counts) * xg.log1p(-probs)
        log_factorials = xg.special.gammaln(counts + 1)
        chances = xg.exp(log_odds + math.lgamma(n + 1) - log_factorials - xg.special.gammaln(n - counts + 1))
        expected = xg.sum(chances * log_factorials, axis=(0, -1))
        return n * self._entropy() - math.lgamma(n + 1) + expected
