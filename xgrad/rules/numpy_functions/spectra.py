"""`numpy.fft`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xgrad.rules.numpy_functions.face import fft, floating, is_complex, not_given, tensor, xp
from xgrad.rules.numpy_functions.table import numpy_function


def _input(name: str, a: Any) -> Any:
    """The array. The standard's complex transforms take complex arrays only, and NumPy's real ones too."""
    a = floating(tensor(f"fft.{name}", a))
    return a if is_complex(a) or name.startswith(("r", "ih")) else xp.from_parts(a, xp.zeros_like(a))


def _along_one(name: str) -> Callable[..., Any]:
    def transform(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: None = None) -> Any:
        not_given(f"fft.{name}", out=out)
        return getattr(fft, name)(_input(name, a), n=n, axis=axis, norm=norm or "backward")

    return transform


for _name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
    numpy_function(f"fft.{_name}")(_along_one(_name))


def _along_several(name: str, ndim: int | None) -> Callable[..., Any]:
    default = None if ndim is None else tuple(range(-ndim, 0))

    def transform(a: Any, s: Any = None, axes: Any = default, norm: str | None = None, out: None = None) -> Any:
        not_given(f"fft.{name}", out=out)
        a = _input(name, a)
        axes = None if axes is None else tuple(axes)
        return getattr(fft, f"{name[:-1]}n")(a, s=s, axes=axes, norm=norm or "backward")

    return transform


for _name in ("fft", "ifft", "rfft", "irfft"):
    numpy_function(f"fft.{_name}n")(_along_several(f"{_name}n", None))
    numpy_function(f"fft.{_name}2")(_along_several(f"{_name}2", 2))


@numpy_function("fft.fftshift")
def fftshift(x: Any, axes: Any = None) -> Any:
    return fft.fftshift(tensor("fft.fftshift", x), axes=axes)


@numpy_function("fft.ifftshift")
def ifftshift(x: Any, axes: Any = None) -> Any:
    return fft.ifftshift(tensor("fft.ifftshift", x), axes=axes)
