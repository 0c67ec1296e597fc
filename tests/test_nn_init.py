"""Starting values: their spread, their dtype, and where they are drawn from."""

from __future__ import annotations

import math

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import to_numpy
from xgrad.nn import Parameter, init

OUT, IN = 300, 100
RELU = math.sqrt(2)

SPREADS = {
    "uniform_": (lambda w, g: init.uniform_(w, -2.0, 2.0, generator=g), 2 / math.sqrt(3)),
    "normal_": (lambda w, g: init.normal_(w, 0.0, 0.5, generator=g), 0.5),
    "xavier_uniform_": (lambda w, g: init.xavier_uniform_(w, 2.0, generator=g), 2 * math.sqrt(2 / (IN + OUT))),
    "xavier_normal_": (lambda w, g: init.xavier_normal_(w, generator=g), math.sqrt(2 / (IN + OUT))),
    "kaiming_uniform_": (
        lambda w, g: init.kaiming_uniform_(w, nonlinearity="relu", generator=g),
        RELU / math.sqrt(IN),
    ),
    "kaiming_normal_": (lambda w, g: init.kaiming_normal_(w, mode="fan_out", generator=g), RELU / math.sqrt(OUT)),
}


@pytest.mark.parametrize("name", SPREADS)
def test_spread(backend, name):
    fill, std = SPREADS[name]
    w = Parameter(xg.zeros((OUT, IN), dtype=xg.float32))
    assert fill(w, xg.random.Generator(0)) is w
    values = to_numpy(w)
    assert w.dtype == xg.float32
    assert w.backend is backend
    assert w.requires_grad
    assert values.std() == pytest.approx(std, rel=0.02)
    assert abs(values.mean()) < 0.02 * std
    again = Parameter(xg.ones((OUT, IN), dtype=xg.float32))
    fill(again, xg.random.Generator(0))
    np.testing.assert_array_equal(to_numpy(again), values)


def test_constants(backend):
    w = Parameter(xg.zeros((2, 3)))
    assert (to_numpy(init.ones_(w)) == 1).all()
    assert (to_numpy(init.constant_(w, 0.25)) == 0.25).all()
    assert (to_numpy(init.zeros_(w)) == 0).all()


def test_the_default_generator_is_used(backend):
    w = Parameter(xg.zeros((2, 3)))
    xg.random.seed(4)
    first = to_numpy(init.uniform_(w))
    xg.random.seed(4)
    np.testing.assert_array_equal(to_numpy(init.uniform_(w)), first)


@pytest.mark.parametrize(
    ("nonlinearity", "param"), [("linear", None), ("tanh", None), ("relu", None), ("leaky_relu", 0.3)]
)
def test_gains_are_pytorchs(nonlinearity, param):
    torch = pytest.importorskip("torch")
    expected = torch.nn.init.calculate_gain(nonlinearity, param)
    assert init.calculate_gain(nonlinearity, param) == pytest.approx(expected, rel=1e-15)


def test_bad_arguments(backend):
    with pytest.raises(ValueError, match=r"two axes or more, got shape \(3,\)"):
        init.xavier_uniform_(Parameter(xg.zeros(3)))
    with pytest.raises(ValueError, match="'swish'"):
        init.kaiming_normal_(Parameter(xg.zeros((2, 2))), nonlinearity="swish")
    with pytest.raises(ValueError, match="'fan'"):
        init.kaiming_normal_(Parameter(xg.zeros((2, 2))), mode="fan")


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (2, 0, 3)])
@pytest.mark.parametrize("name", SPREADS)
def test_a_weight_without_elements_stays_so(backend, name, shape):
    w = Parameter(xg.zeros(shape, dtype=xg.float32))
    assert SPREADS[name][0](w, xg.random.Generator(0)).shape == shape
