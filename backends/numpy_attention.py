"""Attention on NumPy's arrays, and its gradients, in place.

Each result has its axes in memory in the order of the argument that it belongs to. So heads that are a view of an array of shape
(batch, length, heads, size) give a result that is such a view too, and joining the heads copies nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_add_reduce: Any = np.add.reduce
_max_reduce: Any = np.maximum.reduce


def takes(inputs: Sequence[Any]) -> bool:
    """Whether these functions are for the inputs: of one dtype, float32 or float64, with the same axes in front."""
    q, k, v, bias, drop = inputs
    dtypes = {each.dtype.char for each in inputs if each is not None and each.dtype.char != "?"}
    masks = [mask.ndim <= q.ndim for mask in (bias, drop) if mask is not None]
    return len(dtypes) == 1 and dtypes <= {"f", "d"} and q.shape[:-2] == k.shape[:-2] == v.shape[:-2] and all(masks)


def _like(x: Any, *last: int) -> Any:
    """An array with the axes in front of x and these last axes, in the order in memory that x has."""
    return np.empty_like(x, order="K", shape=(*x.shape[:-2], *last), subok=False)


def forward(inputs: Sequence[Any], scale: float, is_causal: bool) -> tuple[Any, Any]:
    """The result, and the weights."""
    q, k, v, bias, drop = inputs
    length, size = q.shape[-2], k.shape[-2]
    scores = np.matmul(q * q.dtype.type(scale), k.mT)
    if bias is not None:
        scores += _additive(bias, scores.dtype) if bias.dtype.char == "?" else bias
    if is_causal:
        scores += _additive(np.tri(length, size, dtype=bool), scores.dtype)
    if size:
        peak = _max_reduce(scores, axis=-1, keepdims=True)
        if bias is not None:
            peak[peak == -np.inf] = 0
        with np.errstate(invalid="ignore"):
            scores -= peak
    np.exp(scores, out=scores)
    total = _add_reduce(scores, axis=-1, keepdims=True)
    if bias is not None:
        total[total == 0] = 1
    scores /= total
    y = _like(q, length, v.shape[-1])
    np.matmul(scores if drop is None else scores * drop, v, out=y)
    return y, scores


def _additive(keep: Any, dtype: Any) -> Any:
    """0 where the mask is True, -inf elsewhere."""
    return np.where(keep, dtype.type(0), dtype.type(-np.inf))


def gradients(
    g: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], scale: float, moving: Sequence[bool]
) -> list[Any]:
    """The gradients of q, k, v and bias, given that of the result."""
    (q, k, v, _, drop), (y, weights), (g, _) = inputs, outputs, g
    ds = np.matmul(g, v.mT)
    dv = (
        np.matmul((weights if drop is None else weights * drop).mT, g, out=_like(v, *v.shape[-2:]))
        if moving[2]
        else None
    )
    if drop is not None:
        ds *= drop
    ds -= _add_reduce(g * y, axis=-1, keepdims=True)  # the sum of weights * ds
    ds *= weights
    dq = np.matmul(ds, k, out=_like(q, *q.shape[-2:])) if moving[0] else None
    dk = np.matmul(ds.mT, q, out=_like(k, *k.shape[-2:])) if moving[1] else None
    for each in (dq, dk):
        if each is not None:
            each *= q.dtype.type(scale)
    return [dq, dk, dv, ds if moving[3] else None, None]
