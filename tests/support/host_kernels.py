"""Kernels of the engine "cupy", compiled for the host and run on NumPy's arrays; and the same sources in a file for nvcc."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.cupy_traces import compiler
from xgrad.compile.engines.cupy_expressions import CTYPES
from xgrad.compile.engines.cupy_kernels import Source

FILE = """
#include <cmath>
#include <cstddef>
using namespace std;
{text}
"""
ELEMENTWISE = """
extern "C" void run(ptrdiff_t n, ptrdiff_t, {parameters}) {{
    for (ptrdiff_t i = 0; i < n; ++i) {{
        {loads}
        {body}
        {stores}
    }}
}}
"""
REDUCTION = """
static inline {ctype} map({arguments}) {{ {body} }}
extern "C" void run(ptrdiff_t n, ptrdiff_t count, {parameters}) {{
    for (ptrdiff_t k = 0; k < n; ++k) {{
        {ctype} a = {identity};
        for (ptrdiff_t i = k * count; i < (k + 1) * count; ++i) {{ const {ctype} b = map({elements}); a = {reduce}; }}
        {out}_[k] = {after};
    }}
}}
"""


def text_of(source: Source) -> str:
    """A C++ function `run` that does what the kernel does, on whole arrays in row-major order, the reduced axes last."""
    parameters = [f"const {CTYPES[d]}* {v}_" for d, v in source.inputs] + [
        f"{CTYPES[d]}* {v}_" for d, v in source.outputs
    ]
    if source.reduce is None:
        loads = [f"const {CTYPES[d]} {v} = {v}_[i];" for d, v in source.inputs] + [
            f"{CTYPES[d]} {v};" for d, v in source.outputs
        ]
        stores = " ".join(f"{v}_[i] = {v};" for _, v in source.outputs)
        return ELEMENTWISE.format(
            parameters=", ".join(parameters), loads=" ".join(loads), body=source.body, stores=stores
        )
    reduce, identity, after = source.reduce
    (dtype, out), *_ = source.outputs
    return REDUCTION.format(
        ctype=CTYPES[dtype],
        arguments=", ".join(f"const {CTYPES[d]} {v}" for d, v in source.inputs),
        elements=", ".join(f"{v}_[i]" for _, v in source.inputs),
        parameters=", ".join(parameters),
        body=source.body,
        identity=identity,
        reduce=reduce,
        after=after,
        out=out,
    )


class HostKernels:
    """Compiles each source, in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.launched: list[tuple[Callable[..., Any], Sequence[Any]]] = []

    def _compiled(self, source: Source) -> Any:
        found = compiler()
        if found is None:
            pytest.skip("there is no C++ compiler")
        path = self.folder / f"{source.name}_{len(list(self.folder.iterdir()))}.cpp"
        path.write_text(FILE.format(text=text_of(source)), encoding="utf-8")
        library = path.with_suffix(".so")
        command = [
            found,
            "-O1",
            "-ffp-contract=off",
            "-Wall",
            "-Wno-unused-variable",
            "-Werror",
            "-shared",
            "-fPIC",
            "-o",
        ]
        subprocess.run([*command, str(library), str(path)], check=True)
        return ctypes.CDLL(str(library)).run

    def elementwise(self, source: Source) -> Callable[..., None]:
        function = self._compiled(source)

        def kernel(*arrays: Any) -> None:
            self.launched.append((kernel, arrays))
            outs = arrays[len(source.inputs) :]
            shape = outs[0].shape
            given = [_whole(x, dtype, shape) for x, (dtype, _) in zip(arrays, source.inputs, strict=False)]
            made = [np.empty(shape, y.dtype) for y in outs]
            assert [y.dtype for y in outs] == [np.dtype(dtype) for dtype, _ in source.outputs]
            _run(function, made[0].size, 0, [*given, *made])
            for y, new in zip(outs, made, strict=True):
                y[...] = new

        return kernel

    def reduction(self, source: Source) -> Callable[..., Any]:
        function = self._compiled(source)

        def kernel(*arrays: Any, axis: Any, keepdims: bool) -> Any:
            shape = np.broadcast_shapes(*(np.shape(x) for x in arrays))
            axes = tuple(range(len(shape))) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
            axes = tuple(a % len(shape) for a in axes)
            kept = [a for a in range(len(shape)) if a not in axes]
            order = (*kept, *axes)
            given = [
                np.ascontiguousarray(_whole(x, dtype, shape).transpose(order))
                for x, (dtype, _) in zip(arrays, source.inputs, strict=True)
            ]
            result = np.empty([shape[a] for a in kept], dtype=source.outputs[0][0])
            count = int(np.prod([shape[a] for a in axes], dtype=int))
            _run(function, result.size, count, [*given, result])
            return np.expand_dims(result, axes) if keepdims else result

        return kernel


def _whole(x: Any, dtype: str, shape: tuple[int, ...]) -> Any:
    assert isinstance(x, float) or x.dtype == dtype
    return np.ascontiguousarray(np.broadcast_to(np.asarray(x, dtype=dtype), shape)).reshape(shape)


def _run(function: Any, n: int, count: int, arrays: Sequence[Any]) -> None:
    function(ctypes.c_ssize_t(n), ctypes.c_ssize_t(count), *(ctypes.c_void_p(array.ctypes.data) for array in arrays))


def for_nvcc(sources: Sequence[Source]) -> str:
    """A file in which each source is a kernel, for CUDA's compiler. Nothing is included, as in CuPy's own files."""
    texts = []
    for k, source in enumerate(sources):
        arguments = ", ".join(f"const {CTYPES[d]} {v}" for d, v in source.inputs)
        outs = ", ".join(f"{CTYPES[d]}& {v}" for d, v in source.outputs)
        if source.reduce is None:
            texts.append(f"__device__ void group_{k}({arguments}, {outs}) {{\n{source.body}\n}}")
        else:
            reduce, identity, after = source.reduce
            (dtype, out), *_ = source.outputs
            texts.append(
                f"__device__ {CTYPES[dtype]} map_{k}({arguments}) {{\n{source.body}\n}}\n"
                f"__device__ void after_{k}({CTYPES[dtype]} a, {CTYPES[dtype]} b, {outs}) "
                f"{{ a = {reduce}; a = {identity}; {out} = {after}; }}"
            )
    return "\n".join(texts)


class NoKernels:
    """Makes nothing, where only the sources are wanted."""

    def elementwise(self, source: Source) -> Any:
        return None

    def reduction(self, source: Source) -> Any:
        return None
