"""The state of a differential equation: an array of one axis, or a tree of arrays, and its right-hand side."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import xgrad as xg
from xgrad.backends.data import is_scalar
from xgrad.engine.tensor import Tensor
from xgrad.engine.trees import Rebuild, flatten, structure
from xgrad.rules.numpy_functions.face import floating, is_complex, tensors

Field = Callable[[Tensor, Tensor], Tensor]


class State:
    """A start y0 as one vector, and vectors as trees like y0.

    A number, an array of one axis, and a list or tuple of numbers are vectors as for SciPy. Any other dict, list or tuple is a
    tree of arrays of any shape.
    """

    def __init__(self, name: str, y0: Any) -> None:
        self.name = name
        self.is_tree = isinstance(y0, dict) or (isinstance(y0, list | tuple) and not all(map(_is_number, y0)))
        leaves, rebuild = flatten(y0) if self.is_tree else ([y0], _only)
        self.rebuild: Rebuild = rebuild
        found = [floating(x) for x in tensors(f"scipy.integrate.{name}: y0", *leaves)]
        if not self.is_tree:
            if found[0].ndim > 1:
                raise ValueError(
                    f"{name}: y0 has one axis, not shape {tuple(found[0].shape)}. For a state of another shape pass a "
                    "tuple, (y0,)"
                )
            found = [xg.reshape(found[0], (-1,))]
        self.shapes = [tuple(x.shape) for x in found]
        self.sizes = [math.prod(shape) for shape in self.shapes]
        self.structure = structure(y0) if self.is_tree else None
        self.start = self.vector(found)

    def vector(self, leaves: list[Tensor]) -> Tensor:
        if len(leaves) == 1 and leaves[0].ndim == 1:
            return leaves[0]
        dtype = xg.result_type(*leaves)
        return xg.concat([xg.astype(xg.reshape(x, (-1,)), dtype, copy=False) for x in leaves])

    def tree(self, vector: Tensor) -> Any:
        """The tree of a vector, or of rows of vectors; in the latter case the axis of the rows is the first one of each array."""
        if not self.is_tree:
            return vector
        parts, end = [], 0
        for shape, size in zip(self.shapes, self.sizes, strict=True):
            start, end = end, end + size
            parts.append(xg.reshape(vector[..., start:end], (*vector.shape[:-1], *shape)))
        return self.rebuild(parts)

    def slope(self, value: Any) -> Tensor:
        """What the right-hand side returned, as a vector."""
        name, like = self.name, self.start
        if self.is_tree:
            if structure(value) != self.structure:
                raise ValueError(
                    f"{name}: the function must return a tree like y0, {self.structure}, not {structure(value)}"
                )
            leaves = [*tensors(f"scipy.integrate.{name}", *flatten(value)[0])]
            shapes = [tuple(x.shape) for x in leaves]
            if shapes != self.shapes:
                raise ValueError(f"{name}: the function must return arrays of the shapes {self.shapes}, not {shapes}")
            found = self.vector(leaves)
        else:
            found = tensors(f"scipy.integrate.{name}", value)[0]
            if found.ndim == 2 and 1 in found.shape:
                found = xg.reshape(found, (-1,))  # a list of arrays with one element
            if found.ndim == 0 and like.shape == (1,):
                found = xg.reshape(found, (1,))
            if found.shape != like.shape:
                raise ValueError(
                    f"{name}: the function must return shape {tuple(like.shape)}, not {tuple(found.shape)}"
                )
        if is_complex(found) and not is_complex(like):
            raise ValueError(
                f"{name}: the function returned complex numbers. Make y0 complex: xgrad.astype(y0, xgrad.complex128)"
            )
        return found if found.dtype == like.dtype else xg.astype(found, like.dtype)


class RightHandSide:
    """The right-hand side as a function of vectors, and how often it was called."""

    def __init__(self, state: State, function: Callable[..., Any], args: tuple[Any, ...], *, time_first: bool) -> None:
        if not callable(function):
            raise TypeError(f"{state.name}: the right-hand side must be a function, not {type(function).__name__}")
        self.state, self.function, self.args, self.time_first = state, function, args, time_first
        self.count = 0

    def __call__(self, t: Tensor, y: Tensor) -> Tensor:
        self.count += 1
        first = (t, self.state.tree(y)) if self.time_first else (self.state.tree(y), t)
        return self.state.slope(self.function(*first, *self.args))


def _is_number(value: Any) -> bool:
    return is_scalar(value) or getattr(value, "shape", None) == ()


def _only(leaves: list[Any]) -> Any:
    return leaves[0]
