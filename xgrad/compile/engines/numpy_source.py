"""The code of a variant: a function of straight-line calls, as text, and what its names stand for."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from typing import Any

import numpy as np

from xgrad.compile.engines import pool
from xgrad.compile.engines.numpy_blocks import Group, Item, flat, total
from xgrad.compile.engines.numpy_frames import Code, maker, memory_like
from xgrad.compile.engines.numpy_loops import Loop
from xgrad.compile.engines.numpy_memory import FRESH, GIVEN, STATIC, Plan
from xgrad.compile.engines.numpy_steps import CELL, CONSTANT, MADE, NUMBER, OBJECT, VIEW, Step, Value


class Source:
    """The text of a function `run(x0, x1, ...)`, and what its names stand for.

    Args:
        items: steps and groups.
        plan: where the arrays lie.
        inputs: the input values.
        outputs: the values that are returned, in order; an OBJECT is copied unless it is new.
        pooled: for each output, whether its array may come from a pool.
        threads: how many threads a loop over blocks may take.
    """

    def __init__(
        self,
        items: list[Item],
        plan: Plan,
        inputs: Sequence[Value],
        outputs: Sequence[Value],
        pooled: Sequence[bool],
        threads: int = 1,
    ) -> None:
        self.plan, self.inputs, self.outputs, self.pooled, self.threads = plan, inputs, outputs, pooled, threads
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
        self.static: dict[
            str, tuple[int, Any]
        ] = {}  # the name of an array in the engine's memory: its block, and what it is like
        self._static_names: dict[Any, str] = {}
        self.cells: list[tuple[str, Any]] = []
        self.header: list[str] = []
        self.body: list[str] = []
        self.slots: dict[str, Any] = {}
        self.loops = 0
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
        lines = [*self.header, f"def run({parameters}):", *(f"    {line}" for line in self.body)]
        self.text = "\n".join(lines) + "\n"

    def code(self) -> Code:
        """What is kept of it: all that frames are made from."""
        return Code(self.text, self.bound, self.plan.sizes, self.static, self.cells, self.slots)

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
            name = f"{ {VIEW: 'v', OBJECT: 'r', NUMBER: 'n'}[kind] }{len(self.names)}".replace(" ", "")
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
            self.slots[name] = maker(value)
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
                self.static[name] = (number, memory_like(value))
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
            if called in self.bound or called == "run" or (called[-1].isdigit() and called[:-1] in set("bcnopsvrxk")):
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
            if isinstance(item, Group):
                Loop(self, item)
                at += len(item.steps)
                continue
            step = item
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
            text += "".join(
                f"; {name} = asarray({name})" for value, name in zip(step.binds, names, strict=True) if is_single(value)
            )
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


def owned(array: Any, count: int) -> Any:
    """What a call returned, as an array that nothing but a local name refers to. `count` is `refs(array)`, in the same call."""
    if not isinstance(array, np.ndarray):
        return np.asarray(array)
    return array if array.base is None and count <= pool.ALONE_IN_CALL else np.array(array)


def is_single(value: Value) -> bool:
    """Whether a call may have returned a scalar in the place of this 0-d array."""
    return value.kind == OBJECT and value.shape == () and value.dtype is not None
