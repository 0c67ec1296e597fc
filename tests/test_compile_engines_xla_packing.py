"""Small inputs in one array, and the dtypes that Python floats take."""

from __future__ import annotations

import numpy as np
import pytest

from xgrad.backends import load
from xgrad.compile.engines.xla_packing import ALIGNED, SMALL, dtype_of_numbers, is_small, numbers_met, pack
from xgrad.compile.recorder import record

NUMPY = load("numpy")


def test_arrays_start_at_lines_of_the_cache_and_numbers_follow():
    def f(xp, x, y, a, b):
        return xp.sum(x) * a + xp.sum(y) * (a + b)

    program = record(f, np.zeros((3, 5), np.float32), np.zeros(40, np.float32), 1.0, 2.0, base=NUMPY)
    x, y, a, _ = program.inputs
    (vector,) = pack(program, [x, y], np.dtype)
    line = ALIGNED // 4
    assert vector.arrays == ((x, 0), (y, line))
    assert vector.first == line + 3 * line
    assert vector.numbers[0] == a
    assert len(vector.numbers) == 2  # a, and a + b; b itself meets no array
    assert vector.size == vector.first + 2
    assert vector.dtype == "float32"


def test_each_dtype_has_a_vector():
    program = record(
        lambda xp, x, n, a: (x * a, n * a, n + 1), np.zeros(3, np.float32), np.zeros(3, np.int32), 1.0, base=NUMPY
    )
    x, n, a = program.inputs
    vectors = {v.dtype: (v.arrays, v.numbers) for v in pack(program, [x, n], np.dtype)}
    assert vectors == {"float32": (((x, 0),), (a,)), "int32": (((n, 0),), ()), "float64": ((), (a,))}


@pytest.mark.parametrize(
    ("dtype", "wanted"),
    [
        ("float32", "float32"),
        ("float64", "float64"),
        ("float16", "float16"),
        ("int32", "float64"),
        ("complex64", "float32"),
    ],
)
def test_a_number_takes_the_dtype_that_numpy_gives_it(dtype, wanted):
    program = record(lambda xp, x, a: x * a, np.zeros(3, dtype), 1.0, base=NUMPY)
    assert dtype_of_numbers(program, program.instructions[0]) == wanted
    assert numbers_met(program) == {wanted: [program.inputs[1]]}


def test_a_number_that_meets_no_array_takes_the_dtype_of_the_result():
    program = record(
        lambda xp, c, a: xp.where(c, a, xp.asarray(a, dtype=xp.float32)), np.ones(3, bool), 1.0, base=NUMPY
    )
    assert [dtype_of_numbers(program, each) for each in program.instructions] == ["float32", "float32"]


def test_what_is_small():
    n = SMALL // 8
    program = record(
        lambda xp, x, y, z: (x + 1, y + 1, z + 1), np.zeros(n), np.zeros(n + 1), np.zeros((0, 3)), base=NUMPY
    )
    assert [is_small(program, number, np.dtype) for number in program.inputs] == [True, False, False]
