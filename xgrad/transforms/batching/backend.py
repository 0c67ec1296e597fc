"""The batched version of a backend, for use in a function under vmap. Its arrays have hidden batch axes.

Its namespace is an Array API namespace like that of any backend, so operations on it are recorded and differentiated by the same
rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import partial
from operator import attrgetter
from typing import Any
from weakref import WeakValueDictionary

from xgrad.backends import get_backend, use_backend
from xgrad.backends.base import Backend
from xgrad.backends.derived import Derived
from xgrad.engine import casting
from xgrad.transforms.batching.array import Axes, Batched, agreed, merged
from xgrad.transforms.batching.functions import BatchedRaw

VARIES = (
    "inside vmap this array has another value for each example, so it has no single value. "
    "Use xgrad.where instead of if, or return the array from the function and look at it there."
)
NOT_RUNNING = (
    "this tensor was made inside a function under vmap and has another value for each example. It is used where that function is "
    "not running: after its return, or in another thread. Return the tensor from the function instead."
)


class BatchedBackend(Derived):
    """The batched version of the backend `base`, inside vmaps with the batch axes in `scope`."""

    def __init__(self, base: Backend, scope: Axes) -> None:
        super().__init__(base)
        self.scope = scope
        self.xp: Any = BatchedRaw(self)

    def __repr__(self) -> str:
        return f"{self.base!r} inside vmap"

    def __reduce__(self) -> Any:
        raise TypeError("a tensor inside a function under vmap cannot be pickled; return it from the function first")

    # --- other backends ---

    def join(self, other: Backend) -> Backend | None:
        """The backend inside the vmaps of both, if both are of one library."""
        if other is self or other is self.base:
            return self
        base, scope = base_and_scope(other)
        return scoped(base, merged(self.scope, scope)) if base is self.base else None

    def adopt(self, array: Any) -> Any:
        return array if self.owns(array) else Batched(self.base.adopt(array), (), self)

    def bare(self, array: Any) -> tuple[Backend, Any]:
        return self.base, array.value

    def backend_of_array(self, array: Any) -> Backend:
        return self.base.backend_of_array(array)

    def on_device(self, device: Any) -> Backend:
        if self.base.on_device(device) is not self.base:
            raise NotImplementedError(
                f"vmap: a tensor cannot move to another device ({device}) inside of the function; move the arguments before"
            )
        return self

    # --- arrays ---

    def owns(self, value: Any) -> bool:
        return type(value) is Batched and value.backend is self

    def make_array(self, obj: Any, dtype: Any, copy: bool | None) -> Any:
        return self.xp.asarray(obj, dtype=dtype, copy=copy)

    def adopt_any(self, value: Any, dtype: Any = None) -> Any:
        return value if self.owns(value) else Batched(self.base.adopt_any(value, dtype), (), self)

    @property
    def on_host(self) -> bool:
        return self.base.on_host

    def to_numpy(self, array: Any) -> Any:
        """The values as a NumPy array, if they are the same for all examples. Raises TypeError if they differ."""
        if array.axes and not inside_of(self):
            raise TypeError(NOT_RUNNING)
        one = agreed(array)
        if one is None:
            raise TypeError(VARIES)
        return self.base.to_numpy(one.value)

    def copy(self, array: Any) -> Any:
        return array.like(self.base.copy(array.value))

    def format(self, array: Any) -> str:
        return self.base.format(array.value) + (f" of {' x '.join(map(repr, array.axes))}" if array.axes else "")

    def in_words(self, error: Exception) -> str:
        said, examples = self.base.in_words(error), self.scope[0].size
        return (
            f"{said} (in the library's shapes the {examples} examples come first)" if f"({examples}," in said else said
        )

    def kind_of(self, error: Exception) -> type[Exception]:
        return super().kind_of(error) if type(error) in (TypeError, ValueError) else self.base.kind_of(error)


BatchedBackend.number = property(attrgetter("base.number"))  # type: ignore[assignment, method-assign]


_scoped: WeakValueDictionary[tuple[Backend, Axes], BatchedBackend] = WeakValueDictionary()


def scoped(base: Backend, scope: Axes) -> Backend:
    """The version of `base` inside these vmaps, one object for each scope; `base` itself where there are none."""
    if not scope:
        return base
    found = _scoped.get((base, scope))
    return found or _scoped.setdefault(
        (base, scope), BatchedBackend(base, scope)
    )  # another thread may have made it meanwhile


def base_and_scope(backend: Backend) -> tuple[Backend, Axes]:
    return (backend.base, backend.scope) if isinstance(backend, BatchedBackend) else (backend, ())


# --- what is running ----------------------------------------------------------------------------------------

# For each library, the backend of the innermost vmap that is running in this context.
active: ContextVar[tuple[BatchedBackend, ...]] = ContextVar("xgrad_vmap", default=())


def _here(self: Backend) -> Backend:
    for vmap in active.get():
        joined = vmap.join(self)
        if joined is not None:
            return joined
    return self


Backend.here = _here  # type: ignore[method-assign]


def inside_of(backend: Backend, *known: Backend) -> bool:
    """Whether all vmaps of the backend are running in this context, or are among those of the `known` backends."""
    scope = base_and_scope(backend)[1]
    if not scope:
        return True
    here = {axis for each in (*active.get(), *known) for axis in base_and_scope(each)[1]}
    return here.issuperset(scope)


@contextmanager
def surroundings(vmaps: tuple[BatchedBackend, ...], current: Backend) -> Iterator[None]:
    """While the block runs, exactly these vmaps count as running, and `current` is the current backend."""
    token = active.set(vmaps)
    try:
        with use_backend(current):
            yield
    finally:
        active.reset(token)


def running(backend: Backend) -> AbstractContextManager[None]:
    """While the block runs, the vmaps of this backend count as running."""
    base, _ = base_and_scope(backend)
    others = tuple(vmap for vmap in active.get() if vmap.base is not base)
    if isinstance(backend, BatchedBackend):
        return surroundings((*others, backend), backend)
    return surroundings(others, base_and_scope(get_backend())[0])


def as_now() -> Callable[[], AbstractContextManager[None]]:
    """A function that restores the backend, the running vmaps and the casts of now, for a function that runs again later."""
    return partial(_as_then, active.get(), get_backend(), casting.current())


@contextmanager
def _as_then(vmaps: tuple[BatchedBackend, ...], current: Backend, caster: Any) -> Iterator[None]:
    with surroundings(vmaps, current), casting.cast_by(caster):
        yield
