"""NumPy, on the CPU. What is here beyond the namespace is here for speed; each line says what it saves."""

from __future__ import annotations

import os
import sys
from typing import Any, ClassVar

import numpy as np
from numpy._typing import ArrayLike

from xgrad.backends.base import Backend, Raw


class NumPyRaw(Raw):
    """array_api_compat.numpy with quicker ways for some functions."""


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

    def to_numpy(self, array: ArrayLike) -> Any:
        return np.array(array)

    def copy(self, array: Any) -> Any:
        return np.array(array)

    def is_view(self, array: Any) -> bool:
        return not isinstance(array, np.ndarray) or array.base is not None

    def exclusive(self, array: Any) -> bool:
        return array.base is None and array.flags.writeable and sys.getrefcount(array) <= _ALONE


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
