"""kl_divergence, and the formulas for two distributions of one family."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import xgrad as xg
from xgrad.distributions.beta import Beta, Dirichlet
from xgrad.distributions.categorical import Categorical, OneHotCategorical
from xgrad.distributions.counts import Bernoulli, Binomial, Geometric, Poisson
from xgrad.distributions.distribution import Distribution
from xgrad.distributions.gamma import Exponential, Gamma
from xgrad.distributions.independent import Independent
from xgrad.distributions.location_scale import EULER, Cauchy, Gumbel, HalfCauchy, Laplace, Uniform
from xgrad.distributions.multivariate_normal import MultivariateNormal, half_log_det, mahalanobis
from xgrad.distributions.normal import HalfNormal, LogNormal, Normal
from xgrad.distributions.parameters import sum_rightmost, xlogy
from xgrad.engine.tensor import Tensor
from xgrad.random.place import all_true

Formula = TypeVar("Formula", bound=Callable[..., Any])
FORMULAS: dict[tuple[type, type], Callable[[Any, Any], Tensor]] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Formula], Formula]:
    """Declare the formula of `kl_divergence` for two classes of distributions, and for their subclasses.

    >>> import xgrad as xg
    >>> class Point(xg.distributions.Distribution):
    ...     '''A distribution of one value.'''
    >>> @xg.distributions.register_kl(Point, Point)
    ... def of_points(p, q):
    ...     return xg.asarray(0.0)
    >>> xg.distributions.kl_divergence(Point(), Point()).item()
    0.0

    Args:
        type_p: the class of the first distribution.
        type_q: the class of the second distribution.

    Returns:
        A decorator for a function of the two distributions. It returns the function.

    Raises:
        TypeError: for anything else than two classes of distributions.

    https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.kl
    """
    for each in (type_p, type_q):
        if not (isinstance(each, type) and issubclass(each, Distribution)):
            raise TypeError(f"register_kl: expected two classes of distributions, got {type_p!r} and {type_q!r}")

    def register(formula: Formula) -> Formula:
        FORMULAS[type_p, type_q] = formula
        return formula

    return register


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """The Kullback-Leibler divergence from q to p: the mean of p.log_prob(x) - q.log_prob(x) over samples x of p.

    >>> import xgrad as xg
    >>> p, q = xg.distributions.Normal(0.0, 1.0), xg.distributions.Normal([0.0, 1.0], 2.0)
    >>> xg.distributions.kl_divergence(p, q).numpy().round(4).tolist()
    [0.3181, 0.4431]

    Args:
        p: the distribution of the samples.
        q: the other distribution. The batch shapes are broadcast.

    Returns:
        A tensor of the batch shape. It is inf where p has values that q does not have.

    Raises:
        NotImplementedError: for a pair of classes without a formula. `register_kl` adds one.

    https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.kl.kl_divergence
    """
    # The most special formula: that whose classes come first among the bases of p's and q's classes.
    for class_p in type(p).__mro__:
        for class_q in type(q).__mro__:
            formula = FORMULAS.get((class_p, class_q))
            if formula is not None:
                return formula(p, q)
    raise NotImplementedError(
        f"kl_divergence: there is no formula for {type(p).__name__} and {type(q).__name__}; add one with register_kl"
    )


def infinite(p: Tensor, q: Tensor) -> Tensor:
    """inf, in the shape of two parameters."""
    return xg.full_like(xg.broadcast_arrays(p, q)[0], math.inf)


# --- trials and counts


@register_kl(Bernoulli, Bernoulli)
def _bernoullis(p: Bernoulli, q: Bernoulli) -> Tensor:
    return _of_odds(p, q)


def _of_odds(p: Any, q: Any) -> Tensor:
    """For one trial."""
    one = p.probs * (xg.softplus(-q.logits) - xg.softplus(-p.logits))
    zero = (1 - p.probs) * (xg.softplus(q.logits) - xg.softplus(p.logits))
    # A probability of q that is 0 or 1 excludes what p can give.
    excluded = ((q.probs == 0) & (p.probs > 0)) | ((q.probs == 1) & (p.probs < 1))
    return xg.where(excluded, math.inf, one + zero)


@register_kl(Binomial, Binomial)
def _binomials(p: Binomial, q: Binomial) -> Tensor:
    if all_true((p.total_count == q.total_count).detach() | (p.total_count > q.total_count).detach()) is False:
        raise NotImplementedError(
            "kl_divergence: there is no formula for a Binomial with fewer trials than the other one"
        )
    return xg.where(p.total_count > q.total_count, math.inf, p.total_count * _of_odds(p, q))


@register_kl(Geometric, Geometric)
def _geometrics(p: Geometric, q: Geometric) -> Tensor:
    return _of_odds(p, q) / p.probs  # one trial's, for each of 1 / p trials


@register_kl(Poisson, Poisson)
def _poissons(p: Poisson, q: Poisson) -> Tensor:
    return xlogy(p.rate, p.rate) - xlogy(p.rate, q.rate) - (p.rate - q.rate)


@register_kl(Categorical, Categorical)
@register_kl(OneHotCategorical, OneHotCategorical)
def _categoricals(p: Any, q: Any) -> Tensor:
    terms = p.probs * (p.logits - q.logits)
    terms = xg.where(q.probs == 0, math.inf, terms)
    return xg.sum(xg.where(p.probs == 0, 0.0, terms), axis=-1)


# --- locations and scales


@register_kl(Normal, Normal)
def _normals(p: Any, q: Any) -> Tensor:
    ratio = xg.square(p.scale / q.scale)
    return 0.5 * (ratio + xg.square((p.loc - q.loc) / q.scale) - 1 - xg.log(ratio))


@register_kl(LogNormal, LogNormal)
def _log_normals(p: LogNormal, q: LogNormal) -> Tensor:
    return _normals(p, q)


@register_kl(HalfNormal, HalfNormal)
def _half_normals(p: HalfNormal, q: HalfNormal) -> Tensor:
    ratio = xg.square(p.scale / q.scale)
    return 0.5 * (ratio - 1 - xg.log(ratio))


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate_normals(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(f"kl_divergence: the event shapes differ: {p.event_shape} and {q.event_shape}")
    n = p.event_shape[0]
    scaled = xg.linalg.solve(*_of_one_batch(q._tril, p._tril))
    trace = xg.sum(xg.square(scaled), axis=(-2, -1))
    determinants = half_log_det(q._tril) - half_log_det(p._tril)
    return determinants + 0.5 * (trace + mahalanobis(q._tril, p.loc - q.loc) - n)


def _of_one_batch(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Matrices with the same batch axes."""
    batch = xg.broadcast_shapes(one.shape[:-2], other.shape[:-2])
    return xg.broadcast_to(one, (*batch, *one.shape[-2:])), xg.broadcast_to(other, (*batch, *other.shape[-2:]))


@register_kl(Laplace, Laplace)
def _laplaces(p: Laplace, q: Laplace) -> Tensor:
    ratio, distance = p.scale / q.scale, xg.abs(p.loc - q.loc)
    return -xg.log(ratio) + distance / q.scale + ratio * xg.exp(-distance / p.scale) - 1


@register_kl(Gumbel, Gumbel)
def _gumbels(p: Gumbel, q: Gumbel) -> Tensor:
    ratio, shift = p.scale / q.scale, (q.loc - p.loc) / q.scale
    return -xg.log(ratio) - shift + ratio * EULER + xg.exp(shift + xg.special.gammaln(1 + ratio)) - (1 + EULER)


@register_kl(Cauchy, Cauchy)
def _cauchys(p: Any, q: Any) -> Tensor:
    squares = xg.square(p.scale + q.scale) + xg.square(p.loc - q.loc)
    return xg.log(squares / (4 * p.scale * q.scale))


@register_kl(HalfCauchy, HalfCauchy)
def _half_cauchys(p: HalfCauchy, q: HalfCauchy) -> Tensor:
    return xg.log(xg.square(p.scale + q.scale) / (4 * p.scale * q.scale))


@register_kl(Uniform, Uniform)
def _uniforms(p: Uniform, q: Uniform) -> Tensor:
    found = xg.log((q.high - q.low) / (p.high - p.low))
    return xg.where((q.low > p.low) | (q.high < p.high), math.inf, found)


# --- gamma, beta and Dirichlet


@register_kl(Exponential, Exponential)
def _exponentials(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return ratio - xg.log(ratio) - 1


@register_kl(Gamma, Gamma)
def _gammas(p: Gamma, q: Gamma) -> Tensor:
    gammaln = xg.special.gammaln
    a, b = p.concentration, q.concentration
    shapes = gammaln(b) - gammaln(a) + (a - b) * xg.special.digamma(a)
    return shapes + b * xg.log(p.rate / q.rate) + a * (q.rate / p.rate - 1)


@register_kl(Beta, Beta)
def _betas(p: Beta, q: Beta) -> Tensor:
    digamma, betaln = xg.special.digamma, xg.special.betaln
    a, b, c, d = p.concentration1, p.concentration0, q.concentration1, q.concentration0
    shapes = (a - c) * digamma(a) + (b - d) * digamma(b) + (c + d - a - b) * digamma(a + b)
    return betaln(c, d) - betaln(a, b) + shapes


@register_kl(Dirichlet, Dirichlet)
def _dirichlets(p: Dirichlet, q: Dirichlet) -> Tensor:
    gammaln, digamma = xg.special.gammaln, xg.special.digamma
    a, b = p.concentration, q.concentration
    total = xg.sum(a, axis=-1)
    norms = gammaln(total) - gammaln(xg.sum(b, axis=-1)) - xg.sum(gammaln(a) - gammaln(b), axis=-1)
    return norms + xg.sum((a - b) * (digamma(a) - digamma(total)[..., None]), axis=-1)


# --- several at once


@register_kl(Independent, Independent)
def _independents(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError("kl_divergence: two Independent must have the same number of axes of the event")
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)
