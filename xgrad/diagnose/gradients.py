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
FEW = 16  # elements that tell whether a parameter has moved
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
        return [name for name, _ in self.broken_parameters()]

    def broken_parameters(self) -> list[tuple[str, Tensor]]:
        """The parameters of these gradients, with their names."""
        return [
            (name, p)
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
    squares: list[float | None] = [None if g is None else UNSEEN for g in grads]
    found = [(i, g) for i in (range(len(grads)) if only is None else only) if (g := grads[i]) is not None]
    if found:
        backend = found[0][1].backend
        values = backend.read([_square(backend, g._data) for _, g in found])
        for (i, _), value in zip(found, values, strict=True):
            squares[i] = float(value)
    return Gradients(parameters, squares)


def _square(backend: Any, array: Any) -> Any:
    """The sum of the squares of a raw array."""
    xp, dtype = backend.xp, array.dtype
    if dtype in backend.complex_dtypes:
        array = xp.abs(array)
    elif len(array.shape) == 1 and dtype not in backend.narrow_dtypes:
        return xp.vecdot(array, array)  # the fastest for a bias, of which some are read at every step
    return xp.sum(xp.square(array))


class Reading:
    """Reads the gradients of each step: a sample, and all of them if the sample has grown or has zeros."""

    def __init__(self, parameters: Named) -> None:
        self.parameters = parameters
        self.probes = probes(parameters)
        self.are_vectors = all(parameters[place][1].ndim < 2 for place in self.probes)
        self.top = 0.0  # the largest norm at the last read
        self.calm = 0.0  # the largest sampled norm at the last full read
        self.silent: dict[int, int] = {}  # how many gradients of an update were exactly 0, by step

    def read(self, all_of_them: bool) -> Gradients:
        if not all_of_them:
            here = measure(self.parameters, self.probes)
            largest = here.largest()
            if largest <= GROWN * self.calm and not here.zeros():
                self.top = largest
                return here
        here = measure(self.parameters)
        self.calm, self.top = here.largest(self.probes), here.largest()
        return here

    def has_matrices(self, here: Gradients) -> bool:
        """Whether a gradient of several axes was read. Most steps of a large network read those of some biases only."""
        return not self.are_vectors or UNSEEN not in here.squares

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
    """A gradient that an update has used. It notes when another gradient is added to it.

    Where the updates are not watched, a gradient may also wait for the rest of its step, which is added to it. It has been used
    once the parameter has moved.
    """

    __slots__ = ("grown", "moved", "of_name")

    grown: set[str]
    of_name: str
    moved: Callable[[], bool] | None  # None: it has been used

    @classmethod
    def of(cls, grad: Tensor, name: str, grown: set[str], moved: Callable[[], bool] | None = None) -> Tensor:
        if type(grad) is not Tensor:
            return grad
        marked = cls(grad.data, grad.backend, grad.node)
        marked.grown, marked.of_name, marked.moved = grown, name, moved
        return marked

    def __add__(self, other: Any, /) -> Tensor:
        total: Tensor = Tensor(self.data, self.backend, self.node) + other
        if self.moved is not None and not self.moved():
            return self.of(total, self.of_name, self.grown, self.moved)
        used = self.backend.xp
        if bool(self.backend.to_numpy(used.any(self.data != 0)).item()):
            self.grown.add(self.of_name)
        return total


def mark_leftovers(parameters: Named, grown: set[str], *, used: bool = True) -> None:
    """Replace the gradients after an update, so that each adds its parameter's name to `grown` when another is added to it.

    Not `used`: these gradients may still wait for their update.
    """
    for name, p in parameters:
        if p.grad is not None:
            p.grad = Leftover.of(p.grad, name, grown, None if used else _moving(p))


def _moving(p: Tensor) -> Callable[[], bool]:
    """A function that says whether the first elements of a parameter have changed."""
    backend, xp = p.backend, p.backend.xp

    def first() -> list[Any]:
        few: list[Any] = backend.to_numpy(xp.reshape(p.data, (-1,))[: min(FEW, p.size)]).tolist()
        return few

    before = first()
    return lambda: first() != before


def _finite(grad: Tensor | None) -> bool:
    return grad is None or bool(xg.all(xg.isfinite(grad.detach())).item())
