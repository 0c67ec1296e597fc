"""Convolutions as layers: starting values, errors, and use under the transforms. test_nn_parity.py compares their results."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy
from xgrad import nn
from xgrad.nn import functional as F

RNG = np.random.default_rng(0)
LAYERS = [
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
]


@pytest.mark.parametrize("layer", LAYERS)
def test_starting_values_are_uniform_within_pytorchs_bound(layer):
    made = layer(16, 24, 3, groups=2, rng=xg.random.Generator(0))
    fan_in = math.prod(made.weight.shape[1:])
    bound = 1 / math.sqrt(fan_in)
    for parameter in (made.weight, made.bias):
        values = to_numpy(parameter)
        assert np.abs(values).max() <= bound
        assert abs(values.std() - bound / math.sqrt(3)) < 0.2 * bound
        assert np.abs(values).max() > 0.85 * bound


@pytest.mark.parametrize("layer", LAYERS)
def test_bounds_are_pytorchs(layer):
    torch = pytest.importorskip("torch")
    theirs, made = getattr(torch.nn, layer.__name__)(6, 64, 5, groups=2), layer(6, 64, 5, groups=2)
    assert list(theirs.state_dict()) == list(made.state_dict())
    for one, other in zip(theirs.parameters(), made.parameters(), strict=True):
        assert tuple(one.shape) == other.shape
        largest, mine = float(one.detach().abs().max()), float(np.abs(to_numpy(other)).max())
        assert abs(largest - mine) < 0.15 * largest


def test_a_seed_gives_the_same_values_on_every_backend(backend):
    got = nn.Conv2d(3, 4, 3, rng=xg.random.Generator(5)).state_dict()
    with xg.use_backend("numpy"):
        want = nn.Conv2d(3, 4, 3, rng=xg.random.Generator(5)).state_dict()
    for name, value in want.items():
        np.testing.assert_array_equal(to_numpy(got[name]), to_numpy(value))


def test_reset_parameters_draws_anew():
    layer = nn.Conv2d(3, 4, 3)
    xg.random.seed(3)
    layer.reset_parameters()
    first = {name: to_numpy(value) for name, value in layer.state_dict().items()}
    layer.reset_parameters()
    assert all((to_numpy(value) != first[name]).all() for name, value in layer.state_dict().items())
    xg.random.seed(3)
    layer.reset_parameters()
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(to_numpy(value), first[name])


def test_parameters_have_the_dtype_that_is_asked_for(backend):
    layer = nn.Conv2d(2, 3, 3, padding=1, dtype=xg.float32)
    x = make(xg, RNG.normal(size=(2, 2, 5, 5)).astype(np.float32), requires_grad=True)
    y = layer(x)
    xg.sum(y * y).backward()
    gradients = [parameter.grad for parameter in layer.parameters()]
    assert {str(to_numpy(a).dtype) for a in (y, x.grad, *gradients)} == {"float32"}


def test_zero_channels():
    assert nn.Conv1d(0, 2, 3, bias=False)(xg.ones((2, 0, 5))).tolist() == np.zeros((2, 2, 3)).tolist()


def test_how_a_layer_is_shown():
    layer = nn.Conv2d(4, 8, (3, 1), padding="same", groups=2, bias=False, padding_mode="reflect")
    assert repr(layer) == (
        "Conv2d(4, 8, kernel_size=(3, 1), stride=(1, 1), padding='same', groups=2, bias=False, padding_mode='reflect')"
    )
    assert repr(nn.ConvTranspose1d(4, 8, 3, 2, 1, 1)) == (
        "ConvTranspose1d(4, 8, kernel_size=(3,), stride=(2,), padding=(1,), output_padding=(1,))"
    )


# --- transforms ---


def network():
    rng = xg.random.Generator(0)
    return nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1, rng=rng),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(2, 3, 2, rng=rng),
        nn.MaxPool2d(2),
        nn.Flatten(),
    )


def test_a_gradient_for_each_example(backend):
    model, x = network(), make(xg, RNG.normal(size=(4, 1, 6, 6)))
    got = to_numpy(xg.vmap(xg.grad(lambda x: xg.sum(model(x[None]) ** 2)))(x))
    whole = to_numpy(xg.grad(lambda x: xg.sum(model(x) ** 2))(x))
    assert_close(got, whole, 1e-12)


def test_a_second_derivative_is_the_difference_of_the_first(backend):
    model, x, v = network(), RNG.normal(size=(2, 1, 6, 6)), RNG.normal(size=(2, 1, 6, 6))

    def gradient(at):
        return xg.grad(lambda x: xg.sum(model(x) ** 2))(at)

    got = to_numpy(xg.jvp(gradient, (make(xg, x),), (make(xg, v),))[1])
    step = 1e-6
    high, low = (to_numpy(gradient(make(xg, x + sign * step * v))) for sign in (1, -1))
    assert_close(got, (high - low) / (2 * step), 1e-7)


def test_a_checkpoint_gives_the_same_gradient():
    model, x = network(), xg.asarray(RNG.normal(size=(2, 1, 6, 6)), requires_grad=True)
    xg.sum(model(x) ** 2).backward()
    want, x.grad = x.grad, None
    xg.sum(xg.checkpoint(model)(x) ** 2).backward()
    assert_close(x.grad.numpy(), want.numpy(), 1e-14)


def test_no_grad_records_nothing():
    with xg.no_grad():
        assert not network()(xg.ones((1, 1, 6, 6))).requires_grad


def test_host_data_moves_to_the_weights(backend):
    layer = nn.Conv2d(2, 3, 3)
    assert layer(RNG.normal(size=(1, 2, 4, 4))).backend is layer.weight.backend


# --- errors ---

x2: Any = np.ones((2, 3, 6, 6))
half: Any = 0.5
same: Any = "same"
WRONG = {
    "channels": (
        lambda: nn.Conv2d(3, 4, 3)(np.ones((2, 5, 6, 6))),
        ValueError,
        r"Conv2d\(.*takes an input of shape \(N, 3, H, W\) or \(3, H, W\), got \(2, 5, 6, 6\)",
    ),
    "axes": (lambda: nn.Conv1d(3, 4, 3)(x2), ValueError, r"Conv1d\(.*\(N, 3, L\) or \(3, L\), got \(2, 3, 6, 6\)"),
    "padded": (lambda: nn.Conv1d(3, 4, 3, padding=1, padding_mode="circular")(x2), ValueError, r"Conv1d\("),
    "transposed": (
        lambda: nn.ConvTranspose2d(3, 4, 3)(np.ones((2, 5, 6, 6))),
        ValueError,
        r"ConvTranspose2d\(.*\(N, 3, H, W\)",
    ),
    "too small": (lambda: nn.Conv2d(3, 4, 7)(x2), ValueError, "does not fit"),
    "output_size": (
        lambda: nn.ConvTranspose2d(3, 4, 3, stride=2)(x2, output_size=(20, 20)),
        ValueError,
        r"from \(13, 13\) to \(14, 14\)",
    ),
    "groups": (lambda: nn.Conv2d(3, 4, 3, groups=2), ValueError, "in_channels must be a multiple of groups=2"),
    "out groups": (lambda: nn.Conv2d(4, 3, 3, groups=2), ValueError, "out_channels must be a multiple of groups=2"),
    "no groups": (lambda: nn.Conv2d(4, 3, 3, groups=0), ValueError, "groups must be an integer, 1 or more"),
    "kernel": (lambda: nn.Conv2d(3, 4, 0), ValueError, "kernel_size must be"),
    "kernels": (lambda: nn.Conv2d(3, 4, (3, 3, 3)), ValueError, "kernel_size must be"),
    "stride": (lambda: nn.Conv2d(3, 4, 3, stride=0), ValueError, "stride must be"),
    "padding": (lambda: nn.Conv2d(3, 4, 3, padding=-1), ValueError, "padding must be"),
    "named": (lambda: nn.Conv2d(3, 4, 3, padding="full"), ValueError, '"valid" or "same"'),
    "same": (lambda: nn.Conv2d(3, 4, 3, stride=2, padding="same"), ValueError, "stride of 1"),
    "mode": (lambda: nn.Conv2d(3, 4, 3, padding_mode="mirror"), ValueError, "'zeros' or 'reflect'"),
    "transposed mode": (lambda: nn.ConvTranspose2d(3, 4, 3, padding_mode="reflect"), ValueError, "'zeros'"),
    "transposed same": (lambda: nn.ConvTranspose2d(3, 4, 3, padding=same), ValueError, "padding must be"),
    "output_padding": (lambda: nn.ConvTranspose2d(3, 4, 3, output_padding=1), ValueError, "less than the stride"),
    "dtype": (lambda: nn.Conv2d(3, 4, 3, dtype=xg.int64), TypeError, ""),
    "channels that are no integer": (lambda: nn.Conv2d(half, 4, 3), ValueError, "in_channels must be an integer"),
    "function": (lambda: F.conv2d(x2, np.ones((4, 2, 3, 3))), ValueError, r"conv2d takes an input of shape \(N, 2, H"),
    "function's weight": (lambda: F.conv2d(x2, np.ones((4, 3, 3))), ValueError, "weight of shape"),
    "function's same": (
        lambda: F.conv1d(x2[0], np.ones((1, 6, 3)), padding="same", stride=2),
        ValueError,
        "stride",
    ),
    "function's padding": (lambda: F.conv1d(x2[0], np.ones((1, 6, 3)), padding=half), TypeError, "padding"),
    "transposed function": (
        lambda: F.conv_transpose2d(x2, np.ones((4, 2, 3, 3))),
        ValueError,
        "conv_transpose2d takes",
    ),
    "transposed bias": (lambda: F.conv_transpose2d(x2, np.ones((3, 2, 3, 3)), np.ones(3)), ValueError, "bias of shape"),
    "unfold": (lambda: nn.Unfold(3)(np.ones((2, 3))), ValueError, "unfold takes"),
    "unfold's kernel": (lambda: nn.Unfold(0), ValueError, "Unfold: kernel_size"),
    "fold": (lambda: nn.Fold((4, 4), 3)(np.ones((9, 5))), ValueError, r"fold.*\(N, C \* 9, 4\)"),
    "fold's size": (lambda: nn.Fold((4, 4, 4), 3), ValueError, "Fold: output_size"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_an_error(name):
    call, error, match = WRONG[name]
    with pytest.raises(error, match=match or None):
        call()
