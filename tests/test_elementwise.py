"""Elementwise derivatives at the ends of the range, against mpmath: nothing overflows, underflows or cancels inside a rule."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, to_numpy

mp: Any = pytest.importorskip("mpmath")

LONG = 300  # beyond the length from which NumPy's backend takes another way
HUGE = {"float64": [1e10, 1e160, 1e200, 1e300], "float32": [1e10, 1e20, 1e25, 1e35]}
SMALL = {"float64": [1e-10, 1e-170, 1e-200, 1e-310], "float32": [1e-10, 1e-22, 1e-30, 1e-40]}
NEAR_ONE = {"float64": 2.0**-52, "float32": 2.0**-23}
DTYPES = ["float64", "float32"]

# name -> (what it is for, the first derivative, the second; None where it cancels as PyTorch's does)
Derivative = Callable[[Any], Any]
Row = tuple[str, Derivative, Derivative | None]
FUNCTIONS: dict[str, Row] = {
    "reciprocal": ("small huge negative", lambda x: -1 / x**2, lambda x: 2 / x**3),
    "sqrt": ("small huge", lambda x: 1 / (2 * mp.sqrt(x)), lambda x: -1 / (4 * mp.sqrt(x) ** 3)),
    "log": ("small huge", lambda x: 1 / x, lambda x: -1 / x**2),
    "log2": ("small huge", lambda x: 1 / (x * mp.log(2)), lambda x: -1 / (x**2 * mp.log(2))),
    "log10": ("small huge", lambda x: 1 / (x * mp.log(10)), lambda x: -1 / (x**2 * mp.log(10))),
    "log1p": ("small huge", lambda x: 1 / (1 + x), lambda x: -1 / (1 + x) ** 2),
    "expm1": ("small negative tail", mp.exp, mp.exp),
    "asin": ("small negative edge", lambda x: 1 / mp.sqrt(1 - x * x), None),
    "acos": ("small negative edge", lambda x: -1 / mp.sqrt(1 - x * x), None),
    "atanh": ("small negative edge", lambda x: 1 / (1 - x * x), None),
    "acosh": ("beyond huge", lambda x: 1 / mp.sqrt(x * x - 1), lambda x: -x / mp.sqrt(x * x - 1) ** 3),
    "asinh": ("small huge negative", lambda x: 1 / mp.sqrt(1 + x * x), lambda x: -x / mp.sqrt(1 + x * x) ** 3),
    "atan": ("small huge negative", lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2),
    "sigmoid": ("tail", lambda x: mp.exp(x) / (1 + mp.exp(x)) ** 2, None),
    "softplus": ("small tail negative", lambda x: 1 / (1 + mp.exp(-x)), None),
}


def points(kinds: str, dtype: str) -> list[float]:
    """Where a function is to be tried, as numbers of the dtype."""
    e = NEAR_ONE[dtype]
    found = [0.3, 0.7] if "beyond" not in kinds else [1.3, 1 + e]
    found += SMALL[dtype] if "small" in kinds else []
    found += HUGE[dtype] if "huge" in kinds else []
    found += [1 - e] if "edge" in kinds else []
    found += [-x for x in found] if "negative" in kinds else []
    found += [-5.0, -20.0, -50.0, -85.0] if "tail" in kinds else []
    return [float(np.asarray(x, dtype)) for x in found]


def assert_is(got: float, want: Any, dtype: str, what: str) -> None:
    """To 16 eps of the number itself; an infinity where it is too large; less well where it is subnormal."""
    limits = np.finfo(dtype)
    if abs(want) > float(limits.max):
        assert got == math.copysign(math.inf, want), what
        return
    rounding = 16 * float(limits.eps) * abs(want)
    flushed = float(limits.smallest_normal) if abs(want) < 2 * float(limits.smallest_normal) else 0.0
    assert abs(mp.mpf(got) - want) <= max(rounding, flushed), f"{what}: {got}, not {mp.nstr(want, 17)}"


@pytest.mark.parametrize("length", [1, LONG])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_of_one_array(xp, name, dtype, length):
    kinds, first, second = FUNCTIONS[name]
    function = getattr(xp, name)

    def slope(x):
        return xg.grad(lambda x: xp.sum(function(x)))(x)

    def bend(x):
        return xg.grad(lambda x: xp.sum(slope(x)))(x)

    for value in points(kinds, dtype):
        x = make(xp, np.full(length, value), dtype)
        with mp.workdps(700):
            exact = mp.mpf(value)
            wants = [first(exact), *([second(exact)] if second else [])]
        for want, derivative in zip(wants, (slope, bend), strict=False):
            if abs(want) > float(np.finfo(dtype).max):
                continue  # the library warns that it overflows, as it should
            what = f"{name} at {value}"
            assert_is(float(to_numpy(derivative(x))[-1]), want, dtype, f"{derivative.__name__} of {what}")
            if derivative is slope:
                moved = xg.jvp(function, (x,), (xp.ones_like(x),))[1]
                assert_is(float(to_numpy(moved)[-1]), want, dtype, f"tangent of {what}")


OF_TWO: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = {
    "atan2": (lambda x, y: y / (x * x + y * y), lambda x, y: -x / (x * x + y * y)),
    "hypot": (lambda x, y: x / mp.sqrt(x * x + y * y), lambda x, y: y / mp.sqrt(x * x + y * y)),
}


@pytest.mark.parametrize("length", [1, LONG])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OF_TWO)
def test_of_two_arrays(xp, name, dtype, length):
    values = [1.5, SMALL[dtype][1], SMALL[dtype][2], HUGE[dtype][1], HUGE[dtype][2]]
    values = [float(np.asarray(v, dtype)) for v in values]
    for x, y in itertools.product([*values, -values[-1]], values):
        arrays = [make(xp, np.full(length, v), dtype) for v in (x, y)]
        got = xg.grad(lambda x, y: xp.sum(getattr(xp, name)(x, y)), argnums=(0, 1))(*arrays)
        for part, rule in zip(got, OF_TWO[name], strict=True):
            with mp.workdps(700):
                want = rule(mp.mpf(x), mp.mpf(y))
            assert_is(float(to_numpy(part)[-1]), want, dtype, f"{name} at {x}, {y}")


@pytest.mark.parametrize("length", [1, LONG])
def test_atan2_far_out(xp, length):
    """At infinity the angle no longer changes."""
    for x, y in ((math.inf, 1.0), (1.0, math.inf), (-math.inf, 2.0)):
        arrays = [make(xp, np.full(length, v)) for v in (x, y)]
        for part in xg.grad(lambda x, y: xp.sum(xp.atan2(x, y)), argnums=(0, 1))(*arrays):
            assert_matches(part, np.zeros(length), xp=xp)


COMPLEX: dict[str, Derivative] = {
    "asin": lambda z: 1 / (mp.sqrt(1 - z) * mp.sqrt(1 + z)),
    "acos": lambda z: -1 / (mp.sqrt(1 - z) * mp.sqrt(1 + z)),
    "atan": lambda z: 1 / (1 + z * z),
    "asinh": lambda z: 1 / (mp.sqrt(1 + 1j * z) * mp.sqrt(1 - 1j * z)),
    "acosh": lambda z: 1 / (mp.sqrt(z - 1) * mp.sqrt(z + 1)),
    "atanh": lambda z: 1 / (1 - z * z),
    "log10": lambda z: 1 / (z * mp.log(10)),
    "reciprocal": lambda z: -1 / z**2,
}


@pytest.mark.parametrize(("dtype", "size"), [("complex128", 1e200), ("complex128", 1.3), ("complex64", 1e25)])
@pytest.mark.parametrize("name", COMPLEX)
def test_of_a_complex_array(xp, name, dtype, size):
    for direction in (1 + 1j, -1 + 2j, -0.5 - 1j):
        z = complex(np.asarray(size * direction, dtype))
        x = make(xp, [z], dtype)
        got = complex(to_numpy(xg.jvp(getattr(xp, name), (x,), (xp.ones_like(x),))[1])[0])
        with mp.workdps(700):
            want = complex(COMPLEX[name](mp.mpc(z)))
        limits = np.finfo(dtype)
        assert abs(got - want) <= 32 * float(limits.eps) * abs(want) + float(limits.smallest_normal), (name, z)


def test_the_sign_of_a_complex_zero_has_no_sign(xp):
    zeros = [complex(a, b) for a in (0.0, -0.0) for b in (0.0, -0.0)]
    signs = to_numpy(xp.sign(make(xp, zeros)))
    assert not signs.any()
    assert not np.signbit(signs.real).any()
    assert not np.signbit(signs.imag).any()
    assert_matches(xp.sign(make(xp, [-3.0 - 4.0j])), [-0.6 - 0.8j], xp=xp, rtol=1e-15)


# --- equal infinities ---------------------------------------------------------------------------------------

INF = math.inf
SHARES = {  # of the two in logaddexp
    (-INF, -INF): (0.5, 0.5),
    (INF, INF): (0.5, 0.5),
    (INF, 1.0): (1.0, 0.0),
    (-INF, 1.0): (0.0, 1.0),
    (INF, -INF): (1.0, 0.0),
    (2.0, 2.0): (0.5, 0.5),
}


@pytest.mark.parametrize("pair", SHARES)
def test_logaddexp_of_infinities(xp, pair):
    a, b = (make(xp, [v, 0.0], requires_grad=True) for v in pair)
    y = xp.logaddexp(a, b)
    y.backward(xp.ones_like(y))
    for leaf, share in zip((a, b), SHARES[pair], strict=True):
        assert_matches(leaf.grad, [share, 0.5], xp=xp)
    moved = xg.jvp(xp.logaddexp, (a.detach(), b.detach()), (xp.ones_like(a), xp.zeros_like(b)))[1]
    assert_matches(moved, [SHARES[pair][0], 0.5], xp=xp)


def test_logaddexp_of_an_infinity_and_a_number(xp):
    for number in (INF, -INF, 3.0):
        got = xg.grad(lambda x, n=number: xp.sum(xp.logaddexp(x, n)))(make(xp, [number]))
        assert_matches(got, [0.5], xp=xp)


def test_the_second_derivative_of_logaddexp_at_a_tie(xp):
    second = xg.grad(lambda x: xp.sum(xg.grad(lambda x: xp.sum(xp.logaddexp(x, make(xp, [2.0]))))(x)))(make(xp, [2.0]))
    assert_matches(second, [0.25], xp=xp)


def test_logaddexp_of_infinities_under_vmap(xp):
    got = xg.vmap(lambda a, b: xp.logaddexp(a, b))(make(xp, [-INF, 0.0]), make(xp, [-INF, 0.0]))
    assert_matches(got, [-INF, math.log(2)], xp=xp)
