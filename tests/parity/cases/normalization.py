"""Normalization."""

from __future__ import annotations

from typing import Any

from tests.parity.case import Call, Draw, Layer, case


def eps(draw: Draw) -> Any:
    return draw.one_of(1e-5, 1e-3, 0.1)


def image(draw: Draw, *channels: int) -> Any:
    return draw.normal(draw.size(1, 3), *channels, *draw.one_of((4,), (2, 3)))


def batch_options(draw: Draw) -> dict[str, Any]:
    return {
        "eps": eps(draw),
        "momentum": draw.one_of(0.1, 0.7, None),
        "affine": draw.one_of(True, True, False),
        "bias": draw.one_of(True, True, False),
        "track_running_stats": draw.one_of(True, True, False),
    }


@case("BatchNorm1d")
def batch_norm_1d(draw: Draw) -> Layer:
    shape = draw.one_of((5, 3), (2, 3, 4))
    return Layer(
        (3,), batch_options(draw), (draw.normal(*shape),), training=draw.one_of(True, False), calls=draw.size(1, 3)
    )


@case("BatchNorm2d")
def batch_norm_2d(draw: Draw) -> Layer:
    return Layer(
        (3,), batch_options(draw), (draw.normal(2, 3, 4, 2),), training=draw.one_of(True, False), calls=draw.size(1, 3)
    )


def instance_options(draw: Draw) -> dict[str, Any]:
    return {
        "eps": eps(draw),
        "momentum": draw.one_of(0.1, 0.7),
        "affine": draw.one_of(True, True, False),
        "bias": draw.one_of(True, True, False),
        "track_running_stats": draw.one_of(True, False),
    }


@case("InstanceNorm1d")
def instance_norm_1d(draw: Draw) -> Layer:
    shape = draw.one_of((3, 4), (2, 3, 4))
    return Layer((3,), instance_options(draw), (draw.normal(*shape),), training=draw.one_of(True, False), calls=2)


@case("InstanceNorm2d")
def instance_norm_2d(draw: Draw) -> Layer:
    shape = draw.one_of((3, 4, 2), (2, 3, 4, 2))
    return Layer((3,), instance_options(draw), (draw.normal(*shape),), training=draw.one_of(True, False), calls=2)


@case("LayerNorm")
def layer_norm_layer(draw: Draw) -> Layer:
    shape = draw.one_of(4, (4,), (3, 4), [2, 3, 4])
    options = {"eps": eps(draw), "elementwise_affine": draw.one_of(True, True, False), "bias": draw.one_of(True, False)}
    return Layer((shape,), options, (draw.normal(2, 3, 4),))


@case("RMSNorm")
def rms_norm_layer(draw: Draw) -> Layer:
    shape = draw.one_of(4, (4,), (3, 4), [2, 3, 4])
    options = {"eps": draw.maybe(eps(draw)), "elementwise_affine": draw.one_of(True, False)}
    return Layer((shape,), options, (draw.normal(2, 3, 4),))


@case("GroupNorm")
def group_norm_layer(draw: Draw) -> Layer:
    options = {"eps": eps(draw), "affine": draw.one_of(True, True, False), "bias": draw.one_of(True, True, False)}
    x = draw.one_of(draw.normal(2, 6), image(draw, 6))
    return Layer((draw.one_of(1, 2, 3), 6), options, (x,))


@case("LocalResponseNorm")
def local_response_norm_layer(draw: Draw) -> Layer:
    options = {"alpha": draw.one_of(1e-4, 0.5), "beta": draw.one_of(0.75, 0.5), "k": draw.one_of(1.0, 2.0)}
    return Layer((draw.size(1, 7),), options, (image(draw, 5),))


@case("batch_norm")
def batch_norm(draw: Draw) -> Call:
    x, training = draw.one_of(draw.normal(4, 3), image(draw, 3)), draw.one_of(True, False)
    running: Any = draw.normal(3), draw.uniform(3, low=0.5, high=2.0)
    if training and draw.one_of(True, False):
        running = None, None
    keywords = {
        "weight": draw.maybe(draw.normal(3)),
        "bias": draw.maybe(draw.normal(3)),
        "training": training,
        "momentum": draw.one_of(0.1, 0.6),
        "eps": eps(draw),
    }
    return Call((x, *running), keywords, fixed=(1, 2))


@case("instance_norm")
def instance_norm(draw: Draw) -> Call:
    uses_input = draw.one_of(True, False)
    running: Any = draw.normal(3), draw.uniform(3, low=0.5, high=2.0)
    if uses_input and draw.one_of(True, False):
        running = None, None
    keywords = {
        "weight": draw.maybe(draw.normal(3)),
        "bias": draw.maybe(draw.normal(3)),
        "use_input_stats": uses_input,
        "momentum": draw.one_of(0.1, 0.6),
        "eps": eps(draw),
    }
    return Call((image(draw, 3), *running), keywords, fixed=(1, 2))


@case("layer_norm")
def layer_norm(draw: Draw) -> Call:
    shape = draw.one_of((4,), (3, 4))
    keywords = {"weight": draw.maybe(draw.normal(*shape)), "bias": draw.maybe(draw.normal(*shape)), "eps": eps(draw)}
    return Call((draw.normal(2, 3, 4), shape), keywords)


@case("rms_norm")
def rms_norm(draw: Draw) -> Call:
    shape = draw.one_of((4,), (3, 4))
    keywords = {"weight": draw.maybe(draw.normal(*shape)), "eps": draw.maybe(eps(draw))}
    return Call((draw.normal(2, 3, 4), shape), keywords)


@case("group_norm")
def group_norm(draw: Draw) -> Call:
    weight, bias = draw.one_of((draw.normal(6), draw.normal(6)), (draw.normal(6), None), (None, None))
    keywords = {"weight": weight, "bias": bias, "eps": eps(draw)}  # PyTorch takes no bias without a weight
    return Call((draw.one_of(draw.normal(2, 6), image(draw, 6)), draw.one_of(1, 2, 3)), keywords)


@case("normalize")
def normalize(draw: Draw) -> Call:
    keywords = {"p": draw.one_of(2.0, 1.0, 3.0), "dim": draw.one_of(1, 0, -1), "eps": draw.one_of(1e-12, 2.0)}
    return Call((draw.normal(3, 4, 2),), keywords)


@case("local_response_norm")
def local_response_norm(draw: Draw) -> Call:
    keywords = {"alpha": draw.one_of(1e-4, 0.5), "beta": draw.one_of(0.75, 0.5), "k": draw.one_of(1.0, 2.0)}
    return Call((image(draw, 5), draw.size(1, 7)), keywords)
