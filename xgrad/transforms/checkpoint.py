"""Checkpointing: run a part of a computation again in backward instead of keeping what it saved. It trades time for memory."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from xgrad.engine import tape
from xgrad.engine.identity import ARGUMENT
from xgrad.engine.path import Path
from xgrad.engine.reading import Notes, Repetition
from xgrad.engine.several import Output, Parts
from xgrad.engine.tape import BACKEND, SAVED, Node, is_node, parents_of
from xgrad.engine.tensor import Tensor, wrap
from xgrad.engine.trees import flatten
from xgrad.engine.watching import noted
from xgrad.transforms.batching.backend import as_now
from xgrad.transforms.batching.boundary import lift_for

Function = Callable[..., Any]


class _Call:
    """A call of a function, kept so that it can be repeated: the flat arguments, and which of them require a gradient."""

    def __init__(self, f: Function, leaves: Sequence[Any], rebuild: Function, moving: Sequence[int]) -> None:
        self.f, self.rebuild, self.moving = f, rebuild, moving
        self.as_then = as_now()
        self.leaves = [leaf.detach() if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        self.closed_over: Sequence[Any] = ()  # nodes of tensors that f closes over and that require a gradient
        self.notes = Notes()

    def first(self, parents: Sequence[Any]) -> tuple[list[Node], list[Any], Function]:
        """The first run. It notes what the function reads."""
        with noted(self.notes):
            nodes, results, rebuild = self.run(parents)
        self.notes.finish(results)
        return nodes, results, rebuild

    def run(self, parents: Sequence[Any]) -> tuple[list[Node], list[Any], Function]:
        """Record the call. Returns nodes for the arguments that require a gradient, the flat results, and their rebuild function.

        The first node has no parents. It is older than all else in this run, and so marks where the run begins on the tape.
        """
        nodes: list[Node] = [tape.make_node(ARGUMENT, ())]
        leaves = [leaf.detach() if isinstance(leaf, Tensor) else leaf for leaf in self.leaves]  # f may write into them
        for i, parent in zip(self.moving, parents, strict=False):
            x = leaves[i]
            nodes.append(tape.make_node(ARGUMENT, (parent,), backend=x.backend))
            leaves[i] = wrap(x.data, x.backend, nodes[-1])
        args, kwargs = self.rebuild(leaves)
        with tape.set_recording(True), self.as_then():
            results, rebuild = flatten(self.f(*args, **kwargs))
        return nodes, results, rebuild

    def again(self, parents: Sequence[Any]) -> tuple[Path, list[Any]]:
        """Repeat the call. Returns the path from the arguments and `closed_over` to the results, and the nodes of the results."""
        notes = Repetition(self.notes)
        try:
            with noted(notes):
                nodes, results, _ = self.run(parents)
        except Exception as error:
            if notes.deviation is not None:
                raise _changed(notes.deviation) from error
            raise
        ends = [y.node if isinstance(y, Tensor) else None for y in results]
        path = Path(nodes, ends, self.closed_over)
        if notes.deviation is None and any(is_node(node) for node in path.outside):
            notes.deviation = "a tensor that was computed since"
        if notes.deviation is not None:
            raise _changed(notes.deviation)
        return path, ends


def _changed(what: str) -> RuntimeError:
    return RuntimeError(
        f"checkpoint: the function was run again for its gradient and reads {what}, which it did not read when it was called. "
        "What a checkpointed function closes over must keep its value until backward(): call that before the optimizer's step "
        "and before other writes, or make the tensor an argument, whose value is kept."
    )


def _record_and_lift(carried: Sequence[Any], nodes: Sequence[Any]) -> tuple[bool, tape.Lift]:
    """Whether a pass from these nodes carries tensors, and how it makes tensors of saved values."""
    pairs = [(t, node) for t, node in zip(carried, nodes, strict=True) if isinstance(t, Tensor) and is_node(node)]
    lift = lift_for([t.backend for t, _ in pairs], [node[BACKEND] for _, node in pairs])
    return any(isinstance(t, Tensor) for t in carried), lift


class _Checkpoint:
    """The operation. The parents of its node are the nodes of the arguments, then those that the function closes over."""

    name = "checkpoint"
    fresh = False
    lends = True

    def pull(self, xp: Any, g: Parts, parents: Sequence[Any], saved: Any, static: Any) -> Sequence[Any]:
        path, ends = self.again(saved)
        used = [i for i in g.of if ends[i] is not None]
        seeds = [g.of[i] for i in used]
        record, lift = _record_and_lift(seeds, [ends[i] for i in used])
        found = path.back([ends[i] for i in used], seeds, record=record, lift=lift)[1:]
        return [None if parent is None else h for parent, h in zip(parents, found, strict=True)]

    def push(self, xp: Any, tangents: Sequence[Any], saved: Any, static: Any) -> Any:
        path, ends = self.again(saved)
        record, lift = _record_and_lift(tangents, path.inputs[1:])
        return path.forth([None, *tangents], ends, record=record, lift=lift)

    def again(self, saved: _Call | tuple[_Call, Sequence[Any]]) -> tuple[Path, list[Any]]:
        """Repeat the call. In a recorded pass the arguments are on the tape, because another pass may differentiate by them: also
        those that get no gradient in this one.
        """
        if isinstance(saved, tuple):
            call, parents = saved
            return call.again(parents)
        return saved.again([None] * len(saved.moving))

    def lift(self, node: Node) -> tuple[Any, tuple[_Call, Sequence[Any]]]:
        return node[BACKEND].view, (node[SAVED], parents_of(node))


_checkpoint = _Checkpoint()


def checkpoint(f: Function) -> Function:
    """A function that computes as `f`, keeps no intermediate values for backward, and computes them again there.

    A chain of n equal layers in pieces of sqrt(n) layers then needs the memory of about 2 sqrt(n) layers instead of n, and one
    more forward pass.

    Both runs of `f` must read the same values. Tensors that `f` closes over must keep theirs until backward(); arguments may be
    written to. xgrad's random generators repeat their numbers in the second run and do not advance. A write into a raw array
    that a tensor holds is not noticed.

    >>> import xgrad as xg
    >>> layer = xg.checkpoint(lambda x: xg.sin(xg.exp(x)))
    >>> abs(xg.grad(layer)(0.5).item() - xg.grad(lambda x: xg.sin(xg.exp(x)))(0.5).item()) < 1e-15
    True

    Args:
        f: a function of trees that may hold tensors, whose result is a tree that may hold tensors.

    Returns:
        A function of the same arguments with the same result.

    Derivative:
        That of `f`, in both modes and to any order.

    Raises:
        RuntimeError: in backward, where `f` reads a tensor that has changed since the call, such as a weight after the
            optimizer's step.

    Chen et al., https://arxiv.org/abs/1604.06174.
    """

    @functools.wraps(f)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        if not tape.is_recording():
            return f(*args, **kwargs)
        leaves, rebuild = flatten((args, kwargs))
        moving = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Tensor) and leaf.requires_grad]
        parents = [leaves[i].node for i in moving]
        call = _Call(f, leaves, rebuild, moving)
        nodes, results, rebuild_results = call.first(parents)
        tensors = [y for y in results if isinstance(y, Tensor) and y.requires_grad]
        call.closed_over = Path(nodes, [y.node for y in tensors]).outside
        if not tensors:
            return rebuild_results(results)
        backend = tensors[0].backend
        whole: Node = tape.make_node(_checkpoint, (*parents, *call.closed_over), call, backend=backend)
        return rebuild_results([_output(y, i, whole) for i, y in enumerate(results)])

    return checkpointed


def _output(y: Any, number: int, whole: Node) -> Any:
    """One output of a checkpointed call, with a node of its own below the node of the whole call."""
    if not isinstance(y, Tensor) or not y.requires_grad:
        return y
    return wrap(y.data, y.backend, Output("checkpoint", number).node(whole))
