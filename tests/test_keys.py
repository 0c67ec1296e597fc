"""NumPy's indexing on libraries that only have the standard's, compared with NumPy."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, to_numpy
from xgrad.backends import BackendError, load


def a_part(rng: random.Random, length: int, lead: tuple[int, ...]) -> Any:
    """A part of a key that takes one axis."""
    kind = rng.randrange(4)
    if kind == 0:
        return np.asarray([rng.randrange(-length, length) for _ in range(int(np.prod(lead)))]).reshape(lead)
    if kind == 1:
        bounds = (rng.choice([None, -9, 0, 1, 9]), rng.choice([None, -9, -1, 2, 9]))
        return slice(*bounds, rng.choice([None, 1, 2, -1, -2]))
    return rng.randrange(-length, length) if kind == 2 else np.asarray([rng.random() < 0.5 for _ in range(length)])


def a_key(rng: random.Random, shape: tuple[int, ...]) -> Any:
    lead = rng.choice([(2,), (3,), (2, 3), ()])
    parts: list[Any] = []
    for length in shape[: rng.randint(0, len(shape))]:
        if rng.random() < 0.15:
            parts.append(None)
        parts.append(a_part(rng, length, lead))
    if rng.random() < 0.3:
        parts.append(...)
    return parts[0] if len(parts) == 1 and rng.random() < 0.5 else tuple(parts)


@pytest.mark.parametrize("seed", range(12))
def test_every_key_reads_and_writes_as_numpys(seed):
    try:
        strict = load("strict", "device1")
    except BackendError:
        pytest.skip("array-api-strict is not installed")
    rng, xp, tried = random.Random(seed), strict.xp, 0

    def ours(part: Any) -> Any:
        return xp.asarray(part.copy()) if isinstance(part, np.ndarray) else part

    for _ in range(40):
        shape = tuple(rng.randint(1, 4) for _ in range(rng.randint(0, 4)))
        a = np.arange(float(np.prod(shape))).reshape(shape)
        key = a_key(rng, shape)
        try:
            want = a[key]
        except IndexError:  # arrays that do not broadcast
            continue
        here = tuple(map(ours, key)) if isinstance(key, tuple) else ours(key)
        found = strict.to_numpy(xp.getitem(xp.asarray(a.copy()), here))
        np.testing.assert_array_equal(found, want)
        assert found.shape == np.shape(want)
        values = -1 - np.arange(float(np.prod(np.shape(want)))).reshape(np.shape(want))
        written = a.copy()
        written[key] = values
        np.testing.assert_array_equal(strict.to_numpy(xp.setitem(xp.asarray(a), xp.asarray(values), here)), written)
        tried += 1
    assert tried > 20


A = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize(
    "key",
    [
        0,
        -1,
        slice(1),
        slice(0, 99),
        (0, 1),
        (0, slice(-99, 2)),
        (None, 1),
        (),
        (slice(None, None, -1),),
        ([1, 0],),
        (0, [2, 2]),
    ],
    ids=str,
)
def test_keys_may_leave_out_trailing_axes(xp, key):
    x = make(xp, A, requires_grad=True)
    y = x[key]
    np.testing.assert_array_equal(to_numpy(y), A[key])
    xp.sum(y * y).backward()
    slope = np.zeros_like(A)
    np.add.at(slope, key, 2 * A[key])
    assert_matches(x.grad, slope, xp=xp)


def test_augmented_assignment_at_integers(xp):
    """As in NumPy: of what is written to one place twice, the last stays."""
    a = make(xp, [1.0, 2.0, 3.0], requires_grad=True)
    idx, host = make(xp, [0, 2, 0]), np.zeros((3, 2))
    x = make(xp, np.zeros((3, 2)))
    x[idx] += a[:, None]
    host[[0, 2, 0]] += np.array([1.0, 2.0, 3.0])[:, None]
    np.testing.assert_array_equal(to_numpy(x), host)
    xp.sum(x * x).backward()
    assert_matches(a.grad, [0.0, 8.0, 12.0], xp=xp)


def test_augmented_assignment_at_a_row_and_a_mask(xp):
    x = make(xp, A[0])
    x[0] += 1.0
    if xp.zeros(1).backend.name == "dask":
        pytest.skip("what a mask chooses has a shape that is not known before it is computed")
    x[x > 10] *= 2.0
    want = A[0].copy()
    want[0] += 1.0
    want[want > 10] *= 2.0
    np.testing.assert_array_equal(to_numpy(x), want)


def test_lists_of_tensors(xp):
    a, b = make(xp, [1.0, 2.0], requires_grad=True), make(xp, [3.0, 4.0])
    for y in (xp.asarray([a, b]), xp.stack([a, b]), xp.asarray([[a[0], a[1]], [b[0], 4.0]]), xp.asarray((a, b.data))):
        np.testing.assert_array_equal(to_numpy(y), [[1, 2], [3, 4]])
        assert y.requires_grad
    (g,) = xg.vjp(lambda a: xg.asarray([a, 2 * a]), a)[1](make(xp, [[1.0, 1.0], [1.0, 1.0]]))
    assert_matches(g, [3.0, 3.0], xp=xp)


def test_an_index_out_of_range_is_an_error(xp):
    if not xp.zeros(1).backend.checks_indices or xp.zeros(1).backend.name == "dask":
        pytest.skip("the library does not look at the indices")
    for key in (([0, 3],), ([-4],), (0, [4])):
        with pytest.raises(IndexError):
            make(xp, A[0])[key]
