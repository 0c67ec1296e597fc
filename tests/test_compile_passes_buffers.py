"""The plan of buffers: a program computes the same in the planned memory, and views are found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.cases import CASES, few
from tests.support.compiled_programs import assert_equal_bits, random_program
from tests.support.recorded_cases import OF_VALUES, programs
from tests.support.workload_programs import workload
from xgrad.backends import load
from xgrad.compile.passes.buffers import Plan, plan
from xgrad.compile.passes.kinds import is_array, nbytes
from xgrad.compile.program import DType, Instruction, Program, Ref, call, mapped, replay, used_by
from xgrad.compile.recorder import record

XP = load("numpy").xp


def run_planned(program: Program, made: Plan, inputs: list[Any]) -> list[Any]:
    """The outputs, with each result that has a buffer in that buffer's memory, and all else as it was computed."""
    buffers = [np.full(size, 0xA5, dtype=np.uint8) for _, size in made.sizes]
    values: dict[int, Any] = dict(zip(program.inputs, inputs, strict=True)) | dict(program.constants)

    def value_of(operand: Any) -> Any:
        return values[operand.number] if type(operand) is Ref else getattr(XP, operand.name)

    for name, args, options, results, several in program.instructions:
        given = mapped(args, value_of)
        options = {key: mapped(option, value_of) for key, option in options.items()}
        found = call(XP, name, given, options)
        for number, y in zip(results, found if several else (found,), strict=True):
            if number in made.buffer_of:
                size = nbytes(program.specs[number])
                place = buffers[made.buffer_of[number]][:size].view(y.dtype).reshape(y.shape)
                place[...] = np.array(y)
                y = place
            values[number] = y
    return [np.array(values[number]) for number in program.outputs]


@pytest.mark.parametrize("seed", range(150))
def test_random_programs_compute_the_same_in_planned_memory(seed):
    program, inputs = random_program(seed)
    with np.errstate(all="ignore"):
        got, want = run_planned(program, plan(program), inputs), replay(program, XP, inputs)
    assert_equal_bits(got, want, program)


@pytest.mark.parametrize("name", ["w2_sigmoid", "w3", "w4", "w5"])
def test_workloads_compute_the_same_in_less_memory(name):
    program, inputs = workload(name, tiny=True)
    made = plan(program)
    assert_equal_bits(run_planned(program, made, inputs), replay(program, XP, inputs))
    results = [number for instruction in program.instructions for number in instruction.results]
    alone = sum(nbytes(program.specs[n]) for n in results if n in made.buffer_of)
    assert made.nbytes < alone / 2


@pytest.mark.parametrize("name", sorted(set(CASES) - set(OF_VALUES)))
def test_every_result_that_shares_memory_is_a_view(name):
    """Otherwise its memory would be given to another value while it is used."""
    for case in few(name):
        for what, program, inputs in programs(case, load("numpy")):
            made = plan(program)
            values: dict[int, Any] = dict(zip(program.inputs, inputs, strict=True)) | dict(program.constants)

            def value_of(operand: Any, values: dict[int, Any] = values) -> Any:
                return values[operand.number] if type(operand) is Ref else getattr(XP, operand.name)

            for instruction in program.instructions:
                options = {key: mapped(option, value_of) for key, option in instruction.options.items()}
                found = call(XP, instruction.name, mapped(instruction.args, value_of), options)
                results = found if instruction.several else (found,)
                for number, y in zip(instruction.results, results, strict=True):
                    shares = [n for n in used_by(instruction) if is_array(program.specs[n]) and _shares(y, values[n])]
                    assert not shares or number in made.views, f"{case}, {what}: {instruction}"
                    values[number] = y


def _shares(a: Any, b: Any) -> bool:
    return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.may_share_memory(a, b)


def plan_of(f: Any, *arrays: Any, can_write: Any = lambda instruction: True) -> tuple[Program, Plan]:
    program = record(f, *arrays, base=load("numpy"))
    return program, plan(program, can_write)


X = np.arange(9.0).reshape(3, 3)


def test_a_chain_takes_one_buffer():
    def f(xp, x):
        for _ in range(10):
            x = xp.sin(x)
        return x

    program, made = plan_of(f, X)
    assert made.sizes == [("float64", 72)]
    assert len(made.over) == 8  # each but the first, and the output, which is in no buffer
    assert program.outputs[0] not in made.buffer_of


def test_nothing_is_written_over_while_a_view_is_used():
    def f(xp, x):
        y = xp.sin(x)
        turned = xp.matrix_transpose(y)
        return xp.matmul(xp.cos(y), turned)

    program, made = plan_of(f, X)
    y, turned, cos = (instruction.results[0] for instruction in program.instructions[:3])
    assert made.views == {turned: y}
    assert made.buffer_of[cos] != made.buffer_of[y]


def test_nothing_is_written_over_an_operand_that_is_also_read_transposed():
    def f(xp, x):
        y = xp.sin(x)
        return xp.exp(y + xp.matrix_transpose(y))

    _, made = plan_of(f, X)
    assert not made.over


def test_products_are_not_written_over_an_operand():
    def f(xp, x):
        y = xp.sin(x)
        return xp.exp(xp.matmul(y, y))

    _, made = plan_of(f, X)
    assert not made.over
    assert len(made.sizes) == 2


def test_a_view_that_is_an_output_keeps_its_memory():
    program, made = plan_of(lambda xp, x: xp.sin(x)[0], X)
    assert not made.buffer_of
    assert made.views == {program.outputs[0]: program.instructions[0].results[0]}


def test_results_that_the_engine_cannot_write_have_no_buffer():
    def can_write(instruction: Instruction) -> bool:
        return instruction.name != "sin"

    program, made = plan_of(lambda xp, x: xp.exp(xp.cos(xp.sin(x))), X, can_write=can_write)
    assert list(made.buffer_of) == [program.instructions[1].results[0]]


def test_other_shapes_and_dtypes_take_other_buffers():
    def f(xp, x):
        y = xp.sum(xp.sin(x), axis=0)
        return xp.astype(xp.exp(xp.cos(y)), xp.float32) + 1.0

    _, made = plan_of(f, X)
    assert made.sizes == [("float64", 72), ("float64", 24), ("float32", 12)]


def test_a_dtype_option_is_no_operand():
    program, _ = plan_of(lambda xp, x: xp.sum(xp.sin(x), dtype=xp.float32), X)
    assert program.instructions[1].options == {"dtype": DType("float32")}
