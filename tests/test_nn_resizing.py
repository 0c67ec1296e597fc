"""Resizing: derivatives, vmap, dtypes, and errors. (Results are compared in test_nn_parity.py.)"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy
from xgrad import nn
from xgrad.nn.functional.resizing import places, rows

F = nn.functional
X = np.random.default_rng(0).normal(size=(2, 1, 4, 3))
WAYS = (
    {"scale_factor": 2},
    {"size": (5, 2), "mode": "nearest-exact"},
    {"size": 3, "mode": "area"},
    {"scale_factor": 1.5, "mode": "bilinear"},
    {"size": (2, 5), "mode": "bicubic", "align_corners": True},
    {"size": 2, "mode": "bicubic", "antialias": True},
)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_derivatives_of_each_order_and_maps(xp, way):
    x = make(xp, X)
    xg.check_grads(lambda x: F.interpolate(x, **way) ** 2, x)
    mapped = xg.vmap(lambda x: F.interpolate(x[None], **way)[0])(x)
    assert_close(to_numpy(mapped), to_numpy(F.interpolate(x, **way)), 1e-14)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_float32_stays_float32(xp, way):
    x: Any = make(xp, X, "float32", requires_grad=True)
    y = F.interpolate(x, **way)
    xp.sum(y).backward()
    assert y.dtype == x.grad.dtype == xp.float32
    assert_close(to_numpy(y), to_numpy(F.interpolate(make(xp, X), **way)), 1e-6)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "lanczos"])
def test_an_image_of_one_column_is_smoothed_as_one_of_one_row(backend, mode):
    """PyTorch repeats the first row where the result is one pixel wide, so it cannot be compared with there."""
    column, row = xg.asarray(X[:1, :, :, :1]), xg.asarray(X[:1, :, :, :1].swapaxes(2, 3))
    got = F.interpolate(column, size=(2, 1), mode=mode, antialias=True)
    want = F.interpolate(row, size=(1, 2), mode=mode, antialias=True)
    assert_close(to_numpy(got), to_numpy(want).swapaxes(2, 3), 1e-14)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
def test_ties_fall_as_in_pytorchs_images(mode):
    """In single precision, also for float64. (PyTorch's kernel for signals of float64 rounds one size in 70 otherwise.)"""
    torch = pytest.importorskip("torch")
    differs = 0
    for n in range(1, 30):
        x = torch.arange(float(n)).reshape(1, 1, n, 1).repeat(1, 2, 1, 3)
        for m in range(1, 80):
            want = torch.nn.functional.interpolate(x, size=(m, 3), mode=mode)[0, 0, :, 0].tolist()
            assert list(places(n, m, None, mode)) == want, (n, m)
            shift = 0.5 * (mode == "nearest-exact")
            differs += want != [min(int((i + shift) * (n / m)), n - 1) for i in range(m)]
    assert differs  # some sizes tell single precision from double


@pytest.mark.parametrize("mode", ["area", "bilinear", "bicubic"])
def test_a_constant_stays_itself(mode):
    for n in range(1, 8):
        for m in range(1, 12):
            for antialias in (False, True):
                if mode != "area" or not antialias:
                    np.testing.assert_allclose(
                        np.sum(rows(mode, n, m, None, False, antialias), axis=1), 1.0, rtol=1e-14
                    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"size": 2, "mode": "cubic"}, "mode must be one of .*got 'cubic'"),
        ({"size": 2, "mode": "linear"}, "'linear' takes an input with 3 axes, not 4"),
        ({"size": 2, "align_corners": True}, "align_corners does not go together with the mode 'nearest'"),
        ({"size": 2, "mode": "nearest", "antialias": True}, "antialias goes together with"),
        ({"size": 2, "mode": "lanczos"}, "lanczos.*needs antialias=True"),
        ({}, "one of size and scale_factor"),
        ({"size": 2, "scale_factor": 2}, "one of size and scale_factor"),
        ({"size": (2, 3, 4)}, r"2 integers for the axes \(4, 3\), got \(2, 3, 4\)"),
        ({"scale_factor": (2.0,)}, r"2 numbers above 0 for the axes \(4, 3\)"),
        ({"scale_factor": -1}, "above 0"),
        ({"scale_factor": 0.1}, r"1 or more, got an input of \(2, 1, 4, 3\) and the size \(0, 0\)"),
        ({"size": 2, "recompute_scale_factor": True}, "recompute_scale_factor goes together with scale_factor"),
    ],
)
def test_arguments_that_do_not_fit(arguments, says):
    with pytest.raises(ValueError, match=says):
        F.interpolate(xg.asarray(X), **arguments)


def test_a_size_is_of_integers():
    wrong: Any = 2.5
    with pytest.raises(TypeError, match="interpolate: size"):
        F.interpolate(xg.asarray(X), size=wrong)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: F.interpolate(xg.zeros((2, 3)), 2), r"interpolate takes .*\(N, C, L\).*got \(2, 3\)"),
        (lambda: nn.Upsample(2, mode="bilinear")(xg.zeros((2, 3, 4))), r"Upsample\(size=2.*\(N, C, H, W\), got \(2, 3, 4\)"),
        (lambda: nn.Upsample(2)(xg.zeros((2, 3))), r"Upsample\(size=2, mode='nearest'\).*got \(2, 3\)"),
        (lambda: nn.UpsamplingNearest2d(2)(xg.zeros((2, 3, 4))), r"UpsamplingNearest2d.*\(N, C, H, W\), got \(2, 3, 4\)"),
        (lambda: nn.UpsamplingBilinear2d(2)(xg.zeros((2, 3, 4))), r"UpsamplingBilinear2d.*got \(2, 3, 4\)"),
        (lambda: nn.Upsample(), "Upsample: give one of size and scale_factor"),
        (lambda: nn.Upsample(2, mode="best"), "Upsample: mode must be one of"),
        (lambda: nn.Upsample(2, align_corners=True), "Upsample: align_corners does not go together"),
    ],
)  # fmt: skip
def test_errors_name_the_layer_and_both_shapes(call, says):
    with pytest.raises(ValueError, match=says):
        call()
