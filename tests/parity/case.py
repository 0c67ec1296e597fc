"""What a parity case is: a layer or a function by its name, with random arguments.

A case is a function of a `Draw`. It returns a `Layer` or a `Call`, and is registered under its name by `@case`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Host = np.ndarray[Any, Any]


class Draw:
    """Random arguments. The seed of a draw decides all of them."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = np.random.default_rng(1000 + seed)

    def normal(self, *shape: int) -> Host:
        return np.asarray(self.rng.normal(size=shape))

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Host:
        return np.asarray(self.rng.uniform(low, high, shape))

    def integers(self, *shape: int, high: int, low: int = 0) -> Host:
        """An array of integers from low to high - 1."""
        return np.asarray(self.rng.integers(low, high, shape))

    def size(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        return int(self.rng.integers(low, high + 1))

    def one_of(self, *choices: Any) -> Any:
        return choices[int(self.rng.integers(len(choices)))]

    def maybe(self, value: Any) -> Any:
        """The value, or None."""
        return self.one_of(value, None)


@dataclass(frozen=True)
class Layer:
    """A module: `getattr(nn, name)(*args, **options)`, called with the inputs.

    Its parameters and buffers get random values. The results are the outputs, the gradients of inputs and parameters, and the
    state after the call.
    """

    args: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Any, ...] = ()  # arrays, or anything else that is passed as it is
    keywords: Mapping[str, Any] = field(default_factory=dict)  # of the call; arrays become tensors
    training: bool = True
    state: Mapping[str, Host] = field(
        default_factory=dict
    )  # values for parameters and buffers that are not just random
    build: Callable[[Any], Any] | None = None  # makes the module from `nn`, if it is not one class with arguments
    calls: int = 1  # how often the module is called; the results are those of the last call


@dataclass(frozen=True)
class Call:
    """A function: `getattr(nn.functional, name)(*inputs, **keywords)`.

    Arrays become tensors, also within tuples and lists. Those of floats are differentiated, except where `fixed` names them by
    position or keyword. The results are the outputs and these gradients.
    """

    inputs: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    fixed: tuple[int | str, ...] = ()


Case = Callable[[Draw], Layer | Call]
CASES: dict[str, tuple[str, Case]] = {}  # by name: the family (the file of cases), and the case


def case(name: str) -> Callable[[Case], Case]:
    """Register a case under a name: that of the class or function, and after a space what is special about it."""

    def register(function: Case) -> Case:
        assert name not in CASES, name
        CASES[name] = function.__module__.rpartition(".")[2], function
        return function

    return register


def drawn(name: str, seed: int) -> Layer | Call:
    return CASES[name][1](Draw(seed))
