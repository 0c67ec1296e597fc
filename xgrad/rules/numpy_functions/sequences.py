"""Windows that slide along an array, and products of sequences that do: `np.convolve` and `np.correlate`."""

from __future__ import annotations

from typing import Any

from xgrad.rules.numpy_functions.face import axes_of, index, is_complex, not_given, tensor, tensors, xp
from xgrad.rules.numpy_functions.table import numpy_function


@numpy_function("lib.stride_tricks.sliding_window_view")
def sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False, **options: Any
) -> Any:
    """The windows as new last axes. They are a copy."""
    not_given("sliding_window_view", writeable=writeable or None, **options)
    x = tensor("sliding_window_view", x)
    sizes = tuple(window_shape) if hasattr(window_shape, "__len__") else (window_shape,)
    axes = axes_of("sliding_window_view", axis, x.ndim)
    if len(sizes) != len(axes):
        raise ValueError(f"numpy.sliding_window_view: {len(sizes)} window sizes for {len(axes)} axes")
    for size, i in zip(sizes, axes, strict=True):
        if not 0 <= size <= x.shape[i]:
            raise ValueError(f"numpy.sliding_window_view: a window of {size} along an axis of {x.shape[i]}")
        first = xp.arange(x.shape[i] - size + 1)
        x = xp.moveaxis(x[index(i, first[:, None] + xp.arange(size)[None, :])], i + 1, -1)
    return x


@numpy_function("convolve")
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    a, v = (xp.reshape(x, (-1,)) if x.ndim == 0 else x for x in tensors("convolve", a, v))
    if a.ndim != 1 or v.ndim != 1 or not a.shape[0] or not v.shape[0]:
        raise ValueError(f"numpy.convolve takes two vectors that are not empty, not of shapes {a.shape} and {v.shape}")
    if v.shape[0] > a.shape[0]:
        a, v = v, a
    return _slide(a, xp.flip(v), mode, "convolve")


@numpy_function("correlate")
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    a, v = (xp.reshape(x, (-1,)) if x.ndim == 0 else x for x in tensors("correlate", a, v))
    if a.ndim != 1 or v.ndim != 1 or not a.shape[0] or not v.shape[0]:
        raise ValueError(f"numpy.correlate takes two vectors that are not empty, not of shapes {a.shape} and {v.shape}")
    v = xp.conj(v) if is_complex(v) else v
    if v.shape[0] > a.shape[0]:
        return xp.flip(_slide(v, a, mode, "correlate"))
    return _slide(a, v, mode, "correlate")


def _slide(a: Any, v: Any, mode: str, name: str) -> Any:
    """The products of v with each window of a, of which `mode` says how far they reach over the ends."""
    k = v.shape[0]
    if mode == "full":
        before = after = k - 1
    elif mode == "same":
        before = k - 1 - (k - 1) // 2
        after = k - 1 - before
    elif mode == "valid":
        before = after = 0
    else:
        raise ValueError(f"numpy.{name}: mode is 'full', 'same' or 'valid', not {mode!r}")
    y = xp.convolution(xp.reshape(a, (1, 1, -1)), xp.reshape(v, (1, 1, -1)), padding=((before, after),))
    return xp.reshape(y, (-1,))
