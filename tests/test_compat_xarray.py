"""Interpolating DataArrays of tensors: xarray's values on NumPy arrays, and gradients."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make

xr = pytest.importorskip("xarray")
pytest.importorskip("scipy")
from xgrad.compat import xarray as compat  # noqa: E402

VALUES = np.random.default_rng(0).normal(size=(6, 5))
WAYS = {
    "linear": lambda a: a.interp(x=[0.3, 1.5, 2.0]),
    "linear, outside": lambda a: a.interp(x=[-1.0, 0.5, 9.0]),
    "linear, filled": lambda a: a.interp(x=[-1.0, 0.5, 9.0], kwargs={"fill_value": (1.0, 2.0)}),
    "linear, one value outside": lambda a: a.interp(x=[-1.0, 0.5, 9.0], kwargs={"fill_value": 3.0}),
    "linear, beyond": lambda a: a.interp(x=[-1.0, 0.5, 9.0], kwargs={"fill_value": "extrapolate"}),
    "nearest": lambda a: a.interp(x=[0.4, 0.6, 2.2], method="nearest"),
    "cubic": lambda a: a.interp(x=[0.4, 1.6, 4.2], method="cubic"),
    "both axes": lambda a: a.interp(x=[0.4, 1.6], y=[12.0, 25.0]),
    "one place": lambda a: a.interp(x=0.25),
    "places of two axes": lambda a: a.interp(x=xr.DataArray([[0.3, 1.5], [2.5, 3.0]], dims=("p", "q"))),
    "like": lambda a: a.interp_like(xr.DataArray(np.zeros(2), dims="x", coords={"x": [0.5, 3.5]})),
    "resample": lambda a: a.assign_coords(x=np.arange("2020-01-01", "2020-01-07", dtype="datetime64[D]"))
    .astype("float64").resample(x="12h").interpolate("linear"),
}  # fmt: skip


def data(values):
    if not hasattr(values.dtype, "kind"):
        pytest.skip("xarray asks the dtype for its kind, which NumPy's and CuPy's have")
    return xr.DataArray(values, dims=("x", "y"), coords={"x": np.arange(6.0), "y": [10.0, 20.0, 30.0, 40.0, 50.0]})


@pytest.mark.parametrize("name", WAYS)
def test_values_and_gradients(xp, name):
    compat.install()
    want = WAYS[name](data(VALUES))

    def f(x):
        return WAYS[name](data(x)).transpose(*want.dims).data

    assert_matches(f(make(xp, VALUES)), want.data, xp=xp, rtol=1e-9)
    finite = make(xp, np.where(np.isfinite(want.data), 1.0, 0.0))
    xg.check_grads(
        lambda x: xg.sum(xg.where(finite > 0, f(x), 0.0) * xg.cos(xg.where(finite > 0, f(x), 0.0))), make(xp, VALUES)
    )


def test_numpy_arrays_are_xarrays_own():
    compat.install()
    compat.install()  # a second time changes nothing
    assert isinstance(data(VALUES).interp(x=[0.5], method="quadratic").data, np.ndarray)


def test_another_method(xp):
    compat.install()
    with pytest.raises(TypeError, match="has the methods linear, nearest, cubic, not 'quadratic'"):
        data(make(xp, VALUES)).interp(x=[0.5], method="quadratic")
