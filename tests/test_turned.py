"""Slices with negative steps and other keys that a library refuses: read, written and differentiated in every mode.

The right values are NumPy's own, by its own indexing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy

RNG = np.random.default_rng(5)
A = RNG.normal(size=(4, 3, 5))
INDICES, MASK, MASK_2 = np.asarray([0, 2, 2]), np.asarray([True, False, True, True]), RNG.random((4, 3)) > 0.5
BACK = slice(None, None, -1)

SLICES: dict[str, Any] = {
    "one axis": np.s_[::-1, :, :],
    "a step of two, and an integer": np.s_[::-2, 1, :],
    "behind an ellipsis": np.s_[..., ::-1],
    "two axes": np.s_[3:0:-1, :, ::-2],
    "beyond the end": np.s_[5:1:-1, ...],
    "nothing": np.s_[0:3:-1, ...],
    "from the end": np.s_[-1:-4:-2, ..., -1],
    "NumPy's integers": np.s_[:: np.int64(-1), ...],
    "a new axis": np.s_[:, None, ::-1, :],
    "a new axis alone": np.s_[None, ...],
}
WITH_ARRAYS: dict[str, Any] = {
    "before an array": (BACK, INDICES),
    "behind an array": (INDICES, BACK),
    "two behind an array": (INDICES, slice(None), slice(None, None, -2)),
    "between arrays": (INDICES, BACK, INDICES),
    "before two arrays": (BACK, INDICES, INDICES),
    "behind a mask": (MASK, BACK),
    "behind a mask of two axes": (MASK_2, BACK),
    "among all": (None, BACK, ..., INDICES),
}


@pytest.fixture(params=[*SLICES, *WITH_ARRAYS])
def key(request, backend, xp):
    """The key, and NumPy's."""
    name = request.param
    if name == "beyond the end" and backend.name == "strict":
        pytest.skip("the standard does not say what this is")
    if name in SLICES:
        return SLICES[name], SLICES[name]
    if backend.name == "strict" or (backend.name == "dask" and "mask" in name):
        pytest.skip("the library has no such keys")
    plain = WITH_ARRAYS[name]
    return tuple(xp.asarray(part) if isinstance(part, np.ndarray) else part for part in plain), plain


def added(values: Any, key: Any) -> Any:
    """Zeros with the values added at the key."""
    total = np.zeros_like(A)
    np.add.at(total, key, values)
    return total


def close(got: Any, want: Any, xp: Any) -> None:
    tolerance = 1e-5 if make(xp, 1.0).dtype == xp.float32 else 1e-12
    np.testing.assert_allclose(to_numpy(got), want, rtol=tolerance, atol=tolerance)


def test_read(xp, key):
    k, plain = key
    w, t = RNG.normal(size=A[plain].shape), RNG.normal(size=A.shape)
    x = make(xp, A, requires_grad=True)
    y = x[k]
    close(y, A[plain], xp)
    xp.sum(y * make(xp, w)).backward()
    close(x.grad, added(w, plain), xp)
    close(xg.jvp(lambda x: x[k], (make(xp, A),), (make(xp, t),))[1], t[plain], xp)
    (h,) = xg.hvp(lambda x: xp.sum(x[k] ** 3), (make(xp, A),), (make(xp, t),))
    close(h, added(6 * A[plain] * t[plain], plain), xp)


def test_written(xp, key):
    k, plain = key
    v, c = RNG.normal(size=A[plain].shape), RNG.normal(size=A.shape)
    for value in (v, 2.0):
        want = A.copy()
        want[plain] = value
        x = make(xp, A) * 1.0
        given = make(xp, value, requires_grad=True)
        x[k] = given
        close(x, want, xp)
    x = make(xp, A) * 1.0
    x[k] = 2.0
    close(x, want, xp)
    given, x = make(xp, v, requires_grad=True), make(xp, A) * 1.0
    x[k] = given
    xp.sum(x * make(xp, c)).backward()
    numbers, marks = np.arange(v.size).reshape(v.shape), np.full(A.shape, -1)
    marks[plain] = numbers
    close(given.grad, np.where(marks[plain] == numbers, c[plain], 0.0), xp)


def test_added(xp, key):
    k, plain = key
    v = RNG.normal(size=A[plain].shape)
    close(xg.at(make(xp, A), k).add(make(xp, v)), A + added(v, plain), xp)


def test_under_vmap(xp, key):
    k, plain = key
    w = RNG.normal(size=A[plain].shape)
    many = np.stack([A, 2 * A])
    close(xg.vmap(lambda x: x[k])(make(xp, many)), np.stack([A[plain], 2 * A[plain]]), xp)
    g = xg.vmap(xg.grad(lambda x: xp.sum(x[k] * make(xp, w))))(make(xp, many))
    close(g, np.stack([added(w, plain)] * 2), xp)

    def write(x):
        y = x * 1.0
        y[k] = make(xp, w)
        return y

    want = many.copy()
    for each in want:
        each[plain] = w
    close(xg.vmap(write)(make(xp, many)), want, xp)


@pytest.mark.parametrize(
    "at", [np.asarray([2, 0]), np.asarray([True, False, True]), slice(0, 3, 2), slice(None, None, -2)], ids=str
)
@pytest.mark.parametrize(
    ("into", "kind"),
    [
        *(("complex128", "float64"), ("complex64", "float32"), ("complex64", "float64"), ("complex128", "complex64")),
        *(("float64", "float32"), ("float32", "float64"), ("float64", "int64"), ("int32", "int64")),
    ],
)
def test_a_value_of_another_dtype_is_written(backend, xp, at, into, kind):
    if backend.name == "strict" and (isinstance(at, np.ndarray) or not np.can_cast(kind, into) or "int" in kind):
        pytest.skip("the library refuses it")
    if backend.name == "dask" and str(getattr(at, "dtype", "")) == "bool":
        pytest.skip("the library has no such keys")
    key = xp.asarray(at) if isinstance(at, np.ndarray) else at
    x, v = xp.zeros(3, dtype=getattr(xp, into)), xp.asarray([3, 5], dtype=getattr(xp, kind))
    differentiable = not (kind.startswith("int") or into.startswith("int"))
    if differentiable:
        v.requires_grad_()
    want = np.zeros(3, dtype=into)
    want[at] = [3, 5]
    x[key] = v
    np.testing.assert_array_equal(to_numpy(x), want)
    assert x.dtype == getattr(xp, into)
    if differentiable:
        xp.sum(xp.abs(x) ** 2).backward()
        np.testing.assert_allclose(to_numpy(v.grad), [6.0, 10.0], rtol=1e-6)
        assert v.grad.dtype == v.dtype
