"""HIPS autograd's primitives: the forms of rules, and what these may return."""

from __future__ import annotations

import numpy
import pytest

import xgrad as xg
import xgrad.compat.autograd.numpy as np
from xgrad.compat.autograd import core, extend, grad, hessian, jacobian, make_jvp
from xgrad.compat.autograd.differential_operators import deriv
from xgrad.compat.autograd.extend import defjvp, defvjp, defvjp_argnum, defvjp_argnums, notrace_primitive, primitive
from xgrad.compat.autograd.numpy.numpy_vjps import unbroadcast_f
from xgrad.compat.autograd.test_util import check_grads
from xgrad.compat.autograd.tracer import getval, register_notrace

X, Y = numpy.array([0.3, -1.2, 2.0]), numpy.array([1.5, 0.5, -0.7])


@primitive
def safe(x):
    """exp, which does not overflow."""
    assert type(x) in (numpy.ndarray, numpy.float64, float)
    return numpy.exp(numpy.clip(x, -numpy.inf, 10.0))


defvjp(safe, lambda ans, x: lambda g: g * ans)


def test_derivatives_of_all_orders():
    assert type(safe(X)) is numpy.ndarray
    assert grad(grad(grad(safe)))(0.5) == pytest.approx(numpy.exp(0.5))
    numpy.testing.assert_allclose(hessian(lambda x: np.sum(safe(x) ** 2))(X), numpy.diag(4 * numpy.exp(2 * X)))
    assert deriv(safe)(0.5) == pytest.approx(numpy.exp(0.5))  # by the reverse rule
    check_grads(lambda x: safe(np.sin(x)))(X)


def test_a_rule_for_each_argument():
    @primitive
    def product(x, y, scale=1.0):
        return scale * x * y

    defvjp(
        product,
        lambda ans, x, y, scale=1.0: unbroadcast_f(x, lambda g: g * y * scale),
        lambda ans, x, y, scale=1.0: unbroadcast_f(y, lambda g: g * x * scale),
    )
    check_grads(lambda x, y: product(x, y, scale=3.0), argnum=(0, 1))(X, 2.0)
    check_grads(lambda x: product(x, x))(X)
    only = primitive(lambda x, y: x * y)
    defvjp(only, lambda ans, x, y: lambda g: g * x, argnums=(1,))
    assert grad(only, 1)(2.0, 3.0) == 2.0
    with pytest.raises(NotImplementedError, match="wrt argnum 0 not defined"):
        grad(only)(2.0, 3.0)


def test_other_forms_of_rules():
    by_number = primitive(lambda x, y: x * y)
    defvjp_argnum(by_number, lambda argnum, ans, args, kwargs: lambda g: g * args[1 - argnum])
    together = primitive(lambda x, y: x * y)
    defvjp_argnums(together, lambda argnums, ans, args, kwargs: lambda g: [g * args[1 - i] for i in argnums])
    for f in (by_number, together):
        check_grads(f, argnum=(0, 1))(X, Y)
        assert grad(f, 1)(2.0, 3.0) == 2.0


def test_forward_rules():
    f = primitive(lambda x, y: x * numpy.exp(y))
    defjvp(f, "same", lambda t, ans, x, y: t * ans)
    assert make_jvp(lambda p: f(p[0], p[1]))((2.0, 0.5))((1.0, 3.0))[1] == pytest.approx(7.0 * numpy.exp(0.5))
    with pytest.raises(NotImplementedError, match="VJP of <lambda>"):
        grad(f)(2.0, 3.0)
    defjvp(f, None, None)
    assert make_jvp(f)(2.0, 0.5)(1.0)[1] == 0.0
    linear = primitive(lambda x: 3.0 * x)
    extend.def_linear(linear)
    assert deriv(linear)(2.0) == 3.0


def test_what_a_rule_may_return():
    def second(rule):
        f = primitive(lambda x, y: numpy.sum(x * x) + 0.0 * y)
        defvjp(f, None, rule)
        return grad(lambda y: np.sum(f(X, y)))

    assert second(lambda ans, x, y: lambda g: 2)(1.0) == 2.0  # a number of Python's
    assert second(lambda ans, x, y: lambda g: numpy.sum(x))(Y).tolist() == [numpy.sum(X)] * 3  # for each element
    assert second(lambda ans, x, y: lambda g: g * x)(1.0) == pytest.approx(X.sum())  # not summed
    assert second(lambda ans, x, y: lambda g: getval(y).sum() * g)(2.0) == 2.0  # cuts the trace
    assert second(lambda ans, x, y: lambda g: numpy.ones((2, 3)))(Y[None]).tolist() == [[2.0, 2.0, 2.0]]
    f = primitive(lambda x: x * 1.0)
    defvjp(f, lambda ans, x: lambda g: getval(g) * 2.0 * getval(x))
    with pytest.warns(UserWarning, match="independent"):
        assert grad(grad(f))(3.0) == 0.0


def test_trees_in_and_out():
    @primitive
    def moments(data, scale):
        assert all(type(x) is numpy.ndarray for x in data["rows"])
        total = sum(numpy.sum(x) for x in data["rows"])
        return scale * total, [scale * sum(numpy.sum(x**2) for x in data["rows"])]

    def by_data(ans, data, scale):
        return lambda g: {"rows": [scale * (g[0] + 2 * g[1][0] * x) for x in data["rows"]]}

    def by_scale(ans, data, scale):
        return lambda g: (g[0] * ans[0] + g[1][0] * ans[1][0]) / scale

    defvjp(moments, by_data, by_scale)

    def f(x, scale):
        first, (second,) = moments({"rows": [x, x[:2] * 2.0]}, scale)
        return first * second

    check_grads(f, argnum=(0, 1))(X, 1.5)


def test_results_without_a_derivative():
    assert grad(lambda x: x * (2.0 if primitive(lambda x: x > 0)(x) else 1.0))(3.0) == 2.0
    rounded = primitive(lambda x: numpy.round(x))
    register_notrace(core.VSpace, rounded)
    assert grad(lambda x: x * rounded(x))(1.7) == 2.0
    assert grad(lambda x: x * notrace_primitive(lambda x: numpy.round(x))(x))(1.7) == 2.0


def test_errors():
    with pytest.raises(NotImplementedError, match="VJP of <lambda> wrt argnums"):
        grad(primitive(lambda x: 2.0 * x))(1.0)
    for function in (np.floor, np.argsort, lambda x: x):
        with pytest.raises(TypeError, match="is not a primitive, and cannot be given a rule"):
            defvjp(function, lambda ans, x: lambda g: g)


def test_a_rule_for_what_has_a_derivative_is_left_out_with_a_warning():
    from xgrad.compat.autograd.scipy import special, stats

    functions = (np.sin, np.where, np.power, np.sum, np.linalg.svd, special.expit, special.gammaln, stats.norm.logpdf)
    for function in functions:
        with pytest.warns(UserWarning, match=f"{function.__name__} has its derivative from xgrad") as told:
            defvjp(function, lambda ans, *args: lambda g: 0.0 * g)
        assert told[0].filename == __file__
        with pytest.warns(UserWarning, match="the rule for it is not used"):
            defjvp(function, lambda g, ans, *args: 0.0 * g)
    assert grad(np.sin)(0.0) == 1.0


def test_the_methods_of_old():
    f = core.primitive(lambda x, y: x * y)
    with pytest.warns(UserWarning, match="defgrad is deprecated"):
        f.defgrad(lambda ans, x, y: lambda g: g * y)
    with pytest.warns(UserWarning, match="defvjp is deprecated"):
        f.defvjp(lambda g, ans, vs, gvs, x, y: g * x, argnum=1)
    check_grads(f, argnum=(0, 1))(X, Y)
    g = core.primitive(lambda x: 0.0 * x)
    with pytest.warns(UserWarning, match="defvjp_is_zero is deprecated"):
        g.defvjp_is_zero([0])
    assert grad(g)(1.0) == 0.0


def test_complex_rules_are_hips_autograds():
    square = primitive(lambda z: z * z)
    defvjp(square, lambda ans, z: lambda g: g * 2 * z)
    check_grads(lambda z: square(z) * z)(0.3 + 0.4j)


def test_a_jacobian_of_a_primitive():
    """A batch does not reach a function of NumPy's, so the rows come one by one."""
    numpy.testing.assert_allclose(
        jacobian(lambda x: safe(x) * np.sum(x))(X), jacobian(lambda x: np.exp(x) * np.sum(x))(X)
    )


def test_on_every_backend(backend):
    with xg.use_backend(backend):
        g = grad(lambda x: np.sum(safe(x) * x))(X)
        numpy.testing.assert_allclose(g, numpy.exp(X) * (1 + X), rtol=1e-4 if g.dtype == numpy.float32 else 1e-7)


def test_a_traced_value_has_the_value_that_boxes_have():
    """SurPyval unwraps boxes by `while isinstance(x, ArrayBox): x = x._value`."""
    from xgrad.compat.autograd.numpy.numpy_boxes import ArrayBox

    seen, are_boxes = [], []

    def f(x):
        are_boxes.append(isinstance(x, ArrayBox))
        seen.append(x._value)
        return np.sum(x**2 * (x._value > 1.0))

    assert grad(grad(f))(2.0) == 2.0
    assert grad(f)(numpy.array([0.5, 2.0])).tolist() == [0.0, 4.0]
    assert [type(value) for value in seen] == [numpy.float64, numpy.ndarray]
    assert are_boxes == [True, True]


def test_a_real_number_of_complex_arguments_has_the_gradient_as_there():
    """HIPS autograd's gradient by a complex number is the conjugate of xgrad's."""
    size = primitive(lambda z: numpy.sum(z.real**2 + 3.0 * z.imag**2))
    defvjp(size, lambda ans, z: lambda g: g * (2.0 * np.real(z) - 6.0j * np.imag(z)))
    z = numpy.array([1.0 + 2.0j, 0.5 - 1.0j])
    numpy.testing.assert_allclose(grad(size)(z), grad(lambda z: np.sum(np.real(z) ** 2 + 3.0 * np.imag(z) ** 2))(z))
    check_grads(size, modes=["rev"])(z)
