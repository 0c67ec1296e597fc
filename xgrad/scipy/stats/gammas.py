"""The gamma and the chi-squared distribution."""

from __future__ import annotations

import math

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.rules.incomplete_gamma import gamma_density
from xgrad.scipy.stats.family import Continuous


class Gamma(Continuous):
    """The gamma distribution with the shape `a`.

    >>> import xgrad as xg
    >>> from xgrad.scipy.stats import gamma
    >>> a = xg.asarray(2.0)
    >>> round(gamma.logcdf(xg.asarray(1e-200), a).item(), 4)
    -921.7272
    >>> round(xg.grad(gamma.cdf, argnums=1)(1.0, a).item(), 4)
    -0.2762

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.gamma.html
    """

    name = "gamma"
    shapes = ("a",)
    low, inside = 0.0, 1.0

    def _pdf(self, x: Tensor, a: Tensor) -> Tensor:
        found: Tensor = gamma_density(x.__array_namespace__(), a, x)
        return found

    def _logpdf(self, x: Tensor, a: Tensor) -> Tensor:
        return xg.special.xlogy(a - 1, x) - x - xg.special.gammaln(a)

    def _cdf(self, x: Tensor, a: Tensor) -> Tensor:
        return xg.special.gammainc(a, x)

    def _sf(self, x: Tensor, a: Tensor) -> Tensor:
        return xg.special.gammaincc(a, x)

    def _logcdf(self, x: Tensor, a: Tensor) -> Tensor:
        return xg.special.gammaincln(a, x)

    def _logsf(self, x: Tensor, a: Tensor) -> Tensor:
        return xg.special.gammainccln(a, x)

    def _ppf(self, q: Tensor, a: Tensor) -> Tensor:
        return xg.special.gammaincinv(a, q)

    def _isf(self, q: Tensor, a: Tensor) -> Tensor:
        return xg.special.gammainccinv(a, q)

    def _mean(self, a: Tensor) -> Tensor:
        return a

    def _var(self, a: Tensor) -> Tensor:
        return a

    def _entropy(self, a: Tensor) -> Tensor:
        return a + xg.special.gammaln(a) + (1 - a) * xg.special.digamma(a)


class Chi2(Gamma):
    """The chi-squared distribution with `df` degrees of freedom: a gamma distribution with a = df / 2, stretched by 2.

    >>> import xgrad as xg
    >>> from xgrad.scipy.stats import chi2
    >>> round(chi2.sf(xg.asarray(3.84), 1).item(), 4)
    0.05

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.chi2.html
    """

    name = "chi2"
    shapes = ("df",)

    def _pdf(self, x: Tensor, df: Tensor) -> Tensor:
        return 0.5 * super()._pdf(0.5 * x, 0.5 * df)

    def _logpdf(self, x: Tensor, df: Tensor) -> Tensor:
        return super()._logpdf(0.5 * x, 0.5 * df) - math.log(2)

    def _cdf(self, x: Tensor, df: Tensor) -> Tensor:
        return super()._cdf(0.5 * x, 0.5 * df)

    def _sf(self, x: Tensor, df: Tensor) -> Tensor:
        return super()._sf(0.5 * x, 0.5 * df)

    def _logcdf(self, x: Tensor, df: Tensor) -> Tensor:
        return super()._logcdf(0.5 * x, 0.5 * df)

    def _logsf(self, x: Tensor, df: Tensor) -> Tensor:
        return super()._logsf(0.5 * x, 0.5 * df)

    def _ppf(self, q: Tensor, df: Tensor) -> Tensor:
        return 2 * super()._ppf(q, 0.5 * df)

    def _isf(self, q: Tensor, df: Tensor) -> Tensor:
        return 2 * super()._isf(q, 0.5 * df)

    def _var(self, df: Tensor) -> Tensor:
        return 2 * df

    def _entropy(self, df: Tensor) -> Tensor:
        return super()._entropy(0.5 * df) + math.log(2)


gamma, chi2 = Gamma(), Chi2()
