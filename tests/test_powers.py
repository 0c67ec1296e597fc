"""Powers: fast versions for some exponents, to two units in the last place; and all mixed derivatives."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, to_numpy

EXPONENTS = [2, 3, 4, -1, -2, -3, 2.0, 3.0]
ROOTS = [0.5, 1.5, -0.5, -1.5]
DTYPES = ["float64", "float32"]


def units(got: np.ndarray[Any, Any], exact: list[Fraction]) -> float:
    """The largest error, in units in the last place of what is exact."""
    errors = []
    for g, e in zip(got, exact, strict=True):
        ulp = Fraction(float(np.spacing(np.abs(g.dtype.type(float(e))))))
        errors.append(float(abs(Fraction(float(g)) - e) / ulp))
    return max(errors)


def numbers(dtype: str, count: int = 500) -> np.ndarray[Any, Any]:
    values = np.random.default_rng(1).uniform(0.3, 3.0, count).astype(dtype)
    values[::2] *= -1
    return values


def derivative(x: Fraction, n: int, order: int) -> Fraction:
    factor = math.prod(n - k for k in range(order))
    return factor * x ** (n - order) if factor else Fraction(0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("exponent", EXPONENTS)
def test_a_power_and_its_derivatives_to_a_few_units(xp, exponent, dtype):
    values = numbers(dtype)
    x = make(xp, values)
    first = xg.grad(lambda x: xp.sum(x**exponent))
    second = xg.grad(lambda x: xp.sum(first(x)))
    for order, found in enumerate((x**exponent, first(x), second(x))):
        exact = [derivative(Fraction(float(v)), int(exponent), order) for v in values]
        got = to_numpy(found)
        if order == int(exponent) == 2:
            assert (got == 2).all()
        assert units(got, exact) <= 2 + 2 * order, (exponent, order)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("exponent", ROOTS)
def test_a_root_and_its_derivatives_to_a_few_units(xp, exponent, dtype):
    """The squares of all are rational: so are all of these powers at a square of a rational number."""
    roots = np.arange(1, 501)
    values = (roots**2).astype(dtype)  # at most 250,000: exact in float32
    x = make(xp, values)
    first = xg.grad(lambda x: xp.sum(x**exponent))
    second = xg.grad(lambda x: xp.sum(first(x)))
    n = Fraction(exponent)
    for order, found in enumerate((x**exponent, first(x), second(x))):
        factor = math.prod((n - k for k in range(order)), start=Fraction(1))
        exact = [factor * Fraction(int(r)) ** int(2 * (n - order)) for r in roots]
        assert units(to_numpy(found), exact) <= 2 + 2 * order, (exponent, order)


@pytest.mark.parametrize("exponent", [*EXPONENTS, *ROOTS, 0, 1, 5, 0.25, -4])
@pytest.mark.parametrize("length", [1, 40])
def test_special_values_are_the_librarys(backend, exponent, length):
    """Zeros with their signs, infinities and nan."""
    special = [0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -2.0]
    with np.errstate(all="ignore"):
        for values in (special, [0.0, 1.0], [math.inf, 1.0], [math.nan, 2.0], [1e-310, 1e-160, 1e160]):
            x = backend.asarray(np.asarray(values * length * 10))
            got, want = to_numpy(backend.xp.pow(x, exponent)), to_numpy(x**exponent)
            np.testing.assert_allclose(got, want, rtol=1e-15)
            np.testing.assert_array_equal(np.signbit(got[~np.isnan(got)]), np.signbit(want[~np.isnan(want)]))


@pytest.mark.parametrize("exponent", [2, 3, 4, -1, -2, 0.5])
def test_of_complex_arrays(xp, exponent):
    z = np.asarray([1 + 2j, -0.5 + 1j, -1 - 1j, 2 - 0.25j])
    x = make(xp, z)
    assert_matches(x**exponent, z**exponent, xp=xp, rtol=1e-15)
    moved = xg.jvp(lambda x: x**exponent, (x,), (xp.ones_like(x),))[1]
    assert_matches(moved, exponent * z ** (exponent - 1), xp=xp, rtol=2e-15)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("exponent", [np.int64(2), np.int8(3), np.float64(2.0), np.float32(0.5), np.float64(-1.0)])
def test_numpy_scalars_are_weak_exponents(xp, exponent, dtype):
    values = np.abs(numbers(dtype, 300))
    leaf = make(xp, values, requires_grad=True)
    plain = make(xp, values, requires_grad=True)
    for x, n in ((leaf, exponent), (plain, exponent.item())):
        y = x**n
        y.backward(xp.ones_like(y))
    assert_matches(leaf**exponent, to_numpy(plain ** exponent.item()), xp=xp, dtype=dtype, rtol=0)
    assert_matches(leaf.grad, to_numpy(plain.grad), xp=xp, dtype=dtype, rtol=0)


def test_a_power_of_one_is_no_view(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    y = x**1
    y.backward(make(xp, [3.0, 5.0]))
    g = x.grad
    assert_matches(g, [3.0, 5.0], xp=xp)
    t = x.detach()
    z = t**1
    z[0] = 7.0
    assert_matches(t, [1.0, 2.0], xp=xp)


# --- mixed derivatives --------------------------------------------------------------------------------------


def mixed(x: Any, y: Any, word: str) -> float:
    """x ** y differentiated by each letter in turn, as a polynomial in log(x): its coefficients are functions of y."""
    # x**(y - k) * sum(c[j](y) * log(x)**j); each coefficient is a polynomial in y, lowest power first.
    power, terms = 0, {0: np.polynomial.Polynomial([1.0])}
    for letter in word:
        new: dict[int, Any] = {}
        for j, c in terms.items():
            parts = [(j + 1, c), (j, c.deriv())] if letter == "y" else [(j, c * [-power, 1.0]), (j - 1, c * j)]
            for k, part in parts:
                new[k] = new.get(k, np.polynomial.Polynomial([0.0])) + part
        power += letter == "x"
        terms = {k: c for k, c in new.items() if k >= 0}
    return float(x ** (y - power) * sum(c(y) * math.log(x) ** j for j, c in terms.items()))


WORDS = ["".join(word) for k in (1, 2, 3) for word in itertools.product("xy", repeat=k)]


@pytest.mark.parametrize("y", [0.0, 1.0, 2.0, -1.0, 0.5])
@pytest.mark.parametrize("x", [23.0, 0.5])
def test_every_mixed_derivative(xp, x, y):
    assert mixed(23.0, 0.0, "xy") == pytest.approx(1 / 23)
    for word in WORDS:
        f: Any = lambda x, y: xp.sum(xp.pow(x, y))  # noqa: E731
        for letter in word:
            f = (lambda g: lambda x, y: xp.sum(g(x, y)))(xg.grad(f, argnums="xy".index(letter)))
        got = f(make(xp, [x]), make(xp, [y])).item()
        assert got == pytest.approx(mixed(x, y, word), rel=1e-12, abs=1e-14), word


@pytest.mark.parametrize("y", [0.0, 1.0, 2.0, 3.0])
def test_the_hessian_is_symmetric(xp, y):
    hessian = to_numpy(xg.hessian(lambda p: p[0] ** p[1])(make(xp, [2.0, y])))
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-14)
    assert hessian[0, 1] == pytest.approx(mixed(2.0, y, "xy"), rel=1e-14)


def test_forward_mode_and_vmap_at_an_exponent_of_zero(xp):
    x, y, one = make(xp, [23.0, 2.0]), make(xp, [0.0, 0.0]), make(xp, [1.0, 1.0])
    slope = lambda x, y: xg.jvp(lambda x: xp.pow(x, y), (x,), (one,))[1]  # noqa: E731
    assert_matches(xg.jvp(lambda y: slope(x, y), (y,), (one,))[1], [1 / 23, 0.5], xp=xp)
    each = xg.vmap(xg.grad(lambda y, x: xg.grad(lambda x: xp.pow(x, y))(x)))(y, x)
    assert_matches(each, [1 / 23, 0.5], xp=xp)


@pytest.mark.parametrize(("y", "first", "second"), [(0.0, 0.0, 0.0), (1.0, 1.0, 0.0), (2.0, 0.0, 2.0), (3.0, 0.0, 0.0)])
def test_at_zero_and_at_negative_bases(xp, y, first, second):
    """By the base, where the exponent is an array: JAX has nan for some of these, and they are plain polynomials."""
    exponent = make(xp, [y])
    slope = xg.grad(lambda x: xp.sum(xp.pow(x, exponent)))
    bend = xg.grad(lambda x: xp.sum(slope(x)))
    assert_matches(slope(make(xp, [0.0])), [first], xp=xp)
    assert_matches(bend(make(xp, [0.0])), [second], xp=xp)
    assert_matches(slope(make(xp, [-2.0])), [y * (-2.0) ** (y - 1)], xp=xp)
    assert_matches(bend(make(xp, [-2.0])), [y * (y - 1) * (-2.0) ** (y - 2)], xp=xp)


def test_by_the_exponent_where_the_power_vanishes(xp):
    """The limits: 0**y for y > 0, inf**y for y < 0, and 0 at 0**0, as PyTorch has it."""
    base, exponent = make(xp, [0.0, 0.0, math.inf, math.inf]), make(xp, [2.0, 0.0, -1.0, -0.5])
    got = xg.grad(lambda y: xp.sum(xp.where(xp.isfinite(xp.pow(base, y)), xp.pow(base, y), 0.0)))(exponent)
    assert_matches(got, [0.0, 0.0, 0.0, 0.0], xp=xp)


def test_a_tiny_base_and_an_exponent_of_zero(xp):
    with np.errstate(over="ignore"):
        got = xg.grad(lambda x: xp.sum(xp.pow(x, make(xp, [0.0]))))(make(xp, [1e-310]))
        assert_matches(got, [0.0], xp=xp)
