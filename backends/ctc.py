"""The forward variables of connectionist temporal classification (CTC), on raw arrays of any library or on tensors.

y[t, ..., l] is the logarithm of the probability that the first t + 1 steps are at label l of the extended labels (a blank, label
1, a blank, label 2, ...). A step stays at its label, or goes on by one label, or by two where `skips` allows it. Graves et al.
2006, https://www.cs.toronto.edu/~graves/icml_2006.pdf
"""

from __future__ import annotations

from typing import Any

LOW = -1e30  # the logarithm of 0: finite, so that differences of two of them are not nan


def _two(xp: Any, row: Any, value: float) -> Any:
    """Two more labels of that value, to put before or behind a row."""
    return xp.full((*row.shape[:-1], 2), value, dtype=row.dtype)


def ctc_forward(xp: Any, e: Any, skips: Any) -> Any:
    """The forward variables. e are the log-probabilities of the extended labels at each step, of shape (T, ..., L)."""
    zero = xp.zeros((), dtype=e.dtype)
    low = xp.full((), LOW, dtype=e.dtype)
    penalty = xp.where(skips, zero, low)
    e = xp.maximum(e, low)
    y = xp.where(xp.arange(e.shape[-1]) < 2, e[0, ...], low)
    found, two_low = [y], _two(xp, y, LOW)
    for t in range(1, e.shape[0]):
        row = xp.concat([two_low, y], axis=-1)
        one, two = row[..., 1:-1], row[..., :-2] + penalty
        peak = xp.maximum(xp.maximum(y, one), two)
        y = xp.log(xp.exp(y - peak) + xp.exp(one - peak) + xp.exp(two - peak)) + peak + e[t, ...]
        found.append(y)
    return xp.stack(found)


def shares(xp: Any, e: Any, y: Any, skips: Any) -> tuple[Any, Any, Any]:
    """The derivatives of y[t] by y[t - 1] at the same label, the one before, and the one before that: shares that sum to 1."""
    row = y[:-1, ...]
    row = xp.concat([_two(xp, row, LOW), row], axis=-1)
    penalty = xp.where(skips, xp.zeros((), dtype=e.dtype), xp.full((), LOW, dtype=e.dtype))
    rest = xp.maximum(e, xp.full((), LOW, dtype=e.dtype))[1:, ...] - y[1:, ...]
    return xp.exp(row[..., 2:] + rest), xp.exp(row[..., 1:-1] + rest), xp.exp(row[..., :-2] + penalty + rest)


def pulled(xp: Any, g: Any, e: Any, y: Any, skips: Any) -> Any:
    """The gradient by e, for the cotangent g of y: from the last step to the first."""
    stay, one, two = shares(xp, e, y, skips)
    zeros = _two(xp, stay, 0.0)
    one, two = (xp.concat([share, zeros], axis=-1) for share in (one, two))
    one, two = one[..., 1:-1], two[..., 2:]
    h = g[-1, ...]
    found, zeros = [h], _two(xp, h, 0.0)
    for t in range(e.shape[0] - 2, -1, -1):
        row = xp.concat([h, zeros], axis=-1)
        h = g[t, ...] + h * stay[t, ...] + row[..., 1:-1] * one[t, ...] + row[..., 2:] * two[t, ...]
        found.append(h)
    return xp.mask(xp.stack(found[::-1]), _reached(xp, e))


def pushed(xp: Any, tangent: Any, e: Any, y: Any, skips: Any) -> Any:
    """The tangent of y, for that of e: from the first step to the last."""
    stay, one, two = shares(xp, e, y, skips)
    tangent = xp.mask(tangent, _reached(xp, e))
    h = tangent[0, ...]
    found, zeros = [h], _two(xp, h, 0.0)
    for t in range(e.shape[0] - 1):
        row = xp.concat([zeros, h], axis=-1)
        h = tangent[t + 1, ...] + h * stay[t, ...] + row[..., 1:-1] * one[t, ...] + row[..., :-2] * two[t, ...]
        found.append(h)
    return xp.stack(found)


def _reached(xp: Any, e: Any) -> Any:
    """Where y depends on e: not at the third label and later ones of the first step, nor where e is the logarithm of 0."""
    steps = xp.reshape(xp.arange(e.shape[0]), (-1, *[1] * (e.ndim - 1)))
    return ((steps > 0) | (xp.arange(e.shape[-1]) < 2)) & (e > LOW)
