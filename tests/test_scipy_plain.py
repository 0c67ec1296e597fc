"""Functions that are SciPy's own on plain arrays: which arguments decide, and what is said without SciPy."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import xgrad as xg
from xgrad.scipy.plain import on_tensors

pytest.importorskip("scipy")


@on_tensors("special.expit")
def expit(x, scale=1.0):
    return 1 / (1 + xg.exp(-x * scale))


def test_a_tensor_anywhere_decides():
    assert isinstance(expit(np.zeros(2)), np.ndarray)
    assert isinstance(expit(0.0, scale=xg.asarray(1.0)), xg.Tensor)


def test_without_scipy(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    with pytest.raises(ImportError, match=r"special\.expit needs SciPy. Install it with: pip install 'xgrad\[scipy\]'"):
        expit(0.0)


def test_a_module_that_is_not_there():
    with pytest.raises(AttributeError, match=r"'xgrad\.scipy' has no attribute 'ndimage'; it has integrate"):
        xg.scipy.ndimage  # noqa: B018
