"""The diagnosis on board."""

from __future__ import annotations

import pytest

import xgrad as xg
from tests.support.trainers import data, network, numbers, sgd, trainer
from xgrad import nn, optim
from xgrad.trainer import NonFiniteError
from xgrad.trainer.diagnosis import samples_of


@pytest.mark.parametrize("how", [{}, {"compile": True}, {"accumulate": 2}], ids=["plainly", "compiled", "accumulated"])
def test_a_watched_run_has_the_same_numbers(how):
    alone, watched = network(noisy=True), network(noisy=True)
    one = trainer(alone, **how).fit(data(), 14, batch_size=8)
    run = trainer(watched, diagnose=True, **how)
    other = run.fit(data(), 14, batch_size=8)
    assert numbers(watched) == numbers(alone)
    assert other["loss"] == one["loss"]
    assert run.report.steps == run.step
    assert len(run.report.run.losses) == run.step
    assert len(run.report.run.looks) < run.step / 2
    assert not watched._forward_hooks
    assert "step" not in vars(run.optimizer)


def test_findings_are_reported_and_shown(capsys):
    x = xg.linspace(-100.0, 100.0, 65)[:, None]
    rng = xg.random.Generator(0)
    model = nn.Sequential(nn.Linear(1, 8, rng=rng), nn.ReLU(), nn.Linear(8, 1, rng=rng), nn.ReLU())
    run = trainer(model, lambda p: optim.SGD(p, lr=0.01), diagnose=True, progress="lines")
    run.fit((x, x**2), 3, batch_size=65)
    rules = [finding.rule for finding in run.report.findings]
    assert rules[0] == "STEP_UNSTABLE"
    assert "SCALE" in rules
    assert "ERROR STEP_UNSTABLE at step 0" in capsys.readouterr().err


def test_the_operation_that_ended_a_run_is_a_finding():
    x, y = data()
    run = trainer(network(), sgd, lambda output, target: xg.mean(xg.log(output - output)), diagnose=True)
    with pytest.raises(NonFiniteError):
        run.fit((x, y), 1)
    (finding,) = [finding for finding in run.report.findings if finding.rule == "NONFINITE"]
    assert finding.evidence["op"] == "log"
    assert finding.step == 0


def test_without_it_there_is_no_report():
    run = trainer()
    run.fit(data(), 1)
    assert run.report is None


def test_what_the_rules_see_of_the_data():
    x, y = xg.ones((5000, 1)), xg.ones((5000, 1))
    loader = xg.data.DataLoader(xg.data.TensorDataset(x, y))
    seen = samples_of(loader)
    assert seen is not None
    assert seen[0].shape[0] == seen[1].shape[0] == 1667
    assert samples_of([(x, y)]) is None
