"""Distributions: what they compute against SciPy and PyTorch, their samples, and the gradients of these."""

from __future__ import annotations

import importlib.util
import math
from functools import cache
from typing import Any, cast

import numpy as np
import pytest

import xgrad as xg
from tests.parity.run import Torch, XGrad
from tests.support import distributions as parity
from tests.support.arrays import make, to_numpy
from tests.support.distributions import CASES, PAIRS, Results, divergences, results, summary
from xgrad import distributions as D

stats = pytest.importorskip("scipy.stats")

HAVE_TORCH = importlib.util.find_spec("torch") is not None
SEEDS = range(6) if HAVE_TORCH else parity.SEEDS
SLOW = {"jax": 1, "dask": 1, "dpnp": 1}  # backends on which each draw takes long: how many of them run there
inf, nan = math.inf, math.nan


@pytest.fixture(autouse=True)
def quiet() -> Any:
    with np.errstate(all="ignore"):
        yield


@pytest.fixture
def special(backend: Any) -> None:
    """For tests of what needs the gamma function or the error function."""
    if "special.gammaln" in backend.cannot:
        pytest.skip("the library has no special functions")


NEEDS_SPECIAL = (
    *("Gamma", "Chi2", "StudentT", "Beta", "Dirichlet", "Poisson", "Binomial", "Multinomial"),
    *("Normal", "LogNormal", "HalfNormal"),
)  # fmt: skip


def skip_without_special(backend: Any, *names: str) -> None:
    if "special.gammaln" in backend.cannot and set(names) & {*NEEDS_SPECIAL, "Gumbel"}:
        pytest.skip("the library has no special functions")


# --- PyTorch --------------------------------------------------------------------------------------------------

# PyTorch's trigamma function, which its gradients of digamma need, has nine digits, and its entropy of Multinomial seven.
TOLERANCE = {"Multinomial": 1e-6}


def tolerance(name: str, key: str) -> float:
    if key.startswith("entropy"):
        return TOLERANCE.get(name, 1e-7 if " by " in key else 1e-10)
    return 1e-10


@cache
def pytorchs(name: str, seed: int) -> Results:
    return results(Torch(), name, seed)


@pytest.mark.parametrize("name", CASES)
def test_results_are_pytorchs(backend, name):
    skip_without_special(backend, name)
    for seed in SEEDS[: SLOW.get(backend.name)]:
        got = results(XGrad(), name, seed)
        if HAVE_TORCH:
            for key, want in pytorchs(name, seed).items():
                assert got[key].shape == want.shape, f"{key} of draw {seed}"
                assert got[key].dtype == want.dtype, f"{key} of draw {seed}"
                close = tolerance(name, key)
                np.testing.assert_allclose(got[key], want, rtol=close, atol=close, err_msg=f"{key} of draw {seed}")
        else:
            compare_with_stored(got, parity.read()[f"{name}, {seed}"], lambda key: tolerance(name, key))


def compare_with_stored(got: Results, want: dict[str, list[Any]], close: Any) -> None:
    for key, (shape, *sums) in want.items():
        found, *ours = summary(got[key])
        assert found == shape, key
        scale = close(key) * (1 + sums[-1])
        np.testing.assert_allclose(ours, sums, rtol=0, atol=scale, err_msg=key)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0]}, {pair[1]}")
def test_divergences_are_pytorchs(backend, pair):
    skip_without_special(backend, *(name.partition(" ")[0] for name in pair))
    for seed in SEEDS[: SLOW.get(backend.name, 3)] if HAVE_TORCH else (0,):
        got = divergences(XGrad(), pair, seed)
        if not HAVE_TORCH:
            stored = parity.read()[f"{pair[0]}, {pair[1]}"]
            if np.isfinite(got["kl"]).all():
                compare_with_stored(got, stored, lambda key: 1e-7 if key != "kl" else 1e-10)
            continue
        for key, want in divergences(Torch(), pair, seed).items():
            if not np.isfinite(want).all():  # PyTorch does not broadcast these
                want = np.broadcast_to(want, got[key].shape)
            assert got[key].shape == want.shape, key
            close = 1e-10 if key == "kl" else 1e-7
            np.testing.assert_allclose(got[key], want, rtol=close, atol=close, err_msg=f"{key} of draw {seed}")


@pytest.mark.skipif(not HAVE_TORCH, reason="needs PyTorch")
def test_stored_results_are_pytorchs():
    stored = parity.read()
    for name in ("Gamma", "Categorical"):
        compare_with_stored(results(Torch(), name, 1), stored[f"{name}, 1"], lambda key: 1e-9)
    assert set(stored) == {*(f"{n}, {s}" for n in CASES for s in parity.SEEDS), *(f"{p}, {q}" for p, q in PAIRS)}


@pytest.mark.skipif(not HAVE_TORCH, reason="needs PyTorch")
@pytest.mark.parametrize("name", [n for n in D.__all__ if isinstance(getattr(D, n), type)])
def test_signatures_and_attributes_are_pytorchs(name):
    import inspect

    import torch

    ours, theirs = getattr(D, name), getattr(torch.distributions, name)
    of_ours, of_theirs = (inspect.signature(each.__init__).parameters for each in (ours, theirs))
    assert list(of_ours) == list(of_theirs)
    for key, parameter in of_theirs.items():
        if key not in ("batch_shape", "event_shape"):
            assert of_ours[key].default == parameter.default
    assert set(getattr(theirs, "arg_constraints", {}) if name not in ("Uniform", "Distribution") else ()) <= {
        *getattr(ours, "arg_constraints", {}),
    }
    parameters = {*of_ours, "sample_n", "base_dist"}
    public = {key for key in vars(theirs) if key[0] != "_"} - parameters
    assert {key for key in public if not hasattr(ours, key)} == set()


# --- SciPy -----------------------------------------------------------------------------------------------------

rng = np.random.default_rng(5)
A, B, C = rng.uniform(0.5, 4.0, (3, 6))
LOC = rng.normal(size=6)
P = rng.uniform(0.1, 0.9, 6)
SCIPYS = {
    "Normal": ((LOC, A), stats.norm(LOC, A)),
    "LogNormal": ((LOC, A / 3), stats.lognorm(A / 3, scale=np.exp(LOC))),
    "HalfNormal": ((A,), stats.halfnorm(scale=A)),
    "HalfCauchy": ((A,), stats.halfcauchy(scale=A)),
    "Laplace": ((LOC, A), stats.laplace(LOC, A)),
    "Cauchy": ((LOC, A), stats.cauchy(LOC, A)),
    "Gumbel": ((LOC, A), stats.gumbel_r(LOC, A)),
    "Uniform": ((LOC, LOC + A), stats.uniform(LOC, A)),
    "Gamma": ((A, B), stats.gamma(A, scale=1 / B)),
    "Chi2": ((A,), stats.chi2(A)),
    "Exponential": ((B,), stats.expon(scale=1 / B)),
    "StudentT": ((A + 2, LOC, B), stats.t(A + 2, LOC, B)),
    "Beta": ((A, B), stats.beta(A, B)),
    "Bernoulli": ((P,), stats.bernoulli(P)),
    "Binomial": ((5, P), stats.binom(5, P)),
    "Geometric": ((P,), stats.geom(P, loc=-1)),
    "Poisson": ((A,), stats.poisson(A)),
}
DISCRETE = ("Bernoulli", "Binomial", "Geometric", "Poisson")


def of(xp: Any, name: str, *, dtype: str = "float64") -> Any:
    return getattr(D, name)(*(make(xp, p.astype(dtype)) if isinstance(p, np.ndarray) else p for p in SCIPYS[name][0]))


@pytest.mark.parametrize("name", SCIPYS)
def test_results_are_scipys(backend, xp, name):
    skip_without_special(backend, name)
    d, theirs = of(xp, name), SCIPYS[name][1]
    quantiles = np.asarray([[0.001], [0.2], [0.7], [0.99]])
    x = theirs.ppf(quantiles)
    value = make(xp, x)
    log_prob = theirs.logpmf(x) if name in DISCRETE else theirs.logpdf(x)
    np.testing.assert_allclose(to_numpy(d.log_prob(value)), log_prob, rtol=1e-10, atol=1e-10)
    if name != "Binomial":
        np.testing.assert_allclose(to_numpy(d.cdf(value)), theirs.cdf(x), rtol=1e-10, atol=1e-12)
    if name in parity.WITH_QUANTILES:
        np.testing.assert_allclose(to_numpy(d.icdf(make(xp, quantiles))), x, rtol=1e-10, atol=1e-12)
    if name not in ("Cauchy", "HalfCauchy"):
        np.testing.assert_allclose(to_numpy(d.mean), theirs.mean(), rtol=1e-10)
        np.testing.assert_allclose(to_numpy(d.variance), theirs.var(), rtol=1e-10)
    if name == "Poisson":
        with pytest.raises(NotImplementedError, match="Poisson has no entropy"):
            d.entropy()
    elif name != "Geometric":  # SciPy's sum ends too early
        np.testing.assert_allclose(to_numpy(d.entropy()), theirs.entropy(), rtol=1e-10, atol=1e-12)


def test_distributions_of_vectors_are_scipys(backend, xp, special):
    rng = np.random.default_rng(1)
    a, p = rng.uniform(0.5, 4, 4), rng.dirichlet([1.0] * 4)
    x, counts = rng.dirichlet([2.0] * 4), np.asarray([1, 0, 3, 2])
    d = D.Dirichlet(make(xp, a))
    np.testing.assert_allclose(to_numpy(d.log_prob(make(xp, x))), stats.dirichlet(a).logpdf(x), rtol=1e-10)
    np.testing.assert_allclose(to_numpy(d.entropy()), stats.dirichlet(a).entropy(), rtol=1e-10)
    np.testing.assert_allclose(to_numpy(d.mean), stats.dirichlet(a).mean(), rtol=1e-10)
    np.testing.assert_allclose(to_numpy(d.variance), stats.dirichlet(a).var(), rtol=1e-10)
    m = D.Multinomial(6, make(xp, p))
    np.testing.assert_allclose(
        to_numpy(m.log_prob(make(xp, counts))), stats.multinomial(6, p).logpmf(counts), rtol=1e-10
    )
    np.testing.assert_allclose(to_numpy(m.entropy()), stats.multinomial(6, p).entropy(), rtol=1e-10)


@pytest.mark.parametrize("given", ["covariance_matrix", "precision_matrix", "scale_tril"])
def test_the_multivariate_normal_is_scipys(xp, given):
    rng = np.random.default_rng(2)
    loc, x = rng.normal(size=3), rng.normal(size=(5, 3))
    lower = np.tril(rng.normal(size=(3, 3)), -1) + np.diag([0.5, 1.0, 2.0])
    covariance = lower @ lower.T
    matrices = {"covariance_matrix": covariance, "precision_matrix": np.linalg.inv(covariance), "scale_tril": lower}
    d, theirs = (
        D.MultivariateNormal(make(xp, loc), **{given: make(xp, matrices[given])}),  # type: ignore[arg-type]
        stats.multivariate_normal(loc, covariance),
    )
    np.testing.assert_allclose(to_numpy(d.log_prob(make(xp, x))), theirs.logpdf(x), rtol=1e-10)
    np.testing.assert_allclose(to_numpy(d.entropy()), theirs.entropy(), rtol=1e-10)
    for name, matrix in matrices.items():
        np.testing.assert_allclose(to_numpy(getattr(d, name)), matrix, rtol=1e-9, atol=1e-11)


def test_student_t_without_moments(xp, backend):
    d = D.StudentT(make(xp, [0.5, 1.0, 1.5, 2.0, 3.0]))
    assert to_numpy(d.mean).tolist()[:3] == pytest.approx([nan, nan, 0.0], nan_ok=True)
    assert to_numpy(d.variance).tolist() == pytest.approx([nan, nan, inf, inf, 3.0], nan_ok=True)


# --- samples ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCIPYS)
def test_samples_have_the_distribution(backend, xp, name):
    d, theirs = of(xp, name), SCIPYS[name][1]
    n = 4000
    sample = d.sample((n,), rng=xg.random.Generator(11))
    assert sample.shape == (n, 6)
    assert sample.backend is backend
    assert not sample.requires_grad
    x = to_numpy(sample)
    for i in range(6):
        each, cdf = np.sort(x[:, i]), theirs.cdf(np.sort(x[:, i])[:, None])[:, i]
        if name in DISCRETE:
            values, counts = np.unique(each, return_counts=True)
            levels = theirs.cdf(values[:, None])[:, i]
            distance = np.abs(np.cumsum(counts) / n - levels).max()
        else:
            steps = np.arange(n + 1) / n
            distance = max(np.abs(cdf - steps[1:]).max(), np.abs(cdf - steps[:-1]).max())
        assert distance < 1.95 / math.sqrt(n), i  # exceeded once in a thousand


@pytest.mark.parametrize(
    "name", [*SCIPYS, "Categorical", "OneHotCategorical", "Multinomial", "Dirichlet", "MultivariateNormal"]
)
def test_samples_are_the_same_on_every_backend(backend, xp, name):
    def drawn(xp: Any) -> Any:
        if name in SCIPYS:
            d = of(xp, name)
        elif name == "MultivariateNormal":
            d = D.MultivariateNormal(make(xp, np.ones((2, 3))), scale_tril=make(xp, np.tril(np.full((3, 3), 0.5))))
        elif name == "Multinomial":
            d = D.Multinomial(5, make(xp, np.asarray([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])))
        else:
            d = getattr(D, name)(make(xp, np.asarray([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])))
        assert d.sample().shape == (*d.batch_shape, *d.event_shape)
        return to_numpy(d.sample((3, 2), rng=xg.random.Generator(5)))

    ours = drawn(xp)
    with xg.use_backend("numpy"):
        want = drawn(xg.get_backend().view)
    np.testing.assert_allclose(ours, want, rtol=1e-12, atol=1e-14)


def test_frequencies_of_categorical_samples(xp):
    probs = np.asarray([[0.1, 0.0, 0.6, 0.3], [0.25, 0.25, 0.25, 0.25]])
    drawn = to_numpy(D.Categorical(make(xp, probs)).sample((5000,), rng=xg.random.Generator(0)))
    one = to_numpy(D.Categorical(make(xp, probs[0])).sample((5000,), rng=xg.random.Generator(0)))
    for sample, want in ((drawn[:, 0], probs[0]), (drawn[:, 1], probs[1]), (one, probs[0])):
        np.testing.assert_allclose(np.bincount(sample, minlength=4) / 5000, want, atol=0.02)
    assert not (drawn[:, 0] == 1).any()
    hot = to_numpy(D.OneHotCategorical(make(xp, probs)).sample((5000,), rng=xg.random.Generator(0)))
    np.testing.assert_array_equal(hot.argmax(-1), drawn)
    counts = to_numpy(D.Multinomial(20, make(xp, probs)).sample((500,), rng=xg.random.Generator(0)))
    assert (counts.sum(-1) == 20).all()
    np.testing.assert_allclose(counts.mean(0), 20 * probs, atol=0.35)


def test_moments_of_dirichlet_and_normal_vectors(xp, special):
    a, n = np.asarray([0.3, 1.0, 4.0]), 20000
    drawn = to_numpy(D.Dirichlet(make(xp, a)).sample((n,), rng=xg.random.Generator(0)))
    np.testing.assert_allclose(drawn.sum(-1), 1)
    np.testing.assert_allclose(drawn.mean(0), stats.dirichlet(a).mean(), atol=0.005)
    np.testing.assert_allclose(drawn.var(0), stats.dirichlet(a).var(), rtol=0.05)
    covariance = np.asarray([[2.0, 0.5], [0.5, 1.0]])
    normal = D.MultivariateNormal(make(xp, [1.0, -1.0]), covariance_matrix=make(xp, covariance))
    drawn = to_numpy(normal.sample((n,), rng=xg.random.Generator(0)))
    np.testing.assert_allclose(drawn.mean(0), [1, -1], atol=0.03)
    np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.05)


def test_the_default_generator_and_its_state(xp):
    xg.random.seed(3)
    first = to_numpy(D.Normal(make(xp, [0.0]), 1.0).sample())
    state = xg.random.get_rng_state()
    second = to_numpy(D.Normal(make(xp, [0.0]), 1.0).sample())
    assert first != second
    xg.random.set_rng_state(state)
    assert to_numpy(D.Normal(make(xp, [0.0]), 1.0).sample()) == second


# --- the gradients of samples ------------------------------------------------------------------------------------


def sampled(xp: Any, name: str, parameters: list[Any]) -> Any:
    return getattr(D, name)(*parameters).rsample((3,), rng=xg.random.Generator(9))


LOCATION_SCALE = (
    "Normal",
    "LogNormal",
    "HalfNormal",
    "HalfCauchy",
    "Laplace",
    "Cauchy",
    "Gumbel",
    "Uniform",
    "Exponential",
)


@pytest.mark.parametrize("name", LOCATION_SCALE)
def test_samples_move_with_location_and_scale(xp, name):
    parameters = [np.asarray(p) for p in SCIPYS[name][0]]
    weights = np.cos(np.arange(18.0)).reshape(3, 6)
    for i, each in enumerate(parameters):
        h = 1e-5
        moved = []
        for k in (1, -1):
            with xg.use_backend("numpy"):
                at = [make(xg.get_backend().view, p + k * h if j == i else p) for j, p in enumerate(parameters)]
                moved.append(to_numpy(sampled(xp, name, at)))
        t = make(xp, each, requires_grad=True)
        y = sampled(xp, name, [t if j == i else make(xp, p) for j, p in enumerate(parameters)])
        xg.sum(y * make(xp, weights)).backward()
        want = ((moved[0] - moved[1]) / (2 * h) * weights).sum(0)
        np.testing.assert_allclose(to_numpy(t.grad), want, rtol=1e-7, atol=1e-7)


def test_gamma_samples_move_along_their_quantiles(xp, special):
    a, rate = np.asarray([0.2, 0.9, 1.0, 3.7, 80.0, 1500.0]), np.asarray([1.0, 0.5, 2.0, 1.0, 3.0, 1.0])
    t, r = make(xp, a, requires_grad=True), make(xp, rate, requires_grad=True)
    y = D.Gamma(t, r).rsample((20,), rng=xg.random.Generator(4))
    xg.sum(y).backward()
    x = to_numpy(y)
    levels = stats.gamma.cdf(x * rate, a)
    h = 1e-3 * a
    upper = stats.gamma.sf(x * rate, a)

    def quantiles(a: Any) -> Any:
        return np.where(levels < 0.5, stats.gamma.ppf(levels, a), stats.gamma.isf(upper, a))

    at = [quantiles(a + k * h) for k in (-2, -1, 1, 2)]
    want = ((8 * (at[2] - at[1]) - (at[3] - at[0])) / (12 * h) / rate).sum(0)
    np.testing.assert_allclose(to_numpy(t.grad), want, rtol=1e-8)
    np.testing.assert_allclose(to_numpy(r.grad), (-x / rate).sum(0), rtol=1e-12)


@pytest.mark.skipif(not HAVE_TORCH, reason="needs PyTorch")
def test_gradients_of_gamma_samples_are_pytorchs(xp, special):
    import torch

    a = np.repeat([0.1, 0.5, 1.0, 3.0, 20.0, 200.0], 50)
    x = np.random.default_rng(0).standard_gamma(a)
    want = torch._standard_gamma_grad(torch.tensor(a), torch.tensor(x)).numpy()
    got = x * to_numpy(xp.special.gamma_slope(make(xp, a), make(xp, np.log(x))))
    np.testing.assert_allclose(got, want, rtol=2e-3)  # PyTorch's accuracy
    np.testing.assert_allclose(np.median(np.abs(got / want - 1)), 0, atol=1e-4)


def test_chi2_samples_move_along_their_quantiles(xp, special):
    t = make(xp, 3.0, requires_grad=True)
    y = D.Chi2(t).rsample(rng=xg.random.Generator(4))
    y.backward()
    level, h = stats.chi2.cdf(float(to_numpy(y)), 3.0), 1e-3
    at = [stats.chi2.ppf(level, 3.0 + k * h) for k in (-2, -1, 1, 2)]
    assert float(to_numpy(t.grad)) == pytest.approx((8 * (at[2] - at[1]) - (at[3] - at[0])) / (12 * h), rel=1e-8)


def mean_gradient(y: Any, t: Any) -> Any:
    xg.mean(y).backward()
    return to_numpy(t.grad)


def test_gradients_of_means_of_samples(xp, special):
    """The mean gradient of f(sample) is the gradient of the mean of f, which is known."""
    n, rng = 40000, xg.random.Generator(1)
    a, b = 0.7, 2.5
    t = make(xp, a, requires_grad=True)
    assert mean_gradient(D.Beta(t, b).rsample((n,), rng=rng), t) == pytest.approx(b / (a + b) ** 2, rel=0.03)
    t = make(xp, b, requires_grad=True)
    assert mean_gradient(D.Beta(a, t).rsample((n,), rng=rng), t) == pytest.approx(-a / (a + b) ** 2, rel=0.03)
    c = make(xp, [0.7, 2.5, 1.0], requires_grad=True)
    xg.mean(D.Dirichlet(c).rsample((n,), rng=rng)[:, 0]).backward()
    np.testing.assert_allclose(to_numpy(c.grad), [3.5 / 4.2**2, -0.7 / 4.2**2, -0.7 / 4.2**2], rtol=0.06)
    df = make(xp, 12.0, requires_grad=True)  # the mean of the square is df / (df - 2)
    got = mean_gradient(xg.square(D.StudentT(df).rsample((n,), rng=rng)), df)
    assert got == pytest.approx(-2 / 10**2, rel=0.15)


def test_beta_samples_with_small_concentrations(xp, special):
    t = make(xp, np.asarray([1e-3, 1e-2]), requires_grad=True)
    y = D.Beta(t, 1e-3).rsample((200,), rng=xg.random.Generator(0))
    xg.sum(y).backward()
    assert np.isfinite(to_numpy(y)).all()
    assert np.isfinite(to_numpy(t.grad)).all()
    assert 0.3 < to_numpy(y)[:, 0].mean() < 0.7
    gamma = D.Gamma(make(xp, np.asarray([1e-4])), 1.0).sample((50,), rng=xg.random.Generator(0))
    assert (to_numpy(gamma) > 0).all()


def test_second_derivatives_of_samples(xp, special):
    def f(a: Any) -> Any:
        return D.Gamma(a, 1.0).rsample(rng=xg.random.Generator(4))

    x = float(to_numpy(f(make(xp, 2.5))))
    level, h = stats.gamma.cdf(x, 2.5), 1e-2
    at = [stats.gamma.ppf(level, 2.5 + k * h) for k in (-2, -1, 0, 1, 2)]
    want = (-at[0] + 16 * at[1] - 30 * at[2] + 16 * at[3] - at[4]) / (12 * h * h)
    for second in (xg.grad(xg.grad(f)), lambda a: xg.jvp(xg.grad(f), (a,), (xg.ones_like(a),))[1]):
        assert float(to_numpy(second(make(xp, 2.5)))) == pytest.approx(want, rel=1e-6)
    forward = xg.jvp(f, (make(xp, 2.5),), (make(xp, 1.0),))[1]
    assert float(to_numpy(forward)) == pytest.approx(float(to_numpy(xg.grad(f)(make(xp, 2.5)))), rel=1e-12)


# --- transforms and dtypes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in SCIPYS if n != "Binomial"])
def test_log_prob_and_rsample_under_vmap(backend, xp, name):
    skip_without_special(backend, name)
    given, theirs = [np.asarray(p) for p in SCIPYS[name][0]], SCIPYS[name][1]
    x = make(xp, theirs.ppf(np.full(6, 0.6)))
    parameters = [make(xp, p) for p in given]
    cls = getattr(D, name)

    def log_prob(x: Any, *p: Any) -> Any:
        return cls(*p).log_prob(x)

    np.testing.assert_allclose(
        to_numpy(xg.vmap(log_prob)(x, *parameters)), to_numpy(log_prob(x, *parameters)), rtol=1e-12
    )
    by_vmap = xg.vmap(xg.grad(log_prob, argnums=1))(x, *parameters)
    whole = xg.grad(lambda p: xg.sum(log_prob(x, p, *parameters[1:])))(parameters[0])
    np.testing.assert_allclose(to_numpy(by_vmap), to_numpy(whole), rtol=1e-11)
    _, tangent = xg.jvp(lambda p: log_prob(x, p, *parameters[1:]), (parameters[0],), (xg.ones_like(parameters[0]),))
    np.testing.assert_allclose(to_numpy(tangent), to_numpy(whole), rtol=1e-11)
    if cls.has_rsample:
        drawn = xg.vmap(lambda *p: cls(*p).rsample((2,), rng=xg.random.Generator(0)))(*parameters)
        assert drawn.shape == (6, 2)
        gradients = xg.vmap(xg.grad(lambda *p: xg.sum(cls(*p).rsample((2,), rng=xg.random.Generator(0)))))(*parameters)
        assert np.isfinite(to_numpy(gradients)).all()


def test_samples_of_each_example_under_vmap(xp, special):
    rng = np.random.default_rng(0)
    logits, wide = rng.normal(size=(3, 4)), rng.normal(size=(3, 20))
    for each in (logits, wide):
        drawn = xg.vmap(lambda t: D.Categorical(logits=t).sample((50,), rng=xg.random.Generator(0)))(make(xp, each))
        # The uniform numbers are the same for each example.
        want = [to_numpy(D.Categorical(logits=make(xp, row)).sample((50,), rng=xg.random.Generator(0))) for row in each]
        np.testing.assert_array_equal(to_numpy(drawn), want)
    counts = xg.vmap(lambda t: D.Multinomial(9, logits=t).sample(rng=xg.random.Generator(0)))(make(xp, logits))
    np.testing.assert_array_equal(to_numpy(counts).sum(-1), [9, 9, 9])
    n, p = np.asarray([5.0, 50.0]), np.asarray([0.9, 0.1])
    drawn = xg.vmap(lambda n, p: D.Binomial(n, p).sample((2,), rng=xg.random.Generator(0)))(make(xp, n), make(xp, p))
    np.testing.assert_array_equal(
        to_numpy(drawn), np.random.default_rng(0).binomial([[5, 5], [50, 50]], [[0.9], [0.1]])
    )
    shared = xg.vmap(lambda p: D.Binomial(5, p).sample(rng=xg.random.Generator(0)))(make(xp, p))
    np.testing.assert_array_equal(to_numpy(shared), np.random.default_rng(0).binomial(5, p))
    matrices = np.stack([np.eye(3) * k for k in (1.0, 2.0)])
    log_prob = xg.vmap(lambda m: D.MultivariateNormal(np.zeros(3), m).log_prob(np.ones(3)))(make(xp, matrices))
    want = [stats.multivariate_normal(np.zeros(3), m).logpdf(np.ones(3)) for m in matrices]
    np.testing.assert_allclose(to_numpy(log_prob), want, rtol=1e-10)


@pytest.mark.parametrize("name", SCIPYS)
def test_single_precision_stays(backend, xp, name):
    skip_without_special(backend, name)
    d, theirs = of(xp, name, dtype="float32"), SCIPYS[name][1]
    x = theirs.ppf(np.full(6, 0.6))
    value = make(xp, x.astype("float32"))
    assert d.sample((3,)).dtype == xp.float32
    log_prob = d.log_prob(value)
    assert log_prob.dtype == xp.float32
    want = theirs.logpmf(x) if name in DISCRETE else theirs.logpdf(x)
    np.testing.assert_allclose(to_numpy(log_prob), want, rtol=2e-4, atol=1e-4)
    for key in ("mean", "variance", "mode", "stddev"):
        assert getattr(d, key).dtype == xp.float32, key
    if name != "Poisson":
        assert d.entropy().dtype == xp.float32


def test_parameters_and_values_may_be_arrays_numbers_and_lists(backend, xp):
    loc = make(xp, [0.0, 1.0], requires_grad=True)
    d = D.Laplace(loc, np.asarray([[1.0], [2.0]]))
    assert d.batch_shape == (2, 2)
    for value in (0.5, np.asarray([0.5, 0.5]), [0.5, 0.5], make(xp, 0.5)):
        np.testing.assert_allclose(to_numpy(d.log_prob(value)), to_numpy(d.log_prob(0.5)))
    xg.sum(d.log_prob(3)).backward()
    assert to_numpy(loc.grad).shape == (2,)
    assert D.Laplace(0, 1).log_prob(1).dtype == xg.get_backend().default_dtype


def test_a_distribution_stays_on_the_backend_of_its_parameters(backend, xp):
    loc = make(xp, [0.0, 1.0])
    with xg.use_backend("numpy"):
        d = D.Laplace(loc, 1.0)
        assert d.sample((2,)).backend is backend
        assert d.log_prob([0.5, 1.0]).backend is backend
        probs = D.Categorical(make(xp, [0.25, 0.75]))
        assert probs.log_prob(probs.sample((3,))).backend is backend
        assert probs.enumerate_support().backend is backend


def test_under_checkpoint_a_sample_is_drawn_again(xp):
    loc = make(xp, [0.0, 1.0], requires_grad=True)
    rng = xg.random.Generator(0)

    def f(loc: Any) -> Any:
        return xg.square(D.Laplace(loc, 1.0).rsample((4,), rng=rng))

    xg.sum(xg.checkpoint(f)(loc)).backward()
    want = 2 * (np.random.default_rng(0).laplace(size=(4, 2)) + np.asarray([0.0, 1.0])).sum(0)
    np.testing.assert_allclose(to_numpy(loc.grad), want)


# --- shapes, supports, errors --------------------------------------------------------------------------------------


def test_expand(xp):
    d = D.Categorical(make(xp, np.asarray([[0.2, 0.8], [0.5, 0.5]])))
    wide = d.expand((3, 2))
    assert (wide.batch_shape, wide.sample((4,)).shape, wide.probs.shape) == ((3, 2), (4, 3, 2), (3, 2, 2))
    inner = D.Independent(D.Laplace(make(xp, np.zeros((2, 3))), 1.0), 1).expand((5, 2))
    assert (inner.batch_shape, inner.event_shape, inner.log_prob(0.0 * inner.mean).shape) == ((5, 2), (3,), (5, 2))
    normal = D.MultivariateNormal(make(xp, np.zeros(3)), scale_tril=make(xp, np.eye(3))).expand((4,))
    assert (normal.sample((2,)).shape, normal.covariance_matrix.shape) == ((2, 4, 3), (4, 3, 3))
    assert normal.log_prob(make(xp, np.zeros(3))).shape == (4,)
    with pytest.raises(ValueError, match=r"^Laplace: the batch shape \(2,\) does not expand to \(3,\)$"):
        D.Laplace(make(xp, [0.0, 1.0]), 1.0).expand((3,))
    with pytest.raises(ValueError, match=r"^the parameters of a distribution have the shapes \(2,\) and \(3,\), which"):
        D.Laplace(xp.zeros(2), xp.ones(3))


def test_supports(xp):
    d = D.Bernoulli(make(xp, [0.2, 0.8]))
    assert to_numpy(d.enumerate_support()).tolist() == [[0.0, 0.0], [1.0, 1.0]]
    assert to_numpy(d.enumerate_support(expand=False)).tolist() == [[0.0], [1.0]]
    total = xg.sum(xg.exp(d.log_prob(d.enumerate_support())), axis=0)
    np.testing.assert_allclose(to_numpy(total), 1)
    with pytest.raises(NotImplementedError, match="Binomial"), xg.use_backend("numpy"):
        D.Binomial([2, 3], 0.5).enumerate_support()
    with pytest.raises(NotImplementedError, match="has no enumerate_support"):
        D.Laplace(0.0, 1.0).enumerate_support()
    with pytest.raises(NotImplementedError, match="not enumerated"):
        D.Independent(d, 1).enumerate_support()


def test_modes(xp):
    a = make(xp, np.asarray([[0.5, 0.3], [3.0, 2.0], [0.5, 3.0], [1.0, 0.5]]))
    np.testing.assert_allclose(to_numpy(D.Dirichlet(a).mode), [[1.0, 0.0], [2 / 3, 1 / 3], [0.0, 1.0], [nan, nan]])
    np.testing.assert_allclose(to_numpy(D.Bernoulli(make(xp, [0.2, 0.5, 0.8])).mode), [0.0, nan, 1.0])


def test_probabilities_of_0_and_1(xp):
    sure = D.Categorical(make(xp, [0.0, 1.0]))
    assert math.isfinite(sure.log_prob(0).item())  # as in PyTorch
    assert sure.entropy().item() == pytest.approx(0, abs=1e-12)
    logits = D.OneHotCategorical(logits=make(xp, [-inf, 0.0]), validate_args=False)
    assert logits.log_prob([0.0, 1.0]).item() == 0
    assert D.Geometric(make(xp, 1.0)).log_prob(0.0).item() == 0
    assert D.Geometric(make(xp, 1.0)).sample((5,)).tolist() == [0.0] * 5
    p, q = D.Categorical(make(xp, [0.5, 0.5])), D.Categorical(make(xp, [0.0, 1.0]))
    assert D.kl_divergence(p, q).item() == inf
    assert D.kl_divergence(q, p).item() == pytest.approx(math.log(2))


def test_divergences_that_are_infinite(xp):
    def uniform(low: float, high: float) -> Any:
        return D.Uniform(make(xp, low), high)

    assert D.kl_divergence(uniform(0, 2), uniform(0, 1)).item() == inf
    assert D.kl_divergence(uniform(-1, 2), D.Exponential(make(xp, 1.0))).item() == inf
    assert D.kl_divergence(D.Laplace(make(xp, 0.0), 1.0), uniform(0, 1)).item() == inf


def test_a_divergence_of_several_axes_and_of_subclasses(xp):
    p, q = (D.Independent(D.Laplace(make(xp, np.full((2, 3), loc)), 1.0), 1) for loc in (0.0, 1.0))
    np.testing.assert_allclose(to_numpy(D.kl_divergence(p, q)), 3 * math.exp(-1) * np.ones(2))

    class Special(D.Laplace):
        pass

    assert D.kl_divergence(Special(0.0, 1.0), D.Laplace(0.0, 1.0)).item() == pytest.approx(0)
    with pytest.raises(NotImplementedError, match="no formula for Laplace and Cauchy"):
        D.kl_divergence(D.Laplace(0.0, 1.0), D.Cauchy(0.0, 1.0))
    with pytest.raises(NotImplementedError, match="same number of axes"):
        D.kl_divergence(p, D.Independent(D.Laplace(make(xp, np.zeros((2, 3))), 1.0), 2))
    with pytest.raises(TypeError, match="two classes"):
        D.register_kl(D.Laplace, cast(Any, 3))


WRONG = {
    "scale": (lambda: D.Normal(0.0, -1.0), "Normal: scale must be above 0"),
    "nan": (lambda: D.Normal(nan, 1.0), "Normal: loc must be real numbers, not nan"),
    "an array": (lambda: D.Laplace(0.0, [1.0, 0.0]), "scale must be above 0"),
    "probs": (lambda: D.Bernoulli(1.5), "probs must be from 0 to 1"),
    "geometric": (lambda: D.Geometric(0.0), "probs must be above 0"),
    "both": (lambda: D.Bernoulli(0.5, 0.5), "either probs or logits, not both"),
    "neither": (lambda: D.Categorical(), "either probs or logits, not neither"),
    "a number": (lambda: D.Categorical(0.5), "at least one axis"),
    "weights": (lambda: D.Categorical([1.0, -0.5]), "probs must be 0 or more"),
    "no weights": (lambda: D.Categorical([0.0, 0.0]), "probs must be 0 or more, with the sum 1"),
    "low": (lambda: D.Uniform(1.0, 0.0), "low must be below high"),
    "Dirichlet": (lambda: D.Dirichlet(1.0), "at least one axis"),
    "Dirichlet's": (lambda: D.Dirichlet([1.0, 0.0]), "concentration must be above 0"),
    "df": (lambda: D.Chi2(0.0), "Chi2: df must be above 0"),
    "total_count": (lambda: D.Binomial(-1, 0.5), "total_count must be integers, 0 or more"),
    "trials": (lambda: D.Multinomial(-1, [0.5, 0.5]), "total_count must be 0 or more"),
    "rate": (lambda: D.Poisson(-1.0), "rate must be 0 or more"),
    "axes": (lambda: D.Independent(D.Normal(0.0, 1.0), 1), "reinterpreted_batch_ndims must be from 0 to 0"),
    "matrices": (lambda: D.MultivariateNormal([0.0]), "not none"),
    "two matrices": (lambda: D.MultivariateNormal([0.0], [[1.0]], [[1.0]]), "covariance_matrix and precision_matrix"),
    "matrix": (lambda: D.MultivariateNormal([0.0], [[-1.0]]), "symmetric and positive definite"),
    "asymmetric": (
        lambda: D.MultivariateNormal([0.0, 0.0], [[1.0, 0.5], [0.0, 1.0]]),
        "symmetric and positive definite",
    ),
    "triangle": (lambda: D.MultivariateNormal([0.0, 0.0], scale_tril=[[1.0, 0.5], [0.0, 1.0]]), "lower triangular"),
    "shape": (lambda: D.MultivariateNormal([0.0, 0.0, 0.0], [[1.0]]), r"\(3,\) and \(1, 1\)"),
    "value": (lambda: D.Gamma(1.0, 1.0).log_prob(-1.0), "Gamma: value must be 0 or more"),
    "value of an interval": (lambda: D.Uniform(0.0, 1.0).cdf(2.0), "value must be from"),
    "value shape": (lambda: D.Normal([0.0, 1.0], 1.0).log_prob([1.0, 2.0, 3.0]), r"broadcast with \(2,\), got \(3,\)"),
    "event shape": (lambda: D.Dirichlet([1.0, 1.0]).log_prob([0.2, 0.3, 0.5]), r"ends with \(2,\)"),
    "shares": (lambda: D.Dirichlet([1.0, 1.0]).log_prob([0.2, 0.3]), "with the sum 1"),
    "class": (lambda: D.Categorical([0.5, 0.5]).log_prob(2), "value must be integers from 0 to 1"),
    "one hot": (lambda: D.OneHotCategorical([0.5, 0.5]).log_prob([1.0, 1.0]), "1 at one place"),
    "counts": (lambda: D.Multinomial(3, [0.5, 0.5]).log_prob([1.0, 1.0]), "counts, with the sum 3"),
    "fraction": (lambda: D.Poisson(1.0).log_prob(0.5), "value must be integers, 0 or more"),
    "more than all": (lambda: D.Binomial(3, 0.5).log_prob(4.0), "value must be integers from 0 to"),
    "probability": (lambda: D.Laplace(0.0, 1.0).icdf(1.5), "icdf takes probabilities"),
    "setting": (lambda: D.Distribution.set_default_validate_args(cast(Any, 3)), "True or False"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_parameters_and_values(name):
    call, says = WRONG[name]
    with xg.use_backend("numpy"), pytest.raises(ValueError, match=says):
        call()


def test_checks_can_be_turned_off():
    assert D.Laplace(0.0, -1.0, validate_args=False).scale.item() == -1
    D.Distribution.set_default_validate_args(False)
    try:
        assert D.Laplace(0.0, -1.0).scale.item() == -1
    finally:
        D.Distribution.set_default_validate_args(True)
    with pytest.raises(ValueError, match="scale"):
        D.Laplace(0.0, -1.0)


def test_checks_do_not_wait_for_a_device():
    pytest.importorskip("array_api_strict")
    with xg.use_backend("strict"):
        assert D.Laplace(xg.asarray(0.0), xg.asarray(-1.0)).batch_shape == ()


def test_constraints_and_representations(xp):
    assert repr(D.constraints.interval(0, 1)) == "interval(0, 1)"
    assert (D.constraints.simplex.event_dim, D.constraints.boolean.is_discrete) == (1, True)
    assert to_numpy(D.constraints.less_than(2).check(make(xp, [1.0, 3.0]))).tolist() == [True, False]
    assert to_numpy(D.constraints.greater_than(2).check(make(xp, [1.0, 3.0]))).tolist() == [False, True]
    assert to_numpy(D.constraints.greater_than_eq(3).check(make(xp, [1.0, 3.0]))).tolist() == [False, True]
    assert to_numpy(D.constraints.positive_integer.check(make(xp, [0, 3]))).tolist() == [False, True]
    assert repr(D.Normal([0.0, 1.0], 1.0)) == "Normal(loc: (2,), scale: (2,))"
    assert repr(D.Independent(D.Bernoulli(logits=[0.0]), 1)) == "Independent(Bernoulli(logits: (1,)), 1)"


def test_a_library_without_special_functions_says_so():
    pytest.importorskip("array_api_strict")
    with xg.use_backend("strict"):
        d = D.Gamma(xg.asarray(2.0), 1.0)
        assert math.isfinite(d.sample().item())
        with pytest.raises(NotImplementedError, match="no special functions"):
            d.log_prob(1.0)
        normal = D.Normal(xg.asarray(0.0), 1.0)
        assert normal.log_prob(0.0).item() == pytest.approx(-0.5 * math.log(2 * math.pi))
        with pytest.raises(NotImplementedError, match="no special functions"):
            normal.cdf(0.0)


def test_perplexity_of_equal_chances_is_their_number(backend):
    assert D.Categorical(probs=xg.ones(4)).perplexity().item() == pytest.approx(4.0)


def test_distribution_functions_by_their_parameters(xp, special):
    """Also at the centre of a t distribution."""
    x, h = make(xp, [0.0, 0.4]), 1e-4
    for cls, theirs in (
        (lambda a: D.StudentT(a, 0.0, 1.0), lambda a, x: stats.t.cdf(x, a)),
        (lambda a: D.Beta(a, 2.0), lambda a, x: stats.beta.cdf(x, a, 2.0)),
    ):
        by_a = xg.jvp(lambda a, cls=cls: cls(a).cdf(x), (make(xp, 3.0),), (make(xp, 1.0),))[1]
        ends = [theirs(3.0 + s * h, to_numpy(x)) for s in (-1, 1)]
        np.testing.assert_allclose(to_numpy(by_a), (ends[1] - ends[0]) / (2 * h), rtol=1e-6, atol=1e-12)
        assert np.isfinite(to_numpy(xg.grad(lambda x, cls=cls: xg.sum(cls(3.0).cdf(x)))(x))).all()
