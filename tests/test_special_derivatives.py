"""The derivatives of the special functions, against mpmath: orders 1 to 4, both modes, over the domain and at its ends."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy

special = pytest.importorskip("scipy.special")
mpmath = pytest.importorskip("mpmath")
mp = mpmath.mp

inf = math.inf


@pytest.fixture(autouse=True)
def digits() -> Iterator[None]:
    with mp.workdps(60):
        yield


def derivative(f: Callable[[Any], Any], mode: str) -> Callable[[Any], Any]:
    if mode == "rev":
        return xg.grad(lambda x: xg.sum(f(x)))
    return lambda x: xg.jvp(f, (x,), (xg.ones_like(x),))[1]


def assert_derivatives(
    xp: Any, f: Callable[[Any], Any], xs: Any, right: Callable[[Any, int], Any], *, orders: int = 4, dtype: str = "float64",
    rtol: float = 1e-12,
) -> None:  # fmt: skip
    xs = np.asarray(xs, dtype=dtype)
    floor = 1e-303 if dtype == "float64" else 4 * float(np.finfo(dtype).smallest_normal)
    by_mode = {"rev": f, "fwd": f}
    for order in range(1, orders + 1):
        with np.errstate(all="ignore"):
            want = np.asarray([float(right(mp.mpf(float(x)), order)) for x in xs]).astype(dtype)
            for mode, g in by_mode.items():
                by_mode[mode] = derivative(g, mode)
                got = to_numpy(by_mode[mode](make(xp, xs)))
                np.testing.assert_allclose(got, want, rtol=rtol, atol=floor, err_msg=f"order {order}, {mode}, at {xs}")


# --- Bessel functions -----------------------------------------------------------------------------------

NEAR_AND_FAR = [0.0, 1e-300, 1e-10, 1e-5, 1e-2, 0.1, 0.5, 1.0, 2.1, 3.4, 4.1, 5.1, 7.9, 9.9, 10.1, 15.0, 30.0, 100.0]
BOTH_SIDES = [*NEAR_AND_FAR, *(-x for x in NEAR_AND_FAR[1:])]


def of_j(v: int) -> Callable[[Any, int], Any]:
    def right(x: Any, order: int) -> Any:
        def j(n: int) -> Any:
            return mp.besselj(n, x)

        return sum((-1) ** i * mp.binomial(order, i) * j(v - order + 2 * i) for i in range(order + 1)) / 2**order

    return right


def of_i(v: int) -> Callable[[Any, int], Any]:
    def right(x: Any, order: int) -> Any:
        return sum(mp.binomial(order, i) * mp.besseli(abs(v - order + 2 * i), x) for i in range(order + 1)) / 2**order

    return right


def of_ie(v: int) -> Callable[[Any, int], Any]:
    def right(x: Any, order: int) -> Any:
        def on_side(s: int) -> Any:
            parts = [mp.binomial(order, k) * (-s) ** (order - k) * of_i(v)(x, k) for k in range(order + 1)]
            return mp.exp(-s * x) * sum(parts)

        return on_side(int(mp.sign(x))) if x else (on_side(1) + on_side(-1)) / 2

    return right


BESSEL = {"j0": of_j(0), "j1": of_j(1), "i0": of_i(0), "i1": of_i(1), "i0e": of_ie(0), "i1e": of_ie(1)}


@pytest.mark.parametrize("name", BESSEL)
def test_bessel_functions(xp, name):
    far = [1e4, -1e6] if name in ("i0e", "i1e") else [700.0] if name in ("i0", "i1") else []
    assert_derivatives(xp, getattr(xp.special, name), BOTH_SIDES + far, BESSEL[name])


@pytest.mark.parametrize("name", BESSEL)
def test_bessel_functions_in_float32(xp, name):
    xs = [x for x in BOTH_SIDES if abs(x) < 5 and abs(x) != 3.4 and not 0 < abs(x) < 1e-30]
    assert_derivatives(xp, getattr(xp.special, name), xs, BESSEL[name], dtype="float32", rtol=2e-5)


def test_bessel_functions_where_they_are_infinite(xp):
    x = make(xp, [800.0, -800.0])
    with np.errstate(all="ignore"):
        got = to_numpy(derivative(derivative(xp.special.i0, "rev"), "fwd")(x))
        odd = to_numpy(derivative(xp.special.i0, "rev")(x))
    assert got.tolist() == [inf, inf]
    assert odd.tolist() == [inf, -inf]


# --- the normal distribution -----------------------------------------------------------------------------

TAILS = [
    *(-1e8, -1e4, -300.0, -39.0, -38.0, -20.0, -8.0, -5.0, -2.6, -2.4, -2.0, -1.5, -0.5, -1e-3, 0.0, 1e-10),
    *(0.2, 0.5, 1.1, 1.7, 1.8, 3.0, 8.0, 20.0, 36.0),
]


def of_log_ndtr(x: Any, order: int) -> Any:
    """By h' = -h (x + h) of the first derivative h, with enough digits for what cancels."""
    with mp.workdps(250):
        h = mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi) / (mp.erfc(-x / mp.sqrt(2)) / 2)
        second = -h * (x + h)
        third = -second * (x + h) - h * (1 + second)
        fourth = -third * (x + h) - 2 * second * (1 + second) - h * third
        return (h, second, third, fourth)[order - 1]


def of_erfcx(x: Any, order: int) -> Any:
    with mp.workdps(250):
        before = mp.exp(x * x) * mp.erfc(x)
        now = 2 * x * before - 2 / mp.sqrt(mp.pi)
        for k in range(1, order):
            before, now = now, 2 * x * now + 2 * k * before
        return now


def test_log_ndtr_on_both_tails(xp):
    assert_derivatives(xp, xp.special.log_ndtr, TAILS, of_log_ndtr)


def test_log_ndtr_in_float32(xp):
    xs = [x for x in TAILS if -1e4 < x < 8 and x != 1.1]
    assert_derivatives(xp, xp.special.log_ndtr, xs, of_log_ndtr, dtype="float32", rtol=1e-5, orders=3)


def test_erfcx_on_both_sides(xp):
    assert_derivatives(xp, xp.special.erfcx, [x for x in TAILS if x > -26] + [1e4, 1e8], of_erfcx)


def test_the_error_functions(xp):
    def of_erf(x: Any, order: int) -> Any:
        return 2 / mp.sqrt(mp.pi) * (-1) ** (order - 1) * mp.hermite(order - 1, x) * mp.exp(-x * x)

    xs = [-20.0, -3.1, -0.4, 0.0, 1e-10, 0.3, 2.0, 25.0]
    assert_derivatives(xp, xp.special.erf, xs, of_erf)
    assert_derivatives(xp, xp.special.erfc, xs, lambda x, order: -of_erf(x, order))
    root = mp.sqrt(2)
    assert_derivatives(xp, xp.special.ndtr, xs, lambda x, order: of_erf(x / root, order) / 2 / root**order)


@pytest.mark.parametrize(
    ("name", "end", "sign"), [("erfinv", 1.0, 1), ("erfinv", -1.0, -1), ("ndtri", 0.0, -1), ("ndtri", 1.0, 1)]
)
def test_quantiles_at_the_ends(xp, name, end, sign):
    g = getattr(xp.special, name)
    with np.errstate(all="ignore"):
        for want in (inf, sign * inf, inf):
            g = derivative(g, "rev")
            assert to_numpy(g(make(xp, [end]))).tolist() == [want]


# --- the gamma function -----------------------------------------------------------------------------------


def test_the_gamma_functions(xp):
    xs = [-20.3, -3.3, -0.5, -1e-5, 1e-10, 1e-3, 0.5, 1.0, 2.0, 10.0, 100.0, 1e5, 1e15]
    assert_derivatives(xp, xp.special.gammaln, xs, lambda x, order: mp.psi(order - 1, x), rtol=1e-11)
    assert_derivatives(xp, xp.special.digamma, xs, lambda x, order: mp.psi(order, x), orders=3, rtol=1e-11)

    def of_gamma(x: Any, order: int) -> Any:
        with mp.workdps(100):
            return mp.diff(mp.gamma, x, order, h=mp.mpf(10) ** -20 * abs(x))

    assert_derivatives(xp, xp.special.gamma, [-3.3, -0.5, 1e-3, 0.5, 1.0, 2.0, 10.0, 100.0], of_gamma, orders=2)


# --- the beta function and the distributions ---------------------------------------------------------------


def along(f: Callable[..., Any], xp: Any, args: tuple[float, ...], place: int) -> Callable[[Any], Any]:
    """A function of one of the arguments."""
    return lambda x: f(*(x if i == place else make(xp, [arg]) for i, arg in enumerate(args)))


BETA = [*product([0.1, 1.0, 9.5, 30.0, 1e6], [1e-10, 0.3, 3.0, 500.0]), (-1.5, 2.5), (2.2, -3.7)]


@pytest.mark.parametrize(("a", "b"), BETA)
def test_betaln(xp, a, b):
    total = mp.mpf(a) + mp.mpf(b)
    for place, x in enumerate((a, b)):
        f = along(xp.special.betaln, xp, (a, b), place)
        assert_derivatives(xp, f, [x], lambda x, order: mp.psi(order - 1, x) - mp.psi(order - 1, total), orders=2)


def test_betaln_of_huge_arguments(xp):
    by_a, by_b = xg.grad(xp.special.betaln, argnums=(0, 1))(make(xp, 1e300), make(xp, 2.0))
    np.testing.assert_allclose(to_numpy(by_a), -2e-300, rtol=1e-12)
    np.testing.assert_allclose(to_numpy(by_b), float(mp.psi(0, 2) - mp.log(mp.mpf(1e300))), rtol=1e-12)


BINOM = [
    *product([0.5, 3.0, 10.5, 120.0], [-2.0, -1.5, 0.3, 1.0, 2.0, 4.0, 5.0, 7.5]),
    *((-2.5, 1.0), (-2.5, -1.5), (-0.5, 0.3)),
]


@pytest.mark.parametrize(("n", "k"), BINOM)
def test_binom_is_smooth_also_where_it_is_zero(xp, n, k):
    def exact(n: Any, k: Any) -> Any:
        return mp.gamma(n + 1) * mp.rgamma(k + 1) * mp.rgamma(n - k + 1)

    size = float(abs(exact(n, k))) + 1e-3
    for place, x in enumerate((n, k)):

        def right(x: Any, order: int, place: int = place) -> Any:
            with mp.workdps(80):
                f = (lambda t: exact(t, mp.mpf(k))) if place == 0 else (lambda t: exact(mp.mpf(n), t))
                return mp.diff(f, x, order, h=mp.mpf(10) ** -15)

        want = [float(right(mp.mpf(x), order)) for order in (1, 2)]
        with np.errstate(all="ignore"):
            for mode in ("rev", "fwd"):
                g = along(xp.special.binom, xp, (n, k), place)
                for slope in want:
                    g = derivative(g, mode)
                    got = to_numpy(g(make(xp, [x])))
                    np.testing.assert_allclose(got, [slope], rtol=1e-10, atol=1e-13 * size)


@pytest.mark.parametrize("a", [0.3, 1.0, 1.5, 2.0, 10.0, 12.5, 100.0, 1e6])
def test_the_incomplete_gamma_functions(xp, a):
    def right(x: Any, order: int) -> Any:
        density = x ** (mp.mpf(a) - 1) * mp.exp(-x) / mp.gamma(a)
        return density if order == 1 else density * ((mp.mpf(a) - 1) / x - 1)

    xs = [a * share for share in (1e-3, 0.3, 0.7, 1.0 + 1e-3, 1.5, 2.5) if a < 1000 or abs(share - 1) < 0.01]
    assert_derivatives(xp, along(xp.special.gammainc, xp, (a, 0), 1), xs, right, orders=2)
    assert_derivatives(xp, along(xp.special.gammaincc, xp, (a, 0), 1), xs, lambda x, n: -right(x, n), orders=2)


AT_ZERO = {0.5: (inf, -inf), 1.0: (1, -1), 1.5: (0, inf), 2.0: (0, 1), 2.5: (0, 0), 3.0: (0, 0), 50.0: (0, 0)}


@pytest.mark.parametrize("mode", ["rev", "fwd"])
@pytest.mark.parametrize("a", AT_ZERO)
def test_gammainc_at_zero(xp, a, mode):
    g = along(xp.special.gammainc, xp, (a, 0), 1)
    with np.errstate(all="ignore"):
        for want in AT_ZERO[a]:
            g = derivative(g, mode)
            np.testing.assert_allclose(to_numpy(g(make(xp, [0.0]))), [want], rtol=1e-14)


@pytest.mark.parametrize(("a", "b"), [*product([0.3, 1.0, 2.0, 30.0, 1e3], [0.5, 1.0, 3.0, 40.0])])
def test_betainc(xp, a, b):
    def right(x: Any, order: int) -> Any:
        density = x ** (mp.mpf(a) - 1) * (1 - x) ** (mp.mpf(b) - 1) / mp.beta(a, b)
        return density if order == 1 else density * ((mp.mpf(a) - 1) / x - (mp.mpf(b) - 1) / (1 - x))

    xs = [0.3, 0.5, 0.9, 0.999, 1 - 1e-10]
    assert_derivatives(xp, along(xp.special.betainc, xp, (a, b, 0), 2), xs, right, orders=2, rtol=3e-11)


def beta_at_zero(a: float, b: float) -> tuple[float, float]:
    """The first two derivatives of betainc at 0."""
    scale = float(1 / mp.beta(a, b))
    if a < 1:
        return inf, -inf
    if a == 1:
        return scale, -scale * (b - 1)
    return 0.0, inf if a < 2 else scale if a == 2 else 0.0


@pytest.mark.parametrize("mode", ["rev", "fwd"])
@pytest.mark.parametrize(("a", "b"), [*product([0.5, 1.0, 1.5, 2.0, 2.5, 60.0], repeat=2)])
def test_betainc_at_its_ends(xp, a, b, mode):
    for end, (first, second) in ((0.0, beta_at_zero(a, b)), (1.0, beta_at_zero(b, a))):
        g = along(xp.special.betainc, xp, (a, b, 0), 2)
        with np.errstate(all="ignore"):
            for want in (first, second if end == 0 else -second):
                g = derivative(g, mode)
                np.testing.assert_allclose(to_numpy(g(make(xp, [end]))), [want], rtol=1e-12)


@pytest.mark.parametrize(("n", "d"), [*product([0.5, 2.0, 10.0, 200.0], [0.5, 4.0, 300.0])])
def test_the_f_distribution(xp, n, d):
    def right(x: Any, order: int) -> Any:
        p, q = mp.mpf(n), mp.mpf(d)
        density = (p / q) ** (p / 2) * x ** (p / 2 - 1) * (1 + p * x / q) ** (-(p + q) / 2) / mp.beta(p / 2, q / 2)
        return density if order == 1 else density * ((p / 2 - 1) / x - (p + q) / 2 * p / (q + p * x))

    xs = [1e-10, 0.01, 0.7, 1.1, 7.0] + ([1e20] if d < 10 else [])
    assert_derivatives(xp, along(xp.special.fdtr, xp, (n, d, 0), 2), xs, right, orders=2)
    assert_derivatives(xp, along(xp.special.fdtrc, xp, (n, d, 0), 2), xs, lambda x, k: -right(x, k), orders=2)


@pytest.mark.parametrize("mode", ["rev", "fwd"])
@pytest.mark.parametrize(("n", "want"), [(1.0, (inf, -inf)), (2.0, (1.0, -1.4)), (3.0, (0.0, inf)), (4.0, (0.0, 5.6))])
def test_the_f_distribution_at_zero(xp, n, want, mode):
    """For 5 degrees of freedom in the denominator; for n = 4, the slope is (4 / 5)**2 / beta(2, 5 / 2)."""
    g = along(xp.special.fdtr, xp, (n, 5.0, 0), 2)
    with np.errstate(all="ignore"):
        for each in want:
            g = derivative(g, mode)
            np.testing.assert_allclose(to_numpy(g(make(xp, [0.0]))), [each], rtol=1e-12)


# --- logistic functions and entropies ------------------------------------------------------------------------


def of_expit(x: Any, order: int) -> Any:
    e, f = 1 / (1 + mp.exp(-x)), 1 / (1 + mp.exp(x))
    return (
        e,
        e * f,
        e * f * (f - e),
        e * f * (f * f - 4 * e * f + e * e),
        e * f * (f - e) * (f * f - 10 * e * f + e * e),
    )[order]


LOGISTIC: dict[str, tuple[list[float], Callable[[Any, int], Any]]] = {
    "expit": ([-700.0, -100.0, -40.0, -3.0, -1.0, 1.0, 20.0, 40.0, 700.0], of_expit),
    "log_expit": ([-700.0, -40.0, -3.0, 1.0, 20.0, 40.0, 700.0], lambda x, n: (-1) ** (n - 1) * of_expit(-x, n - 1)),
    "logit": (
        [1e-70, 1e-20, 1e-5, 0.1, 0.3, 0.7, 0.999, 1 - 1e-15],
        lambda x, n: mp.factorial(n - 1) * ((-1) ** (n - 1) / x**n + 1 / (1 - x) ** n),
    ),
    "entr": (
        [1e-70, 1e-5, 0.3, 1.0, 5.0, 1e70],
        lambda x, n: -mp.log(x) - 1 if n == 1 else (-1) ** (n - 1) * mp.factorial(n - 2) / x ** (n - 1),
    ),
}


@pytest.mark.parametrize("name", LOGISTIC)
def test_logistic_functions(xp, name):
    xs, right = LOGISTIC[name]
    assert_derivatives(xp, getattr(xp.special, name), xs, right)


@pytest.mark.parametrize(
    ("name", "x", "want"),
    [("entr", 0.0, (inf, -inf)), ("logit", 0.0, (inf, -inf)), ("logit", 1.0, (inf, inf)), ("entr", -1.0, (0.0, 0.0))],
)
def test_logistic_functions_at_their_ends(xp, name, x, want):
    g = getattr(xp.special, name)
    with np.errstate(all="ignore"):
        for each in want:
            g = derivative(g, "rev")
            assert to_numpy(g(make(xp, [x]))).tolist() == [each]


@pytest.mark.parametrize("name", ["rel_entr", "kl_div"])
@pytest.mark.parametrize("x", [1e-100, 1e-5, 0.3, 1.0, 1.0 + 1e-9, 2.0, 1e100])
def test_relative_entropies(xp, name, x):
    for y in (1e-100, 1e-5, 0.3, 1.0, 1.5, 1e100):
        if not 1e-150 < x / y < 1e150:
            continue
        a, b, extra = mp.mpf(x), mp.mpf(y), int(name == "rel_entr")

        def by_x(x: Any, order: int, b: Any = b, extra: int = extra) -> Any:
            return mp.log(x / b) + extra if order == 1 else 1 / x

        def by_y(y: Any, order: int, a: Any = a, extra: int = extra) -> Any:
            return 1 - extra - a / y if order == 1 else a / y**2

        f = getattr(xp.special, name)
        assert_derivatives(xp, along(f, xp, (x, y), 0), [x], by_x, orders=2)
        assert_derivatives(xp, along(f, xp, (x, y), 1), [y], by_y, orders=2)


@pytest.mark.parametrize(
    ("name", "x", "y", "want"),
    [
        ("rel_entr", 0.0, 1.0, (-inf, 0.0)),  # the limit: log(0) + 1
        ("kl_div", 0.0, 1.0, (-inf, 1.0)),
        ("rel_entr", 0.0, 0.0, (0.0, 0.0)),  # by convention
        ("kl_div", 0.0, 0.0, (0.0, 1.0)),
        ("rel_entr", 1.0, -1.0, (0.0, 0.0)),  # outside of the domain
        ("kl_div", -1.0, 1.0, (0.0, 0.0)),
    ],
)
def test_relative_entropies_at_their_ends(xp, name, x, y, want):
    with np.errstate(all="ignore"):
        got = xg.grad(getattr(xp.special, name), argnums=(0, 1))(make(xp, x), make(xp, y))
    assert [float(to_numpy(g)) for g in got] == list(want)


# --- the gamma distribution by its concentration ------------------------------------------------------------------

CONCENTRATIONS = [1e-6, 1e-3, 0.02, 0.3, 0.9, 1.0, 2.5, 7.0, 40.0, 250.0, 3000.0]


def slopes(a: float, t: float) -> tuple[Any, Any]:
    """The derivative of a log-quantile by a, and its derivative by a, from the series of the incomplete gamma function."""
    a, t = mp.mpf(a), mp.mpf(t)
    x, n, term, rise = mp.exp(t), 0, mp.mpf(1), mp.digamma(a + 1) - t
    second, harmonic = mp.polygamma(1, a + 1), mp.mpf(0)
    total, by_a = term * rise, term * second
    while n < x or abs(term * rise * (1 + harmonic)) > abs(by_a) * mp.mpf(10) ** -40:
        n += 1
        term, rise = term * x / (a + n), rise + 1 / (a + n)
        second, harmonic = second - 1 / (a + n) ** 2, harmonic + 1 / (a + n)
        total, by_a = total + term * rise, by_a + term * (second - harmonic * rise)
    return total / a, by_a / a - total / a**2


@pytest.mark.parametrize("a", CONCENTRATIONS)
def test_gamma_slope_over_the_whole_distribution(backend, xp, a):
    if "special.gamma_slope" in backend.cannot:
        pytest.skip("the library has no special functions")
    levels = [1e-12, 1e-5, 0.03, 0.2, 0.5, 0.55, 0.6, 0.8, 0.97, 0.99999, 1 - 1e-12]
    quantiles = [x for x in special.gammaincinv(a, levels) if x > 0]
    ts = [-800.0, -9.0, *np.log(quantiles), *np.log([a + 0.4, a + 0.5, a + 0.6])]
    want = np.asarray([[float(each) for each in slopes(a, t)] for t in ts]).T
    t = make(xp, ts)
    for order, tolerance in ((0, 1e-13), (1, 3e-12)):
        got = to_numpy(xp.special.gamma_slope(make(xp, a), t, order=order))
        np.testing.assert_allclose(got, want[order], rtol=tolerance * max(1, a / 100))
    narrow = to_numpy(xp.special.gamma_slope(xp.asarray(a, dtype=xp.float32), make(xp, ts, "float32")))
    assert narrow.dtype == np.float32
    np.testing.assert_allclose(narrow, want[0], rtol=1e-5 * max(1, a / 100))


def test_gamma_slope_is_how_quantiles_move(backend, xp):
    if "special.gamma_slope" in backend.cannot:
        pytest.skip("the library has no special functions")
    a, levels, h = np.asarray([[0.4], [1.3], [25.0]]), np.asarray([0.01, 0.3, 0.7, 0.99]), 1e-3
    at = [np.log(special.gammaincinv(a + k * h, levels)) for k in (-2, -1, 0, 1, 2)]
    want = (8 * (at[3] - at[1]) - (at[4] - at[0])) / (12 * h)
    np.testing.assert_allclose(to_numpy(xp.special.gamma_slope(make(xp, a), make(xp, at[2]))), want, rtol=2e-9)


@pytest.mark.parametrize("name", ["gammainc", "gammaincc"])
def test_the_incomplete_gamma_function_by_its_parameter(backend, xp, name):
    if "special.gamma_slope" in backend.cannot:
        pytest.skip("the library has no special functions")
    function = getattr(xp.special, name)
    a, x = np.asarray([0.3, 1.0, 4.0, 9.0]), np.asarray([2.0, 1e-4, 3.5, 20.0])

    def right(i: int, order: int) -> Any:
        lower = 0 if name == "gammainc" else x[i]
        upper = x[i] if name == "gammainc" else mp.inf
        return mp.diff(lambda b: mp.gammainc(b, lower, upper, regularized=True), a[i], order)

    at, by_a = make(xp, a), lambda a: function(a, make(xp, x))
    for order in (1, 2):
        by_a = derivative(by_a, "rev")
        want = [float(right(i, order)) for i in range(len(a))]
        np.testing.assert_allclose(to_numpy(by_a(at)), want, rtol=1e-11)
    ends = to_numpy(derivative(lambda a: function(a, make(xp, [0.0, inf])), "fwd")(make(xp, [1.5, 2.0])))
    np.testing.assert_array_equal(ends, [0.0, 0.0])


# --- under vmap ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*BESSEL, "log_ndtr", "erfcx"])
def test_derivatives_under_vmap(xp, name):
    x = make(xp, [-3.0, 0.0, 1e-5, 12.0])
    third = derivative(derivative(derivative(getattr(xp.special, name), "rev"), "rev"), "rev")
    np.testing.assert_array_equal(to_numpy(xg.vmap(third)(x)), to_numpy(third(x)))
