"""Solutions of equations f(x, *args) = 0 as functions of args, by the theorem of implicit functions.

The derivative of a solution is that of no algorithm: dx = -J^-1 df, where J is the Jacobian of f by x at the solution, and df is
how f moves with its arguments there. https://arxiv.org/abs/2105.15183
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import xgrad as xg
from xgrad.engine import tape
from xgrad.engine.identity import ARGUMENT
from xgrad.engine.path import Path
from xgrad.engine.tape import BACKEND, SAVED, Node, parents_of
from xgrad.engine.tensor import Tensor, wrap
from xgrad.engine.trees import flatten
from xgrad.transforms.batching.backend import as_now
from xgrad.transforms.batching.boundary import lift_for

Parents = Sequence[Any]


class Equation:
    """An equation f(x, *args) = 0 of a vector x, kept so that it can be evaluated again."""

    def __init__(self, f: Callable[..., Tensor], args: tuple[Any, ...]) -> None:
        self.f = f
        leaves, self.rebuild = flatten(args)
        self.moving = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Tensor) and leaf.requires_grad]
        self.parents: Parents = [leaves[i].node for i in self.moving]
        self.leaves = [leaf.detach() if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        self.closed_over: Parents = ()
        self.as_then = as_now()
        self.backend: Any = None

    @property
    def detached(self) -> tuple[Any, ...]:
        """The arguments without their gradients."""
        found: tuple[Any, ...] = self.rebuild(self.leaves)
        return found

    def arguments(self, parents: Parents, *, fresh: bool) -> tuple[list[Node], tuple[Any, ...]]:
        """The arguments on the tape, as the given nodes or as fresh ones below these. The first node marks where they begin."""
        nodes: list[Node] = [tape.make_node(ARGUMENT, ())]
        leaves = list(self.leaves)
        for i, parent in zip(self.moving, parents, strict=True):
            x = leaves[i]
            node = parent
            if fresh:
                node = tape.make_node(ARGUMENT, (parent,), backend=x.backend)
                nodes.append(node)
            leaves[i] = wrap(x.data, x.backend, node)
        return nodes, self.rebuild(leaves)

    def residual(self, x: Tensor, parents: Parents) -> tuple[list[Node], Tensor]:
        """The value of f at x, recorded from fresh nodes of the arguments."""
        nodes, args = self.arguments(parents, fresh=True)
        with tape.set_recording(True), self.as_then():
            return nodes, self.f(x, *args)

    def jacobian(self, x: Tensor, parents: Parents) -> Tensor:
        """The Jacobian by x, on the tape if the pass is recorded."""
        _, args = self.arguments(parents, fresh=False)
        with self.as_then():
            found: Tensor = xg.jacobian(lambda x: self.f(x, *args))(x)
        return found


class At:
    """What a solution keeps: the equation, its x, and the nodes of the arguments in a pass that is recorded.

    It is no tuple, so that a batched pass leaves x as it is: the same for all rows of the batch.
    """

    def __init__(self, equation: Equation, x: Any, above: Parents) -> None:
        self.equation, self.x, self.above = equation, x, above

    def place(self) -> Tensor:
        """x as a tensor. It is on the tape if the pass is recorded."""
        return self.x if isinstance(self.x, Tensor) else wrap(self.x, self.equation.backend)


class Solution:
    """The operation that a solution was computed by. Its parents are the arguments, then what f closes over."""

    name = "implicit solution"
    fresh = False
    lends = True

    def lift(self, node: Node) -> tuple[Any, Any]:
        backend = node[BACKEND]
        saved = node[SAVED]
        above = parents_of(node)[: len(saved.above)]
        return backend.view, At(saved.equation, wrap(saved.x, backend, node), above)

    def pull(self, xp: Any, g: Any, parents: Parents, saved: Any, static: Any) -> Sequence[Any]:
        equation, x, above = saved.equation, saved.place(), saved.above
        record = isinstance(g, Tensor)
        g = g if record else wrap(g, x.backend)
        with tape.set_recording(record):
            w = -xg.linalg.solve(equation.jacobian(x, above).mT, g)
        path, ends, lift = self.path(equation, x, above, w)
        with tape.set_recording(record):
            found = path.back(ends, [w if record else w.data], record=record, lift=lift)[1:]
        return [None if parent is None else h for parent, h in zip(parents, found, strict=True)]

    def push(self, xp: Any, tangents: Sequence[Any], saved: Any, static: Any) -> Any:
        equation, x, above = saved.equation, saved.place(), saved.above
        record = any(isinstance(t, Tensor) for t in tangents)
        path, ends, lift = self.path(equation, x, above, next((t for t in tangents if isinstance(t, Tensor)), x))
        with tape.set_recording(record):
            (moved,) = path.forth([None, *tangents], ends, record=record, lift=lift)
            if moved is None:
                return None
            moved = moved if record else wrap(moved, x.backend)
            t = -xg.linalg.solve(equation.jacobian(x, above), moved)
        return t if record else t.data

    def path(self, equation: Equation, x: Tensor, above: Parents, carried: Tensor) -> tuple[Path, list[Any], tape.Lift]:
        nodes, residual = equation.residual(x, above)
        lift = lift_for([carried.backend], [residual.backend])
        return Path(nodes, [residual.node], equation.closed_over), [residual.node], lift


class Failed:
    """The operation of an x at which the equation is not solved. Its derivative is an error."""

    fresh = False
    lends = True
    name = "implicit solution"

    def lift(self, node: Node) -> tuple[Any, Any]:
        return node[BACKEND].view, node[SAVED]

    def pull(self, xp: Any, g: Any, parents: Parents, saved: Any, static: Any) -> Sequence[Any]:
        raise RuntimeError(saved)

    def push(self, xp: Any, tangents: Sequence[Any], saved: Any, static: Any) -> Any:
        raise RuntimeError(saved)


_SOLUTION, _FAILED = Solution(), Failed()


def solution(equation: Equation, x: Tensor, failure: str = "") -> Tensor:
    """x, which solves an equation, with the derivative of a solution; with a `failure`, derivatives raise it as RuntimeError."""
    x = x.detach()
    if not tape.is_recording():
        return x
    nodes, residual = equation.residual(x, equation.parents)
    equation.backend = x.backend
    if residual.node is None:
        return x
    equation.closed_over = Path(nodes, [residual.node]).outside
    parents = (*equation.parents, *equation.closed_over)
    if failure:
        return wrap(x.data, x.backend, tape.make_node(_FAILED, parents, failure, backend=x.backend))
    saved = At(equation, x.data, [None] * len(equation.parents))
    return wrap(x.data, x.backend, tape.make_node(_SOLUTION, parents, saved, backend=x.backend))
