"""The guard against hidden transfers catches them, and xgrad makes none."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import xgrad as xg
from tests.helpers import make
from tests.transfers import HiddenTransferError, no_transfers


@pytest.fixture
def strict():
    pytest.importorskip("array_api_strict")
    with xg.use_backend("strict", "device1") as backend:
        yield backend


@pytest.mark.parametrize(
    ("leak", "value"),
    [
        (bool, True),
        (int, 1),
        (float, 1.0),
        (complex, 1.0),
        (operator.index, 1),
        (list, [1.0]),
        (np.asarray, [1.0]),
        (np.from_dlpack, [1.0]),
        (range(3).__getitem__, 1),
    ],
)
def test_the_guard_catches(strict, leak, value):
    x = make(strict.view, value)
    with no_transfers(strict) as transfers, pytest.raises(HiddenTransferError):
        leak(x.data)
    assert transfers.count == 1


@pytest.mark.parametrize("leak", [float, repr, xg.Tensor.item, xg.Tensor.numpy])
def test_the_guard_catches_what_asks_the_backend(strict, leak):
    x = make(strict.view, 1.0)
    with no_transfers(strict) as transfers, pytest.raises(HiddenTransferError):
        leak(x)
    assert transfers.count == 1
    leak(x)


def test_a_test_on_strict_is_guarded(backend, xp):
    if backend.name != "strict":
        pytest.skip("the guard is for strict")
    x = make(xp, 1.0)
    with pytest.raises(HiddenTransferError):
        float(x.data)
    assert float(x) == 1.0
