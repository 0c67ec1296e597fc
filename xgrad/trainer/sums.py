"""Numbers of many batches, which stay on the device until they are read together."""

from __future__ import annotations

import math
from typing import Any

import xgrad as xg

MOST = 1000  # values that wait to be read


class Sums:
    """Values of batches and how many samples each stands for. A value is a number or a tensor, all of one shape.

    Reading waits for the device, so the values are read together: when they are asked for, or when a thousand wait.
    """

    def __init__(self) -> None:
        self.waiting: list[Any] = []  # raw arrays and numbers
        self.backend: Any = None  # of those that are arrays
        self.counts: list[float] = []  # for all values
        self.values: list[Any] = []  # what has been read: floats, or nested lists of floats

    def add(self, value: Any, count: float = 1) -> None:
        """Take a value, which stands for so many samples."""
        if isinstance(value, xg.Tensor):
            self.backend = value.backend
            value = value._data
        self.waiting.append(value)
        self.counts.append(count)
        if len(self.waiting) >= MOST:
            self.flush()

    def flush(self) -> None:
        """Read the values that wait."""
        waiting, self.waiting = self.waiting, []
        arrays = [value for value in waiting if not isinstance(value, float | int)]
        if arrays:
            backend = self.backend
            read = iter(
                backend.to_numpy(backend.xp.stack(arrays)).tolist() if len(arrays) > 1 else [_one(backend, arrays[0])]
            )
            waiting = [value if isinstance(value, float | int) else next(read) for value in waiting]
        self.values += waiting

    def read(self) -> list[tuple[Any, float]]:
        """All values with their counts, as numbers of Python or lists of them."""
        self.flush()
        return list(zip(self.values, self.counts, strict=True))

    def mean(self) -> float:
        """The mean of the values, weighted by their counts; nan for none."""
        pairs = self.read()
        total = math.fsum(count for _, count in pairs)
        if not total:
            return math.nan
        if not all(math.isfinite(value) for value, _ in pairs):
            return float(sum(value * count for value, count in pairs) / total)  # fsum raises for inf - inf
        return math.fsum(value * count for value, count in pairs) / total

    def clear(self) -> None:
        """Forget all values."""
        self.waiting, self.counts, self.values = [], [], []

    def state_dict(self) -> dict[str, Any]:
        """The values and counts, for JSON."""
        self.flush()
        return {"values": list(self.values), "counts": list(self.counts)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the values and counts of a state."""
        self.waiting, self.values, self.counts = [], list(state["values"]), list(state["counts"])


def _one(backend: Any, array: Any) -> Any:
    return backend.to_numpy(array).tolist()
