"""How the functions of the NumPy backend are computed in planned memory: which are, and that each path has eager's bits."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from xgrad.backends import load
from xgrad.compile.engines.numpy import prepare
from xgrad.compile.program import Ref
from xgrad.compile.recorder import record

BASE = load("numpy")
RNG = np.random.default_rng(3)


def array(*shape, dtype="float32"):
    return RNG.normal(size=shape).astype(dtype)


X, Y, W, ROW, COLUMN = array(9, 6), array(9, 6), array(4, 6), array(6), array(9, 1)
NUMBERS = np.arange(9) % 6
# A function of the raw namespace, its arrays, and the calls in the code.
PLANNED: dict[str, tuple[Any, tuple[Any, ...], str | None]] = {
    "linear": (lambda xp, x, w, b: xp.linear(x, w, b), (X, W, array(4)), "T dot add"),
    "linear without bias": (lambda xp, x, w: xp.linear(x, w), (X, W), "T dot"),
    "matmul": (lambda xp, x, y: xp.matmul(x, y), (X, array(6, 3)), "dot"),
    "matmul, inner length 1": (lambda xp, x, y: xp.matmul(x, y), (COLUMN, array(1, 3)), "dot"),
    "matmul, turned": (lambda xp, x, y: xp.matmul(xp.matrix_transpose(x), y), (X, Y), "T dot"),
    "weight_gradient": (lambda xp, g, x, w: xp.weight_gradient(g, x, w), (array(9, 4), X, W), "T dot"),
    "weight_gradient, Fortran": (
        lambda xp, g, x, w: xp.weight_gradient(g, x, w),
        (array(9, 4), X, np.asfortranarray(W)),
        "T T dot",
    ),
    "sigmoid": (lambda xp, x: xp.sigmoid(x), (X * 50,), "minimum exp add divide"),
    "relu": (lambda xp, x: xp.relu(x), (X,), "maximum"),
    "relu, Fortran": (lambda xp, x: xp.relu(x), (np.asfortranarray(X),), "maximum"),
    "mask": (lambda xp, x, y: xp.mask(x, xp.greater(y, 0)), (np.where(X > 1, np.nan, X), Y), "greater multiply"),
    "sum": (lambda xp, x: xp.sum(x), (X,), "reduce"),
    "sum of rows": (lambda xp, x: xp.sum(x, axis=0), (X,), "dot"),
    "mean": (lambda xp, x: xp.mean(x), (X,), "reduce divide"),
    "mean of rows": (lambda xp, x: xp.mean(x, axis=0), (X,), "dot divide"),
    "softmax": (lambda xp, x: xp.softmax(x, axis=1), (X,), "softmax"),
    "log_softmax": (lambda xp, x: xp.log_softmax(x, axis=0), (X,), "log_softmax"),
    "softmax_cross_entropy": (
        lambda xp, x, n: xp.softmax_cross_entropy(x, n, axis=1, ignore_index=-100),
        (X, NUMBERS),
        "cross_entropy",
    ),
    "divide_into": (lambda xp, x, y: xp.divide_into(x, xp.exp(y)), (X, Y), "exp divide"),
    "astype": (lambda xp, x: xp.astype(x, xp.float64), (X,), "copyto"),
    "of truth values": (lambda xp, x: xp.astype(xp.greater(x, 0), xp.float32), (X,), "greater copyto"),
    "square": (lambda xp, x: xp.pow(x, 2), (X,), "square"),
    "broadcasting": (lambda xp, x, r: xp.add(xp.multiply(x, r), 1.5), (X, ROW), "multiply add"),
    "times one": (lambda xp, x: xp.exp(xp.multiply(xp.tanh(x), xp.ones((9, 6), dtype=xp.float32))), (X,), None),
    "integers": (lambda xp, n: xp.add(xp.multiply(n, 3), 1), (NUMBERS,), "multiply add"),
    "reshape": (lambda xp, x: xp.exp(xp.reshape(xp.tanh(x), (-1,))), (X,), None),
}


def calls(code):
    """The functions that the lines of `run` call, in order."""
    found = []
    for line in code.partition("def run")[2].splitlines()[1:]:
        text = line.split("#")[0].split(" = ")[-1].strip()
        name = text.partition("(")[0]
        if text.endswith(".T"):
            found.append("T")
        elif "(" in text and name.isidentifier() and not text.startswith(("if", "return")):
            found.append(name.rstrip("0123456789").rstrip("_"))
    return found


@pytest.mark.parametrize("name", PLANNED)
def test_a_function_is_computed_in_planned_memory(name):
    f, arrays, names = PLANNED[name]
    runner = prepare(record(f, *arrays, base=BASE), BASE)
    want = f(BASE.xp, *[np.array(a, order="K") for a in arrays])
    for _ in range(3):
        (got,) = runner.run(arrays)
        assert (got.dtype, got.shape, got.tobytes()) == (want.dtype, want.shape, np.asarray(want).tobytes())
        assert got.strides == want.strides
    if names is not None:
        assert calls(runner.source()) == names.split()


@pytest.mark.parametrize(
    ("f", "arrays"),
    [
        (
            lambda xp, x, n: xp.softmax_cross_entropy(x, n, axis=1, ignore_index=-100),
            (X, np.where(NUMBERS == 2, -100, NUMBERS)),
        ),
        (lambda xp, x: xp.sum(x, axis=1, keepdims=True), (X,)),
        (lambda xp, x: xp.softmax(x, axis=1), (np.asfortranarray(X),)),
        (lambda xp, x: xp.sigmoid(x), (X.astype("float16"),)),
        (lambda xp, x: xp.sum(x), (X.astype("float16"),)),
        (lambda xp, x: xp.mask(x, xp.greater(x, 0)), (NUMBERS,)),
        (lambda xp, x, y: xp.matmul(x, y), (array(2, 3, 4), array(2, 4, 3))),
        (lambda xp, x, y: xp.matmul(x, y), (X, array(6))),
        (lambda xp, x, y: xp.add(x, y), (X, Y.astype("float64"))),
        (lambda xp, x: xp.pow(x, 3), (X,)),
        (lambda xp, x: xp.divide(x, 2), (NUMBERS,)),
        (lambda xp, x: xp.multiply(x, 1.5), (NUMBERS,)),
        (lambda xp, x: xp.multiply(x, 1j), (X,)),
    ],
)
def test_other_paths_have_eagers_bits(f, arrays):
    runner = prepare(record(f, *arrays, base=BASE), BASE)
    want = np.asarray(f(BASE.xp, *arrays))
    for _ in range(3):
        (got,) = runner.run(arrays)
        assert (got.dtype, got.shape, got.tobytes()) == (want.dtype, want.shape, want.tobytes())


def test_an_operand_that_eager_code_may_overwrite_stays():
    """`divide_into` writes over its second operand in eager code; a program may read that operand again."""

    program = record(lambda xp, x, y: (xp.divide(x, xp.exp(y)), xp.add(xp.exp(y), 1.0)), X, Y, base=BASE)
    exp, divide, other, add = program.instructions
    divide, add = divide._replace(name="divide_into"), add._replace(args=(Ref(exp.results[0]), add.args[1]))
    runner = prepare(dataclasses.replace(program, instructions=(exp, divide, other, add)), BASE)
    for _ in range(3):
        a, b = runner.run([X, Y])
        np.testing.assert_array_equal(a, X / np.exp(Y))
        np.testing.assert_array_equal(b, np.exp(Y) + np.float32(1))
