"""Random keys of every kind that NumPy's indexing takes."""

from __future__ import annotations

from typing import Any

import numpy as np


def some_key(rng, shape):
    """A key for an array of that shape: integers, slices, None, an Ellipsis, masks, and arrays of integers."""
    parts: list[Any] = []
    axis, spelled_out = 0, True
    lengths = rng.choice([(2,), (2, 1), (3,), (1,), ()])
    while axis < len(shape):
        n, kind = shape[axis], rng.random()
        if spelled_out and kind < 0.2:
            parts.append(...)
            axis += rng.randint(0, len(shape) - axis)
            spelled_out = False
        elif kind < 0.3:
            parts.append(None)
        elif kind < 0.5:
            parts.append(rng.randrange(-n, n))
            axis += 1
        elif kind < 0.65:
            parts.append(slice(rng.choice([None, 0, 1, -1]), rng.choice([None, n, 2]), rng.choice([None, 1, 2, -1])))
            axis += 1
        elif kind < 0.72 and len(lengths) < 2:
            parts.append(np.asarray([rng.random() < 0.5 for _ in range(n)]))
            axis += 1
        else:
            count = int(np.prod(lengths))
            parts.append(np.asarray([rng.randrange(-n, n) for _ in range(count)], dtype=int).reshape(lengths))
            axis += 1
    if spelled_out and rng.random() < 0.3:  # an Ellipsis for no axis
        parts.insert(rng.randrange(len(parts) + 1), ...)
    return parts
