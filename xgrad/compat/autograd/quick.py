"""The gradient of a number by one array of real numbers, which most calls ask for, with a third of the steps of tracing.py.

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
    if type(result) is not Tensor or not tape.is_node(result.node) or result.backend is not x.backend:
        return None
    y = result._data
    if y.size != 1:
        return None
    assert tape.is_node(x.node)
    path = Path([x.node], [result.node])
    if path.connected or not path.reached:
        return None
    with tape.set_recording(False):
        (gradient,) = path.back([result.node], [np.ones(y.shape, y.dtype)], record=False)
    found = np.zeros(x._data.shape, x._data.dtype) if gradient is None else np.array(gradient)
    return np.array(y)[()], found[()]
