"""The default dtype: that of Python's floats, and of what creation functions, generators and layers make.

    XGRAD_DTYPE   float64 (the default where a backend has it; others take float32), float32, float16 or bfloat16

It is one for all backends, so that a program has one precision wherever it runs. This file keeps its name; what that means for
a library, its `Backend` says.
"""

from __future__ import annotations

import os
from typing import Any

from xgrad.backends import get_backend, loaded

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
NAMES = ("float64", "float32", "float16", "bfloat16")
DTYPES = frozenset(("bool", *INTEGERS, *NAMES, "complex64", "complex128"))

_chosen: str | None = None


def chosen_name() -> str | None:
    """What `set_default_dtype` said, else XGRAD_DTYPE, else None. Raises ValueError for an XGRAD_DTYPE that is no dtype.

    Backends ask once, and keep the answer.
    """
    if _chosen is not None:
        return _chosen
    name = os.environ.get("XGRAD_DTYPE") or None
    if name is not None and name not in NAMES:
        raise ValueError(f"XGRAD_DTYPE is one of {', '.join(NAMES)}, not {name!r}")
    return name


def name_of_dtype(dtype: Any) -> str:
    """What the standard calls a dtype of any library, or one of NumPy's codes ("f4"); the name of a Python type."""
    if isinstance(dtype, str):
        if dtype in DTYPES:
            return dtype
        from xgrad.backends.host import name_of_code  # NumPy is only imported where there is such a code

        return name_of_code(dtype)
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype).rpartition(".")[2]
    return str(name)


def set_default_dtype(dtype: Any) -> None:
    """Choose the dtype of Python's floats and of new arrays: a name or a real floating dtype of the current backend.

    None goes back to XGRAD_DTYPE, which is read again, or to float64 (float32 where the backend has no float64). Complex
    numbers get the complex dtype of that precision. Integers are not affected. Tensors that exist keep their dtype.

    Raises TypeError for a dtype that is not real floating, and BackendError where the current backend does not have it.

    >>> import xgrad as xg
    >>> xg.set_default_dtype("float32")
    >>> xg.asarray(0.5).dtype == xg.zeros(3).dtype == xg.float32
    True
    >>> xg.set_default_dtype(None)
    """
    before = _chosen
    _choose(None if dtype is None else _name_of(dtype))
    try:
        get_backend().default_dtype  # noqa: B018 (raises where the backend does not have it)
    except Exception:
        _choose(before)
        raise


def _choose(name: str | None) -> None:
    global _chosen
    _chosen = name
    for backend in loaded():
        backend.forget_default()


def get_default_dtype() -> Any:
    """The default dtype, as the current backend represents it.

    >>> import xgrad as xg
    >>> xg.get_default_dtype() == xg.float64
    True
    """
    return get_backend().default_dtype


def _name_of(dtype: Any) -> str:
    name = "float64" if dtype is float else name_of_dtype(dtype)
    if name in NAMES:
        return name
    raise TypeError(f"the default dtype is a real floating one ({', '.join(NAMES)}), not {dtype!r}")
