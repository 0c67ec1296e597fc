"""Programs in files: JSON that is readable, one instruction a line, and checked as a whole before anything of it runs.

A file names functions of xgrad's namespace, and nothing else: no code is in it, none is evaluated, and nothing is unpickled.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from os import PathLike
from pathlib import Path
from typing import Any

from xgrad._files import replacing
from xgrad.backends import owner
from xgrad.backends.array_bytes import dtype_of
from xgrad.compile.encoding import (
    Invalid,
    invalid,
    read_constant,
    read_number,
    read_operand,
    read_spec,
    shown,
    write_constant,
    write_operand,
    write_spec,
)
from xgrad.compile.passes.kinds import is_elementwise
from xgrad.compile.program import FORMULAS, NOTHING, NUMBER, OPERATORS, Instruction, Program, Ref, Spec, used_by
from xgrad.engine.registry import FUNCTIONS

VERSION = 1
KEYS = ("xgrad_program", "inputs", "constants", "instructions", "outputs", "state", "names")
OF_NUMBERS = {*OPERATORS, "abs"}  # what Python floats alone can be operands of
NAMES = {*FUNCTIONS, *FORMULAS}
# These do more than compute: one takes objects of other libraries, the other may write over an operand.
REFUSED = frozenset(["from_dlpack", "divide_into"])


# --- files --------------------------------------------------------------------------------------------------


def save(program: Program, path: str | PathLike[str]) -> None:
    """Write a program to a file. The file is complete, or as it was before.

    Raises:
        ValueError: for a program that has something that cannot be saved. No file is written.
        OSError: as from writing any file.
    """
    text = to_json(program)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def load_program(path: str | PathLike[str]) -> Program:
    """The program that was saved to a file with `program.save(path)`.

    >>> import tempfile, xgrad as xg
    >>> double = xg.compile(lambda x: 2 * x)
    >>> double(xg.asarray([1.0, 2.0])).tolist()
    [2.0, 4.0]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     double.program.save(f"{folder}/double.json")
    ...     program = xg.load_program(f"{folder}/double.json")
    >>> program(xg.asarray([3.0, 4.0])).tolist()
    [6.0, 8.0]

    Args:
        path: of the file.

    Returns:
        A Program. Called with its inputs it runs on the current backend, or on that of its arguments.

    Raises:
        ValueError: for a file that is no complete and valid program, with what is wrong and where. Nothing of it has run then.
        OSError: for a file that cannot be read.
    """
    data = Path(path).read_bytes()
    try:
        return from_json(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"load_program: {path}: not a program of xgrad (byte {error.start} is not UTF-8)") from None
    except ValueError as error:
        raise ValueError(f"load_program: {path}: {error}") from None


load = load_program


# --- writing ------------------------------------------------------------------------------------------------


def to_json(program: Program) -> str:
    """The program as JSON. Raises ValueError for an operand or a dtype that cannot be saved."""
    specs = program.specs

    def line(instruction: Instruction) -> list[Any]:
        name, args, options, results, several = instruction
        written = [write_spec(number, specs[number]) for number in results]
        parts = [written if several else written[0], name, [write_operand(arg) for arg in args]]
        return [*parts, {key: write_operand(option) for key, option in options.items()}] if options else parts

    constants = [
        [write_spec(number, specs[number]), write_constant(specs[number], _on_host(array, specs[number]))]
        for number, array in program.constants.items()
    ]
    parts = {
        "inputs": _lines(write_spec(number, specs[number]) for number in program.inputs),
        "constants": _lines(constants),
        "instructions": _lines(map(line, program.instructions)),
        "outputs": _compact([f"v{number}" for number in program.outputs]),
        "state": _compact([list(pair) for pair in program.state]),
        "names": _compact({f"v{number}": name for number, name in program.names.items()}),
    }
    body = ",\n".join(f'"{key}": {text}' for key, text in parts.items())
    return f'{{"xgrad_program": {VERSION},\n{body}}}\n'


def _compact(part: Any) -> str:
    return json.dumps(part, allow_nan=False, separators=(",", ":"))


def _lines(parts: Iterable[Any]) -> str:
    return "[" + ",".join("\n" + _compact(part) for part in parts) + "]"


def _on_host(array: Any, spec: Spec) -> Any:
    backend = owner(array)
    host = array if backend is None else backend.to_numpy(array)
    if spec.dtype == "bfloat16" and host.dtype.name == "float32":  # a library without a NumPy dtype for it
        host = host.astype(dtype_of("bfloat16"))
    return host


# --- reading ------------------------------------------------------------------------------------------------


def from_json(text: str) -> Program:
    """The program that `to_json` wrote.

    Raises:
        ValueError: for anything else, with what is wrong and where.
    """
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except Invalid:
        raise
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not a complete JSON file ({error})") from None
    if not isinstance(document, dict) or "xgrad_program" not in document:
        raise ValueError("not a program of xgrad")
    version = document["xgrad_program"]
    if type(version) is not int or version != VERSION:
        raise ValueError(f"a program of version {shown(version)}, and this xgrad reads version {VERSION}")
    if set(document) != set(KEYS):
        odd = ", ".join(shown(key) for key in sorted(set(document) ^ set(KEYS)))
        raise ValueError(f"the keys of a program are {', '.join(KEYS)}; missing or unknown: {odd}")
    try:
        return _Reader(document).program()
    except RecursionError:
        raise ValueError("an operand is nested too deeply") from None


class _Reader:
    """Reads the parts of a document in order, and knows the values that are defined so far."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.specs: dict[int, Spec] = {}

    def program(self) -> Program:
        inputs = tuple(self._each("inputs", self._input))
        constants = dict(self._each("constants", self._constant))
        instructions = tuple(self._each("instructions", self._instruction))
        outputs = tuple(self._each("outputs", self._output))
        state = tuple(self._each("state", lambda part: self._pair(part, inputs, outputs)))
        for position, what in ((0, "input"), (1, "output")):
            if len({pair[position] for pair in state}) < len(state):
                raise ValueError(f"state: an {what} occurs twice")
        return Program(self.specs, inputs, constants, instructions, outputs, state, self._names(inputs))

    def _each(self, key: str, read: Callable[[Any], Any]) -> Iterator[Any]:
        parts = self.document[key]
        if not isinstance(parts, list):
            raise ValueError(f"{key}: not a list")
        for i, part in enumerate(parts):
            try:
                yield read(part)
            except Invalid as error:
                raise ValueError(f"{key}, number {i + 1}: {error}") from None

    def _define(self, part: Any) -> int:
        number, spec = read_spec(part)
        if number in self.specs:
            invalid(f"v{number} is defined twice")
        self.specs[number] = spec
        return number

    def _known(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            if number not in self.specs:
                invalid(f"v{number} is used and was not defined before")
            if self.specs[number].dtype == NOTHING:
                invalid(f"v{number} is used and is none")

    def _input(self, part: Any) -> int:
        number = self._define(part)
        return number if self.specs[number].dtype != NOTHING else invalid("an input is none")

    def _constant(self, part: Any) -> tuple[int, Any]:
        if not isinstance(part, list) or len(part) != 2:
            invalid(f"{shown(part)} is no constant")
        number = self._define(part[0])
        return number, read_constant(self.specs[number], part[1])

    def _instruction(self, part: Any) -> Instruction:
        if not isinstance(part, list) or len(part) not in (3, 4):
            invalid(f"{shown(part)} is no instruction")
        written, name, args, options = part if len(part) == 4 else (*part, {})
        if not isinstance(name, str) or name not in NAMES or name in REFUSED:
            invalid(f"{shown(name)} is no function of xgrad")
        if not isinstance(args, list) or not isinstance(options, dict):
            invalid(f"{shown(part)} is no instruction")
        given = read_operand(args)
        instruction = Instruction(name, given, {key: read_operand(option) for key, option in options.items()}, ())
        try:
            _signature(name).bind(*given, **instruction.options)
        except TypeError as error:
            invalid(f"{name}: {error}")
        self._known(used_by(instruction))
        several = isinstance(written, list)
        results = tuple([self._define(each) for each in (written if several else [written])])
        made = instruction._replace(results=results, several=several)
        self._check_results(made)
        return made

    def _check_results(self, made: Instruction) -> None:
        specs = [self.specs[number] for number in made.results]
        if all(spec.dtype == NOTHING for spec in specs):
            invalid(f"{made.name} has no result")
        if any(spec.dtype == NOTHING for spec in specs) and not made.several:
            invalid(f"the result of {made.name} is none")
        operands = [self.specs[number] for number in used_by(made)]
        if any(spec.dtype == NUMBER for spec in specs):
            if (
                made.name not in OF_NUMBERS
                or made.options
                or made.several
                or {*map(type, made.args)} - {Ref, int, float}
            ):
                invalid(f"{made.name} gives no float")
            if any(spec.dtype != NUMBER for spec in operands):
                invalid(f"{made.name} of arrays gives no float")
        elif is_elementwise(made.name) and not made.several:
            shape = _broadcast([spec.shape for spec in operands])
            if shape != specs[0].shape:
                invalid(f"{made.name} gives the shape {shape}, and not {specs[0].shape}")

    def _output(self, part: Any) -> int:
        number = read_number(part)
        if number not in self.specs:
            invalid(f"v{number} is not defined")
        return number

    def _pair(self, part: Any, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> tuple[int, int]:
        if not isinstance(part, list) or len(part) != 2 or any(type(each) is not int for each in part):
            invalid(f"{shown(part)} is no pair of an input and an output")
        i, j = part
        if not (0 <= i < len(inputs) and 0 <= j < len(outputs)):
            invalid(f"there is no input {i} and output {j}")
        if self.specs[inputs[i]] != self.specs[outputs[j]]:
            invalid(f"{self.specs[outputs[j]]} cannot replace {self.specs[inputs[i]]}")
        return i, j

    def _names(self, inputs: tuple[int, ...]) -> dict[int, str]:
        part = self.document["names"]
        if not isinstance(part, dict):
            raise ValueError("names: not an object")
        names = {}
        for key, name in part.items():
            try:
                number = read_number(key)
            except Invalid as error:
                raise ValueError(f"names: {error}") from None
            if number not in self.specs or not isinstance(name, str) or not name.isprintable() or len(name) > 200:
                raise ValueError(f"names: {shown(name)} is no name of {key}")
            names[number] = name
        return names


@cache
def _signature(name: str) -> inspect.Signature:
    return inspect.signature(partial(FORMULAS[name], None) if name in FORMULAS else FUNCTIONS[name])


def _broadcast(shapes: list[tuple[int, ...]]) -> tuple[int, ...]:
    found: list[int] = [1] * max(map(len, shapes), default=0)
    for shape in shapes:
        for i, n in enumerate(shape[::-1], 1):
            if n != 1 and found[-i] not in (1, n):
                invalid(f"the shapes {', '.join(map(str, shapes))} do not fit together")
            found[-i] = n if n != 1 else found[-i]
    return tuple(found)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Invalid("a key occurs twice in an object")
    return found


def _no_constant(text: str) -> Any:
    raise Invalid(f"{text} is no JSON")


Program.write = save
