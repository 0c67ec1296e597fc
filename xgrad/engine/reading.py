"""Noting what a checkpointed function reads besides its arguments, to compare its second run with its first.

While a run is noted, a tensor reports when it is made and when its value is read, and an operation reports its arguments that are
numbers or raw arrays. Random streams are noted too. While no run is noted, this costs one test of an empty list.

A note holds a reference to the raw array that was read. A later write to the tensor then makes a new array, because the old one
is in use. So a tensor that still has the same array has the same value.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import ref

from xgrad.backends import owner
from xgrad.engine.tape import SEQ, is_node

noting: list[None] = []  # one entry for each block, in any thread, that notes
_notes: ContextVar[tuple[Notes, ...]] = ContextVar("xgrad_notes", default=())

NUMBER = "number"


class Notes:
    """The notes of a first run: what it read, in order, what it made, and the state of each random stream before the run."""

    def __init__(self) -> None:
        self.events: list[
            tuple[Any, Any, Any]
        ] = []  # (a reference to the tensor or None, its array or a number, its node)
        self.streams: dict[Any, Any] = {}  # by generator
        self.unseeded: list[Any] = []  # the streams of generators that were made without a seed, in order
        self.default: Any = None  # the default generator, if it was used
        self.kept: dict[
            int, tuple[Any, Any]
        ] = {}  # tensors that were made in the run and outlive it, with their arrays
        self._made: dict[int, Any] = {}
        self._seen: set[int] = set()

    # --- values ---

    def made(self, tensor: Any) -> None:
        self._made[id(tensor)] = ref(tensor)
        self._seen.discard(id(tensor))

    def read(self, tensor: Any) -> None:
        key = id(tensor)
        if key not in self._made and key not in self._seen:
            self._seen.add(key)
            self.note(ref(tensor), tensor._data, _computed(tensor))

    def note(self, tensor: Any, value: Any, node: Any) -> None:
        self.events.append((tensor, value, node))

    def finish(self, results: Sequence[Any]) -> None:
        """End the run. Its results do not count among the tensors that it made: the second run makes its own."""
        ours = {id(result) for result in results}
        alive = ((key, reference, reference()) for key, reference in self._made.items() if key not in ours)
        self.kept = {key: (reference, tensor._data) for key, reference, tensor in alive if tensor is not None}
        self._made, self._seen = {}, set()

    # --- random numbers ---

    def stream(self, generator: Any, host: Any) -> Any:
        """The stream that the generator draws from, in the place of `host`."""
        if generator not in self.streams:
            self.streams[generator] = copy.deepcopy(host)
        return host

    def fresh_stream(self, host: Any) -> Any:
        self.unseeded.append(copy.deepcopy(host))
        return host

    def default_generator(self, generator: Any) -> Any:
        self.default = self.default or generator
        return generator

    def reseed(self, generator: Any) -> bool:
        """Whether a new default generator holds for this run only."""
        return False


class Repetition(Notes):
    """The notes of a second run, which must read what the first run read. `deviation` names the first difference, if any.

    The second run may read less, since what the first run made and stored exists by now. It draws the same random numbers as the
    first run, and leaves the state of the generators as it is.
    """

    def __init__(self, first: Notes) -> None:
        super().__init__()
        self.first = first
        self.deviation: str | None = None
        self.streams = {generator: copy.deepcopy(stream) for generator, stream in first.streams.items()}
        self.default = first.default
        self._at = 0  # how many reads of the first run were repeated or skipped
        self._unseeded = iter(first.unseeded)

    def note(self, tensor: Any, value: Any, node: Any) -> None:
        if self.deviation is not None:
            return
        if tensor is not None:
            reference, array = self.first.kept.get(id(tensor()), (None, None))
            if reference is not None and reference() is tensor() and array is value:
                return
        for at in range(self._at, len(self.first.events)):
            if _is_again(self.first.events[at], tensor, value, node):
                self._at = at + 1
                return
        self.deviation = _described(tensor, value)

    def stream(self, generator: Any, host: Any) -> Any:
        return self.streams.get(generator, host)

    def fresh_stream(self, host: Any) -> Any:
        stream = next(self._unseeded, None)
        return host if stream is None else copy.deepcopy(stream)

    def default_generator(self, generator: Any) -> Any:
        return self.default or generator

    def reseed(self, generator: Any) -> bool:
        self.default = generator
        return True


@contextmanager
def noted(notes: Notes) -> Iterator[None]:
    """While the block runs, `notes` gets the reports. The fast path must be off meanwhile (see watching.py)."""
    token = _notes.set((*_notes.get(), notes))
    noting.append(None)
    try:
        yield
    finally:
        noting.pop()
        _notes.reset(token)


# --- the reports, made where `noting` is not empty -------------------------------------------------------


def made(tensor: Any) -> None:
    """A tensor was made."""
    for notes in _notes.get():
        notes.made(tensor)


def read(tensor: Any) -> None:
    """The value of a tensor is read."""
    for notes in _notes.get():
        notes.read(tensor)


def operand(value: Any) -> None:
    """An operation is given a number, a raw array, or a sequence to make an array from."""
    if isinstance(value, list | tuple):
        value = repr(value)
    for notes in _notes.get():
        notes.note(None, value, None if hasattr(value, "dtype") else NUMBER)


def stream(generator: Any, host: Any) -> Any:
    """The stream that a generator draws from."""
    for notes in _notes.get():
        host = notes.stream(generator, host)
    return host


def fresh_stream(host: Any) -> Any:
    """The stream of a new generator without a seed."""
    for notes in _notes.get():
        host = notes.fresh_stream(host)
    return host


def default_generator(current: Callable[[], Any]) -> Any:
    """The default generator."""
    generator = None
    for notes in _notes.get():
        generator = notes.default_generator(generator or current())
    return generator or current()


def reseed(generator: Any) -> bool:
    """Whether this generator becomes the default for a second run only."""
    answers = [notes.reseed(generator) for notes in _notes.get()]  # each must be called
    return True in answers


def is_repetition() -> bool:
    """Whether this is a second run: what the first run did besides its result must not be done again."""
    return any(isinstance(notes, Repetition) for notes in _notes.get())


@contextmanager
def unnoted() -> Iterator[None]:
    """While the block runs, nothing is reported: for a write to a tensor that comes before its first read."""
    token = _notes.set(())
    try:
        yield
    finally:
        _notes.reset(token)


# --- comparing ---------------------------------------------------------------------------------------


def _computed(tensor: Any) -> Any:
    """A number that is unique to the node of a computed tensor; None for a tensor that was not computed."""
    node = tensor.node
    return node[SEQ] if is_node(node) else None


def _is_again(event: tuple[Any, Any, Any], tensor: Any, value: Any, node: Any) -> bool:
    then, before, its_node = event
    if node != its_node or (then is None) is not (tensor is None):
        return False
    if before is value:
        return True
    if node is NUMBER:
        return type(before) is type(value) and bool(before == value or (before != before and value != value))
    if tensor is not None and then() is not tensor():
        return False
    return _same_bits(before, value)


def _same_bits(one: Any, other: Any) -> bool:
    """Whether two raw arrays have the same bits. It compares values, because dask makes a new array when it computes one."""
    if type(one) is not type(other) or one.shape != other.shape or one.dtype != other.dtype:
        return False
    backend = owner(one)
    if backend is None and one.shape == () and hasattr(one, "tobytes"):  # a NumPy scalar, such as NumPy's sum returns
        return bool(one.tobytes() == other.tobytes())
    if backend is None or owner(other) is not backend or getattr(one, "axes", None) != getattr(other, "axes", None):
        return False
    (library, a), (_, b) = backend.bare(one), backend.bare(other)
    first, second = library.to_numpy(a), library.to_numpy(b)
    return bool(first.shape == second.shape and first.tobytes() == second.tobytes())


def _described(tensor: Any, value: Any) -> str:
    if not hasattr(value, "dtype"):
        return f"the number {value!r:.40}"
    return f"{'an array' if tensor is None else 'a tensor'} of shape {tuple(value.shape)} and dtype {value.dtype}"
