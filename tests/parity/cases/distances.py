"""Distances and similarities of vectors, and the losses that are made of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.parity.case import Call, Draw, Host, Layer, case
from tests.parity.cases.losses import reduction, signs


@case("CosineSimilarity")
def cosine_layer(draw: Draw) -> Layer:
    return Layer((draw.one_of(0, 1, -1), draw.one_of(1e-8, 2.0)), inputs=(draw.normal(3, 4), draw.normal(3, 4)))


@case("cosine_similarity")
def cosine(draw: Draw) -> Call:
    x2 = draw.normal(*draw.one_of((3, 4, 2), (1, 4, 2), (4, 2)))
    return Call((draw.normal(3, 4, 2), x2), {"dim": draw.one_of(1, 2, -1), "eps": draw.one_of(1e-8, 1.5)})


@case("cosine_similarity zeros")
def cosine_of_zeros(draw: Draw) -> Call:
    return Call((draw.normal(3, 4) * np.array([[1.0], [0.0], [1.0]]), draw.normal(3, 4)), {"eps": 0.1})


ORDERS = (2.0, 1.0, 3.0, math.inf, 0.5)


@case("PairwiseDistance")
def pairwise_layer(draw: Draw) -> Layer:
    shape = draw.one_of((3, 4), (4,))
    options = {"keepdim": draw.one_of(True, False), "eps": draw.one_of(1e-6, 0.1)}
    return Layer((draw.one_of(*ORDERS),), options, (draw.normal(*shape), draw.normal(*shape)))


@case("pairwise_distance")
def pairwise(draw: Draw) -> Call:
    x = draw.normal(3, 4)
    y = np.where(draw.uniform(3, 1) < 0.3, x, draw.normal(3, 4))
    options = {"keepdim": draw.one_of(True, False), "eps": draw.one_of(1e-6, 0.0), "p": draw.one_of(*ORDERS)}
    return Call((x, y[draw.one_of(slice(None), 0)]), options)


def pairs(draw: Draw) -> tuple[Host, Host, Host]:
    batch = draw.one_of((), (5,))
    return draw.normal(*batch, 4), draw.normal(*batch, 4), np.asarray(signs(draw, *batch))


@case("CosineEmbeddingLoss")
def cosine_embedding_layer(draw: Draw) -> Layer:
    return Layer((draw.one_of(0.0, 0.5, -0.3),), reduction(draw), pairs(draw))


@case("cosine_embedding_loss")
def cosine_embedding(draw: Draw) -> Call:
    return Call(pairs(draw), {"margin": draw.one_of(0.0, 0.5, -0.3), **reduction(draw)})


def triplet(draw: Draw) -> tuple[tuple[Host, Host, Host], dict[str, Any]]:
    shape = draw.one_of((5, 3), (3,))
    options = {"margin": draw.one_of(1.0, 0.2), "swap": draw.one_of(True, False), **reduction(draw)}
    return (draw.normal(*shape), draw.normal(*shape), draw.normal(*shape)), options


@case("TripletMarginLoss")
def triplet_layer(draw: Draw) -> Layer:
    inputs, options = triplet(draw)
    return Layer((), {**options, "p": draw.one_of(2.0, 1.0, 3.0), "eps": draw.one_of(1e-6, 0.1)}, inputs)


@case("triplet_margin_loss")
def triplet_margin(draw: Draw) -> Call:
    inputs, options = triplet(draw)
    return Call(inputs, {**options, "p": draw.one_of(2.0, 1.0, 3.0), "eps": draw.one_of(1e-6, 0.1)})


def squared(x: Any, y: Any) -> Any:
    return ((x - y) ** 2).sum(-1) if hasattr(x, "detach") and not hasattr(x, "backend") else _squared(x, y)


def _squared(x: Any, y: Any) -> Any:
    import xgrad as xg

    return xg.sum((x - y) ** 2, axis=-1)


@case("TripletMarginWithDistanceLoss")
def triplet_with_distance_layer(draw: Draw) -> Layer:
    inputs, options = triplet(draw)
    return Layer((), {**options, "distance_function": draw.maybe(squared)}, inputs)


@case("triplet_margin_with_distance_loss")
def triplet_with_distance(draw: Draw) -> Call:
    inputs, options = triplet(draw)
    return Call(inputs, {**options, "distance_function": draw.maybe(squared)})
