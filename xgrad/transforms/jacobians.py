"""Whole derivatives: jacobian, hessian, and the product of a Hessian with a vector.

One reverse pass from a unit cotangent gives a row of a Jacobian, one forward pass from a unit tangent a column. The unit vectors
form a batch, so that one pass over the tape gives many rows or columns, as under vmap.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

from xgrad.engine import tape
from xgrad.engine.arguments import joined
from xgrad.engine.integers import one_or_more
from xgrad.engine.tensor import Tensor, wrap
from xgrad.transforms.batching.array import Axis, merged
from xgrad.transforms.batching.backend import base_and_scope, running
from xgrad.transforms.batching.boundary import hide, show, take_in
from xgrad.transforms.grad import Run, grad, is_complex, linearized, numbers

Function = Callable[..., Any]

AT_ONCE = 2**20  # about how many numbers the largest array of a batched pass may hold


def _zeros(xs: Sequence[Tensor]) -> list[Tensor]:
    return [wrap(x.backend.xp.zeros(x.shape, dtype=x.dtype), x.backend) for x in xs]


def jacobian(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """The Jacobian of a function, as a function of the same arguments.

    It uses reverse mode where the real output has fewer elements than the arguments together, and forward mode otherwise.

    >>> import xgrad as xg
    >>> xg.jacobian(lambda x: x * x)(xg.asarray([1.0, 2.0])).numpy().tolist()
    [[2.0, 0.0], [0.0, 4.0]]

    Args:
        f: a function whose result is an array or a tree of arrays.
        argnums: the index of the positional argument to differentiate by, or a sequence of such indices. Each of these arguments
            is an array of a real floating-point dtype, a number, or a tree of these.

    Returns:
        A function of the arguments of `f`. For an output of shape (*m,) and an argument of shape (*n,) it returns a tensor of
        shape (*m, *n). With trees it returns the tree of the output; each leaf there is the tree of the argument, or a tuple of
        these where `argnums` is a sequence. A block has the dtype of its argument, or the output's where that is complex.

    Derivative:
        The function is differentiable itself.

    Raises:
        TypeError: for an argument that is complex (the derivative need not be one complex number) or holds integers or booleans.
        ValueError: where `argnums` names an argument that is not there, or one argument twice.

    https://docs.jax.dev/en/latest/_autosummary/jax.jacobian.html
    """

    chosen = one_or_more("jacobian", argnums, "argnums")

    @functools.wraps(f)
    def matrix(*args: Any, **kwargs: Any) -> Any:
        run = Run(f, args, kwargs, numbers("jacobian", chosen, len(args)), has_aux=False)
        with tape.set_recording(run.recording):
            if any(is_complex(x) for x in run.inputs):
                raise TypeError("jacobian: the arguments must be real; pass the real and the imaginary part separately")
            backwards = sum(y.size for y in run.outputs) < sum(x.size for x in run.inputs)
            backwards = backwards and not any(is_complex(y) for y in run.outputs)
            blocks = by_rows(run) if backwards else _by_columns(run)
        rows = []
        for row in blocks:
            trees = run.in_trees(row)
            rows.append(trees[0] if isinstance(chosen, int) else tuple(trees))
        return run.rebuild_output(rows)

    return matrix


def by_rows(run: Run) -> list[list[Tensor]]:
    blocks = []
    for k, y in enumerate(run.outputs):
        pulled = _for_each_unit_vector(run.pull, _zeros(run.outputs), k, _width(run))
        blocks.append([_shaped(rows, (*y.shape, *x.shape)) for rows, x in zip(pulled, run.inputs, strict=True)])
    return blocks


def _by_columns(run: Run) -> list[list[Tensor]]:
    blocks: list[list[Tensor]] = [[] for _ in run.outputs]
    for i, x in enumerate(run.inputs):
        pushed = _for_each_unit_vector(run.push, _zeros(run.inputs), i, _width(run))
        for k, y in enumerate(run.outputs):
            block = _shaped(y.backend.view.moveaxis(pushed[k], 0, -1), (*y.shape, *x.shape))
            blocks[k].append(block if is_complex(y) else y.backend.view.astype(block, x.dtype, copy=False))
    return blocks


def _width(run: Run) -> int:
    """About how many numbers the largest array of one pass holds, among its ends and all that lies between them."""
    ends = max(sum(x.size for x in run.inputs), sum(y.size for y in run.outputs))
    examples = prod(axis.size for axis in merged(*(base_and_scope(y.backend)[1] for y in run.outputs)))
    return examples * max(ends, *(size for node in run.path.nodes for size in _sizes(node[tape.SAVED])), 1)


def _sizes(saved: Any) -> Iterator[int]:
    """The sizes of the arrays that a node saved, and of those of which it saved the shape."""
    parts = saved if isinstance(saved, tuple) else (saved,)
    yield from (prod(part.shape) for part in parts if hasattr(part, "shape"))
    geometry = parts[-1] if parts and isinstance(parts[-1], tuple) else ()
    yield from (prod(each[0]) for each in geometry if each is not None)


def _for_each_unit_vector(linear: Function, seeds: list[Tensor], k: int, size: int) -> list[Tensor]:
    """The results of `linear` for every unit vector of the k-th seed, stacked along a first axis. The other seeds are zero.

    A batch has as many unit vectors as keep its arrays of `size` numbers each within AT_ONCE. Where a user's rule fails on a
    batch, the unit vectors go one by one.
    """
    many = max(1, AT_ONCE // max(size, 1))
    try:
        return _in_pieces(functools.partial(_apply_to_batch, linear), seeds, k, many)
    except Exception:  # an error that is not about the batch is raised again below
        return _in_pieces(functools.partial(_apply_to_one, linear), seeds, k, 1)


def _in_pieces(linear: Function, seeds: list[Tensor], k: int, many: int) -> list[Tensor]:
    x = seeds[k]
    xp, view = x.backend.xp, x.backend.view
    pieces = []
    for start in range(0, max(x.size, 1), many):
        count = min(many, x.size - start)
        ones = xp.reshape(xp.eye(count, x.size, k=start, dtype=x.dtype), (count, *x.shape))
        pieces.append(linear(seeds, k, wrap(ones, x.backend)))
    return [parts[0] if len(parts) == 1 else view.concat(parts) for parts in zip(*pieces, strict=True)]


def _apply_to_batch(linear: Function, seeds: list[Tensor], k: int, ones: Tensor) -> list[Tensor]:
    """One pass for a batch of unit vectors, as under vmap."""
    axis = Axis(ones.shape[0])
    one = hide(ones, axis)
    with running(one.backend):
        found = linear([*seeds[:k], one, *seeds[k + 1 :]])
    return [show(take_in(g, joined("jacobian", one.backend, g.backend)), axis) for g in found]


def _apply_to_one(linear: Function, seeds: list[Tensor], k: int, ones: Tensor) -> list[Tensor]:
    one = ones[(0, ...)] if ones.shape[0] else seeds[k]  # an empty seed still gives the shape of the result
    found = linear([*seeds[:k], one, *seeds[k + 1 :]])
    return [g[(None, ...)][: ones.shape[0], ...] for g in found]


def _shaped(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    reshaped: Tensor = x.backend.view.reshape(x, shape)
    return reshaped


def hessian(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """The matrix of second derivatives of a scalar-valued function: the Jacobian of its gradient.

    >>> import xgrad as xg
    >>> xg.hessian(lambda x: xg.sum(x**3))(xg.asarray([1.0, 2.0])).numpy().tolist()
    [[6.0, 0.0], [0.0, 12.0]]

    Args:
        f: a function whose result is one real number, an array of shape ().
        argnums: the index of the positional argument to differentiate by, or a sequence of such indices, as for `jacobian`.

    Returns:
        A function of the arguments of `f`. For an argument of shape (*n,) it returns a tensor of shape (*n, *n) and of the
        argument's dtype. With a sequence of `argnums` it returns a tuple of tuples, with trees a tree of trees, as in JAX.

    Derivative:
        The function is differentiable itself.

    Raises:
        TypeError: where the result is not one real number; for an argument that is complex or holds integers or booleans.
        ValueError: where `argnums` names an argument that is not there, or one argument twice.

    https://docs.jax.dev/en/latest/_autosummary/jax.hessian.html
    """
    return jacobian(grad(f, argnums), argnums)


def hvp(f: Function, primals: Any, tangents: Any) -> Any:
    """The Hessian of a scalar-valued function times the tangents, without forming the Hessian: forward mode over reverse mode.

    >>> import xgrad as xg
    >>> (h,) = xg.hvp(lambda x: xg.sum(x**3), (xg.asarray([1.0, 2.0]),), (xg.asarray([1.0, 0.0]),))
    >>> h.numpy().tolist()
    [6.0, 0.0]

    Args:
        f: a function whose result is one real number, an array of shape ().
        primals: a tuple or list of the arguments of `f`, as for `jvp`, or the argument itself where there is one.
        tangents: one for each argument, with its structure, shapes and dtypes.

    Returns:
        A tuple with a product for each argument, a tree like it with its shapes and dtypes; where `primals` is one argument, its
        product.

    Derivative:
        The product is differentiable itself.

    Raises:
        TypeError: where the result is not one real number; for arguments and tangents as in `jvp`.
        ValueError: for tangents that do not fit the arguments.

    https://docs.jax.dev/en/latest/notebooks/autodiff_cookbook.html
    """
    if not isinstance(primals, tuple | list):
        if isinstance(tangents, tuple | list):
            raise TypeError("hvp: primals is one array, and tangents a sequence; write hvp(f, (x,), (v,))")
        return hvp(f, (primals,), (tangents,))[0]
    every = tuple(range(len(primals)))
    _, push = linearized("hvp", grad(f, every), primals)
    product: tuple[Any, ...] = push(*tangents)
    return product
