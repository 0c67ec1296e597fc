"""Layers and functions that change the shape only."""

from __future__ import annotations

from tests.parity.case import Call, Draw, Layer, case


@case("Unflatten")
def unflatten(draw: Draw) -> Layer:
    dim, sizes = draw.one_of((1, (2, 3)), (-1, (2, -1)), (0, (2, 2)), (-2, [-1, 1, 3]))
    return Layer((dim, sizes), {}, (draw.normal(4, 6) if dim != -2 else draw.normal(6, 4),))


@case("Flatten")
def flatten_layer(draw: Draw) -> Layer:
    return Layer(draw.one_of((), (0,), (1, 2), (-2, -1)), {}, (draw.normal(2, 3, 2, 2),))


@case("Identity")
def identity(draw: Draw) -> Layer:
    return Layer((3,), {"other": 2}, (draw.normal(2, 3),))


@case("PixelShuffle")
def pixel_shuffle_layer(draw: Draw) -> Layer:
    r = draw.size(1, 3)
    return Layer((r,), {}, (draw.normal(*draw.one_of((), (2,), (2, 1)), 2 * r * r, 3, 2),))


@case("PixelUnshuffle")
def pixel_unshuffle_layer(draw: Draw) -> Layer:
    r = draw.size(1, 3)
    return Layer((r,), {}, (draw.normal(*draw.one_of((), (2,), (2, 1)), 2, 3 * r, 2 * r),))


@case("ChannelShuffle")
def channel_shuffle_layer(draw: Draw) -> Layer:
    return Layer((draw.one_of(1, 2, 3, 6),), {}, (draw.normal(2, 6, *draw.one_of((3,), (2, 3))),))


@case("pixel_shuffle")
def pixel_shuffle(draw: Draw) -> Call:
    r = draw.size(1, 3)
    return Call((draw.normal(2, 2 * r * r, 3, 2), r))


@case("pixel_unshuffle")
def pixel_unshuffle(draw: Draw) -> Call:
    r = draw.size(1, 3)
    return Call((draw.normal(2, 2, 3 * r, 2 * r), r))


@case("channel_shuffle")
def channel_shuffle(draw: Draw) -> Call:
    return Call((draw.normal(2, 6, 3), draw.one_of(1, 2, 3, 6)))
