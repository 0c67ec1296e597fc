"""The engine "cupy": chains of elementwise operations and reductions are one kernel each, on CuPy's arrays.

A program of such kernels and of calls that CUDA can record becomes a CUDA graph (cupy_graph.py): one launch for all of it. A
program with products of matrices cannot be recorded, because CuPy refuses cuBLAS then. XLA computes it if JAX has the device, on
the same memory (cupy_xla.py). Otherwise the kernels and the library's calls run one by one.

None of it has run on a device yet. The kernels' sources are compiled for the host, and by nvcc, in the tests.
"""

from __future__ import annotations

from typing import Any

from xgrad.backends.base import Backend
from xgrad.compile.engines.cupy_graph import Graphed, is_recordable
from xgrad.compile.engines.cupy_kernels import CuPyKernels
from xgrad.compile.engines.cupy_planned import PRODUCTS, Planned
from xgrad.compile.engines.cupy_xla import by_xla
from xgrad.compile.passes import optimized
from xgrad.compile.program import Program


def prepare(program: Program, backend: Backend) -> Any:
    """The program for CuPy's arrays: by XLA, as a CUDA graph, or call by call. See the top of this file."""
    program = optimized(program, backend.xp)
    if any(each.name in PRODUCTS for each in program.instructions):
        compiled = by_xla(program, backend)
        if compiled is not None:
            return compiled
    planned = Planned(program, backend, CuPyKernels())
    return Graphed(planned) if is_recordable(planned) else planned
