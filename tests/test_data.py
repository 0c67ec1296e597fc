"""Which values can become an array, and which are refused, wherever arrays are accepted."""

from __future__ import annotations

import datetime
import re
from array import array
from collections import UserList
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, to_numpy

DATE = datetime.date(2020, 1, 2)
NO_NUMBERS: dict[str, Any] = {
    "a string": "1.5",
    "bytes": b"1",
    "None": None,
    "a dict": {0: 1.0},
    "a set": {1.0},
    "a generator": (i for i in range(3)),
    "a map": map(int, "12"),
    "a function": len,
    "an object": object(),
    "a date": DATE,
    "a timedelta": datetime.timedelta(1),
    "datetime64": np.datetime64("2020"),
    "timedelta64": np.timedelta64(1, "s"),
    "a NumPy string": np.str_("1"),
    "NumPy bytes": np.bytes_(b"1"),
    "void": np.void(b"1"),
    "strings": ["1", "2"],
    "None among numbers": [1.0, None],
    "a string, deep": [[1.0, 2.0], [3.0, "4"]],
    "dates": (DATE, DATE),
    "a string of a list": UserList(["1"]),
    "an array of objects": np.asarray([1, None], dtype=object),
    "an array of numbers as objects": np.asarray([1, 2], dtype=object),
    "an array of strings": np.asarray(["1"]),
    "an array of dates": np.asarray(["2020"], dtype="M8[D]"),
    "an array of timedeltas": np.asarray([1], dtype="m8[s]"),
    "an array of bytes": np.asarray([b"1"]),
    "a structured array": np.zeros(2, dtype=[("a", float)]),
    "an array of void": np.zeros(2, dtype="V4"),
    "an array of strings in a list": [np.asarray(["1"])],
}
RAGGED: dict[str, Any] = {
    "rows": [[1.0, 2.0], [3.0]],
    "a number and a list": [1.0, [2.0]],
    "deeper": [[[1], [2]], [[3], [4, 5]]],
    "depths": [[1.0, 2.0], [[3.0], [4.0]]],
    "arrays": [np.zeros(2), np.zeros(3)],
}


@pytest.mark.parametrize("dtype", [None, "float32", "int64"])
@pytest.mark.parametrize("what", NO_NUMBERS)
def test_what_holds_no_numbers_is_refused(xp, what, dtype):
    """Also with a dtype, where NumPy would make 1.5 of "1.5", and nan of None."""
    value = NO_NUMBERS[what]
    with pytest.raises(TypeError, match=r"^asarray: .*(is no number, array, or nested list|holds no numbers)"):
        xp.asarray(value, dtype=dtype and getattr(xp, dtype))


@pytest.mark.parametrize("what", RAGGED)
def test_a_ragged_list_is_refused(xp, what):
    with pytest.raises(TypeError, match=r"^asarray: a nested list must have parts of one shape; the first here has"):
        xp.asarray(RAGGED[what])


def test_the_message_says_what_was_given_and_is_short(xp):
    with pytest.raises(TypeError, match=re.escape("asarray: datetime.date(2020, 1, 2) (date) is no number")):
        xp.asarray([DATE])
    with pytest.raises(TypeError) as caught:
        xp.asarray([[0.0] * 1000] * 1000 + [[1.0]])
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("what", NO_NUMBERS)
def test_functions_and_transforms_refuse_it(xp, what):
    value, x = NO_NUMBERS[what], xp.ones(2)
    calls = {
        "add": lambda: xp.add(x, value),
        "an operand on the left": lambda: xp.multiply(value, x),
        "matmul": lambda: xp.matmul(x, value),
        "less": lambda: xp.less(x, value),
        "sum": lambda: xp.sum(value),
        "where": lambda: xp.where(x > 0.0, x, value),
        "a write": lambda: x.__setitem__(0, value),
        "full": lambda: xp.full((2,), value, dtype=xp.float32),
        "full_like": lambda: xp.full_like(x, value),
        "grad": lambda: xg.grad(xp.sum)(value),
        "vjp": lambda: xg.vjp(xp.abs, x)[1](value),
        "backward": lambda: xp.asarray([1.0, 2.0], requires_grad=True).backward(value),
        "Parameter": lambda: xg.nn.Parameter(value),
        "normal": lambda: xg.random.Generator(0).normal((2,), mean=value),
        "uniform": lambda: xg.random.Generator(0).uniform((2,), high=value),
        "bernoulli": lambda: xg.random.Generator(0).bernoulli((2,), p=value),
        "integers": lambda: xg.random.Generator(0).integers(value),
    }
    if value is None:  # these take it, as PyTorch's do
        del calls["backward"], calls["Parameter"]
    for name, call in calls.items():
        try:
            result = call()
        except (TypeError, ValueError) as error:
            assert str(error), name  # noqa: PT017
        else:
            raise AssertionError(f"{name} took {value!r} and gave {result!r}")


def test_it_passes_by_functions_that_are_not_differentiated_by_it(xp):
    """As an argument beside the one that is: it stays what it is."""
    names = np.asarray(["a", "b"])
    g = xg.grad(lambda x, names, more: xp.sum(x * x) if names[1] == more["b"] else x)(make(xp, 3.0), names, {"b": "b"})
    assert_matches(g, 6.0, xp=xp)


GOOD: dict[str, tuple[Any, Any]] = {
    "a range": (range(3), [0, 1, 2]),
    "a memoryview": (memoryview(array("d", [1.0, 2.0])), [1.0, 2.0]),
    "an array of Python's": (array("d", [1.0, 2.0]), [1.0, 2.0]),
    "no numbers": ([], []),
    "no numbers, twice": ([[], []], np.zeros((2, 0))),
    "NumPy scalars": ([np.float64(1.0), 2], [1.0, 2.0]),
    "tuples in a list": ([(1, 2.5), [True, 4]], [[1.0, 2.5], [1.0, 4.0]]),
    "arrays in a list": ([np.asarray([1.0, 2.0]), [3.0, 4.0]], [[1.0, 2.0], [3.0, 4.0]]),
    "a number of complex": ([1j, 2], [1j, 2]),
    "truth": ((True, False), [True, False]),
}


@pytest.mark.parametrize("what", GOOD)
def test_what_holds_numbers_is_taken(xp, what):
    value, want = GOOD[what]
    got = to_numpy(xp.asarray(value))
    np.testing.assert_array_equal(got, np.asarray(want))
    assert got.dtype.kind == np.asarray(want).dtype.kind


def test_fractions_take_a_dtype(xp):
    assert_matches(xp.asarray([Fraction(1, 2)], dtype=xp.float64), [0.5], xp=xp)
    with pytest.raises((TypeError, ValueError, NotImplementedError), match="asarray"):
        xp.asarray([Fraction(1, 2)])


def test_a_0d_array_is_a_parameter_of_a_draw(xp):
    draws = [
        xg.random.Generator(3).normal((2,), mean=one(2.0), std=one(0.5))
        for one in (float, np.float32, np.asarray, xp.asarray)
    ]
    for drawn in draws[1:]:
        np.testing.assert_array_equal(to_numpy(drawn), to_numpy(draws[0]))


# --- NumPy's arrays, as they come -----------------------------------------------------------------------------

READ_ONLY = np.asarray([1.0, 2.0])
READ_ONLY.flags.writeable = False
SOURCES = {
    "0-d": np.asarray(1.5),
    "a scalar": np.float64(1.5),
    "0-d integer": np.asarray(2),
    "0-d boolean": np.asarray(True),
    "backwards": np.asarray([[1.0, 2.0], [3.0, 4.0]])[::-1],
    "transposed": np.asarray([[1.0, 2.0], [3.0, 4.0]]).T,
    "read-only": READ_ONLY,
    "broadcast": np.broadcast_to(np.asarray([1.0]), (3,)),
    "empty": np.zeros((0, 2)),
    "float16": np.asarray([1, 2], dtype=np.float16),
    "uint16": np.asarray([1, 2], dtype=np.uint16),
    "a list of arrays": [np.asarray([1.0, 2.0]), [3.0, 4.0]],
}


@pytest.mark.parametrize("copy", [True, None])
@pytest.mark.parametrize("dtype", [None, "float32", "float64", "int64", "complex64", "bool"])
@pytest.mark.parametrize("what", SOURCES)
def test_an_array_of_numpys_is_taken_as_it_comes(backend, xp, what, dtype, copy):
    source = SOURCES[what]
    if backend.name == "strict" and dtype is None and what == "float16":
        pytest.skip("the library has no float16")
    want = np.asarray(source) if dtype is None else np.asarray(source).astype(dtype)
    got = to_numpy(xp.asarray(source, dtype=dtype and getattr(xp, dtype), copy=copy))
    np.testing.assert_array_equal(got, want)
    assert got.dtype == want.dtype


def test_a_copy_is_one(xp):
    for source in (np.asarray(1.0), np.asarray([1.0, 2.0]), np.asarray([1.0, 2.0])[::-1]):
        before = source.copy()
        made = [xp.asarray(source, copy=True), xp.asarray(source, dtype=xp.float32, copy=True)]
        source += 1.0
        for x in made:
            np.testing.assert_array_equal(to_numpy(x), before)


def test_a_state_of_0d_arrays_of_another_precision_is_loaded(xp):
    """What load_state_dict does, with arrays as NumPy's files give them."""
    module = xg.nn.Module()
    module.scale = xg.nn.Parameter(xp.asarray(1.0, dtype=xp.float32))
    module.load_state_dict({"scale": np.asarray(2.5)})
    assert module.scale.item() == 2.5
    assert module.scale.dtype == xp.float32
