"""`xgrad.compile`: a function that is traced at its first call, and whose program runs at later ones."""

from __future__ import annotations

import functools
import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from xgrad.backends import dtype_names, get_backend
from xgrad.backends.data import is_scalar
from xgrad.compile.entry import Entry
from xgrad.compile.errors import refused, user_line
from xgrad.compile.program import Program
from xgrad.compile.trace import Trace
from xgrad.engine import tape, tracing
from xgrad.engine.tensor import Tensor
from xgrad.engine.trees import flatten, structure
from xgrad.transforms.batching.backend import active

MANY = 8


class Compiled:
    """A compiled function. `compile` makes it."""

    def __init__(
        self, f: Callable[..., Any], engine: str, static_argnames: Sequence[str], keep_grads: bool
    ) -> None:
        functools.update_wrapper(self, f)
        self.f, self.engine, self.static_argnames, self.keep_grads = f, engine, tuple(static_argnames), keep_grads
        self._entries: dict[Any, list[Entry]] = {}
        self._all: list[Entry] = []
        self._eager: list[str] = []
        self._lock = threading.RLock()

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if tracing.current() is not None or active.get():  # it becomes part of the trace, or of the vmap, that runs
            return self.f(*args, **kwargs)
        if tape.watchers:
            return self._run_eagerly(args, kwargs)
        leaves, rebuild = flatten((args, kwargs))
        key = self._key(args, kwargs, leaves)
        for entry in self._entries.get(key, ()):
            if not entry.change(leaves):
                values, owned = entry.fetch(leaves)
                return entry.put(entry.runner.run(values, owned), leaves, values)
        return self._trace(key, leaves, rebuild)

    def _key(self, args: Any, kwargs: Any, leaves: list[Any]) -> Any:
        parts: list[Any] = [structure((args, kwargs)), tape.is_recording(), get_backend(), dtype_names.chosen]
        for leaf in leaves:
            if isinstance(leaf, Tensor):
                raw = leaf._data
                parts.append((Tensor, raw.shape, raw.dtype, leaf.backend, leaf.node is not None))
            elif isinstance(leaf, float):
                parts.append(float)
            elif hasattr(leaf, "dtype") and not is_scalar(leaf):
                parts.append((type(leaf), leaf.shape, leaf.dtype))
            else:
                parts.append((type(leaf), leaf))
        return tuple(parts)

    def _trace(self, key: Any, leaves: list[Any], rebuild: Any) -> Any:
        with self._lock:
            trace = Trace()
            trace.run(lambda args, kwargs: self.f(*args, **kwargs), leaves, lambda given: (rebuild(given), {}))
            static = [leaf for leaf in leaves if not hasattr(leaf, "dtype") and not is_scalar(leaf)]
            entry = Entry(self.f, trace, static, self.keep_grads, self._reason(key, leaves), user_line())
            entry.prepare(self.engine)
            self._entries.setdefault(key, []).append(entry)
            self._all.append(entry)
            return entry.start(leaves)

    def _reason(self, key: Any, leaves: Any) -> str:
        found = [entry.change(leaves) for entry in self._entries.get(key, ())]
        return found[-1] if found else "the first call" if not self._all else "other arguments"

    def _run_eagerly(self, args: Any, kwargs: Any) -> Any:
        if not self._eager:
            self._eager.append(user_line())
            warnings.warn("compile: operations are watched, so the function runs without compile", stacklevel=3)
        return self.f(*args, **kwargs)

    @property
    def program(self) -> Program:
        return self._all[-1].recorded

    @property
    def programs(self) -> list[Program]:
        return [entry.recorded for entry in self._all]


def compile(f: Any = None, *, engine: str = "auto", static_argnames: str | Iterable[str] = (), keep_grads: bool = False) -> Any:
    names = (static_argnames,) if isinstance(static_argnames, str) else tuple(static_argnames)
    if f is None:
        return lambda f: Compiled(f, engine, names, keep_grads)
    return Compiled(f, engine, names, keep_grads)
