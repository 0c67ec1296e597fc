"""The order of the axes in the result of an indexing key, as in NumPy.

Arrays in a key add axes of their own, called picked here. If the arrays, and the integers beside them, are adjacent, the picked
axes replace them where they are; otherwise they come first: in x[:, 0, i] and x[:, i, 0] they are second, in x[0, :, i] first.
PyTorch applies the integers first, and then asks whether the arrays are adjacent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def layout(parts: Sequence[tuple[bool, Any]], picked: list[Any]) -> list[Any]:
    """The labels of the result's axes. Each part is given as whether it picks, and the label of the axis that it keeps."""
    at = [i for i, (picks, _) in enumerate(parts) if picks]
    together = at and at == list(range(at[0], at[-1] + 1))
    start = at[0] if together else 0
    staying = [[label for picks, label in some if not picks and label] for some in (parts[:start], parts[start:])]
    return [*staying[0], *picked, *staying[1]]


def numpys_order(key: Any, ndim: int) -> list[int] | None:
    """The positions of the axes of NumPy's result in PyTorch's result of a key; None if both have the same order."""
    if type(key) is not tuple or len(key) < 3:
        return None
    arrays = [part for part in key if _is_array(part)]
    if not arrays or not any(part is Ellipsis or _is_number(part) for part in key):
        return None
    picked: list[Any] = [("picked", i) for i in range(max(1 if is_mask(part) else part.ndim for part in arrays))]
    whole = ndim - sum(axes_taken(part) for part in key)  # axes that the key does not index
    parts: list[tuple[Any, Any]] = []  # each with the label of the axis that it keeps
    for i, part in enumerate(key if any(part is Ellipsis for part in key) else (*key, ...)):
        if part is Ellipsis and whole:
            parts += [(slice(None), (i, j)) for j in range(whole)]
        elif i < len(key):
            parts.append((part, (i, 0) if part is None or isinstance(part, slice) else None))
    numpys = [(_is_array(part) or _is_number(part), label) for part, label in parts]
    torchs = [(_is_array(part), label) for part, label in parts if not _is_number(part) and part is not Ellipsis]
    now, then = layout(torchs, picked), layout(numpys, picked)
    return None if now == then else [now.index(label) for label in then]


def arrays_first(key: Any, ndim: int) -> tuple[list[int], tuple[Any, ...]] | None:
    """An order of axes and a key in which the arrays of `key` come first; None if they are adjacent in `key`.

    For a library that refuses arrays that are not adjacent. The result is that of PyTorch.
    """
    if type(key) is not tuple:
        return None
    at = [i for i, part in enumerate(key) if _is_array(part)]
    if not at or all(_is_array(part) or _is_number(part) for part in key[at[0] : at[-1]]):
        return None
    whole = ndim - sum(axes_taken(part) for part in key)
    parts: list[tuple[Any, list[int]]] = []  # each with the axes that it indexes
    axis = 0
    for part in key if any(part is Ellipsis for part in key) else (*key, ...):
        for each in [slice(None)] * whole if part is Ellipsis else [part]:
            taken = axes_taken(each)
            parts.append((each, list(range(axis, axis + taken))))
            axis += taken
    parts.sort(key=lambda part: not _is_array(part[0]))
    return [axis for _, axes in parts for axis in axes], tuple(part for part, _ in parts)


def _is_array(part: Any) -> bool:
    return hasattr(part, "dtype") and (part.ndim > 0 or is_mask(part))


def _is_number(part: Any) -> bool:
    """Whether a part is an integer, also as a 0-d array."""
    return isinstance(part, int) or (hasattr(part, "dtype") and not _is_array(part))


def is_mask(part: Any) -> bool:
    return isinstance(part, bool) or str(getattr(part, "dtype", "")).endswith("bool")


def axes_taken(part: Any) -> int:
    """The number of axes of the array that a part of a key indexes."""
    if part is None or part is Ellipsis:
        return 0
    return len(getattr(part, "shape", ())) if is_mask(part) else 1
