"""Elementwise instructions as C++: compiled for the host, they give what NumPy gives, also at nan, infinities and ties."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.host_kernels import HostKernels
from xgrad.backends import load
from xgrad.compile.engines.choice import prepare
from xgrad.compile.engines.cupy_expressions import (
    COMPARISONS,
    LOGIC,
    OF_FLOATS,
    OF_INTEGERS,
    OF_ONE_FLOAT,
    expression,
    literal,
)
from xgrad.compile.engines.cupy_groups import Group
from xgrad.compile.engines.cupy_planned import Planned
from xgrad.compile.program import OPERATORS
from xgrad.compile.recorder import record

NUMPY = load("numpy")
OF_TWO = {"add", "subtract", "multiply", "divide", "divide_into", "pow", "atan2", "hypot", "maximum", "minimum", "gap"}
OF_NUMBER = {"leaky_relu"}
EDGES = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 0.5, -0.25, 30.0, -30.0]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("edges", [False, True])
def test_functions_of_floats(dtype, edges, tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0.1, 0.9, (2, 40)).astype(dtype)
    if edges:
        x, y = (z.reshape(-1).astype(dtype) for z in np.meshgrid(EDGES, EDGES))

    def f(xp, x, y):
        found = []
        for name in sorted({*OF_FLOATS, *OF_ONE_FLOAT} - OF_NUMBER - {"divide_into", "softplus", "silu"}):
            function = OPERATORS.get(name) or getattr(xp, name)
            found.append(
                function(x, y) if name in OF_TWO else function(x + 1.0 if name == "acosh" and not edges else x)
            )
        return tuple(found)

    program = record(f, x, y, base=NUMPY)
    planned = Planned(program, NUMPY, HostKernels(tmp_path))
    assert not [step for step in planned.steps if not isinstance(step, Group)]
    found, wanted = planned.run([x, y]), prepare("replay", program, NUMPY).run([x, y])
    rtol = {"float32": 2e-6, "float64": 1e-14}[dtype]
    names = {each.results[0]: each.name for each in program.instructions}
    for got, want, number in zip(found, wanted, program.outputs, strict=True):
        np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol * 0.1, err_msg=names[number])


def test_activations_and_numbers(tmp_path):
    x = np.linspace(-5, 5, 41)

    def f(xp, x, a):
        y = xp.softplus(x) + xp.silu(x) * a
        z = xp.where(x > a, x, 0.5) + xp.mask(y, x < -a)
        return y, z, xp.leaky_relu(x, 0.1), x**2, x**0.5, xp.astype(x > 1, xp.float64), 2 - x, xp.ones_like(x) * z

    with np.errstate(all="ignore"):
        program = record(f, x, 0.3, base=NUMPY)
    planned = Planned(program, NUMPY, HostKernels(tmp_path))
    assert [type(step) for step in planned.steps if not isinstance(step, tuple)] == [Group]
    with np.errstate(all="ignore"):
        wanted, found = prepare("replay", program, NUMPY).run([x, 0.7]), planned.run([x, 0.7])
    for got, want in zip(found, wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-14, atol=1e-15)


def test_integers_and_truth_values(tmp_path):
    n, m = np.arange(-4, 5), np.arange(9) % 3
    a, b = n > 0, m > 1

    def f(xp, n, m, a, b):
        of_integers = [OPERATORS[k](*((n, m) if k in OF_TWO else (n,))) for k in sorted(OF_INTEGERS) if k in OPERATORS]
        compared = [OPERATORS[k](n, m) for k in sorted(COMPARISONS)] + [n > 1, n == 0]
        logic = [getattr(xp, k)(*((a,) if k in ("logical_not", "bitwise_invert") else (a, b))) for k in sorted(LOGIC)]
        return (*of_integers, *compared, *logic, xp.astype(n, xp.float32), xp.where(a, n, m), xp.square(n))

    program = record(f, n, m, a, b, base=NUMPY)
    planned = Planned(program, NUMPY, HostKernels(tmp_path))
    assert all(isinstance(step, Group) for step in planned.steps)
    for got, want in zip(planned.run([n, m, a, b]), prepare("replay", program, NUMPY).run([n, m, a, b]), strict=True):
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    "f",
    [
        lambda xp, x, n: xp.matmul(x, x),
        lambda xp, x, n: xp.sum(x),
        lambda xp, x, n: x + n,  # of two dtypes
        lambda xp, x, n: n / 2,
        lambda xp, x, n: n + 1.5,
        lambda xp, x, n: xp.astype(x, xp.int64),
        lambda xp, x, n: xp.astype(x, xp.complex128) * 1j,
        lambda xp, x, n: xp.cumulative_sum(n, axis=0),
        lambda xp, x, n: xp.reshape(x, (9,)),
    ],
)
def test_what_is_not_an_expression_here(f):
    program = record(f, np.ones((3, 3)), np.arange(3), base=NUMPY)
    assert expression(program, program.instructions[0], str) is None


def test_literals():
    assert literal(0.1, "float32") == "float(0.1)"
    assert literal(2, "float64") == "double(2.0)"
    assert literal(float("nan"), "float32") == "float(NAN)"
    assert literal(-float("inf"), "float64") == "double(-INFINITY)"
    assert literal(-7, "int64") == "(long long)(-7)"
    assert literal(1.5, "int64") is None
    assert literal(True, "float32") is None
