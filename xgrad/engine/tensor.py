"""The tensor: an array of a backend, and the node of the operation that computed it.

The operators and methods of a tensor are defined in rules/, which sets them on this class (rules/operators.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from xgrad.engine import deferred, plain, reading, tape, views
from xgrad.engine.declared import Declared
from xgrad.engine.identity import COPIED, KEPT, MOVED
from xgrad.engine.reading import noting
from xgrad.engine.tape import OP, STATIC, Leaf, is_node
from xgrad.engine.tohost import Size, Values, count, hand_out, size_of
from xgrad.engine.transfer import holds

if TYPE_CHECKING:
    from xgrad.backends.base import Backend


class Tensor(Values, Declared["Tensor"]):
    """An array of a backend that records how it was computed, so that it can be differentiated.

    `xgrad.asarray`, `xgrad.tensor` and all functions of the namespace make tensors; the class itself is not called. A tensor has
    the operators, attributes and methods of the standard's array object, and most methods that NumPy and PyTorch agree on.

    >>> import xgrad as xg
    >>> x = xg.asarray([1.0, 2.0, 3.0], requires_grad=True)
    >>> xg.sum(x * x).backward()
    >>> x.grad.numpy().tolist()
    [2.0, 4.0, 6.0]

    Attributes:
        data: the backend's own array. What is done with it is not recorded.
        backend: the backend: a library on a device.
        node: the node of the tape that computed the tensor, or a Leaf that holds its gradient; None without a gradient.
        layout: a token for shape, dtype and backend, which the fast path compares.
        shared: the views of the tensor, or the view that it is; not set without views.

    Raises:
        TypeError: Tensor(data) without a backend.

    https://data-apis.org/array-api/latest/API_specification/array_object.html
    """

    __slots__ = ("__weakref__", "_data", "_held", "_unmarked", "backend", "layout", "node", "shared")

    _data: Any
    backend: Backend
    layout: Any  # see layout_of
    node: tape.Node | Leaf | None
    _held: tape.Held  # holds the gradient of a leaf; a computed tensor has one after retain_grad()
    shared: Any  # see views.py; not set on a tensor that is no view and has none

    def __init__(self, data: Any, backend: Backend | None = None, node: tape.Node | Leaf | None = None) -> None:
        if backend is None:
            raise TypeError(
                "Tensor(data) does not make a tensor: write xgrad.asarray(data), or xgrad.tensor(data) for a copy"
            )
        self._data = data
        self.backend = backend
        self.layout = None
        self.node = node
        if type(node) is Leaf:
            self._held = node.held()
        if noting:
            reading.made(self)

    # --- what it is ---

    @property
    def data(self) -> Any:
        """The backend's own array. It may be set to another array, or to a tensor without a gradient, of the same backend.

        A new array may have another shape and dtype; a tensor must have the same shape. A write to `data` is not recorded.
        """
        if noting:
            reading.read(self)
        if self.backend.asks_operands:
            hand_out(self._data)
        return self._data

    @data.setter
    def data(self, array: Any) -> None:
        if isinstance(array, Tensor):
            array = self._values_of(array)
        if not self.backend.owns(array):
            if not self.backend.accepts(array):
                raise TypeError(f".data must be an array of backend {self.backend}, not {type(array).__name__}")
            array = self.backend.adopt(array)  # a NumPy array
        if getattr(self, "shared", None) and views.assign(self, array):
            return
        self._data, self.layout = array, None

    def _values_of(self, other: Tensor) -> Any:
        """The array of a tensor that is assigned to `.data`, as in `t.data -= lr * t.grad`."""
        if other.node is not None:
            raise TypeError(
                ".data takes no tensor that requires a gradient: assign t.detach(), or write x[...] = t, which records the write"
            )
        if other.backend is not self.backend or other.shape != self.shape:
            raise ValueError(
                f".data of shape {self.shape} on {self.backend} cannot be set to a tensor of shape {other.shape} on "
                f"{other.backend}; for another shape, assign the array itself: x.data = t.data"
            )
        if other.dtype == self.dtype:
            return other.data
        if not holds(self.backend, self.dtype, other.backend, other.dtype):
            raise TypeError(f".data of dtype {self.dtype} cannot hold a tensor of dtype {other.dtype}")
        return self.backend.xp.astype(other.data, self.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return tuple(self._data.shape)

    @property
    def dtype(self) -> Any:
        """The dtype, as the library has it."""
        return self._data.dtype

    @property
    def device(self) -> Any:
        """The device, as the library has it."""
        return self.backend.device

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._data.shape)

    @property
    def size(self) -> Size:
        """The number of elements. As in PyTorch, `t.size()` is the shape, and `t.size(i)` the length of axis i."""
        return size_of(self._data.shape)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """xgrad as an Array API namespace, bound to this tensor's backend and device."""
        return self.backend.here().view.version(api_version)

    def __repr__(self) -> str:
        grad = ", requires_grad=True" if self.requires_grad else ""
        where = f"backend='{self.backend.name}', device='{self.backend.device_name}'"
        values = self.backend.format(self.data)
        return f"{type(self).__name__}({values}, {where}{grad})"

    __hash__ = object.__hash__

    # --- the gradient ---

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient by this tensor can be computed: it is a leaf that was marked, or computed from one."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, on: bool) -> None:
        self.requires_grad_(on)

    def requires_grad_(self, on: bool = True) -> Tensor:
        """Mark this tensor as a leaf, to which `backward` adds a gradient, or unmark it. Returns the tensor.

        A view becomes independent: writes to its base no longer change it. Raises TypeError for an integer or boolean dtype, and
        RuntimeError if a computed tensor is unmarked; use `detach` for that.
        """
        if on and self.node is None:
            check_differentiable(self.dtype, self.backend)
            views.separate(self)
            self._mark(self._leaf() or Leaf())
        elif not on and self.node is not None:
            if not self.is_leaf:
                raise RuntimeError("only a leaf can stop requiring a gradient; use t.detach() for a computed tensor")
            self._unmarked, self.node = self.node, None  # existing graphs still add their gradients to the leaf
        return self

    def _mark(self, leaf: Leaf) -> None:
        self.node, self._held = leaf, leaf.held()

    @property
    def is_leaf(self) -> bool:
        """True unless the tensor was computed from one that requires a gradient."""
        return type(self.node) is not list

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward` has added up here, of the shape and dtype of the tensor; None before the first one.

        It may be set to None or to such a tensor. Raises RuntimeError for a tensor that is no leaf and retains no gradient,
        TypeError for another kind of value or another backend, and ValueError for another shape or dtype.
        """
        node = self.node
        if type(node) is Leaf:
            held: Tensor | None = self._held.grad
            return held
        leaf = self._leaf()
        grad: Tensor | None = None if leaf is None else leaf.grad
        return grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        leaf = self._leaf()
        if leaf is None:
            if value is None:
                return
            raise RuntimeError(
                "only a leaf that requires a gradient (or a tensor after retain_grad()) has a .grad to set"
            )
        if value is not None and not isinstance(value, Tensor):
            raise TypeError(f".grad must be a Tensor or None, not {type(value).__name__}: make one with xgrad.asarray")
        if value is not None and value.backend is not self.backend:
            raise TypeError(f".grad must be on the backend of its tensor, {self.backend}, not on {value.backend}")
        if value is not None and (value.shape, value.dtype) != (self.shape, self.dtype):
            raise ValueError(
                f".grad must have the shape and dtype of its tensor, {self.shape} {self.dtype}; "
                f"got {value.shape} {value.dtype}"
            )
        leaf.grad = value

    def _leaf(self) -> Leaf | None:
        node = self.node
        if node is None:
            return getattr(self, "_unmarked", None)  # a leaf that does not require a gradient for now
        if type(node) is not list:
            return cast("Leaf", node)
        return node[STATIC] if node[OP] is KEPT else None

    def retain_grad(self) -> None:
        """Keep the gradient of this computed tensor in `.grad`, as if it were a leaf.

        After a write to the tensor, the gradient of its new value is added to what `.grad` holds, as in PyTorch. Raises
        RuntimeError for a tensor that requires no gradient.
        """
        node = self.node
        if node is None:
            raise RuntimeError("retain_grad(): this tensor does not require a gradient")
        leaf = self._leaf()
        if is_node(node) and leaf is None:
            leaf = Leaf()
            tape.insert_after(node, KEPT, (leaf,), leaf)
        self._held = cast("Leaf", leaf).held()

    def become(self, node: tape.Node | Leaf | None) -> None:
        """Take the node of a value that was written to this tensor. A leaf stays a leaf."""
        before = self.node
        if type(before) is Leaf:
            return
        self.node = node
        if is_node(before) and before[OP] is KEPT and is_node(node):
            held = self._held
            self.retain_grad()
            before[STATIC].hand_over(node[STATIC])
            self._held = held

    def detach(self) -> Tensor:
        """A tensor of the same values that requires no gradient. A write to one of the two leaves the other as it is."""
        if noting:
            reading.read(self)
        return wrap(self._data, self.backend, None)

    def backward(self, gradient: Any = None, *, retain_graph: bool | None = None, create_graph: bool = False) -> None:
        """Compute the gradient of this tensor by every leaf that it was computed from, and add it to the leaf's `.grad`.

        Args:
            gradient: the cotangent of this tensor, of its shape and dtype. It is 1 by default, for a tensor of one real element.
            retain_graph: whether to keep what the graph has saved for backward, for a second backward; None means `create_graph`.
            create_graph: whether to record the computation of the gradients, so that they can be differentiated again.

        Raises:
            RuntimeError: for a tensor that requires no gradient; for one of several elements, or of a complex dtype, without
                `gradient`.
            GraphFreedError: for a graph that an earlier backward has freed.
            TypeError, ValueError: for a `gradient` on another backend, or of another shape or dtype.
        """
        node = self.node
        if node is None:
            raise RuntimeError(
                "backward(): this tensor does not require a gradient. Nothing it was computed from was made with "
                "requires_grad=True, or it was computed under no_grad()."
            )
        seed = self._seed(gradient)
        retain = create_graph if retain_graph is None else retain_graph
        if create_graph:
            with tape.set_recording(True):
                reached = self._reached(node, seed, retain, True)
                tape.deliver(reached, self._as_grad)
        else:
            reached = self._reached(node, seed._data, retain, False)
            tape.deliver(reached, self._as_grad)
        if self.backend.defers:
            deferred.remember(self, (leaf for leaf, _, _ in reached))

    def _reached(self, node: tape.Node | Leaf, seed: Any, retain: bool, record: bool) -> list[tuple[Leaf, Any, bool]]:
        if is_node(node):
            return tape.backward(node, seed, retain=retain, record=record)
        return [(cast("Leaf", node), seed, False)]

    def _seed(self, gradient: Any) -> Tensor:
        if gradient is None:
            if count(self._data.shape) != 1:
                raise RuntimeError(
                    f"backward() of a tensor of shape {self.shape} needs the gradient to start from: "
                    "call backward(gradient) with an array of that shape, or reduce the tensor to one number first"
                )
            if self.dtype in self.backend.complex_dtypes:
                raise RuntimeError(
                    "backward() of a complex tensor needs the gradient to start from, since only a real number has one: call "
                    "backward(gradient), or take xgrad.real or xgrad.abs of the tensor first."
                )
            return wrap(self.backend.one(self.shape, self.dtype), self.backend)
        seed = (
            gradient
            if isinstance(gradient, Tensor)
            else wrap(self.backend.adopt_any(gradient, self.dtype), self.backend)
        )
        if seed.backend is not self.backend:
            raise TypeError(f"backward(): the tensor is on {self.backend}, its gradient on {seed.backend}")
        if (seed.shape, seed.dtype) != (self.shape, self.dtype):
            raise ValueError(
                f"backward(gradient): expected shape {self.shape} and dtype {self.dtype}, those of the tensor; "
                f"got shape {seed.shape} and dtype {seed.dtype}"
            )
        return seed

    def _as_grad(self, g: Any, fresh: bool) -> Tensor:
        """The gradient of a leaf as a tensor that shares its memory with no other array."""
        if isinstance(g, Tensor):
            if g.node is None:
                return wrap(g.backend.copy(g._data), g.backend)
            return wrap(g._data, g.backend, g.node) if fresh else g._copied()
        backend = self.backend.backend_of_array(g)
        return wrap(backend.owned(g, fresh), backend)

    # --- a sequence ---

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.shape:
            raise TypeError("iteration over a 0-d tensor")
        if self.ndim == 1:  # an element is a tensor of its own and no view, as in NumPy
            return (self[i] for i in range(self.shape[0]))
        return (self[i, ...] for i in range(self.shape[0]))

    # --- exchange and copies ---

    def to_device(self, device: Any, /, *, stream: Any = None) -> Tensor:
        """This tensor if it is on that device, otherwise a copy there. The copy is recorded: its gradient is moved back."""
        backend = self.backend.on_device(device)
        if backend is self.backend:
            return self
        node = None
        if self.node is not None and tape.is_recording():
            node = tape.make_node(MOVED, (self.node,), static=(self.backend, backend), backend=backend)
        return wrap(backend.asarray(self.data), backend, node)

    def __dlpack__(
        self,
        /,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[Any, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        if self.requires_grad:
            raise BufferError("DLPack does not export a tensor that requires a gradient: call t.detach() first")
        asked = {"stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy}
        return self.data.__dlpack__(**{name: value for name, value in asked.items() if value is not None})

    def __dlpack_device__(self) -> Any:
        return self.data.__dlpack_device__()

    def __copy__(self) -> Tensor:
        return self.__deepcopy__({})

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        """An independent leaf for a leaf. A copy of a computed tensor is recorded: it is computed from that tensor."""
        if not self.is_leaf:
            return self._copied()
        copy = type(self).__new__(type(self))
        Tensor.__init__(copy, self.backend.copy(self.data), self.backend)
        if self.requires_grad:
            copy._mark(Leaf())
            if self.grad is not None:
                copy._held.grad = self.grad.__deepcopy__(memo)
        return copy

    def _copied(self) -> Tensor:
        """A copy that is computed from this tensor."""
        recorded = self.node is not None and tape.is_recording()
        node = tape.make_node(COPIED, (self.node,), backend=self.backend) if recorded else None
        return wrap(self.backend.copy(self.data), self.backend, node)

    def __reduce__(self) -> Any:
        """Pickles a leaf with its gradient, and of a computed tensor the values only, as `detach` gives them."""
        grad = self.grad if self.is_leaf else None
        state = self.backend.name, self.backend.device_name, self.numpy(), self.requires_grad and self.is_leaf
        return _unpickle, (type(self), *state, None if grad is None else grad.numpy())


class GeneralTensor(Tensor):
    """A tensor that the fast path does not take. As it is a type of its own, the fast path tells others by their type alone."""

    __slots__ = ()


class ComplexTensor(GeneralTensor):
    """A tensor of complex dtype."""

    __slots__ = ()


plain.add(Tensor)


def layout_of(x: Tensor) -> Any:
    """A token for one shape (not 0-d), one real floating dtype and one backend. Tensors share a token only if these are equal.

    It is found for a tensor that was not computed, and passed on by elementwise operations. On other tensors it is None, and
    tells nothing.
    """
    if x.layout is None and type(x.node) is not list:
        x.layout = x.backend.layout(x._data)
    return x.layout


def wrap(data: Any, backend: Backend, node: tape.Node | Leaf | None = None) -> Tensor:
    """A Tensor; a ComplexTensor for a complex dtype, and a GeneralTensor for others that the fast path does not take."""
    return (general_type(data, backend) if data.dtype in backend.general_dtypes else Tensor)(data, backend, node)


def general_type(data: Any, backend: Backend) -> type[Tensor]:
    return ComplexTensor if data.dtype in backend.complex_dtypes else GeneralTensor


def check_differentiable(dtype: Any, backend: Backend) -> None:
    if not backend.is_inexact(dtype):
        raise TypeError(
            f"a tensor of dtype {dtype} cannot require a gradient: only real and complex floating-point ones can. "
            "Convert it first, with xgrad.astype(t, xgrad.float64) or dtype=."
        )


def _unpickle(cls: type[Tensor], name: str, device: str, values: Any, requires_grad: bool, grad: Any) -> Tensor:
    from xgrad.backends import load

    backend = load(name, device)
    tensor = cls.__new__(cls)
    Tensor.__init__(tensor, backend.asarray(values), backend)
    if requires_grad:
        tensor._mark(Leaf())
        if grad is not None:
            tensor._held.grad = wrap(backend.asarray(grad), backend)
    return tensor
