"""NumPy's functions that write, and out= and where=, into tensors and into arrays of the user's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make

A = np.arange(12.0).reshape(4, 3)
V = np.array([10.0, 20.0, 30.0])
I = np.array([2, 0, 2])  # noqa: E741
WRITES: dict[str, Any] = {
    "copyto": lambda a, v: np.copyto(a, v),
    "copyto, where": lambda a, v: np.copyto(a, v, where=[True, False, True]),
    "fill_diagonal": lambda a, v: np.fill_diagonal(a, v),
    "fill_diagonal, wrap": lambda a, v: np.fill_diagonal(a, v[0], wrap=True),
    "place": lambda a, v: np.place(a, A > 4.0, v),
    "putmask": lambda a, v: np.putmask(a, A > 4.0, v),
    "put": lambda a, v: np.put(a, [0, 5, -1], v),
    "put, wrap": lambda a, v: np.put(a, [13, 5], v, mode="wrap"),
    "put, clip": lambda a, v: np.put(a, [13, -5], v[0], mode="clip"),
    "put_along_axis": lambda a, v: np.put_along_axis(a, np.array([[0, 2, 1]]), v, axis=0),
    "put_along_axis, flat": lambda a, v: np.put_along_axis(a, np.array([7, 1, 3]), v, axis=None),
    "add.at": lambda a, v: np.add.at(a, I, v),
    "add.at, a number": lambda a, v: np.add.at(a, (I, 1), v[0]),  # type: ignore[arg-type]
    "subtract.at": lambda a, v: np.subtract.at(a, (I, slice(None)), v),  # type: ignore[arg-type]
    "multiply.at": lambda a, v: np.multiply.at(a, I, v),
    "maximum.at": lambda a, v: np.maximum.at(a, (I, I), v),
    "negative.at": lambda a, v: np.negative.at(a, I),
    "add, out": lambda a, v: np.add(v, 1.0, out=a),
    "exp, out and where": lambda a, v: np.exp(v / 10.0, out=a, where=A > 4.0),
    "sum, out": lambda a, v: np.sum(v * np.ones((4, 3, 3)), axis=1, out=a),
    "add.reduce, out": lambda a, v: np.add.reduce(v * np.ones((2, 4, 3)), axis=0, out=a),
    "add.accumulate, out": lambda a, v: np.add.accumulate(v * np.ones((4, 3)), axis=0, out=a),
    "clip, out": lambda a, v: np.clip(v * np.ones((4, 3)), 12.0, 25.0, out=a),
}


@pytest.mark.parametrize("name", WRITES)
def test_values_and_gradients(xp, name):
    want = A.copy()
    WRITES[name](want, V)

    def f(a, v):
        y = a * 1.0
        with xg.use_backend(a.backend):
            WRITES[name](y, v)
        return y

    a, v = make(xp, A), make(xp, V)
    assert_matches(f(a, v), want, xp=xp)
    xg.check_grads(lambda a, v: xg.sum(f(a, v) ** 2), a, v)


def test_the_array_that_is_written_is_returned(xp):
    a: Any = make(xp, A)
    x: Any = make(xp, A)
    y: Any = make(xp, V)
    assert np.add(y, 1.0, out=x) is x
    assert np.sum(a, axis=0, out=y) is y
    out: Any = (make(xp, V), make(xp, V))
    one, other = out
    found = np.divmod(make(xp, V), 7.0, out=out)
    assert found[0] is one
    assert_matches(other, V % 7.0, xp=xp)


def test_what_does_not_fit(xp):
    x: Any = make(xp, V)
    i: Any = make(xp, np.arange(3))
    cube: Any = make(xp, np.ones((2, 3, 2)))
    with pytest.raises(TypeError, match=r"a result of dtype .* cannot be written into a tensor of dtype"):
        np.add(x, 1.0, out=i)
    with pytest.raises(ValueError, match=r"a result of shape \(4, 3\) does not fit into a tensor of shape \(3,\)"):
        np.add(make(xp, A), 1.0, out=x)
    with pytest.raises(IndexError, match="index 3 is out of bounds for an array of 3 elements"):
        np.put(x, [3], 1.0)
    with pytest.raises(ValueError, match="at least 2-d"):
        np.fill_diagonal(x, 1.0)
    with pytest.raises(ValueError, match="equal length"):
        np.fill_diagonal(cube, 1.0)


def test_arrays_of_the_users_own(backend, xp):
    x: Any = make(xp, V)
    mine = np.zeros((2, 3))
    np.copyto(mine, x, where=[True, False, True])
    assert mine.tolist() == [[10.0, 0.0, 30.0]] * 2
    if backend.on_host:
        np.add.at(mine, [0, 0], x)
        assert mine[0].tolist() == [30.0, 40.0, 90.0]
    y: Any = make(xp, V, requires_grad=True)
    for write in (lambda: np.copyto(mine, y), lambda: np.add.at(mine, 0, y), lambda: np.add(y, 1.0, out=mine[0])):
        with pytest.raises(TypeError, match="a NumPy array cannot keep the gradient"):
            write()
    with pytest.raises(TypeError, match="make a tensor of it first"):
        np.put(mine, [0], y)
