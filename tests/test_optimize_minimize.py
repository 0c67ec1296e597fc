"""minimize: trees and starts of every kind, precision, what it refuses, and functions that misbehave, on all methods."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

import xgrad as xg
from bench.minimizer_problems import FUNCTIONS, maximum_entropy, rosen
from tests.support.arrays import dtype_name, make, to_numpy
from tests.support.minimizing import LONG, SLOW
from xgrad.optimize.flat import is_numbers

METHODS = ("lbfgs", "bfgs", "newton-cg", "trust-ncg")
ALL = (*METHODS, "levenberg-marquardt")


def bowl(x):
    return xg.sum((x - 3.0) ** 2)


def minimize(*args, **kwargs):
    return xg.optimize.minimize(*args, **kwargs)


# --- trees and starts -----------------------------------------------------------------------------


@pytest.mark.parametrize("method", ALL)
def test_trees(xp, method):
    weights = make(xp, np.zeros((2, 3)))
    start = {"w": weights, "rest": [make(xp, 0.5), (make(xp, [1.0, 2.0], "float32"),)]}

    def parts(p, shift):
        scalar, (vector,) = p["rest"]
        return [p["w"] - shift, scalar + 1.0, vector - 0.5]

    def f(p, shift):
        return sum((xg.astype(xg.sum(part**2), xp.float64) for part in parts(p, shift)), 0.0)

    shift = np.arange(6.0).reshape(2, 3)  # NumPy's, on any backend
    found = minimize(parts if method == ALL[-1] else f, start, args=(shift,), method=method)
    assert found.success
    np.testing.assert_allclose(to_numpy(found.x["w"]), shift, atol=1e-4)
    scalar, (vector,) = found.x["rest"]
    assert (scalar.shape, vector.shape, vector.dtype) == ((), (2,), xp.float32)
    np.testing.assert_allclose([to_numpy(scalar), *to_numpy(vector)], [-1.0, 0.5, 0.5], atol=1e-4)
    assert found.jac["w"].shape == (2, 3)
    assert found.x["w"].backend is scalar.backend is weights.backend


@pytest.mark.parametrize(
    ("x0", "want"),
    [
        *((1.0, 3.0), (2, 3.0), (Fraction(1, 2), 3.0), (np.float64(1.5), 3.0), ([1.0, 2], [3.0, 3.0])),
        *(((0.0,), [3.0]), ([[1.0], [2.0]], [[3.0], [3.0]]), (np.asarray([1, 2]), [3.0, 3.0])),
    ],
)
def test_starts_of_every_kind(x0, want):
    with xg.use_backend("numpy"):
        found = minimize(bowl, x0)
    assert found.x.shape == np.shape(want)
    assert to_numpy(found.x).dtype == np.float64
    np.testing.assert_allclose(to_numpy(found.x), want, atol=1e-5)


def test_a_start_of_numpys_goes_to_the_current_backend(xp):
    found = minimize(bowl, np.zeros(2))
    assert found.x.backend is make(xp, 0.0).backend


def test_the_start_is_not_written_to(xp):
    x0 = make(xp, [1.0, 2.0])
    raw = np.asarray([1.0, 2.0])
    for method in METHODS[: 1 if x0.backend.name in SLOW else 4]:
        minimize(bowl, x0, method=method)
        minimize(bowl, raw, method=method)
    np.testing.assert_array_equal(to_numpy(x0), [1.0, 2.0])
    np.testing.assert_array_equal(raw, [1.0, 2.0])


@pytest.mark.parametrize("method", ALL)
@pytest.mark.parametrize("x0", [[], {}, {"a": np.zeros((0, 2))}])
def test_nothing_to_minimize(method, x0):
    with xg.use_backend("numpy"):
        found = minimize(lambda p: xg.asarray([2.0]), x0, method=method)
    assert (found.success, found.nit, found.nfev) == (True, 0, 1)
    assert found.fun == 2.0
    assert isinstance(found.x, dict) == isinstance(x0, dict)


def test_which_lists_are_arrays():
    assert is_numbers([1, 2.0])
    assert is_numbers(((1.0,), (2.0,)))
    for tree in ([np.zeros(2)], [1.0, np.zeros(2)], [], 1.0, "12", [[1.0], []]):
        assert not is_numbers(tree)


# --- precision ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_single_precision(xp, method):
    found = minimize(maximum_entropy, make(xp, [0.0, 0.0, 0.0], "float32"), method=method)
    assert found.x.dtype == found.jac.dtype == xp.float32
    assert found.success
    np.testing.assert_allclose(to_numpy(found.x), [0.0, -0.524869316, 0.487525860], atol=3e-3)


@pytest.mark.parametrize("method", METHODS)
def test_single_precision_ends_near_a_minimum(method):
    """Of the same value as in double precision, whether or not rounding lets the stopping rule hold."""
    with xg.use_backend("numpy"):
        for problem in FUNCTIONS:
            if problem.name not in LONG:
                single, double = (
                    minimize(problem.f, make(xg, problem.x0, kind), method=method) for kind in ("float32", "float64")
                )
                assert single.fun == pytest.approx(double.fun, rel=1e-5, abs=1e-4), problem.name


@pytest.mark.parametrize("method", METHODS)
def test_half_precision_computes_in_float32(backend, xp, method):
    if backend.name in ("strict", "dask"):
        pytest.skip("the library has no float16" if backend.name == "strict" else "slow")
    seen = []

    def f(x):
        seen.append(x.dtype)
        return xg.sum((xg.astype(x, xg.float32) - 3.0) ** 2)

    found = minimize(f, make(xp, [0.0, 1.0], "float16"), method=method)
    assert {dtype_name(dtype) for dtype in seen} == {"float16"}
    assert dtype_name(found.x.dtype) == "float16"
    np.testing.assert_allclose(to_numpy(found.x), [3.0, 3.0], atol=1e-2)


# --- how it works with the rest -------------------------------------------------------------------


@pytest.mark.parametrize("method", ALL)
def test_compiled_functions(method):
    with xg.use_backend("numpy"):
        compiled = xg.compile(lambda x: x - 3.0 if method == ALL[-1] else rosen(x))
        x0 = np.asarray([1.3, 0.7, 0.8])
        found = minimize(compiled, x0, method=method)
        plain = minimize(lambda x: x - 3.0 if method == ALL[-1] else rosen(x), x0, method=method)
    np.testing.assert_allclose(to_numpy(found.x), to_numpy(plain.x), rtol=1e-9)
    assert (found.nit, found.nfev) == (plain.nit, plain.nfev)


@pytest.mark.parametrize("method", ALL)
def test_inside_no_grad_and_with_tensors_that_require_gradients(xp, method):
    target = xp.asarray([1.0, 2.0], requires_grad=True)
    start = xp.asarray([0.0, 0.0], requires_grad=True)

    def f(x):
        return x - target if method == ALL[-1] else xg.sum((x - target) ** 2)

    with xg.no_grad():
        inside = minimize(f, start, method=method)
    for found in (inside, minimize(f, start, method=method)):
        np.testing.assert_allclose(to_numpy(found.x.detach()), [1.0, 2.0], atol=1e-5)
        assert not found.x.requires_grad
        assert not found.jac.requires_grad
    assert target.grad is None


def test_arguments():
    with xg.use_backend("numpy"):
        found = minimize(lambda x, a, b: xg.sum((x - a) ** 2) + b["c"], [0.0], args=(2.0, {"c": np.asarray(5.0)}))
        alone = minimize(lambda x, a: xg.sum((x - a) ** 2), [0.0], args=np.asarray([2.0]))
    assert found.fun == pytest.approx(5.0)
    assert to_numpy(alone.x) == pytest.approx([2.0])


@pytest.mark.parametrize("method", ALL)
def test_the_result_has_scipys_entries(method):
    with xg.use_backend("numpy"):
        found = minimize((lambda x: x) if method == ALL[-1] else bowl, [1.0, 2.0], method=method)
    entries = {"x", "fun", "jac", "success", "status", "message", "nit", "nfev", "njev"}
    assert entries <= set(found)
    assert ("hess_inv" in found) == (method in ("lbfgs", "bfgs"))
    assert ("nhev" in found) == (method in ("newton-cg", "trust-ncg"))
    assert type(found.fun) is float
    assert type(found.success) is bool


def test_disp_prints_the_outcome(capsys):
    with xg.use_backend("numpy"):
        minimize(bowl, [1.0], options={"disp": True})
    printed = capsys.readouterr().out
    assert "fun " in printed
    assert "nfev " in printed


def test_tol():
    with xg.use_backend("numpy"):
        for method in METHODS:
            tight, loose = (minimize(rosen, [2.0, 2.0], method=method, tol=tol).fun for tol in (1e-10, 1.0))
            assert tight < loose


# --- functions that misbehave ---------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_a_gradient_that_is_zero_at_the_start(xp, method):
    found = minimize(lambda x: xg.sum(x**4), make(xp, [0.0, 0.0]), method=method)
    assert found.success
    np.testing.assert_array_equal(to_numpy(found.x), [0.0, 0.0])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_function_that_is_never_finite(method, value):
    with xg.use_backend("numpy"), np.errstate(invalid="ignore"):
        found = minimize(lambda x: xg.sum(x * value), [1.0, 1.0], method=method)
    assert not found.success
    assert found.nfev < 60


@pytest.mark.parametrize("method", METHODS)
def test_a_function_that_becomes_nan(method):
    """Where a step is nan, the best place before is kept."""
    with xg.use_backend("numpy"), np.errstate(invalid="ignore"):
        found = minimize(lambda x: x[0] + 0.0 * xg.sqrt(x[0] - 1.0), [1.5], method=method, options={"maxiter": 30})
    assert math.isfinite(found.fun)
    assert 1.0 <= to_numpy(found.x)[0] <= 1.5


@pytest.mark.parametrize("method", METHODS)
def test_the_number_of_iterations(method):
    with xg.use_backend("numpy"):
        found = minimize(rosen, [-1.2, 1.0], method=method, options={"maxiter": 3})
    assert (found.nit, found.status, found.success) == (3, 1, False)
    assert "maxiter" in found.message


def test_a_function_without_its_argument():
    with xg.use_backend("numpy"):
        found = minimize(lambda x: 5, [1.0, 2.0])
    assert (found.fun, found.success, found.nfev) == (5.0, True, 1)


# --- what is refused ------------------------------------------------------------------------------


def test_what_is_refused():
    x0 = [1.0, 2.0]
    with xg.use_backend("numpy"):
        with pytest.raises(ValueError, match="not 'Powell'"):
            minimize(bowl, x0, method="Powell")
        with pytest.raises(NotImplementedError, match=r"no bounds here. Use SciPy.*value_and_grad"):
            minimize(bowl, x0, bounds=[(0, 1), (0, 1)])
        with pytest.raises(NotImplementedError, match="no constraints here"):
            minimize(bowl, x0, constraints={"type": "eq", "fun": len})
        for derivative in ("jac", "hess", "hessp"):
            with pytest.raises(TypeError, match=f"leave out {derivative}: xgrad computes"):
                minimize(bowl, x0, **{derivative: bowl})
        with pytest.raises(TypeError, match="the function to minimize, not int"):
            minimize(3, x0)
        with pytest.raises(TypeError, match=r"x0 is complex. Pass its real"):
            minimize(bowl, np.asarray([1j]))
        with pytest.raises(ValueError, match=r"returned an array of shape \(2,\).*levenberg-marquardt"):
            minimize(lambda x: x, x0)
        with pytest.raises(TypeError, match="returned complex numbers"):
            minimize(lambda x: xg.sum(x * 1j), x0)
        with pytest.raises(TypeError, match="must return one real number; it returned NoneType"):
            minimize(lambda x: None, x0)
        with pytest.raises(TypeError, match="array or a number in x0"):
            minimize(bowl, "12")
    pytest.importorskip("array_api_strict")
    with xg.use_backend("numpy"):
        here = xg.zeros(1)
    with xg.use_backend("strict"):
        there = xg.zeros(1)
    with pytest.raises(TypeError, match="x0 must be on one backend"):
        minimize(lambda p: 0.0, {"a": here, "b": there})


def test_an_error_of_the_function_is_raised_as_it_is():
    with xg.use_backend("numpy"), pytest.raises(ZeroDivisionError):
        minimize(lambda x: 1 / 0, [1.0])
