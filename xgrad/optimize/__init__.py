"""Minimizing functions on any backend and device, with SciPy's names, options and results."""

from xgrad.optimize.least_squares import least_squares as least_squares
from xgrad.optimize.minimize import minimize as minimize
from xgrad.optimize.result import LbfgsInvHessProduct as LbfgsInvHessProduct
from xgrad.optimize.result import OptimizeResult as OptimizeResult

__all__ = ["LbfgsInvHessProduct", "OptimizeResult", "least_squares", "minimize"]
