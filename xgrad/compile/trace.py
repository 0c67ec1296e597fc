"""A trace: one run of a function, with real values, while everything that it computes is recorded.

The result is a program, and for each of its inputs and outputs what it stands for outside: an argument, a tensor that the
function touched, a gradient, a moment of an optimizer, a number, a random draw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, NoReturn

from xgrad.backends import get_backend, is_host_data, owner, use_backend
from xgrad.backends.base import Backend
from xgrad.backends.data import is_scalar
from xgrad.backends.remembered import plain, recipe_of, sources
from xgrad.compile.capture import Capture, capturing
from xgrad.compile.drawing import Drawing
from xgrad.compile.errors import refused
from xgrad.compile.gradients import Recorded, record_reverse_pass
from xgrad.compile.moments import Moments
from xgrad.compile.recorder import Recorder
from xgrad.compile.traced import Number, Traced
from xgrad.compile.tracing_backend import TracingBackend
from xgrad.engine import reading, tape, tracing
from xgrad.engine.tape import Leaf
from xgrad.engine.tensor import Tensor, wrap
from xgrad.engine.trees import flatten
from xgrad.transforms.batching.array import Batched
from xgrad.transforms.batching.backend import base_and_scope
from xgrad.transforms.grad import place_of

VMAPPED = "a tensor of one example, from inside of vmap, is returned from the compiled function"


class Argument:
    """An argument that is an input: its place among the leaves, and the Leaf that stands for its node inside."""

    def __init__(self, place: int, traced: Any, leaf: Leaf | None, inside: Any = None) -> None:
        self.place, self.traced, self.leaf, self.inside = place, traced, leaf, inside


class Result:
    """A leaf of the function's result: a traced value as a tensor, an array or a float, or a Python value as it is."""

    def __init__(self, kind: str, value: Any, node: Any = None) -> None:
        self.kind, self.value, self.node = kind, value, node


class Trace:
    """One trace. `run` fills it in."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.names = names  # of the function's arguments
        self.recorder = Recorder()
        self.capture = Capture(self.recorder)
        self.drawing = Drawing()
        self.moments = Moments(self.recorder)
        self.state_of, self.prepare = self.moments.state_of, self.moments.prepare  # which optimizers call
        self.arguments: list[Argument] = []
        self.draws: list[tuple[Any, Traced, Any]] = []  # what to draw, and the dtype of the tensor
        self.results: list[Result] = []
        self.reverse_pass: Recorded | None = None
        self.rebuild: Callable[[list[Any]], Any]
        self.recorder.take_draw = self._take_draw

    def run(self, f: Callable[..., Any], leaves: Sequence[Any], rebuild: Callable[[list[Any]], Any]) -> None:
        """Call `f(*args, **kwargs)`, where `rebuild(leaves)` gives (args, kwargs). After an error nothing has changed."""
        place = place_of(leaves)
        recording = tape.is_recording()
        given = [self._argument(i, leaf, place) for i, leaf in enumerate(leaves)]
        args, kwargs = rebuild(given)
        try:
            with ExitStack() as stack:
                stack.enter_context(tracing.running(self))
                stack.enter_context(reading.noted(self.drawing))
                stack.enter_context(use_backend(self.recorder.backend(get_backend())))
                stack.enter_context(capturing(self.capture))
                found, self.rebuild = flatten(f(*args, **kwargs))
                self.results = [self._result(value) for value in found]
                self.drawing.check()
                self.moments.check()
                self._check_writes()
                if recording:
                    self.reverse_pass = record_reverse_pass(self)
        except BaseException:
            self.drawing.restore()
            self.recorder.forget()
            self.moments.abandon()
            raise
        finally:
            self.recorder.close()

    def writes_buffer(self, held: Any, value: Any) -> bool:
        """A buffer of a module is set to another tensor: write its array into the one that is there, which every call finds."""
        if not (isinstance(held, Tensor) and isinstance(value, Tensor) and held is not value):
            return False
        if value.node is not None or (held.shape, held.dtype) != (value.shape, value.dtype):
            return False
        held.data = value.data
        return True

    def refuse(self, what: str, instead: str) -> NoReturn:
        """For the parts of xgrad that cannot be part of a program."""
        raise refused(what, instead)

    # --- what goes in

    def _argument(self, i: int, leaf: Any, place: Backend) -> Any:
        traced: Any
        if isinstance(leaf, float):
            traced = self.recorder.number(float(leaf))
            self.arguments.append(Argument(i, traced, None))
            return traced
        if isinstance(leaf, Tensor):
            inner = None if leaf.node is None else Leaf()
            traced = self.recorder.input(leaf._data, leaf.backend)
            return self._inside(Argument(i, traced, inner))
        if is_scalar(leaf) or not hasattr(leaf, "dtype"):
            return leaf
        backend = place if is_host_data(leaf) else owner(leaf)
        if backend is None:
            return leaf
        traced = self.recorder.input(backend.adopt(leaf), backend)
        return self._inside(Argument(i, traced, None))

    def _inside(self, argument: Argument) -> Tensor:
        """An argument as a tensor of the trace."""
        self.arguments.append(argument)
        inside = argument.inside = wrap(argument.traced, argument.traced.backend, argument.leaf)
        return inside

    def _take_draw(self, backend: TracingBackend, array: Any, dtype: Any) -> Traced | None:
        recipe = recipe_of(array)
        if recipe is None:
            return None
        for draw in sources(recipe):
            draw.is_used = True
        traced = self.recorder.input(backend.base.asarray(plain(array), dtype=dtype), backend.base)
        self.draws.append((recipe, traced, dtype))
        return traced

    # --- what comes out

    def _result(self, value: Any) -> Result:
        if isinstance(value, Tensor):
            data = value._data
            if type(data) is Batched:
                raise refused(VMAPPED, "Return it from the function under vmap")
            return Result("tensor", data, value.node)
        if type(value) is Number:
            return Result("float", value)
        if type(value) is Traced:
            return Result("array", value)
        backend = None if is_scalar(value) or not hasattr(value, "dtype") else owner(value)
        if backend is not None and not isinstance(base_and_scope(backend)[0], TracingBackend):
            return Result("array", Traced(value, None, self.recorder.backend(backend)))
        return Result("static", value)

    def _check_writes(self) -> None:
        for argument in self.arguments:
            inside = argument.inside
            if inside is not None and (inside._data is not argument.traced or inside.node is not argument.leaf):
                name = self.names[argument.place] if argument.place < len(self.names) else argument.place
                raise refused(
                    f"the function writes into its argument {name}",
                    "Write into a copy (xgrad.asarray(x, copy=True)), or return the new value",
                )
            if argument.leaf is not None and argument.leaf.grad is not None:
                raise refused(
                    "backward() inside of the compiled function reached one of its arguments",
                    "Use xgrad.grad or xgrad.value_and_grad for the gradient by an argument",
                )
        for touched in self.capture.touched.values():
            node = touched.shadow.node
            if node is touched.node:
                continue
            raise refused(
                f"a tensor from outside was written to with recorded values (first used in {touched.line})",
                "Return the new value, or write it under xgrad.no_grad()",
            )


def _here(self: Backend) -> Backend:
    """In a trace, the tracing version of a backend; then, inside vmap, the batched version of that."""
    trace = tracing.current()
    if trace is not None and not isinstance(base_and_scope(self)[0], TracingBackend):
        self = trace.recorder.backend(self)
    return _inside_vmap(self)


_inside_vmap = Backend.here
Backend.here = _here  # type: ignore[method-assign]
