"""Constant folding: what depends on constants only is a constant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.compiled_programs import assert_equal_bits, random_program
from xgrad.backends import load
from xgrad.compile.passes.constant_folding import folded
from xgrad.compile.program import replay
from xgrad.compile.recorder import record

NUMPY = load("numpy")
XP = NUMPY.xp


def fixed(f, *arrays, count=1):
    """The program of a function, with its last `count` inputs as constants, after the pass; and the number of instructions before."""
    program = record(f, *arrays, base=NUMPY)
    values = dict(zip(program.inputs[-count:], arrays[-count:], strict=True)) if count else {}
    before = replace(program, inputs=program.inputs[: len(arrays) - count], constants={**program.constants, **values})
    inputs = arrays[: len(arrays) - count]
    short = folded(before, XP)
    with np.errstate(all="ignore"):
        assert_equal_bits(replay(short, XP, inputs), replay(before, XP, inputs))
    return short, len(before)


@pytest.mark.parametrize("seed", range(100))
def test_random_programs(seed):
    program, inputs = random_program(seed)
    values = dict(zip(program.inputs[:3], inputs[:3], strict=True))
    before = replace(program, inputs=program.inputs[3:], constants={**program.constants, **values})
    with np.errstate(all="ignore"):
        short = folded(before, XP)
        assert_equal_bits(replay(short, XP, inputs[3:]), replay(before, XP, inputs[3:]))
    assert len(short) <= len(before)


X = np.arange(1.0, 4.0)


def test_chains_of_constants_fold():
    short, _ = fixed(lambda xp, x, c: x + xp.sum(xp.exp(c) * c), X, X)
    assert [i.name for i in short.instructions] == ["add"]


def test_several_results_fold():
    short, _ = fixed(lambda xp, x, c: x + xp.unstack(c)[1], X, X)
    assert [i.name for i in short.instructions] == ["add"]


def test_a_large_result_of_small_operands_stays():
    short, before = fixed(lambda xp, x, c: x + xp.broadcast_to(xp.sin(c), (1000, 3)), X, X)
    assert [i.name for i in short.instructions] == ["broadcast_to", "add"]
    assert before == 3


def test_a_large_result_of_large_operands_folds():
    short, _ = fixed(lambda xp, x, c: xp.sum(x) + xp.sin(c), X, np.ones(5000))
    assert [i.name for i in short.instructions] == ["sum", "add"]


def test_what_raises_stays_and_raises_in_the_run():
    program = record(lambda xp, x, c: x + xp.linalg.inv(c), X, np.eye(3), base=NUMPY)
    before = replace(program, inputs=program.inputs[:1], constants={program.inputs[1]: np.zeros((3, 3))})
    assert folded(before, XP).instructions == before.instructions


def test_zeros_like_a_value_are_a_constant_if_they_have_one_axis():
    short, _ = fixed(lambda xp, x: (xp.zeros_like(x), xp.ones_like(x, dtype=xp.int32)), X, count=0)
    assert len(short) == 0
    short, before = fixed(lambda xp, x: xp.zeros_like(x), np.ones((2, 2)), count=0)
    assert len(short) == before == 1


def test_numbers_are_inputs_and_do_not_fold():
    short, before = fixed(lambda xp, x, rate: x * (rate * 2.0), X, 0.5, count=0)
    assert len(short) == before == 2
