"""GradScaler: the scale, the steps that are left out, and the same history as PyTorch's."""

from __future__ import annotations

import logging
import math
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import dtype_name, to_numpy
from xgrad.amp import GradScaler

SINGLE = "float32"


def parameter(values: Any = (1.0, 2.0), dtype: str = SINGLE) -> Any:
    return xg.asarray(list(values), dtype=dtype, requires_grad=True)


def backward(scaler: GradScaler, p: Any, slope: float = 1.0) -> None:
    """Gradients of `slope`, times the scale."""
    scaler.scale(xg.sum(p * slope)).backward()


def taken(scaler: GradScaler, optimizer: Any, p: Any, slope: float = 1.0) -> bool:
    """One iteration. Whether the parameter changed."""
    before = to_numpy(p)
    optimizer.zero_grad()
    backward(scaler, p, slope)
    scaler.step(optimizer)
    scaler.update()
    return not np.array_equal(to_numpy(p), before)


# --- one step ---------------------------------------------------------------------------------------------------


def test_the_step_is_that_of_gradients_that_were_never_scaled(backend):
    p, q = parameter(), parameter()
    first, second = xg.optim.Adam([p], lr=0.1), xg.optim.Adam([q], lr=0.1)
    scaler = GradScaler()
    for _ in range(3):
        assert taken(scaler, first, p, 0.3)
        second.zero_grad()
        xg.sum(q * 0.3).backward()
        second.step()
    np.testing.assert_array_equal(to_numpy(p), to_numpy(q))


def test_scale_multiplies_each_tensor_of_a_tree(backend):
    scaler = GradScaler(init_scale=8.0)
    a, b = scaler.scale([parameter([1.0]), {"loss": parameter([0.5])}])
    assert (a.item(), b["loss"].item()) == (8.0, 4.0)
    with pytest.raises(TypeError, match=r"scale takes tensors, .* got str"):
        scaler.scale("loss")


def test_scale_gives_float32_of_half_precision(backend):
    if not backend.has_dtype("float16"):
        pytest.skip("there is no float16")
    scaled = GradScaler(init_scale=2.0**17).scale(parameter([1.0, 2.0], "float16"))
    assert dtype_name(scaled.dtype) == SINGLE
    assert to_numpy(scaled).tolist() == [2.0**17, 2.0**18]  # beyond float16


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_a_gradient_that_is_not_finite_leaves_the_step_out(backend, bad, caplog):
    p, other = parameter(), parameter()
    optimizer = xg.optim.SGD([p, other], lr=0.5, momentum=0.9)
    scaler = GradScaler(init_scale=1024.0)
    backward(scaler, p)
    other.grad = xg.asarray([1.0, bad], dtype=SINGLE)
    with caplog.at_level(logging.INFO, logger="xgrad"):
        assert scaler.step(optimizer) is None
        scaler.update()
    assert to_numpy(p).tolist() == to_numpy(other).tolist() == [1.0, 2.0]
    assert not optimizer.state
    assert scaler.get_scale() == 512.0
    (record,) = caplog.records
    assert record.levelname == "INFO"
    assert "a step of SGD was left out, because a gradient is infinite or nan; the scale is 1024" in record.getMessage()


def test_a_schedule_does_not_take_a_step_that_was_left_out_for_one_that_is_missing(backend, recwarn):
    p = parameter()
    optimizer = xg.optim.SGD([p], lr=0.5)
    schedule = xg.optim.lr_scheduler.StepLR(optimizer, 10)
    scaler = GradScaler()
    assert not taken(scaler, optimizer, p, math.inf)
    schedule.step()
    assert not [w for w in recwarn if "lr_scheduler" in str(w.message) or "optimizer.step" in str(w.message)]


def test_clipping_after_unscale_sees_the_true_norm(backend):
    p = parameter()
    optimizer = xg.optim.SGD([p], lr=1.0)
    scaler = GradScaler()
    backward(scaler, p, 3.0)
    scaler.unscale_(optimizer)
    norm = xg.nn.utils.clip_grad_norm_([p], 1.0)
    scaler.step(optimizer)
    scaler.update()
    assert norm.item() == pytest.approx(3 * math.sqrt(2), rel=1e-6)
    np.testing.assert_allclose(to_numpy(p), np.array([1.0, 2.0]) - 1 / math.sqrt(2), rtol=1e-5)


def test_gradients_of_several_batches_add_up_before_the_step(backend):
    p = parameter()
    optimizer = xg.optim.SGD([p], lr=1.0)
    scaler = GradScaler()
    for slope in (0.25, 0.5):
        backward(scaler, p, slope)
    scaler.step(optimizer)
    scaler.update()
    assert to_numpy(p).tolist() == [0.25, 1.25]


def test_two_optimizers_are_checked_apart_and_the_scale_falls_if_one_overflows(backend):
    p, q = parameter(), parameter()
    first, second = xg.optim.SGD([p], lr=1.0), xg.optim.SGD([q], lr=1.0)
    scaler = GradScaler(init_scale=16.0)
    scaler.scale(xg.sum(p) + xg.sum(q * math.inf)).backward()
    scaler.step(first)
    scaler.step(second)
    scaler.update()
    assert to_numpy(p).tolist() == [0.0, 1.0]
    assert to_numpy(q).tolist() == [1.0, 2.0]
    assert scaler.get_scale() == 8.0


def test_a_step_waits_for_the_device_once(backend, monkeypatch):
    parameters = [parameter() for _ in range(5)]
    optimizer = xg.optim.SGD(parameters, lr=0.5)
    scaler = GradScaler()
    scaler.scale(sum(xg.sum(p) for p in parameters)).backward()
    moved = []
    to_host = type(backend).to_numpy

    def counted(self: Any, array: Any) -> Any:
        moved.append(array)
        return to_host(self, array)

    monkeypatch.setattr(type(backend), "to_numpy", counted)
    scaler.step(optimizer)
    scaler.update()
    assert len(moved) <= 1


# --- the scale ------------------------------------------------------------------------------------------------------

# What the gradients are in each iteration: fine, or infinite.
HISTORIES = ["...x...xx....x.........", "xxxx....", "........................", "x" * 30]
OPTIONS: list[Any] = [{}, {"growth_interval": 3}, {"growth_interval": 2, "growth_factor": 1.7, "backoff_factor": 0.3}]


class TorchSGD:
    """Gradient descent on a tensor of PyTorch's, whose own optimizers take seconds to import."""

    def __init__(self, p: Any, lr: float) -> None:
        self.param_groups, self.lr = [{"params": [p]}], lr

    def step(self) -> None:
        for p in self.param_groups[0]["params"]:
            p.data -= self.lr * p.grad


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("options", OPTIONS)
def test_the_scale_and_the_steps_are_those_of_pytorch(history, options):
    torch = pytest.importorskip("torch")
    ours, theirs = GradScaler(**options), torch.amp.GradScaler("cpu", **options)
    p, q = parameter(), torch.tensor([1.0, 2.0], requires_grad=True)
    optimizer, theirs_optimizer = xg.optim.SGD([p], lr=0.1), TorchSGD(q, 0.1)
    for kind in history:
        slope = 0.1 if kind == "." else math.inf
        taken(ours, optimizer, p, slope)
        q.grad = None
        theirs.scale((q * slope).sum()).backward()
        theirs.step(theirs_optimizer)
        theirs.update()
        assert ours.get_scale() == theirs.get_scale()
        np.testing.assert_allclose(to_numpy(p), q.detach().numpy(), rtol=1e-6)
        assert ours.state_dict() == theirs.state_dict()
    other = GradScaler()
    other.load_state_dict(theirs.state_dict())
    assert other.state_dict() == ours.state_dict()
    again = torch.amp.GradScaler("cpu")
    again.load_state_dict(ours.state_dict())
    assert again.state_dict() == ours.state_dict()


def test_the_scale_stays_finite(backend):
    p = parameter([0.0])
    scaler = GradScaler(init_scale=2.0**127, growth_interval=1)
    taken(scaler, xg.optim.SGD([p], lr=0.1), p, 0.0)
    assert scaler.get_scale() == 2.0**127


def test_a_new_scale_may_be_given(backend):
    p = parameter()
    optimizer = xg.optim.SGD([p], lr=0.1)
    scaler = GradScaler()
    taken(scaler, optimizer, p)
    for new in (4.0, xg.asarray(2.0)):
        scaler.update(new)
        assert scaler.get_scale() == float(new)
        assert scaler.scale(xg.asarray(1.0)).item() == float(new)
    for bad in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="new_scale must be positive and finite"):
            scaler.update(bad)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"init_scale": 0.0}, "init_scale must be positive"),
        ({"growth_factor": 1.0}, "growth_factor must be more than 1"),
        ({"backoff_factor": 1.0}, "backoff_factor must be between 0 and 1"),
        ({"growth_interval": 0}, "growth_interval must be an integer, 1 or more"),
        ({"growth_interval": 2.5}, "growth_interval must be an integer, 1 or more"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        GradScaler(**options)


# --- the state ------------------------------------------------------------------------------------------------------


def test_a_state_goes_on_where_it_was(backend):
    p = parameter()
    optimizer = xg.optim.SGD([p], lr=0.0)
    first = GradScaler(growth_interval=3)
    for slope in (1.0, 1.0):
        taken(first, optimizer, p, slope)
    second = GradScaler()
    second.load_state_dict(first.state_dict())
    taken(first, optimizer, p)
    taken(second, optimizer, p)
    assert first.get_scale() == second.get_scale() == 2.0**17
    assert first.state_dict() == second.state_dict()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda s: {}, RuntimeError, "the state is empty: it was saved from a scaler with enabled=False"),
        (lambda s: {**s, "more": 1}, ValueError, "expected .*'scale'.*, got .*'more'"),
        (lambda s: {k: v for k, v in s.items() if k != "scale"}, ValueError, "expected .*'scale'"),
        (lambda s: {**s, "scale": -1.0}, ValueError, "init_scale must be positive"),
        (lambda s: {**s, "_growth_tracker": -1}, ValueError, "_growth_tracker must be an integer, 0 or more"),
        (lambda s: {**s, "backoff_factor": 2.0}, ValueError, "backoff_factor must be between"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, error, message):
    scaler = GradScaler(init_scale=32.0)
    before = scaler.state_dict()
    with pytest.raises(error, match=message):
        scaler.load_state_dict(change(before))
    assert scaler.state_dict() == before


def test_a_scaler_that_is_not_enabled_does_nothing(backend):
    p = parameter()
    optimizer = xg.optim.SGD([p], lr=1.0)
    scaler = GradScaler(enabled=False)
    loss = xg.sum(p)
    assert scaler.scale(loss) is loss
    loss.backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert to_numpy(p).tolist() == [0.0, 1.0]
    assert (scaler.get_scale(), scaler.state_dict(), scaler.is_enabled()) == (1.0, {}, False)
    scaler.load_state_dict({})


# --- the order of calls, as in PyTorch ---------------------------------------------------------------------------------

ORDERS = {
    "unscale, unscale": (["scale", "unscale_", "unscale_"], "unscale_.. has already been called"),
    "step, unscale": (["scale", "step", "unscale_"], "unscale_.. is being called after step"),
    "step, step": (["scale", "step", "step"], "step.. has already been called"),
    "no scale": (["step"], "before any scale"),
    "no scale, unscale": (["unscale_"], "before any scale"),
    "update first": (["scale", "update"], "no gradients were checked|No inf checks"),
}


@pytest.mark.parametrize("name", ORDERS)
def test_a_wrong_order_is_the_error_that_it_is_in_pytorch(name):
    calls, message = ORDERS[name]
    torch = pytest.importorskip("torch")
    p, q = parameter(), torch.tensor([1.0, 2.0], requires_grad=True)
    for scaler, optimizer, loss in (
        (GradScaler(), xg.optim.SGD([p], lr=0.1), xg.sum(p)),
        (torch.amp.GradScaler("cpu"), TorchSGD(q, 0.1), q.sum()),
    ):

        def call(name: str, scaler: Any = scaler, optimizer: Any = optimizer, loss: Any = loss) -> None:
            if name == "scale":
                scaler.scale(loss).backward()
            elif name == "update":
                scaler.update()
            else:
                getattr(scaler, name)(optimizer)

        for each in calls[:-1]:
            call(each)
        with pytest.raises((RuntimeError, AssertionError)) as caught:
            call(calls[-1])
        if isinstance(scaler, GradScaler):
            assert caught.type is RuntimeError
            caught.match(message)


def test_what_a_step_refuses(backend):
    p = parameter()
    optimizer = xg.optim.SGD([p], lr=0.1)
    scaler = GradScaler()
    backward(scaler, p)
    with pytest.raises(RuntimeError, match="takes no closure"):
        scaler.step(optimizer, lambda: None)
    p.grad = None
    with pytest.raises(RuntimeError, match=r"no parameter of this SGD has a gradient"):
        scaler.step(optimizer)


def test_gradients_of_float16_are_refused(backend):
    if not backend.has_dtype("float16"):
        pytest.skip("there is no float16")
    p, q = parameter(), parameter(dtype="float16")
    scaler = GradScaler(init_scale=4.0)
    backward(scaler, p)
    q.grad = xg.ones_like(q)
    with pytest.raises(
        ValueError, match=r"a gradient of shape \(2,\) has dtype float16.*Keep the parameters in float32"
    ):
        scaler.unscale_(xg.optim.SGD([p, q], lr=0.1))
    assert to_numpy(p.grad).tolist() == [4.0, 4.0]


# --- what is said --------------------------------------------------------------------------------------------------------


def test_twenty_steps_in_a_row_and_a_scale_below_one_are_warned_of_once(caplog):
    p = parameter()
    optimizer = xg.optim.SGD([p], lr=0.1)
    scaler = GradScaler(init_scale=2.0**22)
    with caplog.at_level(logging.WARNING, logger="xgrad"):
        for _ in range(19):
            taken(scaler, optimizer, p, math.inf)
        assert not caplog.records
        for _ in range(20):
            taken(scaler, optimizer, p, math.inf)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert "20 steps in a row were left out; the scale is 8." in said[0]
    assert "the scale of the gradients fell to 0.5." in said[1]
    assert all("Likely causes: the loss itself is infinite or nan" in message for message in said)


def test_a_good_step_between_begins_the_count_anew(caplog):
    p = parameter()
    optimizer = xg.optim.SGD([p], lr=0.1)
    scaler = GradScaler(init_scale=2.0**100)
    with caplog.at_level(logging.WARNING, logger="xgrad"):
        for _ in range(2):
            for _ in range(15):
                taken(scaler, optimizer, p, math.inf)
            taken(scaler, optimizer, p, 0.0)
    assert not caplog.records
