"""Dividing a dataset into parts at random."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from xgrad.backends.data import described
from xgrad.data.dataset import Subset
from xgrad.engine.integers import integer
from xgrad.random.default import default_generator
from xgrad.random.generator import Generator


def random_split(dataset: Any, lengths: Sequence[float], generator: Generator | None = None) -> list[Subset]:
    """Divide a dataset at random into parts without common samples.

    >>> import xgrad as xg
    >>> train, test = xg.data.random_split(range(10), [0.8, 0.2], generator=xg.random.Generator(0))
    >>> len(train), len(test), sorted([*train, *test]) == list(range(10))
    (8, 2, True)

    Args:
        dataset: a dataset with `__len__`.
        lengths: the lengths of the parts, integers with the sum `len(dataset)`, or fractions with the sum 1. The lengths of
            fractions are rounded down, and the samples that are left over go one by one to the first parts.
        generator: an `xgrad.random.Generator`; None means the default one.

    Returns:
        A list of subsets, one for each length.

    Raises:
        ValueError: for lengths with another sum, and for one that is negative.
        TypeError: for lengths that are no numbers.

    Warns of a part without samples.

    https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.random_split
    """
    n = len(dataset)
    sizes = _sizes(list(lengths), n)
    for i, size in enumerate(sizes):
        if size == 0:
            warnings.warn(f"random_split: part {i} has no samples", stacklevel=2)
    order = (default_generator() if generator is None else generator).host.permutation(n).tolist()
    parts, begin = [], 0
    for size in sizes:
        parts.append(Subset(dataset, order[begin : begin + size]))
        begin += size
    return parts


def _sizes(lengths: list[Any], n: int) -> list[int]:
    """The lengths of the parts, as integers with the sum n."""
    for each in lengths:
        if isinstance(each, bool) or not hasattr(each, "__float__"):
            raise TypeError(f"random_split: lengths must be integers or fractions, not {described(each)}")
    if any(float(each) < 0 for each in lengths):
        raise ValueError(f"random_split: lengths must be 0 or more, got {lengths}")
    total = sum(lengths)
    if math.isclose(total, 1):
        sizes = [math.floor(n * each) for each in lengths]
        for i in range(n - sum(sizes)):
            sizes[i % len(sizes)] += 1
        return sizes
    if total != n:
        raise ValueError(
            f"random_split: the sum of the lengths must be {n}, the samples of the dataset, or 1; it is {total}"
        )
    return [integer("random_split", each, "lengths", "hold integers or fractions") for each in lengths]
