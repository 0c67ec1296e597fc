"""NumPy, for code that says `import numpy as np`: NumPy's own functions, and those that its protocols do not reach on tensors.

Nearly every name is NumPy's own object, which takes tensors by NumPy's protocols (NEP 13 and NEP 18). A function that makes an
array, such as `array`, gives NumPy no chance to see a tensor. Those are here. On plain arrays they call NumPy's.

>>> import numpy
>>> import xgrad as xg
>>> import xgrad.numpy as np
>>> np.sin is numpy.sin, np.linalg is numpy.linalg
(True, True)
>>> np.array([1, 2])
array([1, 2])
>>> xg.grad(lambda x: np.sum(np.array([x, 2 * x, 1.0]) ** 2))(3.0).item()
30.0

The table of NumPy's functions is in `xgrad/rules/numpy_functions/README.md`.
"""

from typing import Any as _Any

import numpy as _numpy

from xgrad.numpy.brackets import c_ as c_
from xgrad.numpy.brackets import r_ as r_
from xgrad.numpy.making import array as array
from xgrad.numpy.making import asanyarray as asanyarray
from xgrad.numpy.making import asarray as asarray
from xgrad.numpy.making import asarray_chkfinite as asarray_chkfinite
from xgrad.numpy.making import ascontiguousarray as ascontiguousarray
from xgrad.numpy.making import asfortranarray as asfortranarray
from xgrad.numpy.making import empty_like as empty_like
from xgrad.numpy.making import full as full
from xgrad.numpy.making import full_like as full_like
from xgrad.numpy.making import ones_like as ones_like
from xgrad.numpy.making import require as require
from xgrad.numpy.making import zeros_like as zeros_like
from xgrad.numpy.vectorizing import vectorize as vectorize

__version__ = _numpy.__version__
__all__ = [*_numpy.__all__]


def __getattr__(name: str) -> _Any:
    """NumPy's own."""
    return getattr(_numpy, name)


def __dir__() -> list[str]:
    return sorted({*dir(_numpy), *(name for name in globals() if not name.startswith("_"))})
