"""Counting copies between host and device, and waits for the device, in CuPy's own code.

CuPy's classes are compiled, but functions that they call by name can be replaced (see the sources of CuPy 14):

* every copy to the host (`get`, and with it `item`, `tolist`, `asnumpy`, float(), bool(), printing, masks of unknown size) and
  `Device.synchronize` first call `cupy._core.syncdetect._declare_synchronize`;
* every copy of an array from the host asks for pinned memory, from an allocator that can be set;
* `Stream.synchronize` and `Event.synchronize` are methods of ordinary classes, and the runtime's functions, where Python code
  calls them, those of a module.

Calls of the CUDA runtime in CuPy's compiled code are not counted: `python -m bench.gpu` counts those with a profiler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

RUNTIME = (
    *("deviceSynchronize", "eventSynchronize", "streamSynchronize"),
    *("memcpy", "memcpyAsync", "memcpy2D", "memcpy2DAsync", "memcpyPeer", "memcpyPeerAsync"),
)


@dataclass
class Traffic:
    """The calls that were counted, in order. None is refused."""

    seen: list[str] = field(default_factory=list)

    def noticed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def noticing(*args: Any, **kwargs: Any) -> Any:
            self.seen.append(name)
            return function(*args, **kwargs)

        return noticing


@contextmanager
def counted() -> Iterator[Traffic]:
    """Count CuPy's transfers and waits in all threads while the block runs."""
    import cupy
    from cupy._core import syncdetect
    from cupy.cuda import runtime, stream

    traffic = Traffic()
    holders = [
        (syncdetect, "_declare_synchronize", "a copy to the host"),
        (stream._BaseStream, "synchronize", "Stream.synchronize"),
        (stream.Event, "synchronize", "Event.synchronize"),
        *((runtime, name, f"runtime.{name}") for name in RUNTIME if hasattr(runtime, name)),
    ]
    pool = cupy.get_default_pinned_memory_pool()
    with ExitStack() as stack:
        for holder, name, what in holders:
            stack.enter_context(patch.object(holder, name, traffic.noticed(what, getattr(holder, name))))
        cupy.cuda.set_pinned_memory_allocator(traffic.noticed("a copy from the host", pool.malloc))
        stack.callback(cupy.cuda.set_pinned_memory_allocator, pool.malloc)
        yield traffic
