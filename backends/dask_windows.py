"""Convolution and pooling on dask's arrays: NumPy's functions on blocks of examples, which are whole along the other axes."""

from __future__ import annotations

from functools import cache, partial
from importlib import import_module
from typing import Any

from xgrad.backends.lazily import compatible
from xgrad.backends.windows import Numbers, Pairs, Windows, counts

da: Any
try:
    da = import_module("dask.array")
except ImportError:
    da = None


@cache
def _numpy() -> Any:
    return import_module("xgrad.backends.numpy").NumPyRaw(compatible("numpy"))


def _on_block(*arrays: Any, function: str, **static: Any) -> Any:
    return getattr(_numpy(), function)(*arrays, **static)


def _of_block(x: Any, g: Any, **static: Any) -> Any:
    """The part of the weight's gradient that comes from a block of examples."""
    return _numpy().convolution_weight(x, g, **static)[None]


def _letters(array: Any, first: str, second: str, rest: str) -> str:
    return first + second + rest[: array.ndim - 2]


class DaskWindows(Windows):
    """The part of DaskRaw that is about windows. The axes: examples n, channels c, of the result o, of a group d."""

    def convolution(
        self,
        x: Any,
        weight: Any,
        bias: Any = None,
        *,
        stride: Numbers,
        padding: Pairs,
        dilation: Numbers,
        groups: int,
    ) -> Any:
        static: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        if not x.size:
            return super().convolution(x, weight, bias, **static)
        count = counts(x.shape[2:], weight.shape[2:], stride, padding, dilation)
        given = [_whole(x, 1), _letters(x, "n", "c", "xyz"), _whole(weight), _letters(weight, "o", "d", "uvw")]
        if bias is not None:
            given += [_whole(bias), "o"]
        return _blockwise(
            "convolution", _letters(x, "n", "o", "ijk"), given, dict(zip("ijk", count, strict=False)), static
        )

    def convolution_transpose(
        self, x: Any, weight: Any, *, size: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers, groups: int
    ) -> Any:
        static: dict[str, Any] = {
            "size": size,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "groups": groups,
        }
        if not x.size:
            return super().convolution_transpose(x, weight, **static)
        given = [_whole(x, 1), _letters(x, "n", "o", "ijk"), _whole(weight), _letters(weight, "o", "d", "uvw")]
        axes = {"c": weight.shape[1] * groups, **dict(zip("xyz", size, strict=False))}
        return _blockwise("convolution_transpose", _letters(x, "n", "c", "xyz"), given, axes, static)

    def convolution_weight(
        self, x: Any, g: Any, *, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers, groups: int
    ) -> Any:
        static: dict[str, Any] = {
            "kernel": kernel,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "groups": groups,
        }
        if not x.size:
            return super().convolution_weight(x, g, **static)
        dtype = da.result_type(x, g)
        parts = da.blockwise(
            _of_block,
            _letters(x, "no", "d", "uvw"),
            _whole(x, 1),
            _letters(x, "n", "c", "xyz"),
            _whole(g, 1),
            _letters(g, "n", "o", "ijk"),
            new_axes={"d": x.shape[1] // groups, **dict(zip("uvw", kernel, strict=False))},
            adjust_chunks={"n": 1},
            concatenate=True,
            dtype=dtype,
            meta=_hollow(dtype, x.ndim + 1),
            **static,
        )
        return parts.sum(axis=0)

    # --- functions of the last axes ---

    def windows(self, x: Any, *, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers) -> Any:
        static: dict[str, Any] = {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
        if not x.size:
            return super().windows(x, **static)
        count = counts(x.shape[x.ndim - len(kernel) :], kernel, stride, padding, dilation)
        return _of_last_axes("windows", [x], len(kernel), [(*kernel, *count)], static)

    def add_windows(self, x: Any, *, size: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers) -> Any:
        static: dict[str, Any] = {"size": size, "stride": stride, "padding": padding, "dilation": dilation}
        if not x.size:
            return super().add_windows(x, **static)
        return _of_last_axes("add_windows", [x], 2 * len(size), [size], static)

    def sum_pool(self, x: Any, *, kernel: Numbers, stride: Numbers, padding: Pairs) -> Any:
        static: dict[str, Any] = {"kernel": kernel, "stride": stride, "padding": padding}
        if not x.size:
            return super().sum_pool(x, **static)
        n = len(kernel)
        count = counts(x.shape[x.ndim - n :], kernel, stride, padding, (1,) * n)
        return _of_last_axes("sum_pool", [x], n, [count], static)

    def spread_pool(self, x: Any, *, size: Numbers, kernel: Numbers, stride: Numbers, padding: Pairs) -> Any:
        static: dict[str, Any] = {"size": size, "kernel": kernel, "stride": stride, "padding": padding}
        if not x.size:
            return super().spread_pool(x, **static)
        return _of_last_axes("spread_pool", [x], len(size), [size], static)

    def max_pool(
        self, x: Any, *, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers
    ) -> tuple[Any, Any]:
        static: dict[str, Any] = {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
        if not x.size:
            return super().max_pool(x, **static)
        count = counts(x.shape[x.ndim - len(kernel) :], kernel, stride, padding, dilation)
        y, indices = _of_last_axes("max_pool", [x], len(kernel), [count, count], static)
        return y, indices

    def take_pooled(self, x: Any, indices: Any, *, axes: int) -> Any:
        if not x.size or not indices.size:
            return super().take_pooled(x, indices, axes=axes)
        count = indices.shape[x.ndim - axes :]
        return _of_last_axes("take_pooled", [x, indices], axes, [count], {"axes": axes})

    def scatter_pooled(self, x: Any, indices: Any, *, size: Numbers) -> Any:
        if not x.size:
            return super().scatter_pooled(x, indices, size=size)
        return _of_last_axes("scatter_pooled", [x, indices], len(size), [size], {"size": size})


def _of_last_axes(function: str, arrays: list[Any], n: int, shapes: list[Numbers], static: dict[str, Any]) -> Any:
    """NumPy's function on blocks that are whole along the last n axes, with results of these shapes there."""
    first = arrays[0]
    before = dict(enumerate(first.chunks[: first.ndim - n]))
    arrays = [first, *(array.rechunk(before) for array in arrays[1:])]
    sizes: dict[str, int] = {}

    def core(array: int, shape: Numbers) -> str:
        names = [f"a{array}_{i}" for i in range(len(shape))]
        sizes.update(zip(names, shape, strict=True))
        return f"({','.join(names)})"

    inputs = ",".join(core(i, array.shape[array.ndim - n :]) for i, array in enumerate(arrays))
    results = ",".join(core(len(arrays) + i, shape) for i, shape in enumerate(shapes))
    metas = tuple(
        _hollow(dtype, len(before) + len(shape)) for dtype, shape in zip((first.dtype, int), shapes, strict=False)
    )
    new = {name: size for name, size in sizes.items() if name in results}
    return da.apply_gufunc(
        partial(_on_block, function=function, **static),
        f"{inputs}->{results}",
        *arrays,
        output_sizes=new,
        meta=metas if len(metas) > 1 else metas[0],
        allow_rechunk=True,
    )


def _whole(x: Any, first: int = 0) -> Any:
    """The array in one chunk along the axes from `first`."""
    return x.rechunk(dict.fromkeys(range(first, x.ndim), -1))


def _hollow(dtype: Any, ndim: int) -> Any:
    return import_module("numpy").empty((0,) * ndim, dtype)


def _blockwise(function: str, out: str, given: list[Any], axes: dict[str, int], static: dict[str, Any]) -> Any:
    dtype = da.result_type(*given[::2])
    return da.blockwise(
        _on_block,
        out,
        *given,
        new_axes=axes,
        concatenate=True,
        dtype=dtype,
        meta=_hollow(dtype, len(out)),
        function=function,
        **static,
    )
