"""Indexing: functions that read parts of an array, or write to them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from xgrad.backends.data import BOOL, COMPLEX, REAL, is_scalar, rank_of_number
from xgrad.engine.arguments import adopted, backend_of, operand_on
from xgrad.engine.dispatch import apply, apply_to_one, node_of, with_fast_path
from xgrad.engine.modes import is_debugging
from xgrad.engine.op import JointlyLinear, Multilinear
from xgrad.engine.operands import operand, together
from xgrad.engine.registry import public
from xgrad.engine.tape import is_recording
from xgrad.engine.tensor import Tensor, wrap
from xgrad.engine.views import Kind, as_view
from xgrad.rules import strides

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
@with_fast_path("element", _getitem)
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
        NotImplementedError: for a mask, on dask, where the shape of a result cannot depend on values.

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
