"""The array that vmap works with: an array of a library with hidden batch axes.

In a function under vmap, an array has the shape of one example, and holds all examples. The batch axis comes first and is hidden.
Nested vmaps give several hidden axes. An array that is the same for all examples has no hidden axis and is not copied.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any, ClassVar

_next_number = count().__next__


class Axis:
    """A hidden axis: the batch axis of one call of a function under vmap."""

    __slots__ = ("__weakref__", "number", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.number = _next_number()  # hidden axes are in this order, that of the outermost vmap first

    def __repr__(self) -> str:
        return f"<{self.size} examples>"


Axes = tuple[Axis, ...]


def merged(*several: Iterable[Axis]) -> Axes:
    """The union of these axes, in order."""
    first: Any = ()
    for axes in several:
        if axes and axes != first:
            if first:
                break
            first = axes
    else:
        return tuple(first)
    found = {axis for axes in several for axis in axes}
    return tuple(sorted(found, key=lambda axis: axis.number))


class Batched:
    """An array of a batching `backend`: `value` is an array of the library, whose first axes are the hidden `axes`."""

    __slots__ = ("axes", "backend", "value")

    __array_ufunc__: ClassVar[None] = None  # so that a NumPy scalar on the left leaves the operation to this class

    def __init__(self, value: Any, axes: Axes, backend: Any) -> None:
        self.value = value
        self.axes = axes
        self.backend = backend

    @property
    def xgrad_backend(self) -> Any:
        return self.backend

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape[len(self.axes) :])

    @property
    def ndim(self) -> int:
        return len(self.value.shape) - len(self.axes)

    @property
    def dtype(self) -> Any:
        return self.value.dtype

    @property
    def device(self) -> Any:
        return self.backend.device

    @property
    def hidden(self) -> tuple[int, ...]:
        """The lengths of the hidden axes."""
        return tuple(axis.size for axis in self.axes)

    def like(self, value: Any, axes: Axes | None = None) -> Batched:
        """An array with another value on the same backend; its hidden axes are the same unless given."""
        return Batched(value, self.axes if axes is None else axes, self.backend)

    def spread(self, axes: Axes, ndim: int) -> Any:
        """The value with these hidden axes and `ndim` others, for broadcasting: axes that are missing have length 1."""
        missing = ndim - self.ndim
        if missing == 0 and axes == self.axes:
            return self.value
        key = [slice(None) if axis in self.axes else None for axis in axes]
        return self.value[(*key, *(None,) * missing, ...)]

    def __repr__(self) -> str:
        return f"Batched({self.value!r}, {len(self.axes)} hidden axes)"

    def __getitem__(self, key: Any) -> Batched:
        """The part at a key of slices, integers, None and `...`. `xp.getitem` is for keys with arrays."""
        key = key if isinstance(key, tuple) else (key,)
        return self.like(self.value[(*(slice(None),) * len(self.axes), *key)])

    def __bool__(self) -> bool:
        return bool(self.backend.to_numpy(self))

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return self.backend.to_numpy(self)

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self.value.__dlpack__(**kwargs) if not self.axes else self.backend.to_numpy(self)


def full(x: Batched, axes: Axes) -> Any:
    """The value with all these hidden axes in their full length."""
    if axes == x.axes:
        return x.value
    shape = (*(axis.size for axis in axes), *x.shape)
    return x.backend.base.xp.broadcast_to(x.spread(axes, x.ndim), shape)


def agreed(x: Batched) -> Batched | None:
    """x without hidden axes, if all examples have the same values; None if they differ. It compares the values."""
    if not x.axes:
        return x
    if 0 in x.hidden:
        return None
    base = x.backend.base
    one = x.value[(*(0,) * len(x.axes), ...)]
    return x.like(one, ()) if base.to_numpy(base.xp.all(x.value == one)) else None


# --- operators ----------------------------------------------------------------------------------------------


def apply_elementwise(function: Callable[..., Any], *args: Any, **static: Any) -> Batched:
    """Apply a function to arrays that broadcast to one shape, and to numbers."""
    arrays = [arg for arg in args if type(arg) is Batched]
    first = arrays[0]
    axes = first.axes
    if len(arrays) == 1 or all(array.axes == axes and array.ndim == first.ndim for array in arrays):
        values = [arg.value if type(arg) is Batched else arg for arg in args]
    else:
        axes, ndim = merged(*(array.axes for array in arrays)), max(array.ndim for array in arrays)
        values = [arg.spread(axes, ndim) if type(arg) is Batched else arg for arg in args]
    return Batched(function(*values, **static), axes, first.backend)


def _operator(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: apply_elementwise(function, *args)


def _reflected(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, other: apply_elementwise(function, other, self)


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and_", "or_", "xor", "lshift", "rshift"):
    _function = getattr(operator, _name)
    setattr(Batched, f"__{_name.rstrip('_')}__", _operator(_function))
    setattr(Batched, f"__r{_name.rstrip('_')}__", _reflected(_function))
for _name in ("lt", "le", "gt", "ge", "eq", "ne", "neg", "pos", "abs", "invert"):
    setattr(Batched, f"__{_name}__", _operator(getattr(operator, _name)))
