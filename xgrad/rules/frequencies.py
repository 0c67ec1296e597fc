"""The standard's fft extension: the order of the coefficients of a spectrum, and their frequencies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xgrad.engine.integers import integer
from xgrad.engine.operands import operand
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor, wrap
from xgrad.rules.creation import CREATES
from xgrad.rules.declare import of_backend
from xgrad.rules.manipulation import roll
from xgrad.rules.shapes import normalize_axes


def _rolled(name: str, x: Any, axes: int | Sequence[int] | None, shift: Callable[[int], int]) -> Tensor:
    x = operand(name, x)
    found = normalize_axes(name, axes, x.ndim)
    return roll(x, tuple(shift(x.shape[a]) for a in found), axis=found)


@public("fft.fftshift", "composition")
def fftshift(x: Any, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """A spectrum with the frequency 0 moved from the start to the middle.

    >>> import xgrad as xg
    >>> xg.fft.fftshift(xg.fft.fftfreq(4)).numpy().tolist()
    [-0.5, -0.25, 0.0, 0.25]

    Args:
        x: an array of any dtype.
        axes: one axis or several; None means all.

    Returns:
        A tensor of the shape and dtype of x.

    Raises:
        ValueError: for an axis that x does not have.
        TypeError: for a value that is not an array, and for an axis that is no integer.
    """
    return _rolled("fftshift", x, axes, lambda n: n // 2)


@public("fft.ifftshift", "composition")
def ifftshift(x: Any, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """The inverse of fftshift: the frequency 0 moved from the middle to the start.

    >>> import xgrad as xg
    >>> xg.fft.ifftshift(xg.asarray([-2, -1, 0, 1, 2])).numpy().tolist()
    [0, 1, 2, -2, -1]

    Args:
        x: an array of any dtype.
        axes: one axis or several; None means all.

    Returns:
        A tensor of the shape and dtype of x.

    Raises:
        ValueError: for an axis that x does not have.
        TypeError: for a value that is not an array, and for an axis that is no integer.
    """
    return _rolled("ifftshift", x, axes, lambda n: -(n // 2))


def _frequencies(name: str, backend: Any, n: int, d: float, dtype: Any, device: Any) -> Tensor:
    where = backend if device is None else backend.on_device(device)
    function = getattr(where.xp.fft, name)
    dtype = where.default_dtype if dtype is None else dtype
    return wrap(function(n, d=d, dtype=dtype, device=where.device), where)


@of_backend(CREATES, prefix="fft.")
def fftfreq(backend: Any, n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequencies of the n coefficients of fft, in cycles per unit of d.

    >>> import xgrad as xg
    >>> xg.fft.fftfreq(4).numpy().tolist()
    [0.0, 0.25, -0.5, -0.25]

    Args:
        n: the length of the transformed array, 1 or more.
        d: the distance between its samples, a number other than 0.

    Returns:
        A tensor of shape (n,) and of the dtype given, or the default floating-point dtype.

    Raises:
        TypeError: for an n that is no integer, and for a dtype that the backend does not have.
        BackendError: for a device that the backend does not have.
    """
    return _frequencies("fftfreq", backend, integer("fftfreq", n, "n"), d, dtype, device)


@of_backend(CREATES, prefix="fft.")
def rfftfreq(backend: Any, n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequencies of the n // 2 + 1 coefficients of rfft, in cycles per unit of d.

    >>> import xgrad as xg
    >>> xg.fft.rfftfreq(4).numpy().tolist()
    [0.0, 0.25, 0.5]

    Args:
        n: the length of the transformed array, 1 or more.
        d: the distance between its samples, a number other than 0.

    Returns:
        A tensor of shape (n // 2 + 1,) and of the dtype given, or the default floating-point dtype.

    Raises:
        TypeError: for an n that is no integer, and for a dtype that the backend does not have.
        BackendError: for a device that the backend does not have.
    """
    return _frequencies("rfftfreq", backend, integer("rfftfreq", n, "n"), d, dtype, device)
