"""Polynomials as vectors of coefficients, from the highest power down."""

from __future__ import annotations

from typing import Any

from xgrad.rules.numpy_functions.face import floating, linalg, not_given, tensor, tensors, xp
from xgrad.rules.numpy_functions.linear_algebra import lstsq
from xgrad.rules.numpy_functions.sequences import convolve
from xgrad.rules.numpy_functions.table import numpy_function
from xgrad.rules.numpy_functions.triangles import vander


@numpy_function("polyval")
def polyval(p: Any, x: Any) -> Any:
    """Horner's scheme."""
    p, x = tensors("polyval", p, x)
    y = xp.zeros_like(x)
    for i in range(p.shape[0]):
        y = y * x + p[i]
    return y


@numpy_function("polyadd")
def polyadd(a1: Any, a2: Any) -> Any:
    a, b = _of_one_length(a1, a2)
    return a + b


@numpy_function("polysub")
def polysub(a1: Any, a2: Any) -> Any:
    a, b = _of_one_length(a1, a2)
    return a - b


def _of_one_length(a1: Any, a2: Any) -> list[Any]:
    found = [xp.reshape(x, (-1,)) for x in tensors("polyadd", a1, a2)]
    n = max(x.shape[0] for x in found)
    return [xp.concat([xp.broadcast_to(xp.zeros_like(x[:1]), (n - x.shape[0],)), x]) for x in found]


@numpy_function("polymul")
def polymul(a1: Any, a2: Any) -> Any:
    a, b = (_without_leading_zeros(x) for x in tensors("polymul", a1, a2))
    return convolve(a, b)


def _without_leading_zeros(p: Any) -> Any:
    p = xp.reshape(p, (-1,))
    used = xp.nonzero(p)[0].tolist()
    return p[used[0] if used else -1 :]


@numpy_function("polydiv")
def polydiv(u: Any, v: Any) -> Any:
    """The quotient and the remainder, by long division."""
    u, v = (xp.reshape(floating(x), (-1,)) for x in tensors("polydiv", u, v))
    steps = u.shape[0] - v.shape[0] + 1
    if steps < 1:
        return xp.zeros_like(u[:1]), u
    quotient = []
    rest = u
    for _ in range(steps):
        factor = rest[0] / v[0]
        quotient.append(factor)
        head = rest[: v.shape[0]] - factor * v
        rest = xp.concat([head[1:], rest[v.shape[0] :]])
    return xp.stack(quotient), (rest if rest.shape[0] else xp.zeros_like(u[:1]))


@numpy_function("polyder")
def polyder(p: Any, m: int = 1) -> Any:
    p = xp.reshape(tensor("polyder", p), (-1,))
    for _ in range(m):
        n = p.shape[0] - 1
        p = p[:-1] * xp.asarray([float(n - i) for i in range(n)], dtype=p.dtype)
    return p


@numpy_function("polyint")
def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    p = floating(xp.reshape(tensor("polyint", p), (-1,)))
    constants = [0.0] * m if k is None else list(k) if hasattr(k, "__len__") else [k] * m
    for constant in constants:
        n = p.shape[0]
        p = p / xp.asarray([float(n - i) for i in range(n)], dtype=p.dtype)
        p = xp.concat([p, xp.reshape(xp.astype(tensors("polyint", p, constant)[1], p.dtype), (1,))])
    return p


@numpy_function("poly")
def poly(seq_of_zeros: Any) -> Any:
    zeros = floating(tensor("poly", seq_of_zeros))
    if zeros.ndim == 2:
        zeros = linalg.eigvals(zeros)
    p = xp.ones_like(xp.reshape(zeros, (-1,))[:1])
    for i in range(zeros.shape[0]):
        p = xp.concat([p, xp.zeros_like(p[:1])]) - zeros[i] * xp.concat([xp.zeros_like(p[:1]), p])
    return p


@numpy_function("roots")
def roots(p: Any) -> Any:
    """The eigenvalues of the companion matrix. Coefficients that are 0 at the start do not count; at the end they are zeros."""
    p = floating(xp.reshape(tensor("roots", p), (-1,)))
    used = xp.nonzero(p)[0].tolist()
    if not used:
        return p[:0]
    zeros, p = p.shape[0] - 1 - used[-1], p[used[0] : used[-1] + 1]
    n = p.shape[0] - 1
    found = p[:0]
    if n:
        first = xp.reshape(-p[1:] / p[0], (1, n))
        below = xp.eye(n, dtype=p.dtype)[: n - 1]
        found = linalg.eigvals(xp.concat(list(tensors("roots", first, below)), axis=0))
    return (
        xp.concat([found, xp.zeros_like(found, dtype=found.dtype)[:0]] + [xp.zeros_like(found[:1])] * zeros)
        if n
        else xp.zeros_like(xp.broadcast_to(p[:1], (zeros,)))
    )


@numpy_function("polyfit")
def polyfit(x: Any, y: Any, deg: int, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False) -> Any:
    not_given("polyfit", full=full or None, cov=cov or None)
    x, y = (floating(v) for v in tensors("polyfit", x, y))
    left, right = vander(x, deg + 1), y
    if w is not None:
        w = floating(tensors("polyfit", x, w)[1])
        left = left * xp.reshape(w, (-1, 1))
        right = right * (xp.reshape(w, (-1, 1)) if y.ndim == 2 else w)
    scale = xp.sqrt(xp.sum(left * left, axis=0))
    rcond = x.shape[0] * xp.finfo(x.dtype).eps if rcond is None else rcond
    found = lstsq(left / scale, right, rcond)[0]
    return found / (xp.reshape(scale, (-1, 1)) if y.ndim == 2 else scale)
