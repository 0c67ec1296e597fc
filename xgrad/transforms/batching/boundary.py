"""The differentiable operations at the boundary of a vmap: hide a batch axis, expose it again, bring in an outside tensor.

Hiding an axis and exposing it are each other's transposes. A tensor from outside is the same for all examples, so the transpose
of bringing it in is the sum over the examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xgrad.backends.base import Backend
from xgrad.engine import tape
from xgrad.engine.identity import Identity
from xgrad.engine.tensor import Tensor, wrap
from xgrad.transforms.batching.array import Axes, Axis, Batched, full, merged
from xgrad.transforms.batching.backend import NOT_RUNNING, BatchedBackend, base_and_scope, inside_of, scoped

# --- on raw arrays ------------------------------------------------------------------------------------------
#
# Outside of every vmap, a raw array is the library's own; inside, it is a Batched.


def _opened(backend: Backend, raw: Any) -> Batched:
    """A raw array of any backend as a Batched, perhaps without hidden axes."""
    return raw if isinstance(raw, Batched) else Batched(raw, (), backend)


def _closed(base: Backend, scope: Axes, value: Any, axes: Axes) -> Any:
    """A raw array of the backend inside these vmaps. Outside of all, it is a new view of the value, even of a NumPy scalar."""
    return Batched(value, axes, scoped(base, scope)) if scope else value[...]


def _moved(base: Backend, value: Any, source: int, destination: int) -> Any:
    return value if source == destination else base.xp.moveaxis(value, source, destination)


def _hide(backend: Backend, raw: Any, axis: Axis) -> Any:
    """Hide the first axis."""
    base, scope = base_and_scope(backend)
    x = _opened(backend, raw)
    axes = merged(x.axes, (axis,))
    value = _moved(base, x.value, len(x.axes), axes.index(axis))
    return _closed(base, merged(scope, (axis,)), value, axes)


def _show(backend: Backend, raw: Any, axis: Axis) -> Any:
    """Expose the hidden axis as the first one. An array that is the same for all examples is repeated."""
    base, scope = base_and_scope(backend)
    x = _opened(backend, raw)
    axes = merged(x.axes, (axis,))
    value = _moved(base, full(x, axes), axes.index(axis), len(axes) - 1)
    rest = tuple(other for other in axes if other is not axis)
    return _closed(base, tuple(other for other in scope if other is not axis), value, rest)


def _take_in(backend: Backend, raw: Any, added: Axes) -> Any:
    """Bring in an array that is the same for all examples."""
    base, scope = base_and_scope(backend)
    x = _opened(backend, raw)
    return _closed(base, merged(scope, added), x.value, x.axes)


def _total(backend: Backend, raw: Any, added: Axes) -> Any:
    """The sum over all examples."""
    base, scope = base_and_scope(backend)
    x = _opened(backend, raw)
    over = tuple(i for i, axis in enumerate(x.axes) if axis in added)
    value = base.xp.sum(x.value, axis=over, dtype=x.dtype) if over else x.value
    for axis in added:
        if axis not in x.axes:  # the same gradient for each example
            value = value * axis.size
    rest = tuple(axis for axis in x.axes if axis not in added)
    return _closed(base, tuple(axis for axis in scope if axis not in added), value, rest)


# --- on tensors and on the tape -----------------------------------------------------------------------------


class Boundary(Identity):
    """One of these operations. `there(backend, raw, static)` computes it on raw arrays; `back` is its transpose."""

    back: Boundary

    def __init__(self, name: str, there: Any) -> None:
        super().__init__(name)
        self.there = there

    def pull(self, xp: Any, g: Any, parents: Any, saved: Any, static: Any) -> Any:
        return [None if parent is None else self.back.bring(g, static) for parent in parents]

    def push(self, xp: Any, tangents: Any, saved: Any, static: Any) -> Any:
        return self.bring(tangents[0], static)

    def bring(self, g: Any, static: Any) -> Any:
        """The operation on g, a raw array or a tensor."""
        if isinstance(g, Tensor):
            return self(g, *static)
        backend, where = static
        return self.there(g.backend if isinstance(g, Batched) else base_and_scope(backend)[0], g, where)

    def __call__(self, x: Tensor, backend: Backend, where: Any) -> Tensor:
        raw = self.there(x.backend, x.data, where)
        found = raw.backend if isinstance(raw, Batched) else base_and_scope(x.backend)[0]
        node = None
        if x.node is not None and tape.is_recording():
            node = tape.make_node(self, (x.node,), static=(x.backend, where), backend=found)
        return wrap(raw, found, node)


HIDDEN, SHOWN = Boundary("vmap (in)", _hide), Boundary("vmap (out)", _show)
TAKEN_IN, SUMMED = Boundary("vmap (from outside)", _take_in), Boundary("vmap (sum over the examples)", _total)
for _one, _other in ((HIDDEN, SHOWN), (TAKEN_IN, SUMMED)):
    _one.back, _other.back = _other, _one


def hide(x: Tensor, axis: Axis) -> Tensor:
    """x with its first axis hidden: a tensor with the shape of one example."""
    return HIDDEN(x, x.backend, axis)


def show(x: Tensor, axis: Axis) -> Tensor:
    """x with the batch axis exposed as the first one, even if x is the same for all examples."""
    return SHOWN(x, x.backend, axis)


def take_in(x: Tensor, backend: Backend) -> Tensor:
    """A tensor from outside, on the backend inside, where it is the same for all examples."""
    if x.backend is backend:
        return x
    _, outer = base_and_scope(x.backend)
    added = tuple([axis for axis in base_and_scope(backend)[1] if axis not in outer])
    return TAKEN_IN(x, x.backend, added) if added else x


def inside(x: Tensor) -> Tensor:
    """x on the backend of the vmap that is running, if one is running for x's library."""
    return take_in(x, x.backend.here())


def check_running(outputs: Sequence[Tensor], inputs: Sequence[Tensor]) -> None:
    """Raise RuntimeError if an output of a function belongs to a vmap that is not running, and no input belongs to it.

    The function has closed over such a tensor. A derivative by an input would silently be a sum over the examples.
    """
    for y in outputs:
        if not inside_of(y.backend, *(x.backend for x in inputs)):
            raise RuntimeError(NOT_RUNNING)


def lift_for(carried: list[Backend], on_tape: list[Backend]) -> tape.Lift:
    """The function that makes tensors of saved values, for a pass that carries these backends along a tape of those.

    They differ where a function under vmap differentiates along a tape that was made outside. The saved values are then the same
    for all examples.
    """
    return tape.lift if carried == on_tape else _lift_inside


def _lift_inside(node: tape.Node) -> tuple[Any, Any]:
    _, saved = tape.lift(node)
    if isinstance(saved, tuple):
        saved = tuple(inside(value) if isinstance(value, Tensor) else value for value in saved)
    elif isinstance(saved, Tensor):
        saved = inside(saved)
    return node[tape.BACKEND].here().view, saved


BatchedBackend.take_in = lambda self, tensor: take_in(tensor, self)  # type: ignore[method-assign]
