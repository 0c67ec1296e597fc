"""SciPy's distributions on tensors, with their gradients. On plain arrays they are SciPy's own."""

from typing import Any as _Any

from xgrad.scipy.plain import scipys as _scipys
from xgrad.scipy.stats.betas import beta as beta
from xgrad.scipy.stats.betas import t as t
from xgrad.scipy.stats.counts import poisson as poisson
from xgrad.scipy.stats.gammas import chi2 as chi2
from xgrad.scipy.stats.gammas import gamma as gamma
from xgrad.scipy.stats.normal import lognorm as lognorm
from xgrad.scipy.stats.normal import norm as norm
from xgrad.scipy.stats.simple import cauchy as cauchy
from xgrad.scipy.stats.simple import expon as expon
from xgrad.scipy.stats.simple import laplace as laplace
from xgrad.scipy.stats.simple import logistic as logistic
from xgrad.scipy.stats.simple import uniform as uniform
from xgrad.scipy.stats.simple import weibull_min as weibull_min
from xgrad.scipy.stats.vectors import dirichlet as dirichlet
from xgrad.scipy.stats.vectors import multivariate_normal as multivariate_normal


def __getattr__(name: str) -> _Any:
    """What has no gradient here: SciPy's own, for plain arrays."""
    if name.startswith("_"):
        raise AttributeError(f"module 'xgrad.scipy.stats' has no attribute {name!r}")
    return _scipys(f"stats.{name}")
