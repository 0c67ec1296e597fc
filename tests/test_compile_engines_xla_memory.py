"""XLA's memory as NumPy arrays: shown without a copy, and known again only as the array that was shown."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from xgrad.compile.engines import xla_memory  # noqa: E402
from xgrad.compile.engines.xla_memory import address, shower  # noqa: E402


def resident(array: Any) -> Any:
    return xla_memory.resident(array)


def shown(values, writeable=True):
    array = jax.block_until_ready(jax.numpy.array(values))
    return array, shower(values.shape, values.dtype, writeable)(array)


@pytest.mark.parametrize("dtype", ["float32", "int32", "bool", "complex64", "float16", "uint8"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4), (0, 2)])
def test_an_array_is_shown_without_a_copy(dtype, shape):
    values = (np.arange(int(np.prod(shape))) % 2).reshape(shape).astype(dtype)
    array, y = shown(values)
    assert (y.dtype, y.shape) == (values.dtype, shape)
    np.testing.assert_array_equal(y, values)
    if y.size:
        assert y.ctypes.data == array.unsafe_buffer_pointer() == address(resident(y))
        assert resident(y).array is array


def test_views_and_other_arrays_are_not_known():
    array, y = shown(np.arange(6, dtype=np.float32).reshape(2, 3))
    for other in (y[:], y.T, y[0], y.reshape(6), y.copy(), np.asarray(array), np.zeros(3), np.frombuffer(b"12345678")):
        assert resident(other) is None


def test_read_only():
    _, y = shown(np.zeros(3, np.float32), writeable=False)
    with pytest.raises(ValueError, match="read-only"):
        y[0] = 1
    assert resident(y) is not None


def test_the_memory_lives_as_long_as_a_view():
    array, y = shown(np.arange(3, dtype=np.float32))
    alive = weakref.ref(array)
    view = y[1:]
    del array, y
    gc.collect()
    np.testing.assert_array_equal(view, [1, 2])
    assert alive() is not None
    del view
    gc.collect()
    assert alive() is None


def test_memory_that_was_given_up_is_an_error():
    _, y = shown(np.zeros(3, np.float32))
    resident(y).array = None
    with pytest.raises(RuntimeError, match="given up to a compiled function"):
        resident(y)
