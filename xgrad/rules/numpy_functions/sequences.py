"""Products of sequences that slide along each other: `np.convolve` and `np.correlate`."""

from __future__ import annotations

from typing import Any

from xgrad.rules.numpy_functions.face import (
    is_complex,
    tensors,
    xp,
)
from xgrad.rules.numpy_functions.table import numpy_function


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
