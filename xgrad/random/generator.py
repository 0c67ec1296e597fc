"""The generator: a stream of random numbers, its state, and the most common draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xgrad.engine import reading
from xgrad.engine.integers import integer
from xgrad.engine.reading import noting
from xgrad.engine.tensor import Tensor
from xgrad.random.choices import Choices
from xgrad.random.draws import Draws
from xgrad.random.place import Parameters, Place, Shape, is_finite, sizes
from xgrad.rules.data_type import astype


class Generator(Draws, Choices):
    """A stream of random numbers, which are the same on every backend.

    >>> import xgrad as xg
    >>> xg.random.Generator(0).integers(0, 10, (5,)).tolist()
    [8, 6, 5, 2, 3]

    Args:
        seed: an integer, 0 or more; None for a stream that is different in every run.

    Every method that draws has the arguments `dtype`, where None means the default dtype of its kind, `device`, where None means
    the current device, and `like`, a tensor whose backend, device and floating-point dtype are taken. The stream does not depend
    on them: the next draw gives the same numbers whatever they were.

    Parameters may be arrays. The result then has their shape or, if a shape is given, that to which they are broadcast, and it is
    on their backend. No gradient goes to them (`xgrad.distributions` has `rsample`). Standard numbers are drawn on the host and
    scaled where the parameters are. Only `gamma`, `standard_gamma`, `chisquare`, `standard_t`, `beta`, `poisson`, `binomial`,
    `dirichlet`, `multinomial`, and `choice` with `p` and without replacement, copy them to the host, which waits for a device.

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

    # --- its state

    def get_state(self) -> dict[str, Any]:
        """The state of the stream: strings, integers and dicts of these, which JSON can hold. `set_state` takes it."""
        found: dict[str, Any] = self.host.bit_generator.state
        return found

    def set_state(self, new_state: Mapping[str, Any]) -> None:
        """Put the stream into the state that `get_state` returned: the next draws repeat those that followed it."""
        if not isinstance(new_state, Mapping):
            raise TypeError(f"set_state: new_state must be what get_state returned, not {type(new_state).__name__}")
        try:
            self.host.bit_generator.state = dict(new_state)
        except (KeyError, ValueError, TypeError, OverflowError) as error:
            raise ValueError(f"set_state: new_state is not what get_state returned: {error!r}") from error

    def state_dict(self) -> dict[str, Any]:
        """The whole state, for `xg.save`: that of the stream, and of the seeds that `spawn` takes. JSON can hold it."""
        from xgrad.backends.host import state_of

        return state_of(self.host)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was called: the same draws follow, and the same generators from `spawn`.

        Raises ValueError for anything that `state_dict` does not return. Then nothing has changed.
        """
        from xgrad.backends.host import in_state

        try:
            self._host = in_state(state_dict)
        except (KeyError, ValueError, TypeError, OverflowError, AttributeError) as error:
            raise ValueError(f"Generator: the loaded state is not what state_dict returned: {error!r}") from error

    def spawn(self, n: int) -> list[Generator]:
        """`n` new generators, whose streams are independent of each other and of this one. A later call gives others."""
        (count,) = sizes("spawn", integer("spawn", n, "n"), "n")
        return [_of(stream) for stream in self.host.spawn(count)]

    # --- the most common draws

    def normal(
        self,
        shape: Shape | None = None,
        *,
        mean: Any = 0.0,
        std: Any = 1.0,
        dtype: Any = None,
        device: Any = None,
        like: Tensor | None = None,
    ) -> Tensor:
        """A tensor of normally distributed numbers with that mean and standard deviation."""
        given = Parameters("normal", shape, mean=mean, std=std)
        given.check(
            lambda mean, std: (std >= 0) & is_finite(std) & is_finite(mean),
            "mean and std must be finite, and std 0 or more",
        )
        return self._scaled(given, given.place("real floating", dtype, device, like), "normal")

    def uniform(
        self,
        shape: Shape | None = None,
        *,
        low: Any = 0.0,
        high: Any = 1.0,
        dtype: Any = None,
        device: Any = None,
        like: Tensor | None = None,
    ) -> Tensor:
        """A tensor of uniformly distributed numbers in [low, high)."""
        given = Parameters("uniform", shape, low=low, high=high)
        given.check(
            lambda low, high: (low <= high) & is_finite(high - low), "low and high must be finite and in that order"
        )
        place = given.place("real floating", dtype, device, like)
        if given.like is None:
            return place.tensor(self.host.uniform(*given.values, given.sizes))
        start, stop = given.on(place)
        return start + (stop - start) * place.tensor(self.host.random(given.sizes))

    def integers(
        self,
        low: int,
        high: int | None = None,
        shape: Shape = (),
        *,
        dtype: Any = None,
        device: Any = None,
        like: Tensor | None = None,
    ) -> Tensor:
        """A tensor of integers from low to high - 1, or from 0 to low - 1 without `high`. They may repeat."""
        start, stop = (0, low) if high is None else (low, high)
        start, stop = integer("integers", start, "low"), integer("integers", stop, "high")
        if not start < stop:
            raise ValueError(f"integers: low must be below high, got {start!r} and {stop!r}")
        shape, place = sizes("integers", shape), Place("integral", dtype, device, like)
        return place.tensor(self.host.integers(start, stop, shape))

    def permutation(self, n: int, *, dtype: Any = None, device: Any = None, like: Tensor | None = None) -> Tensor:
        """A tensor of the integers from 0 to n - 1 in random order."""
        (length,), place = (
            sizes("permutation", integer("permutation", n, "n"), "n"),
            Place("integral", dtype, device, like),
        )
        return place.tensor(self.host.permutation(length))

    def bernoulli(
        self,
        shape: Shape | None = None,
        *,
        p: Any = 0.5,
        dtype: Any = None,
        device: Any = None,
        like: Tensor | None = None,
    ) -> Tensor:
        """A tensor of booleans, each True with probability p. With a numeric `dtype` they are 1 and 0."""
        given = Parameters("bernoulli", shape, p=p)
        given.check(lambda p: (p >= 0) & (p <= 1), "p must be from 0 to 1")
        place, drawn = given.place("bool", dtype, device, like), self.host.random(given.sizes)
        if given.like is None:
            return place.tensor(drawn < given.values[0])
        numbers = Place("real floating", None, None, given.like)
        return astype(numbers.tensor(drawn) < given.values[0], place.dtype or "bool")


def _of(host: Any) -> Generator:
    """A generator of a stream that exists."""
    generator = Generator.__new__(Generator)
    generator.seed, generator._host = None, host
    return generator
