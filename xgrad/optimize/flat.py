"""Trees of arrays as one vector: the minimizers compute with vectors, and the function gets trees."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg
from xgrad.backends.data import is_scalar
from xgrad.engine.tensor import Tensor
from xgrad.engine.trees import flatten
from xgrad.transforms.grad import place_of, to_tensor


class Flat:
    """The start of a minimization as a vector, and the way back from vectors to trees of its structure, shapes and dtypes.

    The vector has the widest dtype of the leaves, and float32 for half precision. Integers become the default dtype. A list or
    tuple of numbers, also nested, is an array, as for SciPy; any other list, tuple or dict is a tree.
    """

    def __init__(self, name: str, x0: Any) -> None:
        is_array = is_numbers(x0) or (type(x0) is list and not x0)
        leaves, self.rebuild = ([x0], _only) if is_array else flatten(x0)
        place = place_of(leaves)
        self.leaves = [_real(name, leaf, place) for leaf in leaves]
        if not self.leaves:
            self.leaves, self.rebuild = [xg.zeros((0,))], lambda _: x0  # an empty dict
        self.backend = self.leaves[0].backend
        for leaf in self.leaves:
            if leaf.backend is not self.backend:
                raise TypeError(f"{name}: x0 must be on one backend, got {self.backend} and {leaf.backend}")
        xp = self.backend.xp
        kinds = [leaf.dtype for leaf in self.leaves]
        is_half = all(xp.finfo(kind).bits < 32 for kind in kinds)
        self.dtype = xp.float32 if is_half else xp.result_type(*kinds)
        self.sizes = [math.prod(leaf.shape) for leaf in self.leaves]
        self.size = sum(self.sizes)
        self.start = self.vector(self.leaves)

    def vector(self, leaves: list[Any]) -> Tensor:
        """The vector of leaves that have the shapes of the start's."""
        if len(leaves) == 1 and len(leaves[0].shape) == 1 and leaves[0].dtype == self.dtype:
            alone: Tensor = leaves[0]
            return alone
        parts = [xg.astype(xg.reshape(leaf, (-1,)), self.dtype, copy=False) for leaf in leaves]
        return parts[0] if len(parts) == 1 else xg.concat(parts)

    def tree(self, vector: Tensor) -> Any:
        """The tree of a vector."""
        return self.rebuild(self.split(vector))

    def split(self, vector: Tensor) -> list[Tensor]:
        """The leaves of a vector."""
        found, end = [], 0
        for leaf, size in zip(self.leaves, self.sizes, strict=True):
            start, end = end, end + size
            part = vector if size == self.size else vector[start:end]
            if len(leaf.shape) != 1:
                part = xg.reshape(part, leaf.shape)
            found.append(part if leaf.dtype == self.dtype else xg.astype(part, leaf.dtype))
        return found

    def columns(self, blocks: list[Any], rows: int) -> Tensor:
        """The matrix of the blocks of a Jacobian: a column for each element of the vector."""
        parts = [
            xg.astype(xg.reshape(block, (rows, size)), self.dtype, copy=False)
            for block, size in zip(blocks, self.sizes, strict=True)
        ]
        return parts[0] if len(parts) == 1 else xg.concat(parts, axis=1)


def _only(leaves: list[Any]) -> Any:
    return leaves[0]


def is_numbers(value: Any) -> bool:
    """Whether a value is a list or tuple that holds numbers, or such lists and tuples, and nothing else.

    >>> is_numbers([1.0, 2.0]), is_numbers([[1, 2], [3, 4]]), is_numbers([1.0, [2.0]]), is_numbers(())
    (True, True, True, False)
    """
    if type(value) not in (tuple, list) or not value:
        return False
    return all(is_scalar(item) or is_numbers(item) for item in value)


def _real(name: str, leaf: Any, place: Any) -> Tensor:
    """A leaf of the start as a tensor of real floating-point numbers."""
    x = xg.asarray(leaf) if type(leaf) in (tuple, list) else to_tensor(leaf, "in x0", place)
    if xg.isdtype(x.dtype, "complex floating"):
        raise TypeError(
            f"{name}: x0 is complex. Pass its real and its imaginary part as two arrays, and put them together in the function "
            "(xgrad.from_parts)."
        )
    x = x.detach()
    return x if xg.isdtype(x.dtype, "real floating") else xg.astype(x, x.backend.default_dtype)
