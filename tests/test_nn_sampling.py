"""Images read at the points of a grid: derivatives, vmap, dtypes and errors. (Results are compared in test_nn_parity.py.)"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy
from xgrad import nn

F = nn.functional
RNG = np.random.default_rng(0)
X, GRID = RNG.normal(size=(2, 1, 3, 4)), RNG.uniform(-1.2, 1.2, (2, 2, 2, 2))
THETA = RNG.normal(size=(2, 2, 3))


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("padding_mode", ["zeros", "reflection"])
def test_derivatives_of_each_order(backend, mode, padding_mode):
    xg.check_grads(lambda x, grid: F.grid_sample(x, grid, mode, padding_mode) ** 2, xg.asarray(X), xg.asarray(GRID))
    xg.check_grads(lambda theta: F.affine_grid(theta, (2, 1, 3, 4)) ** 2, xg.asarray(THETA))


def test_maps(xp):
    x, grid = make(xp, X), make(xp, GRID)
    mapped = xg.vmap(lambda x, grid: F.grid_sample(x[None], grid[None])[0])(x, grid)
    assert_close(to_numpy(mapped), to_numpy(F.grid_sample(x, grid)), 1e-14)


def test_the_identity_returns_the_image(xp):
    theta = make(xp, np.tile(np.eye(2, 3), (2, 1, 1)))
    for align_corners in (False, True):
        grid = F.affine_grid(theta, X.shape, align_corners)
        for mode in ("nearest", "bilinear", "bicubic"):
            got = F.grid_sample(make(xp, X), grid, mode, "border", align_corners)
            assert_close(to_numpy(got), X, 1e-12)


def test_float32_stays_float32(xp):
    x: Any = make(xp, X, "float32", requires_grad=True)
    grid: Any = make(xp, GRID, "float32", requires_grad=True)
    y = F.grid_sample(x, grid)
    xp.sum(y).backward()
    assert y.dtype == x.grad.dtype == grid.grad.dtype == xp.float32
    assert F.affine_grid(make(xp, THETA, "float32"), (2, 1, 3, 4)).dtype == xp.float32


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: F.grid_sample(X, GRID, "cubic"), "mode must be one of 'bilinear', 'nearest', 'bicubic', got 'cubic'"),
        (lambda: F.grid_sample(X, GRID, padding_mode="wrap"), "padding_mode must be one of .*got 'wrap'"),
        (lambda: F.grid_sample(X[0], GRID), r"grid_sample takes .*\(N, C, H, W\), got \(1, 3, 4\)"),
        (lambda: F.grid_sample(X, GRID[:1]), r"grid_sample: grid takes .*\(2, H_out, W_out, 2\), got \(1, 2, 2, 2\)"),
        (lambda: F.affine_grid(THETA, (2, 1, 3)), r"size must be \(N, C, H, W\)"),
        (lambda: F.affine_grid(THETA, (3, 1, 3, 4)), r"affine_grid takes .*\(3, 2, 3\) .*got \(2, 2, 3\)"),
    ],
)
def test_errors_say_what_was_wanted_and_given(call, says):
    with pytest.raises(ValueError, match=says):
        call()
