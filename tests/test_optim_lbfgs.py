"""L-BFGS: PyTorch's numbers with every option, its state, errors in the middle of a step, and how often the host reads."""

from __future__ import annotations

import copy
import inspect
import math
import pickle
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.data import lbfgs as reference
from tests.support.arrays import assert_close, make, to_numpy
from xgrad.backends.base import Backend
from xgrad.optim import LBFGS
from xgrad.optim.strong_wolfe import Trial, cubic_minimum, strong_wolfe

SLOW = {"jax", "dask", "dpnp"}
SEARCHES = (None, "strong_wolfe")


def leaf(values, dtype="float64"):
    return make(xg, values, dtype, requires_grad=True)


def closure_of(optimizer, loss):
    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    return closure


def bowl(dtype="float64", **options):
    """An optimizer of two parameters, their loss, and the parameters."""
    a, b = leaf([-1.2, 1.0], dtype), leaf(0.5, dtype)
    optimizer = LBFGS([a, b], **options)

    def loss():
        return xg.sum((a * a - 2) ** 2) + (b - a[0]) ** 2

    return optimizer, closure_of(optimizer, loss), (a, b)


# --- PyTorch's numbers ----------------------------------------------------------------------------


@pytest.mark.parametrize("problem", reference.PROBLEMS)
def test_follows_pytorch_with_every_option(backend, problem):
    # The second factor of each case is odd for all options, so that a part of the cases has every option too.
    every = 25 if backend.name in SLOW else 5 if backend.name == "strict" else 1
    cases = range(0, len(reference.CASES), every)
    for i in cases:
        got = reference.run(xg, leaf, to_numpy, problem, reference.CASES[i])
        assert_close(got, reference.stored()[problem][i], 1e-10, f"case {i}: {reference.CASES[i]}", floor=1e-6)


def test_stored_numbers_are_what_pytorch_computes():
    pytest.importorskip("torch")
    for problem in reference.PROBLEMS:
        for i in range(0, len(reference.CASES), 7):
            assert_close(
                reference.torch_run(problem, reference.CASES[i]), reference.stored()[problem][i], 1e-10, floor=1e-6
            )


def test_arguments_and_defaults_are_pytorchs():
    torch = pytest.importorskip("torch")
    theirs = inspect.signature(torch.optim.LBFGS).parameters
    ours = inspect.signature(LBFGS).parameters
    assert [(p.name, p.default) for p in ours.values()] == [(p.name, p.default) for p in theirs.values()]
    assert set(LBFGS.checks) == set(ours) - {"params"}


@pytest.mark.parametrize("search", SEARCHES)
def test_complex_parameters_follow_pytorch(backend, search):
    torch = pytest.importorskip("torch")
    z, t = np.array([1 + 2j, -0.5j]), np.array([0.5 - 1j, 3.0])
    p, q = leaf(z, "complex128"), torch.tensor(z, requires_grad=True)
    ours, theirs = (cls([w], line_search_fn=search, max_iter=4) for cls, w in ((LBFGS, p), (torch.optim.LBFGS, q)))
    target, their_target = make(xg, t), torch.tensor(t)
    for _ in range(2):
        theirs.step(closure_of(theirs, lambda: (torch.abs(q * q - their_target) ** 2).sum()))
        ours.step(closure_of(ours, lambda: xg.sum(xg.abs(p * p - target) ** 2)))
    assert_close(to_numpy(p), q.detach().numpy(), 1e-10)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_precision_is_kept(backend, dtype, search):
    optimizer = LBFGS([p := leaf([-1.2, 1.0], dtype)], lr=0.5, line_search_fn=search)
    closure = closure_of(optimizer, lambda: xg.sum(xg.abs(p * p - 2) ** 2))
    for _ in range(2):
        optimizer.step(closure)
    assert p.dtype == getattr(xg, dtype)
    assert optimizer.state[p]["d"].dtype == xg.float32
    np.testing.assert_allclose(to_numpy(p), [-math.sqrt(2), math.sqrt(2)], rtol=1e-5)


def test_half_precision_works_in_float32(backend):
    if backend.name == "strict":
        pytest.skip("the library has no float16")
    optimizer = LBFGS([p := leaf([3.0, 1.0], "float16")], lr=0.5)
    optimizer.step(closure_of(optimizer, lambda: xg.sum((p - 1) ** 2)))
    assert to_numpy(p).dtype == np.float16
    assert optimizer.state[p]["d"].dtype == xg.float32
    np.testing.assert_allclose(to_numpy(p), [1.0, 1.0], rtol=1e-2)


# --- the line search ------------------------------------------------------------------------------


def test_the_minimum_of_a_cubic():
    """Of t**3 - 3 t + 2, which is at 1."""
    first, second = (Trial(t, t**3 - 3 * t + 2, 3 * t * t - 3) for t in (0.25, 3.0))
    assert cubic_minimum(first, second, 0.0, 5.0) == pytest.approx(1.0, rel=1e-14)
    assert cubic_minimum(second, first, 0.0, 5.0) == pytest.approx(1.0, rel=1e-14)
    assert cubic_minimum(first, second, 1.5, 5.0) == 1.5
    assert cubic_minimum(Trial(0.0, 0.0, 1.0), Trial(1.0, 1.2, 1.5), 0.25, 0.75) == 0.5  # it has none


@pytest.mark.parametrize("first", [1e-4, 0.1, 1.0, 7.0])
def test_the_step_length_satisfies_both_conditions(first):
    def at(t):
        return Trial(t, -t / (t * t + 2), (t * t - 2) / (t * t + 2) ** 2)

    start = at(0.0)
    found, trials = strong_wolfe(at, start, first, 1.0, 25)
    assert found.loss <= start.loss + 1e-4 * found.t * start.slope
    assert abs(found.slope) <= 0.9 * abs(start.slope)
    assert trials <= 12


# --- state ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("way", ["state_dict", "pickle", "deepcopy"])
def test_a_saved_state_goes_on(backend, way, search):
    options = {"max_iter": 3, "line_search_fn": search, "lr": 0.5}
    optimizer, closure, params = bowl(**options)
    optimizer.step(closure)
    if way == "state_dict":
        other, other_closure, others = bowl(**options)
        for p, q in zip(params, others, strict=True):
            q.data = p.detach() * 1
        other.load_state_dict(optimizer.state_dict())
    else:
        other = copy.deepcopy(optimizer) if way == "deepcopy" else pickle.loads(pickle.dumps(optimizer))
        a, b = others = other.param_groups[0]["params"]
        other_closure = closure_of(other, lambda: xg.sum((a * a - 2) ** 2) + (b - a[0]) ** 2)
    optimizer.step(closure)
    other.step(other_closure)
    for p, q in zip(params, others, strict=True):
        np.testing.assert_array_equal(to_numpy(p), to_numpy(q))
    assert other.state[others[0]]["func_evals"] == optimizer.state[params[0]]["func_evals"]


def test_a_state_of_pytorch_is_taken():
    torch = pytest.importorskip("torch")
    w = torch.tensor([-1.2, 1.0, 0.5], dtype=torch.float64, requires_grad=True)
    theirs = torch.optim.LBFGS([w], max_iter=3)

    def loss_of(w):
        return ((w * w - 2) ** 2).sum()

    theirs.step(closure_of(theirs, lambda: loss_of(w)))
    with xg.use_backend("numpy"):
        p = leaf(w.detach().numpy())
        ours = LBFGS([p])
        ours.load_state_dict(theirs.state_dict())
        entries = set(ours.state_dict()["state"][0])
        ours.step(closure_of(ours, lambda: loss_of(p)))
    assert entries == set(theirs.state_dict()["state"][0]) - {"al"}  # room for the recursion
    theirs.step(closure_of(theirs, lambda: loss_of(w)))
    assert_close(to_numpy(p), w.detach().numpy(), 1e-10)


def test_the_state_follows_the_parameters():
    """To another precision and backend."""
    pytest.importorskip("torch")
    with xg.use_backend("numpy"):
        layer = xg.nn.Linear(2, 1, dtype=xg.float64)
        x = np.array([[1.0, 2.0], [3.0, -1.0]])
        optimizer = LBFGS(layer.parameters(), max_iter=3)

        def loss():
            kind = "float64" if layer.weight.backend.name == "numpy" else "float32"
            return xg.sum((layer(layer.weight.backend.asarray(x.astype(kind))) - 1) ** 2)

        closure = closure_of(optimizer, loss)
        optimizer.step(closure)
        layer.to(backend="torch", dtype="float32")
        before = optimizer.step(closure).item()
        assert optimizer.step(closure).item() <= before
        assert optimizer.state[layer.weight]["d"].backend.name == "torch"


def test_a_state_that_does_not_fit_is_refused():
    with xg.use_backend("numpy"):
        optimizer, closure, (a, _) = bowl(max_iter=3)
        optimizer.step(closure)
        good, held = optimizer.state_dict(), optimizer.state[a]
        entry = good["state"][0]
        bad = {
            "has an entry for parameter 1": {1: entry},
            "H_diag is missing": {0: {k: v for k, v in entry.items() if k != "H_diag"}},
            "n_iter, func_evals is missing": {0: {"momentum_buffer": entry["d"]}},
            r"d is of shape \(2,\)": {0: {**entry, "d": xg.zeros(2)}},
            "must be of one length": {0: {**entry, "ro": []}},
            "the entry is a list, not a dict": {0: []},
            "d must be an array, not a str": {0: {**entry, "d": "d"}},
        }
        for text, state in bad.items():
            with pytest.raises(ValueError, match=text):
                optimizer.load_state_dict({**good, "state": state})
        with pytest.raises(ValueError, match=r'a loaded state is a dict with "state"'):
            optimizer.load_state_dict([])
        sgd = xg.optim.SGD([leaf(1.0), leaf(2.0)])
        with pytest.raises(ValueError, match="the loaded group 0 lacks max_iter"):
            optimizer.load_state_dict(sgd.state_dict())
        assert optimizer.state[a] is held


# --- a step ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("call", [1, 2, 4])
def test_an_error_in_the_closure_undoes_the_step(backend, search, call):
    optimizer, closure, params = bowl(max_iter=3, line_search_fn=search)
    optimizer.step(closure)
    before, state = [to_numpy(p) for p in params], dict(optimizer.state[params[0]])
    calls: list[None] = []

    def failing():
        calls.append(None)
        if len(calls) == call:
            raise RuntimeError("no more")
        return closure()

    def two_steps():
        optimizer.step(failing)
        optimizer.step(failing)

    with pytest.raises(RuntimeError, match="no more"):
        two_steps()
    assert len(calls) == call
    if call <= 2:  # in the first of the two steps
        for p, was in zip(params, before, strict=True):
            np.testing.assert_array_equal(to_numpy(p), was)
        assert dict(optimizer.state[params[0]]).keys() == state.keys()
        assert optimizer.state[params[0]]["n_iter"] == state["n_iter"]


def test_arrays_that_somebody_holds_are_not_written(backend):
    optimizer, closure, (a, _) = bowl(max_iter=2)
    raw, snapshot = a.data, a.detach()
    optimizer.step(closure)
    assert backend.to_numpy(raw).tolist() == to_numpy(snapshot).tolist() == [-1.2, 1.0]


def test_a_closure_may_return_a_number_and_runs_with_gradients(backend):
    optimizer, closure, (a, _) = bowl(max_iter=3)
    other, other_closure, (b, _) = bowl(max_iter=3)
    with xg.no_grad():
        assert optimizer.step(lambda: closure().item()) == pytest.approx(other.step(other_closure).item())
    np.testing.assert_array_equal(to_numpy(a), to_numpy(b))


def test_the_host_reads_once_for_each_call_and_each_direction(monkeypatch):
    reads: list[None] = []
    plain = Backend.read

    def counted(backend, arrays):
        reads.append(None)
        return plain(backend, arrays)

    monkeypatch.setattr(Backend, "read", counted)
    for search in SEARCHES:
        optimizer, closure, params = bowl(max_iter=5, line_search_fn=search)
        reads.clear()
        optimizer.step(closure)
        state = optimizer.state[params[0]]
        assert len(reads) == state["func_evals"] + state["n_iter"]


def test_a_schedule_changes_its_learning_rate():
    optimizer, closure, _ = bowl(lr=0.5)
    scheduler = xg.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.step(closure)
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] == 0.25


BAD: dict[str, Any] = {
    "lr": -1,
    "max_iter": 2.5,
    "max_eval": -1,
    "tolerance_grad": math.nan,
    "tolerance_change": "small",
    "history_size": 0,
    "line_search_fn": "armijo",
}


@pytest.mark.parametrize("option", BAD)
def test_a_wrong_option_is_refused(option):
    with pytest.raises(ValueError, match=f"LBFGS: {option} must be .*, got {BAD[option]!r}"):
        LBFGS([leaf(1.0)], **{option: BAD[option]})


def test_there_is_one_group_and_one_backend():
    with pytest.raises(ValueError, match="LBFGS has one param group"):
        LBFGS([{"params": [leaf(1.0)]}, {"params": [leaf(2.0)]}])
    pytest.importorskip("torch")
    with xg.use_backend("numpy"):
        a = leaf(1.0)
    with xg.use_backend("torch"):
        b = leaf(1.0)
    with pytest.raises(TypeError, match="LBFGS: the parameters must be on one backend, got Backend"):
        LBFGS([a, b]).step(lambda: None)
