"""Frames: the function of a variant, with memory of its own. Several threads have a frame each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xgrad.compile.engines import pool
from xgrad.compile.engines.numpy_blocks import axes_of
from xgrad.compile.engines.numpy_steps import Value

_ALIGNED = 64


class Code:
    """The code of a variant, and all that makes a frame for it.

    Args:
        text: of the function `run`, and of what is made once in a frame.
        bound: what names stand for in all frames.
        sizes: the bytes of each block of memory.
        static: by name, the block of an array, and a function that makes the array in it.
        cells: the names and dtypes of the 0-d arrays that numbers are written to.
        slots: by the name of a result, a function that makes a new array for it.
    """

    def __init__(
        self,
        text: str,
        bound: dict[str, Any],
        sizes: Sequence[int],
        static: dict[str, tuple[int, Callable[..., Any]]],
        cells: Sequence[tuple[str, Any]],
        slots: dict[str, Callable[[], Any]],
    ) -> None:
        self.text, self.bound, self.sizes = text, bound, tuple(sizes)
        self.static, self.cells, self.slots = static, tuple(cells), slots
        self._code = compile(text, "<the numpy engine of xgrad.compile>", "exec")

    def frame(self) -> Callable[..., list[Any]]:
        """The function `run`, with memory of its own."""
        names = dict(self.bound)
        memory = np.empty(sum(self.sizes) + _ALIGNED, np.uint8)
        start = -memory.ctypes.data % _ALIGNED
        starts = []
        for size in self.sizes:
            starts.append(start)
            start += size
        for name, (block, make) in self.static.items():
            names[name] = make(memory, starts[block])
        for name, dtype in self.cells:
            names[name] = np.zeros((), dtype)
        for name, new in self.slots.items():
            names[f"p{name[1:]}"] = pool.Slot(new)
        exec(self._code, names)  # of text that holds nothing but names given here
        run: Callable[..., list[Any]] = names["run"]
        return run


def memory_like(value: Value) -> Callable[[Any, int], Any]:
    """A function that makes an array in memory, at a start, with the shape, dtype and order of a value."""
    shape, dtype = value.shape, value.dtype
    if value.is_c:
        return lambda memory, start: np.ndarray(shape, dtype, memory, start)
    axes = axes_of(shape, value.order or ())
    turned, back = [shape[a] for a in axes], np.argsort(axes)

    def make(memory: Any, start: int) -> Any:
        array: Any = np.ndarray(turned, dtype, memory, start)
        return array.transpose(back)

    return make


def maker(value: Value) -> Callable[[], Any]:
    """A function that makes a new array with the shape, dtype and order of a value."""
    shape, dtype = value.shape, value.dtype
    if value.is_c:
        return lambda: np.empty(shape, dtype)
    axes = axes_of(shape, value.order or ())
    if axes == tuple(range(len(shape)))[::-1]:
        return lambda: np.empty(shape, dtype, "F")
    like = np.lib.stride_tricks.as_strided(np.empty([1] * len(shape), dtype), shape, value.strides)
    return lambda: np.empty_like(like)
