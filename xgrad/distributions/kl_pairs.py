"""The formulas of kl_divergence for two distributions of different families."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product

import xgrad as xg
from xgrad.distributions.beta import Beta
from xgrad.distributions.counts import Bernoulli, Binomial, Poisson
from xgrad.distributions.distribution import Distribution
from xgrad.distributions.gamma import Exponential, Gamma
from xgrad.distributions.kl import infinite, register_kl
from xgrad.distributions.location_scale import EULER, Gumbel, Laplace, Uniform
from xgrad.distributions.normal import HALF_LOG_2_PI, Normal
from xgrad.distributions.parameters import xlogy
from xgrad.engine.tensor import Tensor

# --- where p has values that q does not have

ON_THE_LINE, POSITIVE, BOUNDED = (Gumbel, Laplace, Normal), (Exponential, Gamma), (Beta, Uniform)


def _excluded() -> Iterator[tuple[type, type]]:
    yield from product(ON_THE_LINE, (*POSITIVE, *BOUNDED))
    yield from product(POSITIVE, BOUNDED)
    yield Poisson, Binomial
    yield Poisson, Bernoulli


def _first(d: Distribution) -> Tensor:
    """One of the parameters, which all have the batch shape."""
    found: Tensor = next(value for value in vars(d).values() if isinstance(value, Tensor))
    return found


def _always_infinite(p: Distribution, q: Distribution) -> Tensor:
    return infinite(_first(p), _first(q))


for _p, _q in _excluded():
    register_kl(_p, _q)(_always_infinite)


# --- to a normal distribution: only the mean and the variance of p count


def _cross_normal(p: Distribution, q: Normal) -> Tensor:
    """Minus the mean of q.log_prob over samples of p."""
    return xg.log(q.scale) + HALF_LOG_2_PI + (p.variance + xg.square(p.mean - q.loc)) / (2 * xg.square(q.scale))


@register_kl(Beta, Normal)
@register_kl(Exponential, Normal)
@register_kl(Gamma, Normal)
@register_kl(Gumbel, Normal)
@register_kl(Laplace, Normal)
@register_kl(Uniform, Normal)
def _to_normal(p: Distribution, q: Normal) -> Tensor:
    return _cross_normal(p, q) - p.entropy()


# --- to an exponential or a gamma distribution: the means of x and of log(x) under p


def _cross_exponential(mean: Tensor, q: Exponential) -> Tensor:
    return q.rate * mean - xg.log(q.rate)


def _cross_gamma(mean: Tensor, mean_log: Tensor, q: Gamma) -> Tensor:
    a = q.concentration
    return xg.special.gammaln(a) - a * xg.log(q.rate) + q.rate * mean - (a - 1) * mean_log


@register_kl(Beta, Exponential)
@register_kl(Gamma, Exponential)
def _to_exponential(p: Beta | Gamma, q: Exponential) -> Tensor:
    return _cross_exponential(p.mean, q) - p.entropy()


@register_kl(Beta, Gamma)
def _beta_to_gamma(p: Beta, q: Gamma) -> Tensor:
    digamma = xg.special.digamma
    mean_log = digamma(p.concentration1) - digamma(p.concentration1 + p.concentration0)
    return _cross_gamma(p.mean, mean_log, q) - p.entropy()


@register_kl(Exponential, Gamma)
def _exponential_to_gamma(p: Exponential, q: Gamma) -> Tensor:
    return _cross_gamma(p.mean, -EULER - xg.log(p.rate), q) - p.entropy()


@register_kl(Uniform, Exponential)
def _uniform_to_exponential(p: Uniform, q: Exponential) -> Tensor:
    return xg.where(p.low < 0, math.inf, _cross_exponential(p.mean, q) - p.entropy())


def _mean_log(low: Tensor, high: Tensor) -> Tensor:
    """The mean of log(x), for x between two numbers, 0 or more."""
    return (xlogy(high, high) - xlogy(low, low)) / (high - low) - 1


@register_kl(Uniform, Gamma)
def _uniform_to_gamma(p: Uniform, q: Gamma) -> Tensor:
    inside = p.low >= 0
    low, high = xg.where(inside, p.low, 0.0), xg.where(inside, p.high, 1.0)
    found = _cross_gamma(p.mean, _mean_log(low, high), q) - p.entropy()
    return xg.where(inside, found, math.inf)


@register_kl(Uniform, Beta)
def _uniform_to_beta(p: Uniform, q: Beta) -> Tensor:
    inside = (p.low >= 0) & (p.high <= 1)
    low, high = xg.where(inside, p.low, 0.0), xg.where(inside, p.high, 1.0)
    of_x, of_rest = _mean_log(low, high), _mean_log(1 - high, 1 - low)
    a, b = q.concentration1, q.concentration0
    found = xg.special.betaln(a, b) - (a - 1) * of_x - (b - 1) * of_rest - p.entropy()
    return xg.where(inside, found, math.inf)


@register_kl(Beta, Uniform)
def _beta_to_uniform(p: Beta, q: Uniform) -> Tensor:
    found = xg.log(q.high - q.low) - p.entropy()
    return xg.where((q.low > 0) | (q.high < 1), math.inf, found)


# --- to a Gumbel distribution: the means of x and of exp(-x / scale) under p


def _cross_gumbel(mean: Tensor, mean_exp: Tensor, q: Gumbel) -> Tensor:
    return xg.log(q.scale) + (mean - q.loc) / q.scale + xg.exp(q.loc / q.scale) * mean_exp


@register_kl(Exponential, Gumbel)
def _exponential_to_gumbel(p: Exponential, q: Gumbel) -> Tensor:
    mean_exp = p.rate * q.scale / (1 + p.rate * q.scale)
    return _cross_gumbel(p.mean, mean_exp, q) - p.entropy()


@register_kl(Gamma, Gumbel)
def _gamma_to_gumbel(p: Gamma, q: Gumbel) -> Tensor:
    mean_exp = xg.exp(-p.concentration * xg.log1p(1 / (p.rate * q.scale)))
    return _cross_gumbel(p.mean, mean_exp, q) - p.entropy()


@register_kl(Normal, Gumbel)
def _normal_to_gumbel(p: Normal, q: Gumbel) -> Tensor:
    mean_exp = xg.exp(-p.loc / q.scale + 0.5 * xg.square(p.scale / q.scale))
    return _cross_gumbel(p.mean, mean_exp, q) - p.entropy()


@register_kl(Uniform, Gumbel)
def _uniform_to_gumbel(p: Uniform, q: Gumbel) -> Tensor:
    width = p.high - p.low
    mean_exp = xg.exp(-p.low / q.scale) * -xg.expm1(-width / q.scale) * q.scale / width
    return _cross_gumbel(p.mean, mean_exp, q) - p.entropy()


# --- others


@register_kl(Normal, Laplace)
def _normal_to_laplace(p: Normal, q: Laplace) -> Tensor:
    z = (p.loc - q.loc) / p.scale
    distance = p.scale * (math.sqrt(2 / math.pi) * xg.exp(-0.5 * xg.square(z)) + z * xg.special.erf(z * math.sqrt(0.5)))
    return xg.log(2 * q.scale) + distance / q.scale - p.entropy()


@register_kl(Bernoulli, Poisson)
def _bernoulli_to_poisson(p: Bernoulli, q: Poisson) -> Tensor:
    return -p.entropy() - (xlogy(p.probs, q.rate) - q.rate)
