"""Programs as users write them, one per file: data, noise and indices are NumPy arrays, and no line names a backend.

A program defines `run(steps)`, which returns its final numbers by name; `STEPS`, for a run of about a second on NumPy; `FEW`, for
tests; and `TOLERANCE`, the largest relative difference from NumPy's numbers. `python -m bench.programs` runs them on every
backend.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import NamedTuple

Ends = Mapping[str, float]

NAMES = (
    "convnet",
    "gaussian_process",
    "kalman_filter",
    "pinn",
    "vae",
    "gpt",
    "reinforce",
    "maml",
    "factorisation",
    "ode_adjoint",
    "svi",
    "springs",
    "newton",
    "recurrent",
)


class Program(NamedTuple):
    name: str
    title: str  # the first line of its docstring
    run: Callable[[int], Ends]
    steps: int
    few: int
    tolerance: float


def load(name: str) -> Program:
    module = import_module(f"bench.programs.{name}")
    title = str(module.__doc__).splitlines()[0]
    return Program(name, title, module.run, module.STEPS, module.FEW, module.TOLERANCE)


def apart(ends: Ends, want: Ends) -> float:
    """The largest relative difference of a program's final numbers from those wanted; infinite if one is nan or missing.

    >>> apart({"loss": 2.0, "error": 0.0}, {"loss": 2.5, "error": 0.0})
    0.2
    >>> apart({"loss": math.nan}, {"loss": math.nan})
    inf
    """
    if ends.keys() != want.keys():
        return math.inf
    return max(_apart(ends[name], want[name]) for name in want)


def _apart(end: float, want: float) -> float:
    if not (math.isfinite(end) and math.isfinite(want)):
        return math.inf
    return abs(end - want) / (abs(want) or 1.0)
