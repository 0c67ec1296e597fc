"""How each function is written as nodes of ONNX, one file for each chapter."""

from xgrad.onnx.lowering import (  # noqa: F401
    activations,
    arithmetic,
    attention,
    indexing,
    linear_algebra,
    recurrent,
    reductions,
    reshaping,
    searching,
    updates,
    windows,
)
from xgrad.onnx.lowering.table import TABLE as TABLE
