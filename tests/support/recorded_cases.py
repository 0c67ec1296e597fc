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
from xgrad.engine.tensor import Tensor


def recorded(f: Callable[..., Sequence[Any]], arrays: Sequence[Any], base: Backend) -> Program:
    """The program of a function of tensors, at these raw arrays."""
    recorder = Recorder()
    backend = recorder.backend(base)
    found = f(*[Tensor(recorder.input(array, base), backend) for array in arrays])
    numbers = []
    for y in found:
        data = y._data
        numbers.append(recorder.number_of(data if backend.owns(data) else backend.adopt(data)))
    return recorder.program(numbers)


def programs(case: Case, backend: Backend, dtype: str = "float64") -> Iterator[tuple[str, Program, list[Any]]]:
    """The name, the program and its inputs, for the value, the vjp and the jvp of a case."""
    point = Point(case, backend, dtype)
    xs = [raw(backend, x) for x in point.xs]
    n = len(xs)
    function = point.function
    yield "value", recorded(function, xs, backend), xs
    ws = [raw(backend, w) for w in point.weights]
    yield "vjp", recorded(lambda *all: xg.vjp(function, *all[:n])[1](tuple(all[n:])), xs + ws, backend), xs + ws
    ts = [raw(backend, t) for t in point.directions]
    yield "jvp", recorded(lambda *all: xg.jvp(function, all[:n], all[n:])[1], xs + ts, backend), xs + ts
