"""The runs of the experiment that started xgrad come out as they did.

The figures were measured with plain NumPy and agree with PyTorch. Steps this large make a run
chaotic: from the point where rounding has grown, only what all such runs share is asserted.
"""

import math
from statistics import median
from typing import Any

import pytest

from xgrad.fit import fit

VARIANCE = 9066882.2222
MEAN = 3366.6667
MEAN_SQUARE = 20401326.6667

SEED: dict[str, Any] = {"standardize": False, "optimizer": "sgd", "lr": 0.01, "hidden": (32, 32)}
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


@DTYPES
def test_a_sigmoid_predicts_the_mean(dtype: str) -> None:
    run = fit(**SEED, activation="sigmoid", steps=1000, dtype=dtype)
    assert run.history["loss"][-1] == pytest.approx(VARIANCE, rel=0.003)
    assert run.r2 == pytest.approx(0, abs=0.003)
    assert median(run.history["prediction"]) == pytest.approx(MEAN, rel=0.006)
    assert all(layer.share[-1] > 0.9 for layer in run.record.layers[:2])  # saturated


@DTYPES
def test_b_relu_decides_to_become_zero(dtype: str) -> None:
    run = fit(**SEED, activation="relu", output_activation="relu", steps=1000, dtype=dtype)
    loss = run.history["loss"]
    assert loss[:3] == pytest.approx([2.04e7, 1.9e22, 2.4e33], rel=0.02)
    assert loss[3:] == pytest.approx([MEAN_SQUARE] * 997, rel=1e-6)
    assert set(run.history["prediction"]) == {0.0}
    output = run.record.layers[-1]
    assert (output.idle, output.share[3], output.gradient_norm[3]) == ("dead", 1.0, 0.0)
    assert len(set(output.share[3:])) == 1
    assert not any(any(layer.gradient_norm[3:]) for layer in run.record.layers)


@DTYPES
def test_c_leaky_relu_becomes_nan(dtype: str) -> None:
    run = fit(**SEED, activation="leaky_relu", output_activation="leaky_relu", steps=50, dtype=dtype)
    loss = run.history["loss"]
    broken = next(step for step, value in enumerate(loss) if math.isnan(value))
    if dtype == "float64":
        assert (broken, loss[3]) == (4, math.inf)
    else:
        assert broken in (2, 3)
    assert all(math.isnan(value) for value in loss[broken:])
    assert all(math.isnan(value) for value in run.history["prediction"])
    assert all(math.isnan(layer.share[-1]) for layer in run.record.layers)
    assert math.isnan(run.r2)


@pytest.mark.slow
@pytest.mark.parametrize(("optimizer", "expected"), [("rmsprop", 4e4), ("adagrad", 1.8e5)])
def test_d_rmsprop_outruns_adagrad(optimizer: str, expected: float) -> None:
    run = fit(
        **{**SEED, "hidden": (100,), "optimizer": optimizer},
        range=(-50, 50),
        points=101,
        batch=10,
        steps=1000,
    )
    away = [y - p for y, p in zip(run.record.y, run.history["prediction"], strict=True)]
    assert math.fsum(d * d for d in away) / len(away) == pytest.approx(expected, rel=0.1)


@pytest.mark.slow
def test_e_adam_fits_raw_data() -> None:
    run = fit(**{**SEED, "optimizer": "adam"}, range=(-50, 50), points=101, steps=5000)
    assert run.r2 > 0.9995
