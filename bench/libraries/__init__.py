"""Gradients through other people's code: what SciPy and others do with xgrad's tensors, function by function.

    python -m bench.libraries         tries every row, prints what came out, and records it for README's table
    python -m bench.libraries stats   tries those with `stats` in their name, and records nothing

A row (row.py) is a call into a library. It works if value, gradient and forward derivative agree with the library's own values
on NumPy arrays; a row that cannot work says why. tests/test_libraries.py has each row as a test.
"""

from __future__ import annotations

import os
from importlib import import_module

from bench.libraries.row import Row

os.environ.setdefault("SCIPY_ARRAY_API", "1")  # SciPy reads it when it is first imported

# The name of each library, the package it comes in, and the module here that has its rows.
LIBRARIES = {
    "SciPy": ("scipy", "of_scipy"),
    "scikit-learn": ("scikit-learn", "of_sklearn"),
    "array-api-extra": ("array-api-extra", "of_array_api_extra"),
    "einops": ("einops", "of_einops"),
    "xarray": ("xarray", "of_xarray"),
}


def rows(library: str) -> list[Row]:
    """What is tried of a library. Raises ImportError where it is not installed."""
    _, module = LIBRARIES[library]
    found: list[Row] = import_module(f"bench.libraries.{module}").ROWS
    return found
