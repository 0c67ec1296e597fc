"""The data of a trainer: what it takes, and errors for what does not fit together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.trainers import data, loader, network, numbers, trainer
from xgrad.trainer.batches import OnBackend, batch_length, groups, loader_of


class Rows(xg.data.Dataset[Any]):
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return self.x.shape[0]

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class Stream(xg.data.IterableDataset[Any]):
    def __iter__(self):
        return iter([(np.ones(3), np.ones(1))] * 5)


def test_every_kind_of_data_gives_the_same_batches():
    x, y = data()
    hosted = x.numpy(), y.numpy()
    kinds = [
        (x, y),
        hosted,
        xg.data.TensorDataset(x, y),
        Rows(*hosted),
        loader(x, y),
        [(a, b) for a, b in loader(x, y)],
        [[a.numpy(), b.numpy()] for a, b in loader(x, y)],
    ]
    found = []
    for kind in kinds:
        model = network()
        trainer(model).fit(kind, 1, batch_size=8)
        found.append(numbers(model))
    assert all(each == found[0] for each in found)


def test_a_stream_and_a_loader_with_threads():
    run = trainer(network())
    run.fit(Stream(), 2, batch_size=2, shuffle=False)
    assert run.step == 6
    x, y = data()
    threads = xg.data.DataLoader(xg.data.TensorDataset(x, y), batch_size=8, num_workers=2)
    run.fit(threads, 2, validation=threads)
    assert run.step == 6


def test_several_inputs_and_none():
    class Sum(xg.nn.Module):
        def __init__(self):
            self.w = xg.nn.Parameter([1.0])

        def forward(self, a, b):
            return self.w * (a + b)

    a, b = xg.ones((6, 1)), xg.ones((6, 1))
    model = Sum()
    trainer(model).fit((a, b, 4.0 * a), 60, batch_size=2)
    assert model.w.item() == pytest.approx(2.0, abs=0.3)
    assert trainer(model).predict((a, b)).shape == (6, 1)
    with pytest.raises(ValueError, match=r"a batch has one part.*to reconstruct x, \(x, x\)"):
        trainer().fit(xg.ones((4, 3)))


def test_data_that_does_not_fit_is_named():
    x, y = data()
    with pytest.raises(ValueError, match="fit: the arrays have 22 and 21 samples"):
        trainer().fit((x, y[:21]))
    with pytest.raises(ValueError, match="validation: the arrays have 22 and 21"):
        trainer().fit((x, y), validation=(x, y[:21]))
    with pytest.raises(ValueError, match="there are no samples"):
        trainer().fit((x[:0], y[:0]))
    with pytest.raises(ValueError, match="drop_last leaves them out"):
        trainer().fit((x, y), batch_size=32, drop_last=True)
    with pytest.raises(ValueError, match="exhausted after one epoch"):
        trainer().fit(iter([(x, y)]), 2)
    with pytest.raises(ValueError, match="one number has no samples"):
        trainer().fit((x, xg.asarray(1.0)))
    for wrong, kind in (
        ((x, None), "a tuple of NoneType and Tensor"),
        ([x, y], "a list of Tensor"),
        (3, "a value of type int"),
    ):
        with pytest.raises(TypeError, match=f"expected arrays .*got {kind}"):
            trainer().fit(wrong)


def test_arrays_move_to_the_backend_of_the_model():
    pytest.importorskip("array_api_strict")
    with xg.use_backend("strict"):
        model = network()
    x, y = np.ones((6, 3)), np.ones((6, 1))
    run = trainer(model)
    run.fit((x, y), 2, validation=[(x, y)], batch_size=3)
    assert run.predict(x).backend.name == "strict"
    place = OnBackend(model)
    assert place([x, "a"])[1] == "a"
    assert place(x)[0].backend.name == "strict"


def test_lengths_and_groups():
    assert batch_length(("a", xg.ones((3, 2)))) == 3
    assert batch_length((xg.asarray(1.0),)) == 1
    assert list(groups(iter(range(5)), 2)) == [[0, 1], [2, 3], [4]]
    assert len(loader_of("fit", data(), batch_size=5)) == 5
