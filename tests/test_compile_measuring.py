"""`explain(measure=True)`: a line for each engine, whose inputs are numbers of its own."""

import re

import pytest

import xgrad as xg
from xgrad import nn, optim
from xgrad.compile import measuring
from xgrad.compile.engines.choice import ENGINES


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    monkeypatch.setattr(measuring, "SECONDS", 0.0)
    monkeypatch.setattr(measuring, "LEAST_RUNS", 1)


def test_each_engine_has_a_line_and_nothing_changes(backend, xp):
    model = nn.Linear(3, 2)
    optimizer = optim.Adam(model.parameters())

    @xg.compile
    def step(x, i, scale):
        optimizer.zero_grad()
        loss = xg.mean(model(x) ** 2) * scale + xg.sum(x[i])
        loss.backward()
        optimizer.step()
        return loss

    arguments = xg.ones((4, 3)), xg.zeros(2, dtype=xg.int64), 0.5
    assert "measured" not in step.explain(measure=True)
    for _ in range(2):
        step(*arguments)
    before = [p.numpy().copy() for p in model.parameters()]
    text = step.explain(measure=True)
    assert all((p.numpy() == b).all() for p, b in zip(model.parameters(), before, strict=True))
    for engine, (_, takes) in ENGINES.items():
        line = re.search(rf"measured, {engine}: (.*)", text)
        assert (line is not None) == (not takes or backend.name in takes)
        if line and engine in ("numpy", "replay"):
            assert re.fullmatch(r"[\d,]+ us a run, [\d,]+ ms until the first result", line[1])
    assert "measured" not in step.explain()


def test_an_engine_that_cannot_run_says_why(monkeypatch):
    def unable(*args):
        raise ImportError("pip install something")

    with xg.use_backend("numpy"):
        f = xg.compile(lambda x: x * 2.0)
        f(xg.ones(3))
        monkeypatch.setattr(measuring, "prepare", unable)
        assert "measured, replay: not measured, ImportError: pip install something" in f.explain(measure=True)
