"""From an aligned program to a graph: inputs, weights, constants, one lowering for each call, and outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from xgrad.compile.program import NOTHING, NUMBER, DType, Instruction, Ref, mapped, used_by
from xgrad.onnx.aligning import Aligned
from xgrad.onnx.dtypes import ONNX, is_float
from xgrad.onnx.errors import ExportError
from xgrad.onnx.example import Arguments
from xgrad.onnx.lowering import TABLE
from xgrad.onnx.nodes import Graph, Value
from xgrad.onnx.patterns import Pattern
from xgrad.onnx.sizes import Size, polynomial

# Why functions have no lowering, where that is known.
WHY = {
    "linalg": "ONNX has products of matrices and det, and no inverses or decompositions",
    "fft": "ONNX has no complex numbers",
    "special": "ONNX has erf and no other special function",
}


class Building:
    """Builds the graph of an aligned program. `dtype` is that of all floats, None for those of the program."""

    def __init__(self, aligned: Aligned, arguments: Arguments, opset: int, dtype: str | None) -> None:
        self.aligned, self.inputs, self.dtype = aligned, arguments.inputs, dtype
        self.are_named = arguments.are_named  # whether the user named the inputs
        self.program, self.recording = aligned.recording.program, aligned.recording
        self.g = Graph(aligned.named, opset)
        self.values: dict[int, Value] = {}
        used = [number for instruction in aligned.instructions for number in used_by(instruction)]
        self.uses = Counter([*used, *self.program.outputs])

    def of(self, dtype: str) -> str:
        """The dtype in the graph."""
        return self.dtype if self.dtype and is_float(dtype) else dtype

    def spec(self, number: int) -> Value:
        """The shape and dtype of a value, which has no name yet."""
        return Value("", self.aligned.shapes[number], self.of(self.program.specs[number].dtype))

    def _host(self, array: Any) -> Any:
        wanted = self.of(array.dtype.name)
        return array if wanted == array.dtype.name else array.astype(wanted)

    def run(self) -> Graph:
        g = self.g
        self._name_inputs()
        for number, (name, weight) in zip(self.program.inputs[len(self.inputs) :], self.recording.weights, strict=True):
            g.tensor(name, self._host(weight.backend.to_numpy(weight._data)))
            self.values[number] = self._named(number, name)
        for number, constant in self.aligned.constants.items():
            self._constant(number, constant)
        for instruction in self.aligned.instructions:
            self._lower(instruction)
        return g

    def _named(self, number: int, name: str) -> Value:
        spec = self.spec(number)
        value = Value(name, spec.shape, spec.dtype)
        self.g.note_axes(value)
        return value

    def _name_inputs(self) -> None:
        """The names of inputs and weights. An input that has the name of a weight gets another one."""
        taken = {name for name, _ in self.recording.weights}
        for number, each in zip(self.program.inputs[: len(self.inputs)], self.inputs, strict=True):
            name, k = each.name, 0
            if name in taken and self.are_named:
                raise ValueError(f"onnx.export: input_names has {name!r}, which is the name of a weight")
            while name in taken:
                name, k = f"{each.name}_{k}", k + 1
            taken.add(name)
            self.g.names.add(name)
            self.values[number] = self._named(number, name)
            for axis, position in each.axes.items():
                self.g.symbols.setdefault(position, (name, axis))
        self.g.names |= taken

    def _constant(self, number: int, constant: Any) -> None:
        g = self.g
        if not isinstance(constant, Pattern):
            name = g.unique("constant")
            host = self._host(constant)
            g.tensor(name, host)
            g.hosts[name] = host
            self.values[number] = self._named(number, name)
            return
        dtype = self.of(self.program.specs[number].dtype)
        self.values[number] = self._named(number, self._of_pattern(constant, dtype))

    def _of_pattern(self, it: Pattern, dtype: str) -> str:
        g = self.g
        if it.kind == "number":
            return g.number(it.number, dtype)
        if it.kind in ("triangle", "diagonal"):
            rows, columns = it.shape[-2:]
            below = g.node("Add", g.unsqueeze(g.range(rows), [1]), g.number(it.diagonal, "int64"))
            inside = g.node("LessOrEqual" if it.kind == "triangle" else "Equal", g.range(columns), below)
            whole = g.where(inside, g.number(it.base, dtype), g.number(it.other, dtype), dtype)
            return whole if len(it.shape) == 2 else g.expand(whole, it.shape)
        base = g.unique("constant")
        g.tensor(base, self._host(it.base))
        if it.kind == "count":
            n = it.shape[it.axis]
            after = (1,) * (len(it.shape) - 1 - it.axis)
            places = g.cast(g.reshape(g.range(n), (n, *after), (n,)), "int64", dtype)
            base = g.node("Add", g.node("Mul", places, g.number(it.step.item(), dtype)), base)
        return g.expand(base, it.shape)

    # --- instructions

    def _lower(self, instruction: Instruction) -> None:
        g, first = self.g, instruction.results[0]
        layer = self.recording.layers.get(first, "")
        g.layer, g.place = layer.partition(" ")[0], self.recording.where(first)
        if self.program.specs[first].dtype == NUMBER:
            g.refuse(f"{instruction.name} of Python floats, which are arguments, has no lowering")
        lowering = TABLE.get(instruction.name)
        if lowering is None:
            raise ExportError(_without(instruction.name, g))
        for number in instruction.results:
            dtype = self.program.specs[number].dtype
            if dtype not in ONNX and dtype != NOTHING and self.uses[number]:
                g.refuse(f"{instruction.name} gives {dtype} numbers, which the graph cannot have")
        g.results = [self.spec(n) if self.uses[n] else None for n in instruction.results]
        g.results[0] = g.results[0] or self.spec(first)
        g.reads_last = lambda i, reverse: self._reads_last(instruction.results[i], reverse)
        args = mapped(instruction.args, self._operand)
        options = {key: mapped(option, self._operand) for key, option in instruction.options.items()}
        found = lowering(g, *args, **options)
        for number, y in zip(instruction.results, found if isinstance(found, list) else [found], strict=True):
            if y is None:
                continue
            name = y.name if isinstance(y, Value) else y
            self.values[number] = self._named(number, name)
            if self.uses[number] == 1 and number not in self.program.outputs:
                g.used_once.add(name)

    def _operand(self, operand: Ref | DType) -> Any:
        return self.of(operand.name) if isinstance(operand, DType) else self.values[operand.number]

    def _reads_last(self, number: int, reverse: bool) -> bool:
        """Whether a value is only used for its last step, which is the first entry of a layer that runs backward."""
        steps = self.aligned.shapes[number][0]
        last = (0,) if reverse else (-1, steps - 1)
        users = [each for each in self.aligned.instructions if number in used_by(each)]
        keys = [
            each.args[1] if len(each.args) > 1 else each.options.get("key") for each in users if each.name == "getitem"
        ]
        firsts = [key[0] if isinstance(key, tuple) else key for key in keys]
        whole = all(not isinstance(key, tuple) or all(k is ... for k in key[1:]) for key in keys)
        only = len(keys) == len(users) and number not in self.program.outputs
        return (
            only
            and whole
            and all(isinstance(k, int | Size) and k in (*last, *((-1, 0) if steps == 1 else ())) for k in firsts)
        )

    # --- what comes out

    def outputs(self, names: Sequence[str]) -> list[Value]:
        """The outputs under these names."""
        g, found = self.g, []
        g.layer = g.place = ""
        values = [self.values[number] for number in self.program.outputs]
        made = {name for node in g.nodes for name in node.output}
        given = Counter(value.name for value in values)
        for value, name in zip(values, names, strict=True):
            if value.name in made and given[value.name] == 1:
                _rename(g.nodes, value.name, name)
            else:  # an input, a weight, or one value under two names
                g.nodes.append(g.onnx.helper.make_node("Identity", [value.name], [name], name=g.unique("/Identity")))
            found.append(Value(name, value.shape, value.dtype))
        return found

    def dims(self, value: Value, names: dict[int, str]) -> list[int | str | None]:
        """The axes of an input or output: numbers, and the names of sizes, such as "batch" and "3*batch"."""
        return [n if isinstance(n, int) else names.get(axis) or self._text(n) for axis, n in enumerate(value.shape)]

    def _text(self, n: Size) -> str | None:
        terms = polynomial(n, self.aligned.named)
        if terms is None:
            return None
        names = self.aligned.named.names
        texts = [
            "*".join([*([str(k)] if k != 1 or not at else []), *(names[i] for i in at)]) for at, k in terms.items() if k
        ]
        return " + ".join(reversed(texts))


def _rename(nodes: Any, old: str, new: str) -> None:
    """Rename a value, also where the bodies of nodes use it."""
    for node in nodes:
        for names in (node.input, node.output):
            for i, name in enumerate(names):
                if name == old:
                    names[i] = new
        for attribute in node.attribute:
            _rename(attribute.g.node, old, new)


def _without(name: str, g: Graph) -> str:
    why = WHY.get(name.partition(".")[0], "no operators of ONNX compute it")
    part = name.rpartition(".")[0]
    others = sorted(other for other in TABLE if other.rpartition(".")[0] == part and other[0] != "_")
    instead = f", or write it with functions that can: {', '.join(others)}" if others else ""
    where = f" ({g.place})" if g.place else ""
    return f"onnx.export: {name}{where} cannot be exported: {why}. Compute it outside of the exported function{instead}"
