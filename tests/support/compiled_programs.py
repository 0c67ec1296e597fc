"""Random programs for tests of compile: repeated and dead instructions, constants, views, transposed products, floats, several results."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from xgrad.backends import load
from xgrad.compile.program import Program
from xgrad.compile.recorder import record

UNARY = ["sin", "tanh", "exp", "negative", "square", "abs", "relu", "sigmoid", "floor", "sign", "softplus"]
BINARY = ["add", "subtract", "multiply", "maximum", "minimum", "divide", "hypot", "greater", "less_equal"]
NUMBERS = [0.0, -0.0, 1, 1.0, 2, 0.5, -3.25]
N = 4  # most arrays are N by N, so that most operations fit


def random_program(seed: int) -> tuple[Program, list[Any]]:
    """A program on NumPy's arrays, and its inputs."""
    rng = random.Random(seed)
    numpy = np.random.default_rng(seed)
    dtype = rng.choice(["float32", "float64"])
    arrays: list[Any] = [numpy.uniform(-2, 2, (N, N)).astype(dtype) for _ in range(3)]
    arrays += [numpy.uniform(-2, 2, N).astype(dtype), numpy.integers(-3, 4, (N, N)), numpy.integers(0, N, N)]
    arrays[1] = np.asfortranarray(arrays[1])
    arrays.append(float(numpy.uniform(0.1, 2.0)))
    fixed = [np.asarray(rng.choice([0.5, -0.0, 1.0]), dtype=dtype), numpy.uniform(1, 2, (N, N)).astype(dtype)]

    def run(xp: Any, *given: Any) -> Any:
        *arrays, integers, indices, number = given
        live = [*arrays, xp.astype(integers, getattr(xp, dtype))]
        for _ in range(rng.randrange(5, 30)):
            live.extend(_call(rng, xp, live, [xp.asarray(c) for c in fixed], indices, number, dtype))
        outputs = rng.sample(live, min(len(live), rng.randrange(1, 6)))
        return (*outputs, *rng.sample(outputs, rng.randrange(2)))

    with np.errstate(all="ignore"):
        return record(run, *arrays, base=load("numpy")), arrays


def _call(rng: random.Random, xp: Any, live: list[Any], fixed: list[Any], indices: Any, number: Any, dtype: str) -> Any:
    """The results of a random call, which are floats of one dtype."""
    recent = live[-6:] if rng.random() < 0.7 else live
    x = rng.choice(recent)
    y = rng.choice([other for other in [*live, *fixed] if other.shape in ((), x.shape)])
    square = [a for a in live if a.shape == (N, N)]
    a, b = rng.choice(square), rng.choice(square)
    kind = rng.randrange(14)
    if kind < 3:
        return [getattr(xp, rng.choice(UNARY))(x)]
    if kind < 5:
        z = getattr(xp, rng.choice(BINARY))(x, y)
        return [z if str(z.dtype) == dtype else xp.astype(z, getattr(xp, dtype))]
    if kind == 5:
        return [rng.choice([x * rng.choice(NUMBERS), x + rng.choice(NUMBERS), number * x, x - number * 2])]
    if kind == 6:
        turned = rng.choice([xp.matrix_transpose, lambda a: xp.permute_dims(a, (1, 0))])
        return rng.choice([[xp.matmul(a, turned(b))], [xp.matmul(turned(a), b)], [xp.matmul(turned(a), turned(b))]])
    if kind == 7:
        return rng.choice([[xp.linear(a, xp.matrix_transpose(b))], [xp.linear(a, b, b[0])], [xp.matmul(a, b)]])
    if kind == 8:
        axis = rng.choice([None, 0, 1])
        return [xp.sum(a, axis=axis), xp.mean(a, axis=axis)]
    if kind == 9:
        return rng.choice([[a[:, 1]], [a[1:3, :]], [a.mT], [xp.reshape(a, (N * N,))], [xp.take(a, indices, axis=0)]])
    if kind == 10:
        return [xp.where(a > b, a, b), xp.mask(a, b > 0), xp.setitem(a, b[0], (slice(1, 2),))]
    if kind == 11:
        return list(xp.unstack(a)) if rng.random() < 0.5 else [xp.concat([a, b]), xp.stack([a[0], b[1]])]
    if kind == 12:  # the same twice
        return [xp.exp(a) + xp.sin(b), xp.exp(a) + xp.sin(b), xp.zeros_like(a), xp.broadcast_to(a[0], (N, N))]
    c = rng.choice(fixed)
    return [
        xp.softmax(a, axis=-1) * xp.exp(c),
        xp.expand_dims(b, axis=0),
        xp.zeros((N, N), dtype=getattr(xp, dtype)) + a,
    ]


def equal_bits(a: Any, b: Any) -> bool:
    """Whether two arrays, or floats, are the same in shape, dtype and all bits."""
    a, b = np.asarray(a), np.asarray(b)
    return (a.shape, a.dtype, a.tobytes()) == (b.shape, b.dtype, b.tobytes())


def assert_equal_bits(got: Sequence[Any], want: Sequence[Any], what: Any = "") -> None:
    assert len(got) == len(want)
    for i, (a, b) in enumerate(zip(got, want, strict=True)):
        assert equal_bits(a, b), f"{what}: output {i} is {a}, and was {b}"
