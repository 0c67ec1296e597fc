"""NumPy's ufuncs on tensors: `np.exp(t)`, and what `ndarray * t` and `np.float64(2) * t` call.

A ufunc that the namespace has calls that function, so it is differentiable. numpy_functions/ufunc_methods.py has others, and the
methods reduce, accumulate, reduceat and outer. Any other ufunc raises TypeError: no gradient is lost silently, and nothing moves
from a device to the host.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable
from typing import Any

from xgrad.engine.registry import FUNCTIONS
from xgrad.engine.tensor import Tensor
from xgrad.engine.tohost import is_handed_out
from xgrad.rules.declare import OPERATORS

SAME = """
    add bitwise_and bitwise_or bitwise_xor ceil copysign cos cosh divide equal exp expm1 floor floor_divide greater greater_equal
    hypot isfinite isinf isnan less less_equal log log10 log1p log2 logaddexp logical_and logical_not logical_or logical_xor
    matmul maximum minimum multiply negative nextafter not_equal positive reciprocal remainder sign signbit sin sinh sqrt square
    subtract tan tanh trunc vecdot
"""
RENAMED = {
    "absolute": "abs",
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "conjugate": "conj",
    "invert": "bitwise_invert",
    "left_shift": "bitwise_left_shift",
    "power": "pow",
    "right_shift": "bitwise_right_shift",
    "rint": "round",
}
COMPARISONS = frozenset(("equal", "greater", "greater_equal", "less", "less_equal", "not_equal"))
UFUNCS: dict[str, Callable[..., Any]] = {
    name: OPERATORS.get(FUNCTIONS[function], FUNCTIONS[function])
    for name, function in {**{name: name for name in SAME.split()}, **RENAMED}.items()
}


def array_ufunc(self: Tensor, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
    """What NumPy calls for a ufunc that is given a tensor (NEP 13)."""
    if method == "__call__" and out is None and not options:
        function = _DIRECT.get(ufunc)
        if function is not None and list not in (kinds := [type(x) for x in inputs]) and tuple not in kinds:
            return function(*inputs)
    if method != "at" and any(isinstance(x, list | tuple) for x in inputs):
        inputs = _without_lists(inputs)
    function = ours(ufunc) if method == "__call__" and not options else None
    if function is not None and (out is None or (out[0] is inputs[0] and is_handed_out(out[0]))):
        if ufunc.__name__ in COMPARISONS:  # NumPy passes a scalar that is compared as a 0-d array
            inputs = tuple(
                x[()] if not isinstance(x, Tensor) and getattr(x, "shape", None) == () else x for x in inputs
            )
        found = function(*inputs)  # in place, it is `t.data -= ...`: Python assigns the result to .data
        if found is NotImplemented and ufunc.__name__ in ("equal", "not_equal"):
            return ufunc.__name__ == "not_equal"  # as Python does where a comparison is not defined
        return found
    is_host = method == "at" and not isinstance(inputs[0], Tensor)  # it writes into an array of the user's own
    is_host = is_host or (out is not None and not any(isinstance(array, Tensor) for array in out))
    if is_host and not any(isinstance(x, Tensor) and x.requires_grad for x in inputs):
        hosts = [x.__array__() if isinstance(x, Tensor) else x for x in inputs]
        given = options if out is None else {**options, "out": out}
        return getattr(ufunc, method)(*hosts, **given)
    if not is_host and (_is_numpys(ufunc) or ours(ufunc) is not None):
        from xgrad.rules.numpy_functions import ufunc_methods as more  # at the first such call

        function = ours(ufunc) or more.MORE.get(ufunc.__name__)
        if function is not None:
            return more.called(ufunc.__name__, function, method, inputs, options, out)
    raise TypeError(_refusal(ufunc, method, is_host))


def _without_lists(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The inputs with lists of numbers, or of numbers and tensors, as tensors on the backend of the others."""
    from xgrad.rules.numpy_functions.face import on_their_backend, stacked

    with on_their_backend(inputs):
        return tuple(stacked("array", x) if isinstance(x, list | tuple) else x for x in inputs)


def _is_numpys(ufunc: Any) -> bool:
    return getattr(sys.modules.get("numpy"), ufunc.__name__, None) is ufunc


_DIRECT: dict[Any, Callable[..., Any]] = {}  # by ufunc, what `ours` has found, comparisons apart


def ours(ufunc: Any) -> Callable[..., Any] | None:
    """The namespace's function for one of NumPy's ufuncs, or of SciPy's special ones; None if there is none.

    A ufunc of the same name from elsewhere is another function.
    """
    name = ufunc.__name__
    for library, function in (("numpy", UFUNCS.get(name)), ("scipy.special", FUNCTIONS.get(f"special.{name}"))):
        if function is not None and getattr(sys.modules.get(library), name, None) is ufunc:
            if name not in COMPARISONS:
                _DIRECT[ufunc] = function
            return function
    return None


def _refusal(ufunc: Any, method: str, is_host: bool) -> str:
    name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
    if is_host:
        return (
            f"numpy.{name}: a NumPy array cannot keep the gradient of a tensor that requires one. Write a = a + t "
            "for a += t, or t.detach() if the gradient is not needed."
        )
    near = difflib.get_close_matches(ufunc.__name__, [*UFUNCS, *(n.removeprefix("special.") for n in FUNCTIONS)], 1)
    nearest = f" The nearest that there is: {near[0]}." if near else ""
    return (
        f"the ufunc {name} does not take tensors: it would not pass the gradient on.{nearest} Call it on t.detach().numpy() "
        "if the gradient is not needed, or give it a rule by xgrad.primitive."
    )


def array_function(self: Tensor, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """What NumPy calls for one of its other functions that is given a tensor (NEP 18)."""
    from xgrad.rules.numpy_functions import protocol  # at the first such call: it has some hundred functions

    def from_now_on(self: Tensor, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return protocol.array_function(func, types, args, kwargs)

    Tensor.__array_function__ = from_now_on  # type: ignore[attr-defined]
    return from_now_on(self, func, types, args, kwargs)


Tensor.__array_ufunc__ = array_ufunc  # type: ignore[assignment]
Tensor.__pandas_priority__ = 5000  # type: ignore[attr-defined]  # above a table's: `series * t` is `t.__rmul__(series)`
Tensor.__array_function__ = array_function  # type: ignore[attr-defined]
