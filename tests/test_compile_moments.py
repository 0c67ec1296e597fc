"""A compiled step of every optimizer gives what the step gives, under schedules and with every kind of state."""

from __future__ import annotations

import gc
import weakref
from typing import Any, ClassVar

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import to_numpy
from xgrad import nn, optim

F = nn.functional

# As outside of pytest: where a warning is an error, nothing is written in place.
pytestmark = pytest.mark.filterwarnings("default::RuntimeWarning")

OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "SGD momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "Adam": lambda p: optim.Adam(p, lr=0.01, amsgrad=True),
    "AdamW": lambda p: optim.AdamW(p, lr=0.01),
    "NAdam": lambda p: optim.NAdam(p),
    "RAdam": lambda p: optim.RAdam(p),
    "Adamax": lambda p: optim.Adamax(p),
    "Adadelta": lambda p: optim.Adadelta(p),
    "Adagrad": lambda p: optim.Adagrad(p, lr_decay=0.1),
    "RMSprop": lambda p: optim.RMSprop(p, momentum=0.5, centered=True),
    "Rprop": lambda p: optim.Rprop(p),
    "ASGD": lambda p: optim.ASGD(p),
    "Lion": lambda p: optim.Lion(p),
    "LAMB": lambda p: optim.LAMB(p),
    "Adafactor": lambda p: optim.Adafactor(p),
}


def assert_same(results, rtol):
    got, want = results
    np.testing.assert_allclose(got, want, rtol=rtol)


def training(make, compiled, steps=9, groups=False, dtype=None):
    """The weights and the losses after some steps, and the compiled step."""
    xg.random.seed(0)
    model = nn.Sequential(nn.Linear(3, 4, dtype=dtype), nn.Tanh(), nn.Linear(4, 1, dtype=dtype))
    rng = np.random.default_rng(0)
    x, y = (xg.asarray(rng.normal(size=(6, n)), dtype=dtype) for n in (3, 1))
    params: Any = model.parameters()
    if groups:
        params = [{"params": model[0].parameters(), "lr": 0.05}, {"params": model[2].parameters()}]
    optimizer = make(params)
    schedule = optim.lr_scheduler.ExponentialLR(optimizer, 0.8)

    def step(x, y):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    run = xg.compile(step) if compiled else step
    losses = []
    for i in range(steps):
        losses.append(to_numpy(run(x, y)).item())
        if i % 2:
            schedule.step()
    moments = [
        (name, optimizer.state[p][name]) for p in model.parameters() for name in sorted(optimizer.state.get(p, {}))
    ]
    arrays = [(n, xg.get_backend().to_numpy(m) if hasattr(m, "shape") else m) for n, m in moments]
    return losses, [to_numpy(p) for p in model.parameters()], arrays, run


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_is_that_of_the_optimizer(name, backend):
    want, got = (training(OPTIMIZERS[name], compiled) for compiled in (False, True))
    np.testing.assert_allclose(got[0], want[0], rtol=1e-12)
    for one, other in zip(got[1], want[1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)
    assert [n for n, _ in got[2]] == [n for n, _ in want[2]]
    for (_, one), (_, other) in zip(got[2], want[2], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)
    assert len(got[3].programs) <= 2 + (name == "RAdam")  # whose formula changes after some steps


@pytest.mark.parametrize("name", ["Adam", "AdamW", "NAdam", "RAdam"])
def test_betas_may_change_from_step_to_step(name, backend):
    """OneCycleLR changes them; so there are two programs, and the second one reads them anew."""

    def train(compiled):
        w = xg.asarray([1.0, -2.0], requires_grad=True)
        optimizer = getattr(optim, name)([w], lr=0.1)

        def step(x):
            optimizer.zero_grad()
            loss = xg.sum((w * w - x) ** 2)
            loss.backward()
            optimizer.step()
            return loss

        run = xg.compile(step) if compiled else step
        schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.2, total_steps=11)
        for _ in range(10):
            run(xg.asarray([2.0, 3.0]))
            schedule.step()
        return to_numpy(w), run

    (want, _), (got, compiled) = train(False), train(True)
    np.testing.assert_allclose(got, want, rtol=1e-12)
    assert len(compiled.programs) == (3 if name == "RAdam" else 2)  # RAdam's steps differ once it is rectified


def test_parameter_groups(backend):
    want, got = (training(OPTIMIZERS["AdamW"], compiled, groups=True) for compiled in (False, True))
    np.testing.assert_allclose(got[0], want[0], rtol=1e-12)
    assert len(got[3].programs) == 2


def test_groups_carry_numbers_of_their_own(backend):
    """NAdam's state holds a product of decays, which differs from group to group."""
    results = []
    for compiled in (False, True):
        a, b = (xg.asarray(np.asarray([1.0, 2.0]), requires_grad=True) for _ in range(2))
        groups: Any = [{"params": [a], "betas": (0.5, 0.9)}, {"params": [b], "momentum_decay": 0.1}]
        optimizer = optim.NAdam(groups, lr=0.1)

        def step(a=a, b=b, optimizer=optimizer):
            optimizer.zero_grad()
            (xg.sum(a**2) + xg.sum(b**4)).backward()
            optimizer.step()

        run = xg.compile(step) if compiled else step
        for _ in range(4):
            run()
        products = [optimizer.state[p]["mu_product"] for p in (a, b)]
        results.append([*to_numpy(a), *to_numpy(b), *products])
    assert_same(results, rtol=1e-13)


@pytest.mark.parametrize("engine", ["numpy", "xla"])
def test_moments_that_the_user_holds_stay_and_others_are_freed(engine):
    if engine == "xla":
        pytest.importorskip("jax")
    w = xg.asarray(np.ones(1000), requires_grad=True)
    optimizer = optim.Adam([w])

    def step():
        optimizer.zero_grad()
        xg.sum(w**2).backward()
        optimizer.step()

    compiled = xg.compile(step, engine=engine)
    compiled()
    dropped = weakref.ref(optimizer.state[w]["exp_avg"])
    for _ in range(3):
        compiled()
    gc.collect()
    assert dropped() is None or dropped() is optimizer.state[w]["exp_avg"]
    held = optimizer.state[w]["exp_avg"]
    before = held.copy()
    for _ in range(2):
        compiled()
    np.testing.assert_array_equal(held, before)
    assert not np.array_equal(optimizer.state[w]["exp_avg"], before)


def test_half_precision_has_moments_in_float32(backend):
    dtype = getattr(backend.library, "float16", None)
    if dtype is None:
        pytest.skip("the library has no float16")
    want, got = (training(OPTIMIZERS["Adam"], compiled, dtype=dtype) for compiled in (False, True))
    assert got[0] == want[0]
    for one, other in zip(got[1], want[1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_complex_parameters(backend):
    results = []
    for compiled in (False, True):
        w = xg.asarray(np.asarray([1.0 + 2.0j, -0.5j]), requires_grad=True)
        optimizer = optim.Adam([w], lr=0.1)

        def step(w=w, optimizer=optimizer):
            optimizer.zero_grad()
            xg.sum(xg.abs(w - 1.0) ** 2).backward()
            optimizer.step()

        run = xg.compile(step) if compiled else step
        for _ in range(4):
            run()
        results.append(to_numpy(w))
    assert_same(results, rtol=1e-13)


def test_two_steps_in_one_program(backend):
    results = []
    for compiled in (False, True):
        w = xg.asarray(np.asarray([1.0, 2.0]), requires_grad=True)
        optimizer = optim.Adam([w], lr=0.1)

        def step(w=w, optimizer=optimizer):
            for power in (2, 4):
                optimizer.zero_grad()
                xg.sum(w**power).backward()
                optimizer.step()

        run = xg.compile(step) if compiled else step
        for _ in range(4):
            run()
        assert optimizer.state[w]["step"] == 8
        results.append(to_numpy(w))
    assert_same(results, rtol=1e-13)


@pytest.mark.parametrize("engine", ["auto", "xla"])
def test_steps_with_and_without_the_program_mix(engine, backend):
    """Eager steps, a loaded state and another option between the compiled ones."""
    if engine == "xla":
        pytest.importorskip("jax")
        if backend.name not in ("numpy", "jax"):
            pytest.skip("the engine computes on arrays of NumPy and JAX")
    results = []
    for compiled in (False, True):
        w = xg.asarray(np.asarray([1.0, 2.0, 3.0]), requires_grad=True)
        optimizer = optim.Adam([w], lr=0.1)

        def step(w=w, optimizer=optimizer):
            optimizer.zero_grad()
            xg.sum(w**4).backward()
            optimizer.step()

        run = xg.compile(step, engine=engine) if compiled else step
        for _ in range(3):
            run()
        step()
        saved = optimizer.state_dict()
        run()
        optimizer.load_state_dict(saved)
        run()
        optimizer.param_groups[0]["betas"] = (0.5, 0.9)
        run()
        optimizer.param_groups[0]["weight_decay"] = 0.1
        run()
        optimizer.param_groups[0]["amsgrad"] = True
        run()
        step()
        run()
        results.append(to_numpy(w))
    assert_same(results, rtol=1e-12)


def test_clipping_and_accumulation(backend):
    results = []
    for compiled in (False, True):
        w = xg.asarray(np.asarray([1.0, 2.0, 3.0]), requires_grad=True)
        optimizer = optim.SGD([w], lr=0.1, momentum=0.9)

        def step(x, y, w=w, optimizer=optimizer):
            optimizer.zero_grad()
            for part in (x, y):
                xg.sum((w - part) ** 4).backward()
            norm = nn.utils.clip_grad_norm_([w], 1.0)
            optimizer.step()
            return norm

        run = xg.compile(step) if compiled else step
        norms = [to_numpy(run(np.asarray([1.0, 0.0, i]), np.ones(3))).item() for i in range(4)]
        results.append([*norms, *to_numpy(w)])
    assert_same(results, rtol=1e-12)


def test_an_average_of_the_weights(backend):
    results = []
    for compiled in (False, True):
        xg.random.seed(0)
        model = nn.Linear(2, 1)
        average = optim.swa_utils.AveragedModel(model, multi_avg_fn=optim.swa_utils.get_ema_multi_avg_fn(0.9))
        optimizer = optim.SGD(model.parameters(), lr=0.1)

        def step(x, model=model, average=average, optimizer=optimizer):
            optimizer.zero_grad()
            xg.sum(model(x) ** 2).backward()
            optimizer.step()

        run = xg.compile(step) if compiled else step
        for i in range(4):
            run(np.asarray([[1.0, i]]))
            average.update_parameters(model)
        results.append(np.concatenate([to_numpy(p).ravel() for p in average.parameters()]))
    assert_same(results, rtol=1e-13)


def test_what_cannot_be_compiled_says_so():
    w = xg.asarray([1.0, 2.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1)
    schedule = optim.lr_scheduler.StepLR(optimizer, 1)

    def with_schedule():
        optimizer.zero_grad()
        xg.sum(w * w).backward()
        optimizer.step()
        schedule.step()

    with pytest.raises(xg.CompileError, match=r"option 'lr'.*Set it outside"):
        xg.compile(with_schedule)()
    lbfgs = optim.LBFGS([w])

    def closure():
        lbfgs.zero_grad()
        loss = xg.sum(w * w)
        loss.backward()
        return loss

    with pytest.raises(xg.CompileError):
        xg.compile(lambda: lbfgs.step(closure))()
    assert w.tolist() == [1.0, 2.0]
    assert w.grad is None


def test_an_optimizer_of_the_users_own():
    class SignSGD(optim.Optimizer):
        checks: ClassVar = {"lr": lambda where, value: float(value)}

        def __init__(self, params, lr=0.1):
            super().__init__(params, {"lr": lr})

        @classmethod
        def update(cls, xp, p, g, state, o):
            state["mean"] = state.get("mean", 0.0) + g
            return p - o.lr * xp.sign(state["mean"])

    class Counting(SignSGD):
        @classmethod
        def update(cls, xp, p, g, state, o):
            state["n"] = state.get("n", 0) + 1
            return p - o.lr / state["n"] * g

    w = xg.asarray([1.0, -2.0], requires_grad=True)
    for kind, can in ((SignSGD, True), (Counting, False)):
        optimizer = kind([w])

        def step(optimizer=optimizer):
            optimizer.zero_grad()
            xg.sum(w * w).backward()
            optimizer.step()

        compiled = xg.compile(step)
        if not can:
            with pytest.raises(xg.CompileError, match="Python number in its state"):
                compiled()
            continue
        for lr in (0.5, 0.25, 0.125):
            optimizer.param_groups[0]["lr"] = lr
            compiled()
        assert w.tolist() == [1.0 - 0.875, -2.0 + 0.875]
