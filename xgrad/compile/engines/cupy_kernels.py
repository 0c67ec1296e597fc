"""The kernels of groups: their sources, and CuPy's kernels made of these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from math import prod
from typing import Any, NamedTuple, Protocol

from xgrad.compile.engines.cupy_expressions import CTYPES
from xgrad.compile.engines.cupy_groups import REDUCTIONS, Group, name
from xgrad.compile.program import NUMBER, Program


class Source(NamedTuple):
    """A kernel's source: the parameters, as CuPy writes them, and the C++ of one element.

    A reduction has `reduce`: how two values are made one, what it starts from, and what is done with the total.
    """

    name: str
    inputs: tuple[tuple[str, str], ...]  # dtype and variable
    outputs: tuple[tuple[str, str], ...]
    body: str
    reduce: tuple[str, str, str] | None = None


class Kernels(Protocol):
    """Makes functions of sources. CuPy's is below; the tests have one that compiles for the host."""

    def elementwise(self, source: Source) -> Callable[..., None]:
        """A function of the inputs and of the arrays to write."""
        ...

    def reduction(self, source: Source) -> Callable[..., Any]:
        """A function of the inputs, `axis` and `keepdims`."""
        ...


class CuPyKernels:
    """Kernels by CuPy. Products and sums are not contracted to one rounding, as in the library's own kernels one by one."""

    options = ("--fmad=false",)

    def elementwise(self, source: Source) -> Callable[..., None]:
        kernel: Callable[..., None] = import_module("cupy").ElementwiseKernel(
            parameters(source.inputs), parameters(source.outputs), source.body, source.name, options=self.options
        )
        return kernel

    def reduction(self, source: Source) -> Callable[..., Any]:
        assert source.reduce is not None
        reduce, identity, after = source.reduce
        arguments = ", ".join(f"const {_ctype(dtype)} {variable}" for dtype, variable in source.inputs)
        (dtype, variable), *_ = source.outputs
        preamble = f"__device__ inline {CTYPES[dtype]} {source.name}_map({arguments}) {{ {source.body} }}"
        given = ", ".join(variable for _, variable in source.inputs)
        kernel: Callable[..., Any] = import_module("cupy").ReductionKernel(
            parameters(source.inputs),
            parameters(source.outputs),
            f"{source.name}_map({given})",
            reduce,
            f"{variable} = {after}",
            identity,
            source.name,
            reduce_type=CTYPES[dtype],
            options=self.options,
            preamble=preamble,
        )
        return kernel


def parameters(parameters: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{dtype} {variable}" for dtype, variable in parameters)


def _ctype(dtype: str) -> str:
    return CTYPES[dtype]


def source_of(program: Program, group: Group, number: int) -> Source:
    """The source of the kernel of a group, the one with this number in the program."""
    specs = program.specs
    # A Python float comes in double precision, and takes the dtype of the arrays where it is used.
    inputs = tuple(("float64" if specs[n].dtype == NUMBER else specs[n].dtype, name(n)) for n in group.inputs)
    outputs = tuple((specs[n].dtype, f"y{n}") for n in group.outputs)
    lines = group.body(program)
    if group.reduction is None:
        lines += [f"y{n} = {name(n)};" for n in group.outputs]
        return Source(f"xgrad_group_{number}", inputs, outputs, "\n".join(lines))
    operand = group.reduction.args[0].number
    reduce, identity = REDUCTIONS[group.reduction.name]
    after = "a"
    if group.reduction.name == "mean":
        count = prod(specs[operand].shape) // max(prod(specs[group.outputs[0]].shape), 1)
        after = f"a / {CTYPES[specs[operand].dtype]}({count})"
    body = "\n".join([*lines, f"return {name(operand)};"])
    return Source(f"xgrad_reduction_{number}", inputs, outputs, body, (reduce, identity, after))
