"""How a row of the rule tables is declared. A row becomes an operation, a public function, and an entry in the registry."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from xgrad.backends import get_backend
from xgrad.backends.data import PYTHON_NUMBERS
from xgrad.backends.refusal import ROWS
from xgrad.engine.arguments import answers_for, unwrap
from xgrad.engine.dispatch import apply, call, offered, with_fast_path
from xgrad.engine.op import DerivativeRule, Elementwise, RawFunction
from xgrad.engine.plain import plain_types
from xgrad.engine.registry import ELEMENTWISE, public
from xgrad.engine.tensor import Tensor, wrap
from xgrad.rules.documentation import of_row

Public = Callable[..., Tensor]
Function = Callable[..., Any]

# For each function of two arrays, its operator: the same function, but it returns NotImplemented for an unknown operand.
OPERATORS: dict[Public, Public] = {}

NOT_CONTINUOUS = "not differentiable: its values are integers, booleans, or constant almost everywhere"


def elementwise(
    name: str,
    row: str,
    *rules: DerivativeRule | None,
    jvp: DerivativeRule | None = None,
    scalars_as_arrays: bool = True,
    of_itself: Public | None = None,
    raw: Function | None = None,
    see: str = "",
) -> Public:
    """Declare a function of one or two arrays, element by element. There is one rule for each argument: g times the derivative.

    `row` says what it computes, and one value: "The sine of x in radians. sin(0.5) = 0.4794" (see documentation.py). `see` is
    the page of a function that the standard does not have.

    Pass `scalars_as_arrays=False` where a library treats a number as a special case (x ** 2). `of_itself` is the function to
    use where both arguments are the same array: x * x is square(x), which is cheaper to differentiate. `raw(xp, x)` computes
    the function on raw arrays, if the standard does not have it. It is then an extension function of every backend.
    """
    if raw is not None:
        ROWS[name] = raw
    if len(rules) == 1:
        return published(of_one_array(Elementwise(name, ("x",), rules, jvp)), name, row, "rule", see)
    op = Elementwise(name, ("x1", "x2"), rules, jvp)
    function = of_two_arrays(op, apply, scalars_as_arrays, of_itself)
    OPERATORS[function] = of_two_arrays(op, offered, scalars_as_arrays, of_itself)
    return published(function, name, row, "rule", see)


def of_one_array(op: Elementwise) -> Public:
    """The public function of an operation of one array."""

    @with_fast_path("unary", op)
    def function(x: Any, /) -> Tensor:
        return apply(op, (x,))

    return function


def of_two_arrays(
    op: Elementwise, run: Callable[..., Any], scalars_as_arrays: bool, of_itself: Public | None
) -> Public:
    """The public function (where `run` is `apply`) or the operator (`offered`) of an operation of two arrays."""

    @with_fast_path("binary", op, scalars_as_arrays=scalars_as_arrays, of_itself=of_itself)
    def function(x1: Any, x2: Any, /) -> Any:
        return run(op, (x1, x2))

    return function


def constant(name: str, row: str, arguments: int = 1) -> Public:
    """Declare an elementwise function without a derivative: its result never requires a gradient."""

    def one(x: Any, /) -> Tensor:
        return untracked(name, (x,))

    def two(x1: Any, x2: Any, /) -> Tensor:
        return untracked(name, (x1, x2))

    def operator(x1: Any, x2: Any, /) -> Any:
        kind1, kind2 = type(x1), type(x2)
        if kind1 in plain_types and kind2 in _REAL_NUMBERS and (y := _with_number(name, x1, x2)) is not None:
            return y
        if kind1 in plain_types and (kind2 in plain_types or kind2 in PYTHON_NUMBERS):
            return untracked(name, (x1, x2))
        return untracked(name, (x1, x2)) if answers_for((x1, x2)) else NotImplemented

    OPERATORS[two] = operator
    return published(one if arguments == 1 else two, name, row, NOT_CONTINUOUS)


def _with_number(name: str, x: Tensor, number: float) -> Tensor | None:
    """As `untracked`, for a comparison and the like of a real tensor and a number. None for what the general way has to do."""
    backend = x.backend
    if not backend.arrays_are_plain:
        return None
    try:
        y = _raw(name)[backend](x._data, number)
    except Exception:  # the general way explains it
        return None
    if type(y) is not type(x._data):
        y = backend.as_array(y)
    return None if backend.is_inexact(y.dtype) else wrap(y, backend)


_REAL_NUMBERS = PYTHON_NUMBERS - {complex}


def untracked(name: str, args: Sequence[Any], **static: Any) -> Tensor:
    """Run a function of the backend without recording it."""
    backend, raws, _ = unwrap(name, args)
    y, _ = call(name, _raw(name)[backend], backend, raws, static)
    return wrap(y if backend.owns(y) else backend.asarray(y), backend)


def _raw(name: str) -> RawFunction:
    found = _raws.get(name)
    if found is None:
        found = _raws[name] = RawFunction(name)
    return found


_raws: dict[str, RawFunction] = {}


def published(function: Public, name: str, row: str, derivative: str, see: str = "") -> Public:
    """Publish the function of a row."""
    function.__name__ = function.__qualname__ = name.rpartition(".")[2]
    function.__doc__ = of_row(name, row, see)
    function.__module__ = "xgrad"
    ELEMENTWISE.add(name)
    return public(name, derivative)(function)


# --- functions of a backend ---------------------------------------------------------------------------------

# name -> the function whose first argument is the backend. A namespace that is bound to a backend passes its own.
BOUND: dict[str, Function] = {}


def of_backend(derivative: str, *, prefix: str = "") -> Callable[[Function], Function]:
    """Publish `function(backend, ...)` without its first argument, for which the current backend is passed.

    `prefix` is "fft." in that extension.
    """

    def declare(function: Function) -> Function:
        def bound(backend: Any, *args: Any, **kwargs: Any) -> Any:
            return function(backend.here(), *args, **kwargs)

        @functools.wraps(function)
        def on_current(*args: Any, **kwargs: Any) -> Any:
            return function(get_backend().here(), *args, **kwargs)

        # inspect.signature and help() look here: the arguments, without the backend. (A Signature would need inspect, which is a
        # tenth of the import of xgrad.)
        rest: Any = functools.partial(function, None)
        rest.__globals__, rest.__code__ = function.__globals__, function.__code__
        on_current.__wrapped__ = rest  # type: ignore[attr-defined]
        BOUND[prefix + function.__name__] = functools.wraps(function)(bound)
        return public(prefix + function.__name__, derivative)(on_current)

    return declare
