"""A compiled function is one operation of the tape: its derivatives are those of the function, in both modes and of any order."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, to_numpy
from xgrad import nn

F = nn.functional


def asarray(values, **options):
    return xg.asarray(np.asarray(values, dtype=float), **options)


def plain(x, y):
    return xg.sum(xg.tanh(x) * y) ** 2, x[0] * y


def of_both(g):
    """What `g(f)` gives for the function and for the compiled function."""
    compiled = xg.compile(plain)
    results = [[g(f) for _ in range(2)] for f in (plain, compiled)]
    assert len(compiled.programs) > 0
    return results


def same(one, other):
    for a, b in zip(np.ravel(one), np.ravel(other), strict=True):
        assert_close(a, b, 1e-12)


X, Y = [0.3, -0.5, 1.2], [2.0, 0.1, -0.4]


def test_backward(backend):
    def gradients(f):
        x, y = asarray(X, requires_grad=True), asarray(Y, requires_grad=True)
        value, line = f(x, y)
        (value + xg.sum(line * line)).backward()
        return to_numpy(x.grad), to_numpy(y.grad)

    (want, _), got = of_both(gradients)
    for each in got:
        same(each, want)


def test_one_result_alone(backend):
    """The other result has no gradient then."""

    def gradients(f):
        x, y = asarray(X, requires_grad=True), asarray(Y, requires_grad=True)
        xg.sum(f(x, y)[1]).backward()
        return to_numpy(x.grad), to_numpy(y.grad)

    (want, _), got = of_both(gradients)
    for each in got:
        same(each, want)


def test_transforms(backend):
    x, y, t = asarray(X), asarray(Y), asarray([1.0, -1.0, 0.5])

    def all_of_them(f):
        def scalar(x):
            value, line = f(x, y)
            return value * xg.sum(line)

        pull = xg.vjp(lambda x: f(x, y), x)[1]
        return [
            *to_numpy(xg.grad(scalar)(x)),
            *np.ravel(to_numpy(xg.hessian(scalar)(x))),
            *to_numpy(xg.hvp(scalar, (x,), (t,))[0]),
            to_numpy(xg.jvp(scalar, (x,), (t,))[1]).item(),
            *np.ravel(to_numpy(xg.jacobian(lambda x: f(x, y)[1])(x))),
            *to_numpy(pull((asarray(2.0), t))[0]),
            *to_numpy(xg.grad(lambda x: xg.sum(xg.grad(scalar)(x) ** 2))(x)),
            *np.ravel(to_numpy(xg.vmap(xg.grad(scalar))(xg.stack([x, y])))),
        ]

    (want, _), got = of_both(all_of_them)
    for each in got:
        same(each, want)


def test_create_graph(backend):
    def penalty(f):
        x = asarray(X, requires_grad=True)
        f(x, asarray(Y))[0].backward(create_graph=True)
        g = x.grad
        x.grad = None
        xg.sum(g * g).backward()
        return to_numpy(x.grad)

    (want, _), got = of_both(penalty)
    for each in got:
        same(each, want)


def test_differences(backend):
    compiled = xg.compile(lambda x: xg.exp(xg.sin(x)) * x)
    xg.check_grads(compiled, asarray([0.2, 0.9]), order=2)


def test_parameters_get_their_gradients(backend):
    xg.random.seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    x, y = asarray(np.random.default_rng(0).normal(size=(5, 3))), asarray(np.ones((5, 1)))
    compiled = xg.compile(lambda x, y: F.mse_loss(model(x), y))
    optimizer = xg.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        gradients = []
        for f in (compiled.f, compiled):
            optimizer.zero_grad()
            loss = f(x, y)
            loss.backward()
            gradients.append([loss.item(), *(to_numpy(p.grad) for p in model.parameters())])
        for got, want in zip(*gradients, strict=True):
            assert_close(got, want, 1e-14)
        optimizer.step()
    assert len(compiled.programs) == 1


def test_a_closed_over_result_of_another_operation(backend):
    a = asarray([1.0, 2.0], requires_grad=True)
    squared = a * a
    compiled = xg.compile(lambda x: xg.sum(squared * x))
    for x in ([1.0, 1.0], [2.0, 3.0]):
        a.grad = None
        compiled(asarray(x)).backward(retain_graph=True)
        assert_close(to_numpy(a.grad), 2 * np.asarray([1.0, 2.0]) * x, 1e-14)


def test_saved_values_stay_what_they_were(backend):
    w = asarray([1.0, 2.0], requires_grad=True)
    compiled = xg.compile(lambda x: xg.sum(w * w * x))
    compiled(asarray([1.0, 1.0]))
    loss = compiled(asarray([1.0, 1.0]))
    with xg.no_grad():
        w[...] = 100.0
    loss.backward()
    assert to_numpy(w.grad).tolist() == [2.0, 4.0]


def test_a_second_backward_is_an_error_that_names_the_function():
    def loss_of(x):
        return xg.sum(x * x)

    x = xg.asarray([1.0, 2.0], requires_grad=True)
    compiled = xg.compile(loss_of)
    for _ in range(2):
        loss = compiled(x)
        loss.backward()
        with pytest.raises(xg.GraphFreedError, match="loss_of"):
            loss.backward()


def test_a_result_without_a_gradient_requires_none():
    x = xg.asarray([1.0, 2.0], requires_grad=True)
    compiled = xg.compile(lambda x: (x.detach(), xg.argmax(x), x * 2.0, x))
    for _ in range(2):
        detached, position, doubled, same = compiled(x)
        assert [t.requires_grad for t in (detached, position, doubled, same)] == [False, False, True, True]
        x.grad = None
        xg.sum(same * 3.0).backward()
        assert x.grad.tolist() == [3.0, 3.0]


def test_backward_inside_that_reaches_an_argument_is_refused():
    def f(x):
        xg.sum(x * x).backward()
        return x

    with pytest.raises(xg.CompileError, match="reached one of its arguments"):
        xg.compile(f)(xg.asarray([1.0], requires_grad=True))
