"""The layers of the Transformer: errors, dropout, and what the parity cases do not try."""

from __future__ import annotations

import re

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, to_numpy
from xgrad import nn


def numbers(*shape, seed=0):
    return xg.asarray(np.random.default_rng(seed).normal(size=shape))


def encoder_layer(**options):
    return nn.TransformerEncoderLayer(4, 2, 8, **options, rng=xg.random.Generator(0))


def model(**options):
    return nn.Transformer(4, 2, 1, 1, 8, **options, rng=xg.random.Generator(0))


def test_an_activation_can_be_a_function(backend):
    x = numbers(3, 2, 4)
    by_name, by_function = (encoder_layer(activation=each, dropout=0.0) for each in ("relu", xg.relu))
    np.testing.assert_array_equal(to_numpy(by_name(x)), to_numpy(by_function(x)))


def test_layers_are_copies_with_parameters_of_their_own(backend):
    layer = encoder_layer(dropout=0.0)
    encoder = nn.TransformerEncoder(layer, 2)
    first, second = (each.linear1.weight for each in encoder.layers)
    assert first is not second
    assert first is not layer.linear1.weight
    np.testing.assert_array_equal(to_numpy(first), to_numpy(second))
    x = numbers(3, 2, 4)
    assert_close(to_numpy(encoder(x)), to_numpy(encoder.layers[1](encoder.layers[0](x))), 1e-12)


def test_dropout_is_in_training_only(backend):
    layer, x = encoder_layer(dropout=0.5), numbers(3, 2, 4)
    assert not np.array_equal(to_numpy(layer(x)), to_numpy(layer(x)))
    layer.eval()
    np.testing.assert_array_equal(to_numpy(layer(x)), to_numpy(layer(x)))


def test_the_causal_mask(backend):
    mask = to_numpy(nn.Transformer.generate_square_subsequent_mask(3))
    inf = np.inf
    np.testing.assert_array_equal(mask, [[0, -inf, -inf], [0, 0, -inf], [0, 0, 0]])
    assert (
        nn.Transformer.generate_square_subsequent_mask(2, dtype="float32").dtype == xg.asarray(0, dtype="float32").dtype
    )


def test_a_decoder_with_the_causal_mask_does_not_look_ahead(backend):
    transformer, src, tgt = model(dropout=0.0, batch_first=True), numbers(2, 5, 4), numbers(2, 4, 4, seed=1)
    mask = transformer.generate_square_subsequent_mask(4)
    whole = to_numpy(transformer(src, tgt, tgt_mask=mask))
    part = transformer(src, tgt[:, :2], tgt_mask=mask[:2, :2])
    assert_close(to_numpy(part), whole[:, :2], 1e-12)


def test_it_learns(backend):
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True, rng=xg.random.Generator(0))
    x = numbers(2, 3, 4)
    optimizer, losses = xg.optim.Adam(layer.parameters(), lr=0.01), []
    for _ in range(5):
        loss = xg.mean((layer(x) - x) ** 2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: nn.TransformerEncoderLayer(4, 3), "MultiheadAttention: num_heads must divide embed_dim 4, got 3"),
        (
            lambda: nn.TransformerEncoderLayer(0, 1),
            "TransformerEncoderLayer: d_model must be an integer, 1 or more, got 0",
        ),
        (lambda: nn.TransformerDecoderLayer(4, 2, 0), "dim_feedforward must be an integer, 1 or more, got 0"),
        (
            lambda: nn.TransformerDecoderLayer(4, 2, dropout=2),
            "TransformerDecoderLayer: dropout must be a number from 0 to 1",
        ),
        (lambda: nn.TransformerEncoderLayer(4, 2, activation="tan"), 'activation must be "relu", "gelu" or a function'),
        (lambda: nn.TransformerEncoder(nn.Identity(), -1), "num_layers must be an integer, 0 or more, got -1"),
    ],
)
def test_a_wrong_argument_is_an_error(make, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        make()


def test_a_layer_that_is_no_module_is_an_error():
    with pytest.raises(TypeError, match="TransformerDecoder: expected a Module to copy, got function"):
        nn.TransformerDecoder(xg.relu, 2)  # type: ignore[arg-type]


def test_an_input_of_a_wrong_shape_is_an_error():
    with pytest.raises(ValueError, match=r"takes an input of shape \(L, N, 4\) or \(L, 4\), got \(3, 2, 5\)"):
        encoder_layer(norm_first=False)(xg.zeros((3, 2, 5)))
    with pytest.raises(ValueError, match=r"of one batch.* got src \(3, 2, 4\) and tgt \(3, 5, 4\)"):
        model()(xg.zeros((3, 2, 4)), xg.zeros((3, 5, 4)))
