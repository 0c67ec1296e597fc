"""scipy.optimize on tensors: roots, fixed points, and minimizers."""

from xgrad.scipy.optimize.minimizers import least_squares as least_squares
from xgrad.scipy.optimize.minimizers import minimize as minimize
from xgrad.scipy.optimize.roots import fixed_point as fixed_point
from xgrad.scipy.optimize.roots import root as root
from xgrad.scipy.optimize.scalars import RootResults as RootResults
from xgrad.scipy.optimize.scalars import brentq as brentq
from xgrad.scipy.optimize.scalars import newton as newton
from xgrad.scipy.optimize.scalars import root_scalar as root_scalar
from xgrad.scipy.others import others as _others

__all__ = ["RootResults", "brentq", "fixed_point", "least_squares", "minimize", "newton", "root", "root_scalar"]
__getattr__ = _others("optimize", __all__)
