"""The code of a variant: a function of straight-line calls, as text, and what its names stand for."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from typing import Any

import numpy as np

from xgrad.backends.numpy import _block
from xgrad.compile.engines import pool
from xgrad.compile.engines.numpy_blocks import (
    BLOCK_BYTES,
    Group,
    Item,
    Tree,
    axes_of,
    flat,
    halves,
    has_bound,
    is_number,
    total,
)
from xgrad.compile.engines.numpy_memory import BLOCK, FRESH, GIVEN, STATIC, Plan
from xgrad.compile.engines.numpy_steps import CELL, CONSTANT, INPUT, MADE, NUMBER, OBJECT, VIEW, Step, Value

_ALIGNED = 64


class Source:
    """The text of a function `run(x0, x1, ...)`, and all that makes a frame for it.

    A frame is the function with memory of its own. Several threads have a frame each.

    Args:
        items: steps and groups.
        plan: where the arrays lie.
        inputs: the input values.
        outputs: the values that are returned, in order; an OBJECT is copied unless it is new.
        pooled: for each output, whether its array may come from a pool.
    """

    def __init__(
        self, items: list[Item], plan: Plan, inputs: Sequence[Value], outputs: Sequence[Value], pooled: Sequence[bool]
    ) -> None:
        self.plan, self.inputs, self.outputs, self.pooled = plan, inputs, outputs, pooled
        self.names: dict[Value, str] = {}
        self.bound: dict[str, Any] = {
            "refs": pool.refs,
            "ALONE": pool.ALONE,
            "flat": flat,
            "total": total,
            "asarray": np.asarray,
            "owned": owned,
        }
        self._bound_names: dict[Any, str] = {}
        self._kept: list[Any] = []  # so that ids stay those of the bound objects
        self.static: dict[str, tuple[int, Value]] = {}  # the name of an array in the engine's memory: its block, and what it is like
        self._static_names: dict[Any, str] = {}
        self.cells: list[tuple[str, Any]] = []
        self.header: list[str] = []
        self.body: list[str] = []
        self.slots: dict[str, tuple[Value, bool]] = {}
        self.loops: list[tuple[str, Loop]] = []
        self._made_views: dict[str, str] = {}
        self._dying: dict[int, list[Value]] = {}
        self._object_names: dict[Value, list[str]] = {}
        for i, value in enumerate(inputs):
            self.names[value] = f"n{i}" if value.kind == NUMBER else f"x{i}"
        for root, at in plan.last.items():
            if root.kind == OBJECT and root not in outputs:
                self._dying.setdefault(at, []).append(root)
        self._write(items)
        parameters = ", ".join(self.names[value] for value in inputs)
        self.parameters = parameters
        self.code = compile(self.text(), "<the numpy engine of xgrad.compile>", "exec")

    def text(self) -> str:
        lines = [*self.header, f"def run({self.parameters}):", *(f"    {line}" for line in self.body)]
        return "\n".join(lines) + "\n"

    # --- names ---

    def name(self, value: Value) -> str:
        """The name of a value. A new one is given to what has none yet."""
        found = self.names.get(value)
        if found is not None:
            return found
        kind = value.kind
        if kind == CONSTANT:
            name = self.bind(value.data, "c")
        elif kind == CELL:
            name = f"s{len(self.cells)}"
            self.cells.append((name, value.dtype))
        elif kind == MADE:
            name = self._place(value)
        elif value.data == "bits":
            return self._bits(value)
        else:
            name = f"{ {VIEW: 'v', OBJECT: 'r', NUMBER: 'n'}[kind]}{len(self.names)}".replace(" ", "")
        self.names[value] = name
        return name

    def _bits(self, value: Value) -> str:
        """An array as integers."""
        text = f"{self.name(value.of)}.view({self.bind(value.dtype)})"  # type: ignore[arg-type]
        if self.is_static(value):
            return self._made_once(value, text)
        name = self.names[value] = f"v{len(self.names)}"
        self._object_names.setdefault(value.root, []).append(name)
        self.body.append(f"{name} = {text}")
        return name

    def _made_once(self, value: Value, text: str) -> str:
        """A view of an array that is at the same place in each run."""
        name = self._made_views.get(text)
        if name is None:
            name = self._made_views[text] = f"v{len(self.names)}"
            self.header.append(f"{name} = {text}")
        self.names[value] = name
        return name

    def _place(self, value: Value) -> str:
        kind, number = self.plan.places[value]
        if kind == GIVEN:
            return f"x{number}"
        if kind == FRESH:
            name = f"o{number}"
            self.slots[name] = (value, self.pooled[number])
            if self.pooled[number]:
                take = [f"{name} = p{number}[0]", f"if refs({name}) > ALONE: {name} = p{number}.other()"]
            else:
                take = [f"{name} = p{number}.make()"]
            self.body.extend(take)
            return name
        if kind == STATIC:
            key = (number, value.shape, value.dtype, value.order)
            found = self._static_names.get(key)
            if found is None:
                name = f"b{number}" if f"b{number}" not in self.static else f"b{number}_{len(self.static)}"
                found = self._static_names[key] = name
                self.static[name] = (number, value)
            return found
        raise AssertionError(f"a value of a block outside of its group: {value}")

    def is_static(self, value: Value) -> bool:
        """Whether an array is at the same place in each run."""
        while value.kind == VIEW and value.of is not None:
            value = value.of
        return value.kind in (CONSTANT, CELL) or (value.kind == MADE and self.plan.places[value].kind == STATIC)

    def bind(self, thing: Any, letter: str = "k") -> str:
        """A name for an object that is the same in each run."""
        key = id(thing)
        name = self._bound_names.get(key)
        if name is None:
            called = getattr(thing, "__name__", "").strip("_")
            if not called.isidentifier() or keyword.iskeyword(called) or isinstance(thing, type):
                called = f"{letter}{len(self._bound_names)}"
            if called in self.bound or called == "run" or called[-1].isdigit() and called[:-1] in set("bcnopsvrxk"):
                called = f"{called}_{len(self._bound_names)}"
            name = self._bound_names[key] = called
            self.bound[name] = thing
            self._kept.append(thing)
        return name

    def operand(self, thing: Any) -> str:
        """An operand as text."""
        kind = type(thing)
        if kind is Value:
            return self.name(thing)
        if thing is None or thing is ... or kind in (int, bool):
            return "..." if thing is ... else repr(thing)
        if kind is tuple:
            return f"({''.join(self.operand(part) + ', ' for part in thing)})"
        if kind is list:
            return f"[{', '.join(self.operand(part) for part in thing)}]"
        if kind is slice:
            return f"slice({self.operand(thing.start)}, {self.operand(thing.stop)}, {self.operand(thing.step)})"
        return self.bind(thing)

    # --- steps ---

    def _write(self, items: list[Item]) -> None:
        if any(place.kind == GIVEN for place in self.plan.places.values()):
            for root, place in self.plan.places.items():  # before the first write to what the caller gave up
                if place.kind == FRESH:
                    self.name(root)
        at = 0
        note = ""
        for item in items:
            if type(item) is Group:
                Loop(self, item)
                at += len(item.steps)
                continue
            step: Step = item  # type: ignore[assignment]
            self._step(step, note)
            note = step.note
            if at in self._dying:
                names = [n for root in self._dying[at] for n in self._object_names.get(root, ())]
                if names:
                    self.body.append(f"{' = '.join(names)} = None")
            at += 1
        results = []
        for value in self.outputs:
            name = self.name(value)
            if value.kind == OBJECT:
                self.body.append(f"{name} = owned({name}, refs({name}))")
            results.append(name)
        self.body.append(f"return [{', '.join(results)}]")

    def _step(self, step: Step, note: str) -> None:
        if step.function == "cell":
            number = step.args[0]
            self.body.append(f"{self.name(step.out)}[()] = {self.name(number)}")  # type: ignore[arg-type]
            return
        if step.is_view and self.is_static(step.args[0]):
            self._made_once(step.binds[0], self.called(step))
            return
        text = self.called(step)
        if step.binds:
            names = [self.name(value) for value in step.binds]
            for value, name in zip(step.binds, names, strict=True):
                if value.root.kind == OBJECT:
                    self._object_names.setdefault(value.root, []).append(name)
            left = ", ".join(names) + ("," if step.several else "")
            text = f"{left} = {text}"
            # NumPy's functions return scalars in the place of 0-d arrays, which eager code converts at once.
            text += "".join(f"; {name} = asarray({name})" for value, name in zip(step.binds, names, strict=True) if is_single(value))
        comment = f"  # {step.note}" if step.note != note and step.note.replace(".", "").isidentifier() else ""
        self.body.append(text + comment)

    def called(self, step: Step) -> str:
        """The call of a step as text."""
        args = [self.operand(arg) for arg in step.args]
        function = step.function
        if function == ".T":
            return f"{args[0]}.T"
        if step.out is not None:
            out = self.name(step.out)
            if step.place == "first":
                args.insert(0, out)
            elif step.place == "last":
                args.append(out)
        args += [self.name(value) for value in step.scratch]
        args += [f"{key}={self.operand(option)}" for key, option in step.options.items() if key.isidentifier()]
        if step.out is not None and step.place == "keyword":
            args.append(f"out={out}")
        return f"{self.bind(function, 'f')}({', '.join(args)})"

    # --- frames ---

    def frame(self) -> Any:
        """The function `run`, with memory of its own."""
        names = dict(self.bound)
        sizes = self.plan.sizes
        memory = np.empty(sum(sizes) + _ALIGNED, np.uint8)
        offset = -memory.ctypes.data % _ALIGNED if sizes else 0
        starts = []
        for size in sizes:
            starts.append(offset)
            offset += size
        for name, (block, like) in self.static.items():
            names[name] = array_like(like, memory, starts[block])
        for name, dtype in self.cells:
            names[name] = np.zeros((), dtype)
        for name, (like, _) in self.slots.items():
            names[f"p{name[1:]}"] = pool.Slot(maker(like))
        exec(self.code, names)  # of text that holds nothing but names given here
        return names["run"]


class Loop:
    """The code of a group: a loop over blocks.

    Each array in it is one of these: a block of free memory, a part of an array in the engine's memory, which are made once; a part
    of an array of this run, which is made in the loop; or a number.
    """

    def __init__(self, source: Source, group: Group) -> None:
        self.source, self.group = source, group
        self.axes = axes_of(group.shape, group.order)
        self.spans, self.tree = halves(group.size, max(BLOCK_BYTES // group.itemsize, 1))
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


def array_like(value: Value, memory: Any, start: int) -> Any:
    """An array in memory, with the shape, dtype and order of a value."""
    axes = axes_of(value.shape, value.order or ())
    shape = [value.shape[a] for a in axes]
    array = np.ndarray(shape, value.dtype, memory, start)
    return array.transpose(np.argsort(axes)) if axes else array


def maker(value: Value) -> Any:
    """A function that makes a new array with the shape, dtype and order of a value."""
    shape, dtype = value.shape, value.dtype
    if value.is_c:
        return lambda: np.empty(shape, dtype)
    axes = axes_of(shape, value.order or ())
    if axes == tuple(range(len(shape)))[::-1]:
        return lambda: np.empty(shape, dtype, "F")
    like = np.empty([1] * len(shape), dtype)
    like = np.lib.stride_tricks.as_strided(like, shape, value.strides)
    return lambda: np.empty_like(like)


def owned(array: Any, count: int) -> Any:
    """What a call returned, as an array that nothing else refers to, if `count` references are one or two names of the caller."""
    if not isinstance(array, np.ndarray):
        return np.asarray(array)
    return array if array.base is None and count <= pool.ALONE - 1 else np.array(array)


def is_single(value: Value) -> bool:
    """Whether a call may have returned a scalar in the place of this 0-d array."""
    return value.kind == OBJECT and value.shape == () and value.dtype is not None


__all__ = ["Source", "Tree"]
