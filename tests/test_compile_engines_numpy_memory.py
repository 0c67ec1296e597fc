"""The plan of the numpy engine's memory: what is in use at one time lies apart, and little memory is used."""

from itertools import pairwise

import numpy as np
import pytest

from tests.support.random_functions import laid_out, random_function
from xgrad.backends import load
from xgrad.compile.engines.numpy import source_of
from xgrad.compile.engines.numpy_blocks import Group
from xgrad.compile.engines.numpy_layouts import observe
from xgrad.compile.engines.numpy_memory import BLOCK, STATIC
from xgrad.compile.engines.numpy_steps import Value
from xgrad.compile.recorder import record

BASE = load("numpy")


def plan_of(f, *arrays):
    program = record(f, *arrays, base=BASE)
    with np.errstate(all="ignore"):
        _, layouts = observe(program, BASE.xp, arrays)
    return source_of(program, layouts, BASE.xp, False).plan


def check_apart(plan):
    """No two roots in one block are alive at the same time, except for an operand and the result that is written over it."""
    steps = [step for item in plan.items for step in (item.steps if isinstance(item, Group) else (item,))]
    by_block: dict[int, list[Value]] = {}
    for root, place in plan.places.items():
        if place.kind == STATIC:
            by_block.setdefault(place.number, []).append(root)
            assert root.nbytes <= plan.sizes[place.number]
    for roots in by_block.values():
        roots.sort(key=lambda root: plan.first[root])
        for a, b in pairwise(roots):
            if plan.last[a] == plan.first[b]:
                step = steps[plan.last[a]]
                assert step.is_elementwise
                assert a.is_like(b)
            else:
                assert plan.last[a] < plan.first[b]


@pytest.mark.parametrize("seed", range(40))
def test_values_that_are_alive_lie_apart(seed):
    rng = np.random.default_rng(seed)
    shapes = ((6, 4), (6, 4), (4, 6), (4,), (), (6, 4), (6, 4))
    arrays = [laid_out(rng, shape, "float64") for shape in shapes]
    with np.errstate(all="ignore"):
        check_apart(plan_of(random_function(seed, 60), *arrays, 0.5, 2.0))


def test_a_chain_uses_one_block():
    x = np.ones((50, 50))

    def f(xp, x):
        for _ in range(10):
            x = xp.tanh(xp.multiply(x, 2.0))
        return xp.matmul(x, x)

    plan = plan_of(f, x)
    assert len(plan.sizes) == 1


def test_products_use_two_blocks():
    x = np.ones((50, 50))

    def f(xp, x):
        y = x
        for _ in range(10):
            y = xp.matmul(y, x)
        return xp.tanh(y)

    assert len(plan_of(f, x).sizes) == 2


def test_a_long_chain_uses_blocks_of_the_cache_only():
    x = np.ones((1000, 1000), "float32")

    def f(xp, x):
        for _ in range(4):
            x = xp.add(xp.tanh(x), xp.sin(x))
        return xp.sum(x)

    plan = plan_of(f, x)
    assert sum(plan.sizes) < 1000
    assert {place.kind for root, place in plan.places.items() if root.shape} == {BLOCK}
