"""The Poisson distribution."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.scipy.stats.family import Parametrized


class Poisson(Parametrized):
    """The Poisson distribution with the mean `mu`, moved by `loc`. It is differentiable by `mu`, not by k and loc.

    >>> import xgrad as xg
    >>> from xgrad.scipy.stats import poisson
    >>> mu = xg.asarray(2.0)
    >>> round(poisson.pmf(3, mu).item(), 4), round(xg.grad(poisson.pmf, argnums=1)(3, mu).item(), 4)
    (0.1804, 0.0902)
    >>> round(poisson.logsf(500, mu).item(), 4)
    -2272.2763

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.poisson.html
    """

    name = "poisson"
    shapes = ("mu",)
    has_scale = False

    def _of_counts(self, function: Any, below: float, above: float, *, whole: bool = False) -> Any:
        """A function of the number of events and the mean. `whole`: whether it is `below` between the integers."""

        def run(k: Tensor, mu: Tensor, loc: Tensor) -> Tensor:
            good = mu >= 0
            mu = xg.where(good, mu, 1.0)
            n = (k - loc).detach()
            count = xg.floor(n)
            inner = (n >= 0) & xg.isfinite(n)
            found = function(xg.where(inner, count, 0.0), mu)
            low_value, high_value, none = (xg.full((), each, dtype=k.dtype) for each in (below, above, math.nan))
            outside = xg.where(n < 0, low_value, xg.where(n == math.inf, high_value, none))
            if whole:
                outside, inner = xg.where(inner, low_value, outside), inner & (count == n)
            return xg.where(good, xg.where(inner, found, outside), none)

        return run

    def pmf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        """The probability of k."""
        function = self._of_counts(lambda n, mu: xg.exp(self._logpmf(n, mu)), 0.0, 0.0, whole=True)
        return self._run("pmf", function, (k,), args, kwds)

    def logpmf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        """The logarithm of the probability of k."""
        function = self._of_counts(self._logpmf, -math.inf, -math.inf, whole=True)
        return self._run("logpmf", function, (k,), args, kwds)

    def cdf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        """The probability of at most k."""
        function = self._of_counts(lambda n, mu: xg.special.gammaincc(n + 1, mu), 0.0, 1.0)
        return self._run("cdf", function, (k,), args, kwds)

    def logcdf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        """The logarithm of the probability of at most k, also where that underflows."""
        function = self._of_counts(lambda n, mu: xg.special.gammainccln(n + 1, mu), -math.inf, 0.0)
        return self._run("logcdf", function, (k,), args, kwds)

    def sf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        """The probability of more than k."""
        function = self._of_counts(lambda n, mu: xg.special.gammainc(n + 1, mu), 1.0, 0.0)
        return self._run("sf", function, (k,), args, kwds)

    def logsf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        """The logarithm of the probability of more than k, also where that underflows."""
        function = self._of_counts(lambda n, mu: xg.special.gammaincln(n + 1, mu), 0.0, -math.inf)
        return self._run("logsf", function, (k,), args, kwds)

    def ppf(self, q: Any, *args: Any, **kwds: Any) -> Any:
        """The smallest k with a probability of at least q of at most k. It has no gradient."""
        function = self._smallest(lambda n, mu, q: xg.special.gammaincc(n + 1, mu) >= q)
        return self._run("ppf", function, (q,), args, kwds)

    def isf(self, q: Any, *args: Any, **kwds: Any) -> Any:
        """The smallest k with a probability of at most q of more than k. It has no gradient."""
        function = self._smallest(lambda n, mu, q: xg.special.gammainc(n + 1, mu) <= q, upper=True)
        return self._run("isf", function, (q,), args, kwds)

    def _smallest(self, holds: Any, *, upper: bool = False) -> Any:
        """The smallest count for which the condition holds, by bisection."""

        def run(q: Tensor, mu: Tensor, loc: Tensor) -> Tensor:
            q, mu, loc = q.detach(), mu.detach(), loc.detach()
            good = (mu >= 0) & (q >= 0) & (q <= 1)
            first, last = (1.0, 0.0) if upper else (0.0, 1.0)
            inner = good & (q > 0) & (q < 1)
            level, mean = xg.where(inner, q, 0.5), xg.where(good, mu, 1.0)
            # From Bernstein's inequality for the tail exp(-size).
            size = -xg.log(level if upper else xg.maximum(1 - level, float(xg.finfo(q.dtype).eps)))
            low, high = -1.0 + 0.0 * size * mean, xg.ceil(mean + xg.sqrt(2 * mean * size) + size + 1)
            for _ in range(64):  # halves the distance, which is below 2**64
                middle = xg.floor(0.5 * (low + high))
                found = holds(xg.maximum(middle, 0.0), mean, level) & (middle >= 0)
                low, high = xg.where(found, low, middle), xg.where(found, middle, high)
            bottom, top, none = (xg.full((), each, dtype=q.dtype) for each in (-1.0, math.inf, math.nan))
            ends = xg.where(q == first, bottom, xg.where(q == last, top, none))
            return xg.where(good, xg.where(inner, high, ends) + loc, none)

        return run

    def mean(self, *args: Any, **kwds: Any) -> Any:
        """The mean."""
        return self._run("mean", lambda mu, loc: xg.where(mu >= 0, mu + loc, math.nan), (), args, kwds)

    def var(self, *args: Any, **kwds: Any) -> Any:
        """The variance."""
        return self._run("var", lambda mu, loc: xg.where(mu >= 0, mu + 0.0 * loc, math.nan), (), args, kwds)

    def std(self, *args: Any, **kwds: Any) -> Any:
        """The standard deviation."""
        return self._run("std", lambda mu, loc: xg.sqrt(xg.where(mu >= 0, mu + 0.0 * loc, math.nan)), (), args, kwds)

    def _logpmf(self, n: Tensor, mu: Tensor) -> Tensor:
        return xg.special.xlogy(n, mu) - mu - xg.special.gammaln(n + 1)


poisson = Poisson()
