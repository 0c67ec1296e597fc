"""The numpy engine: a program as straight-line calls of NumPy's functions in planned memory, equal to eager bit for bit.

The first run with inputs of some layout goes call by call, and notes how each value lies in memory. From that it writes the code
that later runs with inputs of this layout use.
"""

from __future__ import annotations

import threading
import warnings
from collections import Counter
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from xgrad.compile.engines import numpy_blocks, numpy_threads
from xgrad.compile.engines.numpy_frames import Code
from xgrad.compile.engines.numpy_kernels import RULES
from xgrad.compile.engines.numpy_layouts import Layout, observe, owner, separate
from xgrad.compile.engines.numpy_lowering import Lowering
from xgrad.compile.engines.numpy_memory import Plan
from xgrad.compile.engines.numpy_source import Source
from xgrad.compile.engines.numpy_steps import MADE, NUMBER, OBJECT, VIEW, Step, Value
from xgrad.compile.program import NUMBER as NUMBER_DTYPE
from xgrad.compile.program import Program

_MOST_FRAMES = 8  # that are kept for later runs
_MOST_VARIANTS = 32  # for a program whose inputs lie in memory in ever other ways


def prepare(program: Program, backend: Any) -> Runner:
    """What runs the program on the backend, which is NumPy's."""
    return Runner(program, backend)


class Variant:
    """The code for inputs of one layout, either with state written into the memory of inputs or not."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.frames: list[Any] = []  # those that no thread uses now

    def run(self, inputs: Sequence[Any]) -> list[Any]:
        try:
            frame = self.frames.pop()
        except IndexError:
            frame = self.code.frame()
        try:
            found: list[Any] = frame(*inputs)
            return found
        finally:
            if len(self.frames) < _MOST_FRAMES:
                self.frames.append(frame)


class Runner:
    """Runs a program. Several threads may call `run` at once."""

    def __init__(self, program: Program, backend: Any) -> None:
        self.program, self.xp = program, backend.xp
        places = [i for i, number in enumerate(program.inputs) if program.specs[number].dtype != NUMBER_DTYPE]
        self._arrays = places
        self._all = len(places) == len(program.inputs)
        self._pick = itemgetter(*places) if len(places) > 1 else (lambda inputs: [inputs[k] for k in places])
        self._state = [i for i, _ in program.state]
        self._variants: dict[Any, Variant] = {}
        self._latest: tuple[Any, Variant] | None = None
        self._lock = threading.Lock()

    def run(self, inputs: Sequence[Any], owned: Sequence[bool] | None = None) -> list[Any]:
        """The outputs: new arrays that nothing else refers to.

        Args:
            inputs: an array for each input of the program, and a float for each number.
            owned: the inputs that the caller gives up. `program.state` may be written into their memory, and is returned in it.

        Raises:
            Exception: what a function raises. Then no input has changed.
        """
        arrays = inputs if self._all else self._pick(inputs)
        return self._with(inputs, arrays, owned is not None and self._may_write(inputs, arrays, owned))

    def rerun(self, inputs: Sequence[Any], owned: Sequence[bool]) -> list[Any]:
        """As `run`, for a call whose state is what the last run returned in place, so that it may be written again."""
        return self._with(inputs, inputs if self._all else self._pick(inputs), not errors_raise())

    def _with(self, inputs: Sequence[Any], arrays: Sequence[Any], given: bool) -> list[Any]:
        """Run the code for the layout of these arrays; with `given`, state is written in place."""
        layout = [x.strides for x in arrays]
        latest = self._latest
        if latest is not None and latest[0] == (given, layout):
            return latest[1].run(inputs)
        key = (given, tuple(layout))
        variant = self._variants.get(key)
        if variant is None:
            return self._first(inputs, key)
        self._latest = ((given, layout), variant)
        return variant.run(inputs)

    def source(self) -> str:
        """The code of the latest run, to read."""
        return "" if self._latest is None else self._latest[1].code.text

    def _may_write(self, inputs: Sequence[Any], arrays: Sequence[Any], owned: Sequence[bool]) -> bool:
        """Whether all state may be written in place: it is given up, writable and not shared, and no warning is an error."""
        state = self._state
        if not state:
            return False
        for i in state:
            x = inputs[i]
            if not owned[i] or not x.flags.writeable:
                return False
            base = x.base
            if base is not None and (type(base) is not np.ndarray or base.base is not None):
                return False  # the memory of another object, which may have other arrays too
        owners = [id(x if x.base is None else x.base) for x in arrays]
        if len(set(owners)) != len(owners):
            counts = Counter(owners)
            if any(counts[id(owner(inputs[i]))] > 1 for i in state):
                return False
        for x in arrays:
            if x.base is None or type(x.base) is np.ndarray:
                continue
            if any(np.may_share_memory(x, inputs[i]) for i in state):
                return False
        return not errors_raise()

    def _first(self, inputs: Sequence[Any], key: Any) -> list[Any]:
        """Run call by call, and write the code for later runs."""
        found, layouts = observe(self.program, self.xp, inputs)
        held = [x for x in inputs if isinstance(x, np.ndarray)] + list(self.program.constants.values())
        results = separate(found, held)
        del found, held
        variant = self._write(layouts, key)
        self._latest = ((key[0], list(key[1])), variant)
        return results

    def _write(self, layouts: dict[int, Layout], key: Any) -> Variant:
        with self._lock:
            variant = self._variants.get(key)
            if variant is None:
                if len(self._variants) >= _MOST_VARIANTS:
                    del self._variants[next(iter(self._variants))]
                variant = self._variants[key] = Variant(source_of(self.program, layouts, self.xp, key[0]).code())
            return variant


_without_errors: list[Any] = []  # warnings.filters, when no entry was found that turns a warning into an error


def errors_raise() -> bool:
    """Whether a floating-point error, or its warning, is an exception: such a step must leave its inputs as they are."""
    how = np.geterr().values()
    if "raise" in how or "call" in how:
        return True
    if warnings.filters == _without_errors:
        return False
    for action, message, category, module, line in warnings.filters:
        if issubclass(RuntimeWarning, category):
            if action == "error":
                return True
            if message is None and module is None and not line:
                break  # it is for all of them, and nothing later is looked at
    _without_errors[:] = warnings.filters
    return False


def source_of(program: Program, layouts: dict[int, Layout], xp: Any, given: bool) -> Source:
    """The code for inputs of these layouts; with `given`, state is written into the memory of inputs."""
    lowered = Lowering(program, layouts, xp, RULES)
    outputs = _separate_outputs(lowered)
    items = numpy_blocks.grouped(lowered.steps)
    states = {j: lowered.inputs[i] for i, j in program.state}
    unique = list(dict.fromkeys(outputs))
    places = {value: k for k, value in enumerate(unique)}
    given_at = {places[outputs[j]]: x for j, x in states.items()} if given else {}
    plan = Plan(items, unique, given_at)
    pooled = [True] * len(unique)
    for j in states:
        pooled[places[outputs[j]]] = False  # it is written in place from the next run on
    return Source(items, plan, lowered.inputs, outputs, pooled, numpy_threads.count())


def _separate_outputs(lowered: Lowering) -> list[Value]:
    """The outputs, with steps that copy those that are no arrays of their own."""
    outputs: list[Value] = []
    roots = [value.root for value in lowered.outputs]
    for value in lowered.outputs:
        root = value.root
        if value.kind == NUMBER:
            outputs.append(value)
            continue
        is_whole = value.kind == VIEW and root.kind == MADE and value.nbytes == root.nbytes
        is_new = value.kind == MADE or (value.kind == OBJECT and value.of is None)
        if roots.count(root) == 1 and (is_new or is_whole):
            outputs.append(value)
        elif value.dtype is None or value.kind == OBJECT:
            outputs.append(_object_copy(lowered, value))
        else:
            copy = lowered.made(value.shape, value.dtype, value.strides)
            if copy.order is None:
                copy = lowered.made(value.shape, value.dtype)
            lowered.steps.append(Step(np.copyto, (value,), copy, place="first", is_elementwise=True, note="return"))
            outputs.append(copy)
    return outputs


def _object_copy(lowered: Lowering, value: Value) -> Value:
    copy = Value(OBJECT, value.shape, value.dtype, value.strides)
    lowered.steps.append(Step(np.array, (value,), binds=(copy,), may_raise=True, note="return"))
    return copy
