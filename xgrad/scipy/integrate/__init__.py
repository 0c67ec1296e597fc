"""scipy.integrate on tensors: differential equations, and integrals of samples."""

from xgrad.scipy.integrate.equations import OdeResult as OdeResult
from xgrad.scipy.integrate.equations import odeint as odeint
from xgrad.scipy.integrate.equations import solve_ivp as solve_ivp
from xgrad.scipy.integrate.quadrature import cumulative_trapezoid as cumulative_trapezoid
from xgrad.scipy.integrate.quadrature import simpson as simpson
from xgrad.scipy.integrate.quadrature import trapezoid as trapezoid
from xgrad.scipy.others import others as _others

__all__ = ["OdeResult", "cumulative_trapezoid", "odeint", "simpson", "solve_ivp", "trapezoid"]
__getattr__ = _others("integrate", __all__)
