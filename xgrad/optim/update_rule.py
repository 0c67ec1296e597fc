"""The update rule of an elementwise optimizer: a formula in two parts, with named numbers. A backend may fuse it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

Array = Any
Part = Callable[..., tuple[Any, ...]]


class Moment(NamedTuple):
    """A running statistic: an array that the state holds, of the parameter's shape unless `shape` gives another."""

    when: str = ""  # the option on which it depends; "" for always
    start: str = ""  # the option with its first value; "" for 0
    # Of a rule that is not elementwise: the shape for a parameter of some shape; None if it has none of this statistic
    shape: Callable[[tuple[int, ...]], tuple[int, ...] | None] | None = None


class Carried(NamedTuple):
    """A number that the state holds from step to step, beside its arrays."""

    start: float | str  # its first value, or the option with its first value


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
        self.carried: Mapping[str, Carried] = optimizer.carried
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


def decay_rates(o: Any) -> dict[str, float]:
    """The numbers that `roll_two_moments` needs, from the option `betas`."""
    beta1, beta2 = o.betas
    return {
        "beta1": beta1,
        "beta2": beta2,
        "share": 1 - beta1,
        "share_of_square": (1 - beta2) / (1 - beta1) ** 2,  # times (share * g)**2 this is (1 - beta2) * g**2
    }


def roll_two_moments(n: Any, g: Array, m: Array, v: Array) -> tuple[Array, Array]:
    """The running means of g and of its square."""
    part = n.share * g
    m *= n.beta1
    m += part
    part *= part  # in place: allocating another array would cost more than the arithmetic
    part *= n.share_of_square
    v *= n.beta2
    v += part
    return m, v
