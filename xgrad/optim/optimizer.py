"""What all optimizers share: groups of parameters, their state, and when a parameter may be written in place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar

from xgrad.backends.guarded import NO_GUARD
from xgrad.engine import tape
from xgrad.engine.persist import Place, places_in
from xgrad.engine.tensor import Tensor
from xgrad.optim.computing import Before, compute
from xgrad.optim.loading import loaded
from xgrad.optim.options import Check, Options, ParamGroup
from xgrad.optim.state import State
from xgrad.optim.table import read_table
from xgrad.optim.update_rule import Moment, Prepared, UpdateRule

Params = Iterable[Tensor] | Iterable[tuple[str, Tensor]] | Iterable[Mapping[str, Any]]


class Optimizer:
    """Base of all optimizers. A new one is a class with a table of options and a formula.

    The signature of `__init__` is the table (see table.py); one without a table says in `checks` what its options must be.

    An elementwise formula is in three functions. `numbers(o, t)` gives the numbers of step t by name, beside the options `o` that
    are numbers themselves. `roll(xp, n, p, g, *moments)` updates and returns the running statistics.
    `descend(xp, n, p, g, *moments)` returns the new parameter, then any statistics that it updates itself. `moments` names the
    statistics. These may use augmented assignment on p and on moments, never on g, and allocate all that they need before they
    write. The step t is counted from 1 if `counts_steps`; else it is 1 at the first step and 0 later.

    Any other formula is in `update(xp, p, g, state, o)`: arrays of the namespace `xp` in, the new p out. It keeps what it likes
    in `state`, and may name that in `state_entries`: a loaded state is then checked for it. Compute everything first and write
    last, so that an update that runs out of memory has changed nothing.
    """

    checks: ClassVar[Mapping[str, Check]]
    moments: ClassVar[Mapping[str, Moment]] = {}
    counts_steps: ClassVar[bool] = False
    roll: ClassVar[Callable[..., Any]] = staticmethod(lambda *_: ())
    descend: ClassVar[Callable[..., Any]]
    update_rule: ClassVar[UpdateRule]
    state_entries: ClassVar[Mapping[str, str] | None] = (
        None  # what `state` holds, and the option that asks for it ("": always)
    )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Read the table of options, and make a rule of the formula."""
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            read_table(cls)
        if {"moments", "counts_steps", "numbers", "roll", "descend"} & set(vars(cls)):
            cls.update_rule = UpdateRule(cls)
            steps = {"step": ""} if cls.counts_steps else {}
            cls.state_entries = {**steps, **{name: moment.when for name, moment in cls.moments.items()}}

    def __init__(self, params: Params, defaults: Mapping[str, Any]) -> None:
        self.name = type(self).__name__
        self.defaults = dict(defaults)
        self.state: dict[Tensor, State] = {}
        self.param_groups: list[ParamGroup] = []
        self._unfinished = False  # whether the last step raised
        self._moved: dict[Tensor, Tensor] = {}  # parameter to gradient: what that step had done
        if isinstance(params, Tensor):
            raise TypeError(
                f"{self.name}: params must be an iterable of tensors or of dicts, got one tensor; use [tensor]"
            )
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError(f"{self.name}: there are no parameters (an empty model, or a generator used up before?)")
        if not isinstance(groups[0], Mapping):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Train more parameters: {"params": tensors}, with options of their own; the rest are the defaults."""
        if not isinstance(param_group, Mapping) or "params" not in param_group:
            raise TypeError(f'{self.name}: a param group must be a dict with the key "params", got {param_group!r}')
        items = {**self.defaults, **param_group}
        params, names = self._tensors(items.pop("params"))
        if names:
            items["param_names"] = names
        group = ParamGroup(self.name, self.checks, params, items)
        self.check_together(group.options)
        self.param_groups.append(group)

    def check_together(self, options: dict[str, Any]) -> None:
        """Raise ValueError for options that are each right but do not go together."""

    @staticmethod
    def numbers(o: Any, t: int) -> dict[str, Any]:
        """The numbers and flags of step t that the formula needs beside the options."""
        return {}

    @classmethod
    def update(cls, xp: Any, p: Any, g: Any, state: Any, o: Any) -> Any:
        """The new p, from raw arrays. What is kept in `state` is updated."""
        prepared = o._prepared
        if prepared is None:
            prepared = o._prepared = Prepared(cls.update_rule, o)
        return prepared.step(xp, p, g, state)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move each parameter that has a gradient. `closure` computes loss and gradients anew; its loss is returned.

        A step that raises (out of memory, say) has moved some parameters, and none of them halfway. Called again with the
        gradients as they are, it moves the others, so that in all one step was made.

        On a backend that puts work off (dask), the step is computed here: parameters, state, gradients, and the losses that
        backward() was called on. If that raises, parameters and state are as before.
        """
        loss = None
        if closure is not None:
            with tape.set_recording(True):
                loss = closure()
        at: Tensor | None = None
        put_off: list[Before] = []
        try:
            for group in self.param_groups:
                o = group.named
                for p in group.params:
                    at = p
                    grad = p.grad
                    if grad is not None and not (self._unfinished and self._moved.get(p) is grad):
                        backend = p.backend
                        if backend.defers:
                            put_off.append(Before(p, self.state.get(p)))
                        if backend.guard is NO_GUARD:
                            self._move(p, grad._data, o, backend)
                        else:
                            with backend.guard:
                                self._move(p, grad._data, o, backend)
        except Exception as error:
            self._remember_moved(at)
            if at is not None:
                told = at.backend.out_of_memory(f"{self.name}.step of a parameter {at.shape}", error)
                if told is not None:
                    raise told from error
            raise
        if put_off:
            compute(self, put_off)
        if self._unfinished:
            self._forget_moved()
        return loss

    def _forget_moved(self) -> None:
        """Let go of the gradients of a step that failed: it is finished, or given up."""
        self._unfinished = False
        self._moved.clear()
        for state in self.state.values():
            state.forget()

    def _remember_moved(self, until: Tensor | None) -> None:
        self._unfinished = True
        for p in self._parameters():
            if p is until:
                return
            if p.grad is not None:
                self._moved[p] = p.grad

    def _move(self, p: Tensor, g: Any, o: Options, backend: Any) -> None:
        xp = backend.xp
        state = self.state.get(p)
        if state is None:
            state = self.state[p] = State(p)
        elif state.backend is not backend or state.dtype != p._data.dtype:
            state.follow(p)
        if state.inside is not None:
            there = state.there
            if there is None or there[0] is not g:
                there = state.there = [g, state.inside(xp, g), None]
            if there[2] is None:
                there[2] = self.update(xp, state.inside(xp, p._data), there[1], state, o)
            p.data = state.outside(xp, there[2], state.dtype)
            state.there = None
        elif backend.exclusive(p._data):
            p.data = self.update(xp, p._data, g, state, o)
        else:  # a graph that was kept, a snapshot or the user holds this array: leave it as it is
            p.data = self.update(xp, backend.copy(p._data), g, state, o)
        if state.is_single:
            state.keep_arrays()

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or (`set_to_none=False`) make them zero."""
        if self._unfinished:
            self._forget_moved()
        for group in self.param_groups:
            for p in group.params:
                if set_to_none or p.grad is None:
                    p.grad = None
                else:
                    p.grad = Tensor(p.backend.xp.zeros_like(p._data), p.backend)

    def state_dict(self) -> dict[str, Any]:
        """A copy of all that is needed to go on later: {"state": ..., "param_groups": ...}, parameters by number."""
        numbers = {id(p): i for i, p in enumerate(self._parameters())}
        groups = [dict(group, params=[numbers[id(p)] for p in group.params]) for group in self.param_groups]
        state = {numbers[id(p)]: own.export() for p, own in self.state.items() if id(p) in numbers}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what `state_dict()` gave; arrays are moved to their parameter's backend and dtype.

        Raises ValueError, which names what is wrong, and changes nothing, if it does not fit the parameters or is of
        another kind of optimizer.
        """
        groups, state = loaded(self, state_dict)
        self._forget_moved()
        self.param_groups, self.state = groups, state

    def _parameters(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group.params]

    def _tensors(self, params: Any) -> tuple[list[Tensor], list[str]]:
        if isinstance(params, set):
            raise TypeError(
                f"{self.name}: parameters must come in an order that stays the same; a set has none, use a list"
            )
        entries = [params] if isinstance(params, Tensor) else list(params)
        names = [entry[0] for entry in entries if isinstance(entry, tuple)]
        tensors = [entry[1] if isinstance(entry, tuple) else entry for entry in entries]
        if names and len(names) != len(tensors):
            raise ValueError(f"{self.name}: either all parameters of a group have names or none")
        seen = {id(p) for p in self._parameters()}
        for i, p in enumerate(tensors):
            if not isinstance(p, Tensor):
                raise TypeError(f"{self.name}: parameter {i} must be a Tensor, got {type(p).__name__}")
            if not p.is_leaf:
                raise ValueError(f"{self.name}: parameter {i} was computed from others; only a leaf can be trained")
            if id(p) in seen:
                raise ValueError(f"{self.name}: parameter {i} is in the optimizer twice")
            seen.add(id(p))
        return tensors, names

    def __repr__(self) -> str:
        lines = [f"{self.name} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


@places_in.register
def _(optimizer: Optimizer) -> Iterator[Place]:
    for p in optimizer._parameters():
        yield from places_in(p)
    for state in optimizer.state.values():
        for name, value in state.items():
            if state.backend.owns(value):
                yield Place(state.backend, value, partial(state.__setitem__, name))
