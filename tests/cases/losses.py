"""Cases for the losses that have their own rule, and for the forward variables of the CTC loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.cases.case import case, real


def _binary_cross_entropy(xp: Any, x: Any, target: Any) -> Any:
    return -target * np.log(x) - (1 - target) * np.log(1 - x)


for _first, _second in (((2, 3), (2, 3)), ((), ()), ((2, 1), (3,)), ((0, 2), (2,))):
    arguments = real(*_first, low=0.1, high=0.9), real(*_second, low=0.1, high=0.9)
    case("binary_cross_entropy", *arguments, reference=_binary_cross_entropy)
case("binary_cross_entropy", real(2, low=0.1, high=0.9), np.asarray([0.0, 1.0]), reference=_binary_cross_entropy)


def _forward(xp: Any, e: Any, skips: Any) -> Any:
    """By probabilities instead of logarithms."""
    p = np.exp(e)
    y = np.where(np.arange(e.shape[-1]) < 2, p[0], 0.0)
    found = [y]
    for step in p[1:]:
        one, two = np.zeros_like(y), np.zeros_like(y)
        one[..., 1:], two[..., 2:] = y[..., :-1], np.where(skips, np.roll(y, 2, axis=-1), 0.0)[..., 2:]
        y = (y + one + two) * step
        found.append(y)
    y = np.stack(found)
    return np.where(y > 0, np.log(np.where(y > 0, y, 1.0)), 0.0)


def _call(xp: Any, e: Any, skips: Any) -> Any:
    """Without the values for labels that no path reaches, which are not continuous."""
    y = xp.ctc_forward(e, skips)
    return xp.where(y > -1e29, y, xp.zeros((), dtype=y.dtype))


for _shape in ((4, 3), (3, 2, 5), (1, 2, 3), (5, 1), (3, 2)):
    _skips = np.arange(int(np.prod(_shape[1:]))).reshape(_shape[1:]) % 2 == 1
    case("ctc_forward", real(*_shape), _skips, call=_call, reference=_forward)
