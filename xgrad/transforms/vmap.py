"""vmap: a function of one example, run on a batch of examples at once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import xgrad.transforms.batching.across  # noqa: F401  (adds itself to matmul and linear)
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
    """A function of one example, as a function of a batch of examples.

    The arguments have one axis more than those of `f`, the batch axis, and so has the result. `f` is called once, with tensors
    that have the shape of one example; no loop runs over the examples. Tensors that `f` closes over are the same for all
    examples, and so are random numbers that it draws. A side effect of `f` happens once; backward() in it runs for all examples,
    so that a leaf from outside gets the sum of their gradients. vmap, grad, jvp and the others nest in every order.

    >>> import xgrad as xg
    >>> x, w = xg.asarray([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), xg.asarray([1.0, 10.0])
    >>> xg.vmap(lambda x, w: xg.sum(x * w), in_axes=(0, None))(x, w).numpy().tolist()
    [21.0, 43.0, 65.0]

    The gradient of each example by itself:

    >>> loss = lambda w, x: xg.sum(x * w) ** 2
    >>> xg.vmap(xg.grad(loss), in_axes=(None, 0))(w, x).numpy().tolist()
    [[42.0, 84.0], [258.0, 344.0], [650.0, 780.0]]

    Args:
        f: a function whose result is an array or number, a tree of these, or None.
        in_axes: where the batch axis is in each positional argument: an int for all of them, or a tuple with an entry for each.
            An entry is an int, None for an argument that is the same for all examples, or a tree of these where the argument is a
            tree of arrays. Keyword arguments are the same for all examples.
        out_axes: where the batch axis is in the result, likewise. None is for a result that is the same for all examples.

    Returns:
        A function of the batched arguments. Where `f` returns an array of shape (*s,), it returns a tensor of shape
        (batch, *s), or with the batch axis at `out_axes`, and of the same dtype.

    Derivative:
        That of `f`, for each example.

    Raises:
        ValueError: where a batch axis does not exist, where batch axes differ in length, where there is none, where `in_axes` or
            `out_axes` does not fit the tree, and where `out_axes` is None for a result that differs between examples.
        TypeError: where `f` needs one value of an array that differs between examples, as `if` and float() do (they work where
            the value is the same for all); for an entry of `in_axes` that is no integer; for a result that is no array or number.
        NotImplementedError: for a function whose result would have another shape for each example, such as unique_values, nonzero
            and a mask as an index, unless its arguments are the same for all examples; and for a move to another device.

    https://docs.jax.dev/en/latest/_autosummary/jax.vmap.html
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
    """For each leaf of the arguments, where its batch axis is."""
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
    """For each leaf of the tree, the entry of `axes` that holds for it."""
    places = prefix_leaves(axes, tree, f"vmap: {what}")
    return [or_none("vmap", at, f"an entry of {what}") for at in places]


def _result(y: Any, backend: Backend) -> Tensor:
    """A result of the function as a tensor. A number keeps its kind: an int becomes a tensor of integers."""
    if not is_scalar(y):
        return to_tensor(y, "as the result of the function under vmap", backend)
    return wrap(backend.asarray(as_scalar(backend, y)), backend)


def _size(arrays: Sequence[Any], places: Sequence[int | None]) -> int:
    """The common length of all batch axes."""
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
    """A result as vmap returns it: with the batch axis exposed at `at`."""
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
