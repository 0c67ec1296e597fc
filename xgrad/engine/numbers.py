"""Reading numbers that decide how a program goes on: several 0-d tensors, in one transfer to the host."""

from __future__ import annotations

from collections.abc import Sequence

from xgrad.engine.persist import persist
from xgrad.engine.tensor import Tensor


def read(numbers: Sequence[Tensor], *also: Tensor) -> list[float]:
    """The values of real 0-d tensors of one backend, as Python numbers, in one transfer to the host.

    On a backend with deferred computation, `also` is computed with them.
    """
    backend = numbers[0].backend
    if backend.defers:
        persist(*numbers, *also)
    return backend.read([number.data for number in numbers])
