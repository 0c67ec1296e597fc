"""Reading the gradients of each step. It samples a few of them, because reading takes time at every step."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor

UNSEEN = -1.0
SMALL = 4096  # gradients of at most so many elements are sampled
# Read every gradient again when the largest sampled norm exceeds this multiple of its value at the last full read.
GROWN = 3.0
Named = Sequence[tuple[str, Tensor]]


@dataclass
class Gradients:
    """The gradients of one step."""

    parameters: Named
    squares: list[float | None]  # the sum of squares of each; None if there is no gradient, UNSEEN if it was not read

    def missing(self) -> list[str]:
        """The names of parameters without a gradient."""
        return [name for (name, _), s in zip(self.parameters, self.squares, strict=True) if s is None]

    def broken(self) -> list[str]:
        """The names of gradients with an element that is not finite. An overflow of the square alone does not count."""
        return [
            name
            for (name, p), s in zip(self.parameters, self.squares, strict=True)
            if s is not None and not math.isfinite(s) and not _finite(p.grad)
        ]

    def zeros(self) -> int:
        """How many gradients are all zero, or so small that their squares underflow."""
        return sum(s == 0 for s in self.squares)

    def largest(self, among: Collection[int] | None = None) -> float:
        """The largest norm among those that were read; inf if one is not finite, or its square overflows."""
        read = [s for place, s in enumerate(self.squares) if s is not None and (among is None or place in among)]
        return math.sqrt(max([0.0, *read])) if all(map(math.isfinite, read)) else math.inf

    def norm(self, place: int) -> float:
        """The norm of one gradient."""
        square, grad = self.squares[place], self.parameters[place][1].grad
        if square is None or grad is None:
            return 0.0
        if math.isfinite(square) and square > 1e-30:  # otherwise it is read again, without overflow
            return math.sqrt(square)
        return length(grad)

    def by_layer(self, owner: Callable[[str], str]) -> dict[str, float]:
        total: dict[str, float] = {}
        for place, (name, _) in enumerate(self.parameters):
            layer = owner(name)
            total[layer] = math.hypot(total.get(layer, 0.0), self.norm(place))
        return total


def probes(parameters: Named) -> set[int]:
    """The places of the parameters to sample: those with few elements, mostly biases, or else the smallest one."""
    if not parameters:
        return set()
    small = {place for place, (_, p) in enumerate(parameters) if p.size <= SMALL}
    return small or {min(range(len(parameters)), key=lambda place: parameters[place][1].size)}


def measure(parameters: Named, only: Collection[int] | None = None) -> Gradients:
    """The sums of squares of all gradients, or of those at the places `only`, in one transfer from the device."""
    grads = [p.grad for _, p in parameters]
    found = [(i, g) for i, g in enumerate(grads) if g is not None and (only is None or i in only)]
    squares: list[float | None] = [None if g is None else UNSEEN for g in grads]
    if found:
        backend = found[0][1].backend
        xp = backend.xp
        sums = [xp.sum(xp.square(g.data if not _is_complex(g) else xp.abs(g.data))) for _, g in found]
        values = backend.to_numpy(xp.stack(sums)).tolist()
        for (i, _), value in zip(found, values, strict=True):
            squares[i] = float(value)
    return Gradients(parameters, squares)


class Reading:
    """Reads the gradients of each step: a sample, and all of them if the sample has grown or has zeros."""

    def __init__(self, parameters: Named) -> None:
        self.parameters = parameters
        self.probes = probes(parameters)
        self.calm = 0.0  # the largest sampled norm at the last full read
        self.silent: dict[int, int] = {}  # how many gradients of an update were exactly 0, by step

    def read(self, all_of_them: bool) -> Gradients:
        if not all_of_them:
            here = measure(self.parameters, self.probes)
            if here.largest() <= GROWN * self.calm and not here.zeros():
                return here
        here = measure(self.parameters)
        self.calm = here.largest(self.probes)
        return here

    def more_are_zero(self, step: int, zeros: int) -> bool:
        """Whether more gradients are exactly 0 than in the step before."""
        more = self.silent.get(step - 1, 0) < zeros
        self.silent = {step: zeros}
        return more


def length(t: Tensor) -> float:
    """The Euclidean norm of a tensor, without overflow or underflow of the squares."""
    xp, backend = t.backend.xp, t.backend
    if t.size == 0:
        return 0.0
    largest = float(backend.to_numpy(xp.max(xp.abs(t.data))).item())
    if largest == 0 or not math.isfinite(largest):
        return largest
    return largest * math.sqrt(float(backend.to_numpy(xp.sum(xp.square(xp.abs(t.data) / largest))).item()))


class Leftover(Tensor):
    """A gradient that an update has used. It notes when another gradient is added to it."""

    __slots__ = ("grown", "of_name")

    grown: set[str]
    of_name: str

    @classmethod
    def of(cls, grad: Tensor, name: str, grown: set[str]) -> Tensor:
        if type(grad) is not Tensor:
            return grad
        marked = cls(grad.data, grad.backend, grad.node)
        marked.grown, marked.of_name = grown, name
        return marked

    def __add__(self, other: Any, /) -> Tensor:
        used = self.backend.xp
        if bool(self.backend.to_numpy(used.any(self.data != 0)).item()):
            self.grown.add(self.of_name)
        total: Tensor = Tensor(self.data, self.backend, self.node) + other
        return total


def mark_leftovers(parameters: Named, grown: set[str]) -> None:
    """Replace the gradients after an update, so that each adds its parameter's name to `grown` when another is added to it."""
    for name, p in parameters:
        if p.grad is not None:
            p.grad = Leftover.of(p.grad, name, grown)


def _is_complex(t: Tensor) -> bool:
    return t.dtype in t.backend.complex_dtypes


def _finite(grad: Tensor | None) -> bool:
    return grad is None or bool(xg.all(xg.isfinite(grad.detach())).item())
