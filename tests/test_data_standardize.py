"""Standardizing features, and back: the statistics of NumPy, also of hard numbers."""

import json
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, assert_matches, make, to_numpy
from xgrad.data import Standardize, read_npy

X = np.random.default_rng(0).normal(size=(9, 3)) * [1.0, 100.0, 1e-3] + [0.0, 5.0, 10.0]


def test_the_statistics_are_those_of_numpy(xp):
    for x in (make(xp, X), X):
        scale = Standardize().fit(x)
        assert_close(to_numpy(scale.mean), X.mean(axis=0), 1e-12)
        assert_close(to_numpy(scale.std), X.std(axis=0), 1e-10)


def test_there_and_back(xp):
    scale = Standardize()
    z = scale.fit_transform(make(xp, X))
    assert_matches(z, (X - X.mean(axis=0)) / X.std(axis=0), xp=xp, rtol=1e-10)
    assert_matches(scale.inverse(z), X, xp=xp)
    assert_matches(scale(make(xp, X[0])), (X[0] - X.mean(axis=0)) / X.std(axis=0), xp=xp, rtol=1e-10)  # one sample
    numbers = scale(X)
    assert type(numbers) is np.ndarray
    assert_close(numbers, to_numpy(z), 1e-12)
    assert_close(scale.inverse(numbers), X, 1e-12)


def test_the_dtype_stays(xp):
    scale = Standardize().fit(X)
    for x in (make(xp, X, "float32"), X.astype(np.float32)):
        z = scale(x)
        assert str(z.dtype).endswith("float32")
        assert_close(to_numpy(z), (X - X.mean(axis=0)) / X.std(axis=0), 2e-3)
        assert str(scale.inverse(z).dtype).endswith("float32")
    whole = Standardize().fit(np.array([[1], [2], [6]]))
    assert_close(
        to_numpy(whole(make(xp, [[1], [2], [6]], "int64"))), np.array([[-2.0], [-1.0], [3.0]]) / np.sqrt(14 / 3), 1e-6
    )


def test_channels_of_images(xp):
    images = np.random.default_rng(0).normal(size=(4, 2, 3, 3))
    scale = Standardize(axis=(0, 2, 3)).fit(make(xp, images))
    assert scale.state_dict()["mean"].shape == (2, 1, 1)
    z = to_numpy(scale(make(xp, images)))
    assert_close(z.mean(axis=(0, 2, 3)), np.zeros(2), 1e-12, floor=1.0)
    assert_close(z.std(axis=(0, 2, 3)), np.ones(2), 1e-12)


@pytest.mark.parametrize("constant", [0.0, 5.0, 0.1, 1e300, -1e-300])
def test_a_feature_with_one_value(xp, constant):
    x = np.full((7, 1), constant)
    scale = Standardize().fit(make(xp, x))
    assert to_numpy(scale.std).tolist() == [1.0]
    assert_matches(scale(make(xp, x)), np.zeros((7, 1)), xp=xp)
    assert_matches(scale.inverse(make(xp, np.zeros((2, 1)))), x[:2], xp=xp, rtol=0)


def test_numbers_far_from_zero():
    x = 1e9 + np.random.default_rng(0).normal(size=(1000, 1))
    assert_close(to_numpy(Standardize().fit(x).std), x.std(axis=0), 1e-7)
    narrow = (1e9 + 1e3 * (x - 1e9)).astype(np.float32)  # one step of float32 is 64 here
    assert_close(to_numpy(Standardize().fit(narrow).std), narrow.astype(float).std(axis=0), 1e-7)


def test_blocks_give_the_statistics_of_the_whole(monkeypatch, tmp_path):
    x = np.array([1e6, 0.0, -3.0]) + np.random.default_rng(0).normal(size=(101, 3))
    x[:, 1] = 2.5
    np.save(tmp_path / "x.npy", x)
    whole = Standardize().fit(x)
    monkeypatch.setattr("xgrad.data.standardize.BLOCK", 30)
    for given in (x, read_npy(tmp_path / "x.npy", mmap=True)):
        scale = Standardize().fit(given)
        assert_close(to_numpy(scale.mean), x.mean(axis=0), 1e-14)
        assert_close(to_numpy(scale.std)[[0, 2]], x.std(axis=0)[[0, 2]], 1e-9)
        assert to_numpy(scale.std)[1] == 1.0 == to_numpy(whole.std)[1]
        assert_close(scale(given), whole(x), 1e-8)


def test_gradients_go_through(xp):
    scale = Standardize().fit(X)
    t = make(xp, X, requires_grad=True)
    xg.sum(scale(t)).backward()
    assert_matches(t.grad, np.broadcast_to(1 / X.std(axis=0), X.shape), xp=xp, rtol=1e-10)
    each = xg.vmap(scale)(make(xp, X))
    assert_matches(each, scale(X), xp=xp)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_named(xp, bad):
    x = X.copy()
    x[4, 1] = bad
    for given in (x, make(xp, x)):
        with pytest.raises(ValueError, match=rf"sample 4, feature 1 is {bad}, not a finite number \(one of 1\)"):
            Standardize().fit(given)
    scale = Standardize().fit(X)
    with pytest.raises(ValueError, match="numbers that are not finite"):
        scale(x)


def test_blocks_count_samples_from_the_beginning(monkeypatch):
    monkeypatch.setattr("xgrad.data.standardize.BLOCK", 6)
    x = X.copy()
    x[7, 2] = np.nan
    with pytest.raises(ValueError, match="sample 7, feature 2 is nan"):
        Standardize().fit(x)


def test_the_state(xp):
    scale = Standardize().fit(make(xp, X))
    other = Standardize()
    other.load_state_dict(scale.state_dict())
    assert (other(X) == scale(X)).all()
    plain = {key: json.loads(json.dumps(value.tolist())) for key, value in scale.state_dict().items()}
    other.load_state_dict(plain)
    assert (other(X) == scale(X)).all()
    bad: Any
    for bad in ({}, None, {**plain, "std": [0.0, 1.0, 1.0]}, {**plain, "std": [1.0]}, {**plain, "mean": [np.nan] * 3}):
        with pytest.raises(ValueError, match=r"Standardize.load_state_dict"):
            other.load_state_dict(bad)
    assert (other(X) == scale(X)).all()


def test_what_is_wrong():
    for use in (lambda s: s(X), lambda s: s.inverse(X), lambda s: s.state_dict()):
        with pytest.raises(RuntimeError, match="call fit"):
            use(Standardize())
    for axis in (1, (), -1, (0, -1)):
        with pytest.raises(ValueError, match="axis must hold 0"):
            Standardize(axis)
    for x in (np.zeros((0, 3)), np.zeros(()), 1.0):
        with pytest.raises(ValueError, match=r"shape \(N, ...\)"):
            Standardize().fit(x)
    with pytest.raises(ValueError, match=r"fitted on samples of shape \(3,\); this has shape \(9, 2\)"):
        Standardize().fit(X)(X[:, :2])
    with pytest.raises(TypeError, match="holds no numbers"):
        Standardize().fit(np.array([["a"]]))
    with pytest.raises(TypeError, match="real numbers are needed"):
        Standardize().fit(xg.asarray([[1j]]))
    with pytest.raises(TypeError):
        Standardize().fit(np.array([[1j]]))
