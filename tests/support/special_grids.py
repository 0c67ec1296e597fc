"""Arguments for every special function: points of its domain, its edges, and points outside of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

inf, nan = math.inf, math.nan

POSITIVE = [
    *(5e-324, 1e-310, 1e-300, 1e-20, 1e-8, 1e-3, 0.1, 0.25, 0.3, 0.5, 0.50000001, 0.65, 0.7, 0.9, 1 - 1e-10),
    *(1.0, 1 + 1e-10, 1.5, 2.0, 2.5, 3.0, 5.0, 7.0, 10.0, 20.0, 26.5, 37.0, 40.0, 100.0, 170.0, 171.7, 700.0, 745.0),
    *(1e3, 1e5, 1e10, 1e100, 1e300, inf),
]
LINE = [0.0, -0.0, nan, *POSITIVE, *(-x for x in POSITIVE)]
PLANE = [
    *(-inf, -1e300, -1e5, -100.5, -7.0, -3.0, -2.5, -2.0, -1.5, -1.0, -0.5, -1e-10, -0.0, 0.0, 5e-324, 1e-300, 1e-10),
    *(
        0.1,
        0.5,
        1 - 1e-10,
        1.0,
        1.000001,
        1.5,
        2.0,
        2.5,
        3.0,
        7.0,
        9.5,
        10.0,
        30.0,
        120.0,
        500.5,
        1e3,
        1e5,
        1e300,
        inf,
        nan,
    ),
]
PARAMETERS = [-1.0, 0.0, 0.1, 0.5, 1.0, 1.5, 2.0, 5.5, 30.0, 200.0, 1e3, inf, nan]
SHAPES = [x for x in PARAMETERS if x and x != inf]  # SciPy's quantiles at 0 and inf follow no rule
SHARES = [-1.0, -1e-10, -0.0, 0.0, 1e-10, 0.01, 0.3, 0.5, 0.9, 1 - 1e-10, 1.0, 1 + 1e-10, 2.0, inf, nan]
UPWARD = [-inf, -1.0, -0.0, 0.0, 1e-10, 0.01, 0.3, 0.9, 1.0, 2.0, 7.0, 100.0, 1e5, inf, nan]
ORDERS = [-1.0, 0.0, 1.0, 2.0, 3.0, 0.5, 5.0, 10.0, nan]

OF_ONE = (
    *("erf", "erfc", "erfcx", "erfinv", "ndtr", "ndtri", "log_ndtr", "gamma", "gammaln", "digamma", "psi"),
    *(
        "erfcinv",
        "gammasgn",
        "rgamma",
        "y0",
        "y1",
        "j0",
        "j1",
        "i0",
        "i0e",
        "i1",
        "i1e",
        "expit",
        "log_expit",
        "logit",
        "entr",
    ),
)
GRIDS: dict[str, Sequence[tuple[float, ...]]] = {
    **{name: [(x,) for x in LINE] for name in OF_ONE},
    **{
        name: list(product(PLANE, PLANE))
        for name in ("xlogy", "xlog1py", "rel_entr", "kl_div", "beta", "betaln", "binom")
    },
    **{name: list(product(PARAMETERS, UPWARD)) for name in ("gammainc", "gammaincc")},
    **{name: list(product(PARAMETERS, PARAMETERS, UPWARD)) for name in ("fdtr", "fdtrc")},
    "stdtr": list(product(SHAPES, PLANE)),
    "stdtrit": [args for args in product(SHAPES, SHARES) if 0 < args[1] <= 1],
    **{name: list(product(SHAPES, SHARES)) for name in ("gammaincinv", "gammainccinv")},
    **{name: list(product(PARAMETERS, PARAMETERS, SHARES)) for name in ("betainc", "betaincc")},
    **{name: list(product(SHAPES, SHAPES, SHARES)) for name in ("betaincinv", "betainccinv")},
    **{name: list(product(ORDERS, PLANE)) for name in ("iv", "ive", "jn", "jv")},
    "yn": list(product([0.0, 1.0, 2.0, 7.0], PLANE)),
    "polygamma": list(product(ORDERS, PLANE)),
}

# Functions along an axis and one of a dimension, which have tests of their own in test_special.py, and those that SciPy lacks.
OTHERS = {
    *("logsumexp", "softmax", "log_softmax", "multigammaln", "derivative", "gamma_slope", "beta_slope"),
    *("gammaincln", "gammainccln", "betaincln", "betainccln"),
}

# SciPy's kl_div divides first, which underflows or overflows for these arguments.
_FINITE = [x for x in PLANE if 0 < x < inf]
OUT_OF_RANGE = [(x, y) for x, y in product(_FINITE, _FINITE) if x / y == inf or x / y < 2.3e-308]

# Arguments for which SciPy is wrong, and the right value, computed by mpmath with 50 digits.
RIGHT: dict[tuple[str | float, ...], float] = {
    ("polygamma", 2.0, -100.5): -9.802720262719757e-05,  # SciPy's terms cancel
    ("polygamma", 10.0, -100.5): -3.283629953631115e-15,
    ("polygamma", 10.0, -2.5): -4.026693041232995,
    ("polygamma", 10.0, -1.5): -156.229596593233,
    **{("kl_div", x, y): x * (math.log(x) - math.log(y)) - x + y for x, y in OUT_OF_RANGE},
    ("binom", inf, -0.5): 0.0,
    ("j0", inf): 0.0,  # the limit; SciPy gives nan, but only here and in j1
    ("j0", -inf): 0.0,
    ("j1", inf): 0.0,
    ("j1", -inf): 0.0,
    ("expit", -745.0): 5e-324,  # SciPy gives 0
    ("kl_div", 1 - 1e-10, 1.0): 5.000000827570412e-21,  # its three terms cancel in SciPy: 0, and at most four digits
    ("kl_div", 1.0, 1 - 1e-10): 5.0000008277370776e-21,
    ("kl_div", 1 - 1e-10, 1.000001): 5.000996715429167e-13,
    ("kl_div", 1.000001, 1 - 1e-10): 5.000998382594216e-13,
    ("kl_div", 1.0, 1.000001): 4.999996665846501e-13,
    ("kl_div", 1.000001, 1.0): 4.9999983325115e-13,
}
