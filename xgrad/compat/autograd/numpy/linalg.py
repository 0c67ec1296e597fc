"""`autograd.numpy.linalg`: NumPy's functions, which take tensors."""

from typing import Any as _Any

import numpy as _numpy

from xgrad.compat.autograd.numpy.lists import of_list

norm = of_list(_numpy.linalg.norm)


def T(x: _Any) -> _Any:  # noqa: N802 (HIPS autograd's name)
    """The transposes of the matrices in the last two axes."""
    return _numpy.swapaxes(x, -1, -2)


def _dot(a: _Any, b: _Any) -> _Any:
    """The products of the matrices in the last two axes."""
    return _numpy.matmul(a, b)


__all__ = [*_numpy.linalg.__all__]


def __getattr__(name: str) -> _Any:
    return getattr(_numpy.linalg, name)
