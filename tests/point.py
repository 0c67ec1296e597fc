"""A Point is one case on one backend: it computes the value, the derivatives, and central differences.

Arguments, outputs and derivatives are lists of NumPy arrays, one for each argument to differentiate by, or for each output. A
complex number counts as a pair of real ones: the gradient of a real L by z = a + bi is dL/da + i dL/db, as in PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.cases.case import Case, spread
from tests.support.arrays import Host, assert_matches, make, raw, to_numpy
from xgrad.backends.base import Backend

Arrays = list[Host]

STEP = 1e-3  # the error of a difference is of order STEP**4 and eps / STEP: about 1e-12


class Point:
    """A case on a backend, in a dtype, with directions for its arguments and weights for its outputs."""

    def __init__(self, case: Case, backend: Backend, dtype: str = "float64") -> None:
        self.case = case
        self.backend = backend
        self.xp = backend.view
        self.dtype = dtype
        self.xs = case.inputs(dtype)
        self.given: list[tuple[Host, Any]] = []

    @cached_property
    def directions(self) -> Arrays:
        return [numbers_like(x, i + 11) for i, x in enumerate(self.xs)]

    @cached_property
    def weights(self) -> Arrays:
        return [numbers_like(y, i + 23) for i, y in enumerate(self.values)]

    # --- arrays in ---

    def tensors(self, arrays: Arrays, *, requires_grad: bool = False) -> list[xg.Tensor]:
        made = [make(self.xp, a, requires_grad=requires_grad) for a in arrays]
        self.given += [(a, t.data) for a, t in zip(arrays, made, strict=True)]
        return made

    def fixed(self, array: Host) -> xg.Tensor:
        return make(self.xp, self._in_precision(array))

    def fixed_raw(self, array: Host) -> Any:
        return raw(self.backend, self._in_precision(array))

    def _in_precision(self, array: Host) -> Host:
        return array.astype(self.dtype) if array.dtype == np.float64 else array

    def assert_inputs_unchanged(self) -> None:
        for before, data in self.given:
            np.testing.assert_array_equal(to_numpy(data), before, f"{self.case}: an input was written to")
        self.given.clear()

    # --- the function ---

    def function(self, *xs: xg.Tensor) -> tuple[xg.Tensor, ...]:
        return self.case.run(self.xp, self.case.arguments(xs, self.fixed))

    def value(self, xs: Arrays | None = None, *, library: bool = False) -> Arrays:
        """The outputs on raw arrays, by the raw namespace; with `library`, by the library's own functions if it has them."""
        arrays = [raw(self.backend, x) for x in (self.xs if xs is None else xs)]
        args = self.case.arguments(arrays, self.fixed_raw)
        xp = Library(self.backend) if library else self.backend.xp
        return [to_numpy(y) for y in self.case.run(xp, args, raw=True)]

    @cached_property
    def values(self) -> Arrays:
        return self.value()

    # --- its derivatives, as xgrad has them ---

    def vjp(self, *xs: xg.Tensor) -> tuple[xg.Tensor, ...]:
        pulled: tuple[xg.Tensor, ...] = xg.vjp(self.function, *xs)[1](tuple(self.tensors(self.weights)))
        return pulled

    def jvp(self, *xs: xg.Tensor) -> tuple[xg.Tensor, ...]:
        moved: tuple[xg.Tensor, ...] = xg.jvp(self.function, xs, tuple(self.tensors(self.directions)))[1]
        return moved

    @cached_property
    def gradients(self) -> list[xg.Tensor]:
        return list(self.vjp(*self.tensors(self.xs)))

    @cached_property
    def tangents(self) -> list[xg.Tensor]:
        return list(self.jvp(*self.tensors(self.xs)))

    def on_host(self, f: Callable[..., Sequence[xg.Tensor]]) -> Callable[[Arrays], Arrays]:
        return lambda xs: to_hosts(f(*self.tensors(xs)))

    # --- what the library cannot do ---

    def assert_cannot(self) -> None:
        """Assert that the function raises NotImplementedError with the reason from the backend's table."""
        with pytest.raises(NotImplementedError) as caught:
            self.function(*self.tensors(self.xs))
        for words in (f"backend {self.backend.name!r} cannot do ", self.backend.cannot[self.case.name]):
            assert words in str(caught.value), self.case

    def assert_equal(
        self,
        law: str,
        got: Sequence[xg.Tensor],
        want: Sequence[Host],
        rtol: float,
        *,
        floor: float = 0.0,
    ) -> None:
        """Assert equal values, namespace, dtype, shape and device."""
        what = f"{self.case} on {self.backend.name}: {law}"
        assert len(got) == len(want), what
        for i, (g, w) in enumerate(zip(got, want, strict=True)):
            assert_matches(g, w, xp=self.xp, rtol=rtol, floor=floor, what=f"{what}, array {i}")


class Library:
    """The raw namespace, without the functions that the backend replaces."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def __getattr__(self, name: str) -> Any:
        backend = self.backend
        return getattr(backend.library if hasattr(backend.library, name) else backend.xp, name)


def to_hosts(tensors: Sequence[xg.Tensor]) -> Arrays:
    return [to_numpy(t) for t in tensors]


def numbers_like(x: Host, seed: int) -> Host:
    """Pseudorandom numbers of order 1, of the shape and dtype of x."""
    numbers = spread(x.shape, -1.2, 1.2, seed)
    if np.iscomplexobj(x):
        numbers = numbers + 1j * spread(x.shape, -1.2, 1.2, seed + 5)
    return numbers.astype(x.dtype)


# --- differences ----------------------------------------------------------------------------------


def along(f: Callable[[Arrays], Arrays], xs: Arrays, ts: Arrays) -> Arrays:
    """The derivative of f at xs in the direction ts, by central differences of fourth order."""

    def at(step: float) -> Arrays:
        return f([x + step * t for x, t in zip(xs, ts, strict=True)])

    points = zip(at(STEP), at(-STEP), at(2 * STEP), at(-2 * STEP), strict=True)
    return [(8 * (a - b) - (c - d)) / (12 * STEP) for a, b, c, d in points]


def gradient(f: Callable[[Arrays], Arrays], xs: Arrays, ws: Arrays) -> Arrays:
    """The gradient of the inner product of f(xs) with ws, element by element, by central differences."""
    found = []
    for i, x in enumerate(xs):
        g = np.zeros_like(x)
        for place in np.ndindex(x.shape):
            for unit in (1.0, 1.0j) if np.iscomplexobj(x) else (1.0,):
                t = [np.zeros_like(a) for a in xs]
                t[i][place] = unit
                g[place] += unit * inner(along(f, xs, t), ws)
        found.append(g)
    return found


def inner(a: Arrays, b: Arrays) -> float:
    """The real inner product."""
    return sum(float(np.sum(np.conj(x) * y).real) for x, y in zip(a, b, strict=True))
