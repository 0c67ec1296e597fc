"""The linear algebra of the main namespace: products of matrices, vectors and arrays of more axes."""

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
    """g @ x2^T. A vector is taken as a matrix of one row or column. (x1 was a vector if g has fewer axes than x2.)"""
    if x2.ndim == 1:
        return g[..., None] * x2
    turned = xp.matrix_transpose(x2)
    if g.ndim < x2.ndim and x2.ndim > 2:
        return xp.matmul(g[..., None, :], turned)[..., 0, :]
    return xp.matmul(g, turned)


def _matmul_right(xp: Any, g: Any, x1: Any) -> Any:
    """x1^T @ g. A vector is taken as a matrix of one row or column. (x2 was a vector if g has fewer axes than x1.)"""
    if x1.ndim == 1:
        return x1 * g if g.ndim == 0 else x1[..., None] * g[..., None, :]
    turned = xp.matrix_transpose(x1)
    if g.ndim < x1.ndim and x1.ndim > 2:
        return xp.matmul(turned, g[..., None])[..., 0]
    return xp.matmul(turned, g)


_matmul = Multilinear("matmul", ("x1", "x2"), (_matmul_left, _matmul_right))


@public("matmul", "rule")
@with_fast_path("matrix_product", _matmul)
def matmul(x1: Any, x2: Any, /) -> Tensor:
    """The matrix product, `x1 @ x2`.

    >>> import xgrad as xg
    >>> x1, x2 = xg.asarray([[1.0, 2.0]]), xg.asarray([[3.0], [4.0]])
    >>> xg.matmul(x1, x2).item()
    11.0
    >>> xg.grad(lambda x1: xg.sum(x1 @ x2))(x1).numpy().tolist()
    [[3.0, 4.0]]

    Args:
        x1: matrices of shape (..., m, k), or a vector of shape (k,), of any numeric dtype.
        x2: matrices of shape (..., k, n), or a vector of shape (k,), of any numeric dtype.

    Returns:
        A tensor of shape (..., m, n), without the axis m or n for a vector, of the dtype that x1 and x2 promote to. The axes
        before the last two broadcast. Nothing is conjugated.

    Raises:
        ValueError: for a number or a 0-d array, and for shapes that do not fit.
        TypeError: for a value that is not an array.
        MixedBackendsError: for arrays of two libraries, or on two devices.
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
    """The transpose of a matrix, `x.mT`, without a conjugate, as a view: a write to it writes to x.

    >>> import xgrad as xg
    >>> x = xg.asarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> xg.matrix_transpose(x).numpy().tolist()
    [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]

    Args:
        x: a matrix, or a stack of them: shape (..., m, n), any dtype.

    Returns:
        A tensor of shape (..., n, m) and of the dtype of x.

    Raises:
        ValueError: for an array without two axes.
        TypeError: for a value that is not an array.
    """
    y = apply_to_one(_matrix_transpose, x, {})
    return as_view(y, x, TRANSPOSED, None) if isinstance(x, Tensor) else y


@public("vecdot", "composition")
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    """The dot product of vectors: the sum of conj(x1) * x2 along an axis.

    >>> import xgrad as xg
    >>> xg.vecdot(xg.asarray([1.0, 2.0]), xg.asarray([3.0, 4.0])).item()
    11.0
    >>> xg.vecdot(xg.asarray([1j]), xg.asarray([1j])).item()
    (1+0j)

    Args:
        x1, x2: arrays of any numeric dtype, whose shapes broadcast, and which have the same length along the axis.

    Returns:
        A tensor of the shape that x1 and x2 broadcast to, without the axis, of the dtype that they promote to.

    Derivative:
        That of the product and the sum, in both modes and to any order.

    Raises:
        ValueError: for an axis that one of them does not have, for different lengths along it, and for shapes that do not
            broadcast.
        TypeError: for a value that is not an array, and for an axis that is no integer.
        MixedBackendsError: for arrays of two libraries, or on two devices.
    """
    from xgrad.rules.complex_numbers import conj
    from xgrad.rules.elementwise import multiply

    x1, x2 = as_tensors("vecdot", (x1, x2))
    from xgrad.rules.statistical import sum

    axis = integer("vecdot", axis)
    sizes = [x.shape[axis] for x in (x1, x2) if -x.ndim <= axis < x.ndim]
    if len(sizes) < 2 or sizes[0] != sizes[1]:
        raise ValueError(f"vecdot: shapes {tuple(x1.shape)} and {tuple(x2.shape)} have no common axis {axis}")
    products = multiply(conj(x1), x2)
    small = not products.backend.is_inexact(
        products.dtype
    )  # sum would return the default integer dtype for smaller integers
    return sum(products, axis=axis, dtype=products.dtype if small else None)


# --- tensordot ----------------------------------------------------------------------------------------------

AxisPairs = tuple[tuple[int, ...], tuple[int, ...]]


def _free(ndim: int, taken: Sequence[int]) -> tuple[int, ...]:
    """The axes that are not contracted."""
    return tuple(i for i in range(ndim) if i not in taken)


def _tensordot_left(xp: Any, g: Any, x2: Any, x1_shape: tuple[int, ...], axes: AxisPairs) -> Any:
    """g contracted with x2 over the axes of g that come from x2. The axes of the result are put in the order of x1."""
    mine, others = axes
    free = _free(len(x1_shape), mine)
    kept = _free(x2.ndim, others)
    h = xp.tensordot(g, x2, axes=(tuple(range(len(free), g.ndim)), kept))
    # h has the free axes of x1 first, then the contracted axes, in the order of x2
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
    """The axes of x1 and of x2 that are contracted with each other."""
    if isinstance(axes, Sequence) and len(axes) == 2:
        axes1, axes2 = normalize_axes("tensordot", axes[0], ndim1), normalize_axes("tensordot", axes[1], ndim2)
        if len(axes1) != len(axes2):
            raise ValueError(f"tensordot: axes must pair those of x1 with those of x2, not {axes1} with {axes2}")
        return axes1, axes2
    count = integer("tensordot", axes, "axes")
    if not 0 <= count <= min(ndim1, ndim2):
        raise ValueError(f"tensordot: axes={count}, and the arrays have {ndim1} and {ndim2} axes")
    return tuple(range(ndim1 - count, ndim1)), tuple(range(count))


@public("tensordot", "rule")
def tensordot(x1: Any, x2: Any, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> Tensor:
    """The sum of products over pairs of axes, one of x1 and one of x2, without a conjugate.

    >>> import xgrad as xg
    >>> x = xg.asarray([[1.0, 2.0], [3.0, 4.0]])
    >>> xg.tensordot(x, x, axes=1).numpy().tolist()  # x @ x
    [[7.0, 10.0], [15.0, 22.0]]
    >>> xg.tensordot(x, x, axes=((0, 1), (1, 0))).item()  # the trace of x @ x
    29.0

    Args:
        x1, x2: arrays of any numeric dtype, or numbers.
        axes: an integer k for the last k axes of x1 and the first k of x2, in this order; or two sequences of as many axes.

    Returns:
        A tensor of the dtype that x1 and x2 promote to. Its shape has the lengths of the other axes of x1, then those of x2.

    Raises:
        ValueError: for axes that are not there, and for pairs of different lengths.
        TypeError: for a value that is neither an array nor a number, and for axes that are no integers.
        MixedBackendsError: for arrays of two libraries, or on two devices.
    """
    x1, x2 = as_tensors("tensordot", (x1, x2))
    pairs = _pairs(axes, x1.ndim, x2.ndim)
    return apply(_tensordot, (x1, x2), {"axes": pairs})
