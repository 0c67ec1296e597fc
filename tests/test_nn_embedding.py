"""Embedding, bags of rows and one_hot: derivatives, vmap, writes to the table, and errors. (Results: test_nn_parity.py.)"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, make, to_numpy
from xgrad import nn

F = nn.functional
RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(6, 3))
INDEX = np.array([[1, 4, 4], [0, 1, 5]])


def test_derivatives_of_each_order(xp):
    table, index = make(xp, TABLE), make(xp, INDEX)
    xg.check_grads(lambda w: F.embedding(index, w) ** 2, table)
    xg.check_grads(lambda w: F.embedding_bag(index, w, mode="max") ** 2, table)
    offsets = make(xp, np.array([0, 2]))
    xg.check_grads(lambda w: F.embedding_bag(xg.reshape(index, (6,)), w, offsets) ** 2, table)


def test_maps_over_indices_and_tables(xp):
    table, index = make(xp, TABLE), make(xp, INDEX)
    assert_close(to_numpy(xg.vmap(lambda i: F.embedding(i, table))(index)), TABLE[INDEX], 0)
    tables = make(xp, np.stack([TABLE, -TABLE]))
    assert_close(
        to_numpy(xg.vmap(lambda w: F.embedding(index, w, padding_idx=1))(tables)),
        np.stack([TABLE, -TABLE])[:, INDEX],
        0,
    )
    assert_close(to_numpy(xg.vmap(F.one_hot, in_axes=(0, None))(index, 6)), np.eye(6)[INDEX], 0)


def test_the_gradient_of_a_large_batch_adds_rows(xp):
    index = RNG.integers(-6, 6, (400,))
    table = make(xp, TABLE, requires_grad=True)
    g = RNG.normal(size=(400, 3))
    (F.embedding(make(xp, index % 6), table) * make(xp, g)).sum().backward()
    want = np.zeros((6, 3))
    np.add.at(want, index, g)
    assert_close(to_numpy(table.grad), want, 1e-12)
    with xg.use_backend("numpy"):  # negative indices count from the end there
        table = xg.asarray(TABLE, requires_grad=True)
        (xg.take(table, index, axis=0) * g).sum().backward()
        assert_close(to_numpy(table.grad), want, 1e-12)


def test_a_gradient_is_divided_by_the_number_of_reads(xp):
    for mode in ("sum", "mean"):
        table = make(xp, TABLE, requires_grad=True)
        xp.sum(F.embedding_bag(make(xp, INDEX), table, scale_grad_by_freq=True, mode=mode)).backward()
        want = np.isin(np.arange(6), INDEX)[:, None] * np.ones(3) / (3 if mode == "mean" else 1)
        assert_close(to_numpy(table.grad), want, 1e-14)


def test_rows_above_max_norm_are_scaled_in_the_table(xp):
    layer = nn.Embedding.from_pretrained(make(xp, 10 * TABLE), freeze=False, max_norm=1.0)
    held = layer.weight
    y = layer(make(xp, INDEX))
    assert layer.weight is held
    want = 10 * TABLE.copy()
    read = np.unique(INDEX)
    want[read] /= np.linalg.norm(want[read], axis=1, keepdims=True) + 1e-7
    assert_close(to_numpy(held), want, 1e-12)
    assert_close(to_numpy(y), want[INDEX], 1e-12)
    xp.sum(y).backward()
    assert held.grad is not None


def test_in_a_checkpoint(xp):
    layer = nn.Embedding.from_pretrained(make(xp, 10 * TABLE), freeze=False, max_norm=1.0, padding_idx=1)
    xp.sum(xg.checkpoint(layer)(make(xp, INDEX))).backward()
    assert_close(to_numpy(layer.weight.grad)[:, 0], np.array([1.0, 0.0, 0.0, 0.0, 2.0, 1.0]), 1e-14)


def test_the_table_is_drawn_by_the_seed_and_the_padding_is_zeros(backend):
    layer = nn.Embedding(5, 3, padding_idx=-2, rng=xg.random.Generator(0), dtype=xg.float64)
    want = np.random.default_rng(0).normal(size=(5, 3))
    want[3] = 0
    assert_close(to_numpy(layer.weight), want, 1e-15)
    held = layer.weight
    layer.reset_parameters()
    assert layer.weight is held
    assert (to_numpy(held)[3] == 0).all()
    assert (to_numpy(held)[0] != want[0]).all()
    assert nn.Embedding(5, 3, dtype=xg.float32).weight.dtype == xg.float32
    assert repr(layer) == "Embedding(5, 3, padding_idx=3)"


def test_from_pretrained_copies_and_freezes(backend):
    table = xg.asarray(TABLE)
    for make_layer in (nn.Embedding.from_pretrained, nn.EmbeddingBag.from_pretrained):
        layer = make_layer(table)
        assert not layer.weight.requires_grad
        assert make_layer(table, freeze=False).weight.requires_grad
        layer.weight[...] = 0.0
        assert_close(to_numpy(table), TABLE, 0)


def test_float32_stays_float32(xp):
    table: Any = make(xp, TABLE, "float32", requires_grad=True)
    index = make(xp, INDEX)
    for y in (F.embedding(index, table, 1, scale_grad_by_freq=True), F.embedding_bag(index, table, padding_idx=1)):
        assert y.dtype == xp.float32
        xp.sum(y).backward()
        assert table.grad.dtype == xp.float32


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: nn.Embedding(3, 2, sparse=True), "Embedding: sparse must be False"),
        (lambda: F.embedding(INDEX, TABLE, sparse=True), "embedding: sparse must be False"),
        (lambda: nn.Embedding(3, 2, padding_idx=3), "padding_idx must be an integer from -3 to 2, got 3"),
        (lambda: nn.Embedding(3, -2), "embedding_dim must be an integer, 0 or more"),
        (lambda: nn.Embedding(3, 2, _weight=xg.asarray(TABLE)), r"shape \(3, 2\), got \(6, 3\)"),
        (lambda: nn.Embedding.from_pretrained(xg.zeros((3,))), r"matrix of shape \(rows, columns\), got \(3,\)"),
        (lambda: F.embedding(INDEX, xg.zeros((3,))), r"embedding: weight takes .*\(rows, columns\), got \(3,\)"),
        (lambda: nn.EmbeddingBag(3, 2, mode="min"), "EmbeddingBag: mode must be one of 'sum', 'mean', 'max', got 'min'"),
        (lambda: F.embedding_bag(INDEX, TABLE, mode="min"), "embedding_bag: mode must be one of"),
        (lambda: F.embedding_bag(INDEX[0], TABLE), r"embedding_bag takes .*\(N,\) with offsets, got \(3,\)"),
        (lambda: F.embedding_bag(INDEX, TABLE, np.array([0])), r"embedding_bag takes .*got \(2, 3\)"),
        (lambda: F.embedding_bag(INDEX, TABLE, per_sample_weights=np.ones((2, 3))), "go together with the mode \"sum\""),
        (lambda: F.embedding_bag(INDEX, TABLE, mode="sum", per_sample_weights=np.ones(3)), r"\(2, 3\), got \(3,\)"),
        (lambda: F.embedding_bag(INDEX, TABLE, mode="max", scale_grad_by_freq=True), "scale_grad_by_freq"),
        (lambda: F.one_hot(INDEX, 0), "num_classes must be an integer"),
        (lambda: F.one_hot(xg.zeros((0,), dtype=xg.int64)), "num_classes is needed"),
    ],
)  # fmt: skip
def test_errors_say_what_was_wanted_and_given(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_indices_must_be_integers():
    with pytest.raises(TypeError, match="embedding: indices must be integers, not of dtype float64"):
        F.embedding(xg.zeros((2,)), TABLE)
    with pytest.raises(TypeError, match="one_hot: indices must be integers"):
        F.one_hot(xg.zeros((2,)))
