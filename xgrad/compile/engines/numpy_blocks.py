"""Long elementwise chains in blocks: all steps of a chain on one block, then on the next, so that temporaries stay in the cache.

An elementwise ufunc gives the same bits in blocks. A sum over all elements does so if the blocks are those of NumPy's own sum, which
halves the array again and again, and adds the sums of the halves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from xgrad.compile.engines.numpy_steps import CONSTANT, Step, Value

LEAST_BYTES = 1 << 18  # of the arrays of a chain: shorter ones stay in the cache anyway
BLOCK_BYTES = 1 << 17  # of one array in a block, at most

Tree = Any  # the number of a leaf, or a pair of trees
Layout = tuple[tuple[int, ...], tuple[int, ...]]


class Group:
    """Steps that are run together, block by block. All arrays in them are alike, or 0-d.

    Attributes:
        steps: in order.
        shape, order: of the arrays.
        size: their number of elements.
    """

    def __init__(self, shape: tuple[int, ...], order: tuple[int, ...]) -> None:
        self.steps: list[Step] = []
        self.shape, self.order = shape, order
        self.size = int(np.prod(shape))
        self.written: set[Value] = set()  # the roots
        self.sums: set[Value] = set()  # those that are sums, which are there after the last block

    def add(self, step: Step) -> None:
        self.steps.append(step)
        self.written.update(value.root for value in step.writes)
        if step.is_sum and step.out is not None:
            self.sums.add(step.out.root)

    @property
    def is_useful(self) -> bool:
        return len(self.steps) > 1 or has_bound(self.steps[0])

    @property
    def itemsize(self) -> int:
        return max(step.out.dtype.itemsize for step in self.steps if step.out is not None)


Item = Step | Group


def has_bound(step: Step) -> bool:
    """Whether this is a maximum or minimum with a number, which is faster with a row of them."""
    return step.function in (np.maximum, np.minimum) and any(is_number(a) for a in step.args)


def is_number(value: Any) -> bool:
    return type(value) is Value and value.kind == CONSTANT and value.shape == ()


def grouped(steps: list[Step], least: int = LEAST_BYTES) -> list[Item]:
    """The steps in an order that depends on nothing later, with groups in the place of long chains.

    A step that reads nothing of a group that is still open goes before it.
    """
    done: list[Item] = []
    groups: dict[Layout, Group] = {}

    def close(key: Layout) -> None:
        group = groups.pop(key)
        done.extend([group] if group.is_useful else group.steps)

    for step in steps:
        touched = [key for key, group in groups.items() if step.roots & group.written] if groups else []
        key = _layout(step, groups, touched, least)
        for other in touched:
            if other != key or step.roots & groups[other].sums:
                close(other)
        if key is None:
            done.append(step)
            continue
        if key not in groups:
            groups[key] = Group(*key)
        groups[key].add(step)
    for key in list(groups):
        close(key)
    return done


def _layout(step: Step, groups: dict[Layout, Group], touched: list[Layout], least: int) -> Layout | None:
    """The shape and order of the group that can take the step; None for a step that runs at once."""
    if step.is_sum:  # of what a group computes
        of = step.args[0]
        key = (of.shape, of.order)
        if touched != [key] or of.root not in groups[key].written or not of.is_c or of.dtype.char not in "fd":
            return None
        return key
    out = step.out
    if not step.is_elementwise or out is None or out.size * out.dtype.itemsize < least:
        return None
    order = out.order
    if order is None:
        return None
    for value in step.reads:
        if value.shape != () and (value.shape != out.shape or value.order != order):
            return None
    return (out.shape, order)


# --- the blocks ---------------------------------------------------------------------------------------------


def halves(size: int, most: int) -> tuple[list[tuple[int, int]], Tree]:
    """The blocks (start, end) in which NumPy's sum in pairs adds `size` elements, each at most `most` long, and their tree."""
    blocks: list[tuple[int, int]] = []

    def split(start: int, n: int) -> Tree:
        if n <= max(most, 128):  # NumPy does not halve shorter ones
            blocks.append((start, start + n))
            return len(blocks) - 1
        half = n // 2
        half -= half % 8
        return split(start, half), split(start + half, n - half)

    tree = split(0, size)
    return blocks, tree


def total(tree: Tree, parts: list[Any], out: Any) -> None:
    """Add the sums of the blocks in NumPy's order."""

    def add(tree: Tree) -> Any:
        return parts[tree] if type(tree) is int else add(tree[0]) + add(tree[1])

    out[()] = add(tree)


def flat(x: Any, axes: tuple[int, ...]) -> Any:
    """The elements in the order in which they lie in memory, as a vector; `axes` from the outermost one."""
    return x.transpose(axes).reshape(-1)


def axes_of(shape: tuple[int, ...], order: tuple[int, ...]) -> tuple[int, ...]:
    """All axes from the outermost to the innermost: those of length 1 first."""
    return (*(a for a in range(len(shape)) if a not in order), *order)


def flat_steps(items: list[Item]) -> Iterator[Step]:
    for item in items:
        yield from item.steps if type(item) is Group else (item,)  # type: ignore[misc]
