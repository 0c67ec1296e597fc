"""Integers where floats come out, or are needed: they are taken in the default dtype, on every backend.

Libraries differ here, because the standard leaves it open. For integers, `sqrt(x)` is float64 on NumPy and float32 on PyTorch,
`mean(x)` an error on PyTorch, and array-api-strict refuses both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Function = Callable[..., Any]

# Functions that have a meaning for integers, and whose results are floats.
# fmt: off
GIVES_FLOATS = frozenset([
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cos", "cosh", "divide", "exp", "expm1", "hypot",
    "linear", "log", "log10", "log1p", "log2", "log_softmax", "logaddexp", "logsumexp", "mean", "reciprocal",
    "sigmoid", "sin", "sinh", "softmax", "softplus", "sqrt", "std", "tan", "tanh", "var",
])
# fmt: on
EXTENSIONS = ("fft.", "linalg.", "special.")
MEETS_FLOATS = frozenset(
    ["add", "subtract", "multiply", "maximum", "minimum", "pow", "remainder", "floor_divide", "where", "clip"]
)


def in_default_dtype(
    function: Function, backend: Any, raws: Sequence[Any], y: Any, static: dict[str, Any], as_list: bool = False
) -> Any:
    """y, the result of a function; computed again where integers have come out as floats of another dtype than the default."""
    default = backend.default_dtype
    if not backend.changes_default or y.dtype == default or not backend.is_inexact(y.dtype):
        return y
    if y.dtype == backend.default_complex or not _holds_integers(backend, raws):
        return y
    return _call(function, _in_floats(backend, raws), static, as_list)


def with_floats(
    name: str, function: Function, backend: Any, raws: Sequence[Any], static: dict[str, Any], as_list: bool = False
) -> Any:
    """The result of a function that its library refuses for integers, computed of floats. None where that does not help."""
    known = name in GIVES_FLOATS or name.startswith(EXTENSIONS)
    known = known or (name in MEETS_FLOATS and any(isinstance(raw, float) for raw in raws))
    if not known or not _holds_integers(backend, raws):
        return None
    try:
        return _call(function, _in_floats(backend, raws), static, as_list)
    except Exception:  # what is wrong is something else: the library's first error says it
        return None


def _holds_integers(backend: Any, raws: Sequence[Any]) -> bool:
    """Whether there are arrays, and all of integers or truth values."""
    arrays = [raw for raw in raws if backend.owns(raw)]
    return bool(arrays) and not any(backend.is_inexact(array.dtype) for array in arrays)


def _in_floats(backend: Any, raws: Sequence[Any]) -> list[Any]:
    """The integer arrays in the default dtype. Truth values stay, if there is something else: they are a condition."""
    kinds = [backend.owns(raw) and not backend.library.isdtype(raw.dtype, "bool") for raw in raws]
    chosen = kinds if any(kinds) else [backend.owns(raw) for raw in raws]
    default = backend.default_dtype
    return [backend.xp.astype(raw, default) if is_chosen else raw for raw, is_chosen in zip(raws, chosen, strict=True)]


def _call(function: Function, raws: Sequence[Any], static: dict[str, Any], as_list: bool) -> Any:
    return function(raws, **static) if as_list else function(*raws, **static)
