"""Piecewise polynomials: their values, derivatives and integrals."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions.face import floating, has_tensor, on_their_backend, tensors
from xgrad.scipy.linalg.matrices import alike


class PiecewisePolynomial:
    """Polynomials between knots, as SciPy's PPoly has them, for tensors.

    >>> import xgrad as xg
    >>> from xgrad.scipy.interpolate.piecewise import PiecewisePolynomial
    >>> p = PiecewisePolynomial(xg.asarray([[1.0, -1.0], [0.0, 1.0]]), xg.asarray([0.0, 1.0, 2.0]))
    >>> p(xg.asarray([0.5, 1.5])).tolist(), p.derivative()(0.5).item(), p.integrate(0.0, 2.0).item()
    ([0.5, 0.5], 1.0, 1.0)

    Args:
        c: the coefficients, of shape (order, intervals, ...): in an interval that begins at x[i], c[0, i] belongs to the highest
            power of the distance from x[i].
        x: the knots, in ascending order.
        extrapolate: True to use the first and last polynomial beyond the knots, False for nan there, or "periodic".
        axis: where the axis of the places stands in results.
    """

    def __init__(self, c: Any, x: Any, extrapolate: Any = True, axis: int = 0) -> None:
        self.c, self.x = (floating(value) for value in tensors("scipy.interpolate", c, x))
        self.extrapolate, self.axis = extrapolate, axis
        if self.extrapolate not in (True, False, "periodic"):
            raise ValueError(f"extrapolate must be True, False or 'periodic', not {extrapolate!r}")

    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Tensor:
        """The values at the places x, or the derivatives of order nu.

        Args:
            x: places, an array of any shape.
            nu: the order of the derivative, 0 or more.
            extrapolate: as for the class. None: what was given there.

        Returns:
            A tensor in whose shape that of x is in the place of the axis.
        """
        if nu < 0:
            raise ValueError(
                f"the order nu of a derivative must be 0 or more, not {nu}; antiderivative({-nu}) has integrals"
            )
        if nu:
            return self.derivative(nu)(x, extrapolate=extrapolate)
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        x = self.place(x)
        flat = xg.reshape(x, (-1,))
        first, last = self.x[0], self.x[-1]
        if extrapolate == "periodic":
            flat = first + xg.remainder(flat - first, last - first)
        place = xg.searchsorted(self.x[1:-1].detach(), flat.detach(), side="right")
        distance = flat - xg.take(self.x, place, axis=0)
        distance = xg.reshape(distance, (-1, *(1,) * (self.c.ndim - 2)))
        terms = xg.unstack(xg.take(self.c, place, axis=1))
        y: Tensor = terms[0] + xg.where(xg.isnan(distance), distance, xg.zeros_like(distance)).detach()
        for term in terms[1:]:
            y = y * distance + term
        if extrapolate is False:
            outside = xg.logical_or(flat < first, flat > last)
            y = xg.where(xg.reshape(outside, distance.shape), xg.nan, y)
        y = xg.reshape(y, (*x.shape, *self.c.shape[2:]))
        if not self.axis:
            return y
        order = list(range(y.ndim))
        after = x.ndim + self.axis
        return xg.permute_dims(y, (*order[x.ndim : after], *order[: x.ndim], *order[after:]))

    def place(self, x: Any) -> Tensor:
        """Places as a tensor. Numbers and plain arrays take the backend and the dtype of the knots."""
        if has_tensor([x]):
            found: Tensor = floating(*tensors("scipy.interpolate", x))
            return found
        with on_their_backend([self.x]):
            made: Tensor = xg.asarray(x, dtype=self.x.dtype)
        return made

    def like(self, c: Tensor, extrapolate: Any = None) -> PiecewisePolynomial:
        """Other polynomials between the same knots."""
        return PiecewisePolynomial(c, self.x, self.extrapolate if extrapolate is None else extrapolate, self.axis)

    def derivative(self, nu: int = 1) -> PiecewisePolynomial:
        """The derivative of order nu as a piecewise polynomial; a negative nu is for integrals."""
        if nu < 0:
            return self.antiderivative(-nu)
        order = self.c.shape[0]
        if nu >= order:
            return self.like(xg.zeros_like(self.c[:1]))
        factors = [float(math.perm(order - 1 - i, nu)) for i in range(order - nu)]
        return self.like(self.c[: order - nu] * self.column(factors))

    def antiderivative(self, nu: int = 1) -> PiecewisePolynomial:
        """The integral from the first knot, taken nu times, as a piecewise polynomial."""
        if nu <= 0:
            return self if nu == 0 else self.derivative(-nu)
        order = self.c.shape[0]
        c = self.c / self.column([float(order - i) for i in range(order)])
        width = xg.reshape(xg.diff(self.x), (-1, *(1,) * (self.c.ndim - 2)))
        whole = c[0] * width
        for i in range(1, order):
            whole = (whole + c[i]) * width
        start = xg.cumulative_sum(whole[:-1], axis=0, include_initial=True)
        integral = self.like(xg.concat([c, start[None]]), False if self.extrapolate == "periodic" else None)
        return integral.antiderivative(nu - 1)

    def integrate(self, a: Any, b: Any, extrapolate: Any = None) -> Tensor:
        """The integral from a to b.

        Args:
            a, b: numbers or 0-d tensors, in any order.
            extrapolate: as for the class. None: what was given there.

        Returns:
            A tensor of the shape of a value at one place.
        """
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        integral = self.antiderivative()
        integral.axis = 0

        def up_to(z: Any) -> Tensor:
            if extrapolate != "periodic":
                return integral(z, extrapolate=extrapolate)
            z = self.place(z)
            first, period = self.x[0], self.x[-1] - self.x[0]
            turns = xg.floor((z - first) / period).detach()
            found: Tensor = turns * integral(self.x[-1]) + integral(z - turns * period, extrapolate=True)
            return found

        return up_to(b) - up_to(a)

    def column(self, factors: list[float]) -> Tensor:
        """Numbers for the powers, as an array that broadcasts with the coefficients."""
        made = xg.asarray(factors, dtype=xg.real(self.c).dtype, device=self.c.device)
        return xg.reshape(made, (-1, *(1,) * (self.c.ndim - 1)))


def hermite(x: Tensor, y: Tensor, slopes: Tensor) -> Tensor:
    """The coefficients of the cubic polynomials with given values and slopes at the knots."""
    width = xg.reshape(xg.diff(x), (-1, *(1,) * (y.ndim - 1)))
    y, slopes = alike(y, slopes)
    secant = xg.diff(y, axis=0) / width
    bend = (slopes[:-1] + slopes[1:] - 2.0 * secant) / width
    return xg.stack([bend / width, (secant - slopes[:-1]) / width - bend, slopes[:-1], y[:-1]])
