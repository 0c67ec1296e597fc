"""Sums over the axes that a function has broadcast: what rules of elementwise primitives are written with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

PLAIN = (np.ndarray, np.generic)


def unbroadcast(x: Any, target_meta: Any, broadcast_idx: int = 0) -> Any:
    """x, summed to the shape of the target. `target_meta` is `metadata(target)`."""
    shape, ndim, _, is_complex = target_meta
    if isinstance(x, PLAIN) and x.dtype.kind == "f":  # of numbers without a trace, in fewer steps
        if x.shape == shape:
            return x
        if not ndim:
            return np.add.reduce(x, axis=None)
    while np.ndim(x) > ndim:
        x = np.sum(x, axis=broadcast_idx)
    for axis, size in enumerate(shape):
        if size == 1 and np.shape(x)[axis] != 1:
            x = np.sum(x, axis=axis, keepdims=True)
    return np.real(x) if np.iscomplexobj(x) and not is_complex else x


def metadata(x: Any) -> tuple[Any, int, Any, bool]:
    """The shape, the number of axes, the dtype, and whether it is complex."""
    if isinstance(x, PLAIN):
        return x.shape, x.ndim, x.dtype, x.dtype.kind == "c"
    return np.shape(x), np.ndim(x), np.result_type(x), bool(np.iscomplexobj(x))


def unbroadcast_f(target: Any, f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """g -> f(g), summed to the shape of the target."""
    of_target = metadata(target)
    return lambda g: unbroadcast(f(g), of_target)
