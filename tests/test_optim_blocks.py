"""Updates of large arrays in blocks: the same numbers as in one piece, and a step that runs out of memory can be repeated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.cases.case import spread
from tests.support.arrays import make, to_numpy
from tests.support.training import OPTIMIZERS_BY_OPTION
from tests.test_out_of_memory import Steps, refuse_each, refused, same
from xgrad import optim
from xgrad.backends import numpy as of_numpy
from xgrad.optim.state import IN_BLOCKS

SHAPE = (5, 7)


def trained(name: str, options: dict[str, Any], dtype: str = "float64", order: str = "C", of_g: str = "C") -> Any:
    """A parameter after three steps, and its optimizer."""
    p = xg.nn.Parameter(np.array(spread(SHAPE, -2, 2, 1).astype(dtype), order=order))  # type: ignore[call-overload]
    optimizer = getattr(optim, name)([p], lr=0.1, **options)
    for step in range(3):
        g = spread(SHAPE, -2, 2, step + 2) * (1 + 1j if dtype.startswith("complex") else 1)
        p.grad = xg.asarray(np.array(g.astype(dtype), order=of_g))  # type: ignore[call-overload]
        optimizer.step()
    return p, optimizer


def numbers(p: Any, optimizer: Any) -> list[Any]:
    saved = optimizer.state_dict()["state"][0]
    return [to_numpy(v) if isinstance(v, xg.Tensor) else v for v in [p, *(saved[name] for name in sorted(saved))]]


@pytest.fixture
def of_three(monkeypatch):
    """NumPy, in blocks of three numbers of 8 bytes, or six of 4."""
    monkeypatch.setattr(of_numpy, "BLOCK_BYTES", 24)
    monkeypatch.setattr(of_numpy, "LARGE_BYTES", 25)
    with xg.use_backend("numpy") as backend:
        yield backend


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS_BY_OPTION)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "complex128"])
def test_blocks_give_the_numbers_of_one_piece(of_three, name, options, dtype, monkeypatch):
    p, optimizer = trained(name, options, dtype)
    assert (optimizer.state[p].run is IN_BLOCKS) == optimizer.is_elementwise
    assert optimizer.state[p].progress is None
    monkeypatch.setattr(of_numpy, "LARGE_BYTES", 1 << 20)
    q, whole = trained(name, options, dtype)
    assert whole.state[q].run is not IN_BLOCKS
    same(numbers(p, optimizer), numbers(q, whole))


@pytest.mark.parametrize(("order", "of_g"), ["FF", "FC", "CF"])
def test_any_order_in_memory(of_three, order, of_g):
    """Arrays of one order are views of flat arrays; others are updated in one piece."""
    want, got = (numbers(*trained("Adam", {}, "float64", *orders)) for orders in ("CC", (order, of_g)))
    same(got, want)


def test_only_large_arrays_are_in_blocks(of_three):
    p = xg.nn.Parameter(np.ones(3))
    q = xg.nn.Parameter(np.ones(4))
    optimizer = optim.Adam([p, q])
    for w in (p, q):
        w.grad = xg.ones_like(w)
    before = q.data.__array_interface__["data"]
    optimizer.step()
    assert optimizer.state[p].run is not IN_BLOCKS
    assert optimizer.state[q].run is IN_BLOCKS
    assert q.data.__array_interface__["data"] == before  # it was written in place


def test_an_array_that_somebody_holds_is_not_written(of_three):
    p = xg.nn.Parameter(np.ones(10))
    held = p.data
    p.grad = xg.ones_like(p)
    optim.SGD([p], lr=0.5).step()
    assert held.tolist() == [1.0] * 10
    assert to_numpy(p).tolist() == [0.5] * 10


@pytest.mark.parametrize(("name", "options"), [row for row in OPTIMIZERS_BY_OPTION if row[0] != "LAMB"])
def test_a_step_is_finished_by_the_next_call(name, options, monkeypatch):
    """As in test_out_of_memory, where arrays are in one piece. Here they are in blocks of two."""
    pytest.importorskip("array_api_strict")
    with xg.use_backend("strict", "device1") as strict:
        monkeypatch.setattr(type(strict), "block_length", lambda self, array: 2)
        monkeypatch.setattr(type(strict), "flat", lambda self, arrays: arrays)
        undisturbed = Steps(name, options)
        for step in (1, 2):
            undisturbed.differentiate(step)
            undisturbed.optimizer.step()

        def attempt(k: int | None) -> bool:
            steps = Steps(name, options)
            steps.differentiate(1)
            happened = refused(strict, k, steps.optimizer.step)
            if happened:
                steps.optimizer.step()
            steps.differentiate(2)
            steps.optimizer.step()
            same(steps.numbers(), undisturbed.numbers())
            np.testing.assert_array_equal(strict.to_numpy(steps.kept), steps.before)
            return happened

        assert refuse_each(attempt) > 6


def test_without_moments_there_is_nothing_to_roll(of_three, monkeypatch):
    p = xg.nn.Parameter(np.ones(10))
    p.grad = xg.ones_like(p)
    optimizer = optim.SGD([p], lr=0.5)
    monkeypatch.setattr(optimizer.update_rule, "roll", None)
    optimizer.step()
    assert to_numpy(p).tolist() == [0.5] * 10


def test_a_step_that_failed_is_resumed_without_a_copy(of_three, monkeypatch):
    """Of the parameter, which is large: memory is short."""
    p = make(xg, np.ones(10), "float64", requires_grad=True)
    optimizer = optim.Adam([p])
    p.grad = xg.ones_like(p)
    calls: list[int] = []
    roll = optimizer.update_rule.roll

    def failing(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise MemoryError
        return roll(*arguments)

    monkeypatch.setattr(optimizer.update_rule, "roll", failing)
    with pytest.raises(MemoryError):
        optimizer.step()
    monkeypatch.setattr(type(of_three), "copy", None)
    optimizer.step()
    assert len(calls) == 5  # four blocks, of which the third failed once
    assert len(set(to_numpy(p).tolist())) == 1
