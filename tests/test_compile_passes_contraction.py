"""Contraction: products with transposed matrices are one call, with the same bits on NumPy and no transpose or copy in XLA."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.compiled_programs import assert_equal_bits, random_program
from tests.support.workload_programs import workload
from xgrad.backends import load
from xgrad.compile.passes.contraction import contracted
from xgrad.compile.program import replay
from xgrad.compile.recorder import record

NUMPY = load("numpy")


@pytest.mark.parametrize("seed", range(150))
def test_random_programs(seed):
    program, inputs = random_program(seed)
    with np.errstate(all="ignore"):
        got, want = (replay(p, NUMPY.xp, inputs) for p in (contracted(program), program))
    assert_equal_bits(got, want, program)


def turned(xp, a):
    return xp.permute_dims(a, (-1, 0))


FORMS = [
    (lambda xp, a, b: xp.matmul(a, xp.matrix_transpose(b)), ["linear"]),
    (lambda xp, a, b: xp.matmul(a, turned(xp, b)), ["linear"]),
    (lambda xp, a, b: xp.linalg.matmul(a, xp.linalg.matrix_transpose(b)), ["linear"]),
    (lambda xp, a, b: xp.matmul(xp.matrix_transpose(a), b), ["weight_gradient"]),
    (lambda xp, a, b: xp.linear(a, xp.matrix_transpose(b)), ["matmul"]),
    (lambda xp, a, b: xp.matmul(xp.matrix_transpose(a), xp.matrix_transpose(b)), ["matrix_transpose", "linear"]),
    (lambda xp, a, b: xp.matmul(a, b), ["matmul"]),
    (lambda xp, a, b: xp.linear(xp.matrix_transpose(a), b), ["matrix_transpose", "linear"]),
]


@pytest.mark.parametrize("form", range(len(FORMS)))
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
@pytest.mark.parametrize("order", ["CC", "CF", "FC", "FF", "views"])
@pytest.mark.parametrize("n", [1, 2, 3, 17, 64])
def test_the_bits_stay_for_every_size_dtype_and_layout(n, order, dtype, form):
    rng = np.random.default_rng(n)
    a, b = (rng.normal(size=(2 * n, 2 * n)).astype(dtype) for _ in range(2))
    a, b = (
        (a[::2, 1::2], b[:n, :n])
        if order == "views"
        else (np.array(x[:n, :n], order=o) for x, o in zip((a, b), order, strict=True))
    )
    f, names = FORMS[form]
    program = record(f, a, b, base=NUMPY)
    short = contracted(program)
    assert [i.name for i in short.instructions] == names
    assert_equal_bits(replay(short, NUMPY.xp, [a, b]), replay(program, NUMPY.xp, [a, b]))


@pytest.mark.parametrize(
    "shapes", [((0, 3), (2, 3)), ((4, 0), (3, 0)), ((1, 5), (1, 5)), ((5, 1), (4, 1)), ((3, 200), (7, 200))]
)
def test_the_bits_stay_for_flat_and_empty_matrices(shapes):
    arrays = [np.random.default_rng(0).normal(size=shape) for shape in shapes]
    program = record(FORMS[0][0], *arrays, base=NUMPY)
    assert_equal_bits(replay(contracted(program), NUMPY.xp, arrays), replay(program, NUMPY.xp, arrays))


@pytest.mark.parametrize(
    "f",
    [
        lambda xp, a, b: xp.matmul(a, xp.matrix_transpose(xp.astype(b, xp.float32))),
        lambda xp, a, b: xp.matmul(a[None], xp.matrix_transpose(b[None])),
        lambda xp, a, b: xp.matmul(a[0], xp.matrix_transpose(b)),
        lambda xp, a, b: xp.matmul(a, xp.permute_dims(b, (0, 1))),
    ],
    ids=["dtypes", "stacks", "vector", "no transpose"],
)
def test_other_products_stay(f):
    a, b = np.ones((3, 3)), np.ones((3, 3))
    program = record(f, a, b, base=NUMPY)
    assert contracted(program).instructions == program.instructions


def test_a_transpose_that_something_else_uses_stays():
    def f(xp, a, b):
        turned = xp.matrix_transpose(b)
        return xp.matmul(a, turned), xp.sin(turned)

    short = contracted(record(f, np.ones((3, 3)), np.ones((3, 3)), base=NUMPY))
    assert [i.name for i in short.instructions] == ["matrix_transpose", "linear", "sin"]


def test_a_deep_network_has_no_transposes():
    program, inputs = workload("w5", tiny=True)
    assert any(i.name == "matrix_transpose" for i in program.instructions)
    short = contracted(program)
    assert not any(i.name == "matrix_transpose" for i in short.instructions)
    assert_equal_bits(replay(short, NUMPY.xp, inputs), replay(program, NUMPY.xp, inputs))


def test_xla_transposes_and_copies_nothing():
    jax = pytest.importorskip("jax")
    backend = load("jax")
    program, inputs = workload("w5", tiny=True)

    def hlo(program):
        def f(*arrays):
            return replay(program, backend.xp, arrays)

        return jax.jit(f).lower(*map(jax.numpy.asarray, inputs)).as_text()

    assert "stablehlo.transpose" in hlo(program)
    assert "stablehlo.transpose" not in hlo(contracted(program))
