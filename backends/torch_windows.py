"""Convolution and pooling by PyTorch's own functions."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from xgrad.backends.windows import Numbers, Pairs, Windows, reversed_padding

torch: Any
try:
    torch = import_module("torch")
except ImportError:
    torch = None


def _has_own(*arrays: Any) -> bool:
    """Whether PyTorch computes with these: arrays of one real floating dtype, with one to three spatial axes, and elements."""
    first = arrays[0]
    alike = all(array.dtype == first.dtype for array in arrays)
    return bool(alike and first.is_floating_point() and 3 <= first.ndim <= 5 and all(array.numel() for array in arrays))


def _symmetric(padding: Pairs) -> tuple[Numbers, Pairs]:
    """The padding as PyTorch takes it, the same at both ends, and what must be added before."""
    common = tuple(max(min(pair), 0) for pair in padding)
    return common, tuple((b - c, a - c) for c, (b, a) in zip(common, padding, strict=True))


class TorchWindows(Windows):
    """The part of TorchRaw that is about windows."""

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
        if not _has_own(x, weight, *(() if bias is None else (bias,))):
            static: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
            return super().convolution(x, weight, bias, **static)
        common, rest = _symmetric(padding)
        none = (0,) * len(stride)
        return torch.convolution(self._padded(x, rest), weight, bias, stride, common, dilation, False, none, groups)

    def _backward(
        self, g: Any, x: Any, weight: Any, which: int, stride: Numbers, common: Numbers, dilation: Numbers, groups: int
    ) -> Any:
        """PyTorch's gradient of a convolution's input (`which` is 0) or weight (1). Of that array only the shape is used."""
        wanted = [i == which for i in range(3)]
        none = [0] * len(stride)
        found = torch.ops.aten.convolution_backward(
            g, x, weight, None, stride, common, dilation, False, none, groups, wanted
        )
        return found[which]

    def convolution_transpose(
        self, x: Any, weight: Any, *, size: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers, groups: int
    ) -> Any:
        if not _has_own(x, weight):
            static: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
            return super().convolution_transpose(x, weight, size=size, **static)
        common, rest = _symmetric(padding)
        whole = (m + b + a for m, (b, a) in zip(size, rest, strict=True))
        hollow = x.new_empty(1).expand(x.shape[0], weight.shape[1] * groups, *whole)
        y = self._backward(x, hollow, weight, 0, stride, common, dilation, groups)
        return self._padded(y, reversed_padding(rest))

    def convolution_weight(
        self, x: Any, g: Any, *, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers, groups: int
    ) -> Any:
        if not _has_own(x, g):
            static: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
            return super().convolution_weight(x, g, kernel=kernel, **static)
        common, rest = _symmetric(padding)
        hollow = x.new_empty(1).expand(g.shape[1], x.shape[1] // groups, *kernel)
        return self._backward(g, self._padded(x, rest), hollow, 1, stride, common, dilation, groups)

    def _added(self, y: Any, value: Any, key: Any) -> Any:
        y[key] += value
        return y

    def max_pool(
        self, x: Any, *, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers
    ) -> tuple[Any, Any]:
        n = len(kernel)
        alike = all(b == a and 0 <= 2 * b <= k for (b, a), k in zip(padding, kernel, strict=True))
        if not (alike and x.is_floating_point() and n <= 3 and x.numel()):
            return super().max_pool(x, kernel=kernel, stride=stride, padding=padding, dilation=dilation)
        before, size = x.shape[: x.ndim - n], x.shape[x.ndim - n :]
        common = tuple(b for b, _ in padding)
        if n == 1:  # as an image of one row
            size, common = (1, *size), (0, *common)
            kernel, stride, dilation = (1, *kernel), (1, *stride), (1, *dilation)
        pool = torch.ops.aten.max_pool3d_with_indices if n == 3 else torch.ops.aten.max_pool2d_with_indices
        lines = x.reshape(1, -1, *size)
        y, indices = pool(lines, kernel, stride, common, dilation)
        count = y.shape[y.ndim - n :]
        return y.reshape(*before, *count), indices.reshape(*before, *count)
