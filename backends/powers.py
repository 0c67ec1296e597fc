"""Powers of NumPy's arrays by products, quotients and square roots: twenty times as fast as NumPy's logarithms.

NumPy does the same for the exponents -1, 0, 0.5, 1 and 2. Each step rounds once, so a value is within two units in the last
place. An intermediate value overflows or underflows only if the result does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_FEW = 256  # elements: for smaller arrays the cost is that of the calls
_min_reduce: Any = np.minimum.reduce


def power(x1: Any, x2: Any) -> Any:
    """x1 ** x2."""
    if type(x2) is int or type(x2) is float:
        quick = _QUICK.get(x2)
        if quick is not None and type(x1) is np.ndarray and x1.dtype.char in quick[0] and quick[1](x1):
            return quick[2](x1)
    return x1**x2


def _always(x: Any) -> bool:
    return True


def _is_positive(x: Any) -> bool:
    """Whether x is a large array of positive numbers. (For -0.0 and -inf, powers and square roots differ.)"""
    return x.size >= _FEW and bool(_min_reduce(x, axis=None) > 0)


def _cube(x: Any) -> Any:
    y = x * x
    y *= x
    return y


def _fourth(x: Any) -> Any:
    y = x * x
    y *= y
    return y


def _divided(x: Any, times: int) -> Any:
    """1 / x, divided by x `times` more times. (The reciprocal of a product could underflow.)"""
    y = 1 / x
    for _ in range(times):
        y /= x
    return y


def _three_halves(x: Any) -> Any:
    y = np.sqrt(x)
    y *= x
    return y


def _over_root(x: Any) -> Any:
    y = np.sqrt(x)
    return np.divide(1, y, out=y)


def _over_three_halves(x: Any) -> Any:
    y = _over_root(x)
    y /= x
    return y


# exponent -> the dtypes it is for, whether it applies to an array, and the function
_QUICK: dict[float, tuple[str, Callable[[Any], bool], Callable[[Any], Any]]] = {
    3: ("fdFD", _always, _cube),
    4: ("fdFD", _always, _fourth),
    -2: ("fdFD", _always, lambda x: _divided(x, 1)),
    -3: ("fdFD", _always, lambda x: _divided(x, 2)),
    1.5: ("fd", _is_positive, _three_halves),
    -0.5: ("fd", _is_positive, _over_root),
    -1.5: ("fd", _is_positive, _over_three_halves),
}
