"""The operators: gradients, Jacobians and products with them, as functions of the same arguments."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from xgrad.compat.autograd import quick
from xgrad.compat.autograd.tracing import Trace, settled
from xgrad.compat.autograd.tracing import make_jvp as _make_jvp
from xgrad.compat.autograd.tracing import make_vjp as _make_vjp
from xgrad.compat.autograd.vspaces import vspace
from xgrad.compat.autograd.wrap_util import unary_to_nary
from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions.face import Functions
from xgrad.transforms.checkpoint import checkpoint as checkpoint
from xgrad.transforms.jacobians import by_rows

Function = Callable[..., Any]
xp = Functions()
make_vjp = unary_to_nary(_make_vjp)
make_jvp = unary_to_nary(_make_jvp)


def _one_number(name: str, ans: Any) -> Any:
    """The space of the result of a function that must give one real number."""
    space = vspace(ans)
    if space.size != 1:
        raise TypeError(
            f"{name} only applies to real scalar-output functions. Try jacobian, elementwise_grad or holomorphic_grad."
        )
    return space


def _traced(fun: Function, x: Any, quickly: Callable[[Tensor, Any], Any]) -> tuple[Trace | None, Any]:
    """A run of the function, and None; or None, and what `quickly` made of the argument and of the result."""
    one = quick.argument(x)
    if one is None:
        return Trace(fun, x), None
    result = quick.run(fun, one)
    found = quickly(one, result)
    return (Trace(lambda one: result, x, one), None) if found is None else (None, found)


def _value_and_gradient(name: str, fun: Function, x: Any) -> tuple[Any, Any]:
    trace, found = _traced(fun, x, quick.value_and_gradient)
    if trace is None:
        return found  # type: ignore[no-any-return]
    ans = trace.answer()
    return ans, trace.pull(_one_number(name, ans).ones())


@unary_to_nary
def grad(fun: Function, x: Any) -> Any:
    """
    Returns a function which computes the gradient of `fun` by the positional argument `argnum`.

    The function takes the arguments of `fun`, which must give one real number. The gradient has the type of the argument."""
    return _value_and_gradient("grad", fun, x)[1]


@unary_to_nary
def value_and_grad(fun: Function, x: Any) -> Any:
    """The value and the gradient, as `scipy.optimize.minimize(..., jac=True)` takes them."""
    return _value_and_gradient("value_and_grad", fun, x)


@unary_to_nary
def elementwise_grad(fun: Function, x: Any) -> Any:
    """The sum of each column of the Jacobian, in one pass: its diagonal, where the function is elementwise."""
    vjp, ans = _make_vjp(fun, x)
    space = vspace(ans)
    if space.iscomplex:
        raise TypeError("Elementwise_grad only applies to real-output functions.")
    return vjp(space.ones())


@unary_to_nary
def deriv(fun: Function, x: Any) -> Any:
    """The derivative in the direction of ones, by forward mode."""
    return _make_jvp(fun, x)(vspace(x).ones())[1]


@unary_to_nary
def jacobian(fun: Function, x: Any) -> Any:
    """The Jacobian: for a result of shape (*m,) and an argument of shape (*n,), an array of shape (*m, *n)."""
    trace, found = _traced(fun, x, quick.rows)
    if trace is None:
        return found
    ans = trace.answer()
    space, of_x = vspace(ans), vspace(x)
    shape = (*space.shape, *of_x.shape)
    if isinstance(ans, list | tuple | dict) or isinstance(x, list | tuple | dict):
        raise TypeError("jacobian needs an array as the argument and as the result")
    if space.iscomplex or of_x.iscomplex or not trace.places or 0 < space.size <= quick.FEW:
        rows = [trace.pull(unit) for unit in space.standard_basis()]
        together = xp.stack if any(isinstance(row, Tensor) for row in rows) else np.stack
        return together(rows).reshape((-1, *of_x.shape) if space.iscomplex else shape)
    return settled(xp.reshape(by_rows(trace.run)[0][0], shape))


@unary_to_nary
def holomorphic_grad(fun: Function, x: Any) -> Any:
    """The complex derivative of a holomorphic function."""
    if not vspace(x).iscomplex:
        warnings.warn("Input to holomorphic_grad is not complex", stacklevel=3)
    return grad(lambda x: np.real(fun(x)))(x)


def grad_named(fun: Function, argname: str) -> Function:
    """The gradient by a named argument."""
    found: Function = grad(fun, inspect.getfullargspec(fun).args.index(argname))
    return found


@unary_to_nary
def hessian(fun: Function, x: Any) -> Any:
    """The Hessian, by reverse mode twice: primitives need no forward rules."""
    return jacobian(jacobian(fun))(x)


@unary_to_nary
def make_hvp(fun: Function, x: Any) -> Any:
    """(product, gradient): `product` multiplies by the Hessian at x."""
    return _make_vjp(grad(fun), x)


def hessian_tensor_product(fun: Function, argnum: int = 0) -> Function:
    """A function of `(*args, tensor)`: the Hessian times the tensor, without the Hessian."""
    gradient = grad(fun, argnum)

    def along(*args: Any, **kwargs: Any) -> Any:
        *args, vector = args  # type: ignore[assignment]
        return np.tensordot(gradient(*args, **kwargs), vector, np.ndim(vector))

    found: Function = grad(along, argnum)
    return found


hessian_vector_product = hessian_tensor_product


def tensor_jacobian_product(fun: Function, argnum: int = 0) -> Function:
    """A function of `(*args, tensor)`: the tensor times the Jacobian."""

    def along(*args: Any, **kwargs: Any) -> Any:
        *args, vector = args  # type: ignore[assignment]
        return np.tensordot(vector, fun(*args, **kwargs), axes=np.ndim(vector))

    found: Function = jacobian(along, argnum)
    return found


vector_jacobian_product = tensor_jacobian_product


@unary_to_nary
def make_jvp_reversemode(fun: Function, x: Any) -> Any:
    """A function of a tangent: the Jacobian times it, by reverse mode twice."""
    vjp, y = _make_vjp(fun, x)
    return _make_vjp(vjp, vspace(y).zeros())[0]


def _half_square(x: Any) -> Any:
    return 0.5 * np.sum(x**2, axis=-1)


def make_ggnvp(f: Function, g: Function = _half_square, f_argnum: int = 0) -> Function:
    """Products with the generalized Gauss-Newton matrix of g(f(x))."""

    @unary_to_nary
    def maker(f: Function, x: Any) -> Function:
        f_vjp, f_x = _make_vjp(f, x)
        g_hvp, grad_g_x = _make_vjp(grad(g), f_x)
        f_jvp, _ = _make_vjp(f_vjp, vspace(grad_g_x).zeros())
        return lambda v: f_vjp(g_hvp(f_jvp(v)))

    found: Function = maker(f, f_argnum)
    return found


@unary_to_nary
def grad_and_aux(fun: Function, x: Any) -> Any:
    """The gradient of the first of two results, and the second."""
    vjp, (ans, aux) = _make_vjp(lambda x: tuple(fun(x)), x)
    return vjp((vspace(ans).ones(), vspace(aux).zeros())), aux


def multigrad_dict(fun: Function) -> Function:
    """The gradients by all arguments: a dict by their names. Those that a call leaves out have their defaults."""
    signature = inspect.signature(fun)

    def gradients(*args: Any, **kwargs: Any) -> dict[str, Any]:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()

        def of_dict(arguments: dict[str, Any]) -> Any:
            again = inspect.BoundArguments(signature, dict(arguments))  # type: ignore[arg-type]
            return fun(*again.args, **again.kwargs)

        found = grad(of_dict)(dict(bound.arguments))
        return {name: found[name] for name in bound.arguments}

    return gradients
