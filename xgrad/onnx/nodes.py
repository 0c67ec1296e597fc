"""The graph that is being written: its nodes, initializers and names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from xgrad.onnx.dtypes import ONNX
from xgrad.onnx.errors import ExportError, library
from xgrad.onnx.sizes import Dim, Named, Size, polynomial


@dataclass(frozen=True)
class Value:
    """An array of the program in the graph: its name there, its shape and its dtype."""

    name: str
    shape: tuple[Dim, ...]
    dtype: str

    @property
    def ndim(self) -> int:
        return len(self.shape)


Operand = Value | str  # a value of the program, or the name of what a node gives


class Graph:
    """A graph to which lowerings add nodes.

    Attributes:
        nodes: the nodes, in order.
        initializers: tensors by name.
        results: the shapes and dtypes of the results of the instruction that is being lowered; None for those not used.
        layer: the layer that the nodes belong to, for their names.
    """

    def __init__(self, named: Named, opset: int) -> None:
        self.named, self.opset = named, opset
        self.onnx = library()
        self.nodes: list[Any] = []
        self.initializers: dict[str, Any] = {}
        self.results: list[Value | None] = []
        self.layer, self.place = "", ""
        self.names: set[str] = set()
        self.symbols: dict[int, tuple[str, int]] = {}  # by named size: an input and its axis
        self._axes: dict[
            tuple[int, ...], tuple[str, int]
        ] = {}  # where a size can be read, by what it was in the traces
        self._constants: dict[Any, str] = {}
        self._sizes: dict[tuple[int, ...], str] = {}
        self.used_once: set[str] = set()  # the values that one instruction uses
        self.only_last: set[str] = set()  # the last step alone, in the place of all steps
        self.reads_last: Callable[[int, bool], bool] = lambda i, reverse: False  # whether only that of result i is used
        self.hosts: dict[str, Any] = {}  # the constant arrays of the program, by their names

    # --- names

    def unique(self, name: str) -> str:
        found, k = name, 0
        while found in self.names:
            k += 1
            found = f"{name}_{k}"
        self.names.add(found)
        return found

    def error(self, what: str) -> ExportError:
        """An error about the instruction that is being lowered."""
        return ExportError(f"onnx.export: {what}{self.place and f' ({self.place})'}")

    def refuse(self, what: str) -> NoReturn:
        raise self.error(what)

    # --- nodes

    def node(self, op: str, *inputs: Operand | None, **attributes: Any) -> str:
        """A new node with one output. Returns the name of that."""
        return self.several(op, 1, *inputs, **attributes)[0]

    def several(self, op: str, count: int, *inputs: Operand | None, **attributes: Any) -> list[str]:
        """A new node with several outputs. Returns their names."""
        names = ["" if x is None else x.name if isinstance(x, Value) else x for x in inputs]
        while names and not names[-1]:
            names.pop()
        for key, value in attributes.items():
            self.check_static(value, f"{op} needs {key}, which")
        name = self.unique(f"/{self.layer.replace('.', '/')}/{op}" if self.layer else f"/{op}")
        outputs = [self.unique(f"{name}_output_{i}") for i in range(count)]
        attributes = {key: value for key, value in attributes.items() if value is not None}
        self.nodes.append(self.onnx.helper.make_node(op, names, outputs, name=name, **attributes))
        return outputs

    def check_static(self, value: Any, what: str) -> None:
        """Raise where a size is in a place that ONNX has a fixed number for."""
        if isinstance(value, Size):
            known = ", ".join(self.named.names)
            self.refuse(f"{what} is a fixed number in ONNX, depends on a dynamic size ({known}). Fix that size")
        if isinstance(value, tuple | list):
            for part in value:
                self.check_static(part, what)

    def fixed(self, n: Dim, what: str) -> int:
        """A number that must not depend on a size."""
        self.check_static(n, what)
        assert isinstance(n, int)
        return n

    @contextmanager
    def body(self) -> Iterator[list[Any]]:
        """While the block runs, new nodes go into a list of their own: the body of a Scan."""
        outer, self.nodes = self.nodes, []
        sizes, self._sizes = self._sizes, {}
        try:
            yield self.nodes
        finally:
            self.nodes, self._sizes = outer, sizes

    # --- constants

    def used_initializers(self) -> list[Any]:
        """The initializers that nodes use."""
        used = set(_inputs_of(self.nodes))
        return [tensor for name, tensor in self.initializers.items() if name in used]

    def type(self, dtype: str) -> int:
        """The number of a dtype in ONNX."""
        if dtype not in ONNX:
            self.refuse(f"ONNX graphs of xgrad have no {dtype} arrays")
        return int(getattr(self.onnx.TensorProto, ONNX[dtype]))

    def tensor(self, name: str, host: Any) -> None:
        """An initializer from a NumPy array."""
        kind = self.type(host.dtype.name)
        self.names.add(name)
        data = host.astype(host.dtype.newbyteorder("<")).tobytes()
        self.initializers[name] = self.onnx.helper.make_tensor(name, kind, host.shape, data, raw=True)

    def array(self, values: Sequence[Any], dtype: str, shape: Sequence[int] | None = None) -> str:
        """A constant array from numbers in row-major order: a vector, or of a shape."""
        shape = (len(values),) if shape is None else tuple(shape)
        key = (tuple(map(repr, values)), dtype, shape)
        found = self._constants.get(key)
        if found is None:
            found = self._constants[key] = self.unique("constant")
            self.initializers[found] = self.onnx.helper.make_tensor(found, self.type(dtype), shape, list(values))
        return found

    def ints(self, values: Sequence[int]) -> str:
        return self.array(list(values), "int64")

    def number(self, value: Any, dtype: str) -> str:
        """A 0-d array with this number. A size is read from the shapes of inputs."""
        if isinstance(value, Size):
            return self.cast(self.node("Squeeze", self.size(value), self.ints([0])), "int64", dtype)
        if dtype == "bool":
            return self.array([bool(value)], dtype, ())
        if dtype.startswith(("int", "uint")):
            return self.array([int(value)], dtype, ())
        return self.array([float(value)], dtype, ())

    def scalar(self, x: Any, dtype: str) -> str:
        """An operand in a dtype: an array is cast, a number becomes a 0-d array."""
        return self.cast(x, x.dtype, dtype) if isinstance(x, Value) else self.number(x, dtype)

    def cast(self, x: Operand, from_: str, to: str) -> str:
        if from_ == to:
            return x.name if isinstance(x, Value) else x
        return self.node("Cast", x, to=self.type(to))

    def where(self, condition: Operand, x1: Operand, x2: Operand, dtype: str) -> str:
        """Where, also for dtypes that ONNX Runtime has no kernel for."""
        if dtype == "bool":
            chosen = self.node("And", condition, x1)
            return self.node("Or", chosen, self.node("And", self.node("Not", condition), x2))
        wide = "int32" if dtype in ("int8", "int16", "uint16") else "int64" if dtype in ("uint32", "uint64") else dtype
        return self.cast(self.node("Where", condition, *(self.cast(x, dtype, wide) for x in (x1, x2))), wide, dtype)

    # --- shapes

    def note_axes(self, value: Value) -> None:
        """Remember where sizes can be read."""
        for axis, n in enumerate(value.shape):
            if isinstance(n, Size):
                self._axes.setdefault(n.at, (value.name, axis))

    def size(self, number: Size) -> str:
        """A size as a vector of one int64."""
        found = self._sizes.get(number.at)
        if found is None:
            found = self._sizes[number.at] = self._read(number)
        return found

    def _read(self, number: Size) -> str:
        terms = polynomial(number, self.named)
        if terms is None:
            return self._of_axes(number)
        total: str | None = None
        for monomial, coefficient in sorted(terms.items(), reverse=True):
            term: str | None = None
            for i in monomial:
                factor = self._symbol(i)
                term = factor if term is None else self.node("Mul", term, factor)
            if term is None:
                term = self.ints([coefficient])
            elif coefficient != 1:
                term = self.node("Mul", term, self.ints([coefficient]))
            total = term if total is None else self.node("Add", total, term)
        assert total is not None
        return total

    def _of_axes(self, number: Size) -> str:
        """A size that is no polynomial, such as half of an odd one: an axis of a value has it, or it is made of such."""
        if number.at in self._axes:
            name, axis = self._axes[number.at]
            return self.node("Shape", name, start=axis, end=axis + 1)
        for at in tuple(self._axes):
            rest = number - Size(at)
            if isinstance(rest, int):
                return self.node("Add", self.size(Size(at)), self.ints([rest]))
            if 0 not in at and all(n % k == 0 for n, k in zip(number.at, at, strict=True)):
                factor = number // Size(at)
                if isinstance(factor, int) or factor.at in self._axes:
                    return self.node("Mul", self.size(Size(at)), self.vector([factor]))
        raise self.error(
            f"a size that is {', '.join(map(str, number.at))} for {self._points()} is not known in the graph"
        )

    def _symbol(self, position: int) -> str:
        key = tuple(point[position] for point in self.named.points)
        if key not in self._sizes:
            name, axis = self.symbols[position]
            self._sizes[key] = self.node("Shape", name, start=axis, end=axis + 1)
        return self._sizes[key]

    def _points(self) -> str:
        names = self.named.names
        return "; ".join(", ".join(f"{n}={k}" for n, k in zip(names, p, strict=True)) for p in self.named.points)

    def vector(self, numbers: Sequence[Dim]) -> str:
        """A vector of int64 with these numbers, such as a shape."""
        if all(isinstance(n, int) for n in numbers):
            return self.ints([int(n) for n in numbers])  # type: ignore[arg-type]
        parts: list[str] = []
        fixed: list[int] = []
        for n in numbers:
            if isinstance(n, int):
                fixed.append(n)
                continue
            if fixed:
                parts.append(self.ints(fixed))
                fixed = []
            parts.append(self.size(n))
        if fixed:
            parts.append(self.ints(fixed))
        return parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=0)

    def reshape(self, x: Operand, shape: Sequence[Dim], before: Sequence[Dim] | None = None) -> str:
        """x with another shape. `before` is the shape of x, for sizes that stay where they are."""
        before = x.shape if isinstance(x, Value) else before or ()
        if 0 in shape:
            return self.node("Reshape", x, self.vector(shape), allowzero=1)
        wanted: list[Dim] = []
        kept = True  # a size is kept where all before it are
        for i, n in enumerate(shape):
            kept = kept and i < len(before) and before[i] == n
            wanted.append(0 if isinstance(n, Size) and kept else n)
        unknown = [i for i, n in enumerate(wanted) if isinstance(n, Size)]
        if len(unknown) == 1:
            wanted[unknown[0]] = -1
        return self.node("Reshape", x, self.vector(wanted))

    def expand(self, x: Operand, shape: Sequence[Dim]) -> str:
        return self.node("Expand", x, self.vector(shape))

    def squeeze(self, x: Operand, axes: Sequence[int]) -> str:
        return self.node("Squeeze", x, self.ints(axes)) if axes else _name(x)

    def unsqueeze(self, x: Operand, axes: Sequence[int]) -> str:
        return self.node("Unsqueeze", x, self.ints(axes)) if axes else _name(x)

    def transpose(self, x: Operand, order: Sequence[int]) -> str:
        return _name(x) if list(order) == list(range(len(order))) else self.node("Transpose", x, perm=list(order))

    def range(self, n: Dim) -> str:
        """0, 1, ..., n - 1 as int64."""
        if isinstance(n, int):
            return self.ints(range(n))
        zero, one = self.number(0, "int64"), self.number(1, "int64")
        return self.node("Range", zero, self.number(n, "int64"), one)

    def slice(
        self, x: Operand, starts: Sequence[Dim], ends: Sequence[Dim], axes: Sequence[int], steps: Sequence[int]
    ) -> str:
        return self.node("Slice", x, self.vector(starts), self.vector(ends), self.ints(axes), self.ints(steps))


def _name(x: Operand) -> str:
    return x.name if isinstance(x, Value) else x


def axes_of(axis: Any, ndim: int) -> list[int]:
    """The axes of a reduction as non-negative numbers, in order."""
    axes = range(ndim) if axis is None else axis if isinstance(axis, tuple | list) else (axis,)
    return sorted(a % ndim if ndim else 0 for a in axes)


def total(numbers: Sequence[Dim]) -> Dim:
    """The product."""
    found: Dim = 1
    for n in numbers:
        found = n * found if isinstance(n, Size) else found * n
    return found


def _inputs_of(nodes: Sequence[Any]) -> Iterator[str]:
    """The names that nodes and their bodies use."""
    for node in nodes:
        yield from node.input
        for attribute in node.attribute:
            yield from _inputs_of(attribute.g.node)
