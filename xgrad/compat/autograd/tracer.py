"""Primitives, and what is traced. xgrad's tensors are what HIPS autograd calls boxes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from xgrad.compat.autograd.places import subvals as subvals
from xgrad.compat.autograd.places import toposort as toposort
from xgrad.compat.autograd.values import getval as getval
from xgrad.compat.autograd.values import isbox as isbox
from xgrad.compat.autograd.values import values
from xgrad.compat.autograd.wrap_util import wraps
from xgrad.compat.autograd.written import Written
from xgrad.engine.tensor import Tensor

Box = Tensor
Tensor._value = property(getval)  # type: ignore[attr-defined]  # what a box of HIPS autograd's holds
notrace_primitives: dict[Any, set[Any]] = defaultdict(set)


def _holds_tensor(values: Iterable[Any]) -> bool:
    for value in values:
        if isinstance(value, Tensor):
            return True
        if isinstance(value, list | tuple | dict) and _holds_tensor(
            value.values() if isinstance(value, dict) else value
        ):
            return True
    return False


def primitive(f_raw: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is not looked into: it gets plain values, and its derivative is what `defvjp` and `defjvp` say.

    Keyword arguments are not differentiated.
    """
    written: list[Written] = []

    @wraps(f_raw)
    def f_wrapped(*args: Any, **kwargs: Any) -> Any:
        if not _holds_tensor(args):
            return f_raw(*args, **kwargs)
        if notrace_primitives and any(f_wrapped in functions for functions in notrace_primitives.values()):
            return f_raw(*values(args), **kwargs)
        return written[0](*args, **kwargs)

    written.append(Written(f_raw, f_wrapped))
    f_wrapped.fun = f_raw  # type: ignore[attr-defined]
    f_wrapped._is_autograd_primitive = True  # type: ignore[attr-defined]
    return f_wrapped


def register_notrace(trace_type: Any, primitive_fun: Callable[..., Any]) -> None:
    """Say that a primitive has no derivative: it gives plain values."""
    notrace_primitives[trace_type].add(primitive_fun)


def notrace_primitive(f_raw: Callable[..., Any]) -> Callable[..., Any]:
    """A function of plain values, also where it is given traced ones."""

    @wraps(f_raw)
    def f_wrapped(*args: Any, **kwargs: Any) -> Any:
        return f_raw(*map(getval, args), **kwargs)

    f_wrapped._is_primitive = True  # type: ignore[attr-defined]
    return f_wrapped
