"""The dtypes of a program and those of ONNX."""

from __future__ import annotations

from collections.abc import Sequence

from xgrad.compile.program import NUMBER

ONNX = {
    "bool": "BOOL", "int8": "INT8", "int16": "INT16", "int32": "INT32", "int64": "INT64",
    "uint8": "UINT8", "uint16": "UINT16", "uint32": "UINT32", "uint64": "UINT64",
    "float16": "FLOAT16", "float32": "FLOAT", "float64": "DOUBLE",
}  # fmt: skip
FLOATS = ("float16", "float32", "float64")
_ORDER = ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", *FLOATS)


def is_float(dtype: str) -> bool:
    return dtype in FLOATS


def is_integer(dtype: str) -> bool:
    return "int" in dtype


def common(dtypes: Sequence[str]) -> str:
    """The dtype in which arrays of these are compared: the largest, where a float is larger than an integer."""
    return max((dtype for dtype in dtypes if dtype != NUMBER), key=_ORDER.index)
