"""Reductions: their dtypes, and what the laws in test_rules.py do not cover."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.arrays import assert_matches, make

UNSIGNED = ["uint8", "uint16", "uint32", "uint64"]
SIGNED = ["int8", "int16", "int32", "int64"]
RUNNING = ["cumulative_sum", "cumulative_prod"]


@pytest.mark.parametrize("dtype", [*UNSIGNED, *SIGNED])
@pytest.mark.parametrize("name", ["sum", "prod", *RUNNING])
def test_integers_add_up_in_the_widest_of_their_kind(xp, name, dtype):
    x = make(xp, [[100, 2, 3], [4, 5, 100]], dtype)
    wide = "uint64" if dtype in UNSIGNED else "int64"
    numpys = {"cumulative_sum": "cumsum", "cumulative_prod": "cumprod"}.get(name, name)
    for axis in (1,) if name in RUNNING else (None, 1, (0, 1), ()):
        want = getattr(np, numpys)(np.array([[100, 2, 3], [4, 5, 100]], wide), axis=axis)
        assert_matches(getattr(xp, name)(x, axis=axis), want, xp=xp, dtype=wide, rtol=0, what=f"{name} over {axis}")


@pytest.mark.parametrize("name", ["sum", "prod", *RUNNING])
def test_integers_add_up_in_the_dtype_that_is_asked_for(xp, name):
    x = make(xp, [200, 1, 2], "uint8")
    numpys = {"cumulative_sum": "cumsum", "cumulative_prod": "cumprod"}.get(name, name)
    for dtype in ("uint8", "uint16", "float32"):
        want = getattr(np, numpys)(np.array([200, 1, 2], dtype), dtype=dtype)
        assert_matches(getattr(xp, name)(x, dtype=getattr(xp, dtype)), want, xp=xp, dtype=dtype, rtol=0)


def test_the_sum_of_large_unsigned_numbers_has_all_its_digits(xp):
    x = make(xp, [2**63, 2**62, 1], "uint64")
    assert_matches(xp.sum(x), np.uint64(2**63 + 2**62 + 1), xp=xp, rtol=0)


def test_truth_values_are_counted(backend, xp):
    if backend.name == "strict":
        pytest.skip("the standard adds up numbers only")
    x = make(xp, [True, False, True], "bool")
    for axis, want in ((None, 2), ((0,), 2), ((), [1, 0, 1])):
        assert_matches(xp.sum(x, axis=axis), np.array(want), xp=xp, dtype="int64", rtol=0)
    assert_matches(xp.prod(x), np.array(0), xp=xp, dtype="int64", rtol=0)
