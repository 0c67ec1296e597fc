"""Checks of derivatives against central differences."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

from xgrad.compat.autograd.core import make_jvp, make_vjp, vspace
from xgrad.compat.autograd.wrap_util import get_name, unary_to_nary

TOL = RTOL = EPS = 1e-6
# Numbers below TOL are not told apart. Where the random directions give a small one, others are drawn, so many times in all:
# a rule that is wrong by 0.1 % must not pass by chance.
TELLING, DRAWS = 1e-2, 3
Function = Callable[..., Any]


def scalar_close(a: Any, b: Any) -> bool:
    """Whether two numbers differ by less than 1e-6, or by less than 1e-6 of their sum."""
    return bool(abs(a - b) < TOL or abs(a - b) / abs(a + b) < RTOL)


def make_numerical_jvp(f: Function, x: Any) -> Function:
    """The derivative at x in a direction, by a central difference."""
    at_x, at_y = vspace(x), vspace(f(x))

    def jvp(v: Any) -> Any:
        above = f(at_x.add(x, at_x.scalar_mul(v, EPS / 2)))
        below = f(at_x.add(x, at_x.scalar_mul(v, -EPS / 2)))
        return at_y.scalar_mul(at_y.add(above, at_y.scalar_mul(below, -1.0)), 1.0 / EPS)

    return jvp


def check_vjp(f: Function, x: Any) -> None:
    """Compare the reverse mode with differences, in random directions. AssertionError where they differ."""
    vjp, y = make_vjp(f, x)
    at_x, at_y = vspace(x), vspace(y)
    for _ in range(DRAWS):
        v, w = at_x.randn(), at_y.randn()
        pulled = at_x.covector(vjp(at_y.covector(w)))
        if vspace(pulled) != at_x:
            raise AssertionError(f"the gradient of {get_name(f)} is in {vspace(pulled)}, and its argument in {at_x}")
        exact, numeric = at_x.inner_prod(v, pulled), at_y.inner_prod(w, make_numerical_jvp(f, x)(v))
        if not scalar_close(numeric, exact):
            raise AssertionError(
                f"Derivative (VJP) check of {get_name(f)} failed with arg {x}:\nanalytic: {exact}\nnumeric:  {numeric}"
            )
        if abs(numeric) > TELLING:
            return


def check_jvp(f: Function, x: Any) -> None:
    """Compare the forward mode with differences, in a random direction. AssertionError where they differ."""
    v = vspace(x).randn()
    check_equivalent(make_jvp(f, x)(v)[1], make_numerical_jvp(f, x)(v))


def check_equivalent(x: Any, y: Any) -> None:
    """Compare two values by their products with a random one. AssertionError where these differ, or the spaces."""
    at_x, at_y = vspace(x), vspace(y)
    if at_x != at_y:
        raise AssertionError(f"VSpace mismatch:\nx: {at_x}\ny: {at_y}")
    for _ in range(DRAWS):
        v = at_x.randn()
        one, other = at_x.inner_prod(x, v), at_x.inner_prod(y, v)
        if not scalar_close(one, other):
            raise AssertionError(f"Value mismatch:\nx: {x}\ny: {y}")
        if abs(other) > TELLING:
            return


@unary_to_nary
def check_grads(f: Function, x: Any, modes: list[str] | None = None, order: int = 2) -> None:
    """Check the derivatives of a function at a point, to an order, in the modes "fwd" and "rev"."""
    modes = ["fwd", "rev"] if modes is None else modes
    if not set(modes) <= {"fwd", "rev"}:
        raise AssertionError(f'modes are "fwd" and "rev", got {modes}')
    if "fwd" in modes:
        check_jvp(f, x)
        if order > 1:
            _check_next(lambda x, v: make_jvp(f, x)(v)[1], f"jvp_{get_name(f)}", x, vspace(x).randn(), modes, order)
    if "rev" in modes:
        check_vjp(f, x)
        if order > 1:
            _check_next(lambda x, v: make_vjp(f, x)[0](v), f"vjp_{get_name(f)}", x, vspace(f(x)).randn(), modes, order)


def _check_next(derivative: Any, name: str, x: Any, v: Any, modes: list[str], order: int) -> None:
    derivative.__name__ = name
    check_grads(derivative, (0, 1), modes, order=order - 1)(x, v)


def combo_check(fun: Function, *check_args: Any, **check_kwargs: Any) -> Function:
    """`check_grads` for all combinations of the given arguments: a list for each."""

    def check(*args: Any, **kwargs: Any) -> None:
        options = [[(name, value) for value in values] for name, values in kwargs.items()]
        for some in product(*args):
            for named in product(*options):
                check_grads(fun, *check_args, **check_kwargs)(*some, **dict(named))

    return check
