"""Pooling layers: errors, and use under the transforms. Their results are compared in test_nn_parity.py."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy
from xgrad import nn
from xgrad.nn import functional as F

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 2, 7, 6))
LAYERS = {
    "max": lambda: nn.MaxPool2d(3, 2, 1),
    "max, overlapping": lambda: nn.MaxPool2d((3, 2), 1, ceil_mode=True),
    "avg": lambda: nn.AvgPool2d(2, ceil_mode=True, count_include_pad=False),
    "lp": lambda: nn.LPPool2d(2, 2),
    "adaptive avg": lambda: nn.AdaptiveAvgPool2d((3, 4)),
    "adaptive max": lambda: nn.AdaptiveMaxPool2d((3, 4)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_gradient_for_each_example(backend, name):
    layer, x = LAYERS[name](), make(xg, X)
    got = to_numpy(xg.vmap(xg.grad(lambda x: xg.sum(layer(x) ** 3)))(x))
    assert_close(got, to_numpy(xg.grad(lambda x: xg.sum(layer(x) ** 3))(x)), 1e-12)


@pytest.mark.parametrize("name", LAYERS)
def test_a_second_derivative_is_the_difference_of_the_first(backend, name):
    layer, v = LAYERS[name](), RNG.normal(size=X.shape)

    def gradient(at):
        return xg.grad(lambda x: xg.sum(layer(x) ** 3))(at)

    got = to_numpy(xg.jvp(gradient, (make(xg, X),), (make(xg, v),))[1])
    step = 1e-7
    high, low = (to_numpy(gradient(make(xg, X + sign * step * v))) for sign in (1, -1))
    assert_close(got, (high - low) / (2 * step), 1e-6)


@pytest.mark.parametrize("name", LAYERS)
def test_float32_stays_float32(backend, name):
    x = make(xg, X.astype(np.float32), requires_grad=True)
    y = LAYERS[name]()(x)
    xg.sum(y).backward()
    assert str(to_numpy(y).dtype) == str(to_numpy(x.grad).dtype) == "float32"


def test_an_input_without_a_batch_or_with_an_empty_one():
    assert nn.MaxPool2d(2)(xg.ones((3, 4, 4))).shape == (3, 2, 2)
    assert nn.MaxPool2d(2)(xg.ones((0, 3, 4, 4))).shape == (0, 3, 2, 2)
    assert nn.AvgPool1d(2)(xg.ones((0, 3, 4))).shape == (0, 3, 2)


def test_how_layers_are_shown():
    assert repr(nn.MaxPool2d(2)) == "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"
    assert repr(nn.AvgPool1d(2, 1)) == "AvgPool1d(kernel_size=2, stride=1, padding=0)"
    assert repr(nn.AdaptiveAvgPool2d((1, None))) == "AdaptiveAvgPool2d(output_size=(1, None))"


WRONG = {
    "axes": (
        lambda: nn.MaxPool2d(2)(X[0, 0]),
        r"MaxPool2d\(.*\) takes an input of shape \(N, C, H, W\) or \(C, H, W\)",
    ),
    "mean of axes": (lambda: nn.AvgPool1d(2)(X), r"AvgPool1d\(.*\(N, C, L\) or \(C, L\), got \(3, 2, 7, 6\)"),
    "adaptive axes": (lambda: nn.AdaptiveAvgPool2d(2)(X[0, 0]), r"AdaptiveAvgPool2d\(.*\(N, C, H, W\)"),
    "a number": (lambda: nn.MaxPool2d(2)(1.0), r"MaxPool2d\("),
    "kernel": (lambda: nn.MaxPool2d(0), "MaxPool2d: kernel_size"),
    "stride": (lambda: nn.MaxPool2d(2, 0), "MaxPool2d: stride"),
    "padding": (lambda: nn.MaxPool2d(2, padding=2), "MaxPool2d: padding must be at most half"),
    "dilation": (lambda: nn.MaxPool2d(2, dilation=0), "MaxPool2d: dilation"),
    "too small": (lambda: nn.MaxPool2d(8)(X), "max_pool2d: a window of size"),
    "divisor": (lambda: nn.AvgPool2d(2, divisor_override=0), "AvgPool2d: divisor_override"),
    "power": (lambda: nn.LPPool1d(0, 2), "LPPool1d: norm_type"),
    "output_size": (lambda: nn.AdaptiveMaxPool1d(0), "AdaptiveMaxPool1d: output_size"),
    "output_sizes": (lambda: nn.AdaptiveMaxPool2d((1, 2, 3)), "AdaptiveMaxPool2d: output_size"),
    "function": (lambda: F.max_pool2d(X, 2, padding=2), "max_pool2d: padding must be at most half"),
    "function's axes": (lambda: F.avg_pool2d(X[0, 0], 2), "avg_pool2d takes an input of shape"),
    "function's divisor": (lambda: F.avg_pool2d(X, 2, divisor_override=0), "avg_pool2d: divisor_override"),
    "function's output_size": (lambda: F.adaptive_avg_pool2d(X, 0), "adaptive_avg_pool2d: output_size"),
    "function's power": (lambda: F.lp_pool2d(X, 0, 2), "lp_pool2d: norm_type"),
    "empty": (lambda: F.adaptive_avg_pool1d(np.ones((2, 3, 0)), 2), "adaptive_avg_pool1d: an input of shape"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_an_error(name):
    call, match = WRONG[name]
    with pytest.raises(ValueError, match=match):
        call()


def test_complex_numbers_have_no_largest():
    with pytest.raises(TypeError, match="complex"):
        F.max_pool1d(np.ones((1, 4)) * 1j, 2)
