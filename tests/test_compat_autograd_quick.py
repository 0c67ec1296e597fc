"""The gradient by one array in fewer steps: it is what tracing.py gives, and leaves to that what it does not do."""

from __future__ import annotations

import warnings

import numpy
import pytest

import xgrad as xg
import xgrad.compat.autograd.numpy as np
from xgrad.compat.autograd import grad, hessian, jacobian, quick, value_and_grad
from xgrad.compat.autograd.test_util import check_grads

X = numpy.array([0.3, 1.2, 2.0])


def power(x):
    return np.sum(x[0] * X ** x[1] / x[2])


CASES = {
    "an array": (lambda x: np.sum(np.tanh(x) ** 2), X),
    "float32": (lambda x: np.sum(x * x), X.astype("float32")),
    "0-d": (lambda x: np.exp(x), numpy.array(0.5)),
    "a number": (lambda x: np.exp(x), 0.5),
    "a scalar of NumPy's": (lambda x: np.exp(x), numpy.float64(0.5)),
    "a result of one element": (lambda x: x[:1] * x[1], X),
    "arrays of several shapes": (power, X),
    "an argument that is not used": (lambda x: np.sum(x[:0]), X),
    "a matrix": (lambda x: np.linalg.slogdet(x)[1], numpy.eye(3) + 0.1),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_what_the_general_way_gives(name, monkeypatch):
    f, x = CASES[name]
    assert quick.argument(x) is not None
    value, gradient = value_and_grad(f)(x)
    monkeypatch.setattr(quick, "argument", lambda x: None)
    wanted, slope = value_and_grad(f)(x)
    assert (type(value), type(gradient)) == (type(wanted), type(slope))
    numpy.testing.assert_array_equal(value, wanted, strict=True)
    numpy.testing.assert_array_equal(gradient, slope, strict=True)


ROWS = {
    **CASES,
    "a vector": (lambda x: np.sin(x) * x[0], X),
    "a matrix by a vector": (lambda x: np.outer(x[:2], x), X),
    "nothing": (lambda x: x[:0], X),
    "many numbers": (lambda x: np.outer(x, x) * x, X),
}


@pytest.mark.filterwarnings("ignore:Output seems independent")
@pytest.mark.parametrize("name", ROWS)
def test_few_rows_are_what_the_general_way_gives(name, monkeypatch):
    f, x = ROWS[name]
    operators = [jacobian] if name == "nothing" else [jacobian, hessian]
    found = [of(f)(x) for of in operators]
    monkeypatch.setattr(quick, "argument", lambda x: None)
    monkeypatch.setattr(quick, "FEW", 0)
    for one, of in zip(found, operators, strict=True):
        wanted = of(f)(x)
        assert type(one) is type(wanted)
        numpy.testing.assert_allclose(one, wanted, rtol=1e-14, strict=True)


def test_the_function_runs_once():
    calls = []

    def count(x):
        calls.append(x)
        return np.sum(x**2), 1.0

    with pytest.raises(TypeError):
        grad(count)(X)
    assert len(calls) == 1


def test_a_derivative_by_more_than_the_argument_stays_traced():
    t = xg.asarray(2.0, requires_grad=True)
    y = grad(lambda x: x**2 * t)(3.0)
    assert isinstance(y, xg.Tensor)
    y.backward()
    assert t.grad.item() == 6.0


def test_within_other_transforms():
    slope = grad(lambda x: np.sum(np.sin(x)))
    numpy.testing.assert_allclose(grad(lambda x: np.sum(slope(x)))(X), -numpy.sin(X))
    numpy.testing.assert_allclose(xg.grad(lambda x: xg.sum(xg.asarray(slope(x))))(X).numpy(), -numpy.sin(X))


def test_wrong_results_are_refused_as_ever():
    with pytest.raises(TypeError, match="real scalar-output"):
        grad(lambda x: x)(X)
    with pytest.warns(UserWarning, match="independent of input"):
        assert grad(lambda x: 1.0)(X).tolist() == [0.0, 0.0, 0.0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        grad(lambda x: np.sum(x))(X)


def test_what_comes_out_is_the_callers_own():
    value, gradient = value_and_grad(lambda x: np.sum(x))(X)
    gradient += 1.0
    again = value_and_grad(lambda x: np.sum(x))(X)[1]
    assert (value, again.tolist()) == (3.5, [1.0, 1.0, 1.0])


def test_a_wrong_rule_is_told_with_the_name_of_the_function():
    @xg.primitive
    def foo(x):
        return x * 2.0

    foo.defvjp(lambda g, out, x: g * 2.002)

    for seed in range(300):  # by no chance does it pass
        numpy.random.seed(seed)
        with pytest.raises(AssertionError, match=r"check of .*foo.* failed"):
            check_grads(foo, modes=["rev"], order=1)(1.0)
