"""linspace and arange of 0-d arrays, and of numbers."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make

EXACT = 1e-15


@pytest.mark.parametrize(
    ("num", "endpoint"), [(5, True), (5, False), (1, True), (1, False), (0, True), (np.int64(3), True)]
)
def test_linspace_of_arrays_has_the_values_of_linspace(xp, num, endpoint):
    want = np.linspace(-1.5, 4.0, num, endpoint=endpoint)
    for start, stop in ((make(xp, -1.5), 4.0), (-1.5, make(xp, 4.0)), (make(xp, -1.5), make(xp, 4.0))):
        assert_matches(xp.linspace(start, stop, num, endpoint=endpoint), want, xp=xp, rtol=EXACT)


def test_linspace_moves_with_both_ends(xp):
    a, b = make(xp, -1.5, requires_grad=True), make(xp, 4.0, requires_grad=True)
    weights = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    xp.sum(xp.linspace(a, b, 5) * make(xp, weights)).backward()
    share = np.linspace(0, 1, 5)
    assert_matches(a.grad, np.sum(weights * (1 - share)), xp=xp, rtol=EXACT)
    assert_matches(b.grad, np.sum(weights * share), xp=xp, rtol=EXACT)
    moved = xg.jvp(lambda b: xp.linspace(0.0, b, 5, endpoint=False), (b.detach(),), (make(xp, 2.0),))[1]
    assert_matches(moved, np.linspace(0, 2, 5, endpoint=False), xp=xp, rtol=EXACT)


def test_linspace_has_both_ends_exactly(xp):
    y = xp.linspace(make(xp, 0.1), make(xp, 0.7), 7)
    assert (y[0].item(), y[-1].item()) == (0.1, 0.7)


def test_linspace_under_vmap(xp):
    ends = make(xp, [1.0, 2.0])
    y = xg.vmap(lambda b: xp.linspace(0.0, b, 3))(ends)
    assert_matches(y, [[0, 0.5, 1], [0, 1.0, 2]], xp=xp, dtype="float64", rtol=EXACT)


def test_dtypes(xp):
    single = make(xp, 1.0, "float32")
    assert xp.linspace(0.0, single, 3).dtype == xp.float32
    assert xp.linspace(0, single, 3, dtype=xp.float64).dtype == xp.float64
    assert xp.linspace(make(xp, 0, "int64"), make(xp, 4, "int64"), 3).dtype == xp.asarray(0.0).dtype
    assert xp.linspace(0.0, make(xp, 1j, "complex64"), 3).dtype == xp.complex64
    assert xp.arange(make(xp, 3, "int64")).dtype == xp.int64
    assert xp.arange(single * 3).dtype == xp.float32


def test_more_axes_are_refused(xp):
    with pytest.raises(ValueError, match="linspace: expected numbers or 0-d arrays, not an array of shape"):
        xp.linspace(make(xp, [0.0, 1.0]), 1.0, 3)


@pytest.mark.parametrize(("start", "stop", "step"), [(0.5, 3.0, 0.7), (2, -1, -0.5), (3.0, 1.0, 1.0), (0, 7, 3)])
def test_arange_of_arrays_has_the_values_of_arange(xp, start, stop, step):
    want = np.arange(start, stop, step)
    for k in range(1, 8):
        given = [make(xp, v) if k >> i & 1 else v for i, v in enumerate((start, stop, step))]
        if want.dtype == float and not any(
            isinstance(v, float) and k >> i & 1 for i, v in enumerate((start, stop, step))
        ):
            continue  # of the library's default dtype
        assert_matches(xp.arange(*given), want, xp=xp, dtype=str(want.dtype), rtol=EXACT)
    assert_matches(xp.arange(make(xp, stop)), np.arange(stop), xp=xp, rtol=0)


def test_arange_moves_with_start_and_step(xp):
    start, stop, step = (make(xp, v, requires_grad=True) for v in (0.5, 3.0, 0.7))
    xp.sum(xp.arange(start, stop, step)).backward()
    assert_matches(start.grad, np.array(4.0), xp=xp, rtol=EXACT)
    assert_matches(step.grad, np.array(6.0), xp=xp, rtol=EXACT)
    assert stop.grad is None
    moved = xg.jvp(lambda a, h: xp.arange(a, 3.0, h), (start.detach(), step.detach()), (make(xp, 1.0), make(xp, 2.0)))[
        1
    ]
    assert_matches(moved, [1.0, 3.0, 5.0, 7.0], xp=xp, rtol=EXACT)
