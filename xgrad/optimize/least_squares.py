"""least_squares: SciPy's function of that name without bounds, by Levenberg-Marquardt, with exact Jacobians, on any backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from xgrad.optimize.minimize import SQUARES, is_single, minimized, refuse_bounds
from xgrad.optimize.options import options_of
from xgrad.optimize.residuals import Residuals
from xgrad.optimize.result import OptimizeResult

STOPPED = -2


def least_squares(
    fun: Callable[..., Any],
    x0: Any,
    *,
    method: str = "lm",
    bounds: None = None,
    ftol: float | None = None,
    xtol: float | None = None,
    gtol: float | None = None,
    x_scale: Any = None,
    max_nfev: int | None = None,
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
    callback: Callable[..., Any] | None = None,
) -> OptimizeResult:
    """Minimize half the sum of squares of residuals, by Levenberg-Marquardt as in MINPACK. Names and stopping rules are SciPy's.

    >>> import xgrad as xg
    >>> t = xg.linspace(0.0, 1.0, 5)
    >>> y = 2.0 * xg.exp(-3.0 * t)
    >>> fit = xg.optimize.least_squares(lambda p: p[0] * xg.exp(p[1] * t) - y, [1.0, -1.0])
    >>> fit.x.numpy().round(6).tolist(), fit.cost < 1e-20, fit.success
    ([2.0, -3.0], True, True)

    Args:
        fun: the function `fun(x, *args, **kwargs)`. It gets tensors, and returns an array of residuals of any shape, or a tree of
            such arrays. There may be fewer residuals than variables.
        x0: the start, as for `minimize`.
        method: "lm".
        bounds: must be left out; there are bounds in scipy.optimize.least_squares.
        ftol: stop where the sum of squares falls by no more than this share, and was predicted to. None: 1e-8, in float32 1.2e-6.
            A tolerance below the precision counts as the precision; so for `xtol` and `gtol`.
        xtol: stop where the radius of the trust region is no larger than this, relative to x. None: as `ftol`.
        gtol: stop where the cosine of the angle between the residuals and each column of the Jacobian is no larger. None: as
            `ftol`.
        x_scale: the scales of the variables: a number or numbers like x0. None or "jac": they follow the columns of the Jacobian.
        max_nfev: the largest number of evaluations of `fun`. None: 100 for each variable.
        args: a tuple of more arguments of `fun`.
        kwargs: keyword arguments of `fun`.
        callback: called after each iteration, as for `minimize`. If it raises StopIteration, the status is -2.

    Returns:
        An OptimizeResult with x and grad (trees like x0), cost (half the sum of squares), fun (the residuals, a vector of shape
        (m,)), jac (the Jacobian, of shape (m, n), with the elements of x in order), optimality (the largest element of the
        gradient), nfev, njev, nit, success, message and status: 1 for gtol, 2 for ftol, 3 for xtol, 4 for ftol and xtol, 0 for
        max_nfev, -1 for a Jacobian that is not finite, -2 for the callback.

    Raises:
        ValueError: for another method, for scales that are not positive, and where the residuals are not finite at x0 or there
            are none.
        TypeError: where x0 or the residuals are complex or hold no numbers.
        NotImplementedError: for bounds.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.optimize.least_squares.html
    """
    if method not in ("lm", SQUARES):
        raise ValueError(f"least_squares: the method is 'lm', not {method!r}")
    refuse_bounds("least_squares", bounds, ())
    residuals = Residuals("least_squares", fun, x0, args, kwargs)
    given = {"ftol": ftol, "xtol": xtol, "gtol": gtol}
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    options |= {"max_nfev": max_nfev, "x_scale": x_scale}
    return minimized(SQUARES, residuals, options_of(SQUARES, options, None, is_single(residuals)), callback, STOPPED)
