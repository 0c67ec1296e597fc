"""What is read from the gradients at every step: little, since it is paid at every step."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import xgrad as xg
from xgrad.engine.tensor import Tensor

UNSEEN = -1.0
SMALL = 4096  # elements
GROWN = 3.0  # times what it was, a gradient that tells to read them all
Named = Sequence[tuple[str, Tensor]]


@dataclass
class Gradients:
    """The gradients of one step."""

    parameters: Named
    squares: list[
        float | None
    ]  # the sum of squares of each; None where there is no gradient, UNSEEN where it was not read

    def missing(self) -> list[str]:
        return [name for (name, _), s in zip(self.parameters, self.squares, strict=True) if s is None]

    def broken(self) -> list[str]:
        """Those with an element that is not finite; an overflow of the square alone does not count."""
        return [
            name
            for (name, p), s in zip(self.parameters, self.squares, strict=True)
            if s is not None and not math.isfinite(s) and not _finite(p.grad)
        ]

    def zeros(self) -> int:
        """How many are zero throughout, or nearly: the square underflows first."""
        return sum(s == 0 for s in self.squares)

    def largest(self, among: Collection[int] | None = None) -> float:
        """The largest norm; inf where one is not finite, or too large for its square."""
        read = [s for place, s in enumerate(self.squares) if s is not None and (among is None or place in among)]
        return math.sqrt(max([0.0, *read])) if all(map(math.isfinite, read)) else math.inf

    def norm(self, place: int) -> float:
        """The norm of one gradient."""
        square, grad = self.squares[place], self.parameters[place][1].grad
        if square is None or grad is None:
            return 0.0
        if math.isfinite(square) and square > 1e-30:  # else read again, and without overflow
            return math.sqrt(square)
        return length(grad)

    def by_layer(self, owner: Callable[[str], str]) -> dict[str, float]:
        total: dict[str, float] = {}
        for place, (name, _) in enumerate(self.parameters):
            layer = owner(name)
            total[layer] = math.hypot(total.get(layer, 0.0), self.norm(place))
        return total


def probes(parameters: Named) -> set[int]:
    """Places of parameters that are cheap to read, and whose gradients tell of the others: biases, above all."""
    if not parameters:
        return set()
    small = {place for place, (_, p) in enumerate(parameters) if p.size <= SMALL}
    return small or {min(range(len(parameters)), key=lambda place: parameters[place][1].size)}


def measure(parameters: Named, only: Collection[int] | None = None) -> Gradients:
    """The sums of squares, of all or of those at the places `only`, in one transfer from the device."""
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
    """Reads the gradients of each step: the small ones, and all of them where these have grown or gone."""

    def __init__(self, parameters: Named) -> None:
        self.parameters = parameters
        self.probes = probes(parameters)
        self.calm = 0.0  # the largest of their norms, when all gradients were last read
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
    """The Euclidean norm, without overflow or underflow of the squares."""
    xp, backend = t.backend.xp, t.backend
    if t.size == 0:
        return 0.0
    largest = float(backend.to_numpy(xp.max(xp.abs(t.data))).item())
    if largest == 0 or not math.isfinite(largest):
        return largest
    return largest * math.sqrt(float(backend.to_numpy(xp.sum(xp.square(xp.abs(t.data) / largest))).item()))


class Leftover(Tensor):
    """A gradient that an update has used. It notes when another is added to it."""

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
    """Have each gradient that an update has used note its parameter's name in `grown`, where another is added to it."""
    for name, p in parameters:
        if p.grad is not None:
            p.grad = Leftover.of(p.grad, name, grown)


def _is_complex(t: Tensor) -> bool:
    return t.dtype in t.backend.complex_dtypes


def _finite(grad: Tensor | None) -> bool:
    return grad is None or bool(xg.all(xg.isfinite(grad.detach())).item())
