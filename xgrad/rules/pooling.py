"""Pooling: the sum or the largest element of each window of an array along its last axes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from xgrad.engine.arguments import unwrap
from xgrad.engine.dispatch import apply, explain, node_of
from xgrad.engine.integers import integer
from xgrad.engine.op import JointlyLinear, Multilinear, RawFunction
from xgrad.engine.operands import beside, operand, own_indices, together
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor, wrap
from xgrad.rules.windows import Number, Padding, fitting, for_each, length, pairs, settled

_sum_pool = Multilinear(
    "sum_pool",
    ("x",),
    (
        lambda xp, g, x_shape, kernel, stride, padding: xp.spread_pool(
            g, size=x_shape[len(x_shape) - len(kernel) :], kernel=kernel, stride=stride, padding=padding
        ),
    ),
)
_spread_pool = Multilinear(
    "spread_pool",
    ("x",),
    (lambda xp, g, kernel, stride, padding: xp.sum_pool(g, kernel=kernel, stride=stride, padding=padding),),
)
_take_pooled = JointlyLinear(
    "take_pooled",
    ("x", "indices"),
    (
        lambda xp, g, x_shape, indices, axes: xp.scatter_pooled(g, indices, size=x_shape[len(x_shape) - axes :]),
        None,
    ),
    fixed=("indices",),
)
_scatter_pooled = JointlyLinear(
    "scatter_pooled",
    ("x", "indices"),
    (lambda xp, g, indices, size: xp.take_pooled(g, indices, axes=len(size)), None),
    fixed=("indices",),
)
_max_pool = RawFunction("max_pool")


def _kernel(name: str, kernel: Any) -> tuple[int, ...]:
    return for_each(name, "kernel", (kernel,) if type(kernel) is int else kernel, length(kernel))


@public("sum_pool", "rule")
def sum_pool(x: Any, /, *, kernel: Number, stride: Number | None = None, padding: Padding = 0) -> Tensor:
    """The sum of each window of an array along its last axes.

    >>> import xgrad as xg
    >>> xg.sum_pool(xg.asarray([1.0, 2.0, 3.0, 4.0]), kernel=(2,)).tolist()
    [3.0, 7.0]

    Args:
        x: an array of any numeric dtype, of shape (..., *size).
        kernel: the size of a window along each of the last axes: an integer for each axis, or one for a single axis.
        stride: how far apart the windows are, an integer or one for each axis; None means the size of the window.
        padding: how many zeros are added before and after each axis: an integer, one for each axis, or a pair for each. A
            negative number takes elements away.

    Returns:
        A tensor of shape (..., *count), where `count` is how many windows fit, of the dtype of x.

    Derivative:
        The cotangent is added everywhere in its window, as by `spread_pool`.

    Raises:
        TypeError: for an x that is neither an array nor a number, and for numbers that are no integers.
        ValueError: for numbers that are too small, or too many; for a window that does not fit.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool2d.html
    """
    x, kernel = operand("sum_pool", x), _kernel("sum_pool", kernel)
    n = len(kernel)
    stride = kernel if stride is None else for_each("sum_pool", "stride", stride, n)
    padding = pairs("sum_pool", padding, n)
    fitting("sum_pool", x.shape, kernel, stride, padding, (1,) * n)
    return apply(_sum_pool, (x,), {"kernel": kernel, "stride": stride, "padding": padding})


@public("spread_pool", "rule")
def spread_pool(
    x: Any, /, *, size: Number, kernel: Number, stride: Number | None = None, padding: Padding = 0
) -> Tensor:
    """The transpose of `sum_pool`: each element is added everywhere in its window.

    >>> import xgrad as xg
    >>> xg.spread_pool(xg.asarray([3.0, 7.0]), size=(4,), kernel=(2,)).tolist()
    [3.0, 3.0, 7.0, 7.0]

    Args:
        x: an array of any numeric dtype, of shape (..., *count).
        size: the size of the result along each of the last axes.
        kernel: as in `sum_pool`.
        stride: as in `sum_pool`.
        padding: as in `sum_pool`; what lies in it is dropped.

    Returns:
        A tensor of shape (..., *size), of the dtype of x.

    Derivative:
        x gets the sums of the windows of the cotangent, as by `sum_pool`.

    Raises:
        TypeError: for an x that is neither an array nor a number, and for numbers that are no integers.
        ValueError: for numbers that are too small, or too many; for an x that has not as many windows as fit into `size`.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool2d.html
    """
    x, kernel = operand("spread_pool", x), _kernel("spread_pool", kernel)
    n = len(kernel)
    size = for_each("spread_pool", "size", (size,) if type(size) is int else size, n, 0)
    stride = kernel if stride is None else for_each("spread_pool", "stride", stride, n)
    padding = pairs("spread_pool", padding, n)
    count = fitting("spread_pool", size, kernel, stride, padding, (1,) * n)
    if x.ndim < n or count != tuple(x.shape[x.ndim - n :]):
        raise ValueError(f"spread_pool: {count} windows fit into the size {size}, but x has the shape {tuple(x.shape)}")
    return apply(_spread_pool, (x,), {"size": size, "kernel": kernel, "stride": stride, "padding": padding})


@lru_cache(maxsize=1000)
def _of_max_pool(shape: tuple[int, ...], kernel: Any, stride: Any, padding: Any, dilation: Any) -> dict[str, Any]:
    """The static arguments of `max_pool`, checked once for the same shape and arguments."""
    kernel = _kernel("max_pool", kernel)
    n = len(kernel)
    static = {
        "kernel": kernel,
        "stride": kernel if stride is None else for_each("max_pool", "stride", stride, n),
        "padding": pairs("max_pool", padding, n),
        "dilation": for_each("max_pool", "dilation", dilation, n),
    }
    count = fitting("max_pool", shape, **static)
    for k, s, d, size, m, (before, _) in zip(
        kernel, static["stride"], static["dilation"], shape[len(shape) - n :], count, static["padding"], strict=True
    ):
        if before > d * (k - 1) or s * (m - 1) - before >= size:
            raise ValueError(f"max_pool: with padding {static['padding']} a window lies outside of {shape}")
    return static


@public("max_pool", "rule")
def max_pool(
    x: Any, /, *, kernel: Number, stride: Number | None = None, padding: Padding = 0, dilation: Number = 1
) -> tuple[Tensor, Tensor]:
    """The largest element of each window of an array along its last axes, and where it is.

    >>> import xgrad as xg
    >>> values, indices = xg.max_pool(xg.asarray([1.0, 4.0, 3.0, 3.0]), kernel=(2,))
    >>> values.tolist(), indices.tolist()
    ([4.0, 3.0], [1, 2])

    Args:
        x: an array of a real dtype, of shape (..., *size).
        kernel: the size of a window along each of the last axes: an integer for each axis, or one for a single axis.
        stride: how far apart the windows are, an integer or one for each axis; None means the size of the window.
        padding: how many places are added before and after each axis, which are never the largest: an integer, one for each axis,
            or a pair for each.
        dilation: how far apart the elements of a window are.

    Returns:
        The values, a tensor of shape (..., *count) of the dtype of x, and the indices, a tensor of integers of that shape: where
        each value is in the last axes of x, flattened. Of equal elements the first is taken; a nan counts as the largest.

    Derivative:
        The cotangent goes to the element that was taken. The indices have none.

    Raises:
        TypeError: for an x that is neither an array nor a number, for one of a complex dtype, and for numbers that are no
            integers.
        ValueError: for numbers that are too small, or too many; for a window that does not fit, or that lies in the padding.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool2d.html
    """
    x = operand("max_pool", x)
    static = settled(_of_max_pool, x.shape, kernel, stride, padding, dilation)
    backend, raws, nodes = unwrap("max_pool", (x,))
    if x.dtype in backend.xp.complex_dtypes:
        raise TypeError("max_pool: complex numbers have no order")
    try:
        y, indices = _max_pool[backend](*raws, **static)
    except Exception as error:
        explain(error, "max_pool", raws, backend)
    node = node_of(_take_pooled, backend, (*raws, indices), (*nodes, None), y, {"axes": len(static["kernel"])})
    return wrap(y, backend, node), wrap(indices, backend)


@public("take_pooled", "rule")
def take_pooled(x: Any, indices: Any, /, *, axes: int) -> Tensor:
    """The elements at indices that `max_pool` found.

    >>> import xgrad as xg
    >>> xg.take_pooled(xg.asarray([[1.0, 2.0], [3.0, 4.0]]), xg.asarray([[3]]), axes=2).tolist()
    [[4.0]]

    Args:
        x: an array of any numeric dtype, of shape (..., *size).
        indices: an array of integers, with as many axes as x, and the same lengths of all but the last `axes`: where the elements
            are in the last axes of x, flattened.
        axes: how many axes `size` has.

    Returns:
        A tensor of the shape of the indices and the dtype of x: a copy.

    Derivative:
        The cotangent is added at the indices.

    Raises:
        TypeError: for an x that is neither an array nor a number.
        ValueError: for shapes that do not fit.
        IndexError: for an index out of range (JAX gives nan for it).

    https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
    """
    x, indices = together("take_pooled", x, own_indices(x, indices))
    x, indices = operand("take_pooled", x), beside("take_pooled", x, indices)
    axes = integer("take_pooled", axes, "axes")
    if x.ndim != indices.ndim or not 0 < axes <= x.ndim or x.shape[: x.ndim - axes] != indices.shape[: x.ndim - axes]:
        raise ValueError(
            f"take_pooled: x {tuple(x.shape)} and the indices {tuple(indices.shape)} must agree in all but the last {axes} axes"
        )
    return apply(_take_pooled, (x, indices), {"axes": axes})


@public("scatter_pooled", "rule")
def scatter_pooled(x: Any, indices: Any, /, *, size: Number) -> Tensor:
    """Zeros with x added at indices that `max_pool` found: the transpose of `take_pooled`.

    >>> import xgrad as xg
    >>> xg.scatter_pooled(xg.asarray([[4.0]]), xg.asarray([[3]]), size=(2, 2)).tolist()
    [[0.0, 0.0], [0.0, 4.0]]

    Args:
        x: an array of any numeric dtype.
        indices: an array of integers of the shape of x.
        size: the last axes of the result, which take the place of as many axes of x.

    Returns:
        A tensor of shape (..., *size) and the dtype of x. What comes to one place twice is added up.

    Derivative:
        x gets the elements of the cotangent at the indices.

    Raises:
        TypeError: for an x that is neither an array nor a number, and for sizes that are no integers.
        ValueError: for indices of another shape.
        IndexError: for an index out of range (array-api-strict leaves out what comes there, and so does JAX).

    https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxUnpool2d.html
    """
    x, indices = together("scatter_pooled", x, own_indices(x, indices))
    x, indices = operand("scatter_pooled", x), beside("scatter_pooled", x, indices)
    size = for_each("scatter_pooled", "size", (size,) if type(size) is int else size, length(size), 0)
    if x.shape != indices.shape or x.ndim < len(size):
        raise ValueError(
            f"scatter_pooled: x {tuple(x.shape)} and the indices {tuple(indices.shape)} must have one shape, with the "
            f"{len(size)} axes of the size {size}"
        )
    return apply(_scatter_pooled, (x, indices), {"size": size})
