"""Derivatives of derivatives: both modes in every order, with closures, and inside a loss.

What goes wrong here goes wrong silently: two perturbations taken for one, or a variable of the outer derivative taken for a
constant by the inner one.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, assert_matches, make, to_numpy


def reverse(f):
    """The derivative of a function of one number, backwards."""
    return xg.grad(f)


def forward(f):
    """The same, forwards."""
    return lambda x: xg.jvp(f, (x,), (xg.ones_like(x),))[1]


def by_vjp(f):
    return lambda x: xg.vjp(f, x)[1](xg.ones_like(x))[0]


def by_linearize(f):
    return lambda x: xg.linearize(f, x)[1](xg.ones_like(x))


def by_jacobian(f):
    return xg.jacobian(f)


def by_backward(f):
    def derivative(x):
        leaf = xg.asarray(x.detach(), requires_grad=True)
        f(leaf).backward()
        return leaf.grad

    return derivative


def mixes(of, length):
    """Every choice of so many, as arguments of a test."""
    return [
        pytest.param(m, id="-".join(getattr(f, "__name__", f) for f in m)) for m in itertools.product(of, repeat=length)
    ]


MODES = {f.__name__: f for f in (reverse, forward, by_vjp, by_linearize, by_jacobian)}


# --- every order ----------------------------------------------------------------------------------


@pytest.mark.parametrize("modes", mixes([reverse, forward], 3))
def test_three_orders_in_every_mix(xp, modes):
    a, b, c = modes

    def f(x):
        return xp.sin(x) * xp.exp(x * 0.5) + x**4 / (1.0 + x * x)

    x = make(xp, 0.7)
    got = a(b(c(f)))(x)
    h = 1e-4
    second = [to_numpy(xg.grad(xg.grad(f))(make(xp, 0.7 + k * h))) for k in (-2, -1, 1, 2)]
    want = (8 * (second[2] - second[1]) - (second[3] - second[0])) / (12 * h)
    assert_matches(got, want, xp=xp, rtol=1e-9)


@pytest.mark.parametrize("modes", mixes(MODES, 2))
def test_every_pair_of_transforms(xp, modes):
    outer, inner = (MODES[name] for name in modes)
    got = outer(inner(lambda x: xp.exp(x) * x))(make(xp, 0.7))
    assert_matches(got, np.exp(0.7) * 2.7, xp=xp)


@pytest.mark.parametrize("name", MODES)
def test_backward_over_every_transform(xp, name):
    x = make(xp, 0.7, requires_grad=True)
    MODES[name](lambda x: xp.exp(x) * x)(x).backward()
    assert_matches(x.grad, np.exp(0.7) * 2.7, xp=xp)


def test_backward_inside_of_a_derivative(xp):
    """A leaf made inside is a constant to what is outside, and gets its own gradient."""
    x = make(xp, 0.7)
    inside = by_backward(lambda x: x**3)
    assert_matches(xg.grad(lambda x: x * inside(x))(x), 3 * 0.49, xp=xp)
    assert_matches(xg.jvp(lambda x: x * inside(x), (x,), (x,))[1], 3 * 0.7**3, xp=xp)


def test_four_orders(xp):
    f = reverse(forward(reverse(forward(lambda x: x**6))))
    assert_matches(f(make(xp, 2.0)), 360 * 4.0, xp=xp)
    g = forward(forward(reverse(reverse(lambda x: x**6))))
    assert_matches(g(make(xp, 2.0)), 360 * 4.0, xp=xp)


# --- perturbations do not mix ---------------------------------------------------------------------


@pytest.mark.parametrize("outer", MODES)
@pytest.mark.parametrize("inner", MODES)
def test_the_trap(xp, outer, inner):
    """d/dx (x * d/dy (x + y)) = 1."""
    out, into = MODES[outer], MODES[inner]
    got = out(lambda x: x * into(lambda y: x + y)(make(xp, 1.0)))(make(xp, 1.0))
    assert_matches(got, 1.0, xp=xp)


def test_the_trap_in_numbers():
    assert xg.grad(lambda x: x * xg.grad(lambda y: x + y)(1.0))(1.0).item() == 1.0


@pytest.mark.parametrize("outer", MODES)
@pytest.mark.parametrize("inner", MODES)
def test_the_inner_function_uses_the_outer_variable(xp, outer, inner):
    """d/dx (d/dy x^2 y^3 at y = x) = d/dx 3 x^4 = 12 x^3; with y = 2 apart, d/dx 12 x^2 = 24 x."""
    out, into = MODES[outer], MODES[inner]
    x = make(xp, 0.7)
    assert_matches(out(lambda x: into(lambda y: x * x * y**3)(x))(x), 12 * 0.7**3, xp=xp)
    assert_matches(out(lambda x: into(lambda y: x * x * y**3)(make(xp, 2.0)))(x), 24 * 0.7, xp=xp)


@pytest.mark.parametrize("modes", mixes([reverse, forward], 3))
def test_three_levels_that_see_each_other(xp, modes):
    """d/dx d/dy d/dz (x y z)^2 at x, y = x, z = x y: at each level the others are constants, until they are arguments."""
    a, b, c = modes

    def innermost(x, y):
        return c(lambda z: (x * y * z) ** 2)(x * y)  # 2 x^3 y^3

    def middle(x):
        return b(lambda y: innermost(x, y))(x)  # 6 x^5

    assert_matches(a(middle)(make(xp, 0.7)), 30 * 0.7**4, xp=xp)


def test_a_closure_called_at_two_levels(xp):
    """The same inner derivative at a constant, and at the outer variable."""

    def f(x):
        slope = xg.grad(lambda y: y**3 * x)
        return slope(make(xp, 2.0)) + slope(x)  # 12 x + 3 x^3

    x = make(xp, 0.7)
    for derivative in MODES.values():
        assert_matches(derivative(f)(x), 12 + 9 * 0.49, xp=xp)


def test_a_vjp_pulled_inside_another_derivative(xp):
    y, pull = xg.vjp(lambda x: xp.exp(x), make(xp, 0.5))
    for derivative in MODES.values():
        got = derivative(lambda c: pull(c)[0] * c)(make(xp, 2.0))
        assert_matches(got, 4 * np.exp(0.5), xp=xp)
    _, push = xg.linearize(lambda x: xp.exp(x), make(xp, 0.5))
    for derivative in MODES.values():
        assert_matches(derivative(lambda c: push(c) * c)(make(xp, 2.0)), 4 * np.exp(0.5), xp=xp)
    assert not y.requires_grad


def test_a_leaf_inside_of_grad_jvp_grad(xp):
    w = make(xp, 3.0, requires_grad=True)

    def f(x):
        return w * x**4

    got = reverse(forward(reverse(f)))(make(xp, 2.0))  # 24 w x
    assert_matches(got.detach(), 144.0, xp=xp)
    got.backward()
    assert_matches(w.grad, 48.0, xp=xp)


def test_no_grad_around_the_inner_derivative_makes_it_a_constant(xp):
    def f(x):
        with xg.no_grad():
            slope = xg.grad(lambda y: y**3)(x)
        return slope * x

    for derivative in MODES.values():
        assert_matches(derivative(f)(make(xp, 2.0)), 12.0, xp=xp)


# --- several variables ----------------------------------------------------------------------------


def test_the_hessian_in_four_ways(xp):
    x = np.array([0.5, -0.3, 0.8])

    def f(x):
        return xp.sum(xp.exp(x) * x[0]) + xp.prod(x)

    t = make(xp, x)
    want = to_numpy(xg.hessian(f)(t))
    assert_close(want, want.T, 1e-13)
    columns = [xg.hvp(f, (t,), (make(xp, row),))[0] for row in np.eye(3)]
    back_back = [xg.grad(lambda x, r=row: xp.sum(xg.grad(f)(x) * make(xp, r)))(t) for row in np.eye(3)]
    back_forth = [xg.grad(lambda x, r=row: xg.jvp(f, (x,), (make(xp, r),))[1])(t) for row in np.eye(3)]
    assert_matches(xg.jacobian(xg.jacobian(f))(t), want, xp=xp)
    for rows in (columns, back_back, back_forth):
        assert_close(np.stack([to_numpy(r) for r in rows]), want, 1e-12)


def test_the_derivative_of_a_hessian(xp):
    j = xg.jacobian(xg.hessian(lambda x: xp.sum(x**4)))(make(xp, [1.0, 2.0]))
    want = np.zeros((2, 2, 2))
    want[0, 0, 0], want[1, 1, 1] = 24, 48
    assert_matches(j, want, xp=xp)


# --- a gradient inside a loss ---------------------------------------------------------------------


def test_a_gradient_penalty(xp):
    """The network's gradient by its input is part of the loss; the parameters are leaves that it closes over."""
    rng = np.random.default_rng(0)
    hosts = [rng.normal(size=shape) for shape in ((4, 2), (4,), (1, 4), (1,))]
    x = rng.normal(size=(3, 2))

    def penalty(xp, params, x, gradient):
        w1, b1, w2, b2 = params

        def network(x):
            return xp.sum(xp.linear(xp.tanh(xp.linear(x, w1, b1)), w2, b2))

        g = gradient(network, x)
        norm = xp.sqrt(xp.sum(g * g, axis=1))
        return xp.mean((norm - 1.0) ** 2) + 0.1 * network(x)

    def through_backward(network, x):
        leaf = xp.asarray(x, copy=True, requires_grad=True)
        network(leaf).backward(create_graph=True)
        return leaf.grad

    def differences():
        def value(hosts):
            w1, b1, w2, _ = hosts
            hidden = np.tanh(x @ w1.T + b1)
            g = ((1 - hidden**2) * w2) @ w1
            norm = np.sqrt(np.sum(g * g, axis=1))
            return np.mean((norm - 1) ** 2) + 0.1 * np.sum(hidden @ w2.T + hosts[3])

        for k, host in enumerate(hosts):
            found = np.zeros_like(host)
            for place in np.ndindex(host.shape):
                step = [np.zeros_like(h) for h in hosts]
                step[k][place] = 1e-5
                found[place] = (
                    value([h + s for h, s in zip(hosts, step, strict=True)])
                    - value([h - s for h, s in zip(hosts, step, strict=True)])
                ) / 2e-5
            yield found

    want = list(differences())
    for gradient in (lambda f, x: xg.grad(f)(x), through_backward):
        params = [make(xp, host, requires_grad=True) for host in hosts]
        loss = penalty(xp, params, make(xp, x), gradient)
        for p in params:
            p.grad = None  # backward through the network has filled it
        loss.backward()
        for p, w in zip(params, want, strict=True):
            assert_matches(p.grad, w, xp=xp, rtol=1e-8)
    by_transforms = xg.grad(lambda params: penalty(xp, params, make(xp, x), lambda f, x: xg.grad(f)(x)))(
        [make(xp, host) for host in hosts]
    )
    for g, w in zip(by_transforms, want, strict=True):
        assert_matches(g, w, xp=xp, rtol=1e-8)


def test_a_step_of_descent_inside_a_loss(xp):
    """Learning the learning rate: the loss after a step, by the rate and by the start."""
    start, rate, target = make(xp, [1.0, -2.0]), make(xp, 0.1), make(xp, [3.0, 0.5])

    def loss(w):
        return xp.sum((w - target) ** 2)

    def after_two(start, rate):
        w = start
        for _ in range(2):
            w = w - rate * xg.grad(loss)(w)
        return loss(w)

    by_start, by_rate = xg.grad(after_two, (0, 1))(start, rate)
    error = np.array([1.0, -2.0]) - np.array([3.0, 0.5])
    factor = 1 - 2 * 0.1
    assert_matches(by_start, 2 * error * factor**4, xp=xp)
    assert_matches(by_rate, np.sum(error**2) * 4 * factor**3 * -2, xp=xp)
