"""Pooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.parity.case import Call, Draw, Host, Layer, case


def image(draw: Draw, n: int) -> Host:
    """An array of n spatial axes, with or without a batch."""
    return draw.normal(*draw.one_of((), (2,)), 2, *(draw.size(5, 8) for _ in range(n)))


def ties(draw: Draw, n: int) -> Host:
    """An image with few values, so that windows have several largest elements."""
    return np.asarray(draw.integers(*draw.one_of((), (2,)), 2, *(draw.size(5, 8) for _ in range(n)), high=3), float)


def where(draw: Draw, n: int, *, dilated: bool = False) -> dict[str, Any]:
    """The arguments that say where the windows are, apart from the kernel's size."""
    found: dict[str, Any] = {}
    kernel = tuple(draw.size(2, 3) for _ in range(n)) if draw.one_of(True, False) else draw.size(1, 3)
    found["kernel_size"] = kernel
    found["stride"] = draw.one_of(None, draw.size(1, 3), tuple(draw.size(1, 3) for _ in range(n)))
    most = min(kernel) // 2 if isinstance(kernel, tuple) else kernel // 2
    found["padding"] = draw.one_of(draw.size(0, most), tuple(draw.size(0, most) for _ in range(n)))
    if dilated:
        found["dilation"] = draw.one_of(1, 1, 2, tuple(draw.size(1, 2) for _ in range(n)))
    found["ceil_mode"] = draw.one_of(True, False)
    return found


def max_layer(draw: Draw, n: int) -> Layer:
    options = {**where(draw, n, dilated=True), "return_indices": draw.one_of(True, False)}
    return Layer((), options, (draw.one_of(image, ties)(draw, n),))


def max_call(draw: Draw, n: int) -> Call:
    keywords = {**where(draw, n, dilated=True), "return_indices": draw.one_of(True, False)}
    return Call((draw.one_of(image, ties)(draw, n),), keywords)


@case("MaxPool1d")
def max1d_layer(draw: Draw) -> Layer:
    return max_layer(draw, 1)


@case("MaxPool2d")
def max2d_layer(draw: Draw) -> Layer:
    return max_layer(draw, 2)


@case("MaxPool3d")
def max3d_layer(draw: Draw) -> Layer:
    return max_layer(draw, 3)


@case("max_pool1d")
def max1d(draw: Draw) -> Call:
    return max_call(draw, 1)


@case("max_pool2d")
def max2d(draw: Draw) -> Call:
    return max_call(draw, 2)


@case("max_pool3d")
def max3d(draw: Draw) -> Call:
    return max_call(draw, 3)


def mean_options(draw: Draw, n: int) -> dict[str, Any]:
    options = {**where(draw, n), "count_include_pad": draw.one_of(True, False)}
    if n > 1:
        options["divisor_override"] = draw.one_of(None, None, 5)
    return options


@case("AvgPool1d")
def avg1d_layer(draw: Draw) -> Layer:
    return Layer((), mean_options(draw, 1), (image(draw, 1),))


@case("AvgPool2d")
def avg2d_layer(draw: Draw) -> Layer:
    return Layer((), mean_options(draw, 2), (image(draw, 2),))


@case("AvgPool3d")
def avg3d_layer(draw: Draw) -> Layer:
    return Layer((), mean_options(draw, 3), (image(draw, 3),))


@case("avg_pool1d")
def avg1d(draw: Draw) -> Call:
    return Call((image(draw, 1),), mean_options(draw, 1))


@case("avg_pool2d")
def avg2d(draw: Draw) -> Call:
    return Call((image(draw, 2),), mean_options(draw, 2))


@case("avg_pool3d")
def avg3d(draw: Draw) -> Call:
    return Call((image(draw, 3),), mean_options(draw, 3))


def power_options(draw: Draw, n: int) -> dict[str, Any]:
    """With integers for one axis, where PyTorch takes no tuples."""
    found = where(draw, n)
    if n == 1:
        found |= {"kernel_size": draw.size(1, 3), "stride": draw.one_of(None, draw.size(1, 3))}
    return {"norm_type": draw.one_of(1, 2, 3.0), **{key: found[key] for key in ("kernel_size", "stride", "ceil_mode")}}


@case("LPPool1d")
def lp1d_layer(draw: Draw) -> Layer:
    return Layer((), power_options(draw, 1), (draw.uniform(2, 2, draw.size(5, 8), low=0.1),))


@case("LPPool2d")
def lp2d_layer(draw: Draw) -> Layer:
    return Layer((), power_options(draw, 2), (draw.uniform(2, 2, draw.size(5, 8), 6, low=0.1),))


@case("lp_pool1d")
def lp1d(draw: Draw) -> Call:
    return Call((draw.uniform(2, draw.size(5, 8), low=0.1),), power_options(draw, 1))


@case("lp_pool2d")
def lp2d(draw: Draw) -> Call:
    return Call((draw.uniform(2, 2, draw.size(5, 8), 6, low=0.1),), power_options(draw, 2))


def adaptive_size(draw: Draw, n: int) -> Any:
    """The size of an output: smaller than the input, larger, a divisor of it, or the same."""
    sizes = tuple(draw.size(1, 9) for _ in range(n))
    return draw.one_of(draw.size(1, 9), sizes, (None, *sizes[1:]) if n > 1 else sizes)


@case("AdaptiveAvgPool1d")
def adaptive_avg1d_layer(draw: Draw) -> Layer:
    return Layer((adaptive_size(draw, 1),), {}, (image(draw, 1),))


@case("AdaptiveAvgPool2d")
def adaptive_avg2d_layer(draw: Draw) -> Layer:
    return Layer((adaptive_size(draw, 2),), {}, (image(draw, 2),))


@case("AdaptiveMaxPool1d")
def adaptive_max1d_layer(draw: Draw) -> Layer:
    return Layer((adaptive_size(draw, 1), draw.one_of(True, False)), {}, (draw.one_of(image, ties)(draw, 1),))


@case("AdaptiveMaxPool2d")
def adaptive_max2d_layer(draw: Draw) -> Layer:
    return Layer((adaptive_size(draw, 2), draw.one_of(True, False)), {}, (draw.one_of(image, ties)(draw, 2),))


@case("adaptive_avg_pool1d")
def adaptive_avg1d(draw: Draw) -> Call:
    return Call((image(draw, 1), draw.size(1, 9)))


@case("adaptive_avg_pool2d")
def adaptive_avg2d(draw: Draw) -> Call:
    return Call((image(draw, 2), adaptive_size(draw, 2)))


@case("adaptive_max_pool1d")
def adaptive_max1d(draw: Draw) -> Call:
    return Call((draw.one_of(image, ties)(draw, 1), adaptive_size(draw, 1), draw.one_of(True, False)))


@case("adaptive_max_pool2d")
def adaptive_max2d(draw: Draw) -> Call:
    return Call((draw.one_of(image, ties)(draw, 2), adaptive_size(draw, 2), draw.one_of(True, False)))
