"""Values and steps: what the numpy engine makes of a program before it writes code.

A step is one call, such as `add(a, b, out)`. Arrays that the engine makes are written by steps into memory that is planned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

INPUT, CONSTANT, NUMBER, CELL, MADE, OBJECT, VIEW = "input", "constant", "number", "cell", "made", "object", "view"

Strides = tuple[int, ...]
_UNKNOWN = object()


class Value:
    """An array, or a Python float.

    Attributes:
        kind: INPUT of a run; CONSTANT; NUMBER, a Python float; CELL, a 0-d array that is written in each run from a number;
            MADE, written by steps into planned memory; OBJECT, what a call returned; VIEW of another value.
        shape, dtype, strides: of the array. The strides are those that the eager array has.
        of: the value that a VIEW or a CELL is made of, or that an OBJECT may share memory with.
        data: the array of a CONSTANT, or the position of an INPUT. "bits" for a VIEW of an array as integers, which no step makes.
    """

    __slots__ = ("_order", "data", "dtype", "kind", "of", "root", "shape", "size", "strides")

    root: Value  # the value whose memory this one is in

    def __init__(
        self,
        kind: str,
        shape: tuple[int, ...] = (),
        dtype: Any = None,
        strides: Strides = (),
        *,
        of: Value | None = None,
        data: Any = None,
    ) -> None:
        self.kind, self.shape, self.dtype, self.strides = kind, shape, dtype, strides
        self.of, self.data = of, data
        self.root = self if of is None or kind == CELL else of.root
        self.size = prod(shape)
        self._order: Any = _UNKNOWN

    @property
    def nbytes(self) -> int:
        return int(self.size * self.dtype.itemsize)

    def is_like(self, other: Value) -> bool:
        """Whether each element is at the same place as in the other, if both start at the same address."""
        if self.shape != other.shape or self.dtype.itemsize != other.dtype.itemsize:
            return False
        return self.strides == other.strides or (self.order is not None and self.order == other.order)

    @property
    def order(self) -> tuple[int, ...] | None:
        """The axes longer than 1 from the outermost to the innermost in memory, if elements lie there without gaps."""
        found = self._order
        if found is _UNKNOWN:
            found = self._order = _order(self.shape, self.strides, self.dtype.itemsize)
        return found  # type: ignore[no-any-return]

    @property
    def is_c(self) -> bool:
        order = self.order
        return order is not None and order == tuple(sorted(order))


def _order(shape: tuple[int, ...], strides: Strides, itemsize: int) -> tuple[int, ...] | None:
    if strides == strides_of(shape, itemsize):
        return tuple([a for a, n in enumerate(shape) if n != 1])
    axes = sorted((a for a, n in enumerate(shape) if n != 1), key=lambda a: -abs(strides[a]))
    step = itemsize
    if 0 not in shape:
        for a in reversed(axes):
            if strides[a] != step:
                return None
            step *= shape[a]
    return tuple(axes)


class Step:
    """One call.

    Attributes:
        function: what is called.
        args: its operands: Values, other objects, and tuples, lists and slices of these.
        options: keyword arguments, which are the same in each run.
        out: the value that it writes, which is passed as the last argument, or as `out=`, or as the first one ("place").
        scratch: values that it uses as free memory, passed after the other arguments.
        binds: the values that its result gives: a view, an object, or several objects.
        is_elementwise: whether it reads and writes arrays element by element, and may write over an operand.
        may_raise: whether it can raise an error other than a floating-point one.
        note: the name of the instruction that it is a part of.
    """

    __slots__ = (
        *("args", "binds", "function", "is_elementwise", "is_sum", "is_view", "may_raise", "note", "options", "out"),
        *("_reads", "_roots", "_touches", "place", "scratch", "several"),
    )

    def __init__(
        self,
        function: Any,
        args: Sequence[Any],
        out: Value | None = None,
        *,
        options: dict[str, Any] | None = None,
        place: str = "last",
        scratch: Sequence[Value] = (),
        binds: Sequence[Value] = (),
        several: bool = False,
        is_elementwise: bool = False,
        is_view: bool = False,
        is_sum: bool = False,
        may_raise: bool = False,
        note: str = "",
    ) -> None:
        self.function: Callable[..., Any] | str = function
        self.args = tuple(args)
        self.options = options or {}
        self.out = out
        self.place = place
        self.scratch = tuple(scratch)
        self.binds = tuple(binds)
        self.several = several
        self.is_elementwise = is_elementwise
        self.is_view = is_view
        self.is_sum = is_sum
        self.may_raise = may_raise
        self.note = note
        self._reads: tuple[Value, ...] | None = None
        self._touches: tuple[Value, ...] | None = None
        self._roots: set[Value] | None = None

    @property
    def reads(self) -> tuple[Value, ...]:
        """The values that are operands."""
        if self._reads is None:
            found = list(values_in(self.args))
            if self.options:
                found += values_in(tuple(self.options.values()))
            self._reads = tuple(found)
        return self._reads

    @property
    def writes(self) -> tuple[Value, ...]:
        """The values that are written, or given by the result."""
        return (*self.scratch, *self.binds) if self.out is None else (self.out, *self.scratch, *self.binds)

    @property
    def touches(self) -> tuple[Value, ...]:
        """All values in it."""
        if self._touches is None:
            self._touches = (*self.reads, *self.writes)
        return self._touches

    @property
    def roots(self) -> set[Value]:
        """The roots of all values in it."""
        if self._roots is None:
            self._roots = {value.root for value in self.touches}
        return self._roots


def values_in(operand: Any) -> Iterator[Value]:
    """The Values in an operand."""
    if type(operand) is Value:
        yield operand
    elif type(operand) in (tuple, list):
        for part in operand:
            yield from values_in(part)
    elif type(operand) is slice:
        yield from values_in((operand.start, operand.stop, operand.step))


def strides_of(shape: Sequence[int], itemsize: int) -> Strides:
    """The strides of a new array in C order."""
    strides, step = [], itemsize
    for n in reversed(shape):
        strides.append(step)
        step *= max(n, 1)
    return tuple(reversed(strides))


def is_array_dtype(dtype: Any) -> bool:
    """Whether arrays of this dtype may be in planned memory."""
    return isinstance(dtype, np.dtype) and dtype.kind in "biufc"
