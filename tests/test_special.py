"""The special functions where their laws do not reach: edges, bad input, missing libraries, and SciPy's way to them."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from scipy import special

import xgrad as xg
from tests.helpers import assert_close, assert_matches, make, to_numpy
from xgrad.backends import load
from xgrad.backends.special import CuPySpecial, SciPySpecial


def edges(x):
    return [(a, b) for a in x for b in x]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("xlogy", [0.0, 1.0, 2.0, math.inf, math.nan]),
        ("xlog1py", [0.0, 1.0, 2.0, math.inf, math.nan]),
        ("rel_entr", [-1.0, 0.0, 1.0, 2.0, math.nan]),
        ("kl_div", [-1.0, 0.0, 1.0, 2.0, math.nan]),
    ],
)
def test_values_at_the_edges_are_scipys(xp, name, values):
    a, b = np.asarray(edges(values)).T
    with np.errstate(all="ignore"):
        got = getattr(xp.special, name)(make(xp, a), make(xp, b))
        np.testing.assert_allclose(to_numpy(got), getattr(special, name)(a, b))


def test_entr_outside_of_its_domain(xp):
    x = [-1.0, 0.0, 1.0, math.nan]
    np.testing.assert_allclose(to_numpy(xp.special.entr(make(xp, x))), special.entr(x))


def test_xlogy_at_zero(xp):
    x, y = make(xp, [0.0, 0.0, 2.0]), make(xp, [0.0, 3.0, 4.0])
    by_x, by_y = xg.grad(lambda x, y: xp.sum(xp.special.xlogy(x, y)), argnums=(0, 1))(x, y)
    assert_matches(by_x, [0.0, np.log(3.0), np.log(4.0)], xp=xp)
    assert_matches(by_y, [0.0, 0.0, 0.5], xp=xp)


@pytest.mark.parametrize("axis", [None, 0, (0, 1)])
def test_logsumexp_with_weights_of_zero_and_large_arguments(xp, axis):
    a, b = np.asarray([[1e3, 1.0], [1e3 + 1, 2.0]]), np.asarray([[1.0, 0.0], [2.0, 3.0]])
    got = xp.special.logsumexp(make(xp, a), axis=axis, b=make(xp, b))
    assert_matches(got, special.logsumexp(a, axis=axis, b=b), xp=xp)


def test_the_gradient_of_log_ndtr_far_out():
    x = xg.asarray([-1e4, -30.0, 0.0, 30.0])
    g = xg.grad(lambda x: xg.sum(xg.special.log_ndtr(x)))(x)
    # The inverse of Mills' ratio: x + 1 / x - 2 / x**3 ... on the left.
    assert_close(to_numpy(g)[:2], [1e4 + 1e-4, 30 + 1 / 30 - 2 / 30**3], 1e-6)
    assert_close(to_numpy(g)[2:], [math.sqrt(2 / math.pi), 0.0], 1e-12)


def test_bessel_functions_at_zero():
    x = xg.asarray([0.0])
    for name, slope in (("i0", 0.0), ("i1", 0.5), ("i1e", 0.5), ("j0", 0.0), ("j1", 0.5)):
        assert xg.grad(lambda x, name=name: xg.sum(getattr(xg.special, name)(x)))(x).item() == slope


def test_betainc_is_scipys(backend, xp):
    """Also where a library has none, and the backend makes it."""
    if backend.name == "strict":
        pytest.skip("the library has no special functions")
    a, b = np.asarray(edges([0.2, 1.0, 7.5, 80.0, 2000.0])).T
    x = a / (a + b) * np.asarray([[0.0], [0.4], [0.9], [1.0], [1.05]])
    x = np.concatenate([np.minimum(x, 1.0), np.ones((1, len(a)))])
    got = xp.special.betainc(make(xp, a), make(xp, b), make(xp, x))
    assert_matches(got, special.betainc(a, b, x), xp=xp, rtol=1e-11)


def test_arrays_of_two_dtypes_are_promoted_first(backend, xp):
    x = make(xp, [0.3, 0.5])
    got = xp.special.xlogy(make(xp, 0.1, "float32"), x)
    assert_matches(got, special.xlogy(np.float64(np.float32(0.1)), [0.3, 0.5]), xp=xp)
    if backend.name != "strict":
        got = xp.special.betainc(make(xp, 0.1, "float32"), make(xp, 2), x)
        assert_matches(got, special.betainc(np.float64(np.float32(0.1)), 2.0, [0.3, 0.5]), xp=xp)


# --- what is not known is an error, not a zero ----------------------------------------------------------


@pytest.mark.parametrize("name", ["gammainc", "gammaincc", "betainc"])
def test_a_derivative_that_is_not_known_is_an_error(name):
    last = xg.asarray(0.5)

    def f(a):
        return getattr(xg.special, name)(a, *([2.0] if name == "betainc" else []), last)

    with pytest.raises(NotImplementedError, match=f"special.{name}: the derivative by a is not known"):
        xg.grad(f)(1.5)
    with pytest.raises(NotImplementedError, match="the derivative by a is not known"):
        xg.jvp(f, (1.5,), (1.0,))


@pytest.mark.parametrize("n", [-1, 0.5, np.asarray([1, 2])])
def test_polygamma_refuses_other_orders(n):
    with pytest.raises(ValueError, match="polygamma: n is"):
        xg.special.polygamma(n, xg.asarray(1.0))


def test_orders_of_polygamma_may_be_0_d_arrays():
    assert xg.special.polygamma(xg.asarray(1), xg.asarray(1.0)).item() == pytest.approx(math.pi**2 / 6)


# --- libraries ------------------------------------------------------------------------------------------


def test_a_library_without_special_functions_says_so():
    with (
        xg.use_backend("strict"),
        pytest.raises(NotImplementedError, match=r"'strict' cannot do special\.erf: it has no special"),
    ):
        xg.special.erf(xg.asarray([1.0]))


def test_without_scipy_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    with pytest.raises(
        ImportError, match=r"special.erf of numpy arrays needs scipy.special: pip install 'xgrad\[scipy\]'"
    ):
        SciPySpecial("numpy").erf(1.0)


def test_a_function_that_the_library_lacks_is_named():
    with pytest.raises(NotImplementedError, match=r"special\.nonsense is not to be had.*no such function"):
        SciPySpecial("numpy").nonsense  # noqa: B018


def test_what_is_made_of_others_needs_no_scipy(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    assert xg.special.expit(xg.asarray(0.0)).item() == 0.5


def test_cupys_functions_are_in_cupyx():
    assert CuPySpecial.module == "cupyx.scipy.special"


def test_scipy_finds_the_functions_in_the_namespace():
    x = xg.asarray([0.5], requires_grad=True)
    special.erf(x).backward(xg.asarray([1.0]))
    assert_close(to_numpy(x.grad), [2 / math.sqrt(math.pi) * math.exp(-0.25)], 1e-12)


def test_raw_arrays_keep_their_backend():
    numpy = load("numpy")
    with xg.use_backend("strict"):
        assert xg.special.logit(np.asarray([0.5])).backend is numpy
        assert xg.special.entr(np.asarray([0.5])).backend is numpy
