"""Samplers: their orders, lengths and generators."""

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from xgrad.data import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from xgrad.random import Generator

TEN = range(10)


def test_sequential():
    assert list(SequentialSampler(TEN)) == list(TEN)
    assert len(SequentialSampler(TEN)) == 10


def test_random_is_a_permutation_and_another_one_each_time():
    sampler = RandomSampler(TEN, generator=Generator(0))
    first, second = list(sampler), list(sampler)
    assert sorted(first) == sorted(second) == list(TEN)
    assert first != second
    assert [first, second] == [list(s) for s in [RandomSampler(TEN, generator=Generator(0))] for _ in range(2)]
    assert all(type(i) is int for i in first)


def test_random_orders_are_equally_likely():
    sampler = RandomSampler(range(3), generator=Generator(0))
    counts = Counter(tuple(sampler) for _ in range(1200))
    assert len(counts) == 6
    assert all(abs(n - 200) < 65 for n in counts.values())  # 5 standard deviations


@pytest.mark.parametrize("count", [1, 10, 13, 25])
def test_another_number_of_samples(count):
    found = list(RandomSampler(TEN, num_samples=count))
    assert len(found) == len(RandomSampler(TEN, num_samples=count)) == count
    often = Counter(found)
    assert max(often.values()) - min(often.get(i, 0) for i in TEN) <= 1
    with_replacement = list(RandomSampler(TEN, replacement=True, num_samples=count))
    assert len(with_replacement) == count
    assert set(with_replacement) <= set(TEN)


def test_replacement_repeats():
    assert max(Counter(RandomSampler(TEN, replacement=True, generator=Generator(0))).values()) > 1


def test_empty():
    assert list(RandomSampler([])) == []
    with pytest.raises(ValueError, match="cannot be drawn from an empty dataset"):
        list(RandomSampler([], num_samples=2))


def test_subset():
    found = list(SubsetRandomSampler([7, 3, 9], generator=Generator(0)))
    assert sorted(found) == [3, 7, 9]


@pytest.mark.parametrize("weights", [[1.0, 0.0, 3.0], np.array([1, 0, 3])])
def test_weights(weights):
    counts = Counter(WeightedRandomSampler(weights, 4000, generator=Generator(0)))
    assert counts[1] == 0
    assert abs(counts[2] - 3000) < 150
    assert sorted(WeightedRandomSampler(weights, 2, replacement=False)) == [0, 2]


def test_weights_may_be_a_tensor(xp):
    assert list(WeightedRandomSampler(xg.asarray([0.0, 1.0]), 3)) == [1, 1, 1]


@pytest.mark.parametrize("weights", [[-1.0, 2.0], [0.0, 0.0], [float("nan"), 1.0], [float("inf"), 1.0], []])
def test_weights_that_are_no_weights(weights):
    with pytest.raises(ValueError, match="finite, 0 or more, and not all 0"):
        WeightedRandomSampler(weights, 1)


def test_other_errors():
    random: Any = RandomSampler
    with pytest.raises(TypeError, match="weights must be a vector"):
        WeightedRandomSampler([[1.0]], 1)
    with pytest.raises(ValueError, match="3 of 2 samples with a weight above 0"):
        WeightedRandomSampler([1.0, 0.0, 1.0], 3, replacement=False)
    with pytest.raises(TypeError, match="replacement must be True or False"):
        random(TEN, replacement=1)
    for count in (0, -1):
        with pytest.raises(ValueError, match="num_samples must be 1 or more"):
            RandomSampler(TEN, num_samples=count)
    with pytest.raises(TypeError, match="num_samples must be an integer"):
        random(TEN, num_samples=1.5)
    with pytest.raises(TypeError, match=r"must be an xgrad.random.Generator, not 0 \(int\)"):
        random(TEN, generator=0)
    with pytest.raises(NotImplementedError, match="Sampler must define __iter__"):
        iter(Sampler())


@pytest.mark.parametrize("n", range(7))
@pytest.mark.parametrize("drop_last", [True, False])
def test_batches_are_those_of_pytorch(n, drop_last):
    theirs = pytest.importorskip("torch").utils.data.BatchSampler(range(n), 3, drop_last)
    ours = BatchSampler(range(n), 3, drop_last)
    assert list(ours) == list(theirs)
    assert len(ours) == len(theirs)


def test_batches_of_the_wrong_size():
    batches: Any = BatchSampler
    for size, error in ((0, ValueError), (-2, ValueError), (1.5, TypeError), (True, TypeError)):
        with pytest.raises(error, match="batch_size must be"):
            batches(TEN, size, False)
    with pytest.raises(TypeError, match="drop_last must be"):
        batches(TEN, 2, None)


# --- where the seeds come from


def test_the_default_generator_starts_the_orders():
    xg.random.seed(5)
    sampler = RandomSampler(TEN)
    first, second = list(sampler), list(sampler)
    xg.random.seed(5)
    assert [first, second] == [list(sampler), list(sampler)]
    xg.random.seed(5)
    other = RandomSampler(TEN)
    assert list(other) == first
    xg.random.default_generator().normal((7,))  # draws of something else do not change the order
    assert list(other) == second


def test_the_order_is_the_same_on_every_backend(xp):
    seed = np.random.default_rng(0).integers(2**62)
    wanted = np.random.default_rng(seed).permutation(6).tolist()
    assert list(RandomSampler(range(6), generator=Generator(0))) == wanted


def test_the_state_of_a_sampler():
    for given in (Generator(3), None):
        sampler = RandomSampler(TEN, generator=given)
        list(sampler)
        state = json.loads(json.dumps(sampler.state_dict()))
        wanted = [list(sampler), list(sampler)]
        other = RandomSampler(TEN, generator=None if given is None else Generator(0))
        other.load_state_dict(state)
        assert [list(other), list(other)] == wanted
    bad: Any
    for bad in ({}, {"generator": {}}, {"generator": {"state": 1}}, {"generator": None}, None):
        state = other.state_dict()
        with pytest.raises(ValueError, match="state"):
            other.load_state_dict(bad)
        assert other.state_dict() == state
