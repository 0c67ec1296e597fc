"""Attention and MultiheadAttention: errors, dropout, and what the parity cases do not try."""

from __future__ import annotations

import re

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, to_numpy
from xgrad import nn

F = nn.functional


def numbers(*shape, seed=0):
    return xg.asarray(np.random.default_rng(seed).normal(size=shape))


def attention(*args, **options):
    return nn.MultiheadAttention(*args, **options, rng=xg.random.Generator(0))


# --- values -----------------------------------------------------------------------------------------------


def test_starting_values(backend):
    module = attention(8, 2, add_bias_kv=True)
    bound = (6 / (24 + 8)) ** 0.5
    weight = to_numpy(module.in_proj_weight)
    assert bound / 2 < np.abs(weight).max() <= bound
    for bias in (module.in_proj_bias, module.out_proj.bias):
        assert not to_numpy(bias).any()
    assert to_numpy(module.bias_k).any()
    np.testing.assert_array_equal(weight, to_numpy(attention(8, 2, add_bias_kv=True).in_proj_weight))


def test_vmap_is_a_loop_over_the_examples(backend):
    module, x = attention(4, 2), numbers(3, 5, 4)
    got = xg.vmap(lambda x: module(x, x, x)[0])(x)
    for i in range(3):
        assert_close(to_numpy(got[i]), to_numpy(module(x[i], x[i], x[i])[0]), 1e-12)


def test_float32_stays_float32(backend):
    module = attention(4, 2, dtype="float32")
    x = xg.astype(numbers(5, 3, 4), module.in_proj_weight.dtype)
    y, weights = module(x, x, x, attn_mask=xg.asarray(~np.tri(5, dtype=bool)))
    xg.sum(y).backward()
    assert {y.dtype, weights.dtype, module.in_proj_weight.grad.dtype} == {x.dtype}


def test_a_causal_mask_hides_the_future(backend):
    q, k, v = (numbers(2, 4, 3, seed=i) for i in range(3))
    whole = to_numpy(F.scaled_dot_product_attention(q, k, v, is_causal=True))
    for t in range(1, 5):
        part = F.scaled_dot_product_attention(q[:, :t], k[:, :t], v[:, :t], is_causal=True)
        assert_close(to_numpy(part), whole[:, :t], 1e-12)


def test_scores_of_any_size_give_no_nan_and_no_warning(backend):
    q, k, v = (1e3 * numbers(2, 4, 3, seed=i) for i in range(3))
    q = xg.asarray(q, copy=True, requires_grad=True)
    y = F.scaled_dot_product_attention(q, k, v)
    xg.sum(y).backward()
    assert np.isfinite(to_numpy(y)).all()
    assert np.isfinite(to_numpy(q.grad)).all()


def test_a_query_that_attends_to_no_key(backend):
    module, x = attention(4, 2), numbers(3, 2, 4)
    padding = xg.asarray(np.array([[True] * 3, [False] * 3]))
    y, weights = module(x, x, x, key_padding_mask=padding)
    assert not to_numpy(weights[0]).any()
    assert_close(to_numpy(y[:, 1]), to_numpy(module(x[:, 1:], x[:, 1:], x[:, 1:])[0][:, 0]), 1e-12)


def test_numpy_arrays_are_arguments(backend):
    module, x = attention(4, 2), numbers(3, 2, 4)
    future = ~np.tri(3, dtype=bool)
    y, _ = module(x, x, x, attn_mask=future)
    assert_close(to_numpy(y), to_numpy(module(x, x, x, attn_mask=xg.asarray(future))[0]), 1e-12)


# --- dropout ----------------------------------------------------------------------------------------------


def test_dropout_drops_weights_in_training_only(backend):
    module, x = attention(4, 2, dropout=0.5, batch_first=True), numbers(2, 8, 4)
    _, weights = module(x, x, x, average_attn_weights=False)
    dropped = to_numpy(weights) == 0
    assert 0.3 < dropped.mean() < 0.7
    module.eval()
    _, weights = module(x, x, x)
    assert_close(to_numpy(xg.sum(weights, axis=-1)), np.ones((2, 8)), 1e-12)


def test_the_mean_over_dropout_is_the_result_without(backend):
    q, k, v = (numbers(1, 3, 2, seed=i) for i in range(3))
    rng = xg.random.Generator(0)
    many = xg.broadcast_to(q, (4000, 3, 2))
    got = xg.mean(F.scaled_dot_product_attention(many, k, v, dropout_p=0.25, rng=rng), axis=0)
    assert_close(to_numpy(got), to_numpy(F.scaled_dot_product_attention(q, k, v))[0], 0.06)
    assert not to_numpy(F.scaled_dot_product_attention(q, k, v, dropout_p=1.0)).any()


# --- errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "options", "said"),
    [
        ((5, 2), {}, "MultiheadAttention: num_heads must divide embed_dim 5, got 2"),
        ((0, 1), {}, "MultiheadAttention: embed_dim must be an integer, 1 or more, got 0"),
        ((4, 2), {"dropout": 2.0}, "MultiheadAttention: dropout must be a number from 0 to 1, got 2.0"),
        ((4, 2), {"kdim": -1}, "MultiheadAttention: kdim must be an integer, 1 or more, got -1"),
    ],
)
def test_a_wrong_argument_is_an_error(args, options, said):
    with pytest.raises(ValueError, match=said):
        nn.MultiheadAttention(*args, **options)


def test_an_input_of_a_wrong_shape_is_an_error(backend):
    module, x = attention(4, 2, kdim=3, batch_first=True), xg.zeros((2, 5, 4))
    with pytest.raises(ValueError, match=r"as key takes an input of shape \(N, L, 3\) or \(L, 3\), got \(2, 5, 4\)"):
        module(x, x, x)
    with pytest.raises(ValueError, match=r"as query takes an input of shape .*, got \(4,\)"):
        module(x[0, 0], x, x)
    module = attention(4, 2)
    with pytest.raises(ValueError, match=r"attn_mask must have the shape \(2, 2\) or \(10, 2, 2\), got \(3, 3\)"):
        module(x, x, x, attn_mask=xg.zeros((3, 3)))
    with pytest.raises(ValueError, match=r"key_padding_mask must have the shape \(5, 2\), got \(2, 5\)"):
        module(x, x, x, key_padding_mask=xg.zeros((2, 5)))
    with pytest.raises(
        ValueError, match="is_causal says of attn_mask that it is the causal one, but attn_mask is None"
    ):
        module(x, x, x, is_causal=True)


def test_scaled_dot_product_attention_checks_its_arguments(backend):
    x = xg.zeros((2, 3, 4))
    for wrong, said in (
        ({"attn_mask": xg.zeros((3, 3)), "is_causal": True}, "attn_mask and is_causal exclude each other"),
        ({"dropout_p": -1}, "dropout_p must be a number from 0 to 1, got -1"),
        ({"key": xg.zeros((2, 3, 5))}, "attention takes q (..., L, E), k (..., S, E) and v (..., S, V)"),
        ({"value": xg.zeros((2, 5, 4))}, "attention takes q (..., L, E), k (..., S, E) and v (..., S, V)"),
        ({"value": xg.zeros(4)}, "scaled_dot_product_attention takes an input of shape"),
        ({"key": xg.zeros((3, 3, 4)), "enable_gqa": True}, "must be a multiple of that of key and value"),
    ):
        with pytest.raises(ValueError, match=re.escape(said)):
            F.scaled_dot_product_attention(**{"query": x, "key": x, "value": x, **wrong})


def test_half_precision_sums_in_float32():
    q, k = xg.zeros((1, 2), dtype="float16"), xg.zeros((4096, 2), dtype="float16")
    v = xg.ones((4096, 1), dtype="float16")
    mask = np.ones((1, 4096), dtype=bool)
    for attn_mask in (None, mask):
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=attn_mask)
        assert y.dtype == q.dtype
        assert abs(y.item() - 1) < 0.02


def test_dropout_keeps_single_precision(backend):
    x = xg.ones((2, 3, 4), dtype=xg.float32)
    layer = nn.MultiheadAttention(4, 2, dropout=0.5, dtype=xg.float32)
    for y in (F.scaled_dot_product_attention(x, x, x, dropout_p=0.5), *layer(x, x, x)):
        assert y.dtype == xg.float32
