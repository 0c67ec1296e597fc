"""How far a pass over a loader has come, and reading it from a saved state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xgrad.backends.data import described

KEYS = ("epoch", "position", "seed", "sampler", "dataset", "ended", "size")


class Progress:
    """One pass: how many batches have been handed out, and what their order follows from."""

    __slots__ = ("ended", "finished", "of_dataset", "of_sampler", "position", "seed")

    def __init__(self) -> None:
        self.position = 0
        self.seed: int | None = None  # of the sampler's order
        self.of_sampler: Any = None  # the state of a sampler without a seed, at the beginning of the pass
        self.of_dataset: Any = None  # the state of an iterable dataset, after the last batch that was handed out
        self.ended = False  # whether that was the last batch of an iterable dataset, for which it had too few samples
        self.finished = False

    @classmethod
    def read(cls, state: Any, size: list[int | None], shuffled: bool) -> tuple[int, Progress]:
        """The epoch and the pass in a saved state. Raises ValueError for one that is not a loader's, or of another loader."""
        name = "DataLoader.load_state_dict"
        is_one = isinstance(state, Mapping) and all(key in state for key in KEYS)
        if not is_one or not isinstance(state["size"], list | tuple) or len(state["size"]) != 2:
            raise ValueError(f"{name}: expected what state_dict returned, got {described(state)}")
        found = cls()
        counts = {key: _count(name, key, state[key]) for key in ("epoch", "position")}
        found.position = counts["position"]
        found.seed = None if state["seed"] is None else _count(name, "seed", state["seed"])
        if found.position and list(state["size"]) != size:
            (samples, batch), (own_samples, own_batch) = state["size"], size
            raise ValueError(
                f"{name}: the state is from within a pass over {samples} samples in batches of {batch}, and this loader has "
                f"{own_samples} samples in batches of {own_batch}"
            )
        if found.position and shuffled != (found.seed is not None):
            was, now = ("is not", "is") if shuffled else ("is", "is not")
            raise ValueError(f"{name}: the state is from within a pass that {was} shuffled, and this loader {now}")
        found.of_sampler, found.of_dataset, found.ended = state["sampler"], state["dataset"], bool(state["ended"])
        return counts["epoch"], found


def has_state(thing: Any) -> bool:
    """Whether a sampler or a dataset of the user's has a state of its own."""
    return hasattr(thing, "state_dict") and hasattr(thing, "load_state_dict")


def _count(name: str, key: str, value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{name}: {key!r} must be an integer, 0 or more, not {described(value)}")
    return value
