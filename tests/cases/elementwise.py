"""Cases for elementwise functions: each on its domain, on every kind of shape, and complex."""

from __future__ import annotations

import numpy as np

from tests.cases.case import case, cplx, real

# --- of one array -----------------------------------------------------------------------------------

DOMAINS = {
    "abs": (-2, 2),
    "acos": (-0.8, 0.8),
    "acosh": (1.3, 4),
    "asin": (-0.8, 0.8),
    "asinh": (-2, 2),
    "atan": (-2, 2),
    "atanh": (-0.8, 0.8),
    "conj": (-2, 2),
    "cos": (-3, 3),
    "cosh": (-2, 2),
    "exp": (-2, 2),
    "expm1": (-2, 2),
    "log": (0.4, 4),
    "log10": (0.4, 4),
    "log1p": (-0.5, 3),
    "log2": (0.4, 4),
    "negative": (-2, 2),
    "positive": (-2, 2),
    "real": (-2, 2),
    "reciprocal": (0.5, 3),
    "sin": (-3, 3),
    "sinh": (-2, 2),
    "sqrt": (0.4, 4),
    "square": (-2, 2),
    "tan": (-1, 1),
    "tanh": (-2, 2),
}
for _name, (_low, _high) in DOMAINS.items():
    for _shape in ((2, 3), (), (0, 2)):
        case(_name, real(*_shape, low=_low, high=_high))
    case(_name, cplx(4))
    case(_name, cplx())
case("reciprocal", real(2, low=-3, high=-0.5))
case("imag", cplx(4))
case("imag", cplx())
case("sign", cplx(4))
case("sign", cplx())

# --- of two arrays ----------------------------------------------------------------------------------

PAIRS = [
    ((2, 3), (2, 3)),
    ((), ()),
    ((2, 3), (3,)),
    ((2, 1), (1, 3)),
    ((), (2,)),
    ((1,), (2, 0)),
]
DOMAINS_OF_TWO = {
    "add": ((-2, 2), (-2, 2)),
    "atan2": ((0.3, 2), (-2, 2)),
    "copysign": ((-2, 2), (-2, 2)),
    "divide": ((-2, 2), (0.5, 2)),
    "hypot": ((-2, 2), (0.5, 2)),
    "logaddexp": ((-2, 2), (-2, 2)),
    "maximum": ((-2, 2), (-2, 2)),
    "minimum": ((-2, 2), (-2, 2)),
    "multiply": ((-2, 2), (-2, 2)),
    "pow": ((0.5, 2), (-2, 2)),
    "remainder": ((3.1, 3.9), (0.93, 1.01)),  # between 3 and 4 times x2
    "subtract": ((-2, 2), (-2, 2)),
}
for _name, (_first, _second) in DOMAINS_OF_TWO.items():
    for _shape1, _shape2 in PAIRS:
        case(
            _name,
            real(*_shape1, low=_first[0], high=_first[1]),
            real(*_shape2, low=_second[0], high=_second[1]),
        )
    case(_name, real(3, low=_first[0], high=_first[1]), 0.97)
    case(_name, 3.5 if _name == "remainder" else 1.5, real(3, low=_second[0], high=_second[1]))
for _name in ("add", "divide", "multiply", "pow", "subtract"):
    case(_name, cplx(4), cplx(4))
    case(_name, cplx(2, 1), cplx(2))
    case(_name, cplx(3), real(3, low=0.5))
    case(_name, real(3, low=0.5), cplx(3))
    case(_name, cplx(3), 1.5)
    case(_name, cplx(3), 1.5 + 0.5j)
    case(_name, real(3, low=0.5), 0.5 - 0.25j)
    case(_name, 1.5 - 0.5j, cplx(3))

for _exponent in (2, 3.0, 0, 1, -1, -2):
    case("pow", real(3), _exponent)
case("pow", real(3), np.asarray([2.0, 0.0, 1.0]), note="exponents of 0 and 1, negative bases")
case("pow", real(0, 2), 2)
case("remainder", real(3, low=-3.9, high=-3.1), real(3, low=0.93, high=1.01))
case("remainder", real(3, low=3.1, high=3.9), real(3, low=-1.01, high=-0.93))

# --- operators --------------------------------------------------------------------------------------

case("add", real(2), real(2, 2), call=lambda xp, a, b: a + b, note="operator")
case("subtract", real(2), call=lambda xp, a: 1.5 - a, note="operator")
case("multiply", real(2), call=lambda xp, a: 3 * a, note="operator")
case("divide", real(2, low=0.5), call=lambda xp, a: 2.0 / a, note="operator")
case("remainder", real(2, low=3.1, high=3.9), call=lambda xp, a: a % 1.0, note="operator")
case("pow", real(2), call=lambda xp, a: a**2, note="operator")
case("pow", real(2), call=lambda xp, a: xp.pow(2.0, a), note="base a number")
case("negative", real(2), call=lambda xp, a: -a, note="operator")
case("positive", real(2), call=lambda xp, a: +a, note="operator")
case("abs", real(2), call=lambda xp, a: abs(a), note="operator")
case("multiply", real(3), call=lambda xp, a: a * a, note="the same array twice")

case("from_parts", real(2, 3), real(2, 3), raw=lambda xp, a, b: a + 1j * b, reference=lambda xp, a, b: a + 1j * b)
case("from_parts", real(), real(), raw=lambda xp, a, b: a + 1j * b, reference=lambda xp, a, b: a + 1j * b)

# --- clip -------------------------------------------------------------------------------------------

case("clip", real(2, 3), -0.9, 0.8)
case("clip", real(2, 3), min=-0.5)
case("clip", real(2, 3), max=0.5)
case("clip", real(3))
case("clip", real(), -1, 1)
case("clip", real(0, 2), -1, 1)
case("clip", real(2, 3), real(3, low=-1.2, high=-0.4), real(2, 1, low=0.3, high=1.2))
case("clip", real(2, 3), real(3, low=-1.2, high=-0.4), 0.6)
case("clip", real(4), np.asarray([-1.0, -0.5, 0.0, 0.3]))

# The raw function may use up its second argument.
case(
    "divide_into", real(2, 3), real(2, 3, low=0.5), raw=lambda xp, x1, x2: x1 / x2, reference=lambda xp, x1, x2: x1 / x2
)

for _shape1, _shape2 in PAIRS:
    case(
        "over_squares",
        real(),
        real(*_shape1, low=0.5),
        real(*_shape2, low=-2, high=-0.5),
        reference=lambda xp, g, x1, x2: g / (x1 * x1 + x2 * x2),
    )
case("over_squares", real(3), real(3), 1.0, reference=lambda xp, g, x1, x2: g / (x1 * x1 + x2 * x2))
case("gap", real(2, 3), real(3), reference=lambda xp, x1, x2: x1 - x2)
case("gap", real(), real(), reference=lambda xp, x1, x2: x1 - x2)
