"""Convolution over any number of axes, and its two transposes. The derivatives of each are the other two."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from xgrad.backends.windows import counts
from xgrad.engine.dispatch import apply
from xgrad.engine.integers import integer
from xgrad.engine.op import Function, Multilinear, total
from xgrad.engine.operands import together
from xgrad.engine.registry import public
from xgrad.engine.tensor import Tensor
from xgrad.rules.windows import Number, Padding, fitting, for_each, pairs, settled

Shape = tuple[int, ...]
Static = dict[str, Any]  # arguments that are no arrays, checked. They are shared, and not written to.


def _to_input(xp: Any, g: Any, weight: Any, x_shape: Any, stride: Any, padding: Any, dilation: Any, groups: Any) -> Any:
    return xp.convolution_transpose(
        g, weight, size=x_shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
    )


def _to_weight(
    xp: Any, g: Any, x: Any, weight_shape: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Any:
    return xp.convolution_weight(
        x, g, kernel=weight_shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
    )


def _to_bias(xp: Any, g: Any) -> Any:
    return xp.sum(g, axis=(0, *range(2, g.ndim)))


def _jvp(xp: Any, tangents: Any, x: Any, weight: Any, stride: Any, padding: Any, dilation: Any, groups: Any) -> Any:
    static = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    dx, dw, db = (*tangents, None)[:3]
    moved = [xp.convolution(dx, weight, **static)] if dx is not None else []
    if dw is not None:
        moved.append(xp.convolution(x, dw, **static))
    if db is not None:
        count = counts(x.shape[2:], weight.shape[2:], stride, padding, dilation)
        row = xp.reshape(db, (db.shape[0], *(1,) * len(count)))
        moved.append(xp.broadcast_to(row, (x.shape[0], db.shape[0], *count)))
    return total(moved)


_convolution = Function(
    "convolution", ("x", "weight", "bias"), (_to_input, _to_weight, _to_bias), jvp=_jvp, holomorphic=True
)
_convolution_transpose = Multilinear(
    "convolution_transpose",
    ("x", "weight"),
    (
        lambda xp, g, weight, stride, padding, dilation, groups: xp.convolution(
            g, weight, stride=stride, padding=padding, dilation=dilation, groups=groups
        ),
        lambda xp, g, x, weight_shape, stride, padding, dilation, groups: xp.convolution_weight(
            g, x, kernel=weight_shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
        ),
    ),
)
_convolution_weight = Multilinear(
    "convolution_weight",
    ("x", "g"),
    (
        # (the names of these lambdas' parameters: here `cotangent` is that of the weight's gradient, and g an argument)
        lambda xp, cotangent, g, x_shape, stride, padding, dilation, groups: xp.convolution_transpose(
            g, cotangent, size=x_shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
        ),
        lambda xp, cotangent, x, stride, padding, dilation, groups: xp.convolution(
            x, cotangent, stride=stride, padding=padding, dilation=dilation, groups=groups
        ),
    ),
)


# --- checks: each is made once for the same shapes and arguments ---


def _geometry(name: str, n: int, stride: Any, padding: Any, dilation: Any, groups: Any) -> Static:
    """The static arguments in one form."""
    groups = integer(name, groups, "groups")
    if groups < 1:
        raise ValueError(f"{name}: groups must be 1 or more, not {groups}")
    return {
        "stride": for_each(name, "stride", stride, n),
        "padding": pairs(name, padding, n),
        "dilation": for_each(name, "dilation", dilation, n),
        "groups": groups,
    }


@lru_cache(maxsize=1000)
def _of_convolution(x: Shape, weight: Shape, bias: Shape | None, *given: Any) -> Static:
    """The static arguments of `convolution`. ValueError for shapes that do not fit."""
    name = "convolution"
    static = _geometry(name, len(weight) - 2, *given)
    _check(name, x, weight, static)
    if bias is not None and bias != weight[:1]:
        raise ValueError(f"{name}: the bias must have the shape {weight[:1]}, not {bias}")
    fitting(name, x, weight[2:], static["stride"], static["padding"], static["dilation"])
    return static


@lru_cache(maxsize=1000)
def _of_transpose(x: Shape, weight: Shape, size: Any, *given: Any) -> Static:
    """The static arguments of `convolution_transpose`."""
    name = "convolution_transpose"
    static = _geometry(name, len(weight) - 2, *given)
    _check(name, x, weight, static, of_transpose=True)
    size = for_each(name, "size", size, len(weight) - 2, 0)
    count = fitting(name, size, weight[2:], static["stride"], static["padding"], static["dilation"])
    if count != x[2:]:
        raise ValueError(f"{name}: a result of size {size} has {count} windows, but the input is {x}")
    return {"size": size, **static}


@lru_cache(maxsize=1000)
def _of_weight(x: Shape, g: Shape, kernel: Any, *given: Any) -> Static:
    """The static arguments of `convolution_weight`."""
    name = "convolution_weight"
    static = _geometry(name, len(g) - 2, *given)
    groups = static["groups"]
    if len(g) < 2 or len(x) != len(g) or x[0] != g[0] or x[1] % groups or g[1] % groups:
        raise ValueError(
            f"{name} takes (N, C, ...) and (N, out, ...), where groups={groups} divides both numbers of channels, "
            f"got {x} and {g}"
        )
    kernel = for_each(name, "kernel", kernel, len(g) - 2)
    count = fitting(name, x, kernel, static["stride"], static["padding"], static["dilation"])
    if count != g[2:]:
        raise ValueError(f"{name}: an input of shape {x} has {count} windows, but g is {g}")
    return {"kernel": kernel, **static}


def _check(name: str, x: Shape, weight: Shape, static: Static, *, of_transpose: bool = False) -> None:
    """Raise ValueError unless these can be an input and a weight."""
    shapes = f"the input has the shape {x}, the weight {weight}"
    if len(weight) < 2 or len(x) != len(weight):
        raise ValueError(f"{name} takes (N, C, ...) and a weight (out, C / groups, ...) with as many axes; {shapes}")
    groups = static["groups"]
    wanted = weight[0] if of_transpose else weight[1] * groups
    if x[1] != wanted or weight[0] % groups:
        raise ValueError(
            f"{name}: with groups={groups} the input must have {wanted} channels, and the weight a multiple of {groups} rows; "
            f"{shapes}"
        )


def _arrays(name: str, *arrays: Any) -> tuple[Any, ...]:
    """The arguments, with NumPy's arrays on the backend of the others. Raises TypeError for what has no shape."""
    for array in arrays:
        if array is not None and not hasattr(array, "shape"):
            raise TypeError(f"{name} takes arrays, not {type(array).__name__}")
    return together(name, *arrays)


@public("convolution", "rule")
def convolution(
    x: Any,
    weight: Any,
    bias: Any = None,
    /,
    *,
    stride: Number = 1,
    padding: Padding = 0,
    dilation: Number = 1,
    groups: int = 1,
) -> Tensor:
    """The convolution of a layer over any number of axes: a weighted sum over the channels and over each window.

    As in other libraries, the weight is not flipped, so this is a correlation.

    >>> import xgrad as xg
    >>> x, weight = xg.asarray([[[1.0, 2.0, 4.0, 8.0]]]), xg.asarray([[[1.0, -1.0]]])
    >>> xg.convolution(x, weight).tolist()
    [[[-1.0, -2.0, -4.0]]]

    Args:
        x: an array of shape (N, C, *size), of any numeric dtype.
        weight: an array of shape (out, C / groups, *kernel).
        bias: an array of shape (out,), or None.
        stride: how far apart the windows are, an integer or one for each axis of `size`.
        padding: how many zeros are added before and after each axis of `size`: an integer, one for each axis, or a pair for each.
        dilation: how far apart the elements of a window are, an integer or one for each axis.
        groups: into how many groups the channels are split. Each group has its own part of the weight, and of the result.

    Returns:
        A tensor of shape (N, out, *count), where `count` is how many windows fit, of the dtype that the arguments promote to.

    Derivative:
        `convolution_transpose` of the cotangent and the weight for x, `convolution_weight` of x and the cotangent for the weight,
        and the sum of the cotangent over all axes but the second for the bias.

    Raises:
        ValueError: for shapes that do not fit; for a stride, dilation or groups below 1; for a window that does not fit.
        TypeError: for numbers that are no integers, and for an x or weight that is no array.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html
    """
    x, weight, bias = _arrays("convolution", x, weight, bias)
    shapes = x.shape, weight.shape, None if bias is None else bias.shape
    static = settled(_of_convolution, *shapes, stride, padding, dilation, groups)
    return apply(_convolution, (x, weight) if bias is None else (x, weight, bias), static)


@public("convolution_transpose", "rule")
def convolution_transpose(
    x: Any,
    weight: Any,
    /,
    *,
    size: Number,
    stride: Number = 1,
    padding: Padding = 0,
    dilation: Number = 1,
    groups: int = 1,
) -> Tensor:
    """The transpose of `convolution` in its input: each element adds a multiple of the weight to the result.

    >>> import xgrad as xg
    >>> x, weight = xg.asarray([[[1.0, 10.0]]]), xg.asarray([[[1.0, 2.0]]])
    >>> xg.convolution_transpose(x, weight, size=(4,), stride=2).tolist()
    [[[1.0, 2.0, 10.0, 20.0]]]

    Args:
        x: an array of shape (N, out, *count), as `convolution` gives it, of any numeric dtype.
        weight: an array of shape (out, C / groups, *kernel), as in `convolution`.
        size: the size of the result, an integer for each axis. (With a stride, several sizes have the same `count`.)
        stride: as in `convolution`.
        padding: as in `convolution`; what lies in it is dropped.
        dilation: as in `convolution`.
        groups: as in `convolution`.

    Returns:
        A tensor of shape (N, C, *size), of the dtype that the arguments promote to.

    Derivative:
        `convolution` of the cotangent and the weight for x, and `convolution_weight` of the cotangent and x for the weight.

    Raises:
        ValueError: for shapes that do not fit, also for a `size` that has not `count` windows; for a stride, dilation or groups
            below 1.
        TypeError: for numbers that are no integers, and for an x or weight that is no array.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose2d.html
    """
    x, weight = _arrays("convolution_transpose", x, weight)
    static = settled(_of_transpose, x.shape, weight.shape, size, stride, padding, dilation, groups)
    return apply(_convolution_transpose, (x, weight), static)


@public("convolution_weight", "rule")
def convolution_weight(
    x: Any,
    g: Any,
    /,
    *,
    kernel: Number,
    stride: Number = 1,
    padding: Padding = 0,
    dilation: Number = 1,
    groups: int = 1,
) -> Tensor:
    """The transpose of `convolution` in its weight: the sum over all windows of x, each times an element of g.

    >>> import xgrad as xg
    >>> x, g = xg.asarray([[[1.0, 2.0, 4.0, 8.0]]]), xg.asarray([[[1.0, 0.0, 1.0]]])
    >>> xg.convolution_weight(x, g, kernel=(2,)).tolist()
    [[[5.0, 10.0]]]

    Args:
        x: an array of shape (N, C, *size), of any numeric dtype: the input of the convolution.
        g: an array of shape (N, out, *count): a cotangent of its result.
        kernel: the size of the weight, an integer for each axis.
        stride: as in `convolution`.
        padding: as in `convolution`.
        dilation: as in `convolution`.
        groups: as in `convolution`.

    Returns:
        A tensor of shape (out, C / groups, *kernel), of the dtype that the arguments promote to.

    Derivative:
        With the cotangent w, which has the shape of a weight: `convolution_transpose` of g and w for x, and `convolution` of x
        and w for g.

    Raises:
        ValueError: for shapes that do not fit; for a stride, dilation or groups below 1.
        TypeError: for numbers that are no integers, and for an x or g that is no array.
        MixedBackendsError: for arrays of two libraries, or on two devices.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html
    """
    x, g = _arrays("convolution_weight", x, g)
    static = settled(_of_weight, x.shape, g.shape, kernel, stride, padding, dilation, groups)
    return apply(_convolution_weight, (x, g), static)
