"""Layer, group and RMS normalization: derivatives, vmap, dtypes and errors. (Their results are compared in test_nn_parity.py.)"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy
from xgrad import nn

F = nn.functional
RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 4, 3))
W, B = RNG.normal(size=(2, 4))


def layers():
    return [nn.LayerNorm((4, 3)), nn.RMSNorm(3), nn.GroupNorm(2, 4), nn.LocalResponseNorm(3, alpha=0.5)]


@pytest.mark.parametrize("number", range(4))
def test_derivatives_of_each_order(xp, number):
    layer = layers()[number]
    xg.check_grads(layer, make(xp, X))


@pytest.mark.parametrize("number", range(4))
def test_maps_over_samples(xp, number):
    layer = layers()[number]
    x = make(xp, X)
    mapped = xg.vmap(lambda x: layer(xp.expand_dims(x, axis=0))[0])(x)
    assert_close(to_numpy(mapped), to_numpy(layer(x)), 1e-12)


def test_maps_over_weights(xp):
    x, weights = make(xp, X), make(xp, RNG.normal(size=(5, 3)))
    mapped = xg.vmap(lambda w: F.layer_norm(x, (3,), w, w))(weights)
    want = np.stack([to_numpy(F.layer_norm(x, (3,), w, w)) for w in weights])
    assert_close(to_numpy(mapped), want, 1e-12)


@pytest.mark.parametrize("number", range(4))
def test_float32_stays_float32(xp, number):
    layer = layers()[number].to(dtype="float32")
    x: Any = make(xp, X, "float32", requires_grad=True)
    y = layer(x)
    xp.sum(y * y).backward()
    assert y.dtype == x.grad.dtype == xp.float32
    assert_close(to_numpy(y), to_numpy(layers()[number](make(xp, X))), 1e-5)


def test_half_precision_is_computed_in_float32():
    values = (1000 + 300 * RNG.normal(size=(3, 600))).astype(np.float16)  # their squares and sums are beyond float16
    with xg.use_backend("numpy"):
        x = xg.asarray(values, requires_grad=True)
        y = F.layer_norm(x, (600,))
        want = values.astype(float) - values.astype(float).mean(1, keepdims=True)
        want /= np.sqrt((want**2).mean(1, keepdims=True))
        assert y.dtype == x.dtype
        assert_close(to_numpy(y).astype(float), want, 1e-3)
        xg.sum(y * y * y).backward()
        assert x.grad.dtype == x.dtype
        assert np.isfinite(to_numpy(x.grad)).all()


def test_host_data_in_any_argument(backend):
    got = F.layer_norm(X, (3,), np.ones(3), np.zeros(3))
    assert_close(to_numpy(got), to_numpy(F.layer_norm(xg.asarray(X), (3,))), 1e-12)
    got = F.group_norm(X, 2, W, B)
    assert_close(to_numpy(got), to_numpy(F.group_norm(xg.asarray(X), 2, xg.asarray(W), xg.asarray(B))), 1e-12)


def test_parameters_start_as_ones_and_zeros_and_return_there(backend):
    for layer in (nn.LayerNorm((4, 3)), nn.RMSNorm(3), nn.GroupNorm(2, 4)):
        start = {name: to_numpy(value) for name, value in layer.state_dict().items()}
        assert all((value == (name == "weight")).all() for name, value in start.items())
        parameters = list(layer.parameters())
        for p in parameters:
            p.data = p.data * 3 + 1
        layer.reset_parameters()
        assert all((to_numpy(value) == start[name]).all() for name, value in layer.state_dict().items())
        assert all(a is b for a, b in zip(parameters, layer.parameters(), strict=True))
    assert [p.dtype for p in nn.LayerNorm(3, dtype=xg.float32).parameters()] == [xg.float32] * 2


def test_normalize_of_zeros_is_zeros(xp):
    x: Any = make(xp, np.zeros((2, 3)), requires_grad=True)
    xp.sum(F.normalize(x)).backward()
    assert np.isfinite(to_numpy(x.grad)).all()
    with pytest.raises(ValueError, match="out must be None"):
        F.normalize(x, out=x)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: nn.LayerNorm((4, 3))(xg.zeros((4, 2))), r"LayerNorm\(\(4, 3\).*\(..., 4, 3\), got \(4, 2\)"),
        (lambda: nn.RMSNorm(3)(xg.zeros(())), r"RMSNorm\(\(3,\).*\(..., 3\), got \(\)"),
        (lambda: nn.GroupNorm(2, 4)(xg.zeros((3, 2, 5))), r"GroupNorm\(2, 4.*\(N, 4, ...\), got \(3, 2, 5\)"),
        (lambda: nn.LocalResponseNorm(2)(xg.zeros((3, 2))), r"LocalResponseNorm.*three axes at least, got \(3, 2\)"),
        (lambda: F.layer_norm(xg.zeros((2, 3)), (2,)), r"layer_norm takes .*\(..., 2\), got \(2, 3\)"),
        (lambda: F.layer_norm(xg.zeros((2, 3)), (3,), xg.zeros((1, 3))), r"layer_norm: the weight must have the shape \(3,\)"),
        (lambda: F.rms_norm(xg.zeros((2, 3)), ()), "rms_norm: normalized_shape"),
        (lambda: F.group_norm(xg.zeros((2, 3)), 2), r"group_norm .*a multiple of 2 channels, got \(2, 3\)"),
        (lambda: F.group_norm(xg.zeros((2, 4)), 2, xg.zeros((3,))), r"weight must have the shape \(4,\), got \(3,\)"),
        (lambda: F.local_response_norm(xg.zeros((2, 4)), 2), r"local_response_norm .*got \(2, 4\)"),
        (lambda: nn.GroupNorm(3, 4), "multiple of num_groups, got 4 and 3"),
        (lambda: nn.GroupNorm(0, 4), "num_groups must be an integer, 1 or more"),
        (lambda: nn.LayerNorm(()), "one or more integers"),
        (lambda: nn.LayerNorm(-2), "one or more integers"),
        (lambda: nn.LocalResponseNorm(0), "size must be an integer, 1 or more"),
        (lambda: xg.scale_and_shift(xg.zeros((2, 3)), xg.zeros((2,))), r"\(2,\) does not broadcast to \(2, 3\)"),
        (lambda: xg.sum_of_products(xg.zeros((2, 3)), xg.zeros((3,))), "must have the same shape"),
    ],
)  # fmt: skip
def test_errors_say_what_was_wanted_and_given(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_wrong_types():
    wrong: Any = 2.5
    with pytest.raises(TypeError, match="LayerNorm: normalized_shape"):
        nn.LayerNorm(wrong)
    with pytest.raises(TypeError, match="real floating-point dtype"):
        F.layer_norm(xg.zeros((2, 3), dtype=xg.int64), (3,))
    with pytest.raises(TypeError):
        nn.LayerNorm(2, dtype=xg.int64)
