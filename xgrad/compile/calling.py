"""A program that is called like a function of tensors: by replay on xgrad's own namespace."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

from xgrad.backends import get_backend, is_host_data, owner
from xgrad.compile.program import NUMBER, Program, replay
from xgrad.engine.tensor import Tensor


def run(program: Program, args: Sequence[Any]) -> Any:
    """The outputs of the program for these arguments; see Program.__call__."""
    if len(args) != len(program.inputs):
        raise ValueError(f"the program takes {len(program.inputs)} arguments, and got {len(args)}")
    found = next((arg.backend for arg in args if isinstance(arg, Tensor)), None) or next(
        (backend for arg in args if (backend := _owner(arg)) is not None), get_backend()
    )
    xp = found.here().view
    given = [_argument(program, i, arg, xp) for i, arg in enumerate(args)]
    outputs = replay(program, xp, given, lambda array: _constant(xp, array))
    return outputs[0] if len(outputs) == 1 else tuple(outputs)


def _owner(arg: Any) -> Any:
    """The backend of an array; None for NumPy's, which go to the current backend, and for what is no array."""
    return None if is_host_data(arg) or not hasattr(arg, "dtype") else owner(arg)


def _argument(program: Program, i: int, arg: Any, xp: Any) -> Any:
    number = program.inputs[i]
    spec, name = program.specs[number], program.names.get(number) or f"v{number}"
    where = f"argument {i + 1} of the program ({name})"
    if spec.dtype == NUMBER:
        if (
            isinstance(arg, bool)
            or not isinstance(arg, numbers.Number)
            or isinstance(arg, complex)
            or hasattr(arg, "shape")
        ):
            raise ValueError(f"{where} is a float, and not {_described(arg)}")
        return float(arg) if isinstance(arg, int) else arg
    if not isinstance(arg, Tensor):
        if not hasattr(arg, "dtype"):
            raise ValueError(f"{where} is an array {spec}, and not {_described(arg)}")
        arg = xp.asarray(arg)
    if tuple(arg.shape) != spec.shape or arg.dtype != getattr(xp, spec.dtype, None):
        raise ValueError(f"{where} is {spec}, and not an array of shape {tuple(arg.shape)} and dtype {arg.dtype}")
    return arg


def _constant(xp: Any, array: Any) -> Any:
    if type(array).__module__ == "numpy" and array.dtype.name == "bfloat16":  # few libraries take this array
        return xp.astype(xp.asarray(array.astype("float32")), xp.bfloat16)
    return xp.asarray(array)


def _described(arg: Any) -> str:
    return f"an array of shape {tuple(arg.shape)}" if hasattr(arg, "shape") else f"a {type(arg).__name__}"


Program.run = run
