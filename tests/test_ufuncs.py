"""NumPy's ufuncs on tensors, and raw arrays on the left of an operator."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, raw, to_numpy
from xgrad.rules.ufuncs import RENAMED, SAME, UFUNCS, ours

A, B = np.asarray([0.25, 0.5, 0.75]), np.asarray([0.5, 0.25, 0.625])
NAMES = [*SAME.split(), *RENAMED]
LOGICAL, INTEGERS = ("logical_",), ("bitwise_", "invert", "left_", "right_")


def operands(name: str) -> Any:
    a: Any
    b: Any
    if name.startswith(LOGICAL):
        a, b = A > 0.3, B > 0.3
    elif name.startswith(INTEGERS):
        a, b = np.asarray([1, 2, 3]), np.asarray([2, 1, 3])
    else:
        a, b = (A + 1.5 if name == "arccosh" else A), B
    return (a, b)[: getattr(np, name).nin]


@pytest.mark.parametrize("name", NAMES)
def test_a_ufunc_is_the_function_of_the_namespace(xp, name):
    if name == "vecdot" and not hasattr(np, "vecdot"):
        pytest.skip("this NumPy has no vecdot")
    arrays = operands(name)
    found = getattr(np, name)(*(make(xp, a) for a in arrays))
    assert isinstance(found, xg.Tensor)
    np.testing.assert_allclose(to_numpy(found), getattr(np, name)(*arrays), rtol=1e-12)


@pytest.mark.parametrize("name", ["exp", "arctan2", "power", "multiply", "maximum", "square", "hypot", "matmul"])
def test_the_gradient_goes_through(xp, name):
    arrays = [make(xp, a, requires_grad=True) for a in operands(name)]
    y = getattr(np, name)(*arrays)
    xp.sum(y).backward()
    step = 1e-6
    for k, x in enumerate(arrays):
        slopes = []
        for i in range(3):
            ends = []
            for sign in (1, -1):
                moved = [a.copy() for a in operands(name)]
                moved[k][i] += sign * step
                ends.append(np.sum(getattr(np, name)(*moved)))
            slopes.append((ends[0] - ends[1]) / (2 * step))
        np.testing.assert_allclose(to_numpy(x.grad), slopes, rtol=1e-6, atol=1e-8)


def test_every_ufunc_is_known_by_what_it_is():
    assert ours(np.exp) is UFUNCS["exp"]
    assert ours(np.frompyfunc(lambda x: x, 1, 1)) is None
    special = pytest.importorskip("scipy.special")
    assert ours(special.expit) is xg.special.expit


class Exp:
    """A ufunc of somebody else's, of a well-known name."""

    __name__ = "exp"


def test_a_stranger_of_the_same_name_is_another_function():
    assert ours(Exp()) is None


def test_an_array_of_the_users_own_takes_the_result(backend, xp):
    x = make(xp, A)
    into = np.zeros(3)
    if backend.on_host:
        assert np.add(x, x, out=into) is into
        np.testing.assert_array_equal(into, 2 * A)
    y = make(xp, A, requires_grad=True)
    with pytest.raises(TypeError, match=r"cannot keep the gradient.*t\.detach\(\)"):
        np.add(y, y, out=into)


def test_others_are_refused(xp):
    special = pytest.importorskip("scipy.special")
    for x in (make(xp, A), make(xp, A, requires_grad=True)):
        for f, said in (
            (np.spacing, r"the ufunc spacing does not take tensors"),
            (special.ndtri_exp, r"The nearest that there is: ndtri"),
            (lambda x: np.exp(x, where=[True, False, True]), r"numpy\.exp of a tensor takes no where="),
            (np.frompyfunc(lambda x: x, 1, 1), r"xgrad\.primitive"),
        ):
            with pytest.raises(TypeError, match=said):
                f(x)


OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.floordiv, operator.mod]


@pytest.mark.parametrize(
    "op", [*OPERATORS, operator.lt, operator.ge, operator.eq, operator.ne], ids=lambda op: op.__name__
)
def test_a_raw_array_on_the_left(backend, xp, op):
    a, x = raw(backend, A), make(xp, B)
    found = op(a, x)
    assert isinstance(found, xg.Tensor)
    np.testing.assert_array_equal(to_numpy(found), op(A, B))
    assert isinstance(op(np.float64(0.5), x), xg.Tensor)


def test_an_array_of_the_users_own_is_written_in_place(backend, xp):
    if backend.name != "numpy":
        pytest.skip("its arrays are not NumPy's")
    mine, x = np.zeros(3), make(xp, A)
    alias = mine
    mine += x
    assert mine is alias
    np.testing.assert_array_equal(alias, A)
    y = make(xp, A, requires_grad=True)
    with pytest.raises(TypeError, match=r"Write a = a \+ t"):
        mine += y
    np.testing.assert_array_equal(alias, A)


# --- .data ----------------------------------------------------------------------------------------


UPDATES = {
    "-=": (lambda p, t: operator.isub(p.data, t), A - B),
    "+=": (lambda p, t: operator.iadd(p.data, t), A + B),
    "*=": (lambda p, t: operator.imul(p.data, t), A * B),
    "/=": (lambda p, t: operator.itruediv(p.data, t), A / B),
    "=": (lambda p, t: p.data - t, A - B),
    "tensor": (lambda p, t: t, B),
}


@pytest.mark.parametrize("name", UPDATES)
def test_data_against_a_tensor(backend, xp, name):
    """It is a write: what was saved before keeps its value, and views follow."""
    update, want = UPDATES[name]
    p, t = make(xp, A, requires_grad=True), make(xp, B)
    view, y = p.detach(), xp.sum(p * p * p)
    base = make(xp, A)
    part = base[:2]
    p.data = update(p, t)
    assert p.requires_grad
    assert p.is_leaf
    np.testing.assert_allclose(to_numpy(p), want, rtol=1e-15)
    np.testing.assert_array_equal(to_numpy(view), A)
    np.testing.assert_array_equal(to_numpy(t), B)
    y.backward()
    assert_matches(p.grad, 3 * A**2, xp=xp)
    base.data = update(base, t)
    np.testing.assert_allclose(to_numpy(part), want[:2], rtol=1e-15)


def test_the_loop_of_a_tutorial(xp):
    p = make(xp, A, requires_grad=True)
    host = A.copy()
    for _ in range(3):
        p.grad = None
        xp.sum(p * p).backward()
        p.data -= 0.1 * p.grad  # type: ignore[operator]
        host -= 0.1 * 2 * host
    np.testing.assert_allclose(to_numpy(p), host, rtol=1e-12)


def test_precision_is_the_parameters(xp):
    p = make(xp, A, "float32", requires_grad=True)
    p.data = make(xp, B)
    assert p.dtype == xp.float32
    assert p.data.dtype == xp.float32


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (lambda xp: make(xp, A, requires_grad=True), TypeError, r"t\.detach\(\)"),
        (lambda xp: make(xp, [[1.0, 2.0, 3.0]]), ValueError, r"\(3,\).*\(1, 3\).*x\.data = t\.data"),
        (lambda xp: make(xp, [1.0j, 2.0, 3.0]), TypeError, "cannot hold"),
    ],
)
def test_what_data_does_not_take(xp, value, error, said):
    p = make(xp, A, requires_grad=True)
    with pytest.raises(error, match=said):
        p.data = value(xp)
    np.testing.assert_array_equal(to_numpy(p), A)


def test_lists_beside_a_tensor(xp):
    x: Any = make(xp, [2.0, 3.0], requires_grad=True)
    larger: Any = np.maximum(x, [1.0, 5.0])
    assert_matches(larger.detach(), [2.0, 5.0], xp=xp)
    y: Any = np.power([2.0, 3.0], x) + np.add(x, (1.0, x[0]))
    assert_matches(y.detach(), [7.0, 32.0], xp=xp)
    y.sum().backward()
    assert_matches(x.grad, [4 * np.log(2) + 2.0, 27 * np.log(3) + 1.0], xp=xp)
    with pytest.raises(TypeError, match="'a' "):
        np.add(["a"], x)
