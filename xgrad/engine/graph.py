"""Looking at the graph that a tensor was computed by: `t.grad_fn`, and a drawing as Graphviz text.

Names are PyTorch's. These read the tape and change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from xgrad.engine.fastpath import Plain
from xgrad.engine.op import Elementwise
from xgrad.engine.tape import FREED, OP, SAVED, Leaf, parents_of
from xgrad.engine.tensor import Tensor

Shape = tuple[int, ...] | None
LEAF = "AccumulateGrad"


class GradFn:
    """A step of the graph: the operation that made a tensor, or the leaf where a gradient arrives.

    >>> import xgrad as xg
    >>> x = xg.asarray([1.0, 2.0], requires_grad=True)
    >>> fn = xg.sum(xg.exp(x)).grad_fn
    >>> fn.name()
    'sum'
    >>> ((exp, _),) = fn.next_functions
    >>> exp.name(), [fn.name() for fn, _ in exp.next_functions]
    ('exp', ['AccumulateGrad'])
    """

    __slots__ = ("_node",)

    def __init__(self, node: Any) -> None:
        self._node = node

    def name(self) -> str:
        """What the operation is called in xgrad; "AccumulateGrad", as in PyTorch, for a leaf."""
        if type(self._node) is Leaf:
            return LEAF
        name: str = self._node[OP].name
        return name

    @property
    def next_functions(self) -> tuple[tuple[GradFn | None, int], ...]:
        """(step, 0) for each argument of the operation: the step that made it, or None if it requires no gradient.

        In PyTorch the number says which output of the step the argument is. In xgrad a step has one output. The tuple is empty
        for a leaf, and for a step that a backward has freed.
        """
        return tuple((None if parent is None else GradFn(parent), 0) for parent in _parents(self._node))

    @property
    def freed(self) -> bool:
        """Whether a backward has freed the step: its saved values are gone, and its arguments are unknown."""
        return type(self._node) is not Leaf and self._node[SAVED] is FREED

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GradFn) and self._node is other._node

    def __hash__(self) -> int:
        return id(self._node)

    def __repr__(self) -> str:
        return f"<{self.name()}>"


def grad_fn(self: Tensor) -> GradFn | None:
    """The step that made this tensor; None for a leaf and for a tensor that requires no gradient."""
    return None if self.is_leaf else GradFn(self.node)


Tensor.grad_fn = property(grad_fn)  # type: ignore[assignment]


def _parents(node: Any) -> tuple[Any, ...]:
    return () if type(node) is Leaf else parents_of(node)


# --- a picture ----------------------------------------------------------------------------------------------


def draw_graph(t: Tensor, names: Mapping[str, Tensor] | None = None) -> str:
    """The graph that a tensor was computed by, in Graphviz's language: `dot -Tsvg` draws it.

    Leaves are ellipses and operations boxes, with shapes where the graph has them. A step that a backward has freed is dashed,
    and its arguments are missing.

    >>> import xgrad as xg
    >>> w = xg.asarray([1.0, 2.0], requires_grad=True)
    >>> print(xg.draw_graph(xg.sum(w * w), names={"w": w}))
    digraph {
      0 [label="sum\\n()", shape=box]
      1 [label="square\\n(2,)", shape=box]
      2 [label="w\\n(2,)", shape=ellipse]
      1 -> 0
      2 -> 1
    }

    Args:
        t: a tensor that requires a gradient.
        names: tensors by name, such as `dict(model.named_parameters())`; the leaves among them are drawn with these names.

    Returns:
        The text of a directed graph, whose arrows go from arguments to results.

    Raises:
        TypeError: where `t`, or a value of `names`, is no tensor.
        ValueError: where `t` requires no gradient, since it has no graph.

    https://graphviz.org/doc/info/lang.html
    """
    if not isinstance(t, Tensor):
        raise TypeError(f"draw_graph: expected a tensor, got {type(t).__name__}")
    if t.node is None:
        raise ValueError("draw_graph: this tensor does not require a gradient, so there is no graph of how it was made")
    for name, leaf in (names or {}).items():
        if not isinstance(leaf, Tensor):
            raise TypeError(f"draw_graph: names has tensors by name, and {name!r} is of type {type(leaf).__name__}")
    called = {id(leaf.node): name for name, leaf in (names or {}).items() if type(leaf.node) is Leaf}
    nodes = list(_beneath(t.node))
    numbers = {id(node): i for i, node in enumerate(nodes)}
    shapes = _shapes(nodes, t.shape) | {id(leaf.node): leaf.shape for leaf in (names or {}).values()}
    boxes = [f"  {i} [{_box(node, called.get(id(node)), shapes.get(id(node)))}]" for i, node in enumerate(nodes)]
    arrows = [
        f"  {numbers[id(parent)]} -> {numbers[id(node)]}"
        for node in nodes
        for parent in _parents(node)
        if parent is not None
    ]
    return "\n".join(["digraph {", *boxes, *arrows, "}"])


def _beneath(root: Any) -> Iterator[Any]:
    """The node and all its ancestors, each once, depth first. A loop and not recursion, because graphs are deep."""
    seen = {id(root)}
    ahead = [root]
    while ahead:
        node = ahead.pop()
        yield node
        for parent in reversed(_parents(node)):
            if parent is not None and id(parent) not in seen:
                seen.add(id(parent))
                ahead.append(parent)


def _shapes(nodes: list[Any], root: Shape) -> dict[int, Shape]:
    """The shapes of the arrays that the nodes made, by the id of the node, as far as saved values show them."""
    found: dict[int, Shape] = {id(nodes[0]): root}
    for node in nodes:
        if type(node) is Leaf:
            continue
        own, of_parents = _known(node, found.get(id(node)))
        found.setdefault(id(node), own)
        for parent, shape in zip(_parents(node), of_parents, strict=False):
            if parent is not None and shape is not None:
                found[id(parent)] = shape
    return found


def _known(node: Any, own: Shape) -> tuple[Shape, list[Shape]]:
    """The shape of a node's output, and those of its arguments."""
    parents, saved, op = _parents(node), node[SAVED], node[OP]
    if isinstance(
        op, Plain
    ):  # of the fast path, where arguments of an elementwise operation have the shape of its output
        alike = isinstance(op.whole, Elementwise)
        kept = saved if isinstance(saved, tuple) and len(saved) > len(parents) else (None,) * len(parents)
        return own, [own if alike else _shape_of(value) for value, _ in zip(kept, parents, strict=False)]
    geometry = saved[-1] if isinstance(saved, tuple) and saved and isinstance(saved[-1], tuple) else None
    if geometry is None or not all(each is None or _is_geometry(each) for each in geometry):
        return own, [own] * len(parents) if not isinstance(saved, tuple) or not saved else []
    shapes: list[Shape] = [None if each is None else tuple(each[0]) for each in geometry]
    return shapes[-1] if own is None else own, shapes[:-1]


def _is_geometry(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], tuple)


def _shape_of(value: Any) -> Shape:
    return tuple(value.shape) if hasattr(value, "shape") else None


def _box(node: Any, name: str | None, shape: Shape) -> str:
    fn = GradFn(node)
    lines = [name or ("leaf" if type(node) is Leaf else fn.name()), *([] if shape is None else [str(shape)])]
    label = "\\n".join(map(_escaped, lines))
    kind = "ellipse" if type(node) is Leaf else "box"
    return f'label="{label}", shape={kind}' + (", style=dashed" if fn.freed else "")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
