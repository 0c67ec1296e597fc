"""`np.r_` and `np.c_`, which are written with brackets: arrays one behind the other, and as columns."""

from __future__ import annotations

from typing import Any

import numpy

from xgrad.rules.numpy_functions.face import Functions, has_tensor, on_their_backend, tensors

xp = Functions()


class Joining:
    """What joins the arrays in brackets, and on plain arrays is NumPy's.

    Args:
        numpys: NumPy's object.
        axis: the axis along which it joins.
        ndim: the least number of axes of a part. One with fewer gets axes of length 1 behind its own.
    """

    def __init__(self, numpys: Any, axis: int, ndim: int) -> None:
        self._numpys, self._axis, self._ndim = numpys, axis, ndim

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if not has_tensor(parts):
            return self._numpys[key]
        if isinstance(parts[0], str):
            raise TypeError(
                "a string in brackets, which says how to join, is not supported for tensors: use np.concatenate"
            )
        ranges = [self._numpys[part] if isinstance(part, slice) else part for part in parts]
        with on_their_backend(parts):
            return xp.concat([self._part(x) for x in tensors("concatenate", *ranges)], axis=self._axis)

    def _part(self, x: Any) -> Any:
        return x if x.ndim >= self._ndim else xp.reshape(x, x.shape + (1,) * (self._ndim - x.ndim))

    def __len__(self) -> int:
        return 0


r_ = Joining(numpy.r_, 0, 1)
c_ = Joining(numpy.c_, -1, 2)
