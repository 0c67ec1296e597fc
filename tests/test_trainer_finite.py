"""Values that are not finite: the run stops before the weights change, and says what made them."""

from __future__ import annotations

import warnings

import pytest

import xgrad as xg
from tests.support.trainers import data, network, numbers, sgd, trainer
from xgrad import nn
from xgrad.trainer import NonFiniteError

HOW = {"plainly": {}, "compiled": {"compile": True}, "accumulated": {"accumulate": 2}}


def poisoned(value: float = float("nan")):
    """Data whose fourth batch of 4 has a bad value in its third row."""
    x, y = data(24)
    x = xg.at(x, (14, 1)).set(value)
    return x, y


@pytest.mark.parametrize("how", HOW.values(), ids=HOW)
def test_the_weights_are_those_before_the_bad_batch(how):
    x, y = poisoned()
    good = network(noisy=True)
    trainer(good, **how).fit((x[:8], y[:8]), batch_size=4, shuffle=False)
    if "accumulate" not in how:
        trainer_of_more = network(noisy=True)
        trainer(trainer_of_more, **how).fit((x[:12], y[:12]), batch_size=4, shuffle=False)
        good = trainer_of_more
    model = network(noisy=True)
    run = trainer(model, **how)
    with pytest.raises(NonFiniteError) as caught:
        run.fit((x, y), 2, batch_size=4, shuffle=False)
    assert numbers(model) == numbers(good)  # the running statistics too
    assert (caught.value.epoch, caught.value.batch) == (1, 4)
    assert "the input" in str(caught.value)
    assert "in row 2 of the batch" in str(caught.value)


def test_on_each_backend(xp):
    x, y = poisoned(float("inf"))
    model = network()
    run = trainer(model)
    with pytest.raises(NonFiniteError) as caught:
        run.fit((x[12:], y[12:]), batch_size=4, shuffle=False)
    assert caught.value.step == 0
    assert all(xg.all(xg.isfinite(p)).item() for p in model.parameters())


def test_the_message_names_step_operation_layer_and_advice():
    class Root(nn.Module):
        def forward(self, x):
            return xg.sqrt(x)

    model = nn.Sequential(nn.Linear(3, 1, rng=xg.random.Generator(0)), Root())
    with pytest.raises(NonFiniteError) as caught:
        trainer(model).fit(data(), batch_size=11)
    error, text = caught.value, str(caught.value)
    assert error.anomaly is not None
    assert (error.anomaly.op, error.anomaly.kind) == ("sqrt", "nan")
    assert "step 0 (epoch 1, batch 1 of 2): the loss is nan" in text
    assert "in the layer 1 (Root)" in text
    assert "return xg.sqrt(x)" in text
    assert "lower the learning rate (it is 0.01)" in text


def test_a_gradient_alone_stops_the_run():
    """The loss is finite, its gradient is not."""
    model = nn.Linear(1, 1, bias=False)
    model.weight.data[...] = 0.0
    run = trainer(model, sgd, lambda output, target: xg.sum(xg.sqrt(output)))
    with pytest.raises(NonFiniteError, match="the gradient of weight is not finite") as caught:
        run.fit((xg.ones((2, 1)), xg.ones((2, 1))))
    assert caught.value.anomaly is not None
    assert caught.value.anomaly.phase == "backward"
    assert model.weight.item() == 0.0
    assert model.weight.grad is None


def test_large_finite_gradients_are_no_error():
    """Their sum overflows, and each of them is finite."""
    model = nn.Linear(2, 1, bias=False, dtype=xg.float32)
    x = xg.full((1, 2), 3e38, dtype=xg.float32)
    run = trainer(model, lambda p: xg.optim.SGD(p, lr=1e-38), lambda output, target: xg.sum(output * 1e-38) * 1e38)
    run.fit((x, x[:, :1]), 1)
    assert run.step == 1


@pytest.mark.parametrize("how", [{}, {"compile": True}], ids=["plainly", "compiled"])
def test_skipping_changes_neither_weights_nor_moments_nor_statistics(how):
    x, y = poisoned()
    batches = [(x[i : i + 4], y[i : i + 4]) for i in range(0, 24, 4)]
    normalized = [nn.Sequential(nn.BatchNorm1d(3), network()) for _ in range(2)]
    left_out = trainer(normalized[0], **how).fit([batch for i, batch in enumerate(batches) if i != 3], 2)
    run = trainer(normalized[1], nonfinite="skip", **how)
    with pytest.warns(UserWarning, match="batch 4.*is skipped"):
        history = run.fit(batches, 2)
    assert (run.skipped, run.step) == (2, 10)
    assert numbers(normalized[1]) == numbers(normalized[0])
    assert history["loss"] == left_out["loss"]


def test_an_epoch_of_skipped_batches_is_an_error():
    x, y = data()
    with pytest.warns(UserWarning, match="is skipped"), pytest.raises(NonFiniteError, match="no batch of epoch 1"):
        trainer(nonfinite="skip").fit((x * float("nan"), y), 3)


def test_ignore_trains_on():
    x, y = poisoned()
    model = network()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer(model, nonfinite="ignore").fit((x, y), 1, batch_size=4)
    assert not xg.all(xg.isfinite(model[0].weight)).item()
