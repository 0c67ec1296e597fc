"""Rows for scikit-learn, with array_api_dispatch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sklearn
from sklearn import metrics
from sklearn.covariance import EmpiricalCovariance, LedoitWolf
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import pairwise
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import (
    KernelCenterer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    StandardScaler,
    normalize,
    scale,
)

from bench.libraries.row import MATRIX, POSITIVE, SHARES, Row, X

COERCES = "the library turns its argument into a NumPy array"
NUMBER = "the result is a Python float"
CENTRES = MATRIX[:3] + 0.1


def dispatched(f: Callable[..., Any]) -> Callable[..., Any]:
    """f, with scikit-learn's array_api_dispatch switched on."""

    def call(*args: Any) -> Any:
        with sklearn.config_context(array_api_dispatch=True):
            return f(*args)

    return call


def of_itself(name: str) -> Row:
    return Row(f"metrics.pairwise.{name}", dispatched(getattr(pairwise, name)), MATRIX)


def number(name: str) -> Row:
    return Row(f"metrics.{name}", dispatched(getattr(metrics, name)), X, POSITIVE, because=NUMBER)


def transformed(transformer: Any, because: str = "") -> Row:
    name = type(transformer).__name__
    return Row(f"preprocessing.{name}", dispatched(transformer.fit_transform), MATRIX, because=because)


def mixture(x: Any) -> Any:
    """The covariances after a few steps from given means. The library adds reg_covar through a view of their diagonals."""
    model = GaussianMixture(2, reg_covar=0.5, tol=1e9, max_iter=3, init_params="random_from_data", random_state=0)
    return model.fit(x).covariances_


ROWS = [
    Row("mixture.GaussianMixture", dispatched(mixture), MATRIX),
    *(of_itself(f"{name}_kernel") for name in ("laplacian", "linear", "polynomial", "rbf", "sigmoid")),
    *(of_itself(f"cosine_{what}") for what in ("similarity", "distances")),
    Row("metrics.pairwise.chi2_kernel", dispatched(lambda x: pairwise.chi2_kernel(abs(x))), MATRIX),
    Row("metrics.pairwise.euclidean_distances", dispatched(pairwise.euclidean_distances), MATRIX, CENTRES),
    Row("metrics.pairwise.pairwise_distances", dispatched(pairwise.pairwise_distances), MATRIX, CENTRES),
    Row(
        "metrics.pairwise.paired_euclidean_distances",
        dispatched(pairwise.paired_euclidean_distances),
        MATRIX,
        MATRIX + 0.1,
    ),
    *(number(name) for name in ("mean_squared_error", "mean_absolute_error", "r2_score")),
    Row("metrics.log_loss", dispatched(lambda p: metrics.log_loss([0, 1, 0, 1, 0, 1, 0], p)), SHARES, because=NUMBER),
    Row("decomposition.PCA", dispatched(lambda x: abs(PCA(2, svd_solver="full").fit_transform(x))), MATRIX),
    Row(
        "decomposition.PCA (covariance_eigh)",
        dispatched(lambda x: PCA(2, svd_solver="covariance_eigh").fit(x).explained_variance_),
        MATRIX,
    ),
    Row("linear_model.Ridge (svd)", dispatched(lambda x, y: Ridge(solver="svd").fit(x, y).coef_), MATRIX, X[:6]),
    Row(
        "linear_model.LinearRegression",
        dispatched(lambda x, y: LinearRegression().fit(x, y).coef_),
        MATRIX,
        X[:6],
        because=COERCES,
    ),
    *(transformed(t) for t in (MaxAbsScaler(), MinMaxScaler(), Normalizer(), PolynomialFeatures(2))),
    Row("preprocessing.KernelCenterer", dispatched(lambda x: KernelCenterer().fit_transform(x @ x.T)), MATRIX),
    Row("preprocessing.normalize", dispatched(normalize), MATRIX),
    transformed(
        StandardScaler(), because="it squares 0 / 0 and masks the nan afterwards: 0 * nan is nan in every rule"
    ),
    Row("preprocessing.scale", dispatched(scale), MATRIX, because=COERCES),
    Row(
        "covariance.EmpiricalCovariance",
        dispatched(lambda x: EmpiricalCovariance().fit(x).covariance_),
        MATRIX,
        because=COERCES,
    ),
    Row("covariance.LedoitWolf", dispatched(lambda x: LedoitWolf().fit(x).covariance_), MATRIX, because=COERCES),
]
