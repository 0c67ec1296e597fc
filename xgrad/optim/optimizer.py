"""The base class of optimizers: parameter groups, state, the step, and when a parameter may be written in place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar

from xgrad.backends.guarded import NO_GUARD
from xgrad.engine import tape, tracing
from xgrad.engine.persist import Place, places_in
from xgrad.engine.swap import Swap
from xgrad.engine.tensor import Tensor
from xgrad.optim.computing import Before, compute
from xgrad.optim.hooks import Hook, StepHookHandle, after_step, before_step
from xgrad.optim.loading import loaded
from xgrad.optim.options import Check, Options, ParamGroup
from xgrad.optim.prepared import Prepared
from xgrad.optim.state import State
from xgrad.optim.table import read_table
from xgrad.optim.update_rule import Carried, Moment, UpdateRule

Params = Iterable[Tensor] | Iterable[tuple[str, Tensor]] | Iterable[Mapping[str, Any]]


def _numbers(o: Any, t: int) -> dict[str, Any]:
    """The numbers and flags of step t, by name, that the formula needs in addition to the options."""
    return {}


def _roll(xp: Any, n: Any, p: Any, g: Any, *moments: Any) -> Any:
    """The running statistics after this step, in the order of `moments`: those that do not depend on the new parameter."""
    return ()


def _descend(xp: Any, n: Any, p: Any, g: Any, *moments: Any) -> Any:
    """The new parameter, then any statistics that are updated here: the last ones of `moments`."""
    raise NotImplementedError("an optimizer defines descend(), or update() for a formula that is not elementwise")


class Optimizer:
    """The base class of optimizers. A new optimizer is a class with a table of options and a formula.

    The signature of `__init__` is the table (see table.py). A class without a table gives in `checks` a check for each option.

    An elementwise formula consists of three functions. `numbers(o, t)` returns the numbers of step t by name; the options in `o`
    that are numbers are added to them. `roll(xp, n, p, g, *moments)` updates and returns the running statistics.
    `descend(xp, n, p, g, *moments)` returns the new parameter, then any statistics that it updates itself. `moments` names the
    statistics. `roll` and `descend` may use augmented assignment on p and on the moments, never on g, and allocate all memory
    before they write. If `counts_steps`, t is 1, 2, ...; otherwise it is 1 at the first step and 0 later. `carried` names numbers
    that the state holds as well: `numbers` gets them after t, and returns their new values under the same names.

    A formula that uses a norm or a matrix product consists of the same functions, with `is_elementwise = False`.
    Any other formula is in `update(xp, p, g, state, o)`, which takes arrays of the namespace `xp` and returns the new p. It keeps
    what it needs in `state`. If `state_entries` names that, a loaded state is checked against it. Compute everything first and
    write last, so that an update that runs out of memory has changed nothing.

    Args:
        params: tensors to train, pairs of a name and a tensor, or dicts (param groups) with these as "params" and options of
            their own.
        defaults: the options of the groups that do not set them, by name.

    Raises:
        ValueError: for an option out of its range, no parameters, a parameter that is listed twice or is no leaf.
        TypeError: for a single tensor, a set, or a parameter that is not a tensor.

    >>> import xgrad as xg
    >>> from xgrad.optim.table import LearningRate, given
    >>> class SignSGD(xg.optim.Optimizer):
    ...     def __init__(self, params, lr: LearningRate = 1e-3):
    ...         super().__init__(params, given(locals()))
    ...     @staticmethod
    ...     def descend(xp, n, p, g):
    ...         p -= n.lr * xp.sign(g)
    ...         return (p,)
    >>> w = xg.asarray([1.0, -2.0], requires_grad=True)
    >>> optimizer = SignSGD([w], lr=0.25)
    >>> xg.sum(w * w).backward()
    >>> optimizer.step()
    >>> w.numpy().tolist()
    [0.75, -1.75]

    The interface is PyTorch's: https://docs.pytorch.org/docs/stable/optim.html
    """

    checks: ClassVar[Mapping[str, Check]]
    moments: ClassVar[Mapping[str, Moment]] = {}
    carried: ClassVar[Mapping[str, Carried]] = {}
    counts_steps: ClassVar[bool] = False
    is_elementwise: ClassVar[bool] = True
    numbers: ClassVar[Callable[..., dict[str, Any]]] = staticmethod(_numbers)
    roll: ClassVar[Callable[..., Any]] = staticmethod(_roll)
    descend: ClassVar[Callable[..., Any]] = staticmethod(_descend)
    update_rule: ClassVar[UpdateRule]
    # The entries of `state`, each with the option on which it depends ("" for always); None for entries that are not known.
    state_entries: ClassVar[Mapping[str, str] | None] = None
    _stepped = False  # whether step was called: a schedule warns if it was not

    _hooks: Mapping[int, tuple[str, Hook]] = MappingProxyType({})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Read the table of options, and make an UpdateRule from the formula."""
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls) and "_stepped" not in vars(cls):
            cls._stepped = True  # a step of its own need not say that it was called
        if "__init__" in vars(cls):
            read_table(cls)
        if {"moments", "carried", "counts_steps", "is_elementwise", "numbers", "roll", "descend"} & set(vars(cls)):
            cls.update_rule = UpdateRule(cls)
            single = dict.fromkeys([*(["step"] if cls.counts_steps else []), *cls.carried], "")
            cls.state_entries = {**single, **{name: moment.when for name, moment in cls.moments.items()}}

    def __init__(self, params: Params, defaults: Mapping[str, Any]) -> None:
        self.name = type(self).__name__
        self.defaults = dict(defaults)
        self.state: dict[Tensor, State] = {}
        self.param_groups: list[ParamGroup] = []
        self._unfinished = False  # whether the last step raised an error
        self._moved: dict[Tensor, Tensor] = {}  # the parameters that this step had updated, with the gradient used
        if isinstance(params, Tensor):
            raise TypeError(
                f"{self.name}: params must be an iterable of tensors or of dicts, got one tensor; use [tensor]"
            )
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError(
                f"{self.name}: there are no parameters (an empty model, or a generator that was used before?)"
            )
        if not isinstance(groups[0], Mapping):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Train more parameters: a dict with tensors as "params", and with options that differ from the defaults.

        Raises TypeError and ValueError as the class does.
        """
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
        """Raise ValueError for options that are each in their range but exclude each other."""

    @classmethod
    def update(cls, xp: Any, p: Any, g: Any, state: Any, o: Any) -> Any:
        """The new p, from raw arrays. Updates `state`."""
        prepared = o._prepared
        if prepared is None:
            prepared = o._prepared = Prepared(cls.update_rule, o)
            if (trace := tracing.current()) is not None:
                trace.prepare(prepared)
        return prepared.step(xp, p, g, state)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update each parameter that has a gradient.

        A step that raises an error, because memory ran out for example, has updated some parameters and left the others as they
        were. Another call with the same gradients updates these others, so that both calls together make one step.

        On a backend with deferred computation (dask), the step is computed here: parameters, state, gradients, and the losses on
        which backward() was called. If that raises an error, parameters and state are as before.

        Args:
            closure: computes the gradients anew and returns the loss, which is then returned; None to use the gradients there
                are.

        Raises:
            MemoryError: where memory runs out.
        """
        self._stepped = True
        loss: Any = None
        hooks = self._hooks
        if hooks:
            if (trace := tracing.current()) is not None:
                trace.refuse(f"{self.name}.step has hooks, which run Python", "Remove them, or take the step outside")
            args, kwargs = before_step(self, closure)
            closure = kwargs.get("closure", args[1] if len(args) > 1 else None)
        if closure is not None:
            with tape.set_recording(True):
                loss = closure()
        at: Tensor | None = None
        deferred: list[Before] = []
        try:
            for group in self.param_groups:
                o = group.named
                for p in group.params:
                    at = p
                    grad = p.grad
                    if grad is not None and not (self._unfinished and self._moved.get(p) is grad):
                        backend = p.backend
                        if backend.defers:
                            deferred.append(Before(p, self.state.get(p)))
                        if backend.guard is NO_GUARD:
                            self._move(p, grad._data, o, backend)
                        else:
                            with backend.guard:
                                self._move(p, grad._data, o, backend)
                prepared = o._prepared
                if prepared is not None and prepared.waiting:
                    prepared.run_waiting()
        except Exception as error:
            self._run_waiting()
            self._remember_moved(at)
            if at is not None:
                told = at.backend.out_of_memory(f"{self.name}.step of a parameter {at.shape}", error)
                if told is not None:
                    raise told from error
            raise
        if deferred:
            compute(self, deferred)
        if self._unfinished:
            self._forget_moved()
        if hooks:
            after_step(self, args, kwargs)
        return loss

    def note_skip(self) -> None:
        """Called by a GradScaler that leaves a step out, so that a schedule does not warn that it steps before the optimizer."""
        self._stepped = True

    def register_step_pre_hook(self, hook: Hook) -> StepHookHandle:
        """Call `hook(optimizer, args, kwargs)` before each step. It may return (args, kwargs), which the step takes instead.

        `args` is (optimizer,), or (optimizer, closure). `handle.remove()` of the handle that is returned removes the hook.
        """
        return StepHookHandle(self, "before", hook)

    def register_step_post_hook(self, hook: Hook) -> StepHookHandle:
        """Call `hook(optimizer, args, kwargs)` after each step. `handle.remove()` removes the hook."""
        return StepHookHandle(self, "after", hook)

    def _run_waiting(self) -> None:
        """Make the updates that a backend has postponed, to make them with one kernel."""
        for group in self.param_groups:
            prepared = group.named._prepared
            if prepared is not None and prepared.waiting:
                prepared.run_waiting()

    def _forget_moved(self) -> None:
        """Forget which parameters a failed step had updated, because it was completed or abandoned."""
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
        trace = tracing.current()
        if trace is not None:
            state, o = trace.state_of(self, p, o, State)  # which another call of the program finds again
        else:
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
        elif backend.exclusive(p._data) or (state.progress is not None and state.progress.g is g):
            p.data = self.update(xp, p._data, g, state, o)
        else:  # something else holds this array (a graph, a snapshot, the user): do not write into it
            p.data = self.update(xp, backend.copy(p._data), g, state, o)
        if state.is_single:
            state.keep_arrays()

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients to None, or (`set_to_none=False`) to zeros. A step that failed is abandoned."""
        if self._unfinished:
            self._forget_moved()
        for group in self.param_groups:
            for p in group.params:
                if set_to_none or p.grad is None:
                    p.grad = None
                else:
                    p.grad = Tensor(p.backend.xp.zeros_like(p._data), p.backend)

    def state_dict(self) -> dict[str, Any]:
        """A copy of state and options: {"state": ..., "param_groups": ...}, in which parameters are numbers."""
        numbers = {id(p): i for i, p in enumerate(self._parameters())}
        groups = [dict(group, params=[numbers[id(p)] for p in group.params]) for group in self.param_groups]
        state = {numbers[id(p)]: own.export() for p, own in self.state.items() if id(p) in numbers}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over the state and options that `state_dict()` returned. Arrays move to the backend and dtype of their parameter.

        Raises ValueError for a state that does not fit the parameters, or comes from another class. Then nothing has changed.
        """
        self._prepare_load(state_dict)()

    def _prepare_load(self, state_dict: Any) -> Swap:
        """What takes over a state, and takes that back if it is called again. Raises ValueError as `load_state_dict` does."""
        groups, state = loaded(self, state_dict)
        news = {"param_groups": groups, "state": state, "_unfinished": False, "_moved": {}}
        return Swap((self, name, new) for name, new in news.items())

    def _parameters(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group.params]

    def _tensors(self, params: Any) -> tuple[list[Tensor], list[str]]:
        if isinstance(params, set):
            raise TypeError(f"{self.name}: parameters must have a fixed order; a set has none, use a list")
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
