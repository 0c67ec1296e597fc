"""The beta distribution and Student's t distribution."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.rules.incomplete_beta import beta_density
from xgrad.rules.student import log_student_density, student_density
from xgrad.scipy.stats.family import Continuous


class Beta(Continuous):
    """The beta distribution with the shapes `a` and `b`.

    >>> import xgrad as xg
    >>> from xgrad.scipy.stats import beta
    >>> a = xg.asarray(2.0)
    >>> round(beta.cdf(0.5, a, 1.0).item(), 4), round(xg.grad(beta.cdf, argnums=1)(0.5, a, 1.0).item(), 4)
    (0.25, -0.1733)

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.beta.html
    """

    name = "beta"
    shapes = ("a", "b")
    low, high, inside = 0.0, 1.0, 0.5

    def _pdf(self, x: Tensor, a: Tensor, b: Tensor) -> Tensor:
        found: Tensor = beta_density(x.__array_namespace__(), a, b, x, 1 - x)
        return found

    def _logpdf(self, x: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return xg.special.xlogy(a - 1, x) + xg.special.xlog1py(b - 1, -x) - xg.special.betaln(a, b)

    def _cdf(self, x: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return xg.special.betainc(a, b, x)

    def _sf(self, x: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return xg.special.betaincc(a, b, x)

    def _logcdf(self, x: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return xg.special.betaincln(a, b, x)

    def _logsf(self, x: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return xg.special.betainccln(a, b, x)

    def _ppf(self, q: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return xg.special.betaincinv(a, b, q)

    def _isf(self, q: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return xg.special.betainccinv(a, b, q)

    def _mean(self, a: Tensor, b: Tensor) -> Tensor:
        return a / (a + b)

    def _var(self, a: Tensor, b: Tensor) -> Tensor:
        return a * b / ((a + b) ** 2 * (a + b + 1))

    def _entropy(self, a: Tensor, b: Tensor) -> Tensor:
        digamma = xg.special.digamma
        rest = (a - 1) * digamma(a) + (b - 1) * digamma(b) - (a + b - 2) * digamma(a + b)
        return xg.special.betaln(a, b) - rest


class T(Continuous):
    """Student's t distribution with `df` degrees of freedom.

    >>> import xgrad as xg
    >>> from xgrad.scipy.stats import t
    >>> df = xg.asarray(3.0)
    >>> round(t.sf(2.0, df).item(), 4), round(xg.grad(t.sf, argnums=1)(2.0, df).item(), 4)
    (0.0697, -0.0153)

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.t.html
    """

    name = "t"
    shapes = ("df",)

    def _pdf(self, x: Tensor, df: Tensor) -> Tensor:
        found: Tensor = student_density(x.__array_namespace__(), df, x)
        return found

    def _logpdf(self, x: Tensor, df: Tensor) -> Tensor:
        found: Tensor = log_student_density(x.__array_namespace__(), df, x)
        return found

    def _cdf(self, x: Tensor, df: Tensor) -> Tensor:
        return xg.special.stdtr(df, x)

    def _sf(self, x: Tensor, df: Tensor) -> Tensor:
        return xg.special.stdtr(df, -x)

    def _logcdf(self, x: Tensor, df: Tensor) -> Tensor:
        """By the incomplete beta function where the probability underflows, and from the other side where it is near 1.

        Where the square of x is far above df, the tail is density * abs(x) / df.
        """
        tiny = xg.special.stdtr(df, x).detach() < float(xg.finfo(x.dtype).smallest_normal) ** 0.7
        right = x > 0
        far = x.detach() < -1e9 * xg.sqrt(df.detach())
        beyond = xg.where(far, x, -1.0)
        power = self._logpdf(beyond, df) + xg.log(-beyond) - xg.log(df)
        below = xg.where(tiny & ~far, x, -10.0)
        share = 1 / (1 + below * (below / df))
        tail = xg.special.betaincln(0.5 * df, xg.full((), 0.5, dtype=x.dtype), share) - math.log(2)
        usual = xg.log(xg.special.stdtr(df, xg.where(tiny | far | right, -1.0, x)))
        above = xg.log1p(-xg.special.stdtr(df, -xg.where(right, x, 1.0)))
        return xg.where(far, power, xg.where(tiny, tail, xg.where(right, above, usual)))

    def _logsf(self, x: Tensor, df: Tensor) -> Tensor:
        return self._logcdf(-x, df)

    def _ppf(self, q: Tensor, df: Tensor) -> Tensor:
        return xg.special.stdtrit(df, q)

    def _isf(self, q: Tensor, df: Tensor) -> Tensor:
        return -xg.special.stdtrit(df, q)

    def _mean(self, df: Tensor) -> Tensor:
        return xg.where(df > 1, 0.0 * df, xg.full((), math.inf, dtype=df.dtype))

    def _var(self, df: Tensor) -> Tensor:
        finite = df > 2
        known = xg.where(finite, df, 3.0)
        infinite, none = (xg.full((), each, dtype=df.dtype) for each in (math.inf, math.nan))
        return xg.where(finite, known / (known - 2), xg.where(df > 1, infinite, none))

    def _entropy(self, df: Tensor) -> Tensor:
        half: Any = xg.full((), 0.5, dtype=df.dtype)
        digamma = xg.special.digamma
        rise = digamma(0.5 * (df + 1)) - digamma(0.5 * df)
        return 0.5 * (df + 1) * rise + 0.5 * xg.log(df) + xg.special.betaln(0.5 * df, half)


beta, t = Beta(), T()
