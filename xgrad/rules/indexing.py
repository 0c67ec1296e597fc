"""Indexing: functions that read parts of an array, or write to them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from xgrad.backends.data import BOOL, COMPLEX, REAL, is_scalar, rank_of_number
from xgrad.engine.arguments import adopted, backend_of, operand_on
from xgrad.engine.dispatch import apply, apply_to_one, node_of
from xgrad.engine.integers import integer
from xgrad.engine.modes import is_debugging
from xgrad.engine.op import JointlyLinear, Multilinear, sum_to
from xgrad.engine.operands import beside, operand, own_indices, together
from xgrad.engine.registry import public
from xgrad.engine.tape import is_recording
from xgrad.engine.tensor import Tensor, wrap
from xgrad.engine.views import Kind, as_view
from xgrad.rules import strides
from xgrad.rules.manipulation import broadcast_shapes, broadcast_to, reshape
from xgrad.rules.shapes import normalize_axes

_getitem = Multilinear("getitem", ("x",), (lambda xp, g, key, x_shape: xp.scatter(g, key, x_shape),))
_scatter = Multilinear("scatter", ("x",), (lambda xp, g, key: xp.getitem(g, key),))
SETITEM = JointlyLinear(
    "setitem",
    ("x", "value"),
    (
        lambda xp, g, key: xp.setitem(g, 0, key),
        lambda xp, g, key, value_shape: _of_written(xp, g, key, value_shape),
    ),
)


def _of_written(xp: Any, g: Any, key: Any, value_shape: tuple[int, ...]) -> Any:
    """The cotangent of the value: g at the key, and 0 for an element that a later one replaced at the same place."""
    if not value_shape and str(getattr(key, "dtype", "")).endswith("bool") and key.shape == g.shape:
        return xp.mask(g, key)  # one number, written by a mask: the engine sums, so zeros do no harm
    h = xp.getitem(g, key)
    parts = key if isinstance(key, tuple) else (key,)
    if not any(isinstance(part, list) or getattr(part, "ndim", 0) for part in parts):
        return h
    numbers = xp.reshape(xp.arange(prod(h.shape)), h.shape)
    left = xp.setitem(xp.zeros(g.shape, dtype=numbers.dtype), numbers, key)
    return xp.mask(h, xp.getitem(left, key) == numbers)


def placed(x: Any, key: Any, shape: tuple[int, ...] | None = None, value: Any = 0) -> tuple[Any, Any]:
    """Move x and the key to the backend that they share with `value`; tensors in the key become raw arrays.

    The key indexes an array of this `shape`, or of the shape of x.
    """
    parts = key if isinstance(key, tuple) else (key,)
    others = [part for part in parts if type(part) not in _PLAIN]
    if not others:
        return x, key
    arrays = [part for part in others if hasattr(part, "dtype")]
    if len(arrays) < len(others) or any(is_scalar(part) for part in arrays):
        parts = tuple(_settled(part) for part in parts)
        key = parts if isinstance(key, tuple) else parts[0]
        arrays = [part for part in parts if hasattr(part, "dtype")]
    if not arrays and not any(isinstance(part, list) for part in parts):
        return x, key
    backend = backend_of("indexing", [x, *arrays, value])
    if isinstance(x, Tensor):
        x = operand_on(backend, x)
    is_kept = is_recording() and (getattr(x, "requires_grad", False) or getattr(value, "requires_grad", False))
    raws = [_array(backend, part, is_kept) for part in parts]
    if is_debugging() and not backend.checks_indices:
        with backend.guard:
            check_bounds(backend, tuple(x.shape) if shape is None else shape, raws)
    return x, tuple(raws) if isinstance(key, tuple) else raws[0]


_PLAIN = frozenset((int, slice, type(None), type(...)))
_NO_INTEGERS = _PLAIN - {int}


def _settled(part: Any) -> Any:
    """One part of a key: a list becomes a copy that holds Python numbers only, and a NumPy integer a Python integer."""
    if isinstance(part, list):
        return [each.tolist() if isinstance(each, Tensor) else _settled(each) for each in part]
    return part.item() if hasattr(part, "dtype") and is_scalar(part) else part


def _array(backend: Any, part: Any, is_kept: bool) -> Any:
    """One part of a key: arrays, tensors and lists become raw arrays.

    An array that is saved for backward is copied, as the caller may write to it before then.
    """
    if isinstance(part, list):
        indices = backend.asarray(part)
        return backend.asarray(part, dtype=backend.xp.int64) if 0 in indices.shape else indices
    if isinstance(part, Tensor):
        return operand_on(backend, part).data
    part = adopted(backend, part)
    return backend.copy(part) if is_kept and backend.owns(part) else part


def check_bounds(backend: Any, shape: tuple[int, ...], parts: Sequence[Any]) -> None:
    """Raise IndexError if an array in the key holds an index out of range. This waits for the device."""
    taken = sum(_axes_taken(part) for part in parts)
    xp, axis = backend.xp, 0
    for part in parts:
        if part is Ellipsis:
            axis += len(shape) - taken
            continue
        if getattr(part, "ndim", None) is not None and xp.isdtype(part.dtype, "integral"):
            n = shape[axis]
            library, beyond = backend.bare(xp.any((part < -n) | (part >= n)))
            if library.to_numpy(library.xp.any(beyond)):  # in any example, inside vmap
                raise IndexError(
                    f"an index into axis {axis} of shape {shape} is out of range: it must lie in {-n} to {n - 1}"
                )
        axis += _axes_taken(part)


def _axes_taken(part: Any) -> int:
    if part is None or part is Ellipsis:
        return 0
    is_mask = hasattr(part, "dtype") and str(part.dtype).endswith("bool")
    return len(part.shape) if is_mask else 1


@public("getitem", "rule")
def getitem(x: Any, /, key: Any) -> Tensor:
    """The part x[key] of an array. The operator calls this function.

    >>> import xgrad as xg
    >>> x = xg.asarray([1.0, 2.0, 3.0], requires_grad=True)
    >>> (x[0] + x[0]).backward()
    >>> x.grad.tolist()
    [2.0, 0.0, 0.0]

    Args:
        key: integers, slices, `...`, None, arrays of integers and masks (arrays of booleans), alone or in a tuple.

    Returns:
        A tensor of the dtype of x and of the shape that NumPy's rules give. It is a view of x where the key has no arrays, and a
        copy where it has, or where integers alone name a single element. A mask gives as many elements as it has True.

    Derivative:
        Zeros in the shape of x with the cotangent added at the key: an element read twice gets both. The key is kept as a copy.

    Raises:
        TypeError: for an x that is neither an array nor a number; for the bounds of a slice that are no integers.
        IndexError: for an index out of range (JAX reads the nearest element where the index is in an array, unless
            `xgrad.debug` is on); for too many indices; for a mask of another shape; for a key of another kind (TypeError in some
            libraries).

    https://data-apis.org/array-api/latest/API_specification/indexing.html
    """
    if not is_plain(key):
        x, key = placed(x, key)
    y = apply_to_one(_getitem, x, {"key": key})
    return as_view(y, x, PART, key) if gives_view(key, x) else y


def is_plain(key: Any) -> bool:
    """Whether the key consists of Python integers, slices, None and `...`."""
    if type(key) is not tuple:
        return type(key) in _PLAIN
    for part in key:  # noqa: SIM110 (a generator costs three times as much)
        if type(part) not in _PLAIN:
            return False
    return True


def gives_view(key: Any, x: Any) -> bool:
    """Whether x[key] is a view of x. It is none if the key has arrays, or if integers name a single element."""
    if not is_plain(key) or not isinstance(x, Tensor):
        return False
    parts = key if type(key) is tuple else (key,)
    return len(parts) != len(x._data.shape) or not _NO_INTEGERS.isdisjoint(map(type, parts))


def _with_part(base: Tensor, new: Tensor, key: Any, in_memory: bool) -> Tensor:
    """The base with `new` written at the key."""
    static = {"key": key}
    if not in_memory:
        return apply(SETITEM, (base, new), static)
    backend = base.backend
    node = node_of(SETITEM, backend, (base.data, new.data), (base.node, new.node), base.data, static)
    return wrap(base.data, backend, node)


PART = Kind(lambda base, key: apply_to_one(_getitem, base, {"key": key}), _with_part, strides.at_key)


@public("scatter", "rule")
def scatter(x: Any, /, key: Any, shape: tuple[int, ...]) -> Tensor:
    """Zeros with x added at a key: the transpose of `getitem`.

    >>> import xgrad as xg
    >>> xg.scatter(xg.asarray([1.0, 2.0, 5.0]), xg.asarray([0, 0, 2]), (4,)).tolist()
    [3.0, 0.0, 5.0, 0.0]

    Args:
        x: an array of any numeric dtype, of the shape of `result[key]`, or one that broadcasts to it.
        key: as of `getitem`.
        shape: the shape of the result, a tuple of integers.

    Returns:
        A tensor of that shape and the dtype of x. What is added to one place twice is added up.

    Derivative:
        x gets the cotangent at the key.

    Raises:
        IndexError: for an index out of range (JAX leaves out what an array of indices puts there, unless `xgrad.debug` is on).
        ValueError: for an x of another shape.

    https://docs.jax.dev/en/latest/_autosummary/jax.numpy.ndarray.at.html
    """
    x, key = placed(x, key, tuple(shape))
    return apply(_scatter, (x,), {"key": key, "shape": tuple(shape)})


@public("setitem", "rule")
def setitem(x: Any, value: Any, /, key: Any) -> Tensor:
    """A copy of x with a value written at a key.

    >>> import xgrad as xg
    >>> xg.setitem(xg.asarray([1.0, 2.0, 3.0]), 9.0, 1).tolist()
    [1.0, 9.0, 3.0]

    Args:
        value: a number, or an array that broadcasts to x[key].
        key: as of `getitem`. Where an array of indices names a place twice, one of the values stays (which one, the library
            decides).

    Returns:
        A tensor of the shape and dtype of x.

    Derivative:
        x gets the cotangent with zeros at the key. The value gets the cotangent at the key, and 0 where another element was
        written to the same place.

    Raises:
        TypeError: for an x that is neither an array nor a number; for a complex value in real numbers; for a floating-point value
            in integers.
        IndexError: for an index out of range, as of `getitem` (JAX leaves out what an array of indices puts there).
        ValueError: for a value that does not broadcast to x[key].

    https://docs.jax.dev/en/latest/_autosummary/jax.numpy.ndarray.at.html
    """
    x, value = together("setitem", x, value)
    x = operand("setitem", x)
    check_kind(x, value)
    x, key = placed(x, key, value=value)
    return apply(SETITEM, (x, value), {"key": key})


def check_kind(x: Tensor, value: Any) -> None:
    """Raise TypeError for a value that the dtype of x cannot hold: complex in real, or floating-point in integer."""
    rank = rank_of(x.backend, value)
    if rank < REAL or rank <= x.backend.rank(x.dtype):
        return
    if rank == COMPLEX:
        raise TypeError(
            f"setitem: a complex value was written into a tensor of dtype {x.dtype}; write xgrad.real of it"
        )
    raise TypeError(
        f"setitem: a floating-point value was written into a tensor of dtype {x.dtype}, where its fraction would be lost; "
        "convert one of them with xgrad.astype"
    )


def rank_of(backend: Any, value: Any) -> int:
    """The rank of the dtype of an array on a backend, or of a number (see `Backend.rank`)."""
    if hasattr(value, "dtype"):
        return int(backend.rank(backend.as_dtype(value.dtype)))
    return rank_of_number(value) if is_scalar(value) else BOOL


# --- take ---------------------------------------------------------------------------------------------------

_take = JointlyLinear(
    "take",
    ("x", "indices"),
    (lambda xp, g, x_shape, indices, axis: xp.scatter_take(g, indices, x_shape, axis), None),
    fixed=("indices",),
)
_scatter_take = JointlyLinear(
    "scatter_take",
    ("x", "indices"),
    (lambda xp, g, indices, axis: xp.take(g, indices, axis=axis), None),
    fixed=("indices",),
)
_take_along_axis = JointlyLinear(
    "take_along_axis",
    ("x", "indices"),
    (lambda xp, g, x_shape, indices, axis: _to_lines(xp, g, x_shape, indices, axis), None),
    fixed=("indices",),
)
_scatter_along_axis = JointlyLinear(
    "scatter_along_axis",
    ("x", "indices"),
    (lambda xp, g, indices, axis: xp.take_along_axis(g, indices, axis=axis), None),
    fixed=("indices",),
)


def _to_lines(xp: Any, g: Any, x_shape: tuple[int, ...], indices: Any, axis: int) -> Any:
    """The transpose of `take_along_axis`, before the engine sums it over the axes along which x was broadcast."""
    if indices.shape != g.shape:
        indices = xp.broadcast_to(indices, g.shape)
    if (*x_shape[:axis], *x_shape[axis + 1 :]) != (*g.shape[:axis], *g.shape[axis + 1 :]):
        x_shape = (*g.shape[:axis], x_shape[axis], *g.shape[axis + 1 :])
    return xp.scatter_along_axis(g, indices, x_shape, axis)


def _check_lines(name: str, shapes: Sequence[tuple[int, ...]], axis: int) -> tuple[int, ...]:
    """The shape that all axes but one broadcast to, with length 1 there. Raises ValueError if there is none."""
    try:
        if len({len(shape) for shape in shapes}) == 1:
            return broadcast_shapes(*((*shape[:axis], 1, *shape[axis + 1 :]) for shape in shapes))
    except ValueError:
        pass
    given = " and ".join(str(tuple(shape)) for shape in shapes)
    raise ValueError(
        f"{name}: the shapes {given} must have the same number of axes, and broadcast along all of them but axis {axis}"
    )


@public("take", "rule")
def take(x: Any, indices: Any, /, *, axis: int | None = None) -> Tensor:
    """The elements at some indices along an axis.

    >>> import xgrad as xg
    >>> xg.take(xg.asarray([[1.0, 2.0, 3.0]]), xg.asarray([2, 0]), axis=1).tolist()
    [[3.0, 1.0]]

    Args:
        indices: an array of integers, counted from the end where they are negative. (The standard has one axis only; here there
            may be several, or none.)
        axis: the axis, counted from the end where it is negative; None is for vectors only.

    Returns:
        A tensor of the dtype of x and of its shape, with the shape of the indices in place of the axis: a copy.

    Derivative:
        The cotangent is added at the indices: an element taken twice gets both.

    Raises:
        TypeError: for an x that is neither an array nor a number; for an axis or indices that are no integers (ValueError in
            JAX).
        ValueError: for an axis that x does not have, and for None where x is no vector.
        IndexError: for an index out of range (JAX gives nan for it, unless `xgrad.debug` is on).
    """
    x, indices = together("take", x, own_indices(x, indices))
    x, indices = operand("take", x), beside("take", x, indices)
    if axis is None:
        if x.ndim != 1:
            raise ValueError(f"take: axis is needed for an array with {x.ndim} axes")
        axis = 0
    (axis,) = normalize_axes("take", integer("take", axis), x.ndim)
    if getattr(indices, "ndim", 1) != 1:  # beyond the standard
        line = take(x, reshape(indices, (-1,)), axis=axis)
        return reshape(line, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))
    if is_debugging():
        placed(x, (*(slice(None),) * axis, indices))
    return apply(_take, (x, indices), {"axis": axis})


@public("take_along_axis", "rule")
def take_along_axis(x: Any, indices: Any, /, *, axis: int = -1) -> Tensor:
    """For each line along an axis, the elements at that line's own indices.

    >>> import xgrad as xg
    >>> x = xg.asarray([[10.0, 20.0, 30.0]])
    >>> xg.take_along_axis(x, xg.asarray([[0, 0], [1, 2]]), axis=1).tolist()
    [[10.0, 10.0], [20.0, 30.0]]

    Args:
        indices: an array of integers with as many axes as x, counted from the end where they are negative. All axes but the one
            broadcast.

    Returns:
        A tensor of the dtype of x, and of the shape of the indices after broadcasting: a copy.

    Derivative:
        The cotangent is added at the indices: an element taken twice gets both.

    Raises:
        ValueError: for an axis that x does not have; for another number of axes; for shapes that do not broadcast.
        IndexError: for an index out of range (JAX gives nan for it, unless `xgrad.debug` is on); for indices that are no integers
            (TypeError in JAX).
    """
    x, indices = together("take_along_axis", x, own_indices(x, indices))
    x, indices = operand("take_along_axis", x), beside("take_along_axis", x, indices)
    (axis,) = normalize_axes("take_along_axis", integer("take_along_axis", axis), x.ndim)
    _check_lines("take_along_axis", (x.shape, indices.shape), axis)
    if is_debugging():
        placed(x, (*(slice(None),) * axis, indices))
    return apply(_take_along_axis, (x, indices), {"axis": axis})


@public("scatter_take", "rule")
def scatter_take(x: Any, indices: Any, shape: tuple[int, ...], axis: int) -> Tensor:
    """Zeros with x added at some indices along an axis: the transpose of `take`.

    >>> import xgrad as xg
    >>> xg.scatter_take(xg.asarray([1.0, 2.0, 5.0]), xg.asarray([0, 0, 2]), (4,), 0).tolist()
    [3.0, 0.0, 5.0, 0.0]

    Args:
        x: an array of any numeric dtype, of the shape of `take(result, indices, axis=axis)`.
        indices: an array of integers.
        shape: the shape of the result, a tuple of integers.
        axis: the axis, from 0.

    Returns:
        A tensor of that shape and the dtype of x. What is added to one place twice is added up.

    Derivative:
        x gets the elements of the cotangent at the indices.

    Raises:
        IndexError: for an index out of range (JAX and array-api-strict leave out what comes there, unless `xgrad.debug` is on).
        ValueError: for an x of another shape; for an axis that the result does not have (IndexError in some libraries).

    https://docs.pytorch.org/docs/stable/generated/torch.Tensor.index_add_.html
    """
    if indices.ndim != 1:
        line = reshape(x, (*x.shape[:axis], prod(indices.shape), *x.shape[axis + indices.ndim :]))
        return scatter_take(line, reshape(indices, (-1,)), shape, axis)
    if is_debugging():
        placed(x, (*(slice(None),) * axis, indices), tuple(shape))
    return apply(_scatter_take, (x, own_indices(x, indices)), {"shape": tuple(shape), "axis": axis})


@public("scatter_along_axis", "rule")
def scatter_along_axis(x: Any, indices: Any, shape: tuple[int, ...], axis: int) -> Tensor:
    """Zeros with x added at each line's own indices: the transpose of `take_along_axis`.

    >>> import xgrad as xg
    >>> xg.scatter_along_axis(xg.asarray([[1.0, 2.0], [3.0, 4.0]]), xg.asarray([[0, 0], [2, 1]]), (2, 3), 1).tolist()
    [[3.0, 0.0, 0.0], [0.0, 4.0, 3.0]]

    Args:
        x: an array of any numeric dtype, of the shape of `take_along_axis(result, indices, axis=axis)`.
        indices: an array of integers with as many axes as the result.
        shape: the shape of the result, a tuple of integers.

    Returns:
        A tensor of that shape and the dtype of x. What is added to one place twice is added up.

    Derivative:
        x gets the elements of the cotangent at the indices.

    Raises:
        IndexError: for an index out of range (JAX and array-api-strict leave out what comes there, unless `xgrad.debug` is on).
        ValueError: for an axis that the result does not have; for shapes that do not fit.

    https://docs.pytorch.org/docs/stable/generated/torch.Tensor.scatter_add_.html
    """
    x, shape = operand("scatter_along_axis", x), tuple(shape)
    (axis,) = normalize_axes("scatter_along_axis", integer("scatter_along_axis", axis), len(shape))
    if is_debugging():
        placed(x, (*(slice(None),) * axis, indices), shape)
    lines = _check_lines("scatter_along_axis", (x.shape, indices.shape, shape), axis)
    taken = (*lines[:axis], indices.shape[axis], *lines[axis + 1 :])
    x, indices = (array if array.shape == taken else broadcast_to(array, taken) for array in (x, indices))
    wide = (*lines[:axis], shape[axis], *lines[axis + 1 :])
    scattered = apply(_scatter_along_axis, (x, own_indices(x, indices)), {"shape": wide, "axis": axis})
    return scattered if wide == shape else sum_to(scattered.__array_namespace__(), scattered, shape)
