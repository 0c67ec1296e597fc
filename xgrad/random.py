"""Random arrays: the same seed gives the same numbers on every backend.

The host draws them in double precision. Then they are converted to the dtype and moved to the device. A layer without a generator
of its own uses the default generator, which `seed` starts anew.

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
    """A stream of random numbers, which are the same on every backend.

    >>> import xgrad as xg
    >>> xg.random.Generator(0).integers(0, 10, (5,)).tolist()
    [8, 6, 5, 2, 3]

    Args:
        seed: an integer, 0 or more; None for a stream that is different in every run.

    Every method that draws has the arguments `dtype`, where None means the default dtype of its kind, and `device`, where None
    means the current device. The stream does not depend on them: the next draw gives the same numbers whatever they were.

    Raises:
        ValueError: for a seed or a length below 0, bounds in the wrong order, a standard deviation below 0, and a probability
            outside [0, 1]. A call that raises leaves the stream as it was.
        TypeError: for a seed or a length that is no integer, a bound that is no number, and a dtype that the backend does not
            have.
        BackendError: for a device that the backend does not have.

    The stream is that of NumPy's default generator: https://numpy.org/doc/stable/reference/random/generator.html
    """

    def __init__(self, seed: int | None = None) -> None:
        # NumPy is loaded with the first generator, not with xgrad.
        from xgrad.backends.host import default_rng

        if seed is not None:
            if isinstance(seed, bool) or integer("Generator", seed, "seed") < 0:
                raise ValueError(f"Generator: seed must be an integer, 0 or more, not {seed!r}")
            seed = integer("Generator", seed, "seed")
        self.seed = seed
        self._host = default_rng(seed)
        if seed is None and noting:
            self._host = reading.fresh_stream(self._host)

    @property
    def host(self) -> Any:
        """NumPy's generator. A checkpointed function that runs again gets a copy, in the state of its first run."""
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
        """A tensor of normally distributed numbers with that mean and standard deviation."""
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
        """A tensor of uniformly distributed numbers in [low, high)."""
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
        """A tensor of integers from low to high - 1, or from 0 to low - 1 without `high`. They may repeat."""
        start, stop = (0, low) if high is None else (low, high)
        start, stop = integer("integers", start, "low"), integer("integers", stop, "high")
        if not start < stop:
            raise ValueError(f"integers: low must be below high, got {start!r} and {stop!r}")
        sizes, place = _sizes("integers", shape), _Place("integral", dtype, device)
        return place.tensor(self.host.integers(start, stop, sizes))

    def permutation(self, n: int, *, dtype: Any = None, device: Any = None) -> Tensor:
        """A tensor of the integers from 0 to n - 1 in random order."""
        (length,), place = _sizes("permutation", integer("permutation", n, "n")), _Place("integral", dtype, device)
        return place.tensor(self.host.permutation(length))

    def bernoulli(self, shape: Shape = (), *, p: float = 0.5, dtype: Any = None, device: Any = None) -> Tensor:
        """A tensor of booleans, each True with probability p. With a numeric `dtype` they are 1 and 0."""
        p = _real("bernoulli", p, "p")
        if not 0 <= p <= 1:
            raise ValueError(f"bernoulli: p must be from 0 to 1, got {p!r}")
        sizes, place = _sizes("bernoulli", shape), _Place("bool", dtype, device)
        return place.tensor(self.host.random(sizes) < p)


_default: Generator | None = None


def default_generator() -> Generator:
    """The generator that layers and nn.init use if they are given none.

    >>> import xgrad as xg
    >>> rng = xg.random.seed(0)
    >>> xg.random.default_generator() is rng
    True

    Returns:
        The generator of the last call of `seed`, or before any call a generator without a seed.

    Raises nothing: the backend is asked for at the first draw.

    PyTorch's counterpart: https://docs.pytorch.org/docs/stable/random.html
    """
    found: Generator = reading.default_generator(_current) if noting else _current()
    return found


def _current() -> Generator:
    global _default
    if _default is None:
        _default = Generator()
    return _default


def seed(n: int) -> Generator:
    """Start the default generator anew.

    >>> import xgrad as xg
    >>> rng = xg.random.seed(0)
    >>> first = rng.normal((3,))
    >>> bool(xg.all(xg.random.seed(0).normal((3,)) == first))
    True

    Args:
        n: the seed, an integer, 0 or more.

    Returns:
        The new default generator.

    Raises:
        ValueError: for a negative seed.
        TypeError: for a seed that is no integer.

    PyTorch's counterpart: https://docs.pytorch.org/docs/stable/generated/torch.manual_seed.html
    """
    global _default
    generator = Generator(n)
    if not (noting and reading.reseed(generator)):
        _default = generator
    return generator


class _Place:
    """The backend, device and dtype of a draw. They are checked before the draw, so that an error leaves the stream as it was."""

    def __init__(self, kind: str, dtype: Any, device: Any) -> None:
        self.backend = get_backend() if device is None else get_backend().on_device(device)
        if dtype is None and kind != "bool":
            dtype = self.backend.default_dtypes()[kind]
        self.dtype = self.backend.as_dtype(dtype)

    def tensor(self, drawn: Any) -> Tensor:
        return wrap(self.backend.asarray(drawn, dtype=self.dtype), self.backend)


def _real(name: str, value: Any, what: str) -> float:
    """The argument `what` as a float: a Python or NumPy number, or a 0-d array."""
    with suppress(TypeError):
        if check(name, value) == () or is_scalar(value):
            return float(value)
    raise TypeError(f"{name}: {what} must be a real number, not {described(value)}")


def _sizes(name: str, shape: Shape) -> tuple[int, ...]:
    sizes = integers(name, shape, "shape")
    if any(n < 0 for n in sizes):
        raise ValueError(f"{name}: the lengths in a shape must be 0 or more, got {shape!r}")
    return sizes
