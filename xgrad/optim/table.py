"""The options of an optimizer, each written once: the signature of its `__init__` is the table.

A row is a parameter with an annotated type. `lr: Annotated[float, at_least_zero, "the learning rate"] = 1e-3` gives the name of
an option, its type, its check, its meaning and its default. The checks and the docstring's "Args" are made from these rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple, TypedDict, get_args, get_origin, get_type_hints

from xgrad.optim.options import Check, at_least_zero, flag, two_fractions

# --- rows that several optimizers share --------------------------------------------------------------

LearningRate = Annotated[float, at_least_zero, "the learning rate"]
Betas = Annotated[tuple[float, float], two_fractions, "the decay rates of the first and of the second moment"]
Eps = Annotated[float, at_least_zero, "is added to the denominator, so that the quotient stays finite"]
Momentum = Annotated[float, at_least_zero, "the decay rate of the velocity; 0 for none"]
WeightDecay = Annotated[float, at_least_zero, "g becomes `g + weight_decay * p`"]
Shrinking = Annotated[float, at_least_zero, "at each step p is multiplied by `1 - lr * weight_decay`"]
Decoupled = Annotated[
    bool, flag, "whether weight decay multiplies p by `1 - lr * weight_decay`, as in AdamW, and leaves g"
]
Maximize = Annotated[bool, flag, "whether to maximise the loss instead: g becomes -g"]


class Implementation(TypedDict, total=False):
    """PyTorch's arguments that choose among its implementations. Each optimizer takes them, and they change nothing."""

    foreach: bool | None
    fused: bool | None
    capturable: bool
    differentiable: bool


class Option(NamedTuple):
    """A row of the table: the type of an option, its check, and its meaning."""

    type: Any
    check: Check
    meaning: str


def options_of(init: Callable[..., None]) -> dict[str, Option]:
    """The table in the signature of an `__init__`: its annotated parameters, in order."""
    rows = {}
    for name, hint in get_type_hints(init, include_extras=True).items():
        if get_origin(hint) is Annotated:
            rows[name] = Option(*get_args(hint))
    return rows


def read_table(cls: Any) -> None:
    """Set a class's checks and its docstring from its table. The annotations become the types alone, for help()."""
    try:
        table = options_of(cls.__init__)
    except NameError:  # an annotation names something that was imported for the type checker only
        table = {}
    if table:
        cls.checks = {**getattr(cls, "checks", {}), **{name: row.check for name, row in table.items()}}
        cls.__doc__ = documented(cls.__doc__, table) if cls.__doc__ else None  # python -OO leaves none
        cls.__init__.__annotations__.update((name, row.type) for name, row in table.items())


def given(names: Mapping[str, Any]) -> dict[str, Any]:
    """The options among the local variables of an `__init__`: all but self, params and those of `Implementation`.

    Raises TypeError for an argument that is neither, and ValueError for `differentiable=True`.
    """
    implementation = names.get("implementation", {})
    owner = type(names.get("self")).__name__
    for name, value in implementation.items():
        if name not in Implementation.__annotations__:
            raise TypeError(f"{owner} has no option {name!r}")
        if name == "differentiable" and value:
            raise ValueError(
                f"{owner}: differentiable=True is not supported: step() is not recorded. "
                f"{owner}.update on tensors, with xgrad as the namespace, can be differentiated"
            )
    return {
        name: value for name, value in names.items() if name not in ("self", "params", "__class__", "implementation")
    }


def documented(text: str, table: Mapping[str, Option]) -> str:
    """The docstring with the sections Args and Raises, in front of its example."""
    rows = [
        'params: tensors to train, pairs of a name and a tensor, or dicts with these as "params" and options of their own.'
    ]
    rows += [f"{name}: {row.meaning}. {row.check.__doc__ or ''}".rstrip() for name, row in table.items()]
    rows.append(
        "implementation: `foreach`, `fused`, `capturable` and `differentiable=False`, which choose among PyTorch's "
        "implementations, are accepted and ignored."
    )
    section = [
        "Args:",
        *(f"    {row}" for row in rows),
        "",
        "Raises:",
        "    ValueError: for an option out of its range, no parameters, a parameter that is listed twice or is no leaf.",
        "    TypeError: for a single tensor, a set, a parameter that is not a tensor, or an unknown argument.",
    ]
    before, example, after = text.partition(">>>")
    lines = "\n    ".join(section).replace("\n    \n", "\n\n")
    return f"{before.rstrip()}\n\n    {lines}\n\n    {example}{after}"
