"""Rows for xarray: a tensor as the data of a DataArray."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from array_api_compat import array_namespace

from bench.libraries.row import MATRIX, Row
from xgrad.compat.xarray import install

install()  # for interp

TIMES = np.arange(6.0)


def row(name: str, f: Callable[[xr.DataArray], Any], because: str = "") -> Row:
    """A row for a function of a DataArray with axes "time" and "place"."""

    def call(x: Any) -> Any:
        return f(xr.DataArray(x, dims=("time", "place"), coords={"time": TIMES})).data

    return Row(name, call, MATRIX, because=because)


def reduced(name: str) -> Row:
    return row(f"DataArray.{name}", lambda x: getattr(x, name)("time", skipna=False))


def groups(x: xr.DataArray) -> Any:
    return x.assign_coords(time=[0, 0, 1, 1, 2, 2]).groupby("time").mean(skipna=False)


def changed(x: xr.DataArray) -> Any:
    y = x * 1.0
    y[{"time": 0}] = 0.0
    return y


def dated(x: xr.DataArray) -> xr.DataArray:
    return x.assign_coords(time=np.datetime64("2020-01-01") + np.arange(6) * np.timedelta64(1, "D"))


def sines(x: xr.DataArray) -> Any:
    return xr.apply_ufunc(array_namespace(x.data).sin, x)


ROWS = [
    row("DataArray (arithmetic)", lambda x: x * 2 + x[:, 0]),
    *(reduced(name) for name in ("sum", "mean", "max", "min", "prod")),
    row("DataArray.clip", lambda x: x.clip(-1, 1)),
    row("DataArray.diff", lambda x: x.diff("time")),
    row("DataArray.groupby", groups),
    row("DataArray.integrate", lambda x: x.integrate("time")),
    row("DataArray.isel", lambda x: x.isel(time=slice(1, 4))),
    row("DataArray.roll", lambda x: x.roll(time=1)),
    row("DataArray.sel", lambda x: x.sel(time=[1.0, 3.0])),
    row("DataArray.stack", lambda x: x.stack(both=("time", "place"))),
    row("DataArray.transpose", lambda x: x.transpose("place", "time")),
    row("DataArray.weighted", lambda x: x.weighted(abs(x[:, 0])).mean("time", skipna=False)),
    row("DataArray.where", lambda x: x.where(x.data > 0, 0.0)),
    row("DataArray (assignment)", changed),
    row("Dataset", lambda x: (xr.Dataset({"u": x}) * 2).u),
    row("apply_ufunc", sines),
    row("align", lambda x: xr.align(x, x[1:])[0]),
    row("DataArray.copy", lambda x: (x * 1.0).copy()),
    row("concat", lambda x: xr.concat([x, x * 2], "time")),
    row("dot", lambda x: x @ x[:, 0]),
    row("DataArray.mean (skipna)", lambda x: x.mean("time")),
    row("DataArray.cumsum", lambda x: x.cumsum("time", skipna=False)),
    row("DataArray.cumprod", lambda x: x.cumprod("time")),
    row("DataArray.shift", lambda x: x.shift(time=1).fillna(0.0)),
    row("DataArray.differentiate", lambda x: x.differentiate("time")),
    row("DataArray.std", lambda x: x.std("time", skipna=False)),
    row("DataArray.std (skipna)", lambda x: x.std("time", ddof=1)),
    row("DataArray.var", lambda x: x.var("time", skipna=False, ddof=1)),
    row("DataArray.median", lambda x: x.median("time")),
    row("DataArray.quantile", lambda x: x.quantile([0.2, 0.7], "time")),
    row("DataArray.groupby (skipna)", lambda x: x.assign_coords(time=[0, 0, 1, 1, 2, 2]).groupby("time").std()),
    row("DataArray.resample", lambda x: dated(x).resample(time="2D").mean()),
    row("DataArray.resample (up)", lambda x: dated(x).resample(time="12h").interpolate("linear")),
    row("DataArray.rolling (mean)", lambda x: x.rolling(time=3, center=True).mean().fillna(0.0)),
    row("DataArray.rolling (max)", lambda x: x.rolling(time=2, min_periods=1).max()),
    row("DataArray.rolling (construct)", lambda x: x.rolling(time=3).construct("window").sum("window")),
    row("DataArray.coarsen", lambda x: x.coarsen(time=2).mean()),
    row("DataArray.weighted (std)", lambda x: x.weighted(abs(x[:, 0])).std("time")),
    row("DataArray.pad", lambda x: x.pad(time=2, mode="reflect")),
    row("DataArray.reindex", lambda x: x.reindex(time=[0.0, 1.0, 9.0]).fillna(0.0)),
    row("corr", lambda x: xr.corr(x, x**2, dim="time")),
    row("dot (outer)", lambda x: xr.dot(x, x.rename(place="other"), dim="time")),
    row("DataArray.interp", lambda x: x.interp(time=[0.25, 1.5])),
    row("DataArray.interp (cubic)", lambda x: x.interp(time=[0.25, 1.5], method="cubic")),
    row("numpy.sin", np.sin),
]
