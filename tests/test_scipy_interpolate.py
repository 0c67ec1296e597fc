"""xgrad.scipy.interpolate: SciPy's splines, and their derivatives by knots, values, conditions and places."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy
from xgrad.scipy.interpolate.tridiagonal import solve_tridiagonal

scipy_interpolate = pytest.importorskip("scipy.interpolate")
interpolate = xg.scipy.interpolate
CubicSpline, CubicHermiteSpline, PchipInterpolator = (
    interpolate.CubicSpline, interpolate.CubicHermiteSpline, interpolate.PchipInterpolator
)  # fmt: skip

RNG = np.random.default_rng(5)
KNOTS = np.cumsum(RNG.uniform(0.3, 1.5, size=9))
VALUES = RNG.normal(size=9)
NAMES = ("not-a-knot", "natural", "clamped")
ENDS = [(a, b) for a in NAMES for b in NAMES] + [((1, 0.7), (2, -0.4)), ((2, 0.3), "not-a-knot"), "periodic"]


def places(x):
    """Places in all intervals, at the knots and beyond them."""
    return np.concatenate([np.linspace(x[0] - 0.5, x[-1] + 0.7, 23), x])


def data(n, bc):
    x, y = KNOTS[:n], VALUES[:n].copy()
    if bc == "periodic":
        y[-1] = y[0]
    return x, y


@pytest.mark.parametrize("bc", ENDS, ids=str)
def test_cubic_splines_are_scipys(xp, bc):
    for n in range(2, 10):
        x, y = data(n, bc)
        want = scipy_interpolate.CubicSpline(x, y, bc_type=bc)
        found = CubicSpline(make(xp, x), make(xp, y), bc_type=bc)
        at = places(x)
        assert_close(to_numpy(found.c), want.c, 1e-11, f"{n} knots")
        for nu in (1, 2):
            theirs, ours = want.antiderivative(nu)(at), found.antiderivative(nu)(make(xp, at))
            inside = np.s_[:] if bc != "periodic" else np.s_[23:]  # beyond its knots it is nan
            assert_close(to_numpy(ours)[inside], theirs[inside], 1e-11, f"{n} knots, {nu} integrals", floor=1.0)
        for nu in (0, 1, 2, 3, 4):
            theirs = want(at, nu, extrapolate=True)
            assert_close(
                to_numpy(found(make(xp, at), nu, extrapolate=True)), theirs, 1e-10, f"{n} knots, nu={nu}", floor=1.0
            )


@pytest.mark.parametrize("bc", ENDS, ids=str)
def test_derivatives_are_differences(xp, bc):
    for n in (2, 3, 4, 7):
        x, y = data(n, bc)
        at = make(xp, places(x)[1:22:4] + 0.013)

        def f(x, y, at, *values, bc=bc):
            if bc == "periodic":
                y = xp.concat([y, y[:1]])
            elif values:
                bc = ((1, values[0]), (2, values[1]))
            return CubicSpline(x, y, bc_type=bc, extrapolate=True)(at)

        values = [make(xp, 0.7), make(xp, -0.4)] if bc == ((1, 0.7), (2, -0.4)) else []
        given = make(xp, x), make(xp, y[:-1] if bc == "periodic" else y), at, *values
        order = 2 if n == 4 and xp.empty(0).backend.name == "numpy" else 1
        xg.check_grads(f, *given, order=order, rtol=1e-6, atol=1e-6)


def test_axes_and_shapes(xp):
    y = RNG.normal(size=(2, 9, 3))
    at = RNG.uniform(1.0, 5.0, size=(4, 2))
    for axis in (1, -2):
        want = scipy_interpolate.CubicSpline(KNOTS, y, axis=axis)
        found = CubicSpline(make(xp, KNOTS), make(xp, y), axis=axis)
        assert found(make(xp, at)).shape == (2, 4, 2, 3)
        assert_close(to_numpy(found(make(xp, at))), want(at), 1e-12)
        assert_close(to_numpy(found(2.5)), want(2.5), 1e-12)
        assert_close(to_numpy(found(at, 1)), want(at, 1), 1e-12)
        assert_close(to_numpy(found.integrate(1.0, 4.0)), want.integrate(1.0, 4.0), 1e-12)
        assert_close(to_numpy(found.derivative()(at)), want.derivative()(at), 1e-12)
    conditions = ((1, y[:, 0]), (2, y[:, 1]))
    want = scipy_interpolate.CubicSpline(KNOTS, y, axis=1, bc_type=conditions)
    found = CubicSpline(make(xp, KNOTS), y, axis=1, bc_type=tuple((order, make(xp, v)) for order, v in conditions))
    assert_close(to_numpy(found(at)), want(at), 1e-12)


def test_complex_values(xp):
    y = VALUES + 1j * RNG.normal(size=9)
    for bc in ("not-a-knot", ((1, 0.5j), (2, 1.0))):
        want = scipy_interpolate.CubicSpline(KNOTS, y, bc_type=bc)
        assert_close(to_numpy(CubicSpline(make(xp, KNOTS), make(xp, y), bc_type=bc)(2.0)), want(2.0), 1e-12)
    real = scipy_interpolate.CubicSpline(KNOTS, VALUES, bc_type=((1, 0.5j), (2, 1.0)))
    assert_close(
        to_numpy(CubicSpline(make(xp, KNOTS), make(xp, VALUES), bc_type=((1, 0.5j), (2, 1.0)))(2.0)), real(2.0), 1e-12
    )


@pytest.mark.parametrize("extrapolate", [True, False, "periodic"])
def test_beyond_the_knots(xp, extrapolate):
    x, y = data(9, "periodic")
    want = scipy_interpolate.CubicSpline(x, y, bc_type="periodic", extrapolate=extrapolate)
    found = CubicSpline(make(xp, x), make(xp, y), bc_type="periodic", extrapolate=extrapolate)
    at = np.concatenate([places(x), [np.nan, 20.0, -13.0]])
    assert_close(to_numpy(found(make(xp, at))), want(at), 1e-11)
    for nu in (1, 3):
        assert_close(to_numpy(found(make(xp, at), nu)), want(at, nu), 1e-11)
    for a, b in ((1.0, 4.0), (4.0, 1.0), (-3.0, 2.0), (0.5, 30.0), (-20.0, -3.0)):
        assert_close(to_numpy(found.integrate(a, make(xp, b))), want.integrate(a, b), 1e-11, f"{a} to {b}", floor=1.0)
    if extrapolate:
        xg.check_grads(lambda a, b: found.integrate(a, b), make(xp, 0.6), make(xp, 9.0))


def test_the_default_of_a_periodic_spline(xp):
    x, y = data(9, "periodic")
    found = CubicSpline(make(xp, x), make(xp, y), bc_type="periodic")
    assert found.extrapolate == "periodic"
    assert_close(to_numpy(found(x[0] + 0.3)), to_numpy(found(x[-1] + 0.3)), 1e-12)
    assert found.antiderivative().extrapolate is False


def test_the_spline_of_a_cubic_is_the_cubic(xp):
    x = make(xp, KNOTS)
    f = CubicSpline(x, x**3 - 2.0 * x)
    at = make(xp, places(KNOTS))
    assert_close(to_numpy(f(at)), to_numpy(at**3 - 2.0 * at), 1e-12)
    assert_close(to_numpy(f(at, 2)), to_numpy(6.0 * at), 1e-11)
    assert_close(to_numpy(f.antiderivative(2)(at, 2)), to_numpy(f(at)), 1e-12)
    assert_close(to_numpy(f.derivative(-1).derivative()(at)), to_numpy(f(at)), 1e-12)


def test_other_interpolators_are_scipys(xp):
    y = np.stack([VALUES, np.cumsum(np.abs(VALUES)), np.array([0.0, 0, 1, 1, 2, 5, 5, 4, 0])], axis=1)
    slopes = RNG.normal(size=y.shape)
    at = places(KNOTS)
    for n in range(2, 10):
        x = KNOTS[:n]
        for name, given in (("PchipInterpolator", (y[:n],)), ("CubicHermiteSpline", (y[:n], slopes[:n]))):
            want = getattr(scipy_interpolate, name)(x, *given)
            found = getattr(interpolate, name)(make(xp, x), *(make(xp, value) for value in given))
            assert_close(to_numpy(found(at)), want(at), 1e-11, f"{name} of {n} knots")
            assert_close(to_numpy(found(at, 1)), want(at, 1), 1e-11, f"{name} of {n} knots")
    inner = make(xp, np.linspace(2.0, 4.0, 5) + 0.01)
    xg.check_grads(lambda x, y: PchipInterpolator(x, y)(inner), make(xp, KNOTS), make(xp, y[:, :2]), order=2, rtol=1e-6)
    xg.check_grads(
        lambda x, y, s: CubicHermiteSpline(x, y, s)(inner), *(make(xp, v) for v in (KNOTS, y, slopes)), rtol=1e-6
    )


def test_a_spline_with_many_knots(xp):
    x = np.cumsum(RNG.uniform(1e-3, 1.0, size=500))
    y = np.sin(x)
    want = scipy_interpolate.CubicSpline(x, y)
    at = np.linspace(x[0], x[-1], 99)
    assert_close(to_numpy(CubicSpline(make(xp, x), make(xp, y))(at)), want(at), 1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 13])
def test_tridiagonal_systems(xp, n):
    low, up, b = RNG.normal(size=n), RNG.normal(size=n), RNG.normal(size=(n, 2))
    mid = 2.5 + np.abs(low) + np.abs(up)
    matrix = np.diag(mid) + np.diag(low[1:], -1) + np.diag(up[:-1], 1)
    assert_close(
        to_numpy(solve_tridiagonal(*(make(xp, v) for v in (low, mid, up, b)))), np.linalg.solve(matrix, b), 1e-13
    )


def test_single_precision_and_integers(xp):
    f = CubicSpline(make(xp, KNOTS, "float32"), make(xp, VALUES, "float32"))
    at = make(xp, [2.0], "float32")
    for y in (f(at), f(at, 1), f.integrate(1.0, 2.0), PchipInterpolator(f.x, make(xp, VALUES, "float32"))(at)):
        assert y.dtype == xp.float32
    assert_close(to_numpy(f(at)), scipy_interpolate.CubicSpline(KNOTS, VALUES)([2.0]), 1e-5)
    f = CubicSpline(make(xp, [0, 1, 2, 3], "int64"), make(xp, [0, 1, 8, 27], "int64"))
    assert f(make(xp, 2, "int64")).item() == 8.0
    assert CubicSpline(make(xp, KNOTS), make(xp, np.zeros((9, 0))))(2.0).shape == (0,)


def test_vmap(xp):
    ys = make(xp, RNG.normal(size=(3, 9)))
    x, at = make(xp, KNOTS), make(xp, [1.5, 3.0])
    found = to_numpy(xg.vmap(lambda y: CubicSpline(x, y)(at))(ys))
    assert_close(found, to_numpy(CubicSpline(x, ys, axis=1)(at)), 1e-12)
    f = CubicSpline(x, ys[0])
    assert_close(to_numpy(xg.vmap(xg.grad(f))(at)), to_numpy(f(at, 1)), 1e-12)


# --- plain arrays ---------------------------------------------------------------------------------------------


def test_plain_arrays_are_scipys(xp):
    at = places(KNOTS)
    for name in ("CubicSpline", "PchipInterpolator"):
        found, want = (getattr(m, name)(KNOTS, VALUES) for m in (interpolate, scipy_interpolate))
        assert isinstance(found, getattr(scipy_interpolate, name))
        np.testing.assert_array_equal(found(at), want(at))
        np.testing.assert_array_equal(found.derivative()(at), want.derivative()(at))
        for again in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):
            np.testing.assert_array_equal(again(at), want(at))
        assert_close(to_numpy(found(make(xp, at))), want(at), 1e-12)
        slopes = to_numpy(xg.jacobian(found)(make(xp, at[2:4])))
        assert_close(np.diag(slopes), want(at[2:4], 1), 1e-12)
        assert_close(to_numpy(found.derivative()(make(xp, at))), want(at, 1), 1e-12)
    assert interpolate.interp1d([0, 1], [0, 2])(0.5) == 1.0


def test_wrong_arguments_are_named(xp):
    x, y = make(xp, KNOTS), make(xp, VALUES)
    for wrong, message in (
        ((x[::-1], y), "x must be in strictly ascending order"),
        ((x[:8], y), "y must have 8 elements along axis 0, as x has, not 9"),
        ((x[:, None], y), r"two or more real numbers along one axis, not .*float64 of shape \(9, 1\)"),
        ((x[:1], y[:1]), r"two or more real numbers along one axis"),
        ((x, y * np.inf), "y must be finite"),
        (
            (x, y, 0, "open"),
            "a condition at one end is 'not-a-knot', 'clamped', 'natural' or .order, value., not 'open'",
        ),
        ((x, y, 0, "periodic"), "the first and the last y must be equal"),
        ((x, y, 0, ((3, 0.0), "natural")), "with the order 1 or 2"),
        ((x, y, 0, ("natural",)), "two conditions, not 1"),
        ((x, y, 0, ((1, [0.0, 1.0]), "natural")), r"must have shape \(\), as one of the values of y, not \(2,\)"),
        ((x, y, 0, "natural", "sideways"), "extrapolate must be True, False or 'periodic'"),
    ):
        with pytest.raises(ValueError, match=message):
            CubicSpline(*wrong)
    with pytest.raises(ValueError, match="y and dydx must have one shape"):
        CubicHermiteSpline(x, y, y[:3])
    with pytest.raises(ValueError, match=r"must be 0 or more, not -1; antiderivative\(1\) has integrals"):
        CubicSpline(x, y)(1.0, -1)
    with pytest.raises(ValueError, match="y must be real"):
        PchipInterpolator(x, y * 1j)
    with pytest.raises(TypeError, match=r"scipy\.interpolate\.interp1d does not take tensors"):
        interpolate.interp1d(x, y)
