"""Tries gradients through other people's code: what SciPy and other libraries do with tensors, function by function.

    python -m bench.libraries         tries every row, prints the outcomes, and records them for README's table
    python -m bench.libraries stats   tries the rows with `stats` in their name, and records nothing

A row (row.py) is a call into a library. It works if the value, the gradient and the forward derivative agree with those from the
library's values on NumPy arrays. A row that cannot work has the reason. Each row is a test of tests/test_libraries.py.
"""

from __future__ import annotations

import os
from importlib import import_module

from bench.libraries.row import Row

os.environ.setdefault("SCIPY_ARRAY_API", "1")  # SciPy reads this variable when it is first imported

# The name of each library, the package it comes in, and the module here that has its rows.
LIBRARIES = {
    "SciPy": ("scipy", "of_scipy"),
    "scikit-learn": ("scikit-learn", "of_sklearn"),
    "array-api-extra": ("array-api-extra", "of_array_api_extra"),
    "einops": ("einops", "of_einops"),
    "xarray": ("xarray", "of_xarray"),
}


def rows(library: str) -> list[Row]:
    """The rows of a library. Raises ImportError if it is not installed."""
    _, module = LIBRARIES[library]
    found: list[Row] = import_module(f"bench.libraries.{module}").ROWS
    return found
