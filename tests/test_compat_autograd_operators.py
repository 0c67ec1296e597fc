"""HIPS autograd's operators: what goes in and comes out, and their values beside central differences."""

from __future__ import annotations

import subprocess
import sys
from collections import namedtuple

import numpy
import pytest

import xgrad as xg
import xgrad.compat.autograd.numpy as np
from xgrad.compat import autograd
from xgrad.compat.autograd import differential_operators as operators
from xgrad.compat.autograd import grad, hessian, jacobian, value_and_grad
from xgrad.compat.autograd.test_util import check_equivalent, check_grads
from xgrad.compat.autograd.tracer import getval, isbox

X = numpy.array([0.3, -1.2, 2.0])
A = numpy.array([[1.0, 2.0, 0.5], [-1.0, 0.3, 1.1], [0.2, 0.4, -0.7]])


def f(x):
    return np.sum(np.tanh(np.dot(A, x)) ** 2)


def differences(f, x, step=1e-6):
    units = numpy.eye(x.size).reshape(x.size, *x.shape)
    return numpy.stack([(f(x + step * u) - f(x - step * u)) / (2 * step) for u in units])


def test_plain_writable_arrays_come_out():
    g = grad(f)(X)
    assert type(g) is numpy.ndarray
    g -= 1.0  # it is the caller's
    h = hessian(f)(X)
    h[numpy.diag_indices(3)] -= 1.0
    numpy.testing.assert_allclose(g + 1.0, differences(f, X), rtol=1e-7)
    numpy.testing.assert_allclose(h + numpy.eye(3), differences(grad(f), X), rtol=1e-6, atol=1e-8)
    assert type(grad(np.sin)(1.0)) is numpy.float64
    assert grad(np.sin)(numpy.float32(1.0)).dtype == numpy.float32


@pytest.mark.parametrize("dtype", [numpy.float16, numpy.float32, numpy.float64])
def test_a_gradient_has_the_arguments_dtype(dtype):
    assert grad(lambda x: np.sum(x**2))(X.astype(dtype)).dtype == dtype


def test_long_and_whole_numbers():
    assert grad(lambda x: np.sum(x**2))(X.astype(numpy.longdouble)).dtype == numpy.float64
    assert grad(lambda x: np.sum(x**2))(numpy.array([1, 2])).tolist() == [2.0, 4.0]
    assert grad(lambda x: x**2)(3) == 6.0
    with pytest.raises(TypeError, match=r"Can't differentiate w\.r\.t\. type <class 'str'>"):
        grad(lambda x: x)("x")
    with pytest.raises(TypeError, match="an array of dtype"):
        grad(lambda x: x)(numpy.array(["a"]))


Pair = namedtuple("Pair", "a b")


def test_trees():
    value, g = value_and_grad(lambda p: p["a"] * np.sum(p["b"][0] ** 2) + p["b"][1].a)({
        "a": 2.0, "b": [X, Pair(1.0, numpy.ones(2))],
    })  # fmt: skip
    assert value == pytest.approx(2.0 * (X @ X) + 1.0)
    assert list(g) == ["a", "b"]
    numpy.testing.assert_allclose(g["b"][0], 4.0 * X)
    assert isinstance(g["b"][1], Pair)
    assert g["b"][1].a == 1.0
    assert g["b"][1].b.tolist() == [0.0, 0.0]


def test_other_arguments_stay_as_they_are():
    seen = []

    def f(x, rows, flag, *, words):
        seen.append((type(rows), type(flag), words))
        return np.sum(x * rows)

    assert grad(f)(X, A[0], True, words="w").tolist() == A[0].tolist()
    assert grad(f, argnum=1)(X, A[0], True, words="w").tolist() == X.tolist()
    first, second = grad(f, argnum=(1, 0))(X, A[0], True, words="w")
    assert (first.tolist(), second.tolist()) == (X.tolist(), A[0].tolist())
    assert seen[0] == (numpy.ndarray, bool, "w")


def test_what_is_traced():
    def f(x):
        assert isbox(x)
        assert not isbox(getval(x))
        assert type(getval(x)) is numpy.ndarray
        assert autograd.isinstance(x, numpy.ndarray)
        assert autograd.type(x) is numpy.ndarray
        if x[0] > 0:
            a, *rest = x
            return a * rest[1]
        return np.inf

    numpy.testing.assert_allclose(grad(f)(X), [2.0, 0.0, 0.3])
    with pytest.warns(UserWarning, match="Output seems independent of input"):
        assert grad(f)(-X).tolist() == [0.0, 0.0, 0.0]


def test_results_of_other_kinds():
    with pytest.raises(TypeError, match="grad only applies to real scalar-output functions"):
        grad(lambda x: x)(X)
    assert grad(lambda x: x[:1])(X).tolist() == [1.0, 0.0, 0.0]  # an array of one number will do
    with pytest.warns(UserWarning, match="independent"), pytest.raises(TypeError, match="vector space for value"):
        grad(lambda x: bool(x[0] > 0))(X)


def test_writes():
    def makes(x):
        y = np.zeros_like(x) + x
        y[1] = x[0] * 3.0
        y *= 2.0
        return np.sum(y)

    assert grad(makes)(X).tolist() == [8.0, 0.0, 2.0]
    with pytest.raises(TypeError, match="cannot write into its argument"):
        grad(lambda x: x.__setitem__(0, 1.0))(X)


def test_nested_operators():
    third = grad(grad(grad(lambda x: np.sin(2.0 * x))))
    assert third(0.4) == pytest.approx(-8.0 * numpy.cos(0.8))
    mixed = grad(lambda x: x * grad(lambda y: x * y**2)(3.0))
    assert mixed(2.0) == pytest.approx(24.0)
    hazard = operators.elementwise_grad(lambda p, t: (t / p[0]) ** p[1], argnum=1)
    numpy.testing.assert_allclose(
        hessian(lambda p: np.sum(np.log(hazard(p, X**2 + 1.0))))(numpy.array([1.5, 0.7])),
        differences(grad(lambda p: np.sum(np.log(hazard(p, X**2 + 1.0)))), numpy.array([1.5, 0.7])), rtol=1e-6, atol=1e-7,
    )  # fmt: skip


def test_jacobians():
    g = lambda x: np.tanh(np.outer(A[0] * x, x))  # noqa: E731
    numpy.testing.assert_allclose(jacobian(g)(X), numpy.moveaxis(differences(g, X), 0, -1), rtol=1e-6, atol=1e-8)
    assert jacobian(lambda x: x)(2.0).shape == ()
    with pytest.warns(UserWarning, match="independent"):
        assert jacobian(lambda x: numpy.ones(2))(X).tolist() == numpy.zeros((2, 3)).tolist()
    with pytest.raises(TypeError, match="jacobian needs an array"):
        jacobian(lambda x: [x])(X)
    z = X + 0.5j
    assert jacobian(lambda z: z**2)(z).shape == (6, 3)  # a row for each real and imaginary part


def test_products():
    h, v = hessian(f)(X), A[1]
    numpy.testing.assert_allclose(operators.hessian_vector_product(f)(X, v), h @ v)
    product, gradient = operators.make_hvp(f)(X)
    numpy.testing.assert_allclose(product(v), h @ v)
    numpy.testing.assert_allclose(gradient, grad(f)(X))
    g = lambda x: np.tanh(np.dot(A, x))  # noqa: E731
    numpy.testing.assert_allclose(operators.vector_jacobian_product(g)(X, v), v @ jacobian(g)(X))
    numpy.testing.assert_allclose(operators.make_jvp(g)(X)(v)[1], jacobian(g)(X) @ v)
    numpy.testing.assert_allclose(operators.make_jvp_reversemode(g)(X)(v), jacobian(g)(X) @ v)
    numpy.testing.assert_allclose(operators.make_ggnvp(g)(X)(v), jacobian(g)(X).T @ jacobian(g)(X) @ v)
    numpy.testing.assert_allclose(operators.deriv(np.sin)(X), numpy.cos(X))
    numpy.testing.assert_allclose(operators.elementwise_grad(np.sin)(X), numpy.cos(X))


def test_named_arguments():
    g = lambda a, b=2.0, *c, d=3.0: a * b * d + sum(c)  # noqa: E731
    assert operators.grad_named(lambda a, b: a * b, "b")(2.0, 5.0) == 2.0
    found = operators.multigrad_dict(g)(1.0, 4.0, d=5.0)
    assert found == {"a": 20.0, "b": 5.0, "c": (), "d": 4.0}
    assert operators.grad_and_aux(lambda x: (x**2, x + 1.0))(3.0) == (6.0, 4.0)


def test_complex_gradients_are_hips_autograds():
    """The gradient by z = a + ib is df/da - i df/db."""
    g = grad(lambda z: np.real(z * np.exp(z)))(0.3 + 0.4j)
    z = 0.3 + 0.4j
    assert g == pytest.approx((1 + z) * numpy.exp(z))
    assert operators.holomorphic_grad(lambda z: z**3)(z) == pytest.approx(3 * z**2)
    assert grad(lambda z: np.abs(z) ** 2)(z) == pytest.approx(2 * numpy.conj(z))
    check_grads(lambda z: z**2 * np.exp(z))(z)
    with pytest.warns(UserWarning, match="not complex"):
        operators.holomorphic_grad(lambda x: x**2)(1.0)


def test_checkpoint():
    g = operators.checkpoint(lambda x: np.sin(x) ** 2)
    assert grad(g)(0.7) == pytest.approx(numpy.sin(1.4))


def test_on_every_backend(backend):
    with xg.use_backend(backend):
        g = grad(f)(X)
        assert type(g) is numpy.ndarray
        tolerance = 1e-4 if g.dtype == numpy.float32 else 1e-7
        numpy.testing.assert_allclose(g, differences(f, X), rtol=tolerance, atol=tolerance)


def test_names_and_docstrings():
    assert grad.__name__ == "grad"
    assert grad(f, 1).__name__ == "grad_of_f_wrt_argnum_1"
    assert grad(f, 1).__doc__.startswith("    grad of function f with respect to argument number 1")
    with pytest.raises(TypeError, match="argnum must be an integer"):
        grad(f, "x")


def test_the_check_can_fail():
    from xgrad.compat.autograd.extend import defvjp, primitive

    for error in (0.0, 1e-3):
        cube = primitive(lambda x: x**3)
        defvjp(cube, lambda ans, x: lambda g: g * 3 * x**2 * (1 + error))  # noqa: B023
        if error:
            with pytest.raises(AssertionError, match=r"check of <lambda> failed|Value mismatch"):
                check_grads(cube)(1.3)
        else:
            check_grads(cube)(1.3)
    with pytest.raises(AssertionError, match="VSpace mismatch"):
        check_equivalent(X, X[:2])
    with pytest.raises(AssertionError, match='modes are "fwd" and "rev"'):
        check_grads(f, modes=["both"])(X)


def test_importing_it_leaves_autograd_alone():
    code = "import sys, xgrad.compat.autograd; print('autograd' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
