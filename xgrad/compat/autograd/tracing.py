"""`make_vjp` and `make_jvp`, which all operators are made of.

HIPS autograd and xgrad differ in how they write the gradient by a complex number: the one is the conjugate of the other. So
complex cotangents are conjugated on their way in, and complex gradients on their way out.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from xgrad.compat.autograd.values import differentiable, getval, plain
from xgrad.compat.autograd.vspaces import VSpace, vspace
from xgrad.engine import plain as plain_types
from xgrad.engine.identity import Identity
from xgrad.engine.tape import OP, is_node, parents_of
from xgrad.engine.tensor import Tensor, wrap
from xgrad.engine.trees import flatten, map_leaves
from xgrad.transforms.grad import Run

Function = Callable[..., Any]
OURS = Identity("argument")  # a node of an argument of a run here
_depth = threading.local()  # `now` is how many runs go on


@cache
def _argument(kind: type[Tensor]) -> type[Tensor]:
    """The type of arguments: they are not written into, because the caller's arrays would not change."""

    class Argument(kind):  # type: ignore[misc, valid-type]
        __slots__ = ()

        def __setitem__(self, key: Any, value: Any) -> None:
            raise TypeError(
                "a function that is differentiated cannot write into its argument: the caller's array would not change. Copy it "
                "first: x = np.array(x)"
            )

    if kind is Tensor:
        plain_types.add(Argument)
    return Argument


def protected(x: Tensor) -> Tensor:
    x.__class__ = _argument(type(x))  # type: ignore[arg-type]
    assert is_node(x.node)
    x.node[OP] = OURS
    return x


@contextmanager
def running() -> Iterator[None]:
    """Count this run among those that go on in this thread."""
    _depth.now = getattr(_depth, "now", 0) + 1
    try:
        yield
    finally:
        _depth.now -= 1


def is_running() -> bool:
    """Whether a run goes on in this thread."""
    return bool(getattr(_depth, "now", 0))


class Trace:
    """One traced run of a function of one argument, which may be a tree.

    Only results that depend on a traced value are followed. The others, such as truth values, words and constants, stay as they
    are. `made` is the argument as a tensor, where the caller has made it.
    """

    def __init__(self, fun: Function, x: Any, made: Tensor | None = None) -> None:
        def traced(x: Any) -> list[Tensor]:
            if made is None:
                x = map_leaves(protected, x)
            with running():
                leaves, self.rebuild = flatten(fun(x))
            self.leaves = leaves
            self.places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Tensor) and leaf.node is not None]
            return [leaves[i] for i in self.places]

        self.run = Run(traced, (map_leaves(differentiable, x),), {}, (0,), has_aux=False, made=made)
        if self.run.inputs and not self.run.path.reached:
            warnings.warn("Output seems independent of input.", stacklevel=4)

    def answer(self) -> Any:
        """The result of the function: plain, or traced where something outside of this run is."""
        leaves = list(self.leaves)
        for i, y in zip(self.places, self.run.output(), strict=True):
            leaves[i] = y
        return settled(self.rebuild(leaves))

    def pull(self, g: Any) -> Any:
        """The gradient of the argument, a tree like it."""
        given, _ = flatten(g)
        if len(given) != len(self.leaves):
            raise ValueError(
                f"the cotangent has {len(given)} leaves, and the result of the function {len(self.leaves)}"
            )
        seeds = [_like(given[i], y, conjugated=True) for i, y in zip(self.places, self.run.outputs, strict=True)]
        found = [_conjugate(x) for x in self.run.pull(seeds)]
        return settled(self.run.in_trees(found)[0])

    def push(self, t: Any) -> Any:
        """The tangent of the result, a tree like it."""
        given, _ = flatten(t)
        if len(given) != len(self.run.inputs):
            raise ValueError(f"the tangent has {len(given)} leaves, and the argument {len(self.run.inputs)}")
        pushed = self.run.push([_like(one, x) for one, x in zip(given, self.run.inputs, strict=True)])
        leaves = list(map(_zero, self.leaves))
        for i, tangent in zip(self.places, pushed, strict=True):
            leaves[i] = tangent
        return settled(self.rebuild(leaves))


def settled(tree: Any) -> Any:
    """A result for the caller: plain, except for what is traced by a run that goes on, or by xgrad itself."""
    return plain(tree) if is_running() else map_leaves(lambda x: getval(x) if _is_over(x) else x, tree)


def _is_over(x: Any) -> bool:
    """Whether a value is a tensor that depends on nothing but arguments of runs that have ended."""
    if not isinstance(x, Tensor):
        return False
    ahead, seen = [x.node], set()
    while ahead:
        node = ahead.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        parents = parents_of(node) if is_node(node) else ()
        if not any(parent is not None for parent in parents) and not (is_node(node) and node[OP] is OURS):
            return False
        ahead.extend(parents)
    return True


def _like(given: Any, x: Tensor, conjugated: bool = False) -> Tensor:
    """A cotangent or a tangent as a tensor of the shape and dtype of x."""
    xp, backend = x.backend.view, x.backend
    t = given if isinstance(given, Tensor) else wrap(backend.adopt(np.asarray(given)), backend)
    if conjugated:
        t = _conjugate(t)
    if t.dtype in backend.complex_dtypes and x.dtype not in backend.complex_dtypes:
        t = xp.real(t)
    if t.dtype != x.dtype:
        t = xp.astype(t, x.dtype, copy=False)
    fitted: Tensor = t if t.shape == x.shape else xp.broadcast_to(t, x.shape)
    return fitted


def _conjugate(x: Tensor) -> Tensor:
    conjugated: Tensor = x.backend.view.conj(x) if x.dtype in x.backend.complex_dtypes else x
    return conjugated


def _zero(leaf: Any) -> Any:
    """The tangent of a result that does not depend on the argument."""
    return vspace(leaf).zeros() if isinstance(leaf, Tensor) or type(leaf) in VSpace.mappings else leaf


def make_vjp(fun: Function, x: Any) -> tuple[Function, Any]:
    """(vjp, fun(x)): `vjp` takes a cotangent of the result, and gives the gradient of x."""
    trace = Trace(fun, x)
    return trace.pull, trace.answer()


def make_jvp(fun: Function, x: Any) -> Function:
    """A function that takes a tangent of x and gives (fun(x), the tangent of the result)."""

    def jvp(t: Any) -> tuple[Any, Any]:
        trace = Trace(fun, x)
        tangent = trace.push(t)
        return trace.answer(), tangent

    return jvp
