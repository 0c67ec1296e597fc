"""The sources of the kernels: CUDA's compiler and CuPy take them. What they compute is tested beside (cupy_planned)."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest

from bench.problems import WORKLOADS
from tests.support.host_kernels import NoKernels, for_nvcc
from tests.support.workload_programs import workload
from xgrad.backends import load
from xgrad.compile.engines.cupy_kernels import CuPyKernels
from xgrad.compile.engines.cupy_planned import Planned

NUMPY = load("numpy")


def sources():
    found: list[Any] = []
    for name in WORKLOADS:
        for dtype in ("float32", "float64"):
            planned = Planned(workload(name, tiny=True, dtype=dtype)[0], NUMPY, NoKernels())
            found += planned.sources.values()
    return found


@pytest.mark.slow
def test_cudas_compiler_takes_the_sources(tmp_path):
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        pytest.skip("there is no nvcc")
    path = tmp_path / "kernels.cu"
    path.write_text(for_nvcc(sources()), encoding="utf-8")
    subprocess.run([nvcc, "--fmad=false", "-ptx", "-o", str(tmp_path / "kernels.ptx"), str(path)], check=True)


def test_cupy_takes_the_sources():
    """CuPy reads the parameters when it makes a kernel, and compiles it at its first launch."""
    cupy = pytest.importorskip("cupy")
    for source in sources():
        if source.reduce is None:
            kernel = CuPyKernels().elementwise(source)
            assert isinstance(kernel, cupy.ElementwiseKernel)
            assert kernel.nin == len(source.inputs)
        else:
            assert isinstance(CuPyKernels().reduction(source), cupy.ReductionKernel)
