"""vmap: a function of one example, run on many at once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import xgrad.transforms.batching.across  # noqa: F401  (hangs itself on the products)
from xgrad.backends.base import Backend
from xgrad.backends.data import is_scalar
from xgrad.engine.arguments import as_scalar, mixed
from xgrad.engine.integers import or_none
from xgrad.engine.tensor import Tensor, wrap
from xgrad.engine.trees import flatten, prefix_leaves
from xgrad.rules.manipulation import moveaxis
from xgrad.rules.shapes import normalize_axes
from xgrad.transforms.batching.array import Axis
from xgrad.transforms.batching.backend import running
from xgrad.transforms.batching.boundary import hide, show, take_in
from xgrad.transforms.grad import place_of, raw_to_tensor, to_tensor

Function = Callable[..., Any]
Axes = Any  # an int, None, or a tree of these


def vmap(f: Function, in_axes: Axes = 0, out_axes: Axes = 0) -> Function:
    """`f` for many examples at once: its arguments have an axis more, and so has its result.

    `in_axes` says where that axis is in each positional argument: an int for all of them, or a tuple with an entry for each,
    which is an int, None for an argument that is the same for all examples, or a tree of these where the argument is a tree of
    arrays. `out_axes` says likewise where it is to be in the result. Keyword arguments are passed on as they are.

    `f` is called once, with tensors that have the shape of one example; there is no loop over examples. What it closes over is
    the same for all of them, and random numbers that it draws are, too. What it does besides returning a result it does once;
    backward() in it is for all examples, so that a leaf from outside gets the sum. vmap, grad, jvp and the others nest in every
    order.

    Raises ValueError where the axes do not have one length or are not there, NotImplementedError, naming it, for a function that
    has no form for many examples (unique_values, nonzero, a mask as an index: what has another shape for each example), and
    TypeError where `f` asks for the one value of an array that has many, as `if` does. Masks and `if` do work where the values
    that they depend on are the same for all examples, as in a check of the arguments.

    >>> import xgrad as xg
    >>> x, w = xg.asarray([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), xg.asarray([1.0, 10.0])
    >>> xg.vmap(lambda x, w: xg.sum(x * w), in_axes=(0, None))(x, w).numpy().tolist()
    [21.0, 43.0, 65.0]

    The gradient of each example by itself:

    >>> loss = lambda w, x: xg.sum(x * w) ** 2
    >>> xg.vmap(xg.grad(loss), in_axes=(None, 0))(w, x).numpy().tolist()
    [[42.0, 84.0], [258.0, 344.0], [650.0, 780.0]]
    """

    @functools.wraps(f)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, rebuild = flatten(args)
        places = _of_arguments(in_axes, args)
        backend = place_of(leaves)
        arrays = [
            raw_to_tensor(leaf, backend) if at is None else to_tensor(leaf, "to map over", backend)
            for leaf, at in zip(leaves, places, strict=True)
        ]
        axis = Axis(_size(arrays, places))
        entered = [x if at is None else hide(_moved(x, at, 0), axis) for x, at in zip(arrays, places, strict=True)]
        backend = _common([x for x, at in zip(entered, places, strict=True) if at is not None])
        with running(backend):
            result = f(*rebuild(entered), **kwargs)
            if result is None:
                return None
            outputs, rebuild_result = flatten(result)
            places = _places("out_axes", out_axes, result)
            inner = [_result(y, backend) for y in outputs]
        return rebuild_result([_left(y, at, axis, backend) for y, at in zip(inner, places, strict=True)])

    return mapped


def _of_arguments(in_axes: Axes, args: Sequence[Any]) -> list[int | None]:
    """For each leaf of the arguments, where its axis is."""
    if isinstance(in_axes, tuple | list):
        in_axes = tuple(in_axes)
        if len(in_axes) != len(args):
            raise ValueError(
                f"vmap: in_axes does not fit: it has {len(in_axes)} entries, and there are {len(args)} positional arguments"
            )
    elif isinstance(in_axes, dict):
        raise TypeError("vmap: in_axes is an int, or a tuple with an entry for each argument: in_axes=({...},)")
    return _places("in_axes", in_axes, args)


def _places(what: str, axes: Axes, tree: Any) -> list[int | None]:
    """For each leaf of the tree, the entry over it."""
    places = prefix_leaves(axes, tree, f"vmap: {what}")
    return [or_none("vmap", at, f"an entry of {what}") for at in places]


def _result(y: Any, backend: Backend) -> Tensor:
    """What the function has returned, as a tensor: also a number, which keeps its kind."""
    if not is_scalar(y):
        return to_tensor(y, "as the result of the function under vmap", backend)
    return wrap(backend.asarray(as_scalar(backend, y)), backend)


def _size(arrays: Sequence[Any], places: Sequence[int | None]) -> int:
    """The one length of all the axes that are mapped over."""
    found: dict[int, str] = {}
    for x, at in zip(arrays, places, strict=True):
        if at is None:
            continue
        if not -x.ndim <= at < x.ndim:
            raise ValueError(
                f"vmap: there is no axis {at} to map over in an argument of shape {x.shape}; "
                "in_axes=None is for one that is the same for all examples"
            )
        found[x.shape[at]] = f"axis {at} of shape {x.shape}"
    if not found:
        what = "in_axes is None for all of it" if arrays else "keyword arguments are the same for all examples"
        raise ValueError(f"vmap: there is nothing to map over: {what}")
    if len(found) > 1:
        raise ValueError(f"vmap: the axes to map over have different lengths: {', '.join(found.values())}")
    return next(iter(found))


def _common(tensors: Sequence[Tensor]) -> Backend:
    backend: Backend = tensors[0].backend
    for x in tensors[1:]:
        joined = backend.join(x.backend)
        if joined is None:
            raise mixed("vmap", backend, x.backend)
        backend = joined
    return backend


def _left(y: Tensor, at: int | None, axis: Axis, backend: Backend) -> Tensor:
    """A result as it leaves vmap: the examples along axis `at`."""
    joined = backend.join(y.backend)
    if joined is None:
        raise mixed("vmap", backend, y.backend)
    y = take_in(y, joined)
    if at is None:
        if axis in y.data.axes:
            raise ValueError("vmap: out_axes is None for a result that differs from example to example")
        return show(y, axis)[(0, ...)]
    (to,) = normalize_axes("vmap: out_axes", at, y.ndim + 1)
    return _moved(show(y, axis), 0, to)


def _moved(x: Tensor, source: int, destination: int) -> Tensor:
    moved: Tensor = x if source == destination else moveaxis(x, source, destination)
    return moved
