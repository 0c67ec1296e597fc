"""Groups: what becomes one kernel, in which order, and what goes in and out."""

from __future__ import annotations

import numpy as np

from xgrad.backends import load
from xgrad.compile.engines.cupy_groups import MOST, Group, grouped
from xgrad.compile.program import used_by
from xgrad.compile.recorder import record

NUMPY = load("numpy")


def groups_of(f, *arrays):
    program = record(f, *arrays, base=NUMPY)
    return program, grouped(program)


def names(step):
    if not isinstance(step, Group):
        return step.name
    return [each.name for each in step.instructions] + ([step.reduction.name] if step.reduction else [])


X = np.ones((3, 4))


def test_a_chain_is_a_group_with_its_inputs_and_outputs():
    program, (group,) = groups_of(lambda xp, x, y, a: (xp.exp(x * y) * a, xp.sin(x)), X, X, 0.5)
    assert names(group) == ["multiply", "exp", "multiply", "sin"]
    assert group.inputs == list(program.inputs)
    assert group.outputs == list(program.outputs)
    assert group.shape == (3, 4)


def test_an_instruction_waits_for_what_is_between():
    """The product needs the group's first result, and the last sum needs the product: it cannot join the group."""

    def f(xp, x):
        y = xp.exp(x) + 1.0
        z = xp.matmul(x, xp.matrix_transpose(y))
        w = xp.sin(x) * y
        return z, xp.exp(z) + 1.0, w

    program, steps = groups_of(f, np.ones((3, 3)))
    assert [names(step) for step in steps] == [
        ["exp", "add", "sin", "multiply"],
        "matrix_transpose",
        "matmul",
        ["exp", "add"],
    ]
    assert_in_order(program, steps)


def assert_in_order(program, steps):
    known = {*program.inputs, *program.constants}
    for step in steps:
        inputs = step.inputs if isinstance(step, Group) else list(used_by(step))
        assert set(inputs) <= known
        known |= set(step.outputs if isinstance(step, Group) else step.results)
    assert set(program.outputs) <= known


def test_a_reduction_takes_what_only_it_needs():
    _, steps = groups_of(lambda xp, x: xp.sum(xp.exp(x) * x), X)
    assert [names(step) for step in steps] == [["exp", "multiply", "sum"]]
    _, steps = groups_of(lambda xp, x: (xp.mean(xp.exp(x), axis=0), xp.sum(y := x * 2.0, keepdims=True), y), X)
    assert [names(step) for step in steps] == [["exp", "mean"], "multiply", "sum"]
    _, steps = groups_of(lambda xp, x: xp.sum(xp.reshape(x, (12,)) * 2.0) + xp.max(x * 2.0), X)
    assert [names(step) for step in steps] == ["reshape", ["multiply", "sum"], "multiply", "max", "add"]


def test_other_shapes_are_other_groups():
    program, steps = groups_of(lambda xp, x, y: (xp.exp(y) + 1.0) * x, X, np.ones(4))
    assert [names(step) for step in steps] == [["exp", "add"], "multiply"]
    assert_in_order(program, steps)


def test_an_instruction_alone_stays_what_it_was_unless_it_takes_a_number():
    _, (step,) = groups_of(lambda xp, x: x * 2.0, X)
    assert step.name == "multiply"
    _, (group,) = groups_of(lambda xp, x, a: x * a, X, 2.0)
    assert names(group) == ["multiply"]


def test_numbers_come_first():
    program, steps = groups_of(lambda xp, x, a, b: x * (a / b) + (1.0 - a), X, 2.0, 3.0)
    assert [names(step) for step in steps] == ["divide", "subtract", ["multiply", "add"]]
    assert_in_order(program, steps)


def test_a_kernel_has_few_operands():
    arrays = [np.full(3, float(k)) for k in range(3 * MOST)]

    def f(xp, *xs):
        total = xs[0]
        for x in xs[1:]:
            total = total + x
        return total

    program, steps = groups_of(f, *arrays)
    assert len(steps) > 2
    assert all(len(step.inputs) + len(step.outputs) <= MOST for step in steps if isinstance(step, Group))
    assert_in_order(program, steps)
