"""Arguments as floating-point tensors."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad.engine.operands import operand
from xgrad.engine.tensor import Tensor
from xgrad.nn.checks import array


def floating(name: str, x: Any) -> Tensor:
    """An array or a number as a tensor of a floating-point dtype. Integers become floats of the default dtype."""
    x = array(name, operand(name, x))
    tensor: Tensor = x if x.backend.is_inexact(x.dtype) else xg.astype(x, x.backend.default_dtype)
    return tensor
