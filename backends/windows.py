"""Windows of an array along its last axes: convolution and pooling, written with the standard's functions.

A window has `kernel` elements along each of n axes, `dilation` places apart. From window to window it moves by `stride` places.
Before that, zeros are added to the array: `padding` has a pair (before, after) for each axis. A negative number takes elements
away. These four are tuples with an entry for each axis.

What is linear comes with its transposes, which are its derivatives. Libraries override what they have, or compute faster.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

Numbers = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


def counts(size: Sequence[int], kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers) -> Numbers:
    """How many windows fit along each axis."""
    return tuple(
        (n + sum(pad) - d * (k - 1) - 1) // s + 1
        for n, k, s, pad, d in zip(size, kernel, stride, padding, dilation, strict=True)
    )


def reversed_padding(padding: Pairs) -> Pairs:
    """What takes away the zeros that `padding` adds."""
    return tuple((-before, -after) for before, after in padding)


def padding_of_transpose(size: Numbers, count: Numbers, kernel: Numbers, padding: Pairs, dilation: Numbers) -> Pairs:
    """With stride 1 the transpose of a convolution is a convolution of `count` elements to `size`: its padding."""
    found = []
    for n, m, k, (before, _), d in zip(size, count, kernel, padding, dilation, strict=True):
        reach = d * (k - 1)
        found.append((reach - before, n - m + before))
    return tuple(found)


def places(kernel: Numbers, count: Numbers, stride: Numbers, dilation: Numbers) -> Iterator[tuple[Numbers, Any]]:
    """For each element of a window, in row-major order: its place, and the key of that element of all windows."""
    for place in itertools.product(*map(range, kernel)):
        yield (
            place,
            (
                ...,
                *(
                    slice(i * d, i * d + s * (n - 1) + 1, s)
                    for i, d, s, n in zip(place, dilation, stride, count, strict=True)
                ),
            ),
        )


class Windows:
    """The part of Raw that is about windows."""

    if TYPE_CHECKING:  # the standard's functions, and those of Raw

        def __getattr__(self, name: str) -> Any: ...

    # --- the windows themselves ---

    def _padded(self, x: Any, padding: Pairs, fill: float = 0) -> Any:
        """x with zeros (or `fill`) added along its last axes, or with elements taken away where the padding is negative."""
        if not any(map(any, padding)):
            return x
        n = len(padding)
        size = x.shape[x.ndim - n :]
        inner = tuple(slice(max(0, -b), m - max(0, -a)) for m, (b, a) in zip(size, padding, strict=True))
        if min(map(min, padding)) < 0:
            x = x[(..., *inner)]
        if max(map(max, padding)) <= 0:
            return x
        whole = tuple(m + b + a for m, (b, a) in zip(size, padding, strict=True))
        kept = x.shape[x.ndim - n :]
        at = (..., *(slice(max(0, b), max(0, b) + m) for m, (b, _) in zip(kept, padding, strict=True)))
        shape = (*x.shape[: x.ndim - n], *whole)
        return self.scatter(x, at, shape) if fill == 0 else self.setitem(self.full(shape, fill, dtype=x.dtype), x, at)

    def _cropped(self, x: Any, padding: Pairs) -> tuple[Any, Pairs]:
        """x without the elements that negative padding takes away, and the rest of the padding."""
        if min(map(min, padding), default=0) >= 0:
            return x, padding
        x = self._padded(x, tuple((min(b, 0), min(a, 0)) for b, a in padding))
        return x, tuple((max(b, 0), max(a, 0)) for b, a in padding)

    def _added(self, y: Any, value: Any, key: Any) -> Any:
        """y with `value` added at `key`. y is an array of the caller's own, and may be overwritten."""
        return self._put(y, y[key] + value, key)

    def windows(self, x: Any, *, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers) -> Any:
        """All windows: (..., *size) becomes (..., *kernel, *count)."""
        before = x.shape[: x.ndim - len(kernel)]
        count = counts(x.shape[len(before) :], kernel, stride, padding, dilation)
        x = self._padded(x, padding)
        parts = [x[key] for _, key in places(kernel, count, stride, dilation)]
        return self.reshape(self.stack(parts, axis=len(before)), (*before, *kernel, *count))

    def add_windows(self, x: Any, *, size: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers) -> Any:
        """The transpose of `windows`: each element is added at the place that it was taken from."""
        n = len(size)
        before, kernel, count = x.shape[: x.ndim - 2 * n], x.shape[x.ndim - 2 * n : x.ndim - n], x.shape[x.ndim - n :]
        whole = tuple(m + sum(pad) for m, pad in zip(size, padding, strict=True))
        y = self.zeros((*before, *whole), dtype=x.dtype)
        for place, key in places(kernel, count, stride, dilation):
            y = self._added(y, x[(..., *place, *(slice(None),) * n)], key)
        return self._padded(y, reversed_padding(padding))

    # --- convolution: (N, C, *size) with weights (O, C / groups, *kernel) becomes (N, O, *count) ---

    def convolution(
        self,
        x: Any,
        weight: Any,
        bias: Any = None,
        *,
        stride: Numbers,
        padding: Pairs,
        dilation: Numbers,
        groups: int,
    ) -> Any:
        """The convolution of layers, which is a correlation: the sum over the channels of each group and over each window."""
        kernel = weight.shape[2:]
        w = self.windows(x, kernel=kernel, stride=stride, padding=padding, dilation=dilation)
        count = w.shape[2 + len(kernel) :]
        rows = prod(weight.shape[1:])
        w = self.reshape(w, (x.shape[0], groups, rows, prod(count)))
        y = self.matmul(self.reshape(weight, (groups, weight.shape[0] // groups, rows)), w)
        y = self.reshape(y, (x.shape[0], weight.shape[0], *count))
        return y if bias is None else y + self.reshape(bias, (-1, *(1,) * len(kernel)))

    def convolution_transpose(
        self, x: Any, weight: Any, *, size: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers, groups: int
    ) -> Any:
        """The transpose of `convolution` in its input, which had `size`."""
        kernel, count, rows = weight.shape[2:], x.shape[2:], prod(weight.shape[1:])
        y = self.reshape(x, (x.shape[0], groups, weight.shape[0] // groups, prod(count)))
        w = self.matrix_transpose(self.reshape(weight, (groups, weight.shape[0] // groups, rows)))
        w = self.reshape(self.matmul(w, y), (x.shape[0], groups * weight.shape[1], *kernel, *count))
        return self.add_windows(w, size=tuple(size), stride=stride, padding=padding, dilation=dilation)

    def convolution_weight(
        self, x: Any, g: Any, *, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers, groups: int
    ) -> Any:
        """The transpose of `convolution` in its weight: x is its input, and g has the shape of its result."""
        w = self.windows(x, kernel=kernel, stride=stride, padding=padding, dilation=dilation)
        n, out, columns = g.shape[0], g.shape[1] // groups, prod(g.shape[2:])
        rows = x.shape[1] // groups * prod(kernel)
        w = self.permute_dims(self.reshape(w, (n, groups, rows, columns)), (1, 0, 3, 2))
        y = self.permute_dims(self.reshape(g, (n, groups, out, columns)), (1, 2, 0, 3))
        product = self.matmul(self.reshape(y, (groups, out, n * columns)), self.reshape(w, (groups, n * columns, rows)))
        return self.reshape(product, (groups * out, x.shape[1] // groups, *kernel))

    # --- pooling ---

    def sum_pool(self, x: Any, *, kernel: Numbers, stride: Numbers, padding: Pairs) -> Any:
        """The sum of each window: one axis after the other."""
        n = len(kernel)
        count = counts(x.shape[x.ndim - n :], kernel, stride, padding, (1,) * n)
        x = self._padded(x, padding)
        for a in range(n):
            after = (slice(None),) * (n - 1 - a)
            first, *others = (
                x[(..., slice(i, i + stride[a] * (count[a] - 1) + 1, stride[a]), *after)] for i in range(kernel[a])
            )
            x = first + others.pop() if others else first
            for other in others:
                x += other
        return x

    def spread_pool(self, x: Any, *, size: Numbers, kernel: Numbers, stride: Numbers, padding: Pairs) -> Any:
        """The transpose of `sum_pool`: each element is added everywhere in its window."""
        n = len(kernel)
        for a in reversed(range(n)):
            axis = x.ndim - n + a
            whole = (*x.shape[:axis], size[a] + sum(padding[a]), *x.shape[axis + 1 :])
            y = self.zeros(whole, dtype=x.dtype)
            for i in range(kernel[a]):
                at = slice(i, i + stride[a] * (x.shape[axis] - 1) + 1, stride[a])
                y = self._added(y, x, (..., at, *(slice(None),) * (n - 1 - a)))
            x = y
        return self._padded(x, reversed_padding(padding))

    def max_pool(
        self, x: Any, *, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers
    ) -> tuple[Any, Any]:
        """The largest element of each window, the first of several that are equal, and its index in the flattened last axes.

        Padding is never chosen. If there is a nan, the last one is.
        """
        size = x.shape[x.ndim - len(kernel) :]
        count = counts(size, kernel, stride, padding, dilation)
        low = -math.inf if self.isdtype(x.dtype, "real floating") else self.iinfo(x.dtype).min
        x = self._padded(x, padding, low)
        y, best = None, self._first_in_array(count, kernel, stride, padding, dilation)
        for number, (_, key) in enumerate(places(kernel, count, stride, dilation)):
            part = x[key]
            if y is None:
                y, best = part, self.broadcast_to(best, part.shape)
                continue
            better = (part > y) | (part != part)
            y = self.where(better, part, y)
            best = self.where(better, self.full((), number, dtype=best.dtype), best)
        return y, self._flat_index(best, size, kernel, stride, padding, dilation)

    def _first_in_array(
        self, count: Numbers, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers
    ) -> Any:
        """For each window, the number of its first element that is not padding."""
        number: Any = self.zeros(count, dtype=self.arange(0).dtype)
        for a, (k, s, (before, _), d) in enumerate(zip(kernel, stride, padding, dilation, strict=True)):
            number *= k
            if before > 0:
                outside = before - self.arange(count[a]) * s
                skipped = self.where(outside > 0, (outside + d - 1) // d, self.zeros_like(outside))
                number += self.reshape(skipped, (-1, *(1,) * (len(kernel) - 1 - a)))
        return number

    def _flat_index(
        self, number: Any, size: Numbers, kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers
    ) -> Any:
        """The index in the flattened array of the element with a number in each window."""
        n, found = len(kernel), None
        for a in range(n):
            inner = prod(kernel[a + 1 :])
            place = number // inner if inner > 1 else number
            if a:
                place = place % kernel[a]
            starts = self.arange(number.shape[number.ndim - n + a]) * stride[a] - padding[a][0]
            place = place * dilation[a] + self.reshape(starts, (-1, *(1,) * (n - 1 - a)))
            found = place if found is None else found * size[a] + place
        return found

    def take_pooled(self, x: Any, indices: Any, *, axes: int) -> Any:
        """The elements at indices in the flattened last axes, as `max_pool` gives them."""
        before = x.shape[: x.ndim - axes]
        flat = self.reshape(x, (*before, prod(x.shape[len(before) :])))
        lines = self.reshape(indices, (*before, prod(indices.shape[len(before) :])))
        return self.reshape(self.take_along_axis(flat, lines, axis=len(before)), indices.shape)

    def scatter_pooled(self, x: Any, indices: Any, *, size: Numbers) -> Any:
        """The transpose of `take_pooled`, which took from an array with `size` as its last axes."""
        before = x.shape[: x.ndim - len(size)]
        lines = (*before, prod(x.shape[len(before) :]))
        flat = self.scatter_along_axis(
            self.reshape(x, lines), self.reshape(indices, lines), (*before, prod(size)), len(before)
        )
        return self.reshape(flat, (*before, *size))
