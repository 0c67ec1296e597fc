"""Every case of every function is recorded and replayed: its value, its vjp and its jvp.

Replayed on the arrays of the recording, a program gives the same bits as the direct computation. On other arrays it gives what
the function gives for those: nothing of the recording is baked in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.cases import CASES, few
from tests.cases.case import Case
from tests.point import Point
from tests.support.arrays import raw
from tests.support.compiled_programs import assert_equal_bits
from tests.support.recorded_cases import OF_VALUES, programs
from xgrad.backends import load
from xgrad.backends.base import Backend
from xgrad.compile.errors import CompileError
from xgrad.compile.program import DType, Program, Ref, call, mapped, replay
from xgrad.engine.tensor import wrap


def eager(case: Case, backend: Backend, what: str, arrays: list[Any]) -> list[Any]:
    """What a program of the case computes, computed on tensors: on the value's arguments, then the weights or directions."""
    point = Point(case, backend)
    tensors = [wrap(array, backend) for array in arrays]
    xs, others = tensors[: len(point.xs)], tensors[len(point.xs) :]
    if what == "value":
        return [y.data for y in point.function(*xs)]
    if what == "vjp":
        return [y.data for y in xg.vjp(point.function, *xs)[1](tuple(others))]
    found = xg.jvp(point.function, tuple(xs), tuple(others))[1]
    return [y.data for y in found]


def hosts(backend: Backend, arrays: list[Any]) -> list[Any]:
    return [backend.to_numpy(y) for y in arrays]


def other_inputs(backend: Backend, inputs: list[Any]) -> list[Any]:
    """Inputs of the same shapes, near these: where the function is smooth, and no order of elements changes."""
    return [raw(backend, backend.to_numpy(x) * (1 + 2.0**-10)) for x in inputs]


def check(case: Case, backend: Backend, others: bool = False) -> None:
    """Check the programs of a case; with `others`, at other inputs too."""
    if case.name in OF_VALUES:
        with pytest.raises(CompileError, match=OF_VALUES[case.name]) as caught:
            list(programs(case, backend))
        assert "tests/" in str(caught.value)  # the line of whoever called it
        return
    for what, program, inputs in programs(case, backend):
        for given in (inputs, other_inputs(backend, inputs)) if others else (inputs,):
            want = hosts(backend, eager(case, backend, what, given))
            got = hosts(backend, replay(program, backend.xp, given, backend.adopt))
            if any(y.shape == () and y.dtype.kind == "c" for y in [*hosts(backend, given), *want]):
                # Inside of a rule NumPy computes with scalars, and rounds complex ones otherwise than arrays.
                for a, b in zip(got, want, strict=True):
                    np.testing.assert_allclose(a, b, rtol=2.0**-48)
            else:
                assert_equal_bits(got, want, (case, what, program))


@pytest.mark.parametrize("name", sorted(CASES))
def test_on_numpy(name):
    for case in CASES[name]:
        check(case, load("numpy"), others=True)


@pytest.mark.parametrize("kind", ["torch", "strict", "jax"])
@pytest.mark.parametrize("name", sorted(CASES))
def test_on_other_libraries(name, kind):
    pytest.importorskip({"strict": "array_api_strict"}.get(kind, kind))
    backend = load(kind)
    if name in backend.cannot:
        pytest.skip(backend.cannot[name])
    for case in few(name, 1):
        if kind not in case.without:
            check(case, backend)


# --- nothing is written to ----------------------------------------------------------------------------------


def replayed_read_only(program: Program, xp: Any, inputs: list[Any]) -> None:
    """Replay with each array read-only once it was made. Whatever writes into an operand raises."""
    values: dict[int, Any] = dict(zip(program.inputs, inputs, strict=True)) | dict(program.constants)

    def value_of(operand: Any) -> Any:
        if type(operand) is DType:
            return getattr(xp, operand.name)
        value = values[operand.number]
        if isinstance(value, np.ndarray):
            value = value.view()
            value.flags.writeable = False
        return value

    for name, args, options, results, several in program.instructions:
        found = call(
            xp, name, mapped(args, value_of), {key: mapped(option, value_of) for key, option in options.items()}
        )
        values.update(zip(results, found if several else (found,), strict=True))


@pytest.mark.parametrize("name", sorted(set(CASES) - set(OF_VALUES)))
def test_no_function_writes_into_an_operand(name):
    """Passes and engines give one array to several functions."""
    for case in few(name):
        for _, program, inputs in programs(case, load("numpy")):
            replayed_read_only(program, load("numpy").xp, inputs)


def test_a_division_in_place_is_recorded_as_a_division():
    """NumPy's version writes over the divisor, here a constant."""
    from xgrad.compile.recorder import record

    divisor = np.array([2.0, 4.0])
    program = record(lambda xp, x: xp.divide_into(x, xp.asarray(divisor)), np.ones(2), base=load("numpy"))
    assert [i.name for i in program.instructions] == ["divide"]
    assert divisor.tolist() == [2.0, 4.0]
    for _ in range(2):
        assert replay(program, load("numpy").xp, [np.ones(2)])[0].tolist() == [0.5, 0.25]


def test_operands_are_plain_data():
    for name in CASES:
        if name not in OF_VALUES:
            for _, program, _ in programs(CASES[name][0], load("numpy")):
                for instruction in program.instructions:
                    mapped((instruction.args, *instruction.options.values()), lambda operand: operand)
                    assert all(_is_plain(part) for part in (*instruction.args, *instruction.options.values()))


def _is_plain(operand: Any) -> bool:
    if type(operand) in (tuple, list):
        return all(map(_is_plain, operand))
    if type(operand) is slice:
        return all(map(_is_plain, (operand.start, operand.stop, operand.step)))
    return operand is None or operand is ... or type(operand) in (Ref, DType, int, float, bool, complex, str)
