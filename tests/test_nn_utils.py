"""Clipping gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.support.arrays import assert_close, make, to_numpy
from xgrad.nn import utils

GRADIENTS = [np.array([[3.0, -4.0], [0.0, 1.0]]), np.array([12.0]), np.array(-2.0)]
FLAT = np.concatenate([g.ravel() for g in GRADIENTS])


@pytest.fixture
def params(xp):
    held = [make(xp, np.zeros_like(g), requires_grad=True) for g in GRADIENTS]
    for p, g in zip(held, GRADIENTS, strict=True):
        p.grad = make(xp, g)
    return held


def norm(order):
    return np.linalg.norm(FLAT, order)


@pytest.mark.parametrize("order", [1, 2.0, 3, math.inf])
@pytest.mark.parametrize("bound", [0.5, 1e3])
def test_the_norm_is_brought_down(params, order, bound):
    total = utils.clip_grad_norm_(iter(params), bound, norm_type=order)
    assert total.item() == pytest.approx(norm(order), rel=1e-14)
    factor = min(1.0, bound / (norm(order) + 1e-6))
    for p, g in zip(params, GRADIENTS, strict=True):
        assert p.grad.shape == p.shape
        assert p.grad.dtype == p.dtype
        assert_close(to_numpy(p.grad), factor * g, 1e-14)


def test_agrees_with_pytorch(params):
    torch = pytest.importorskip("torch")
    theirs = [torch.zeros(g.shape, dtype=torch.float64, requires_grad=True) for g in GRADIENTS]
    for p, g in zip(theirs, GRADIENTS, strict=True):
        p.grad = torch.tensor(g)
    expected = torch.nn.utils.clip_grad_norm_(theirs, 2.0)
    assert utils.clip_grad_norm_(params, 2.0).item() == pytest.approx(expected.item(), rel=1e-15)
    for p, q in zip(params, theirs, strict=True):
        assert_close(to_numpy(p.grad), q.grad.numpy(), 1e-14)


def test_a_gradient_that_somebody_holds_is_not_written(params):
    held = params[0].grad
    utils.clip_grad_norm_(params, 0.1)
    np.testing.assert_array_equal(to_numpy(held), GRADIENTS[0])


def test_one_tensor_and_tensors_without_gradients(params):
    params[1].grad = None
    assert utils.clip_grad_norm_(params[0], 1.0).item() == pytest.approx(math.sqrt(26))
    assert utils.clip_grad_norm_(params[1], 1.0).item() == 0
    assert utils.clip_grad_norm_([], 1.0).item() == 0
    assert params[1].grad is None


def test_a_norm_that_is_not_finite(xp, params):
    params[1].grad = make(xp, [math.nan])
    with pytest.raises(RuntimeError, match="is nan: it cannot be clipped"):
        utils.clip_grad_norm_(params, 1.0, error_if_nonfinite=True)
    np.testing.assert_array_equal(to_numpy(params[0].grad), GRADIENTS[0])
    assert math.isnan(utils.clip_grad_norm_(params, 1.0).item())
    assert np.isnan(to_numpy(params[0].grad)).all()


def test_values_are_clipped(params):
    utils.clip_grad_value_(params, 2.5)
    for p, g in zip(params, GRADIENTS, strict=True):
        np.testing.assert_array_equal(to_numpy(p.grad), np.clip(g, -2.5, 2.5))


def test_bad_arguments(params):
    with pytest.raises(ValueError, match=r"max_norm.*-1"):
        utils.clip_grad_norm_(params, -1.0)
    with pytest.raises(ValueError, match=r"max_norm.*nan"):
        utils.clip_grad_norm_(params, math.nan)
    with pytest.raises(ValueError, match=r"norm_type.*0"):
        utils.clip_grad_norm_(params, 1.0, norm_type=0)
    with pytest.raises(ValueError, match=r"clip_value.*-1"):
        utils.clip_grad_value_(params, -1.0)
    np.testing.assert_array_equal(to_numpy(params[0].grad), GRADIENTS[0])


@pytest.mark.parametrize("order", [1, 2.0, 3, math.inf])
def test_gradients_without_elements_add_nothing(xp, params, order):
    for shape in ((0,), (3, 0)):
        empty = make(xp, np.zeros(shape), requires_grad=True)
        empty.grad = make(xp, np.zeros(shape))
        assert utils.clip_grad_norm_([empty, *params], 1e9, norm_type=order).item() == pytest.approx(norm(order))
        assert utils.clip_grad_norm_([empty], 1.0, norm_type=order).item() == 0
        assert empty.grad.shape == shape


def test_gradients_of_two_dtypes_have_a_norm_of_the_wider(xp):
    p, q = make(xp, [0.0], "float32", requires_grad=True), make(xp, [0.0], requires_grad=True)
    p.grad, q.grad = make(xp, [3.0], "float32"), make(xp, [4e100])
    assert utils.clip_grad_norm_([p, q], 1.0).item() == pytest.approx(4e100, rel=1e-14)
    assert_close(to_numpy(q.grad), [1.0], 1e-14)
