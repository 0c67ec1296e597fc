"""Rows for einops."""

from __future__ import annotations

import einops
from einops import array_api

from bench.libraries.row import MATRIX, Row

ROWS = [
    Row("array_api.rearrange", lambda x: array_api.rearrange(x, "(a c) b -> b a c", c=2), MATRIX),
    Row("array_api.reduce", lambda x: array_api.reduce(x, "a b -> b", "mean"), MATRIX),
    Row("array_api.reduce (max)", lambda x: array_api.reduce(x, "(a c) b -> a b", "max", c=2), MATRIX),
    Row("array_api.repeat", lambda x: array_api.repeat(x, "a b -> b a c", c=2), MATRIX),
    Row("array_api.pack", lambda x, y: array_api.pack([x, y], "* b")[0], MATRIX, MATRIX[:2] + 1),
    Row(
        "rearrange",
        lambda x: einops.rearrange(x, "a b -> b a"),
        MATRIX,
        because="it knows a list of array types; einops.array_api takes any",
    ),
]
