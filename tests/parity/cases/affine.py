"""Affine maps."""

from __future__ import annotations

from tests.parity.case import Call, Draw, Layer, case


@case("Linear")
def linear_layer(draw: Draw) -> Layer:
    n, out, bias = draw.size(1, 5), draw.size(1, 5), draw.one_of(True, False)
    return Layer((n, out), {"bias": bias}, (draw.normal(*draw.one_of((), (4,), (2, 3)), n),))


@case("linear")
def linear(draw: Draw) -> Call:
    n, out = draw.size(1, 5), draw.size(1, 5)
    return Call((draw.normal(3, n), draw.normal(out, n), draw.maybe(draw.normal(out))))


@case("Bilinear")
def bilinear_layer(draw: Draw) -> Layer:
    n1, n2, out, bias = draw.size(1, 4), draw.size(1, 4), draw.size(1, 3), draw.one_of(True, False)
    before = draw.one_of((), (3,), (2, 3))
    return Layer((n1, n2, out), {"bias": bias}, (draw.normal(*before, n1), draw.normal(*before, n2)))


@case("bilinear")
def bilinear(draw: Draw) -> Call:
    n1, n2, out = draw.size(1, 4), draw.size(1, 4), draw.size(1, 3)
    inputs = draw.normal(3, n1), draw.normal(3, n2), draw.normal(out, n1, n2), draw.maybe(draw.normal(out))
    return Call(inputs)
