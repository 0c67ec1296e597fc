"""The layers of the Transformer."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tests.parity.case import Draw, Layer, case


def _options(draw: Draw) -> dict[str, Any]:
    return {
        "dim_feedforward": draw.size(1, 5), "dropout": 0.0, "activation": draw.one_of("relu", "gelu"),
        "layer_norm_eps": draw.one_of(1e-5, 1e-2), "batch_first": draw.one_of(True, False),
        "norm_first": draw.one_of(True, False), "bias": draw.one_of(True, False),
    }  # fmt: skip


def _sequence(draw: Draw, options: dict[str, Any], length: int, is_batch: bool) -> Any:
    axes = (length,) if not is_batch else (2, length) if options["batch_first"] else (length, 2)
    return draw.normal(*axes, 4)


def _padding(draw: Draw, length: int, is_batch: bool) -> Any:
    mask = draw.uniform(*((2, length) if is_batch else (length,))) < 0.4
    mask[..., 0] = False
    return draw.maybe(mask)


def _future(draw: Draw, length: int) -> Any:
    return draw.maybe(~np.tri(length, dtype=bool))


@case("TransformerEncoderLayer")
def encoder_layer(draw: Draw) -> Layer:
    options, length, is_batch = _options(draw), draw.size(2, 4), draw.one_of(True, False)
    keywords = {"src_mask": _future(draw, length), "src_key_padding_mask": _padding(draw, length, is_batch)}
    keywords["is_causal"] = keywords["src_mask"] is not None and draw.one_of(True, False)
    return Layer((4, 2), options, (_sequence(draw, options, length, is_batch),), keywords)


@case("TransformerDecoderLayer")
def decoder_layer(draw: Draw) -> Layer:
    options, length, other, is_batch = _options(draw), draw.size(2, 4), draw.size(2, 4), draw.one_of(True, False)
    keywords = {
        "tgt_mask": _future(draw, length), "memory_mask": draw.maybe(draw.normal(length, other)),
        "tgt_key_padding_mask": _padding(draw, length, is_batch),
    }  # fmt: skip
    if keywords["memory_mask"] is None:  # PyTorch warns of a mask of floats and one of booleans
        keywords["memory_key_padding_mask"] = _padding(draw, other, is_batch)
    inputs = _sequence(draw, options, length, is_batch), _sequence(draw, options, other, is_batch)
    return Layer((4, 2), options, inputs, keywords)


@case("TransformerEncoder")
def encoder(draw: Draw) -> Layer:
    options, norm, layers = _options(draw), draw.one_of(True, False), draw.size(1, 3)

    def build(nn: Any) -> Any:
        layer = nn.TransformerEncoderLayer(4, 2, **options)
        return nn.TransformerEncoder(layer, layers, nn.LayerNorm(4) if norm else None, enable_nested_tensor=False)

    keywords = {"mask": _future(draw, 3), "src_key_padding_mask": _padding(draw, 3, True)}
    return Layer(inputs=(_sequence(draw, options, 3, True),), keywords=keywords, build=build)


@case("TransformerDecoder")
def decoder(draw: Draw) -> Layer:
    options, norm, layers = _options(draw), draw.one_of(True, False), draw.size(1, 2)

    def build(nn: Any) -> Any:
        layer = nn.TransformerDecoderLayer(4, 2, **options)
        return nn.TransformerDecoder(layer, layers, nn.LayerNorm(4) if norm else None)

    inputs = _sequence(draw, options, 3, True), _sequence(draw, options, 2, True)
    keywords = {"tgt_mask": _future(draw, 3), "memory_key_padding_mask": _padding(draw, 2, True)}
    return Layer(inputs=inputs, keywords=keywords, build=build)


@case("Transformer")
def transformer(draw: Draw) -> Layer:
    options = {**_options(draw), "num_encoder_layers": draw.size(1, 2), "num_decoder_layers": draw.size(1, 2)}
    is_batch = draw.one_of(True, False)
    inputs = _sequence(draw, options, 2, is_batch), _sequence(draw, options, 3, is_batch)
    keywords = {"tgt_mask": _future(draw, 3), "src_key_padding_mask": _padding(draw, 2, is_batch)}
    keywords["tgt_is_causal"] = keywords["tgt_mask"] is not None and draw.one_of(True, None)

    def build(nn: Any) -> Any:
        with warnings.catch_warnings():  # PyTorch says that its nested tensors need other options
            warnings.simplefilter("ignore")
            return nn.Transformer(4, 2, **options)

    return Layer(inputs=inputs, keywords=keywords, build=build)
