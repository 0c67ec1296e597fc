"""Evenly spaced numbers: linspace and arange, whose arguments are numbers or 0-d arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from xgrad.backends.data import is_scalar
from xgrad.engine.arguments import backend_of
from xgrad.engine.integers import integer
from xgrad.engine.operands import as_tensors
from xgrad.engine.tensor import Tensor, wrap
from xgrad.rules.creation import from_tensor, make
from xgrad.rules.declare import of_backend


@of_backend("composition")
def arange(
    backend: Any, start: float, /, stop: float | None = None, step: float = 1, *, dtype: Any = None, device: Any = None
) -> Tensor:
    """Numbers from `start` to before `stop`, `step` apart.

    >>> import xgrad as xg
    >>> xg.arange(0.0, 1.0, 0.25).tolist()
    [0.0, 0.25, 0.5, 0.75]
    >>> xg.grad(lambda step: xg.sum(xg.arange(0.0, 3.0, step)))(xg.asarray(1.0)).item()
    3.0

    Args:
        start: the first number; the end, if it is given alone. All three may be 0-d arrays (the standard has numbers only).
        stop: the end, which is not reached.
        step: the distance of neighbours, which may be negative.
        dtype: the dtype of the result; None means integers if all three are, else the default floating-point dtype.

    Returns:
        A tensor of shape (n,), where n is (stop - start) / step, rounded up, and at least 0.

    Derivative:
        Element k is start + k * step: the gradient goes to start and step. How many elements there are does not depend on them
        smoothly, so stop gets the gradient 0.

    Raises:
        ValueError: for the step 0.
        TypeError: for a value that is not a number, and for a dtype that the backend does not have.
        ValueError: for an array that is not 0-d.
    """
    if not isinstance(step, Tensor) and is_scalar(step) and step == 0:
        raise ValueError("arange: step must not be 0")
    if any(hasattr(value, "shape") for value in (start, stop, step)):
        return _steps(backend, start, stop, step, dtype, device)
    return make(backend, "arange", start, stop, step, dtype=dtype, device=device)


@of_backend("composition")
def linspace(
    backend: Any, start: Any, stop: Any, /, num: int, *, dtype: Any = None, device: Any = None, endpoint: bool = True
) -> Tensor:
    """Evenly spaced numbers between two ends.

    >>> import xgrad as xg
    >>> xg.linspace(0.0, 1.0, 5).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    >>> xg.grad(lambda stop: xg.sum(xg.linspace(0.0, stop, 5)))(xg.asarray(1.0)).item()
    2.5

    Args:
        start: the first number, real or complex. Both ends may be 0-d arrays (the standard has numbers only).
        stop: the last number.
        num: how many numbers.
        dtype: the dtype of the result; None means the floating-point dtype of the arrays, or else the default one.
        endpoint: whether stop is among the numbers. If not, it is where the next one would be.

    Returns:
        A tensor of shape (num,).

    Derivative:
        Each element is a weighted mean (1 - w) * start + w * stop: the gradient goes to both ends.

    Raises:
        TypeError: for a value that is not a number; for a num that is no integer; for a dtype that the backend does not have.
        ValueError: for a negative num, and for an array that is not 0-d.
    """
    num = integer("linspace", num, "num")
    if any(hasattr(value, "shape") for value in (start, stop)):
        return _between(backend, start, stop, num, dtype, device, endpoint)
    return make(backend, "linspace", start, stop, num, dtype=dtype, device=device, endpoint=endpoint)


def _between(backend: Any, start: Any, stop: Any, num: int, dtype: Any, device: Any, endpoint: bool) -> Tensor:
    """`linspace` of 0-d tensors: a weighted mean of the two, so that the ends are exact."""
    backend, (start, stop), dtype = _endpoints("linspace", backend, (start, stop), dtype, device)
    real = backend.xp.abs(backend.xp.zeros((), dtype=dtype)).dtype
    weight = make(backend, "linspace", 0.0, 1.0, num, dtype=real, endpoint=endpoint)
    between: Tensor = start * (1 - weight) + stop * weight
    return between


def _steps(backend: Any, start: Any, stop: Any, step: Any, dtype: Any, device: Any) -> Tensor:
    """`arange` of 0-d tensors: start + k * step."""
    if stop is None:
        start, stop = 0, start
    given = (start, stop, step)
    numbers = [value.item() if hasattr(value, "item") else value for value in map(_detached, given)]
    if numbers[2] == 0:
        raise ValueError("arange: step must not be 0")
    backend, (first, _, by), _ = _endpoints("arange", backend, given, dtype, device)
    if all(isinstance(number, int) for number in numbers):
        return make(backend, "arange", *numbers, dtype=dtype)
    count = make(backend, "arange", max(0, math.ceil((numbers[1] - numbers[0]) / numbers[2])), dtype=first.dtype)
    return first + count * by


def _detached(value: Any) -> Any:
    return value.detach() if isinstance(value, Tensor) else value


def _endpoints(
    name: str, backend: Any, values: Sequence[Any], dtype: Any, device: Any
) -> tuple[Any, list[Tensor], Any]:
    """The backend of these values, the values as 0-d tensors on it, and their common floating-point dtype."""
    for value in values:
        if getattr(value, "shape", ()) != ():
            raise ValueError(f"{name}: expected numbers or 0-d arrays, not an array of shape {tuple(value.shape)}")
    backend = backend_of(name, values) if any(isinstance(value, Tensor) for value in values) else backend
    backend = backend if device is None else backend.on_device(device)
    dtype = backend.as_dtype(dtype)
    values = [
        value if isinstance(value, Tensor) or is_scalar(value) else wrap(backend.adopt_any(value), backend)
        for value in values
    ]
    values = [from_tensor(value, None, device, None, False) for value in as_tensors(name, values)]
    if dtype is None:
        inexact = [value.dtype for value in values if backend.is_inexact(value.dtype)]
        dtype = backend.library.result_type(*inexact) if inexact else backend.default_dtype
    return backend, [from_tensor(value, dtype, None, None, False) for value in values], dtype
