"""Padding."""

from __future__ import annotations

from typing import Any

from tests.parity.case import Call, Draw, Layer, case

LEAST = 4  # elements along a padded axis


def sides(draw: Draw, n: int, most: int, least: int = -1) -> Any:
    """Numbers of elements to add, as a layer takes them: one, or two for each axis."""
    return draw.one_of(draw.size(0, most), tuple(draw.size(least, most) for _ in range(2 * n)))


def image(draw: Draw, n: int) -> Any:
    axes = [draw.size(LEAST, 6) for _ in range(n)]
    return draw.normal(*draw.one_of((2,), (2, 3)), *axes)


@case("ZeroPad1d")
@case("ReflectionPad1d")
@case("ReplicationPad1d")
@case("CircularPad1d")
def one_axis(draw: Draw) -> Layer:
    return Layer((sides(draw, 1, LEAST - 1),), {}, (image(draw, 1),))


@case("ZeroPad2d")
@case("ReflectionPad2d")
@case("ReplicationPad2d")
@case("CircularPad2d")
def two_axes(draw: Draw) -> Layer:
    return Layer((sides(draw, 2, LEAST - 1),), {}, (image(draw, 2),))


@case("ConstantPad1d")
def constant_one_axis(draw: Draw) -> Layer:
    return Layer((sides(draw, 1, 5, -2), draw.one_of(0.0, 1.5, 3)), {}, (draw.normal(2, 5),))


@case("ConstantPad2d")
def constant_two_axes(draw: Draw) -> Layer:
    return Layer((sides(draw, 2, 5, -2), draw.one_of(0.0, 1.5, 3)), {}, (draw.normal(*draw.one_of((), (2,)), 5, 4),))


@case("pad")
def pad_constant(draw: Draw) -> Call:
    n = draw.size(1, 3)
    pad = tuple(draw.size(-2, 3) for _ in range(2 * n))
    return Call((draw.normal(4, 5, 4), pad), {"value": draw.one_of(None, 0, 2.5)})


@case("pad mode")
def pad_mode(draw: Draw) -> Call:
    n = draw.size(1, 2)
    mode = draw.one_of("reflect", "replicate", "circular", "constant")
    return Call((image(draw, n), tuple(draw.size(-1, LEAST - 1) for _ in range(2 * n))), {"mode": mode})
