"""What targets are: numbers, classes in each of their forms, and labels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from xgrad.diagnose.targets import BINARY, CLASSES, LABELS, REGRESSION, targets_of

N = np.arange(60) % 3
CASES: dict[str, tuple[Any, str]] = {
    "numbers of classes": (N, CLASSES),
    "in a column": (N[:, None], CLASSES),
    "rows with a single 1": (np.eye(3)[N], CLASSES),
    "a column of 0 and 1": ((N == 0).astype(float)[:, None], BINARY),
    "truth values": (N == 0, BINARY),
    "labels": (np.stack([N == 0, N < 2], axis=1).astype(float), LABELS),
    "numbers to predict": (np.linspace(-1, 1, 60), REGRESSION),
    "numbers with nan": (np.array([0.0, 1.0, math.nan]), REGRESSION),
    "none": (np.zeros((0, 1)), REGRESSION),
}


@pytest.mark.parametrize("name", CASES)
def test_kinds(name: str) -> None:
    y, kind = CASES[name]
    found = targets_of(xg.asarray(y))
    assert found.kind == kind
    if kind == CLASSES:
        assert found.numbers.tolist() == N.tolist()
        assert found.shares == pytest.approx([1 / 3] * 3)
        assert found.entropy == pytest.approx(math.log(3))


def test_scaled_rows_and_classes_in_a_column_of_floats() -> None:
    assert targets_of(xg.asarray(np.eye(3)[N] / 255)).one == pytest.approx(1 / 255)
    assert targets_of(xg.asarray(N[:, None].astype(float))).in_column
    assert not targets_of(xg.asarray(np.arange(60.0)[:, None])).in_column  # as many values as samples
    assert targets_of(xg.asarray(N - 1)).shares == []
