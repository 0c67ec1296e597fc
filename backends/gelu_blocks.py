"""GELU and SiLU on NumPy's arrays: block by block and in place. The temporaries of a block stay in the processor's cache.

The derivatives take the distribution function, or sigmoid, from the output: it is y / x.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xgrad.backends import gelu as plain
from xgrad.backends.gelu import CUBIC, DENSITY, DOUBLE, ROOT, SINGLE

_BLOCK = 1 << 17  # bytes


class _Numbers:
    """Numbers of a dtype as arrays: a ufunc takes 0-d arrays faster than Python's numbers, and a bound faster as a row."""

    def __init__(self, dtype: Any) -> None:
        def number(value: float) -> Any:
            return np.array(value, dtype=dtype)

        k, far, coefficients = SINGLE if dtype == np.float32 else DOUBLE
        self.k, self.minus_2k, self.one, self.minus_half, self.density = map(number, (k, -2 * k, 1, -0.5, DENSITY))
        self.first, self.second, *self.others = map(number, coefficients)
        self.root, self.minus_root, self.cubic, self.cubic3 = map(number, (2 * ROOT, -2 * ROOT, CUBIC, 3 * CUBIC))
        self.length = _BLOCK // dtype.itemsize
        self.zero, self.far, self.minus_far, self.huge, self.minus_huge = (
            np.full(self.length, value, dtype=dtype) for value in (0, far, -far, 1e3, -1e3)
        )


_numbers: dict[Any, _Numbers] = {}


def _in_blocks(rule: Any, *arrays: Any) -> Any:
    """Apply `rule(numbers, work, out, *arrays)` to flat blocks of arrays of one shape and dtype. `work` is two free rows."""
    first = arrays[0]
    numbers = _numbers.get(first.dtype)
    if numbers is None:
        numbers = _numbers[first.dtype] = _Numbers(first.dtype)
    out = np.empty(first.shape, dtype=first.dtype)
    flat = [np.ascontiguousarray(array).reshape(-1) for array in arrays]
    result, length = out.reshape(-1), numbers.length
    work = np.empty((2, min(first.size, length)), dtype=first.dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # of infinities
        for start in range(0, first.size, length):
            part = slice(start, start + length)
            block = result[part]
            rule(numbers, work[:, : block.size], block, *[array[part] for array in flat])
    return out


def _gelu(c: _Numbers, work: Any, out: Any, x: Any) -> None:
    """As plain.gelu: max(x, 0) - t exp(-t**2 / 2) M(t)."""
    t, s = work
    np.abs(x, out=t)
    np.minimum(t, c.far[: t.size], out=t)
    np.add(t, c.k, out=s)
    np.divide(c.minus_2k, s, out=s)
    s += c.one
    np.multiply(s, c.first, out=out)
    out += c.second
    for coefficient in c.others:
        out *= s
        out += coefficient
    out *= t
    t *= t
    t *= c.minus_half
    np.exp(t, out=t)
    out *= t
    np.maximum(x, c.zero[: s.size], out=s)
    np.subtract(s, out, out=out)


def _gelu_gradient(c: _Numbers, work: Any, out: Any, x: Any, y: Any, g: Any) -> None:
    """g (y / x + x exp(-x**2 / 2) / sqrt(2 pi))."""
    s, t = work
    _clip(x, c.minus_far, c.far, s)
    np.multiply(s, s, out=out)
    out *= c.minus_half
    np.exp(out, out=out)
    out *= s
    out *= c.density
    np.minimum(y, c.far[: y.size], out=t)
    out += _share(t, s)
    out *= g


def _silu(c: _Numbers, work: Any, out: Any, x: Any) -> None:
    np.negative(x, out=out)
    _gate(c, out, x)


def _gelu_tanh(c: _Numbers, work: Any, out: Any, x: Any) -> None:
    """x sigmoid(2 u) for u = ROOT (x + CUBIC x**3)."""
    np.multiply(x, x, out=out)
    out *= c.cubic
    out += c.one
    out *= x
    out *= c.minus_root
    _gate(c, out, x)


def _gate(c: _Numbers, out: Any, x: Any) -> None:
    """x / (1 + exp(out))."""
    np.exp(out, out=out)
    out += c.one
    np.divide(x, out, out=out)


def _silu_gradient(c: _Numbers, work: Any, out: Any, x: Any, y: Any, g: Any) -> None:
    """g (s + y (1 - s)), where s = y / x is sigmoid(x)."""
    s, t = work
    _clip(x, c.minus_huge, c.huge, s)
    np.minimum(y, c.huge[: y.size], out=t)
    np.copyto(out, t)
    share = _share(t, s)
    np.subtract(c.one, share, out=s)
    out *= s
    out += share
    out *= g


def _gelu_tanh_gradient(c: _Numbers, work: Any, out: Any, x: Any, y: Any, g: Any) -> None:
    """g (s + y (1 - s) 2 u'), where s = y / x is sigmoid(2 u), and u' = ROOT (1 + 3 CUBIC x**2)."""
    s, t = work
    _clip(x, c.minus_huge, c.huge, s)
    np.multiply(s, s, out=out)
    out *= c.cubic3
    out += c.one
    out *= c.root
    np.minimum(y, c.huge[: y.size], out=t)
    out *= t
    share = _share(t, s)
    np.subtract(c.one, share, out=s)
    out *= s
    out += share
    out *= g


def _clip(x: Any, low: Any, high: Any, out: Any) -> None:
    np.maximum(x, low[: x.size], out=out)
    np.minimum(out, high[: x.size], out=out)


def _share(y: Any, x: Any) -> Any:
    """y / x, and 1/2 where x is (nearly) 0, written over y. The product of a tiny x and 1/2 may have lost digits."""
    tiny = np.abs(x) < _TINY
    if not tiny.any():
        return np.divide(y, x, out=y)
    np.divide(y, x, out=y, where=~tiny)
    y[tiny] = 0.5
    return y


_TINY = 1e-30


# --- methods of the raw namespace ---


def gelu(xp: Any, x: Any, approximate: str = "none") -> Any:
    if x.dtype.char not in "fd":
        return plain.gelu(xp, x, approximate)
    return _in_blocks(_gelu_tanh if approximate == "tanh" else _gelu, x)


def gelu_gradient(xp: Any, g: Any, x: Any, y: Any, approximate: str = "none") -> Any:
    if not _are_alike(g, x, y):
        return plain.gelu_gradient(xp, g, x, y, approximate)
    return _in_blocks(_gelu_tanh_gradient if approximate == "tanh" else _gelu_gradient, x, y, g)


def silu(xp: Any, x: Any) -> Any:
    return _in_blocks(_silu, x) if x.dtype.char in "fd" else plain.silu(xp, x)


def silu_gradient(xp: Any, g: Any, x: Any, y: Any) -> Any:
    return _in_blocks(_silu_gradient, x, y, g) if _are_alike(g, x, y) else plain.silu_gradient(xp, g, x, y)


def _are_alike(g: Any, x: Any, y: Any) -> bool:
    return g.dtype == x.dtype == y.dtype and g.shape == x.shape == y.shape and x.dtype.char in "fd"
