"""The code of a group: a loop over blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xgrad.backends.numpy import _block
from xgrad.compile.engines import numpy_blocks
from xgrad.compile.engines.numpy_blocks import Group, axes_of, flat, halves, has_bound, is_number
from xgrad.compile.engines.numpy_memory import BLOCK
from xgrad.compile.engines.numpy_steps import MADE, VIEW, Step, Value

if TYPE_CHECKING:
    from xgrad.compile.engines.numpy_source import Source


class Loop:
    """The loop of a group.

    Each array in it is a block of free memory or a part of an array in the engine's memory, which are made once; or a part of an
    array of this run, which is made in the loop; or a number.
    """

    def __init__(self, source: Source, group: Group) -> None:
        self.source, self.group = source, group
        self.axes = axes_of(group.shape, group.order)
        self.spans, self.tree = halves(group.size, max(numpy_blocks.BLOCK_BYTES // group.itemsize, 1))
        self.names: dict[Value, str] = {}
        self.parts: list[tuple[str, Any, Any]] = []  # what is made once: its name in the loop, its kind, and of what
        self.inside: list[str] = []
        before: list[str] = []
        after: list[str] = []
        self.before = before
        sums = 0
        for step in group.steps:
            if step.is_sum:
                part = self._name(step.args[0])
                parts = f"t{len(source.body)}_{sums}"
                sums += 1
                before.append(f"{parts} = []")
                self.inside.append(f"{parts}.append({source.bind(step.function)}({part}))")
                after.append(f"total({source.bind(self.tree, 'tree')}, {parts}, {source.name(step.out)})")  # type: ignore[arg-type]
            else:
                self._call(step)
        name = f"blocks{len(source.loops)}"
        source.loops.append((name, self))
        source.bound[f"make_{name}"] = self.blocks
        source.header.append(f"{name} = make_{name}(globals())")
        targets = ["lo", "hi", *(part[0] for part in self.parts)]
        source.body += before
        source.body.append(f"for {', '.join(targets)} in {name}:")
        source.body += [f"    {line}" for line in self.inside]
        source.body += after

    def _name(self, value: Value, bound: bool = False) -> str:
        """The name of a value in the loop."""
        source = self.source
        if value.shape == () and self.group.shape != ():
            if bound and is_number(value):
                name = f"a{len(self.parts)}"
                self.parts.append((name, "row", value))
                return name
            return source.name(value)
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

    def blocks(self, names: dict[str, Any]) -> list[tuple[Any, ...]]:
        """For each block its start and end, and the arrays that are made once."""
        longest = max(hi - lo for lo, hi in self.spans)
        free = [np.empty(longest * itemsize, np.uint8) for itemsize in self.source.plan.block_sizes[self.group]]
        wholes = {name: flat(names[name], self.axes) for _, kind, name in self.parts if kind == "static"}
        found = []
        made: dict[Any, Any] = {}
        for lo, hi in self.spans:
            row: list[Any] = [lo, hi]
            for i, (_, kind, of) in enumerate(self.parts):
                if kind == "static":
                    row.append(wholes[of][lo:hi])
                    continue
                key = (i, hi - lo)
                if key not in made:
                    if kind == "block":
                        number, dtype = of
                        made[key] = free[number][: (hi - lo) * dtype.itemsize].view(dtype)
                    else:
                        made[key] = _row(of, hi - lo)
                row.append(made[key])
            found.append(tuple(row))
        return found


def _row(number: Value, n: int) -> Any:
    try:
        row = _block(number.data.item(), number.dtype)
        return row[:n] if len(row) >= n else number.data
    except (TypeError, ValueError):
        return number.data
