"""Common subexpressions are computed once, and nothing else is merged."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.compiled_programs import assert_equal_bits, random_program
from xgrad.backends import load
from xgrad.compile.passes.common_subexpressions import exact, without_common_subexpressions
from xgrad.compile.program import DType, Ref, replay
from xgrad.compile.recorder import record

NUMPY = load("numpy")
X = np.asarray([0.0, -1.0, 2.0])


def shortened(f, *arrays):
    """The program after the pass. It computes the same bits."""
    with np.errstate(all="ignore"):
        program = record(f, *arrays, base=NUMPY)
        short = without_common_subexpressions(program)
        assert_equal_bits(replay(short, NUMPY.xp, arrays), replay(program, NUMPY.xp, arrays))
    return short


@pytest.mark.parametrize("seed", range(150))
def test_random_programs(seed):
    program, inputs = random_program(seed)
    short = without_common_subexpressions(program)
    with np.errstate(all="ignore"):
        assert_equal_bits(replay(short, NUMPY.xp, inputs), replay(program, NUMPY.xp, inputs))
    assert len(short) <= len(program)
    assert without_common_subexpressions(short) == short


def test_what_is_computed_twice_is_computed_once():
    short = shortened(lambda xp, x: xp.exp(xp.sin(x)) * xp.exp(xp.sin(x)), X)
    assert [i.name for i in short.instructions] == ["sin", "exp", "multiply"]
    short = shortened(lambda xp, x: xp.sum(x, axis=0, keepdims=True) - xp.sum(x, keepdims=True, axis=0), X)
    assert len(short) == 2


def test_several_results_are_merged_together():
    short = shortened(lambda xp, x: xp.unstack(x)[0] + xp.unstack(x)[2], X)
    assert len(short) == 2


def test_two_outputs_become_one_value():
    short = shortened(lambda xp, x: (xp.sin(x), xp.sin(x)), X)
    assert short.outputs[0] == short.outputs[1]


@pytest.mark.parametrize(
    "f",
    [
        lambda xp, x: (1 / (x * 0.0), 1 / (x * -0.0)),
        lambda xp, x: (xp.astype(x, xp.int64) * 2, xp.astype(x, xp.int64) * 2.0),
        lambda xp, x: (xp.astype(x, xp.int64) * 1, xp.astype(x, xp.int64) * True),
        lambda xp, x: (x * xp.asarray(0.0), x * xp.asarray(-0.0)),
        lambda xp, x: (xp.asarray([True] * 3) * xp.astype(x, xp.int8), xp.asarray([1] * 3) * xp.astype(x, xp.int8)),
        lambda xp, x: (xp.sum(x, dtype=xp.float32), xp.sum(x, dtype=xp.float64)),
        lambda xp, x: (x[0:1], x[0]),
        lambda xp, x: (x - xp.sin(x), xp.sin(x) - x),
    ],
    ids=["zeros", "one and 1.0", "one and True", "constants", "dtypes", "option", "key", "order"],
)
def test_what_differs_stays(f):
    first, second = shortened(f, X).outputs
    assert first != second


def test_equal_constants_are_one():
    short = shortened(lambda xp, x: x + xp.asarray([1.0, 2.0, 3.0]) * x + xp.asarray([1.0, 2.0, 3.0]), X)
    assert len(short.constants) == 1


def test_two_draws_stay():
    """Draws are inputs: equal numbers in one run are no reason to merge them."""
    short = shortened(lambda xp, x, a, b: (x + a, x + b), X, X, X)
    assert len(short) == 2


def test_keys_tell_apart_what_python_calls_equal():
    values = [1, 1.0, True, 0.0, -0.0, 0, False, 0j, complex(0, -0.0), float("nan"), "1", None, ..., (1,), [1], (1.0,)]
    values += [slice(1), slice(True), slice(0.0), Ref(1), Ref(2), DType("float32"), DType("float64"), -1.0, ()]
    keys = [exact(value) for value in values]
    assert len(set(keys)) == len(values)
    assert exact(float("nan")) == exact(float("nan"))
