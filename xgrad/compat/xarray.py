"""xarray's interpolation on tensors.

xarray takes tensors as the data of a DataArray without this. Only `DataArray.interp` calls SciPy's `interp1d`, which makes a
NumPy array of its argument. After `install()`, data that are a tensor are interpolated here, with their gradients.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions.face import Functions

xp = Functions()
METHODS = ("linear", "nearest", "cubic")


def install() -> None:
    """From now on, `DataArray.interp` and `interp_like` take tensors, by the methods "linear", "nearest" and "cubic".

    >>> import xarray as xr  # doctest: +SKIP
    >>> import xgrad as xg
    >>> xg.compat.xarray.install()  # doctest: +SKIP
    >>> x = xr.DataArray(xg.asarray([1.0, 4.0], requires_grad=True), dims="t", coords={"t": [0.0, 1.0]})  # doctest: +SKIP
    >>> x.interp(t=0.25).data.item()  # doctest: +SKIP
    1.75

    Raises:
        ImportError: without xarray, or for a version of it that is made differently inside.
    """
    try:
        from xarray.core import missing
    except ImportError as error:
        raise ImportError("xgrad.compat.xarray needs xarray. Install it with: pip install xarray") from error
    theirs: Any = getattr(missing, "_interp1d", None)
    if theirs is None:
        raise ImportError("xgrad.compat.xarray: this version of xarray has no _interp1d, which is replaced")
    if hasattr(theirs, "takes_tensors"):
        return

    @functools.wraps(theirs)
    def interp1d(var: Any, x: Any, new_x: Any, func: Any, kwargs: Any) -> Any:
        if not isinstance(var.data, Tensor):
            return theirs(var, x, new_x, func, kwargs)
        places = np.asarray(new_x[0].data, dtype=float)
        y = Interpolation(np.asarray(x[0].data, dtype=float), var.data, kwargs.get("method"), kwargs.get("fill_value"))
        return xp.reshape(y(places.reshape(-1)), (*var.shape[:-1], *places.shape))

    interp1d.takes_tensors = True  # type: ignore[attr-defined]
    missing._interp1d = interp1d  # type: ignore[assignment]


class Interpolation:
    """A function of new places, from values along the last axis at ascending places.

    Args:
        xi: the places, a vector of NumPy's.
        y: the values, of shape (..., n).
        method: "linear", "nearest" or "cubic".
        fill_value: what lies outside: None for nan, a number, a pair for both sides, or "extrapolate".
    """

    def __init__(self, xi: Any, y: Tensor, method: Any, fill_value: Any) -> None:
        if method not in METHODS:
            raise TypeError(f"interp of a tensor has the methods {', '.join(METHODS)}, not {method!r}")
        self.xi, self.y, self.method = xi, y, method
        self.outside = (np.nan, np.nan) if fill_value is None else fill_value
        if not isinstance(self.outside, tuple | list | str):
            self.outside = (self.outside, self.outside)

    def __call__(self, x: Any) -> Tensor:
        x = np.asarray(x, dtype=float)
        found: Tensor = getattr(self, f"_{self.method}")(x)
        if isinstance(self.outside, str):
            return found
        for is_outside, value in zip((x < self.xi[0], x > self.xi[-1]), self.outside, strict=True):
            found = xp.where(found.backend.view.asarray(is_outside), value, found)
        return found

    def _linear(self, x: Any) -> Any:
        i = np.clip(np.searchsorted(self.xi, x) - 1, 0, len(self.xi) - 2)
        share = self._beside((x - self.xi[i]) / (self.xi[i + 1] - self.xi[i]))
        return self._at(i) * (1 - share) + self._at(i + 1) * share

    def _nearest(self, x: Any) -> Any:
        """The nearest value; the lower one in the middle, as SciPy has it."""
        return self._at(np.searchsorted((self.xi[1:] + self.xi[:-1]) / 2, x))

    def _cubic(self, x: Any) -> Any:
        from xgrad.scipy.interpolate import CubicSpline

        return CubicSpline(self.xi, self.y, axis=-1)(self._beside(x))

    def _at(self, indices: Any) -> Any:
        return xp.take(self.y, self.y.backend.view.asarray(indices), axis=-1)

    def _beside(self, values: Any) -> Any:
        view = self.y.backend.view
        return view.astype(view.asarray(values), self.y.dtype)
