"""The points to learn, their scale, and what a fit of them is worth."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from xgrad.cli import main
from xgrad.fit import fit
from xgrad.fit.result import r_squared
from xgrad.fit.samples import LARGEST, Scale

SIZES = [5e-324, 1e-310, 1e-200, 1e-160, 1.0, 1e160, 1e200]


def exact_r_squared(targets: list[float], prediction: list[float]) -> float:
    y, p = ([Fraction(value) for value in values] for values in (targets, prediction))
    mean = sum(y) / len(y)
    return float(1 - sum((a - b) ** 2 for a, b in zip(y, p, strict=True)) / sum((a - mean) ** 2 for a in y))


@pytest.mark.parametrize("size", SIZES)
def test_targets_of_any_size_have_an_r_squared(size: float) -> None:
    targets = [size * k for k in (0, 1, 2, 3, 7)]
    prediction = [size * k for k in (1, 1, 3, 2, 6)]
    mean_is_exact = size > 1e-300
    found = r_squared(targets, prediction)
    assert found == pytest.approx(exact_r_squared(targets, prediction), rel=1e-9 if mean_is_exact else 0.2)


@pytest.mark.parametrize("size", SIZES)
def test_a_scale_of_any_size(size: float) -> None:
    values = [size * k for k in (-1, 0, 1, 2, -2)]
    scale = Scale.standard(values)
    assert scale.mean == 0
    assert scale.to_data(scale.to_training(values)) == pytest.approx(values, rel=1e-12, abs=0)
    if size > 1e-300:
        assert scale.std == pytest.approx(size * math.sqrt(2), rel=1e-12)
    assert Scale.standard([size] * 7) == Scale(size, 1.0)
    assert Scale.standard([0.0] * 100 + [size]).std > 0


def test_r_squared_has_no_value_where_there_is_nothing_to_explain() -> None:
    assert math.isnan(r_squared([0.1] * 3, [0.1] * 3))
    assert math.isnan(r_squared([1.0, 2.0], [1.0, math.inf]))
    assert math.isnan(r_squared([1.0, 2.0], [1.0, math.nan]))
    assert r_squared([1.0, 2.0], [1e300, 1.0]) == -math.inf


@pytest.mark.parametrize("size", ["1e-200", "1e-300", "1e150", "1e200"])
def test_a_fit_of_tiny_and_huge_targets(size: str) -> None:
    options: dict[str, Any] = {
        "function": f"{size}*x",
        "range": (-1, 1),
        "points": 11,
        "hidden": (),
        "steps": 300,
        "lr": 0.1,
    }
    assert float(size) <= LARGEST
    assert fit(**options).r2 == pytest.approx(1, abs=1e-3)


def test_tiny_targets_as_they_are_have_one_too() -> None:
    options: dict[str, Any] = {
        "function": "1e-200*x",
        "range": (-1, 1),
        "points": 11,
        "hidden": (),
        "steps": 3,
        "dtype": "float64",
    }
    assert not math.isnan(fit(standardize=False, **options).r2)


def test_a_picture_of_tiny_and_huge_targets(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for size in ("1e-320", "1e-200", "1e200"):
        options: dict[str, Any] = {"function": f"{size}*x", "range": (-1, 1), "points": 11, "hidden": (), "steps": 3}
        fit(out=tmp_path / "fit.png", gif=tmp_path / "fit.gif", **options)
        assert (tmp_path / "fit.png").stat().st_size > 10_000


def test_constant_targets_are_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tqdm")
    assert main(["fit", "--function", "7", "--steps", "3", "--out", ""]) == 0
    out = capsys.readouterr().out
    assert "R^2 has no value: all targets are 7, so they have no variance" in out
    assert fit(function="0.1", steps=3).record.title.endswith(":  all targets are equal")
