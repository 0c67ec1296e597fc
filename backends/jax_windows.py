"""Convolution and pooling by XLA's own operations.

The transposes are those that JAX derives. They are compiled once for each shape, and JAX traces nothing of the user's program.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

from xgrad.backends.windows import Numbers, Pairs, Windows, reversed_padding

jax: Any
try:
    jax = import_module("jax")
except ImportError:
    jax = None


def _convolution(x: Any, weight: Any, stride: Numbers, padding: Pairs, dilation: Numbers, groups: int) -> Any:
    return jax.lax.conv_general_dilated(
        x,
        weight,
        window_strides=stride,
        padding=padding,
        rhs_dilation=dilation,
        feature_group_count=groups,
        precision=jax.lax.Precision.HIGHEST,
    )


def _sums(x: Any, kernel: Numbers, stride: Numbers, padding: Pairs) -> Any:
    before = x.ndim - len(kernel)
    return jax.lax.reduce_window(
        x,
        x.dtype.type(0),  # a number, by which JAX knows that this is a sum, and its transpose
        jax.lax.add,
        (*(1,) * before, *kernel),
        (*(1,) * before, *stride),
        (*((0, 0),) * before, *padding),
    )


def _to_input(g: Any, weight: Any, shape: Numbers, static: Any) -> Any:
    like = jax.ShapeDtypeStruct(shape, g.dtype)
    return jax.linear_transpose(lambda x: _convolution(x, weight, *static), like)(g)[0]


def _to_weight(g: Any, x: Any, shape: Numbers, static: Any) -> Any:
    like = jax.ShapeDtypeStruct(shape, g.dtype)
    return jax.linear_transpose(lambda weight: _convolution(x, weight, *static), like)(g)[0]


def _to_summed(g: Any, shape: Numbers, static: Any) -> Any:
    return jax.linear_transpose(lambda x: _sums(x, *static), jax.ShapeDtypeStruct(shape, g.dtype))(g)[0]


if jax:
    _convolved = jax.jit(_convolution, static_argnums=(2, 3, 4, 5))
    _to_input, _to_weight = (partial(jax.jit, static_argnums=(2, 3))(f) for f in (_to_input, _to_weight))
    _sums_of = jax.jit(_sums, static_argnums=(1, 2, 3))
    _to_summed = jax.jit(_to_summed, static_argnums=(1, 2))


def _has_own(*arrays: Any) -> bool:
    """Whether XLA computes with these: floating-point or complex arrays of one dtype, with elements."""
    first = arrays[0]
    alike = all(array.dtype == first.dtype for array in arrays)
    return alike and bool(jax.numpy.issubdtype(first.dtype, jax.numpy.inexact)) and all(array.size for array in arrays)


def _split(padding: Pairs) -> tuple[Pairs, Pairs]:
    """The negative and the positive part of the padding."""
    return tuple((min(b, 0), min(a, 0)) for b, a in padding), tuple((max(b, 0), max(a, 0)) for b, a in padding)


class JAXWindows(Windows):
    """The part of JAXRaw that is about windows."""

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
        if not _has_own(x, weight):
            static: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
            return super().convolution(x, weight, bias, **static)
        # For negative padding XLA computes wrong gradients of weights, in float32 on a CPU (seen in JAX 0.7 or so).
        x, padding = self._cropped(x, padding)
        y = _convolved(x, weight, stride, padding, dilation, groups)
        return y if bias is None else y + bias.reshape(-1, *(1,) * len(stride))

    def convolution_transpose(
        self, x: Any, weight: Any, *, size: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers, groups: int
    ) -> Any:
        if not _has_own(x, weight):
            static: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
            return super().convolution_transpose(x, weight, size=size, **static)
        cut, padding = _split(padding)
        whole = tuple(m + sum(pad) for m, pad in zip(size, cut, strict=True))
        shape = (x.shape[0], weight.shape[1] * groups, *whole)
        return self._padded(_to_input(x, weight, shape, (stride, padding, dilation, groups)), reversed_padding(cut))

    def convolution_weight(
        self, x: Any, g: Any, *, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers, groups: int
    ) -> Any:
        if not _has_own(x, g):
            static: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
            return super().convolution_weight(x, g, kernel=kernel, **static)
        x, padding = self._cropped(x, padding)
        shape = (g.shape[1], x.shape[1] // groups, *kernel)
        return _to_weight(g, x, shape, (stride, padding, dilation, groups))

    def sum_pool(self, x: Any, *, kernel: Numbers, stride: Numbers, padding: Pairs) -> Any:
        return _sums_of(x, kernel, stride, padding)

    def spread_pool(self, x: Any, *, size: Numbers, kernel: Numbers, stride: Numbers, padding: Pairs) -> Any:
        shape = (*x.shape[: x.ndim - len(size)], *size)
        return _to_summed(x, shape, (kernel, stride, padding))

    def _added(self, y: Any, value: Any, key: Any) -> Any:
        return y.at[key].add(value)
