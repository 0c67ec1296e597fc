"""Products of matrices and vectors: the main namespace's share of linear algebra."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xgrad.engine.arguments import no_scalars
from xgrad.engine.dispatch import apply, apply_to_one, offered, with_fast_path
from xgrad.engine.integers import integer
from xgrad.engine.op import Multilinear
from xgrad.engine.operands import as_tensors
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor
from xgrad.engine.views import Kind, as_view
from xgrad.rules import strides
from xgrad.rules.declare import OPERATORS
from xgrad.rules.shapes import inverse, normalize_axes


def _matmul_left(xp: Any, g: Any, x2: Any) -> Any:
    """g @ x2^T, with what was a vector made a matrix and back. (x1 was one if g has an axis less than x2.)"""
    if x2.ndim == 1:
        return xp.expand_dims(g, axis=-1) * x2
    if g.ndim < x2.ndim:
        return xp.squeeze(xp.matmul(xp.expand_dims(g, axis=-2), xp.matrix_transpose(x2)), axis=-2)
    return xp.matmul(g, xp.matrix_transpose(x2))


def _matmul_right(xp: Any, g: Any, x1: Any) -> Any:
    """x1^T @ g, with what was a vector made a matrix and back. (x2 was one if g has an axis less than x1.)"""
    if x1.ndim == 1:
        return x1 * g if g.ndim == 0 else xp.expand_dims(x1, axis=-1) * xp.expand_dims(g, axis=-2)
    if g.ndim < x1.ndim:
        return xp.squeeze(xp.matmul(xp.matrix_transpose(x1), xp.expand_dims(g, axis=-1)), axis=-1)
    return xp.matmul(xp.matrix_transpose(x1), g)


_matmul = Multilinear("matmul", ("x1", "x2"), (_matmul_left, _matmul_right))


@public("matmul", "rule")
@with_fast_path("matrix_product", _matmul)
def matmul(x1: Any, x2: Any, /) -> Tensor:
    """The matrix product over the last two axes; a 1-d array is a vector.

    >>> import xgrad as xg
    >>> xg.matmul(xg.asarray([[1.0, 2.0]]), xg.asarray([[3.0], [4.0]])).item()
    11.0
    """
    no_scalars("matmul", (x1, x2))
    return apply(_matmul, (x1, x2))


@with_fast_path("matrix_product", _matmul)
def _operator(x1: Any, x2: Any, /) -> Any:
    no_scalars("matmul", (x1, x2))
    return offered(_matmul, (x1, x2))


OPERATORS[matmul] = _operator


_matrix_transpose = Multilinear("matrix_transpose", ("x",), (lambda xp, g: xp.matrix_transpose(g),))
TRANSPOSED = Kind(
    lambda base, _: apply_to_one(_matrix_transpose, base, {}),
    lambda base, new, _, in_memory: apply_to_one(_matrix_transpose, new, {}),
    strides.transposed,
)


@public("matrix_transpose", "rule")
def matrix_transpose(x: Any, /) -> Tensor:
    """The matrices in the last two axes, transposed. A view of x."""
    y = apply_to_one(_matrix_transpose, x, {})
    return as_view(y, x, TRANSPOSED, None) if isinstance(x, Tensor) else y


@public("vecdot", "composition")
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    """The dot product of vectors along an axis, the first one conjugated.

    >>> import xgrad as xg
    >>> xg.vecdot(xg.asarray([1.0, 2.0]), xg.asarray([3.0, 4.0])).item()
    11.0
    """
    from xgrad.rules.elementwise import conj, multiply

    x1, x2 = as_tensors("vecdot", (x1, x2))
    from xgrad.rules.statistical import sum

    axis = integer("vecdot", axis)
    sizes = [x.shape[axis] for x in (x1, x2) if -x.ndim <= axis < x.ndim]
    if len(sizes) < 2 or sizes[0] != sizes[1]:
        raise ValueError(f"vecdot: shapes {tuple(x1.shape)} and {tuple(x2.shape)} have no common axis {axis}")
    products = multiply(conj(x1), x2)
    small = not products.backend.is_inexact(products.dtype)  # a sum of small integers would be of larger ones
    return sum(products, axis=axis, dtype=products.dtype if small else None)


# --- tensordot ----------------------------------------------------------------------------------------------

AxisPairs = tuple[tuple[int, ...], tuple[int, ...]]


def _free(ndim: int, taken: Sequence[int]) -> tuple[int, ...]:
    return tuple(i for i in range(ndim) if i not in taken)


def _tensordot_left(xp: Any, g: Any, x2: Any, x1_shape: tuple[int, ...], axes: AxisPairs) -> Any:
    """g contracted with x2 over the axes that came from x2, then put in the order of x1."""
    mine, others = axes
    free = _free(len(x1_shape), mine)
    kept = _free(x2.ndim, others)
    h = xp.tensordot(g, x2, axes=(tuple(range(len(free), g.ndim)), kept))
    # the axes of h: first the free ones of x1, then the contracted ones of x2, in their own order
    arrived = (*free, *(mine[others.index(a)] for a in sorted(others)))
    return xp.permute_dims(h, inverse(arrived))


def _tensordot_right(xp: Any, g: Any, x1: Any, x2_shape: tuple[int, ...], axes: AxisPairs) -> Any:
    others, mine = axes
    kept = _free(x1.ndim, others)
    h = xp.tensordot(x1, g, axes=(kept, tuple(range(len(kept)))))
    arrived = (*(mine[others.index(a)] for a in sorted(others)), *_free(len(x2_shape), mine))
    return xp.permute_dims(h, inverse(arrived))


_tensordot = Multilinear("tensordot", ("x1", "x2"), (_tensordot_left, _tensordot_right))


def _pairs(axes: Any, ndim1: int, ndim2: int) -> AxisPairs:
    if isinstance(axes, Sequence) and len(axes) == 2:
        return normalize_axes("tensordot", axes[0], ndim1), normalize_axes("tensordot", axes[1], ndim2)
    count = integer("tensordot", axes, "axes")
    if not 0 <= count <= min(ndim1, ndim2):
        raise ValueError(f"tensordot: axes={count}, and the arrays have {ndim1} and {ndim2} axes")
    return tuple(range(ndim1 - count, ndim1)), tuple(range(count))


@public("tensordot", "rule")
def tensordot(x1: Any, x2: Any, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> Tensor:
    """The sum of products over pairs of axes: the last `axes` of x1 with the first of x2, or two sequences of axes."""
    x1, x2 = as_tensors("tensordot", (x1, x2))
    pairs = _pairs(axes, x1.ndim, x2.ndim)
    return apply(_tensordot, (x1, x2), {"axes": pairs})
