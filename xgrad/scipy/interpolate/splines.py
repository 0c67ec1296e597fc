"""Cubic splines: CubicSpline, CubicHermiteSpline and PchipInterpolator."""

from __future__ import annotations

from functools import cache
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions.face import floating, has_tensor, on_their_backend, one_axis, tensors
from xgrad.scipy.interpolate.piecewise import PiecewisePolynomial, hermite
from xgrad.scipy.interpolate.tridiagonal import solve_tridiagonal
from xgrad.scipy.linalg.matrices import alike
from xgrad.scipy.numbers import epsilon, largest
from xgrad.scipy.plain import scipys

NAMED = {"clamped": 1, "natural": 2}  # conditions by name: the derivative of this order is 0
Condition = tuple[int, Any]  # the order of a derivative, and its value; the order 0 stands for not-a-knot


class _Interpolator(PiecewisePolynomial):
    """What makes a class give SciPy's object for plain arrays."""

    def __new__(cls, *args: Any, **options: Any) -> Any:
        given = [*args, *options.values()]
        if has_tensor(given):
            return super().__new__(cls)
        return _plain(cls.__name__)(*args, **options)

    def _set(self, c: Tensor, x: Tensor, extrapolate: Any, axis: int) -> None:
        super().__init__(c, x, extrapolate, axis)


class CubicSpline(_Interpolator):
    """The cubic spline through points: twice continuously differentiable. For plain arrays it is SciPy's.

    >>> import xgrad as xg
    >>> from xgrad.scipy.interpolate import CubicSpline
    >>> x, y = xg.asarray([0.0, 1.0, 2.0, 3.0]), xg.asarray([0.0, 1.0, 8.0, 27.0])
    >>> f = CubicSpline(x, y)
    >>> round(f(1.5).item(), 9), round(f(1.5, 1).item(), 9), round(f.integrate(0.0, 2.0).item(), 9)
    (3.375, 6.75, 4.0)
    >>> xg.grad(lambda y: CubicSpline(x, y)(1.5))(y).numpy().round(9).tolist()
    [-0.0625, 0.5625, 0.5625, -0.0625]

    Args:
        x: the knots, of shape (n,), in strictly ascending order.
        y: the values at the knots, real or complex, with n elements along the axis.
        axis: the axis of y that belongs to x.
        bc_type: "not-a-knot", "natural", "clamped" or "periodic"; or a pair with one condition for each end, which is such a
            name (but not "periodic") or (order, value) of a derivative.
        extrapolate: True to go on beyond the knots, False for nan there, or "periodic". None: True, or "periodic" with that
            `bc_type`.

    Raises:
        ValueError: for shapes that do not fit, numbers that are not finite, knots that are not in order, and other conditions.

    The values have derivatives by x, y, the values of conditions and the places, in both modes and to any order. A spline of
    plain arrays also takes a tensor of places.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.interpolate.CubicSpline.html
    """

    def __init__(self, x: Any, y: Any, axis: int = 0, bc_type: Any = "not-a-knot", extrapolate: Any = None) -> None:
        with on_their_backend([x, y, bc_type]):
            x, y, axis = _points("CubicSpline", x, y, axis)
            first, last = _conditions(bc_type, y)
            if extrapolate is None:
                extrapolate = "periodic" if bc_type == "periodic" else True
            columns = xg.reshape(y, (y.shape[0], -1))
            ends = [(order, _flat_value(value, y)) for order, value in (first, last)]
            slopes = _periodic(x, columns) if bc_type == "periodic" else _slopes(x, columns, *ends)
            self._set(hermite(x, y, xg.reshape(slopes, y.shape)), x, extrapolate, axis)


class CubicHermiteSpline(_Interpolator):
    """The piecewise cubic polynomial with given values and slopes at points. For plain arrays it is SciPy's.

    >>> import xgrad as xg
    >>> from xgrad.scipy.interpolate import CubicHermiteSpline
    >>> CubicHermiteSpline(xg.asarray([0.0, 1.0]), [0.0, 1.0], [0.0, 0.0])(0.5).item()
    0.5

    Args:
        x: the knots, of shape (n,), in strictly ascending order.
        y: the values at the knots, with n elements along the axis.
        dydx: the slopes there, of the shape of y.
        axis: the axis of y that belongs to x.
        extrapolate: as for `CubicSpline`. None: True.

    Raises:
        ValueError: as for `CubicSpline`.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.interpolate.CubicHermiteSpline.html
    """

    def __init__(self, x: Any, y: Any, dydx: Any, axis: int = 0, extrapolate: Any = None) -> None:
        with on_their_backend([x, y, dydx]):
            x, y, place = _points("CubicHermiteSpline", x, y, axis)
            slopes = xg.moveaxis(floating(*tensors("scipy.interpolate", dydx)), axis, 0)
            if slopes.shape != y.shape:
                raise ValueError("CubicHermiteSpline: y and dydx must have one shape")
            self._set(hermite(x, y, slopes), x, True if extrapolate is None else extrapolate, place)


class PchipInterpolator(_Interpolator):
    """The piecewise cubic polynomial that rises and falls only where the points do. For plain arrays it is SciPy's.

    >>> import xgrad as xg
    >>> from xgrad.scipy.interpolate import PchipInterpolator
    >>> PchipInterpolator(xg.asarray([0.0, 1.0, 2.0]), [0.0, 1.0, 1.0])(1.5).item()
    1.0

    Args:
        x: the knots, of shape (n,), in strictly ascending order.
        y: the values at the knots, real, with n elements along the axis.
        axis: the axis of y that belongs to x.
        extrapolate: as for `CubicSpline`. None: True.

    Raises:
        ValueError: as for `CubicSpline`, and for complex values.

    Fritsch and Butland, https://doi.org/10.1137/0905021. A value has a derivative except where the formula for its slopes
    changes.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.interpolate.PchipInterpolator.html
    """

    def __init__(self, x: Any, y: Any, axis: int = 0, extrapolate: Any = None) -> None:
        with on_their_backend([x, y]):
            x, y, axis = _points("PchipInterpolator", x, y, axis)
            if xg.isdtype(y.dtype, "complex floating"):
                raise ValueError("PchipInterpolator: y must be real. Interpolate its real and its imaginary part")
            self._set(hermite(x, y, _pchip(x, y)), x, True if extrapolate is None else extrapolate, axis)


# --- arguments ------------------------------------------------------------------------------------------------


def _points(name: str, x: Any, y: Any, axis: int) -> tuple[Tensor, Tensor, int]:
    """The knots, the values with the axis of the knots first, and that axis. The numbers are checked in one transfer."""
    x, y = (floating(value) for value in tensors("scipy.interpolate", x, y))
    if x.ndim != 1 or x.shape[0] < 2 or xg.isdtype(x.dtype, "complex floating"):
        raise ValueError(
            f"{name}: x must be two or more real numbers along one axis, not {x.dtype} of shape {tuple(x.shape)}"
        )
    if not y.ndim:
        raise ValueError(f"{name}: y must have as many elements along an axis as x has, {x.shape[0]}; it is a number")
    axis = one_axis(name, axis, y.ndim)
    if y.shape[axis] != x.shape[0]:
        raise ValueError(f"{name}: y must have {x.shape[0]} elements along axis {axis}, as x has, not {y.shape[axis]}")
    wrong = [xg.astype(xg.logical_not(xg.all(xg.isfinite(value))), x.dtype) for value in (x, y)]
    narrowest, *infinite = largest(-xg.diff(x), *wrong)
    for what, found in zip("xy", infinite, strict=True):
        if found:
            raise ValueError(f"{name}: {what} must be finite")
    if narrowest >= 0:
        raise ValueError(f"{name}: x must be in strictly ascending order")
    return x, xg.moveaxis(y, axis, 0), axis


def _conditions(bc_type: Any, y: Tensor) -> tuple[Condition, Condition]:
    """The conditions at both ends."""
    if isinstance(bc_type, str):
        if bc_type == "periodic":
            off = (
                xg.max(xg.abs(y[0] - y[-1])) - 8 * epsilon(xg.real(y)) * (1 + xg.max(xg.abs(y[0]))) if y.size else None
            )
            if off is not None and largest(off)[0] > 0:
                raise ValueError("CubicSpline: for bc_type='periodic' the first and the last y must be equal")
            return (0, None), (0, None)
        bc_type = (bc_type, bc_type)
    if len(bc_type) != 2:
        raise ValueError(f"CubicSpline: bc_type must be a name, or two conditions, not {len(bc_type)}")
    first, last = (_condition(condition, y) for condition in bc_type)
    return first, last


def _condition(condition: Any, y: Tensor) -> Condition:
    if isinstance(condition, str):
        if condition == "not-a-knot":
            return 0, None
        if condition not in NAMED:
            names = ", ".join(map(repr, ("not-a-knot", *NAMED)))
            raise ValueError(f"CubicSpline: a condition at one end is {names} or (order, value), not {condition!r}")
        return NAMED[condition], 0.0
    if not isinstance(condition, list | tuple) or len(condition) != 2 or condition[0] not in (1, 2):
        raise ValueError(f"CubicSpline: a condition is (order, value) with the order 1 or 2, not {condition!r:.60}")
    order, value = condition
    (value,) = tensors("scipy.interpolate", value)
    if value.shape != y.shape[1:]:
        raise ValueError(
            f"CubicSpline: the derivative at an end must have shape {tuple(y.shape[1:])}, as one of the values of y, "
            f"not {tuple(value.shape)}"
        )
    return order, value


def _flat_value(value: Any, y: Tensor) -> Any:
    """The value of a condition as a row, or the number 0."""
    if not isinstance(value, Tensor):
        return value
    row = xg.reshape(value, (1, -1))
    return row if row.dtype == y.dtype else xg.astype(row, xg.result_type(row, y))


# --- slopes -----------------------------------------------------------------------------------------------------


def _slopes(x: Tensor, y: Tensor, first: Condition, last: Condition) -> Tensor:
    """The slopes at the knots for which the second derivative is continuous: a row for each knot."""
    n, dx = y.shape[0], xg.diff(x)
    width = dx[:, None]
    secant = xg.diff(y, axis=0) / width
    if n == 2:
        first, last = ((1, secant) if order == 0 else (order, value) for order, value in (first, last))
    elif n == 3 and first[0] == last[0] == 0:
        bend = (secant[1:] - secant[:1]) / (width[:1] + width[1:])
        return xg.concat([secant[:1] - bend * width[:1], secant[:1] + bend * width[:1], secant[1:] + bend * width[1:]])
    of_first = _end(dx, secant, *first)
    d, u, b_first = of_first
    of_last = _end(xg.flip(dx), xg.flip(secant, axis=0), *last, backwards=True)
    d_last, l_last, b_last = of_last
    inner = _inner(dx, secant) if n > 2 else None
    zero = xg.zeros_like(dx[:1])
    if inner is None:
        lower, middle, upper = xg.concat([zero, l_last]), xg.concat([d, d_last]), xg.concat([u, zero])
        rows = [b_first, b_last]
    else:
        low, mid, up, b = inner
        if (
            first[0] == 0
        ):  # the row of the end is subtracted from the one beside it, which makes the matrix diagonally dominant
            low = xg.concat([zero, low[1:]])
            mid = xg.concat([mid[:1] - u, mid[1:]])
            b = xg.concat([b[:1] - b_first, b[1:]])
        if last[0] == 0:
            up = xg.concat([up[:-1], zero])
            mid = xg.concat([mid[:-1], mid[-1:] - l_last])
            b = xg.concat([b[:-1], b[-1:] - b_last])
        lower, middle, upper = xg.concat([zero, low, l_last]), xg.concat([d, mid, d_last]), xg.concat([u, up, zero])
        rows = [b_first, b, b_last]
    return solve_tridiagonal(
        lower, middle, upper, xg.concat([*alike(*(xg.broadcast_to(r, (r.shape[0], y.shape[1])) for r in rows))])
    )


def _inner(dx: Tensor, secant: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The rows of the knots between others: left of, on and right of the diagonal, and the right-hand side."""
    width = dx[:, None]
    return dx[1:], 2.0 * (dx[:-1] + dx[1:]), dx[:-1], 3.0 * (width[1:] * secant[:-1] + width[:-1] * secant[1:])


def _end(
    dx: Tensor, secant: Tensor, order: int, value: Any, *, backwards: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """The row of an end: the diagonal, the element beside it, and the right-hand side. dx and secant begin at that end."""
    h, s = dx[:1], secant[:1]
    if order == 1:
        return xg.ones_like(h), xg.zeros_like(h), value + xg.zeros_like(s)
    if order == 2:
        sign = 0.5 if backwards else -0.5
        return 2.0 * h, h, (sign * value) * h[:, None] ** 2 + 3.0 * s * h[:, None]
    next_h, both = dx[1:2], dx[:1] + dx[1:2]
    wide, next_wide, whole = h[:, None], next_h[:, None], both[:, None]
    return next_h, both, ((wide + 2.0 * whole) * next_wide * s + wide**2 * secant[1:2]) / whole


def _periodic(x: Tensor, y: Tensor) -> Tensor:
    """The slopes of a periodic spline. The last unknown is taken out of the cyclic system, which leaves a tridiagonal one."""
    n, dx = y.shape[0], xg.diff(x)
    width = dx[:, None]
    secant = xg.diff(y, axis=0) / width
    if n == 2:
        return xg.concat([secant, secant])
    if n == 3:
        slope = xg.sum(secant / width, axis=0) / xg.sum(1.0 / width, axis=0)
        return xg.stack([slope] * 3)
    low, mid, up, b = _inner(xg.concat([dx[-1:], dx]), xg.concat([secant[-1:], secant]))  # rows of the knots 0 to n - 2
    kept = solve_tridiagonal(low[:-1], mid[:-1], up[:-1], xg.concat([b[:-1], _corner(low, up, b.dtype)], axis=1))
    s1, s2 = kept[:, :-1], kept[:, -1:]
    first, beside, diagonal = up[-1:][:, None], low[-1:][:, None], mid[-1:][:, None]
    last = (b[-1:] - first * s1[:1] - beside * s1[-1:]) / (diagonal + first * s2[:1] + beside * s2[-1:])
    inner = s1 + last * s2
    return xg.concat([inner, last, inner[:1]])


def _corner(low: Tensor, up: Tensor, dtype: Any) -> Tensor:
    """The column of the unknown that is taken out, with its sign turned: it is beside the first and the last of the others."""
    middle = xg.zeros_like(low[: low.shape[0] - 3])
    column = xg.concat([-low[:1], middle, -up[-2:-1]])
    return xg.astype(column[:, None], dtype, copy=False)


def _pchip(x: Tensor, y: Tensor) -> Tensor:
    """The slopes of PCHIP: weighted harmonic means of the neighbouring secants, or 0 where these differ in sign."""
    width = xg.reshape(xg.diff(x), (-1, *(1,) * (y.ndim - 1)))
    secant = xg.diff(y, axis=0) / width
    if y.shape[0] == 2:
        return xg.concat([secant, secant])
    before, after = secant[:-1], secant[1:]
    same = before * after > 0
    w1, w2 = 2.0 * width[1:] + width[:-1], width[1:] + 2.0 * width[:-1]
    safe_before, safe_after = xg.where(same, before, 1.0), xg.where(same, after, 1.0)
    inner = xg.where(same, (w1 + w2) / (w1 / safe_before + w2 / safe_after), 0.0)
    first = _pchip_end(width[:1], width[1:2], secant[:1], secant[1:2])
    last = _pchip_end(width[-1:], width[-2:-1], secant[-1:], secant[-2:-1])
    return xg.concat([first, inner, last])


def _pchip_end(h0: Tensor, h1: Tensor, m0: Tensor, m1: Tensor) -> Tensor:
    """A slope from three points, which keeps the sign of the secant and is no steeper than three times that."""
    slope = ((2.0 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    too_steep = xg.logical_and(xg.sign(m0) != xg.sign(m1), xg.abs(slope) > 3.0 * xg.abs(m0))
    return xg.where(xg.sign(slope) != xg.sign(m0), 0.0, xg.where(too_steep, 3.0 * m0, slope))


# --- splines of plain arrays --------------------------------------------------------------------------------------


@cache
def _plain(name: str) -> Any:
    """SciPy's class, whose objects take tensors as places too."""
    base = scipys(f"interpolate.{name}")

    def call(self: Any, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        if not has_tensor([x]):
            return base.__call__(self, x, nu, extrapolate)
        with on_their_backend([x]):
            return PiecewisePolynomial(self.c, self.x, self.extrapolate, self.axis)(x, nu, extrapolate)

    def reduce(self: Any) -> Any:
        return _unpickled, (name, self.c, self.x, self.extrapolate, self.axis)

    return type(
        name, (base,), {"__call__": call, "__reduce__": reduce, "__module__": __name__, "__doc__": base.__doc__}
    )


def _unpickled(name: str, *state: Any) -> Any:
    return _plain(name).construct_fast(*state)
