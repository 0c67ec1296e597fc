"""Comparing derivatives with finite differences: `xgrad.check_grads`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any

from xgrad.engine.modes import no_grad
from xgrad.engine.tensor import Tensor, wrap
from xgrad.engine.trees import flatten
from xgrad.transforms.grad import grad, is_complex, jvp, place_of, to_tensor, vjp

Function = Callable[..., Any]


def check_grads(
    f: Function,
    *args: Any,
    order: int = 1,
    modes: Sequence[str] = ("rev", "fwd"),
    eps: float | None = None,
    rtol: float | None = None,
    atol: float | None = None,
) -> None:
    """Compare the derivatives of a function with central differences, in both modes and up to an order.

    >>> import xgrad as xg
    >>> x = xg.asarray([0.5, 1.0], dtype=xg.float64)
    >>> xg.check_grads(xg.sin, x, order=2)
    >>> wrong = xg.primitive(lambda x: x * x).defvjp(lambda g, out, x: g * x)
    >>> try:
    ...     xg.check_grads(wrong, x, modes=["rev"])
    ... except AssertionError as error:
    ...     print(str(error).partition(":")[0])
    order 1 of <lambda>, reverse mode, argument 0

    Args:
        f: a function whose result is a real array, a number, or a tree of these.
        *args: its arguments: arrays of a real floating-point dtype, of any shape, numbers, or trees of these. Use float64, where
            a difference is good to about 1e-9.
        order: the highest derivative to check; each one is compared with differences of the one before.
        modes: any of "rev" and "fwd". Forward mode is checked in one direction, reverse mode element by element.
        eps: the step of the differences. None means the cube root of the dtype's machine epsilon.
        rtol: the tolerance, relative to the largest element of the difference. None means 200 * epsilon ** (2 / 3).
        atol: the absolute tolerance, which is added. None means `rtol`.

    Raises:
        AssertionError: where a derivative differs. The message has the order, the mode, the argument, and both values at the
            worst element.
        TypeError: for an argument that is not of a real floating-point dtype, and for a complex result.
        ValueError: for unknown modes, an order below 1, and where there are no arguments.

    https://docs.jax.dev/en/latest/_autosummary/jax.test_util.check_grads.html
    """
    unknown = {modes} if isinstance(modes, str) else set(modes) - {"rev", "fwd"}
    if unknown or not modes or order < 1:
        raise ValueError(f"check_grads: modes are 'rev' and 'fwd' and order is 1 or more, got {modes!r} and {order!r}")
    flat, rebuild = flatten(args)
    place = place_of(flat)
    xs = [to_tensor(leaf, place=place) for leaf in flat]
    if not xs:
        raise ValueError("check_grads: there is no array to differentiate by among the arguments")
    for x in xs:
        if not x.backend.library.isdtype(x.dtype, "real floating"):
            raise TypeError(f"check_grads: the arguments must be of a real floating-point dtype, not {x.dtype}")

    def flat_f(*leaves: Any) -> Any:
        ys = [to_tensor(y, "as the result of the function", place) for y in flatten(f(*rebuild(list(leaves))))[0]]
        if any(is_complex(y) for y in ys):
            raise TypeError("check_grads: the result must be real; check xgrad.real and xgrad.imag of it separately")
        return ys

    _check(flat_f, xs, order, modes, (eps, rtol, atol), f"order 1 of {getattr(f, '__name__', 'f')}")


def _check(
    f: Function, xs: list[Tensor], order: int, modes: Sequence[str], tolerances: tuple[Any, ...], what: str
) -> None:
    machine = max(_eps(x) for x in xs)
    eps, rtol, atol = tolerances
    eps = machine ** (1 / 3) if eps is None else eps
    rtol = 200 * machine ** (2 / 3) if rtol is None else rtol
    atol = rtol if atol is None else atol
    directions = [_direction(x, i) for i, x in enumerate(xs)]
    with no_grad():
        ahead = f(*(x + eps * d for x, d in zip(xs, directions, strict=True)))
        behind = f(*(x - eps * d for x, d in zip(xs, directions, strict=True)))
    numeric = [(a - b) / (2 * eps) for a, b in zip(ahead, behind, strict=True)]
    if "fwd" in modes:
        _, moved = jvp(lambda *a: list(f(*a)), tuple(xs), tuple(directions))
        for t, n in zip(moved, numeric, strict=True):
            _compare(t, n, rtol, atol, f"{what}, forward mode")
    if "rev" in modes:
        out, pull = vjp(lambda *a: list(f(*a)), *xs)
        weights = [_direction(y, i + 7) for i, y in enumerate(out)]
        for i, g in enumerate(pull(weights)):
            _compare_gradient(f, xs, i, g, weights, eps, rtol, atol, f"{what}, reverse mode, argument {i}")
    if order > 1:
        weights = [_direction(y, i + 7) for i, y in enumerate(f(*xs))]

        def weighted(*a: Any) -> Any:
            total: Any = 0.0
            for y, w in zip(f(*a), weights, strict=True):
                total = total + y.backend.view.sum(y * w)
            return total

        derivative = grad(weighted, tuple(range(len(xs))))
        _check(
            lambda *a: list(derivative(*a)), xs, order - 1, modes, tolerances, what.replace("order", "next order after")
        )


def _compare_gradient(
    f: Function,
    xs: list[Tensor],
    i: int,
    g: Tensor,
    weights: list[Tensor],
    eps: float,
    rtol: float,
    atol: float,
    what: str,
) -> None:
    """Compare a gradient with differences in each element, so that the error can name the worst one."""
    x, xp = xs[i], xs[i].backend.view
    unit = xp.reshape(xp.eye(x.size, dtype=x.dtype), (x.size, *x.shape))
    differences = []
    with no_grad():
        for k in range(x.size):
            step = unit[(k, ...)] * eps
            total = 0.0
            for a, b, w in zip(
                f(*xs[:i], x + step, *xs[i + 1 :]), f(*xs[:i], x - step, *xs[i + 1 :]), weights, strict=True
            ):
                total += float(xp.sum((a - b) * w)) / (2 * eps)
            differences.append(total)
    numeric = xp.reshape(xp.asarray(differences, dtype=x.dtype), x.shape)
    _compare(g, numeric, rtol, atol, what)


def _eps(x: Tensor) -> float:
    return float(x.backend.view.finfo(x.dtype).eps)


def _direction(x: Tensor, seed: int) -> Tensor:
    """A direction to differentiate in: irregular numbers between -0.9 and 1.1, the same on every backend."""
    values = [((i * 0.6180339887 + seed * 0.7548776662 + 0.3) % 1.0) * 2 - 1 + 0.1 for i in range(x.size)]
    xp = x.backend.view
    return wrap(xp.reshape(xp.asarray(values, dtype=x.dtype), x.shape).data, x.backend)


def _compare(got: Tensor, wanted: Tensor, rtol: float, atol: float, what: str) -> None:
    if got.shape != wanted.shape:
        raise AssertionError(f"{what}: the derivative has shape {got.shape}, the difference {wanted.shape}")
    g, w = got.detach().numpy().reshape(-1).tolist(), wanted.detach().numpy().reshape(-1).tolist()
    scale = max((abs(v) for v in w if isfinite(v)), default=0.0)
    worst, error = -1, 0.0
    for i, (a, b) in enumerate(zip(g, w, strict=True)):
        off = abs(a - b)
        if a == b:
            continue  # infinities too
        if not off <= atol + rtol * scale and not off <= error:
            worst, error = i, off
    if worst >= 0:
        place = []
        rest = worst
        for n in reversed(got.shape):
            place.append(rest % n)
            rest //= n
        raise AssertionError(
            f"{what}: at {tuple(reversed(place))} the derivative is {g[worst]!r}, finite differences give {w[worst]!r}"
        )
