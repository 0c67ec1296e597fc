"""The derivative of a few numbers by one array of real numbers, in a third of the steps of tracing.py. Most calls ask for it.

The function runs once. If its result, or what it depends on, needs more than is done here, tracing.py goes on with that run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xgrad.backends import get_backend
from xgrad.compat.autograd.tracing import OURS, is_running, protected, running
from xgrad.engine import tape, tracing
from xgrad.engine.casting import without_casts
from xgrad.engine.reading import noting
from xgrad.engine.tensor import Tensor
from xgrad.transforms.batching.backend import active

_REAL = frozenset(map(np.dtype, ("float32", "float64")))
_NUMBERS = frozenset((float, np.float64))
FEW = 8  # up to so many rows of a Jacobian, one reverse pass for each is quicker than one for all of them in a batch


def argument(x: Any) -> Tensor | None:
    """The argument as a tensor. None where it is no array of NumPy's, or where anything else follows operations."""
    if type(x) in _NUMBERS:
        x = np.asarray(x)
    elif type(x) is not np.ndarray or x.dtype not in _REAL:
        return None
    if is_running() or noting or active.get() or tracing.current() is not None:
        return None
    backend = get_backend()
    if not backend.arrays_are_plain:
        return None
    one = Tensor(x, backend, tape.make_node(OURS, (None,), backend=backend))
    one.layout = backend.layout(x)
    return protected(one)


def run(fun: Callable[[Any], Any], x: Tensor) -> Any:
    """The function's result."""
    with tape.set_recording(True), running():
        return fun(x)


def value_and_gradient(x: Tensor, result: Any) -> tuple[Any, Any] | None:
    """The value and the gradient, as NumPy's. None where the result is no number, or depends on more than x."""
    if not _is_of(x, result) or result._data.size != 1:
        return None
    y = result._data
    gradient = _pulled(x, result, np.ones(y.shape, y.dtype))
    return None if gradient is None else (np.array(y)[()], gradient[()])


def rows(x: Tensor, result: Any) -> Any:
    """The Jacobian, an array of NumPy's. None where the result has many numbers, or depends on more than x."""
    if not _is_of(x, result) or result._data.size > FEW:
        return None
    y, found = result._data, []
    for i in range(y.size):
        unit = np.zeros(y.size, y.dtype)
        unit[i] = 1
        row = _pulled(x, result, unit.reshape(y.shape))
        if row is None:
            return None
        found.append(row)
    return np.reshape(found, (*y.shape, *x._data.shape))[()]


def _is_of(x: Tensor, result: Any) -> bool:
    """Whether the result is a real tensor that was computed after x, on its backend."""
    if type(result) is not Tensor or not tape.is_node(result.node) or result.backend is not x.backend:
        return False
    assert tape.is_node(x.node)
    return result._data.dtype in _REAL and result.node[tape.SEQ] < x.node[tape.SEQ]


def _pulled(x: Tensor, result: Tensor, cotangent: Any) -> Any:
    """The gradient of x, an array of the caller's own. None where none arrives at x, or one arrives at anything else."""
    start: Any = result.node
    end: Any = x.node
    waiting = {id(start): cotangent}
    with x.backend.walking, tape.set_recording(False), without_casts():
        reached = tape.walk_back([start], waiting, retain=True, lift=None, end=end[tape.SEQ])
    return np.array(waiting[id(end)]) if len(reached) == 1 and reached[0][0] is end else None
