"""Parameters as one vector of real numbers: their gradient, and moving them along a direction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor


class FlatParameters:
    """The parameters of an optimizer as one vector. Complex ones count as their real and imaginary parts, side by side.

    The vector has the widest real dtype of the parameters, and float32 for half precision.
    """

    def __init__(self, name: str, params: Sequence[Tensor]) -> None:
        self.params = params
        backend = params[0].backend
        for p in params:
            if p.backend is not backend:
                raise TypeError(f"{name}: the parameters must be on one backend, got {backend} and {p.backend}")
        xp = backend.xp
        kinds = [xg.real(p.detach()).dtype if is_complex(p) else p.dtype for p in params]
        self.dtype = xp.float32 if all(xp.finfo(kind).bits < 32 for kind in kinds) else xp.result_type(*kinds)

    def gradient(self) -> Tensor:
        """The gradient as a vector, with 0 for parameters that have none."""
        parts = [xg.zeros_like(p) if p.grad is None else p.grad.detach() for p in self.params]
        return xg.concat([self._vector(part) for part in parts])

    def zeros(self) -> Tensor:
        """A vector of zeros."""
        parts = [xg.zeros_like(p.detach()) for p in self.params]
        return xg.concat([self._vector(part) for part in parts])

    def _vector(self, part: Tensor) -> Tensor:
        if is_complex(part):
            part = xg.stack([xg.real(part), xg.imag(part)], axis=-1)
        return xg.astype(xg.reshape(part, (-1,)), self.dtype)

    def values(self) -> list[Any]:
        """The arrays of the parameters. They are not written while they are held."""
        return [p.data for p in self.params]

    def put(self, values: list[Any]) -> None:
        """Set the parameters to these arrays."""
        for p, value in zip(self.params, values, strict=True):
            p.data = value

    def move(self, step: float, vector: Tensor) -> None:
        """Add `step` times the vector to the parameters."""
        start = 0
        for p in self.params:
            width = 2 if is_complex(p) else 1
            end = start + width * math.prod(p.shape)
            part = xg.reshape(step * vector[start:end], (*p.shape, 2) if width == 2 else p.shape)
            if width == 2:
                part = part[..., 0] + 1j * part[..., 1]
            p.data = p.detach() + part
            start = end


def is_complex(t: Tensor) -> bool:
    """Whether a tensor is of a complex dtype."""
    return bool(xg.isdtype(t.dtype, "complex floating"))
