"""How a row of the rule tables is declared: each makes an operation, its public function, and an entry in the registry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xgrad.backends.data import PYTHON_NUMBERS
from xgrad.engine import dispatch
from xgrad.engine.arguments import answers_for, unwrap
from xgrad.engine.op import Elementwise, RawFunction, Rule
from xgrad.engine.registry import ELEMENTWISE, public
from xgrad.engine.tensor import Tensor, plain_types, wrap

Public = Callable[..., Tensor]

# A function of two arrays -> the operator: the same, but NotImplemented for an operand that it does not know.
OPERATORS: dict[Public, Public] = {}

NOT_CONTINUOUS = "not differentiable: its values are integers, booleans, or constant almost everywhere"


def elementwise(
    name: str,
    doc: str,
    *rules: Rule | None,
    jvp: Rule | None = None,
    weak_arrays: bool = True,
    of_itself: Public | None = None,
) -> Public:
    """A function of one or two arrays, element by element. One rule per argument: g times the derivative.

    `weak_arrays=False` where a library treats a number as a special case (x ** 2). `of_itself` is what the function is of an
    array and itself: x * x is square(x), which is cheaper to differentiate.
    """
    arguments = ("x",) if len(rules) == 1 else ("x1", "x2")
    op = Elementwise(name, arguments, rules, jvp)
    if len(rules) == 1:
        return _publish(dispatch.unary(op), name, doc, "rule")
    function = dispatch.binary(op, weak_arrays=weak_arrays, of_itself=of_itself)
    OPERATORS[function] = dispatch.binary(op, weak_arrays=weak_arrays, of_itself=of_itself, general=dispatch.offered)
    return _publish(function, name, doc, "rule")


def constant(name: str, doc: str, arguments: int = 1) -> Public:
    """An elementwise function without a derivative: the result never requires a gradient."""

    def one(x: Any, /) -> Tensor:
        return untracked(name, (x,))

    def two(x1: Any, x2: Any, /) -> Tensor:
        return untracked(name, (x1, x2))

    def operator(x1: Any, x2: Any, /) -> Any:
        if type(x1) in plain_types and (type(x2) in plain_types or type(x2) in PYTHON_NUMBERS):
            return untracked(name, (x1, x2))
        return untracked(name, (x1, x2)) if answers_for((x1, x2)) else NotImplemented

    OPERATORS[two] = operator
    return _publish(one if arguments == 1 else two, name, doc, NOT_CONTINUOUS)


def untracked(name: str, args: Sequence[Any], **static: Any) -> Tensor:
    """Run a function of the backend without recording it."""
    backend, raws, _ = unwrap(name, args)
    y, _ = dispatch.call(name, _raw(name)[backend], backend, raws, static)
    return wrap(y if backend.owns(y) else backend.asarray(y), backend)


def _raw(name: str) -> RawFunction:
    found = _raws.get(name)
    if found is None:
        found = _raws[name] = RawFunction(name)
    return found


_raws: dict[str, RawFunction] = {}


def _publish(function: Public, name: str, doc: str, derivative: str) -> Public:
    function.__name__ = function.__qualname__ = name.rpartition(".")[2]
    function.__doc__ = doc
    function.__module__ = "xgrad"
    ELEMENTWISE.add(name)
    return public(name, derivative)(function)
