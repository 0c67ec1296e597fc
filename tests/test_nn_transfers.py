"""Layers move nothing between the host and the device, and wait for no value: neither forward nor backward."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make
from tests.support.transfers import no_transfers
from xgrad import nn

F = nn.functional
RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(2, 4, 5, 6))
LAYERS = {
    "BatchNorm2d": lambda: nn.BatchNorm2d(4),
    "BatchNorm2d without momentum": lambda: nn.BatchNorm2d(4, momentum=None),
    "InstanceNorm2d": lambda: nn.InstanceNorm2d(4, track_running_stats=True),
    "LayerNorm": lambda: nn.LayerNorm(6),
    "RMSNorm": lambda: nn.RMSNorm((5, 6)),
    "GroupNorm": lambda: nn.GroupNorm(2, 4),
    "LocalResponseNorm": lambda: nn.LocalResponseNorm(3),
    "ReflectionPad2d": lambda: nn.ReflectionPad2d(1),
    "ConstantPad2d": lambda: nn.ConstantPad2d((1, -1, 0, 2), 3.0),
    "PixelShuffle": lambda: nn.PixelShuffle(2),
    "Upsample": lambda: nn.Upsample(scale_factor=2),
    "Upsample to a size": lambda: nn.Upsample((7, 3)),
    "Upsample bilinear": lambda: nn.Upsample(scale_factor=2, mode="bilinear"),
    "Dropout": lambda: nn.Dropout(0.5),
}


@pytest.fixture
def there():
    """A backend whose arrays are not on the host."""
    pytest.importorskip("array_api_strict")
    with xg.use_backend("strict") as backend:
        yield backend


@pytest.mark.parametrize("name", LAYERS)
def test_forward_and_backward_make_no_transfer(there, name):
    layer = LAYERS[name]()
    x: Any = make(there.view, IMAGES, requires_grad=True)
    with no_transfers(there) as transfers:
        xg.sum(layer(x) ** 2).backward()
        layer.eval()(x)
    assert transfers.count == 0


def test_tables_and_grids_make_no_transfer(there):
    table: Any = make(there.view, RNG.normal(size=(6, 3)), requires_grad=True)
    index, offsets = make(there.view, np.array([1, 5, 5, 0])), make(there.view, np.array([0, 3]))
    x, grid = (make(there.view, values, requires_grad=True) for values in (IMAGES, RNG.normal(size=(2, 3, 3, 2))))
    with no_transfers(there) as transfers:
        xg.sum(F.embedding(index, table, padding_idx=1, max_norm=1.0, scale_grad_by_freq=True)).backward()
        for mode in ("sum", "max"):
            xg.sum(F.embedding_bag(index, table, offsets, mode=mode)).backward()
        F.one_hot(index, 6)
        for mode in ("nearest", "bilinear", "bicubic"):
            xg.sum(F.grid_sample(x, grid, mode, "reflection")).backward()
    assert transfers.count == 0
