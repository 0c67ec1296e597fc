"""A step of the trainer: the numbers of the plain loop, also compiled, accumulated, clipped and with a closure."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.trainers import adam, by_hand, data, network, numbers, sgd, trainer
from xgrad import nn, optim
from xgrad.diagnose.hooks import needs_closure
from xgrad.trainer import Trainer
from xgrad.trainer.steps import CompiledStep

HOW = {
    "plainly": {},
    "unchecked": {"nonfinite": "ignore"},
    "compiled": {"compile": True},
    "compiled as a whole": {"compile": True, "nonfinite": "ignore"},
}


@pytest.mark.parametrize("how", HOW.values(), ids=HOW)
def test_the_numbers_are_those_of_the_plain_loop(how):
    by_loop, trained = network(noisy=True), network(noisy=True)
    losses = by_hand(by_loop, 3)
    history = trainer(trained, **how).fit(data(), 3, batch_size=8)
    assert numbers(trained) == numbers(by_loop)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-14)


def test_the_numbers_are_those_of_the_plain_loop_on_each_backend(xp):
    by_loop, trained = network(), network()
    by_hand(by_loop, 2)
    trainer(trained).fit(data(), 2, batch_size=8)
    assert numbers(trained) == numbers(by_loop)


def test_the_numbers_are_pytorchs():
    torch = pytest.importorskip("torch")
    x, y = data()
    ours = network()
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)).double()
    theirs.load_state_dict({name: torch.tensor(value.numpy()) for name, value in ours.state_dict().items()})
    optimizer = torch.optim.Adam(theirs.parameters(), lr=0.01)
    for _ in range(4):
        for start in range(0, 22, 8):
            xs, ys = (torch.tensor(t.numpy()[start : start + 8]) for t in (x, y))
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(theirs(xs), ys).backward()
            torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
            optimizer.step()
    trainer(ours, clip_grad_norm=0.5).fit((x, y), 4, batch_size=8, shuffle=False)
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[name].numpy(), value.numpy(), rtol=1e-5)


@pytest.mark.parametrize("compiled", [False, True], ids=["plainly", "compiled"])
@pytest.mark.parametrize("size", [4, 5], ids=["equal batches", "a smaller last batch"])
def test_accumulated_batches_are_one_large_batch(size, compiled):
    at_once, in_parts = network(), network()
    x, y = data(12)
    whole = trainer(at_once, sgd).fit((x, y), 2, batch_size=12, shuffle=False)
    parts = trainer(in_parts, sgd, accumulate=3, compile=compiled).fit((x, y), 2, batch_size=size, shuffle=False)
    for one, other in zip(numbers(at_once), numbers(in_parts), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    np.testing.assert_allclose(whole["loss"], parts["loss"], rtol=1e-12)


def test_sums_are_accumulated_without_a_mean():
    at_once, in_parts = network(), network()
    x, y = data(12)
    for model, size, count in ((at_once, 12, 1), (in_parts, 5, 3)):
        small = lambda parameters: optim.SGD(parameters, lr=0.01)  # noqa: E731
        trainer(model, small, nn.MSELoss(reduction="sum"), accumulate=count).fit((x, y), batch_size=size, shuffle=False)
    for one, other in zip(numbers(at_once), numbers(in_parts), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize("compiled", [False, True], ids=["plainly", "compiled"])
def test_gradients_are_clipped_by_their_norm(compiled):
    by_loop, trained = network(), network()
    by_hand(by_loop, 2, sgd, clip=0.3)
    run = trainer(trained, sgd, clip_grad_norm=0.3, compile=compiled)
    run.fit(data(), 2, batch_size=8)
    assert numbers(trained) == numbers(by_loop)
    unclipped = network()
    by_hand(unclipped, 2, sgd)
    assert numbers(trained) != numbers(unclipped)


def test_gradients_are_clipped_by_their_elements():
    model = nn.Linear(1, 1, bias=False)
    before = model.weight.item()
    x = xg.full((4, 1), 100.0)
    trainer(model, sgd, clip_grad_value=0.5).fit((x, -x), batch_size=4)
    assert abs(model.weight.item() - before) == pytest.approx(0.05)


def test_an_optimizer_with_a_closure():
    x, y = data()
    model = nn.Linear(3, 1, rng=xg.random.Generator(0))
    run = trainer(model, lambda p: optim.LBFGS(p, line_search_fn="strong_wolfe"), diagnose=True)
    run.fit((x, y), 3, batch_size=22)
    np.testing.assert_allclose(model.weight.detach().numpy(), np.ones((1, 3)), atol=1e-4)
    with pytest.raises(ValueError, match="LBFGS decides within a step"):
        trainer(model, optim.LBFGS, compile=True)
    assert needs_closure(run.optimizer)
    assert not needs_closure(adam(model.parameters()))


def test_a_closure_that_starts_at_nan_changes_nothing():
    x, y = data()
    model = nn.Linear(3, 1)
    before = numbers(model)
    run = trainer(model, optim.LBFGS, lambda output, target: xg.log(-xg.mean(output**2)))
    with pytest.raises(xg.trainer.NonFiniteError, match="'log' is the first to make nan"):
        run.fit((x, y), 1)
    assert numbers(model) == before


def test_a_program_is_made_once_for_several_fits():
    run = trainer(compile=True)
    for _ in range(2):
        run.fit(data(16), 1, batch_size=8)
    (step,) = run.programs.values()
    assert isinstance(step, CompiledStep)
    assert len(step.backward.programs) == 1
    assert len(step.update.programs) == 2  # the first call makes the moments


def test_the_loss_that_a_closure_gives_is_that_of_its_gradient():
    """With a sum of squares, parts of the data give the step that all of it gives."""
    found = []
    for size, count in ((64, 1), (16, 4)):
        model = nn.Linear(3, 1, rng=xg.random.Generator(0))
        make = lambda parameters: optim.LBFGS(parameters, line_search_fn="strong_wolfe")  # noqa: E731
        run = trainer(model, make, nn.MSELoss(reduction="sum"), accumulate=count)
        run.fit(data(64), 1, batch_size=size, shuffle=False)
        found.append(numbers(model))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


class Two(nn.Module):
    """A model with two outputs."""

    def __init__(self):
        self.inner = network()

    def forward(self, x):
        y = self.inner(x)
        return y, 2.0 * y


@pytest.mark.parametrize("compiled", [False, True], ids=["plainly", "compiled"])
def test_a_model_with_several_outputs_is_trained(compiled):
    loss = lambda output, target: xg.mean((output[0] - target) ** 2)  # noqa: E731
    half = lambda output, target: xg.mean(xg.abs(output[1] / 2.0 - target))  # noqa: E731
    run = trainer(Two(), loss=loss, metrics={"half": half}, compile=compiled)
    history = run.fit(data(), 3, batch_size=8)
    assert history["loss"][-1] < history["loss"][0]
    assert history["half"][-1] > 0


def test_metrics_need_an_output():
    class Alone(Trainer):
        def compute_loss(self, batch):
            return xg.mean(self.model(batch[0]) ** 2)

    model = network()
    run = Alone(model, None, optim.SGD(model.parameters()), metrics=["mse"], progress=False, diagnose=False)
    with pytest.raises(ValueError, match=r"let compute_loss return \(loss, output\)"):
        run.fit(data(), 1)
