"""The code of a group: a loop over blocks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from xgrad.backends.numpy import _block
from xgrad.compile.engines import numpy_blocks, numpy_threads
from xgrad.compile.engines.numpy_blocks import Group, axes_of, flat, halves, has_bound, is_number
from xgrad.compile.engines.numpy_memory import BLOCK
from xgrad.compile.engines.numpy_steps import MADE, VIEW, Step, Value


class Loop:
    """The loop of a group. `source` is the Source (numpy_source.py) of which it is a part.

    Each array in it is a block of free memory or a part of an array in the engine's memory, which are made once; or a part of an
    array of this run, which is made in the loop; or a number.
    """

    def __init__(self, source: Any, group: Group) -> None:
        self.source, self.group = source, group
        self.axes = axes_of(group.shape, group.order)
        self.spans, self.tree = halves(group.size, max(numpy_blocks.BLOCK_BYTES // group.itemsize, 1))
        self.names: dict[Value, str] = {}
        self.parts: list[tuple[str, str, Any]] = []  # what is made once: its name in the loop, its kind, and of what
        self.inside: list[str] = []
        before: list[str] = []
        after: list[str] = []
        self.before = before
        sums: list[str] = []
        for step in group.steps:
            if step.is_sum:
                part = self._name(step.args[0])
                parts = f"t{len(source.body)}_{len(sums)}"
                sums.append(parts)
                self.inside.append(f"{parts}.append({source.bind(step.function)}({part}))")
                after.append(f"total({source.bind(self.tree, 'tree')}, {parts}, {source.name(step.out)})")  # type: ignore[arg-type]
            else:
                self._call(step)
        name = f"blocks{source.loops}"
        source.loops += 1
        threads = min(source.threads, len(self.spans) // numpy_threads.LEAST_BLOCKS)
        make = Blocks(self.spans, self.axes, self.parts, source.plan.block_sizes[group])
        targets = ["lo", "hi", *(part[0] for part in self.parts)]
        loop = [f"{parts} = []" for parts in sums]
        loop += [f"for {', '.join(targets)} in {name}:", *(f"    {line}" for line in self.inside)]
        if threads < 2:
            source.bound[f"make_{name}"] = make
            source.body += [*before, *loop, *after]
        else:
            source.bound[f"make_{name}"] = lambda names: make.shared(names, threads)
            found = f"[{', '.join(sums)}]"
            inside = [f"def loop({name}):", *(f"    {line}" for line in loop), f"    return {found}"]
            call = f"{source.bind(numpy_threads.spread)}(loop, {name})"
            source.body += [*before, *inside, f"{found} = {call}" if sums else call, *after]
        source.header.append(f"{name} = make_{name}(globals())")

    def _name(self, value: Value, bound: bool = False) -> str:
        """The name of a value in the loop."""
        source = self.source
        if value.shape == () and self.group.shape != ():
            if bound and is_number(value):
                name = f"a{len(self.parts)}"
                self.parts.append((name, "row", value.data))
                return name
            outside: str = source.name(value)
            return outside
        name_ = self.names.get(value)
        if name_ is None:
            place = source.plan.places.get(value.root) if value.root.kind == MADE else None
            name_ = self.names[value] = f"a{len(self.names)}_"
            if place is not None and place.kind == BLOCK:
                self.parts.append((name_, "block", (place.number, value.dtype)))
            elif value.kind == VIEW and value.data == "bits" and not source.is_static(value):
                self.inside.append(f"{name_} = {self._name(value.of)}.view({source.bind(value.dtype)})")  # type: ignore[arg-type]
            elif source.is_static(value):
                self.parts.append((name_, "static", source.name(value)))
            else:
                whole = source.name(value)
                self.before.append(f"{name_}all = flat({whole}, {source.bind(self.axes, 'axes')})")
                self.inside.append(f"{name_} = {name_}all[lo:hi]")
        return name_

    def _call(self, step: Step) -> None:
        source = self.source
        args = [self._name(arg, has_bound(step)) if type(arg) is Value else source.operand(arg) for arg in step.args]
        out = self._name(step.out)  # type: ignore[arg-type]
        if step.place == "first":
            args.insert(0, out)
        elif step.place == "last":
            args.append(out)
        args += [f"{key}={source.operand(option)}" for key, option in step.options.items()]
        if step.place == "keyword":
            args.append(f"out={out}")
        self.inside.append(f"{source.bind(step.function, 'f')}({', '.join(args)})")


class Blocks:
    """What a loop goes over, made for each frame.

    Args:
        spans: the start and the end of each block.
        axes: of the arrays, from the outermost in memory.
        parts: for each array that is made once: its name in the loop, its kind, and of what it is made.
        sizes: the bytes per element of the blocks of free memory.
    """

    def __init__(
        self, spans: list[tuple[int, int]], axes: tuple[int, ...], parts: list[tuple[str, str, Any]], sizes: list[int]
    ) -> None:
        self.spans, self.axes, self.parts, self.sizes = spans, axes, parts, sizes
        self.longest = max(hi - lo for lo, hi in spans)
        self.rows = {i: _row(of, self.longest) for i, (_, kind, of) in enumerate(parts) if kind == "row"}

    def shared(self, names: dict[str, Any], threads: int) -> list[list[tuple[Any, ...]]]:
        """The blocks of each thread, in order. Each has free memory of its own."""
        ends = [len(self.spans) * k // threads for k in range(threads + 1)]
        return [self(names, self.spans[first:last]) for first, last in pairwise(ends)]

    def __call__(self, names: dict[str, Any], spans: Sequence[tuple[int, int]] = ()) -> list[tuple[Any, ...]]:
        """For each block its start and end, and the arrays that are made once. `names` has the frame's arrays.

        `spans` are the blocks, if not all.
        """
        free = [np.empty(self.longest * itemsize, np.uint8) for itemsize in self.sizes]
        wholes = {of: flat(names[of], self.axes) for _, kind, of in self.parts if kind == "static"}
        made: dict[Any, Any] = {}

        def part(i: int, kind: str, of: Any, lo: int, hi: int) -> Any:
            if kind == "static":
                return wholes[of][lo:hi]
            key = (i, hi - lo)
            if key not in made:
                if kind == "block":
                    number, dtype = of
                    made[key] = free[number][: (hi - lo) * dtype.itemsize].view(dtype)
                else:
                    made[key] = self.rows[i][: hi - lo]
            return made[key]

        return [
            (lo, hi, *(part(i, kind, of, lo, hi) for i, (_, kind, of) in enumerate(self.parts)))
            for lo, hi in spans or self.spans
        ]


def _row(number: Any, n: int) -> Any:
    """A row of equal numbers."""
    return _block(0.0, number.dtype)[:n] if number == 0 and n <= 1 << 16 else np.full(n, number)
