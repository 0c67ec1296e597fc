"""Roots of one equation: brentq, newton and root_scalar. They have the derivatives of the implicit function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.optimize.result import OptimizeResult
from xgrad.rules.numpy_functions.face import floating, tensors
from xgrad.scipy.implicit import Equation, solution
from xgrad.scipy.in_trees import on_tensors_in_trees
from xgrad.scipy.numbers import epsilon, largest

RTOL = 8.881784197001252e-16


class RootResults(OptimizeResult):
    """What `root_scalar` returns: root, converged, flag, iterations and function_calls.

    >>> import xgrad as xg
    >>> xg.scipy.optimize.root_scalar(xg.cos, bracket=(xg.asarray(1.0), 2.0)).converged
    True

    Raises:
        AttributeError: for the attribute of an entry that is not there.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.optimize.RootResults.html
    """


class _Scalar:
    """An equation of one unknown, or one for each element of an array, and how often its function was called."""

    def __init__(self, name: str, f: Callable[..., Any], args: Any, start: Tensor) -> None:
        if not callable(f):
            raise TypeError(f"{name}: the first argument is the function, not {type(f).__name__}")
        self.name, self.f, self.start = name, f, start
        self.equation = Equation(self.residual, args if isinstance(args, tuple) else (args,))
        self.count = 0

    def residual(self, x: Tensor, *args: Any) -> Tensor:
        """The function of a vector that has the elements of the start."""
        self.count += 1
        (y,) = tensors(f"scipy.optimize.{self.name}", self.f(xg.reshape(x, self.start.shape), *args))
        if y.size != x.size or xg.isdtype(y.dtype, "complex floating"):
            raise ValueError(
                f"{self.name}: the function must return real numbers of the shape of x, {tuple(self.start.shape)}, and not "
                f"{y.dtype} of shape {tuple(y.shape)}"
            )
        y = xg.reshape(y, x.shape)
        return y if y.dtype == x.dtype else xg.astype(y, x.dtype)

    def at(self, x: float) -> float:
        """The value at a number."""
        with xg.no_grad():
            place = xg.reshape(xg.asarray(x, dtype=self.start.dtype, device=self.start.device), (1,))
            return float(xg.reshape(self.residual(place, *self.equation.detached), ()).item())

    def solution(self, x: Any) -> Tensor:
        """A root with its derivative, in the shape of the start."""
        if not isinstance(x, Tensor):
            x = xg.asarray(x, dtype=self.start.dtype, device=self.start.device)
        return xg.reshape(solution(self.equation, xg.reshape(x, (-1,))), self.start.shape)


def _number(name: str, value: Any) -> tuple[float, Tensor]:
    x = floating(*tensors(f"scipy.optimize.{name}", value)).detach()
    if x.size != 1:
        raise ValueError(f"{name}: the ends of the bracket are numbers, not of shape {tuple(x.shape)}")
    return xg.reshape(x, ()).item(), xg.reshape(x, ())


def _brent(f: Callable[[float], float], a: float, b: float, xtol: float, rtol: float, most: int) -> tuple[float, int]:
    """Brent's method, which keeps a bracket. Returns the root and the iterations; -1 of these for no convergence."""
    fa, fb = f(a), f(b)
    if fa == 0.0:
        return a, 0
    if fb == 0.0:
        return b, 0
    if not fa * fb < 0:
        raise ValueError(f"brentq: f(a) and f(b) must have different signs; they are {fa:.6g} and {fb:.6g}")
    c, fc, step, before = a, fa, b - a, b - a
    for count in range(1, most + 1):
        if (fb > 0) == (fc > 0):
            c, fc, step, before = a, fa, b - a, b - a
        if abs(fc) < abs(fb):
            a, b, c, fa, fb, fc = b, c, b, fb, fc, fb
        enough = (xtol + rtol * abs(b)) / 2
        middle = (c - b) / 2
        if fb == 0.0 or abs(middle) < enough:
            return b, count
        if abs(before) > enough and abs(fb) < abs(fa):
            s = fb / fa
            if a == c:  # a secant
                p, q = 2 * middle * s, 1 - s
            else:  # an inverse parabola
                q, r = fa / fc, fb / fc
                p, q = s * (2 * middle * q * (q - r) - (b - a) * (r - 1)), (q - 1) * (r - 1) * (s - 1)
            q, p = (-q, p) if p > 0 else (q, -p)
            if 2 * p < min(3 * middle * q - abs(enough * q), abs(before * q)):
                before, step = step, p / q
            else:
                before = step = middle
        else:
            before = step = middle
        a, fa = b, fb
        b += step if abs(step) > enough else (enough if middle > 0 else -enough)
        fb = f(b)
    return b, -1


@on_tensors_in_trees("optimize.brentq")
def brentq(
    f: Callable[..., Any],
    a: Any,
    b: Any,
    args: Any = (),
    xtol: float = 2e-12,
    rtol: float = RTOL,
    maxiter: int = 100,
    full_output: bool = False,
    disp: bool = True,
) -> Any:
    """A root of a function between a and b, where it has different signs, by Brent's method.

    >>> import xgrad as xg
    >>> from xgrad.scipy.optimize import brentq
    >>> round(xg.grad(lambda c: brentq(lambda x, c: x * x - c, 0.0, 10.0, args=(c,)))(xg.asarray(4.0)).item(), 9)
    0.25

    Args:
        f: the function `f(x, *args)` of a 0-d tensor, which returns a real number.
        a, b: the ends of the bracket. They have no gradient.
        args: a tuple of more arguments.
        xtol, rtol: the root is known to within xtol + rtol * abs(x).
        maxiter: the largest number of iterations.
        full_output: whether to return (root, RootResults).
        disp: whether to raise RuntimeError where there is no convergence.

    Returns:
        A 0-d tensor.

    Derivative:
        That of the implicit function, in both modes and to any order, for args and for tensors that `f` closes over.

    Raises:
        ValueError: for equal signs at a and b.
        RuntimeError: for no convergence.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.optimize.brentq.html
    """
    (low, start), (high, other) = _number("brentq", a), _number("brentq", b)
    start = start if start.dtype == other.dtype else xg.astype(start, xg.result_type(start, other))
    scalar = _Scalar("brentq", f, args, start)
    rtol = max(rtol, 4 * epsilon(start))
    x, count = _brent(scalar.at, low, high, xtol, rtol, maxiter)
    if count < 0 and disp:
        raise RuntimeError(f"brentq: no convergence after {maxiter} iterations; the last x is {x:.6g}")
    calls = scalar.count
    root = scalar.solution(x) if count >= 0 else scalar.solution(x).detach()
    return (root, _results(root, count, maxiter, calls)) if full_output else root


def _results(root: Tensor, count: int, most: int, calls: int) -> RootResults:
    return RootResults(
        root=root,
        converged=count >= 0,
        flag="converged" if count >= 0 else "convergence error",
        iterations=count if count >= 0 else most,
        function_calls=calls,
    )


@on_tensors_in_trees("optimize.newton")
def newton(
    func: Callable[..., Any],
    x0: Any,
    fprime: Any = None,
    args: Any = (),
    tol: float = 1.48e-8,
    maxiter: int = 50,
    fprime2: Any = None,
    x1: Any = None,
    rtol: float = 0.0,
    full_output: bool = False,
    disp: bool = True,
) -> Any:
    """A root near x0 by Newton's method, with the exact derivative. For an array, each element is an equation of its own.

    >>> import xgrad as xg
    >>> from xgrad.scipy.optimize import newton
    >>> newton(lambda x: x * x - 2.0, xg.asarray([1.0, -1.0])).numpy().round(6).tolist()
    [1.414214, -1.414214]

    Args:
        func: the function `func(x, *args)`, which returns an array of the shape of x, each element from that of x alone.
        x0: the start. It has no gradient.
        fprime: has no effect, because the derivative is exact; neither have `fprime2` and `x1`.
        args: a tuple of more arguments.
        tol, rtol: the iteration ends where no step is larger than tol + rtol * abs(x).
        maxiter: the largest number of iterations.
        fprime2: has no effect.
        x1: has no effect.
        full_output: for a number, whether to return (root, RootResults).
        disp: whether to raise RuntimeError where there is no convergence.

    Returns:
        A tensor of the shape of x0.

    Derivative:
        That of the implicit function, in both modes and to any order, for args and for tensors that `func` closes over.

    Raises:
        RuntimeError: for no convergence, also where the derivative is 0.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.optimize.newton.html
    """
    start = floating(*tensors("scipy.optimize.newton", x0)).detach()
    scalar = _Scalar("newton", func, args, start)
    x = xg.reshape(start, (-1,))
    given = scalar.equation.detached
    count = -1
    for i in range(maxiter if x.size else 0):
        with xg.no_grad():
            value, slope = xg.jvp(lambda x: scalar.residual(x, *given), (x,), (xg.ones_like(x),))
            step = xg.where(slope != 0, value / xg.where(slope != 0, slope, 1.0), xg.nan)
            x = x - step
            (excess,) = largest(xg.abs(step) - tol - rtol * xg.abs(x))
        if excess <= 0:
            count = i + 1
            break
    converged = count >= 0 or not x.size
    if not converged and disp:
        raise RuntimeError(f"newton: no convergence after {maxiter} iterations")
    calls = scalar.count
    root = scalar.solution(x) if converged else xg.reshape(x, start.shape)
    return (root, _results(root, count, maxiter, calls)) if full_output else root


@on_tensors_in_trees("optimize.root_scalar")
def root_scalar(
    f: Callable[..., Any],
    args: Any = (),
    method: str | None = None,
    bracket: Any = None,
    fprime: Any = None,
    fprime2: Any = None,
    x0: Any = None,
    x1: Any = None,
    xtol: float | None = None,
    rtol: float | None = None,
    maxiter: int | None = None,
    options: Any = None,
) -> RootResults:
    """A root of a function: by `brentq` in a bracket, or by `newton` from a start.

    >>> import xgrad as xg
    >>> from xgrad.scipy.optimize import root_scalar
    >>> round(root_scalar(lambda x, c: x**3 - c, args=(xg.asarray(8.0),), bracket=(0.0, 5.0)).root.item(), 9)
    2.0

    Args:
        f: the function `f(x, *args)` of a 0-d tensor, which returns a real number.
        args: a tuple of more arguments.
        method: "brentq", "newton", or None for one that the other arguments choose.
        bracket: two numbers at which the function has different signs.
        fprime: has no effect, because the derivative is exact; neither have `fprime2` and `x1`.
        fprime2: has no effect.
        x0: the start.
        x1: has no effect.
        xtol, rtol, maxiter: those of `brentq` and `newton`. None: their defaults.
        options: must be left out for tensors.

    Returns:
        A result with root, converged, flag, iterations and function_calls.

    Derivative:
        That of the implicit function, as for `brentq` and `newton`. A root that has not converged has none.

    Raises:
        ValueError: without a bracket and a start.
        NotImplementedError: for another method.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.optimize.root_scalar.html
    """
    if options is not None:
        raise NotImplementedError("root_scalar: options= is for plain arrays only. Pass xtol=, rtol= and maxiter=")
    if method is None:
        method = "brentq" if bracket is not None else "newton"
    if method not in ("brentq", "newton"):
        raise NotImplementedError(
            f"root_scalar: {method!r} is for plain arrays only. For tensors there are 'brentq' and 'newton'"
        )
    given = {"rtol": rtol, "maxiter": maxiter, ("xtol" if method == "brentq" else "tol"): xtol}
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    chosen |= {"args": args, "full_output": True, "disp": False}
    if method == "brentq":
        if bracket is None or len(bracket) != 2:
            raise ValueError(
                "root_scalar: 'brentq' needs bracket=, two numbers at which the function has different signs"
            )
        found: tuple[Tensor, RootResults] = brentq(f, *bracket, **chosen)
        return found[1]
    if x0 is None:
        raise ValueError("root_scalar: pass bracket=, or the start x0=")
    found = newton(f, x0, **chosen)
    return found[1]
