"""Fixed points, and their derivatives by the implicit function theorem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xgrad.compat.autograd.core import defvjp, make_vjp, vspace
from xgrad.compat.autograd.tracer import primitive

Function = Callable[..., Any]


@primitive
def fixed_point(f: Function, a: Any, x0: Any, distance: Function, tol: float) -> Any:
    """The x with x = f(a)(x), found by iterating from x0 until the distance of two iterates is at most tol.

    It is differentiable by a. The gradient is itself a fixed point: https://en.wikipedia.org/wiki/Implicit_function_theorem.
    """
    step = f(a)
    x, before = step(x0), x0
    while distance(x, before) > tol:
        x, before = step(x), x
    return x


def _by_a(ans: Any, f: Function, a: Any, x0: Any, distance: Function, tol: float) -> Function:
    def adjoint(given: Any) -> Function:
        a, x, g = given
        pull, _ = make_vjp(f(a), x)
        return lambda w: vspace(w).add(pull(w), g)

    pull_a, _ = make_vjp(lambda a: f(a)(ans), a)
    return lambda g: pull_a(fixed_point(adjoint, (a, ans, g), vspace(x0).zeros(), distance, tol))


defvjp(fixed_point, None, _by_a, None)
