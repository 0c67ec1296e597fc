"""Matrices that are built from blocks or vectors."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions.face import tensors
from xgrad.scipy.linalg.matrices import alike, of_matrices


@of_matrices("block_diag")
def block_diag(*arrs: Any) -> Tensor:
    """The matrix with the given blocks on its diagonal, and 0 elsewhere.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.block_diag(xg.asarray([[1.0]]), [2.0, 3.0]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 2.0, 3.0]]

    Args:
        *arrs: matrices, or stacks of them. A vector is a row, and a number a matrix with one element.

    Returns:
        A tensor of shape (..., sum of rows, sum of columns), of the dtype that the blocks promote to. The axes of stacks
        broadcast.

    Raises:
        ValueError: for stacks that do not broadcast.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.block_diag.html
    """
    blocks = [_at_least_2d(x) for x in alike(*tensors("scipy.linalg.block_diag", *arrs))]
    stack = xg.broadcast_shapes(*(block.shape[:-2] for block in blocks))
    columns = sum(block.shape[-1] for block in blocks)
    rows, before = [], 0
    for block in blocks:
        block = xg.broadcast_to(block, (*stack, *block.shape[-2:]))
        m, n = block.shape[-2:]
        left, right = (
            xg.zeros((*stack, m, width), dtype=block.dtype, device=block.device)
            for width in (before, columns - before - n)
        )
        rows.append(xg.concat([left, block, right], axis=-1))
        before += n
    return xg.concat(rows, axis=-2)


def _at_least_2d(x: Tensor) -> Tensor:
    return x if x.ndim >= 2 else xg.reshape(x, (1, -1) if x.ndim else (1, 1))


@of_matrices("toeplitz")
def toeplitz(c: Any, r: Any = None) -> Tensor:
    """The matrix with constant diagonals that has a given first column and first row.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.toeplitz(xg.asarray([1.0, 2.0, 3.0]), [1.0, 4.0]).tolist()
    [[1.0, 4.0], [2.0, 1.0], [3.0, 2.0]]

    Args:
        c: the first column, of shape (..., m).
        r: the first row, of shape (..., n), whose first element is not read. None: the conjugate of c.

    Returns:
        A tensor of shape (..., m, n).

    Raises:
        ValueError: for numbers alone.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.toeplitz.html
    """
    (c,) = tensors("scipy.linalg.toeplitz", c)
    c, r = _vectors("toeplitz", c, xg.conj(c) if r is None else r)
    row, column = _places(c, c.shape[-1], r.shape[-1])
    return _picked(xg.concat([xg.flip(c, axis=-1), r[..., 1:]], axis=-1), c.shape[-1] - 1 - row + column)


@of_matrices("hankel")
def hankel(c: Any, r: Any = None) -> Tensor:
    """The matrix with constant antidiagonals that has a given first column and last row.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.hankel(xg.asarray([1.0, 2.0]), [2.0, 3.0]).tolist()
    [[1.0, 2.0], [2.0, 3.0]]

    Args:
        c: the first column, of shape (..., m).
        r: the last row, of shape (..., n), whose first element is not read. None: zeros.

    Returns:
        A tensor of shape (..., m, n).

    Raises:
        ValueError: for numbers alone.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.hankel.html
    """
    c, r = _vectors("hankel", c, xg.zeros_like(*tensors("scipy.linalg.hankel", c)) if r is None else r)
    row, column = _places(c, c.shape[-1], r.shape[-1])
    return _picked(xg.concat([c, r[..., 1:]], axis=-1), row + column)


@of_matrices("circulant")
def circulant(c: Any) -> Tensor:
    """The matrix whose columns are a vector, moved down by one more place in each, and around.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.circulant(xg.asarray([1.0, 2.0, 3.0])).tolist()
    [[1.0, 3.0, 2.0], [2.0, 1.0, 3.0], [3.0, 2.0, 1.0]]

    Args:
        c: the first column, of shape (..., n).

    Returns:
        A tensor of shape (..., n, n).

    Raises:
        ValueError: for a number alone.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.circulant.html
    """
    c, _ = _vectors("circulant", c, c)
    row, column = _places(c, c.shape[-1], c.shape[-1])
    return _picked(c, (row - column) % c.shape[-1] if c.shape[-1] else row - column)


def _places(like: Tensor, m: int, n: int) -> tuple[Tensor, Tensor]:
    """The numbers of the rows of an m x n matrix as a column, and of its columns as a row."""
    return xg.arange(m, device=like.device)[:, None], xg.arange(n, device=like.device)[None, :]


def _picked(values: Tensor, index: Tensor) -> Tensor:
    """values[..., index] for a matrix of indices."""
    picked = xg.take(values, xg.reshape(index, (-1,)), axis=-1)
    return xg.reshape(picked, (*values.shape[:-1], *index.shape))


def _vectors(name: str, c: Any, r: Any) -> tuple[Tensor, Tensor]:
    c, r = tensors(f"scipy.linalg.{name}", c, r)
    if not c.ndim or not r.ndim:
        raise ValueError(
            f"{name}: a column and a row have an axis; these have shapes {tuple(c.shape)} and {tuple(r.shape)}"
        )
    c, r = alike(c, r)
    stack = xg.broadcast_shapes(c.shape[:-1], r.shape[:-1])
    return xg.broadcast_to(c, (*stack, c.shape[-1])), xg.broadcast_to(r, (*stack, r.shape[-1]))
