"""What is heard of a program, and the model and loss that are found in it."""

from __future__ import annotations

from typing import Any

import pytest

import xgrad as xg
from xgrad import nn, optim
from xgrad.diagnose import watch
from xgrad.diagnose.listening import Found, Listener, find
from xgrad.engine.tensor import Tensor
from xgrad.nn import functional


def unheard(step: Any, optimizer: Any, args: Any, named: Any) -> Any:
    return step(optimizer, *args, **named)


def heard(program: Any) -> Listener:
    listener = Listener(unheard)
    with listener.listening():
        program()
    return listener


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2))


X, Y = xg.ones((4, 2)), xg.zeros((4, 2))


def found(program: Any, *modules: nn.Module) -> Found:
    optimizer = optim.SGD([p for module in modules for p in module.parameters()], lr=0.1)
    what = find(heard(program).calls, optimizer)
    assert what is not None
    return what


# --- the model and the loss ---------------------------------------------------------------------------------------


def test_a_loss_that_is_a_module() -> None:
    model, loss = network(), nn.MSELoss()
    what = found(lambda: loss(model(X), Y), model)
    assert (what.model, what.loss, what.called, what.target) == (model, loss, loss, Y)
    assert what.call is not None
    assert what.call.args == (X,)


def test_a_loss_that_is_a_function() -> None:
    model, plain = network(), functional.mse_loss
    what = found(lambda: nn.functional.mse_loss(model(X), Y), model)
    assert what.loss is what.called is plain  # not the one that is heard, which is gone by then


def test_options_of_a_loss() -> None:
    model, labels = network(), xg.asarray([0, 1, 1, 0])
    weight = xg.asarray([1.0, 3.0])
    output = model(X)
    what = found(lambda: nn.functional.cross_entropy(model(X), labels, weight=weight, label_smoothing=0.1), model)
    wanted = functional.cross_entropy(output, labels, weight=weight, label_smoothing=0.1)
    assert what.loss(output, labels).item() == wanted.item()


def test_weights_of_the_samples_are_no_option() -> None:
    model = network()
    what = found(lambda: nn.functional.mse_loss(model(X), Y, weight=xg.ones((4, 2))), model)
    assert what.model is model
    assert what.loss is what.target is None


def test_a_loss_that_is_made_by_hand_is_not_known() -> None:
    model = network()
    what = found(lambda: xg.mean((model(X) - Y) ** 2), model)
    assert (what.model, what.loss) == (model, None)


def test_a_loss_of_another_output_is_not_the_one() -> None:
    """The model cannot be replayed with it: output[:, :1] is no output of a module."""
    model = network()
    what = found(lambda: nn.functional.mse_loss(model(X)[:, :1], Y[:, :1]), model)
    assert (what.model, what.loss) == (model, None)


def test_the_loss_is_inside_of_a_module() -> None:
    class Whole(nn.Module):
        def __init__(self) -> None:
            self.inner, self.loss = network(), nn.MSELoss()

        def forward(self, x: Any, y: Any) -> Any:
            return self.loss(self.inner(x), y)

    whole = Whole()
    what = found(lambda: whole(X, Y), whole)
    assert (what.model, what.loss) == (whole.inner, whole.loss)


def test_the_outermost_of_modules_with_the_same_output() -> None:
    class Outer(nn.Module):
        def __init__(self) -> None:
            self.inner = network()

        def forward(self, x: Any) -> Any:
            return self.inner(x)

    outer = Outer()
    assert found(lambda: nn.functional.mse_loss(outer(X), Y), outer).model is outer
    assert found(lambda: xg.sum(outer(X)), outer).model is outer


def test_several_modules_share_the_parameters() -> None:
    one, other = network(), network()
    what = found(lambda: nn.functional.mse_loss(other(one(X)), Y), one, other)
    assert isinstance(what.model, nn.ModuleList)
    assert list(what.model) == [one, other]
    assert (what.call, what.loss) == (None, None)


def test_parameters_of_no_module() -> None:
    model = network()
    assert find(heard(lambda: model(X)).calls, optim.SGD(network().parameters(), lr=0.1)) is None


# --- what is heard ------------------------------------------------------------------------------------------------


def test_calls_that_record_nothing_are_not_noted() -> None:
    model = network()

    def validate() -> None:
        with xg.no_grad():
            nn.functional.mse_loss(model(X), Y)

    assert heard(validate).calls == {}


def test_the_calls_of_a_watcher_are_not_noted() -> None:
    model = network()
    listener = heard(lambda: watch(model, optim.SGD(model.parameters(), lr=0.1), loss=nn.MSELoss(), x=X, y=Y).close())
    assert listener.calls == {}
    assert listener.losses == []


def test_losses_until_they_are_taken() -> None:
    model = network()

    def train() -> None:
        for factor in (1.0, 3.0):
            (factor * xg.sum(xg.square(model(X)))).backward()
        model(X).backward(Y)  # no loss: several elements

    listener = heard(train)
    one, other = (loss.item() for loss in listener.taken())
    assert other == pytest.approx(3 * one)
    assert listener.taken() == []


def test_enough() -> None:
    model, loss, other = network(), nn.MSELoss(), nn.L1Loss()
    listener = Listener(unheard)
    with listener.listening():
        listener.enough(loss)
        other(model(X), Y)
        assert listener.last is None
        loss(model(X), Y)
    assert listener.last is not None
    assert listener.last.args[1] is Y
    assert listener.calls == {}


def test_steps_are_heard_once_each_way() -> None:
    """A step that calls that of its base class is heard as both: the session leaves out the inner one."""
    steps = []

    def stepped(step: Any, optimizer: Any, args: Any, named: Any) -> Any:
        steps.append(step)
        return step(optimizer, *args, **named)

    class Own(optim.SGD):
        def step(self, closure: Any = None) -> Any:
            return super().step(closure)

    plain = (optim.Optimizer.step, Own.step)
    listener = Listener(stepped)
    with listener.listening():
        optimizer = Own(network().parameters(), lr=0.1)
        optimizer.step()
        assert len(steps) == 2
        optim.LBFGS([xg.asarray([1.0], requires_grad=True)])
    assert (optim.Optimizer.step, Own.step) == plain
    optimizer.step()
    assert len(steps) == 2


def test_nothing_is_heard_after_an_error() -> None:
    before = nn.Module.__call__, Tensor.backward, functional.mse_loss

    def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        heard(fail)
    assert (nn.Module.__call__, Tensor.backward, functional.mse_loss) == before
