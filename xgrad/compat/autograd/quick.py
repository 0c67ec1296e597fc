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
from xgrad.engine.path import Path
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
    path = _path(x, result)
    if path is None or result._data.size != 1:
        return None
    y = result._data
    return np.array(y)[()], _pulled(path, result.node, np.ones(y.shape, y.dtype), x._data)[()]


def rows(x: Tensor, result: Any) -> Any:
    """The Jacobian, an array of NumPy's. None where the result has many numbers, or depends on more than x."""
    path = _path(x, result)
    if path is None or result._data.size > FEW:
        return None
    y, found = result._data, []
    for i in range(y.size):
        unit = np.zeros(y.size, y.dtype)
        unit[i] = 1
        found.append(_pulled(path, result.node, unit.reshape(y.shape), x._data))
    return np.reshape(found, (*y.shape, *x._data.shape))[()]


def _path(x: Tensor, result: Any) -> Path | None:
    """The operations between the argument and the result. None where there is more, or nothing, to differentiate by."""
    if type(result) is not Tensor or not tape.is_node(result.node) or result.backend is not x.backend:
        return None
    if result._data.dtype not in _REAL:
        return None
    assert tape.is_node(x.node)
    path = Path([x.node], [result.node])
    return path if path.reached and not path.connected else None


def _pulled(path: Path, node: Any, cotangent: Any, x: Any) -> Any:
    with tape.set_recording(False):
        (gradient,) = path.back([node], [cotangent], record=False)
    return np.zeros(x.shape, x.dtype) if gradient is None else np.array(gradient)
