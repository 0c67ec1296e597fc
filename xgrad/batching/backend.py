"""A backend whose arrays have hidden axes: another backend's, seen from inside a function under vmap.

Everything is an Array API namespace, and so is this: operations on it are recorded and differentiated as on any other backend, by
the same rules, which need not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakValueDictionary

from xgrad.backends.base import Backend, Form
from xgrad.batching.array import Axes, Batched, merged
from xgrad.batching.functions import BatchedRaw

# The backend of the innermost vmap that is running in this context, if any.
active: ContextVar[Backend | None] = ContextVar("xgrad_vmap", default=None)


class BatchedBackend(Backend):
    """The backend `base`, inside vmaps that hide the axes in `scope`."""

    passing = True

    def __init__(self, base: Backend, scope: Axes) -> None:
        self.base = base
        self.scope = scope
        self.name = base.name
        self.device = base.device
        self.library = base.library
        self.complex_dtypes = base.complex_dtypes
        self.checks_indices = base.checks_indices  # type: ignore[misc]
        self.cannot = base.cannot  # type: ignore[misc]
        self.xp: Any = BatchedRaw(self)
        self._inexact = base._inexact
        self._forms: dict[Any, Form] = {}
        self._ones: dict[Any, Any] = {}

    def __repr__(self) -> str:
        return f"{self.base!r} inside vmap"

    def __reduce__(self) -> Any:
        raise TypeError("what lives inside a function under vmap cannot be pickled")

    # --- other backends ---

    def join(self, other: Backend) -> Backend | None:
        """The same library inside the vmaps of both."""
        base, scope = base_and_scope(other)
        return scoped(base, merged(self.scope, scope)) if base is self.base else None

    def accepts(self, value: Any) -> bool:
        return self.owns(value) or self.base.accepts(value)

    def adopt(self, array: Any) -> Any:
        return array if self.owns(array) else Batched(self.base.adopt(array), (), self)

    def bare(self, array: Any) -> tuple[Backend, Any]:
        return self.base, array.value

    def on(self, device: Any) -> Backend:
        if self.base.on(device) is not self.base:
            raise NotImplementedError(
                f"vmap: to another device ({device}) inside of the function; move its arguments first"
            )
        return self

    # --- arrays ---

    def owns(self, value: Any) -> bool:
        return type(value) is Batched and value.backend is self

    def asarray(self, obj: Any, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.xp.asarray(obj, dtype=dtype, copy=copy)

    def lift(self, value: Any, dtype: Any = None) -> Any:
        return value if self.owns(value) else Batched(self.base.lift(value, dtype), (), self)

    def to_numpy(self, array: Any) -> Any:
        if array.axes:
            raise TypeError(
                "inside vmap this array has another value for each example, so that there is no one value to give out. "
                "Choose with xgrad.where instead of if, or return the array from the function and look at it there."
            )
        return self.base.to_numpy(array.value)

    def copy(self, array: Any) -> Any:
        return array.like(self.base.copy(array.value))

    def format(self, array: Any) -> str:
        return self.base.format(array.value) + (f" of {' x '.join(map(repr, array.axes))}" if array.axes else "")

    # --- the device, which is the library's ---

    @property
    def device_name(self) -> str:
        return self.base.device_name

    @contextmanager
    def entered(self) -> Iterator[None]:
        with self.base.entered():
            yield

    def memory(self) -> str:
        return self.base.memory()

    def synchronize(self) -> None:
        self.base.synchronize()

    def number(self, value: Any) -> Any:
        return self.base.number(value)

    def kind_of(self, error: Exception) -> type[Exception]:
        return super().kind_of(error) if type(error) in (TypeError, ValueError) else self.base.kind_of(error)


_scoped: WeakValueDictionary[tuple[Backend, Axes], BatchedBackend] = WeakValueDictionary()


def scoped(base: Backend, scope: Axes) -> Backend:
    """The backend inside these vmaps; `base` itself inside none. There is one object for each."""
    if not scope:
        return base
    found = _scoped.get((base, scope))
    if found is None:
        found = _scoped[base, scope] = BatchedBackend(base, scope)
    return found


def base_and_scope(backend: Backend) -> tuple[Backend, Axes]:
    return (backend.base, backend.scope) if isinstance(backend, BatchedBackend) else (backend, ())
