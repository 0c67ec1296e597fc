"""xgrad.scipy.integrate: SciPy's solutions, and derivatives beside analytic ones and central differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy

scipy_integrate = pytest.importorskip("scipy.integrate")
scipy_linalg = pytest.importorskip("scipy.linalg")
integrate = xg.scipy.integrate
odeint, solve_ivp = integrate.odeint, integrate.solve_ivp

METHODS = ("RK23", "RK45", "DOP853")
A = np.array([[-0.5, 2.0, 0.1], [-2.0, -0.4, 0.0], [0.3, 0.1, -1.0]])
Y0 = np.array([1.0, -0.5, 2.0])


def prey_and_predators(t, y, a, b):
    return [a * y[0] - b * y[0] * y[1], -1.5 * y[1] + 0.8 * y[0] * y[1] + 0.1 * t]


def van_der_pol(t, y, mu):
    return [y[1], mu * (1.0 - y[0] ** 2) * y[1] - y[0]]


def linear(t, y, a):
    return a @ y


def relative(got, want):
    return np.abs(to_numpy(got) - want).max() / np.abs(want).max()


def differences(f, x, h=1e-5):
    """The central differences of a function of an array on the host."""
    x = np.asarray(x, dtype=float)
    found = []
    for i in range(x.size):
        move = np.zeros(x.size)
        move[i] = h
        move = move.reshape(x.shape)
        found.append((f(x + move) - f(x - move)) / (2 * h))
    return np.array(found).reshape(x.shape)


# --- values -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [None, np.linspace(0.5, 8.0, 21), np.array([0.0, 3.0, 8.0]), np.array([])])
@pytest.mark.parametrize("method", METHODS)
def test_the_steps_are_scipys(xp, method, at):
    want = scipy_integrate.solve_ivp(prey_and_predators, (0, 8), [1.0, 2.0], method=method, t_eval=at, args=(1.1, 0.4))
    found = solve_ivp(prey_and_predators, (0, 8), [1.0, 2.0], method=method, t_eval=at, args=(make(xp, 1.1), 0.4))
    if at is None or at.size:
        assert_close(to_numpy(found.y), want.y, 1e-7 if method == "DOP853" else 1e-12)  # its sums are in another order
    assert_close(to_numpy(found.t), want.t, 1e-7 if method == "DOP853" else 1e-14)
    assert (found.status, found.success, found.message) == (want.status, want.success, want.message)
    assert abs(found.nfev - want.nfev) <= (
        3 if method == "DOP853" and at is not None else 0
    )  # it has a stage less to start
    assert found.y.backend is xp.empty(0).backend


@pytest.mark.parametrize("options", [
    {"rtol": 1e-6, "atol": np.array([1e-8, 1e-5])}, {"first_step": 0.01, "max_step": 0.1}, {"rtol": 1e-8, "atol": 1e-10},
])  # fmt: skip
def test_options_are_scipys(xp, options):
    want = scipy_integrate.solve_ivp(van_der_pol, (3.0, -1.0), [1.0, 2.0], args=(2.0,), **options)
    given = {name: make(xp, value) if isinstance(value, np.ndarray) else value for name, value in options.items()}
    found = solve_ivp(van_der_pol, (3.0, -1.0), make(xp, [1.0, 2.0]), args=(2.0,), **given)
    assert found.nfev == want.nfev
    assert_close(to_numpy(found.y), want.y, 1e-9)


def test_complex_states(xp):
    def f(t, y):
        return 1j * y * (1.0 + t)

    want = scipy_integrate.solve_ivp(f, (0, 2), [1.0 + 0.5j], t_eval=[1.0, 2.0])
    found = solve_ivp(f, (0, 2), make(xp, [1.0 + 0.5j]), t_eval=[1.0, 2.0])
    assert_close(to_numpy(found.y), want.y, 1e-12)
    with pytest.raises(ValueError, match="Make y0 complex"):
        solve_ivp(f, (0, 2), make(xp, [1.0]))


def test_odeint_is_as_precise_as_scipys(xp):
    t = np.linspace(0.0, 8.0, 17)
    exact = scipy_integrate.solve_ivp(
        prey_and_predators, (0, 8), [1.0, 2.0], method="DOP853", t_eval=t, args=(1.1, 0.4), rtol=1e-13, atol=1e-13
    ).y.T
    theirs = scipy_integrate.odeint(prey_and_predators, [1.0, 2.0], t, args=(1.1, 0.4), tfirst=True)
    ours = odeint(prey_and_predators, make(xp, [1.0, 2.0]), make(xp, t), args=(1.1, 0.4), tfirst=True)
    assert ours.shape == theirs.shape
    assert relative(ours, exact) < max(1e-7, np.abs(theirs - exact).max())
    back = odeint(lambda y, t: -y, make(xp, [1.0]), make(xp, [2.0, 1.0, 1.0, 0.0]))
    assert_close(to_numpy(back)[:, 0], np.exp([0.0, 1.0, 1.0, 2.0]), 1e-7)
    assert_close(to_numpy(odeint(lambda y, t: -y, make(xp, 1.0), [0.5])), [[1.0]], 0)


def test_single_precision_stays(xp):
    y0 = make(xp, [1.0, 2.0], "float32")
    for found in (
        odeint(prey_and_predators, y0, [0.0, 1.0], (1.1, 0.4), tfirst=True),
        solve_ivp(prey_and_predators, (0, 1), y0, args=(1.1, 0.4), rtol=1e-5).y.T,
    ):
        assert found.dtype == xp.float32
        want = scipy_integrate.odeint(prey_and_predators, [1.0, 2.0], [0.0, 1.0], (1.1, 0.4), tfirst=True)
        assert_close(to_numpy(found)[-1], want[-1], 1e-4)


def test_trees_of_states(xp):
    def f(y, t, p):
        return {"x": y["v"], "v": -p["k"] * y["x"]}

    start = {"x": make(xp, [[1.0, 2.0]]), "v": make(xp, 0.0)}

    def g(y, t, p):
        return {"x": y["v"] * xp.ones((1, 2)), "v": xp.sum(-p["k"] * y["x"])}

    with pytest.raises(ValueError, match=r"arrays of the shapes \[\(\), \(1, 2\)\], not \[\(1, 2\), \(\)\]"):
        odeint(f, start, [0.0, 1.0], args=({"k": 1.0},))
    found = odeint(g, start, [0.0, 0.5, 1.0], args=({"k": make(xp, 2.0)},))
    assert (found["x"].shape, found["v"].shape) == ((3, 1, 2), (3,))
    whole = scipy_integrate.odeint(lambda y, t: [y[2], y[2], -2.0 * (y[0] + y[1])], [1.0, 2.0, 0.0], [0.0, 0.5, 1.0])
    assert_close(to_numpy(found["x"])[:, 0], whole[:, :2], 1e-6)
    again = solve_ivp(lambda t, y, p: g(y, t, p), (0, 1), start, args=({"k": make(xp, 2.0)},), t_eval=[0.5, 1.0])
    assert again.y["x"].shape == (1, 2, 2)


# --- derivatives --------------------------------------------------------------------------------------------


def test_a_linear_system_has_the_derivatives_of_the_exponential(xp):
    weights = make(xp, [0.7, -1.0, 0.4])

    def ours(a, y0, t0, t1):
        return xp.sum(weights * odeint(lambda y, t: a @ y, y0, xp.stack([t0, t1]), rtol=1e-10, atol=1e-12)[-1])

    def exact(a, y0, t0, t1):
        return xp.sum(weights * (xg.scipy.linalg.expm(a * (t1 - t0)) @ y0))

    args = make(xp, A), make(xp, Y0), make(xp, 0.3), make(xp, 1.7)
    for got, want in zip(xg.grad(ours, (0, 1, 2, 3))(*args), xg.grad(exact, (0, 1, 2, 3))(*args), strict=True):
        assert relative(got, to_numpy(want)) < 3e-9
    moves = make(xp, A[::-1].copy()), make(xp, Y0[::-1].copy()), make(xp, 1.0), make(xp, -2.0)
    assert relative(xg.jvp(ours, args, moves)[1], to_numpy(xg.jvp(exact, args, moves)[1])) < 3e-9


@pytest.mark.parametrize("method", METHODS)
def test_logistic_growth(xp, method):
    """y = K / (1 + (K / y0 - 1) exp(-r t)) at several times, two of them within one step."""
    at = np.array([0.4, 0.401, 1.0, 2.5])
    tight = {"rtol": 1e-7 if method == "RK23" else 1e-10, "atol": 1e-12}

    def ours(r, k, y0, t):
        return solve_ivp(lambda t, y, r, k: r * y * (1.0 - y / k), (0.0, 2.5), y0, method, t, args=(r, k), **tight).y[0]

    def exact(r, k, y0, t):
        return k / (1.0 + (k / y0 - 1.0) * xp.exp(-r * t))

    args = make(xp, 1.3), make(xp, 2.0), make(xp, [0.2]), make(xp, at)
    assert relative(ours(*args), to_numpy(exact(*args))) < (1e-6 if method == "RK23" else 1e-8)
    allowed = {"RK23": 1e-4, "RK45": 1e-6, "DOP853": 1e-8}[method]  # the slope of the interpolant, whose order is lower
    for i in range(4):
        got, want = (to_numpy(xg.jacobian(f, i)(*args)) for f in (ours, exact))
        assert_close(got, want, allowed if i == 3 else 3e-6 if method == "RK23" else 3e-8, f"argument {i}")


def test_hessians(xp):
    def ours(p):
        return odeint(
            lambda y, t, r, k: r * y * (1.0 - y / k), p[2:], [0.0, 1.5], args=(p[0], p[1]), rtol=1e-10, atol=1e-12
        )[-1, 0]

    def exact(p):
        return p[1] / (1.0 + (p[1] / p[2] - 1.0) * xp.exp(-p[0] * 1.5))

    p = make(xp, [1.3, 2.0, 0.2])
    assert relative(xg.hessian(ours)(p), to_numpy(xg.hessian(exact)(p))) < 1e-7


@pytest.mark.parametrize(
    ("f", "args", "end"),
    [(prey_and_predators, (1.1, 0.4), 6.0), (van_der_pol, (3.0,), 3.0)],
    ids=["lotka-volterra", "van der pol"],
)
def test_nonlinear_systems_have_the_gradients_of_differences(xp, f, args, end):
    tight = {"rtol": 1e-11, "atol": 1e-13}
    at = np.linspace(0.0, end, 5)

    def host(y0, t, *args):
        found = scipy_integrate.solve_ivp(f, (t[0], t[-1]), y0, "DOP853", t, args=args, **tight)
        return np.sum(found.y[0] ** 2) + found.y[1, -1]

    def ours(y0, t, *args):
        y = odeint(f, y0, t, args=args, tfirst=True, **tight)
        return xp.sum(y[:, 0] ** 2) + y[-1, 1]

    given = np.array([1.0, 2.0]), at, *(np.array(arg) for arg in args)
    grads = xg.grad(ours, tuple(range(len(given))))(*(make(xp, x) for x in given))
    for i, g in enumerate(grads):
        want = differences(lambda x, i=i: host(*given[:i], x, *given[i + 1 :]), given[i])
        assert relative(g, want) < 1e-6, i


def test_tensors_that_the_function_closes_over(xp):
    weight = make(xp, A, requires_grad=True)
    y0 = make(xp, Y0)
    xp.sum(odeint(lambda y, t: weight @ y, y0, [0.0, 1.0])[-1]).backward()
    want = xg.grad(lambda a: xp.sum(odeint(lambda y, t, a: a @ y, y0, [0.0, 1.0], args=(a,))[-1]))(make(xp, A))
    assert_close(to_numpy(weight.grad), to_numpy(want), 1e-12)
    g = xg.grad(lambda a: xp.sum(solve_ivp(lambda t, y: a @ y, (0, 1), y0).y))(make(xp, A))
    assert np.all(np.isfinite(to_numpy(g)))
    h = xg.hessian(lambda a: solve_ivp(lambda t, y: -a * y, (0, 1), y0, rtol=1e-9, atol=1e-9).y[0, -1])(make(xp, 1.0))
    assert_close(to_numpy(h), np.exp(-1.0), 1e-7)


def test_the_ends_of_the_span_have_gradients(xp):
    def end(t0, t1):
        return solve_ivp(lambda t, y: -y * t, (t0, t1), make(xp, [2.0]), rtol=1e-10, atol=1e-12).y[0, -1]

    got = xg.grad(end, (0, 1))(make(xp, 0.5), make(xp, 1.5))
    value = 2.0 * np.exp(-(1.5**2 - 0.5**2) / 2)
    assert_close(np.array([to_numpy(g) for g in got]), value * np.array([0.5, -1.5]), 1e-8)


def test_the_derivatives_are_those_of_the_numbers(xp):
    """With loose tolerances the solution is poor, and its derivative is still that of the steps."""

    def f(y0):
        return solve_ivp(van_der_pol, (0, 1), y0, args=(1.0,), first_step=0.25, max_step=0.25, rtol=1.0, atol=1.0).y[
            :, -1
        ]

    xg.check_grads(f, make(xp, [0.7, 0.2]), order=2)


def test_vmap(xp):
    starts = make(xp, [[1.0, 2.0], [0.5, 1.0], [2.0, 0.1]])

    def end(y0):
        return odeint(prey_and_predators, y0, [0.0, 2.0], args=(1.1, 0.4), tfirst=True)[-1]

    found = to_numpy(xg.vmap(end)(starts))
    assert_close(found, np.stack([to_numpy(end(y0)) for y0 in starts]), 1e-7)
    g = to_numpy(xg.vmap(xg.grad(lambda y0: xp.sum(end(y0))))(starts))
    assert_close(g, np.stack([to_numpy(xg.grad(lambda y0: xp.sum(end(y0)))(y0)) for y0 in starts]), 1e-6)


def test_backward_keeps_no_stages(xp):
    """The tape of a solution has a node for each step, and not one for each operation."""
    if xp.empty(0).backend.name != "numpy":
        pytest.skip("the tape is the same on every backend")
    y0 = make(xp, [1.0, 2.0], requires_grad=True)
    y = solve_ivp(prey_and_predators, (0, 5), y0, args=(1.1, 0.4)).y
    assert xg.draw_graph(y).count("checkpoint") > 3
    assert xg.draw_graph(y).count("matmul") == 0


# --- what fails, and what is refused ------------------------------------------------------------------------


def test_a_solution_that_ends_early(xp):
    found = solve_ivp(lambda t, y: y * y, (0, 2), make(xp, [1.0]))  # it has a pole at 1
    assert (found.success, found.status) == (False, -1)
    assert 0.9 < to_numpy(found.t)[-1] < 1.1
    with pytest.raises(RuntimeError, match=r"odeint: the solution got as far as t = 1"):
        odeint(lambda y, t: y * y, make(xp, [1.0]), [0.0, 2.0])
    with pytest.raises(RuntimeError, match="more than mxstep=2 steps"):
        odeint(lambda y, t: -y, make(xp, [1.0]), [0.0, 50.0], mxstep=2)


def test_a_state_without_elements(xp):
    assert odeint(lambda y, t: y, make(xp, []), [0.0, 1.0]).shape == (2, 0)


def test_what_is_refused(xp):
    def f(t, y):
        return -y

    y0 = make(xp, [1.0, 2.0])
    with pytest.raises(
        NotImplementedError, match=r"solve_ivp: BDF is for plain arrays only. For tensors there are RK23, RK45, DOP853"
    ):
        solve_ivp(f, (0, 1), y0, method="BDF")
    with pytest.raises(ValueError, match="method must be one of RK23, RK45, DOP853, not 'Euler'"):
        solve_ivp(f, (0, 1), y0, method="Euler")
    with pytest.raises(NotImplementedError, match="dense_output= is for plain arrays only"):
        solve_ivp(f, (0, 1), y0, dense_output=True)
    with pytest.raises(NotImplementedError, match="events= is for plain arrays only"):
        solve_ivp(f, (0, 1), y0, events=f)
    with pytest.raises(NotImplementedError, match="full_output"):
        odeint(f, y0, [0.0, 1.0], full_output=1)
    with pytest.raises(
        ValueError, match=r"y0 has one axis, not shape \(1, 2\)\. For a state of another shape pass a tuple"
    ):
        solve_ivp(f, (0, 1), y0[None])
    with pytest.raises(ValueError, match=r"the function must return shape \(2,\), not \(1,\)"):
        solve_ivp(lambda t, y: y[:1], (0, 1), y0)
    with pytest.raises(ValueError, match="t_eval must be in order, and from 0 to 1"):
        solve_ivp(f, (0, 1), y0, t_eval=[0.5, 2.0])
    with pytest.raises(ValueError, match="odeint: t must be in order"):
        odeint(f, y0, [0.0, 1.0, 0.5], tfirst=True)
    with pytest.raises(TypeError, match="args must be a tuple"):
        solve_ivp(f, (0, 1), y0, args=1.0)
    with pytest.raises(TypeError, match="the right-hand side must be a function"):
        odeint(1.0, y0, [0.0, 1.0])
    with pytest.raises(ValueError, match="rtol must be a number"):
        solve_ivp(f, (0, 1), y0, rtol=-1.0)
    with pytest.raises(TypeError, match=r"scipy\.integrate\.quad does not take tensors"):
        integrate.quad(f, make(xp, 0.0), 1.0)


def test_plain_arrays_are_scipys():
    at = np.linspace(0, 1, 5)
    found, want = (
        m.solve_ivp(linear, (0, 1), Y0, t_eval=at, args=(A,), method="BDF") for m in (integrate, scipy_integrate)
    )
    assert type(found) is type(want)
    np.testing.assert_array_equal(found.y, want.y)
    np.testing.assert_array_equal(
        *(m.odeint(linear, Y0, at, args=(A,), tfirst=True) for m in (integrate, scipy_integrate))
    )
    assert integrate.quad(np.cos, 0, 1) == scipy_integrate.quad(np.cos, 0, 1)
    for name in ("trapezoid", "simpson", "cumulative_trapezoid"):
        np.testing.assert_array_equal(*(getattr(m, name)(A, axis=0) for m in (integrate, scipy_integrate)))


# --- integrals of samples -----------------------------------------------------------------------------------

PLACES = np.array([0.0, 0.4, 1.0, 1.3, 2.0, 2.2])


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("name", ["trapezoid", "simpson", "cumulative_trapezoid"])
def test_integrals_of_samples(xp, name, count):
    y = np.random.default_rng(0).normal(size=(2, count, 3))
    x = PLACES[:count]
    ours, theirs = getattr(integrate, name), getattr(scipy_integrate, name)
    whole = np.broadcast_to(x[:, None], y.shape).copy()
    choices: tuple[dict[str, Any], ...] = ({"dx": 0.3}, {"x": x}, {"x": whole})
    for given in choices:
        on = {key: make(xp, value) if isinstance(value, np.ndarray) else value for key, value in given.items()}
        assert_close(to_numpy(ours(make(xp, y), axis=1, **on)), theirs(y, axis=1, **given), 1e-13)
    if count > 2:
        xg.check_grads(lambda y, x: ours(y, x=x, axis=1), make(xp, y), make(xp, x), order=2)
    if name == "cumulative_trapezoid":
        assert_close(to_numpy(ours(make(xp, y), axis=1, initial=0)), theirs(y, axis=1, initial=0), 1e-13)


def test_samples_that_do_not_fit(xp):
    y = make(xp, np.ones((2, 3)))
    with pytest.raises(
        ValueError, match=r"trapezoid: x has the shape of y, \(2, 3\), or its 3 elements along the axis, not \(2,\)"
    ):
        integrate.trapezoid(y, make(xp, [0.0, 1.0]))
    with pytest.raises(ValueError, match="initial must be None or 0"):
        integrate.cumulative_trapezoid(y, initial=1)
    with pytest.raises(ValueError, match="this is a number"):
        integrate.simpson(make(xp, 1.0))
    assert integrate.trapezoid(make(xp, [1, 2, 3], "int64")).item() == 4.0
