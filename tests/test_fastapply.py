"""The fast version of `apply` gives what the general way gives: values, dtypes, derivatives of all kinds, and errors."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest

import xgrad as xg
from xgrad.engine import dispatch, fastapply, plain

pytestmark = [
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
    pytest.mark.skipif(xg.get_backend().name != "numpy", reason="it is for NumPy's arrays"),
]

OPERANDS = {
    "a vector": np.array([0.5, 1.5, 2.5]),
    "a column": np.array([[0.7], [1.2]]),
    "0-d": np.array(1.3),
    "empty": np.zeros((0, 1)),
    "float32": np.array([0.5, 0.25, 2.0], dtype="float32"),
    "float16": np.array([0.5, 0.25, 2.0], dtype="float16"),
    "integers": np.array([1, 2, 3]),
    "truth values": np.array([True, False, True]),
    "complex": np.array([1.0 + 2.0j, 0.5, 1.0j]),
}
BESIDE = {
    **OPERANDS,
    "an integer array of 0-d": np.array(2),
    "a number": 0.5,
    "an integer": 2,
    "True": True,
    "a complex number": 1.0j,
    "NumPy's float64": np.float64(0.5),
    "NumPy's float32": np.float32(0.5),
    "NumPy's int64": np.int64(2),
    "NumPy's bool": np.bool_(True),
    "a list": [1.0, 2.0, 3.0],
    "a word": "x",
    "None": None,
}
PAIRS = {
    "add": lambda x, y: x + y,
    "reflected": lambda x, y: y - x,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "power": lambda x, y: x**y,
    "exponent": lambda x, y: y**x,
    "maximum": lambda x, y: xg.maximum(x, y),
    "less": lambda x, y: x < y,
    "where": lambda x, y: xg.where(np.array([True, False, True]), x, y),
    "where, the other way": lambda x, y: xg.where(x > 1, y, x),
    "where of a number": lambda x, y: xg.where(y, x, 2.0),
    "numpy.where": lambda x, y: np.where(y, x, 0.0),
    "clip": lambda x, y: xg.clip(x, y, 2),
    "stack": lambda x, y: xg.stack([x, y]),
    "concat": lambda x, y: xg.concat([x, y]),
    "array": lambda x, y: xg.asarray([x, y]),
}
ALONE = {
    "clip": lambda x: xg.clip(x, 0.6, 2),
    "clip from below": lambda x: np.clip(x, 0.6, None),
    "an element": lambda x: x[0],
    "a part": lambda x: x[..., None, :1],
    "a mask": lambda x: x[np.array([True, False, True])],
    "indices": lambda x: x[np.array([0, 0, 2])],
    "past the end": lambda x: x[7],
    "rows": lambda x: next(iter(x)),
    "sum": lambda x: xg.sum(x, axis=0),
    "reshape": lambda x: xg.reshape(x, (-1,)),
    "repeat": lambda x: xg.repeat(x, 2),
    "transform": lambda x: xg.real(xg.fft.fft(x)),
    "cast": lambda x: xg.astype(x, xg.float32),
}


@contextmanager
def the_general_way():
    plain.close()
    try:
        yield
    finally:
        plain.reopen()


def told(f):
    """What a call gives, or its error."""
    try:
        return f()
    except Exception as error:
        return type(error), str(error)


def everything(f, x):
    """The value of f(x), its type, gradient, tangent and second derivatives, as far as there are some."""
    t = xg.asarray(x, copy=True)
    y = f(t)
    found = [type(y), y.numpy()]
    if not (t.__array_namespace__().isdtype(t.dtype, "real floating") and xg.isdtype(y.dtype, "real floating")):
        return found
    gradient = xg.grad(lambda t: xg.sum(xg.sin(f(t))))
    found += [gradient(t).numpy(), xg.jvp(f, (t,), (t,))[1].numpy()]
    found += [xg.grad(lambda t: xg.sum(gradient(t) * t))(t).numpy()]
    leaf = t.detach().requires_grad_()
    with xg.no_grad():
        found.append(f(leaf).requires_grad)
    return found


def same(f, x):
    fast = told(lambda: everything(f, x))
    with the_general_way():
        general = told(lambda: everything(f, x))
    assert len(fast) == len(general), (fast, general)
    for one, other in zip(fast, general, strict=True):
        if isinstance(one, np.ndarray):
            np.testing.assert_allclose(one, other, rtol=1e-6 if one.dtype != np.float64 else 1e-14, strict=True)
        else:
            assert one == other


@pytest.mark.parametrize("operand", OPERANDS)
@pytest.mark.parametrize("name", PAIRS)
def test_two_operands(name, operand):
    for y in BESIDE.values():
        same(lambda t, y=y: PAIRS[name](t, y), OPERANDS[operand])
        if isinstance(y, np.ndarray):
            same(lambda t, y=y: PAIRS[name](t, xg.asarray(y, copy=True)), OPERANDS[operand])


@pytest.mark.parametrize("operand", OPERANDS)
@pytest.mark.parametrize("name", ALONE)
def test_one_operand(name, operand):
    same(ALONE[name], OPERANDS[operand])


def test_both_operands_get_their_gradients():
    x, y = xg.asarray([0.5, 1.5, 2.5]), xg.asarray([[0.7], [1.2]], dtype=xg.float64)
    for f in PAIRS.values():

        def gradients(f=f):
            return [g.numpy() for g in xg.grad(lambda x, y: xg.sum(xg.sin(f(x, y))), argnums=(0, 1))(x, y)]

        fast = told(gradients)
        with the_general_way():
            general = told(gradients)
        for one, other in zip(fast, general, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-6) if isinstance(one, np.ndarray) else None
            assert isinstance(one, np.ndarray) or one == other


def test_integers_become_floats_of_the_default_dtype():
    xg.set_default_dtype("float32")
    try:
        for f in PAIRS.values():
            for x in (np.array([1, 2, 3]), np.array([0.5, 1.5, 2.5])):
                same(lambda t, f=f: f(t, np.array([1, 2, 3])) / 2, x)
    finally:
        xg.set_default_dtype(None)


@pytest.mark.skipif(not plain.ON, reason="the fast path is off")
def test_it_is_used(monkeypatch):
    taken = []

    def noting(*given):
        y = fastapply.apply(*given)
        taken.append(y is not None)
        return y

    monkeypatch.setattr(dispatch, "quickly", noting)
    x = xg.asarray([1.0, 2.0], requires_grad=True)
    xg.clip(x, 0.0, 1.0)
    x[:1]
    xg.stack([x, x])
    assert taken == [True] * 3
