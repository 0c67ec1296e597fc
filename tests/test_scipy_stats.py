"""SciPy's distributions on tensors: values against SciPy's, and derivatives of both orders, in both modes, by differences."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, to_numpy
from tests.support.derivatives import by_each
from xgrad.scipy import stats as ours

scipys = pytest.importorskip("scipy.stats")

inf, nan = math.inf, math.nan

# name -> shape parameters to try, and points of the standard form at which to differentiate
CASES: dict[str, tuple[list[tuple[float, ...]], list[float]]] = {
    "norm": ([()], [-3.0, -0.2, 0.5, 2.5]),
    "lognorm": ([(0.5,), (2.0,)], [0.1, 0.7, 1.5, 6.0]),
    "gamma": ([(0.4,), (1.0,), (3.5,), (25.0,)], [0.2, 1.1, 4.0, 20.0]),
    "chi2": ([(1.0,), (7.0,)], [0.2, 1.1, 4.0, 11.0]),
    "beta": ([(0.5, 0.7), (2.0, 3.0), (1.0, 1.0), (14.0, 12.0)], [0.1, 0.35, 0.6, 0.9]),
    "t": ([(0.8,), (3.0,), (40.0,)], [-4.0, -0.3, 0.6, 2.5]),
    "expon": ([()], [0.1, 0.6, 2.0, 9.0]),
    "weibull_min": ([(0.6,), (2.5,)], [0.2, 0.8, 1.3, 2.0]),
    "logistic": ([()], [-5.0, -0.4, 0.7, 3.0]),
    "uniform": ([()], [0.1, 0.4, 0.8, 0.95]),
    "laplace": ([()], [-3.0, -0.4, 0.5, 2.0]),
    "cauchy": ([()], [-9.0, -0.4, 0.5, 3.0]),
}
AT_X = ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf")
AT_LEVEL = ("ppf", "isf")
ALONE = ("mean", "var", "std", "entropy")
LEVELS = [0.05, 0.3, 0.55, 0.9]
PLACES = [(0.0, 1.0), (0.7, 2.3)]
TRIED = [(name, shapes, place) for name, (each, _) in CASES.items() for shapes, place in product(each, PLACES)]


@pytest.fixture(autouse=True)
def quiet() -> Any:
    with np.errstate(all="ignore"):
        yield


def support(name: str) -> tuple[float, float]:
    return {"beta": (0.0, 1.0), "uniform": (0.0, 1.0)}.get(
        name, (0.0 if name in ("lognorm", "gamma", "chi2", "expon", "weibull_min") else -inf, inf)
    )


def points(name: str, place: tuple[float, float]) -> list[float]:
    """Points inside, at the ends of the support, outside, far out, and nan."""
    loc, scale = place
    low, high = support(name)
    inside = CASES[name][1]
    ends = [end for end in (low, high) if math.isfinite(end)]
    beyond = [end + s for end, s in ((low, -1.5), (high, 1.5)) if math.isfinite(end)]
    return [*(loc + scale * x for x in [*inside, *beyond, -inf, inf, nan]), *(loc + scale * x for x in ends)]


@pytest.mark.parametrize("method", AT_X + AT_LEVEL)
@pytest.mark.parametrize(("name", "shapes", "place"), TRIED)
def test_values_are_scipys(xp, name, shapes, place, method):
    xs = [*LEVELS, 0.0, 1.0, -0.1, 1.1, nan] if method in AT_LEVEL else points(name, place)
    want = getattr(getattr(scipys, name), method)(np.asarray(xs), *shapes, *place)
    if method in ("pdf", "logpdf"):  # SciPy's densities of some are nan at inf, which is no limit
        want[np.isinf(xs)] = 0.0 if method == "pdf" else -inf
    got = getattr(getattr(ours, name), method)(make(xp, xs), *shapes, *place)
    assert got.dtype == xp.float64
    np.testing.assert_allclose(to_numpy(got), want, rtol=5e-9, atol=1e-14)  # PyTorch's gammainc has no more digits


@pytest.mark.parametrize("method", ALONE)
@pytest.mark.parametrize(("name", "shapes", "place"), TRIED)
def test_moments_are_scipys(xp, name, shapes, place, method):
    want = getattr(getattr(scipys, name), method)(*shapes, *place)
    got = getattr(getattr(ours, name), method)(*(make(xp, each) for each in shapes), make(xp, place[0]), place[1])
    np.testing.assert_allclose(to_numpy(got), want, rtol=1e-9)


# --- derivatives ----------------------------------------------------------------------------------------------


def slopes(xp: Any, f: Callable[..., Any], args: list[Any]) -> Any:
    """The derivatives by each argument by differences of the sixth order, from one call with all the moved arguments."""
    steps = np.asarray([3, 2, 1, -1, -2, -3])[None, :, None]
    weights = np.asarray([1, -9, 45, -45, 9, -1])[None, :, None] / 60
    sizes = [2e-3 * np.maximum(np.abs(x), 0.05) for x in args]
    count = len(args)
    moved = []
    for i, (x, h) in enumerate(zip(args, sizes, strict=True)):
        here = (np.arange(count) == i)[:, None, None]
        moved.append(make(xp, np.where(here, x + steps * h, x + 0.0 * steps)))
    return np.sum(weights * to_numpy(f(*moved)), axis=1) / np.stack(sizes)


def by_all(f: Callable[..., Any], count: int) -> Callable[..., Any]:
    return xg.grad(lambda *args: xg.sum(f(*args)), argnums=tuple(range(count)))


@pytest.mark.parametrize("method", AT_X + AT_LEVEL)
@pytest.mark.parametrize(("name", "shapes"), [(name, each) for name, (tried, _) in CASES.items() for each in tried])
def test_derivatives_by_every_argument(xp, name, shapes, method):
    """By x, the shapes, loc and scale, in both modes; the second order by differences of the gradients."""
    loc, scale = 0.7, 1.3
    first = np.asarray(LEVELS) if method in AT_LEVEL else loc + scale * np.asarray(CASES[name][1])
    hosts = [first, *(np.full(first.shape, each) for each in (*shapes, loc, scale))]
    f = getattr(getattr(ours, name), method)
    args = [make(xp, each) for each in hosts]
    count = len(args)
    want = slopes(xp, f, hosts)
    reverse = [to_numpy(each) for each in by_all(f, count)(*args)]
    np.testing.assert_allclose(np.stack(reverse), want, rtol=3e-6, atol=1e-7)
    forward = [to_numpy(by(*args)) for by in by_each(f, count, "fwd")]
    np.testing.assert_allclose(np.stack(forward), reverse, rtol=1e-9, atol=1e-12)
    for by in by_each(f, count, "rev"):
        want = slopes(xp, by, hosts)
        reverse = [to_numpy(each) for each in by_all(by, count)(*args)]
        np.testing.assert_allclose(np.stack(reverse), want, rtol=3e-5, atol=1e-6)
        over = xg.jvp(by, tuple(args), tuple(xg.ones_like(each) for each in args))[1]
        np.testing.assert_allclose(to_numpy(over), sum(reverse), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("method", AT_X)
@pytest.mark.parametrize("name", [name for name in CASES if support(name) != (-inf, inf)])
def test_outside_of_the_support_all_gradients_are_zero(xp, name, method):
    _, high = support(name)
    xs = [-1.0, -inf, *([2.0] if math.isfinite(high) else []), inf]
    shapes = CASES[name][0][0]
    args = [make(xp, xs), *(make(xp, [each] * len(xs)) for each in (*shapes, 0.0, 1.0))]
    f = getattr(getattr(ours, name), method)
    for mode in ("rev", "fwd"):
        for by in by_each(f, len(args), mode):
            assert to_numpy(by(*args)).tolist() == [0.0] * len(xs)


@pytest.mark.parametrize("method", AT_X)
@pytest.mark.parametrize("name", [name for name in CASES if support(name) == (-inf, inf)])
def test_at_infinity_all_gradients_are_zero(xp, name, method):
    args = [make(xp, [inf, -inf]), *(make(xp, [each] * 2) for each in (*CASES[name][0][0], 0.0, 1.0))]
    for mode in ("rev", "fwd"):
        for by in by_each(getattr(getattr(ours, name), method), len(args), mode):
            assert to_numpy(by(*args)).tolist() == [0.0, 0.0]


# The density, its derivative, and the derivative of the distribution function at 0.
AT_ZERO = [
    ("gamma", (1.0,), 1.0, -1.0),
    ("gamma", (2.0,), 0.0, 1.0),
    ("gamma", (3.0,), 0.0, 0.0),
    ("gamma", (0.5,), inf, -inf),
    ("chi2", (2.0,), 0.5, -0.25),
    ("beta", (1.0, 2.0), 2.0, -2.0),
    ("beta", (2.0, 1.0), 0.0, 2.0),
    ("expon", (), 1.0, -1.0),
    ("weibull_min", (1.0,), 1.0, -1.0),
    ("weibull_min", (2.0,), 0.0, 2.0),
    ("lognorm", (1.0,), 0.0, 0.0),
]


@pytest.mark.parametrize(("name", "shapes", "density", "rise"), AT_ZERO)
def test_at_the_lower_end(xp, name, shapes, density, rise):
    dist, x = getattr(ours, name), make(xp, [0.0])
    for mode in ("rev", "fwd"):
        (of_pdf,) = by_each(lambda x: dist.pdf(x, *shapes), 1, mode)
        (of_cdf,) = by_each(lambda x: dist.cdf(x, *shapes), 1, mode)
        (of_sf,) = by_each(lambda x: dist.sf(x, *shapes), 1, mode)
        assert to_numpy(of_pdf(x)).tolist() == [rise]
        assert to_numpy(of_cdf(x)).tolist() == [density]
        assert to_numpy(of_sf(x)).tolist() == [-density]


# --- far tails --------------------------------------------------------------------------------------------------

TAILS: list[tuple[str, str, float, tuple[float, ...], Callable[[Any], Any]]] = [
    ("norm", "logcdf", -1e3, (), lambda mp: mp.log(mp.erfc(mp.mpf(1e3) / mp.sqrt(2)) / 2)),
    ("norm", "logsf", 60.0, (), lambda mp: mp.log(mp.erfc(mp.mpf(60) / mp.sqrt(2)) / 2)),
    ("lognorm", "logcdf", 1e-200, (2.0,), lambda mp: mp.log(mp.erfc(-mp.log(mp.mpf(1e-200)) / 2 / mp.sqrt(2)) / 2)),
    ("gamma", "logcdf", 1e-150, (7.5,), lambda mp: 7.5 * mp.log(mp.mpf(1e-150)) - mp.loggamma(8.5)),
    ("gamma", "logsf", 2e3, (2.0,), lambda mp: mp.log(2001) - 2000),
    ("chi2", "logsf", 4e3, (4.0,), lambda mp: mp.log(2001) - 2000),
    ("beta", "logcdf", 1e-150, (3.0, 1.0), lambda mp: 3 * mp.log(mp.mpf(1e-150))),
    ("beta", "logsf", 0.5, (1.0, 5000.0), lambda mp: 5000 * mp.log(mp.mpf(0.5))),
    ("t", "logsf", 1e200, (3.0,), lambda mp: mp.log(2 * mp.sqrt(3) / mp.pi) - 3 * mp.log(mp.mpf(1e200))),
    ("t", "logcdf", -1e200, (3.0,), lambda mp: mp.log(2 * mp.sqrt(3) / mp.pi) - 3 * mp.log(mp.mpf(1e200))),
    ("expon", "logsf", 1e5, (), lambda mp: mp.mpf(-1e5)),
    ("expon", "logcdf", 1e-200, (), lambda mp: mp.log(mp.mpf(1e-200))),
    ("expon", "logcdf", 40.0, (), lambda mp: mp.log1p(-mp.exp(-40))),
    ("weibull_min", "logcdf", 1e-200, (3.0,), lambda mp: 3 * mp.log(mp.mpf(1e-200))),
    ("logistic", "logcdf", -1e4, (), lambda mp: mp.mpf(-1e4)),
    ("logistic", "logsf", 1e4, (), lambda mp: mp.mpf(-1e4)),
    ("logistic", "logsf", -50.0, (), lambda mp: -mp.exp(-50)),
]


@pytest.mark.parametrize(("name", "method", "x", "shapes", "right"), TAILS)
def test_far_tails(xp, name, method, x, shapes, right):
    mp = pytest.importorskip("mpmath").mp
    with mp.workdps(40):
        want = float(right(mp))
    got = getattr(getattr(ours, name), method)(make(xp, [x]), *shapes)
    np.testing.assert_allclose(to_numpy(got), [want], rtol=1e-12)
    f = getattr(getattr(ours, name), method)
    args = [make(xp, [x]), *(make(xp, [each]) for each in shapes)]
    for mode in ("rev", "fwd"):
        assert all(np.isfinite(to_numpy(by(*args))).all() for by in by_each(f, len(args), mode))


def test_the_gradient_of_the_tail_of_t(xp):
    """Far out, the tail is a power: -df / x by x."""
    x = make(xp, [1e120, 1e30])
    by_x, by_df = by_each(ours.t.logsf, 2, "rev")
    df = make(xp, [4.0, 4.0])
    np.testing.assert_allclose(to_numpy(by_x(x, df)) * to_numpy(x), [-4.0, -4.0], rtol=1e-10)
    h = 1e-3
    ends = [to_numpy(ours.t.logsf(x, df + s * h)) for s in (-1, 1)]
    np.testing.assert_allclose(to_numpy(by_df(x, df)), (ends[1] - ends[0]) / (2 * h), rtol=1e-7)


# --- arguments --------------------------------------------------------------------------------------------------


def test_parameters_that_are_none_give_nan_and_no_gradient(xp):
    x = make(xp, [1.0, 1.0])
    for name in ("gamma", "t", "weibull_min", "lognorm"):
        f = getattr(ours, name).pdf
        bad, scale = make(xp, [-1.0, 2.0]), make(xp, [1.0, 0.0])
        assert np.isnan(to_numpy(f(x, bad, 0.0, scale))).all()
        by = by_each(lambda x, a, f=f, scale=scale: f(x, a, 0.0, scale), 2, "rev")
        assert all(to_numpy(each(x, bad)).tolist() == [0.0, 0.0] for each in by)


@pytest.mark.parametrize("name", CASES)
def test_shapes_dtypes_and_keywords(backend, xp, name):
    dist, shapes = getattr(ours, name), CASES[name][0][-1]
    x = np.asarray([[0.2], [0.6]])
    want = getattr(scipys, name).logpdf(x, *shapes, loc=[0.0, -0.1, -0.2], scale=1.5)
    got = dist.logpdf(make(xp, x), *shapes, loc=[0.0, -0.1, -0.2], scale=1.5)
    np.testing.assert_allclose(to_numpy(got), want, rtol=1e-9)
    by_name = dict(zip(dist.shapes, shapes, strict=True))
    again = dist.logpdf(make(xp, x), loc=make(xp, [0.0, -0.1, -0.2]), scale=1.5, **by_name)
    np.testing.assert_array_equal(to_numpy(again), to_numpy(got))
    for method in (*AT_X, *AT_LEVEL):
        f = getattr(dist, method)
        assert f(make(xp, 0.5), *shapes).shape == ()
        assert f(make(xp, np.zeros((0, 2))), *shapes).shape == (0, 2)
        narrow = f(make(xp, [0.3, 0.6], "float32"), *shapes)
        assert narrow.dtype == xp.float32
        np.testing.assert_allclose(to_numpy(narrow), to_numpy(f(make(xp, [0.3, 0.6]), *shapes)), rtol=2e-4, atol=1e-6)
        whole = f(make(xp, [0, 1], "int64"), *shapes)
        np.testing.assert_allclose(to_numpy(whole), to_numpy(f(make(xp, [0.0, 1.0]), *shapes)), rtol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_under_vmap(xp, name):
    dist, shapes = getattr(ours, name), CASES[name][0][-1]
    x = make(xp, [0.2, 0.5, 0.9])
    for method in ("logpdf", "logcdf", "ppf"):
        f = xg.grad(lambda x, method=method: getattr(dist, method)(x, *shapes, 0.0, 1.0))
        want = [float(to_numpy(f(make(xp, each)))) for each in (0.2, 0.5, 0.9)]
        np.testing.assert_allclose(to_numpy(xg.vmap(f)(x)), want, rtol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_plain_arrays_are_scipys(name):
    shapes = CASES[name][0][0]
    x = np.asarray([0.2, 0.7])
    for method in (*AT_X, *AT_LEVEL):
        got = getattr(getattr(ours, name), method)(x, *shapes, 0.1, scale=2.0)
        assert type(got) is np.ndarray
        np.testing.assert_array_equal(got, getattr(getattr(scipys, name), method)(x, *shapes, 0.1, scale=2.0))
    np.testing.assert_array_equal(
        getattr(ours, name).rvs(*shapes, size=3, random_state=0),
        getattr(scipys, name).rvs(*shapes, size=3, random_state=0),
    )


def test_frozen(xp):
    x = np.asarray([0.2, 1.5])
    frozen = ours.norm(1.0, scale=2.0)
    np.testing.assert_array_equal(frozen.cdf(x), scipys.norm(1.0, scale=2.0).cdf(x))
    np.testing.assert_allclose(to_numpy(frozen.cdf(make(xp, x))), scipys.norm(1.0, 2.0).cdf(x), rtol=1e-12)
    assert frozen.mean() == 1.0
    assert frozen.interval(0.9) == scipys.norm(1.0, 2.0).interval(0.9)
    moving = ours.gamma(make(xp, 3.0), scale=make(xp, 2.0))
    np.testing.assert_allclose(to_numpy(moving.ppf(0.3)), scipys.gamma(3.0, scale=2.0).ppf(0.3), rtol=1e-9)
    np.testing.assert_allclose(to_numpy(moving.var()), 12.0)
    with pytest.raises(NotImplementedError, match=r"stats\.gamma\.rvs does not take tensors"):
        moving.rvs()


def test_wrong_arguments():
    x = xg.asarray(0.5)
    with pytest.raises(TypeError, match=r"gamma\.pdf needs a"):
        ours.gamma.pdf(x)
    with pytest.raises(TypeError, match=r"norm\.pdf takes the parameters loc, scale, got 3 values"):
        ours.norm.pdf(x, 0.0, 1.0, 2.0)
    with pytest.raises(TypeError, match=r"norm\.cdf has no parameter 'mu'"):
        ours.norm.cdf(x, mu=1.0)
    with pytest.raises(TypeError, match=r"norm\.cdf got loc twice"):
        ours.norm.cdf(x, 0.0, loc=1.0)
    with pytest.raises(NotImplementedError, match=r"stats\.norm\.fit does not take tensors"):
        ours.norm.fit(x)
    assert repr(ours.norm) == "<xgrad.scipy.stats.norm>"
    assert ours.pearsonr is scipys.pearsonr


# --- poisson ------------------------------------------------------------------------------------------------------

COUNTS = [-1.0, 0.0, 1.0, 2.5, 4.0, 9.0, 30.0, inf, -inf, nan]
OF_COUNTS = ("pmf", "logpmf", "cdf", "logcdf", "sf", "logsf")


@pytest.mark.parametrize("method", OF_COUNTS)
@pytest.mark.parametrize("mu", [0.3, 4.0, 17.5])
def test_poisson(xp, mu, method):
    ks = COUNTS[:-3] if method in ("pmf", "logpmf") else COUNTS
    f = getattr(ours.poisson, method)
    want = getattr(scipys.poisson, method)(np.asarray(ks), mu, 1)
    np.testing.assert_allclose(to_numpy(f(make(xp, ks), mu, 1)), want, rtol=1e-9, atol=1e-15)
    counts = [np.asarray([0.0, 1.0, 4.0, 9.0]), np.full(4, mu)]
    args = [make(xp, each) for each in counts]
    want = slopes(xp, lambda mu: f(args[0], mu), counts[1:])
    for mode in ("rev", "fwd"):
        by = by_each(f, 2, mode)
        np.testing.assert_allclose(to_numpy(by[1](*args)), want[0], rtol=1e-6, atol=1e-9)
        second = to_numpy(by_each(by[1], 2, mode)[1](*args))
        want_second = slopes(xp, lambda mu, by=by: by[1](make(xp, counts[0] + 0.0 * to_numpy(mu)), mu), counts[1:])
        np.testing.assert_allclose(second, want_second[0], rtol=1e-5, atol=1e-8)
        assert to_numpy(by[0](*args)).tolist() == [0.0] * 4


def test_quantiles_of_poisson(xp):
    mu, q = (
        np.asarray([[0.1], [1.0], [7.3], [400.0]]),
        np.asarray([0.0, 1e-12, 0.05, 0.4, 0.5, 0.99, 1 - 1e-9, 1.0, 2.0, nan]),
    )
    for method in ("ppf", "isf"):
        got = getattr(ours.poisson, method)(make(xp, q), make(xp, mu), 2)
        np.testing.assert_array_equal(to_numpy(got), getattr(scipys.poisson, method)(q, mu, 2))
    assert not ours.poisson.ppf(0.5, make(xp, 3.0, requires_grad=True)).requires_grad


def test_poisson_far_out(xp):
    got = ours.poisson.logsf(make(xp, [1000.0]), 2.0)
    want = [1001 * math.log(2) - 2 - math.lgamma(1002) + math.log1p(2 / 1002 + 4 / 1002 / 1003)]
    np.testing.assert_allclose(to_numpy(got), want, rtol=1e-9)
    got = ours.poisson.logcdf(make(xp, [1.0]), 2000.0)
    np.testing.assert_allclose(to_numpy(got), [math.log(2001) - 2000], rtol=1e-12)
    for method in ("mean", "var", "std"):
        np.testing.assert_allclose(
            to_numpy(getattr(ours.poisson, method)(make(xp, 3.0), 1)), getattr(scipys.poisson, method)(3.0, 1)
        )


# --- vectors ------------------------------------------------------------------------------------------------------


def test_dirichlet(xp):
    alpha = np.asarray([0.7, 2.0, 3.5])
    x = np.asarray([[0.2, 0.5], [0.3, 0.1], [0.5, 0.4]])
    for method in ("pdf", "logpdf"):
        f = getattr(ours.dirichlet, method)
        want = getattr(scipys.dirichlet, method)(x, alpha)
        np.testing.assert_array_equal(f(x, alpha), want)
        np.testing.assert_allclose(to_numpy(f(make(xp, x), alpha)), want, rtol=1e-12)
        np.testing.assert_allclose(to_numpy(f(make(xp, x[:-1]), make(xp, alpha))), want, rtol=1e-12)
        np.testing.assert_allclose(
            to_numpy(ours.dirichlet(make(xp, alpha)).pdf(x[:, 0])), scipys.dirichlet.pdf(x[:, 0], alpha)
        )
        gradient = to_numpy(xg.grad(lambda a, f=f: xg.sum(f(x, a)))(make(xp, alpha)))
        for i in range(3):
            h = np.zeros(3)
            h[i] = 1e-5
            ends = [np.sum(getattr(scipys.dirichlet, method)(x, alpha + s * h)) for s in (-1, 1)]
            np.testing.assert_allclose(gradient[i], (ends[1] - ends[0]) / 2e-5, rtol=1e-7)
    for method in ("mean", "var", "entropy"):
        want = getattr(scipys.dirichlet, method)(alpha)
        np.testing.assert_array_equal(getattr(ours.dirichlet, method)(alpha), want)
        np.testing.assert_allclose(to_numpy(getattr(ours.dirichlet, method)(make(xp, alpha))), want, rtol=1e-12)
    assert to_numpy(ours.dirichlet.pdf(make(xp, [-0.5, 0.5, 1.0]), alpha)).tolist() == 0.0
    with pytest.raises(ValueError, match="dirichlet: alpha must have the shape"):
        ours.dirichlet.pdf(make(xp, [0.5]), alpha)


MATRIX = np.asarray([[2.0, 0.5, 0.2], [0.5, 1.0, -0.3], [0.2, -0.3, 1.5]])
VECTORS = np.asarray([[0.3, -1.0, 0.7], [1.0, 0.2, -0.4]])


@pytest.mark.parametrize(
    ("x", "mean", "cov"),
    [
        (VECTORS, [0.1, 0.2, 0.3], MATRIX),
        (VECTORS[0], None, MATRIX),
        (VECTORS, [0.1, 0.2, 0.3], [1.0, 2.0, 0.5]),
        (VECTORS, [0.1, 0.2, 0.3], 2.0),
        (VECTORS[0], None, 2.0),
        (0.3, 0.5, 2.0),
    ],
)
def test_multivariate_normal(xp, x, mean, cov):
    for method in ("pdf", "logpdf"):
        f = getattr(ours.multivariate_normal, method)
        want = getattr(scipys.multivariate_normal, method)(x, mean, cov)
        np.testing.assert_array_equal(f(x, mean, cov), want)
        np.testing.assert_allclose(to_numpy(f(make(xp, x), mean, cov)), want, rtol=1e-12)
        frozen = ours.multivariate_normal(mean, make(xp, cov))
        np.testing.assert_allclose(to_numpy(getattr(frozen, method)(x)), want, rtol=1e-12)
    np.testing.assert_allclose(
        to_numpy(ours.multivariate_normal.entropy(mean, make(xp, cov))),
        scipys.multivariate_normal(mean, cov).entropy(),
        rtol=1e-12,
    )


def test_multivariate_normal_by_all_arguments(xp):
    x, mean = VECTORS[0], np.asarray([0.1, 0.2, 0.3])
    h = 1e-5
    args = [x, mean, MATRIX]
    gradients = xg.grad(ours.multivariate_normal.logpdf, argnums=(0, 1, 2))(*(make(xp, each) for each in args))
    for i, gradient in enumerate(gradients):
        for place in np.ndindex(args[i].shape):
            step = np.zeros(args[i].shape)
            step[place] = h
            step = (step + step.T) / 2 if i == 2 else step  # the matrix stays symmetric
            ends = [
                scipys.multivariate_normal.logpdf(*(a + s * step if j == i else a for j, a in enumerate(args)))
                for s in (-1, 1)
            ]
            np.testing.assert_allclose(
                np.sum(to_numpy(gradient) * step) / h, (ends[1] - ends[0]) / (2 * h), rtol=1e-6, atol=1e-8
            )


@pytest.mark.parametrize("method", ["pdf", "logpdf"])
def test_a_singular_matrix(xp, method):
    half = np.array([[1.0, 0.5], [0.5, 2.0], [1.5, 2.5]])
    mean = np.array([0.1, 0.2, 0.3])
    off = np.array([0.0, 0.0, 1.0])  # leads off the plane
    x = np.stack([mean + half @ [0.3, -0.2], mean + half @ [1.0, 0.4], mean + off])
    theirs = getattr(scipys.multivariate_normal, method)
    density = partial(getattr(ours.multivariate_normal, method), allow_singular=True)
    found = density(make(xp, x), make(xp, mean), make(xp, half @ half.T))
    assert_matches(found, theirs(x, mean, half @ half.T, allow_singular=True), xp=xp, rtol=1e-9)
    start, full = make(xp, np.array([0.3, -0.2])), make(xp, half)

    def f(place, half):  # within matrices of this rank
        return xg.sum(density(make(xp, mean) + full @ place, make(xp, mean), half @ half.T))

    xg.check_grads(lambda place: f(place, full), start)
    regular = make(xp, half[:2])
    xg.check_grads(
        lambda m: density(make(xp, x[0, :2]), make(xp, mean[:2]), m @ m.T), regular
    )  # as without allow_singular
    plain = getattr(ours.multivariate_normal, method)(make(xp, x[0, :2]), make(xp, mean[:2]), regular @ regular.T)
    assert_matches(
        density(make(xp, x[0, :2]), make(xp, mean[:2]), regular @ regular.T), to_numpy(plain), xp=xp, rtol=1e-9
    )


def test_what_vectors_refuse(xp):
    x = make(xp, VECTORS)
    with pytest.raises(ValueError, match=r"x must have the shape \(..., 2\)"):
        ours.multivariate_normal.pdf(x, [0.0, 0.0], 1.0)
    with pytest.raises(ValueError, match="mean must have the shape"):
        ours.multivariate_normal.pdf(x, [0.0, 0.0, 0.0], np.eye(2))
    with pytest.raises(NotImplementedError, match=r"multivariate_normal\.cdf does not take tensors"):
        ours.multivariate_normal.cdf(x)
