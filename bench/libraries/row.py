"""A Row is a call into a library, and finds out what it does with tensors."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import xgrad as xg

Arrays = list[np.ndarray[Any, Any]]

STEP = 1e-3  # the step of central differences of fourth order, whose error is then about 1e-12
TOLERANCE = 1e-7  # for derivatives, relative to the largest element or to 1
VALUES = 1e-10  # the same for values

# The outcomes of a row:
WORKS = "works"
RAISES = "an error"
WARNS = "a warning"
NAN = "nan"
WRONG = "a wrong number"  # this must never happen

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=7)
POSITIVE = np.abs(RANDOM.normal(size=7)) + 0.5
SHARES = RANDOM.uniform(0.1, 0.9, size=7)
MATRIX = RANDOM.normal(size=(6, 3))


class Row:
    """`call(*inputs)`, which returns one array of real numbers, and its name in the table.

    `because` is the reason if the call cannot work.
    """

    def __init__(self, name: str, call: Callable[..., Any], *inputs: Any, because: str = "") -> None:
        self.name = name
        self.call = call
        self.inputs = inputs
        self.because = because

    def __str__(self) -> str:
        return self.name

    def values(self, inputs: Sequence[Any]) -> Any:
        """The library's result for NumPy arrays."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(self.call(*(a.copy() for a in inputs)))

    def outcome(self) -> tuple[str, str]:
        """One of the outcomes above, and details."""
        want = self.values(self.inputs)
        weights = np.cos(1.0 + np.arange(want.size)).reshape(want.shape)
        directions = [np.sin(2.0 + np.arange(a.size)).reshape(a.shape) for a in self.inputs]
        said: list[warnings.WarningMessage] = []
        try:
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                tensors = [xg.asarray(a, copy=True) for a in self.inputs]
                value, pull = xg.vjp(self.call, *tensors)
                gradients = [g.numpy() for g in pull(xg.asarray(weights))]
                _, tangent = xg.jvp(self.call, tensors, [xg.asarray(d) for d in directions])
        except Exception as error:
            return RAISES, f"{type(error).__name__}: {error}"
        lost = [str(w.message) for w in said if "does not carry the gradient on" in str(w.message)]
        if lost:
            return WARNS, lost[0]
        if any(np.isnan(g).any() for g in [*gradients, tangent.numpy()]) and not np.isnan(want).any():
            return NAN, "nan in the derivative"
        return self._compared(want, weights, directions, value.numpy(), gradients, tangent.numpy())

    def _compared(
        self, want: Any, weights: Any, directions: Arrays, value: Any, gradients: Arrays, tangent: Any
    ) -> tuple[str, str]:
        errors = {"value": _error(value, want) * (TOLERANCE / VALUES)}
        errors["forward derivative"] = _error(tangent, self._along(directions))
        for i, (a, gradient) in enumerate(zip(self.inputs, gradients, strict=True)):
            errors[f"gradient by argument {i}"] = _error(gradient, self._gradient(i, a, weights))
        worst = max(errors, key=lambda what: errors[what])
        if errors[worst] > TOLERANCE:
            return WRONG, f"the {worst} is off by {errors[worst]:.1e}"
        return WORKS, f"to {errors[worst]:.0e}"

    def _along(self, directions: Sequence[Any]) -> Any:
        """The derivative along these directions, by central differences."""

        def at(step: float) -> Any:
            return self.values([a + step * d for a, d in zip(self.inputs, directions, strict=True)])

        return (8 * (at(STEP) - at(-STEP)) - (at(2 * STEP) - at(-2 * STEP))) / (12 * STEP)

    def _gradient(self, i: int, a: Any, weights: Any) -> Any:
        gradient = np.zeros_like(a)
        for place in np.ndindex(a.shape):
            unit = [np.zeros_like(b) for b in self.inputs]
            unit[i][place] = 1.0
            gradient[place] = np.sum(self._along(unit) * weights)
        return gradient


def _error(got: Any, want: Any) -> float:
    """The largest difference, relative to the largest element (or to 1)."""
    if got.shape != want.shape:
        return float("inf")
    if not want.size:
        return 0.0
    if not np.array_equal(np.isnan(got), np.isnan(want)):
        return float("inf")
    return float(np.nanmax(np.abs(got - want)) / max(1.0, float(np.nanmax(np.abs(want)))))
