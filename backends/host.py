"""What xgrad does on the host whatever the backend: random numbers, so that they are the same everywhere."""

from __future__ import annotations

import numpy as np


def default_rng(seed: int | None = None) -> np.random.Generator:
    """NumPy's generator. `seed` is a non-negative integer, or None for numbers that differ from run to run."""
    return np.random.default_rng(seed)
