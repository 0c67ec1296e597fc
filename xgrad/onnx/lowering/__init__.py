"""How each function is written as nodes of ONNX, one file for each chapter."""

from xgrad.onnx.lowering import (  # noqa: F401
    activations,
    attention,
    elementwise,
    indexing,
    linear_algebra,
    manipulation,
    recurrent,
    reductions,
    searching,
    windows,
    writing,
)
from xgrad.onnx.lowering.table import TABLE as TABLE
