"""The update rule of an elementwise optimizer: a formula in two parts, with named numbers. A backend may fuse it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any, NamedTuple

from xgrad.optim.options import Options
from xgrad.optim.state import State

Array = Any
Part = Callable[..., tuple[Any, ...]]


class Moment(NamedTuple):
    """A running statistic: an array of the parameter's shape that the state holds."""

    when: str = ""  # the option on which it depends; "" for always
    start: str = ""  # the option with its first value; "" for 0


class Numbers:
    """The numbers and flags of a formula as attributes: `n.lr`.

    These are the options that are numbers or flags, and what the optimizer's `numbers` returns. A number may differ from step to
    step. A flag (a bool) selects what is computed: a backend makes a kernel for each combination of flags.
    """

    def __init__(self, values: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        vars(self).update(values)


class UpdateRule:
    """The two parts of a formula: `roll(xp, n, p, g, *moments)` and `descend(xp, n, p, g, *moments)`.

    roll updates and returns the running statistics. descend returns the new parameter, then any statistics that it updates
    itself, which are the last ones of `moments`. A moment that is not in use is None. Each part allocates all memory that it
    needs before it writes into an array: if memory runs out, either nothing of the part is done or all.
    """

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer
        self.moments: Mapping[str, Moment] = optimizer.moments
        self.roll: Part = optimizer.roll
        self.descend: Part = optimizer.descend

    def __reduce__(self) -> Any:
        """A copy or a pickle of the rule refers to the rule itself."""
        return getattr, (self.optimizer, "update_rule")

    def __call__(self, xp: Any, arrays: tuple[Array, ...], numbers: tuple[float, ...], flags: Any) -> tuple[Array, ...]:
        """The new p and the new moments: both parts together, for a backend that fuses them to one kernel.

        The arguments of a kernel have no names: `flags` holds the names of the numbers (see Prepared.arguments_at).
        """
        in_use, fields = flags
        p, g, *given = arrays
        left, values = iter(given), iter(numbers)
        moments = [next(left) if used else None for used in in_use]
        n = Numbers((name, next(values) if flag is None else flag) for name, flag in fields)
        if given:
            rolled = self.roll(xp, n, p, g, *moments)
            moments[: len(rolled)] = rolled
        p, *late = self.descend(xp, n, p, g, *moments)
        if late:
            moments[-len(late) :] = late
        return p, *(moment for moment, used in zip(moments, in_use, strict=True) if used)


def direction(n: Any, p: Array, g: Array) -> Array:
    """The gradient to descend along: g, negated if `n.maximize`, plus `weight_decay * p` if `n.decays`."""
    if n.maximize:
        g = -g
    return g + n.weight_decay * p if n.decays else g


class Prepared:
    """A rule with the options of a group: the moments in use, and the numbers of the latest step."""

    def __init__(self, rule: UpdateRule, o: Options) -> None:
        self.rule, self.o = rule, o
        self.names: list[Any] = [
            name if not when or getattr(o, when) else None for name, (when, _) in rule.moments.items()
        ]
        self.used = [(i, name) for i, name in enumerate(self.names) if name]
        self.counts_steps: bool = rule.optimizer.counts_steps
        self.options = {name: value for name, value in vars(o).items() if isinstance(value, int | float)}
        self.t: int | None = None
        self.backend: Any = None
        self.dtype: Any = None
        self.n = Numbers({})  # the numbers of step t, for arrays of this backend and dtype
        self.arguments: tuple[Any, ...] = ()  # the numbers of step t_of_arguments for `UpdateRule.__call__`
        self.t_of_arguments: int | None = None

    def step(self, xp: Any, p: Array, g: Array, state: MutableMapping[str, Any]) -> Array:
        """The new p. Updates the state."""
        t = state.get("step", 0) + 1 if self.counts_steps else int(not state)
        moments = list(map(state.get, self.names))
        for i, name in self.used:
            if moments[i] is None:
                moments[i] = self.first(xp, name, p)
        rule = self.rule
        if type(state) is not State:  # the arrays are tensors, and the update is recorded
            p = self.as_a_whole(rule, xp, p, g, moments, state, t)
        elif (run := state.run or state.fuse(rule)) is not rule:
            p = self.as_a_whole(run, xp, p, g, moments, state, t)
        else:
            if self.t != t or self.backend is not state.backend or self.dtype != p.dtype:
                self.prepare(t, state.backend, p)
            p = self.in_parts(xp, p, g, moments, state) if self.used else rule.descend(xp, self.n, p, g, *moments)[0]
        if self.counts_steps:
            state["step"] = t
        return p

    def in_parts(self, xp: Any, p: Array, g: Array, moments: list[Any], state: State) -> Array:
        """Call roll, then descend.

        If descend fails, the state remembers the gradient that has entered the moments, so that the next call skips roll.
        """
        n, names = self.n, self.names
        if state.rolled is not g:
            for i, value in enumerate(self.rule.roll(xp, n, p, g, *moments)):
                if name := names[i]:
                    moments[i] = state[name] = value
            state.rolled = g
        p, *late = self.rule.descend(xp, n, p, g, *moments)
        if late:
            for name, value in zip(names[-len(late) :], late, strict=True):
                if name:
                    state[name] = value
        state.rolled = None
        return p

    def as_a_whole(self, run: Any, xp: Any, p: Array, g: Array, moments: list[Any], state: Any, t: int) -> Array:
        """Run both parts in one call: the rule, or the kernel that the backend has made from it."""
        if self.t_of_arguments != t:
            self.arguments, self.t_of_arguments = self.arguments_at(t), t
        p, *after = run(xp, (p, g, *(moments[i] for i, _ in self.used)), *self.arguments)
        state.update((name, value) for (_, name), value in zip(self.used, after, strict=True))
        return p

    def first(self, xp: Any, name: str, p: Array) -> Array:
        """The first value of a moment."""
        start = self.rule.moments[name].start
        return xp.full_like(p, getattr(self.o, start)) if start else xp.zeros_like(p)

    def prepare(self, t: int, backend: Any, p: Array) -> None:
        """Compute the numbers of step t, once for all parameters of a group. Options get the type that is fastest there."""
        if self.backend is not backend or self.dtype != p.dtype:
            scalar_operand = backend.scalar_operand
            self.n = Numbers({k: v if type(v) is bool else scalar_operand(v, p) for k, v in self.options.items()})
            self.backend, self.dtype = backend, p.dtype
        vars(self.n).update(self.rule.optimizer.numbers(self.o, t))
        self.t = t

    def arguments_at(self, t: int) -> tuple[tuple[float, ...], Any]:
        """The numbers and the flags of step t, as arguments of `UpdateRule.__call__`."""
        values = {**self.options, **self.rule.optimizer.numbers(self.o, t)}
        fields = tuple((name, value if type(value) is bool else None) for name, value in values.items())
        numbers = tuple(value for value in values.values() if type(value) is not bool)
        return numbers, (tuple(map(bool, self.names)), fields)
