"""Tracing a fused function with CuPy, without a device: a trace does not read the arrays' memory.

CuPy generates elementwise C++ for CUDA. A host compiler can compile it too, which shows what the trace computes. Whether nvcc
compiles it and it runs is tested on a device (tests/test_gpu.py).
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path
from typing import Any

Host = Any


def trace(function: Any, arrays: list[Host], numbers: tuple[float, ...]) -> Any:
    """The ElementwiseKernel that `cupy.fuse` makes of the function for arguments like these."""
    import cupy
    from cupy._core import fusion
    from cupy.cuda import memory

    def nowhere(like: Host) -> Any:
        nothing = memory.UnownedMemory(16, max(like.nbytes, 1), None, 0)
        return cupy.ndarray(like.shape, like.dtype, memptr=memory.MemoryPointer(nothing, 0))

    here = fusion._thread_local
    here.history, here.is_old_fusing = fusion._FusionHistory(), True
    try:
        kernel, options = here.history.get_fusion(function, [*map(nowhere, arrays), *numbers], "traced")
    finally:
        here.history, here.is_old_fusing = None, False
    assert isinstance(kernel, cupy.ElementwiseKernel)
    assert not options
    return kernel


def written(kernel: Any) -> list[bool]:
    """Which of the arguments the kernel writes to."""
    return [not parameter.is_const for parameter in kernel.params if parameter.name != "_ind"]


def compiler() -> str | None:
    return shutil.which("c++") or shutil.which("g++")


def run_on_the_host(kernel: Any, arrays: list[Host], numbers: tuple[float, ...], folder: Path) -> None:
    """Run the kernel's source over the arrays, in place, compiled by a host compiler without fused multiply-add."""
    names = [parameter.name for parameter in kernel.params if parameter.name != "_ind"]
    of_arrays = [f"{p.ctype} *{p.name}_all" for p in kernel.params[: len(arrays)]]
    of_numbers = [f"double {name}" for name in names[len(arrays) :]]
    loads = "".join(f"{p.ctype} {p.name} = {p.name}_all[i];\n" for p in kernel.params[: len(arrays)])
    stores = "".join(f"{name}_all[i] = {name};\n" for name in names[: len(arrays)])
    preamble = kernel.preamble.replace('#include "cupy/float16.cuh"', "")
    source, library = folder / "kernel.cpp", folder / "kernel.so"
    source.write_text(
        f"#include <cmath>\nusing namespace std;\n#define __device__ static\n{preamble}\n"
        f'extern "C" void run(long n, {", ".join(of_arrays + of_numbers)}) {{\n'
        f"for (long i = 0; i < n; ++i) {{\n{loads}{kernel.operation}\n{stores}}}\n}}\n"
    )
    command = [compiler() or "c++", "-O1", "-ffp-contract=off", "-shared", "-fPIC", str(source), "-o", str(library)]
    subprocess.run(command, check=True, capture_output=True)
    pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in arrays]
    ctypes.CDLL(str(library)).run(ctypes.c_long(arrays[0].size), *pointers, *map(ctypes.c_double, numbers))
