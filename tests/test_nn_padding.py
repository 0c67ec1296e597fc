"""Padding: what parity with PyTorch does not show: NumPy's results, derivatives of derivatives, vmap, dtypes and errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy
from xgrad import nn

F = nn.functional
X = np.arange(24.0).reshape(2, 3, 4) + 1
NUMPYS: dict[str, Any] = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@pytest.mark.parametrize("mode", NUMPYS)
@pytest.mark.parametrize("pad", [(1, 2), (0, 2), (2, 0, 1, 1), (0, 0)])
def test_pad_is_numpys(xp, mode, pad):
    axes = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)]
    want = np.pad(X, [(0, 0)] * (3 - len(axes)) + axes[::-1], mode=NUMPYS[mode])
    assert_close(to_numpy(F.pad(make(xp, X), pad, mode)), want, 0)


@pytest.mark.parametrize("mode", NUMPYS)
def test_pad_has_derivatives_of_each_order_and_maps(xp, mode):
    pad = (2, 1, 0, 1)
    x = make(xp, X)
    xg.check_grads(lambda x: F.pad(x, pad, mode) ** 2, x)
    mapped = xg.vmap(lambda x: F.pad(x, pad, mode))(x)
    assert_close(to_numpy(mapped), to_numpy(F.pad(x, pad, mode)), 0)


def test_pad_by_a_number_maps(xp):
    x = make(xp, X)
    assert_close(
        to_numpy(xg.vmap(lambda x: F.pad(x, (1, 2), value=7))(x)),
        np.pad(X, [(0, 0)] * 2 + [(1, 2)], constant_values=7),
        0,
    )


@pytest.mark.parametrize("dtype", ["float32", "int64"])
@pytest.mark.parametrize("mode", NUMPYS)
def test_pad_keeps_the_dtype(xp, mode, dtype):
    x = make(xp, X.astype(dtype))
    assert F.pad(x, (1, 1), mode).dtype == x.dtype
    assert F.pad(x, (1, 1), value=3).dtype == x.dtype


def test_pad_takes_elements_away(xp):
    assert_close(
        to_numpy(F.pad(make(xp, X), (-1, 2, 0, -1), value=5)),
        np.pad(X[:, :2, 1:], [(0, 0), (0, 0), (0, 2)], constant_values=5),
        0,
    )
    assert_close(
        to_numpy(F.pad(make(xp, X), (-1, 2), "reflect")),
        np.pad(X, [(0, 0), (0, 0), (0, 2)], mode="reflect")[..., 1:],
        0,
    )


def test_pad_by_nothing_is_a_copy(xp):
    x = make(xp, X)
    y = F.pad(x, (0, 0))
    y[0, 0, 0] = 9.0
    assert to_numpy(x)[0, 0, 0] == 1.0


@pytest.mark.parametrize(
    ("pad", "mode", "value", "says"),
    [
        ((1, 2), "mirror", None, "'mirror'"),
        ((1, 2, 3), "constant", None, r"two numbers"),
        ((1,) * 8, "constant", None, r"\(2, 3, 4\)"),
        ((1, 1), "reflect", 2.0, "takes a value"),
        ((4, 0), "reflect", None, "at most 3 elements to each end of axis 2"),
        ((0, 5), "circular", None, "at most 4 elements"),
        ((-3, -2), "constant", None, "too few elements"),
    ],
)
def test_pad_says_what_is_wrong(pad, mode, value, says):
    with pytest.raises(ValueError, match=says):
        F.pad(xg.asarray(X), pad, mode, value)


def test_replicating_nothing_is_an_error():
    with pytest.raises(ValueError, match="no element to replicate"):
        F.pad(xg.zeros((2, 0)), (1, 0), "replicate")


def test_pad_takes_integers_only():
    wrong: Any = (1.5, 1)
    with pytest.raises(TypeError, match="pad"):
        F.pad(xg.asarray(X), wrong)
    with pytest.raises(TypeError, match="pad"):
        F.pad("x", (1, 1))


@pytest.mark.parametrize("name", ["ReflectionPad", "ReplicationPad", "CircularPad"])
@pytest.mark.parametrize("n", [1, 2])
def test_a_layer_names_itself_and_both_shapes(name, n):
    layer = getattr(nn, f"{name}{n}d")(2)
    with pytest.raises(
        ValueError, match=rf"{name}{n}d\(\(2, 2.*takes an input of shape \(N, C, .*W\) or .*, got \(5,\)"
    ):
        layer(xg.zeros((5,)))


def test_a_layer_says_which_input_is_too_small():
    with pytest.raises(ValueError, match=r"ReflectionPad1d\(\(2, 2\)\) got an input of shape \(1, 2\).*at most 1"):
        nn.ReflectionPad1d(2)(xg.zeros((1, 2)))
    with pytest.raises(ValueError, match=r"ZeroPad2d.*takes an input of shape \(..., H, W\), got \(3,\)"):
        nn.ZeroPad2d(1)(xg.zeros((3,)))
    with pytest.raises(ValueError, match=r"ConstantPad1d.*\(2,\).*too few"):
        nn.ConstantPad1d(-2, 0.0)(xg.zeros((2,)))


@pytest.mark.parametrize("padding", [(1, 2, 3), (1,), "12", 1.5, None])
def test_a_layer_refuses_other_numbers_of_sides(padding):
    with pytest.raises(ValueError, match="ZeroPad2d: padding must be an integer, or 4 of them"):
        nn.ZeroPad2d(padding)


def test_a_constant_must_be_a_number():
    wrong: Any = "0"
    with pytest.raises(TypeError, match="ConstantPad1d: value must be a number"):
        nn.ConstantPad1d(1, wrong)
