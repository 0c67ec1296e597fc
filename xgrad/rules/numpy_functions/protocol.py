"""NEP 18: what NumPy calls for one of its functions that is given a tensor."""

from __future__ import annotations

import difflib
from typing import Any

from xgrad.backends import get_backend
from xgrad.engine.plain import plain_types
from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions import (  # noqa: F401 (they fill the table in)
    averages,
    differences,
    einsum,
    exact,
    linear_algebra,
    of_elements,
    orders,
    padding,
    placing,
    polynomials,
    products,
    reducing,
    selecting,
    sequences,
    shaping,
    spectra,
    triangles,
    without_nan,
)
from xgrad.rules.numpy_functions.face import on_their_backend
from xgrad.rules.numpy_functions.refused import REFUSED
from xgrad.rules.numpy_functions.table import TABLE as TABLE
from xgrad.rules.numpy_functions.table import Row


def array_function(func: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of a function of NumPy's; NotImplemented where another library's arrays are among the arguments."""
    if not plain_types.issuperset(types):
        for kind in types:
            if not issubclass(kind, Tensor) and kind.__module__ != "numpy":
                return NotImplemented
    name, row = _ROWS.get(func) or _row_of(func)
    one = args[0] if args and isinstance(args[0], Tensor) else next((x for x in args if isinstance(x, Tensor)), None)
    if one is not None and one.backend is get_backend() and "out" not in kwargs:
        return row.function(*args, **kwargs)
    with on_their_backend([*args, *kwargs.values()]):
        if kwargs.get("out") is None:
            return row.function(*args, **kwargs)
        out = kwargs.pop("out")
        return placing.into(name, out, row.function(*args, **kwargs))


_ROWS: dict[Any, tuple[str, Row]] = {}  # by function, what the table has under its name


def _row_of(func: Any) -> tuple[str, Row]:
    name = name_of(func)
    row = TABLE.get(name)
    if row is None:
        raise TypeError(refusal(name))
    _ROWS[func] = name, row
    return name, row


def name_of(func: Any) -> str:
    """The name of a function in NumPy, such as "mean" and "linalg.det"."""
    module = func.__module__ or "numpy"
    prefix = module.removeprefix("numpy").lstrip(".")
    return f"{prefix}.{func.__name__}" if prefix else str(func.__name__)


def refusal(name: str) -> str:
    """Why a function does not take tensors, and what does."""
    reason = REFUSED.get(name)
    if reason is not None:
        return f"numpy.{name} of a tensor: {reason}"
    near = difflib.get_close_matches(name, TABLE, 1)
    instead = f"The nearest that there is: numpy.{near[0]}" if near else "Use a function of xgrad"
    return f"numpy.{name} does not take tensors. {instead}; or t.detach().numpy(), if no gradient is needed"
