"""Random programs of reads, views and writes, compared with the values and gradients of a simple oracle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import xgrad as xg
from tests.support.arrays import assert_close, assert_matches, make, to_numpy

N = 4  # every variable of a program is a vector of N numbers
INPUTS = 2


@dataclass
class Naive:
    """A value, and its derivative by every element of every input, carried along: forward mode, without a tape.

    Both are NumPy arrays, and so are views where NumPy has views: NumPy's memory is the oracle.
    """

    value: Any  # (N,)
    slope: Any  # (N, INPUTS * N)

    @staticmethod
    def input(i: int, value: Any) -> Naive:
        slope = np.zeros((N, INPUTS * N))
        slope[:, i * N : (i + 1) * N] = np.eye(N)
        return Naive(value.copy(), slope)

    @staticmethod
    def constant() -> Naive:
        return Naive(np.zeros(N), np.zeros((N, INPUTS * N)))

    def __add__(self, other: Naive) -> Naive:
        return Naive(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other: Naive) -> Naive:
        slope = self.slope * other.value[:, None] + self.value[:, None] * other.slope
        return Naive(self.value * other.value, slope)

    def __getitem__(self, key: Any) -> Naive:
        return Naive(self.value[key], self.slope[key])

    def __setitem__(self, key: Any, other: Naive) -> None:
        self.value[key] = other.value
        self.slope[key] = other.slope

    def copy(self) -> Naive:
        return Naive(self.value.copy(), self.slope.copy())


# Places to read from and write to: all of two elements, as the standard has them and beyond it.
PLACES = [slice(0, 2), slice(2, None), slice(None, None, 2), slice(None, None, -2), slice(1, 3)]
MASKS = [np.array([True, False, False, True]), np.array([False, True, True, False])]
INDICES = [np.array([3, 0]), np.array([1, 2])]

STEPS = ("add", "multiply", "copy", "constant", "write", "write part of itself", "view then write", "add in place",
         "multiply part in place", "write one")  # fmt: skip


def run(program: list[tuple[str, int, int, int]], variables: list[Any], keys: list[Any], new: Any, copy: Any) -> Any:
    """The same program on the oracle's variables and on tensors. Each step names two variables and a place."""
    for step, i, j, k in program:
        a, b = variables[i % len(variables)], variables[j % len(variables)]
        key = keys[k % len(keys)]
        if step == "add":
            variables.append(a + b)
        elif step == "multiply":
            variables.append(a * b)
        elif step == "copy":
            variables.append(copy(a))
        elif step == "constant":
            variables.append(new())
        else:  # a write: into a copy where the variable is an input
            target = i % len(variables)
            if target < INPUTS:
                a = copy(a)
                variables.append(a)
            if step == "write":
                a[key] = b[keys[(k + 1) % len(keys)]]
            elif step == "write part of itself":
                a[key] = a[keys[(k + 1) % len(keys)]]
            elif step == "view then write":
                part = a[slice(1, 3)]
                a[key] = b[key]
                variables.append(a * b)
                a[slice(1, 3)] = part
            elif step == "add in place":
                a[slice(0, N)] = a[slice(0, N)] + b
            elif step == "multiply part in place":
                a[key] = a[key] * b[key]
            elif step == "write one":
                a[k % N] = b[j % N]
    total = variables[0]
    for v in variables[1:]:
        total = total + v
    return total


programs = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12
)


@pytest.mark.parametrize("places", ["slices", "masks", "indices"])
@settings(max_examples=60)
@given(program=programs)
def test_programs_of_reads_views_and_writes_match_the_oracle(backend, xp, places, program):
    if backend.name == "dask" and places == "masks":
        return  # the shape of what a mask takes is not known before it is computed
    keys: list[Any] = {"slices": PLACES, "masks": MASKS, "indices": INDICES}[places]  # type: ignore[assignment]
    if backend.name == "torch":  # PyTorch has no slices with a negative step
        keys = [key for key in keys if not (isinstance(key, slice) and (key.step or 1) < 0)]
    values = [np.array([0.5, -1.0, 2.0, 0.25]), np.array([1.5, 0.75, -0.5, 1.0])]

    naive = run(program, [Naive.input(i, v) for i, v in enumerate(values)], keys, Naive.constant, Naive.copy)

    inputs = [make(xp, v, requires_grad=True) for v in values]
    own = [make(xp, key) if isinstance(key, np.ndarray) else key for key in keys]
    out = run(program, list(inputs), own, lambda: xp.zeros(N, dtype=xp.float64), lambda a: xp.asarray(a, copy=True))
    weights = np.array([1.0, -2.0, 0.5, 3.0])
    xp.sum(out * make(xp, weights)).backward()

    assert_close(to_numpy(out), naive.value, 1e-12, "the value")
    want = weights @ naive.slope
    scale = max(1.0, float(np.abs(want).max()))
    for i, x in enumerate(inputs):
        assert_close(to_numpy(x.grad), want[i * N : (i + 1) * N], 1e-12, f"the gradient of input {i}", floor=scale)


# --- what is refused, and what is kept ------------------------------------------------------------------------


def test_a_leaf_that_requires_a_gradient_is_not_written(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf that requires a gradient cannot be written"):
        x[0] = 3.0
    with pytest.raises(RuntimeError, match="leaf that requires a gradient cannot be written"):
        x += 1.0
    assert to_numpy(x).tolist() == [1.0, 2.0]


def test_a_plain_tensor_becomes_differentiable_by_what_is_written_into_it(xp):
    v = make(xp, 2.0, requires_grad=True)
    x = xp.zeros(3, dtype=xp.float64)
    x[1] = v * v
    xp.sum(x * 3.0).backward()
    assert to_numpy(v.grad) == 12.0


def test_a_gradient_is_not_written_into_integers(xp):
    x = xp.zeros(3, dtype=xp.int64)
    v = make(xp, 2.0, requires_grad=True)
    with pytest.raises(TypeError):
        x[1] = v
    assert not x.requires_grad


def test_what_backward_needs_keeps_its_value(xp):
    x = make(xp, [0.5, 1.0], requires_grad=True)
    y = xp.exp(x)  # saves y
    z = y * 1.0
    y[0] = 100.0
    xp.sum(z).backward()
    assert_close(to_numpy(x.grad), np.exp([0.5, 1.0]), 1e-12)


def test_a_write_changes_neither_what_was_computed_before_nor_what_shares_the_array(backend, xp):
    host = np.arange(4.0)
    raw = backend.asarray(host, copy=True)
    x = xp.asarray(raw)
    whole, copy, sum_before = x.detach(), xp.asarray(x, copy=True), x + 0.0
    x[1] = 50.0
    assert to_numpy(x).tolist() == [0.0, 50.0, 2.0, 3.0]
    for other in (raw, whole, copy, sum_before):
        assert to_numpy(other).tolist() == [0.0, 1.0, 2.0, 3.0]


def test_an_array_that_nobody_shares_is_written_in_place():
    with xg.use_backend("numpy"):
        x = xg.zeros(1000)
        x[0] = 1.0
        before = x.data.ctypes.data
        for i in range(10):
            x[i] = float(i)
        assert x.data.ctypes.data == before


def test_a_write_that_fails_changes_nothing(xp):
    x = make(xp, [1.0, 2.0, 3.0]) * 1.0
    with pytest.raises((ValueError, IndexError, RuntimeError)):
        x[0:2] = make(xp, [1.0, 2.0, 3.0])
    assert to_numpy(x).tolist() == [1.0, 2.0, 3.0]


def test_at_adds_up_where_a_place_is_named_twice(xp):
    x = make(xp, [1.0, 2.0, 3.0], requires_grad=True)
    v = make(xp, [10.0, 20.0, 30.0], requires_grad=True)
    i = make(xp, [0, 0, 2])
    y = xg.at(x, i).add(v)
    assert to_numpy(y).tolist() == [31.0, 2.0, 33.0]
    xp.sum(y * make(xp, [1.0, 2.0, 3.0])).backward()
    assert to_numpy(x.grad).tolist() == [1.0, 2.0, 3.0]
    assert to_numpy(v.grad).tolist() == [1.0, 1.0, 3.0]
    assert to_numpy(xg.at(x, slice(0, 2)).subtract(1.0)).tolist() == [0.0, 1.0, 3.0]
    assert to_numpy(xg.at(x, 1).set(9.0)).tolist() == [1.0, 9.0, 3.0]


@pytest.mark.parametrize("kind", ["a slice", "an array"])
def test_what_is_added_beside_an_infinity_leaves_it_alone(xp, kind):
    x = make(xp, [1.0, math.inf, math.nan, -math.inf], requires_grad=True)
    key = slice(0, 4) if kind == "a slice" else make(xp, [0, 1, 2, 3], "int64")
    one = np.array([1.0, 0.0, 0.0, 0.0])
    for value in (2.0, make(xp, 2.0)):
        y = xg.at(x, key).add(value)
        assert_matches(y.detach(), np.array([3.0, math.inf, math.nan, -math.inf]), xp=xp)
        assert_matches(xg.at(x, key).subtract(value).detach(), np.array([-1.0, math.inf, math.nan, -math.inf]), xp=xp)
    y.backward(make(xp, one))
    assert_matches(x.grad, one, xp=xp)


def test_an_infinity_that_is_added_stays_in_its_place(xp):
    y = xg.at(xp.zeros(3, dtype=xp.float64), make(xp, [0, 2, 2], "int64")).add(make(xp, [1.0, math.inf, 1.0]))
    assert_matches(y, np.array([1.0, 0.0, math.inf]), xp=xp)


# --- what there is no room for ----------------------------------------------------------------------------

WAYS = {
    "setitem": lambda xp, x, v: xp.setitem(x, v, slice(0, 2)),
    "at.set": lambda xp, x, v: xg.at(x, slice(0, 2)).set(v),
    "at.add": lambda xp, x, v: xg.at(x, slice(0, 2)).add(v),
    "at.subtract": lambda xp, x, v: xg.at(x, slice(0, 2)).subtract(v),
}


def write(xp, x, v):
    x[0:2] = v


@pytest.mark.parametrize("way", [*WAYS, "x[key] ="])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "bool"])
@pytest.mark.parametrize("value", ["a number", "an array"])
def test_an_imaginary_part_is_not_dropped(xp, way, dtype, value):
    x = make(xp, [1, 0, 1], dtype)
    v = 1 + 2j if value == "a number" else make(xp, [1j, 2.0])
    with pytest.raises(TypeError):
        WAYS.get(way, write)(xp, x, v)
    assert_matches(x, np.array([1, 0, 1], dtype), xp=xp)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_a_fraction_is_not_dropped(xp, way, dtype):
    x = make(xp, [1, 0, 1], dtype)
    for v in (1.5, make(xp, [1.5, 2.5]), make(xp, [1.5, 2.5], requires_grad=True)):
        with pytest.raises(TypeError):
            WAYS[way](xp, x, v)


def test_what_is_added_at_a_place_leaves_the_dtype(backend, xp):
    x, v = make(xp, [1.0, 2.0, 3.0], "float32", requires_grad=True), make(xp, [1.0, 1.0], requires_grad=True)
    y = xg.at(x, slice(0, 2)).add(v)
    assert_matches(y.detach(), np.array([2.0, 3.0, 3.0]), xp=xp, dtype="float32", rtol=0)
    xp.sum(y).backward()
    assert_matches(x.grad, [1.0, 1.0, 1.0], xp=xp, dtype="float32")
    assert_matches(v.grad, [1.0, 1.0], xp=xp, dtype="float64")
    i = make(xp, [1, 2, 3], "uint8")
    assert_matches(xg.at(i, slice(0, 2)).add(make(xp, [1, 1])), np.array([2, 3, 3], "uint8"), xp=xp)
