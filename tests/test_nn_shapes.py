"""Layers that change the shape: inverses, derivatives, vmap and errors. (Their results are compared in test_nn_parity.py.)"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy
from xgrad import nn

F = nn.functional
X = np.arange(2 * 8 * 2 * 4.0).reshape(2, 8, 2, 4)


def test_shuffling_is_undone(xp):
    x = make(xp, X)
    assert_close(to_numpy(F.pixel_unshuffle(F.pixel_shuffle(x, 2), 2)), X, 0)
    assert_close(to_numpy(F.channel_shuffle(F.channel_shuffle(x, 2), 4)), X, 0)
    assert_close(to_numpy(nn.Unflatten(1, (8, -1, 4))(nn.Flatten()(x))), X, 0)


@pytest.mark.parametrize(
    "layer", [nn.PixelShuffle(2), nn.PixelUnshuffle(2), nn.ChannelShuffle(4), nn.Unflatten(-1, (2, -1))], ids=repr
)
def test_derivatives_and_maps(xp, layer):
    x = make(xp, X[:, :, :2, :2] if isinstance(layer, nn.PixelUnshuffle) else X[:1, :, :1, :2])
    xg.check_grads(lambda x: layer(x) ** 2, x)
    stacked = make(xp, np.stack([X, -X]))
    want = np.stack([to_numpy(layer(make(xp, part))) for part in (X, -X)])
    assert_close(to_numpy(xg.vmap(layer)(stacked)), want, 0)


@pytest.mark.parametrize(
    ("layer", "shape", "says"),
    [
        (
            nn.PixelShuffle(2),
            (6, 2, 2),
            r"PixelShuffle\(upscale_factor=2\) takes .*\(..., C \* 4, H, W\), got \(6, 2, 2\)",
        ),
        (nn.PixelUnshuffle(2), (1, 3, 2), r"PixelUnshuffle.*\(..., C, H \* 2, W \* 2\), got \(1, 3, 2\)"),
        (nn.ChannelShuffle(2), (2, 3, 2), r"ChannelShuffle\(groups=2\).*\(N, C \* 2, ...\), got \(2, 3, 2\)"),
        (nn.Unflatten(1, (2, 3)), (2, 5), r"Unflatten\(dim=1.*6 elements along axis 1, got \(2, 5\)"),
        (nn.Unflatten(1, (2, -1)), (2, 5), r"a multiple of 2 elements along axis 1, got \(2, 5\)"),
        (nn.Unflatten(1, (2, -1)), (2,), r"with an axis 1, got \(2,\)"),
    ],
)
def test_a_wrong_shape_is_named(layer, shape, says):
    with pytest.raises(ValueError, match=says):
        layer(xg.zeros(shape))


@pytest.mark.parametrize("name", ["pixel_shuffle", "pixel_unshuffle", "channel_shuffle"])
def test_functions_name_themselves(name):
    with pytest.raises(ValueError, match=rf"{name} takes an input of shape .*got \(3, 3\)"):
        getattr(F, name)(xg.zeros((3, 3)), 2)
    with pytest.raises(ValueError, match=rf"{name}: .* must be an integer, 1 or more, got 0"):
        getattr(F, name)(xg.zeros((4, 4, 4)), 0)


@pytest.mark.parametrize("name", ["PixelShuffle", "PixelUnshuffle", "ChannelShuffle"])
def test_factors_are_checked_when_a_layer_is_made(name):
    with pytest.raises(ValueError, match=rf"{name}: .* must be an integer, 1 or more, got 1.5"):
        getattr(nn, name)(1.5)


def test_sizes_are_checked_when_a_layer_is_made():
    wrong: Any = "channels", (2.0, 3)
    with pytest.raises(ValueError, match="-1 at most once"):
        nn.Unflatten(1, (-1, -1))
    with pytest.raises(TypeError, match="Unflatten: dim"):
        nn.Unflatten(wrong[0], (2, 3))
    with pytest.raises(TypeError, match="Unflatten: unflattened_size"):
        nn.Unflatten(1, wrong[1])
