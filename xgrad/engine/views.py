"""Views: tensors that share elements with another tensor, their base. A write to one of them is seen in all of them.

    x = xg.zeros((2, 3))           x                         the root
    row = x[0]                     ├── row = x[0]
    part = row[1:]                 │   └── part = row[1:]
    turned = x.T                   └── turned = x.T

These four tensors are a family. A view keeps its base alive and knows how to read itself from the base. The root has weak
references to all views below it. After `row += 1` the family is updated:

* up: `x` becomes put(x, row), its old value with the new row in it;
* down: `part` is read again from `row`, and `turned` from `x`.

Both are ordinary operations on tensors. The tape records them, so writes need no derivative rule, and values that were saved for
backward do not change. Only making a view and writing take time.

Where the library's arrays are views of one memory, and nothing outside of the family holds one of them, the write changes that
memory, and so all arrays of the family. Then only the tape needs an update.

A `Kind` says how a view is read from its base and put back; this file knows no operation. On a root, `Tensor.shared` is the list
of its views. On a view it is a tuple (kind, base, static, list of views). A `chain` is a list of a view, its base, the base of
that, and so on to the root.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeVar
from weakref import ref

from xgrad.backends.references import held_once_through
from xgrad.engine.tape import PARENTS, SEQ, is_node, next_seq, set_recording

Tensor = Any  # tensor.py imports this file
T = TypeVar("T")
Layout = tuple[tuple[int, ...], tuple[int, ...]]  # shape, and strides counted in elements

KIND, BASE, STATIC, VIEWS = range(4)

_removing = threading.Lock()


class Kind:
    """An operation whose result shares the elements of its argument.

    * `read(base, static)` returns the view.
    * `put(base, new, static, in_memory)` returns the base with `new` in the place of the view. With `in_memory`, the base's array
      has these values already, and `put` only records the operation. A kind without `put` is read-only.
    * `layout(shape, strides, static)` returns the shape and strides of the view, given those of the base.
    """

    def __init__(
        self,
        read: Callable[[Tensor, Any], Tensor],
        put: Callable[[Tensor, Tensor, Any, bool], Tensor] | None,
        layout: Callable[[tuple[int, ...], tuple[int, ...], Any], Any],
    ) -> None:
        self.read, self.put, self.layout = read, put, layout


class Views(list[Any]):
    """Weak references to the views below a root, each view after its base. Dead ones are removed when `limit` is reached."""

    __slots__ = ("limit",)

    def __init__(self) -> None:
        super().__init__()
        self.limit = 16

    def prune(self) -> None:
        """Remove dead references. A view that another thread appends meanwhile stays."""
        self.keep(lambda view: view is not None)
        self.limit = max(16, 2 * len(self))

    def keep(self, condition: Callable[[Tensor | None], bool]) -> None:
        """Remove the views for which the condition is false. A dead reference is None."""
        with _removing:
            seen = len(self)
            self[:seen] = [each for each in self[:seen] if condition(each())]


# --- making a view ------------------------------------------------------------------------------------------


def as_view(y: T, base: Tensor, kind: Kind, static: Any) -> T:
    """Make y, which was just read from `base`, a view of it."""
    view: Any = y
    if view.backend is not base.backend:  # the base comes from outside of a running vmap
        return y
    views = getattr(base, "shared", None)
    if type(views) is tuple:
        views = views[VIEWS]
    elif views is None:
        views = base.shared = Views()
    if view.node is None and is_node(base.node):  # under no_grad: the view must not keep the base's graph alive
        base = ref(base)
    view.shared = kind, base, static, views
    if len(views) >= views.limit:
        views.prune()
    views.append(ref(view))
    return y


def link_of(t: Tensor) -> Any:
    """The tuple (kind, base, static, list of views) of a view; None for any other tensor."""
    shared = getattr(t, "shared", None)
    return shared if type(shared) is tuple else None


def chain_of(t: Tensor) -> list[Tensor]:
    """t, its base, the base of that, and so on to the root. It ends early where a view made under no_grad has lost its base."""
    chain = [t]
    while type(shared := getattr(t, "shared", None)) is tuple:
        t = shared[BASE]
        if type(t) is ref:
            t = t()
            if t is None:
                break
        chain.append(t)
    return chain


def is_read_only(chain: list[Tensor]) -> bool:
    """Whether some view in the chain is read-only."""
    for view in chain[:-1]:  # noqa: SIM110 (a generator costs three times as much)
        if view.shared[KIND].put is None:
            return True
    return False


def layout_of(t: Tensor) -> Layout:
    """The shape and the strides of t, as if its root were stored in row-major order, on every backend."""
    *views, root = chain_of(t)
    layout = tuple(root.shape), contiguous(root.shape)
    for view in reversed(views):
        kind, _, static, _ = view.shared
        layout = kind.layout(*layout, static)
    return layout


def contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides, in elements, of an array of that shape in row-major order."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))


# --- after a write ------------------------------------------------------------------------------------------


def family_of(chain: list[Tensor]) -> list[Tensor] | None:
    """The first tensor of the chain, its root, and all live views of the root, each after its base.

    None for a tensor without base and views, which is the usual case.
    """
    t, root = chain[0], chain[-1]
    shared = getattr(t, "shared", None)
    if not shared:
        return None
    family = [t] if t is root else [t, root]
    for each in shared[VIEWS] if type(shared) is tuple else shared:
        view = each()
        if view is not None and view is not t:
            family.append(view)
    return family if len(family) > 1 else None


def is_recorded(family: list[Tensor]) -> bool:
    """Whether one of these tensors is on the tape."""
    for each in family:  # noqa: SIM110 (a generator costs three times as much)
        if each.node is not None:
            return True
    return False


def update_family(chain: list[Tensor], new: Tensor, family: list[Tensor], *, in_memory: bool, record: bool) -> None:
    """Give the first tensor of the chain the value of `new`, and update its family.

    Args:
        chain: the tensor that was written to, and its bases.
        new: its new value.
        family: as `family_of` returns it.
        in_memory: whether the arrays of the family have their new values already.
        record: whether to record the update on the tape.
    """
    t, root = chain[0], chain[-1]
    record = record and (new.node is not None or is_recorded(family))
    if in_memory and not record:
        return
    old_node = t.node
    _take(t, new, in_memory, record)
    if in_memory and len(family) == len(chain) == 2 and _put_again(root, old_node, t.node):
        return
    for view, base in pairwise(chain):
        kind, _, static, _ = view.shared
        new = kind.put(base, new, static, in_memory)
        _take(base, new, in_memory, record)
    if not in_memory:
        for base, view in pairwise(reversed(chain)):  # their values are right; their arrays become views again
            _read_again(view, base.detach(), in_memory, record=False)
    written = {id(each) for each in chain}
    for view in family:
        if id(view) not in written:
            _read_from_base(view, in_memory, record)


def _take(t: Tensor, new: Tensor, in_memory: bool, record: bool) -> None:
    """Give t the array of `new`, unless it has the values in memory, and with `record` its node."""
    if not in_memory:
        t._data = new._data
    if record:
        t.become(new.node)


def _read_from_base(view: Tensor, in_memory: bool, record: bool) -> None:
    base = view.shared[BASE]
    if type(base) is not ref:
        _read_again(view, base, in_memory, record)
    elif (alive := base()) is not None:  # made under no_grad: it gets the values, and no node
        _read_again(view, alive.detach(), in_memory, record=False)


def _read_again(view: Tensor, base: Tensor, in_memory: bool, record: bool) -> None:
    kind, _, static, _ = view.shared
    _take(view, kind.read(base, static), in_memory, record)


def _put_again(root: Tensor, old: Any, new: Any) -> bool:
    """Replace the view's old node by its new one in the root's node, if that is the node of the last `put` of this view.

    A loop that writes into one view then records one node for each write, and only one for the root. This requires that there was
    no other write in between, and that nothing else holds the root's node. Returns whether it was done.
    """
    node = root.node
    if not (is_node(node) and is_node(old) and is_node(new)):
        return False
    parents = node[PARENTS]
    if type(parents) is not tuple or not parents or parents[-1] is not old or not held_once_through(root, "node"):
        return False
    node[PARENTS], node[SEQ] = (*parents[:-1], new), next_seq()
    return True


# --- other new values ---------------------------------------------------------------------------------------


def assign(t: Tensor, array: Any) -> bool:
    """Give t this array, and update its family, unrecorded. Returns False if t has no family, or loses it.

    An array of another shape, dtype or backend cannot be shared. Then all views in the family become separate tensors.
    """
    chain = chain_of(t)
    family = family_of(chain)
    if family is None:
        return False
    fits = (tuple(array.shape), array.dtype) == (tuple(t._data.shape), t._data.dtype)
    if not fits or any(each.backend is not t.backend for each in family) or is_read_only(chain):
        for each in family:
            separate(each)
        return False
    new = t.detach()
    new._data = array
    with set_recording(False):
        update_family(chain, new, family, in_memory=False, record=False)
    return True


def separate(t: Tensor) -> None:
    """Make a view a separate tensor. Its own views stay views of it."""
    link = link_of(t)
    if link is None:
        return
    views, own = link[VIEWS], Views()
    others = [view for each in views if (view := each()) is not None and view is not t]
    below = [view for view in others if any(each is t for each in chain_of(view))]
    for view in below:
        view.shared = (*view.shared[:VIEWS], own)
        own.append(ref(view))
    t.shared = own
    gone = {id(t), *map(id, below)}
    views.keep(lambda view: id(view) not in gone)
