"""The determinant, the matrix of cofactors, which is its derivative, and the logarithm of the determinant.

A determinant is a polynomial of its elements, so it has derivatives where the matrix has no inverse too: the first and the second
one are found there without one (see backends/cofactors.py).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from xgrad.engine.dispatch import apply
from xgrad.engine.op import Function, real_part, total
from xgrad.engine.registry import public
from xgrad.engine.several import Several
from xgrad.engine.tensor import ComplexTensor, Tensor
from xgrad.rules.decompositions import adjoint, imaginary, where_regular


class SlogdetResult(NamedTuple):
    sign: Tensor
    logabsdet: Tensor


# --- the determinant ----------------------------------------------------------------------------------------

_det = Function(
    "linalg.det",
    ("x",),
    (lambda xp, g, x, y: g[..., None, None] * xp.linalg.cofactors(x, y),),
    jvp=lambda xp, t, x, y: xp.sum(t * xp.linalg.cofactors(x, y), axis=(-2, -1)),
    holomorphic=True,
)


@public("linalg.det", "rule")
def det(x: Any, /) -> Tensor:
    """The determinant of a square matrix.

    It is differentiable twice at any matrix, and as often as one likes where there is an inverse.

    >>> import xgrad as xg
    >>> xg.grad(xg.linalg.det)(xg.asarray([[1.0, 2.0], [2.0, 4.0]])).numpy().round(12).tolist()
    [[4.0, -2.0], [-2.0, 1.0]]
    """
    return apply(_det, (x,))


# The determinant is at hand where the cofactors are asked for. It says whether there is an inverse, and is not differentiated by.
_cofactors = Function(
    "linalg.cofactors",
    ("x", "determinant"),
    (lambda xp, g, x: xp.linalg.cofactors_jvp(g, x), None),
    jvp=lambda xp, t, x: None if t[0] is None else xp.linalg.cofactors_jvp(t[0], x),
    holomorphic=True,
)


@public("linalg.cofactors", "rule")
def cofactors(x: Any, determinant: Any, /) -> Tensor:
    """The derivative of `determinant`, which is det(x), by the elements of x: determinant * inv(x).T where there is an inverse.

    >>> import xgrad as xg
    >>> x = xg.asarray([[1.0, 2.0], [3.0, 4.0]])
    >>> xg.linalg.cofactors(x, xg.linalg.det(x)).numpy().round(12).tolist()
    [[4.0, -3.0], [-2.0, 1.0]]
    """
    return apply(_cofactors, (x, determinant))


def _third(xp: Any, g: Any, t: Any, x: Any) -> Any:
    """The derivative by x of <g, cofactors_jvp(t, x)>, for an x that has an inverse."""
    if x.shape[-1] < 3:  # of a polynomial of degree 2
        return xp.zeros(x.shape, dtype=x.dtype)
    inverse, one = xp.linalg.inv(x), xp.eye(x.shape[-1], dtype=x.dtype)
    a, b = xp.matmul(inverse, t), xp.matmul(inverse, g)
    ab, ba = xp.matmul(a, b), xp.matmul(b, a)
    trace_a, trace_b, trace_ab = (
        xp.sum(xp.linalg.diagonal(each), axis=-1)[..., None, None] for each in (a, b, ab)
    )  # sums of diagonals have a form for many examples
    core = (trace_a * trace_b - trace_ab) * one - trace_b * a - trace_a * b + ab + ba
    return xp.linalg.det(x)[..., None, None] * xp.matrix_transpose(xp.matmul(core, inverse))


def _cofactors_jvp_jvp(xp: Any, tangents: Any, t: Any, x: Any) -> Any:
    moved_t, moved_x = tangents
    parts = [] if moved_t is None else [xp.linalg.cofactors_jvp(moved_t, x)]
    return total(parts if moved_x is None else [*parts, _third(xp, moved_x, t, x)])


_cofactors_jvp = Function(
    "linalg.cofactors_jvp",
    ("t", "x"),
    (lambda xp, g, x: xp.linalg.cofactors_jvp(g, x), _third),
    jvp=_cofactors_jvp_jvp,
    holomorphic=True,
)


@public("linalg.cofactors_jvp", "rule")
def cofactors_jvp(t: Any, x: Any, /) -> Tensor:
    """How the cofactors of x move where x moves along t."""
    return apply(_cofactors_jvp, (t, x))


# --- the logarithm of the determinant -----------------------------------------------------------------------


def _inverse(xp: Any, x: Any, logabsdet: Any) -> Any:
    return where_regular(xp, logabsdet != -math.inf, xp.linalg.inv, x)


def _slogdet_vjp(xp: Any, g: list[Any], x: Any, sign: Any, logabsdet: Any) -> Any:
    """c X^-H with c = g of log|det|, plus i times the turn of the sign."""
    turn, c = g
    if turn is not None:
        turn = imaginary(xp, turn * xp.conj(sign))
        c = turn if c is None else c + turn
    return c[..., None, None] * adjoint(xp, _inverse(xp, x, logabsdet))


def _slogdet_jvp(xp: Any, t: Any, x: Any, sign: Any, logabsdet: Any) -> list[Any]:
    change = xp.sum(xp.matrix_transpose(_inverse(xp, x, logabsdet)) * t, axis=(-2, -1))
    growth = real_part(xp, change)
    return [sign * (change - growth), growth]  # a sign of real numbers stands still


_slogdet = Several("linalg.slogdet", "x", ("sign", "logabsdet"), _slogdet_vjp, _slogdet_jvp)


@public("linalg.slogdet", "rule")
def slogdet(x: Any, /) -> SlogdetResult:
    """The sign of the determinant (of absolute value 1 where x is complex), and the logarithm of its absolute value.

    That of a matrix without an inverse is -inf, and its gradient is nan; other matrices beside it keep theirs.
    """
    sign, logabsdet = _slogdet(x)
    return SlogdetResult(sign if isinstance(sign, ComplexTensor) else sign.detach(), logabsdet)
