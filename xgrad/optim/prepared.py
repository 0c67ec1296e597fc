"""A rule with the options of a group: it computes the numbers of a step once, and runs the rule on arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xgrad.optim.options import Options
from xgrad.optim.state import IN_BLOCKS, Progress, State
from xgrad.optim.update_rule import Array, Numbers, UpdateRule


class Prepared:
    """A rule with the options of a group: the moments in use, and the numbers of the latest step."""

    def __init__(self, rule: UpdateRule, o: Options) -> None:
        self.rule, self.o = rule, o
        self.names: list[Any] = [
            name if not when or getattr(o, when) else None for name, (when, *_) in rule.moments.items()
        ]
        self.used = [(i, name) for i, name in enumerate(self.names) if name]
        self.counts_steps: bool = rule.optimizer.counts_steps
        self.carried: list[tuple[str, float]] = [
            (name, getattr(o, start) if isinstance(start, str) else start) for name, (start,) in rule.carried.items()
        ]
        self.options = {name: value for name, value in vars(o).items() if isinstance(value, int | float)}
        self.at: Any = None  # the step t, or (t, *carried numbers), of which there are the numbers below
        self.values: dict[str, Any] = {}  # what the optimizer's `numbers` returned
        self.arguments: tuple[Any, ...] = ()  # the numbers for `UpdateRule.__call__`, once they are needed
        self.waiting: list[tuple[Any, ...]] = []  # updates that a kernel for several parameters will make
        # While a step is compiled: makes an input of the program of each number of `values`, for the step that is `at`.
        self.as_inputs: Callable[[dict[str, Any], Any], dict[str, Any]] | None = None
        self.n = Numbers({})  # the numbers for arrays of this backend and dtype
        self.backend: Any = None
        self.dtype: Any = None

    def step(self, xp: Any, p: Array, g: Array, state: Any) -> Array:
        """The new p. Updates the state."""
        at = self.next_step(state)
        rule = self.rule
        # A plain dict as the state: the arrays are tensors, and the update is recorded
        run: Any = state.run or state.fuse(rule, p) if type(state) is State else None
        if run is IN_BLOCKS:
            p = self.in_blocks(xp, p, g, state, at)
        else:
            moments = list(map(state.get, self.names))
            for i, name in self.used:
                if moments[i] is None:
                    moments[i] = self.first(xp, name, p)
            if run is not rule:
                p = self.as_a_whole(run or rule, xp, p, g, moments, state, at)
            else:
                if self.at != at or self.backend is not state.backend or self.dtype != p.dtype:
                    self.prepare(at, state.backend, p)
                p = (
                    self.in_parts(xp, p, g, moments, state)
                    if self.used
                    else rule.descend(xp, self.n, p, g, *moments)[0]
                )
        if self.counts_steps:
            state["step"] = at[0] if self.carried else at
            if self.carried:
                state.update((name, self.values[name]) for name, _ in self.carried)
        return p

    def next_step(self, state: Any) -> Any:
        """What the numbers of the step after this state depend on."""
        if not self.counts_steps:
            return int(not state)
        t = state.get("step", 0) + 1
        return (t, *(state.get(name, first) for name, first in self.carried)) if self.carried else t

    def in_parts(self, xp: Any, p: Array, g: Array, moments: list[Any], state: State) -> Array:
        """Call roll, then descend.

        If descend fails, the state remembers the gradient that has entered the moments, so that the next call skips roll.
        """
        n, names = self.n, self.names
        if state.rolled is not g:
            for i, value in enumerate(self.rule.roll(xp, n, p, g, *moments)):
                if (name := names[i]) and value is not None:
                    moments[i] = state[name] = value
            state.rolled = g
        p, *late = self.rule.descend(xp, n, p, g, *moments)
        if late:
            for name, value in zip(names[-len(late) :], late, strict=True):
                if name:
                    state[name] = value
        state.rolled = None
        return p

    def in_blocks(self, xp: Any, p: Array, g: Array, state: State, at: Any) -> Array:
        """Call roll and descend on one block after the other, which stays in the cache meanwhile. p is written in place.

        If one of them fails, the state remembers how far the step got, so that the next call goes on from there.
        """
        self.prepare(at, state.backend, p)
        now = state.progress
        if now is None or now.g is not g:
            moments = [state.get(name) for name in self.names]
            for i, name in self.used:
                if moments[i] is None:
                    moments[i] = self.first(xp, name, p)
            flat = state.backend.flat([p, g, *(moments[i] for i, _ in self.used)])
            if flat is None:  # the arrays are not in one order in memory
                return self.in_parts(xp, p, g, moments, state)
            now = state.progress = Progress(p, g, moments, flat)
        rule, n, length = self.rule, self.n, state.backend.block_length(p)
        size = now.flat[0].shape[0]
        for start in range(now.start, size, length):
            end = min(start + length, size)
            block = [array[start:end] for array in now.flat]
            parts: list[Any] = [None] * len(self.names)
            for i, (k, _) in enumerate(self.used):
                parts[k] = block[2 + i]
            if self.used and not now.rolled:
                write(parts, rule.roll(xp, n, *block[:2], *parts))
                now.rolled = True
            new, *late = rule.descend(xp, n, *block[:2], *parts)
            write(block, (new,))
            write(parts[len(parts) - len(late) :], late)
            now.start, now.rolled = end, False
        state.update((name, now.moments[i]) for i, name in self.used)
        state.progress = None
        return now.p

    def as_a_whole(self, run: Any, xp: Any, p: Array, g: Array, moments: list[Any], state: Any, at: Any) -> Array:
        """Run both parts in one call: the rule, or the kernel that the backend has made from it.

        If the kernel can update several parameters, it runs later, in `run_waiting`. It writes into these arrays.
        """
        arrays = (p, g, *(moments[i] for i, _ in self.used))
        if getattr(run, "together", None) is not None and state.inside is None:
            self.waiting.append((run, state.backend, self.arguments_at(at), arrays))
            after = list(arrays[2:])
        else:
            p, *after = run(xp, arrays, *self.arguments_at(at))
        state.update((name, value) for (_, name), value in zip(self.used, after, strict=True))
        return p

    def run_waiting(self) -> None:
        """Make the updates that wait: those of one backend with the same numbers together."""
        alike: dict[Any, list[Any]] = {}
        for run, backend, arguments, arrays in self.waiting:
            alike.setdefault((run, backend, arguments), []).append(arrays)
        self.waiting = []
        for (run, backend, arguments), several in alike.items():
            with backend.guard:
                run.together(backend.xp, several, *arguments)

    def first(self, xp: Any, name: str, p: Array) -> Array:
        """The first value of a moment, or None if a parameter of this shape has none."""
        _, start, shape = self.rule.moments[name]
        if shape is not None:
            its_shape = shape(tuple(p.shape))
            return None if its_shape is None else zeros(xp, p, its_shape)
        return xp.full_like(p, getattr(self.o, start)) if start else xp.zeros_like(p)

    def prepare(self, at: Any, backend: Any, p: Array) -> None:
        """Compute the numbers of a step, once for all parameters of a group. Options get the type that is fastest there."""
        self.compute(at)
        if self.backend is not backend or self.dtype != p.dtype:
            scalar_operand = backend.scalar_operand
            self.n = Numbers({k: v if type(v) is bool else scalar_operand(v, p) for k, v in self.options.items()})
            self.backend, self.dtype = backend, p.dtype
        vars(self.n).update(self.values)

    def compute(self, at: Any) -> None:
        """Compute what the optimizer's `numbers` returns for a step, unless it is there."""
        if self.at != at:
            self.values = self.rule.optimizer.numbers(self.o, *(at if self.carried else (at,)))
            if self.as_inputs is not None:
                self.values = self.as_inputs(self.values, at)
            self.at, self.arguments = at, ()

    def arguments_at(self, at: Any) -> tuple[Any, ...]:
        """The numbers and the flags of a step, as arguments of `UpdateRule.__call__`."""
        self.compute(at)
        if not self.arguments:
            values = {**self.options, **self.values}
            fields = tuple((name, value if type(value) is bool else None) for name, value in values.items())
            numbers = tuple(value for value in values.values() if type(value) is not bool)
            self.arguments = numbers, (tuple(map(bool, self.names)), fields)
        return self.arguments


def write(blocks: list[Any], values: Any) -> None:
    """Write new values that a part of the rule has not written in place. None is a moment that is not in use."""
    for block, value in zip(blocks, values, strict=False):
        if value is not block and block is not None:
            block[...] = value


def zeros(xp: Any, p: Array, shape: tuple[int, ...]) -> Array:
    """Zeros of the dtype and on the device of p. Each axis is as long as that of p, or 1."""
    return xp.zeros_like(p[tuple(slice(0, length) for length in shape)])
