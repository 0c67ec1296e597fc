"""Functions that ONNX lacks, written with those that it has: by the formulas that every library without them uses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from xgrad.backends.elementary import Elementary
from xgrad.backends.raw import Raw
from xgrad.backends.refusal import ROWS
from xgrad.onnx.lowering import TABLE

# Methods of the raw namespace.
OF_RAW = ("softmax_cross_entropy", "sigmoid_cross_entropy", "gap", "over_squares", "convolution_weight")
# Gradients that a program computes by one call.
OF_GRADIENTS = ("_attention_gradients", "_recurrent_gradients")


class Expanded(Raw):
    """The formulas of the raw namespace, over a namespace that records its calls."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.library, name)

    def windows(self, x: Any, **options: Any) -> Any:
        """One call of the program, and not the slices of which it could be made."""
        return self.library.windows(x, **options)


class Special(Elementary):
    """The special functions that are a few of the standard's functions each, over a namespace that records its calls."""

    def __init__(self, xp: Any, silently: Any) -> None:
        self.xp, self.silently = xp, silently  # type: ignore[misc, method-assign]


def formulas(backend: Any) -> dict[str, Callable[..., Any]]:
    """The formulas, by the names of the functions, for a backend that records calls."""
    xp = backend.xp
    raw, special = Expanded(xp), Special(xp, backend.base.xp.special.silently)
    found: dict[str, Callable[..., Any]] = {name: partial(formula, xp) for name, formula in ROWS.items()}
    found |= {name: getattr(raw, name) for name in (*OF_RAW, *OF_GRADIENTS)}
    names = [
        name for name, value in vars(Elementary).items() if callable(value) and name[0] != "_" and name != "silently"
    ]
    return found | {f"special.{name}": getattr(special, name) for name in names}


def expand(backend: Any) -> None:
    """Have a backend that records calls record these functions as the calls of which they are made."""
    for name, formula in formulas(backend).items():
        if name not in TABLE:
            *extension, last = name.split(".")
            part = backend.xp
            for each in extension:
                part = getattr(part, each)
            part.__dict__[last] = formula
