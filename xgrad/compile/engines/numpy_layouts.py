"""A first run, call by call, that notes how each value lies in memory.

The engine's arrays have the strides that eager ones have, because the order of elements decides how sums are rounded. Which strides
those are depends on the inputs' and on how NumPy's functions are written, so that they are looked at, not derived.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from xgrad.compile.program import NUMBER, OPERATORS, Program, Ref, function_of, last_uses, mapped, used_by


class Layout(NamedTuple):
    """How a value lies in memory: None for the dtype of a Python number; `shares` is an operand that has the same memory."""

    shape: tuple[int, ...]
    dtype: Any
    strides: tuple[int, ...]
    shares: int | None = None


def owner(x: Any) -> Any:
    """The object that has the memory of an array."""
    base = getattr(x, "base", None)
    return x if base is None else base


def layout_of(x: Any, shares: int | None = None) -> Layout:
    if isinstance(x, np.ndarray):
        return Layout(x.shape, x.dtype, x.strides, shares)
    return Layout((), getattr(x, "dtype", None), (), shares)


def eager_function(xp: Any, name: str, on_numbers: bool = False) -> Callable[..., Any]:
    """The function that eager code calls: NumPyRaw's. (Its `pow` has ways of its own, which Python's operator has not.)"""
    if on_numbers:
        return OPERATORS.get(name, abs)
    if name == "divide_into":  # NumPyRaw's writes over an operand, which may have another use in a program
        return operator.truediv
    return function_of(xp, name)


def observe(program: Program, xp: Any, inputs: Sequence[Any]) -> tuple[list[Any], dict[int, Layout]]:
    """The outputs, as `replay` gives them, and the layouts of all values."""
    values: dict[int, Any] = dict(zip(program.inputs, inputs, strict=True))
    values.update(program.constants)
    layouts = {number: layout_of(value) for number, value in values.items()}

    def value_of(operand: Any) -> Any:
        return values[operand.number] if type(operand) is Ref else getattr(xp, operand.name)

    last = last_uses(program)
    for i, instruction in enumerate(program.instructions):
        name, args, options, results, several = instruction
        given = mapped(args, value_of)
        found = eager_function(xp, name, program.specs[results[0]].dtype == NUMBER)(*given, **{key: mapped(option, value_of) for key, option in options.items()})
        owners = {id(owner(values[number])): number for number in used_by(instruction)}
        for number, value in zip(results, found if several else (found,), strict=True):
            if isinstance(value, np.generic):  # as eager code does: NumPy's scalars multiply complex numbers otherwise
                value = np.asarray(value)
            values[number] = value
            layouts[number] = layout_of(value, owners.get(id(owner(value))))
        for number in last.get(i, ()):
            del values[number]
    return [values[number] for number in program.outputs], layouts


def separate(found: Sequence[Any], held: Sequence[Any]) -> list[Any]:
    """Each of the results as an array of its own that shares no memory with those in `held`. Python numbers stay."""
    taken = {id(owner(x)) for x in held}
    made = []
    for y in found:
        if isinstance(y, np.ndarray):
            if y.base is not None or id(y) in taken:
                y = np.array(y)
            taken.add(id(y))
        elif isinstance(y, np.generic):
            y = np.asarray(y)
        made.append(y)
    return made
