"""Functions that are traced once, whose steps run again on other values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from xgrad.compat.autograd.tracing import protected, running, settled
from xgrad.compat.autograd.values import differentiable
from xgrad.compat.autograd.wrap_util import wraps
from xgrad.compat.autograd.written import Written
from xgrad.engine import tape
from xgrad.engine.dispatch import apply
from xgrad.engine.identity import Identity
from xgrad.engine.op import JointlyLinear, Op
from xgrad.engine.tape import PARENTS, STATIC
from xgrad.engine.tensor import Tensor
from xgrad.engine.trees import flatten
from xgrad.engine.watching import watching
from xgrad.transforms.grad import place_of, to_tensor


def const_graph(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., Any]:
    """The function with its first arguments and keywords given. It runs once; later calls run its recorded steps again.

    So the function must take the same steps for all arguments: what it does beside them, such as a choice by an `if`, is that of
    the first call. `xgrad.compile` does the same with checks of shapes, and faster. Where a step cannot run again, such as a
    decomposition or a primitive whose result is a tree, the function runs in each call.

    Raises:
        TypeError: where the result is not one array that depends on the arguments.
    """
    whole = partial(fun, *args, **kwargs)
    steps: Steps | None = None

    @wraps(fun)
    def called(*rest: Any) -> Any:
        nonlocal steps
        if steps is not None:
            return steps(rest)
        steps, answer = recorded(whole, rest)
        return answer

    return called


class Step(NamedTuple):
    """One operation: its operands, of which those with a parent are replaced, and the node that stands for its result."""

    op: Any
    raws: Sequence[Any]
    node: Any


class Steps:
    """The steps from arguments to a result, oldest first."""

    def __init__(self, inputs: Sequence[Any], steps: Sequence[Step], end: Any) -> None:
        self.inputs, self.steps, self.end = inputs, steps, end

    def __call__(self, args: tuple[Any, ...]) -> Any:
        leaves, _ = flatten(args)
        if len(leaves) != len(self.inputs):
            raise TypeError(
                f"const_graph: the first call had {len(self.inputs)} numbers and arrays, this one {len(leaves)}"
            )
        place = place_of(leaves)
        values = {
            id(node): to_tensor(differentiable(x), place=place) for node, x in zip(self.inputs, leaves, strict=True)
        }
        for op, raws, node in self.steps:
            operands = [
                raw if parent is None else values[id(parent)]
                for raw, parent in zip(raws, tape.parents_of(node), strict=True)
            ]
            values[id(node)] = _again(op, operands, node[STATIC])
        return settled(values[id(self.end)])


def recorded(fun: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Steps | None, Any]:
    """The steps of a run of the function, None where one of them cannot run again; and its result."""
    leaves, rebuild = flatten(args)
    place = place_of(leaves)
    inputs = [to_tensor(differentiable(x), place=place) for x in leaves]
    traced = []
    for x in inputs:
        node = tape.make_node(None, (x.node,), backend=x.backend)
        traced.append(protected(type(x)(x.data, x.backend, node)))
    seen: dict[int, Step] = {}

    def watch(op: Any, backend: Any, raws: Sequence[Any], y: Any, node: Any) -> None:
        if node is not None:
            seen[id(node)] = Step(op, list(raws), node)

    with tape.set_recording(True), running(), watching(watch):
        y = fun(*rebuild(traced))
    nodes: list[Any] = [x.node for x in traced]
    ends = set(map(id, nodes))
    if not isinstance(y, Tensor) or y.node is None:
        raise TypeError("const_graph: the result must be one array that depends on the arguments")
    steps: dict[int, Step] = {}
    ahead: list[Any] = [y.node]
    while ahead:
        node = ahead.pop()
        if node is None or id(node) in ends or id(node) in steps:
            continue
        is_identity = isinstance(node[tape.OP], Identity)  # such as the argument of a gradient within
        step = Step(node[tape.OP], [None], node) if is_identity else seen.get(id(node))
        if step is None or not _can_run_again(step):
            return None, settled(y)
        steps[id(node)] = step
        ahead.extend(node[PARENTS])
    oldest_first = sorted(steps.values(), key=lambda step: -step.node[tape.SEQ])
    return Steps(nodes, oldest_first, y.node), settled(y)


def _can_run_again(step: Step) -> bool:
    if isinstance(step.op, Written):
        return step.node[STATIC]["call"].result is None
    return isinstance(step.op, Op | Identity) and len(step.raws) == len(step.node[PARENTS])


def _again(op: Any, operands: list[Any], static: Any) -> Any:
    """The operation on other operands."""
    if isinstance(op, Identity):
        return operands[0]
    if isinstance(op, Written):
        call = static["call"]
        return to_tensor(op(*call.arguments(operands), **call.kwargs))
    as_list = isinstance(op, JointlyLinear) and op.joint is not None
    return apply(op, operands, static, as_list=as_list)
