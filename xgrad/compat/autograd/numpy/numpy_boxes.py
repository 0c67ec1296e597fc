"""What HIPS autograd calls a traced array: a tensor."""

from xgrad.engine.tensor import Tensor as ArrayBox

__all__ = ["ArrayBox"]
