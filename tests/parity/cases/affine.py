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
