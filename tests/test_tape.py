"""The reverse pass: what reaches the leaves, in which order, how often, and when it is refused."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, to_numpy
from tests.support.processes import environment


def leaf(xp, values, dtype="float64"):
    return make(xp, values, dtype, requires_grad=True)


# --- what gathers ---------------------------------------------------------------------------------


def test_a_tensor_times_itself(xp):
    x = leaf(xp, [1.0, -2.0])
    xp.sum(x * x).backward()
    assert_matches(x.grad, [2.0, -4.0], xp=xp)


def test_a_parameter_used_many_times(xp):
    """Used in every way that an operation can hold it: alone, with a number, with another tensor, as both arguments."""
    w, c = leaf(xp, [2.0, 3.0]), make(xp, [5.0, 7.0])
    y = w + 0 * c
    for _ in range(10):
        y = y + w * c + c * w + w * 2.0 + w * w - (-w)
    xp.sum(y).backward()
    host = np.array([2.0, 3.0])
    want = 1 + 10 * (2 * np.array([5.0, 7.0]) + 2 + 2 * host + 1)
    assert_matches(w.grad, want, xp=xp)


def test_gradients_of_several_backwards_add_up(xp):
    x = leaf(xp, [1.0, 2.0])
    for _ in range(3):
        xp.sum(x * x).backward()
    assert_matches(x.grad, [6.0, 12.0], xp=xp)


def test_a_diamond(xp):
    """The newer way down must not be left before the older one has been heard."""
    x = leaf(xp, [0.5, 1.5])
    a = xp.sin(x)
    b = xp.exp(a)
    c = a * b
    (xp.sum(c + a)).backward()
    s, co = np.sin([0.5, 1.5]), np.cos([0.5, 1.5])
    assert_matches(x.grad, co * (np.exp(s) * (1 + s) + 1), xp=xp)


def test_a_ladder_of_diamonds(xp):
    """2**40 paths, 80 nodes: each is walked once."""
    x = leaf(xp, [1.0])
    y = x
    for _ in range(40):
        y = y * 0.5 + y * 0.5
    xp.sum(y).backward()
    assert_matches(x.grad, [1.0], xp=xp)


def test_a_wide_graph(xp):
    x = leaf(xp, np.arange(1.0, 4.0))
    parts = [x * float(k) for k in range(200)]
    xp.sum(xp.stack(parts)).backward()
    assert_matches(x.grad, np.full(3, sum(range(200)), dtype=float), xp=xp)


def test_old_branches_join_new_ones(xp):
    """A chain may be walked without the heap only while nothing else waits."""
    x = leaf(xp, [0.3])
    old = xp.sin(x)
    new = x
    for _ in range(5):
        new = xp.cos(new)
    joined = new * old
    for _ in range(5):
        joined = joined * 2.0
    (xp.sum(joined + old)).backward()
    c, dc = 0.3, 1.0
    for _ in range(5):
        c, dc = np.cos(c), -np.sin(c) * dc
    want = 32 * (dc * np.sin(0.3) + c * np.cos(0.3)) + np.cos(0.3)
    assert_matches(x.grad, [want], xp=xp)


def test_one_gradient_for_two_leaves_is_not_one_array(backend, xp):
    """An addition hands the same gradient on to both: what is written to one must not be seen in the other."""
    a, b, seed = leaf(xp, [1.0, 2.0]), leaf(xp, [3.0, 4.0]), make(xp, [1.0, 1.0])
    (a + b).backward(seed)
    assert a.grad.data is not b.grad.data
    assert a.grad.data is not seed.data
    (a + b).backward(seed)
    assert_matches(a.grad, [2.0, 2.0], xp=xp)
    assert_matches(seed, [1.0, 1.0], xp=xp)
    if backend.name == "numpy":
        arrays = [a.grad.data, b.grad.data, seed.data]
        assert not any(np.shares_memory(x, y) for x in arrays for y in arrays if x is not y)


def test_also_if_an_operation_gives_both_the_same_new_array(backend, xp):
    made = []

    def rule(g, out, a, b):
        made.append(g * 1.0)
        return made[0]

    f = xg.primitive(lambda a, b: a + b)
    f.defvjp(rule, rule)
    a, b = leaf(xp, [1.0, 2.0]), leaf(xp, [3.0, 4.0])
    f(a, b).backward(make(xp, [1.0, 1.0]))
    assert a.grad.data is not b.grad.data
    if backend.name == "numpy":
        assert not np.shares_memory(a.grad.data, b.grad.data)


def test_with_create_graph_too(xp):
    a, b, seed = leaf(xp, [1.0, 2.0]), leaf(xp, [3.0, 4.0]), make(xp, [1.0, 1.0])
    (a + b).backward(seed, create_graph=True)
    assert a.grad is not b.grad
    assert a.grad is not seed
    a.grad += 1.0
    assert_matches(b.grad, [1.0, 1.0], xp=xp)
    assert_matches(seed, [1.0, 1.0], xp=xp)


@pytest.mark.parametrize("create_graph", [False, True])
def test_the_first_gradient_stays_one(backend, xp, create_graph):
    """The 1 that a backward starts from may be kept for the next one; no gradient is that array."""
    for shape in ((), (1,)):
        x = leaf(xp, np.full(shape, 2.0))
        (x + 0.0).backward(create_graph=create_graph)
        assert x.grad.data is not backend.one(shape, x.dtype)
        y = leaf(xp, np.full(shape, 2.0))
        y.backward(create_graph=create_graph)
        assert y.grad.data is not backend.one(shape, x.dtype)


def test_a_sum_made_on_the_way_is_added_to_only_while_nobody_else_holds_it(xp):
    """x gets g from three additions; the sums must not run into the gradients of y and z."""
    x, y, z = (leaf(xp, [float(k)]) for k in range(3))
    u = x + y
    v = x + z
    xp.sum((u + v) + (x + u)).backward()
    assert [to_numpy(t.grad).tolist() for t in (x, y, z)] == [[4.0], [2.0], [1.0]]


# --- where a walk starts --------------------------------------------------------------------------


def test_a_leaf_may_be_the_root(xp):
    x = leaf(xp, 3.0)
    x.backward()
    x.backward()
    assert_matches(x.grad, 2.0, xp=xp)
    y = leaf(xp, [1.0, 2.0])
    y.backward(make(xp, [5.0, 6.0]))
    assert_matches(y.grad, [5.0, 6.0], xp=xp)


def test_seeds(backend, xp):
    for seed in (make(xp, [1.0, 10.0]), make(xp, [1.0, 10.0]).data, [1.0, 10.0]):
        x = leaf(xp, [2.0, 3.0])
        (x * x).backward(seed)
        assert_matches(x.grad, [4.0, 60.0], xp=xp)
    x = leaf(xp, [[2.0]])
    (x * x).backward()
    assert_matches(x.grad, [[4.0]], xp=xp)


@pytest.mark.parametrize(
    ("seed", "dtype", "error"),
    [
        ([1.0], "float64", ValueError),
        ([[1.0, 1.0]], "float64", ValueError),
        ([1.0, 1.0], "float32", ValueError),
        ([1, 1], "int64", ValueError),
        (1.0, "float64", ValueError),
    ],
)
def test_a_seed_that_does_not_fit_is_refused(xp, seed, dtype, error):
    x = leaf(xp, [2.0, 3.0])
    y = x * x
    with pytest.raises(error, match=r"\(2,\)"):
        y.backward(make(xp, seed, dtype))
    assert x.grad is None
    y.backward(make(xp, [1.0, 1.0]))
    assert_matches(x.grad, [4.0, 6.0], xp=xp)


def test_what_needs_a_seed_says_so(xp):
    x = leaf(xp, [2.0, 3.0])
    with pytest.raises(RuntimeError, match=r"shape \(2,\) needs the gradient"):
        (x * x).backward()
    with pytest.raises(RuntimeError, match="does not require a gradient"):
        xp.sum(x.detach()).backward()
    z = leaf(xp, 1 + 2j, "complex128")
    with pytest.raises(RuntimeError, match="complex"):
        (z * z).backward()
    assert x.grad is None
    assert z.grad is None


# --- twice ----------------------------------------------------------------------------------------


def test_a_second_backward_is_refused(xp):
    x = leaf(xp, [1.0, 2.0])
    y = xp.sum(xp.exp(x))
    y.backward()
    with pytest.raises(xg.GraphFreedError, match=r"retain_graph=True"):
        y.backward()
    assert_matches(x.grad, np.exp([1.0, 2.0]), xp=xp)


def test_also_through_a_part_that_was_freed(xp):
    x = leaf(xp, [1.0, 2.0])
    shared = xp.exp(x)
    xp.sum(shared).backward()
    with pytest.raises(xg.GraphFreedError, match="exp"):
        xp.sum(shared * 2.0).backward()
    with pytest.raises(xg.GraphFreedError):
        xp.sum(shared * x).backward(create_graph=True)
    assert_matches(x.grad, np.exp([1.0, 2.0]), xp=xp)


def test_retain_graph(xp):
    x = leaf(xp, [1.0, 2.0])
    y = xp.sum(x**3)
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)
    y.backward()
    assert_matches(x.grad, [9.0, 36.0], xp=xp)
    with pytest.raises(xg.GraphFreedError):
        y.backward()
    x.grad = None
    y = xp.sum(x**3)
    y.backward(create_graph=True)  # keeps the graph as well
    y.backward(create_graph=True, retain_graph=False)
    assert_matches(x.grad.detach(), [6.0, 24.0], xp=xp)
    with pytest.raises(xg.GraphFreedError):
        y.backward()


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_a_step_between_two_backwards(xp, name):
    """The kept graph holds the weights as they were in the forward; the step must not change them there."""
    w, x = leaf(xp, [[1.0, 2.0], [3.0, 4.0]]), leaf(xp, [[0.5, -1.0]])
    hidden = xp.matmul(x, w)
    loss = xp.sum(hidden * hidden) + xp.sum(w * w)
    loss.backward(retain_graph=True)
    host, row = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.5, -1.0]])
    dw, dx = 2 * row.T @ (row @ host) + 2 * host, 2 * (row @ host) @ host.T
    assert_matches(w.grad, dw, xp=xp)
    getattr(xg.optim, name)([w], lr=0.1).step()
    assert not np.allclose(to_numpy(w), host)
    w.grad = x.grad = None
    loss.backward()
    assert_matches(w.grad, dw, xp=xp)
    assert_matches(x.grad, dx, xp=xp)


def test_an_error_on_the_way_leaves_every_gradient_as_it_was(xp):
    fails = xg.primitive(lambda x: x * 1.0)
    fails.defvjp(lambda g, out, x: 1 / 0)
    a, b = leaf(xp, [1.0]), leaf(xp, [2.0])
    a.grad = make(xp, [7.0])
    with pytest.raises(ZeroDivisionError):
        xp.sum(a * 2.0 + fails(b)).backward()
    assert_matches(a.grad, [7.0], xp=xp)
    assert b.grad is None


# --- higher orders --------------------------------------------------------------------------------


def test_three_orders_by_create_graph(xp):
    x = leaf(xp, [0.5, 2.0])
    host = np.array([0.5, 2.0])
    y = xp.sum(xp.exp(x) * x)
    for order in range(1, 4):
        x.grad = None
        y.backward(create_graph=order < 3)
        assert_matches(x.grad.detach(), np.exp(host) * (host + order), xp=xp)
        y = xp.sum(x.grad)


def test_a_gradient_that_was_not_recorded_is_a_constant(xp):
    x = leaf(xp, [1.0, 2.0])
    xp.sum(x**3).backward()
    assert not x.grad.requires_grad
    g = x.grad
    xp.sum(g * x).backward()
    assert_matches(x.grad, [3 + 3.0, 12 + 12.0], xp=xp)


def test_create_graph_reaches_leaves_through_saved_values(xp):
    """d/dw of (d/dx of sum((w x)^2))^2, by way of backward twice."""
    w, x = leaf(xp, [3.0]), leaf(xp, [2.0])
    xp.sum((w * x) ** 2).backward(create_graph=True)
    dx = x.grad
    w.grad = None
    xp.sum(dx * dx).backward()  # dx = 2 w^2 x
    assert_matches(w.grad, [2 * 2 * 9 * 2.0 * 4 * 3 * 2], xp=xp)


def test_a_leaf_closed_over_by_the_inner_function_keeps_its_gradient(xp):
    w = leaf(xp, 3.0)
    inner = xg.grad(lambda x: w * x * x)  # 2 w x
    y = inner(make(xp, 5.0)) ** 2
    assert y.requires_grad
    y.backward()
    assert_matches(w.grad, 8 * 3.0 * 25, xp=xp)
    nested = xg.grad(xg.grad(lambda x: w * w * x * x * x))  # 6 w^2 x
    w.grad = None
    nested(make(xp, 5.0)).backward()
    assert_matches(w.grad, 12 * 3.0 * 5, xp=xp)


# --- size -----------------------------------------------------------------------------------------

A_LONG_CHAIN = """
import gc
import xgrad as xg
gc.disable()  # for speed
x = xg.asarray([1.0], requires_grad=True)
z = xg.asarray([0.0], requires_grad=True)
y = x
for _ in range(200_000):
    y = {step}
{after}
"""


@pytest.mark.parametrize(
    ("step", "after"),
    [
        ("-y", "y.backward(); assert x.grad.item() == 1.0; del y"),
        ("-y", "del y"),
        ("y + z", "y.backward(retain_graph=True); assert z.grad.item() == 2e5; del y"),
    ],
    ids=["chain", "chain that is never walked", "two parents, and kept"],
)
def test_hundreds_of_thousands_of_operations(step, after):
    """No recursion in backward, nor when the graph is let go of: each in a process of its own, where a crash is seen."""
    source = A_LONG_CHAIN.format(step=step, after=after)
    subprocess.run([sys.executable, "-c", source], check=True, env=environment())
