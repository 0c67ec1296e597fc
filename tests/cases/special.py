"""Cases for the special functions, against SciPy's."""

from __future__ import annotations

import numpy as np
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

case(
    "special.betaln",
    real(2, 3, low=0.4, high=3),
    real(3, low=0.4, high=3),
    reference=by_scipy("betaln"),
    raw=lambda xp, a, b: xp.special.gammaln(a) + xp.special.gammaln(b) - xp.special.gammaln(a + b),
)
case(
    "special.binom",
    real(2, 3, low=3, high=5),
    real(3, low=0.4, high=2.6),
    reference=by_scipy("binom"),
    raw=lambda xp, n, k: xp.exp(xp.special.gammaln(n + 1) - xp.special.gammaln(k + 1) - xp.special.gammaln(n - k + 1)),
)
F_DISTRIBUTION = {
    "fdtr": lambda xp, n, d, x: xp.special.betainc(n / 2, d / 2, n * x / (d + n * x)),
    "fdtrc": lambda xp, n, d, x: xp.special.betainc(d / 2, n / 2, d / (d + n * x)),
}
for _name, _definition in F_DISTRIBUTION.items():
    case(
        f"special.{_name}",
        SHAPE_PARAMETERS,
        np.asarray([[5.0], [3.5]]),
        real(2, 3, low=0.4, high=2),
        reference=by_scipy(_name),
        raw=_definition,
    )

# --- made of others, whose definitions these are ------------------------------------------------------

LOGISTIC = {
    "entr": ((0.2, 2), lambda xp, x: -x * xp.log(x)),
    "expit": ((-2, 2), lambda xp, x: 1 / (1 + xp.exp(-x))),
    "log_expit": ((-2, 2), lambda xp, x: -xp.log1p(xp.exp(-x))),
    "logit": ((0.2, 0.8), lambda xp, x: xp.log(x / (1 - x))),
}
for _name, ((_low, _high), _raw) in LOGISTIC.items():
    for _shape in SHAPES:
        case(f"special.{_name}", real(*_shape, low=_low, high=_high), reference=by_scipy(_name), raw=_raw)

OF_TWO = {
    "kl_div": lambda xp, x, y: x * xp.log(x / y) - x + y,
    "rel_entr": lambda xp, x, y: x * xp.log(x / y),
    "xlog1py": lambda xp, x, y: x * xp.log1p(y),
    "xlogy": lambda xp, x, y: x * xp.log(y),
}
for _name, _formula in OF_TWO.items():
    for _shape1, _shape2 in PAIRS:
        pair = real(*_shape1, low=0.4, high=2), real(*_shape2, low=0.4, high=2)
        case(f"special.{_name}", *pair, reference=by_scipy(_name), raw=_formula)
    case(f"special.{_name}", 1.5, real(3, low=0.4, high=2), reference=by_scipy(_name), raw=_formula)


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
        raw=lambda xp, x, static=_static: _logsumexp(xp, x, **static),
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
