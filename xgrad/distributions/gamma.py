"""The gamma distribution and those made of it: Chi2, Exponential and StudentT. Samples with implicit gradients."""

from __future__ import annotations

import math
from typing import Any, Self

import xgrad as xg
from xgrad.distributions import constraints
from xgrad.distributions.distribution import Distribution, needs
from xgrad.distributions.parameters import broadcast_all, filled, xlogy
from xgrad.engine.tensor import Tensor
from xgrad.random import Generator

# --- samples that move with the concentration ------------------------------------------------------------------
#
# A sample x of the gamma distribution is a quantile at some level. When the concentration moves, the sample moves so that its
# level stays: the derivative of log(x) is `gamma_slope`. The rules use the sample as it was recorded, so they hold to any order.


@xg.primitive
def _following(concentration: Any, x: Any) -> Tensor:
    """x, as a sample that follows the concentration."""
    return xg.positive(x)


_following.defvjp(lambda g, out, a, x: g * out * xg.special.gamma_slope(a, xg.log(out)), None)
_following.defjvp(lambda t, out, a, x: t * out * xg.special.gamma_slope(a, xg.log(out)), None)


@xg.primitive
def _log_following(concentration: Any, t: Any) -> Tensor:
    """t, as the logarithm of a sample that follows the concentration."""
    return xg.positive(t)


_log_following.defvjp(lambda g, out, a, t: g * xg.special.gamma_slope(a, out), None)
_log_following.defjvp(lambda g, out, a, t: g * xg.special.gamma_slope(a, out), None)


def standard_gamma(concentration: Tensor, rng: Generator) -> Tensor:
    """A sample for each element of the concentration. It is never 0, but at least the smallest normal number."""
    drawn = rng.standard_gamma(concentration.detach(), dtype=concentration.dtype)
    drawn = xg.maximum(drawn, xg.finfo(concentration.dtype).smallest_normal)
    return _following(concentration, drawn) if concentration.requires_grad else drawn


def log_gamma(concentration: Tensor, rng: Generator) -> Tensor:
    """The logarithm of a sample for each element. It does not underflow for small concentrations, as the sample would."""
    a = concentration.detach()
    # If x has the concentration a + 1, x * u**(1 / a) has the concentration a, and -log(u) is exponentially distributed.
    drawn = xg.log(rng.standard_gamma(a + 1, dtype=a.dtype)) - rng.standard_exponential(a.shape, like=a) / a
    return _log_following(concentration, drawn) if concentration.requires_grad else drawn


class Gamma(Distribution):
    """The gamma distribution with shape `concentration` and scale 1 / `rate`.

    Samples are differentiable also by the concentration, by implicit differentiation. The concentration is copied to the host to
    draw them, which waits for a device.

    >>> import xgrad as xg
    >>> d = xg.distributions.Gamma(2.0, 0.5)
    >>> d.mean.item(), round(d.log_prob(3.0).item(), 4), round(d.cdf(3.0).item(), 4)
    (4.0, -1.7877, 0.4422)
    >>> a = xg.asarray(2.0, requires_grad=True)
    >>> xg.distributions.Gamma(a, 1.0).rsample(rng=xg.random.Generator(0)).backward()
    >>> round(a.grad.item(), 4)
    1.0397

    Args:
        concentration: the shape parameter, above 0: a number or an array.
        rate: 1 over the scale, above 0: a number or an array. It is broadcast with `concentration`.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: for parameters that are not above 0, and for values below 0.
        NotImplementedError: by methods that need special functions, on a library that has none.

    https://docs.pytorch.org/docs/stable/distributions.html#gamma
    """

    has_rsample = True
    arg_constraints = needs(concentration=constraints.positive, rate=constraints.positive)
    support = constraints.nonnegative

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return xg.maximum((self.concentration - 1) / self.rate, 0.0)

    @property
    def variance(self) -> Tensor:
        return self.concentration / xg.square(self.rate)

    def rsample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        shape = self._extended_shape(sample_shape)
        drawn = standard_gamma(xg.broadcast_to(self.concentration, shape), self._rng(rng))
        found: Tensor = xg.clip(drawn / self.rate, xg.finfo(drawn.dtype).smallest_normal)
        return found

    def log_prob(self, value: Any) -> Tensor:
        x = self._value(value, self.concentration)
        a, rate = self.concentration, self.rate
        return xlogy(a, rate) + xlogy(a - 1, x) - (rate * x + xg.special.gammaln(a))

    def cdf(self, value: Any) -> Tensor:
        return xg.special.gammainc(self.concentration, self.rate * self._value(value, self.concentration))

    def entropy(self) -> Tensor:
        a = self.concentration
        return a - xg.log(self.rate) + xg.special.gammaln(a) + (1 - a) * xg.special.digamma(a)


class Chi2(Gamma):
    """The chi-squared distribution: that of the sum of the squares of `df` numbers with the standard normal distribution.

    >>> import xgrad as xg
    >>> d = xg.distributions.Chi2(3.0)
    >>> d.mean.item(), d.variance.item(), round(d.cdf(3.0).item(), 4)
    (3.0, 6.0, 0.6084)

    Args:
        df: the degrees of freedom, above 0: a number or an array.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: for degrees of freedom that are not above 0, and for values below 0.
        NotImplementedError: by methods that need special functions, on a library that has none.

    https://docs.pytorch.org/docs/stable/distributions.html#chi2
    """

    arg_constraints = needs(df=constraints.positive)

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        (df,) = broadcast_all(df)
        super().__init__(0.5 * df, 0.5, validate_args=False)
        if validate_args is not None:
            self._validate_args = validate_args
        else:
            del self._validate_args
        if self._validate_args:
            self._check("df", constraints.positive, df)

    @property
    def df(self) -> Tensor:
        """The degrees of freedom."""
        return self.concentration * 2

    def expand(self, batch_shape: Any, _instance: Any = None) -> Self:
        return super().expand(batch_shape)


class Exponential(Distribution):
    """The exponential distribution: that of the time between events, of which `rate` happen in a unit of time.

    >>> import xgrad as xg
    >>> d = xg.distributions.Exponential(2.0)
    >>> d.mean.item(), round(d.log_prob(1.0).item(), 4), round(d.icdf(0.5).item(), 4)
    (0.5, -1.3069, 0.3466)

    Args:
        rate: 1 over the mean, above 0: a number or an array.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: for a rate that is not above 0, and for values below 0.

    https://docs.pytorch.org/docs/stable/distributions.html#exponential
    """

    has_rsample = True
    arg_constraints = needs(rate=constraints.positive)
    support = constraints.nonnegative

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return 1 / self.rate

    @property
    def mode(self) -> Tensor:
        return filled(self.rate, 0.0)

    @property
    def stddev(self) -> Tensor:
        return 1 / self.rate

    @property
    def variance(self) -> Tensor:
        return 1 / xg.square(self.rate)

    def rsample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        return self._rng(rng).standard_exponential(self._extended_shape(sample_shape), like=self.rate) / self.rate

    def log_prob(self, value: Any) -> Tensor:
        return xg.log(self.rate) - self.rate * self._value(value, self.rate)

    def cdf(self, value: Any) -> Tensor:
        return -xg.expm1(-self.rate * self._value(value, self.rate))

    def icdf(self, value: Any) -> Tensor:
        return -xg.log1p(-self._probability(value, self.rate)) / self.rate

    def entropy(self) -> Tensor:
        return 1 - xg.log(self.rate)


class StudentT(Distribution):
    """Student's t distribution with `df` degrees of freedom, moved to `loc` and stretched by `scale`.

    Samples are differentiable also by `df`. It is copied to the host to draw them, which waits for a device.

    >>> import xgrad as xg
    >>> d = xg.distributions.StudentT(3.0)
    >>> d.variance.item(), round(d.log_prob(1.0).item(), 4), round(d.cdf(1.0).item(), 4)
    (3.0, -1.5763, 0.8045)

    Args:
        df: the degrees of freedom, above 0: a number or an array.
        loc: the centre: a number or an array.
        scale: the scale, above 0: a number or an array. The three are broadcast.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: for a `df` or a scale that is not above 0, and for values that are nan.
        NotImplementedError: by methods that need special functions, on a library that has none.

    https://docs.pytorch.org/docs/stable/distributions.html#studentt
    """

    has_rsample = True
    arg_constraints = needs(df=constraints.positive, loc=constraints.real, scale=constraints.positive)
    support = constraints.real

    def __init__(self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        super().__init__(self.df.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return xg.where(self.df <= 1, math.nan, self.loc)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        usual = self.df > 2
        df = xg.where(usual, self.df, 3.0)
        found = xg.square(self.scale) * df / (df - 2)
        return xg.where(usual, found, xg.where(self.df > 1, math.inf, filled(self.df, math.nan)))

    def rsample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        shape, rng = self._extended_shape(sample_shape), self._rng(rng)
        drawn = rng.standard_normal(shape, like=self.loc)
        # The logarithm of a number with the chi-squared distribution, halved, which may be far below that of a float.
        log_half = log_gamma(xg.broadcast_to(0.5 * self.df, shape), rng)
        return self.loc + self.scale * drawn * xg.sqrt(0.5 * self.df) * xg.exp(-0.5 * log_half)

    def log_prob(self, value: Any) -> Tensor:
        z = (self._value(value, self.loc) - self.loc) / self.scale
        half = 0.5 * self.df
        log_beta = xg.special.betaln(half, 0.5)
        return -(half + 0.5) * xg.log1p(xg.square(z) / self.df) - xg.log(self.scale) - 0.5 * xg.log(self.df) - log_beta

    def cdf(self, value: Any) -> Tensor:
        z = (self._value(value, self.loc) - self.loc) / self.scale
        return xg.special.stdtr(self.df, z)

    def entropy(self) -> Tensor:
        half = 0.5 * self.df
        digammas = xg.special.digamma(half + 0.5) - xg.special.digamma(half)
        return xg.log(self.scale) + (half + 0.5) * digammas + 0.5 * xg.log(self.df) + xg.special.betaln(half, 0.5)
