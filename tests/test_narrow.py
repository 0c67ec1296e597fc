"""Reductions of half-precision arrays, computed in float32. NumPy, which computes them in half precision, is the library."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from xgrad.backends.narrow import widened
from xgrad.backends.raw import Raw

library: Any = import_module("array_api_compat.numpy")
ONES = np.ones(4096, dtype=np.float16)  # more than half precision can count
SPREAD = np.asarray([300.0, 0.0] * 2048, dtype=np.float16)  # with squares that it cannot hold


class Wide(Raw):
    sum, var = widened("sum"), widened("var")
    cumulative_sum, cumulative_prod = widened("cumulative_sum"), widened("cumulative_prod")


@pytest.fixture
def xp() -> Any:
    xp = Wide(library)
    xp.narrow_dtypes = frozenset([np.dtype(np.float16)])
    return xp


def check(xp):
    total = xp.cumulative_sum(ONES)[-1]
    assert (total, total.dtype) == (4096, np.float16)
    assert library.cumulative_sum(ONES)[-1] == 2048
    variance = xp.var(SPREAD)
    assert (variance, variance.dtype) == (22496, np.float16)  # 150**2, rounded
    product = xp.cumulative_prod(np.asarray([256, 1 / 512] * 8, dtype=np.float16), axis=0)
    assert product.dtype == np.float16
    assert product[-1] == 0.5**8


def test_it_is_rounded_once(xp):
    check(xp)


def test_what_is_asked_for_in_another_dtype_is_left_to_the_library(xp):
    assert xp.sum(ONES, dtype=np.float64).dtype == np.float64
    assert xp.sum(np.ones(3, dtype=np.float32)).dtype == np.float32
    assert xp.cumulative_sum(np.asarray([True, True])).dtype == np.int64


def test_cupys_are(xp):
    pytest.importorskip("cupy")
    from xgrad.backends.cupy import CuPyRaw

    xp = CuPyRaw(library)
    xp.narrow_dtypes = frozenset([np.dtype(np.float16)])
    check(xp)
    assert xp.std(SPREAD) == 150
