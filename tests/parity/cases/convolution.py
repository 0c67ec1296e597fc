"""Convolutions, and the windows of images as columns."""

from __future__ import annotations

from math import prod
from typing import Any

from tests.parity.case import Call, Draw, Layer, case


def each(draw: Draw, n: int, low: int, high: int) -> Any:
    """A number for all axes, or one for each."""
    return draw.one_of(draw.size(low, high), tuple(draw.size(low, high) for _ in range(n)))


def image(draw: Draw, channels: int, n: int, least: int = 5) -> Any:
    """An array of n spatial axes, with or without a batch."""
    size = tuple(draw.size(least, least + 3) for _ in range(n))
    return draw.normal(*draw.one_of((), (2,), (3,)), channels, *size)


def geometry(draw: Draw, n: int) -> dict[str, Any]:
    """Where the windows are. They fit into an image of 5 or more elements along each axis."""
    return {"stride": each(draw, n, 1, 3), "padding": each(draw, n, 0, 2), "dilation": each(draw, n, 1, 2)}


def channels(draw: Draw) -> tuple[int, int, int]:
    groups = draw.one_of(1, 1, 2)
    return groups * draw.size(1, 2), groups * draw.size(1, 2), groups


def convolution_layer(draw: Draw, n: int) -> Layer:
    into, out, groups = channels(draw)
    options = {**geometry(draw, n), "groups": groups, "bias": draw.one_of(True, False)}
    if draw.one_of(True, False, False):
        options |= {"padding": draw.one_of("same", "valid"), "stride": 1}
    return Layer((into, out, each(draw, n, 1, 3)), options, (image(draw, into, n),))


@case("Conv1d")
def conv1d_layer(draw: Draw) -> Layer:
    return convolution_layer(draw, 1)


@case("Conv2d")
def conv2d_layer(draw: Draw) -> Layer:
    return convolution_layer(draw, 2)


@case("Conv3d")
def conv3d_layer(draw: Draw) -> Layer:
    return convolution_layer(draw, 3)


@case("Conv1d padding_mode")
def conv1d_mode(draw: Draw) -> Layer:
    return with_mode(draw, 1)


@case("Conv2d padding_mode")
def conv2d_mode(draw: Draw) -> Layer:
    return with_mode(draw, 2)


def with_mode(draw: Draw, n: int) -> Layer:
    mode = draw.one_of("reflect", "replicate", "circular", "zeros")
    padding = draw.one_of("same", each(draw, n, 0, 2), each(draw, n, 0, 2))
    options = {"padding": padding, "padding_mode": mode, "dilation": each(draw, n, 1, 2)}
    if padding != "same":
        options["stride"] = each(draw, n, 1, 2)
    return Layer((2, 3, each(draw, n, 1, 3)), options, (image(draw, 2, n),))


def transposed_layer(draw: Draw, n: int) -> Layer:
    into, out, groups = channels(draw)
    stride = tuple(draw.size(1, 3) for _ in range(n))
    dilation = tuple(draw.size(1, 2) for _ in range(n))
    options = {
        "stride": stride,
        "padding": each(draw, n, 0, 1),
        "output_padding": tuple(draw.size(0, max(s, d) - 1) for s, d in zip(stride, dilation, strict=True)),
        "groups": groups,
        "bias": draw.one_of(True, False),
        "dilation": dilation,
    }
    x = draw.normal(*draw.one_of((), (2,)), into, *(draw.size(3, 5) for _ in range(n)))
    return Layer((into, out, each(draw, n, 1, 3)), options, (x,))


@case("ConvTranspose1d")
def conv_transpose1d_layer(draw: Draw) -> Layer:
    return transposed_layer(draw, 1)


@case("ConvTranspose2d")
def conv_transpose2d_layer(draw: Draw) -> Layer:
    return transposed_layer(draw, 2)


@case("ConvTranspose3d")
def conv_transpose3d_layer(draw: Draw) -> Layer:
    return transposed_layer(draw, 3)


@case("ConvTranspose2d output_size")
def conv_transpose2d_size(draw: Draw) -> Layer:
    stride, kernel, padding = draw.size(2, 3), draw.size(1, 3), draw.size(0, 1)
    size = [(4 - 1) * stride - 2 * padding + kernel + draw.size(0, stride - 1) for _ in range(2)]
    wanted = draw.one_of(tuple(size), (2, 3, *size))
    x = draw.normal(2, 2, 4, 4)
    return Layer((2, 3, kernel), {"stride": stride, "padding": padding}, (x,), {"output_size": wanted})


def convolution_call(draw: Draw, n: int) -> Call:
    into, out, groups = channels(draw)
    weight = draw.normal(out, into // groups, *(draw.size(1, 3) for _ in range(n)))
    keywords = {**geometry(draw, n), "groups": groups}
    if draw.one_of(True, False, False):
        keywords |= {"padding": draw.one_of("same", "valid"), "stride": 1}
    return Call((image(draw, into, n), weight, draw.maybe(draw.normal(out))), keywords)


@case("conv1d")
def conv1d(draw: Draw) -> Call:
    return convolution_call(draw, 1)


@case("conv2d")
def conv2d(draw: Draw) -> Call:
    return convolution_call(draw, 2)


@case("conv3d")
def conv3d(draw: Draw) -> Call:
    return convolution_call(draw, 3)


def transposed_call(draw: Draw, n: int) -> Call:
    into, out, groups = channels(draw)
    weight = draw.normal(into, out // groups, *(draw.size(1, 3) for _ in range(n)))
    stride, dilation = draw.size(1, 3), draw.size(1, 2)
    keywords = {
        "stride": stride,
        "padding": each(draw, n, 0, 1),
        "output_padding": draw.size(0, max(stride, dilation) - 1),
        "groups": groups,
        "dilation": dilation,
    }
    x = draw.normal(*draw.one_of((), (2,)), into, *(draw.size(3, 5) for _ in range(n)))
    return Call((x, weight, draw.maybe(draw.normal(out))), keywords)


@case("conv_transpose1d")
def conv_transpose1d(draw: Draw) -> Call:
    return transposed_call(draw, 1)


@case("conv_transpose2d")
def conv_transpose2d(draw: Draw) -> Call:
    return transposed_call(draw, 2)


@case("conv_transpose3d")
def conv_transpose3d(draw: Draw) -> Call:
    return transposed_call(draw, 3)


@case("unfold")
def unfold(draw: Draw) -> Call:
    return Call((image(draw, 2, 2), each(draw, 2, 1, 3)), geometry(draw, 2))


@case("Unfold")
def unfold_layer(draw: Draw) -> Layer:
    return Layer((each(draw, 2, 1, 3),), geometry(draw, 2), (image(draw, 2, 2),))


def folded(draw: Draw) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Windows, the size of the image, and where they are."""
    size, kernel = (draw.size(5, 7), draw.size(5, 7)), (draw.size(1, 3), draw.size(1, 3))
    where = geometry(draw, 2)
    both = {key: value if isinstance(value, tuple) else (value, value) for key, value in where.items()}
    count = [
        (size[a] + 2 * both["padding"][a] - both["dilation"][a] * (kernel[a] - 1) - 1) // both["stride"][a] + 1
        for a in range(2)
    ]
    return draw.normal(*draw.one_of((), (2,)), 2 * prod(kernel), prod(count)), size, kernel, where


@case("fold")
def fold(draw: Draw) -> Call:
    windows, size, kernel, where = folded(draw)
    return Call((windows, size, kernel), where)


@case("Fold")
def fold_layer(draw: Draw) -> Layer:
    windows, size, kernel, where = folded(draw)
    return Layer((size, kernel), where, (windows,))
