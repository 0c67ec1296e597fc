"""Integrals of samples: the rules of trapezoids and of Simpson."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions.face import floating, index, one_axis, tensors
from xgrad.scipy.plain import on_tensors


def _samples(name: str, y: Any, x: Any, axis: int) -> tuple[Tensor, Any, int]:
    """The samples, the distances between the places x (None for equal ones), and the axis."""
    found = tensors(f"scipy.integrate.{name}", *([y] if x is None else [y, x]))
    y = floating(found[0])
    if not y.ndim:
        raise ValueError(f"{name}: y has an axis to integrate along; this is a number")
    axis = one_axis(name, axis, y.ndim)
    if x is None:
        return y, None, axis
    x = floating(found[1])
    if x.ndim not in (1, y.ndim) or x.shape[0 if x.ndim == 1 else axis] != y.shape[axis]:
        raise ValueError(
            f"{name}: x has the shape of y, {tuple(y.shape)}, or its {y.shape[axis]} elements along the axis, "
            f"not {tuple(x.shape)}"
        )
    if x.ndim == 1 < y.ndim:
        x = xg.reshape(x, tuple(-1 if i == axis else 1 for i in range(y.ndim)))
    return y, xg.diff(x, axis=axis), axis


@on_tensors("integrate.trapezoid")
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    """The integral of samples by the rule of trapezoids.

    >>> import xgrad as xg
    >>> from xgrad.scipy.integrate import trapezoid
    >>> trapezoid(xg.asarray([1.0, 2.0, 3.0])).item()
    4.0

    Args:
        y: the samples, of any shape.
        x: their places: an array like y, or of one axis. None: they are dx apart.
        dx: the distance.
        axis: the axis to integrate along.

    Returns:
        A tensor without that axis.

    Raises:
        ValueError: for shapes that do not fit.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.integrate.trapezoid.html
    """
    y, d, axis = _samples("trapezoid", y, x, axis)
    return xg.sum(_means(y, axis) * (dx if d is None else d), axis=axis)


def _means(y: Tensor, axis: int) -> Tensor:
    found: Tensor = (y[index(axis, slice(1, None))] + y[index(axis, slice(None, -1))]) / 2.0
    return found


@on_tensors("integrate.cumulative_trapezoid")
def cumulative_trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1, initial: Any = None) -> Tensor:
    """The integrals of samples from the first one to each other, by the rule of trapezoids.

    >>> import xgrad as xg
    >>> from xgrad.scipy.integrate import cumulative_trapezoid
    >>> cumulative_trapezoid(xg.asarray([1.0, 2.0, 3.0]), initial=0).tolist()
    [0.0, 1.5, 4.0]

    Args:
        y, x, dx, axis: as for `trapezoid`.
        initial: 0 for a first integral of 0, or None.

    Returns:
        A tensor of the shape of y, whose axis is shorter by one unless `initial` is given.

    Raises:
        ValueError: for shapes that do not fit, an empty axis, and another `initial`.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.integrate.cumulative_trapezoid.html
    """
    if initial is not None and initial != 0:
        raise ValueError(f"cumulative_trapezoid: initial must be None or 0, not {initial!r}")
    y, d, axis = _samples("cumulative_trapezoid", y, x, axis)
    if not y.shape[axis]:
        raise ValueError("cumulative_trapezoid: there must be one sample or more along the axis")
    found = _means(y, axis) * (dx if d is None else d)
    if not found.size:
        return xg.zeros_like(y) if initial is not None else found
    return xg.cumulative_sum(found, axis=axis, include_initial=initial is not None)


@on_tensors("integrate.simpson")
def simpson(y: Any, x: Any = None, *, dx: float = 1.0, axis: int = -1) -> Tensor:
    """The integral of samples by Simpson's rule. With an even number of samples, Cartwright's formula has the last interval.

    >>> import xgrad as xg
    >>> from xgrad.scipy.integrate import simpson
    >>> simpson(xg.asarray([0.0, 1.0, 8.0]), dx=1.0).item()
    4.0

    Args:
        y, x, dx, axis: as for `trapezoid`. No two places may be equal.

    Returns:
        A tensor without that axis.

    Raises:
        ValueError: for shapes that do not fit.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.integrate.simpson.html
    """
    y, d, axis = _samples("simpson", y, x, axis)
    count = y.shape[axis]
    if count == 2:
        return xg.sum(_means(y, axis) * (dx if d is None else d), axis=axis)
    if d is None:
        shape = tuple(max(count - 1, 0) if i == axis else 1 for i in range(y.ndim))
        d = xg.full(shape, dx, dtype=xg.real(y).dtype, device=y.device)
    end = count - 1 if count % 2 else count - 2  # of the last whole pair of intervals

    def every_second(a: Tensor, first: int, stop: int) -> Tensor:
        found: Tensor = a[index(axis, slice(first, max(stop, first), 2))]
        return found

    h0, h1 = every_second(d, 0, end), every_second(d, 1, end)
    y0, y1, y2 = every_second(y, 0, end), every_second(y, 1, end), every_second(y, 2, end + 1)
    both = h0 + h1
    total = xg.sum(
        both / 6.0 * (y0 * (2.0 - h1 / h0) + y1 * (both * both / (h0 * h1)) + y2 * (2.0 - h0 / h1)), axis=axis
    )
    if count % 2 or count < 2:
        return total
    h0, h1 = d[index(axis, -2)], d[index(axis, -1)]
    last = (2.0 * h1**2 + 3.0 * h0 * h1) / (6.0 * (h0 + h1)) * y[index(axis, -1)]
    middle = (h1**2 + 3.0 * h0 * h1) / (6.0 * h0) * y[index(axis, -2)]
    whole: Tensor = total + last + middle - h1**3 / (6.0 * h0 * (h0 + h1)) * y[index(axis, -3)]
    return whole
