"""Memory: no reference cycles, nothing kept longer than it is needed, and a peak no higher than that of NumPy by hand."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.allocations import traced_peak
from tests.support.arrays import assert_matches, make, to_numpy


@contextmanager
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    gc.freeze()  # what there is already need not be looked through each time
    try:
        yield
    finally:
        gc.unfreeze()
        gc.enable()


def in_use() -> tuple[int, int]:
    """The objects in cycles, and the blocks of memory in use without them."""
    in_cycles = gc.collect()  # also empties the interpreter's own lists of free objects
    return in_cycles, sys.getallocatedblocks()


def assert_flat(step: Callable[[], object], times: int = 200) -> None:
    """After a warm-up, so many steps leave nothing behind: neither cycles for a collector nor anything else.

    The warm-up ends when NumPy's stock of small pieces of memory is full: a leak grows in every round.
    """
    with no_collector():
        grown = []
        for _ in range(8):
            _, before = in_use()
            for _ in range(times):
                step()
            in_cycles, after = in_use()
            assert in_cycles < times // 10, f"{times} steps leave {in_cycles} objects in cycles"
            grown.append(after - before)
            if grown[-1] < times // 4:
                return
    raise AssertionError(f"{times} steps leave {grown[-1]} blocks of memory in use, after {grown[:-1]} before")


def attempt(step: Callable[[], object], error: type[Exception]) -> None:
    """The step, which must fail. (`pytest.raises` makes a cycle of its own.)"""
    try:
        step()
    except error:
        return
    raise AssertionError(f"{error.__name__} was not raised")


# --- flat without the garbage collector -----------------------------------------------------------


def network(xp, hidden: int = 8):
    rng = np.random.default_rng(0)
    shapes = (hidden, 1), (hidden,), (1, hidden), (1,)
    return [make(xp, rng.normal(size=shape), requires_grad=True) for shape in shapes]


def loss_of(xp, params, x, y):
    w1, b1, w2, b2 = params
    hidden = xp.sigmoid(xp.linear(x, w1, b1))
    error = xp.linear(hidden, w2, b2) - y
    return xp.mean(error * error)


@pytest.fixture(autouse=True)
def arrays_are_eager(request: pytest.FixtureRequest) -> None:
    if "backend" in request.fixturenames and request.getfixturevalue("backend").name == "dask":
        pytest.skip("dask's graphs have cycles of their own, and grow until they are computed")


def test_training_steps(backend, xp):
    params = network(xp)
    x, y = make(xp, np.ones((4, 1))), make(xp, np.zeros((4, 1)))
    optimizer = xg.optim.SGD(params, lr=0.01, momentum=0.9)

    def step():
        optimizer.zero_grad()
        loss_of(xp, params, x, y).backward()
        optimizer.step()

    assert_flat(step, times=1000 if backend.name == "numpy" else 200)


def test_steps_that_fail_midway(xp):
    params = network(xp)
    x, y = make(xp, np.ones((4, 1))), make(xp, np.zeros((3, 1)))

    assert_flat(lambda: attempt(lambda: loss_of(xp, params, x, y).backward(), ValueError))


def test_backwards_that_fail_midway(xp):
    breaks = xg.primitive(lambda x: x * 1.0)
    breaks.defvjp(lambda g, out, x: 1 / 0)
    x = make(xp, np.ones(3), requires_grad=True)

    def step():
        xp.sum(xp.exp(breaks(xp.sin(x)))).backward()

    assert_flat(lambda: attempt(step, ZeroDivisionError))


def test_graphs_that_are_never_walked(xp):
    params = network(xp)
    x, y = make(xp, np.ones((4, 1))), make(xp, np.zeros((4, 1)))
    assert_flat(lambda: loss_of(xp, params, x, y))


@pytest.mark.parametrize("order", [1, 2])
def test_transforms(xp, order):
    f = xg.grad(lambda x: xp.sum(xp.sin(x) ** 2))
    if order == 2:
        first = f
        f = xg.grad(lambda x: xp.sum(first(x)))
    x = make(xp, [0.5, 1.0])
    assert_flat(lambda: f(x))


def test_forward_mode_and_hvp(xp):
    x, t = make(xp, [0.5, 1.0]), make(xp, [1.0, 2.0])
    assert_flat(lambda: xg.hvp(lambda x: xp.sum(xp.sin(x) ** 2), (x,), (t,)))


def test_writes(xp):
    x = make(xp, np.ones(3), requires_grad=True)

    def step():
        y = x * 2.0
        y[0] = 5.0
        y += x
        xp.sum(y).backward()
        x.grad = None

    assert_flat(step)


def test_errors_in_operations(xp):
    x, y = make(xp, np.ones(3), requires_grad=True), make(xp, np.ones(4))

    assert_flat(lambda: attempt(lambda: x + y, ValueError))


# --- what is kept, and until when -----------------------------------------------------------------


@pytest.fixture
def xp_numpy():
    with xg.use_backend("numpy") as backend:
        yield backend.view


def array_of(t):
    return weakref.ref(t.data)


def test_what_no_rule_needs_dies_with_its_tensor(xp_numpy):
    xp = xp_numpy
    x = make(xp, np.ones(3), requires_grad=True)
    a = x + 1.0
    b = xp.sin(a)  # needs a
    c = -b
    d = c + c
    e = xp.reshape(d, (3, 1))
    needed, *unneeded = (array_of(t) for t in (a, b, c))
    loss = xp.sum(e)
    del a, b, c, d, e
    assert needed() is not None
    assert [array() for array in unneeded] == [None, None]
    loss.backward()
    assert needed() is None


def test_a_walk_lets_go_of_the_graph(xp_numpy):
    """The loss may live on, for a history; what it was computed from does not."""
    xp = xp_numpy
    x = make(xp, np.ones(3), requires_grad=True)
    leaf = weakref.ref(x.node)
    loss = xp.sum(xp.exp(x) * x)
    loss.backward()
    del x
    assert leaf() is None
    assert loss.requires_grad


def test_saved_values_die_as_backward_goes_by(xp_numpy):
    xp = xp_numpy
    alive: list[Any] = []
    seen: list[list[bool]] = []
    spy = xg.primitive(lambda x: x * 1.0)

    def rule(g, out, x):
        seen.append([array() is not None for array in alive])
        return g

    spy.defvjp(rule)
    x = make(xp, np.ones(3), requires_grad=True)
    y = x
    for _ in range(4):
        y = xp.exp(y * 0.1)
        alive.append(array_of(y))
        y = spy(y)
    loss = xp.sum(xp.exp(y))
    del y
    loss.backward()
    # When the spy behind layer k runs, the saved values of later layers are gone; layer k's own is just being used.
    assert seen == [[i <= k for i in range(4)] for k in reversed(range(4))]
    assert not any(array() is not None for array in alive)
    assert loss.item() > 0


def test_the_graph_dies_with_its_last_tensor(xp_numpy):
    xp = xp_numpy
    x = make(xp, np.ones(3), requires_grad=True)
    y = xp.exp(x * 2.0)
    saved = array_of(y)
    z = xp.sum(y * y)
    del y
    with no_collector():
        assert saved() is not None
        del z
        assert saved() is None


def test_a_transform_leaves_nothing_behind(xp_numpy):
    xp = xp_numpy
    arrays = []

    def f(x):
        y = xp.exp(x)
        arrays.append(array_of(y))
        return xp.sum(y * y)

    with no_collector():
        g = xg.grad(f)(make(xp, np.ones(3)))
        assert arrays[0]() is None
        value, pull = xg.vjp(f, make(xp, np.ones(3)))
        assert arrays[1]() is not None
        del value, pull
        assert arrays[1]() is None
    assert g.shape == (3,)


# --- the peak -------------------------------------------------------------------------------------

BATCH, WIDTH = 256, 512


def peak(step: Callable[[], object]) -> int:
    step()
    return traced_peak(step)


def test_a_walk_forth_keeps_no_tangent_that_nobody_asks_for_again(xp_numpy):
    xp = xp_numpy
    x = make(xp, np.ones(100_000))

    def chain(x):
        for _ in range(20):
            x = xp.sin(x)
        return x

    _, push = xg.linearize(chain, x)
    assert peak(lambda: push(x)) < 5 * 800_000


def by_hand(x, target, weights):
    """Three layers of relu and a squared error, keeping the activations and nothing else."""
    kept = [x]
    for w in weights:
        kept.append(np.maximum(kept[-1] @ w, 0))
    g = kept[-1] - target
    g *= 2 / g.size
    grads = []
    for w in reversed(weights):
        y, a = kept.pop(), kept[-1]
        g = g * (y > 0)
        del y
        grads.append(a.T @ g)
        g = g @ w.T
    return grads


def test_the_peak_of_a_step_is_no_higher_than_by_hand(xp_numpy):
    xp = xp_numpy
    rng = np.random.default_rng(0)
    hosts = [rng.normal(size=(WIDTH, WIDTH)).astype("float32") for _ in range(3)]
    x, target = (rng.normal(size=(BATCH, WIDTH)).astype("float32") for _ in range(2))
    weights = [make(xp, w, requires_grad=True) for w in hosts]
    inputs, wanted = make(xp, x), make(xp, target)

    def loss():
        y = inputs
        for w in weights:
            y = xp.relu(xp.matmul(y, w))
        error = y - wanted
        return xp.mean(error * error)

    def step():
        for w in weights:
            w.grad = None
        loss().backward()

    by_xgrad, by_numpy = peak(step), peak(lambda: by_hand(x, target, hosts))
    for w, g in zip(weights, reversed(by_hand(x, target, hosts)), strict=True):
        np.testing.assert_allclose(to_numpy(w.grad), g, rtol=1e-3, atol=1e-3)
    assert by_xgrad <= 1.02 * by_numpy, f"{by_xgrad / 2**20:.2f} MiB against {by_numpy / 2**20:.2f}"


@pytest.mark.parametrize("held", [False, True])
def test_grad_frees_the_tape_on_its_way(held):
    """When the walk comes to the first operation, what a later one saved is gone; unless somebody still holds that part."""
    saved: list[Any] = []
    gone: list[bool] = []
    kept: list[Any] = []

    @xg.primitive
    def first(x):
        return x * 1.0

    def rule(g, out, x):
        gone.append(saved[0]() is None)
        return g

    first.defvjp(rule)

    def f(x):
        middle = xg.exp(first(x))
        saved.append(weakref.ref(middle.data))
        y = xg.sum(xg.sin(middle))
        kept.extend([y] if held else [])
        return y

    with xg.use_backend("numpy"), no_collector():
        xg.grad(f)(np.ones(3))
    assert gone == [not held]


# --- what a recorded backward leaves ------------------------------------------------------------------------


@pytest.mark.parametrize("keeping", [False, True])
@pytest.mark.parametrize("ended", ["dropped", "differentiated", "kept by its gradient"])
def test_after_a_recorded_backward_dropped_leaves_are_freed_at_once(xp, keeping, ended):
    """A gradient that was recorded leads to its leaf, and the leaf to no gradient: there is no cycle for the collector."""
    gc.collect()
    gc.disable()
    try:
        x = make(xp, [1.0, 2.0], requires_grad=True)
        y = x * x * x
        if keeping:
            y.retain_grad()
        xp.sum(y * y).backward(create_graph=True)
        of_x: Any = x.grad
        if ended == "differentiated":
            xp.sum(of_x * of_x).backward(create_graph=True)
        del of_x
        g = x.grad if ended == "kept by its gradient" else None
        gone = [weakref.ref(each) for each in (x, y, x.node, y.grad if keeping else x.grad) if each is not g]
        del x, y
        if g is not None:
            xp.sum(g).backward()  # what arrives at a leaf whose tensor is gone is let go
            assert_matches(g.detach(), [6.0, 192.0], xp=xp)
            del g
        assert [each() for each in gone] == [None] * len(gone)
    finally:
        gc.enable()
