"""The result: a dict with attributes, as SciPy's."""

from __future__ import annotations

import copy
import pickle

import pytest

from xgrad.optimize import OptimizeResult


def test_entries_are_attributes():
    result = OptimizeResult(x=1.0, fun=2.0)
    result.nit = 3
    assert result["nit"] == result.nit == 3
    assert {"x", "fun", "nit"} <= set(dir(result))
    del result.nit
    with pytest.raises(AttributeError, match="no 'nit'; it has x, fun"):
        _ = result.nit
    with pytest.raises(AttributeError):
        del result.nit
    with pytest.raises(KeyError):
        result["nit"]


def test_it_prints_as_scipys():
    optimize = pytest.importorskip("scipy.optimize")
    entries = {"x": 1.0, "nfev": 3, "success": True, "status": 0, "message": "done", "fun": 2.5, "nit": 1}
    assert repr(OptimizeResult(entries)) == repr(optimize.OptimizeResult(entries)).replace("2.500e+00", "2.5").replace(
        "1.000e+00", "1.0"
    )
    assert repr(OptimizeResult()) == "OptimizeResult()"


def test_copies():
    result = OptimizeResult(x=[1.0])
    for same in (copy.copy(result), copy.deepcopy(result), pickle.loads(pickle.dumps(result))):
        assert (same, type(same)) == (result, OptimizeResult)
