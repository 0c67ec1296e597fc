"""Functions for networks and their data: copies, calls with other parameters, samples, standardised data."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import xgrad as xg
from xgrad import nn, optim
from xgrad.engine import trees


class Functional:
    """A module as a function of its parameters: `Functional(model)(tensors, x)`, with tensors in the order of `.parameters`."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.parameters = list(model.parameters())
        places = {id(p): i for i, p in enumerate(self.parameters)}
        self.slots = [
            (vars(module), name, places[id(value)])
            for module in model.modules()
            for name, value in vars(module).items()
            if isinstance(value, nn.Parameter)
        ]

    def __call__(self, tensors: Sequence[xg.Tensor], *args: Any) -> Any:
        with self.holding(tensors):
            return self.model(*args)

    @contextmanager
    def holding(self, tensors: Sequence[xg.Tensor]) -> Iterator[None]:
        """The module computes with these tensors while the block runs."""
        for held, name, place in self.slots:
            held[name] = tensors[place]
        try:
            yield
        finally:
            for held, name, place in self.slots:
                held[name] = self.parameters[place]


def copy_of(model: nn.Module) -> nn.Module:
    """A copy with its own parameters, without gradients and without hooks."""
    copied = copy.deepcopy(model)
    for module in copied.modules():
        vars(module).pop("_forward_hooks", None)
        for parameter in module.parameters(recurse=False):
            parameter.grad = None
    return copied


def copy_optimizer(optimizer: optim.Optimizer, model: nn.Module, copied: nn.Module) -> optim.Optimizer:
    """A new optimizer of the same kind and options, for the parameters of a copy of the model."""
    twins = dict(zip(map(id, model.parameters()), copied.parameters(), strict=True))
    groups = []
    for group in optimizer.param_groups:
        params = [twins[id(p)] for p in group.params if id(p) in twins]
        if params:
            groups.append({**group.options, "params": params})
    return type(optimizer)(groups)  # type: ignore[call-arg]


def is_plain_sgd(optimizer: optim.Optimizer | None) -> bool:
    """Whether a parameter whose gradient is zero does not move: SGD without momentum and weight decay."""
    return isinstance(optimizer, optim.SGD) and all(
        not group["momentum"] and not group["weight_decay"] for group in optimizer.param_groups
    )


def rows(x: xg.Tensor, most: int) -> xg.Tensor:
    """At most `most` rows of x, evenly spaced."""
    count = x.shape[0] if x.shape else 0
    if count <= most:
        return x
    chosen = [k * (count - 1) // (most - 1) for k in range(most)]
    view = x.backend.view
    picked: xg.Tensor = view.take(x, view.asarray(chosen), axis=0)
    return picked


def is_tree(data: Any) -> bool:
    """Whether data is several arrays, in a tuple, a list or a dict, and not one array."""
    return isinstance(data, tuple | list | Mapping)


def tensors_in(tree: Any) -> list[xg.Tensor]:
    """The tensors in a tuple, a list, a dict, or several of them inside each other; or the tensor itself."""
    return [leaf for leaf in trees.flatten(tree)[0] if isinstance(leaf, xg.Tensor)]


def samples_in(tree: Any) -> int | None:
    """The number of samples, if all tensors have the same number of rows; otherwise None, as for a mask beside the inputs."""
    counts = {t.shape[:1] for t in tensors_in(tree)}
    return next(iter(counts))[0] if len(counts) == 1 and () not in counts else None


def rows_in(tree: Any, most: int) -> Any:
    """At most `most` samples of each tensor, the same ones; all of them where the tensors differ in their number of rows."""
    if isinstance(tree, xg.Tensor):
        return rows(tree, most)
    if (samples_in(tree) or 0) <= most:
        return tree
    return trees.map_leaves(lambda leaf: rows(leaf, most) if isinstance(leaf, xg.Tensor) else leaf, tree)


def arguments(inputs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """How inputs are passed to a model: a tuple or list as several arguments, a dict as named ones, an array alone."""
    if isinstance(inputs, Mapping):
        return (), {str(name): value for name, value in inputs.items()}
    return (tuple(inputs), {}) if isinstance(inputs, tuple | list) else ((inputs,), {})


def standardised(x: xg.Tensor) -> xg.Tensor:
    """x with each column at mean 0 and standard deviation 1; a constant column becomes 0."""
    view = x.backend.view
    away = x - view.mean(x, axis=0, keepdims=True)
    largest = view.max(view.abs(away), axis=0, keepdims=True)
    away = away / view.where(largest > 0, largest, view.ones_like(largest))  # so that no square overflows or underflows
    std = view.sqrt(view.mean(away * away, axis=0, keepdims=True))
    scaled: xg.Tensor = away / view.where(std > 0, std, view.ones_like(std))
    return scaled


def is_float(x: xg.Tensor) -> bool:
    return bool(x.backend.xp.isdtype(x.dtype, "real floating"))


def spread(x: xg.Tensor) -> float:
    """The standard deviation of all elements, without overflow."""
    view = x.backend.view
    if x.size == 0:
        return 0.0
    largest = float(view.max(view.abs(x)).item())
    if largest == 0 or largest != largest or largest == float("inf"):
        return largest
    return largest * float(view.std(x / largest).item())
