"""Standardizing features: mean 0 and standard deviation 1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

import xgrad as xg
from xgrad.backends.base import Backend
from xgrad.backends.data import check, described
from xgrad.data.collate import moved
from xgrad.data.hostlike import applied, host_backend, host_tensor, is_host
from xgrad.engine.integers import integers
from xgrad.engine.tensor import Tensor
from xgrad.random.place import holds

BLOCK = 1 << 20  # elements of an array on the host that are looked at together


class Standardize:
    """Subtracts the mean of each feature and divides by its standard deviation, and back.

    A feature with one value only is divided by 1. The statistics are computed in float64, where the device has it, and in blocks,
    so that an array in a mapped file may be larger than memory. Fit it on the training samples only.

    >>> import numpy as np
    >>> import xgrad as xg
    >>> x = np.array([[1.0, 5.0], [3.0, 5.0]])
    >>> scale = xg.data.Standardize().fit(x)
    >>> scale(x).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    >>> scale.inverse(scale(x)).tolist()
    [[1.0, 5.0], [3.0, 5.0]]

    Args:
        axis: the axes along which the numbers of one feature lie: 0, or (0, 2, 3) for the channels of images.

    Attributes:
        mean, std: the statistics, tensors on NumPy in float64, of the shape of a sample, with 1 for other axes in `axis`; None
            before `fit`. The standard deviation divides by the number of samples.

    Raises:
        TypeError: for an axis that is no integer, and for what is no array of real numbers.
        ValueError: for axes without 0; from `fit` for no samples, and for a number that is not finite: the message says where;
            from a call for another shape, and for numbers that are not finite, as far as this is known without waiting for a
            device.
        RuntimeError: from a call before `fit`.

    https://scikit-learn.org/stable/modules/generated/sklearn.preprocessing.StandardScaler.html
    """

    def __init__(self, axis: int | tuple[int, ...] = 0) -> None:
        self.axis = integers("Standardize", axis, "axis")
        if 0 not in self.axis or any(n < 0 for n in self.axis):
            raise ValueError(
                f"Standardize: axis must hold 0, the axis of the samples, and no negative number, got {axis!r}"
            )
        self.mean: Tensor | None = None
        self.std: Tensor | None = None
        self._placed: dict[Any, tuple[Tensor, Tensor]] = {}

    def fit(self, x: Any) -> Standardize:
        """Compute the statistics of an array of shape (N, ...), of NumPy or of any backend. Returns this object."""
        if not hasattr(x, "shape"):
            x = xg.asarray(x)
        shape = tuple(x.shape)
        if not shape or 0 in shape or max(self.axis) >= len(shape):
            raise ValueError(
                f"Standardize: an array of shape (N, ...) with the axes {self.axis} is needed, got {shape}"
            )
        count = 0
        mean: Any = None
        squares = mean
        for first, block in _blocks(x):
            _check_finite(block, first)
            n = prod(block.shape[axis] for axis in self.axis)
            # From one value of each feature: its distance from zero costs no digits, and a constant is exactly 0.
            begin = block[tuple(slice(0, 1) if axis in self.axis else slice(None) for axis in range(len(shape)))]
            from_begin = block - begin
            shift = xg.mean(from_begin, axis=self.axis, keepdims=True)
            block_mean = begin + shift
            block_squares = xg.sum((from_begin - shift) ** 2, axis=self.axis, keepdims=True)
            if mean is None:
                mean, squares = block_mean, block_squares
            else:  # https://doi.org/10.1080/00031305.1983.10483115, of the parts so far and a new one
                gap = block_mean - mean
                mean = mean + gap * (n / (count + n))
                squares = squares + block_squares + gap**2 * (count * n / (count + n))
            count += n
        std = xg.sqrt(squares / count)
        std = xg.where(std == 0, 1.0, std)
        self.mean, self.std = (_on_host(each[0, ...]) for each in (mean, std))
        self._placed = {}
        return self

    def transform(self, x: Any) -> Any:
        """The standardized array: a NumPy array for a NumPy array, and otherwise a tensor with a gradient, of the same dtype."""
        return applied("Standardize", lambda t: self._apply(t, inverse=False), x)

    __call__ = transform

    def fit_transform(self, x: Any) -> Any:
        """`fit(x)`, and then `transform(x)`."""
        return self.fit(x).transform(x)

    def inverse(self, z: Any) -> Any:
        """The array whose `transform` is `z`."""
        return applied("Standardize", lambda t: self._apply(t, inverse=True), z)

    def _apply(self, t: Tensor, inverse: bool) -> Tensor:
        if self.mean is None or self.std is None:
            raise RuntimeError("Standardize: call fit(x) before this, or load_state_dict")
        if not t.backend.library.isdtype(t.dtype, "real floating"):
            t = xg.astype(t, t.backend.default_dtype)
        wanted = self.mean.shape
        if len(t.shape) < len(wanted) or any(
            n not in (1, m) for n, m in zip(reversed(wanted), reversed(t.shape), strict=False)
        ):
            raise ValueError(f"Standardize was fitted on samples of shape {wanted}; this has shape {t.shape}")
        if holds(xg.isfinite, t) is False:
            raise ValueError("Standardize: there are numbers that are not finite, such as nan")
        mean, std = self._at(t.backend.bare(t.data)[0], t.dtype)  # inside vmap, without its axis
        return t * std + mean if inverse else (t - mean) / std

    def _at(self, backend: Backend, dtype: Any) -> tuple[Tensor, Tensor]:
        """The statistics on a backend, in a dtype. They are kept for the next call."""
        key = backend, dtype
        if key not in self._placed:
            self._placed[key] = _in(self.mean, backend, dtype), _in(self.std, backend, dtype)
        return self._placed[key]

    def state_dict(self) -> dict[str, Any]:
        """The statistics: two tensors."""
        if self.mean is None or self.std is None:
            raise RuntimeError("Standardize: call fit(x) before state_dict")
        return {"mean": self.mean, "std": self.std}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over the statistics. Raises ValueError, and changes nothing, for what is not of `state_dict`."""
        if not isinstance(state_dict, Mapping) or not {"mean", "std"} <= set(state_dict):
            raise ValueError(f"Standardize.load_state_dict: mean and std are needed, got {described(state_dict)}")
        mean, std = (_on_host(xg.asarray(state_dict[key])) for key in ("mean", "std"))
        if mean.shape != std.shape or not bool(xg.all(xg.isfinite(mean) & (std > 0))):
            raise ValueError(
                "Standardize.load_state_dict: mean and std must be finite and of one shape, and std above 0"
            )
        self.mean, self.std, self._placed = mean, std, {}

    def __repr__(self) -> str:
        return f"Standardize(axis={self.axis if len(self.axis) > 1 else self.axis[0]})"


def _blocks(x: Any) -> Iterator[tuple[int, Tensor]]:
    """The parts of an array along axis 0, in float64 where there is one, each with the number of its first sample."""
    if not is_host(x):
        check("Standardize", x)
        t = xg.asarray(x).detach()
        yield 0, xg.astype(t, _widest(t))
        return
    check("Standardize", x[:1])
    if x.dtype.kind == "c":
        raise TypeError(f"Standardize: real numbers are needed, not {x.dtype}")
    rows = max(1, BLOCK // max(1, prod(x.shape[1:])))
    for first in range(0, x.shape[0], rows):
        yield first, host_tensor(x[first : first + rows], dtype="float64")


def _widest(t: Tensor) -> Any:
    if t.backend.library.isdtype(t.dtype, "complex floating"):
        raise TypeError(f"Standardize: real numbers are needed, not {t.dtype}")
    floats = t.__array_namespace__().__array_namespace_info__().dtypes(kind="real floating")
    return floats.get("float64", floats["float32"])


def _check_finite(block: Tensor, first: int) -> None:
    bad = ~xg.isfinite(block)
    if not bool(xg.any(bad).item()):
        return
    at = int(xg.argmax(xg.astype(xg.reshape(bad, (-1,)), xg.int32)).item())
    place = []
    for n in reversed(block.shape):
        at, i = divmod(at, n)
        place.append(i)
    place.reverse()
    where = f"sample {place[0] + first}" + (f", feature {', '.join(map(str, place[1:]))}" if place[1:] else "")
    count = int(xg.count_nonzero(bad).item())
    raise ValueError(f"Standardize: {where} is {block[tuple(place)].item()}, not a finite number (one of {count})")


def _in(t: Any, backend: Backend, dtype: Any) -> Tensor:
    return xg.astype(moved(t, backend), dtype)


def _on_host(t: Tensor) -> Tensor:
    return xg.astype(moved(t.detach(), host_backend()), "float64", copy=True)
