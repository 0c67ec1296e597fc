"""Scatter-add and writes in a fixed order: sorted and plain versions agree, and the bits are the same on every backend."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.cases.case import spread
from tests.support.arrays import make, raw, to_numpy
from xgrad.backends import scatter
from xgrad.backends.determinism import is_deterministic, require_determinism
from xgrad.backends.scatter import holds_integers, scatter_sorted, settle

ROWS = np.asarray([2, 0, 2, 2, -3, 2])
KEYS: dict[str, tuple[Any, tuple[int, ...], bool]] = {  # the key, the shape it is for, and whether strict takes it
    "the first axis": (ROWS, (3, 4), False),
    "a vector": (ROWS, (3,), True),
    "a later axis": ((slice(None), ROWS), (2, 3, 4), False),
    "indices in two axes": (np.asarray([[0, 1], [1, 0]]), (3, 2), False),
    "one index only": (np.asarray([1]), (3,), True),
    "no index": (np.asarray([], dtype=np.int64), (3, 2), False),
    "two arrays": ((np.asarray([0, 2, 0, 0]), np.asarray([3, 0, 3, -1])), (3, 4), True),
    "arrays that broadcast": ((np.asarray([[0], [2]]), np.asarray([3, 3, 0])), (3, 4), True),
    "a number before": ((1, ROWS), (2, 3), False),
    "half an axis before": ((slice(1, None), ROWS), (3, 3), False),
    "everywhere one place": (np.zeros(1000, dtype=np.int64), (2,), True),
}


def values_for(key: Any, shape: tuple[int, ...], dtype: str = "float64") -> Any:
    return spread(np.empty(shape)[key].shape, -2.0, 2.0, 5).astype(dtype)


def lifted(backend: Any, key: Any) -> Any:
    def lift(part: Any) -> Any:
        return raw(backend, part) if isinstance(part, np.ndarray) else part

    return tuple(lift(part) for part in key) if isinstance(key, tuple) else lift(key)


def summed(key: Any, shape: tuple[int, ...], values: Any) -> Any:
    y = np.zeros(shape, dtype=values.dtype)
    np.add.at(y, key, values)
    return y


@pytest.fixture(autouse=True)
def _eager(request: Any) -> None:
    """Sorting is for libraries that run at once, on a device of their own; a lazy one may lack the functions for it."""
    if "backend" in request.fixturenames and request.getfixturevalue("backend").name == "dask":
        pytest.skip("adds up in a fixed order by itself")


@pytest.fixture
def case(request: Any, backend: Any) -> Any:
    key, shape, strict_takes_it = KEYS[request.param]
    if backend.name == "strict" and not strict_takes_it:
        pytest.skip("beyond the standard")
    return key, shape


each_key = pytest.mark.parametrize("case", KEYS, indirect=True)


@each_key
@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128", "int64"])
def test_sorted_sums_are_the_sums(backend, case, dtype):
    key, shape = case
    values = values_for(key, shape) * (100 if dtype == "int64" else 1)
    values = (values + 1j * values**2 if dtype == "complex128" else values).astype(dtype)
    got = scatter_sorted(backend.xp, raw(backend, values), lifted(backend, key), shape)
    want = summed(key, shape, values)
    assert to_numpy(got).dtype == want.dtype
    rtol = 0 if dtype == "int64" else 20 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(to_numpy(got), want, rtol=rtol, atol=rtol * 2)


@each_key
def test_the_bits_are_the_same_on_every_backend(backend, case):
    key, shape = case
    values = values_for(key, shape, "float32")
    got = scatter_sorted(backend.xp, raw(backend, values), lifted(backend, key), shape)
    with xg.use_backend("numpy") as host:
        want = scatter_sorted(host.xp, values, key, shape)
    np.testing.assert_array_equal(to_numpy(got), want)


def test_what_is_not_finite_stays_in_its_place(backend):
    key, values = np.asarray([0, 1, 1, 2]), np.asarray([1.0, np.inf, 2.0, np.nan])
    got = scatter_sorted(backend.xp, raw(backend, values), raw(backend, key), (4,))
    np.testing.assert_array_equal(to_numpy(got), [1.0, np.inf, np.nan, 0.0])


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32"])
def test_indices_of_few_bits_reach_far(backend, dtype):
    key = np.asarray([1, 120, 1], dtype=dtype)
    got = to_numpy(scatter_sorted(backend.xp, raw(backend, np.asarray([1.0, 2.0, 3.0])), raw(backend, key), (300,)))
    assert (got[1], got[120], got.sum()) == (4.0, 2.0, 6.0)


def test_a_number_goes_to_every_place(backend):
    got = scatter_sorted(backend.xp, raw(backend, 1.5), raw(backend, np.asarray([0, 2, 0])), (3,))
    assert to_numpy(got).tolist() == [3.0, 0.0, 1.5]


@each_key
def test_the_last_value_stays(backend, case):
    """Written in any order, settled values leave what NumPy leaves: the last for each place."""
    key, shape = case
    values = values_for(key, shape)
    settled = to_numpy(settle(backend.xp, raw(backend, values), lifted(backend, key), shape))
    want = np.zeros(shape)
    want[key] = values
    places = np.arange(want.size).reshape(shape)[key].reshape(-1)
    for order in (slice(None), slice(None, None, -1)):
        got = np.zeros(want.size)
        got[places[order]] = settled.reshape(-1)[order]
        np.testing.assert_array_equal(got.reshape(shape), want)


@pytest.mark.parametrize(
    ("key", "want"),
    [
        (0, False),
        (slice(None), False),
        ((..., None, 1), False),
        (np.asarray([True, False]), False),
        (np.asarray(1), False),
        (np.asarray([1]), True),
        ((slice(None), np.asarray([[1]])), True),
        ([0, 1], True),
    ],
)
def test_which_keys_may_name_a_place_twice(key, want):
    assert holds_integers(np, key) is want


# --- the switch ---------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _switch_put_back():
    yield
    require_determinism(False)


def test_the_switch_holds_from_the_call_on():
    xg.use_deterministic(True)
    assert is_deterministic()
    xg.use_deterministic(False)
    assert not is_deterministic()


def test_as_a_block_it_ends():
    with xg.use_deterministic():
        with xg.use_deterministic(False):
            assert not is_deterministic()
        assert is_deterministic()
    assert not is_deterministic()


def test_one_switch_may_be_entered_inside_itself_and_again():
    switch = xg.use_deterministic(True)
    for _ in range(2):
        with switch:
            with switch:
                assert is_deterministic()
            assert is_deterministic()
        assert not is_deterministic()


def test_it_ends_with_an_exception():
    with pytest.raises(ZeroDivisionError), xg.use_deterministic():
        raise ZeroDivisionError
    assert not is_deterministic()


def run(xp: Any) -> list[Any]:
    """The bits of what adds and writes at repeated indices, forward and back."""
    n = 500
    x = make(xp, spread((40,), -2, 2, 1).astype(np.float32), requires_grad=True)
    i = make(xp, np.arange(n) * 7919 % 40)
    weights = make(xp, spread((n,), -2, 2, 3).astype(np.float32))
    xp.sum(xp.take(x, i) * weights).backward()
    xp.sum(x[i] * weights).backward()
    added = xg.at(xp.zeros((40,), dtype=x.dtype), i).add(weights)
    if xp.zeros(0).backend.name == "strict":  # it cannot write at arrays of integers
        return [to_numpy(a) for a in (x.grad, added)]
    written = xp.setitem(x, weights, i)
    xp.sum(written * written).backward()
    return [to_numpy(a) for a in (x.grad, added, written)]


@pytest.mark.parametrize("on", [False, True])
def test_runs_are_bit_identical(backend, xp, on):
    if backend.name == "cupy" and not on:
        pytest.skip("float atomics: promised only under use_deterministic")
    with xg.use_deterministic(on):
        runs = [run(xp) for _ in range(3)]
    for one, other in pairwise(runs):
        for a, b in zip(one, other, strict=True):
            assert a.tobytes() == b.tobytes()


def test_a_backend_that_sorts_gives_what_it_gave(backend, xp, monkeypatch):
    """The path that a GPU takes under the switch, on a backend that is at hand."""
    want = run(xp)
    calls = []

    def spy(*args: Any) -> Any:
        calls.append(args)
        return scatter.scatter_sorted(*args)

    monkeypatch.setattr(
        type(backend.xp), "_scatter_indices", lambda self, x, key, shape: spy(self, x, key, shape), raising=False
    )
    got = run(xp)
    assert backend.name == "strict" or len(calls) == 3
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
