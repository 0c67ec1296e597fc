"""The standard's fft extension.

Every transform is linear over the real numbers, and its adjoint is the inverse transform under the opposite normalization.
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
from xgrad.engine.tensor import Tensor, wrap
from xgrad.rules.creation import CREATES
from xgrad.rules.declare import of_backend
from xgrad.rules.elementwise import conj
from xgrad.rules.manipulation import roll
from xgrad.rules.shapes import normalize_axes, resize

OPPOSITE = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


# --- rules --------------------------------------------------------------------------------------------------


def _counts(xp: Any, m: int, n: int, dtype: Any, after: int) -> Any:
    """How often each of m coefficients stands in a spectrum of n that is symmetric: once at its ends, twice between."""
    k = xp.arange(m)
    counts = 2 - xp.astype((k == 0) | (k + k == n), dtype)
    return xp.reshape(counts, (m, *(1,) * after))


def _of_transform(inverse: str) -> Callable[..., Any]:
    """The adjoint of fftn or ifftn, which is the other one."""

    def rule(xp: Any, g: Any, x_shape: tuple[int, ...], axes: tuple[int, ...], norm: str) -> Any:
        h = getattr(xp.fft, inverse)(g, axes=axes, norm=OPPOSITE[norm])
        return reduce(lambda h, axis: resize(xp, h, x_shape[axis], axis), axes, h)

    return rule


def _of_rfft(xp: Any, g: Any, x_shape: tuple[int, ...], n: int, axis: int, norm: str) -> Any:
    """irfft counts each coefficient between the ends twice: for itself, and for the one that mirrors it."""
    m = g.shape[axis]
    once = g / _counts(xp, m, n, xp.real(g).dtype, g.ndim - axis - 1)
    return resize(xp, xp.fft.irfft(once, n=n, axis=axis, norm=OPPOSITE[norm]), x_shape[axis], axis)


def _of_irfft(xp: Any, g: Any, x_shape: tuple[int, ...], n: int, axis: int, norm: str) -> Any:
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
    """The lengths and the axes: all axes by default, or the last ones where only lengths are given."""
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
            raise ValueError(f"{name}: a transform has one element or more, not {n}")


# --- complex transforms -------------------------------------------------------------------------------------


@public("fft.fftn", "rule")
def fftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """The discrete Fourier transform over several axes (all by default), cut or filled with zeros to lengths `s`."""
    sizes, axes = _some_axes("fftn", x, s, axes, norm)
    return apply(_fftn, (x,), {"s": sizes, "axes": axes, "norm": norm})


@public("fft.ifftn", "rule")
def ifftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """The inverse of fftn."""
    sizes, axes = _some_axes("ifftn", x, s, axes, norm)
    return apply(_ifftn, (x,), {"s": sizes, "axes": axes, "norm": norm})


@public("fft.fft", "composition")
def fft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The discrete Fourier transform along an axis, cut or filled with zeros to `n` elements.

    `norm` says where the factor 1/n goes: "backward" to the inverse, "forward" here, "ortho" half to each.

    >>> import xgrad as xg
    >>> xg.fft.fft(xg.asarray([1.0 + 0j, 2.0 + 0j])).numpy().tolist()
    [(3+0j), (-1+0j)]
    """
    return fftn(x, s=None if n is None else (n,), axes=(axis,), norm=norm)


@public("fft.ifft", "composition")
def ifft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of fft."""
    return ifftn(x, s=None if n is None else (n,), axes=(axis,), norm=norm)


# --- transforms from and to real arrays ---------------------------------------------------------------------


@public("fft.rfft", "rule")
def rfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The first n//2 + 1 coefficients of the transform of a real array; the others are their conjugates.

    >>> import xgrad as xg
    >>> xg.fft.rfft(xg.asarray([1.0, 2.0, 3.0, 4.0])).numpy().tolist()
    [(10+0j), (-2+2j), (-2+0j)]
    """
    return apply(_rfft, (x,), _one_axis("rfft", x, n, axis, norm))


@public("fft.irfft", "rule")
def irfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The real array of n elements (2 * (m - 1) by default) that has these first coefficients. The inverse of rfft."""
    (at,) = normalize_axes("irfft", integer("irfft", axis), x.ndim)
    return apply(_irfft, (x,), _one_axis("irfft", x, 2 * (x.shape[at] - 1) if n is None else n, at, norm))


@public("fft.rfftn", "composition")
def rfftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """The transform of a real array over several axes; along the last of them, the first n//2 + 1 coefficients."""
    sizes, axes = _some_axes("rfftn", x, s, axes, norm)
    y = rfft(x, n=sizes[-1], axis=axes[-1], norm=norm)
    return fftn(y, s=sizes[:-1], axes=axes[:-1], norm=norm) if len(axes) > 1 else y


@public("fft.irfftn", "composition")
def irfftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """The inverse of rfftn. The length of the last axis is 2 * (m - 1) by default."""
    if s is None:
        found = normalize_axes("irfftn", axes, x.ndim)
        s = [2 * (x.shape[a] - 1) if a == found[-1] else x.shape[a] for a in found]
    sizes, axes = _some_axes("irfftn", x, s, axes, norm)
    if len(axes) > 1:
        x = ifftn(x, s=sizes[:-1], axes=axes[:-1], norm=norm)
    return irfft(x, n=sizes[-1], axis=axes[-1], norm=norm)


@public("fft.hfft", "composition")
def hfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The real transform of an array that is Hermitian, of which the first n//2 + 1 elements are given."""
    _check("hfft", [], norm)
    return irfft(conj(x), n=n, axis=axis, norm=OPPOSITE[norm])


@public("fft.ihfft", "composition")
def ihfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of hfft."""
    _check("ihfft", [], norm)
    return conj(rfft(x, n=n, axis=axis, norm=OPPOSITE[norm]))


# --- order and frequencies ----------------------------------------------------------------------------------


def _rolled(name: str, x: Any, axes: int | Sequence[int] | None, shift: Callable[[int], int]) -> Tensor:
    x = operand(name, x)
    found = normalize_axes(name, axes, x.ndim)
    return roll(x, tuple(shift(x.shape[a]) for a in found), axis=found)


@public("fft.fftshift", "composition")
def fftshift(x: Any, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """The frequency 0 moved from the start to the middle, along some axes (all by default)."""
    return _rolled("fftshift", x, axes, lambda n: n // 2)


@public("fft.ifftshift", "composition")
def ifftshift(x: Any, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """The inverse of fftshift."""
    return _rolled("ifftshift", x, axes, lambda n: -(n // 2))


def _frequencies(name: str, backend: Any, n: int, d: float, dtype: Any, device: Any) -> Tensor:
    where = backend if device is None else backend.on_device(device)
    function = getattr(where.xp.fft, name)
    dtype = where.default_dtype if dtype is None else dtype
    return wrap(function(n, d=d, dtype=dtype, device=where.device), where)


@of_backend(CREATES, prefix="fft.")
def fftfreq(backend: Any, n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequencies of the n coefficients of fft, for samples that are `d` apart."""
    return _frequencies("fftfreq", backend, integer("fftfreq", n, "n"), d, dtype, device)


@of_backend(CREATES, prefix="fft.")
def rfftfreq(backend: Any, n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequencies of the n//2 + 1 coefficients of rfft, for samples that are `d` apart."""
    return _frequencies("rfftfreq", backend, integer("rfftfreq", n, "n"), d, dtype, device)
