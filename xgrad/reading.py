"""What a function reads that it did not make itself, so that a second run can be held to what the first one read.

While somebody notes, every tensor tells of its making and of each look at its value, and every operation tells of the numbers and
raw arrays that it is given; random streams are noted too. While nobody does, this costs a glance at an empty list.

A note holds the raw array that it is of. Whoever writes into a tensor then finds that another holds the array, and makes a new
one: so one look at which array a tensor has shows whether it has the value that it had.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import ref

from xgrad.backends import owner

noting: list[None] = []  # one entry for each block, in any thread, that notes
_notes: ContextVar[tuple[Notes, ...]] = ContextVar("xgrad_notes", default=())

NUMBER = "number"


class Notes:
    """Of a first run: what it read, in order, what it made, and where each stream of random numbers stood before."""

    def __init__(self) -> None:
        self.events: list[
            tuple[Any, Any, Any]
        ] = []  # (a reference to the tensor or None, its array or a number, its node)
        self.streams: dict[Any, Any] = {}  # by generator
        self.unseeded: list[Any] = []  # the streams of generators that were made without a seed, in order
        self.default: Any = None  # the generator that was used where none is given
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
        """The run is over; these are its results, which a second run has no business with."""
        ours = {id(result) for result in results}
        alive = ((key, reference, reference()) for key, reference in self._made.items() if key not in ours)
        self.kept = {key: (reference, tensor._data) for key, reference, tensor in alive if tensor is not None}
        self._made, self._seen = {}, set()

    # --- random numbers ---

    def stream(self, generator: Any, host: Any) -> Any:
        """The stream that the generator is to draw from, where it would draw from `host`."""
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
        """Whether a new default generator is nobody's business but this run's."""
        return False


class Repetition(Notes):
    """Of a run that is to find all as the first run found it. `deviation` says what it did not find so; None if nothing.

    It may read less (what the first run made and put aside is there now), but nothing else. It draws the same random numbers,
    and leaves the generators where they are.
    """

    def __init__(self, first: Notes) -> None:
        super().__init__()
        self.first = first
        self.deviation: str | None = None
        self.streams = {generator: copy.deepcopy(stream) for generator, stream in first.streams.items()}
        self.default = first.default
        self._at = 0  # how much of what the first run read has come again
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
    """While the block runs, `notes` is told; the quick way through operations must be closed (see watching.py)."""
    token = _notes.set((*_notes.get(), notes))
    noting.append(None)
    try:
        yield
    finally:
        noting.pop()
        _notes.reset(token)


# --- what the others tell, where `noting` is not empty -------------------------------------------------------


def made(tensor: Any) -> None:
    """A tensor was made."""
    for notes in _notes.get():
        notes.made(tensor)


def read(tensor: Any) -> None:
    """Somebody looks at the value of a tensor."""
    for notes in _notes.get():
        notes.read(tensor)


def operand(value: Any) -> None:
    """An operation was given a number, or a raw array, or a sequence to make one of."""
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
    """The stream of a generator that was made without a seed."""
    for notes in _notes.get():
        host = notes.fresh_stream(host)
    return host


def default_generator(current: Callable[[], Any]) -> Any:
    """The generator that is used where none is given."""
    generator = None
    for notes in _notes.get():
        generator = notes.default_generator(generator or current())
    return generator or current()


def reseed(generator: Any) -> bool:
    """Whether this generator becomes the default one of a second run only."""
    answers = [notes.reseed(generator) for notes in _notes.get()]  # all of them are told
    return True in answers


# --- what is the same ---------------------------------------------------------------------------------------


def _computed(tensor: Any) -> Any:
    """What tells how a tensor was computed: a number of its own for each node; None for what was not computed."""
    node = tensor.node
    return node[0] if type(node) is list else None


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
    """Whether two raw arrays hold the same, by looking at them. (dask makes a new array of what it has computed, say.)"""
    if type(one) is not type(other) or one.shape != other.shape or one.dtype != other.dtype:
        return False
    backend = owner(one)
    if backend is None and one.shape == () and hasattr(one, "tobytes"):  # a NumPy scalar: what NumPy's sum gives
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
