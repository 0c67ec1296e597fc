"""Tridiagonal linear systems, by parallel cyclic reduction: log2(n) steps, each for all rows at once.

Hockney, "A Fast Direct Solution of Poisson's Equation Using Fourier Analysis" (1965); Hockney and Jesshope, "Parallel Computers".
"""

from __future__ import annotations

import xgrad as xg
from xgrad.engine.tensor import Tensor


def solve_tridiagonal(lower: Tensor, middle: Tensor, upper: Tensor, b: Tensor) -> Tensor:
    """The solution x of a tridiagonal system whose matrix is diagonally dominant.

    >>> import xgrad as xg
    >>> one = xg.ones(3)
    >>> solve_tridiagonal(one, 4.0 * one, one, xg.asarray([[5.0], [6.0], [5.0]])).numpy().round(12).tolist()
    [[1.0], [1.0], [1.0]]

    Args:
        lower, middle, upper: the elements left of, on and right of the diagonal of each row: shape (n,). The first of `lower` and
            the last of `upper` are not read.
        b: the right-hand sides: shape (n, k).
    """
    n = middle.shape[0]
    a, d, c = (x[:, None] for x in (lower, middle, upper))
    place = xg.arange(n, device=middle.device)[:, None]
    a, c = xg.where(place == 0, 0.0, a), xg.where(place == n - 1, 0.0, c)
    reach = 1
    while reach < n:
        left, right = -a / _from(d, -reach, 1.0), -c / _from(d, reach, 1.0)
        b = b + left * _from(b, -reach) + right * _from(b, reach)
        d = d + left * _from(c, -reach) + right * _from(a, reach)
        a, c = left * _from(a, -reach), right * _from(c, reach)
        reach *= 2
    found: Tensor = b / d
    return found


def _from(x: Tensor, offset: int, beyond: float = 0.0) -> Tensor:
    """x[i + offset] at i, and a number where there is no such row."""
    shape = (min(abs(offset), x.shape[0]), *x.shape[1:])
    outside = xg.full(shape, beyond, dtype=x.dtype, device=x.device)
    return xg.concat([outside, x[:offset]] if offset < 0 else [x[offset:], outside], axis=0)
