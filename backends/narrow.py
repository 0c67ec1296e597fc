"""Reductions of half precision that a library would make in half precision, where counts and sums are rounded and overflow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def widened(name: str) -> Callable[..., Any]:
    """A method of a raw namespace: the library's function of that name, in float32 where its argument is narrower."""

    def reduced(self: Any, x: Any, /, *, dtype: Any = None, **options: Any) -> Any:
        function = getattr(self.library, name)
        if x.dtype in self.narrow_dtypes and dtype in (None, x.dtype):
            return self._in_float32(function, x, **options)
        return function(x, **options) if dtype is None else function(x, dtype=dtype, **options)

    return reduced
