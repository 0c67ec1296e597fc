"""The gradients of fits that are timed with HIPS autograd and with xgrad.compat.autograd."""

from __future__ import annotations

import numpy
import pytest

from bench import likelihoods, likelihoods_worker, machine


def test_a_fit_is_stopped_at_its_first_gradient():
    optimize = pytest.importorskip("scipy.optimize")
    from xgrad.compat.autograd import value_and_grad

    minimize = likelihoods_worker.stopping(optimize.minimize)

    def fit():
        first = minimize(lambda x: numpy.sum((x - 3.0) ** 2), numpy.zeros(1), method="Nelder-Mead")
        minimize(value_and_grad(lambda x, a: numpy.sum(x**2) * a), first.x, args=(2.0,), jac=True)

    value, gradient = likelihoods_worker.gradient_of(fit)()
    assert (value, gradient[0]) == pytest.approx((18.0, 12.0), rel=1e-3)
    found = likelihoods_worker.gradient_of(lambda: minimize(numpy.sum, [0.5], jac=lambda x: 2.0 * numpy.asarray(x)))
    assert likelihoods_worker.timed(found, 2)["numbers"] == pytest.approx([1.0])
    with pytest.raises(RuntimeError, match="asked for no gradient"):
        likelihoods_worker.gradient_of(lambda: None)


class Side:
    def __init__(self, seconds, numbers):
        self.answer = {"seconds": seconds, "numbers": numbers}

    def timed(self, fit, runs):
        return self.answer


def test_the_report():
    row = likelihoods.compared(Side(3e-4, [1.0, 2.0]), Side(1.5e-4, [1.0, 2.0]), "Weibull, 20 times")
    text = likelihoods.markdown({"machine": machine.describe(), "versions": {"numpy": "2.0"}, "rows": [row]})
    assert "| Weibull, 20 times | 300 us | 150 us | 2.00 |" in text
    with pytest.raises(AssertionError, match="Weibull"):
        likelihoods.compared(Side(1.0, [1.0]), Side(1.0, [1.1]), "Weibull")
