"""Cases for the special functions, against SciPy's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

from tests.cases.case import case, real

SHAPES = ((2, 3), (), (0, 2))
PAIRS = (((2, 3), (3,)), ((), ()), ((2, 1), (1, 3)), ((0, 2), (2,)))


def by_scipy(name):
    return lambda xp, *args, **static: getattr(special, name)(*args, **static)


# --- the library's, of one array: their domains -------------------------------------------------------

DOMAINS = {
    "digamma": (0.4, 4),
    "erf": (-2, 2),
    "erfc": (-2, 2),
    "erfcinv": (0.2, 1.8),
    "erfcx": (-1, 2),
    "erfinv": (-0.8, 0.8),
    "gamma": (0.4, 4),
    "gammaln": (0.4, 4),
    "i0": (-2, 2),
    "i0e": (-2, 2),
    "i1": (-2, 2),
    "i1e": (-2, 2),
    "j0": (-2, 2),
    "j1": (-2, 2),
    "log_ndtr": (-4, 2),
    "ndtr": (-2, 2),
    "ndtri": (0.2, 0.8),
    "psi": (0.4, 4),
    "rgamma": (-2.5, 4),
    "y0": (0.5, 4),
    "y1": (0.5, 4),
}
for _name, (_low, _high) in DOMAINS.items():
    for _shape in SHAPES:
        case(
            f"special.{_name}",
            real(*_shape, low=_low, high=_high),
            reference=by_scipy(_name),
        )
case("special.gamma", real(3, low=-2.8, high=-2.2), reference=by_scipy("gamma"))
for _n in (0, 1, 2):
    case("special.polygamma", _n, real(2, 3, low=0.5, high=4), reference=by_scipy("polygamma"))
case("special.polygamma", 1, real(low=0.5, high=4), reference=by_scipy("polygamma"))


for _name in ("iv", "ive", "jn", "jv", "yn"):
    case(f"special.{_name}", 2.0, real(2, 3, low=0.5, high=4), reference=by_scipy(_name))
    case(f"special.{_name}", np.asarray([[0.0], [1.0]]), real(2, 3, low=0.5, high=4), reference=by_scipy(_name))
case(
    "special.multigammaln",
    real(2, 3, low=2, high=4),
    3,
    raw=lambda xp, a, d: sum(xp.special.gammaln(a - j / 2) for j in range(d)) + d * (d - 1) / 4 * math.log(math.pi),
    reference=by_scipy("multigammaln"),
)

# --- derivatives of any order: of polynomials in these, so that the reference is another text ------------


def by_polynomial(np, x, *, of, order):
    """Derivatives of the third order, by the differential equations."""
    if of == "i0":
        return special.i1(x) * (1 + 2 / x**2) - special.i0(x) / x
    if of == "j0":
        return special.j1(x) * (1 - 2 / x**2) + special.j0(x) / x
    if of == "erfcx":
        return (8 * x**3 + 12 * x) * special.erfcx(x) - (8 * x**2 + 8) / np.sqrt(np.pi)
    if of == "log_ndtr":
        h = np.exp(-x * x / 2) / np.sqrt(2 * np.pi) / special.ndtr(x)
        return h * ((x + h) * (x + 2 * h) - 1)
    raise AssertionError(of)


# One of each kind is enough on dpnp, where a derivative is hundreds of kernels in a queue, and a law takes minutes.
for _of, _without in (("i0", ()), ("j0", ("dpnp",)), ("erfcx", ()), ("log_ndtr", ("dpnp",))):
    case("special.derivative", real(2, 3, low=-3, high=3), of=_of, order=3, reference=by_polynomial, without=_without)
for _shape in SHAPES:
    case(
        "special.derivative",
        real(*_shape, low=0.5, high=2),
        of="i0",
        order=3,
        reference=by_polynomial,
        without=("dpnp",),
    )

# --- the library's, of several arrays -----------------------------------------------------------------

SHAPE_PARAMETERS = np.asarray([0.7, 1.5, 3.0])
for _name in ("gammainc", "gammaincc"):
    case(
        f"special.{_name}",
        SHAPE_PARAMETERS,
        real(2, 3, low=0.4, high=3),
        reference=by_scipy(_name),
    )
    case(
        f"special.{_name}",
        1.5,
        real(2, low=0.4, high=3),
        reference=by_scipy(_name),
        raw=lambda xp, a, x, name=_name: getattr(xp.special, name)(xp.asarray(a, dtype=x.dtype), x),
    )


def by_mpmath(np, a, t, *, order):
    """The series of the incomplete gamma function, differentiated by its parameter; a numerical derivative of it for order 1."""
    mp = pytest.importorskip("mpmath").mp

    def slope(a, t):
        return mp.nsum(
            lambda n: mp.exp(n * t) * mp.gammaprod([a], [a + n + 1]) * (mp.digamma(a + n + 1) - t), [0, mp.inf]
        )

    with mp.workdps(30):
        found = [
            mp.diff(lambda a, t=float(each): slope(a, mp.mpf(t)), float(at), order) for at, each in np.nditer([a, t])
        ]
    return np.asarray([float(each) for each in found]).reshape(np.broadcast_shapes(a.shape, t.shape))


for _name in ("gammainc", "gammaincc"):
    case(
        f"special.{_name}",
        real(3, low=0.5, high=3),
        real(2, 3, low=0.4, high=3),
        reference=by_scipy(_name),
    )
for _order in (0, 1):
    case(
        "special.gamma_slope",
        real(2, low=0.5, high=5),
        real(2, 1, low=-1, high=1.8),
        order=_order,
        reference=by_mpmath,
    )
for _name, _high in (("gammaincinv", 0.7), ("gammainccinv", 0.7), ("gammaincln", 3), ("gammainccln", 3)):
    _logs = {"gammaincln": "gammainc", "gammainccln": "gammaincc"}
    case(
        f"special.{_name}",
        real(3, low=0.8, high=3),
        real(2, 3, low=0.3, high=_high),
        reference=(
            (lambda xp, a, x, name=_logs[_name]: xp.log(getattr(special, name)(a, x)))
            if _name in _logs
            else by_scipy(_name)
        ),
        heavy=True,
    )
for _name in ("betainc", "betaincc", "betaincinv", "betainccinv", "betaincln", "betainccln"):
    _logs = {"betaincln": "betainc", "betainccln": "betaincc"}
    for _a, _b, _low in ((0.5, 3, 0.3), (4, 6, 0.4)):
        case(
            f"special.{_name}",
            real(2, 1, low=_a, high=_b),
            real(3, low=_a, high=_b),
            real(2, 3, low=_low, high=1 - _low),
            reference=(
                (lambda xp, a, b, x, name=_logs[_name]: xp.log(getattr(special, name)(a, b, x)))
                if _name in _logs
                else by_scipy(_name)
            ),
            heavy=True,
        )


def beta_slope_by_mpmath(np, a, b, t, *, order):
    """From the integral of the density, differentiated by its parameter with many digits."""
    mp = pytest.importorskip("mpmath").mp

    def slope(a, b, t):
        x = 1 / (1 + mp.exp(-t))
        by_a = mp.diff(lambda a: mp.betainc(a, b, 0, x, regularized=True), a)
        return -by_a * mp.beta(a, b) / (x**a * (1 - x) ** b)

    with mp.workdps(40):
        found = [
            mp.diff(lambda a, b, t=float(t): slope(a, b, mp.mpf(t)), (float(a), float(b)), order)
            for a, b, t in np.nditer([a, b, t])
        ]
    return np.asarray([float(each) for each in found]).reshape(np.broadcast_shapes(a.shape, b.shape, t.shape))


for _orders in ((0, 0), (1, 0), (0, 1)):
    case(
        "special.beta_slope",
        real(2, low=0.5, high=5),
        real(2, low=0.5, high=5),
        real(2, 1, low=-1, high=1.8),
        order=_orders,
        reference=beta_slope_by_mpmath,
        heavy=True,
    )
case(
    "special.betainc",
    SHAPE_PARAMETERS,
    np.asarray([[2.0], [0.6]]),
    real(2, 3, low=0.2, high=0.8),
    reference=by_scipy("betainc"),
)
case(
    "special.betainc",
    1.5,
    0.5,
    real(2, low=0.2, high=0.8),
    reference=by_scipy("betainc"),
    raw=lambda xp, a, b, x: xp.special.betainc(xp.asarray(a, dtype=x.dtype), xp.asarray(b, dtype=x.dtype), x),
)

# --- made of these ------------------------------------------------------------------------------------

case("special.beta", real(2, 3, low=0.4, high=3), real(3, low=0.4, high=3), reference=by_scipy("beta"))
case("special.betaln", real(2, 3, low=0.4, high=3), real(3, low=0.4, high=3), reference=by_scipy("betaln"))
case("special.betaln", real(2, 3, low=20, high=30), real(3, low=0.4, high=15), reference=by_scipy("betaln"))
case("special.binom", real(2, 3, low=3, high=5), real(3, low=0.4, high=2.6), reference=by_scipy("binom"))
case("special.binom", real(2, 1, low=3, high=5), real(3, low=-2.6, high=-0.2), reference=by_scipy("binom"))
case("special.binom", real(2, 1, low=0.2, high=0.8), real(3, low=1.9, high=3.8), reference=by_scipy("binom"))
for _name in ("fdtr", "fdtrc"):
    case(
        f"special.{_name}",
        SHAPE_PARAMETERS,
        np.asarray([[5.0], [3.5]]),
        real(2, 3, low=0.4, high=2),
        reference=by_scipy(_name),
    )
    case(
        f"special.{_name}",
        real(3, low=0.7, high=5),
        real(2, 1, low=0.7, high=5),
        real(2, 3, low=0.4, high=2),
        reference=by_scipy(_name),
        heavy=True,
    )

case("special.stdtr", real(3, low=0.8, high=5), real(2, 3, low=-2, high=2), reference=by_scipy("stdtr"), heavy=True)
case(
    "special.stdtrit", real(3, low=1, high=5), real(2, 3, low=0.3, high=0.7), reference=by_scipy("stdtrit"), heavy=True
)

# --- made of others, whose definitions these are ------------------------------------------------------

LOGISTIC = {"entr": (0.2, 2), "expit": (-2, 2), "log_expit": (-2, 2), "logit": (0.2, 0.8)}
for _name, (_low, _high) in LOGISTIC.items():
    for _shape in SHAPES:
        case(f"special.{_name}", real(*_shape, low=_low, high=_high), reference=by_scipy(_name))

for _name in ("kl_div", "rel_entr", "xlog1py", "xlogy"):
    for _shape1, _shape2 in PAIRS:
        pair = real(*_shape1, low=0.4, high=2), real(*_shape2, low=0.4, high=2)
        case(f"special.{_name}", *pair, reference=by_scipy(_name))
    case(
        f"special.{_name}",
        1.5,
        real(3, low=0.4, high=2),
        reference=by_scipy(_name),
        raw=lambda xp, x, y, name=_name: getattr(xp.special, name)(xp.asarray(x, dtype=y.dtype), y),
    )


def _logsumexp(xp, a, *, axis=None, b=1.0, keepdims=False):
    return xp.log(xp.sum(b * xp.exp(a), axis=axis, keepdims=keepdims))


def _softmax(xp, x, *, axis=None):
    return xp.exp(x) / xp.sum(xp.exp(x), axis=axis, keepdims=True)


for _static in ({}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"axis": (0, 1)}):
    case(
        "special.logsumexp",
        real(2, 3),
        **_static,
        reference=by_scipy("logsumexp"),
    )
    case(
        "special.logsumexp",
        real(2, 3),
        real(3, low=0.2, high=2),
        call=lambda xp, x, b, static=_static: xp.special.logsumexp(x, b=b, **static),
        raw=lambda xp, x, b, static=_static: _logsumexp(xp, x, b=b, **static),
        reference=lambda xp, x, b, static=_static: special.logsumexp(x, b=b, **static),
        note=f"weights, {_static}",
    )
for _axis in (None, 0, -1, (0, 1)):
    for _name in ("softmax", "log_softmax"):
        case(
            f"special.{_name}",
            real(2, 3),
            axis=_axis,
            reference=by_scipy(_name),
            raw=lambda xp, x, name=_name, axis=_axis: (
                _softmax(xp, x, axis=axis) if name == "softmax" else xp.log(_softmax(xp, x, axis=axis))
            ),
        )
