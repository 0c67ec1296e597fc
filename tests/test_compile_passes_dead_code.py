"""Dead code: only what the outputs need is left."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.compiled_programs import assert_equal_bits, random_program
from xgrad.backends import load
from xgrad.compile.passes.dead_code import without_dead_code
from xgrad.compile.program import replay, used_by
from xgrad.compile.recorder import record

NUMPY = load("numpy")
X = np.arange(3.0)


@pytest.mark.parametrize("seed", range(100))
def test_random_programs(seed):
    program, inputs = random_program(seed)
    short = without_dead_code(program)
    with np.errstate(all="ignore"):
        assert_equal_bits(replay(short, NUMPY.xp, inputs), replay(program, NUMPY.xp, inputs))
    needed = {*short.outputs, *(number for i in short.instructions for number in used_by(i))}
    assert all(needed & {*i.results} for i in short.instructions)
    assert short.constants.keys() <= needed
    assert without_dead_code(short) == short


def test_what_nothing_uses_is_left_out_with_what_only_that_uses():
    constant = np.ones(3)

    def f(xp, x, y):
        xp.exp(xp.sin(y) + xp.asarray(constant))
        return xp.cos(x)

    short = without_dead_code(record(f, X, X, base=NUMPY))
    assert [i.name for i in short.instructions] == ["cos"]
    assert len(short.inputs) == 2
    assert not short.constants
    assert set(short.specs) == {*short.inputs, *short.outputs}


def test_an_instruction_with_several_results_stays_for_one_of_them():
    short = without_dead_code(record(lambda xp, x: xp.unstack(x)[1], X, base=NUMPY))
    assert [len(i.results) for i in short.instructions] == [3]


def test_an_output_may_be_an_input():
    assert len(without_dead_code(record(lambda xp, x: (x, xp.sin(x))[0], X, base=NUMPY))) == 0
