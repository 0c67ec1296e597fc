"""Groups: elementwise chains with their reductions. Executed block by block they give the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.compiled_programs import assert_equal_bits, random_program
from tests.support.workload_programs import workload
from xgrad.backends import load
from xgrad.compile.passes.groups import Group, flat, grouped
from xgrad.compile.passes.kinds import is_elementwise
from xgrad.compile.program import Program, Ref, call, mapped, replay
from xgrad.compile.recorder import record

NUMPY = load("numpy")
XP = NUMPY.xp


def run_grouped(program: Program, items: list[Any], inputs: list[Any]) -> list[Any]:
    """The outputs, item by item. A group is run in two blocks of rows, and only what it gives is kept."""
    values: dict[int, Any] = dict(zip(program.inputs, inputs, strict=True)) | dict(program.constants)
    for item in items:
        if not isinstance(item, Group):
            run(item, values)
            continue
        rows = item.shape[0] if item.shape else 1
        parts = [slice(0, rows // 2), slice(rows // 2, rows)] if item.shape and rows > 1 else [None]
        blocks = []
        for part in parts:
            block = {n: cut(values[n], item.shape, part) for n in item.reads if n in values}
            for instruction in item.instructions:
                run(instruction, block)
            blocks.append(block)
        whole = {
            n: blocks[0][n] if parts == [None] else np.concatenate([np.asarray(block[n]) for block in blocks])
            for n in item.computed
        }
        for instruction in item.reductions:
            run(instruction, whole)
        values.update({n: whole[n] for n in item.gives})
    return [values[number] for number in program.outputs]


def cut(value: Any, shape: tuple[int, ...], part: Any) -> Any:
    if part is None or not isinstance(value, np.ndarray) or value.ndim < len(shape) or value.shape[0] == 1:
        return value
    return value[part]


def run(instruction: Any, values: dict[int, Any]) -> None:
    def value_of(operand: Any) -> Any:
        return values[operand.number] if type(operand) is Ref else getattr(XP, operand.name)

    name, args, options, results, several = instruction
    found = call(XP, name, mapped(args, value_of), {key: mapped(option, value_of) for key, option in options.items()})
    values.update(zip(results, found if several else (found,), strict=True))


@pytest.mark.parametrize("seed", range(150))
def test_random_programs_in_blocks(seed):
    program, inputs = random_program(seed)
    items = grouped(program)
    assert sorted(i.results for i in flat(items)) == sorted(i.results for i in program.instructions)
    with np.errstate(all="ignore"):
        assert_equal_bits(run_grouped(program, items, inputs), replay(program, XP, inputs), program)
    for item in items:
        if isinstance(item, Group):
            assert len(item) >= 2
            assert all(program.specs[i.results[0]].shape == item.shape for i in item.instructions)
            assert all(is_elementwise(i.name) for i in item.instructions)


@pytest.mark.parametrize("name", ["w2_sigmoid", "w3", "w4", "w5"])
def test_workloads_in_blocks(name):
    program, inputs = workload(name, tiny=True, dtype="float64")
    assert_equal_bits(run_grouped(program, grouped(program), inputs), replay(program, XP, inputs))


def test_a_chain_with_its_sum_and_its_gradient_is_one_group():
    program, _ = workload("w4", tiny=True)
    items = [item for item in grouped(program) if isinstance(item, Group)]
    assert len(items) == 1
    assert [i.name for i in items[0].reductions] == ["sum"]
    assert len(items[0].gives) == 2  # the sum and the gradient
    assert items[0].is_flat(program)


X = np.arange(1.0, 7.0).reshape(2, 3)


def groups_of(f: Any, *arrays: Any) -> tuple[Program, list[Any]]:
    program = record(f, *arrays, base=NUMPY)
    items = grouped(program)
    assert_equal_bits(run_grouped(program, items, list(arrays)), replay(program, XP, arrays))
    return program, [[i.name for i in flat([item])] if isinstance(item, Group) else item.name for item in items]


def test_what_does_not_depend_on_a_group_comes_before_it():
    def f(xp, x):
        y = xp.sin(x)
        m = xp.matmul(x.mT, x)
        return xp.cos(y), m

    assert groups_of(f, X)[1] == ["matrix_transpose", "matmul", ["sin", "cos"]]


def test_what_uses_a_group_closes_it():
    def f(xp, x):
        y = xp.sin(xp.cos(x))
        m = xp.sum(xp.matmul(y, y.mT))
        return xp.exp(y) + m

    assert groups_of(f, X)[1] == [["cos", "sin"], "matrix_transpose", "matmul", "sum", ["exp", "add"]]


def test_a_group_that_uses_a_sum_of_another_comes_after_it():
    _, items = groups_of(lambda xp, x: (y := xp.exp(xp.sin(x))) / xp.sum(y, axis=0), X)
    assert items == [["sin", "exp", "sum"], "divide"]


@pytest.mark.parametrize(
    ("axis", "joins"),
    [(None, True), (0, True), ((0, 1), True), (-2, True), (1, False), (-1, False), ((0, -1), True), ((), True)],
)
def test_sums_over_all_or_leading_axes_end_a_group(axis, joins):
    _, items = groups_of(lambda xp, x: xp.mean(xp.exp(xp.sin(x)), axis=axis), X)
    assert items == ([["sin", "exp", "mean"]] if joins else [["sin", "exp"], "mean"])


def test_groups_of_two_shapes_are_open_together():
    def f(xp, x, y):
        a, b = xp.sin(x), xp.sin(y)
        return xp.cos(a), xp.cos(b)

    assert groups_of(f, X, X[0])[1] == [["sin", "cos"], ["sin", "cos"]]


def test_broadcast_operands_are_read():
    program = record(lambda xp, x, b, r: xp.tanh(x + b) * r, X, X[0], 0.5, base=NUMPY)
    (group,) = grouped(program)
    assert isinstance(group, Group)
    assert group.reads == list(program.inputs)
    assert not group.is_flat(program)


def test_short_chains_stay_alone():
    program = record(lambda xp, x: xp.exp(xp.sin(x)), X, base=NUMPY)
    assert len(grouped(program, least=3)) == 2
