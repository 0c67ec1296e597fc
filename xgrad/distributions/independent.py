"""Independent: axes of a batch as axes of one event."""

from __future__ import annotations

from typing import Any, Self

from xgrad.distributions import constraints
from xgrad.distributions.constraints import Constraint
from xgrad.distributions.distribution import Distribution
from xgrad.distributions.parameters import sum_rightmost
from xgrad.engine.integers import integer, integers
from xgrad.engine.tensor import Tensor
from xgrad.random import Generator


class Independent(Distribution):
    """A distribution whose last batch axes count as axes of one event, so that `log_prob` adds over them.

    >>> import xgrad as xg
    >>> normal = xg.distributions.Normal(xg.zeros((4, 3)), 1.0)
    >>> d = xg.distributions.Independent(normal, 1)
    >>> d.batch_shape, d.event_shape, d.log_prob(xg.zeros(3)).shape
    ((4,), (3,), (4,))

    Args:
        base_distribution: the distribution.
        reinterpreted_batch_ndims: how many of its batch axes, from the last, become axes of the event.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: if the distribution has fewer batch axes.
        TypeError: for a number of axes that is no integer.

    https://docs.pytorch.org/docs/stable/distributions.html#independent
    """

    def __init__(
        self, base_distribution: Distribution, reinterpreted_batch_ndims: int, validate_args: bool | None = None
    ) -> None:
        ndims = integer("Independent", reinterpreted_batch_ndims, "reinterpreted_batch_ndims")
        have = len(base_distribution.batch_shape)
        if not 0 <= ndims <= have:
            raise ValueError(
                f"Independent: reinterpreted_batch_ndims must be from 0 to {have}, the batch axes of {base_distribution!r}, got "
                f"{reinterpreted_batch_ndims!r}"
            )
        self.base_dist = base_distribution
        self.reinterpreted_batch_ndims = ndims
        shape = base_distribution.batch_shape
        super().__init__(
            shape[: have - ndims], (*shape[have - ndims :], *base_distribution.event_shape), validate_args=validate_args
        )

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        """Whether the distribution has `rsample`."""
        return self.base_dist.has_rsample

    @property
    def has_enumerate_support(self) -> bool:  # type: ignore[override]
        """Whether the distribution has `enumerate_support`: not if an axis was made one of the event."""
        return self.base_dist.has_enumerate_support and not self.reinterpreted_batch_ndims

    @property
    def support(self) -> Constraint:  # type: ignore[override]
        """The support of the distribution, for each element of the event."""
        support: Constraint = self.base_dist.support
        ndims = self.reinterpreted_batch_ndims
        return constraints.independent(support, ndims) if ndims else support

    def expand(self, batch_shape: Any, _instance: Any = None) -> Self:
        shape = integers("Independent", batch_shape, "batch_shape")
        base = self.base_dist.expand((*shape, *self._event_shape[: self.reinterpreted_batch_ndims]))
        return type(self)(base, self.reinterpreted_batch_ndims, self._validate_args)

    @property
    def mean(self) -> Tensor:
        return self.base_dist.mean

    @property
    def mode(self) -> Tensor:
        return self.base_dist.mode

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance

    def sample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        return self.base_dist.sample(sample_shape, rng=rng)

    def rsample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        return self.base_dist.rsample(sample_shape, rng=rng)

    def log_prob(self, value: Any) -> Tensor:
        return sum_rightmost(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self) -> Tensor:
        return sum_rightmost(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        if self.reinterpreted_batch_ndims:
            raise NotImplementedError("Independent: the support of an event with several elements is not enumerated")
        return self.base_dist.enumerate_support(expand)

    def __repr__(self) -> str:
        return f"Independent({self.base_dist!r}, {self.reinterpreted_batch_ndims})"
