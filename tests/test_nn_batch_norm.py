"""Batch and instance normalization: running statistics, checkpoints, vmap and errors. (Results: test_nn_parity.py.)"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy
from xgrad import nn

F = nn.functional
RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 3, 2)) + 2


def test_running_statistics_are_of_the_batches_and_eval_uses_them(xp):
    layer = nn.BatchNorm1d(3, momentum=0.25)
    mean, var = np.zeros(3), np.ones(3)
    for k in range(3):
        layer(make(xp, X * (k + 1)))
        mean += 0.25 * ((X * (k + 1)).mean((0, 2)) - mean)
        var += 0.25 * ((X * (k + 1)).var((0, 2), ddof=1) - var)
    assert_close(to_numpy(layer.running_mean), mean, 1e-12)
    assert_close(to_numpy(layer.running_var), var, 1e-12)
    assert to_numpy(layer.num_batches_tracked) == 3
    before = {k: to_numpy(v) for k, v in layer.state_dict().items()}
    got = layer.eval()(make(xp, X))
    assert_close(to_numpy(got), (X - mean[:, None]) / np.sqrt(var[:, None] + 1e-5), 1e-12)
    assert all((to_numpy(v) == before[k]).all() for k, v in layer.state_dict().items())


def test_without_momentum_they_are_the_mean_of_all_batches(xp):
    layer = nn.BatchNorm1d(3, momentum=None)
    batches = RNG.normal(size=(5, 4, 3))
    for batch in batches:
        layer(make(xp, batch))
    assert_close(to_numpy(layer.running_mean), batches.mean((0, 1)), 1e-12)
    assert_close(to_numpy(layer.running_var), batches.var(1, ddof=1).mean(0), 1e-12)


def test_buffers_stay_the_same_objects_without_a_graph(xp):
    layer = nn.BatchNorm1d(3)
    buffers = list(layer.buffers())
    saved = layer.state_dict()
    layer(make(xp, X, requires_grad=True))
    assert all(a is b for a, b in zip(buffers, layer.buffers(), strict=True))
    assert not any(b.requires_grad for b in buffers)
    assert buffers[2].dtype == xg.int64
    assert (to_numpy(saved["running_mean"]) == 0).all()
    layer.reset_running_stats()
    assert [to_numpy(b).tolist() for b in buffers] == [[0.0] * 3, [1.0] * 3, 0]


@pytest.mark.parametrize(
    "make_layer", [lambda: nn.BatchNorm1d(3), lambda: nn.InstanceNorm1d(3, track_running_stats=True)]
)
def test_in_a_checkpoint_statistics_move_once(xp, make_layer):
    plain, kept = make_layer(), make_layer()
    gradients = []
    for run in (plain, xg.checkpoint(kept)):
        x = make(xp, X, requires_grad=True)
        xp.sum(run(x) ** 3).backward()
        gradients.append(to_numpy(x.grad))
    assert_close(gradients[1], gradients[0], 1e-12)
    for a, b in zip(plain.buffers(), kept.buffers(), strict=True):
        assert (to_numpy(a) == to_numpy(b)).all()
    if isinstance(kept, nn.BatchNorm1d):
        assert to_numpy(kept.num_batches_tracked) == 1


@pytest.mark.parametrize("training", [True, False])
def test_derivatives_of_each_order(xp, training):
    mean, var = make(xp, np.ones(3)), make(xp, np.full(3, 2.0))
    w, b = make(xp, RNG.normal(size=(2, 3)))
    xg.check_grads(lambda x, w, b: F.batch_norm(x, mean, var, w, b, training), make(xp, X), w, b)
    xg.check_grads(lambda x, w, b: F.instance_norm(x, None, None, w, b), make(xp, X), w, b)


def test_maps_where_no_statistics_move(xp):
    layer = nn.BatchNorm1d(3).eval()
    stacked = make(xp, np.stack([X, 2 * X]))
    want = np.stack([to_numpy(layer(make(xp, x))) for x in (X, 2 * X)])
    assert_close(to_numpy(xg.vmap(layer)(stacked)), want, 1e-12)
    layer = nn.BatchNorm1d(3, track_running_stats=False)
    want = np.stack([to_numpy(layer(make(xp, x))) for x in (X, 2 * X)])
    assert_close(to_numpy(xg.vmap(layer)(stacked)), want, 1e-12)


def test_float32_stays_float32(xp):
    layer: Any = nn.BatchNorm1d(3, dtype=xp.float32)
    x: Any = make(xp, X, "float32", requires_grad=True)
    for module in (layer, layer.eval()):
        y = module(x)
        assert y.dtype == xp.float32
        y.sum().backward()
        assert x.grad.dtype == xp.float32
    assert [str(b.dtype).rpartition(".")[2] for b in layer.buffers()] == ["float32", "float32", "int64"]
    assert layer.running_mean.dtype == xp.float32


def test_another_number_of_channels_is_a_warning_where_it_does_no_harm():
    with pytest.warns(UserWarning, match="InstanceNorm1d.*got 3 channels"):
        nn.InstanceNorm1d(2)(xg.asarray(X))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: nn.BatchNorm1d(3)(xg.zeros((3,))), r"BatchNorm1d\(3.*\(N, 3\) or \(N, 3, L\), got \(3,\)"),
        (lambda: nn.BatchNorm1d(3)(xg.zeros((2, 4))), r"BatchNorm1d.*got \(2, 4\)"),
        (lambda: nn.BatchNorm2d(3)(xg.zeros((2, 3, 4))), r"BatchNorm2d.*\(N, 3, H, W\), got \(2, 3, 4\)"),
        (lambda: nn.BatchNorm1d(3)(xg.zeros((1, 3))), r"BatchNorm1d\(3.*more than one value, got \(1, 3\)"),
        (lambda: nn.InstanceNorm1d(3)(xg.zeros((2, 3, 1))), r"InstanceNorm1d.*more than one value, got \(2, 3, 1\)"),
        (lambda: nn.InstanceNorm2d(3, affine=True)(xg.zeros((2, 4, 2, 2))), r"InstanceNorm2d.*got \(2, 4, 2, 2\)"),
        (lambda: nn.InstanceNorm2d(3)(xg.zeros((3, 2))), r"\(3, H, W\) or \(N, 3, H, W\), got \(3, 2\)"),
        (lambda: F.batch_norm(xg.zeros((2, 3)), None, None), "running_mean and running_var are needed"),
        (lambda: F.instance_norm(xg.asarray(X), use_input_stats=False), "running_mean and running_var are needed"),
        (lambda: F.batch_norm(xg.zeros((2, 3)), None, None, xg.zeros((2,)), training=True), r"weight must have the shape \(3,\)"),
        (lambda: F.batch_norm(xg.zeros((2,)), None, None, training=True), r"batch_norm takes .*got \(2,\)"),
        (lambda: F.instance_norm(xg.zeros((2, 3))), r"instance_norm takes .*got \(2, 3\)"),
        (lambda: nn.BatchNorm1d(-1), "num_features must be an integer, 0 or more"),
    ],
)  # fmt: skip
def test_errors_say_what_was_wanted_and_given(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_running_statistics_must_be_able_to_change():
    with pytest.raises(TypeError, match="must be tensors, which can change, not ndarray"):
        F.batch_norm(xg.asarray(X), np.zeros(3), np.ones(3), training=True)
