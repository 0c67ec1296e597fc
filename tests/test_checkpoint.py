"""checkpoint gives the same derivatives, of every kind, and keeps less."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.helpers import assert_close, assert_matches, make, to_numpy, traced_peak


def layer(x, w):
    xp = x.__array_namespace__()
    return xp.tanh(x @ w) * xp.exp(-x * x)


def twice(f):
    def network(x, w):
        y = f(f(x, w), w)
        return y.__array_namespace__().sum(y**2)

    return network


def both(xp):
    x, w = make(xp, [[0.3, -0.5]]), make(xp, [[0.2, 1.0], [-0.7, 0.4]])
    return x, w, (twice(layer), twice(xg.checkpoint(layer)))


def test_gradients_are_the_same(xp):
    x, w, (plain, kept_less) = both(xp)
    for got, want in zip(xg.grad(kept_less, (0, 1))(x, w), xg.grad(plain, (0, 1))(x, w), strict=True):
        assert_close(to_numpy(got), to_numpy(want), 1e-14)


def test_forward_mode_is_the_same(xp):
    x, w, (plain, kept_less) = both(xp)
    tangents = (make(xp, [[1.0, -2.0]]), make(xp, [[0.5, 0.0], [1.0, 1.0]]))
    assert_close(to_numpy(xg.jvp(kept_less, (x, w), tangents)[1]), to_numpy(xg.jvp(plain, (x, w), tangents)[1]), 1e-14)


def test_second_order_is_the_same(xp):
    x, w, (plain, kept_less) = both(xp)
    for argnums in (0, 1):
        got, want = (to_numpy(xg.hessian(f, argnums)(x, w)) for f in (kept_less, plain))
        assert_close(got, want, 1e-13)
    v = (make(xp, [[1.0, -2.0]]), make(xp, [[0.5, 0.0], [1.0, 1.0]]))
    for got, want in zip(xg.hvp(kept_less, (x, w), v), xg.hvp(plain, (x, w), v), strict=True):
        assert_close(to_numpy(got), to_numpy(want), 1e-13)


def test_what_the_function_closes_over_gets_its_gradient(xp):
    x, w = make(xp, [[0.3, -0.5]], requires_grad=True), make(xp, [[0.2, 1.0], [-0.7, 0.4]], requires_grad=True)
    scaled = w * 2.0  # a node, not a leaf
    f = xg.checkpoint(lambda x: xp.tanh(x @ scaled) @ w)
    xp.sum(f(f(x))).backward()
    got = [to_numpy(x.grad), to_numpy(w.grad)]

    def plain(x, w):
        def g(x):
            return xp.tanh(x @ (w * 2.0)) @ w

        return xp.sum(g(g(x)))

    for g, want in zip(got, xg.grad(plain, (0, 1))(x.detach(), w.detach()), strict=True):
        assert_close(g, to_numpy(want), 1e-14)


def test_trees_keywords_and_results_without_a_gradient(xp):
    @xg.checkpoint
    def f(p, *, scale):
        return {"y": p["a"] * scale, "n": xp.argmax(p["a"]), "same": 3}

    a = make(xp, [1.0, 2.0], requires_grad=True)
    out = f({"a": a}, scale=make(xp, 3.0))
    assert out["same"] == 3
    assert not out["n"].requires_grad
    xp.sum(out["y"]).backward()
    assert to_numpy(a.grad).tolist() == [3.0, 3.0]


def test_nothing_to_differentiate_is_just_a_call(xp):
    y = xg.checkpoint(lambda x: x * 2.0)(make(xp, 1.0))
    assert not y.requires_grad
    x = make(xp, 1.0, requires_grad=True)
    with xg.no_grad():
        assert not xg.checkpoint(lambda x: x * 2.0)(x).requires_grad


def test_a_second_backward_is_refused(xp):
    x = make(xp, 1.0, requires_grad=True)
    y = xg.checkpoint(xp.exp)(x)
    y.backward()
    with pytest.raises(xg.GraphFreedError):
        y.backward()


def peak(pieces: int) -> int:
    """Of a chain of 200 layers in so many pieces: bytes traced over forward and backward."""
    x = xg.asarray(np.linspace(0.1, 1.0, 20_000), requires_grad=True)

    def piece(x):
        for _ in range(200 // pieces):
            x = xg.tanh(x)
        return x

    run = xg.checkpoint(piece) if pieces > 1 else piece

    def both_ways():
        y = x
        for _ in range(pieces):
            y = run(y)
        xg.sum(y).backward()

    return traced_peak(both_ways)


def test_memory_of_a_chain_falls_to_its_square_root():
    with xg.use_backend("numpy"):
        assert peak(14) < 0.25 * peak(1)  # 14 + 14 arrays and some, of 200


def test_arguments_that_are_written_to(xp):
    """By the function, or by the caller after the call: it is run again with the values that it was given."""

    @xg.checkpoint
    def f(x, c):
        x *= 2.0
        c *= 2.0
        return xp.exp(x * c)

    x, c = make(xp, [0.5, 1.0], requires_grad=True), make(xp, [1.0, 1.0])
    y = x * 1.0
    z = xp.sum(f(y, c))
    y += 1.0
    c += 5.0
    z.backward()
    assert_matches(x.grad, 4.0 * np.exp([2.0, 4.0]), xp=xp)


def test_a_weight_that_was_changed_since_is_refused(xp):
    """To run the function again with the new weight would give the gradient of another function."""
    w, x = make(xp, [2.0], requires_grad=True), make(xp, [3.0], requires_grad=True)
    f = xg.checkpoint(lambda x: xp.exp(x * w))
    y = xp.sum(f(x))
    w.grad = make(xp, [1.0])
    xg.optim.SGD([w], lr=0.5).step()
    with pytest.raises(RuntimeError, match="closes over"):
        y.backward()
    assert x.grad is None
    xp.sum(f(x)).backward()
    assert_matches(x.grad, 1.5 * np.exp([4.5]), xp=xp)
    xp.sum(xg.checkpoint(lambda x, w: x * w)(x, w)).backward()
