"""Random arrays: the same seed gives the same numbers on every backend.

They are drawn on the host in double precision, cast, and moved. A layer that is given no generator draws from the one
that `seed` sets.

>>> import xgrad as xg
>>> rng = xg.random.Generator(0)
>>> rng.uniform((2, 3), low=-1.0, high=1.0).shape
(2, 3)
>>> rng.integers(0, 10, (4,)).shape
(4,)
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

from xgrad.backends import get_backend
from xgrad.backends.data import check, described, is_scalar
from xgrad.engine import reading
from xgrad.engine.integers import integer, integers
from xgrad.engine.reading import noting
from xgrad.engine.tensor import Tensor, wrap

Shape = int | tuple[int, ...]


class Generator:
    """A stream of random numbers.

    Args:
        seed: an integer, 0 or more; None for a stream that differs from run to run.

    Every draw takes `dtype` (by default the backend's) and `device` (by default the current one); what the next draw
    gives depends on neither.

    Raises:
        ValueError: a negative seed or size, bounds in the wrong order, a spread below zero, a chance outside [0, 1].
    """

    def __init__(self, seed: int | None = None) -> None:
        # NumPy is loaded with the first generator, not with xgrad.
        from xgrad.backends.host import default_rng

        if seed is not None:
            if isinstance(seed, bool) or integer("Generator", seed, "seed") < 0:
                raise ValueError(f"a seed is an integer, 0 or more, got {seed!r}")
            seed = integer("Generator", seed, "seed")
        self.seed = seed
        self._host = default_rng(seed)
        if seed is None and noting:
            self._host = reading.fresh_stream(self._host)

    @property
    def host(self) -> Any:
        """The host's generator that draws. A checkpointed function that is run again draws from another, which stands where
        this one stood when it was first run.
        """
        return reading.stream(self, self._host) if noting else self._host

    def __repr__(self) -> str:
        return f"Generator({self.seed})"

    def normal(
        self,
        shape: Shape = (),
        *,
        mean: float = 0.0,
        std: float = 1.0,
        dtype: Any = None,
        device: Any = None,
    ) -> Tensor:
        """Normal numbers of that mean and standard deviation."""
        mean, std = _real("normal", mean, "mean"), _real("normal", std, "std")
        if not (0 <= std < math.inf and math.isfinite(mean)):
            raise ValueError(f"normal: mean and std must be finite, and std 0 or more, got {mean!r} and {std!r}")
        sizes, place = _sizes("normal", shape), _Place("real floating", dtype, device)
        return place.tensor(self.host.normal(mean, std, sizes))

    def uniform(
        self,
        shape: Shape = (),
        *,
        low: float = 0.0,
        high: float = 1.0,
        dtype: Any = None,
        device: Any = None,
    ) -> Tensor:
        """Numbers evenly spread over [low, high)."""
        low, high = _real("uniform", low, "low"), _real("uniform", high, "high")
        if not (low <= high and math.isfinite(high - low)):
            raise ValueError(f"uniform: low and high must be finite and in that order, got {low!r} and {high!r}")
        sizes, place = _sizes("uniform", shape), _Place("real floating", dtype, device)
        return place.tensor(self.host.uniform(low, high, sizes))

    def integers(
        self,
        low: int,
        high: int | None = None,
        shape: Shape = (),
        *,
        dtype: Any = None,
        device: Any = None,
    ) -> Tensor:
        """Integers from low to high - 1, or from 0 to low - 1 if high is not given, drawn with replacement."""
        start, stop = (0, low) if high is None else (low, high)
        start, stop = integer("integers", start, "low"), integer("integers", stop, "high")
        if not start < stop:
            raise ValueError(f"integers: there are none from {start!r} to below {stop!r}")
        sizes, place = _sizes("integers", shape), _Place("integral", dtype, device)
        return place.tensor(self.host.integers(start, stop, sizes))

    def permutation(self, n: int, *, dtype: Any = None, device: Any = None) -> Tensor:
        """The integers from 0 to n - 1 in random order."""
        (length,), place = _sizes("permutation", n), _Place("integral", dtype, device)
        return place.tensor(self.host.permutation(length))

    def bernoulli(self, shape: Shape = (), *, p: float = 0.5, dtype: Any = None, device: Any = None) -> Tensor:
        """True with chance p, as booleans; with a numeric `dtype`, ones and zeros."""
        p = _real("bernoulli", p, "p")
        if not 0 <= p <= 1:
            raise ValueError(f"bernoulli: p must be from 0 to 1, got {p!r}")
        sizes, place = _sizes("bernoulli", shape), _Place("bool", dtype, device)
        return place.tensor(self.host.random(sizes) < p)


_default: Generator | None = None


def default_generator() -> Generator:
    """The generator that is used where none is given."""
    found: Generator = reading.default_generator(_current) if noting else _current()
    return found


def _current() -> Generator:
    global _default
    if _default is None:
        _default = Generator()
    return _default


def seed(n: int) -> Generator:
    """Start the default generator anew from n, and return it."""
    global _default
    generator = Generator(n)
    if not (noting and reading.reseed(generator)):
        _default = generator
    return generator


class _Place:
    """Where numbers are to go. It is settled before they are drawn, so that an error leaves the stream where it was."""

    def __init__(self, kind: str, dtype: Any, device: Any) -> None:
        self.backend = get_backend() if device is None else get_backend().on_device(device)
        if dtype is None and kind != "bool":
            dtype = self.backend.default_dtypes()[kind]
        self.dtype = self.backend.as_dtype(dtype)

    def tensor(self, drawn: Any) -> Tensor:
        return wrap(self.backend.asarray(drawn, dtype=self.dtype), self.backend)


def _real(name: str, value: Any, what: str) -> float:
    """A real number, also NumPy's or in a 0-d array."""
    with suppress(TypeError):
        if check(name, value) == () or is_scalar(value):
            return float(value)
    raise TypeError(f"{name}: {what} must be a real number, not {described(value)}")


def _sizes(name: str, shape: Shape) -> tuple[int, ...]:
    sizes = integers(name, shape, "shape")
    if any(n < 0 for n in sizes):
        raise ValueError(f"{name}: a shape has no negative sizes, got {shape!r}")
    return sizes
