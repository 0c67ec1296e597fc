"""The engine "xla": the program is compiled by XLA, through `jax.jit`. The user's arrays are NumPy's, or JAX's own.

With NumPy, XLA computes on the CPU. State, such as parameters and moments, stays in XLA's memory from run to run. The caller gets
it as read-only NumPy arrays that show that memory. One that comes in again is recognised (xla_memory.py), and nothing is copied.
What is in the caller's own memory is copied into arrays that are kept for this, so nothing refers to it after the run.

What differs from an eager run: float32 results by up to 1e-5, relative, because XLA orders and fuses operations in its own way;
an index out of range is not an error; and NumPy's warnings, such as that of an overflow, are not given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from math import prod
from typing import Any
from warnings import catch_warnings, simplefilter

from xgrad.backends.base import Backend
from xgrad.backends.references import held_once
from xgrad.compile.engines.xla_memory import Resident, address, resident, shower
from xgrad.compile.errors import refused
from xgrad.compile.program import NUMBER, Program, Spec, call, mapped, used_by

MANY = 16  # arrays for which one call that waits for all is faster than one call for each
EMBEDDED = (
    1 << 10
)  # constants of up to so many elements are part of the compiled program; larger ones are arguments of it


def prepare(program: Program, backend: Backend) -> Compiled:
    """Compile the program. This takes 0.1 to 1 s.

    Raises:
        CompileError: if JAX is not installed, or cannot trace an instruction.
    """
    try:
        import_module("jax")
    except ImportError as error:
        raise refused("the engine 'xla' needs JAX, which is not installed", 'pip install "xgrad[xla]"') from error
    return (OnNumPy if backend.name == "numpy" else OnJAX)(program, backend)


class Compiled:
    """A program that XLA compiled.

    The compiled function takes the vectors (xla_packing.py), then the large constants, then the inputs that are used. The memory
    of state is given to it (donated), unless the program checks matrices: a step that fails leaves the state as it was. The
    results that replace state come first, in the order of what they replace, because JAX pairs them so: each is in its place.
    """

    packs = False  # whether small inputs are packed
    gives_up = True  # whether the memory of state is given to XLA

    def __init__(self, program: Program, backend: Backend) -> None:
        from xgrad.compile.engines import xla_packing as packing
        from xgrad.compile.engines import xla_tracing as tracing

        self.jax: Any = import_module("jax")
        self.program = program
        self.backend = backend
        specs = program.specs
        used = {number for instruction in program.instructions for number in used_by(instruction)}
        self._scalars = [(i, n) for i, n in enumerate(program.inputs) if specs[n].dtype == NUMBER]
        # Python floats are computed in Python, as in an eager step.
        self._of_numbers = [each for each in program.instructions if specs[each.results[0]].dtype == NUMBER]
        arrays = {n: i for i, n in enumerate(program.inputs) if n in used and specs[n].dtype != NUMBER}
        checks = {each.name for each in program.instructions} & set(tracing.CHECKED)
        replaced = self._replaced() if self.gives_up and not checks else {}
        packed = [n for n in arrays if self.packs and n not in replaced and packing.is_small(program, n, self._dtype)]
        self.vectors = packing.pack(program, packed, self._dtype)
        self._packed = [
            (k, start, specs[n].shape, arrays[n]) for k, v in enumerate(self.vectors) for n, start in v.arrays
        ]
        constants = {n: backend.to_numpy(array) for n, array in program.constants.items() if n in used}
        keys = tracing.keys(program)
        large = [n for n, y in constants.items() if y.size > EMBEDDED and n not in keys and not tracing.is_uniform(y)]
        self._large = [constants.pop(n) for n in large]
        arguments = [*large, *(n for n in arrays if n not in packed)]
        places = {n: place for place, n in enumerate(arguments, len(self.vectors)) if n in arrays}
        self._given_up = [(places[n], arrays[n]) for n in replaced]
        self._kept = [(place, arrays[n]) for n, place in places.items() if n not in replaced]
        computed = {n for each in program.instructions for n in each.results if specs[n].dtype != NUMBER}
        self.results = list(dict.fromkeys([*replaced.values(), *(n for n in program.outputs if n in computed)]))
        # The places of the outputs among the results, if each output is a result of its own.
        alone = set(program.outputs) == set(self.results) and len(program.outputs) == len(self.results)
        self._order = [self.results.index(n) for n in program.outputs] if alone else None
        self.specs = [*(Spec((v.size,), v.dtype) for v in self.vectors), *(specs[n] for n in arguments)]
        function, self._messages = tracing.traceable(program, self.vectors, arguments, constants, self.results)
        self._compile(function)

    def _replaced(self) -> dict[int, int]:
        """The inputs that are state whose memory a result can take, and these results."""
        program = self.program
        found: dict[int, int] = {}
        computed = {n: each for each in program.instructions for n in each.results}
        used = {number for instruction in program.instructions for number in used_by(instruction)}
        for i, j in program.state:
            old, new = program.inputs[i], program.outputs[j]
            fits = program.specs[old] == program.specs[new] and old in used and old not in program.outputs
            if fits and new in computed and new not in found.values():
                found[old] = new
        return found

    def _dtype(self, name: str) -> Any:
        return self.jax.numpy.dtype(name)

    def _compile(self, function: Any) -> None:
        jax = self.jax
        with self._settings(), catch_warnings():
            simplefilter("ignore")  # "Some donated buffers were not usable": an empty array, for example
            shapes = [jax.ShapeDtypeStruct(shape, self._dtype(dtype)) for shape, dtype in self.specs]
            places = tuple(place for place, _ in self._given_up)
            self._executable = jax.jit(function, donate_argnums=places).lower(*shapes).compile()

    @contextmanager
    def _settings(self) -> Iterator[None]:
        """JAX's settings while a program is traced, and arrays are made: the user's own are as before afterwards.

        The compiled function is bound to no device: JAX would compile a function that is bound to one a second time.
        """
        jax = self.jax
        with ExitStack() as stack:
            stack.enter_context(jax.enable_x64(True))
            stack.enter_context(jax.numpy_dtype_promotion("standard"))
            device = self._device()
            if device != jax.local_devices()[0]:
                stack.enter_context(jax.default_device(device))
            yield

    def _device(self) -> Any:
        return self.backend.device

    def source(self) -> str:
        """What XLA made of the program, in its own language (HLO)."""
        return str(self._executable.as_text())

    def _numbers(self, inputs: Sequence[Any]) -> dict[int, float]:
        """The Python floats of a run: the inputs, and what is computed of them."""
        numbers = {n: inputs[i] for i, n in self._scalars}
        for name, args, options, results, _ in self._of_numbers:
            numbers[results[0]] = call(None, name, mapped(args, lambda ref: numbers[ref.number]), options)
        return numbers

    def _checked(self, results: list[Any]) -> list[Any]:
        """The results without the checks. Raises ValueError for a check that does not hold."""
        count = len(self.results)
        for holds, message in zip(results[count:], self._messages, strict=True):
            if not holds:
                raise ValueError(message)
        return results[:count]

    def _outputs(self, results: list[Any], numbers: dict[int, float], inputs: Sequence[Any]) -> list[Any]:
        """The program's outputs: results, and copies of what is an input, a constant, or a result that is there already."""
        if self._order is not None:
            return [results[k] for k in self._order]
        program, copy = self.program, self.backend.copy
        found = {**numbers, **dict(zip(self.results, results, strict=True))}
        given: set[int] = set()
        outputs = []
        for number in program.outputs:
            if number in found and number not in given:
                outputs.append(found[number])
            elif number in found:
                outputs.append(found[number] if number in numbers else copy(found[number]))
            else:
                is_constant = number in program.constants
                outputs.append(copy(program.constants[number] if is_constant else inputs[program.inputs.index(number)]))
            given.add(number)
        return outputs

    def run(self, inputs: Sequence[Any], owned: Sequence[bool] | None = None) -> list[Any]:
        raise NotImplementedError


class OnJAX(Compiled):
    """A compiled program on the caller's own arrays of JAX."""

    def __init__(self, program: Program, backend: Backend) -> None:
        super().__init__(program, backend)
        with self._settings():
            self._constants = [self.jax.numpy.asarray(array) for array in self._large]

    def run(self, inputs: Sequence[Any], owned: Sequence[bool] | None = None) -> list[Any]:
        """The outputs; see choice.Runner."""
        numbers = self._numbers(inputs)
        with self._settings():
            results = self._checked(self._executable(*self._arguments(inputs, numbers, owned)))
        return self._outputs(results, numbers, inputs)

    def _arguments(self, inputs: Sequence[Any], numbers: dict[int, float], owned: Sequence[bool] | None) -> list[Any]:
        """The arguments of the compiled function."""
        array = self.jax.numpy.array
        vectors = [array([numbers[n] for n in v.numbers], dtype=self._dtype(v.dtype)) for v in self.vectors]
        args = [*vectors, *self._constants, *[None] * (len(self.specs) - len(vectors) - len(self._constants))]
        for place, i in self._kept:
            args[place] = inputs[i]
        for place, i in self._given_up:
            is_alone = owned is not None and owned[i] and all(inputs[i] is not arg for arg in args)
            args[place] = inputs[i] if is_alone else array(inputs[i], copy=True)
        return args


class Seat:
    """What one run at a time uses: arrays in XLA's memory, and views of them to write the caller's values into."""

    def __init__(self, compiled: OnNumPy) -> None:
        import numpy as np

        jax, specs, dtype = compiled.jax, compiled.specs, compiled._dtype
        state = {place for place, _ in compiled._given_up}
        first = len(compiled.vectors)
        with compiled._settings():
            fresh = jax.numpy.array  # it copies
            # The arguments of the compiled function, with None in the places of the state that is given up.
            self.arrays: list[Any] = [
                None if p in state else fresh(np.zeros(s.shape, dtype(s.dtype))) for p, s in enumerate(specs)
            ]
            self.arrays[first : first + len(compiled._large)] = map(fresh, compiled._large)
        jax.block_until_ready(self.arrays)
        views: list[Any] = [
            None if array is None else shower(spec.shape, dtype(spec.dtype), True)(array)
            for array, spec in zip(self.arrays, specs, strict=True)
        ]
        vectors = list(zip(views, compiled.vectors, strict=False))
        # Where the small inputs are written to, and which; the same for numbers, and for the other inputs.
        self.packed = [(_part(views[k], start, shape), i) for k, start, shape, i in compiled._packed]
        self.numbers = [(view[v.first :], v.numbers) for view, v in vectors if v.numbers]
        self.kept = [(place, views[place], i) for place, i in compiled._kept]


def _part(view: Any, start: int, shape: tuple[int, ...]) -> Any:
    return view[start : start + prod(shape)].reshape(shape)


class OnNumPy(Compiled):
    """A compiled program on NumPy's arrays."""

    packs = True

    def __init__(self, program: Program, backend: Backend) -> None:
        super().__init__(program, backend)
        state = {program.outputs[j] for _, j in program.state}
        self._shown = [
            shower(program.specs[n].shape, self._dtype(program.specs[n].dtype), n not in state) for n in self.results
        ]
        # The seats that no run uses. Each run takes one, or makes one, so that several threads can run the program at once.
        self._seats = [Seat(self)]

    def _device(self) -> Any:
        return self.jax.local_devices(backend="cpu")[0]

    def exclusive(self, array: Any) -> bool:
        """As `Backend.exclusive`: whether a tensor has the only reference to its array, which may be given up."""
        return isinstance(array.base, Resident) and held_once(array)

    def settled(self, array: Any) -> Any:
        """A read-only copy of a NumPy array, in XLA's memory. It comes in without a copy as long as it is not replaced."""
        with self._settings():
            moved = self.jax.block_until_ready(self.jax.numpy.array(array))
        return shower(array.shape, array.dtype, False)(moved)

    def run(self, inputs: Sequence[Any], owned: Sequence[bool] | None = None) -> list[Any]:
        """The outputs; see choice.Runner. State comes as read-only arrays, everything else as writeable ones.

        State that the caller gave up stays in its place: its array is returned, with other numbers in it.

        Raises:
            ValueError: for a matrix that is singular, or not positive definite.
            RuntimeError: for an array that was given up before.
        """
        numbers = self._numbers(inputs) if self._scalars else {}
        try:
            seat = self._seats.pop()
        except IndexError:
            seat = Seat(self)
        taken: list[Any] = []
        try:
            args = seat.arrays.copy()
            for view, names in seat.numbers:
                view[...] = [numbers[n] for n in names]
            for view, i in seat.packed:
                view[...] = inputs[i]
            for place, view, i in seat.kept:
                known = resident(inputs[i])
                if known is None:
                    view[...] = inputs[i]
                else:
                    args[place] = known.array
            if self._given_up:
                taken = self._take(args, inputs, owned)
            results = self._executable(*args)
            # When the results are computed, XLA has read everything: the caller's memory, and this seat's.
            if len(results) < MANY:
                for array in results:
                    array.block_until_ready()
            else:
                self.jax.block_until_ready(results)
        except BaseException:
            for _, known, array in taken:
                known.array = None if array.is_deleted() else array
            raise  # and leave the seat: XLA may still read it
        self._seats.append(seat)
        if self._messages:
            results = self._checked(results)
        shown = [None] * len(self.results)
        for k, known, _ in taken:
            array = results[k]
            if array.unsafe_buffer_pointer() == address(known):
                known.array = array
                shown[k] = inputs[self._given_up[k][1]]
        for k, show in enumerate(self._shown):
            if shown[k] is None:
                shown[k] = show(results[k])
        return self._outputs(shown, numbers, inputs)

    def _take(self, args: list[Any], inputs: Sequence[Any], owned: Sequence[bool] | None) -> list[Any]:
        """Put the state into the arguments: what the caller gives up, and copies of what he keeps.

        Return, for what was given up, the place among the results, its memory, and the array of JAX.
        """
        taken, kept = [], []
        for k, (place, i) in enumerate(self._given_up):
            known = resident(inputs[i])
            if known is not None and owned is not None and owned[i]:
                args[place] = known.array
                taken.append((k, known, known.array))
            else:
                kept.append((place, inputs[i]))
        there = [id(arg) for arg in args if arg is not None]
        if len(set(there)) < len(there):  # an array that is two arguments is not given up
            kept += [(self._given_up[k][0], array) for k, _, array in taken]
            taken = []
        for _, known, _ in taken:
            known.array = None
        if kept:
            with self._settings():
                for place, array in kept:
                    args[place] = self.jax.numpy.array(array)
        return taken
