"""Convolution and pooling on dask's arrays: NumPy's functions on blocks of examples, which are whole along the other axes."""

from __future__ import annotations

from functools import cache
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
        static = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
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
        static = {"size": size, "stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        if not x.size:
            return super().convolution_transpose(x, weight, **static)
        given = [_whole(x, 1), _letters(x, "n", "o", "ijk"), _whole(weight), _letters(weight, "o", "d", "uvw")]
        axes = {"c": weight.shape[1] * groups, **dict(zip("xyz", size, strict=False))}
        return _blockwise("convolution_transpose", _letters(x, "n", "c", "xyz"), given, axes, static)

    def convolution_weight(
        self, x: Any, g: Any, *, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers, groups: int
    ) -> Any:
        static = {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
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
