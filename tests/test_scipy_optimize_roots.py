"""xgrad.scipy.optimize: SciPy's roots, and their derivatives by the theorem of implicit functions."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy

scipy_optimize = pytest.importorskip("scipy.optimize")
optimize = xg.scipy.optimize
root, fixed_point, brentq, newton, root_scalar = (
    optimize.root, optimize.fixed_point, optimize.brentq, optimize.newton, optimize.root_scalar
)  # fmt: skip

A = np.array([[3.0, 0.5, -0.2], [0.1, 2.0, 0.3], [0.4, -0.6, 2.5]])
b = np.array([1.0, -0.7, 0.4])


def cubic(x, a, b):
    """Three equations with one solution."""
    return a @ x + 0.1 * x**3 - b


def powell(x):
    return [1e4 * x[0] * x[1] - 1.0, xg.exp(-x[0]) + xg.exp(-x[1]) - 1.0001]


def rosenbrock(x):
    return [10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]]


def chandrasekhar(x, c=0.9):
    """The H-equation for 8 points."""
    n = x.shape[0]
    mu = (xg.arange(n, dtype=x.dtype, device=x.device) + 0.5) / n
    kernel = mu[:, None] / (mu[:, None] + mu[None, :])
    return x - 1.0 / (1.0 - c / (2 * n) * (kernel @ x))


# --- values -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["hybr", "lm"])
@pytest.mark.parametrize(
    ("f", "x0"),
    [(powell, [0.0, 1.0]), (rosenbrock, [-1.2, 1.0]), (chandrasekhar, [1.0] * 8)],
    ids=lambda f: getattr(f, "__name__", ""),
)
def test_roots_are_scipys(xp, f, x0, method):
    with xg.use_backend("numpy"):
        want = scipy_optimize.root(
            lambda x: np.array(xg.stack([*f(xg.asarray(x))]).numpy()), x0, method=method, tol=1e-13
        )
    found = root(f, make(xp, x0), method=method)
    assert found.success
    assert (found.status, found.message) == (1, "The solution converged.")
    assert_close(to_numpy(found.x), want.x, 1e-9)
    assert np.abs(to_numpy(found.fun)).max() < 1e-11
    assert found.x.backend is xp.empty(0).backend
    assert found.nfev > 2


def test_trees_and_shapes(xp):
    def f(p, c):
        return {"first": p["u"] @ p["u"] - c, "second": p["v"] + p["u"][0, 0]}

    start = {"u": make(xp, [[1.5, 0.1], [0.0, 2.5]]), "v": make(xp, 0.0)}
    c = make(xp, [[4.0, 1.0], [0.0, 9.0]])
    found = root(f, start, args=(c,))
    assert_close(to_numpy(found.x["u"]), [[2.0, 0.2], [0.0, 3.0]], 1e-12)
    assert_close(to_numpy(found.x["v"]), -2.0, 1e-12)
    xg.check_grads(lambda c: root(f, start, args=(c,)).x, c)


def test_what_a_start_may_be(xp):
    assert_close(to_numpy(root(lambda x: x**3 - 8.0, make(xp, 3.0)).x), 2.0, 1e-12)
    assert_close(to_numpy(root(lambda x: x**3 - 8.0, make(xp, [3], "int64")).x), [2.0], 1e-12)
    assert root(lambda x: x, make(xp, [])).success
    x = root(lambda x: x * x - 2.0, make(xp, [1.0], "float32"))
    assert x.x.dtype == xp.float32
    assert x.success
    assert_close(to_numpy(x.x), [np.sqrt(2.0)], 1e-6)
    at_zero = root(lambda x: xp.sin(x), make(xp, [0.5]))
    assert at_zero.success
    assert abs(to_numpy(at_zero.x)[0]) < 1e-15
    assert root(lambda x: (x - 1.0, xp.ones((1, 1))), make(xp, [0.0]), jac=True).success


# --- derivatives --------------------------------------------------------------------------------------------


def solved(a, b):
    return root(cubic, np.zeros(3), args=(a, b)).x


def test_derivatives_are_differences(xp):
    """In both modes, twice: also by one argument and then by the other."""
    xg.check_grads(solved, make(xp, A), make(xp, b), order=2)


def test_derivatives_in_every_order_of_the_modes(xp):
    def f(b):
        return xp.sum(solved(make(xp, A), b) ** 2)

    x, t = make(xp, b), make(xp, [1.0, 0.5, -2.0])
    h = to_numpy(xg.hessian(f)(x))
    assert_close(h, h.T, 1e-12)
    want = h @ to_numpy(t)
    assert_close(to_numpy(xg.hvp(f, (x,), (t,))[0]), want, 1e-12)
    assert_close(to_numpy(xg.grad(lambda x: xg.jvp(f, (x,), (t,))[1])(x)), want, 1e-12)
    assert_close(to_numpy(xg.jvp(lambda x: xg.jvp(f, (x,), (t,))[1], (x,), (t,))[1]), want @ to_numpy(t), 1e-12)
    third = xg.grad(lambda x: xg.jvp(lambda x: xg.jvp(f, (x,), (t,))[1], (x,), (t,))[1])(x)
    h2 = 1e-4
    ends = [to_numpy(xg.hvp(f, (x + s * h2 * t,), (t,))[0]) for s in (1, -1)]
    assert_close(to_numpy(third), (ends[0] - ends[1]) / (2 * h2), 1e-6)


def test_one_argument_and_then_the_other(xp):
    mixed = xg.jacobian(lambda a: xg.grad(lambda b: xp.sum(solved(a, b) ** 2))(make(xp, b)))(make(xp, A))
    turned = xg.jacobian(lambda b: xg.grad(lambda a: xp.sum(solved(a, b) ** 2))(make(xp, A)))(make(xp, b))
    assert np.any(to_numpy(mixed))
    assert_close(to_numpy(mixed), np.moveaxis(to_numpy(turned), -1, 0), 1e-12)


def test_arguments_of_several_shapes(xp):
    """A pass over one argument leaves out the gradients of the others, which are of other shapes."""

    def x(a, b, c):
        return root(lambda x, a, b, c: x**3 + c * x - xp.sum(a) - xp.sum(b * b), make(xp, 1.0), args=(a, b, c)).x

    a, b, c = make(xp, [0.5, 1.0]), make(xp, [0.3, 0.2, 0.1]), make(xp, 2.0)

    def by_c(a, b):
        return xg.grad(lambda c: x(a, b, c))(c)

    xg.check_grads(by_c, a, b)


def test_tensors_that_the_function_closes_over(xp):
    leaf = make(xp, A, requires_grad=True)
    scaled = leaf * 1.0  # a node, not a leaf
    xp.sum(root(lambda x: cubic(x, scaled, make(xp, b)), make(xp, np.zeros(3))).x ** 2).backward()
    want = xg.grad(lambda a: xp.sum(solved(a, make(xp, b)) ** 2))(make(xp, A))
    assert_close(to_numpy(leaf.grad), to_numpy(want), 1e-12)

    def closing(a):
        return xp.sum(root(lambda x: cubic(x, a, make(xp, b)), make(xp, np.zeros(3))).x ** 2)

    h = to_numpy(xg.hessian(closing)(make(xp, A)))
    assert_close(h, to_numpy(xg.hessian(lambda a: xp.sum(solved(a, make(xp, b)) ** 2))(make(xp, A))), 1e-11)


def test_the_start_has_no_gradient_and_nothing_is_recorded_without_one(xp):
    g = xg.grad(lambda x0: xp.sum(root(lambda x: x**3 - 2.0, x0).x))(make(xp, [1.0, 1.5]))
    assert not np.any(to_numpy(g))
    x = root(cubic, make(xp, np.zeros(3)), args=(make(xp, A), make(xp, b))).x
    assert not x.requires_grad
    with xg.no_grad():
        assert not root(cubic, np.zeros(3), args=(make(xp, A, requires_grad=True), make(xp, b))).x.requires_grad


def test_backward_may_run_twice(xp):
    a = make(xp, A, requires_grad=True)
    y = xp.sum(solved(a, make(xp, b)))
    y.backward(retain_graph=True)
    first = to_numpy(a.grad).copy()
    y.backward()
    assert_close(to_numpy(a.grad), 2 * first, 1e-13)


def test_an_implicit_layer_trains(xp):
    """A fixed point of a layer of a network, as in a deep equilibrium model."""
    w = make(xp, 0.3 * A, requires_grad=True)
    x = make(xp, b)

    def layer(z, w, x):
        return xp.tanh(0.3 * (w @ z) + x)

    def loss():
        return xp.sum((fixed_point(layer, make(xp, np.zeros(3)), args=(w, x), xtol=1e-12) - 0.5) ** 2)

    before = loss()
    before.backward()
    assert w.grad is not None
    w = (w - 0.5 * w.grad).detach()
    assert loss().item() < before.item()


# --- failures -----------------------------------------------------------------------------------------------


def test_a_root_that_is_none_has_no_silent_gradient(xp):
    a = make(xp, 2.0, requires_grad=True)
    found = root(lambda x, a: x * x + a, make(xp, [1.0]), args=(a,))
    assert not found.success
    assert found.status == 5
    assert "minimum there that is not zero" in found.message
    with pytest.raises(RuntimeError, match="root: x is no solution, and has no derivative"):
        xp.sum(found.x).backward()
    with pytest.raises(RuntimeError, match="root: x is no solution"):
        xg.jvp(lambda a: root(lambda x, a: x * x + a, make(xp, [1.0]), args=(a,)).x, (make(xp, 2.0),), (make(xp, 1.0),))
    few = root(cubic, make(xp, np.zeros(3)), args=(make(xp, A), make(xp, b)), options={"maxfev": 1})
    assert (few.success, few.status) == (False, 2)


def test_what_is_refused(xp):
    x = make(xp, [1.0, 2.0])
    with pytest.raises(NotImplementedError, match=r"root: method 'krylov' is for plain arrays only"):
        root(lambda x: x, x, method="krylov")
    with pytest.raises(NotImplementedError, match="callback"):
        root(lambda x: x, x, callback=print)
    with pytest.raises(NotImplementedError, match="the options are maxfev and xtol, not 'eps'"):
        root(lambda x: x, x, options={"eps": 1.0})
    with pytest.raises(ValueError, match="as many equations as unknowns, 2; the function returned 1"):
        root(lambda x: x[:1], x)
    with pytest.raises(TypeError, match="root: the first argument is the function, not float"):
        root(1.0, x)
    with pytest.raises(TypeError, match="x0 is complex"):
        root(lambda x: x, x * 1j)
    with pytest.raises(TypeError, match=r"scipy\.optimize\.linprog does not take tensors"):
        optimize.linprog(x)


# --- scalars ------------------------------------------------------------------------------------------------


def kepler(e, m, eccentricity):
    return e - eccentricity * xg.sin(e) - m


def kepler_on_the_host(e, m, eccentricity):
    return e - eccentricity * np.sin(e) - m


def test_brentq_is_scipys(xp):
    want, info = scipy_optimize.brentq(kepler_on_the_host, 0.0, 4.0, args=(0.8, 0.6), full_output=True)
    x, found = brentq(kepler, 0.0, 4.0, args=(make(xp, 0.8), 0.6), full_output=True)
    assert_close(to_numpy(x), want, 1e-12)
    assert (found.iterations, found.function_calls, found.converged) == (info.iterations, info.function_calls, True)
    xg.check_grads(lambda m, e: brentq(kepler, 0.0, 4.0, args=(m, e)), make(xp, 0.8), make(xp, 0.6), order=2)
    assert root_scalar(kepler, args=(make(xp, 0.8), 0.6), bracket=(0.0, 4.0)).root.item() == x.item()
    for a, b in ((0.0, 1.0), (-1.0, 0.0)):
        assert brentq(lambda x: x, make(xp, a), b).item() == 0.0
    with pytest.raises(ValueError, match="must have different signs; they are 1 and 2"):
        brentq(lambda x: x, make(xp, 1.0), 2.0)
    with pytest.raises(RuntimeError, match="no convergence after 2 iterations"):
        brentq(kepler, 0.0, 4.0, args=(make(xp, 0.8), 0.6), maxiter=2)
    few = root_scalar(kepler, args=(make(xp, 0.8), 0.6), bracket=(0.0, 4.0), maxiter=2)
    assert (few.converged, few.flag, few.root.requires_grad) == (False, "convergence error", False)


@pytest.mark.parametrize(
    ("f", "a", "b"),
    [
        (lambda x: x**9, -1.0, 2.5),
        (lambda x: (x - 1.0) ** 3 * (x + 4.0), -3.0, 20.0),
        (lambda x: 1.0 / (x - 0.3) + 1.0, -5.0, 0.2),
        (lambda x: x * abs(x) - 1e-3, -0.01, 7.0),
        (lambda x: 1.0 - 1.0 / (1.0 + x**6), 3.0, -1.0),
    ],
)
def test_brentq_takes_scipys_iterations(f, a, b):
    with xg.use_backend("numpy"):
        if f(a) * f(b) > 0:
            f = lambda x, g=f: g(x) - 0.6  # noqa: E731
        want, info = scipy_optimize.brentq(f, a, b, maxiter=500, full_output=True)
        x, found = brentq(f, xg.asarray(a), b, maxiter=500, full_output=True)
    assert_close(to_numpy(x), want, 1e-11, floor=1.0)
    assert found.iterations == info.iterations


def test_newton_is_scipys(xp):
    want = scipy_optimize.newton(kepler_on_the_host, 1.0, args=(0.8, 0.6), fprime=lambda e, m, k: 1 - k * np.cos(e))
    assert_close(to_numpy(newton(kepler, make(xp, 1.0), args=(0.8, 0.6))), want, 1e-12)
    m = make(xp, [[0.1, 0.8, 2.0]])
    x = newton(kepler, make(xp, np.ones((1, 3))), args=(m, 0.6))
    np.testing.assert_allclose(kepler_on_the_host(to_numpy(x), to_numpy(m), 0.6), 0.0, atol=1e-12)
    xg.check_grads(lambda m: newton(kepler, np.ones((1, 3)), args=(m, 0.6)), m, order=2)
    assert root_scalar(kepler, args=(make(xp, 0.8), 0.6), x0=1.0).converged
    with pytest.raises(RuntimeError, match="newton: no convergence after 50 iterations"):
        newton(lambda x: x * x + 1.0, make(xp, 1.0))
    with pytest.raises(ValueError, match="pass bracket=, or the start x0="):
        root_scalar(kepler, args=(make(xp, 0.8), 0.6))
    with pytest.raises(NotImplementedError, match="'ridder' is for plain arrays only"):
        root_scalar(kepler, args=(make(xp, 0.8), 0.6), method="ridder")


@pytest.mark.parametrize("method", ["del2", "iteration"])
def test_fixed_points_are_scipys(xp, method):
    def f(x, c):
        return xp.exp(-c * x)

    want = scipy_optimize.fixed_point(
        lambda x, c: np.exp(-c * x), [0.5, 1.0], args=(np.array([0.5, 0.8]),), method=method
    )
    found = fixed_point(f, make(xp, [0.5, 1.0]), args=(make(xp, [0.5, 0.8]),), method=method)
    assert_close(to_numpy(found), want, 1e-8)
    xg.check_grads(
        lambda c: fixed_point(f, [0.5, 1.0], args=(c,), xtol=1e-13, method=method), make(xp, [0.5, 0.8]), order=2
    )
    with pytest.raises(RuntimeError, match="no convergence after 3 iterations"):
        fixed_point(f, make(xp, [0.5, 1.0]), args=(1.0,), maxiter=3, method="iteration")
    with pytest.raises(ValueError, match="method must be 'del2'"):
        fixed_point(f, make(xp, [0.5, 1.0]), args=(1.0,), method="newton")


def test_vmap(xp):
    c = make(xp, [1.0, 4.0, 9.0])
    for f in (
        lambda c: newton(lambda x, c: x * x - c, 1.0, args=(c,)),
        lambda c: newton(lambda x: x * x - c, 0.5 * c + 0.6),
        lambda c: fixed_point(lambda x, c: (x + c / x) / 2, 1.0, args=(c,), xtol=1e-13),
    ):
        assert_close(to_numpy(xg.vmap(f)(c)), [1.0, 2.0, 3.0], 1e-12)
        assert_close(to_numpy(xg.vmap(xg.grad(f))(c)), [1 / 2, 1 / 4, 1 / 6], 1e-12)
        assert_close(to_numpy(xg.vmap(xg.grad(xg.grad(f)))(c)), [-1 / 4, -1 / 32, -1 / 108], 1e-12)
        h = xg.hessian(lambda c, f=f: xp.sum(xg.vmap(f)(c)))(c)
        assert_close(to_numpy(h), np.diag([-1 / 4, -1 / 32, -1 / 108]), 1e-12)
    with pytest.raises(TypeError, match="inside vmap"):
        xg.vmap(lambda c: root(lambda x, c: x * x - c, [1.0], args=(c,)).x)(c)


# --- plain arrays, and minimizers -----------------------------------------------------------------------------


def test_plain_arrays_are_scipys():
    def f(x, c):
        return x**3 - c

    found, want = (m.root(f, [1.0, 2.0], args=(3.0,), method="krylov") for m in (optimize, scipy_optimize))
    assert type(found) is type(want)
    np.testing.assert_array_equal(found.x, want.x)
    assert optimize.brentq(f, 0, 4, args=(3.0,)) == scipy_optimize.brentq(f, 0, 4, args=(3.0,))
    assert optimize.newton(f, 1.0, args=(3.0,)) == scipy_optimize.newton(f, 1.0, args=(3.0,))
    found, want = (
        m.minimize(lambda x: np.sum((x - 1) ** 4), [0.0, 3.0], method="Nelder-Mead") for m in (optimize, scipy_optimize)
    )
    np.testing.assert_array_equal(found.x, want.x)
    assert optimize.Bounds is not None


def test_minimizers(xp):
    def f(x, c):
        return xp.sum((x - c) ** 2)

    for method in (None, "L-BFGS-B", "Newton-CG"):
        found = optimize.minimize(f, make(xp, [0.0, 3.0]), args=(make(xp, 1.0),), method=method, tol=1e-10)
        assert_close(to_numpy(found.x), [1.0, 1.0], 1e-6)
    found = optimize.minimize(lambda x: (f(x, 1.0), 2 * (x - 1.0)), make(xp, [0.0, 3.0]), jac=True)
    assert_close(to_numpy(found.x), [1.0, 1.0], 1e-6)
    found = optimize.least_squares(lambda x: x - 1.0, make(xp, [0.0, 3.0]))
    assert_close(to_numpy(found.x), [1.0, 1.0], 1e-6)
