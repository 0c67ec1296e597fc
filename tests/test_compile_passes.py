"""All passes in a row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.compiled_programs import assert_equal_bits, random_program
from tests.support.workload_programs import workload
from xgrad.backends import load
from xgrad.compile.passes import optimized
from xgrad.compile.program import replay
from xgrad.compile.recorder import record
from xgrad.compile.saving import from_json, to_json

XP = load("numpy").xp


@pytest.mark.parametrize("seed", range(150))
def test_random_programs(seed):
    program, inputs = random_program(seed)
    fixed = dict(zip(program.inputs[:2], inputs[:2], strict=True))
    program, inputs = replace(program, inputs=program.inputs[2:], constants={**program.constants, **fixed}), inputs[2:]
    with np.errstate(all="ignore"):
        want = replay(program, XP, inputs)
        short = optimized(program, XP)
        assert_equal_bits(replay(short, XP, inputs), want, program)
        assert_equal_bits(replay(from_json(to_json(short)), XP, inputs), want, program)
    assert len(short) <= len(program)


@pytest.mark.parametrize(("name", "length"), [("w1", 499), ("w2_sigmoid", 35), ("w3", 58), ("w4", 16), ("w5", 1200)])
def test_workloads(name, length):
    program, inputs = workload(name)
    if name in ("w2_sigmoid", "w3", "w5"):
        tiny, inputs = workload(name, tiny=True)
        assert_equal_bits(replay(optimized(tiny, XP), XP, inputs), replay(tiny, XP, inputs))
    short = optimized(program, XP)
    assert len(short) <= length
    assert (short.inputs, short.state, len(short.outputs)) == (program.inputs, program.state, len(program.outputs))


def test_each_pass_runs():
    x, c = np.ones((3, 3)), np.full((3, 3), 2.0)

    def f(xp, x, c):
        xp.cos(x)  # dead
        return xp.exp(x) + xp.exp(x) * xp.sin(c), xp.matmul(x, x.mT)

    program = record(f, x, c, base=load("numpy"))
    program = replace(program, inputs=program.inputs[:1], constants={program.inputs[1]: c})
    assert [i.name for i in optimized(program, XP).instructions] == ["exp", "multiply", "add", "linear"]
