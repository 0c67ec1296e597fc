"""The dtype of indices."""

from __future__ import annotations

from typing import Any

from xgrad.rules.numpy_functions.face import xp


def index_dtype() -> Any:
    """The dtype of `argmax` and its like."""
    return xp.argmax(xp.asarray([0.0])).dtype
