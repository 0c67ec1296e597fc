"""`autograd.numpy`: `xgrad.numpy`, and what HIPS autograd does in another way.

It takes lists of traced values where NumPy's functions do not look into them, and its `where` keeps Python's types.
"""

from typing import Any as _Any

import numpy as _numpy

import xgrad.numpy as _ours
from xgrad.compat.autograd.numpy import fft as fft
from xgrad.compat.autograd.numpy import linalg as linalg
from xgrad.compat.autograd.numpy import random as random
from xgrad.compat.autograd.numpy.numpy_wrapper import *  # noqa: F403
from xgrad.compat.autograd.numpy.numpy_wrapper import __all__ as _overridden

__version__ = _numpy.__version__
__all__ = [*_numpy.__all__, *_overridden]


def __getattr__(name: str) -> _Any:
    found = getattr(_ours, name)
    globals()[name] = found  # Python finds it by itself from now on
    return found
