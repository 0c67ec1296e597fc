"""Promotion between kinds of dtypes: integers become floats of the default dtype, and booleans become integers.

The standard leaves this open, and libraries differ. For integers, `sqrt(x)` is float64 on NumPy and float32 on PyTorch, and
`mean(x)` is an error on PyTorch. array-api-strict refuses both, and a product of floats and integers too. Here every backend
gives the same result: where NumPy and PyTorch promote, so does xgrad, to the default dtype.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xgrad.backends.data import BOOL, COMPLEX, REAL

Function = Callable[..., Any]

# Functions that take integers, and whose results are floats.
# fmt: off
GIVES_FLOATS = frozenset([
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cos", "cosh", "divide", "exp", "expm1", "hypot",
    "linear", "log", "log10", "log1p", "log2", "log_softmax", "logaddexp", "logsumexp", "mean", "reciprocal",
    "sigmoid", "sin", "sinh", "softmax", "softplus", "sqrt", "std", "tan", "tanh", "var",
])
# Functions of several arrays, some of which may hold integers and others floats, and sums and products.
MIXES_KINDS = frozenset([
    "add", "clip", "concat", "copysign", "equal", "floor_divide", "greater", "greater_equal", "isin", "less", "less_equal",
    "matmul", "maximum", "minimum", "multiply", "nextafter", "not_equal", "pow", "remainder", "searchsorted", "setitem", "stack",
    "subtract", "tensordot", "vecdot", "where", "sum", "prod", "cumulative_sum", "cumulative_prod",
])
# fmt: on
SUMS = frozenset(["sum", "prod", "cumulative_sum", "cumulative_prod"])  # these count booleans
CONDITIONAL = "where"  # its first argument stays boolean
EXTENSIONS = ("fft.", "linalg.", "special.")


def in_default_dtype(
    name: str,
    function: Function,
    backend: Any,
    raws: Sequence[Any],
    y: Any,
    static: dict[str, Any],
    as_list: bool = False,
) -> Any:
    """The result y of a function. Where integers gave floats of another dtype than the default, the function is called again."""
    default = backend.default_dtype
    if not backend.changes_default or y.dtype == default or not backend.is_inexact(y.dtype):
        return y
    if y.dtype == backend.default_complex or not _holds_integers(backend, raws):
        return y
    return _call(function, _raised(backend, raws, default, keep_first=name == CONDITIONAL), static, as_list)


def in_one_kind(
    name: str, function: Function, backend: Any, raws: Sequence[Any], static: dict[str, Any], as_list: bool = False
) -> tuple[Any, Sequence[Any]] | None:
    """The result of a function that the library refuses for these dtypes, and the cast arrays that it was computed from.

    None if a cast does not help.
    """
    dtype = _common(name, backend, raws)
    if dtype is None:
        return None
    raised = _raised(backend, raws, dtype, keep_first=name == CONDITIONAL)
    try:
        return _call(function, raised, static, as_list), raised
    except Exception:  # the cause is another one, which the library's first error states
        return None


def _common(name: str, backend: Any, raws: Sequence[Any]) -> Any:
    """The dtype to cast arrays of lower kinds to; None if there is none. The kinds are bool, integer, real and complex."""
    arrays = [raw for raw in raws[name == CONDITIONAL :] if backend.owns(raw)]
    ranks = [backend.rank(array.dtype) for array in arrays]
    known = name in GIVES_FLOATS or name in MIXES_KINDS or name.startswith(EXTENSIONS)
    if not known or not arrays or max(ranks) > COMPLEX:
        return None
    if max(ranks) >= REAL:
        inexact = [array.dtype for array in arrays if backend.is_inexact(array.dtype)]
        return backend.library.result_type(*inexact) if len(inexact) < len(arrays) else None
    if name not in MIXES_KINDS or any(isinstance(raw, float) for raw in raws):
        return backend.default_dtype
    mixed = name in SUMS or max(ranks) > BOOL or any(type(raw) is int for raw in raws)
    return backend.default_dtypes()["integral"] if BOOL in ranks and mixed else None


def _holds_integers(backend: Any, raws: Sequence[Any]) -> bool:
    """Whether there are arrays, and all hold integers or booleans."""
    arrays = [raw for raw in raws if backend.owns(raw)]
    return bool(arrays) and not any(backend.is_inexact(array.dtype) for array in arrays)


def _raised(backend: Any, raws: Sequence[Any], dtype: Any, keep_first: bool) -> list[Any]:
    """The arrays, cast to this dtype where theirs is of a lower kind. With `keep_first` the first stays as it is."""
    top = backend.rank(dtype)
    return [
        backend.xp.astype(raw, dtype)
        if backend.owns(raw) and backend.rank(raw.dtype) < top and not (keep_first and i == 0)
        else raw
        for i, raw in enumerate(raws)
    ]


def _call(function: Function, raws: Sequence[Any], static: dict[str, Any], as_list: bool) -> Any:
    return function(raws, **static) if as_list else function(*raws, **static)
