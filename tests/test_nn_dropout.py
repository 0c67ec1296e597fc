"""Dropout: which elements are dropped, how often, by which generator, and that a checkpoint drops the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy
from xgrad import nn

F = nn.functional
NAMES = ["Dropout", "Dropout1d", "Dropout2d", "AlphaDropout"]
SHAPES = {"Dropout": (5, 8), "Dropout1d": (5, 8, 3), "Dropout2d": (5, 8, 2, 2), "AlphaDropout": (5, 8)}
pytestmark = pytest.mark.filterwarnings("ignore:dropout2d takes")


def numpys_mask(name, p, seed):
    """Which elements stay, by NumPy's generator."""
    shape = SHAPES[name]
    drawn = shape if name in ("Dropout", "AlphaDropout") else (*shape[:2], *(1,) * (len(shape) - 2))
    return np.random.default_rng(seed).random(drawn) < 1 - p


@pytest.mark.parametrize("name", ["Dropout", "Dropout1d", "Dropout2d"])
@pytest.mark.parametrize("p", [0.2, 0.5])
def test_the_mask_is_that_of_the_seed_on_every_backend(xp, name, p):
    x = np.random.default_rng(1).normal(size=SHAPES[name])
    layer = getattr(nn, name)(p, rng=xg.random.Generator(3))
    tensor = make(xp, x, requires_grad=True)
    y = layer(tensor)
    want = numpys_mask(name, p, 3) / (1 - p)
    assert_close(to_numpy(y), x * want, 1e-15)
    xp.sum(y * y).backward()
    assert_close(to_numpy(tensor.grad), 2 * x * want**2, 1e-14)


def test_alpha_dropout_is_the_formula_of_its_paper(xp):
    x = np.random.default_rng(1).normal(size=SHAPES["AlphaDropout"])
    keep, p, alpha = numpys_mask("AlphaDropout", 0.3, 3), 0.3, -1.0507009873554805 * 1.6732632423543772
    a = (1 - p + p * (1 - p) * alpha**2) ** -0.5
    want = a * np.where(keep, x, alpha) - a * p * alpha
    got = F.alpha_dropout(make(xp, x), p, training=True, rng=xg.random.Generator(3))
    assert_close(to_numpy(got), want, 1e-14)


def test_alpha_dropout_keeps_mean_and_variance():
    with xg.use_backend("numpy"):
        x = np.random.default_rng(0).normal(size=400_000)
        y = to_numpy(F.alpha_dropout(x, 0.4, True, rng=xg.random.Generator(0)))
    assert abs(y.mean()) < 0.01
    assert abs(y.var() - 1) < 0.02


@pytest.mark.parametrize("name", NAMES)
def test_another_call_draws_another_mask_and_the_default_generator_can_be_seeded(backend, name):
    layer, x = getattr(nn, name)(0.5), xg.ones(SHAPES[name])
    xg.random.seed(5)
    first, second = to_numpy(layer(x)), to_numpy(layer(x))
    xg.random.seed(5)
    assert (to_numpy(layer(x)) == first).all()
    assert (first != second).any()


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_drops_the_same_again(backend, name):
    shape = SHAPES[name]
    for rng in (None, xg.random.Generator(7)):
        gradients = []
        for wrap in (lambda f: f, xg.checkpoint):
            layer = getattr(nn, name)(0.5, rng=rng)
            x = make(xg, np.linspace(1, 2, int(np.prod(shape))).reshape(shape), requires_grad=True)
            xg.random.seed(2)
            if rng is not None:
                layer.rng = xg.random.Generator(7)
            xg.sum(wrap(layer)(x) ** 2).backward()
            gradients.append(to_numpy(x.grad))
        assert_close(gradients[1], gradients[0], 1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_drawn_where_nothing_is_dropped(backend, name):
    x, rng = xg.ones(SHAPES[name]), xg.random.Generator(0)
    for layer in (getattr(nn, name)(0.0, rng=rng), getattr(nn, name)(0.5, rng=rng).eval()):
        assert (to_numpy(layer(x)) == 1).all()
    assert rng.integers(0, 1000).item() == xg.random.Generator(0).integers(0, 1000).item()
    assert (to_numpy(getattr(nn, name)(1.0)(x)) == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_float32_stays_float32(xp, name):
    x: Any = make(xp, np.ones(SHAPES[name]), "float32", requires_grad=True)
    y = getattr(nn, name)(0.3)(x)
    assert y.dtype == xp.float32
    xp.sum(y).backward()
    assert x.grad.dtype == xp.float32


@pytest.mark.parametrize("p", [-0.1, 1.5, "0.5", True])
@pytest.mark.parametrize("name", NAMES)
def test_p_is_a_probability(name, p):
    with pytest.raises(ValueError, match=rf"{name}: p must be a number from 0 to 1, got"):
        getattr(nn, name)(p)


def test_a_wrong_shape_is_named():
    with pytest.raises(
        ValueError, match=r"Dropout1d\(p=0.5, inplace=False\) takes .*\(N, C, L\) or \(C, L\), got \(3,\)"
    ):
        nn.Dropout1d()(xg.zeros((3,)))
    with pytest.raises(ValueError, match=r"Dropout2d.*\(N, C, H, W\), got \(3, 2\)"):
        nn.Dropout2d()(xg.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"dropout1d takes .*got \(3,\)"):
        F.dropout1d(xg.zeros((3,)))
    with pytest.warns(UserWarning, match=r"\(2, 3, 4\) as \(N, C, L\)"):
        F.dropout2d(xg.zeros((2, 3, 4)))
