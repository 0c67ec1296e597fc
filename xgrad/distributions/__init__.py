"""Probability distributions, with PyTorch's names: samples with gradients, densities, moments, divergences.

>>> import xgrad as xg
>>> d = xg.distributions.Normal(0.0, 1.0)
>>> round(d.log_prob(1.0).item(), 4), round(d.cdf(1.0).item(), 4)
(-1.4189, 0.8413)
"""

from xgrad.distributions import constraints
from xgrad.distributions import kl_pairs as _kl_pairs  # noqa: F401 (it registers its formulas)
from xgrad.distributions.beta import Beta, Dirichlet
from xgrad.distributions.categorical import Categorical, Multinomial, OneHotCategorical
from xgrad.distributions.counts import Bernoulli, Binomial, Geometric, Poisson
from xgrad.distributions.distribution import Distribution
from xgrad.distributions.gamma import Chi2, Exponential, Gamma, StudentT
from xgrad.distributions.independent import Independent
from xgrad.distributions.kl import kl_divergence, register_kl
from xgrad.distributions.location_scale import Cauchy, Gumbel, HalfCauchy, Laplace, Uniform
from xgrad.distributions.multivariate_normal import MultivariateNormal
from xgrad.distributions.normal import HalfNormal, LogNormal, Normal

__all__ = [
    "Bernoulli",
    "Beta",
    "Binomial",
    "Categorical",
    "Cauchy",
    "Chi2",
    "Dirichlet",
    "Distribution",
    "Exponential",
    "Gamma",
    "Geometric",
    "Gumbel",
    "HalfCauchy",
    "HalfNormal",
    "Independent",
    "Laplace",
    "LogNormal",
    "Multinomial",
    "MultivariateNormal",
    "Normal",
    "OneHotCategorical",
    "Poisson",
    "StudentT",
    "Uniform",
    "constraints",
    "kl_divergence",
    "register_kl",
]
