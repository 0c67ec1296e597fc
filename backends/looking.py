"""A look at values, where it is free: it lets a formula leave out the branches that no element takes."""

from __future__ import annotations

from typing import Any


def may_look(xp: Any, x: Any) -> bool:
    """Whether the values of a raw array can be read without waiting for a device, and without a trace that needs them.

    Args:
        xp: the namespace of raw arrays; or of tensors, of which nobody looks at the values.
        x: an array of that namespace.

    It says no for a number.
    """
    can_look = getattr(xp, "_can_look", None)  # xgrad's own namespace has none
    return can_look is not None and hasattr(x, "shape") and bool(can_look(x))
