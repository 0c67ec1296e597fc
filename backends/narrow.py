"""Reductions of half-precision arrays in float32, for a library that computes them in half precision: sums would overflow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def widened(name: str) -> Callable[..., Any]:
    """A method for a raw namespace: the library's function of that name, computed in float32 for half-precision arguments."""

    def reduced(self: Any, x: Any, /, *, dtype: Any = None, **options: Any) -> Any:
        function = getattr(self.library, name)
        if x.dtype in self.narrow_dtypes and dtype in (None, x.dtype):
            return self._in_float32(function, x, **options)
        return function(x, **options) if dtype is None else function(x, dtype=dtype, **options)

    return reduced
