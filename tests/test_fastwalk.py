"""The fast reverse pass gives the same gradients and errors as the plain one in tape.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy
from xgrad.engine import fastwalk, tape
from xgrad.engine.tape import FREED, SAVED, GraphFreedError


@pytest.fixture(params=["plain", "fast"])
def walk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(tape, "walk_back", {"plain": fastwalk.plain, "fast": fastwalk.walk_back}[request.param])
    return str(request.param)


def random_graph(seed: int, leaves: list[Any]) -> Any:
    """A graph of many operations in which results are used several times, or never."""
    rng = np.random.default_rng(seed)
    made = list(leaves)
    for _ in range(40):
        a, b = (made[int(i)] for i in rng.integers(0, len(made), 2))
        step = int(rng.integers(0, 6))
        made.append((xg.sin(a), a * 0.5 + b, a * b, a - xg.flip(b), xg.tanh(a) / 2, xg.where(a > 0, a, b * b))[step])
    return xg.sum(made[-1] + made[-5] * made[-2])


def gradients(seed: int) -> list[Any]:
    rng = np.random.default_rng(100 + seed)
    leaves = [make(xg, rng.normal(size=4), requires_grad=True) for _ in range(3)]
    random_graph(seed, leaves).backward()
    return [None if leaf.grad is None else to_numpy(leaf.grad) for leaf in leaves]


def differences(seed: int, step: float = 1e-6) -> list[Any]:
    rng = np.random.default_rng(100 + seed)
    values = [rng.normal(size=4) for _ in range(3)]
    found = []
    for value in values:
        slope = np.zeros(4)
        for i in range(4):
            ends = []
            for sign in (1, -1):
                value[i] += sign * step
                ends.append(random_graph(seed, [make(xg, v) for v in values]).item())
                value[i] -= sign * step
            slope[i] = (ends[0] - ends[1]) / (2 * step)
        found.append(slope)
    return found


@pytest.mark.parametrize("seed", range(12))
def test_gradients_are_those_of_differences(walk, seed):
    with xg.use_backend("numpy"):
        for got, want in zip(gradients(seed), differences(seed), strict=True):
            np.testing.assert_allclose(
                0.0 if got is None else got, want, rtol=1e-5, atol=1e-7 * max(1, np.abs(want).max())
            )


def test_a_second_backward_needs_what_the_first_has_freed(walk):
    with xg.use_backend("numpy"):
        x = make(xg, [1.0, 2.0], requires_grad=True)
        y = xg.sum(xg.exp(x) * x)
        y.backward(retain_graph=True)
        node: Any = y.node
        assert node[SAVED] is not FREED
        y.backward()
        assert node[SAVED] is FREED
        with pytest.raises(GraphFreedError, match="'sum' a second time"):
            y.backward()


def test_a_recorded_walk(walk):
    with xg.use_backend("numpy"):
        x = make(xg, [0.5, 1.5], requires_grad=True)
        xg.sum(x**3 * xg.sin(x)).backward(create_graph=True)
        first, x.grad = x.grad, None
        xg.sum(first).backward()
        v = np.array([0.5, 1.5])
        np.testing.assert_allclose(
            to_numpy(x.grad), 6 * v * np.sin(v) + 6 * v**2 * np.cos(v) - v**3 * np.sin(v), rtol=1e-12
        )


def test_a_leaf_alone_and_one_that_is_used_twice(walk):
    with xg.use_backend("numpy"):
        x = make(xg, 2.0, requires_grad=True)
        x.backward()
        (x + x).backward()
        assert to_numpy(x.grad) == 3.0


def test_along_a_path_only_what_leads_to_the_inputs_is_asked(walk):
    with xg.use_backend("numpy"):
        outside = make(xg, [3.0, 4.0], requires_grad=True)
        got = xg.grad(lambda x: xg.sum(x * outside * xg.exp(outside * 0.0)))(make(xg, [1.0, 2.0]))
        np.testing.assert_allclose(to_numpy(got), [3.0, 4.0])
        assert outside.grad is None


def test_a_gradient_that_two_arrays_share_is_not_added_to_in_place(walk):
    with xg.use_backend("numpy"):
        x, w = make(xg, [0.5, 1.0], requires_grad=True), make(xg, [2.0, 3.0], requires_grad=True)
        c = make(xg, [1.0, 2.0])
        y = xg.exp(x) + (x + w)  # the sums hand one array on to x, w and exp
        xg.sum(y * c).backward()
        np.testing.assert_allclose(to_numpy(w.grad), [1.0, 2.0])
        np.testing.assert_allclose(to_numpy(x.grad), [1.0, 2.0] * (1 + np.exp([0.5, 1.0])))


def test_a_kept_gradient_is_that_of_all_uses(walk):
    """retain_grad puts a node behind that of the tensor, and the uses of the tensor may be older and newer than the call."""
    with xg.use_backend("numpy"):
        x = make(xg, [0.5, 1.0], requires_grad=True)
        y = xg.exp(x)
        before = xg.sin(y)
        y.retain_grad()
        xg.sum(before + y * y).backward()
        v = np.exp([0.5, 1.0])
        np.testing.assert_allclose(to_numpy(y.grad), np.cos(v) + 2 * v)
        np.testing.assert_allclose(to_numpy(x.grad), (np.cos(v) + 2 * v) * v)
