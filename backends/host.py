"""What xgrad does with NumPy for every backend: random numbers, which are then the same everywhere, and conversions."""

from __future__ import annotations

from typing import Any

import numpy as np

library: Any = np  # NumPy itself, for statistics of values that were brought to the host


def default_rng(seed: int | None = None) -> np.random.Generator:
    """NumPy's generator. `seed` is a non-negative integer, or None for numbers that differ from run to run."""
    return np.random.default_rng(seed)


def as_plain(array: Any) -> Any:
    """A NumPy array as other libraries accept it: in the machine's byte order, and not of a subclass.

    Raises TypeError for a masked array, whose mask would be lost.
    """
    if type(array) is not np.ndarray and isinstance(array, np.ma.MaskedArray):
        raise TypeError(
            "a masked array would lose its mask on another backend: call array.filled(value) first, or pass the mask separately"
        )
    native = array.dtype.newbyteorder("=")
    return np.asarray(array, dtype=native)


def name_of_code(code: str) -> str:
    """The name of the dtype for one of NumPy's codes, such as "f4". Any other string is returned as it is."""
    try:
        return np.dtype(code).name
    except TypeError:
        return code


def as_numbers(obj: Any, dtype: Any) -> Any:
    """A NumPy array from a sequence of objects that convert to numbers, such as fractions."""
    return np.asarray(obj, dtype=dtype)


# --- the state of a generator

SEEDS = ("entropy", "spawn_key", "pool_size", "n_children_spawned")  # of NumPy's SeedSequence
LONGEST_SEED = 1 << 16  # bits: the time that NumPy takes grows with their square


def state_of(generator: np.random.Generator) -> dict[str, Any]:
    """The state of the stream and of the seeds of its children, as strings, integers and lists and dicts of these."""
    bits: Any = generator.bit_generator
    seeds = {name: getattr(bits.seed_seq, name) for name in SEEDS}
    return {"stream": bits.state, "seeds": {**seeds, "spawn_key": list(seeds["spawn_key"])}}


def in_state(state: Any) -> np.random.Generator:
    """A new generator in a state that `state_of` returned. Raises an error for anything else."""
    stream, seeds = state["stream"], dict(state["seeds"])
    if set(seeds) != set(SEEDS) or not 4 <= seeds["pool_size"] <= 1024 or _bits(seeds["entropy"]) > LONGEST_SEED:
        raise ValueError("its seeds are not complete, or too long")
    bits = np.random.PCG64(np.random.SeedSequence(**seeds))
    bits.state = stream
    generator = np.random.Generator(bits)
    if state_of(generator) != state:  # NumPy rounds some numbers
        raise ValueError("it has numbers that the state of a generator cannot have")
    return generator


def _bits(entropy: int | list[int]) -> int:
    return sum(each.bit_length() for each in ([entropy] if isinstance(entropy, int) else entropy))
