"""A program is plain data: it prints, and runs by replay on every backend and on xgrad's own namespace."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, to_numpy
from xgrad.compile.program import DType, Ref, last_uses, mapped, refs, replay, used_by
from xgrad.compile.recorder import record


def f(xp, x, w, rate):
    h = xp.sigmoid(xp.linear(x, w))
    total = xp.sum(h * h, axis=0, dtype=xp.float64)
    q, r = xp.linalg.qr(x)
    return w - rate * 0.5 * xp.matmul(h.mT, x), total[1:], xp.zeros((4,), dtype=xp.float64) + total, r * xp.sum(q)


def arrays(backend):
    rng = np.random.default_rng(0)
    return [backend.asarray(rng.normal(size=shape)) for shape in ((5, 3), (4, 3))]


def test_replay_repeats_the_function(backend):
    x, w = arrays(backend)
    program = record(f, x, w, 0.1, base=backend)
    for scale, rate in ((1.0, 0.1), (0.5, 0.7)):
        got = replay(program, backend.xp, [x * scale, w, rate], lambda array: array)
        want = f(backend.xp, x * scale, w, rate)
        for one, other in zip(got, want, strict=True):
            np.testing.assert_array_equal(backend.to_numpy(one), backend.to_numpy(other))


def test_replay_on_tensors_is_recorded(backend):
    x, w = (xg.asarray(array) for array in arrays(backend))
    program = record(f, x.data, w.data, 0.1, base=backend)

    def loss(w):
        new, total, _, _ = replay(program, backend.view, [x, w, 0.1], xg.asarray)
        return xg.sum(new**2) + xg.sum(total)

    xg.check_grads(loss, w)


def test_what_it_prints():
    x, w = np.ones((2, 3), dtype=np.float32), np.ones((2, 3), dtype=np.float32)
    backend = xg.get_backend()
    text = str(
        record(
            lambda xp, x, w, r: xp.sum((x + np.ones(3, dtype=np.float32)) * w * r, axis=0)[1:], x, w, 0.5, base=backend
        )
    )
    assert text.splitlines() == [
        "program(v0: float32[2, 3], v1: float32[2, 3], v2: number):",
        "    v4: float32[3] = constant(...)",
        "    v3: float32[2, 3] = add(v0, v4)",
        "    v5: float32[2, 3] = multiply(v3, v1)",
        "    v6: float32[2, 3] = multiply(v5, v2)",
        "    v7: float32[3] = sum(v6, axis=0)",
        "    v8: float32[2] = getitem(v7, 1:)",
        "    return v8",
    ]


def test_constants_are_computed_once():
    program = record(lambda xp, x: x * xp.exp(xp.arange(3.0) * 2.0), np.ones(3), base=xg.get_backend())
    assert [instruction.name for instruction in program.instructions] == ["multiply"]
    (constant,) = program.constants.values()
    assert_close(constant, np.exp([0.0, 2.0, 4.0]), 1e-15)


def test_operands():
    operand = (Ref(1), [Ref(2), 3.0], slice(None, Ref(4)), DType("float32"), None, ...)
    assert list(refs(operand)) == [1, 2, 4]
    changed = mapped(operand, lambda part: "dtype" if type(part) is DType else Ref(part.number + 10))
    assert changed == (Ref(11), [Ref(12), 3.0], slice(None, Ref(14)), "dtype", None, ...)


def test_last_uses_are_those_after_which_a_value_is_dropped():
    program = record(lambda xp, x: (xp.exp(x) + x, x), np.ones(2), base=xg.get_backend())
    first, second = program.instructions
    assert last_uses(program) == {1: list(first.results)}
    assert set(used_by(second)) == {*first.results, *program.inputs}


def test_a_whole_step_of_training_is_a_short_program():
    rng = np.random.default_rng(0)
    nn = xg.nn
    model = nn.Sequential(nn.Linear(3, 8), nn.Sigmoid(), nn.Linear(8, 8), nn.Sigmoid(), nn.Linear(8, 1))
    optimizer = xg.optim.SGD(model.parameters(), lr=0.1)

    @xg.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    step(rng.normal(size=(4, 3)), rng.normal(size=(4, 1)))
    assert len(step.program) <= 50
    assert len(step.program.state) == 6


@pytest.mark.parametrize("other", ["torch", "strict"])
def test_a_program_runs_on_another_backend(other):
    backend = xg.get_backend()
    x, w = arrays(backend)
    program = record(f, x, w, 0.1, base=backend)
    pytest.importorskip({"torch": "torch", "strict": "array_api_strict"}[other])
    with xg.use_backend(other) as there:
        got = replay(program, there.xp, [there.asarray(x), there.asarray(w), 0.1], there.asarray)
        for one, want in zip(got, f(backend.xp, x, w, 0.1), strict=True):
            assert_close(there.to_numpy(one), to_numpy(xg.asarray(want)), 1e-12)


def test_inputs_have_the_names_of_the_program():
    nn = xg.nn
    model = nn.Sequential(nn.Linear(2, 1))
    optimizer = xg.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    @xg.compile
    def step(x, scale):
        optimizer.zero_grad()
        loss = xg.sum(model(x)) * scale
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(2):
        step(np.ones((3, 2)), 0.5)
    first = str(step.program).splitlines()[0]
    for name in (
        "x: float64[3, 2]",
        "scale: number",
        "model.0.weight: float64[1, 2]",
        "model.0.weight.momentum_buffer",
        "lr",
    ):
        assert name in first, first
    assert "model.0.weight <- v" in str(step.program)
    tree = xg.compile(lambda pair: pair[0] + pair[1])
    tree((np.ones(2), np.ones(2)))
    assert str(tree.program).startswith("program(v0: float64[2], v1: float64[2])")
