"""An optimizer's update rule, traced by CuPy: it becomes one kernel with the right outputs and the same numbers."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.cases.case import spread
from tests.support.arrays import to_numpy
from tests.support.cupy_traces import compiler, run_on_the_host, trace, written
from tests.support.training import OPTIMIZERS_BY_OPTION
from xgrad import optim
from xgrad.backends.cupy_rules import Fused
from xgrad.optim.prepared import Prepared


@pytest.fixture
def cupy_backend() -> Any:
    """The module of CuPy's backend; it is there without a device."""
    pytest.importorskip("cupy")
    return import_module("xgrad.backends.cupy")


class Calls:
    """An optimizer on NumPy whose rule's calls are kept: (rule, arrays before, numbers, flags, arrays after)."""

    def __init__(self, name: str, options: dict[str, Any], dtype: str, monkeypatch: Any) -> None:
        self.calls: list[Any] = []
        with xg.use_backend("numpy") as backend:
            monkeypatch.setattr(type(backend), "fused", self.kept)
            monkeypatch.setattr(type(backend), "scalar_operand", lambda self, value, like, layout=None: value)
            p = xg.asarray(spread((5, 7), -2, 2, 1).astype(dtype), requires_grad=True)
            optimizer = getattr(optim, name)([p], lr=0.1, **options)
            for step in range(3):
                p.grad = xg.asarray(spread((5, 7), -2, 2, step + 2).astype(dtype))
                optimizer.step()

    def kept(self, rule: Any) -> Any:
        def call(xp: Any, arrays: Any, numbers: Any, flags: Any) -> Any:
            before = [np.array(a) for a in arrays]
            after = rule(xp, arrays, numbers, flags)
            self.calls.append((rule, before, tuple(numbers), flags, [np.array(a) for a in after]))
            return after

        return call


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "options"), [row for row in OPTIMIZERS_BY_OPTION if row[0] != "LAMB"])
def test_a_rule_is_one_kernel(cupy_backend, name, options, dtype, monkeypatch, tmp_path):
    raw = cupy_backend.CuPyRaw(cupy_backend.CuPy.namespace())
    calls = Calls(name, options, dtype, monkeypatch).calls
    assert len(calls) == 3
    for i, (rule, before, numbers, flags, after) in enumerate((calls[0], calls[-1])):
        traced = Fused(rule).kernel_of(raw, len(before), flags)
        kernel = trace(traced, before, numbers)
        assert written(kernel) == [True, False, *[True] * (len(before) - 2), *[False] * len(numbers)]
        if compiler() is None:
            continue
        arrays = [np.array(a) for a in before]
        folder = tmp_path / str(i)
        folder.mkdir()
        run_on_the_host(kernel, arrays, numbers, folder)
        np.testing.assert_array_equal(arrays[1], before[1])
        for got, want in zip((arrays[0], *arrays[2:]), after, strict=True):
            np.testing.assert_array_equal(got, want)


def test_a_number_may_change_without_another_kernel(cupy_backend):
    """Numbers are arguments: nothing of them is in the source."""
    raw = cupy_backend.CuPyRaw(cupy_backend.CuPy.namespace())
    rule = optim.Adam.update_rule
    arrays = [np.ones(3, np.float32)] * 4
    sources, kinds = set(), set()
    with xg.use_backend("numpy"):
        for lr in (0.123, 0.456):
            (group,) = optim.Adam([xg.asarray([1.0], requires_grad=True)], lr=lr).param_groups
            numbers, flags = Prepared(rule, group.named).arguments_at(1)
            assert lr in numbers
            kinds.add(flags)
            kernel = trace(Fused(rule).kernel_of(raw, 4, flags), arrays, numbers)
            sources.add(kernel.operation)
    assert len(sources) == len(kinds) == 1
    assert "0.123" not in sources.pop()


def test_the_default_is_the_rule_itself(backend):
    if backend.name == "cupy":
        pytest.skip("there it is a kernel")
    assert backend.fused(to_numpy) is to_numpy
