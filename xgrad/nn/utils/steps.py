"""The places of the elements of packed sequences."""

from __future__ import annotations

from collections.abc import Sequence

import xgrad as xg
from xgrad.engine.tensor import Tensor


class Steps:
    """The places of packed elements in a padded array of shape (steps, N, ...). They are computed from the batch sizes."""

    def __init__(self, batch_sizes: Sequence[int]) -> None:
        self.batch_sizes = list(batch_sizes)
        self.n = self.batch_sizes[0] if self.batch_sizes else 0
        self.lengths = [sum(size > i for size in self.batch_sizes) for i in range(self.n)]
        self._places = [t * self.n + i for t, size in enumerate(self.batch_sizes) for i in range(size)]

    def padded(self, data: Tensor, value: float = 0.0) -> Tensor:
        """The elements as an array of shape (steps, N, ...), with that value where a sequence has ended."""
        count = len(self._places)
        order = {place: k for k, place in enumerate(self._places)}
        filled = data.__array_namespace__().full((1, *data.shape[1:]), value, dtype=data.dtype)
        rows = [order.get(place, count) for place in range(len(self.batch_sizes) * self.n)]
        return self._shaped(_take(xg.concat([data, filled], axis=0), rows))

    def packed(self, x: Tensor) -> Tensor:
        """The elements of an array of shape (steps, N, ...) without padding."""
        return _take(self._flat(x), self._places)

    def turned(self, x: Tensor) -> Tensor:
        """Each sequence backwards. The padding stays at the end."""
        steps = range(len(self.batch_sizes))
        before = [(n - 1 - t if t < n else t, i) for t in steps for i, n in enumerate(self.lengths)]
        return self._shaped(_take(self._flat(x), [t * self.n + i for t, i in before]))

    def last(self, x: Tensor) -> Tensor:
        """The last element of each sequence."""
        return _take(self._flat(x), [(n - 1) * self.n + i for i, n in enumerate(self.lengths)])

    def _flat(self, x: Tensor) -> Tensor:
        return xg.reshape(x, (len(self.batch_sizes) * self.n, *x.shape[2:]))

    def _shaped(self, x: Tensor) -> Tensor:
        return xg.reshape(x, (len(self.batch_sizes), self.n, *x.shape[1:]))


def _take(x: Tensor, rows: list[int]) -> Tensor:
    return xg.take(x, x.__array_namespace__().asarray(rows, dtype="int64"), axis=0)
