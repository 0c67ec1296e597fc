"""Sylvester's equation a @ x + x @ b = q, and Lyapunov's equations."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions.face import is_complex
from xgrad.scipy.linalg.matrices import adjoint, alike, as_complex, identity, matrices, of_matrices, squares
from xgrad.scipy.numbers import epsilon, largest

DIRECT = 900  # up to so many unknowns, the equation is solved as one linear system
REFUSED = 4096  # above so many, never
REFINED = 6  # steps of iterative refinement, of which one or two are usually enough


@of_matrices("solve_sylvester")
def solve_sylvester(a: Any, b: Any, q: Any) -> Tensor:
    """The solution x of Sylvester's equation a @ x + x @ b = q.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> a, q = xg.asarray([[1.0, 0.0], [0.0, 2.0]]), xg.asarray([[4.0], [10.0]])
    >>> linalg.solve_sylvester(a, [[3.0]], q).numpy().round(12).tolist()
    [[1.0], [2.0]]

    Up to 900 unknowns it is one linear system with Kronecker products. Above, a and b are diagonalized and the result is refined.

    Args:
        a: a square matrix, or a stack of them: shape (..., m, m).
        b: a square matrix, or a stack of them: shape (..., n, n). No eigenvalue of a is minus an eigenvalue of b.
        q: a matrix, or a stack of them: shape (..., m, n).

    Returns:
        A tensor of shape (..., m, n), of the dtype that the arguments promote to. The axes of stacks broadcast.

    Derivative:
        By the rule in xgrad/scipy/linalg/sylvester.py: the cotangent of q solves the equation of the adjoint matrices. In both
        modes and to any order.

    Raises:
        ValueError: for shapes that do not fit; where there is no unique solution; for more than 4096 unknowns, where the
            eigenvectors of a or b are too close to each other.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.solve_sylvester.html
    """
    a, b, q = matrices("solve_sylvester", a, b, q)
    if a.shape[-2:] != (q.shape[-2],) * 2 or b.shape[-2:] != (q.shape[-1],) * 2:
        raise ValueError(
            "solve_sylvester: a has shape (..., m, m), b (..., n, n) and q (..., m, n); these are "
            f"{tuple(a.shape)}, {tuple(b.shape)} and {tuple(q.shape)}"
        )
    return sylvester(*alike(a, b, q))


def sylvester(a: Tensor, b: Tensor, q: Tensor) -> Tensor:
    """The solution for tensors of one dtype."""
    stack = xg.broadcast_shapes(a.shape[:-2], b.shape[:-2], q.shape[:-2])
    a, b, q = (x if x.shape[:-2] == stack else xg.broadcast_to(x, (*stack, *x.shape[-2:])) for x in (a, b, q))
    return _sylvester(a, b, q)


@xg.primitive
def _sylvester(a: Tensor, b: Tensor, q: Tensor) -> Tensor:
    m, n = q.shape[-2:]
    if not q.size:
        return xg.zeros_like(q)
    if m * n <= DIRECT:
        return _as_one_system(a, b, q)
    x = _diagonalized(a, b, q)
    if x is not None:
        return x
    if m * n > REFUSED:
        raise ValueError(
            f"solve_sylvester: there is no unique solution, or the eigenvectors of a or b are too close to each other; "
            f"beyond {REFUSED} unknowns, and there are {m * n}, these must be well apart"
        )
    return _as_one_system(a, b, q)


_sylvester.defvjp(
    lambda g, x, a, b, q: -xg.matmul(sylvester(adjoint(a), adjoint(b), g), adjoint(x)),
    lambda g, x, a, b, q: -xg.matmul(adjoint(x), sylvester(adjoint(a), adjoint(b), g)),
    lambda g, x, a, b, q: sylvester(adjoint(a), adjoint(b), g),
)
_sylvester.defjvp(
    lambda t, x, a, b, q: -sylvester(a, b, xg.matmul(t, x)),
    lambda t, x, a, b, q: -sylvester(a, b, xg.matmul(x, t)),
    lambda t, x, a, b, q: sylvester(a, b, t),
)


def _as_one_system(a: Tensor, b: Tensor, q: Tensor) -> Tensor:
    """With x as a vector, row after row, the matrix is kron(a, 1) + kron(1, b.T)."""
    m, n = q.shape[-2:]
    of_a = a[..., :, None, :, None] * identity(a, n)[None, :, None, :]
    of_b = identity(a, m)[:, None, :, None] * b.mT[..., None, :, None, :]
    matrix = xg.reshape(of_a + of_b, (*q.shape[:-2], m * n, m * n))
    return xg.reshape(xg.linalg.solve(matrix, xg.reshape(q, (*q.shape[:-2], m * n, 1))), q.shape)


def _diagonalized(a: Tensor, b: Tensor, q: Tensor) -> Tensor | None:
    """By eigenvectors, with iterative refinement; None where that does not reach the precision of the dtype."""
    (wa, va), (wb, vb) = xg.linalg.eig(a), xg.linalg.eig(b)
    sums = wa[..., :, None] + wb[..., None, :]
    try:
        back_a, back_b = xg.linalg.inv(va), xg.linalg.inv(vb)
    except ValueError:
        return None

    def approximate(r: Tensor) -> Tensor:
        x = va @ ((back_a @ as_complex(r) @ vb) / sums) @ back_b
        return x if is_complex(q) else xg.real(x)

    x, left, before = approximate(q), q, float("inf")
    for _ in range(REFINED):
        left = q - a @ x - x @ b
        error, size = largest(xg.abs(left), (_size(a) + _size(b)) * _size(x))
        if not error < before / 2:  # no better than before, or nan
            break
        before = error
        x = x + approximate(left)
    return x if before <= 8 * epsilon(xg.real(q)) * max(q.shape[-2:]) * size else None


def _size(x: Tensor) -> Tensor:
    return xg.max(xg.abs(x))


@of_matrices("solve_continuous_lyapunov")
def solve_continuous_lyapunov(a: Any, q: Any) -> Tensor:
    """The solution x of Lyapunov's equation a @ x + x @ a^H = q.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.solve_continuous_lyapunov(xg.asarray([[2.0]]), [[8.0]]).numpy().round(12).tolist()
    [[2.0]]

    Args:
        a, q: square matrices, or stacks of them: shape (..., n, n).

    Returns:
        A tensor of shape (..., n, n).

    Raises:
        ValueError: for shapes that do not fit, and where there is no unique solution.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.solve_continuous_lyapunov.html
    """
    a, q = alike(*_of_one_shape("solve_continuous_lyapunov", a, q))
    return sylvester(a, adjoint(a), q)


@of_matrices("solve_discrete_lyapunov")
def solve_discrete_lyapunov(a: Any, q: Any, method: str | None = None) -> Tensor:
    """The solution x of the discrete Lyapunov equation a @ x @ a^H - x + q = 0.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.solve_discrete_lyapunov(xg.asarray([[0.5]]), [[3.0]]).numpy().round(12).tolist()
    [[4.0]]

    Args:
        a, q: square matrices, or stacks of them: shape (..., n, n).
        method: None, "direct" or "bilinear". For tensors all are the direct one, a linear system of n^2 unknowns.

    Returns:
        A tensor of shape (..., n, n).

    Raises:
        ValueError: for shapes that do not fit, for another method, and where there is no unique solution.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.solve_discrete_lyapunov.html
    """
    if method not in (None, "direct", "bilinear"):
        raise ValueError(f"solve_discrete_lyapunov: method must be 'direct' or 'bilinear', not {method!r}")
    a, q = alike(*_of_one_shape("solve_discrete_lyapunov", a, q))
    n = a.shape[-1]
    other = xg.conj(a) if is_complex(a) else a
    pairs = a[..., :, None, :, None] * other[..., None, :, None, :]
    matrix = identity(a, n * n) - xg.reshape(pairs, (*a.shape[:-2], n * n, n * n))
    x = xg.linalg.solve(matrix, xg.reshape(q, (*q.shape[:-2], n * n, 1)))
    return xg.reshape(x, (*x.shape[:-2], n, n))


def _of_one_shape(name: str, a: Any, q: Any) -> tuple[Tensor, ...]:
    a, q = squares(name, a, q)
    if a.shape[-1] != q.shape[-1]:
        raise ValueError(f"{name}: a and q have one shape (..., n, n); these are {tuple(a.shape)} and {tuple(q.shape)}")
    return a, q
