"""scipy.signal on tensors: convolution and correlation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions.face import has_tensor, is_complex, is_float, on_their_backend, tensors
from xgrad.rules.shapes import normalize_axes
from xgrad.scipy.linalg.matrices import alike
from xgrad.scipy.others import others as _others
from xgrad.scipy.plain import on_tensors, scipys

__all__ = ["convolve", "correlate", "fftconvolve", "oaconvolve"]
__getattr__ = _others("signal", __all__)

MODES = ("full", "same", "valid")
SHORT = 32  # "auto" convolves directly with so many numbers,
FEW = 2**16  # or where the products are no more than this


def convolve(
    in1: Any, in2: Any, mode: str = "full", method: str = "auto", *, axes: Any = None, dot_axes: Any = None
) -> Any:
    """The convolution of two arrays.

    >>> import xgrad as xg
    >>> from xgrad.scipy.signal import convolve
    >>> convolve(xg.asarray([1.0, 2.0, 3.0]), [1.0, -1.0]).tolist()
    [1.0, 1.0, 1.0, -3.0]
    >>> images, filters = xg.ones((5, 3, 8, 8)), xg.ones((3, 4, 2, 2))  # as in HIPS autograd: 3 channels, 4 filters
    >>> convolve(images, filters, axes=([2, 3], [2, 3]), dot_axes=([1], [0]), mode="valid").shape
    (5, 4, 7, 7)

    Args:
        in1, in2: arrays of any numeric dtype, with as many axes as each other unless `axes` is given.
        mode: "full" for all sums; "same" for the middle of these, as long as in1; "valid" for those without numbers beyond an
            end, where one array must be as long as the other along each axis.
        method: "direct" for sums of products, "fft" for Fourier transforms, "auto" for the one that fits the sizes. Integers stay
            exact with "direct", which is also their "auto".
        axes: a pair of sequences of axes of in1 and of in2, which are convolved in pairs, as in HIPS autograd. None: all axes.
        dot_axes: a pair of sequences of further axes. The products are summed up over these. Axes that are in neither stay, each
            with each.

    Returns:
        A tensor, of the dtype that the arrays promote to. With `axes` its shape is that of the other axes of in1, of those of
        in2, and of the convolution. For plain arrays it is SciPy's array, or with `axes` an array like these.

    Raises:
        ValueError: for shapes that do not fit, and for another mode or method.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.convolve.html,
    https://github.com/HIPS/autograd/blob/master/autograd/scipy/signal.py
    """
    plain = not has_tensor([in1, in2])
    if axes is None and dot_axes is None:
        if plain:
            return scipys("signal.convolve")(in1, in2, mode, method)
        with on_their_backend([in1, in2]):
            return _convolve("convolve", in1, in2, mode, method)
    if plain:
        with xg.use_backend("numpy"):
            return _convolve_over(xg.asarray(in1), xg.asarray(in2), mode, axes, dot_axes).numpy()
    with on_their_backend([in1, in2]):
        return _convolve_over(in1, in2, mode, axes, dot_axes)


@on_tensors("signal.correlate")
def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Tensor:
    """The cross-correlation of two arrays: the convolution with the conjugate of the other one, backwards.

    >>> import xgrad as xg
    >>> from xgrad.scipy.signal import correlate
    >>> correlate(xg.asarray([1.0, 2.0, 3.0]), [0.0, 1.0, 0.5]).tolist()
    [0.5, 2.0, 3.5, 3.0, 0.0]

    Args:
        in1, in2, mode, method: as for `convolve`.

    Returns:
        A tensor, of the dtype that the arrays promote to.

    Raises:
        ValueError: as `convolve`.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.correlate.html
    """
    (other,) = tensors("scipy.signal.correlate", in2)
    other = xg.flip(other) if other.ndim else other
    return _convolve("correlate", in1, xg.conj(other) if is_complex(other) else other, mode, method)


@on_tensors("signal.fftconvolve")
def fftconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Tensor:
    """The convolution of two arrays by Fourier transforms.

    >>> import xgrad as xg
    >>> from xgrad.scipy.signal import fftconvolve
    >>> fftconvolve(xg.asarray([1.0, 2.0, 3.0]), [1.0, -1.0]).numpy().round(12).tolist()
    [1.0, 1.0, 1.0, -3.0]

    Args:
        in1, in2, mode: as for `convolve`.
        axes: the axes to convolve over: an integer or a sequence. Along the others the arrays broadcast. None: all.

    Returns:
        A tensor of a floating-point dtype.

    Raises:
        ValueError: as `convolve`.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.fftconvolve.html
    """
    return _by_fft("fftconvolve", in1, in2, mode, axes)


@on_tensors("signal.oaconvolve")
def oaconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Tensor:
    """The convolution of two arrays, as `fftconvolve`: for tensors there is one transform, not several that overlap.

    >>> import xgrad as xg
    >>> from xgrad.scipy.signal import oaconvolve
    >>> oaconvolve(xg.asarray([1.0, 2.0, 3.0]), [1.0, -1.0]).numpy().round(12).tolist()
    [1.0, 1.0, 1.0, -3.0]

    Args:
        in1, in2, mode, axes: as for `fftconvolve`.

    Returns:
        A tensor of a floating-point dtype.

    Raises:
        ValueError: as `convolve`.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.oaconvolve.html
    """
    return _by_fft("oaconvolve", in1, in2, mode, axes)


# --- all axes -------------------------------------------------------------------------------------------------------


def _arrays(name: str, in1: Any, in2: Any, mode: Any) -> tuple[Tensor, Tensor]:
    """The arrays in one dtype. The mode is checked too."""
    if mode not in MODES:
        raise ValueError(f"{name}: mode must be 'full', 'same' or 'valid', not {mode!r:.60}")
    found = alike(*tensors(f"scipy.signal.{name}", in1, in2))
    return found[0], found[1]


def _convolve(name: str, in1: Any, in2: Any, mode: str, method: str) -> Tensor:
    a, b = _arrays(name, in1, in2, mode)
    if method not in ("auto", "direct", "fft"):
        raise ValueError(f"{name}: method must be 'auto', 'direct' or 'fft', not {method!r:.60}")
    if a.ndim != b.ndim:
        raise ValueError(
            f"{name}: in1 and in2 must have as many axes, not shapes {tuple(a.shape)} and {tuple(b.shape)}"
        )
    if not a.ndim:
        return xg.multiply(a, b)
    if not a.size or not b.size:
        return xg.reshape(b if a.size else a, (-1,))
    if method == "auto":
        few = min(a.size, b.size) <= SHORT or a.size * b.size <= FEW
        method = "direct" if few or not is_float(a) else "fft"
    if method == "fft":
        return _by_fft(name, a, b, mode, None)
    return _direct(name, a[None, None], b[None, None], mode)[0, 0]


def _by_fft(name: str, in1: Any, in2: Any, mode: str, axes: Any) -> Tensor:
    a, b = _arrays(name, in1, in2, mode)
    if a.ndim != b.ndim:
        raise ValueError(
            f"{name}: in1 and in2 must have as many axes, not shapes {tuple(a.shape)} and {tuple(b.shape)}"
        )
    if not is_float(a):
        a, b = a / 1, b / 1
    if not a.ndim:
        return xg.multiply(a, b)
    if not a.size or not b.size:
        return xg.reshape(b if a.size else a, (-1,))
    over = tuple(range(a.ndim)) if axes is None else normalize_axes(name, axes, a.ndim)
    for i in range(a.ndim):
        if i not in over and a.shape[i] != b.shape[i] and 1 not in (a.shape[i], b.shape[i]):
            raise ValueError(
                f"{name}: along axis {i}, which is not convolved, {a.shape[i]} and {b.shape[i]} do not broadcast"
            )
    if not over:
        return xg.multiply(a, b)
    sizes = [(a.shape[i], b.shape[i]) for i in over]
    _check_valid(name, mode, sizes)
    whole = [m + n - 1 for m, n in sizes]
    lengths = [_fast(n) for n in whole]
    if is_complex(a):
        y = xg.fft.ifftn(
            xg.fft.fftn(a, s=lengths, axes=over) * xg.fft.fftn(b, s=lengths, axes=over), s=lengths, axes=over
        )
    else:
        y = xg.fft.irfftn(
            xg.fft.rfftn(a, s=lengths, axes=over) * xg.fft.rfftn(b, s=lengths, axes=over), s=lengths, axes=over
        )
    key = [slice(None)] * a.ndim
    for i, (m, n) in zip(over, sizes, strict=True):
        first, count = _part(mode, m, n)
        key[i] = slice(first, first + count)
    part: Tensor = y[tuple(key)]
    return part


def _fast(n: int) -> int:
    """The smallest length of n or more with the factors 2, 3 and 5 only, for which transforms are fast."""
    while True:
        left = n
        for prime in (2, 3, 5):
            while left % prime == 0:
                left //= prime
        if left == 1:
            return n
        n += 1


def _part(mode: str, m: int, n: int) -> tuple[int, int]:
    """Where the part that a mode wants begins in the full convolution of m and n numbers, and its length."""
    if mode == "full":
        return 0, m + n - 1
    if mode == "same":
        return (n - 1) // 2, m
    return min(m, n) - 1, max(m, n) - min(m, n) + 1


def _check_valid(name: str, mode: str, sizes: Sequence[tuple[int, int]]) -> None:
    if mode == "valid" and not (all(m >= n for m, n in sizes) or all(m <= n for m, n in sizes)):
        raise ValueError(
            f"{name}: for mode 'valid', one array must be as long as the other along each axis; they are {sizes}"
        )


# --- chosen axes ------------------------------------------------------------------------------------------------------


def _direct(name: str, a: Tensor, b: Tensor, mode: str) -> Tensor:
    """The sums of products of a, of shape (N, C, *size), and b, of shape (M, C, *size): an array of shape (N, M, *size)."""
    sizes = list(zip(a.shape[2:], b.shape[2:], strict=True))
    _check_valid(name, mode, sizes)
    if mode == "valid" and any(m < n for m, n in sizes):
        return xg.moveaxis(_direct(name, b, a, mode), 0, 1)
    padding = []
    for m, n in sizes:
        first, count = _part(mode, m, n)
        before = n - 1 - first
        padding.append((before, count + n - 1 - m - before))
    flipped = xg.flip(b, axis=tuple(range(2, b.ndim)))
    return xg.convolution(a, flipped, padding=padding)


def _convolve_over(in1: Any, in2: Any, mode: str, axes: Any, dot_axes: Any) -> Tensor:
    a, b = _arrays("convolve", in1, in2, mode)
    axes = (range(a.ndim), range(b.ndim)) if axes is None else axes
    over = [_chosen("axes", i, axes, x.ndim) for i, x in enumerate((a, b))]
    dots = [_chosen("dot_axes", i, dot_axes or ((), ()), x.ndim) for i, x in enumerate((a, b))]
    if len(over[0]) != len(over[1]) or len(dots[0]) != len(dots[1]):
        raise ValueError("convolve: axes= and dot_axes= name as many axes of in1 as of in2")
    if [a.shape[i] for i in dots[0]] != [b.shape[i] for i in dots[1]]:
        raise ValueError(
            f"convolve: along dot_axes the arrays must be equally long, not {[a.shape[i] for i in dots[0]]} and "
            f"{[b.shape[i] for i in dots[1]]}"
        )
    rows, others = [], []
    for x, conv, dot in zip((a, b), over, dots, strict=True):
        if set(conv) & set(dot):
            raise ValueError("convolve: an axis is in axes= or in dot_axes=, not in both")
        rest = tuple(i for i in range(x.ndim) if i not in (*conv, *dot))
        others.append(tuple(x.shape[i] for i in rest))
        channels = math.prod(x.shape[i] for i in dot)
        turned = xg.permute_dims(x, (*rest, *dot, *conv))
        rows.append(xg.reshape(turned, (math.prod(others[-1]), channels, *(x.shape[i] for i in conv))))
    y = _direct("convolve", rows[0], rows[1], mode) if over[0] else xg.matmul(rows[0], rows[1].mT)
    return xg.reshape(y, (*others[0], *others[1], *y.shape[2:]))


def _chosen(what: str, i: int, axes: Any, ndim: int) -> tuple[int, ...]:
    """The axes of one array, as numbers that are not negative, in the order given."""
    if not isinstance(axes, Sequence) or len(axes) != 2:
        raise ValueError(f"convolve: {what} is a pair of sequences of axes, of in1 and of in2, not {axes!r:.60}")
    return normalize_axes("convolve", tuple(axes[i]), ndim) if len(axes[i]) else ()
