"""Resizing of signals, images and volumes: one product with a small matrix for each axis, or a choice of elements."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import xgrad as xg
from xgrad.engine.casting import uncast
from xgrad.engine.integers import integers
from xgrad.engine.operands import operand
from xgrad.engine.tensor import Tensor
from xgrad.nn.checks import wrong_shape

# The modes that are linear, and how many axes they take; None for any.
LINEAR: dict[str, int | None] = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2, "lanczos": 2, "area": None}
CHOOSING = ("nearest", "nearest-exact")
MODES = (*CHOOSING, *LINEAR)
SMOOTH = ("bilinear", "bicubic", "lanczos")  # those that antialias goes with


@uncast
def interpolate(
    input: Any,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resize signals, images or volumes.

    Args:
        input: an array of shape (N, C, L), (N, C, H, W) or (N, C, D, H, W), of a floating-point dtype.
        size: the new lengths of the axes after the second, one integer for all or one for each; None if there is a
            `scale_factor`.
        scale_factor: the ratios of new and old lengths, one number for all or one for each; None if there is a `size`.
        mode: "nearest", "nearest-exact", "area", "linear" (for signals), "bilinear", "bicubic" or "lanczos" (for images), or
            "trilinear" (for volumes).
        align_corners: whether the centres of the first and the last element of each axis stay where they are, instead of their
            outer edges. None means False. Not with "nearest", "nearest-exact" and "area".
        recompute_scale_factor: whether the ratio in computing positions is that of the lengths, and not `scale_factor`.
        antialias: whether each element is a mean over all elements that it stands for, where an image is made smaller. With
            "bilinear", "bicubic" and "lanczos" only; "lanczos" needs it.

    Returns:
        A tensor of shape (N, C, ...) with the new lengths, of the dtype of the input.

    Raises:
        ValueError: for an input of another shape, an unknown mode, arguments that do not go together, both or neither of `size`
            and `scale_factor`, or another number of them.
        TypeError: for an input that is no array, or a `size` that is not an integer.

    >>> import xgrad as xg
    >>> x = xg.asarray([[[1.0, 3.0]]])
    >>> xg.nn.functional.interpolate(x, scale_factor=2).tolist()
    [[[1.0, 1.0, 3.0, 3.0]]]
    >>> xg.nn.functional.interpolate(x, size=3, mode="linear", align_corners=True).tolist()
    [[[1.0, 2.0, 3.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html
    """
    x: Tensor = operand("interpolate", input)
    n_axes = x.ndim - 2
    if not 1 <= n_axes <= 3:
        raise wrong_shape("interpolate", "(N, C, L), (N, C, H, W) or (N, C, D, H, W)", x)
    check_mode("interpolate", mode, align_corners, antialias, n_axes)
    lengths = tuple(x.shape[2:])
    sizes, factors = _targets(lengths, size, scale_factor)
    if recompute_scale_factor and size is not None:
        raise ValueError("interpolate: recompute_scale_factor goes together with scale_factor, not with size")
    if recompute_scale_factor or mode == "area":
        factors = (None,) * n_axes
    if min(lengths) < 1 or min(sizes) < 1:
        raise ValueError(
            f"interpolate: all lengths must be 1 or more, got an input of {tuple(x.shape)} and the size {sizes}"
        )
    for axis, (n, m, factor) in enumerate(zip(lengths, sizes, factors, strict=True), 2):
        if mode in CHOOSING:
            x = _chosen(x, axis, n, m, factor, mode)
        else:
            x = _mixed(x, axis, rows(mode, n, m, factor, bool(align_corners), antialias))
    return x


def check_mode(name: str, mode: str, align_corners: bool | None, antialias: bool, n_axes: int | None = None) -> None:
    """Raise ValueError for a mode that does not exist, or does not go together with the other arguments."""
    if mode not in MODES:
        raise ValueError(f"{name}: mode must be one of {', '.join(map(repr, MODES))}, got {mode!r}")
    wanted = LINEAR.get(mode)
    if n_axes is not None and wanted is not None and wanted != n_axes:
        raise ValueError(f"{name}: the mode {mode!r} takes an input with {wanted + 2} axes, not {n_axes + 2}")
    if align_corners is not None and mode in (*CHOOSING, "area"):
        raise ValueError(f"{name}: align_corners does not go together with the mode {mode!r}")
    if antialias and mode not in SMOOTH:
        raise ValueError(f"{name}: antialias goes together with {', '.join(map(repr, SMOOTH))}, not with {mode!r}")
    if mode == "lanczos" and (align_corners or not antialias):
        raise ValueError(f'{name}: the mode "lanczos" needs antialias=True and align_corners=False')


def _targets(
    lengths: tuple[int, ...], size: Any, scale_factor: Any
) -> tuple[tuple[int, ...], tuple[float | None, ...]]:
    """The new lengths, and the factor of each axis, or None."""
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: give one of size and scale_factor")
    n = len(lengths)
    if size is not None:
        sizes = integers("interpolate", size, "size")
        sizes *= n if len(sizes) == 1 and not isinstance(size, Sequence) else 1
        if len(sizes) != n:
            raise ValueError(f"interpolate: size must have {n} integers for the axes {lengths}, got {size!r}")
        return sizes, (None,) * n
    factors = tuple(scale_factor) if isinstance(scale_factor, Sequence) else (scale_factor,) * n
    if len(factors) != n or not all(isinstance(f, int | float) and f > 0 for f in factors):
        raise ValueError(
            f"interpolate: scale_factor must be {n} numbers above 0 for the axes {lengths}, got {scale_factor!r}"
        )
    return tuple(int(length * f) for length, f in zip(lengths, factors, strict=True)), tuple(map(float, factors))


# --- modes that choose elements -----------------------------------------------------------------------------------------


def _chosen(x: Any, axis: int, n: int, m: int, factor: float | None, mode: str) -> Any:
    index = places(n, m, factor, mode)
    times = m // n
    if index == tuple(i // times for i in range(m)) if times else False:  # each element is repeated equally often
        shape = x.shape
        if times == 1:
            return x
        repeated = xg.broadcast_to(xg.expand_dims(x, axis=axis + 1), (*shape[: axis + 1], times, *shape[axis + 1 :]))
        return xg.reshape(repeated, (*shape[:axis], m, *shape[axis + 1 :]))
    return xg.take(x, x.__array_namespace__().asarray(list(index)), axis=axis)


@lru_cache
def places(n: int, m: int, factor: float | None, mode: str) -> tuple[int, ...]:
    """Which of n elements each of m elements is. It is computed in single precision, as by PyTorch, so that ties are the same."""
    if mode == "nearest" and m in (n, 2 * n):
        return tuple(i * n // m for i in range(m))
    ratio = _single(1 / factor if factor else n / m)
    shift = 0.5 if mode == "nearest-exact" else 0.0
    return tuple(min(math.floor(_single((i + shift) * ratio)), n - 1) for i in range(m))


def _single(value: float) -> float:
    """A number rounded to single precision."""
    rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    return rounded


# --- linear modes -------------------------------------------------------------------------------------------------------


def _mixed(x: Any, axis: int, matrix: tuple[tuple[float, ...], ...]) -> Any:
    """The product of the matrix with x along an axis."""
    weights = x.__array_namespace__().asarray([list(row) for row in matrix], dtype=x.dtype)
    if axis == x.ndim - 1:
        return xg.linear(x, weights)
    if axis == x.ndim - 2:
        return xg.matmul(weights, x)
    return xg.moveaxis(xg.linear(xg.moveaxis(x, axis, -1), weights), -1, axis)


@lru_cache
def rows(
    mode: str, n: int, m: int, factor: float | None, align_corners: bool, antialias: bool
) -> tuple[tuple[float, ...], ...]:
    """The matrix of m rows and n columns that resizes an axis. Each row sums to 1."""
    if mode == "area":
        return tuple(_mean_of(n, i * n // m, -(-(i + 1) * n // m)) for i in range(m))
    ratio = 1 / factor if factor else n / m
    if align_corners:
        ratio = (n - 1) / (m - 1) if m > 1 else 0.0
    if antialias:
        kernel, support = _KERNELS[mode]
        return tuple(_smoothed(n, ratio, i, kernel, support) for i in range(m))
    place: Callable[[int], float] = (lambda i: i * ratio) if align_corners else (lambda i: (i + 0.5) * ratio - 0.5)
    of = _cubic if mode == "bicubic" else _between
    return tuple(of(n, place(i)) for i in range(m))


def _row(n: int, weights: dict[int, float]) -> tuple[float, ...]:
    return tuple(weights.get(j, 0.0) for j in range(n))


def _mean_of(n: int, start: int, stop: int) -> tuple[float, ...]:
    return _row(n, dict.fromkeys(range(start, stop), 1 / (stop - start)))


def _between(n: int, place: float) -> tuple[float, ...]:
    """Linear between the two neighbours of a place."""
    place = min(max(place, 0.0), n - 1.0)
    left = min(int(place), n - 1)
    share = place - left
    return _row(n, {left: 1 - share, left + 1: share}) if share else _row(n, {left: 1.0})


def _cubic(n: int, place: float) -> tuple[float, ...]:
    """A cubic of the four neighbours of a place. Beyond an end, the element at the end is repeated."""
    left = math.floor(place)
    weights: dict[int, float] = {}
    for j in range(left - 1, left + 3):
        inside = min(max(j, 0), n - 1)
        weights[inside] = weights.get(inside, 0.0) + _cubic_kernel(place - j, -0.75)
    return _row(n, weights)


def _smoothed(n: int, ratio: float, i: int, kernel: Callable[[float], float], support: float) -> tuple[float, ...]:
    """A mean with the weights of a kernel, which is as wide as the elements that element i stands for."""
    width = max(ratio, 1.0)
    centre = ratio * (i + 0.5)
    start = max(int(centre - support * width + 0.5), 0)
    stop = min(int(centre + support * width + 0.5), n)
    weights = {j: kernel((j - centre + 0.5) / width) for j in range(start, stop)}
    total = sum(weights.values())
    return _row(n, {j: weight / total for j, weight in weights.items()})


def _triangle(x: float) -> float:
    return max(1 - abs(x), 0.0)


def _cubic_kernel(x: float, a: float = -0.5) -> float:
    """Keys' cubic convolution."""
    x = abs(x)
    if x <= 1:
        return ((a + 2) * x - (a + 3)) * x * x + 1
    return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a if x < 2 else 0.0


def _lanczos_kernel(x: float) -> float:
    if x == 0:
        return 1.0
    return 3 * math.sin(math.pi * x) * math.sin(math.pi * x / 3) / (math.pi * x) ** 2 if abs(x) < 3 else 0.0


# The kernel of each mode, and how far it reaches.
_KERNELS: dict[str, tuple[Callable[[float], float], float]] = {
    "bilinear": (_triangle, 1.0),
    "bicubic": (_cubic_kernel, 2.0),
    "lanczos": (_lanczos_kernel, 3.0),
}
