"""Schedules of learning rates: PyTorch's numbers for each schedule, what is saved, who is warned, what is refused."""

from __future__ import annotations

import copy
import inspect
import json
import math
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.data import schedules
from tests.data.schedules import BY_EPOCH, KEPT, PLATEAUS, RESUMED, SCHEDULES, STEPS
from tests.support.arrays import make
from xgrad.optim import lr_scheduler

# A schedule of schedules makes the first step of each again; PyTorch warns of it too.
pytestmark = pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")


def assert_same(got, want):
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-15)


def sgd(*lrs, **options):
    groups = [{"params": [xg.nn.Parameter(xg.zeros(1))], "lr": lr} for lr in lrs or (1.0,)]
    return xg.optim.SGD(groups, **options)


# --- PyTorch's numbers ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCHEDULES)
def test_learning_rates_and_momentums_are_pytorchs(name):
    assert_same(schedules.run(xg, name)[list(KEPT)], schedules.stored()[name])


@pytest.mark.parametrize("name", SCHEDULES)
def test_each_step_is_pytorchs(name):
    torch = pytest.importorskip("torch")
    assert_same(schedules.run(xg, name, "Adam"), schedules.run(torch, name, "Adam"))


@pytest.mark.parametrize("name", BY_EPOCH)
def test_step_takes_an_epoch(name):
    assert_same(schedules.run_by_epoch(xg, name), schedules.stored()[f"{name} by epoch"])


@pytest.mark.parametrize("name", RESUMED)
def test_a_schedule_starts_in_the_middle(name):
    assert_same(schedules.run_resumed(xg, name), schedules.stored()[f"{name} resumed"])


@pytest.mark.parametrize("name", PLATEAUS)
def test_a_plateau_is_found_where_pytorch_finds_it(name):
    got = schedules.run_plateau(xg, name)
    assert_same(got[list(KEPT)], schedules.stored()[name])
    assert len(np.unique(got[:, 0, 0])) > 1


def test_stored_numbers_are_what_pytorch_computes():
    torch = pytest.importorskip("torch")
    now = schedules.all_runs(torch)
    assert set(now) == set(schedules.stored())
    for name, numbers in now.items():
        np.testing.assert_allclose(schedules.stored()[name], numbers, rtol=1e-13, err_msg=name)


@pytest.mark.parametrize("name", lr_scheduler.__all__)
def test_arguments_and_defaults_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    theirs = inspect.signature(getattr(torch.optim.lr_scheduler, name)).parameters
    ours = inspect.signature(getattr(lr_scheduler, name)).parameters
    assert [(p.name, p.default, p.kind) for p in ours.values()] == [
        (p.name, p.default, p.kind) for p in theirs.values()
    ]


def test_every_schedule_of_pytorch_is_here():
    torch = pytest.importorskip("torch")
    assert set(lr_scheduler.__all__) == set(torch.optim.lr_scheduler.__all__)


def test_a_learning_rate_is_used_by_the_next_step(backend):
    w = make(xg, [0.0], requires_grad=True)
    optimizer = xg.optim.SGD([w], lr=1.0)
    scheduler = lr_scheduler.ExponentialLR(optimizer, 0.5)
    for _ in range(3):
        w.grad = xg.ones_like(w)
        optimizer.step()
        scheduler.step()
    assert w.item() == -1.75


def test_a_loss_on_the_device_is_a_quantity(backend):
    scheduler = lr_scheduler.ReduceLROnPlateau(sgd(), patience=0)
    scheduler.step(make(xg, 2.0))
    scheduler.step(make(xg, 3.0))
    assert scheduler.get_last_lr() == [0.1]


# --- saving ---------------------------------------------------------------------------------------


def saved(optimizer, scheduler):
    """Both states, as they come back from a file of text."""
    states = optimizer.state_dict(), scheduler.state_dict()
    return json.loads(json.dumps(states[0]["param_groups"])), json.loads(json.dumps(states[1]))


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_loaded_schedule_goes_on(name):
    want = schedules.run(xg, name)
    optimizer = schedules.optimizer(xg)
    scheduler = SCHEDULES[name](lr_scheduler, optimizer)
    for step in range(STEPS):
        if step == 77:
            groups, state = saved(optimizer, scheduler)
            optimizer = schedules.optimizer(xg)
            scheduler = SCHEDULES[name](lr_scheduler, optimizer)
            optimizer.load_state_dict({"state": {}, "param_groups": groups})
            scheduler.load_state_dict(state)
            assert scheduler.get_last_lr() == [group["lr"] for group in optimizer.param_groups]
        optimizer.step()
        scheduler.step()
    assert_same(schedules.rates(optimizer), want[-1])


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_state_of_pytorch_is_taken(name):
    torch = pytest.importorskip("torch")
    runs = []
    for library in (torch, xg):
        optimizer = schedules.optimizer(library)
        runs.append((optimizer, SCHEDULES[name](library.optim.lr_scheduler, optimizer)))
    (theirs, their_schedule), (ours, our_schedule) = runs
    for _ in range(50):
        theirs.step()
        their_schedule.step()
    for group, other in zip(ours.param_groups, theirs.param_groups, strict=True):
        group.update({name: other[name] for name in ("lr", "momentum")})
    our_schedule.load_state_dict(their_schedule.state_dict())
    for _ in range(20):
        for optimizer, scheduler in runs:
            optimizer.step()
            scheduler.step()
    assert_same(schedules.rates(ours), schedules.rates(theirs))
    assert_same(our_schedule.get_last_lr(), their_schedule.get_last_lr())


def entries(state):
    return {name for name in state if name not in ("_is_initial", "_get_lr_called_within_step")}


@pytest.mark.parametrize("name", [*SCHEDULES, *PLATEAUS])
def test_a_state_has_pytorchs_entries(name):
    torch = pytest.importorskip("torch")
    states = []
    for library in (torch, xg):
        optimizer = schedules.optimizer(library)
        module = library.optim.lr_scheduler
        made = SCHEDULES[name](module, optimizer) if name in SCHEDULES else module.ReduceLROnPlateau(optimizer)
        states.append(entries(made.state_dict()))
    assert states[1] == states[0] - {"mode_worse"}  # follows from the mode


def test_a_plateau_is_saved():
    runs = [lr_scheduler.ReduceLROnPlateau(sgd(), factor=0.5, patience=2) for _ in range(2)]
    for quantity in (3.0, 4.0, 4.0):
        runs[0].step(quantity)
    runs[1].load_state_dict(json.loads(json.dumps(runs[0].state_dict())))
    runs[1].step(4.0)
    assert runs[1].get_last_lr() == [0.5]


def test_what_of_a_function_is_saved():
    height = schedules.Height(0.5)
    scheduler = lr_scheduler.LambdaLR(sgd(1.0, 1.0, 1.0), [height, lambda t: 1.0, math.cos])
    state = scheduler.state_dict()
    assert state["lr_lambdas"] == [{"rate": 0.5}, None, None]
    state["lr_lambdas"][0]["rate"] = 0.25
    scheduler.load_state_dict(state)
    assert height.rate == 0.25


def test_a_state_is_a_copy():
    scheduler = lr_scheduler.StepLR(sgd(), 1)
    state = scheduler.state_dict()
    state["base_lrs"][0] = 7.0
    scheduler.get_last_lr()[0] = 7.0
    assert scheduler.base_lrs == scheduler.get_last_lr() == [1.0]
    scheduler.load_state_dict(state)
    state["base_lrs"][0] = 8.0
    assert scheduler.base_lrs == [7.0]


def test_a_state_that_lacks_something_is_refused():
    scheduler = lr_scheduler.StepLR(sgd(), 1)
    before = scheduler.state_dict()
    with pytest.raises(ValueError, match="StepLR: the loaded state lacks step_size: is it the state of another class"):
        scheduler.load_state_dict({**lr_scheduler.ExponentialLR(sgd(), 0.9).state_dict(), "last_epoch": 7})
    with pytest.raises(ValueError, match="StepLR: a loaded state is a dict, got list"):
        scheduler.load_state_dict([])  # type: ignore[arg-type]
    assert scheduler.state_dict() == before
    chain = lr_scheduler.ChainedScheduler([scheduler])
    with pytest.raises(ValueError, match="there are 1 schedulers, the loaded state has 0"):
        chain.load_state_dict({**chain.state_dict(), "_schedulers": []})


def test_copies_and_pickles_go_on():
    optimizer = sgd()
    scheduler = lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    for other in (copy.deepcopy(scheduler), pickle.loads(pickle.dumps(scheduler))):
        assert other.optimizer is not optimizer
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            other.step()
        assert other.optimizer.param_groups[0]["lr"] == 0.5
    assert optimizer.param_groups[0]["lr"] == 1.0


def test_the_learning_rate_at_the_start_is_in_the_group():
    optimizer = sgd(0.5)
    lr_scheduler.ConstantLR(optimizer, 0.5)
    assert (optimizer.param_groups[0]["initial_lr"], optimizer.param_groups[0]["lr"]) == (0.5, 0.25)
    other = sgd(0.1)
    other.load_state_dict(optimizer.state_dict())
    assert lr_scheduler.ConstantLR(other, 0.5, last_epoch=3).get_last_lr() == [0.25]


# --- warnings -------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("default")
def test_a_step_before_the_optimizers_warns_once():
    scheduler = lr_scheduler.StepLR(sgd(), 1)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        scheduler.step()
        scheduler.step()
    assert [str(each.message)[:65] for each in seen] == [
        "Detected call of `lr_scheduler.step()` before `optimizer.step()`:"
    ]
    assert seen[0].filename == __file__


@pytest.mark.filterwarnings("error")
def test_a_step_after_the_optimizers_does_not_warn():
    for made in (sgd(), Own([xg.nn.Parameter(xg.zeros(1))])):
        scheduler = lr_scheduler.StepLR(made, 1)
        made.step()
        scheduler.step()
    optimizer = sgd()
    plain, called = optimizer.step, []
    optimizer.step = lambda: called.append(plain())
    scheduler = lr_scheduler.StepLR(optimizer, 1)
    optimizer.step()
    scheduler.step()
    assert called == [None]


class Own(xg.optim.SGD):
    def step(self, closure=None):
        """Does nothing, and does not call the step of the base class."""


@pytest.mark.filterwarnings("error")
def test_an_epoch_warns_and_get_lr_warns_outside_of_step():
    optimizer = sgd()
    scheduler = lr_scheduler.StepLR(optimizer, 1)
    optimizer.step()
    with pytest.warns(UserWarning, match="epoch parameter"):
        scheduler.step(3)
    with pytest.warns(UserWarning, match="use `get_last_lr"):
        scheduler.get_lr()
    with pytest.warns(UserWarning, match="epoch parameter"):
        lr_scheduler.ReduceLROnPlateau(optimizer).step(1.0, epoch=2)


# --- beside PyTorch -------------------------------------------------------------------------------


def test_groups_that_come_later_are_scheduled_too():
    optimizer = sgd(1.0)
    run = [lr_scheduler.StepLR(optimizer, 1, 0.5), lr_scheduler.LambdaLR(optimizer, lambda t: 0.5**t)]
    optimizer.step()
    for scheduler in run:
        scheduler.step()
    optimizer.add_param_group({"params": [xg.nn.Parameter(xg.zeros(1))], "lr": 4.0})
    run[0].step()
    assert run[0].get_last_lr() == [0.25, 2.0]
    run[1].step()
    assert run[1].get_last_lr() == [0.25, 1.0]
    several = lr_scheduler.LambdaLR(optimizer, [lambda t: 1.0, lambda t: 2.0])
    optimizer.add_param_group({"params": [xg.nn.Parameter(xg.zeros(1))]})
    with pytest.raises(
        ValueError, match="LambdaLR: the optimizer has got more param groups: 3, and there are 2 functions"
    ):
        several.step()


def test_a_learning_rate_that_ends_at_0_is_not_below_it():
    optimizer = sgd(0.1)
    scheduler = lr_scheduler.LinearLR(optimizer, 0.3, 0.0, 7)
    for _ in range(20):
        optimizer.step()
        scheduler.step()
    assert 0 <= scheduler.get_last_lr()[0] < 1e-15


def test_one_cycle_ends_where_it_ends():
    for strategy in ("cos", "linear"):
        optimizer = sgd(momentum=0.9)
        scheduler = lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=4, anneal_strategy=strategy, max_momentum=0.99)
        for _ in range(4):
            optimizer.step()
            scheduler.step()
        assert 0 <= scheduler.get_last_lr()[0] < 0.4
        with pytest.raises(ValueError, match="OneCycleLR: step 5 lies behind the end: total_steps is 4"):
            scheduler.step()


def test_a_phase_of_one_step_is_at_its_end():
    """PyTorch divides by zero."""
    scheduler = lr_scheduler.OneCycleLR(sgd(momentum=0.9), 1.0, total_steps=10, pct_start=0.1)
    assert scheduler.get_last_lr() == [1.0]


def test_a_factor_of_0_ends():
    """PyTorch divides by zero."""
    optimizer = sgd(0.5)
    scheduler = lr_scheduler.ConstantLR(optimizer, 0.0, 2)
    for _ in range(2):
        assert scheduler.get_last_lr() == [0.0]
        optimizer.step()
        scheduler.step()
    assert scheduler.get_last_lr() == [0.5]


def test_schedules_of_schedules_start_again_at_a_milestone():
    """PyTorch has no first step of these."""
    optimizer = sgd()
    chain = lr_scheduler.ChainedScheduler(
        [lr_scheduler.ConstantLR(optimizer, 0.5, 2), lr_scheduler.StepLR(optimizer, 3, 0.5)]
    )
    inner = lr_scheduler.SequentialLR(
        optimizer, [lr_scheduler.ConstantLR(optimizer, 0.25, 2), lr_scheduler.ExponentialLR(optimizer, 0.5)], [2]
    )
    outer = lr_scheduler.SequentialLR(optimizer, [lr_scheduler.ExponentialLR(optimizer, 0.5), chain, inner], [2, 6])
    lrs = []
    for _ in range(11):
        lrs += outer.get_last_lr()
        optimizer.step()
        outer.step()
    assert lrs == [1.0, 0.5, *(0.5, 0.5, 1.0, 0.5), *(0.25, 0.25, 1.0, 0.5, 0.25)]


class Half(lr_scheduler.LRScheduler):
    """As a schedule written for PyTorch."""

    def get_lr(self):
        if not self._get_lr_called_within_step:
            warnings.warn("outside", stacklevel=2)
        return [group["lr"] * (0.5 if self._step_count > 1 else 1) for group in self.optimizer.param_groups]

    def _get_closed_form_lr(self):
        return [base * 0.5**self.last_epoch for base in self.base_lrs]


@pytest.mark.filterwarnings("error")
def test_a_schedule_of_ones_own():
    optimizer = sgd(1.0, 2.0)
    scheduler = Half(optimizer)
    optimizer.step()
    scheduler.step()
    assert scheduler.get_last_lr() == [0.5, 1.0]
    with pytest.warns(UserWarning, match="epoch"):
        scheduler.step(3)
    assert scheduler.get_last_lr() == [0.125, 0.25]
    with pytest.raises(NotImplementedError, match="LRScheduler defines get_lr"):
        lr_scheduler.LRScheduler(optimizer)


# --- refusals -------------------------------------------------------------------------------------

L: Any = lr_scheduler  # wrong types are wanted here
REFUSED = {
    "no optimizer": (lambda o: L.StepLR(None, 1), TypeError, "StepLR: expected an Optimizer, got NoneType"),
    "no optimizer, plateau": (lambda o: L.ReduceLROnPlateau(1), TypeError, "expected an Optimizer, got int"),
    "no initial_lr": (lambda o: L.StepLR(o, 1, last_epoch=3), KeyError, "param group 0 has no 'initial_lr'"),
    "step_size": (lambda o: L.StepLR(o, 0), ValueError, "StepLR: step_size must be more than 0, got 0"),
    "factor": (lambda o: L.ConstantLR(o, 1.5), ValueError, "ConstantLR: factor must be from 0 to 1, got 1.5"),
    "start_factor": (
        lambda o: L.LinearLR(o, 0.0),
        ValueError,
        "LinearLR: start_factor must be more than 0 and at most 1",
    ),
    "end_factor": (lambda o: L.LinearLR(o, 0.5, -1), ValueError, "LinearLR: end_factor must be from 0 to 1, got -1"),
    "T_max": (lambda o: L.CosineAnnealingLR(o, 0), ValueError, "CosineAnnealingLR: T_max must be more than 0, got 0"),
    "T_0": (lambda o: L.CosineAnnealingWarmRestarts(o, 1.5), ValueError, "T_0 must be an integer, 1 or more, got 1.5"),
    "T_mult": (lambda o: L.CosineAnnealingWarmRestarts(o, 2, 0), ValueError, "T_mult must be an integer, 1 or more"),
    "eta_min": (lambda o: L.CosineAnnealingWarmRestarts(o, 2, 1, "0"), ValueError, "eta_min must be a number, got '0'"),
    "epoch": (lambda o: L.CosineAnnealingWarmRestarts(o, 2).step(-1), ValueError, "epoch must be 0 or more, got -1"),
    "no function": (
        lambda o: L.LambdaLR(o, 0.5),
        TypeError,
        "LambdaLR: lr_lambda must be a function of the step, got float",
    ),
    "two functions": (lambda o: L.LambdaLR(o, [math.cos] * 2), ValueError, "a value for each of 1 param groups, got 2"),
    "nan": (
        lambda o: L.LambdaLR(o, lambda t: math.nan),
        ValueError,
        "SGD: lr must be a finite number, 0 or more, got nan",
    ),
    "below 0": (
        lambda o: L.LambdaLR(o, lambda t: -0.5),
        ValueError,
        "SGD: lr must be a finite number, 0 or more, got -0.5",
    ),
    "mode": (lambda o: L.ReduceLROnPlateau(o, "least"), ValueError, "mode must be 'min' or 'max', got 'least'"),
    "threshold_mode": (lambda o: L.ReduceLROnPlateau(o, threshold_mode=1), ValueError, "must be 'rel' or 'abs', got 1"),
    "plateau": (lambda o: L.ReduceLROnPlateau(o, factor=1.0), ValueError, "factor must be less than 1, got 1.0"),
    "min_lr": (lambda o: L.ReduceLROnPlateau(o, min_lr=[1, 2]), ValueError, "min_lr must have a value for each of 1"),
    "total_steps": (lambda o: L.OneCycleLR(o, 1.0), ValueError, "give total_steps, or both epochs and steps_per_epoch"),
    "total_steps 0": (
        lambda o: L.OneCycleLR(o, 1.0, 0),
        ValueError,
        "total_steps must be an integer, 1 or more, got 0",
    ),
    "epochs": (lambda o: L.OneCycleLR(o, 1.0, epochs=0, steps_per_epoch=2), ValueError, "epochs must be an integer"),
    "pct_start": (lambda o: L.OneCycleLR(o, 1.0, 9, pct_start=2), ValueError, "pct_start must be from 0 to 1, got 2"),
    "anneal": (
        lambda o: L.OneCycleLR(o, 1.0, 9, anneal_strategy="up"),
        ValueError,
        "must be 'cos' or 'linear', got 'up'",
    ),
    "max_lr": (lambda o: L.OneCycleLR(o, [1, 2], 9), ValueError, "OneCycleLR: max_lr must have a value for each of 1"),
    "cyclic mode": (
        lambda o: L.CyclicLR(o, 0, 1, mode="up"),
        ValueError,
        "mode must be 'triangular' or 'triangular2' or",
    ),
    "scale_mode": (lambda o: L.CyclicLR(o, 0, 1, scale_fn=abs, scale_mode="x"), ValueError, "'cycle' or 'iterations'"),
    "step_size_up": (
        lambda o: L.CyclicLR(o, 0, 1, 0),
        ValueError,
        "step_size_up and step_size_down must be more than 0",
    ),
    "no schedulers": (lambda o: L.ChainedScheduler([]), ValueError, "ChainedScheduler: there are no schedulers"),
    "no scheduler": (lambda o: L.ChainedScheduler([1]), TypeError, "scheduler 0 must be an LRScheduler, got int"),
    "plateau in it": (
        lambda o: L.SequentialLR(o, [L.ReduceLROnPlateau(o)], []),
        ValueError,
        "scheduler 0 is ReduceLROn",
    ),
    "another": (
        lambda o: L.SequentialLR(o, [L.StepLR(sgd(), 1)], []),
        ValueError,
        "StepLR, belongs to another optimizer",
    ),
    "milestones": (
        lambda o: L.SequentialLR(o, [L.StepLR(o, 1)], [1]),
        ValueError,
        "1 schedulers need 0 milestones, got 1",
    ),
    "falling": (lambda o: L.SequentialLR(o, [L.StepLR(o, 1)] * 3, [2, 1]), ValueError, "milestones must not decrease"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_wrong_is_refused(what):
    make_it, kind, text = REFUSED[what]
    with pytest.raises(kind) as caught:
        make_it(sgd(momentum=0.5))
    assert text in str(caught.value)


def test_a_momentum_is_needed_to_cycle_it():
    optimizer = xg.optim.Adagrad([xg.nn.Parameter(xg.zeros(1))])
    with pytest.raises(
        ValueError, match="CyclicLR: cycle_momentum needs an optimizer with the option momentum or betas"
    ):
        lr_scheduler.CyclicLR(optimizer, 0.1, 0.2)
    assert lr_scheduler.CyclicLR(optimizer, 0.1, 0.2, cycle_momentum=False).get_last_lr() == [0.1]


def test_a_plateau_with_more_groups():
    optimizer = sgd()
    one, each = (
        lr_scheduler.ReduceLROnPlateau(optimizer, patience=0),
        lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.5]),
    )
    optimizer.add_param_group({"params": [xg.nn.Parameter(xg.zeros(1))], "lr": 2.0})
    one.step(1.0)
    one.step(1.0)
    assert one.get_last_lr() == [0.1, 0.2]
    each.step(1.0)
    with pytest.raises(RuntimeError, match="the optimizer has 2 param groups, and min_lrs 1 values"):
        each.step(1.0)
