"""A table of the layers of a network."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import xgrad as xg
from xgrad import random
from xgrad.nn.module import Module

Row = tuple[str, str, str]


def summary(model: Module, input: Any, *others: Any, **keywords: Any) -> str:
    """A table of the modules of a network: names and classes, shapes of the outputs, and numbers of parameters.

    The network is called once, in evaluation and without gradients, as a copy that shares its parameters. So its mode, buffers,
    generators and gradients stay as they are, and so does the default generator. A module that is used in two places, and a
    parameter that two modules share, are counted once. A module that is not called has no shape.

    Args:
        model: the network.
        input: what the network is called with, of the shape and dtype of real data.
        *others: further arguments of the call.
        **keywords: keyword arguments of the call.

    Returns:
        The table as text: a line for each module, indented by its depth, and the numbers of parameters that are trained, that are
        not (`requires_grad` is False), and of both.

    Raises:
        TypeError: for a model that is no Module. What the network raises is raised.

    >>> import xgrad as xg
    >>> net = xg.nn.Sequential(xg.nn.Linear(4, 8), xg.nn.Tanh(), xg.nn.Linear(8, 1))
    >>> print(xg.nn.utils.summary(net, xg.zeros((5, 4))))
    layer         output shape  parameters
    --------------------------------------
    Sequential    (5, 1)                 0
      0: Linear   (5, 8)                40
      1: Tanh     (5, 8)                 0
      2: Linear   (5, 1)                 9
    --------------------------------------
    trainable parameters                49
    other parameters                     0
    all parameters                      49

    PyTorch's users know it from https://github.com/TylerYep/torchinfo
    """
    if not isinstance(model, Module):
        raise TypeError(f"summary: the model must be a Module, got {type(model).__name__}")
    twin = copy.deepcopy(model, {id(p): p for p in model.parameters()})
    shapes: dict[Module, str] = {}

    def note(module: Module, args: Any, output: Any) -> None:
        shapes.setdefault(module, ", ".join(_shapes(output)))

    for module in twin.modules():
        module.register_forward_hook(note)
    state = random.get_rng_state()
    try:
        with xg.no_grad():
            twin.eval()(input, *others, **keywords)
    finally:
        random.set_rng_state(state)
    return _table(list(_rows(twin, shapes)), _counts(twin))


def _shapes(output: Any) -> Iterator[str]:
    """The shape of each array in an output; the type of what is no array."""
    if isinstance(output, dict):
        output = list(output.values())
    if isinstance(output, tuple | list):
        for part in output:
            yield from _shapes(part)
    elif hasattr(output, "shape"):
        yield str(tuple(output.shape))
    else:
        yield type(output).__name__


def _rows(model: Module, shapes: dict[Module, str]) -> Iterator[Row]:
    seen: set[int] = set()
    for path, module in model.named_modules():
        new = {id(p): int(p.size) for p in module.parameters(recurse=False) if id(p) not in seen}
        seen |= new.keys()
        names = path.split(".") if path else []
        label = f"{'  ' * len(names)}{names[-1]}: " if names else ""
        yield label + type(module).__name__, shapes.get(module, "-"), f"{sum(new.values()):,}"


def _counts(model: Module) -> list[tuple[str, str]]:
    trained = sum(int(p.size) for p in model.parameters() if p.requires_grad)
    total = sum(int(p.size) for p in model.parameters())
    numbers = {"trainable": trained, "other": total - trained, "all": total}
    return [(f"{word} parameters", f"{n:,}") for word, n in numbers.items()]


def _table(rows: list[Row], counts: list[tuple[str, str]]) -> str:
    head = ("layer", "output shape", "parameters")
    names, shapes, numbers = (max(len(cell) for cell in column) for column in zip(head, *rows, strict=True))
    names = max(names, max(len(word) for word, _ in counts) - shapes - 2, 12)
    line = "-" * (names + shapes + numbers + 4)
    lines = [f"{name:<{names}}  {shape:<{shapes}}  {number:>{numbers}}" for name, shape, number in (head, *rows)]
    ends = [f"{word:<{names + shapes + 4}}{number:>{numbers}}" for word, number in counts]
    return "\n".join([lines[0], line, *lines[1:], line, *ends])
