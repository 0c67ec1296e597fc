"""The counter of CuPy's transfers (support/cupy_traffic.py), as far as CuPy runs without a device."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.cupy_traffic import counted


@pytest.fixture
def cupy() -> Any:
    return pytest.importorskip("cupy")


@pytest.fixture
def array(cupy) -> Any:
    """Where there is no device, an array whose memory is nowhere: enough to ask for it."""
    if cupy.cuda.is_available():
        return cupy.ones(3, dtype="float32")
    nothing = cupy.cuda.memory.UnownedMemory(16, 64, None, 0)
    return cupy.ndarray((3,), "float32", memptr=cupy.cuda.memory.MemoryPointer(nothing, 0))


def attempt(call: Any) -> None:
    """Without a device every call ends in an error of CUDA's; what it passed before is what counts."""
    try:
        call()
    except Exception as error:
        assert "cuda" in f"{type(error).__name__} {error}".lower(), error  # noqa: PT017


def test_a_copy_to_the_host_is_seen(cupy, array):
    with counted() as traffic:
        attempt(lambda: array.get(stream=cupy.cuda.Stream.null))
    assert traffic.seen[:1] == ["a copy to the host"]


def test_a_wait_for_the_device_is_seen(cupy):
    with counted() as traffic:
        attempt(lambda: cupy.cuda.Device(0).synchronize())
        attempt(lambda: cupy.cuda.runtime.deviceSynchronize())
        attempt(lambda: cupy.cuda.Stream.null.synchronize())
    assert traffic.seen == ["a copy to the host", "runtime.deviceSynchronize", "Stream.synchronize"]


def test_pinned_memory_is_seen(cupy):
    with counted() as traffic:
        attempt(lambda: cupy.cuda.alloc_pinned_memory(64))
    assert traffic.seen == ["a copy from the host"]


def test_all_is_put_back(cupy):
    from cupy._core import syncdetect

    before = syncdetect._declare_synchronize
    with counted() as traffic:
        assert syncdetect._declare_synchronize is not before
    assert syncdetect._declare_synchronize is before
    attempt(lambda: cupy.cuda.alloc_pinned_memory(64))
    assert not traffic.seen
