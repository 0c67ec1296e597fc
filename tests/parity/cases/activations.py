"""Activations."""

from __future__ import annotations

from tests.parity.case import Call, Draw, Layer, case

SHAPES = ((5,), (3, 4), (2, 3, 4))


@case("Sigmoid")
@case("Tanh")
@case("ReLU")
def without_arguments(draw: Draw) -> Layer:
    return Layer(inputs=(3 * draw.normal(*draw.one_of(*SHAPES)),))


@case("LeakyReLU")
def leaky_relu_layer(draw: Draw) -> Layer:
    return Layer((draw.one_of(0.01, 0.3),), inputs=(3 * draw.normal(3, 4),))


@case("Softplus")
def softplus_layer(draw: Draw) -> Layer:
    options = {"beta": draw.one_of(1.0, 0.5, 3.0), "threshold": draw.one_of(20.0, 2.0)}
    return Layer((), options, (3 * draw.normal(3, 4),))


@case("Softmax")
@case("LogSoftmax")
def softmax_layer(draw: Draw) -> Layer:
    return Layer((draw.one_of(0, 1, -1),), inputs=(3 * draw.normal(3, 4),))


@case("sigmoid")
@case("tanh")
@case("relu")
@case("logsigmoid")
def functions_without_arguments(draw: Draw) -> Call:
    return Call((3 * draw.normal(*draw.one_of(*SHAPES)),))


@case("leaky_relu")
def leaky_relu(draw: Draw) -> Call:
    return Call((3 * draw.normal(3, 4), draw.one_of(0.01, 0.3)))


@case("softplus")
def softplus(draw: Draw) -> Call:
    return Call((3 * draw.normal(3, 4),), {"beta": draw.one_of(1.0, 0.5), "threshold": draw.one_of(20.0, 2.0)})


@case("softmax")
@case("log_softmax")
def softmax(draw: Draw) -> Call:
    return Call((3 * draw.normal(3, 4),), {"dim": draw.one_of(0, 1, -1)})
