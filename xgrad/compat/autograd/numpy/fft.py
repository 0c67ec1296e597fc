"""`autograd.numpy.fft`: NumPy's functions, which take tensors.

As in HIPS autograd, real transforms of an odd length have no derivative here. In `numpy.fft` and `xgrad.numpy.fft` they have one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy

from xgrad.compat.autograd.values import isbox

__all__ = [*numpy.fft.__all__]


def _of_even_length(name: str, axis: Any) -> Callable[..., Any]:
    """The real transform of that name, which refuses to differentiate by odd lengths. `axis` is the default of its axes."""
    numpys = getattr(numpy.fft, name)

    @functools.wraps(numpys)
    def transform(a: Any, *args: Any, **options: Any) -> Any:
        y = numpys(a, *args, **options)
        if isbox(y):
            size = args[0] if args else options.get("n", options.get("s"))
            along = args[1] if len(args) > 1 else options.get("axis", options.get("axes", axis))
            lengths = numpy.ravel((y if name.startswith("i") else a).shape[_last(along)] if size is None else size)
            if lengths[-1] % 2:
                raise NotImplementedError(
                    f"Real FFT gradient for odd lengthed last axes is not implemented. xgrad.numpy.fft.{name} has it"
                )
        return y

    return transform


def _last(axes: Any) -> int:
    return -1 if axes is None else int(numpy.ravel(axes)[-1])


rfft, irfft = _of_even_length("rfft", -1), _of_even_length("irfft", -1)
rfft2, irfft2 = _of_even_length("rfft2", (-2, -1)), _of_even_length("irfft2", (-2, -1))
rfftn, irfftn = _of_even_length("rfftn", None), _of_even_length("irfftn", None)


def __getattr__(name: str) -> Any:
    return getattr(numpy.fft, name)
