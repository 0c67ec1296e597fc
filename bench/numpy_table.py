"""The table of NumPy's functions on tensors, for the README of their folder: differentiated, exact, refused, or out of reach."""

from __future__ import annotations

import sys
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np

from bench import report
from xgrad.rules.numpy_functions import protocol, ufunc_methods
from xgrad.rules.numpy_functions.refused import REFUSED
from xgrad.rules.numpy_functions.table import DERIVATIVE, TABLE
from xgrad.rules.ufuncs import UFUNCS

EXACT_UFUNCS = frozenset((
    *("bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift"),
    *("equal", "not_equal", "greater", "greater_equal", "less", "less_equal", "isfinite", "isinf", "isnan", "signbit"),
    *("logical_and", "logical_not", "logical_or", "logical_xor"),
    *("ceil", "floor", "floor_divide", "nextafter", "rint", "sign", "trunc"),
))  # fmt: skip


def kinds() -> dict[str, list[str]]:
    """The names of NumPy's public functions, by what becomes of a tensor."""
    found: dict[str, list[str]] = {"differentiated": [], "exact": [], "refused": [], "out of reach": []}
    for module in (np, np.linalg, np.fft):
        prefix = module.__name__.removeprefix("numpy").lstrip(".")
        for name in sorted(vars(module)):
            thing = getattr(module, name)
            if name.startswith("_") or not _is_function(thing):
                continue
            found[_kind(thing)].append(f"{prefix}.{name}" if prefix else name)
    return found


def _is_function(thing: Any) -> bool:
    return isinstance(thing, np.ufunc | FunctionType | BuiltinFunctionType) or hasattr(thing, "_implementation")


def _kind(thing: Any) -> str:
    if isinstance(thing, np.ufunc):
        name = thing.__name__
        if name in UFUNCS or name in ufunc_methods.MORE:
            return "exact" if name in EXACT_UFUNCS else "differentiated"
        return "refused"
    if not hasattr(thing, "_implementation"):
        return "out of reach"
    row = TABLE.get(protocol.name_of(thing))
    if row is None:
        return "refused"
    return "differentiated" if row.kind == DERIVATIVE else "exact"


def table() -> str:
    """The generated part of the README. A name of NumPy's newest version that this one lacks is not in it."""
    means = {
        "differentiated": "a tensor, with its gradient in both modes",
        "exact": "exact, without a derivative",
        "refused": "a TypeError that says why",
        "out of reach": "NumPy gives these no way to see a tensor: use xgrad's functions of the same names",
    }
    rows = [[means[kind], str(len(names)), ", ".join(names)] for kind, names in kinds().items()]
    reasons = [[name, reason] for name, reason in sorted(REFUSED.items())]
    version = ".".join(np.__version__.split(".")[:2])
    return "\n".join([
        "<!-- numpy:begin -->",
        report.table([f"NumPy {version}: what becomes of a tensor", "functions", ""], rows, numbers=False),
        "",
        report.table(["refused", "why"], reasons, numbers=False),
        "<!-- numpy:end -->",
    ])  # fmt: skip


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
