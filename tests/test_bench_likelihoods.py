"""The likelihoods that are timed with HIPS autograd and xgrad.compat.autograd: both give the same, and the report says what."""

from __future__ import annotations

import numpy
import pytest

from bench import likelihoods, machine

pytest.importorskip("scipy")


@pytest.mark.parametrize("model", likelihoods.MODELS)
def test_gradients_are_differences(model):
    of = likelihoods.modules("xgrad.compat.autograd")
    likelihood, params = likelihoods.MODELS[model]
    value, gradient = likelihoods.gradient("xgrad.compat.autograd", model, 50)()
    assert value > 0
    rng = numpy.random.default_rng(0)
    times, died = rng.weibull(1.4, 50) * 2.0 + 1e-3, rng.uniform(size=50) < 2 / 3
    for i in range(2):
        step = numpy.eye(2)[i] * 1e-6
        above, below = (likelihood(of, params + s, times, died) for s in (step, -step))
        assert gradient[i] == pytest.approx((above - below) / 2e-6, rel=1e-5, abs=1e-8)


def test_the_report():
    pytest.importorskip("autograd")
    row = likelihoods.compared("Weibull", 20, 2, 0.0)
    assert row["ratio"] > 0
    text = likelihoods.markdown({
        "machine": machine.describe(), "versions": {"numpy": "2.0"}, "rows": [row],
    })  # fmt: skip
    assert "Weibull, 20 times" in text
