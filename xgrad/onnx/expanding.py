"""Functions that ONNX lacks, written with those that it has: by the formulas that every library without them uses."""

from __future__ import annotations

from functools import partial
from typing import Any

from xgrad.backends.raw import Raw
from xgrad.backends.refusal import ROWS
from xgrad.onnx.lowering import TABLE

OF_RAW = ("softmax_cross_entropy", "sigmoid_cross_entropy", "gap", "over_squares")  # methods of the raw namespace


class Expanded(Raw):
    """The formulas of the raw namespace, over a namespace that records its calls."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.library, name)


def expand(backend: Any) -> None:
    """Have a backend that records calls record these functions as the calls of which they are made."""
    xp = backend.xp
    formulas = Expanded(xp)
    for name in OF_RAW:
        xp.__dict__[name] = getattr(formulas, name)
    for name, formula in ROWS.items():
        if name not in TABLE:
            part = xp
            *extension, last = name.split(".")
            for each in extension:
                part = getattr(part, each)
            part.__dict__[last] = partial(formula, xp)
