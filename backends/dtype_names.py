"""The names of dtypes, and the one that was chosen as the default.

    XGRAD_DTYPE   float64 (the default where a backend has it; others take float32), float32, float16 or bfloat16

The default is one for all backends, so that a program has one precision wherever it runs. This file keeps its name. Each
backend finds its own dtype of that name.
"""

from __future__ import annotations

import os
from typing import Any

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
NAMES = ("float64", "float32", "float16", "bfloat16")
DTYPES = frozenset(("bool", *INTEGERS, *NAMES, "complex64", "complex128"))

chosen: str | None = None


def chosen_name() -> str | None:
    """What `set_default_dtype` said, else XGRAD_DTYPE, else None. Raises ValueError for an XGRAD_DTYPE that is no dtype.

    Backends ask once, and keep the answer.
    """
    if chosen is not None:
        return chosen
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


def choose(name: str | None) -> None:
    """Keep the name of the default dtype; None goes back to XGRAD_DTYPE. Backends must then forget theirs."""
    global chosen
    chosen = name
