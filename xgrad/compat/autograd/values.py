"""Arrays and numbers on their way in and out: tensors while a function is traced, NumPy's arrays otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np

from xgrad.engine.plain import plain_types
from xgrad.engine.tensor import Tensor
from xgrad.engine.trees import map_leaves

_AS_THEY_ARE = frozenset(map(np.dtype, ("float32", "float64", "complex64", "complex128")))
LONG = {np.longdouble: np.float64, np.clongdouble: np.complex128}  # no backend has them


def plain(tree: Any) -> Any:
    """The tree with tensors that are not traced as arrays of NumPy's, and 0-d ones as its scalars."""
    return map_leaves(_plain, tree)


def _plain(x: Any) -> Any:
    return getval(x) if isinstance(x, Tensor) and x.node is None else x


def getval(x: Any) -> Any:
    """The value of a tensor, a writable array of NumPy's or a scalar of it, without the trace; anything else as it is."""
    if type(x) in plain_types and x.backend.arrays_are_plain:
        return np.array(x._data)[()]
    return x.numpy()[()] if isinstance(x, Tensor) else x


def values(tree: Any) -> Any:
    """`getval` of each leaf of a tree."""
    return map_leaves(getval, tree)


def isbox(x: Any) -> bool:
    """Whether a value is traced."""
    return isinstance(x, Tensor) and x.node is not None


def differentiable(x: Any) -> Any:
    """A leaf to differentiate by: integers become floats.

    Raises:
        TypeError: for what is neither an array nor a number.
    """
    if (type(x) is np.ndarray and x.dtype in _AS_THEY_ARE) or (
        isinstance(x, Tensor | float | complex) and not isinstance(x, np.generic)
    ):
        return x
    if isinstance(x, bool | str | bytes) or not (isinstance(x, int) or hasattr(x, "__array__")):
        raise TypeError(f"Can't differentiate w.r.t. type {type(x)}")
    array = np.asarray(x)
    if array.dtype.kind not in "iufc":
        raise TypeError(f"Can't differentiate w.r.t. an array of dtype {array.dtype}")
    if array.dtype.kind in "iu":
        return array.astype(np.float64)
    return array.astype(LONG.get(array.dtype.type, array.dtype), copy=False)
