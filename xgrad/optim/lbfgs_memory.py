"""What L-BFGS keeps from one step to the next, by PyTorch's names: its steps, its last direction, and counters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import xgrad as xg
from xgrad._two_loops import Correction
from xgrad.engine.tensor import Tensor, wrap
from xgrad.engine.transfer import holds, transfer
from xgrad.optim.loading import as_step, as_tensor
from xgrad.optim.state import State

COUNTERS = ("n_iter", "func_evals")
VECTORS = ("d", "prev_flat_grad")
LISTS = ("old_dirs", "old_stps")  # the changes of the gradient, and the steps of the weights
NUMBERS = ("t", "H_diag", "prev_loss")
AFTER_A_STEP = (*VECTORS, *LISTS, "ro", *NUMBERS)  # all but the counters come with the first iteration


class Memory(State):
    """The state of the first parameter: vectors, lists of vectors and numbers. Nothing in it is written; a step replaces it."""

    __slots__ = ()

    def each(self, function: Callable[[Tensor], Any]) -> dict[str, Any]:
        """The entries with a function of each vector."""
        new = dict(self)
        new.update((name, function(self[name])) for name in VECTORS if name in self)
        new.update((name, [function(each) for each in self[name]]) for name in LISTS if name in self)
        return new

    def corrections(self) -> list[Correction]:
        """The corrections of the steps so far, oldest first."""
        kept = (self.get(name, []) for name in (*LISTS, "ro"))
        return [Correction(*each) for each in zip(*kept, strict=True)]

    def keep(self, corrections: list[Correction]) -> None:
        """Keep these corrections in place of the others."""
        self["old_dirs"] = [each.change for each in corrections]
        self["old_stps"] = [each.step for each in corrections]
        self["ro"] = [each.inverse for each in corrections]

    def vectors(self) -> Iterator[Tensor]:
        """All vectors."""
        for name in VECTORS:
            if name in self:
                yield self[name]
        for name in LISTS:
            yield from self.get(name, ())

    def export(self) -> dict[str, Any]:
        """The entries, with the vectors copied."""
        return {**self.each(lambda t: xg.asarray(t, copy=True)), **({"ro": list(self["ro"])} if "ro" in self else {})}

    def moved(self, p: Tensor, dtype: Any) -> Memory:
        """The same on the backend of `p` and in this dtype."""

        def there(t: Tensor) -> Tensor:
            if t.backend is p.backend and t.dtype == dtype:
                return t
            return wrap(transfer(t.data, t.backend, p.backend, dtype), p.backend)

        new = Memory(p)
        new.update(self.each(there))
        return new

    def __reduce__(self) -> Any:
        return _unpickle, (self.backend, self.dtype, self.is_single, dict(self))


def _unpickle(backend: Any, dtype: Any, is_single: bool, values: Mapping[str, Any]) -> Memory:
    memory = Memory.__new__(Memory)
    memory.place_at(backend, dtype, is_single)
    memory.update(values)
    return memory


def loaded_memory(p: Tensor, like: Tensor, values: Any) -> Memory:
    """The state from what `export` returned, here or in PyTorch. ValueError for what does not fit.

    Args:
        p: the first parameter.
        like: a vector of the length, dtype and backend that the vectors must have.
        values: the entries.
    """
    where = "LBFGS: in the loaded state of parameter 0,"
    if not isinstance(values, Mapping):
        raise ValueError(f"{where} the entry is a {type(values).__name__}, not a dict")
    wanted = COUNTERS if not values.get("n_iter") else (*COUNTERS, *AFTER_A_STEP)
    missing = [name for name in wanted if values.get(name) is None]
    if missing:
        raise ValueError(f"{where} {', '.join(missing)} is missing: is it the state of another class?")

    def vector(name: str, value: Any) -> Tensor:
        given = as_tensor(where, name, value)
        if given.shape != like.shape or not holds(like.backend, like.dtype, given.backend, given.dtype):
            raise ValueError(
                f"{where} {name} is of shape {given.shape} and dtype {given.dtype}, not {like.shape} and {like.dtype}"
            )
        return wrap(transfer(given.data, given.backend, like.backend, like.dtype), like.backend)

    memory = Memory(p)
    memory.update((name, as_step(where, values[name])) for name in COUNTERS)
    if wanted != COUNTERS:
        memory.update((name, vector(name, values[name])) for name in VECTORS)
        memory.update((name, [vector(name, each) for each in values[name]]) for name in LISTS)
        memory.update((name, float(values[name])) for name in NUMBERS)
        memory["ro"] = [float(each) for each in values["ro"]]
        if not len(memory["ro"]) == len(memory["old_dirs"]) == len(memory["old_stps"]):
            raise ValueError(f"{where} old_dirs, old_stps and ro must be of one length")
    return memory
