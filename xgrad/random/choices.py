"""Choices among elements: choice, shuffle, and the counts of multinomial and dirichlet shares."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

from xgrad.backends.data import described, is_scalar
from xgrad.engine.integers import integer
from xgrad.engine.tensor import Tensor
from xgrad.random.place import Place, Shape, all_true, is_array, sizes
from xgrad.rules.creation import asarray
from xgrad.rules.data_type import astype
from xgrad.rules.elementwise import abs as absolute
from xgrad.rules.elementwise import minimum
from xgrad.rules.searching import count_nonzero, searchsorted
from xgrad.rules.shapes import normalize_axes
from xgrad.rules.statistical import cumulative_sum
from xgrad.rules.statistical import sum as total
from xgrad.rules.taking import take

FEW = 16  # levels are counted, which is faster than a search, and which vmap can do
TOLERANCE = 1e-6  # of a sum of probabilities, which may have been computed in float32


def level_of(levels: Tensor, drawn: Tensor) -> Tensor:
    """How many levels along the last axis are not above each number, whose axes end with the other axes of the levels."""
    if levels.ndim == 1 and levels.shape[0] > FEW:
        with suppress(NotImplementedError):  # inside vmap, where the levels differ from example to example
            return searchsorted(levels, drawn.reshape(-1), side="right").reshape(drawn.shape)
    return count_nonzero(drawn[..., None] >= levels, axis=-1)


class Choices:
    """The methods of a generator that choose."""

    host: Any

    def choice(
        self, a: Any, size: Shape | None = None, replace: bool = True, p: Any = None, axis: int = 0, *, dtype: Any = None,
        device: Any = None, like: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """Elements of `a` along an axis, or of 0 to a - 1 for an integer, with the probabilities `p` or all equally likely.

        With `replace=False` no element is chosen twice. `dtype`, `device` and `like` are for an integer `a`.
        """
        numbers = is_scalar(a) or not is_array(a)
        array = None if numbers else asarray(a).detach()
        count = (
            integer("choice", a, "a") if array is None else array.shape[normalize_axes("choice", axis, array.ndim)[0]]
        )
        shape = sizes("choice", size, "size")
        chances = None if p is None else self._chances("choice", p, count)
        self._check_choice(count, shape, replace, chances)
        place = Place("integral", dtype, device, like if array is None else array)
        drawn = self._positions(count, shape, replace, chances, place)
        if array is None:
            return drawn
        chosen = take(array, drawn.reshape(-1), axis=axis)
        at = normalize_axes("choice", axis, array.ndim)[0]
        return chosen.reshape((*array.shape[:at], *shape, *array.shape[at + 1 :]))

    def _chances(self, name: str, p: Any, count: int | None) -> Tensor:
        chances = asarray(p).detach()
        if chances.ndim != 1 or count not in (None, chances.shape[0]):
            raise ValueError(
                f"{name}: p must have the shape ({count},), one probability for each element, not {chances.shape}"
            )
        numbers = Place("real floating", None, None, chances)
        chances = astype(chances, numbers.dtype, copy=False)
        if all_true((chances >= 0) & (absolute(total(chances) - 1) < TOLERANCE)) is False:
            raise ValueError(f"{name}: the probabilities p must be 0 or more, and their sum 1, got {p!r}")
        return chances

    def _check_choice(self, count: int, shape: tuple[int, ...], replace: bool, chances: Tensor | None) -> None:
        wanted = math.prod(shape)
        if count < 0 or (count == 0 and wanted):
            raise ValueError(f"choice: a must have an element to choose from, or be an integer above 0, got {count}")
        if not replace and wanted > count:
            raise ValueError(f"choice: {wanted} of {count} elements cannot be chosen without replacement")

    def _positions(
        self, count: int, shape: tuple[int, ...], replace: bool, chances: Tensor | None, place: Place
    ) -> Tensor:
        if chances is None:
            drawn = self.host.integers(0, count, shape) if replace else self.host.choice(count, shape, replace=False)
            return place.tensor(drawn)
        if not replace:
            numbers = chances.numpy().astype("float64")
            return place.tensor(self.host.choice(count, shape, replace=False, p=numbers / numbers.sum()))
        # NumPy's algorithm, where the probabilities are: no value of a device is needed on the host.
        levels = cumulative_sum(chances)
        levels = levels / levels[-1]
        where = Place("real floating", chances.dtype, None, chances).tensor(self.host.random(shape))
        found = level_of(levels, where)
        # A number that float32 rounds to 1 is above all levels.
        return astype(minimum(found, count - 1), place.dtype, copy=False)

    def shuffle(self, x: Any, axis: int = 0) -> None:
        """Bring the parts of a tensor, a NumPy array or a list along an axis into random order, in place."""
        if isinstance(x, list):
            x[:] = [x[i] for i in self.host.permutation(len(x)).tolist()]
            return
        if not getattr(x, "shape", ()):
            raise TypeError(f"shuffle: x must be a tensor, an array or a list, not {described(x)}")
        at = normalize_axes("shuffle", axis, x.ndim)[0]
        order = self.host.permutation(x.shape[at])
        if isinstance(x, Tensor):
            place = Place("integral", None, None, x)
            x[...] = take(x, place.tensor(order), axis=at)
        else:
            x[...] = x.take(order, axis=at)

    def multinomial(
        self, n: int, pvals: Any, size: Shape | None = None, *, dtype: Any = None, device: Any = None, like: Tensor | None = None
    ) -> Tensor:  # fmt: skip
        """How often each outcome occurs in `n` trials: integers of shape (*size, K) for K probabilities `pvals`."""
        trials, chances = integer("multinomial", n, "n"), self._chances("multinomial", pvals, None)
        if trials < 0:
            raise ValueError(f"multinomial: n must be 0 or more, got {n!r}")
        shape = sizes("multinomial", size, "size")
        place = Place("integral", dtype, device, chances if isinstance(pvals, Tensor) else like)
        numbers = chances.numpy().astype("float64")
        return place.tensor(self.host.multinomial(trials, numbers / numbers.sum(), shape))

    def dirichlet(
        self, alpha: Any, size: Shape | None = None, *, dtype: Any = None, device: Any = None, like: Tensor | None = None
    ) -> Tensor:  # fmt: skip
        """Shares of a whole: numbers of shape (*size, K) with the sum 1, for K concentrations `alpha`."""
        array = asarray(alpha).detach()
        if array.ndim != 1 or all_true(array > 0) is False:
            raise ValueError(f"dirichlet: alpha must be a vector of numbers above 0, got {alpha!r}")
        shape = sizes("dirichlet", size, "size")
        place = Place("real floating", dtype, device, array if isinstance(alpha, Tensor) else like)
        return place.tensor(self.host.dirichlet(array.numpy().astype("float64"), shape))
