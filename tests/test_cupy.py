"""CuPy's backend with a stand-in for CuPy that counts calls.

This says nothing of CuPy: only of the lines in backends/cupy.py that decide what to ask of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest


@pytest.fixture
def module() -> Any:
    pytest.importorskip("cupy")
    from xgrad.backends import cupy

    return cupy


class Counting:
    """NumPy's concat, with the number of arrays in each call."""

    __name__ = "counting"

    def __init__(self) -> None:
        self.calls: list[int] = []

    def concat(self, arrays: Any, *, axis: int | None = 0) -> Any:
        self.calls.append(len(arrays))
        return np.concat(arrays, axis=axis)


@pytest.mark.parametrize("count", [1, 8, 9, 64, 65, 200])
@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_no_more_than_eight_arrays_are_joined_at_once(module, count, axis):
    library = Counting()
    arrays = [np.full((2, 3), float(i)) for i in range(count)]
    joined = module.CuPyRaw(library).concat(arrays, axis=axis)
    np.testing.assert_array_equal(joined, np.concat(arrays, axis=axis))
    assert max(library.calls) <= 8


def test_scans_go_without_cub_where_bits_must_be_the_same(module):
    from cupy import _core

    import xgrad as xg

    before = _core.get_routine_accelerators()
    with module._same_each_time():
        assert _core.get_routine_accelerators() == before
    with xg.use_deterministic(True):
        with module._same_each_time():
            assert _core.get_routine_accelerators() == []
        with pytest.raises(ZeroDivisionError), module._same_each_time():
            raise ZeroDivisionError
    assert _core.get_routine_accelerators() == before
