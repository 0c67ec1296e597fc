"""CuPy's kernels for windows, compiled for the host, give what NumPy gives. They have not been run on a device."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cases.windows import GEOMETRIES, POOLS, count_of
from tests.support.cupy_traces import compiler
from xgrad.backends import cupy_windows, load
from xgrad.backends.cupy_windows import arguments, geometry

RNG = np.random.default_rng(0)

PROGRAM = """
#include <cstddef>
typedef double T;
typedef long long int64;
extern "C" void run(ptrdiff_t elements, const T* x{integers}, T* ys, int64* indices) {{
    for (ptrdiff_t i = 0; i < elements; ++i) {{
        T& y = ys[i]; int64& index = indices[i];
        {source}
        (void)index;
    }}
}}
"""


def compiled(source: str, n: int, folder: Path) -> Any:
    """The kernel as a function of (elements, x, integers, y, indices)."""
    found = compiler()
    if found is None:
        pytest.skip("there is no C++ compiler")
    integers = arguments(n).removeprefix("raw T x")
    folder.joinpath("kernel.cpp").write_text(PROGRAM.format(source=source, integers=integers), encoding="utf-8")
    command = [found, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", "kernel.so", "kernel.cpp"]
    subprocess.run(command, cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "kernel.so")).run


def run(function: Any, x: Any, integers: list[int], y: Any, indices: Any) -> None:
    pointer = ctypes.c_void_p
    given = [pointer(array.ctypes.data) for array in (x, y, indices)]
    function(ctypes.c_ssize_t(y.size), given[0], *map(ctypes.c_longlong, integers), *given[1:])


@pytest.mark.parametrize("n", [1, 2, 3])
def test_add_windows(n, tmp_path):
    function = compiled(cupy_windows.source_of_add_windows(n), n, tmp_path)
    for size, kernel, where in GEOMETRIES.values():
        if len(size) == n:
            count = count_of(size, kernel, where)
            x = RNG.normal(size=(2, 3, *kernel, *count))
            y, indices = np.full((2, 3, *size), np.nan), np.zeros((2, 3, *size), np.int64)
            run(
                function,
                x,
                geometry(size, count, kernel, where["stride"], where["padding"], where["dilation"]),
                y,
                indices,
            )
            np.testing.assert_allclose(y, load("numpy").xp.add_windows(x, size=size, **where), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_max_pool(n, tmp_path):
    function = compiled(cupy_windows.source_of_max_pool(n), n, tmp_path)
    for size, where in POOLS:
        if len(size) == n:
            count = count_of(size, where["kernel"], where)
            x = RNG.integers(0, 4, (2, 3, *size)).astype(float)
            want, places = load("numpy").xp.max_pool(x, **where)
            y, indices = np.zeros(want.shape), np.zeros(want.shape, np.int64)
            run(function, x, geometry(size, count, **where), y, indices)
            np.testing.assert_array_equal(y, want)
            np.testing.assert_array_equal(indices, places)


def test_the_kernels_name_what_they_take():
    assert arguments(1) == (
        "raw T x, int64 size0, int64 count0, int64 kernel0, int64 stride0, int64 padding0, int64 dilation0"
    )
