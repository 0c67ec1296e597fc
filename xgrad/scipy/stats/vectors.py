"""Distributions of vectors: dirichlet and multivariate_normal."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions.face import has_tensor, on_their_backend, stacked
from xgrad.rules.special_arguments import arrays
from xgrad.scipy.plain import scipys
from xgrad.scipy.stats.family import SciPys


def _tensors(name: str, *values: Any) -> list[Tensor]:
    return arrays(name, *[stacked(name, each) if isinstance(each, list | tuple) else each for each in values])


class Dirichlet(SciPys):
    """The Dirichlet distribution with the concentrations `alpha`.

    The components of x are along its first axis, as in SciPy: all K of them, or K - 1, and the last is then what is left to 1.
    Whether they add up to 1 is not checked for tensors, because it would wait for a device.

    >>> import xgrad as xg
    >>> from xgrad.scipy.stats import dirichlet
    >>> x, alpha = xg.asarray([0.2, 0.3, 0.5]), xg.asarray([1.0, 2.0, 3.0])
    >>> round(dirichlet.logpdf(x, alpha).item(), 4)
    1.5041
    >>> xg.grad(dirichlet.logpdf, argnums=1)(x, alpha).numpy().round(4).tolist()
    [0.6739, 0.0794, 0.0902]

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.dirichlet.html
    """

    name = "dirichlet"

    def logpdf(self, x: Any, alpha: Any) -> Any:
        """The logarithm of the density: -inf outside of the simplex."""
        return self._of("logpdf", x, alpha)

    def pdf(self, x: Any, alpha: Any) -> Any:
        """The density: 0 outside of the simplex."""
        return self._of("pdf", x, alpha)

    def _of(self, method: str, x: Any, alpha: Any) -> Any:
        if not has_tensor([x, alpha]):
            return getattr(scipys("stats.dirichlet"), method)(x, alpha)
        with on_their_backend([x, alpha]):
            found = _log_of_dirichlet(*_tensors(f"dirichlet.{method}", x, alpha))
            return found if method == "logpdf" else xg.exp(found)

    def mean(self, alpha: Any) -> Any:
        """The mean, of the shape of alpha."""
        if not has_tensor([alpha]):
            return scipys("stats.dirichlet").mean(alpha)
        (a,) = _tensors("dirichlet.mean", alpha)
        return a / xg.sum(a)

    def var(self, alpha: Any) -> Any:
        """The variances, of the shape of alpha."""
        if not has_tensor([alpha]):
            return scipys("stats.dirichlet").var(alpha)
        (a,) = _tensors("dirichlet.var", alpha)
        total = xg.sum(a)
        return a * (total - a) / (total * total * (total + 1))

    def entropy(self, alpha: Any) -> Any:
        """The differential entropy."""
        if not has_tensor([alpha]):
            return scipys("stats.dirichlet").entropy(alpha)
        (a,) = _tensors("dirichlet.entropy", alpha)
        total, digamma, gammaln = xg.sum(a), xg.special.digamma, xg.special.gammaln
        rest = (total - a.shape[0]) * digamma(total) - xg.sum((a - 1) * digamma(a))
        return xg.sum(gammaln(a)) - gammaln(total) + rest


def _log_of_dirichlet(x: Tensor, alpha: Tensor) -> Tensor:
    if alpha.ndim != 1 or not x.ndim or x.shape[0] not in (alpha.shape[0], alpha.shape[0] - 1):
        raise ValueError(
            "dirichlet: alpha must have the shape (K,) and x the shape (K, ...) or (K - 1, ...), got "
            f"{alpha.shape} and {x.shape}"
        )
    if x.shape[0] == alpha.shape[0] - 1:
        x = xg.concat([x, 1 - xg.sum(x, axis=0, keepdims=True)])
    a = xg.reshape(alpha, (-1,) + (1,) * (x.ndim - 1))
    inside = (x >= 0) & (x <= 1)
    terms = xg.special.xlogy(a - 1, xg.where(inside, x, 0.5))
    constant = xg.special.gammaln(xg.sum(alpha)) - xg.sum(xg.special.gammaln(alpha))
    known = xg.sum(terms, axis=0) + constant
    found: Tensor = xg.where(xg.all(alpha > 0), xg.where(xg.all(inside, axis=0), known, -math.inf), math.nan)
    return found


class MultivariateNormal(SciPys):
    """The multivariate normal distribution with `mean` and the covariance matrix `cov`.

    x has the shape (..., n), and (...) for n = 1. `cov` is a matrix (n, n), n variances, or one variance for all. With
    `allow_singular` its rank may be lower: the density is then one on the subspace, and 0 elsewhere. `cdf` and `rvs` are for
    plain arrays.

    >>> import xgrad as xg
    >>> from xgrad.scipy.stats import multivariate_normal
    >>> x, cov = xg.asarray([1.0, 0.0]), xg.asarray([[2.0, 1.0], [1.0, 2.0]])
    >>> round(multivariate_normal.logpdf(x, [0.0, 0.0], cov).item(), 4)
    -2.7205
    >>> xg.grad(multivariate_normal.logpdf, argnums=2)(x, [0.0, 0.0], cov).numpy().round(4).tolist()
    [[-0.1111, 0.0556], [0.0556, -0.2778]]

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.multivariate_normal.html
    """

    name = "multivariate_normal"

    def logpdf(self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
        """The logarithm of the density, of the shape of x without its last axis."""
        return self._of("logpdf", x, mean, cov, allow_singular)

    def pdf(self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
        """The density, of the shape of x without its last axis."""
        return self._of("pdf", x, mean, cov, allow_singular)

    def _of(self, method: str, x: Any, mean: Any, cov: Any, allow_singular: bool) -> Any:
        if not has_tensor([x, mean, cov]):
            return getattr(scipys("stats.multivariate_normal"), method)(x, mean, cov, allow_singular)
        with on_their_backend([x, mean, cov]):
            given = _tensors(f"multivariate_normal.{method}", x, 0.0 if mean is None else mean, cov)
            found = (_log_of_singular if allow_singular else _log_of_normal)(*given)
            return found if method == "logpdf" else xg.exp(found)

    def entropy(self, mean: Any = None, cov: Any = 1) -> Any:
        """The differential entropy."""
        if not has_tensor([mean, cov]):
            return scipys("stats.multivariate_normal").entropy(mean, cov)
        with on_their_backend([mean, cov]):
            first, matrix = _tensors("multivariate_normal.entropy", 0.0 if mean is None else mean, cov)
            n = _dimension(first, first, matrix)
            return 0.5 * n * (math.log(2 * math.pi) + 1) + 0.5 * _log_det(_factor(matrix, n))


def _dimension(x: Tensor, mean: Tensor, cov: Tensor) -> int:
    """That of the mean, or of the matrix, or else 1, as in SciPy; without both, that of x."""
    n = mean.shape[-1] if mean.ndim else cov.shape[-1] if cov.ndim else 1
    if (
        mean.ndim > 1
        or cov.ndim > 2
        or (cov.ndim and cov.shape[-1] != n and n != 1)
        or (cov.ndim == 2 and cov.shape != (n, n))
    ):
        raise ValueError(
            f"multivariate_normal: mean must have the shape (n,) and cov (n, n), (n,) or (), got {mean.shape} and {cov.shape}"
        )
    return n


def _factor(cov: Tensor, n: int) -> Tensor:
    """The Cholesky factor of the covariance matrix."""
    if cov.ndim < 2:
        cov = xg.eye(n, dtype=cov.dtype) * cov
    found: Tensor = xg.linalg.cholesky(cov)
    return found


def _log_det(factor: Tensor) -> Tensor:
    found: Tensor = 2 * xg.sum(xg.log(xg.linalg.diagonal(factor)))
    return found


def _away(x: Tensor, mean: Tensor, n: int) -> tuple[Tensor, tuple[int, ...]]:
    """The differences to the mean as rows, and the shape of the result."""
    if n == 1 and (not x.ndim or x.shape[-1] != 1):
        x = x[..., None]
    if x.shape[-1] != n:
        raise ValueError(f"multivariate_normal: x must have the shape (..., {n}), got {x.shape}")
    return xg.reshape(x - mean, (-1, n)), x.shape[:-1]


def _log_of_singular(x: Tensor, mean: Tensor, cov: Tensor) -> Tensor:
    """As `_log_of_normal`, by the pseudo-inverse and the eigenvalues that are not 0."""
    n = _dimension(x, mean, cov)
    away, shape = _away(x, mean, n)
    if cov.ndim < 2:
        cov = xg.eye(n, dtype=cov.dtype) * cov
    values, vectors = xg.linalg.eigh(cov.detach())
    least = 1e6 * xg.finfo(cov.dtype).eps * xg.max(xg.abs(values))  # as SciPy has it
    is_there = values > least
    inverse = xg.linalg.pinv(cov, rtol=1e6 * xg.finfo(cov.dtype).eps)
    squares = xg.sum(xg.matmul(away, inverse) * away, axis=-1)
    own = xg.linalg.eigvalsh(cov)
    log_det = xg.sum(xg.where(is_there, xg.log(xg.where(is_there, own, 1.0)), 0.0))
    rank = xg.sum(xg.astype(is_there, cov.dtype))
    outside = xg.linalg.vector_norm(xg.matmul(away.detach(), vectors) * xg.astype(~is_there, cov.dtype), axis=-1)
    found = -0.5 * (squares + rank * math.log(2 * math.pi) + log_det)
    return xg.reshape(xg.where(outside < 1e3 * least, found, -math.inf), shape)


def _log_of_normal(x: Tensor, mean: Tensor, cov: Tensor) -> Tensor:
    n = _dimension(x, mean, cov)
    away, shape = _away(x, mean, n)
    factor = _factor(cov, n)
    solved = xg.linalg.solve(factor, xg.matrix_transpose(away))
    squares = xg.reshape(xg.sum(solved * solved, axis=0), shape)
    return -0.5 * (squares + n * math.log(2 * math.pi) + _log_det(factor))


dirichlet, multivariate_normal = Dirichlet(), MultivariateNormal()
