"""`autograd.numpy.fft`: NumPy's functions, which take tensors."""

from typing import Any as _Any

import numpy as _numpy

__all__ = [*_numpy.fft.__all__]


def __getattr__(name: str) -> _Any:
    return getattr(_numpy.fft, name)
