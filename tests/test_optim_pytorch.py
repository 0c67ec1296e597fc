"""Optimizers beside PyTorch's: their states in each other, arguments of its implementations, hooks, and accumulated gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.data import make_torch_reference as reference
from tests.support.arrays import assert_close, make, to_numpy
from tests.support.training import OPTIMIZERS_BY_OPTION
from tests.test_optim import FULL, NAMES, OF_PYTORCH, stepped

# --- states -----------------------------------------------------------------------------------------


def told(state_dict: Any, convert: Any) -> Any:
    """A state with its arrays converted."""
    state = {i: {name: convert(v) for name, v in own.items()} for i, own in state_dict["state"].items()}
    return {"state": state, "param_groups": state_dict["param_groups"]}


@pytest.mark.parametrize("name", OF_PYTORCH)
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_a_state_of_pytorchs_is_continued_and_goes_back(name, dtype):
    """Each library trains for three steps; the other, with other options before, goes on with its state."""
    torch = pytest.importorskip("torch")
    z = np.array([[1.0, -2.0, 0.5]]) * (1 if dtype == "float64" else 1 + 0.5j)

    def their_steps(q: Any, optimizer: Any, offset: int) -> Any:
        for i in range(3):
            q.grad = torch.tensor(z * (i - 1) + offset)
            optimizer.step()
        return q.detach().numpy().copy()

    def our_steps(p: Any, optimizer: Any, offset: int) -> Any:
        return stepped(optimizer, p, *(z * (i - 1) + offset for i in range(3)))

    with reference.double_by_default(), xg.use_backend("numpy"):
        q = torch.tensor(z, requires_grad=True)
        theirs = getattr(torch.optim, name)([q], lr=0.1, **FULL[name])
        p = make(xg, their_steps(q, theirs, 1), dtype, requires_grad=True)
        ours = getattr(xg.optim, name)([p], lr=7.0)
        ours.load_state_dict(told(theirs.state_dict(), lambda v: v.numpy() if torch.is_tensor(v) else v))
        assert_close(our_steps(p, ours, 2), their_steps(q, theirs, 2), 1e-13)

        other = torch.tensor(to_numpy(p), requires_grad=True)
        again = getattr(torch.optim, name)([other], lr=7.0)
        again.load_state_dict(
            told(ours.state_dict(), lambda v: torch.tensor(to_numpy(v)) if isinstance(v, xg.Tensor) else v)
        )
        assert_close(our_steps(p, ours, 3), their_steps(other, again, 3), 1e-13)


@pytest.mark.parametrize("name", OF_PYTORCH)
def test_the_entries_of_a_state_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    q = torch.ones(2, requires_grad=True)
    theirs = getattr(torch.optim, name)([q], lr=0.1, **FULL[name])
    q.grad = torch.ones(2)
    theirs.step()
    with xg.use_backend("numpy"):
        p = make(xg, [1.0, 1.0], "float32", requires_grad=True)
        ours = getattr(xg.optim, name)([p], lr=0.1, **FULL[name])
        stepped(ours, p, [1.0, 1.0])
        state, other = ours.state_dict(), theirs.state_dict()
    assert set(state["state"][0]) == set(other["state"][0])
    ignored = {"foreach", "fused", "capturable", "differentiable"}
    assert set(other["param_groups"][0]) - set(state["param_groups"][0]) <= ignored


@pytest.mark.parametrize(("name", "entry"), [("NAdam", "mu_product"), ("ASGD", "eta")])
def test_a_number_of_a_loaded_state_is_checked(name, entry):
    with xg.use_backend("numpy"):
        p = make(xg, [1.0], "float64", requires_grad=True)
        optimizer = getattr(xg.optim, name)([p])
        stepped(optimizer, p, [1.0])
        saved = optimizer.state_dict()
        kept = saved["state"][0]
        for wrong in ("half", None, float("nan"), np.ones(2)):
            with pytest.raises(ValueError, match=f"{name}: .* parameter 0, {entry} must be a finite number"):
                optimizer.load_state_dict({**saved, "state": {0: {**kept, entry: wrong}}})
        optimizer.load_state_dict({**saved, "state": {0: {**kept, entry: np.asarray(0.25)}}})
        assert optimizer.state[p][entry] == 0.25


def test_a_number_in_the_state_follows_the_options_of_its_time():
    """NAdam's product is of the momenta that there were, not of those that the options have now."""
    torch = pytest.importorskip("torch")
    with reference.double_by_default(), xg.use_backend("numpy"):
        q = torch.ones(2, requires_grad=True)
        p = make(xg, [1.0, 1.0], "float64", requires_grad=True)
        late = make(xg, [1.0, 1.0], "float64", requires_grad=True)
        other = torch.ones(2, requires_grad=True)
        theirs, ours = torch.optim.NAdam([q, other]), xg.optim.NAdam([p, late])
        for step, beta in enumerate((0.9, 0.5, 0.9, 0.7)):
            for group in (theirs.param_groups[0], ours.param_groups[0]):
                group["betas"] = (beta, 0.99)
            for a, b in ((p, q), (late, other)) if step else ((p, q),):
                a.grad, b.grad = make(xg, [1.0, -step], "float64"), torch.tensor([1.0, -float(step)])
            theirs.step()
            ours.step()
        assert_close(to_numpy(p), q.detach().numpy(), 1e-14)
        assert_close(to_numpy(late), other.detach().numpy(), 1e-14)


# --- arguments that choose an implementation ----------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_arguments_that_choose_an_implementation_change_nothing(name):
    cls = getattr(xg.optim, name)
    with xg.use_backend("numpy"):
        p, q = (make(xg, [1.0, -2.0], "float64", requires_grad=True) for _ in range(2))
        chosen = cls([p], lr=0.1, foreach=True, fused=None, capturable=True, differentiable=False)
        assert "foreach" not in chosen.param_groups[0]
        want = stepped(cls([q], lr=0.1), q, [1.0, 2.0])
        np.testing.assert_array_equal(stepped(chosen, p, [1.0, 2.0]), want)
        with pytest.raises(TypeError, match=f"{name} has no option 'sparse'"):
            cls([p], sparse=True)
        with pytest.raises(ValueError, match=rf"{name}: differentiable=True .*{name}\.update"):
            cls([p], differentiable=True)


# --- accumulation and groups ----------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS_BY_OPTION)
def test_gradients_of_several_backwards_are_added(backend, name, options):
    together, apart = (make(xg, [[1.0, -2.0], [0.5, 3.0]], "float64", requires_grad=True) for _ in range(2))
    one, other = (getattr(xg.optim, name)([p], lr=0.1, **options) for p in (together, apart))
    for _ in range(3):
        one.zero_grad()
        other.zero_grad()
        (xg.sum(together * together) + xg.sum(together)).backward()
        xg.sum(apart * apart).backward()
        xg.sum(apart).backward()
        one.step()
        other.step()
    assert_close(to_numpy(apart), to_numpy(together), 1e-14)


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS_BY_OPTION)
def test_groups_have_options_of_their_own(backend, name, options):
    """Two groups move as two optimizers would."""
    params, alone = ([make(xg, [1.0, -2.0], "float64", requires_grad=True) for _ in range(2)] for _ in range(2))
    cls = getattr(xg.optim, name)
    optimizer = cls([{"params": [params[0]]}, {"params": [params[1]], "lr": 0.5}], lr=0.1, **options)
    others = [cls([p], lr=lr, **options) for p, lr in zip(alone, (0.1, 0.5), strict=True)]
    for step in range(3):
        for p in (*params, *alone):
            p.grad = make(xg, [0.5, step - 1.0], "float64")
        for moving in (optimizer, *others):
            moving.step()
    for p, q in zip(params, alone, strict=True):
        np.testing.assert_array_equal(to_numpy(p), to_numpy(q))
    assert not np.array_equal(to_numpy(params[0]), to_numpy(params[1]))


# --- hooks ------------------------------------------------------------------------------------------


def test_hooks_run_before_and_after_a_step():
    with xg.use_backend("numpy"):
        w = make(xg, [1.0], "float64", requires_grad=True)
        optimizer = xg.optim.SGD([w], lr=0.5)
        seen: list[Any] = []

        def note(what: str) -> Any:
            return lambda o, args, kwargs: seen.append((what, o is optimizer, len(args), to_numpy(w).item()))

        before = optimizer.register_step_pre_hook(note("before"))
        after = optimizer.register_step_post_hook(note("after"))
        stepped(optimizer, w, [1.0])
        assert seen == [("before", True, 1, 1.0), ("after", True, 1, 0.5)]
        for handle in (before, before, after):
            handle.remove()
        stepped(optimizer, w, [1.0])
        assert len(seen) == 2


def test_a_hook_may_replace_the_closure():
    with xg.use_backend("numpy"):
        w = make(xg, [1.0], "float64", requires_grad=True)
        optimizer = xg.optim.SGD([w], lr=0.5)
        handle = optimizer.register_step_pre_hook(lambda o, args, kwargs: ((o,), {"closure": lambda: "replaced"}))
        assert optimizer.step(lambda: "first") == "replaced"
        handle.remove()
        assert optimizer.step(lambda: "first") == "first"
        optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
        with pytest.raises(TypeError, match="SGD: a hook before a step must return None or"):
            optimizer.step()


def test_hooks_of_an_optimizer_with_a_step_of_its_own():
    with xg.use_backend("numpy"):
        w = make(xg, [1.0], "float64", requires_grad=True)
        optimizer = xg.optim.LBFGS([w])
        seen: list[Any] = []
        optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append(len(args)))
        optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append("after"))

        def closure() -> Any:
            optimizer.zero_grad()
            loss = xg.sum(w * w)
            loss.backward()
            return loss

        assert optimizer.step(closure).item() == 1.0
        assert seen == [2, "after"]
