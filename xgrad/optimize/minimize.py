"""minimize: SciPy's function of that name, with exact derivatives, on any backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import xgrad as xg
from xgrad.optimize.messages import CALLBACK, SUCCESS
from xgrad.optimize.objective import Evaluated, Objective
from xgrad.optimize.options import METHODS, named, options_of
from xgrad.optimize.residuals import Residuals
from xgrad.optimize.result import OptimizeResult
from xgrad.optimize.watch import Watch

SQUARES = "levenberg-marquardt"


def minimize(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: str | None = "lbfgs",
    jac: None = None,
    hess: None = None,
    hessp: None = None,
    bounds: None = None,
    constraints: Any = (),
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> OptimizeResult:
    """Minimize a function of arrays, from a start, by its exact derivatives. Names, options and stopping rules are SciPy's.

    Everything runs on the backend and the device of x0. The host reads only the numbers that decide how to go on.

    >>> import xgrad as xg
    >>> def rosen(x):
    ...     return xg.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)
    >>> result = xg.optimize.minimize(rosen, [1.3, 0.7, 0.8, 1.9, 1.2], method="bfgs")
    >>> result.x.numpy().round(4).tolist(), result.success
    ([1.0, 1.0, 1.0, 1.0, 1.0], True)
    >>> def distance(p):
    ...     return xg.sum((p["w"] - 2.0) ** 2) + (p["b"] + 1.0) ** 2
    >>> result = xg.optimize.minimize(distance, {"w": xg.zeros((2, 2)), "b": 0.0}, method="newton-cg")
    >>> result.x["w"].numpy().round(4).tolist(), round(result.x["b"].item(), 4)
    ([[2.0, 2.0], [2.0, 2.0]], -1.0)

    Args:
        fun: the function `fun(x, *args)`. It gets tensors, and returns one real number; for "levenberg-marquardt" an array of
            residuals of any shape, or a tree of such arrays, and half the sum of their squares is minimized.
        x0: the start: an array or a number, of any shape and real dtype, or a tree (tuple, list, dict) of these. `fun` gets it in
            the same structure and shapes. A list or tuple of numbers alone is an array, as for SciPy. Integers become the
            default dtype. Half precision is computed in float32.
        args: a tuple of more arguments, which stay as they are. NumPy arrays among them move to the device once.
        method: "lbfgs", "bfgs", "newton-cg", "trust-ncg" or "levenberg-marquardt", in any case; SciPy's spelling "L-BFGS-B"
            means "lbfgs".
        jac: must be left out, as `hess` and `hessp`: derivatives are computed from `fun`.
        hess: must be left out.
        hessp: must be left out.
        bounds: must be left out. Pass `xg.value_and_grad(fun)` to scipy.optimize.minimize with jac=True instead.
        constraints: must be left out, as `bounds`.
        tol: sets the tolerances of the method, as in SciPy: ftol and gtol of "lbfgs", gtol of "bfgs" and "trust-ncg", xtol of
            "newton-cg", and ftol, xtol and gtol of "levenberg-marquardt".
        callback: called after each iteration as `callback(x)`, or as `callback(intermediate_result=...)` with an OptimizeResult
            that has `x` and `fun`, if its only parameter is called so. If it raises StopIteration, the minimization ends with
            status 99.
        options: a dict of the method's options. For all: disp (print the outcome), return_all (keep the place of each iteration
            in `allvecs`), maxiter. "lbfgs": maxcor, ftol, gtol, maxfun, maxls. "bfgs": gtol, norm, xrtol, c1, c2, hess_inv0.
            "newton-cg": xtol, c1, c2. "trust-ncg": initial_trust_radius, max_trust_radius, eta, gtol.
            "levenberg-marquardt": ftol, xtol, gtol, max_nfev, x_scale, factor. Defaults are SciPy's; in float32, gtol is 1e-3,
            and ftol (and all tolerances of "levenberg-marquardt") 1.2e-6.

    Returns:
        An OptimizeResult: x, fun, jac, success, status, message, nit, nfev, njev, nhev, hess_inv. It carries no gradient.

    Raises:
        ValueError: for a method or an option that is not there, for options that make no sense, and where `fun` returns more than
            one number.
        TypeError: where x0 or a result of `fun` is complex or holds no numbers, and for x0 on several backends.
        NotImplementedError: for bounds and constraints.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.optimize.minimize.html
    """
    name = named("lbfgs" if method is None else method)
    for given, word in ((jac, "jac"), (hess, "hess"), (hessp, "hessp")):
        if given is not None:
            raise TypeError(f"minimize: leave out {word}: xgrad computes derivatives from the function itself")
    refuse_bounds("minimize", bounds, constraints)
    objective = (Residuals if name == SQUARES else Objective)("minimize", fun, x0, args)
    found = minimized(name, objective, options_of(name, options, tol, is_single(objective)), callback)
    if name == SQUARES:
        found.update(fun=found.pop("cost"), jac=found.pop("grad"))
    return found


def refuse_bounds(name: str, bounds: Any, constraints: Any) -> None:
    """Raise NotImplementedError for bounds and constraints, which says what to do."""
    for given, word in ((bounds, "bounds"), (constraints, "constraints")):
        if given is not None and not (isinstance(given, tuple | list | dict) and not given):
            raise NotImplementedError(
                f"{name}: there are no {word} here. Use SciPy, on the host: "
                f"scipy.optimize.minimize(xgrad.value_and_grad(f), x0, jac=True, {word}=...), where f(x) takes a vector."
            )


def is_single(of: Evaluated) -> bool:
    """Whether the vectors have less than double precision."""
    return bool(xg.finfo(of.start.dtype).eps > 1e-10)


def minimized(
    name: str, objective: Any, options: dict[str, Any], callback: Callable[..., Any] | None, stopped: int = 99
) -> OptimizeResult:
    """The result of a method, with trees in place of vectors. `stopped` is the status where the callback stopped it."""
    prints, keeps_all = options.pop("disp"), options.pop("return_all")
    with xg.no_grad():
        watch = Watch(callback, objective, keeps_all)
        found = METHODS[name].run(objective, watch, **options) if objective.flat.size else nothing(objective, name)
        for entry in ("x", "grad") if name == SQUARES else ("x", "jac"):
            found[entry] = objective.tree(found[entry])
    if watch.stopped:
        found.update(status=stopped, message=CALLBACK)
    found["success"] = found.status > 0 if name == SQUARES and not watch.stopped else found.status == 0
    found.update(nfev=objective.nfev, njev=objective.njev)
    if name in ("newton-cg", "trust-ncg"):
        found["nhev"] = objective.nhev
    if watch.visited is not None:
        found["allvecs"] = watch.visited
    if prints:
        counts = "".join(f", {entry} {found[entry]}" for entry in ("nit", "nfev", "njev", "nhev") if entry in found)
        print(f"{found.message} fun {found.get('cost', found.fun):.6g}{counts}")
    return found


def nothing(objective: Any, name: str) -> OptimizeResult:
    """The result where x0 has no elements."""
    x = objective.start
    value = objective.value(x)
    if name != SQUARES:
        return OptimizeResult(x=x, fun=value.item(), jac=x, nit=0, status=0, message=SUCCESS)
    cost = 0.5 * xg.sum(value * value).item()
    return OptimizeResult(
        x=x,
        fun=value,
        cost=cost,
        jac=xg.zeros_like(value)[:, None][:, :0],
        grad=x,
        optimality=0.0,
        nit=0,
        status=1,
        message=SUCCESS,
    )
