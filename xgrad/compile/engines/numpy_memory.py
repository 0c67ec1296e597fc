"""Where each array that the engine makes lies: in memory of the engine, in a new array, or in memory that the caller gives up.

The engine's memory is planned by liveness: it is used again once no later step reads what is in it. An elementwise step writes over
an operand that no later step reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from xgrad.compile.engines.numpy_blocks import Group, Item
from xgrad.compile.engines.numpy_steps import MADE, Step, Value

STATIC, FRESH, GIVEN, BLOCK = "static", "fresh", "given", "block"
_ALIGNED = 64
_SMALL = 4096  # bytes: it does not matter how many blocks of this size there are


class Place(NamedTuple):
    """STATIC block, FRESH array for an output, memory of the GIVEN input, or BLOCK of a group, with its number."""

    kind: str
    number: int


class Plan:
    """The places of all roots that steps write.

    Args:
        items: steps and groups, in order.
        outputs: the values that are returned, without repetitions.
        given: for the position of an output, the input whose memory it may take.

    Attributes:
        places: the place of each root.
        sizes: the bytes of each static block.
        block_sizes: for each group, the bytes per element of each of its blocks.
        last: the position of the last step that touches a root.
        first: that of the first one.
    """

    def __init__(self, items: list[Item], outputs: Sequence[Value], given: dict[int, Value]) -> None:
        self.items = items
        self.places: dict[Value, Place] = {}
        self.sizes: list[int] = []
        self.block_sizes: dict[Group, list[int]] = {}
        self.first: dict[Value, int] = {}
        self.last: dict[Value, int] = {}
        self._free: dict[int, list[int]] = {}  # the blocks that are free, by size
        self._moved: set[Value] = set()  # the roots whose block was released, or taken over by another root
        self._find_lives(outputs)
        self._fresh = {value.root: j for j, value in enumerate(outputs) if value.root.kind == MADE}
        # The value that is in the memory of a given input now, and the output that shall be there.
        self._holders: dict[Value, Value] = {x: x for x in given.values()}
        self._given_of: dict[Value, Value] = {x: x for x in given.values()}
        self._targets = {outputs[j].root: x for j, x in given.items() if outputs[j].kind == MADE}
        self._wanted_at = {x: self.first[root] for root, x in self._targets.items()}
        self._place_all()

    def _find_lives(self, outputs: Sequence[Value]) -> None:
        at = 0
        self.safe_from = 0
        for item in self.items:
            for step in item.steps if type(item) is Group else (item,):  # type: ignore[union-attr]
                for root in step.roots:
                    self.first.setdefault(root, at)
                    self.last[root] = at
                if step.may_raise:
                    self.safe_from = at + 1
                at += 1
        for value in outputs:
            self.first.setdefault(value.root, at)
            self.last[value.root] = at

    def _place_all(self) -> None:
        at = 0
        for item in self.items:
            if type(item) is Group:
                end = at + len(item.steps) - 1
                inner = self._inner(item, at, end)
                self._place_blocks(item, inner, at)
                for step in item.steps:
                    self._place(step, at, inner)
                    at += 1
                for k, step in enumerate(item.steps):
                    self._release(step, at - len(item.steps) + k)
            else:
                self._place(item, at, frozenset())  # type: ignore[arg-type]
                self._release(item, at)  # type: ignore[arg-type]
                at += 1

    # --- one step ---

    def _place(self, step: Step, at: int, inner: frozenset[Value]) -> None:
        for value in step.touches:
            root = value.root
            if root.kind != MADE or root in self.places or root in inner:
                continue
            place = self._over_operand(step, value, root, at)
            if place is None and root in self._fresh:
                place = Place(FRESH, self._fresh[root])
            self.places[root] = place or Place(STATIC, self._block(root.nbytes))

    def _over_operand(self, step: Step, out: Value, root: Value, at: int) -> Place | None:
        """The memory of an operand, or of a given input, that is not read later."""
        target = self._targets.get(root)
        if target is not None and self._is_free(target, step, out, root, at):
            self._hold(target, root)
            return Place(GIVEN, target.data)
        if root in self._fresh or not step.is_elementwise or out is not step.out:
            return None
        for operand in step.reads:
            old = operand.root
            place = self.places.get(old)
            if place is not None and place.kind == STATIC and self._ends_here(old, step, out, at):
                self._moved.add(old)
                return place
            given = self._given_of.get(old)
            if given is not None and self.last[root] <= self._wanted_at.get(given, -1):
                if self._is_free(given, step, out, root, at):
                    self._hold(given, root)
                    return Place(GIVEN, given.data)
        return None

    def _hold(self, given: Value, root: Value) -> None:
        self._holders[given] = root
        self._given_of[root] = given

    def _is_free(self, given: Value, step: Step, out: Value, root: Value, at: int) -> bool:
        """Whether a value may be written into the memory of a given input now."""
        holder = self._holders[given]
        if at < self.safe_from or not root.is_like(given) or root.dtype != given.dtype:
            return False
        return self.last.get(holder, -1) < at or self._ends_here(holder, step, out, at)

    def _ends_here(self, old: Value, step: Step, out: Value, at: int) -> bool:
        """Whether the step is the last one that reads `old`, and reads each element where it writes one."""
        if self.last.get(old, -1) != at or not step.is_elementwise or old in self._moved:
            return False
        parts = [value for value in step.reads if value.root is old]
        if not all(part.is_like(out) and part.nbytes == old.nbytes for part in parts):
            return False
        return bool(parts) and out.nbytes == old.nbytes and all(part.is_like(old) for part in parts)

    def _release(self, step: Step, at: int) -> None:
        for root in step.roots:
            if root.kind != MADE or self.last[root] != at or root in self._moved:
                continue
            place = self.places[root]
            if place.kind == STATIC:
                self._moved.add(root)
                self._free.setdefault(self.sizes[place.number], []).append(place.number)

    def _block(self, nbytes: int) -> int:
        """A static block of at least this size: the latest free one that fits, or the largest free one, made larger, or a new one."""
        size = _rounded(nbytes)
        free = self._free
        alike = free.get(size)
        if not alike:
            larger = [other for other in free if size < other <= 2 * size]
            smaller = [other for other in free if other < size]
            if larger:
                alike = free[min(larger)]
            elif smaller and size > _SMALL:
                alike = free[max(smaller)]
        if not alike:
            return self._new(size)
        found = alike.pop()
        if not alike:
            del free[self.sizes[found]]
        self.sizes[found] = max(self.sizes[found], size)
        return found

    def _new(self, nbytes: int) -> int:
        self.sizes.append(nbytes)
        return len(self.sizes) - 1

    # --- groups ---

    def _inner(self, group: Group, at: int, end: int) -> frozenset[Value]:
        """The roots that live in a group only."""
        roots = {value.root for step in group.steps for value in step.touches}
        return frozenset(
            r
            for r in roots
            if r.kind == MADE
            and r not in self._fresh
            and at <= self.first[r]
            and self.last[r] <= end
            and r.shape == group.shape
        )

    def _place_blocks(self, group: Group, inner: frozenset[Value], at: int) -> None:
        sizes: list[int] = []
        free: list[int] = []
        for step in group.steps:
            out = step.out
            over: Value | None = None
            for value in step.touches:
                root = value.root
                if root not in inner or root in self.places:
                    continue
                number = None
                if out is not None and root is out.root:
                    for operand in step.reads:
                        old = operand.root
                        if old in inner and self.last[old] == at and old.dtype.itemsize == root.dtype.itemsize:
                            number, over = self.places[old].number, old
                            break
                if number is None:
                    fitting = [k for k in free if sizes[k] == root.dtype.itemsize]
                    if fitting:
                        number = fitting[-1]
                        free.remove(number)
                    else:
                        number = len(sizes)
                        sizes.append(root.dtype.itemsize)
                self.places[root] = Place(BLOCK, number)
            for root in step.roots & inner:
                if self.last[root] == at and root is not over:
                    free.append(self.places[root].number)
            at += 1
        self.block_sizes[group] = sizes


def _rounded(nbytes: int) -> int:
    return -(-max(nbytes, 1) // _ALIGNED) * _ALIGNED

