"""A program traced by JAX: what becomes part of the compiled program, and how it computes."""

from __future__ import annotations

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from xgrad.backends import load  # noqa: E402
from xgrad.compile.engines.xla_packing import pack  # noqa: E402
from xgrad.compile.engines.xla_tracing import is_uniform, keys, traceable  # noqa: E402
from xgrad.compile.recorder import record  # noqa: E402

NUMPY = load("numpy")


def traced(f, *arrays):
    """JAX's program of f, and what f(NumPy's namespace) gives."""
    program = record(f, *arrays, base=NUMPY)
    with jax.enable_x64(True):
        function, messages = traceable(
            program, pack(program, [], np.dtype), list(program.inputs), dict(program.constants), list(program.outputs)
        )
        return jax.make_jaxpr(function)(*arrays), function(*arrays), messages


@pytest.mark.parametrize(
    ("f", "count"),
    [
        (lambda xp, a, b: xp.matmul(a, xp.matrix_transpose(b)), 1),
        (lambda xp, a, b: xp.matmul(xp.matrix_transpose(a), b), 1),
        (lambda xp, a, b: xp.matmul(xp.matrix_transpose(a), xp.matrix_transpose(b)), 1),
        (lambda xp, a, b: xp.linear(xp.matrix_transpose(a), b), 1),
        (lambda xp, a, b: xp.linear(a, xp.matrix_transpose(b)), 1),
        (lambda xp, a, b: xp.weight_gradient(a, xp.matrix_transpose(b), b), 1),
        (lambda xp, a, b: xp.matmul(xp.matmul(a, b), xp.matrix_transpose(a + b)), 2),
    ],
)
def test_products_are_contractions(f, count):
    a, b = np.random.default_rng(0).normal(size=(2, 3, 3))
    program, (y,), _ = traced(f, a, b)
    names = [each.primitive.name for each in program.eqns]
    assert names.count("dot_general") == count
    np.testing.assert_allclose(y, f(NUMPY.xp, a, b), rtol=1e-13)
    used = [str(v) for each in program.eqns if each.primitive.name == "dot_general" for v in each.invars]
    turned = [str(each.outvars[0]) for each in program.eqns if each.primitive.name == "transpose"]
    assert not set(used) & set(turned)


def test_a_result_is_never_an_argument_or_another_result():
    program, found, _ = traced(
        lambda xp, x: (xp.reshape(x, (3,)), xp.positive(x), y := xp.exp(x), xp.reshape(y, (3,))), np.ones(3)
    )
    assert not set(map(str, program.jaxpr.outvars)) & set(map(str, program.jaxpr.invars))
    assert len(set(map(str, program.jaxpr.outvars))) == 4
    np.testing.assert_allclose(found[3], np.exp(np.ones(3)))


def test_a_large_constant_of_one_number_takes_no_memory():
    ones = np.ones((100, 100))
    program, (y,), _ = traced(lambda xp, x: x * xp.asarray(ones), np.full((100, 100), 2.0))
    assert not program.consts
    np.testing.assert_array_equal(y, 2.0)


def test_checks_are_results_with_a_message():
    a = np.eye(2)
    _, found, messages = traced(lambda xp, a: (xp.linalg.inv(a), xp.linalg.cholesky(a)), a)
    assert messages == ["the matrix is singular", "the matrix is not positive definite"]
    assert [bool(each) for each in found[2:]] == [True, True]


def test_keys():
    mask = np.array([True, False])
    program = record(
        lambda xp, x, i: (xp.getitem(x, xp.asarray(mask)), xp.take(x, i)), np.ones(2), np.array([0]), base=NUMPY
    )
    assert keys(program) == set(program.constants)


def test_is_uniform():
    nan = np.float64("nan")
    assert is_uniform(np.full(3, nan))
    assert is_uniform(np.zeros((2, 2), np.int8))
    assert is_uniform(np.broadcast_to(np.float32(2), (1000, 1000)))
    assert not is_uniform(np.array([0.0, -0.0]))
    assert not is_uniform(np.array([1, 2]))
    assert not is_uniform(np.zeros((0, 3)))
