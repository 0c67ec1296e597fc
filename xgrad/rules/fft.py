"""The standard's fft extension.

Every transform is linear over the real numbers. Its adjoint, which takes the gradient back, is the inverse transform with the
scaling of the opposite direction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from xgrad.engine.dispatch import apply
from xgrad.engine.integers import integer, integers
from xgrad.engine.op import JointlyLinear
from xgrad.engine.operands import operand
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor
from xgrad.rules.complex_numbers import conj
from xgrad.rules.shapes import normalize_axes, resize

OPPOSITE = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


# --- rules --------------------------------------------------------------------------------------------------


def _counts(xp: Any, m: int, n: int, dtype: Any, after: int) -> Any:
    """How often each of the first m coefficients occurs in a symmetric spectrum of n: once at its ends, twice between them."""
    k = xp.arange(m)
    counts = 2 - xp.astype((k == 0) | (k + k == n), dtype)
    return xp.reshape(counts, (m, *(1,) * after))


def _of_transform(inverse: str) -> Callable[..., Any]:
    """The adjoint of fftn or ifftn: the other of the two, named here, cut or filled with zeros to the shape of x."""

    def rule(xp: Any, g: Any, x_shape: tuple[int, ...], axes: tuple[int, ...], norm: str) -> Any:
        h = getattr(xp.fft, inverse)(g, axes=axes, norm=OPPOSITE[norm])
        return reduce(lambda h, axis: resize(xp, h, x_shape[axis], axis), axes, h)

    return rule


def _of_rfft(xp: Any, g: Any, x_shape: tuple[int, ...], n: int, axis: int, norm: str) -> Any:
    """irfft uses each coefficient between the ends twice, also as its conjugate, so g is divided by the counts first."""
    m = g.shape[axis]
    once = g / _counts(xp, m, n, xp.real(g).dtype, g.ndim - axis - 1)
    return resize(xp, xp.fft.irfft(once, n=n, axis=axis, norm=OPPOSITE[norm]), x_shape[axis], axis)


def _of_irfft(xp: Any, g: Any, x_shape: tuple[int, ...], n: int, axis: int, norm: str) -> Any:
    """rfft times the counts: each coefficient between the ends contributes to the result twice."""
    h = xp.fft.rfft(g, axis=axis, norm=OPPOSITE[norm])
    twice = h * _counts(xp, h.shape[axis], n, g.dtype, g.ndim - axis - 1)
    return resize(xp, twice, x_shape[axis], axis)


_fftn = JointlyLinear("fft.fftn", ("x",), (_of_transform("ifftn"),))
_ifftn = JointlyLinear("fft.ifftn", ("x",), (_of_transform("fftn"),))
_rfft = JointlyLinear("fft.rfft", ("x",), (_of_rfft,))
_irfft = JointlyLinear("fft.irfft", ("x",), (_of_irfft,))


# --- arguments ----------------------------------------------------------------------------------------------


def _one_axis(name: str, x: Any, n: int | None, axis: int, norm: str) -> dict[str, Any]:
    x = operand(name, x)
    (axis,) = normalize_axes(name, integer(name, axis), x.ndim)
    size = x.shape[axis] if n is None else integer(name, n, "n")
    _check(name, [size], norm)
    return {"n": size, "axis": axis, "norm": norm}


def _some_axes(
    name: str, x: Any, s: Sequence[int] | None, axes: Sequence[int] | None, norm: str
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The lengths and the axes. Axes that are not given are all axes, or the last ones if lengths are given."""
    x = operand(name, x)
    if axes is None and s is not None:
        axes = range(-len(s), 0)
    found = normalize_axes(name, axes, x.ndim)
    sizes = tuple(x.shape[a] for a in found) if s is None else integers(name, s, "s")
    if len(sizes) != len(found):
        raise ValueError(f"{name}: {len(sizes)} lengths s={tuple(sizes)} for {len(found)} axes {found}")
    if len(set(found)) != len(found):
        raise ValueError(f"{name}: an axis occurs twice in {found}")
    _check(name, sizes, norm)
    return sizes, found


def _check(name: str, sizes: Sequence[int], norm: str) -> None:
    if norm not in OPPOSITE:
        raise ValueError(f"{name}: norm must be 'backward', 'ortho' or 'forward', not {norm!r}")
    for n in sizes:
        if n < 1:
            raise ValueError(f"{name}: the length of a transform must be 1 or more, not {n}")


def _check_one_or_more(name: str, axes: Sequence[int]) -> None:
    if not axes:
        raise ValueError(f"{name}: there must be one axis or more")


# --- complex transforms -------------------------------------------------------------------------------------


@public("fft.fftn", "rule")
def fftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """The discrete Fourier transform over several axes, all by default.

    >>> import xgrad as xg
    >>> xg.fft.fftn(xg.asarray([[1.0, 2.0], [3.0, 4.0]])).numpy().tolist()
    [[(10+0j), (-2+0j)], [(-4+0j), 0j]]

    Args:
        x: an array of a real or complex floating-point dtype.
        s: the lengths of the transform along the axes; None means those of x. x is cut, or filled with zeros, at the end.

    Returns:
        A tensor of the shape of x with the lengths `s`, of the complex dtype that has the precision of x.

    Derivative:
        The transform is linear. The gradient is the inverse transform with the opposite `norm`, in PyTorch's convention for
        complex numbers; that of a real x is real.

    Raises:
        ValueError: for a length below 1, an axis that x does not have or that occurs twice, other than one length per axis, and
            another `norm`.
        TypeError: for a value that is not an array, and for a length or an axis that is no integer.
    """
    sizes, axes = _some_axes("fftn", x, s, axes, norm)
    return apply(_fftn, (x,), {"s": sizes, "axes": axes, "norm": norm})


@public("fft.ifftn", "rule")
def ifftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """The inverse discrete Fourier transform over several axes, all by default.

    >>> import xgrad as xg
    >>> xg.fft.ifftn(xg.fft.fftn(xg.asarray([[1.0, 2.0], [3.0, 4.0]]))).real.numpy().tolist()
    [[1.0, 2.0], [3.0, 4.0]]

    Args:
        x: an array of a real or complex floating-point dtype.
        s: the lengths of the transform along the axes; None means those of x. x is cut, or filled with zeros, at the end.

    Returns:
        A tensor of the shape of x with the lengths `s`, of the complex dtype that has the precision of x.

    Derivative:
        The transform is linear. The gradient is fftn with the opposite `norm`, in PyTorch's convention for complex numbers; that
        of a real x is real.

    Raises:
        ValueError: for a length below 1, an axis that x does not have or that occurs twice, other than one length per axis, and
            another `norm`.
        TypeError: for a value that is not an array, and for a length or an axis that is no integer.
    """
    sizes, axes = _some_axes("ifftn", x, s, axes, norm)
    return apply(_ifftn, (x,), {"s": sizes, "axes": axes, "norm": norm})


@public("fft.fft", "composition")
def fft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The discrete Fourier transform along an axis.

    >>> import xgrad as xg
    >>> x = xg.asarray([1.0, 2.0, 3.0, 4.0])
    >>> xg.fft.fft(x).numpy().tolist()
    [(10+0j), (-2+2j), (-2+0j), (-2-2j)]
    >>> xg.grad(lambda x: xg.sum(xg.abs(xg.fft.fft(x)) ** 2))(x).numpy().tolist()  # 2 * n * x
    [8.0, 16.0, 24.0, 32.0]

    Args:
        x: an array of a real or complex floating-point dtype.

    Returns:
        A tensor of the shape of x, with length n along the axis, of the complex dtype that has the precision of x.

    Raises:
        ValueError: for a length below 1, an axis that x does not have, and another `norm`.
        TypeError: for a value that is not an array, and for a length or an axis that is no integer.
    """
    return fftn(x, s=None if n is None else (n,), axes=(axis,), norm=norm)


@public("fft.ifft", "composition")
def ifft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse discrete Fourier transform along an axis.

    >>> import xgrad as xg
    >>> xg.fft.ifft(xg.asarray([10.0 + 0j, -2 + 2j, -2 + 0j, -2 - 2j])).real.numpy().tolist()
    [1.0, 2.0, 3.0, 4.0]

    Args:
        x: an array of a real or complex floating-point dtype.

    Returns:
        A tensor of the shape of x, with length n along the axis, of the complex dtype that has the precision of x.

    Raises:
        ValueError: for a length below 1, an axis that x does not have, and another `norm`.
        TypeError: for a value that is not an array, and for a length or an axis that is no integer.
    """
    return ifftn(x, s=None if n is None else (n,), axes=(axis,), norm=norm)


# --- transforms from and to real arrays ---------------------------------------------------------------------


@public("fft.rfft", "rule")
def rfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The Fourier transform of a real array: the first n // 2 + 1 coefficients. The others are their conjugates.

    >>> import xgrad as xg
    >>> xg.fft.rfft(xg.asarray([1.0, 2.0, 3.0, 4.0])).numpy().tolist()
    [(10+0j), (-2+2j), (-2+0j)]

    Args:
        x: an array of a real floating-point dtype.

    Returns:
        A tensor of the shape of x, with length n // 2 + 1 along the axis, of the complex dtype that has the precision of x.

    Derivative:
        The transform is linear over the real numbers. The gradient is real, by the rule in xgrad/rules/fft.py, in both modes.

    Raises:
        ValueError: for a length below 1, an axis that x does not have, and another `norm`.
        TypeError: for a value that is not an array, for a complex x (ValueError on PyTorch and JAX), and for a length or an axis
            that is no integer.
    """
    return apply(_rfft, (x,), _one_axis("rfft", x, n, axis, norm))


@public("fft.irfft", "rule")
def irfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of rfft: the real array whose spectrum begins with these coefficients.

    >>> import xgrad as xg
    >>> spectrum = xg.asarray([10.0 + 0j, -2 + 2j, -2 + 0j])
    >>> xg.fft.irfft(spectrum).numpy().tolist(), xg.fft.irfft(spectrum, n=5).shape
    ([1.0, 2.0, 3.0, 4.0], (5,))

    Args:
        x: an array of a complex or real floating-point dtype, of m coefficients along the axis. The imaginary part of the first
            one, and of the last one for an even n, counts as 0.
        n: the length of the result along the axis; None means 2 * (m - 1). An odd n must be given.

    Returns:
        A tensor of the shape of x, with length n along the axis, of the real dtype that has the precision of x.

    Derivative:
        The transform is linear over the real numbers. The gradient is complex for a complex x, in PyTorch's convention, by the
        rule in xgrad/rules/fft.py, in both modes.

    Raises:
        ValueError: for a length below 1, an axis that x does not have, and another `norm`.
        TypeError: for a value that is not an array, and for a length or an axis that is no integer.
    """
    x = operand("irfft", x)
    (at,) = normalize_axes("irfft", integer("irfft", axis), x.ndim)
    return apply(_irfft, (x,), _one_axis("irfft", x, 2 * (x.shape[at] - 1) if n is None else n, at, norm))


@public("fft.rfftn", "composition")
def rfftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """The Fourier transform of a real array over several axes, all by default: along the last one, the first n // 2 + 1
    coefficients.

    >>> import xgrad as xg
    >>> xg.fft.rfftn(xg.ones((2, 4))).shape
    (2, 3)

    Args:
        x: an array of a real floating-point dtype.
        s: the lengths of the transform along the axes; None means those of x. x is cut, or filled with zeros, at the end.

    Returns:
        A tensor of the shape of x with the lengths `s`, but n // 2 + 1 for the last one, n; of the complex dtype that has the
        precision of x.

    Raises:
        ValueError: for a length below 1, no axis, an axis that x does not have or that occurs twice, other than one length per
            axis, and another `norm`.
        TypeError: for a value that is not an array, for a complex x (ValueError on PyTorch and JAX), and for a length or an axis
            that is no integer.
    """
    sizes, axes = _some_axes("rfftn", x, s, axes, norm)
    _check_one_or_more("rfftn", axes)
    y = rfft(x, n=sizes[-1], axis=axes[-1], norm=norm)
    return fftn(y, s=sizes[:-1], axes=axes[:-1], norm=norm) if len(axes) > 1 else y


@public("fft.irfftn", "composition")
def irfftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """The inverse of rfftn: the real array whose spectrum begins, along the last axis, with these coefficients.

    >>> import xgrad as xg
    >>> x = xg.asarray([[1.0, 2.0], [3.0, 4.0]])
    >>> xg.fft.irfftn(xg.fft.rfftn(x)).numpy().tolist()
    [[1.0, 2.0], [3.0, 4.0]]

    Args:
        x: an array of a complex or real floating-point dtype.
        s: the lengths of the result along the axes; None means those of x, but 2 * (m - 1) for the last axis, of length m.

    Returns:
        A tensor of the shape of x with the lengths `s`, of the real dtype that has the precision of x.

    Raises:
        ValueError: for a length below 1, no axis, an axis that x does not have or that occurs twice, other than one length per
            axis, and another `norm`.
        TypeError: for a value that is not an array, and for a length or an axis that is no integer.
    """
    x = operand("irfftn", x)
    if s is None:
        found = normalize_axes("irfftn", axes, x.ndim)
        _check_one_or_more("irfftn", found)
        s = [2 * (x.shape[a] - 1) if a == found[-1] else x.shape[a] for a in found]
    sizes, axes = _some_axes("irfftn", x, s, axes, norm)
    _check_one_or_more("irfftn", axes)
    if len(axes) > 1:
        x = ifftn(x, s=sizes[:-1], axes=axes[:-1], norm=norm)
    return irfft(x, n=sizes[-1], axis=axes[-1], norm=norm)


@public("fft.hfft", "composition")
def hfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The Fourier transform of a Hermitian-symmetric array, which is real. Of the array, the first n // 2 + 1 elements are given.

    >>> import xgrad as xg
    >>> xg.fft.hfft(xg.asarray([1.0 + 0j, 2 + 1j, 3 + 0j])).numpy().tolist()
    [8.0, 0.0, 0.0, -4.0]

    Args:
        x: an array of a complex or real floating-point dtype, of m elements along the axis. The imaginary part of the first one,
            and of the last one for an even n, counts as 0.
        n: the length of the result along the axis; None means 2 * (m - 1). An odd n must be given.

    Returns:
        A tensor of the shape of x, with length n along the axis, of the real dtype that has the precision of x.

    Raises:
        ValueError: for a length below 1, an axis that x does not have, and another `norm`.
        TypeError: for a value that is not an array, and for a length or an axis that is no integer.
    """
    _check("hfft", [], norm)
    return irfft(conj(x), n=n, axis=axis, norm=OPPOSITE[norm])


@public("fft.ihfft", "composition")
def ihfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of hfft: the first n // 2 + 1 elements of the inverse transform of a real array, which is Hermitian-symmetric.

    >>> import xgrad as xg
    >>> xg.fft.hfft(xg.fft.ihfft(xg.asarray([1.0, 2.0, 3.0, 4.0]))).numpy().tolist()
    [1.0, 2.0, 3.0, 4.0]

    Args:
        x: an array of a real floating-point dtype.

    Returns:
        A tensor of the shape of x, with length n // 2 + 1 along the axis, of the complex dtype that has the precision of x.

    Raises:
        ValueError: for a length below 1, an axis that x does not have, and another `norm`.
        TypeError: for a value that is not an array, for a complex x (ValueError on PyTorch and JAX), and for a length or an axis
            that is no integer.
    """
    _check("ihfft", [], norm)
    return conj(rfft(x, n=n, axis=axis, norm=OPPOSITE[norm]))
