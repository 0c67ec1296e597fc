"""Cases for attention."""

from __future__ import annotations

import numpy as np

from tests.cases.case import case, real


def _attention(xp, q, k, v, bias=None, drop=None, *, scale, is_causal=False):
    """The means and the weights, side by side."""
    scores = q @ np.swapaxes(k, -1, -2) * scale
    if bias is not None:
        scores = np.where(bias, scores, -np.inf) if bias.dtype == bool else scores + bias
    if is_causal:
        scores = np.where(np.tri(*scores.shape[-2:]) == 1, scores, -np.inf)
    with np.errstate(invalid="ignore"):
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights = np.nan_to_num(weights / weights.sum(axis=-1, keepdims=True))
    return np.concatenate([(weights if drop is None else weights * drop) @ v, weights], axis=-1)


def _add(*args, note="", both=True, **static):
    def call(xp, *args):
        y, weights = xp.attention(*args, **static)
        return xp.concat([y, weights], axis=-1) if both else y

    def reference(xp, *args):
        found = _attention(xp, *args, **static)
        return found if both else found[..., : args[2].shape[-1]]

    case("attention", *args, call=call, reference=reference, rounding=True, note=note)


_qkv = real(2, 3, 2), real(2, 4, 2), real(2, 4, 3)
_mask = np.array([[True, True, False, True], [False] * 4, [True] * 4])
_add(*_qkv, scale=0.5, note="plain")
_add(*_qkv, scale=0.5, both=False, note="result only")
_add(*_qkv, scale=0.5, is_causal=True, both=False, note="causal")
_add(*_qkv, _mask, scale=1.0, both=False, note="mask")
_add(*_qkv, real(3, 4), scale=1.0, both=False, note="bias")
_add(*_qkv, real(2, 3, 4), np.array([[0.0, 2.0, 2.0, 0.0]]), scale=1.0, is_causal=True, note="all")
_add(real(3, 2), real(4, 2), real(4, 1), None, np.full((3, 4), 2.0), scale=1.0, both=False, note="drop")
_add(real(2, 1, 3, 2), real(2, 4, 2), real(1, 2, 4, 2), scale=1.0, both=False, note="broadcast")
_add(real(2, 3, 2), np.sin(np.arange(16.0)).reshape(2, 4, 2), real(2, 4, 3), scale=1.0, both=False, note="some")
