"""One trace of a function as a program without parts that nothing uses, and what is known of its values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from xgrad import asarray, no_grad
from xgrad.backends import use_backend
from xgrad.compile.errors import CompileError, Place, described
from xgrad.compile.guards import Mode, guards_of
from xgrad.compile.passes.dead_code import without_dead_code
from xgrad.compile.program import Instruction, Program, Ref, mapped, used_by
from xgrad.compile.trace import Trace
from xgrad.engine.tensor import Tensor
from xgrad.nn import Module
from xgrad.onnx.errors import ExportError
from xgrad.onnx.example import Arguments, named_leaves
from xgrad.onnx.expanding import expand


@dataclass
class Recording:
    """A program whose values are numbered in order: the arguments, the weights that it uses, and then what it computes.

    Attributes:
        program: the program. Its constants are NumPy arrays.
        weights: for each weight, in order, its name and its tensor. No trace copies it to the host.
        outputs: the names of the outputs.
        lines: the user's file and line that made a value.
        layers: the name of the layer that made a value.
    """

    program: Program
    weights: list[tuple[str, Tensor]]
    outputs: list[str]
    lines: dict[int, Place]
    layers: dict[int, str]

    def where(self, number: int) -> str:
        """Where a value was made, in words."""
        layer, line = self.layers.get(number, ""), described(self.lines.get(number))
        return ", ".join(part for part in (f"layer {layer}" if layer else "", line) if part)


class Modules:
    """The modules of a function, by name: those of a module itself, or those that a function uses from outside."""

    def __init__(self, f: Any) -> None:
        self.is_module = isinstance(f, Module)
        if self.is_module:
            self.named = dict(f.named_modules())
            self.tensors = {id(p): name for name, p in (*f.named_parameters(), *f.named_buffers())}
        else:
            modes = [guard for guard in guards_of(f, [], [])[0] if isinstance(guard, Mode)]
            self.named = {guard.name: guard.module for guard in modes}
            self.tensors = {}
            for name, module in self.named.items():
                for own, p in (*module.named_parameters(), *module.named_buffers()):
                    self.tensors.setdefault(id(p), f"{name}.{own}")

    def backend(self) -> Any:
        """The backend of the first parameter or buffer."""
        for module in self.named.values():
            for _, p in (*module.named_parameters(), *module.named_buffers()):
                return p.backend
        return None

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """While the block runs, all modules are in evaluation mode."""
        before = [(module, module.training) for module in self.named.values()]
        try:
            for module, _ in before:
                module.training = False
            yield
        finally:
            for module, training in before:
                module.training = training

    @contextmanager
    def noting(self, note: Callable[[str], None]) -> Iterator[None]:
        """While the block runs, `note` is told which layer runs from now on: "" for none."""
        stack = [""]

        def enter(name: str) -> None:
            stack.append(name)
            note(name)

        def leave() -> None:
            stack.pop()
            note(stack[-1])

        with ExitStack() as hooks:
            for name, module in self.named.items():
                shown = f"{name} ({type(module).__name__})" if name else ""
                before = module.register_forward_pre_hook(lambda *_, shown=shown: enter(shown), prepend=True)  # type: ignore[misc]
                hooks.enter_context(before)
                hooks.enter_context(module.register_forward_hook(lambda *_: leave()))
            yield


def record(f: Any, modules: Modules, arguments: Arguments, arrays: Sequence[Any], backend: Any) -> Recording:
    """Run the function once on these arrays, which stand for the inputs, and record what it computes.

    Raises:
        ExportError: for what a graph cannot do: random numbers, decisions by values, writing into tensors from outside.
        Exception: whatever the function raises.
    """
    trace = Trace([each.name for each in arguments.inputs])
    recorder = trace.recorder
    expand(recorder.backend(backend))
    layers: list[tuple[int, str]] = []
    with use_backend(backend), no_grad():
        tensors = [asarray(array) for array in arrays]
        try:
            with modules.noting(lambda name: layers.append((len(recorder.specs), name))):
                trace.run(lambda *given: arguments.call(f, given), tensors, lambda leaves: (tuple(leaves), {}))
        except CompileError as error:
            raise ExportError(str(error).replace("compile:", "onnx.export:", 1)) from error
    _check(trace, modules)
    names = dict(named_leaves("", trace.rebuild(list(range(len(trace.results))))))
    results = []
    for i, result in enumerate(trace.results):
        if result.kind == "static" and result.value is not None:
            raise ExportError(
                f"onnx.export: the function returns {result.value!r:.60}, of type {type(result.value).__name__}, and the outputs "
                "of a graph are arrays"
            )
        if result.kind != "static":
            results.append((names.get(i) or "output" + f"_{i}" * (len(trace.results) > 1), result.value))
    if not results:
        raise ExportError("onnx.export: the function returns no array")
    program = without_dead_code(recorder.program([recorder.number_of(value) for _, value in results]))
    touched = {
        each.traced.number: each.tensor for each in trace.capture.touched.values() if each.traced.number is not None
    }
    given = [each.traced.number for each in trace.arguments]
    found = _numbered(program, given, touched, backend)
    weights = [touched[number] for number in found.weights]
    made = {new: old for old, new in found.new.items()}
    return Recording(
        found.program,
        list(zip(_weight_names(weights, f, modules), weights, strict=True)),
        [name if name[:1].isalpha() or name[:1] == "_" else f"output_{name}" for name, _ in results],
        {new: recorder.lines.get(old) for new, old in made.items()},
        {new: _layer_of(old, layers) for new, old in made.items()},
    )


def _check(trace: Trace, modules: Modules) -> None:
    """Raise for what a graph has no place for."""
    if trace.draws or trace.drawing.draws:
        draw = trace.drawing.draws[0]
        raise ExportError(
            f"onnx.export: the function draws random numbers ({draw.line or draw.method}), and a graph computes the same in each "
            "run. Call model.eval(), pass training=False to functions such as dropout, or pass the numbers as an argument"
        )
    for each in trace.capture.touched.values():
        if each.new_value is not None:
            name = modules.tensors.get(id(each.tensor), f"of shape {tuple(each.tensor.shape)}")
            raise ExportError(
                f"onnx.export: the function writes into the tensor {name} from outside ({each.line}), and a graph keeps "
                "nothing between runs. Call model.eval(), or return the new value"
            )


def _weight_names(tensors: list[Any], f: Any, modules: Modules) -> list[str]:
    """The names of weights: those of the state dict, or as in the user's program."""
    unknown = [t for t in tensors if id(t) not in modules.tensors]
    found = guards_of(f, [], unknown)[1] if unknown else {}
    names: list[str] = []
    for t in tensors:
        name = modules.tensors.get(id(t)) or found.get(id(t)) or "tensor"
        unique, k = name, 1
        while unique in names:
            unique, k = f"{name}_{k}", k + 1
        names.append(unique)
    return names


def _layer_of(number: int, layers: list[tuple[int, str]]) -> str:
    name = ""
    for start, layer in layers:
        if start > number:
            break
        name = layer
    return name


@dataclass
class _Numbered:
    program: Program
    weights: list[int]  # the old numbers
    new: dict[int, int]


def _numbered(program: Program, given: list[int], touched: dict[int, Any], backend: Any) -> _Numbered:
    """The program with its values numbered in order, so that two traces of one function can be compared."""
    used = (
        set(program.outputs).union(*map(used_by, program.instructions))
        if program.instructions
        else set(program.outputs)
    )
    weights = [number for number in program.inputs if number in touched and number in used and number not in given]
    new: dict[int, int] = {}
    for number in (*given, *weights):
        new[number] = len(new)

    def of(operand: Any) -> Any:
        return Ref(new.setdefault(operand.number, len(new))) if type(operand) is Ref else operand

    instructions = []
    for name, args, options, results, several in program.instructions:
        renamed = mapped(args, of), {key: mapped(option, of) for key, option in options.items()}
        for number in results:
            new.setdefault(number, len(new))
        instructions.append(Instruction(name, *renamed, tuple(new[number] for number in results), several))
    outputs = tuple(new.setdefault(number, len(new)) for number in program.outputs)
    constants = {new[n]: backend.to_numpy(array) for n, array in program.constants.items() if n in new}
    return _Numbered(
        Program(
            specs={new[number]: spec for number, spec in program.specs.items() if number in new},
            inputs=tuple(range(len(given) + len(weights))),
            constants=constants,
            instructions=tuple(instructions),
            outputs=outputs,
        ),
        weights,
        new,
    )
