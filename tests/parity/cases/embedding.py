"""Tables that are read by indices."""

from __future__ import annotations

from typing import Any

from tests.parity.case import Call, Draw, Layer, case

ROWS = 6


def options(draw: Draw) -> dict[str, Any]:
    return {
        "max_norm": draw.one_of(None, None, 1.0),
        "norm_type": draw.one_of(2.0, 1.0),
        "scale_grad_by_freq": draw.one_of(True, False),
        "padding_idx": draw.one_of(None, 2, -1),
    }


@case("Embedding")
def embedding_layer(draw: Draw) -> Layer:
    shape = draw.one_of((), (5,), (2, 4))
    return Layer((ROWS, 3), options(draw), (draw.integers(*shape, high=ROWS),))


@case("embedding")
def embedding(draw: Draw) -> Call:
    # PyTorch scales rows that exceed max_norm in a table that requires a gradient only under no_grad.
    return Call((draw.integers(2, 4, high=ROWS), draw.normal(ROWS, 3)), {**options(draw), "max_norm": None})


def bags(draw: Draw) -> tuple[tuple[Any, ...], dict[str, Any], dict[str, Any]]:
    """The inputs, the keywords of the call, and the options.

    scale_grad_by_freq is not among them: PyTorch's kernel divides by the counts of other indices (see test_nn_embedding.py).
    """
    mode = draw.one_of("sum", "mean", "max")
    given: dict[str, Any] = {"mode": mode, "padding_idx": draw.one_of(None, 2, -1)}
    if draw.one_of(True, False):
        inputs = draw.integers(4, 3, high=ROWS), None
    else:
        offsets = draw.one_of([0, 2, 2, 5], [0, 3, 9], [0])
        given["include_last_offset"] = draw.one_of(True, False)
        if given["include_last_offset"]:
            offsets = [*offsets, 9]
        inputs = draw.integers(9, high=ROWS), draw.integers(len(offsets), high=1) + offsets
    keywords = (
        {"per_sample_weights": draw.normal(*inputs[0].shape)} if mode == "sum" and draw.one_of(True, False) else {}
    )
    return inputs, keywords, given


@case("EmbeddingBag")
def embedding_bag_layer(draw: Draw) -> Layer:
    inputs, keywords, given = bags(draw)
    return Layer((ROWS, 3), {**given, "max_norm": draw.maybe(1.0)}, inputs, keywords)


@case("embedding_bag")
def embedding_bag(draw: Draw) -> Call:
    (index, offsets), keywords, given = bags(draw)
    return Call((index, draw.normal(ROWS, 3), offsets), {**given, **keywords})


@case("one_hot")
def one_hot(draw: Draw) -> Call:
    return Call((draw.integers(*draw.one_of((), (3,), (2, 3)), high=4), *draw.one_of((), (5,), (-1,), (4,))))
