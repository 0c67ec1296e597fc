"""The incomplete beta and gamma functions by their parameters, their logarithms and their inverses, against mpmath."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy
from tests.support.derivatives import by_each

special = pytest.importorskip("scipy.special")
mpmath = pytest.importorskip("mpmath")
mp = mpmath.mp

inf = math.inf


@pytest.fixture(autouse=True)
def digits(backend: Any) -> Iterator[None]:
    if "special.betainc" in backend.cannot:
        pytest.skip("the library has no special functions")
    with mp.workdps(45), np.errstate(all="ignore"):
        yield


def series(a: Any, b: Any, x: Any) -> Any:
    """The incomplete beta function by its series of positive terms, or by mpmath's transformations of it near 1."""
    if x > 0.9:
        total = mp.hyp2f1(a + b, 1, a + 1, x)
    else:
        term = total = mp.mpf(1)
        n = 0
        while term > total * mp.mpf(10) ** -46:
            term *= (a + b + n) / (a + 1 + n) * x
            n += 1
            total += term
    return total * mp.exp(a * mp.log(x) + b * mp.log1p(-x) - mp.loggamma(a) - mp.loggamma(b) + mp.loggamma(a + b)) / a


def beta_right(a: float, b: float, x: float) -> tuple[list[float], list[float]]:
    """The derivatives of betainc by a, b and x, and by (a, a), (a, b), (b, b), (a, x), by differences with many digits."""
    p, q, t = mp.mpf(a), mp.mpf(b), mp.mpf(x)
    if t <= p / (p + q):

        def f(i: int = 0, j: int = 0, k: int = 0) -> Any:
            return series(p * (1 + i * h), q * (1 + j * h), t + k * h * step)
    else:  # the part above x, which does not cancel

        def f(i: int = 0, j: int = 0, k: int = 0) -> Any:
            return -series(q * (1 + j * h), p * (1 + i * h), 1 - t - k * h * step)

    h, step = mp.mpf(10) ** -11, min(t, 1 - t)
    middle = f()
    first = [(f(i=1) - f(i=-1)) / (2 * h * p), (f(j=1) - f(j=-1)) / (2 * h * q), (f(k=1) - f(k=-1)) / (2 * h * step)]
    second = [
        (f(i=1) - 2 * middle + f(i=-1)) / (h * p) ** 2,
        (f(i=1, j=1) - f(i=1, j=-1) - f(i=-1, j=1) + f(i=-1, j=-1)) / (4 * h * h * p * q),
        (f(j=1) - 2 * middle + f(j=-1)) / (h * q) ** 2,
        (f(i=1, k=1) - f(i=1, k=-1) - f(i=-1, k=1) + f(i=-1, k=-1)) / (4 * h * h * p * step),
    ]
    return [float(each) for each in first], [float(each) for each in second]


SIZES = [0.01, 0.5, 2.5, 40.0, 1000.0]


def points(a: float, b: float) -> list[float]:
    """Quantiles, and numbers near both ends, where the function does not underflow."""
    xs = [1e-12, 1e-3, 0.5, 0.999, 1 - 1e-12, *special.betaincinv(a, b, [1e-10, 0.1, 0.6, 0.999]), a / (a + b)]
    inside = [float(x) for x in xs if 1e-300 < x < 1 - 1e-15]
    tails = [(special.betainc(a, b, x), special.betaincc(a, b, x)) for x in inside]
    return [x for x, tail in zip(inside, tails, strict=True) if min(tail) > 1e-250]


@pytest.mark.parametrize(("a", "b"), [*product(SIZES, SIZES)])
def test_betainc_by_all_arguments(xp, a, b):
    xs = points(a, b)
    right = [beta_right(a, b, x) for x in xs]
    args = make(xp, [a] * len(xs)), make(xp, [b] * len(xs)), make(xp, xs)
    size = max(1.0, (a + b) / 10)
    for name, sign in (("betainc", 1), ("betaincc", -1)):
        for mode in ("rev", "fwd"):
            first = by_each(getattr(xp.special, name), 3, mode)
            for i, f in enumerate(first):
                want = [sign * each[0][i] for each in right]
                np.testing.assert_allclose(to_numpy(f(*args)), want, rtol=2e-13 * size, err_msg=f"{name} by {i}")
            pairs = ((0, 0), (0, 1), (1, 1), (0, 2))
            for k, (i, j) in enumerate(pairs):
                got = to_numpy(by_each(first[i], 3, mode)[j](*args))
                want = [sign * each[1][k] for each in right]
                floor = (
                    1e-9 * np.abs([each[0][0] for each in right]).max() / a
                )  # where the second derivative is near its zero
                np.testing.assert_allclose(got, want, rtol=1e-9, atol=floor, err_msg=f"{name} by {i}, {j}")


def test_betainc_by_its_parameters_at_the_ends(xp):
    x = make(xp, [0.0, 1.0, 0.0, 1.0])
    a, b = make(xp, [0.5, 0.5, 3.0, 3.0]), make(xp, [2.0, 0.5, 1.0, 7.0])
    for mode in ("rev", "fwd"):
        by_a, by_b, _ = by_each(xp.special.betainc, 3, mode)
        second = by_each(by_a, 3, mode)
        for f in (by_a, by_b, second[0], second[1]):
            assert to_numpy(f(a, b, x)).tolist() == [0.0] * 4


# --- logarithms -----------------------------------------------------------------------------------------------

FAR_BETA = [
    (3.0, 2.0, 1e-120),
    (0.3, 40.0, 1e-100),
    (1e3, 5.0, 0.3),
    (1e3, 1e3, 0.1),
    (2e4, 0.5, 0.9),
    (30.0, 1e4, 1e-20),
]
NEAR_BETA = [(2.0, 3.0, 0.4), (0.3, 0.7, 0.95), (20.0, 30.0, 0.35), (0.01, 5.0, 1e-8)]


def differences(f: Callable[..., Any], args: tuple[float, ...]) -> list[float]:
    """The value and the first derivatives, by differences with many digits."""
    exact = [mp.mpf(arg) for arg in args]
    found = [float(f(*exact))]
    for i, x in enumerate(exact):
        h = x * mp.mpf(10) ** -15
        above, below = ([*exact[:i], x + s * h, *exact[i + 1 :]] for s in (1, -1))
        found.append(float((f(*above) - f(*below)) / (2 * h)))
    return found


def assert_log(xp: Any, name: str, cases: Sequence[tuple[float, ...]], right: Callable[..., Any], rtol: float) -> None:
    columns = [make(xp, column) for column in zip(*cases, strict=True)]
    want = np.asarray([differences(right, case) for case in cases]).T
    f = getattr(xp.special, name)
    np.testing.assert_allclose(to_numpy(f(*columns)), want[0], rtol=rtol)
    for mode in ("rev", "fwd"):
        for each, slope in zip(by_each(f, len(columns), mode), want[1:], strict=True):
            np.testing.assert_allclose(to_numpy(each(*columns)), slope, rtol=rtol)
    # second order, by differences of the gradients
    for i, by_i in enumerate(by_each(f, len(columns), "rev")):
        for j, by_j in enumerate(by_each(by_i, len(columns), "fwd")):
            hosts = [np.asarray(column) for column in zip(*cases, strict=True)]
            h = hosts[j] * 1e-5
            moved = [[*hosts[:j], hosts[j] + s * h, *hosts[j + 1 :]] for s in (-2, -1, 1, 2)]
            at = [to_numpy(by_i(*(make(xp, each) for each in each_moved))) for each_moved in moved]
            slope = (8 * (at[2] - at[1]) - (at[3] - at[0])) / (12 * h)
            got = to_numpy(by_j(*columns))
            size = np.abs(slope) + np.abs(at[1] / hosts[j])
            assert (np.abs(got - slope) <= 2e-5 * size).all(), (name, i, j, got, slope)


def test_log_of_betainc(xp):
    cases = FAR_BETA + NEAR_BETA
    assert_log(xp, "betaincln", cases, lambda a, b, x: mp.log(series(a, b, x)), 2e-11)
    mirrored = [(b, a, 1 - x) for a, b, x in cases if x > 1e-4]
    assert_log(xp, "betainccln", mirrored, lambda a, b, x: mp.log(series(b, a, 1 - x)), 2e-11)


def lower(a: Any, x: Any) -> Any:
    term = total = mp.mpf(1)
    n = 0
    while term > total * mp.mpf(10) ** -46:
        n += 1
        term *= x / (a + n)
        total += term
    return a * mp.log(x) - x - mp.loggamma(a + 1) + mp.log(total)


def upper(a: Any, x: Any) -> Any:
    return mp.log(mp.gammainc(a, x, mp.inf)) - mp.loggamma(a)


def test_log_of_gammainc(xp):
    low = [(3.0, 1e-120), (0.02, 1e-9), (2.0, 1.5), (1e3, 200.0), (1e4, 5e3), (0.5, 0.1)]
    assert_log(xp, "gammaincln", low, lower, 1e-11)
    high = [(3.0, 1e3), (0.02, 900.0), (2.0, 1.5), (200.0, 1500.0), (0.5, 3.0), (30.0, 40.0)]
    assert_log(xp, "gammainccln", high, upper, 1e-11)


def test_logs_at_the_ends(xp):
    with np.errstate(all="ignore"):
        for name, x, want, slope in (
            ("gammaincln", 0.0, -inf, inf),
            ("gammaincln", inf, 0.0, 0.0),
            ("gammainccln", 0.0, 0.0, 0.0),
            ("gammainccln", inf, -inf, -1.0),
        ):
            f = getattr(xp.special, name)
            a, at = make(xp, [2.5]), make(xp, [x])
            assert to_numpy(f(a, at)).tolist() == [want]
            for mode in ("rev", "fwd"):
                assert [to_numpy(by(a, at)).tolist() for by in by_each(f, 2, mode)] == [[0.0], [slope]]
        for name, x, want, slope in (
            ("betaincln", 0.0, -inf, inf),
            ("betaincln", 1.0, 0.0, 0.0),
            ("betainccln", 0.0, 0.0, 0.0),
            ("betainccln", 1.0, -inf, -inf),
        ):
            f = getattr(xp.special, name)
            a, b, at = make(xp, [2.5]), make(xp, [3.5]), make(xp, [x])
            assert to_numpy(f(a, b, at)).tolist() == [want]
            for mode in ("rev", "fwd"):
                assert [to_numpy(by(a, b, at)).tolist() for by in by_each(f, 3, mode)] == [[0.0], [0.0], [slope]]


# --- inverses -------------------------------------------------------------------------------------------------


def test_quantiles_of_the_gamma_distribution(xp):
    levels = np.asarray([1e-200, 1e-8, 0.01, 0.3, 0.5, 0.9])
    a = np.asarray([[0.05], [0.7], [3.0], [80.0], [2e3]])
    for name, function, sign in (("gammaincinv", "gammainc", 1), ("gammainccinv", "gammaincc", -1)):
        x = to_numpy(getattr(xp.special, name)(make(xp, a), make(xp, levels)))
        back = getattr(special, function)(a, x)
        usual = (x > 1e-290) & (back > 1e-300)
        np.testing.assert_allclose(back[usual], np.broadcast_to(levels, back.shape)[usual], rtol=3e-10)
        for mode in ("rev", "fwd"):
            at = [make(xp, np.broadcast_to(each, x.shape)) for each in (a, levels)]
            by_a, by_p = (to_numpy(by(*at)) for by in by_each(getattr(xp.special, name), 2, mode))
            dens = x ** (a - 1) * np.exp(-x) / special.gamma(a)
            fine = usual & (a < 100) & (dens > 0)
            np.testing.assert_allclose(by_p[fine], (sign / dens)[fine], rtol=1e-8)
            slope = to_numpy(xp.special.gamma_slope(make(xp, a), make(xp, np.log(np.where(usual, x, 1.0)))))
            np.testing.assert_allclose(by_a[usual], (x * slope)[usual], rtol=1e-12)


def test_quantiles_of_the_beta_distribution(xp):
    levels = np.asarray([1e-100, 1e-8, 0.01, 0.3, 0.5, 0.9])
    cases = [(0.05, 2.0), (0.7, 0.4), (3.0, 5.0), (80.0, 2.0), (300.0, 500.0)]
    for (a, b), name in product(cases, ("betaincinv", "betainccinv")):
        f = getattr(xp.special, name)
        x = to_numpy(f(make(xp, a), make(xp, b), make(xp, levels)))
        np.testing.assert_allclose(x, getattr(special, name)(a, b, levels), rtol=1e-9, atol=1e-300)
        usual = (x > 1e-290) & (x < 1 - 1e-6)
        at = [make(xp, np.full(levels.shape, each)) for each in (a, b)] + [make(xp, levels)]
        right = np.asarray([beta_right(a, b, float(each))[0] for each in x[usual]])
        sign = 1 if name == "betaincinv" else -1
        want = -right[:, 0] / right[:, 2], -right[:, 1] / right[:, 2], sign / right[:, 2]
        for mode in ("rev", "fwd"):
            for by, slope in zip(by_each(f, 3, mode), want, strict=True):
                np.testing.assert_allclose(to_numpy(by(*at))[usual], slope, rtol=1e-7)


def test_quantiles_at_the_ends(xp):
    with np.errstate(all="ignore"):
        a, b, p = make(xp, [2.0, 2.0]), make(xp, [3.0, 0.5]), make(xp, [0.0, 1.0])
        assert to_numpy(xp.special.gammaincinv(a, p)).tolist() == [0.0, inf]
        assert to_numpy(xp.special.betaincinv(a, b, p)).tolist() == [0.0, 1.0]
        by_a, by_p = (to_numpy(f(a, p)).tolist() for f in by_each(xp.special.gammaincinv, 2, "rev"))
        assert (by_a, by_p) == ([0.0, 0.0], [inf, inf])
        first, second, last = (to_numpy(f(a, b, p)).tolist() for f in by_each(xp.special.betaincinv, 3, "rev"))
        assert (first, second, last) == ([0.0, 0.0], [0.0, 0.0], [inf, 0.0])


def test_the_f_distribution_by_its_degrees_of_freedom(xp):
    n, m, x = np.asarray([1.0, 3.0, 20.0, 4.0]), np.asarray([7.0, 2.5, 30.0, 4.0]), np.asarray([0.5, 3.0, 1.1, 0.0])
    for name, sign in (("fdtr", 1), ("fdtrc", -1)):
        for mode in ("rev", "fwd"):
            got = [
                to_numpy(by(*(make(xp, each) for each in (n, m, x))))
                for by in by_each(getattr(xp.special, name), 3, mode)
            ]
            for k in range(3):
                want = differences(lambda n, m, x: series(n / 2, m / 2, n * x / (m + n * x)), (n[k], m[k], x[k]))[1:]
                np.testing.assert_allclose([each[k] for each in got], [sign * each for each in want], rtol=1e-12)
            assert [each[3] for each in got[:2]] == [0.0, 0.0]


# --- reciprocals, under vmap, in float32 ------------------------------------------------------------------------


def test_rgamma_at_the_poles(xp):
    """At -n the derivative is (-1)**n * n!, where the gamma function and its logarithm have none."""
    x = make(xp, [0.0, -1.0, -2.0, -3.0, -2.5, 0.5])
    want = [float(mp.diff(mp.rgamma, mp.mpf(each))) for each in to_numpy(x)]
    second = [float(mp.diff(mp.rgamma, mp.mpf(each), 2)) for each in to_numpy(x)]
    for mode in ("rev", "fwd"):
        (first,) = by_each(xp.special.rgamma, 1, mode)
        np.testing.assert_allclose(to_numpy(first(x)), want, rtol=1e-12)
        np.testing.assert_allclose(to_numpy(by_each(first, 1, mode)[0](x)), second, rtol=1e-11)


def test_under_vmap(xp):
    a, b, x = make(xp, [0.5, 3.0, 40.0]), make(xp, [2.0, 0.7, 30.0]), make(xp, [0.2, 0.9, 0.5])
    for name in ("betainc", "betaincln", "betaincinv"):
        by_a = by_each(getattr(xp.special, name), 3, "rev")[0]
        np.testing.assert_allclose(to_numpy(xg.vmap(by_a)(a, b, x)), to_numpy(by_a(a, b, x)), rtol=1e-14)


def test_in_float32(xp):
    a, b, x = [0.5, 3.0, 40.0], [2.0, 0.7, 30.0], [0.2, 0.9, 0.5]
    for name in ("betainc", "betaincln", "betaincinv", "betainccln"):
        wide = by_each(getattr(xp.special, name), 3, "rev")
        for f in wide:
            narrow = to_numpy(f(*(make(xp, each, "float32") for each in (a, b, x))))
            assert narrow.dtype == np.float32
            np.testing.assert_allclose(narrow, to_numpy(f(*(make(xp, each) for each in (a, b, x)))), rtol=1e-4)


# --- Student's t distribution -----------------------------------------------------------------------------------


def student(df: Any, x: Any) -> Any:
    below = series(df / 2, mp.mpf(1) / 2, df / (df + x * x)) / 2
    return below if x < 0 else 1 - below


@pytest.mark.parametrize("df", [0.3, 1.0, 4.5, 60.0, 1000.0, 1e5])
def test_student_by_both_arguments(xp, df):
    xs = [-1e3, -30.0, -2.0, -0.3, 1e-3, 1.0, 5.0]
    want = np.asarray([differences(student, (df, x)) for x in xs]).T
    at = make(xp, [df] * len(xs)), make(xp, xs)
    np.testing.assert_allclose(to_numpy(xp.special.stdtr(*at)), want[0], rtol=1e-11, atol=1e-300)
    for mode in ("rev", "fwd"):
        by_df, by_x = by_each(xp.special.stdtr, 2, mode)
        np.testing.assert_allclose(to_numpy(by_x(*at)), want[2], rtol=2e-12, atol=1e-300)
        np.testing.assert_allclose(to_numpy(by_df(*at)), want[1], rtol=1e-13 * max(df, 100.0), atol=1e-300)


def test_student_at_zero_and_infinity(xp):
    df, x = make(xp, [3.0] * 3), make(xp, [0.0, inf, -inf])
    assert to_numpy(xp.special.stdtr(df, x)).tolist() == [0.5, 1.0, 0.0]
    for mode in ("rev", "fwd"):
        by_df, by_x = by_each(xp.special.stdtr, 2, mode)
        assert to_numpy(by_df(df, x)).tolist() == [0.0] * 3
        mixed = [to_numpy(by_each(f, 2, mode)[i](df, x))[0] for f, i in ((by_df, 1), (by_x, 0))]
        h = 1e-4
        density = [2 / (math.sqrt(3 + s * h) * special.beta((3 + s * h) / 2, 0.5)) / 2 for s in (-1, 1)]
        np.testing.assert_allclose(mixed, [(density[1] - density[0]) / (2 * h)] * 2, rtol=1e-7)


def test_quantiles_of_student(xp):
    assert to_numpy(xp.special.stdtrit(make(xp, [3.0, 3.0]), make(xp, [0.0, 1.0]))).tolist() == [-inf, inf]
    df, p = np.asarray([0.5, 1.0, 3.0, 40.0, 9.0]), np.asarray([0.1, 0.75, 1e-9, 0.9999, 0.5])
    at = make(xp, df), make(xp, p)
    x = special.stdtrit(df, p)
    np.testing.assert_allclose(to_numpy(xp.special.stdtrit(*at)), x, rtol=1e-9, atol=1e-15)
    slopes = np.asarray([differences(student, (d, each))[1:] for d, each in zip(df[:4], x[:4], strict=True)]).T
    for mode in ("rev", "fwd"):
        by_df, by_p = by_each(xp.special.stdtrit, 2, mode)
        np.testing.assert_allclose(to_numpy(by_df(*at))[:4], -slopes[0] / slopes[1], rtol=1e-7)
        np.testing.assert_allclose(to_numpy(by_p(*at))[:4], 1 / slopes[1], rtol=1e-7)
