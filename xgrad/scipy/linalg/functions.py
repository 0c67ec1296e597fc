"""Functions of matrices: exponential, square root, logarithm, cosine and sine."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions.face import is_complex
from xgrad.scipy.linalg.matrices import adjoint, alike, as_complex, identity, of_matrices, squares
from xgrad.scipy.linalg.sylvester import sylvester
from xgrad.scipy.numbers import epsilon, largest

# The Padé approximant of exp of order 13, for matrices up to this norm: Higham, "The Scaling and Squaring Method for the Matrix
# Exponential Revisited" (2005).
THETA = 5.371920351148152
PADE = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0, 10559470521600.0,
    670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip
# Gauss-Legendre nodes and weights on [0, 1] of order 8. The sum of w E / (1 + x E) is the Padé approximant of log(1 + E).
NODES = (
    0.019855071751231856, 0.10166676129318664, 0.2372337950418355, 0.4082826787521751, 0.5917173212478249, 0.7627662049581645,
    0.8983332387068134, 0.9801449282487682,
)  # fmt: skip
WEIGHTS = (
    0.05061426814518813, 0.11119051722668724, 0.15685332293894363, 0.18134189168918100, 0.18134189168918100, 0.15685332293894363,
    0.11119051722668724, 0.05061426814518813,
)  # fmt: skip
NEAR = 0.25  # for 1 + E with the norm of E up to this, the approximant above is precise
ROOTS = 60  # square roots that logm takes: 2^60 is beyond the norms of double precision that matter
ITERATIONS = 100
SINGULAR = (
    "sqrtm, logm: a matrix without an inverse has no logarithm, and its root has no derivative. If the value of a root is "
    "enough, use scipy.linalg.sqrtm(t.detach().numpy())"
)


def _norm(x: Tensor) -> Tensor:
    """The largest sum of magnitudes of a column."""
    return xg.max(xg.sum(xg.abs(x.detach()), axis=-2), axis=-1)


# --- exponential ----------------------------------------------------------------------------------------------


@of_matrices("expm")
def expm(A: Any) -> Tensor:  # noqa: N803 (SciPy's name)
    """The exponential of a matrix, by scaling and squaring.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.expm(xg.asarray([[0.0, 1.0], [0.0, 0.0]])).numpy().round(12).tolist()
    [[1.0, 1.0], [0.0, 1.0]]

    Args:
        A: a square matrix, or a stack of them: shape (..., n, n), of a real or complex floating-point dtype, or integers.

    Returns:
        A tensor of the shape of A, of its dtype, or the default one for integers.

    Derivative:
        That of the Padé approximant and of the squarings, which is the algorithm of Al-Mohy and Higham for the Fréchet
        derivative: https://doi.org/10.1137/080716426. In both modes and to any order.

    Raises:
        ValueError: for a matrix that is not square.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.expm.html
    """
    (a,) = squares("expm", A)
    if not a.size:
        return xg.zeros_like(a)
    halvings = xg.ceil(xg.maximum(xg.log2(xg.maximum(_norm(a), 1e-30) / THETA), 0.0))
    most, minus_least = largest(halvings, -halvings)
    count = int(most) if math.isfinite(most) else 0  # the result is nan, or infinite
    if not count:
        return _pade(a)
    scale = 2.0 ** -halvings[..., None, None]
    x = _pade(a * (xg.astype(scale, a.dtype) if is_complex(a) else scale))
    for k in range(count):
        squared = xg.matmul(x, x)
        x = squared if most == -minus_least else xg.where(k < halvings[..., None, None], squared, x)
    return x


def _pade(a: Tensor) -> Tensor:
    """The approximant (v + u) / (v - u), where u has the odd powers and v the even ones."""
    b, one = PADE, identity(a)
    a2 = xg.matmul(a, a)
    a4 = xg.matmul(a2, a2)
    a6 = xg.matmul(a4, a2)
    u = xg.matmul(a6, b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * one
    v = xg.matmul(a6, b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * one
    u = xg.matmul(a, u)
    return xg.linalg.solve(v - u, v + u)


@of_matrices("expm_frechet")
def expm_frechet(A: Any, E: Any, method: str | None = None, compute_expm: bool = True) -> Any:  # noqa: N803 (SciPy's names)
    """The exponential of A, and its derivative in the direction E.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.expm_frechet(xg.zeros((2, 2)), xg.ones((2, 2)))[1].numpy().round(12).tolist()
    [[1.0, 1.0], [1.0, 1.0]]

    Args:
        A, E: square matrices, or stacks of them, of one shape (..., n, n).
        method: None, "SPS" or "blockEnlarge". For tensors all are "SPS", scaling and squaring.
        compute_expm: whether the exponential is returned too.

    Returns:
        (expm(A), derivative), or the derivative alone.

    Raises:
        ValueError: for shapes that do not fit, and for another method.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.expm_frechet.html
    """
    a, e = alike(*squares("expm_frechet", A, E))
    if a.shape != e.shape:
        raise ValueError(f"expm_frechet: A and E have one shape; these are {tuple(a.shape)} and {tuple(e.shape)}")
    if method not in (None, "SPS", "blockEnlarge"):
        raise ValueError(f"expm_frechet: method must be 'SPS' or 'blockEnlarge', not {method!r}")
    y, moved = xg.jvp(expm, (a,), (e,))
    return (y, moved) if compute_expm else moved


@of_matrices("cosm")
def cosm(A: Any) -> Tensor:  # noqa: N803 (SciPy's name)
    """The cosine of a matrix, by its exponential.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.cosm(xg.zeros((2, 2))).numpy().round(12).tolist()
    [[1.0, 0.0], [0.0, 1.0]]

    Args:
        A: a square matrix, or a stack of them: shape (..., n, n).

    Returns:
        A tensor of the shape of A.

    Raises:
        ValueError: for a matrix that is not square.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.cosm.html
    """
    (a,) = squares("cosm", A)
    return (expm(1j * a) + expm(-1j * a)) / 2 if is_complex(a) else xg.real(expm(_times_i(a)))


@of_matrices("sinm")
def sinm(A: Any) -> Tensor:  # noqa: N803 (SciPy's name)
    """The sine of a matrix, by its exponential.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.sinm(xg.asarray([[0.0, 1.0], [0.0, 0.0]])).numpy().round(12).tolist()
    [[0.0, 1.0], [0.0, 0.0]]

    Args:
        A: a square matrix, or a stack of them: shape (..., n, n).

    Returns:
        A tensor of the shape of A.

    Raises:
        ValueError: for a matrix that is not square.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.sinm.html
    """
    (a,) = squares("sinm", A)
    return (expm(1j * a) - expm(-1j * a)) * -0.5j if is_complex(a) else xg.imag(expm(_times_i(a)))


def _times_i(a: Tensor) -> Tensor:
    return xg.from_parts(xg.zeros_like(a), a)


# --- square root ------------------------------------------------------------------------------------------------


@of_matrices("sqrtm")
def sqrtm(A: Any) -> Tensor:  # noqa: N803 (SciPy's name)
    """The principal square root of a matrix: the x with x @ x = A whose eigenvalues have no negative real part.

    It is found by the product form of the iteration of Denman and Beavers:
    https://doi.org/10.1137/S0895479899364015.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> linalg.sqrtm(xg.asarray([[4.0, 1.0], [0.0, 4.0]])).numpy().round(12).tolist()
    [[2.0, 0.25], [0.0, 2.0]]

    Args:
        A: a square matrix with an inverse, or a stack of them: shape (..., n, n).

    Returns:
        A tensor of the shape of A. It is complex where A is, or where a matrix of the stack has a negative real eigenvalue.

    Derivative:
        By Sylvester's equation x @ t + t @ x = tA. In both modes and to any order.

    Raises:
        ValueError: for a matrix that is not square, and for one without an inverse, whose root has no derivative.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.sqrtm.html
    """
    (a,) = squares("sqrtm", A)
    return _principal_root(_off_the_cut(a)) if a.size else xg.zeros_like(a)


def _off_the_cut(a: Tensor) -> Tensor:
    """a as complex numbers if a root or a logarithm of it is complex: if it has a negative real eigenvalue."""
    if is_complex(a):
        return a
    w = xg.linalg.eigvals(a.detach())
    on_it = xg.logical_and(xg.real(w) < 0, xg.imag(w) == 0)
    return as_complex(a) if largest(xg.astype(on_it, a.dtype))[0] else a


@xg.primitive
def _principal_root(a: Tensor) -> Tensor:
    """A complex matrix is turned first: its eigenvalues are then as far from the negative real numbers as they can be."""
    if not is_complex(a):
        return _iterated(a)
    w = xg.linalg.eigvals(a)
    angles = xg.atan2(xg.imag(w), xg.real(w))
    angles = xg.where(xg.logical_and(xg.imag(w) == 0, xg.real(w) < 0), math.pi, angles)
    middle = ((xg.max(angles, axis=-1) + xg.min(angles, axis=-1)) / 2)[..., None, None]
    return _iterated(a * _turn(-middle)) * _turn(middle / 2)


def _turn(angle: Tensor) -> Tensor:
    return xg.from_parts(xg.cos(angle), xg.sin(angle))


_principal_root.defvjp(lambda g, x, a: sylvester(adjoint(x), adjoint(x), g))
_principal_root.defjvp(lambda t, x, a: sylvester(x, x, t))


def _iterated(a: Tensor) -> Tensor:
    """The iteration. m goes to the identity, and x to the root; both are scaled by a determinant while m is far from there."""
    n = a.shape[-1]
    one = identity(a)
    x = m = a
    goal = 4 * n * epsilon(xg.real(a))
    before = math.inf
    for _ in range(ITERATIONS):
        try:
            inverse = xg.linalg.inv(m)
        except ValueError as error:
            raise ValueError(SINGULAR) from error
        if before > 0.1:
            size = xg.exp(xg.linalg.slogdet(m).logabsdet / (-2 * n))[..., None, None]
            size = xg.astype(size, a.dtype) if is_complex(a) else size
            x, inverse, m = x * size, inverse / (size * size), m * (size * size)
        x = xg.matmul(x, one + inverse) / 2
        m = (one + (m + inverse) / 2) / 2
        distance = largest(_norm(m - one))[0]
        if distance <= goal or (before < 1e-4 and distance >= before / 2):
            return _polished(x, a)
        if not math.isfinite(distance):
            break
        before = distance
    raise ValueError(f"sqrtm: the iteration for the root of a matrix of shape {tuple(a.shape)} did not converge")


def _polished(x: Tensor, a: Tensor) -> Tensor:
    """The root after steps of Newton's method, where the condition of the matrix has cost digits."""
    for _ in range(2):
        left = a - xg.matmul(x, x)
        error, size = largest(_norm(left), _norm(a))
        if error <= 2 * a.shape[-1] * epsilon(xg.real(a)) * size:
            break
        x = x + sylvester(x, x, left)
    return x


# --- logarithm --------------------------------------------------------------------------------------------------


@of_matrices("logm")
def logm(A: Any) -> Tensor:  # noqa: N803 (SciPy's name)
    """The principal logarithm of a matrix, by inverse scaling and squaring.

    >>> import xgrad as xg
    >>> from xgrad.scipy import linalg
    >>> (linalg.logm(xg.asarray([[1.0, 1.0], [0.0, 1.0]])) + 0.0).numpy().round(12).tolist()
    [[0.0, 1.0], [0.0, 0.0]]

    Args:
        A: a square matrix with an inverse, or a stack of them: shape (..., n, n).

    Returns:
        A tensor of the shape of A. It is complex where A is, or where a matrix of the stack has a negative real eigenvalue.

    Derivative:
        That of the square roots and of the Padé approximant: Al-Mohy, Higham and Relton,
        https://doi.org/10.1137/120885991. In both modes and to any order.

    Raises:
        ValueError: for a matrix that is not square, and for one without an inverse.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.linalg.logm.html
    """
    (a,) = squares("logm", A)
    if not a.size:
        return xg.zeros_like(a)
    x, one = _off_the_cut(a), identity(a)
    roots = xg.zeros_like(_norm(a))
    for _ in range(ROOTS):
        distance = _norm(x - one)
        far, minus_near = largest(distance, -distance)
        if not far > NEAR:
            break
        root = _principal_root(x)
        is_far = distance > NEAR
        x = root if -minus_near > NEAR else xg.where(is_far[..., None, None], root, x)
        roots = roots + xg.astype(is_far, roots.dtype)
    scale = 2.0 ** roots[..., None, None]
    return _log_of_one_plus(x - one) * (xg.astype(scale, x.dtype) if is_complex(x) else scale)


def _log_of_one_plus(e: Tensor) -> Tensor:
    """The sum of w E / (1 + x E), as one linear system for all nodes."""
    shape = (len(NODES), *(1,) * e.ndim)
    nodes = xg.reshape(xg.asarray(NODES, dtype=xg.real(e).dtype, device=e.device), shape)
    weights = xg.reshape(xg.asarray(WEIGHTS, dtype=xg.real(e).dtype, device=e.device), shape)
    if is_complex(e):
        nodes, weights = xg.astype(nodes, e.dtype), xg.astype(weights, e.dtype)
    return xg.sum(
        weights * xg.linalg.solve(identity(e) + nodes * e, xg.broadcast_to(e, (len(NODES), *e.shape))), axis=0
    )
