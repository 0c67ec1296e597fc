"""The reference values that a loss is compared with."""

import numpy as np
import pytest

from xgrad.fit.references import references

y = np.random.default_rng(0).exponential(3.0, 400)


def test_squared_error() -> None:
    (best, at_best), (zero, at_zero) = references("mse", y.tolist())
    assert at_best == pytest.approx(y.var())
    assert at_zero == pytest.approx((y**2).mean())
    assert "best constant" in best
    assert "Var(y)" in best
    assert "output zero" in zero


def test_absolute_error() -> None:
    (best, at_best), (_, at_zero) = references("l1", y.tolist())
    assert at_best == pytest.approx(np.abs(y - np.median(y)).mean())
    assert at_zero == pytest.approx(np.abs(y).mean())
    assert "median" in best


def test_huber() -> None:
    def loss(constant: float) -> float:
        away = np.abs(y - constant)
        return float(np.where(away < 1, away**2 / 2, away - 0.5).mean())

    (_, at_best), (_, at_zero) = references("huber", y.tolist())
    assert at_zero == pytest.approx(loss(0.0))
    assert at_best == pytest.approx(min(loss(c) for c in np.linspace(0, 10, 20001)), rel=1e-6)


def test_one_line_where_the_two_are_one() -> None:
    (only,) = references("mse", ((y - y.mean()) / y.std()).tolist())
    assert only[1] == pytest.approx(1.0)
    assert "best constant = output zero" in only[0]
