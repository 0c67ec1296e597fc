"""Windows: the fast ways of NumPy and PyTorch give what the plain one gives, within memory; vmap; errors."""

from __future__ import annotations

import tracemalloc
from math import prod
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy
from xgrad.backends import load
from xgrad.backends.windows import Windows, counts

RNG = np.random.default_rng(0)


def static(n: int, stride: int = 1, padding: Any = 0, dilation: int = 1, groups: int = 1) -> dict[str, Any]:
    pair = padding if isinstance(padding, tuple) else (padding, padding)
    return {"stride": (stride,) * n, "padding": (pair,) * n, "dilation": (dilation,) * n, "groups": groups}


# Sizes that need several blocks of columns on NumPy: many examples, and one example that is a block of its own.
LARGE = {
    "many examples": ((40, 8, 20, 20), (6, 8, 3, 3), static(2, padding=1)),
    "many examples, a stride": ((40, 8, 20, 20), (6, 8, 3, 3), static(2, stride=2, padding=1)),
    "many examples, groups": ((40, 8, 20, 20), (6, 4, 3, 3), static(2, padding=(1, 0), groups=2)),
    "depthwise": ((20, 16, 30, 30), (16, 1, 3, 3), static(2, padding=1, groups=16)),
    "a large example": ((2, 16, 100, 100), (4, 16, 3, 3), static(2, padding=1)),
    "a large example, a stride": ((2, 16, 150, 150), (4, 16, 3, 3), static(2, stride=2, padding=(0, 1))),
    "one by one": ((40, 8, 30, 30), (6, 8, 1, 1), static(2)),
    "one by one, a stride": ((40, 8, 30, 30), (6, 8, 1, 1), static(2, stride=2)),
    "more rows than channels": ((40, 2, 20, 20), (16, 2, 3, 3), static(2)),
    "a long sequence": ((3, 4, 20000), (5, 4, 9), static(1, padding=4, dilation=2)),
    "whole": ((500, 4, 3, 3), (6, 4, 3, 3), static(2)),
}


@pytest.mark.parametrize("layout", ["C", "channels first"])
@pytest.mark.parametrize("name", LARGE)
def test_blocks_of_columns_are_the_whole_product(name, layout):
    xp = load("numpy").xp
    shape, kernel, options = LARGE[name]
    x, weight, bias = RNG.normal(size=shape), RNG.normal(size=kernel), RNG.normal(size=kernel[0])
    want = Windows.convolution(xp, x, weight, bias, **options)
    g = RNG.normal(size=want.shape)
    if layout == "channels first":
        x, g = (np.ascontiguousarray(a.swapaxes(0, 1)).swapaxes(0, 1) for a in (x, g))
    got = xp.convolution(x, weight, bias, **options)
    assert_close(got, want, 1e-12)
    size = shape[2:]
    assert_close(
        xp.convolution_transpose(g, weight, size=size, **options),
        Windows.convolution_transpose(xp, g, weight, size=size, **options),
        1e-12,
    )
    assert_close(
        xp.convolution_weight(x, g, kernel=kernel[2:], **options),
        Windows.convolution_weight(xp, x, g, kernel=kernel[2:], **options),
        1e-12,
    )


@pytest.mark.parametrize("name", [name for name in LARGE if name not in ("whole", "one by one, a stride")])
def test_numpy_needs_no_more_memory_than_twice_the_windows(name):
    xp = load("numpy").xp
    shape, kernel, options = LARGE[name]
    x, weight = RNG.normal(size=shape), RNG.normal(size=kernel)
    count = counts(shape[2:], kernel[2:], options["stride"], options["padding"], options["dilation"])
    windows = shape[0] * shape[1] * prod(kernel[2:]) * prod(count) * 8
    g = RNG.normal(size=(shape[0], kernel[0], *count))
    calls = {
        "forward": lambda: xp.convolution(x, weight, **options),
        "to the input": lambda: xp.convolution_transpose(g, weight, size=shape[2:], **options),
        "to the weight": lambda: xp.convolution_weight(x, g, kernel=kernel[2:], **options),
    }
    for call in calls.values():
        tracemalloc.start()
        call()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak <= 2 * windows


def test_half_precision_is_summed_in_float32():
    x, weight = xg.ones((1, 4000, 1), dtype=np.float16), xg.ones((1, 4000, 1), dtype=np.float16)
    assert xg.convolution(x, weight).tolist() == [[[4000.0]]]
    assert xg.convolution(x, weight).dtype == np.float16


def test_integers(backend):
    x, weight = xg.asarray([[[1, 2, 3]]]), xg.asarray([[[1, 1]]])
    assert to_numpy(xg.convolution(x, weight)).tolist() == [[[3, 5]]]
    assert to_numpy(xg.sum_pool(x, kernel=2, stride=1)).tolist() == [[[3, 5]]]
    assert [to_numpy(part).tolist() for part in xg.max_pool(x, kernel=2, stride=1)] == [[[[2, 3]]], [[[1, 2]]]]


# --- max pooling ---


def test_a_nan_is_the_largest_and_padding_is_never_chosen(backend):
    x = make(xg, np.array([[1.0, np.nan, 3.0, -np.inf, -np.inf, -np.inf]]))
    values, indices = xg.max_pool(x, kernel=(3,), stride=(3,), padding=((0, 0),))
    np.testing.assert_array_equal(to_numpy(values), [[np.nan, -np.inf]])
    assert to_numpy(indices).tolist() == [[1, 3]]
    low = make(xg, np.full((1, 4), -np.inf))
    values, indices = xg.max_pool(low, kernel=(3,), stride=(2,), padding=1)
    assert to_numpy(indices).tolist() == [[0, 1]]


def test_the_first_of_equal_elements_gets_the_gradient(backend):
    x = make(xg, np.zeros((2, 2)), requires_grad=True)
    values, _ = xg.max_pool(x, kernel=(2, 2))
    xg.sum(values).backward()
    assert to_numpy(x.grad).tolist() == [[1.0, 0.0], [0.0, 0.0]]


# --- vmap ---

X, W, B = RNG.normal(size=(3, 2, 4, 6)), RNG.normal(size=(3, 2, 4, 3)), RNG.normal(size=(3, 2))


@pytest.mark.parametrize("axes", [(0, None, None), (None, 0, None), (0, 0, 0), (0, None, 0), (None, None, 0)])
def test_convolution_of_each_example(backend, axes):
    arrays = [array if axis == 0 else array[0] for array, axis in zip((X, W, B), axes, strict=True)]
    options = {"stride": 2, "padding": 1, "groups": 2 if axes == (0, 0, 0) else 1}
    if options["groups"] == 2:
        arrays[1] = arrays[1][:, :, :2]

    def loss(x, weight, bias):
        return xg.sum(xg.convolution(x, weight, bias, **options) ** 3)

    got = xg.vmap(xg.grad(loss, argnums=(0, 1, 2)), in_axes=axes)(*(make(xg, a) for a in arrays))
    for i in range(3):
        one = [make(xg, a[i] if axis == 0 else a) for a, axis in zip(arrays, axes, strict=True)]
        for g, want in zip(got, xg.grad(loss, argnums=(0, 1, 2))(*one), strict=True):
            assert_close(to_numpy(g)[i], to_numpy(want), 1e-11)


def test_a_weight_from_outside_of_vmap_gets_one_gradient(backend):
    weight = make(xg, W[0], requires_grad=True)
    xg.sum(xg.vmap(lambda x: xg.convolution(x, weight))(make(xg, X))).backward()
    got = to_numpy(weight.grad)
    each = np.zeros_like(got)
    for x in X:
        each += to_numpy(xg.grad(lambda w, x=x: xg.sum(xg.convolution(make(xg, x), w)))(make(xg, W[0])))
    assert_close(got, each, 1e-12)


def test_pooling_of_each_example(backend):
    def pooled(x):
        values, indices = xg.max_pool(x, kernel=(2, 2))
        return values, xg.take_pooled(x * 2, indices, axes=2), xg.sum_pool(x, kernel=(2, 2))

    got = xg.vmap(pooled)(make(xg, X))
    values, _ = xg.max_pool(make(xg, X), kernel=(2, 2))
    assert_close(to_numpy(got[0]), to_numpy(values), 0)
    assert_close(to_numpy(got[1]), 2 * to_numpy(values), 0)
    assert_close(to_numpy(got[2]), to_numpy(xg.sum_pool(make(xg, X), kernel=(2, 2))), 1e-14)


# --- errors ---

x1, w1 = np.ones((1, 2, 5)), np.ones((4, 2, 3))
half: Any = 0.5
WRONG = {
    "channels": (lambda: xg.convolution(x1, np.ones((4, 3, 3))), ValueError, "3 channels"),
    "axes": (lambda: xg.convolution(x1[0], w1), ValueError, r"\(N, C, ...\)"),
    "bias": (lambda: xg.convolution(x1, w1, np.ones(3)), ValueError, "bias"),
    "groups": (lambda: xg.convolution(x1, w1, groups=0), ValueError, "groups"),
    "groups that are no integer": (lambda: xg.convolution(x1, w1, groups=half), TypeError, "groups"),
    "stride": (lambda: xg.convolution(x1, w1, stride=0), ValueError, "stride"),
    "stride of two axes": (lambda: xg.convolution(x1, w1, stride=(1, 1)), ValueError, "stride"),
    "a stride that is no integer": (lambda: xg.convolution(x1, w1, stride=half), TypeError, "stride"),
    "padding": (lambda: xg.convolution(x1, w1, padding=((1, 2, 3),)), ValueError, "padding"),
    "kernel": (lambda: xg.convolution(x1, np.ones((4, 2, 6))), ValueError, "does not fit"),
    "a number": (lambda: xg.convolution(1.0, w1), TypeError, "float"),
    "size": (lambda: xg.convolution_transpose(np.ones((1, 4, 3)), w1, size=9), ValueError, "size"),
    "g": (lambda: xg.convolution_weight(x1, np.ones((1, 4, 4)), kernel=3), ValueError, "windows"),
    "batch": (lambda: xg.convolution_weight(x1, np.ones((2, 4, 3)), kernel=3), ValueError, "got"),
    "windows": (lambda: xg.windows(x1, kernel=6), ValueError, "does not fit"),
    "add_windows": (lambda: xg.add_windows(np.ones((2, 3)), size=5), ValueError, "windows"),
    "sum_pool": (lambda: xg.sum_pool(x1, kernel=(2, 2, 2, 2)), ValueError, "windows"),
    "spread_pool": (lambda: xg.spread_pool(x1, size=5, kernel=2), ValueError, "size"),
    "max_pool": (lambda: xg.max_pool(x1, kernel=2, padding=2), ValueError, "outside"),
    "complex": (lambda: xg.max_pool(x1 + 1j, kernel=2), TypeError, "complex"),
    "take_pooled": (lambda: xg.take_pooled(x1, np.zeros((2, 2, 5), int), axes=1), ValueError, "agree"),
    "out of range": (lambda: xg.take_pooled(x1, np.full((1, 2, 1), 5), axes=1), IndexError, "out of"),
    "scatter_pooled": (lambda: xg.scatter_pooled(x1, np.zeros((1, 2, 1), int), size=4), ValueError, "shape"),
    "scattered out of range": (
        lambda: xg.scatter_pooled(x1, np.full((1, 2, 5), 9), size=4),
        IndexError,
        "out of",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_an_error(name):
    call, error, match = WRONG[name]
    with pytest.raises(error, match=match):
        call()


@pytest.mark.parametrize("wrong", [1.0, (1.0, 1), [1, 1.0], True])
def test_an_argument_is_refused_also_after_one_that_equals_it(wrong):
    x, weight = xg.ones((1, 1, 5, 5)), xg.ones((1, 1, 3, 3))
    for call in (
        lambda stride: xg.nn.functional.conv2d(x, weight, stride=stride),
        lambda stride: xg.nn.functional.max_pool2d(x, 2, stride),
        lambda stride: xg.convolution(x, weight, stride=stride),
        lambda stride: xg.max_pool(x, kernel=(2, 2), stride=stride),
    ):
        call(1)
        call((1, 1))
        with pytest.raises(TypeError, match="stride"):
            call(wrong)
