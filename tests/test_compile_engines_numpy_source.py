"""The code of the numpy engine: that it can be read, and that what calls return is copied where it must be."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from xgrad.backends import load
from xgrad.compile.engines.numpy import prepare
from xgrad.compile.engines.numpy_source import owned
from xgrad.compile.recorder import record

BASE = load("numpy")


def made(f, *arrays):
    return prepare(record(f, *arrays, base=BASE), BASE)


@pytest.fixture
def x():
    return np.linspace(-2, 2, 60, dtype=np.float32).reshape(6, 10)


def bits(arrays):
    return [(y.shape, y.dtype, y.tobytes()) for y in map(np.asarray, arrays)]


def test_what_a_call_returns_is_copied_unless_it_is_new(x):
    """A function may return a view, its operand, or an array that it keeps."""
    kept = x + 1
    for found in (x[1:], x, kept, np.float32(2)):
        y = owned(found, sys.getrefcount(found))
        assert y.base is None
        assert not np.shares_memory(y, found)
        assert bits([y]) == bits([found])
    fresh = x * 2
    address = fresh.ctypes.data
    fresh = owned(fresh, sys.getrefcount(fresh))
    assert fresh.ctypes.data == address


def test_the_code_can_be_read(x):
    runner = made(lambda xp, x: xp.add(xp.matmul(x, xp.matrix_transpose(x)), 1), x)
    assert runner.source() == ""
    runner.run([x])
    lines = [line.split("#")[0].strip() for line in runner.source().splitlines()]
    assert "def run(x0):" in lines
    assert any(line.startswith("dot(x0, ") for line in lines)
    assert any(line.startswith("add(") for line in lines)
