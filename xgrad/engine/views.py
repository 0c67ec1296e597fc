"""Views: tensors that share elements with another tensor, their base. A write to one of them is seen in all of them.

    x = xg.zeros((2, 3))           x                         the root
    row = x[0]                     ├── row = x[0]
    part = row[1:]                 │   └── part = row[1:]
    turned = x.T                   └── turned = x.T

All of these are a family. A view keeps its base alive, and knows how it is read out of it. The root keeps weak references to all
views below it. After `row += 1`, the others follow:

* up:    `x` becomes put(x, row), its old value with the new row in it;
* down:  `part` and `turned` are read again, out of `row` and `x`.

Both are ordinary operations on tensors. The tape records them, so the gradient needs no rule of its own, and what was saved for
backward keeps its value. Only making a view and writing cost anything.

Where the library's arrays are views too, and nobody outside of the family holds one of them, the write changes that memory, and
all arrays of the family with it. Then only the tape has to follow.

A `Kind` says how a view is read and put back; this file knows no operation. `Tensor.shared` holds the list of views on a root,
and a tuple (kind, base, static, list of views) on a view. The functions below take a view's `chain`: the view, its base, the
base of that, and so on to the root.
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

    * `read(base, static)` makes the view.
    * `put(base, new, static, in_memory)` is the value of the base with `new` where the view is. With `in_memory`, the base's
      array has these values already, so that `put` only has to record. A kind without `put` is read-only.
    * `layout(shape, strides, static)` gives the shape and strides of the view.
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
        """Remove dead references. What another thread appends meanwhile stays."""
        self.keep(lambda view: view is not None)
        self.limit = max(16, 2 * len(self))

    def keep(self, condition: Callable[[Tensor | None], bool]) -> None:
        with _removing:
            seen = len(self)
            self[:seen] = [each for each in self[:seen] if condition(each())]


# --- making a view ------------------------------------------------------------------------------------------


def as_view(y: T, base: Tensor, kind: Kind, static: Any) -> T:
    """y, just read out of `base`, as a view of it."""
    view: Any = y
    if view.backend is not base.backend:  # a vmap has taken the base in
        return y
    views = getattr(base, "shared", None)
    if type(views) is tuple:
        views = views[VIEWS]
    elif views is None:
        views = base.shared = Views()
    if view.node is None and is_node(base.node):  # made under no_grad: it must not keep the base's graph alive
        base = ref(base)
    view.shared = kind, base, static, views
    if len(views) >= views.limit:
        views.prune()
    views.append(ref(view))
    return y


def link_of(t: Tensor) -> Any:
    """How t is read out of its base, as a tuple; None if t is not a view."""
    shared = getattr(t, "shared", None)
    return shared if type(shared) is tuple else None


def chain_of(t: Tensor) -> list[Tensor]:
    """t, its base, the base of that, and so on to the root. (Of a view made under no_grad, to where a base is gone.)"""
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
    """Whether some view in the chain is of a kind that cannot be written to."""
    for view in chain[:-1]:  # noqa: SIM110 (a generator costs three times as much)
        if view.shared[KIND].put is None:
            return True
    return False


def layout_of(t: Tensor) -> Layout:
    """The shape and the strides of t. A root is taken to be stored row by row, on every backend."""
    *views, root = chain_of(t)
    layout = tuple(root.shape), contiguous(root.shape)
    for view in reversed(views):
        kind, _, static, _ = view.shared
        layout = kind.layout(*layout, static)
    return layout


def contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides, in elements, of an array of that shape that is stored row by row."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))


# --- after a write ------------------------------------------------------------------------------------------


def family_of(chain: list[Tensor]) -> list[Tensor] | None:
    """The tensor that the chain begins with, the root, and all live views below that, each after its base.

    None if the tensor has no base and no view, which is the usual case.
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
    """Give the tensor that the chain begins with the value of `new`, and let its family follow.

    `in_memory`: the arrays of the family have their new values already. `record`: the tape follows as well.
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
        for base, view in pairwise(reversed(chain)):  # these have their values, and get arrays that are views again
            _read_again(view, base.detach(), in_memory, record=False)
    written = {id(each) for each in chain}
    for view in family:
        if id(view) not in written:
            _read_from_base(view, in_memory, record)


def _take(t: Tensor, new: Tensor, in_memory: bool, record: bool) -> None:
    if not in_memory:
        t._data = new._data
    if record:
        t.become(new.node)


def _read_from_base(view: Tensor, in_memory: bool, record: bool) -> None:
    base = view.shared[BASE]
    if type(base) is not ref:
        _read_again(view, base, in_memory, record)
    elif (alive := base()) is not None:  # made under no_grad: it gets the values only
        _read_again(view, alive.detach(), in_memory, record=False)


def _read_again(view: Tensor, base: Tensor, in_memory: bool, record: bool) -> None:
    kind, _, static, _ = view.shared
    _take(view, kind.read(base, static), in_memory, record)


def _put_again(root: Tensor, old: Any, new: Any) -> bool:
    """Let the root's node put the view's new node in its place, if all that it did was to put the old one there.

    A loop that writes into one view then records one node for each write, and a single one for the root. It is only done where no
    other write came between, and nothing else holds the root's node. Returns whether it was done.
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
    """Give t this array, and its family the values, unrecorded. Returns False if t has no family, or has none from now on.

    An array of another shape, dtype or backend cannot be shared: then the views become tensors of their own.
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
    """Make a view a tensor of its own. Views of it stay views of it."""
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
