"""The default generator, and its state."""

from __future__ import annotations

from typing import Any

from xgrad.engine import reading
from xgrad.engine.reading import noting
from xgrad.random.generator import Generator

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


def get_rng_state() -> dict[str, Any]:
    """The state of the default generator.

    >>> import xgrad as xg
    >>> state = xg.random.get_rng_state()
    >>> first = xg.random.default_generator().standard_normal((3,))
    >>> xg.random.set_rng_state(state)
    >>> bool(xg.all(xg.random.default_generator().standard_normal((3,)) == first))
    True

    Returns:
        A dict of strings, integers and dicts of these, which JSON can hold. It is the same on every backend.

    Raises nothing.

    PyTorch's counterpart: https://docs.pytorch.org/docs/stable/random.html
    """
    return default_generator().get_state()


def set_rng_state(new_state: dict[str, Any]) -> None:
    """Put the default generator back into a state.

    >>> import json
    >>> import xgrad as xg
    >>> saved = json.dumps(xg.random.get_rng_state())
    >>> xg.random.set_rng_state(json.loads(saved))

    Args:
        new_state: what `get_rng_state` or `Generator.get_state` returned.

    Raises:
        TypeError: for anything else.
        ValueError: for a state of another kind of generator, or one that is not complete.

    PyTorch's counterpart: https://docs.pytorch.org/docs/stable/random.html
    """
    default_generator().set_state(new_state)
