"""`const_graph`: a function runs once, and its steps run again on other values."""

from __future__ import annotations

import numpy
import pytest

import xgrad.compat.autograd.numpy as np
from xgrad.compat.autograd import grad, value_and_grad
from xgrad.compat.autograd.extend import defvjp, primitive
from xgrad.compat.autograd.misc import const_graph

A = numpy.array([[2.0, 0.3], [0.1, 1.5]])
B = numpy.array([0.5, -1.2])

FUNCTIONS = {
    "elements and constants": lambda x: np.sum(3.0 * x[0] * B - x[1] / x[0]),
    "where and clip": lambda x: np.sum(np.where(B > 0, x, np.clip(x, -1.0, 1.0) ** 2)),
    "a list": lambda x: np.sum(np.array([x[1], 2.0, x[0] * x[1]]) ** 2),
    "joined": lambda x: np.sum(np.concatenate([B, np.sin(x), x * x])),
    "matrices": lambda x: np.sum(np.linalg.solve(A * x[0], B) @ x),
    "a gradient": lambda x: np.sum(grad(lambda y: np.sum(np.exp(y) * y))(x * B)),
    "a write": lambda x: np.sum(written(x) * x),
    "a decomposition": lambda x: np.sum(np.linalg.svd(A * x[0])[1] * x),
    "a sum along an axis": lambda x: np.sum(np.sum(np.outer(x, B), axis=0) ** 2),
}


def written(x):
    y = np.ones(2) * x[0]
    y[1] = x[1] ** 2
    return y


@pytest.mark.parametrize("name", FUNCTIONS)
def test_its_steps_give_what_the_function_gives(name):
    f = FUNCTIONS[name]
    again = const_graph(f)
    for x in (numpy.array([0.7, 1.3]), numpy.array([1.1, -0.4]), numpy.array([0.2, 0.9])):
        found, wanted = again(x), f(x)
        assert type(found) is type(wanted)
        numpy.testing.assert_allclose(found, wanted, rtol=1e-14)
        for one, other in zip(value_and_grad(again)(x), value_and_grad(f)(x), strict=True):
            numpy.testing.assert_allclose(one, other, rtol=1e-14)


def test_the_function_runs_once_and_its_arguments_may_be_trees():
    calls: list[None] = []

    def f(scale, tree, y):
        calls.append(None)
        return scale * tree["a"] * np.sum(tree["b"]) + y

    again = const_graph(f, 2.0)
    for a in (1.0, 3.0):
        assert again({"a": a, "b": B}, 0.5) == pytest.approx(2.0 * a * B.sum() + 0.5)
    assert len(calls) == 1
    with pytest.raises(TypeError, match="the first call had 3 numbers and arrays, this one 2"):
        again(1.0, 0.5)


def test_primitives_run_again_where_an_argument_changes():
    seen = []

    @primitive
    def noted(x, name):
        seen.append(name)
        return x * 1.0

    defvjp(noted, lambda ans, x, name: lambda g: g)
    again = const_graph(lambda x, y, z: noted(x, "x") + 2 * noted(y, "y") + 3 * noted(z, "z"), 1.0, z=3.0)
    assert again(2.0) == 14.0
    assert seen == ["x", "y", "z"]
    assert again(4.0) == 18.0
    assert seen == ["x", "y", "z", "y"]
    assert grad(again)(4.0) == 2.0


def test_the_first_call_may_be_differentiated():
    again = const_graph(lambda x: x**3)
    assert grad(grad(again))(2.0) == 12.0
    assert grad(again)(3.0) == 27.0
    assert again(2.0) == 8.0


def test_what_it_refuses():
    with pytest.raises(TypeError, match="one array that depends on the arguments"):
        const_graph(lambda x: 1.0)(2.0)
    with pytest.raises(TypeError, match="one array"):
        const_graph(lambda x: (x, x))(2.0)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.fft.rfft(x),
        lambda x: np.fft.rfft2(x, axes=(1, 0)),
        lambda x: np.fft.rfftn(x, (4, 5), (0, 1)),
        lambda x: np.fft.irfft(x, 5),
        lambda x: np.fft.irfft(x, n=5),
        lambda x: np.fft.irfftn(x, s=(4, 3), axes=(0, 1)),
    ],
)
def test_real_transforms_of_odd_lengths_are_refused_as_there(f):
    x = numpy.ones((3, 3))
    assert f(x).shape  # of plain arrays they are NumPy's
    with pytest.raises(NotImplementedError, match="odd lengthed last axes"):
        grad(lambda x: np.sum(np.abs(f(x))))(x)


@pytest.mark.parametrize("f", [lambda x: np.fft.rfft(x), lambda x: np.fft.irfft(x), lambda x: np.fft.rfftn(x)])
def test_those_of_even_lengths_are_differentiated(f):
    x = numpy.ones((3, 4))
    assert grad(lambda x: np.sum(np.abs(f(x)) ** 2))(x).shape == x.shape
