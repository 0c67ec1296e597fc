"""Complex numbers: their parts, conjugates and signs."""

from __future__ import annotations

from typing import Any

from xgrad.engine.dispatch import apply
from xgrad.engine.op import Elementwise, JointlyLinear
from xgrad.engine.registry import ELEMENTWISE, public
from xgrad.engine.tensor import ComplexTensor, Tensor
from xgrad.engine.views import Kind, as_view
from xgrad.rules import strides
from xgrad.rules.declare import untracked
from xgrad.rules.elementwise import abs, divide, equal, logical_not, positive
from xgrad.rules.manipulation import reshape
from xgrad.rules.searching import mask, where

_conj = Elementwise("conj", ("x",), (lambda xp, g: xp.conj(g),), jvp=lambda xp, t: xp.conj(t))
_real = Elementwise("real", ("x",), (lambda xp, g: g,), jvp=lambda xp, t: xp.real(t))
_imag = Elementwise("imag", ("x",), (lambda xp, g, x_dtype: xp.astype(g, x_dtype) * 1j,), jvp=lambda xp, t: xp.imag(t))


_from_parts = JointlyLinear("from_parts", ("x1", "x2"), (lambda xp, g: xp.real(g), lambda xp, g: xp.imag(g)))
ELEMENTWISE.add("from_parts")
REAL = Kind(
    lambda base, _: apply(_real, (base,)),
    lambda base, new, _, in_memory: apply(_from_parts, (new, apply(_imag, (base,)))),
    strides.same,
)
IMAG = Kind(
    lambda base, _: apply(_imag, (base,)),
    lambda base, new, _, in_memory: apply(_from_parts, (apply(_real, (base,)), new)),
    strides.same,
)


@public("from_parts", "rule")
def from_parts(x1: Any, x2: Any, /) -> Tensor:
    """The complex number with real part x1 and imaginary part x2, element by element.

    Unlike `x1 + 1j * x2`, it keeps infinities and nan in their part. PyTorch calls it complex:
    https://docs.pytorch.org/docs/stable/generated/torch.complex.html

    Args:
        x1, x2: arrays of one shape and one real floating-point dtype.

    Returns:
        A tensor of that shape, of the complex dtype of that precision.

    >>> import xgrad as xg
    >>> xg.from_parts(xg.asarray([1.0]), xg.asarray([2.0])).numpy().tolist()
    [(1+2j)]
    """
    return apply(_from_parts, (x1, x2))


def _tensor(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else positive(x)


@public("conj", "rule")
def conj(x: Any, /) -> Tensor:
    """The complex conjugate, element by element. A real x stays as it is.

    >>> import xgrad as xg
    >>> xg.conj(xg.asarray([1 + 2j])).tolist()
    [(1-2j)]

    Derivative:
        The conjugate of the cotangent. The function is linear over the real numbers, but not holomorphic.
    """
    x = _tensor(x)
    return apply(_conj, (x,)) if isinstance(x, ComplexTensor) else positive(x)


@public("real", "rule")
def real(x: Any, /) -> Tensor:
    """The real part, element by element. Of a real x it is x.

    >>> import xgrad as xg
    >>> z = xg.asarray([1 + 2j])
    >>> x = xg.real(z)
    >>> x[0] = 5.0
    >>> z.tolist()
    [(5+2j)]

    Args:
        x: an array of any shape and dtype, or a number.

    Returns:
        A tensor of the shape of x, of the real dtype of its precision: a view of x.

    Derivative:
        The cotangent is a real part: as in PyTorch, the gradient of real(z) is 1.

    Raises:
        TypeError: for an x that is neither an array nor a number.
    """
    t = _tensor(x)
    if isinstance(t, ComplexTensor):
        return as_view(apply(_real, (t,)), t, REAL, None)
    return reshape(t, t.shape)


@public("imag", "rule")
def imag(x: Any, /) -> Tensor:
    """The imaginary part, element by element.

    >>> import xgrad as xg
    >>> xg.imag(xg.asarray([1 + 2j])).tolist()
    [2.0]
    >>> xg.grad(lambda z: xg.sum(xg.imag(z)))(xg.asarray([1 + 2j])).tolist()
    [1j]

    Args:
        x: an array of a complex dtype, of any shape. NumPy and JAX give zeros for a real one.

    Returns:
        A tensor of the shape of x, of the real dtype of its precision: a view of x.

    Derivative:
        The cotangent is an imaginary part: as in PyTorch, the gradient of imag(z) is 1j.
    """
    y = apply(_imag, (x,))
    return as_view(y, x, IMAG, None) if isinstance(x, Tensor) else y


@public("sign", "rule for complex arrays; constant almost everywhere for real ones")
def sign(x: Any, /) -> Tensor:
    """-1, 0 or 1 with the sign of x, element by element; of a complex x, x / |x|, and 0 at 0.

    >>> import xgrad as xg
    >>> xg.sign(xg.asarray([-2.0, 0.0, xg.nan])).tolist()
    [-1.0, 0.0, nan]
    >>> xg.sign(xg.asarray([3j])).tolist()
    [1j]

    Derivative:
        Of a real x none, as the function is constant but at 0. Of a complex x that of x / |x|, and 0 at 0.
    """
    x = _tensor(x)
    if isinstance(x, ComplexTensor):
        size = abs(x)
        is_zero = equal(size, 0.0)
        return divide(mask(x, logical_not(is_zero)), where(is_zero, 1.0, size))  # 0 without a sign
    return untracked("sign", (x,))
