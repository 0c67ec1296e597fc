"""Attention, the mean of values weighted by the softmax of scores, and its derivatives, written with the standard's functions.

Nothing is written in place, so that xgrad's namespace can take the place of a library's as `xp`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

# q (..., L, E), k (..., S, E), v (..., S, V), and bias and drop, which broadcast to (..., L, S) or are None.
Inputs = Sequence[Any]
Outputs = Sequence[Any]  # y (..., L, V), and the weights (..., L, S) before the factors `drop`


def forward(xp: Any, inputs: Inputs, scale: float, is_causal: bool) -> tuple[Any, Any]:
    """The outputs. A query that may attend to nothing has weights of 0."""
    q, k, v, bias, drop = inputs
    scores = xp.matmul(q * scale, xp.matrix_transpose(k))
    if bias is not None:
        scores = _masked(xp, scores, bias) if xp.isdtype(bias.dtype, "bool") else scores + bias
    if is_causal:
        scores = _masked(xp, scores, past(xp, *scores.shape[-2:]))
    weights = xp.softmax(scores, axis=-1) if bias is None else _softmax(xp, scores)
    return xp.matmul(_dropped(weights, drop), v), weights


def past(xp: Any, rows: int, columns: int) -> Any:
    """For the query of each row, the keys up to it."""
    return xp.expand_dims(xp.arange(rows), axis=1) >= xp.arange(columns)


def _masked(xp: Any, scores: Any, keep: Any) -> Any:
    return xp.where(keep, scores, xp.full((), -math.inf, dtype=scores.dtype))


def _softmax(xp: Any, scores: Any) -> Any:
    """The softmax, and 0 where all scores are -inf."""
    if scores.dtype in xp.narrow_dtypes:
        return xp.astype(_softmax(xp, xp.astype(scores, xp.float32)), scores.dtype)
    peak = xp.max(scores, axis=-1, keepdims=True)
    weights = xp.exp(scores - xp.mask(peak, peak != -math.inf))
    total = xp.sum(weights, axis=-1, keepdims=True)
    return weights / xp.where(total == 0, xp.ones((), dtype=total.dtype), total)


def _dropped(weights: Any, drop: Any) -> Any:
    return weights if drop is None else weights * drop


def gradients(
    xp: Any, g: Sequence[Any], inputs: Inputs, outputs: Outputs, scale: float, moving: Sequence[bool]
) -> list[Any]:
    """The gradients of q, k, v and bias, given those of the outputs, where None is 0."""
    (q, k, v, _, drop), (_, weights), (gy, gw) = inputs, outputs, g
    dv = None
    if gy is not None:
        if moving[2]:
            dv = xp.matmul(xp.matrix_transpose(_dropped(weights, drop)), gy)
        gw = _sum(_dropped(xp.matmul(gy, xp.matrix_transpose(v)), drop), gw)
    ds = weights * gw
    ds = ds - weights * xp.sum(ds, axis=-1, keepdims=True)
    dq = xp.matmul(ds, k) * scale if moving[0] else None
    dk = xp.matmul(xp.matrix_transpose(ds), q) * scale if moving[1] else None
    return [dq, dk, dv, ds if moving[3] else None, None]


def tangents(xp: Any, t: Sequence[Any], inputs: Inputs, outputs: Outputs, scale: float) -> list[Any]:
    """The tangents of the outputs, given those of q, k, v and bias, where None is 0."""
    (q, k, v, _, drop), (_, weights), (tq, tk, tv, tb, _) = inputs, outputs, t
    ts = tb
    if tq is not None:
        ts = _sum(ts, xp.matmul(tq, xp.matrix_transpose(k)) * scale)
    if tk is not None:
        ts = _sum(ts, xp.matmul(q, xp.matrix_transpose(tk)) * scale)
    ty = None if tv is None else xp.matmul(_dropped(weights, drop), tv)
    if ts is None:
        return [ty, xp.zeros(weights.shape, dtype=weights.dtype)]
    tw = weights * ts
    tw = tw - weights * xp.sum(tw, axis=-1, keepdims=True)
    return [_sum(ty, xp.matmul(_dropped(tw, drop), v)), tw]


def _sum(a: Any, b: Any) -> Any:
    """a + b, where None counts as 0."""
    return b if a is None else a if b is None else a + b
