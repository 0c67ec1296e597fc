"""Minimizers: those of xgrad.optimize for tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xgrad.optimize import OptimizeResult
from xgrad.optimize import least_squares as least_squares_of_tensors
from xgrad.optimize import minimize as minimize_tensors
from xgrad.scipy.in_trees import on_tensors_in_trees


@on_tensors_in_trees("optimize.minimize")
def minimize(
    fun: Callable[..., Any], x0: Any, args: Any = (), method: str | None = None, jac: Any = None, **options: Any
) -> OptimizeResult:
    """Minimize a function of tensors by `xgrad.optimize.minimize`, with exact derivatives.

    >>> import xgrad as xg
    >>> from xgrad.scipy.optimize import minimize
    >>> minimize(lambda x: xg.sum((x - 3.0) ** 2), xg.zeros(2)).x.numpy().round(4).tolist()
    [3.0, 3.0]

    Args:
        fun: the function `fun(x, *args)`.
        x0: the start.
        args: a tuple of more arguments.
        method: as for `xgrad.optimize.minimize`. None: "bfgs", as in SciPy.
        jac: has no effect, because derivatives are exact; but True says that `fun` returns a pair (value, gradient).
        **options: tol, callback and options, as for `xgrad.optimize.minimize`.

    Returns:
        A result as SciPy's. It carries no gradient.

    Raises:
        ValueError, TypeError, NotImplementedError: as `xgrad.optimize.minimize`.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.optimize.minimize.html
    """

    def value(x: Any, *args: Any) -> Any:
        return fun(x, *args)[0]

    return minimize_tensors(value if jac is True else fun, x0, args, method=method or "bfgs", **options)


@on_tensors_in_trees("optimize.least_squares")
def least_squares(fun: Callable[..., Any], x0: Any, jac: Any = None, **options: Any) -> OptimizeResult:
    """Minimize a sum of squares of tensors by `xgrad.optimize.least_squares`, with the exact Jacobian.

    >>> import xgrad as xg
    >>> from xgrad.scipy.optimize import least_squares
    >>> least_squares(lambda x: x - 3.0, xg.zeros(2)).x.numpy().round(4).tolist()
    [3.0, 3.0]

    Args:
        fun: the function `fun(x, *args)`, which returns the residuals.
        x0: the start.
        jac: has no effect, because the Jacobian is exact.
        **options: as for `xgrad.optimize.least_squares`, whose method is "lm".

    Returns:
        A result as SciPy's. It carries no gradient.

    Raises:
        ValueError, TypeError, NotImplementedError: as `xgrad.optimize.least_squares`.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.optimize.least_squares.html
    """
    return least_squares_of_tensors(fun, x0, **options)
