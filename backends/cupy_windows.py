"""Windows on CuPy's arrays. CuPy 14 has no cuDNN, so a convolution is one copy of the windows and one matrix product.

The sources of the kernels are made for any number of axes. They were written from the sources of CuPy 14; a test compiles them
for the host.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from math import prod
from typing import Any

from xgrad.backends.windows import Numbers, Pairs, Windows, counts

cupy: Any
try:
    cupy = import_module("cupy")
except ImportError:
    cupy = None

# The integers that a kernel takes for each axis.
_GEOMETRY = ("size", "count", "kernel", "stride", "padding", "dilation")


def arguments(n: int) -> str:
    """The arguments of a kernel for n axes."""
    return ", ".join(["raw T x", *(f"int64 {name}{a}" for a in range(n) for name in _GEOMETRY)])


def _apart(n: int, name: str) -> list[str]:
    """Take the number of an element apart: its index along each of the last axes, and the rest, which is the line."""
    lines = ["ptrdiff_t line = i;"]
    for a in reversed(range(n)):
        lines.append(f"ptrdiff_t at{a} = line % {name}{a}; line /= {name}{a};")
    return lines


def _flat(n: int, index: str, length: str, start: str = "") -> str:
    """The index in flattened axes."""
    found = start
    for a in range(n):
        found = f"({found}) * {length}{a} + {index}{a}" if found else f"{index}{a}"
    return found


def source_of_max_pool(n: int) -> str:
    """For each window: its largest element y, and the index of that in the flattened axes of the array."""
    lines = [*_apart(n, "count"), "T best = T(0); ptrdiff_t found = -1;"]
    for a in range(n):
        lines.append(f"for (ptrdiff_t k{a} = 0; k{a} < kernel{a}; ++k{a}) {{")
        lines.append(f"ptrdiff_t p{a} = at{a} * stride{a} - padding{a} + k{a} * dilation{a};")
        lines.append(f"if (p{a} < 0 || p{a} >= size{a}) continue;")
    lines.append(f"T value = x[{_flat(n, 'p', 'size', 'line')}];")
    lines.append("if (found < 0 || value > best || value != value) {")
    lines.append(f"best = value; found = {_flat(n, 'p', 'size')}; }}")
    return "\n".join([*lines, "}" * n, "y = best; index = found;"])


def source_of_add_windows(n: int) -> str:
    """For each element of the result: the sum of the elements of windows that are at its place."""
    lines = [*_apart(n, "size"), "T total = T(0);"]
    for a in range(n):
        lines.append(f"for (ptrdiff_t k{a} = 0; k{a} < kernel{a}; ++k{a}) {{")
        lines.append(f"ptrdiff_t moved{a} = at{a} + padding{a} - k{a} * dilation{a};")
        lines.append(f"if (moved{a} < 0 || moved{a} % stride{a} != 0) continue;")
        lines.append(f"ptrdiff_t w{a} = moved{a} / stride{a};")
        lines.append(f"if (w{a} >= count{a}) continue;")
    lines.append(f"total += x[{_flat(n, 'w', 'count', _flat(n, 'k', 'kernel', 'line'))}];")
    return "\n".join([*lines, "}" * n, "y = total;"])


def geometry(
    size: Numbers, count: Numbers, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers
) -> list[int]:
    """The integers that a kernel takes."""
    before = tuple(pair[0] for pair in padding)
    return [int(n) for axis in zip(size, count, kernel, stride, before, dilation, strict=True) for n in axis]


@cache
def _max_pool_kernel(n: int) -> Any:
    return cupy.ElementwiseKernel(arguments(n), "T y, int64 index", source_of_max_pool(n), f"xgrad_max_pool_{n}")


@cache
def _add_windows_kernel(n: int) -> Any:
    return cupy.ElementwiseKernel(arguments(n), "T y", source_of_add_windows(n), f"xgrad_add_windows_{n}")


class CuPyWindows(Windows):
    """The part of CuPyRaw that is about windows."""

    def windows(self, x: Any, *, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers) -> Any:
        """By one copy of a view with strides."""
        n = len(kernel)
        count = counts(x.shape[x.ndim - n :], kernel, stride, padding, dilation)
        x = self._padded(x, padding)
        before, steps = x.ndim - n, x.strides[x.ndim - n :]
        inside = (step * d for step, d in zip(steps, dilation, strict=True))
        between = (step * s for step, s in zip(steps, stride, strict=True))
        shape = (*x.shape[:before], *kernel, *count)
        view = cupy.lib.stride_tricks.as_strided(x, shape, (*x.strides[:before], *inside, *between))
        return cupy.array(view, order="C")

    def add_windows(self, x: Any, *, size: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers) -> Any:
        n = len(size)
        before, kernel, count = x.shape[: x.ndim - 2 * n], x.shape[x.ndim - 2 * n : x.ndim - n], x.shape[x.ndim - n :]
        y = cupy.empty((*before, *size), dtype=x.dtype)
        if y.size and x.size:
            given = geometry(size, count, kernel, stride, padding, dilation)
            _add_windows_kernel(n)(cupy.ascontiguousarray(x), *given, y)
            return y
        return cupy.zeros_like(y)

    def max_pool(
        self, x: Any, *, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers
    ) -> tuple[Any, Any]:
        n = len(kernel)
        before, size = x.shape[: x.ndim - n], x.shape[x.ndim - n :]
        count = counts(size, kernel, stride, padding, dilation)
        y = cupy.empty((*before, *count), dtype=x.dtype)
        indices = cupy.empty(y.shape, dtype=cupy.int64)
        if prod(y.shape):
            given = geometry(size, count, kernel, stride, padding, dilation)
            _max_pool_kernel(n)(cupy.ascontiguousarray(x), *given, y, indices)
        return y, indices

    def _added(self, y: Any, value: Any, key: Any) -> Any:
        y[key] += value
        return y
