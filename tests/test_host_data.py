"""Host data: NumPy's arrays and their subclasses, unless another backend owns the type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from xgrad.backends import host_data, is_host_data


class Sub(np.ndarray):
    """A subclass that no backend has heard of."""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.ones(2), True),
        (np.ones(2).view(Sub), True),
        (np.float64(1.0), False),  # a number, which is weak
        ([1.0, 2.0], False),
        (1.0, False),
    ],
)
@pytest.mark.parametrize("is_loaded", [True, False])
def test_what_is_host_data(monkeypatch: pytest.MonkeyPatch, value: Any, expected: bool, is_loaded: bool) -> None:
    with xg.use_backend("numpy"):
        assert host_data._is_host_data[np.ndarray]
    if not is_loaded:  # as before the first use of NumPy's backend
        monkeypatch.setattr(host_data, "_is_host_data", {})
    assert is_host_data(value) == expected


def test_a_tensor_is_none() -> None:
    assert not is_host_data(xg.ones(2))


def test_an_array_type_of_another_backend_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_data, "_is_host_data", {})
    host_data.note(Sub, False)
    assert not is_host_data(np.ones(2).view(Sub))
    assert is_host_data(np.ones(2))
