"""float16 and bfloat16: counts, sums of squares and small numbers that do not fit their dtype are held in a wider one.

The standard has no such dtypes; NumPy, PyTorch, JAX and CuPy do. float16 ends at 65,504, and bfloat16 rounds counts from 256 on.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, dtype_name, to_numpy

MANY = 70_000


@pytest.fixture(params=["float16", "bfloat16"])
def half(request, backend):
    """A function that makes a tensor of half precision from numbers."""
    dtype = getattr(backend.library, request.param, None)
    if dtype is None or backend.name == "dask":
        pytest.skip(f"{backend.name} has no {request.param}")

    def tensor(values, *, requires_grad=False):
        array = backend.xp.astype(backend.asarray(np.asarray(values, dtype=np.float32)), dtype)
        return xg.asarray(array, requires_grad=requires_grad)

    return tensor


def single(t):
    return to_numpy(xg.astype(t.detach(), xg.float32))


def both_gradients(f, x):
    """By reverse mode, and by forward mode along ones: of an elementwise sum these are the elements, and their sum."""
    _, pull = xg.vjp(f, x)
    (reverse,) = pull(xg.ones_like(f(x)))
    _, forward = xg.jvp(f, (x,), (xg.ones_like(x),))
    assert reverse.dtype == forward.dtype == x.dtype
    return single(reverse), single(forward)


EQUAL = {
    "mean": (xg.mean, 1.0, 1 / MANY),
    "max": (xg.max, 1.0, 1 / MANY),
    "min": (xg.min, 1.0, 1 / MANY),
    "logsumexp": (xg.logsumexp, 1 + math.log(MANY), 1 / MANY),
    "norm": (lambda x: xg.linalg.vector_norm(x), math.sqrt(MANY), 1 / math.sqrt(MANY)),
    "largest": (lambda x: xg.linalg.vector_norm(x, ord=math.inf), 1.0, 1 / MANY),
    "cubes": (lambda x: xg.linalg.vector_norm(x, ord=3), MANY ** (1 / 3), MANY ** (-2 / 3)),
    "softmax": (lambda x: xg.softmax(x)[0], 1 / MANY, None),
    "log_softmax": (lambda x: xg.log_softmax(x)[0], -math.log(MANY), None),
}


@pytest.mark.parametrize("name", EQUAL)
def test_more_equal_numbers_than_the_dtype_can_count(half, name):
    f, value, slope = EQUAL[name]
    x = half(np.ones(MANY))
    y = f(x)
    assert y.dtype == x.dtype
    assert single(y) == pytest.approx(value, rel=2e-2)
    reverse, forward = both_gradients(f, x)
    if slope is not None:
        assert_close(reverse, np.full(MANY, slope), 1e-2)
        assert forward == pytest.approx(MANY * slope, rel=1e-2)


@pytest.mark.parametrize("name", ["var", "std"])
def test_the_spread_of_many_numbers(half, name):
    x = half(np.where(np.arange(MANY) % 2, 3.0, 1.0))
    reverse, _ = both_gradients(getattr(xg, name), x)
    assert single(getattr(xg, name)(x)) == pytest.approx(1.0, rel=1e-2)
    slope = np.where(np.arange(MANY) % 2, 1.0, -1.0) / MANY * (2 if name == "var" else 1)
    assert_close(reverse, slope, 2e-2)


@pytest.mark.parametrize("name", ["sum", "cumulative_sum"])
def test_a_sum_does_not_stop_at_2048(half, name):
    x = half(np.ones((10_000, 2)))
    total = getattr(xg, name)(x, axis=0)
    last = single(total)[-1]
    assert_close(last, np.full((2,), 10_000) if name == "cumulative_sum" else 10_000, 2e-3)


def test_the_gradient_of_a_running_sum_counts_on(half):
    reverse, _ = both_gradients(lambda x: xg.cumulative_sum(x) * 1.0, half(np.ones(10_000)))
    assert reverse[0] == pytest.approx(10_000, rel=2e-3)


def test_what_is_read_many_times_has_a_gradient_that_counts_them(half, xp):
    places = xp.zeros(10_000, dtype=xp.int64)
    (reverse,) = xg.vjp(lambda x: x[places], half([1.0, 2.0]))[1](half(np.ones(10_000)))
    assert_close(single(reverse), [10_000, 0], 2e-3)


def test_a_product_may_be_too_large_on_the_way(half):
    assert single(xg.prod(half([256.0, 256.0, 1 / 256]))) == 256


def test_a_norm_may_have_squares_that_are_too_large_or_too_small(half):
    for scale in (300.0, 1e-4):
        x = half([scale, scale])
        assert single(xg.linalg.vector_norm(x)) == pytest.approx(scale * math.sqrt(2), rel=1e-2)
        reverse, _ = both_gradients(lambda x: xg.linalg.vector_norm(x), x)
        assert_close(reverse, [math.sqrt(0.5)] * 2, 1e-2)


@pytest.mark.parametrize("order", [1, 2.0, 3, math.inf])
def test_clipping_brings_large_gradients_to_the_bound(half, order):
    w = half(np.ones(1000), requires_grad=True)
    w.grad = half(np.full(1000, 2.0**15))
    norm = 2.0**15 * 1000 ** (1 / order)  # beyond float16
    assert xg.nn.utils.clip_grad_norm_([w], 1.0, norm_type=order).item() == pytest.approx(norm, rel=1e-3)
    assert w.grad.dtype == w.dtype
    assert_close(single(w.grad), np.full(1000, 2.0**15 / norm), 1e-2)


# --- optimizers -------------------------------------------------------------------------------------

OPTIONS: dict[str, list[dict[str, Any]]] = {
    "SGD": [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}],
    "Adagrad": [{}, {"lr_decay": 0.1}],
    "RMSprop": [{}, {"centered": True}, {"momentum": 0.9}, {"centered": True, "momentum": 0.9}],
    "Adam": [{}, {"amsgrad": True}, {"maximize": True}],
    "AdamW": [{"weight_decay": 0.0}, {"weight_decay": 0.0, "amsgrad": True}],
    "Adadelta": [{}],
    "Adamax": [{}],
    "NAdam": [{}],
    "RAdam": [{}, {"betas": (0.9, 0.8)}],
    "Rprop": [{}],
    "ASGD": [{"lambd": 0.0}, {"lambd": 0.0, "t0": 0}],
    "Lion": [{}],
    "LAMB": [{"weight_decay": 0.0}],
}
CASES = [(name, options) for name, several in OPTIONS.items() for options in several]


@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.parametrize("slope", [0.0, 6e-5, 1.0, 6e4])
def test_a_step_is_the_one_of_float32_rounded(half, name, options, slope):
    gradient = [slope, -slope]
    narrow, wide = half([1.0, 1.0], requires_grad=True), xg.asarray([1.0, 1.0], dtype=xg.float32, requires_grad=True)
    narrow_optimizer, wide_optimizer = (getattr(xg.optim, name)([p], lr=2**-8, **options) for p in (narrow, wide))
    for _ in range(3):
        narrow.grad = half(gradient)
        wide.grad = xg.asarray(single(narrow.grad))
        narrow_optimizer.step()
        wide_optimizer.step()
        wide.data = xg.asarray(single(narrow)).data  # what was lost in rounding is lost
    want = single(wide)
    assert np.all(np.isfinite(single(narrow)))
    assert_close(single(narrow), want, 0)
    assert slope or np.all(want == 1)


def test_the_state_is_of_float32_and_can_be_loaded(half):
    p, q = (half([1.0, 1.0], requires_grad=True) for _ in range(2))
    first, second = xg.optim.Adam([p]), xg.optim.Adam([q])
    p.grad = half([1e-3, 2.0])
    first.step()
    second.load_state_dict(first.state_dict())
    assert dtype_name(second.state_dict()["state"][0]["exp_avg_sq"].dtype) == "float32"
    q.data, q.grad = p.data, p.grad
    first.step()
    second.step()
    np.testing.assert_array_equal(single(p), single(q))
