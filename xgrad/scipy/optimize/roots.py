"""Systems of equations: root and fixed_point. Their solutions have the derivatives of the implicit function."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.engine.trees import flatten
from xgrad.optimize.flat import Flat
from xgrad.optimize.least_squares import least_squares
from xgrad.optimize.result import OptimizeResult
from xgrad.rules.numpy_functions.face import floating, tensors
from xgrad.scipy.implicit import Equation, solution
from xgrad.scipy.in_trees import on_tensors_in_trees
from xgrad.scipy.numbers import epsilon, largest

XTOL = 1.49012e-8  # SciPy's
POLISHED = 10  # steps of Newton's method at the end, of which one or two are usually enough
CONVERGED = "The solution converged."
NOT_ZERO = "The residuals have no zero near the last x: their sum of squares has a minimum there that is not zero."
NO_MORE = "The function was called as often as maxfev allows."


class _System:
    """The equations as a function of one vector. The unknowns and the residuals may be trees."""

    def __init__(self, name: str, fun: Callable[..., Any], x0: Any, args: Any, *, has_jacobian: bool = False) -> None:
        if not callable(fun):
            raise TypeError(f"{name}: the first argument is the function, not {type(fun).__name__}")
        self.name, self.fun, self.has_jacobian = name, fun, has_jacobian
        self.flat = Flat(name, x0)
        self.equation = Equation(self.residual, args if isinstance(args, tuple) else (args,))
        self.count = 0

    def residual(self, x: Tensor, *args: Any) -> Tensor:
        """The residuals as a vector."""
        self.count += 1
        found = self.fun(self.flat.tree(x), *args)
        if self.has_jacobian:
            found = found[0]
        if isinstance(found, list | tuple) and all(not getattr(part, "shape", ()) for part in found):
            leaves = [tensors(f"scipy.optimize.{self.name}", list(found))[0]]
        else:
            leaves = [tensors(f"scipy.optimize.{self.name}", leaf)[0] for leaf in flatten(found)[0]]
        parts = [xg.reshape(leaf, (-1,)) for leaf in leaves]
        y = parts[0] if len(parts) == 1 else xg.concat(parts)
        if y.shape != x.shape:
            raise ValueError(
                f"{self.name}: there must be as many equations as unknowns, {x.size}; the function returned {y.size}"
            )
        if xg.isdtype(y.dtype, "complex floating"):
            raise TypeError(
                f"{self.name}: the function returned complex numbers. Return their real and imaginary parts"
            )
        return y if y.dtype == x.dtype else xg.astype(y, x.dtype)

    def at(self, x: Tensor) -> Tensor:
        """The residuals without their gradients."""
        with xg.no_grad():
            return self.residual(x, *self.equation.detached)

    def newton_step(self, x: Tensor, residual: Tensor) -> Tensor | None:
        """The step to where the linear model is zero; None where the Jacobian has no inverse."""
        with xg.no_grad():
            jacobian = self.equation.jacobian(x, [None] * len(self.equation.moving))
            try:
                return -xg.linalg.solve(jacobian, residual)
            except ValueError:
                return None

    def tree(self, x: Tensor, failure: str = "") -> Any:
        """A solution with its derivative, as a tree like x0."""
        return self.flat.tree(solution(self.equation, x, failure))


@on_tensors_in_trees("optimize.root")
def root(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: str = "hybr",
    jac: Any = None,
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> OptimizeResult:
    """A solution x of fun(x, *args) = 0, for as many equations as unknowns.

    It is found by Levenberg-Marquardt with the exact Jacobian, and then by Newton's method until the residuals fall no more.

    >>> import xgrad as xg
    >>> from xgrad.scipy.optimize import root
    >>> def square_root(a):
    ...     return root(lambda x, a: x * x - a, [1.0], args=(a,)).x[0]
    >>> value, slope = xg.value_and_grad(square_root)(xg.asarray(4.0))
    >>> round(value.item(), 12), round(slope.item(), 12)
    (2.0, 0.25)

    Args:
        fun: the function `fun(x, *args)`. It gets a tensor like x0, or a tree like it, and returns as many real numbers: an
            array, a list of numbers, or a tree of arrays. If it closes over tensors, x0 or one of args must be a tensor too,
            because the arguments decide whether SciPy's function runs.
        x0: the start: an array of real numbers of any shape, or a tree of arrays.
        args: a tuple of more arguments.
        method: "hybr" or "lm". For tensors both are the same.
        jac: None, or True if `fun` returns a pair (residuals, Jacobian), of which the second is not used. A function has no
            effect.
        tol: a solution has converged if the step to it is no larger, relative to x. None: 1.49012e-8; in float32 its precision.
        callback: must be left out for tensors.
        options: a dict with "maxfev", the largest number of calls, and "xtol", which is `tol`.

    Returns:
        A result with x (a tensor or tree like x0), fun (the residuals, without gradient), success, status (1 or 5, or 2 for
        maxfev), message and nfev.

    Derivative:
        That of the implicit function, dx = -J^-1 df, in both modes and to any order, for args and for tensors that `fun` closes
        over. x0 has none. If `success` is False, differentiating x raises RuntimeError.

    Raises:
        ValueError: for another method, where there are not as many equations as unknowns, and where fun(x0) is not finite; in
            backward, for a Jacobian without an inverse.
        TypeError: for complex numbers.
        NotImplementedError: for a callback, and for SciPy's other methods and options.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.optimize.root.html
    """
    if method not in ("hybr", "lm"):
        raise NotImplementedError(
            f"root: method {method!r} is for plain arrays only. For tensors there are 'hybr' and 'lm'"
        )
    if callback is not None:
        raise NotImplementedError("root: callback= is for plain arrays only")
    options = dict(options or {})
    most = options.pop("maxfev", 0) or None
    tol = options.pop("xtol", tol)
    if options:
        raise NotImplementedError(
            f"root: for tensors the options are maxfev and xtol, not {', '.join(map(repr, options))}"
        )
    system = _System("root", fun, x0, args, has_jacobian=jac is True)
    x, residual, message = _solved(system, tol, most)
    success = message == CONVERGED
    failure = "" if success else f"root: x is no solution, and has no derivative. {message}"
    return OptimizeResult(
        x=system.tree(x, failure),
        success=success,
        status=1 if success else 2 if message == NO_MORE else 5,
        method=method,
        message=message,
        nfev=system.count,
        fun=residual,
    )


def _solved(system: _System, tol: float | None, most: int | None) -> tuple[Tensor, Tensor, str]:
    """The place that was found, the residuals there, and how it ended."""
    x = system.flat.start
    if not x.size:
        return x, x, CONVERGED
    tol = max(XTOL if tol is None else tol, 4 * epsilon(x))
    args = system.equation.detached
    found = least_squares(lambda x: system.residual(x, *args), x, ftol=0.0, xtol=0.0, gtol=0.0, max_nfev=most)
    if found.status == 0:
        return found.x, found.fun, NO_MORE
    x, residual = found.x, found.fun
    (size,) = largest(xg.abs(residual))
    step_size = math.inf
    for _ in range(POLISHED):
        if size == 0.0:
            return x, residual, CONVERGED
        step = system.newton_step(x, residual)
        if step is None:
            break
        new = x + step
        moved = system.at(new)
        new_size, step_size, x_size = largest(xg.abs(moved), xg.abs(step), xg.abs(new))
        if not new_size < size:
            break
        x, residual, size = new, moved, new_size
    if step_size <= tol * x_size + epsilon(x) if step_size < math.inf else False:
        return x, residual, CONVERGED
    return x, residual, NOT_ZERO


@on_tensors_in_trees("optimize.fixed_point")
def fixed_point(
    func: Callable[..., Any], x0: Any, args: Any = (), xtol: float = 1e-8, maxiter: int = 500, method: str = "del2"
) -> Any:
    """An x with func(x, *args) = x, by iteration with Aitken's acceleration, as in SciPy.

    >>> import xgrad as xg
    >>> from xgrad.scipy.optimize import fixed_point
    >>> round(fixed_point(xg.cos, xg.asarray(1.0)).item(), 6)
    0.739085

    Args:
        func: the function, which returns an array of the shape of x. If it closes over tensors, x0 must be a tensor too.
        x0: the start, an array of real numbers.
        args: a tuple of more arguments.
        xtol: the iteration ends where no element moves by more, relative to its value.
        maxiter: the largest number of iterations.
        method: "del2", or "iteration" without acceleration.

    Returns:
        A tensor of the shape of x0.

    Derivative:
        That of the implicit function, in both modes and to any order, for args and for tensors that `func` closes over.

    Raises:
        RuntimeError: where the iteration does not converge.
        ValueError: for another method.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.optimize.fixed_point.html
    """
    if method not in ("del2", "iteration"):
        raise ValueError(f"fixed_point: method must be 'del2' or 'iteration', not {method!r}")
    x0 = floating(*tensors("scipy.optimize.fixed_point", x0)).detach()

    def off(x: Tensor, *args: Any) -> Tensor:
        moved: Tensor = func(x, *args) - x
        return moved

    system = _System("fixed_point", off, x0, args)
    x = system.flat.start
    for _ in range(maxiter):
        first = system.at(x)
        new = x + first
        if method == "del2":
            second = system.at(new)
            bend = second - first
            new = xg.where(bend != 0, x - first * first / xg.where(bend != 0, bend, 1.0), new + second)
        moved = xg.abs(new - x) / xg.where(x != 0, xg.abs(x), 1.0)
        if x.size == 0 or largest(moved)[0] < xtol:
            return system.tree(new)
        x = new
    raise RuntimeError(f"fixed_point: no convergence after {maxiter} iterations")
