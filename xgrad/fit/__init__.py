"""Fits a network to points in the plane and keeps what happened: `xgrad fit` as a library.

>>> from xgrad.fit import fit
>>> result = fit(function="x**2", range=(-1, 1), steps=5)
>>> len(result.history["loss"])
5
"""

from xgrad.fit.config import Config
from xgrad.fit.errors import FitError
from xgrad.fit.result import NotWrittenError, Result
from xgrad.fit.run import fit

__all__ = ["Config", "FitError", "NotWrittenError", "Result", "fit"]
