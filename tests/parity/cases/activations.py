"""Activations."""

from __future__ import annotations

import numpy as np

from tests.parity.case import Call, Draw, Layer, case

SHAPES = ((5,), (3, 4), (2, 3, 4))


@case("Sigmoid")
@case("Tanh")
@case("ReLU")
@case("SiLU")
@case("Mish")
@case("SELU")
@case("ReLU6")
@case("Hardswish")
@case("LogSigmoid")
@case("Softsign")
@case("Tanhshrink")
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
@case("Softmin")
def softmax_layer(draw: Draw) -> Layer:
    return Layer((draw.one_of(0, 1, -1),), inputs=(3 * draw.normal(3, 4),))


@case("sigmoid")
@case("tanh")
@case("relu")
@case("logsigmoid")
@case("silu")
@case("mish")
@case("selu")
@case("relu6")
@case("hardswish")
@case("softsign")
@case("tanhshrink")
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
@case("softmin")
def softmax(draw: Draw) -> Call:
    return Call((3 * draw.normal(3, 4),), {"dim": draw.one_of(0, 1, -1)})


def near_kinks(draw: Draw, *kinks: float) -> np.ndarray:
    """Numbers of which some are exactly at a kink."""
    x = 3 * draw.normal(4, 5)
    return np.where(draw.uniform(4, 5) < 0.2, draw.one_of(*kinks), x)


@case("Sigmoid kinks")
@case("ReLU kinks")
@case("ELU kinks")
@case("SELU kinks")
@case("CELU kinks")
@case("ReLU6 kinks")
@case("Hardtanh kinks")
@case("Hardswish kinks")
@case("Hardshrink kinks")
@case("Softshrink kinks")
@case("Softsign kinks")
@case("PReLU kinks")
@case("LeakyReLU kinks")
@case("GELU kinks")
@case("SiLU kinks")
@case("Mish kinks")
def kinks(draw: Draw) -> Layer:
    return Layer(inputs=(near_kinks(draw, 0.0, -1.0, 1.0, 0.5, -0.5, 3.0, -3.0, 6.0),))


@case("GELU")
def gelu_layer(draw: Draw) -> Layer:
    return Layer((draw.one_of("none", "tanh"),), inputs=(3 * draw.normal(*draw.one_of(*SHAPES)),))


@case("gelu")
def gelu(draw: Draw) -> Call:
    return Call((3 * draw.normal(3, 4),), {"approximate": draw.one_of("none", "tanh")})


@case("ELU")
@case("CELU")
def elu_layer(draw: Draw) -> Layer:
    return Layer((draw.one_of(1.0, 0.5, 2.0),), inputs=(3 * draw.normal(3, 4),))


@case("elu")
@case("celu")
def elu(draw: Draw) -> Call:
    return Call((3 * draw.normal(3, 4), draw.one_of(1.0, 0.5, 2.0)))


@case("PReLU")
def prelu_layer(draw: Draw) -> Layer:
    n = draw.one_of(1, 3)
    shape = (2, 3, 4) if n == 3 else draw.one_of(*SHAPES, ())
    return Layer((n, draw.one_of(0.25, -0.5)), inputs=(3 * draw.normal(*shape),))


@case("prelu")
def prelu(draw: Draw) -> Call:
    n = draw.one_of(1, 3)
    return Call((3 * draw.normal(*draw.one_of((2, 3), (4, 3, 2))), draw.normal(n)))


@case("RReLU")
def rrelu_layer(draw: Draw) -> Layer:
    return Layer((0.1, draw.one_of(0.1, 0.3)), inputs=(3 * draw.normal(3, 4),), training=False)


@case("RReLU training")
def rrelu_of_one_slope(draw: Draw) -> Layer:
    return Layer((0.2, 0.2), inputs=(3 * draw.normal(3, 4),))


@case("rrelu")
def rrelu(draw: Draw) -> Call:
    return Call((3 * draw.normal(3, 4), 0.1, draw.one_of(0.1, 0.3)))


@case("Threshold")
def threshold_layer(draw: Draw) -> Layer:
    return Layer((draw.one_of(0.0, 1.0), draw.one_of(-2.0, 3.0)), inputs=(near_kinks(draw, 0.0, 1.0),))


@case("threshold")
def threshold(draw: Draw) -> Call:
    return Call((near_kinks(draw, 0.0, 1.0), draw.one_of(0.0, 1.0), draw.one_of(-2.0, 3.0)))


@case("Hardtanh")
def hardtanh_layer(draw: Draw) -> Layer:
    bounds = draw.one_of((-1.0, 1.0), (-2.0, 0.5))
    return Layer(bounds, inputs=(near_kinks(draw, *bounds),))


@case("hardtanh")
def hardtanh(draw: Draw) -> Call:
    bounds = draw.one_of((-1.0, 1.0), (-2.0, 0.5))
    return Call((near_kinks(draw, *bounds), *bounds))


@case("Hardshrink")
@case("Softshrink")
def shrink_layer(draw: Draw) -> Layer:
    lambd = draw.one_of(0.5, 1.0, 0.0)
    return Layer((lambd,), inputs=(near_kinks(draw, lambd, -lambd),))


@case("hardshrink")
@case("softshrink")
def shrink(draw: Draw) -> Call:
    lambd = draw.one_of(0.5, 1.0, 0.0)
    return Call((near_kinks(draw, lambd, -lambd), lambd))


@case("Softmax2d")
def softmax2d_layer(draw: Draw) -> Layer:
    return Layer(inputs=(draw.normal(*draw.one_of((2, 3, 4, 5), (3, 4, 5))),))


@case("GLU")
def glu_layer(draw: Draw) -> Layer:
    return Layer((draw.one_of(0, -1, 1),), inputs=(draw.normal(4, 2, 6),))


@case("glu")
def glu(draw: Draw) -> Call:
    return Call((draw.normal(4, 2, 6), draw.one_of(0, -1, 1)))


# PyTorch has 1/6 in float32 for the derivative of float64: it is compared where it is 0 only.


@case("Hardsigmoid")
def hardsigmoid_layer(draw: Draw) -> Layer:
    x = near_kinks(draw, 3.0, -3.0)
    return Layer(inputs=(np.where(abs(x) < 3, 4 * np.sign(x), x),))


@case("hardsigmoid")
def hardsigmoid(draw: Draw) -> Call:
    return Call((3 * draw.normal(3, 4),), fixed=(0,))
