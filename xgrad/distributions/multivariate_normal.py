"""The multivariate normal distribution."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.distributions import constraints
from xgrad.distributions.distribution import Distribution, needs
from xgrad.distributions.normal import HALF_LOG_2_PI
from xgrad.distributions.parameters import as_array, floating, like
from xgrad.engine.casting import uncast
from xgrad.engine.tensor import Tensor
from xgrad.random import Generator


class MultivariateNormal(Distribution):
    """The normal distribution of vectors, with mean `loc` and one of three matrices.

    Everything is computed with `scale_tril`. From a precision matrix it is made by a factorization in reverse order.

    >>> import xgrad as xg
    >>> d = xg.distributions.MultivariateNormal([0.0, 0.0], covariance_matrix=[[2.0, 1.0], [1.0, 2.0]])
    >>> round(d.log_prob([1.0, 0.0]).item(), 4), round(d.entropy().item(), 4)
    (-2.7205, 3.3872)
    >>> d.sample((5,)).shape
    (5, 2)

    Args:
        loc: the mean: an array of shape (..., n).
        covariance_matrix: the covariances, symmetric and positive definite, of shape (..., n, n).
        precision_matrix: in its place, the inverse.
        scale_tril: in their place, a lower triangular matrix L with a positive diagonal: L @ L.T are the covariances.
        validate_args: whether parameters and values are checked; None means the default.

    Raises:
        ValueError: if not exactly one of the matrices is given, for a matrix that is not as described, for shapes that do not
            fit, and for values that are nan.

    https://docs.pytorch.org/docs/stable/distributions.html#multivariatenormal
    """

    has_rsample = True
    arg_constraints = needs(
        loc=constraints.real_vector,
        covariance_matrix=constraints.positive_definite,
        precision_matrix=constraints.positive_definite,
        scale_tril=constraints.lower_cholesky,
    )
    support = constraints.real_vector

    def __init__(
        self,
        loc: Any,
        covariance_matrix: Any = None,
        precision_matrix: Any = None,
        scale_tril: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        given = {"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril}
        given = {name: value for name, value in given.items() if value is not None}
        if len(given) != 1:
            raise ValueError(
                "MultivariateNormal: give one of covariance_matrix, precision_matrix and scale_tril, "
                f"not {' and '.join(given) or 'none'}"
            )
        ((self._given, value),) = given.items()
        known = next((each for each in (value, loc) if isinstance(each, Tensor)), None)
        loc, matrix = (floating(xg.asarray(as_array(v)) if known is None else like(known, v)) for v in (loc, value))
        n = loc.shape[-1] if loc.ndim else 0
        if not loc.ndim or matrix.shape[-2:] != (n, n):
            raise ValueError(
                f"MultivariateNormal: loc must have the shape (..., n) and {self._given} (..., n, n), got {loc.shape} and "
                f"{matrix.shape}"
            )
        batch = xg.broadcast_shapes(loc.shape[:-1], matrix.shape[:-2])
        self.loc = xg.broadcast_to(loc, (*batch, n))
        self._matrix = matrix
        super().__init__(batch, (n,), validate_args=validate_args)
        if self._validate_args:
            self._check(self._given, self.arg_constraints[self._given], matrix)
        self._tril = _factor(self._given, matrix)

    def _parameter_ndim(self, name: str) -> int:
        return 1 if name == "loc" else 2

    def _matrix_of(self, name: str, made: Any) -> Tensor:
        n = self._event_shape[0]
        return xg.broadcast_to(self._matrix if name == self._given else made(), (*self._batch_shape, n, n))

    @property
    def scale_tril(self) -> Tensor:
        """The lower triangular factor of the covariance matrix."""
        return self._matrix_of("scale_tril", lambda: self._tril)

    @property
    def covariance_matrix(self) -> Tensor:
        """The covariance matrix."""
        return self._matrix_of("covariance_matrix", lambda: _covariance(self._tril))

    @property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance matrix."""
        return self._matrix_of("precision_matrix", lambda: _precision(self._tril))

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return xg.broadcast_to(xg.sum(xg.square(self._tril), axis=-1), self.loc.shape)

    @uncast
    def rsample(self, sample_shape: Any = (), *, rng: Generator | None = None) -> Tensor:
        drawn = self._rng(rng).standard_normal(self._extended_shape(sample_shape), like=self.loc)
        return self.loc + (self._tril @ drawn[..., None])[..., 0]

    def log_prob(self, value: Any) -> Tensor:
        from_mean = self._value(value, self.loc) - self.loc
        n = self._event_shape[0]
        return -0.5 * mahalanobis(self._tril, from_mean) - half_log_det(self._tril) - n * HALF_LOG_2_PI

    def entropy(self) -> Tensor:
        n = self._event_shape[0]
        return xg.broadcast_to(half_log_det(self._tril) + n * (0.5 + HALF_LOG_2_PI), self._batch_shape)

    def __repr__(self) -> str:
        return f"MultivariateNormal(loc: {self.loc.shape}, {self._given}: {self._matrix.shape})"


def _factor(name: str, matrix: Tensor) -> Tensor:
    if name == "scale_tril":
        return xg.tril(matrix)  # so that no gradient goes to the zeros
    if name == "covariance_matrix":
        return xg.linalg.cholesky(matrix)
    # With J in reverse order, J P J = M M.T, so that the inverse of P is L L.T with L = inv(J M J).T, a lower triangle.
    reverse = xg.flip(xg.linalg.cholesky(xg.flip(matrix, axis=(-2, -1))), axis=(-2, -1))
    return xg.tril(xg.linalg.inv(xg.matrix_transpose(reverse)))


@uncast  # also under autocast, covariances have the digits of the factor
def _covariance(tril: Tensor) -> Tensor:
    return tril @ xg.matrix_transpose(tril)


@uncast
def _precision(tril: Tensor) -> Tensor:
    inverse = xg.linalg.inv(tril)
    return xg.matrix_transpose(inverse) @ inverse


def half_log_det(tril: Tensor) -> Tensor:
    """Half the logarithm of the determinant of the covariance matrix."""
    return xg.sum(xg.log(xg.linalg.diagonal(tril)), axis=-1)


def mahalanobis(tril: Tensor, x: Tensor) -> Tensor:
    """The squared distance x.T @ inv(L @ L.T) @ x of vectors."""
    if tril.ndim == 2:  # one factorization for all vectors
        columns = xg.linalg.solve(tril, xg.matrix_transpose(xg.reshape(x, (-1, x.shape[-1]))))
        return xg.reshape(xg.sum(xg.square(columns), axis=0), x.shape[:-1])
    # One factorization for each of the batch: the axes in front of the batch become columns.
    batch, n = tril.shape[:-2], x.shape[-1]
    x = xg.broadcast_to(x, (*xg.broadcast_shapes(x.shape[:-1], batch), n))
    front = x.shape[: x.ndim - 1 - len(batch)]
    columns = xg.moveaxis(xg.reshape(x, (-1, *x.shape[len(front) :])), 0, -1)
    found = xg.sum(xg.square(xg.linalg.solve(tril, columns)), axis=-2)
    return xg.reshape(xg.moveaxis(found, -1, 0), (*front, *x.shape[len(front) : -1]))
