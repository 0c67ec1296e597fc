"""W1's chain, the same text for every library whose namespace has NumPy's names."""

from __future__ import annotations

from typing import Any

from bench.problems import SCALE


def chain(xp: Any, y: Any, a: Any, b: Any, c: Any, d: Any, cycles: int, scale: Any = SCALE) -> Any:
    """The cycle of ten elementwise operations, repeated. `xp` is the library's namespace."""
    for _ in range(cycles):
        y = a * y
        y = y + b
        y = xp.tanh(y)
        y = scale * y
        y = y - c
        y = xp.sin(y)
        y = y * y
        y = xp.exp(y)
        y = y / d
        y = xp.sqrt(y)
    return y
