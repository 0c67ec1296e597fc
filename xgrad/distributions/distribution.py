"""The base class of distributions: shapes, sampling, and checks of parameters and values."""

from __future__ import annotations

import copy
import math
from typing import Any, ClassVar, Self

import xgrad as xg
from xgrad import random
from xgrad.distributions import constraints
from xgrad.distributions.constraints import Constraint
from xgrad.distributions.parameters import like
from xgrad.engine.integers import integers
from xgrad.engine.tensor import Tensor
from xgrad.random import Generator
from xgrad.random.place import holds

Shape = tuple[int, ...]


def needs(**constraint_of: Constraint) -> dict[str, Constraint]:
    """What the parameters of a distribution must be, by name."""
    return constraint_of


class Distribution:
    """The base class of all distributions.

    A sample has the shape (*sample_shape, *batch_shape, *event_shape). `batch_shape` is that of the parameters, which are
    broadcast: a batch of distributions. `event_shape` is that of one value: () for a number. `log_prob` of a value gives one
    number for each event.

    Parameters are tensors, NumPy arrays, lists or numbers. They stay on their backend, and the distribution's values are there,
    in their dtype. Samples are drawn by the generator that `rng=` gives, or by the default one. A seed gives the same samples on
    every backend.

    >>> import xgrad as xg
    >>> d = xg.distributions.Normal(xg.zeros((3, 1)), xg.ones(2))
    >>> d.batch_shape, d.event_shape, d.sample((5,)).shape
    ((3, 2), (), (5, 3, 2))

    Args:
        batch_shape: the shape of the batch.
        event_shape: the shape of one event.
        validate_args: whether parameters, and the values that methods get, are checked. None means what
            `set_default_validate_args` said, at first True. As in PyTorch, the checks read the values. They are left out where
            that would wait: on a device, and on a lazy backend.

    Raises:
        ValueError: for parameters that are not what `arg_constraints` says.
        NotImplementedError: by a method that the distribution does not have.

    https://docs.pytorch.org/docs/stable/distributions.html
    """

    has_rsample = False
    has_enumerate_support = False
    arg_constraints: ClassVar[dict[str, Constraint]] = {}
    support: Any = None
    _validate_args = True

    def __init__(self, batch_shape: Shape = (), event_shape: Shape = (), validate_args: bool | None = None) -> None:
        self._batch_shape = tuple(batch_shape)
        self._event_shape = tuple(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            for name, constraint in self.arg_constraints.items():
                if name in self.__dict__:
                    self._check(name, constraint, self.__dict__[name])

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether distributions that are not told otherwise check their parameters and the values that they are given."""
        if value not in (True, False):
            raise ValueError(f"set_default_validate_args: value must be True or False, not {value!r}")
        Distribution._validate_args = value

    # --- shapes

    @property
    def batch_shape(self) -> Shape:
        """The shape of the batch of distributions."""
        return self._batch_shape

    @property
    def event_shape(self) -> Shape:
        """The shape of one event."""
        return self._event_shape

    def _extended_shape(self, sample_shape: Any = ()) -> Shape:
        return (*integers(type(self).__name__, sample_shape, "sample_shape"), *self._batch_shape, *self._event_shape)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Self:
        """The distribution with its parameters broadcast to another batch shape."""
        shape = integers(type(self).__name__, batch_shape, "batch_shape")
        try:
            fits = xg.broadcast_shapes(shape, self._batch_shape) == shape
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(f"{type(self).__name__}: the batch shape {self._batch_shape} does not expand to {shape}")
        new = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, Tensor):
                own = value.shape[value.ndim - self._parameter_ndim(name) :]
                new.__dict__[name] = xg.broadcast_to(value, (*shape, *own))
        new._batch_shape = shape
        return new

    def _parameter_ndim(self, name: str) -> int:
        """How many axes of a parameter belong to one distribution."""
        return self.arg_constraints[name].event_dim if name in self.arg_constraints else len(self._event_shape)

    # --- moments

    @property
    def mean(self) -> Tensor:
        """The mean."""
        raise self._has_no("mean")

    @property
    def mode(self) -> Tensor:
        """The most likely value."""
        raise self._has_no("mode")

    @property
    def variance(self) -> Tensor:
        """The variance."""
        raise self._has_no("variance")

    @property
    def stddev(self) -> Tensor:
        """The standard deviation: the root of the variance."""
        return xg.sqrt(self.variance)

    # --- sampling

    def sample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        """A sample, or samples of that shape. No gradient goes through it."""
        with xg.no_grad():
            return self.rsample(sample_shape, rng=rng)

    def rsample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        """A sample, or samples of that shape, which are differentiable functions of the parameters."""
        raise self._has_no("rsample")

    @staticmethod
    def _rng(rng: Generator | None) -> Generator:
        return random.default_generator() if rng is None else rng

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values that a discrete distribution can have, along the first axis; with `expand`, for each of the batch."""
        raise self._has_no("enumerate_support")

    def _enumerated(self, values: Tensor, expand: bool) -> Tensor:
        """A vector of values along the first axis."""
        values = xg.reshape(values, (values.shape[0], *([1] * len(self._batch_shape))))
        return xg.broadcast_to(values, (values.shape[0], *self._batch_shape)) if expand else values

    # --- densities

    def log_prob(self, value: Any) -> Tensor:
        """The logarithm of the density, or of the probability, at a value."""
        raise self._has_no("log_prob")

    def cdf(self, value: Any) -> Tensor:
        """The probability of a value that is not larger."""
        raise self._has_no("cdf")

    def icdf(self, value: Any) -> Tensor:
        """The quantile: the inverse of `cdf`."""
        raise self._has_no("icdf")

    def entropy(self) -> Tensor:
        """The entropy, in nats."""
        raise self._has_no("entropy")

    def perplexity(self) -> Tensor:
        """exp of the entropy."""
        return xg.exp(self.entropy())

    # --- checks

    def _value(self, value: Any, parameter: Tensor) -> Tensor:
        """A value that a method got as a tensor, checked."""
        return self._checked(like(parameter, value))

    def _checked(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._check_shape(value.shape)
            self._check("value", self.support, value)
        return value

    def _probability(self, value: Any, parameter: Tensor) -> Tensor:
        """An argument of `icdf`."""
        found = like(parameter, value)
        unit = constraints.unit_interval
        if self._validate_args and holds(unit.check, found, unit.elementwise) is False:
            raise ValueError(f"{type(self).__name__}: icdf takes probabilities, from 0 to 1, got {value!r}")
        return found

    def _check_shape(self, shape: Shape) -> None:
        own = (*self._batch_shape, *self._event_shape)
        count = len(self._event_shape)
        fits = shape[len(shape) - count :] == self._event_shape and len(shape) >= count
        pairs = zip(reversed(shape), reversed(own), strict=False)
        if not fits or any(m != n and 1 not in (m, n) for m, n in pairs):
            raise ValueError(
                f"{self!r}: a value must have a shape that ends with {self._event_shape} and can be broadcast with {own}, "
                f"got {shape}"
            )

    def _check(self, name: str, constraint: Constraint, value: Any) -> None:
        if holds(constraint.check, value, constraint.elementwise) is False:
            raise ValueError(f"{type(self).__name__}: {name} must be {constraint.words}, got {value!r}")

    def _has_no(self, name: str) -> NotImplementedError:
        return NotImplementedError(f"{type(self).__name__} has no {name}")

    def __repr__(self) -> str:
        given = [(name, vars(self)[name]) for name in self.arg_constraints if name in vars(self)]
        shown = [f"{name}: {v.shape}" if math.prod(v.shape) != 1 or v.shape else f"{name}: ()" for name, v in given]
        return f"{type(self).__name__}({', '.join(shown)})"
