"""What an export refuses, and the library that writes ONNX."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class ExportError(RuntimeError):
    """`xgrad.onnx.export` cannot write this function as an ONNX graph. The message says what, where, and what can be done.

    >>> import xgrad as xg
    >>> issubclass(xg.onnx.ExportError, RuntimeError)
    True
    """


def library(part: str = "onnx") -> Any:
    """The onnx package, or a module of it.

    Raises:
        ImportError: where it is not installed, with the line that installs it.
    """
    try:
        return import_module(part)
    except ImportError as error:
        raise ImportError(
            f'xgrad.onnx.export needs the package onnx: pip install "xgrad[onnx]" ({error})', name="onnx"
        ) from None
