"""The parts of a program as JSON: operands, specs and constants, each exactly, and each checked when it is read.

A value is "v3", and with its spec "v3: float32[2, 5]". A tuple is an array. What JSON lacks is an object with one key, such as
{"dtype": "float32"}. Readers raise Invalid, a ValueError.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from typing import Any, NoReturn

from xgrad.backends import array_bytes
from xgrad.compile.passes.kinds import ITEMSIZES, nbytes
from xgrad.compile.program import NOTHING, NUMBER, DType, Ref, Spec

MOST_BYTES = 1 << 42  # of a value; more is no program that ran anywhere
MOST_AXES = 64
_INTEGERS = 1 << 64
_VALUE = re.compile(r"v(0|[1-9][0-9]{0,8})")
_SPEC = re.compile(rf"({_VALUE.pattern}): ([a-z0-9]+)(?:\[((?:[0-9]{{1,19}}(?:, [0-9]{{1,19}})*)?)\])?")
_BITS = re.compile(r"[0-9a-f]{16}")
_NAN = struct.pack(">d", math.nan).hex()


class Invalid(ValueError):  # noqa: N818
    """What is wrong with a part of a file."""


def invalid(what: str) -> NoReturn:
    raise Invalid(what)


def shown(part: Any) -> str:
    """A part of a file in a message."""
    text = repr(part)
    return text if len(text) <= 60 else text[:57] + "..."


# --- values -------------------------------------------------------------------------------------------------


def read_number(text: Any) -> int:
    """The number of the value that is written as "v3"."""
    match = _VALUE.fullmatch(text) if isinstance(text, str) else None
    return int(match[1]) if match else invalid(f"{shown(text)} is no value (a value is as 'v3')")


def write_spec(number: int, spec: Spec) -> str:
    if spec.dtype in (NUMBER, NOTHING):
        return f"v{number}: {spec.dtype}"
    if spec.dtype not in ITEMSIZES:
        invalid(f"v{number} has dtype {spec.dtype}, which cannot be saved")
    return f"v{number}: {spec.dtype}[{', '.join(map(str, spec.shape))}]"


def read_spec(text: Any) -> tuple[int, Spec]:
    match = _SPEC.fullmatch(text) if isinstance(text, str) else None
    if not match:
        invalid(f"{shown(text)} is no value with shape and dtype (as 'v3: float32[2, 5]')")
    _, number, dtype, shape = match.groups()  # type: ignore[union-attr]
    if (shape is None) != (dtype in (NUMBER, NOTHING)) or (shape is not None and dtype not in ITEMSIZES):
        invalid(
            f"v{number}: {dtype!r} is no dtype" if shape is not None else f"v{number} of dtype {dtype!r} has no shape"
        )
    spec = Spec(tuple(map(int, shape.split(", "))) if shape else (), dtype)
    if len(spec.shape) > MOST_AXES:
        invalid(f"v{number} has {len(spec.shape)} axes")
    if dtype in ITEMSIZES and max((nbytes(spec), *spec.shape)) > MOST_BYTES:
        invalid(f"v{number} of shape {spec.shape} is too large for any machine")
    return int(number), spec


# --- operands -----------------------------------------------------------------------------------------------


def write_operand(operand: Any) -> Any:
    """An operand of an instruction. Raises Invalid for one that a program cannot have."""
    kind = type(operand)
    if operand is None or kind is bool:
        return operand
    if kind is Ref:
        return f"v{operand.number}"
    if kind is int:
        return operand if abs(operand) <= _INTEGERS else invalid(f"an integer of {operand.bit_length()} bits")
    if kind is float:
        return _write_float(operand)
    if operand is ...:
        return "..."
    if kind is complex:
        return {"complex": [_write_float(operand.real), _write_float(operand.imag)]}
    if kind is DType:
        return {"dtype": operand.name}
    if kind is str:
        return {"text": operand}
    if kind is tuple:
        return [write_operand(part) for part in operand]
    if kind is list:
        return {"list": [write_operand(part) for part in operand]}
    if kind is slice:
        return {"slice": [write_operand(part) for part in (operand.start, operand.stop, operand.step)]}
    invalid(f"an operand of type {kind.__name__} cannot be saved")


def read_operand(part: Any) -> Any:
    if part is None or isinstance(part, bool | float):
        return part
    if isinstance(part, int):
        return part if abs(part) <= _INTEGERS else invalid("an integer is too large")
    if isinstance(part, str):
        return ... if part == "..." else Ref(read_number(part))
    if isinstance(part, list):
        return tuple([read_operand(each) for each in part])
    if not isinstance(part, dict) or len(part) != 1:
        invalid(f"{shown(part)} is no operand")
    ((key, inner),) = part.items()
    read = _READERS.get(key) or invalid(f"{shown(key)} is no kind of operand")
    return read(inner)


def _write_float(value: float) -> Any:
    if math.isfinite(value):
        return value
    bits = struct.pack(">d", value).hex()
    return {"float": str(value) if bits == _NAN or not math.isnan(value) else bits}


def _read_float(part: Any) -> float:
    if part in ("inf", "-inf", "nan"):
        return float(part)
    if not isinstance(part, str) or not _BITS.fullmatch(part):
        invalid(f"{shown(part)} is no float")
    value: float = struct.unpack(">d", bytes.fromhex(part))[0]
    return value


def _read_real(part: Any) -> float:
    if isinstance(part, float):
        return part
    if not isinstance(part, dict) or list(part) != ["float"]:
        invalid(f"{shown(part)} is no float")
    return _read_float(part["float"])


def _read_complex(part: Any) -> complex:
    parts = part if isinstance(part, list) and len(part) == 2 else invalid(f"{shown(part)} is no complex number")
    return complex(*map(_read_real, parts))


def _read_dtype(part: Any) -> DType:
    return DType(part) if isinstance(part, str) and part in ITEMSIZES else invalid(f"{shown(part)} is no dtype")


def _read_text(part: Any) -> str:
    return part if isinstance(part, str) and len(part) < 100 else invalid(f"{shown(part)} is no text")


def _read_list(part: Any) -> list[Any]:
    return [read_operand(each) for each in part] if isinstance(part, list) else invalid(f"{shown(part)} is no list")


def _read_slice(part: Any) -> slice:
    parts = _read_list(part)
    if len(parts) != 3 or any(type(each) not in (int, type(None), Ref) for each in parts):
        invalid(f"{shown(part)} is no slice")
    return slice(*parts)


_READERS: dict[str, Callable[[Any], Any]] = {
    "float": _read_float,
    "complex": _read_complex,
    "dtype": _read_dtype,
    "text": _read_text,
    "list": _read_list,
    "slice": _read_slice,
}


# --- constants ----------------------------------------------------------------------------------------------


def write_constant(spec: Spec, host: Any) -> dict[str, Any]:
    """A NumPy array, as array_bytes.py writes it."""
    if host.dtype.name != spec.dtype or host.shape != spec.shape:
        invalid(f"a constant of dtype {host.dtype} and shape {host.shape} has the spec {spec}")
    return array_bytes.write(host)


def read_constant(spec: Spec, part: Any) -> Any:
    if spec.dtype in (NUMBER, NOTHING):
        invalid(f"a constant has no dtype {spec.dtype!r}")
    if not isinstance(part, dict):
        invalid(f"{shown(part)} is no constant")
    try:
        return array_bytes.read(part, spec.shape, spec.dtype)
    except ValueError as error:
        raise Invalid(f"a constant {spec}: {error}") from None
