"""Programs of the cases: the value, the vjp and the jvp of every function, recorded on a backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import xgrad as xg
from tests.cases.case import Case
from tests.point import Point
from tests.support.arrays import raw
from xgrad.backends.base import Backend
from xgrad.compile.program import Program
from xgrad.compile.recorder import Recorder
from xgrad.engine.tensor import Tensor, wrap


class Recording:
    """A recorder on a backend, and what the cases need on it."""

    def __init__(self, base: Backend) -> None:
        self.recorder = Recorder()
        self.base = base
        self.backend = self.recorder.backend(base)

    def program(self, f: Callable[..., Sequence[Any]], arrays: Sequence[Any]) -> Program:
        """The program of a function of tensors, at these raw arrays."""
        found = f(*[wrap(self.recorder.input(array, self.base), self.backend) for array in arrays])
        numbers = []
        for y in found:
            data = y._data
            numbers.append(self.recorder.number_of(data if self.backend.owns(data) else self.backend.adopt(data)))
        return self.recorder.program(numbers)

    def function(self, point: Point) -> Callable[..., tuple[Any, ...]]:
        """The function of a case, with its fixed arrays as constants."""

        def fixed(array: Any) -> Tensor:
            return wrap(self.backend.adopt(point.fixed_raw(array)), self.backend)

        return lambda *xs: point.case.run(self.backend.view, point.case.arguments(xs, fixed))


def programs(case: Case, backend: Backend, dtype: str = "float64") -> Iterator[tuple[str, Program, list[Any]]]:
    """The name, the program and its inputs, for the value, the vjp and the jvp of a case."""
    point = Point(case, backend, dtype)
    xs = [raw(backend, x) for x in point.xs]
    ws = [raw(backend, w) for w in point.weights]
    ts = [raw(backend, t) for t in point.directions]
    n = len(xs)
    r = Recording(backend)
    yield "value", r.program(r.function(point), xs), xs
    r = Recording(backend)
    f = r.function(point)
    yield "vjp", r.program(lambda *all: xg.vjp(f, *all[:n])[1](tuple(all[n:])), xs + ws), xs + ws
    r = Recording(backend)
    f = r.function(point)
    yield "jvp", r.program(lambda *all: xg.jvp(f, all[:n], all[n:])[1], xs + ts), xs + ts
