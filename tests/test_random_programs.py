"""The laws hold for random programs, in which values are used any number of times.

A single function says little of the walk over the tape: of the order in which nodes are visited, of gradients
that meet, of values that are shared, written over, or used by nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.cases.case import Case, real
from tests.laws import (
    ROUNDING,
    each_way,
    jvp_and_vjp_are_transposes,
    jvp_is_the_differences,
    second_order,
    vjp_is_the_differences,
)
from tests.point import Point
from xgrad import Tensor

SHAPE = (2, 2)

Step = Callable[..., Any]


def written(xp: Any, x: Any, y: Any) -> Any:
    z, value = xp.asarray(x, copy=True), y[..., 1] * 0.5
    if not isinstance(z, Tensor):  # a library's own arrays may refuse it
        return xp.setitem(z, value, (0, ...))
    z[0, ...] = value
    return z


def added_in_place(xp: Any, x: Any, y: Any) -> Any:
    z = xp.asarray(x, copy=True)
    z += y
    return z * 0.5


def halves(xp: Any, x: Any, y: Any) -> Any:
    joined = xp.concat([x, y], axis=0)
    return joined[1:3, ...]


# Each takes two arrays of SHAPE with elements from -1 to 1 or so to another one.
STEPS: list[Step] = [
    lambda xp, x, y: xp.sin(x),
    lambda xp, x, y: xp.exp(x) - y,
    lambda xp, x, y: (x + y) * 0.5,
    lambda xp, x, y: (x + x) * 0.5,
    lambda xp, x, y: x * y,
    lambda xp, x, y: x * x,
    lambda xp, x, y: -x,
    lambda xp, x, y: +x,
    lambda xp, x, y: 1.0 - x,
    lambda xp, x, y: x / (y * y + 1.0),
    lambda xp, x, y: xp.sigmoid(x) * 2 - 1,
    lambda xp, x, y: xp.softmax(x, axis=0),
    lambda xp, x, y: x @ y,
    lambda xp, x, y: xp.matrix_transpose(x),
    lambda xp, x, y: xp.reshape(xp.flip(xp.reshape(x, (4,))), SHAPE),
    lambda xp, x, y: x - xp.mean(x, axis=0, keepdims=True),
    lambda xp, x, y: xp.broadcast_to(xp.sum(x) * 0.25, SHAPE),
    lambda xp, x, y: xp.linear(x, y, x[0, ...]) * 0.5,
    lambda xp, x, y: xp.take(x, xp.asarray([1, 1]), axis=0) * y[0, ...],
    lambda xp, x, y: xp.stack([x[0, ...], y[1, ...]]),
    halves,
    written,
    added_in_place,
]


def program(seed: int, length: int = 12) -> Case:
    """A function of three arrays, some of which may go unused, with one result or two."""
    rng = random.Random(seed)
    steps = []
    for there in range(3, 3 + length):  # how many values there are before the step
        recent = rng.randrange(max(0, there - 4), there)
        steps.append((rng.choice(STEPS), recent, rng.randrange(there)))

    def call(xp: Any, *inputs: Any) -> Any:
        values = list(inputs)
        for step, i, j in steps:
            values.append(xp.tanh(step(xp, values[i], values[j])))
        return (values[-1], values[-3]) if seed % 3 else values[-1]

    args = (real(*SHAPE, low=-1, high=1),) * 3
    return Case("program", args, call=call, note=str(seed))


def every_way_is_the_same(p: Point) -> None:
    """As laws.recorded_is_raw; what is cancelled on the way leaves the rounding of numbers of order 1."""
    for way, got, want in each_way(p):
        p.assert_equal(way, got, want, ROUNDING, floor=1.0)


LAWS = (
    vjp_is_the_differences,
    jvp_is_the_differences,
    jvp_and_vjp_are_transposes,
    every_way_is_the_same,
    second_order,
)


@pytest.mark.parametrize("seed", range(30))
def test_laws_hold_for_programs(backend, seed):
    case = program(seed)
    for law in LAWS:
        point = Point(case, backend)
        law(point)
        point.assert_inputs_unchanged()
