"""Cases for the activations that have their own rule."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.cases.case import case, real

_erf = np.vectorize(math.erf, otypes=[float])


def _gelu(xp: Any, x: Any, *, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + _erf(x / np.sqrt(2)))


def _gelu_slope(xp: Any, x: Any, *, approximate: str = "none") -> Any:
    if approximate == "tanh":
        u, du = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3), np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x**2)
        return 0.5 * (1 + np.tanh(u)) + 0.5 * x * (1 - np.tanh(u) ** 2) * du
    return 0.5 * (1 + _erf(x / np.sqrt(2))) + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)


_FORMS: tuple[dict[str, Any], ...] = ({}, {"approximate": "tanh"})
for _shape in ((2, 3), (), (0, 2)):
    for _static in _FORMS:
        case("gelu", real(*_shape), **_static, reference=_gelu)
        case("gelu_slope", real(*_shape), **_static, reference=_gelu_slope)
    case("silu", real(*_shape), reference=lambda xp, x: x / (1 + np.exp(-x)))
    case("mish", real(*_shape), reference=lambda xp, x: x * np.tanh(np.log1p(np.exp(x))))
    case("tanhshrink", real(*_shape), reference=lambda xp, x: x - np.tanh(x))

# The third argument is gelu of the second: here x is a fixed array, so that it can be.
_X = np.array([[-1.5, 0.3, 2.0], [0.7, -0.2, 0.0]])
for _static in _FORMS:
    case(
        "gelu_gradient",
        real(2, 3),
        _X,
        _gelu(np, _X, **_static),
        **_static,
        reference=lambda xp, g, x, y, approximate="none": g * _gelu_slope(xp, x, approximate=approximate),
    )
case(
    "silu_gradient",
    real(2, 3),
    _X,
    _X / (1 + np.exp(-_X)),
    reference=lambda xp, g, x, y: g * (1 + x * (1 - 1 / (1 + np.exp(-x)))) / (1 + np.exp(-x)),
)
