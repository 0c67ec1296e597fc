"""The engine "cupy": chains of elementwise operations and reductions are one kernel each, on CuPy's arrays.

A program of such kernels and of calls that CUDA can record becomes a CUDA graph (cupy_graph.py): one launch for all of it. A program
with products of matrices cannot be recorded, because CuPy refuses cuBLAS then. XLA computes it if JAX has the device, on the same
memory (by DLPack). Otherwise the kernels and the library's calls run one by one.

None of it has run on a device yet. The kernels' sources are compiled for the host, and by nvcc, in the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from math import prod
from typing import Any, NamedTuple, Protocol

from xgrad.backends.base import Backend
from xgrad.compile.engines.cupy_expressions import COMPARISONS, CTYPES, OF_FLOATS
from xgrad.compile.engines.cupy_groups import REDUCTIONS, Group, grouped, name
from xgrad.compile.engines.replayed import Replayed
from xgrad.compile.program import NUMBER, Instruction, Program, call, mapped, used_by

PRODUCTS = frozenset("matmul linear weight_gradient tensordot vecdot convolution attention recurrent linalg.matmul".split())


# Calls of the library whose results are arrays of their own. Any other may return a view of an operand.
FRESH = PRODUCTS | set(REDUCTIONS) | (set(OF_FLOATS) - {"positive"}) | set(COMPARISONS) | {"mask", "where", "softmax_cross_entropy"}


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
            _parameters(source.inputs), _parameters(source.outputs), source.body, source.name, options=self.options
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
            _parameters(source.inputs),
            _parameters(source.outputs),
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


def _parameters(parameters: Sequence[tuple[str, str]]) -> str:
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


class Planned(Replayed):
    """A program as kernels of groups and calls of the library.

    State that the caller gives up is overwritten by the kernel that computes the new values, where nothing reads the old ones later.
    """

    def __init__(self, program: Program, backend: Backend, kernels: Kernels) -> None:
        super().__init__(program, backend)
        self.steps = grouped(program)
        self.sources = {i: source_of(program, s, i) for i, s in enumerate(self.steps) if isinstance(s, Group)}
        self._kernels = {
            i: kernels.elementwise(source) if source.reduce is None else kernels.reduction(source)
            for i, source in self.sources.items()
        }
        used = [list(s.inputs) if isinstance(s, Group) else list(used_by(s)) for s in self.steps]
        last = {number: i for i, numbers in enumerate(used) for number in numbers}
        self._ends: dict[int, list[int]] = {}
        for number, i in last.items():
            if number not in program.outputs:
                self._ends.setdefault(i, []).append(number)
        self._in_place = self._state_in_place(last)

    def _state_in_place(self, last: dict[int, int]) -> dict[int, int]:
        """For the outputs of kernels that can take the place of state: the positions of the inputs that they replace."""
        program, found = self.program, {}
        made = {n: i for i, s in enumerate(self.steps) if isinstance(s, Group) and s.reduction is None for n in s.outputs}
        for i, j in program.state:
            old, new = program.inputs[i], program.outputs[j]
            alike = program.specs[old] == program.specs[new] and program.outputs.count(new) == 1
            if not alike or new not in made or new in found or {old, *(views := self._views_of(old))} & set(program.outputs):
                continue
            # Each element is read before it is written, so the kernel that reads the old values may write the new ones. In a
            # view of them the elements have other places.
            if last.get(old, -1) <= made[new] and all(last.get(view, -1) < made[new] for view in views):
                found[new] = i
        return found

    def _views_of(self, number: int) -> set[int]:
        """The values that may share memory with this one."""
        views: set[int] = set()
        for step in self.steps:
            if not isinstance(step, Group) and step.name not in FRESH and ({number} | views) & set(used_by(step)):
                views.update(step.results)
        return views

    def run(self, inputs: Sequence[Any], owned: Sequence[bool] | None = None) -> list[Any]:
        """The outputs; see choice.Runner. A step that fails may have overwritten state that the caller gave up."""
        with self.backend.entered():
            into = {new: inputs[i] for new, i in self._in_place.items() if owned is not None and owned[i]}
            found = self.computed(inputs, into)
            kept = [x for x in inputs if not any(x is y for y in into.values())]
            return self._fresh(found, kept)

    def computed(self, inputs: Sequence[Any], into: dict[int, Any] | None = None) -> list[Any]:
        """The outputs, which may share memory. `into` has arrays that are written to, by the values that they get."""
        program, backend = self.program, self.backend
        values: dict[int, Any] = dict(zip(program.inputs, inputs, strict=True))
        values.update((number, backend.adopt(array)) for number, array in program.constants.items())
        into = into or {}
        for i, step in enumerate(self.steps):
            if isinstance(step, Group):
                self._launch(i, step, values, into)
            else:
                self._call(step, values)
            for number in self._ends.get(i, ()):
                values.pop(number, None)
        return [values[number] for number in program.outputs]

    def _launch(self, i: int, group: Group, values: dict[int, Any], into: dict[int, Any]) -> None:
        given = [values[number] for number in group.inputs]
        if group.reduction is not None:
            options = {"axis": None, "keepdims": False, **group.reduction.options}
            values[group.outputs[0]] = self._kernels[i](*given, **options)
            return
        xp, specs = self.backend.xp, self.program.specs
        for number in group.outputs:
            y = into.get(number)
            values[number] = xp.empty(group.shape, dtype=getattr(xp, specs[number].dtype)) if y is None else y
        self._kernels[i](*given, *(values[number] for number in group.outputs))

    def _call(self, instruction: Instruction, values: dict[int, Any]) -> None:
        xp = self.backend.xp

        def value_of(operand: Any) -> Any:
            return values[operand.number] if hasattr(operand, "number") else getattr(xp, operand.name)

        function, args, options, results, several = instruction
        options = {key: mapped(option, value_of) for key, option in options.items()}
        found = call(xp, function, mapped(args, value_of), options)
        values.update(zip(results, found if several else (found,), strict=True))

    def source(self) -> str:
        """The kernels' sources, in order."""
        return "\n\n".join(f"// {s.name}({_parameters(s.inputs)}) -> {_parameters(s.outputs)}\n{s.body}" for s in self.sources.values())


def prepare(program: Program, backend: Backend) -> Any:
    """The program for CuPy's arrays: by XLA, as a CUDA graph, or call by call. See the top of this file."""
    from xgrad.compile.engines.cupy_graph import Graphed, is_recordable
    from xgrad.compile.engines.cupy_xla import by_xla

    if any(each.name in PRODUCTS for each in program.instructions):
        compiled = by_xla(program, backend)
        if compiled is not None:
            return compiled
    planned = Planned(program, backend, CuPyKernels())
    return Graphed(planned) if is_recordable(planned) else planned
