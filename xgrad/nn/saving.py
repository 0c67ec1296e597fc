"""The state dict of a module: saving it, and loading either all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from xgrad.backends import owner
from xgrad.backends.data import is_scalar
from xgrad.engine.swap import Swap
from xgrad.engine.tensor import Tensor
from xgrad.engine.transfer import holds, transfer
from xgrad.nn.modulelike import ModuleLike
from xgrad.nn.parameter import Parameter


class StateError(RuntimeError, ValueError):
    """The error for a loaded state that does not fit: a RuntimeError, as in PyTorch, and a ValueError.

    `differences` lists what does not fit, if that is known.

    >>> import xgrad as xg
    >>> try:
    ...     xg.nn.Linear(2, 1).load_state_dict({"weight": xg.ones((1, 3))})
    ... except xg.state.StateError as error:
    ...     print(error.differences)
    ('missing: bias', 'weight has shape (1, 3) in the loaded state and (1, 2) here')
    """

    def __init__(self, message: str, differences: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.differences = tuple(differences)


class IncompatibleKeys(NamedTuple):
    """The names that a loaded state lacks, and those that the module does not have."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def saved_tensors(module: ModuleLike) -> Iterator[tuple[str, Tensor]]:
    """Parameters and persistent buffers by dotted name, as PyTorch orders them. A shared one has each of its names."""
    for path, part in module.named_modules(remove_duplicate=False):
        held = vars(part)
        own = [(name, value) for name, value in held.items() if isinstance(value, Parameter)]
        own += [(name, held[name]) for name, saved in part._buffers.items() if saved and held.get(name) is not None]
        for name, value in own:
            yield (f"{path}.{name}" if path else name), value


def state_dict(module: ModuleLike, prefix: str, keep_vars: bool) -> dict[str, Tensor]:
    # No copy is needed: an optimizer does not write into an array that something else holds.
    return {prefix + name: value if keep_vars else value.detach() for name, value in saved_tensors(module)}


def prepare(module: ModuleLike, state: Any, strict: bool) -> tuple[Swap, IncompatibleKeys]:
    """What takes over a loaded state, and the names that are not in both. Raises StateError if the state does not fit."""
    if not isinstance(state, Mapping):
        raise StateError(f"{type(module).__name__}.load_state_dict takes a dict of arrays, not {type(state).__name__}")
    mine = dict(saved_tensors(module))
    missing = [name for name in mine if name not in state]
    unexpected = [name for name in state if name not in mine]
    matching = {name: tensor for name, tensor in mine.items() if name in state}

    errors = []
    if strict and missing:
        errors.append("missing: " + ", ".join(missing))
    if strict and unexpected:
        errors.append("unexpected: " + ", ".join(map(str, unexpected)))
    errors += [f"{name} {wrong}" for name, tensor in matching.items() if (wrong := misfit(state[name], tensor))]
    if errors:
        lines = "\n    ".join(errors)
        raise StateError(f"{type(module).__name__}.load_state_dict: nothing was loaded.\n    {lines}", errors)

    swap = Swap((tensor, "data", fitted(state[name], tensor)) for name, tensor in matching.items())
    return swap, IncompatibleKeys(missing, unexpected)


def misfit(value: Any, tensor: Tensor) -> str | None:
    """Why a loaded value does not fit the tensor, in words; None if it fits."""
    source = value.backend if isinstance(value, Tensor) else owner(value)
    if source is None:
        if is_scalar(value) and not tensor.shape and not isinstance(value, complex):
            return None
        return f"is a {type(value).__name__} in the loaded state, not an array"
    if tuple(value.shape) != tensor.shape:
        return f"has shape {tuple(value.shape)} in the loaded state and {tensor.shape} here"
    if not holds(tensor.backend, tensor.dtype, source, value.dtype):
        return f"is of dtype {value.dtype} in the loaded state, which does not fit into {tensor.dtype} here"
    return None


def fitted(value: Any, tensor: Tensor) -> Any:
    """A copy of `value`, a tensor of any backend or an array, as a raw array of the backend and dtype of `tensor`."""
    source, array = (value.backend, value.data) if isinstance(value, Tensor) else (owner(value), value)
    if source is not None:
        return transfer(array, source, tensor.backend, tensor.dtype)
    return tensor.backend.asarray(value, dtype=tensor.dtype, copy=True)
