"""scipy.interpolate on tensors: cubic splines."""

from xgrad.scipy.interpolate.splines import CubicHermiteSpline as CubicHermiteSpline
from xgrad.scipy.interpolate.splines import CubicSpline as CubicSpline
from xgrad.scipy.interpolate.splines import PchipInterpolator as PchipInterpolator
from xgrad.scipy.others import others as _others

__all__ = ["CubicHermiteSpline", "CubicSpline", "PchipInterpolator"]
__getattr__ = _others("interpolate", __all__)
