"""Chains in blocks: what is grouped, in which order it runs, and sums in NumPy's own order."""

import numpy as np
import pytest

from xgrad.backends import load
from xgrad.compile.engines.numpy_blocks import Group, flat, grouped, halves, total
from xgrad.compile.engines.numpy_kernels import RULES
from xgrad.compile.engines.numpy_layouts import observe
from xgrad.compile.engines.numpy_lowering import Lowering
from xgrad.compile.recorder import record

BASE = load("numpy")


def items(f, *arrays, least=0):
    program = record(f, *arrays, base=BASE)
    _, layouts = observe(program, BASE.xp, arrays)
    return grouped(Lowering(program, layouts, BASE.xp, RULES).steps, least)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("most", [1, 128, 1000, 1 << 15])
@pytest.mark.parametrize("size", [1, 7, 129, 1000, 4099, 100_003, 1 << 17])
def test_sums_of_blocks_are_added_in_numpys_order(size, most, dtype):
    x = np.random.default_rng(size).normal(size=size).astype(dtype)
    blocks, tree = halves(size, most)
    assert [lo for lo, _ in blocks] == [0, *(hi for _, hi in blocks[:-1])]
    assert blocks[-1][1] == size
    assert all(hi - lo <= max(most, 128) for lo, hi in blocks)
    out = np.empty((), dtype)
    total(tree, [np.add.reduce(x[lo:hi]) for lo, hi in blocks], out)
    assert out.tobytes() == np.add.reduce(x).tobytes()


def test_flat_has_the_order_of_memory():
    x = np.arange(24.0).reshape(2, 3, 4)
    for axes in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        back = np.argsort(axes)
        y = np.ascontiguousarray(x.transpose(axes)).transpose(back)
        assert np.shares_memory(flat(y, axes), y)


def names(item):
    return [step.function.__name__ for step in item.steps]


def test_a_chain_with_its_sum_is_a_group():
    x = np.ones((8, 8))
    (group,) = items(lambda xp, x: xp.sum(xp.exp(xp.multiply(x, 2.0))), x)
    assert isinstance(group, Group)
    assert names(group) == ["multiply", "exp", "reduce"]


def test_short_chains_and_single_steps_are_not_grouped():
    x = np.ones((8, 8))
    assert not any(
        isinstance(item, Group) for item in items(lambda xp, x: xp.exp(xp.multiply(x, 2.0)), x, least=1 << 10)
    )
    assert not any(isinstance(item, Group) for item in items(lambda xp, x: xp.exp(x), x))


def test_what_does_not_touch_a_chain_goes_before_it():
    x = np.ones((8, 8))

    def f(xp, x):
        a = xp.exp(x)
        product = xp.matmul(x, x)
        b = xp.tanh(a)
        return xp.matmul(b, product)

    first, group, last = items(f, x)
    assert first.function is np.dot
    assert names(group) == ["exp", "tanh"]
    assert last.function is np.dot


def test_what_reads_a_sum_comes_after_its_chain():
    x = np.ones((8, 8))

    def f(xp, x):
        y = xp.exp(xp.multiply(x, 2.0))
        z = xp.divide(y, xp.sum(y))
        return xp.tanh(z)

    before, after = items(f, x)
    assert names(before) == ["multiply", "exp", "reduce"]
    assert names(after) == ["divide", "tanh"]


def test_arrays_of_two_orders_are_not_in_one_group():
    x = np.ones((8, 6))
    f = np.asfortranarray(x)

    def both(xp, x, f):
        return xp.exp(xp.multiply(x, 2.0)), xp.exp(xp.multiply(f, 2.0)), xp.add(x, f)

    found = items(both, x, f)
    assert [names(item) for item in found if isinstance(item, Group)] == [["multiply", "exp"]] * 2
