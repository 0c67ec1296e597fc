"""Loading the state of an optimizer: all of it is checked before any of it is used."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from typing import Any

from xgrad.backends import owner
from xgrad.engine.tensor import Tensor, wrap
from xgrad.optim.loadable import Loadable
from xgrad.optim.options import ParamGroup
from xgrad.optim.state import State


def loaded(optimizer: Loadable, state_dict: Any) -> tuple[list[ParamGroup], dict[Tensor, State]]:
    """The groups, and the state of each parameter, from a `state_dict()`. ValueError for anything that does not fit."""
    name = optimizer.name
    for part, kind in (("param_groups", Sequence), ("state", Mapping)):
        if not isinstance(state_dict, Mapping) or not isinstance(state_dict.get(part), kind):
            raise ValueError(f'{name}: a loaded state is a dict with "state", a dict, and "param_groups", a list')
    groups, numbers = _groups(optimizer, state_dict["param_groups"])
    parameters = dict(zip(numbers, (p for group in groups for p in group.params), strict=True))
    options = {number: group.options for number, group in zip(numbers, _of_each(groups), strict=True)}
    state = {}
    for number, values in state_dict["state"].items():
        if number not in parameters:
            raise ValueError(
                f"{name}: the loaded state has an entry for parameter {number!r}, which is in none of its groups"
            )
        where = f"{name}: in the loaded state of parameter {number},"
        p = parameters[number]
        shapes = {name: moment.shape(p.shape) for name, moment in optimizer.moments.items() if moment.shape is not None}
        values = _checked(where, values, optimizer, options[number], [name for name in shapes if shapes[name] is None])
        try:
            state[p] = State.load(p, values, shapes)
        except ValueError as error:
            raise ValueError(f"{where} {error}") from None
    return groups, state


def _of_each(groups: list[ParamGroup]) -> list[ParamGroup]:
    return [group for group in groups for _ in group.params]


def _groups(optimizer: Loadable, saved: Sequence[Any]) -> tuple[list[ParamGroup], list[Any]]:
    """The groups with the saved options, and the numbers of the parameters in the saved state, in their order."""
    name, mine = optimizer.name, optimizer.param_groups
    if len(saved) != len(mine):
        raise ValueError(f"{name}: this optimizer has {len(mine)} param groups, the loaded state {len(saved)}")
    groups, numbers = [], []
    for i, (own, theirs) in enumerate(zip(mine, saved, strict=True)):
        if not isinstance(theirs, Mapping) or not isinstance(theirs.get("params"), list | tuple):
            raise ValueError(f'{name}: the loaded group {i} must be a dict, with a list of numbers as "params"')
        here, there = len(own.params), len(theirs["params"])
        if here != there:
            raise ValueError(f"{name}: group {i} has {here} parameters, the loaded state {there}")
        missing = [option for option in optimizer.checks if option not in theirs]
        if missing:
            raise ValueError(
                f"{name}: the loaded group {i} lacks {', '.join(missing)}: is it the state of another class?"
            )
        items = {option: value for option, value in theirs.items() if option != "params"}
        groups.append(ParamGroup(name, optimizer.checks, own.params, items))
        optimizer.check_together(groups[-1].options)
        for number in theirs["params"]:
            if not isinstance(number, int) or number in numbers:
                raise ValueError(
                    f'{name}: "params" of the loaded group {i} holds {number!r}; it must hold integers, each once'
                )
            numbers.append(number)
    return groups, numbers


def _checked(
    where: str, values: Any, optimizer: Loadable, options: Mapping[str, Any], without: list[str]
) -> dict[str, Any]:
    """The state of one parameter: the arrays as tensors, the step as an integer, and carried numbers as floats.

    A parameter of this shape has no entries `without`.
    """
    state_entries = optimizer.state_entries
    if not isinstance(values, Mapping):
        raise ValueError(f"{where} the entry is a {type(values).__name__}, not a dict")
    if state_entries is None:  # a user's optimizer that does not say what its state holds
        return {name: as_step(where, value) if name == "step" else value for name, value in values.items()}
    state_entries = {name: option for name, option in state_entries.items() if name not in without}
    unknown = [str(name) for name in values if name not in state_entries]
    missing = [name for name, option in state_entries.items() if name not in values and (not option or options[option])]
    for what, names in (("is unknown to this optimizer", unknown), ("is missing", missing)):
        if names:
            raise ValueError(f"{where} {', '.join(names)} {what}")

    def converted(name: str, value: Any) -> Any:
        if name == "step":
            return as_step(where, value)
        return _as_float(where, name, value) if name in optimizer.carried else as_tensor(where, name, value)

    return {name: converted(name, value) for name, value in values.items()}


def as_step(where: str, value: Any) -> int:
    """A number of steps: an integer, an integral float, or an array of one of these, which is what PyTorch saves."""
    try:
        number = value.item() if hasattr(value, "item") else value
        step = int(number) if isinstance(number, float) and number.is_integer() else operator.index(number)
    except (TypeError, ValueError):
        step = -1
    if step < 0:
        raise ValueError(f"{where} step must be an integer, 0 or more, not {value!r:.60}")
    return step


def _as_float(where: str, name: str, value: Any) -> float:
    """A finite number, or an array of one, which is what PyTorch saves."""
    try:
        number = (
            math.nan if isinstance(value, str | bytes) else float(value.item() if hasattr(value, "item") else value)
        )
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{where} {name} must be a finite number, not {value!r:.60}")
    return number


def as_tensor(where: str, name: str, value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value
    backend = owner(value)
    if backend is None:
        raise ValueError(f"{where} {name} must be an array, not a {type(value).__name__}")
    return wrap(backend.adopt(value), backend)
