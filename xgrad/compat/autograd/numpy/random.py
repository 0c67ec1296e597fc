"""`autograd.numpy.random`: NumPy's own random numbers."""

from typing import Any as _Any

import numpy as _numpy

__all__ = [*_numpy.random.__all__]


def __getattr__(name: str) -> _Any:
    return getattr(_numpy.random, name)
