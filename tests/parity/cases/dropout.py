"""Dropout where it does not depend on random numbers: after eval(), and with probabilities 0 and 1."""

from __future__ import annotations

from tests.parity.case import Call, Draw, Layer, case


@case("Dropout")
@case("AlphaDropout")
@case("Dropout1d")
def layer(draw: Draw) -> Layer:
    training = draw.one_of(True, False)
    return Layer((float(draw.size(0, 1)) if training else 0.5,), {}, (draw.normal(2, 3, 4),), training=training)


@case("dropout")
@case("alpha_dropout")
@case("dropout1d")
def function(draw: Draw) -> Call:
    training = draw.one_of(True, False)
    return Call((draw.normal(2, 3, 4), float(draw.size(0, 1)) if training else 0.5), {"training": training})


@case("Dropout2d")
def layer_of_images(draw: Draw) -> Layer:
    training = draw.one_of(True, False)
    return Layer((float(draw.size(0, 1)) if training else 0.5,), {}, (draw.normal(2, 3, 4, 2),), training=training)


@case("dropout2d")
def function_of_images(draw: Draw) -> Call:
    training = draw.one_of(True, False)
    return Call((draw.normal(2, 3, 4, 2), float(draw.size(0, 1)) if training else 0.5), {"training": training})
