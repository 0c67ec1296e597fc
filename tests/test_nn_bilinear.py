"""Bilinear: its starting values, derivatives, vmap and errors. (Results: test_nn_parity.py.)"""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy
from xgrad import nn

F = nn.functional
RNG = np.random.default_rng(0)


def test_bilinear_draws_the_weight_then_the_bias(backend):
    layer = nn.Bilinear(4, 3, 2, rng=xg.random.Generator(0), dtype=xg.float64)
    host = np.random.default_rng(0)
    assert_close(to_numpy(layer.weight), host.uniform(-0.5, 0.5, (2, 4, 3)), 1e-15)
    assert_close(to_numpy(layer.bias), host.uniform(-0.5, 0.5, 2), 1e-15)
    held = layer.weight, layer.bias
    layer.reset_parameters()
    assert all(a is b for a, b in zip(held, (layer.weight, layer.bias), strict=True))


def test_derivatives_of_each_order_and_maps(xp):
    x1, x2, w, b = (make(xp, RNG.normal(size=s)) for s in ((3, 2), (3, 4), (5, 2, 4), (5,)))
    xg.check_grads(F.bilinear, x1, x2, w, b)
    mapped = xg.vmap(F.bilinear, in_axes=(0, 0, None, None))(x1, x2, w, b)
    assert_close(to_numpy(mapped), to_numpy(F.bilinear(x1, x2, w, b)), 1e-12)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: nn.Bilinear(2, 3, 4)(xg.zeros((5, 2)), xg.zeros((4, 3))), r"Bilinear\(in1.*got \(5, 2\) and \(4, 3\)"),
        (lambda: F.bilinear(xg.zeros((5, 2)), xg.zeros((5, 3)), xg.zeros((4, 2, 2))), r"bilinear takes .*got \(5, 2\) and"),
        (lambda: F.bilinear(xg.zeros(2), xg.zeros(3), xg.zeros((2, 3))), r"bilinear: weight takes .*got \(2, 3\)"),
        (lambda: nn.Bilinear(0, 3, 4), "in1_features must be an integer, 1 or more"),
    ],
)  # fmt: skip
def test_errors_say_what_was_wanted_and_given(call, says):
    with pytest.raises(ValueError, match=says):
        call()
