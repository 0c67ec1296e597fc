"""Windows of an array along its last axes: all of them as new axes, and the transpose of that, which adds them up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xgrad.backends.windows import Numbers, Pairs, counts
from xgrad.engine.dispatch import apply
from xgrad.engine.integers import integers
from xgrad.engine.op import Multilinear
from xgrad.engine.operands import operand
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor

Number = int | Sequence[int]
Padding = int | Sequence[int] | Sequence[Sequence[int]]

# --- what says where the windows are ------------------------------------------------------------------------


def for_each(name: str, what: str, value: Any, n: int, least: int = 1) -> Numbers:
    """An integer for each of n axes; one integer stands for all. ValueError for others than n, and for one below `least`."""
    if type(value) is not int and type(value) is not tuple:
        value = tuple(value) if isinstance(value, list) else value
    found = integers(name, value, what)
    if len(found) == 1 and not isinstance(value, tuple):
        found *= n
    if len(found) != n or (found and min(found) < least):
        raise ValueError(
            f"{name}: {what} must be an integer, {least} or more, or one for each of {n} axes, not {value!r}"
        )
    return found


def pairs(name: str, value: Any, n: int) -> Pairs:
    """The padding before and after each of n axes. One integer stands for all, and one for each axis for both ends of it."""
    if type(value) is int:
        return ((value, value),) * n
    given = tuple(value) if isinstance(value, tuple | list) else (value,) * n
    found = [integers(name, each, "padding") for each in given]
    if len(found) != n or any(len(each) > 2 for each in found):
        raise ValueError(f"{name}: padding must be an integer, or one or two for each of {n} axes, not {value!r}")
    return tuple((each[0], each[-1]) for each in found)


def settled(check: Callable[..., Any], *given: Any) -> Any:
    """The result of a function with a cache, for shapes and arguments that may be lists.

    To a cache 1, 1.0 and True are the same. For other values than integers the function itself is called, which refuses them.
    """
    known = [value if type(value) is tuple else _as_tuples(value) for value in given]
    if all(map(_is_known, known)):
        return check(*known)
    return check.__wrapped__(*known)  # type: ignore[attr-defined]


def _as_tuples(value: Any) -> Any:
    return tuple(map(_as_tuples, value)) if isinstance(value, list | tuple) else value


def _is_known(value: Any) -> bool:
    """Whether a value consists of integers, words and None, so that equal ones mean the same."""
    kind = type(value)
    return kind is int or kind is str or value is None or (kind is tuple and all(map(_is_known, value)))


def fitting(
    name: str, shape: Sequence[int], kernel: Numbers, stride: Numbers, padding: Pairs, dilation: Numbers
) -> Numbers:
    """How many windows fit along each of the last axes. Raises ValueError if there is no window."""
    if len(shape) < len(kernel):
        raise ValueError(f"{name}: an array of shape {tuple(shape)} has no windows of {len(kernel)} axes")
    count = counts(shape[len(shape) - len(kernel) :], kernel, stride, padding, dilation)
    if min(count, default=1) < 1:
        raise ValueError(
            f"{name}: the kernel {kernel} with dilation {dilation} does not fit into the shape {tuple(shape)} with padding "
            f"{padding}"
        )
    return count


# --- all windows --------------------------------------------------------------------------------------------

_windows = Multilinear(
    "windows",
    ("x",),
    (
        lambda xp, g, x_shape, stride, padding, dilation: xp.add_windows(
            g, size=x_shape[len(x_shape) - len(stride) :], stride=stride, padding=padding, dilation=dilation
        ),
    ),
)
_add_windows = Multilinear(
    "add_windows",
    ("x",),
    (
        lambda xp, g, x_shape, stride, padding, dilation: xp.windows(
            g,
            kernel=x_shape[len(x_shape) - 2 * len(stride) : len(x_shape) - len(stride)],
            stride=stride,
            padding=padding,
            dilation=dilation,
        ),
    ),
)


@public("windows", "rule")
def windows(x: Any, /, *, kernel: Number, stride: Number = 1, padding: Padding = 0, dilation: Number = 1) -> Tensor:
    """All windows of an array along its last axes.

    >>> import xgrad as xg
    >>> xg.windows(xg.asarray([1.0, 2.0, 3.0, 4.0]), kernel=(2,)).tolist()
    [[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]

    Args:
        x: an array of any numeric dtype, of shape (..., *size).
        kernel: the size of a window along each of the last axes: an integer for each axis, or one for a single axis.
        stride: how far apart the windows are, an integer or one for each axis.
        padding: how many zeros are added before and after each axis: an integer, one for each axis, or a pair for each. A
            negative number takes elements away.
        dilation: how far apart the elements of a window are.

    Returns:
        A tensor of shape (..., *kernel, *count), where `count` is how many windows fit: a copy.

    Derivative:
        The cotangent is added at the places that the elements were taken from, as by `add_windows`.

    Raises:
        TypeError: for an x that is neither an array nor a number, and for numbers that are no integers.
        ValueError: for numbers that are too small, or too many; for a window that does not fit.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Unfold.html
    """
    x = operand("windows", x)
    kernel = for_each("windows", "kernel", (kernel,) if type(kernel) is int else kernel, length(kernel))
    n = len(kernel)
    static: dict[str, Any] = {
        "stride": for_each("windows", "stride", stride, n),
        "padding": pairs("windows", padding, n),
        "dilation": for_each("windows", "dilation", dilation, n),
    }
    fitting("windows", x.shape, kernel, **static)
    return apply(_windows, (x,), {"kernel": kernel, **static})


def length(value: Any) -> int:
    return len(value) if isinstance(value, tuple | list) else 1


@public("add_windows", "rule")
def add_windows(x: Any, /, *, size: Number, stride: Number = 1, padding: Padding = 0, dilation: Number = 1) -> Tensor:
    """The transpose of `windows`: windows are added up where they overlap.

    >>> import xgrad as xg
    >>> xg.add_windows(xg.asarray([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]), size=(4,)).tolist()
    [1.0, 4.0, 6.0, 4.0]

    Args:
        x: an array of any numeric dtype, of shape (..., *kernel, *count).
        size: the size of the result along each of the last axes.
        stride: as in `windows`.
        padding: as in `windows`; what lies in it is dropped.
        dilation: as in `windows`.

    Returns:
        A tensor of shape (..., *size), of the dtype of x.

    Derivative:
        x gets the windows of the cotangent, as by `windows`.

    Raises:
        TypeError: for an x that is neither an array nor a number, and for numbers that are no integers.
        ValueError: for numbers that are too small, or too many; for an x that has not as many windows as fit into `size`.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Fold.html
    """
    x = operand("add_windows", x)
    size = for_each("add_windows", "size", (size,) if type(size) is int else size, length(size))
    n = len(size)
    static: dict[str, Any] = {
        "stride": for_each("add_windows", "stride", stride, n),
        "padding": pairs("add_windows", padding, n),
        "dilation": for_each("add_windows", "dilation", dilation, n),
    }
    kernel, count = x.shape[max(x.ndim - 2 * n, 0) : max(x.ndim - n, 0)], x.shape[max(x.ndim - n, 0) :]
    if x.ndim < 2 * n or fitting("add_windows", size, kernel, **static) != tuple(count):
        raise ValueError(f"add_windows: an array of shape {tuple(x.shape)} has not the windows of size {size}")
    return apply(_add_windows, (x,), {"size": size, **static})
