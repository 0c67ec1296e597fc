"""Compares every value, vjp and jvp on the device with float64 on the host, in units in the last place (ulps).

The cases are those of the tests (tests/cases), which include every differentiable function. The error is that of the worst
element, in ulps of the largest element in the array's own dtype: rounding alone gives about 1. The table also has float32 on the
host: an error that is as large there is due to float32, not to the device.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

import numpy as np

from bench.gpu.job import Job
from tests.cases import CASES
from tests.laws import FLOAT32, ROUNDING, in_double
from tests.point import Arrays, Point, to_hosts
from xgrad.backends import load

MODES = ("value", "vjp", "jvp")
# As in the tests' laws: the largest difference of two ways to the same number, relative to the largest element.
LIMITS = {"float64": ROUNDING * 2**53, "float32": FLOAT32 * 2**24}

Errors = dict[str, dict[str, float]]  # by dtype and mode


def ulps(got: Arrays, want: Arrays, dtype: str) -> float:
    """The largest error in units in the last place of the largest element; infinite if one is not finite, or if shapes differ.

    >>> float(ulps([np.asarray([1.0, 2.0 + 2**-51])], [np.asarray([1.0, 2.0])], "float64"))
    1.0
    """
    worst = 0.0
    for g, w in zip(got, want, strict=True):
        if g.shape != w.shape:
            return float("inf")
        if not w.size:
            continue
        largest = float(np.abs(w).max())
        error = float(np.abs(g.astype(w.dtype) - w).max())
        unit = float(np.spacing(np.dtype(dtype).type(largest))) if largest else float(np.finfo(dtype).tiny)
        worst = max(worst, error / unit) if np.isfinite(error) else float("inf")
    return worst


def errors(point: Point, exact: Point, dtype: str) -> Iterator[tuple[str, float]]:
    """The errors of the value, vjp and jvp at one point. The exact numbers are computed in float64 from the same inputs."""
    exact.xs = [in_double(x) for x in point.xs]
    exact.directions, exact.weights = ([in_double(a) for a in arrays] for arrays in (point.directions, point.weights))
    value = to_hosts(point.function(*point.tensors(point.xs)))
    yield "value", ulps(value, exact.value(), dtype)
    yield "vjp", ulps(to_hosts(point.gradients), to_hosts(exact.gradients), dtype)
    yield "jvp", ulps(to_hosts(point.tangents), to_hosts(exact.tangents), dtype)


def of_function(name: str, backend: str) -> dict[str, Any]:
    """The worst errors over a function's cases, on the device and on the host."""
    there, here = load(backend), load("numpy")
    row: dict[str, Any] = {"function": name, "cases": 0, "device": {}, "host": {}, "failures": []}
    for case in CASES[name]:
        if name in there.cannot or there.name in case.without:
            continue
        row["cases"] += 1
        for dtype in ("float64", "float32") if case.float32 else ("float64",):
            for where, on in (("device", there), ("host", here)):
                if where == "host" and (dtype == "float64" or here.name in case.without):
                    continue
                worst = row[where].setdefault(dtype, dict.fromkeys(MODES, 0.0))
                try:
                    for mode, error in errors(Point(case, on, dtype), Point(case, here), dtype):
                        worst[mode] = max(worst[mode], error)
                        if where == "device" and not error <= LIMITS[dtype]:
                            row["failures"].append(f"{case} {dtype} {mode}: {error:.1f} ulps")
                except Exception as problem:  # a function that fails becomes a line of the table
                    row["failures"].append(f"{case} {dtype} on the {where}: {type(problem).__name__}: {problem}")
    return row


def cells(row: dict[str, Any]) -> list[str]:
    def cell(where: str, dtype: str, mode: str) -> str:
        found = row[where].get(dtype)
        return "-" if found is None else f"{found[mode]:.1f}"

    columns = [("device", "float64"), ("device", "float32"), ("host", "float32")]
    return [row["function"], str(row["cases"]), *(cell(*column, mode) for column in columns for mode in MODES)]


HEADER = [
    "function",
    "cases",
    *(f"{where} {mode}" for where in ("float64", "float32", "host float32") for mode in MODES),
]


def run(job: Job) -> None:
    names = sorted(CASES)
    rows: list[dict[str, Any]] = []
    workers = min(os.cpu_count() or 1, 8)
    job.put(ok=True, processes=workers)
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
    with pool:
        waiting = {pool.submit(of_function, name, job.backend): name for name in names}
        for number, done in enumerate(as_completed(waiting), start=1):
            try:
                rows.append(done.result())
            except Exception as error:
                job.fail(f"{waiting[done]}: {type(error).__name__}: {error}")
            if number % 20 == 0 or number == len(names):
                show(job, rows)
    for row in rows:
        for failure in row["failures"]:
            job.fail(failure)
    job.check({row["function"] for row in rows} == set(names), "not every function was tried")


def show(job: Job, rows: list[dict[str, Any]]) -> None:
    rows = sorted(rows, key=lambda row: str(row["function"]))
    job.table(
        "Largest error, in ulps of the largest element, against float64 on the host", HEADER, [cells(r) for r in rows]
    )
    worst = {
        dtype: max((max(row["device"][dtype].values()) for row in rows if dtype in row["device"]), default=0.0)
        for dtype in LIMITS
    }
    job.put(
        summary=f"{len(rows)} functions, {sum(row['cases'] for row in rows)} cases; at worst "
        + ", ".join(f"{error:.0f} ulps in {dtype} (limit {LIMITS[dtype]:.0f})" for dtype, error in worst.items()),
        worst=worst,
    )
