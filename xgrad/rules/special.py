"""Special functions, by the names and the arguments that they have in scipy.special.

SciPy finds them in the namespace of a tensor. Those that the standard's functions make in a line are compositions, and are there
on every backend. The others come from the backend's library, and have a rule.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from xgrad.dispatch import apply, unwrap
from xgrad.integers import one_or_more
from xgrad.op import Elementwise
from xgrad.registry import public
from xgrad.rules import network
from xgrad.rules.data_type import cast
from xgrad.rules.declare import elementwise
from xgrad.rules.elementwise import add, exp, isinf, isnan, log, log1p, multiply, negative, subtract
from xgrad.rules.manipulation import broadcast_to, squeeze
from xgrad.rules.network import softplus
from xgrad.rules.searching import where
from xgrad.rules.shapes import normalize_axes
from xgrad.rules.statistical import max as largest
from xgrad.rules.statistical import sum as total
from xgrad.tensor import Tensor, wrap

Axis = int | tuple[int, ...] | None


def _root_pi(xp: Any, like: Any, factor: float = 1.0) -> Any:
    """The square root of pi (times a factor) to as many digits as the library has: some have more than Python's floats."""
    return xp.sqrt(xp.acos(xp.asarray(-1.0, dtype=like.dtype)) * factor)


# --- the error function and the normal distribution ---------------------------------------------------------

erf = elementwise(
    "special.erf",
    "The error function, elementwise.",
    lambda xp, g, x: g * (xp.exp(-x * x) * (2 / _root_pi(xp, x))),
)
erfc = elementwise(
    "special.erfc",
    "1 - erf(x), elementwise, accurate where that is small.",
    lambda xp, g, x: g * (xp.exp(-x * x) * (-2 / _root_pi(xp, x))),
)
erfcx = elementwise(
    "special.erfcx",
    "exp(x * x) * erfc(x), elementwise.",
    lambda xp, g, x, y: g * (2 * (x * y) - 2 / _root_pi(xp, x)),
)
erfinv = elementwise(
    "special.erfinv",
    "The inverse of erf, elementwise.",
    lambda xp, g, y: g * (xp.exp(y * y) * (_root_pi(xp, y) / 2)),
)
ndtr = elementwise(
    "special.ndtr",
    "The distribution function of the standard normal distribution, elementwise.",
    lambda xp, g, x: g * (xp.exp(x * x * -0.5) / _root_pi(xp, x, 2.0)),
)
ndtri = elementwise(
    "special.ndtri",
    "The inverse of ndtr, elementwise: the quantiles of the standard normal distribution.",
    lambda xp, g, y: g * (xp.exp(y * y * 0.5) * _root_pi(xp, y, 2.0)),
)
log_ndtr = elementwise(
    "special.log_ndtr",
    "The logarithm of ndtr, elementwise, accurate far out on both sides.",
    lambda xp, g, x: g / (_root_pi(xp, x, 0.5) * xp.special.erfcx(x * -xp.sqrt(xp.asarray(0.5, dtype=x.dtype)))),
)

# --- the gamma function -------------------------------------------------------------------------------------

gamma = elementwise(
    "special.gamma",
    "The gamma function, elementwise.",
    lambda xp, g, x, y: g * y * xp.special.digamma(x),
)
gammaln = elementwise(
    "special.gammaln",
    "The logarithm of the absolute value of the gamma function, elementwise.",
    lambda xp, g, x: g * xp.special.digamma(x),
)
digamma = elementwise(
    "special.digamma",
    "The derivative of the logarithm of the gamma function, elementwise.",
    lambda xp, g, x: g * xp.special.polygamma(1, x),
)

_polygamma = Elementwise(
    "special.polygamma", ("n", "x"), (None, lambda xp, g, n, x: g * xp.special.polygamma(n + 1, x))
)


@public("special.polygamma", "rule")
def polygamma(n: int, x: Any, /) -> Tensor:
    """The n-th derivative of digamma, elementwise; n is one number from 1 on, or 0 for digamma itself.

    Raises ValueError for any other n.

    >>> import xgrad as xg
    >>> round(xg.special.polygamma(1, xg.asarray(1.0)).item(), 6)  # pi**2 / 6
    1.644934
    """
    if getattr(n, "shape", ()) != ():
        raise ValueError("polygamma: n is one number, the same for all elements")
    order = int(n)
    if order != n or order < 0:
        raise ValueError(f"polygamma: n is a number of derivatives, an integer from 0 on; got {n!r}")
    return apply(_polygamma, (order, x)) if order else digamma(x)


@public("special.psi", "composition")
def psi(x: Any, /) -> Tensor:
    """Another name of digamma."""
    return digamma(x)


@public("special.betaln", "composition")
def betaln(a: Any, b: Any, /) -> Tensor:
    """The logarithm of the absolute value of the beta function, elementwise."""
    a, b = _arrays("betaln", a, b)
    return gammaln(a) + gammaln(b) - gammaln(a + b)


@public("special.binom", "composition")
def binom(n: Any, k: Any, /) -> Tensor:
    """The binomial coefficient for n >= k >= 0, also where they are not integers, elementwise."""
    n, k = _arrays("binom", n, k)
    return exp(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))


# --- incomplete gamma and beta functions --------------------------------------------------------------------


class InTheLast(Elementwise):
    """A function whose derivative is known by its last argument only: to ask for another is an error, not a zero."""

    def _check(self, moving: Sequence[Any]) -> None:
        for name, moves in zip(self.arguments[:-1], moving, strict=False):
            if moves is not None:
                raise NotImplementedError(
                    f"{self.name}: the derivative by {name} is not known. Cut it off with xgrad's detach() where it is "
                    "not wanted."
                )

    def pull(self, xp: Any, g: Any, parents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Sequence[Any]:
        self._check(parents)
        return super().pull(xp, g, parents, saved, static)

    def push(self, xp: Any, tangents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Any:
        self._check(tangents)
        return super().push(xp, tangents, saved, static)


def _gamma_density(xp: Any, a: Any, x: Any) -> Any:
    """x**(a - 1) * exp(-x) / gamma(a)"""
    return xp.exp((a - 1) * xp.log(x) - x - xp.special.gammaln(a))


def _beta_density(xp: Any, a: Any, b: Any, x: Any) -> Any:
    """x**(a - 1) * (1 - x)**(b - 1) / beta(a, b)"""
    kernel = (a - 1) * xp.log(x) + (b - 1) * xp.log1p(-x)
    return xp.exp(kernel - xp.special.gammaln(a) - xp.special.gammaln(b) + xp.special.gammaln(a + b))


_gammainc = InTheLast("special.gammainc", ("a", "x"), (None, lambda xp, g, a, x: g * _gamma_density(xp, a, x)))
_gammaincc = InTheLast("special.gammaincc", ("a", "x"), (None, lambda xp, g, a, x: -g * _gamma_density(xp, a, x)))
_betainc = InTheLast(
    "special.betainc", ("a", "b", "x"), (None, None, lambda xp, g, a, b, x: g * _beta_density(xp, a, b, x))
)


@public("special.gammainc", "rule")
def gammainc(a: Any, x: Any, /) -> Tensor:
    """The lower incomplete gamma function, divided by gamma(a), elementwise. Its derivative by `a` is an error."""
    return apply(_gammainc, _arrays("gammainc", a, x))


@public("special.gammaincc", "rule")
def gammaincc(a: Any, x: Any, /) -> Tensor:
    """1 - gammainc(a, x), elementwise, accurate where that is small. Its derivative by `a` is an error."""
    return apply(_gammaincc, _arrays("gammaincc", a, x))


@public("special.betainc", "rule")
def betainc(a: Any, b: Any, x: Any, /) -> Tensor:
    """The incomplete beta function from 0 to x, divided by beta(a, b), elementwise. Its derivatives by `a` and `b` are errors."""
    return apply(_betainc, _arrays("betainc", a, b, x))


@public("special.fdtr", "composition")
def fdtr(dfn: Any, dfd: Any, x: Any, /) -> Tensor:
    """The F distribution function for that many degrees of freedom in numerator and denominator, elementwise."""
    dfn, dfd, x = _arrays("fdtr", dfn, dfd, x)
    return betainc(dfn / 2, dfd / 2, dfn * x / (dfd + dfn * x))


@public("special.fdtrc", "composition")
def fdtrc(dfn: Any, dfd: Any, x: Any, /) -> Tensor:
    """1 - fdtr(dfn, dfd, x), elementwise, accurate where that is small."""
    dfn, dfd, x = _arrays("fdtrc", dfn, dfd, x)
    return betainc(dfd / 2, dfn / 2, dfd / (dfd + dfn * x))


# --- Bessel functions ---------------------------------------------------------------------------------------


def _over(xp: Any, y: Any, x: Any, at_zero: float) -> Any:
    """y / x, and its limit where x is 0."""
    flat = x == 0
    ratio = y / xp.where(flat, xp.ones((), dtype=x.dtype), x)
    return xp.where(flat, xp.full((), at_zero, dtype=x.dtype), ratio)


j0 = elementwise("special.j0", "The Bessel function of order 0, elementwise.", lambda xp, g, x: -g * xp.special.j1(x))
j1 = elementwise(
    "special.j1",
    "The Bessel function of order 1, elementwise.",
    lambda xp, g, x, y: g * (xp.special.j0(x) - _over(xp, y, x, 0.5)),
)
i0 = elementwise(
    "special.i0", "The modified Bessel function of order 0, elementwise.", lambda xp, g, x: g * xp.special.i1(x)
)
i0e = elementwise(
    "special.i0e",
    "exp(-abs(x)) * i0(x), elementwise.",
    lambda xp, g, x, y: g * (xp.special.i1e(x) - xp.sign(x) * y),
)
i1 = elementwise(
    "special.i1",
    "The modified Bessel function of order 1, elementwise.",
    lambda xp, g, x, y: g * (xp.special.i0(x) - _over(xp, y, x, 0.5)),
)
i1e = elementwise(
    "special.i1e",
    "exp(-abs(x)) * i1(x), elementwise.",
    lambda xp, g, x, y: g * (xp.special.i0e(x) - xp.sign(x) * y - _over(xp, y, x, 0.5)),
)

# --- made of others: logistic, entropies, softmax -----------------------------------------------------------


def _arrays(name: str, *args: Any) -> list[Tensor]:
    """The arguments as tensors of one backend and one floating-point dtype, if there is one among them."""
    backend, raws, _ = unwrap(name, args)
    dtype = backend.library.result_type(*(raw.dtype for raw in raws if hasattr(raw, "shape")))
    wanted = dtype if backend.is_inexact(dtype) else None
    lifted = [raw if hasattr(raw, "shape") else backend.asarray(raw, wanted) for raw in raws]
    tensors = [arg if isinstance(arg, Tensor) else wrap(raw, backend) for arg, raw in zip(args, lifted, strict=True)]
    return [t if wanted is None or t.dtype == wanted else cast(t, wanted) for t in tensors]


@public("special.expit", "composition")
def expit(x: Any, /) -> Tensor:
    """1 / (1 + exp(-x)), elementwise: xgrad.sigmoid, but with all its digits where it is small.

    >>> import xgrad as xg
    >>> xg.special.expit(xg.asarray(-50.0)).item()
    1.9287498479639178e-22
    """
    return exp(log_expit(x))


@public("special.log_expit", "composition")
def log_expit(x: Any, /) -> Tensor:
    """log(expit(x)), elementwise, without overflow."""
    return -softplus(negative(x))


@public("special.logit", "composition")
def logit(x: Any, /) -> Tensor:
    """log(x / (1 - x)), elementwise: the inverse of expit."""
    return log(x) - log1p(negative(x))


@public("special.xlogy", "composition")
def xlogy(x: Any, y: Any, /) -> Tensor:
    """x * log(y), elementwise; 0 where x is 0 and log(y) is not finite, with the gradient 0.

    >>> import xgrad as xg
    >>> xg.special.xlogy(xg.asarray([0.0, 2.0]), xg.asarray([0.0, 1.0])).numpy().tolist()
    [0.0, 0.0]
    """
    x, y = _arrays("xlogy", x, y)
    return multiply(x, log(where((x == 0) & ((y <= 0) | isinf(y)), 1.0, y)))


@public("special.xlog1py", "composition")
def xlog1py(x: Any, y: Any, /) -> Tensor:
    """x * log1p(y), elementwise; 0 where x is 0 and log1p(y) is not finite, with the gradient 0."""
    x, y = _arrays("xlog1py", x, y)
    return multiply(x, log1p(where((x == 0) & ((y <= -1) | isinf(y)), 0.0, y)))


@public("special.entr", "composition")
def entr(x: Any, /) -> Tensor:
    """-x * log(x), elementwise; 0 at 0, and -inf where x is negative."""
    (t,) = _arrays("entr", x)
    return where(t < 0, -math.inf, -xlogy(t, where(t < 0, 1.0, t)))


@public("special.rel_entr", "composition")
def rel_entr(x: Any, y: Any, /) -> Tensor:
    """x * log(x / y), elementwise; 0 where x is 0 and y is not negative, and inf outside of its domain."""
    x, y = _arrays("rel_entr", x, y)
    inside = (x >= 0) & (y >= 0) & ((x == 0) | (y > 0))
    known = inside | isnan(x) | isnan(y)
    usual = known & ((x != 0) | isnan(y))
    ratio = where(usual, x, 1.0) / where(usual, y, 1.0)
    return where(known, xlogy(x, ratio), math.inf)


@public("special.kl_div", "composition")
def kl_div(x: Any, y: Any, /) -> Tensor:
    """x * log(x / y) - x + y, elementwise."""
    x, y = _arrays("kl_div", x, y)
    return add(subtract(rel_entr(x, y), x), y)


@public("special.logsumexp", "composition")
def logsumexp(a: Any, axis: Axis = None, b: Any = None, keepdims: bool = False) -> Tensor:
    """log(sum(b * exp(a))) over the axes, without overflow; b is 1 where it is left out."""
    axis = one_or_more("logsumexp", axis)
    if b is None:
        return network.logsumexp(a, axis=axis, keepdims=keepdims)
    a, b = _arrays("logsumexp", a, b)
    shape = (a * b).shape
    a, b = broadcast_to(a, shape), broadcast_to(b, shape)
    peak = largest(where(b == 0, -math.inf, a.detach()), axis=axis, keepdims=True)
    peak = where(isinf(peak), 0.0, peak)
    scaled: Tensor = log(total(b * exp(where(b == 0, 0.0, a - peak)), axis=axis, keepdims=True)) + peak
    if keepdims:
        return scaled
    return squeeze(scaled, axis=normalize_axes("logsumexp", axis, scaled.ndim))


@public("special.softmax", "composition")
def softmax(x: Any, axis: Axis = None) -> Tensor:
    """exp(x) / sum(exp(x)) over the axes; all of them where none is given."""
    axis = one_or_more("softmax", axis)
    if isinstance(axis, int):
        return network.softmax(x, axis=axis)
    return exp(log_softmax(x, axis))


@public("special.log_softmax", "composition")
def log_softmax(x: Any, axis: Axis = None) -> Tensor:
    """x - logsumexp(x) over the axes; all of them where none is given."""
    axis = one_or_more("log_softmax", axis)
    if isinstance(axis, int):
        return network.log_softmax(x, axis=axis)
    (t,) = _arrays("log_softmax", x)
    return t - network.logsumexp(t, axis=axis, keepdims=True)
