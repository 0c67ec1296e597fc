"""A program that is called: on every backend, checked, differentiable, vmappable and compilable again."""

from __future__ import annotations

import math

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy
from xgrad.backends import load
from xgrad.compile.recorder import record
from xgrad.compile.saving import from_json, to_json

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
W = np.array([[1.0, 2.0, -1.0], [0.5, -0.5, 0.25]])
NUMPY = load("numpy")


def f(xp, x, w, rate):
    h = xp.tanh(xp.linear(x, w)) + xp.asarray([1.0, -2.0])
    return xp.sum(h * h) * rate


def expected(x, w, rate):
    return np.sum((np.tanh(x @ w.T) + [1.0, -2.0]) ** 2) * rate


def loaded():
    return from_json(to_json(record(f, X, W, 0.1, base=NUMPY)))


def test_it_runs_on_every_backend(backend):
    xp = backend.view
    found = loaded()(make(xp, X), make(xp, W), 0.3)
    assert found.backend is backend
    assert_close(to_numpy(found), expected(X, W, 0.3), rtol=1e-12)


def test_numpy_arrays_go_to_the_current_backend(backend):
    with xg.use_backend(backend.name):
        found = loaded()(X, W, 0.3)
    assert found.backend.name == backend.name
    assert_close(to_numpy(found), expected(X, W, 0.3), rtol=1e-12)


def test_several_outputs_are_a_tuple():
    program = record(lambda xp, x: (x + 1, x), X, base=NUMPY)
    first, second = program(X)
    np.testing.assert_array_equal(first.numpy(), X + 1)
    np.testing.assert_array_equal(second.numpy(), X)


def test_it_is_differentiable(backend):
    xp, program = backend.view, loaded()
    gradient = xg.grad(lambda w: program(make(xp, X), w, 0.3))(make(xp, W))
    h = np.tanh(X @ W.T)
    want = 0.3 * (2 * (h + [1.0, -2.0]) * (1 - h * h)).T @ X
    assert_close(to_numpy(gradient), want, rtol=1e-12)
    xg.check_grads(lambda w: program(make(xp, X), w, 0.3), make(xp, W))


def test_it_is_vmappable():
    program = loaded()
    stack = np.stack([X, 2 * X, -X])
    found = xg.vmap(lambda x: program(x, W, 0.3))(xg.asarray(stack))
    np.testing.assert_allclose(found.numpy(), [expected(x, W, 0.3) for x in stack], rtol=1e-12)


def test_it_is_compilable_again():
    program = loaded()
    again = xg.compile(lambda x, w, rate: program(x, w, rate) * 2)
    for rate in (0.3, 0.5, 0.7):
        assert math.isclose(again(X, W, rate).item(), 2 * expected(X, W, rate), rel_tol=1e-12)
    assert len(again.programs) == 1
    assert [i.name for i in again.program.instructions][:2] == ["linear", "tanh"]


def test_the_program_of_a_compiled_step_can_be_called():
    w = xg.asarray(W, copy=True).requires_grad_()

    @xg.compile
    def step(x, rate):
        loss = xg.sum(xg.tanh(x @ w.mT) ** 2)
        loss.backward()
        with xg.no_grad():
            w[...] = w - rate * w.grad
        w.grad = None
        return loss

    step(X, 0.1)
    program = step.program
    before = w.numpy()
    arrays = iter([X, before])  # the arguments come first, then what the function touches
    found = program(*[0.1 if program.specs[n].dtype == "number" else next(arrays) for n in program.inputs])
    np.testing.assert_allclose(found[0].numpy(), np.sum(np.tanh(X @ before.T) ** 2), rtol=1e-12)
    np.testing.assert_array_equal(w.numpy(), before)  # state is returned, not written


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((X, W), "takes 3 arguments, and got 2"),
        ((X, W, 0.1, 0.2), "got 4"),
        ((X, W.T, 0.1), r"argument 2 of the program \(v1\) is float64\[2, 3\], and not an array of shape \(3, 2\)"),
        ((X, W.astype(np.float32), 0.1), "float32"),
        ((X, 1.0, 0.1), "is an array"),
        ((X, "w", 0.1), "is an array"),
        ((X, W, "0.1"), "is a float"),
        ((X, W, True), "is a float"),
        ((X, W, 1j), "is a float"),
        ((X, W, np.ones(())), "is a float"),
        ((X, W, None), "is a float"),
    ],
)
def test_arguments_are_checked(args, message):
    with pytest.raises(ValueError, match=message):
        loaded()(*args)


def test_nothing_is_written_to():
    program = record(lambda xp, x: xp.setitem(x, 0.0, (0,)), X, base=NUMPY)
    x = xg.asarray(X, copy=True)
    assert to_numpy(program(x))[0].tolist() == [0.0] * 3
    np.testing.assert_array_equal(x.numpy(), X)
