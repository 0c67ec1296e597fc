"""The options of an optimizer, each said once: the signature of its `__init__` is the table.

A row is a parameter with an annotated type: `lr: Annotated[float, at_least_zero, "the learning rate"] = 1e-3` gives its name, its
type, what is allowed, what it means, and its default. The checks and the "Args" of the docstring are read from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from xgrad.optim.options import Check, at_least_zero, flag, two_fractions

# --- rows that several optimizers have --------------------------------------------------------------

LearningRate = Annotated[float, at_least_zero, "the learning rate"]
Betas = Annotated[
    tuple[float, float], two_fractions, "how much of the first and of the second moment is kept from step to step"
]
Eps = Annotated[float, at_least_zero, "keeps the division finite"]
Momentum = Annotated[float, at_least_zero, "how much of the velocity is kept from step to step"]
WeightDecay = Annotated[float, at_least_zero, "adds `weight_decay * p` to the gradient"]
Maximize = Annotated[bool, flag, "climb instead of descend"]


class Option(NamedTuple):
    """A row of the table: the type, what is allowed, and what the option means."""

    type: Any
    check: Check
    meaning: str


def options_of(init: Callable[..., None]) -> dict[str, Option]:
    """The table that is the signature of this `__init__`: its annotated parameters, in their order."""
    rows = {}
    for name, hint in get_type_hints(init, include_extras=True).items():
        if get_origin(hint) is Annotated:
            rows[name] = Option(*get_args(hint))
    return rows


def read_table(cls: Any) -> None:
    """Give a class the checks and the documentation of its options. help() then shows their types alone: `lr: float = 0.001`."""
    try:
        table = options_of(cls.__init__)
    except NameError:  # annotations that only a type checker can resolve
        table = {}
    if table:
        cls.checks = {**getattr(cls, "checks", {}), **{name: row.check for name, row in table.items()}}
        cls.__doc__ = documented(cls.__doc__, table) if cls.__doc__ else None  # python -OO leaves none
        cls.__init__.__annotations__.update((name, row.type) for name, row in table.items())


def given(names: Mapping[str, Any]) -> dict[str, Any]:
    """The options among the local names of an `__init__`."""
    return {name: value for name, value in names.items() if name not in ("self", "params", "__class__")}


def documented(text: str, table: Mapping[str, Option]) -> str:
    """The docstring with the table as its "Args", in front of its example."""
    rows = ['params: the tensors to train, or dicts (param groups) with "params" and options of their own.']
    rows += [f"{name}: {row.meaning}. {row.check.__doc__ or ''}".rstrip() for name, row in table.items()]
    section = [
        "Args:",
        *(f"    {row}" for row in rows),
        "",
        "Raises:",
        "    ValueError: an option out of its range, or no parameters.",
    ]
    before, example, after = text.partition(">>>")
    lines = "\n    ".join(section).replace("\n    \n", "\n\n")
    return f"{before.rstrip()}\n\n    {lines}\n\n    {example}{after}"
