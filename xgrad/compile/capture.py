"""Finding the tensors that a function touches, by the touch itself.

While a function is recorded, the attributes of `Tensor` that hold its array, its backend and its node are properties. The first
time that the function reads one of a tensor from outside, this tensor becomes an input of the program, and gets a shadow: a
tensor with the same attributes, but with a Traced array. The function reads and writes the shadow. So nothing outside changes
while a function is recorded, an error leaves everything as it was, and other threads, which have no trace, see the tensor itself.
`.grad` is treated the same way. After the trace the attributes are plain slots again, at full speed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from xgrad.compile.errors import CompileError, refused, user_line
from xgrad.compile.recorder import Recorder
from xgrad.compile.traced import Traced
from xgrad.compile.tracing_backend import TracingBackend
from xgrad.engine.tape import Held, Leaf, is_node
from xgrad.engine.tensor import Tensor
from xgrad.engine.views import VIEWS, Views
from xgrad.transforms.batching.backend import base_and_scope

SLOTS = {name: Tensor.__dict__[name] for name in ("_data", "backend", "layout", "node", "_held", "_unmarked", "shared")}
GRAD = Held.__dict__["grad"]
_of: ContextVar[Capture | None] = ContextVar("xgrad_capture", default=None)
_lock = threading.Lock()
_open = 0  # how many captures are running, in all threads


class Touched:
    """A tensor from outside that the function has touched: its shadow, and the input of the program that it is."""

    def __init__(self, tensor: Tensor, shadow: Tensor, traced: Traced, node: Any, line: str) -> None:
        self.tensor, self.shadow, self.traced, self.line = tensor, shadow, traced, line
        self.node = node  # the node inside: a Leaf, which stands for the tensor's own node if that is not a Leaf

    @property
    def new_value(self) -> Traced | None:
        """Its array at the end, if that is another one."""
        found: Traced = SLOTS["_data"].__get__(self.shadow)
        return None if found is self.traced else found


class TouchedGrad:
    """The `.grad` of a tensor from outside: what it was, whether the function looked, and what it is at the end."""

    def __init__(self, held: Held, value: Any) -> None:
        self.held, self.before, self.value = held, value, value
        self.was_read = False
        self.was_written = False


class Capture:
    """The tensors and gradients from outside that a function touches."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.touched: dict[int, Touched] = {}
        self.grads: dict[int, TouchedGrad] = {}
        self._views: dict[int, Views] = {}  # by the id of the list outside
        # The tensors of the library, and the stores of gradients, that the function has made.
        self._inside: dict[int, Any] = {}

    # --- tensors ---

    def of(self, t: Tensor) -> Tensor:
        """The tensor whose slots the function reads for t: its shadow, or t itself if the function has made it."""
        found = self.touched.get(id(t))
        if found is not None:
            return found.shadow
        try:
            backend = SLOTS["backend"].__get__(t)
        except AttributeError:  # it is being made
            return t
        if isinstance(base_and_scope(backend)[0], TracingBackend):
            return t
        return self._touch(t, backend).shadow

    def _touch(self, t: Tensor, backend: Any) -> Touched:
        raw = SLOTS["_data"].__get__(t)
        if id(t) in self._inside:
            return self._as_constant(t, raw, backend)
        if backend.is_temporary:
            raise refused(
                "a tensor of a vmap that is running outside is used in a compiled function",
                "Call xgrad.compile on the function that calls vmap",
            )
        traced = self.recorder.input(raw, backend)
        node = SLOTS["node"].__get__(t)
        inside = Leaf() if is_node(node) else node
        return self._add(t, traced, inside, user_line())

    def _as_constant(self, t: Tensor, raw: Any, backend: Any) -> Touched:
        """A tensor that the function made, with an array of the library."""
        self.recorder.closed_over.append((user_line(), f"an array of shape {tuple(raw.shape)} and dtype {raw.dtype}"))
        traced = Traced(raw, None, self.recorder.backend(backend))
        return self._add(t, traced, SLOTS["node"].__get__(t), "")

    def _add(self, t: Tensor, traced: Traced, node: Any, line: str) -> Touched:
        shadow = type(t).__new__(type(t))
        values: dict[str, Any] = {"_data": traced, "backend": traced.backend, "layout": None, "node": node}
        for name, slot in SLOTS.items():
            if name in values:
                slot.__set__(shadow, values[name])
                continue
            try:
                value = slot.__get__(t)
            except AttributeError:
                continue
            slot.__set__(shadow, self._views_of(value) if name == "shared" else value)
        if isinstance(node, Leaf) and node is not SLOTS["node"].__get__(t):
            SLOTS["_held"].__set__(shadow, node.held())
        found = self.touched[id(t)] = Touched(t, shadow, traced, node, line)
        return found

    def _views_of(self, shared: Any) -> Any:
        """What a tensor knows of its views, with a copy of the list, so that the function adds nothing to the one outside."""
        if type(shared) is tuple:
            return (*shared[:VIEWS], self._views_of(shared[VIEWS]))
        copy = self._views.get(id(shared))
        if copy is None:
            copy = self._views[id(shared)] = Views()
            copy.extend(shared)
        return copy

    def is_outside(self, t: Tensor) -> bool:
        """Whether a write to t must go to a shadow."""
        return id(t) in self.touched or id(t) not in self._inside

    def made(self, t: Any) -> None:
        """The function has made this tensor (on the library itself), or this store of a gradient."""
        self._inside[id(t)] = t

    # --- gradients ---

    def grad_of(self, held: Held) -> TouchedGrad | None:
        """The entry for a store of a gradient from outside; None for one that the function has made."""
        found = self.grads.get(id(held))
        if found is None and id(held) not in self._inside:
            found = self.grads[id(held)] = TouchedGrad(held, GRAD.__get__(held))
        return found


# --- grads that a compiled step did not keep ----------------------------------------------------------------


class Dropped(Held):
    """The store of a gradient that a compiled step has used and not kept. Reading it is an error; it can be set."""

    __slots__ = ()

    @property
    def grad(self) -> Any:  # type: ignore[override]
        capture = _of.get()
        entry = None if capture is None else capture.grad_of(self)
        if entry is not None and entry.was_written:
            return entry.value
        raise CompileError(
            "compile: this .grad was used up in a compiled step, which does not keep gradients. Compile the step with "
            "xgrad.compile(step, keep_grads=True), or set .grad (zero_grad) before you read it"
        )

    @grad.setter
    def grad(self, value: Any) -> None:
        capture = _of.get()
        entry = None if capture is None else capture.grad_of(self)
        if entry is not None:
            entry.value, entry.was_written = value, True
        else:
            self.__class__ = Held  # type: ignore[assignment]
            GRAD.__set__(self, value)


def drop(held: Held) -> None:
    """Forget a gradient, and make reading it an error."""
    GRAD.__set__(held, None)
    held.__class__ = Dropped  # type: ignore[assignment]


def is_dropped(held: Held) -> bool:
    return type(held) is Dropped


# --- the properties -----------------------------------------------------------------------------------------


def _tensor_property(name: str, slot: Any) -> property:
    def read(t: Tensor) -> Any:
        capture = _of.get()
        return slot.__get__(t if capture is None else capture.of(t))

    def write(t: Tensor, value: Any) -> None:
        capture = _of.get()
        if capture is None:
            slot.__set__(t, value)
            return
        if name == "backend" and not isinstance(base_and_scope(value)[0], TracingBackend):
            try:
                slot.__get__(t)
            except AttributeError:
                capture.made(t)
                slot.__set__(t, value)
                return
        slot.__set__(capture.of(t) if capture.is_outside(t) else t, value)

    return property(read, write)


def _grad_property() -> property:
    def read(held: Held) -> Any:
        capture = _of.get()
        entry = None if capture is None else capture.grad_of(held)
        if entry is None:
            return GRAD.__get__(held)
        entry.was_read = entry.was_read or not entry.was_written
        return entry.value

    def write(held: Held, value: Any) -> None:
        capture = _of.get()
        if capture is not None:
            try:
                GRAD.__get__(held)
            except AttributeError:  # it is being made
                capture.made(held)
        entry = None if capture is None else capture.grad_of(held)
        if entry is None:
            GRAD.__set__(held, value)
        else:
            entry.value, entry.was_written = value, True

    return property(read, write)


PROPERTIES = {name: _tensor_property(name, slot) for name, slot in SLOTS.items()}
GRAD_PROPERTY = _grad_property()


@contextmanager
def capturing(capture: Capture) -> Iterator[None]:
    """While the block runs, `capture` finds what this thread touches."""
    global _open
    with _lock:
        _open += 1
        if _open == 1:
            _set(PROPERTIES, GRAD_PROPERTY)
    token = _of.set(capture)
    try:
        yield
    finally:
        _of.reset(token)
        with _lock:
            _open -= 1
            if not _open:
                _set(SLOTS, GRAD)


def _set(attributes: dict[str, Any], grad: Any) -> None:
    for name, attribute in attributes.items():
        setattr(Tensor, name, attribute)
    setattr(Held, "grad", grad)  # noqa: B010 (mypy takes it for a write to a slot)
