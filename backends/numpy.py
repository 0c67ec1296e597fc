"""NumPy, on the CPU. What is here beyond the namespace is here for speed; each line says what it saves."""

from __future__ import annotations

import operator
import os
import sys
from typing import Any, ClassVar

import numpy as np
from numpy._typing import ArrayLike

from xgrad.backends.base import Backend, Raw


class NumPyRaw(Raw):
    """array_api_compat.numpy with quicker ways for some functions."""

    # On arrays, an operator is a tenth quicker than the function of the same name.
    add = staticmethod(operator.add)
    subtract = staticmethod(operator.sub)
    multiply = staticmethod(operator.mul)
    divide = staticmethod(operator.truediv)
    negative = staticmethod(operator.neg)
    pow = staticmethod(operator.pow)


class NumPy(Backend):
    name = "numpy"
    install = "pip install numpy"
    array_types: ClassVar[tuple[type, ...]] = (np.ndarray,)
    raw_class = NumPyRaw
    bind_device = False

    @classmethod
    def namespace(cls) -> Any:
        import array_api_compat.numpy as xp

        return xp

    @classmethod
    def device_of(cls, array: Any) -> Any:
        return "cpu"

    def memory(self) -> str:
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return f"{pages / 2**30:.1f} GiB in all"

    def weak(self, value: float, like: Any) -> Any:
        """A 0-d array of the same dtype: `1 - a` costs twice what `one - a` does. Made once for each number and dtype."""
        dtype = like.dtype
        try:
            return _constants[dtype][value]
        except KeyError:
            return _constant(value, dtype)

    def to_numpy(self, array: ArrayLike) -> Any:
        return np.array(array)

    def copy(self, array: Any) -> Any:
        return np.array(array)

    def is_view(self, array: Any) -> bool:
        return not isinstance(array, np.ndarray) or array.base is not None

    def exclusive(self, array: Any) -> bool:
        return array.base is None and array.flags.writeable and sys.getrefcount(array) <= _ALONE


# Kept short, and without 0, because 0.0 == -0.0.
_constants: dict[Any, dict[float, Any]] = {}


def _constant(value: float, dtype: Any) -> Any:
    if dtype.kind != "f" or value == 0 or value != value:
        return value
    known = _constants.setdefault(dtype, {})
    if len(known) > 1000:
        known.clear()
    constant = np.array(value, dtype=dtype)
    constant.flags.writeable = False
    known[value] = constant
    return constant


class _Holder:
    __slots__ = ("data",)


def _references_when_alone() -> int:
    """The count seen from `exclusive(holder.data)` when the holder's is the only lasting reference: it differs by version."""
    holder = _Holder()
    holder.data = np.empty(1)

    def count(_self: None, array: Any) -> int:
        return sys.getrefcount(array)

    return count(None, holder.data)


_ALONE = _references_when_alone()
BACKEND = NumPy
