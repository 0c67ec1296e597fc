"""Numbers that decide how an algorithm goes on, such as norms and errors, read from the device."""

from __future__ import annotations

import xgrad as xg
from xgrad.engine.numbers import read
from xgrad.engine.tensor import Tensor, wrap
from xgrad.transforms.batching.array import Batched


def largest(*arrays: Tensor) -> list[float]:
    """The largest element of each real array, in one transfer to the host. Within a vmap, that of all examples.

    >>> import xgrad as xg
    >>> largest(xg.asarray([1.0, 3.0]), xg.asarray(2.0))
    [3.0, 2.0]
    """
    return read([xg.max(_of_all_examples(x.detach())) for x in arrays])


def _of_all_examples(x: Tensor) -> Tensor:
    raw = x.data
    return wrap(raw.value, raw.backend.base) if isinstance(raw, Batched) else x


def epsilon(x: Tensor) -> float:
    """The distance from 1 to the next number of a floating-point dtype."""
    return float(xg.finfo(x.dtype).eps)
