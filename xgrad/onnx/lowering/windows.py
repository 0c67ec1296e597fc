"""Windows along the last axes: convolutions, pooling, and the windows themselves."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from xgrad.onnx.lowering.reshaping import output
from xgrad.onnx.lowering.table import lowers
from xgrad.onnx.nodes import Graph, Operand, Value, total
from xgrad.onnx.sizes import Dim, Size

Pairs = Sequence[tuple[int, int]]


def cropped(g: Graph, x: Operand, ndim: int, padding: Pairs) -> tuple[Operand, list[int]]:
    """x without what negative padding takes away, and the rest of the padding as ONNX has it: all before, then all after."""
    g.check_static(padding, "a padding")
    n = len(padding)
    rows = [
        (max(0, -before), min(0, after) or 2**63 - 1, ndim - n + i)
        for i, (before, after) in enumerate(padding)
        if before < 0 or after < 0
    ]
    if rows:
        starts, ends, axes = zip(*rows, strict=True)
        x = g.slice(x, starts, ends, axes, [1] * len(rows))
    return x, [max(0, before) for before, _ in padding] + [max(0, after) for _, after in padding]


# --- convolution --------------------------------------------------------------------------------------------


@lowers("convolution")
def convolution(
    g: Graph,
    x: Value,
    weight: Value,
    bias: Value | None = None,
    *,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> str:
    data, pads = cropped(g, x, x.ndim, padding)
    return g.node(
        "Conv", data, weight, bias, strides=list(stride), pads=pads, dilations=list(dilation), group=groups,
        kernel_shape=list(weight.shape[2:]),
    )  # fmt: skip


@lowers("convolution_transpose")
def convolution_transpose(
    g: Graph, x: Value, weight: Value, *, size: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> str:
    """Where the result goes on after the last window, it is 0 there."""
    before, after, more = [], [], []
    rows = zip(x.shape[2:], weight.shape[2:], size, stride, padding, dilation, strict=True)
    for count, kernel, n, s, (front, back), d in rows:
        whole = (count - 1) * s + (kernel - 1) * d + 1
        rest = whole - n - front  # what is cut off behind
        g.check_static((front, back, rest), "a padding")
        before.append(max(front, 0))
        after.append(max(rest, 0))
        more.append((max(-front, 0), max(-rest, 0)))
    y = g.node(
        "ConvTranspose", x, weight, strides=list(stride), pads=before + after, dilations=list(dilation), group=groups,
        kernel_shape=list(weight.shape[2:]),
    )  # fmt: skip
    if not any(map(any, more)):
        return y
    ends = [0, 0, *(b for b, _ in more), 0, 0, *(a for _, a in more)]
    return g.node("Pad", y, g.ints(ends), g.number(0, x.dtype))


# --- pooling ------------------------------------------------------------------------------------------------


def _tight(x: Value, counts: Sequence[Dim], kernel: Any, stride: Any, padding: Pairs, dilation: Any) -> Pairs:
    """The least padding behind that gives as many windows.

    A layer takes away what is left over behind the last window, or adds what its last window lacks. Both depend on the size.
    ONNX takes one number for all sizes, and ONNX Runtime takes less padding than the size of a window.
    """
    found = []
    sizes = x.shape[x.ndim - len(kernel) :]
    for n, count, k, s, (before, after), d in zip(sizes, counts, kernel, stride, padding, dilation, strict=True):
        given = [after] if isinstance(after, int) else []
        enough = [c for c in (*range(s), *given) if (n + (before + c - d * (k - 1) - 1)) // s + 1 == count]
        found.append((before, min(enough, key=abs) if enough else after))
    return found


def _pooled(g: Graph, x: Operand, shape: Sequence[Dim], n: int, pool: Callable[[Operand], list[str]]) -> list[str]:
    """The results of a pooling node, which takes two axes before those of the windows, for an x that has others."""
    missing = n + 2 - len(shape)
    if missing >= 0:
        axes = list(range(missing))
        return [g.squeeze(y, axes) for y in pool(g.unsqueeze(x, axes))]
    found = pool(g.reshape(x, (-1, 1, *shape[len(shape) - n :])))
    return [g.reshape(y, output(g, i).shape, ()) for i, y in enumerate(found)]


@lowers("max_pool")
def max_pool(g: Graph, x: Value, *, kernel: Any, stride: Any, padding: Any, dilation: Any) -> list[Operand | None]:
    """MaxPool of an array that is cropped or padded before, where ONNX cannot do that itself."""
    n, with_places = len(kernel), g.results[1] is not None
    padding = _tight(x, output(g).shape[x.ndim - n :], kernel, stride, padding, dilation)
    data, pads = cropped(g, x, x.ndim, padding)
    taken = [(min(before, 0), min(after, 0)) for before, after in padding]  # how the array changes before the pooling
    if any(pad >= kernel[i % n] for i, pad in enumerate(pads)):
        taken = list(padding)
        ends = [0] * (x.ndim - n) + pads[:n] + [0] * (x.ndim - n) + pads[n:]
        data, pads = g.node("Pad", data, g.ints(ends), g.number(-math.inf, x.dtype)), [0] * (2 * n)

    def pool(y: Operand) -> list[str]:
        return g.several(
            "MaxPool",
            1 + with_places,
            y,
            kernel_shape=list(kernel),
            strides=list(stride),
            pads=pads,
            dilations=list(dilation),
        )

    found = _pooled(g, data, x.shape, n, pool)
    if not with_places:
        return [found[0], None]
    sizes = x.shape[x.ndim - n :]
    widths = [size + before + after for size, (before, after) in zip(sizes, taken, strict=True)]
    return [found[0], _places_in(g, found[1], sizes, widths, [before for before, _ in taken])]


def _places_in(g: Graph, places: str, sizes: Sequence[Dim], widths: Sequence[Dim], moved: Sequence[int]) -> str:
    """Places in the last axes, from those in a whole array whose last axes have other widths and begin elsewhere."""
    places = g.node("Mod", places, g.number(total(widths), "int64"))
    if list(sizes) == list(widths) and not any(moved):
        return places
    found: str | None = None
    for i, (size, width) in enumerate(zip(sizes, widths, strict=True)):
        at = g.node("Div", places, g.number(total(widths[i + 1 :]), "int64"))
        at = g.node("Sub", g.node("Mod", at, g.number(width, "int64")), g.number(moved[i], "int64"))
        found = at if found is None else g.node("Add", g.node("Mul", found, g.number(size, "int64")), at)
    assert found is not None
    return found


@lowers("sum_pool")
def sum_pool(g: Graph, x: Value, *, kernel: Any, stride: Any, padding: Any) -> str:
    """A sum over whole axes, or the average of each window times the number of its elements."""
    n = len(kernel)
    if tuple(kernel) == x.shape[x.ndim - n :] and not any(map(any, padding)):
        return g.node("ReduceSum", x, g.ints(list(range(x.ndim - n, x.ndim))), keepdims=1)
    padding = _tight(x, output(g).shape[x.ndim - n :], kernel, stride, padding, (1,) * n)
    data, pads = cropped(g, x, x.ndim, padding)

    def pool(y: Operand) -> list[str]:
        made = g.node("AveragePool", y, kernel_shape=list(kernel), strides=list(stride), pads=pads, count_include_pad=1)
        return [g.node("Mul", made, g.number(math.prod(kernel), x.dtype))]

    g.check_static(kernel, "the size of a window")
    return _pooled(g, data, x.shape, n, pool)[0]


@lowers("spread_pool")
def spread_pool(g: Graph, x: Value, *, size: Any, kernel: Any, stride: Any, padding: Any) -> str:
    """The transpose of sum_pool: a transposed convolution with ones, of each channel for itself."""
    n = len(kernel)
    columns = g.reshape(x, (-1, 1, *x.shape[x.ndim - n :]), ())
    ones = Value(g.array([1.0] * math.prod(kernel), x.dtype, (1, 1, *kernel)), (1, 1, *kernel), x.dtype)
    wide = Value(columns, (-1, 1, *x.shape[x.ndim - n :]), x.dtype)
    y = convolution_transpose(g, wide, ones, size=size, stride=stride, padding=padding, dilation=(1,) * n, groups=1)
    return g.reshape(y, output(g).shape, ())


# --- the windows themselves -----------------------------------------------------------------------------------


@lowers("windows")
def windows(g: Graph, x: Value, *, kernel: Any, stride: Any, padding: Any, dilation: Any) -> str:
    """(..., *size) becomes (..., *kernel, *count): for each axis, the places of all windows are gathered."""
    n = len(kernel)
    before = x.ndim - n
    data, pads = cropped(g, x, x.ndim, padding)
    if any(pads):
        data = g.node("Pad", data, g.ints([0] * before + pads[:n] + [0] * before + pads[n:]), g.number(0, x.dtype))
    counts = output(g).shape[before + n :]
    for i in reversed(range(n)):  # from the last axis on, so that those before keep their numbers
        data = g.node("Gather", data, _places(g, kernel[i], counts[i], stride[i], dilation[i]), axis=before + i)
    order = [*range(before), *(before + 2 * i for i in range(n)), *(before + 2 * i + 1 for i in range(n))]
    return g.transpose(data, order)


def _places(g: Graph, kernel: int, count: Dim, stride: int, dilation: int) -> str:
    """The place of element k of window c, as a matrix."""
    if not isinstance(count, Size):
        return g.array(
            [k * dilation + c * stride for k in range(kernel) for c in range(count)], "int64", (kernel, count)
        )
    starts = g.node("Mul", g.range(count), g.number(stride, "int64"))
    return g.node("Add", g.array([k * dilation for k in range(kernel)], "int64", (kernel, 1)), starts)


@lowers("add_windows")
def add_windows(g: Graph, x: Value, *, size: Any, stride: Any, padding: Any, dilation: Any) -> str:
    """The transpose of windows: a transposed convolution, in which each element of a window is a channel of its own."""
    n = len(size)
    kernel, count = x.shape[x.ndim - 2 * n : x.ndim - n], x.shape[x.ndim - n :]
    g.check_static(kernel, "the size of a window")
    channels = g.fixed(total(kernel), "the size of a window")
    columns = Value(g.reshape(x, (-1, channels, *count), ()), (-1, channels, *count), x.dtype)
    one = [float(i == j) for i in range(channels) for j in range(channels)]
    shape = (channels, 1, *kernel)
    weight = Value(g.array(one, x.dtype, shape), shape, x.dtype)  # type: ignore[arg-type]
    y = convolution_transpose(
        g, columns, weight, size=size, stride=stride, padding=padding, dilation=dilation, groups=1
    )
    return g.reshape(y, output(g).shape, ())
