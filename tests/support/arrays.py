"""Making arrays and tensors on a backend, reading their values on the host, and comparing the two."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from xgrad import Tensor
from xgrad.backends import owner
from xgrad.engine.tape import Leaf
from xgrad.engine.tensor import wrap

Host = Any  # a NumPy array

_read_only: ContextVar[bool] = ContextVar("tests_read_only", default=False)


@contextmanager
def read_only_inputs() -> Iterator[None]:
    """While the block runs, the arrays that `raw` and `make` return cannot be written to."""
    token = _read_only.set(True)
    try:
        yield
    finally:
        _read_only.reset(token)


def small_chunks() -> Any:
    """While the block runs, dask makes arrays in chunks of 32 bytes, and computes them one after another in this thread."""
    import dask

    return dask.config.set({"array.chunk-size": "32B", "scheduler": "synchronous"})


def raw(backend: Any, values: Any, dtype: str | None = None) -> Any:
    """An array of the backend's own, from values on the host. `dtype` is a name, as "float32"."""
    array = backend.asarray(np.array(values, dtype=dtype), copy=True)
    if _read_only.get() and isinstance(array, np.ndarray):
        array.flags.writeable = False
    return array


def make(xp: Any, values: Any, dtype: str | None = None, *, requires_grad: bool = False) -> Tensor:
    """A tensor in the namespace, from values on the host. Floats are float64 unless `dtype` is given."""
    backend = backend_of(xp)
    return wrap(raw(backend, values, dtype), backend, Leaf() if requires_grad else None)


def to_numpy(value: Any) -> Host:
    """The values of a tensor, or of any library's array, on the host. Tests use no other way there."""
    if isinstance(value, Tensor):
        return value.backend.to_numpy(value.data)
    backend = owner(value)
    return np.array(value) if backend is None else backend.to_numpy(value)


def backend_of(xp: Any) -> Any:
    """The backend that a namespace is bound to."""
    return xp.empty((0,)).backend


def dtype_name(dtype: Any) -> str:
    """The standard's name of a dtype of any library."""
    return str(dtype).rpartition(".")[2]


def assert_matches(
    got: Any,
    want: Any,
    *,
    xp: Any,
    dtype: str | None = None,
    rtol: float = 1e-12,
    floor: float = 0.0,
    what: str = "value",
) -> None:
    """Assert that `got` is a tensor of the namespace, with the values of `want`, a NumPy array.

    Its dtype is that of `want` unless `dtype` is given, its shape is that of `want`, and its device is the namespace's. Values
    agree within `rtol` of the largest one, or of `floor`. rtol=0 means exactly.
    """
    want = np.asarray(want)
    backend = backend_of(xp)
    assert isinstance(got, Tensor), f"{what}: a {type(got).__name__}, not a tensor"
    assert got.backend is backend, f"{what}: on {got.backend}, not {backend}"
    assert got.__array_namespace__() is backend.view, f"{what}: of another namespace"
    assert backend.owns(got.data), f"{what}: .data is a {type(got.data).__name__}"
    assert got.device == backend.device == backend.device_of(got.data), f"{what}: on {got.device}"
    assert dtype_name(got.dtype) == (dtype or dtype_name(want.dtype)), f"{what}: of {got.dtype}"
    assert got.shape == want.shape, f"{what}: shape {got.shape}, not {want.shape}"
    assert_close(to_numpy(got), want, rtol, what, floor)


def assert_close(got: Host, want: Host, rtol: float, what: str = "value", floor: float = 0.0) -> None:
    """Assert equality within `rtol` of the largest element, or of `floor`. nan and infinities must be in the same places."""
    got, want = np.asarray(got), np.asarray(want)
    finite = np.abs(want[np.isfinite(want)])
    scale = max(floor, float(finite.max()) if finite.size else 0.0)
    if (
        finite.size == want.size
        and got.shape == want.shape
        and got.dtype.kind in "fc"
        and bool((np.abs(got - want) <= rtol * scale).all())
    ):
        return  # NumPy's comparison, below, says what differs, but takes ten times as long
    np.testing.assert_allclose(got, want, rtol=0, atol=rtol * scale, err_msg=what)
