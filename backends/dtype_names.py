"""The names of dtypes, and the name of the default dtype that was chosen.

    XGRAD_DTYPE   float64 (the default where a backend has it; others take float32), float32, float16 or bfloat16

The default is the same on all backends, so that a program has one precision wherever it runs. This file holds the name; each
backend finds its own dtype of that name.
"""

from __future__ import annotations

import os
from typing import Any

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
HALVES = ("float16", "bfloat16")  # half precision, which the standard does not have
NAMES = ("float64", "float32", *HALVES)
DTYPES = frozenset(("bool", *INTEGERS, *NAMES, "complex64", "complex128"))

chosen: str | None = None


def chosen_name() -> str | None:
    """The name given to `set_default_dtype`, otherwise XGRAD_DTYPE, otherwise None. Backends ask once and cache the answer.

    Raises ValueError for an XGRAD_DTYPE that names no dtype.
    """
    if chosen is not None:
        return chosen
    name = os.environ.get("XGRAD_DTYPE") or None
    if name is not None and name not in NAMES:
        raise ValueError(f"XGRAD_DTYPE is one of {', '.join(NAMES)}, not {name!r}")
    return name


def name_of_dtype(dtype: Any) -> str:
    """The standard's name of a dtype of any library, of one of NumPy's codes ("f4"), or of a Python type."""
    if isinstance(dtype, str):
        if dtype in DTYPES:
            return dtype
        from xgrad.backends.host import name_of_code  # NumPy is imported only if there is such a code

        return name_of_code(dtype)
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype).rpartition(".")[2]
    return str(name)


def without(name: str, backend: Any) -> str:
    """The error message for a backend that does not have float16, or bfloat16."""
    have = "numpy, torch, jax, cupy, and dpnp on devices that compute with it"
    if name == "bfloat16":
        have = 'torch, jax, and numpy where ml_dtypes is installed (pip install "xgrad[half]")'
    return f"{backend} has no {name}. These backends have it: {have}"


def choose(name: str | None) -> None:
    """Set the name of the default dtype; None goes back to XGRAD_DTYPE. Afterwards call `forget_default` of each backend."""
    global chosen
    chosen = name
