"""Whole derivatives: jacobian, hessian, and the product of a Hessian with a vector.

The rows (or the columns) of a Jacobian are walks along one tape, each from a one in another place. They are made many at once,
as vmap would make them.
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
from xgrad.transforms.grad import Run, grad, is_complex, jvp, numbers

Function = Callable[..., Any]

AT_ONCE = 2**20  # numbers that a batch of walks may make at any place, about


def _zeros(xs: Sequence[Tensor]) -> list[Tensor]:
    return [wrap(x.backend.xp.zeros(x.shape, dtype=x.dtype), x.backend) for x in xs]


def jacobian(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """The Jacobian of `f`: for each output and argument, an array of the output's shape followed by the argument's.

    Forward or reverse mode, whichever takes fewer passes. Trees of outputs and arguments are nested, outputs outside, as in JAX.
    A block has the dtype of its argument, or that of its output where it is complex. Raises TypeError for a complex argument:
    a function of one need not have a derivative that is one complex number.

    >>> import xgrad as xg
    >>> xg.jacobian(lambda x: x * x)(xg.asarray([1.0, 2.0])).numpy().tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """

    chosen = one_or_more("jacobian", argnums, "argnums")

    @functools.wraps(f)
    def matrix(*args: Any, **kwargs: Any) -> Any:
        run = Run(f, args, kwargs, numbers("jacobian", chosen, len(args)), has_aux=False)
        with tape.set_recording(run.recording):
            if any(is_complex(x) for x in run.inputs):
                raise TypeError("jacobian: the arguments must be real: give the real and the imaginary part apart")
            backwards = sum(y.size for y in run.outputs) < sum(x.size for x in run.inputs)
            backwards = backwards and not any(is_complex(y) for y in run.outputs)
            blocks = _by_rows(run) if backwards else _by_columns(run)
        rows = []
        for row in blocks:
            trees = run.in_trees(row)
            rows.append(trees[0] if isinstance(chosen, int) else tuple(trees))
        return run.rebuild_output(rows)

    return matrix


def _by_rows(run: Run) -> list[list[Tensor]]:
    blocks = []
    for k, y in enumerate(run.outputs):
        pulled = _for_each_place(run.pull, _zeros(run.outputs), k, _width(run))
        blocks.append([_shaped(rows, (*y.shape, *x.shape)) for rows, x in zip(pulled, run.inputs, strict=True)])
    return blocks


def _by_columns(run: Run) -> list[list[Tensor]]:
    blocks: list[list[Tensor]] = [[] for _ in run.outputs]
    for i, x in enumerate(run.inputs):
        pushed = _for_each_place(run.push, _zeros(run.inputs), i, _width(run))
        for k, y in enumerate(run.outputs):
            block = _shaped(y.backend.view.moveaxis(pushed[k], 0, -1), (*y.shape, *x.shape))
            blocks[k].append(block if is_complex(y) else y.backend.view.astype(block, x.dtype, copy=False))
    return blocks


def _width(run: Run) -> int:
    """How many numbers one walk makes at one place, about: of what it goes from and to, and of all that it passes on its way."""
    ends = max(sum(x.size for x in run.inputs), sum(y.size for y in run.outputs))
    examples = prod(axis.size for axis in merged(*(base_and_scope(y.backend)[1] for y in run.outputs)))
    return examples * max(ends, *(size for node in run.path.nodes for size in _sizes(node[tape.SAVED])), 1)


def _sizes(saved: Any) -> Iterator[int]:
    """The sizes of the arrays that a node saved, and of those that it knows by their shapes and dtypes."""
    parts = saved if isinstance(saved, tuple) else (saved,)
    yield from (prod(part.shape) for part in parts if hasattr(part, "shape"))
    geometry = parts[-1] if parts and isinstance(parts[-1], tuple) else ()
    yield from (prod(each[0]) for each in geometry if each is not None)


def _for_each_place(walk: Function, seeds: list[Tensor], k: int, size: int) -> list[Tensor]:
    """What the walk makes of the seeds with a one in one place of the k-th, for each place: along a first axis.

    As many at once as make about AT_ONCE numbers of `size` each; or one by one, where a rule of the user's cannot do that.
    """
    many = max(1, AT_ONCE // max(size, 1))
    try:
        return _in_pieces(functools.partial(_walk_many, walk), seeds, k, many)
    except Exception:  # whatever it is, it comes again if it has nothing to do with there being many
        return _in_pieces(functools.partial(_walk_one, walk), seeds, k, 1)


def _in_pieces(walk: Function, seeds: list[Tensor], k: int, many: int) -> list[Tensor]:
    x = seeds[k]
    xp, view = x.backend.xp, x.backend.view
    pieces = []
    for start in range(0, max(x.size, 1), many):
        count = min(many, x.size - start)
        ones = xp.reshape(xp.eye(count, x.size, k=start, dtype=x.dtype), (count, *x.shape))
        pieces.append(walk(seeds, k, wrap(ones, x.backend)))
    return [parts[0] if len(parts) == 1 else view.concat(parts) for parts in zip(*pieces, strict=True)]


def _walk_many(walk: Function, seeds: list[Tensor], k: int, ones: Tensor) -> list[Tensor]:
    """As vmap does."""
    axis = Axis(ones.shape[0])
    one = hide(ones, axis)
    with running(one.backend):
        found = walk([*seeds[:k], one, *seeds[k + 1 :]])
    return [show(take_in(g, joined("jacobian", one.backend, g.backend)), axis) for g in found]


def _walk_one(walk: Function, seeds: list[Tensor], k: int, ones: Tensor) -> list[Tensor]:
    one = ones[(0, ...)] if ones.shape[0] else seeds[k]  # of nothing there is still a shape to find
    found = walk([*seeds[:k], one, *seeds[k + 1 :]])
    return [g[(None, ...)][: ones.shape[0], ...] for g in found]


def _shaped(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    reshaped: Tensor = x.backend.view.reshape(x, shape)
    return reshaped


def hessian(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """The matrix of second derivatives of a scalar-valued function: the Jacobian of its gradient.

    >>> import xgrad as xg
    >>> xg.hessian(lambda x: xg.sum(x**3))(xg.asarray([1.0, 2.0])).numpy().tolist()
    [[6.0, 0.0], [0.0, 12.0]]
    """
    return jacobian(grad(f, argnums), argnums)


def hvp(f: Function, primals: Any, tangents: Any) -> Any:
    """The Hessian of a scalar-valued function times the tangents, without forming it: forward over reverse.

    >>> import xgrad as xg
    >>> (h,) = xg.hvp(lambda x: xg.sum(x**3), (xg.asarray([1.0, 2.0]),), (xg.asarray([1.0, 0.0]),))
    >>> h.numpy().tolist()
    [6.0, 0.0]

    For a function of one argument, primals and tangents may be that argument and its tangent, and so is the result.
    """
    if not isinstance(primals, tuple | list):
        if isinstance(tangents, tuple | list):
            raise TypeError("hvp: the primals are one array, and the tangents a sequence; write hvp(f, (x,), (v,))")
        return hvp(f, (primals,), (tangents,))[0]
    every = tuple(range(len(primals)))
    product: tuple[Any, ...] = jvp(grad(f, every), primals, tangents)[1]
    return product
