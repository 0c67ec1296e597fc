"""Groups: elementwise instructions of one shape that can be executed together, block by block or as one kernel.

The intermediate values of a group need no memory outside of it. A group may end in reductions of what it computes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from xgrad.compile.passes.kinds import is_array, is_elementwise
from xgrad.compile.program import Instruction, Program, refs, used_by

REDUCTIONS = ("sum", "mean")


@dataclass
class Group:
    """Instructions that are executed together.

    Attributes:
        shape: of the result of each elementwise instruction.
        instructions: the elementwise ones, in order.
        reductions: a `sum` or `mean` of values of the group, over all axes or over leading ones.
        reads: the values from outside, in order. Each broadcasts to the shape.
        gives: the values that instructions outside use, or that are outputs.
    """

    shape: tuple[int, ...]
    instructions: list[Instruction] = field(default_factory=list)
    reductions: list[Instruction] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)
    gives: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.instructions) + len(self.reductions)

    @property
    def computed(self) -> set[int]:
        """The results of the elementwise instructions."""
        return {number for instruction in self.instructions for number in instruction.results}

    def is_flat(self, program: Program) -> bool:
        """Whether each value from outside has the group's shape, or is a number or 0-d: then blocks may be cut anywhere."""
        return all(program.specs[number].shape in ((), self.shape) for number in self.reads)


Item = Instruction | Group


def grouped(program: Program, least: int = 2) -> list[Item]:
    """The program's instructions with groups of at least `least` instructions, in an order in which they can be executed.

    An instruction that uses a value of an open group, and cannot join it, comes after it. All others come before, so that groups
    become as long as the program allows.
    """
    items: list[Item] = []
    open_: dict[tuple[int, ...], Group] = {}
    maker: dict[int, Group] = {}  # of the values that open groups compute, their reductions included

    def close(group: Group) -> None:
        del open_[group.shape]
        for instruction in (*group.instructions, *group.reductions):
            for number in instruction.results:
                del maker[number]
        items.extend([group] if len(group) >= least else [*group.instructions, *group.reductions])

    for instruction in program.instructions:
        used = list(used_by(instruction))
        touched = {id(maker[number]): maker[number] for number in used if number in maker}
        group = _group_for(program, instruction, open_, maker)
        for other in touched.values():
            if other is not group:
                close(other)
        if group is None:
            items.append(instruction)
            continue
        open_[group.shape] = group
        (group.reductions if instruction.name in REDUCTIONS else group.instructions).append(instruction)
        maker.update(dict.fromkeys(instruction.results, group))
    for group in list(open_.values()):
        close(group)
    _note_reads_and_gives(program, items)
    return items


def flat(items: list[Item]) -> Iterator[Instruction]:
    """All instructions, in the order of the items."""
    for item in items:
        yield from (*item.instructions, *item.reductions) if isinstance(item, Group) else (item,)


def _group_for(
    program: Program, instruction: Instruction, open_: dict[tuple[int, ...], Group], maker: dict[int, Group]
) -> Group | None:
    """The open or new group that the instruction can join; None if it cannot be in a group."""
    specs = program.specs
    if instruction.name in REDUCTIONS:
        of = next(refs(instruction.args), None)
        group = None if of is None else maker.get(of)
        # The sum of a sum is no part of the group: the first one must be complete.
        if group is None or specs[of].shape != group.shape or not _is_leading(instruction, len(group.shape)):  # type: ignore[index]
            return None
        return group if list(used_by(instruction)) == [of] else None
    if not is_elementwise(instruction.name) or len(instruction.results) != 1 or instruction.several:
        return None
    spec = specs[instruction.results[0]]
    if not is_array(spec) or not all(_broadcasts(specs[number].shape, spec.shape) for number in used_by(instruction)):
        return None
    group = open_.get(spec.shape)
    if group is not None:
        reduced = {number for reduction in group.reductions for number in reduction.results}
        if not reduced.isdisjoint(used_by(instruction)):
            return Group(spec.shape)  # that one is closed, and this begins the next
    return group or Group(spec.shape)


def _is_leading(instruction: Instruction, ndim: int) -> bool:
    """Whether a reduction is over all axes, or over the first ones."""
    args: list[Any] = [*instruction.args[1:2]]
    axis = args[0] if args else instruction.options.get("axis")
    if axis is None:
        return True
    axes = sorted(a % ndim for a in (axis if isinstance(axis, tuple | list) else (axis,))) if ndim else []
    return axes == list(range(len(axes)))


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    return len(shape) <= len(to) and all(m in (1, n) for m, n in zip(shape[::-1], to[::-1], strict=False))


def _note_reads_and_gives(program: Program, items: list[Item]) -> None:
    users: dict[int, set[int]] = {number: {-1} for number in program.outputs}
    for at, item in enumerate(items):
        for instruction in flat([item]):
            for number in used_by(instruction):
                users.setdefault(number, set()).add(at)
    for at, item in enumerate(items):
        if isinstance(item, Group):
            computed = item.computed
            used = [number for instruction in flat([item]) for number in used_by(instruction)]
            item.reads = [number for number in dict.fromkeys(used) if number not in computed]
            results = [number for instruction in flat([item]) for number in instruction.results]
            item.gives = [number for number in results if users.get(number, set()) - {at}]
