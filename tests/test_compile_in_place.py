"""State that is written in place: found again by identity, and only where nobody has replaced it or holds it."""

import gc

import numpy as np
import pytest

import xgrad as xg
from xgrad import nn, optim

# As outside of pytest: where a warning is an error, nothing is written in place.
pytestmark = pytest.mark.filterwarnings("default::RuntimeWarning")

STEPS = 4  # two traces, and calls that find their state in place


def training(optimizer=optim.Adam, compiled=True):
    """A step, its model and its optimizer, after some steps."""
    with xg.use_backend("numpy"):
        xg.random.seed(0)
        model = nn.Linear(3, 2)
        opt = optimizer(model.parameters(), lr=0.1)

        def step(x):
            opt.zero_grad()
            loss = xg.mean(model(x) ** 2)
            loss.backward()
            opt.step()
            return loss

        step = xg.compile(step) if compiled else step
        for _ in range(STEPS):
            step(X)
    return step, model, opt


X = np.random.default_rng(1).normal(size=(5, 3))


def in_place(step):
    """Whether the next call will find its state in place."""
    inputs = step._all[-1].inputs
    gathered = inputs.gather([X])
    return gathered.again


def same(model, other):
    return all(
        a.numpy().tobytes() == b.numpy().tobytes() for a, b in zip(model.parameters(), other.parameters(), strict=True)
    )


def test_a_step_finds_its_state_in_place_and_equals_eager():
    step, model, _ = training()
    eager, plain, _ = training(compiled=False)
    assert in_place(step)
    for _ in range(3):
        step(X)
        eager(X)
    assert same(model, plain)
    assert len(step.programs) == 2


def replace_data(model, opt):
    model.weight.data = model.weight.numpy() + 1.0


def replace_moment(model, opt):
    state = opt.state[model.weight]
    state["exp_avg"] = state["exp_avg"] + 1.0


def load(model, opt):
    model.load_state_dict({name: value + 1.0 for name, value in model.state_dict().items()})


def write(model, opt):
    with xg.no_grad():
        model.weight[0] += 1.0


def step_eagerly(model, opt):
    model.weight.grad = xg.ones_like(model.weight)
    model.bias.grad = xg.ones_like(model.bias)
    opt.step()


@pytest.mark.parametrize("change", [replace_data, replace_moment, load, write, step_eagerly])
def test_what_is_changed_between_calls_is_seen(change):
    step, model, opt = training()
    eager, plain, other = training(compiled=False)
    for _ in range(2):
        change(model, opt)
        change(plain, other)
        for _ in range(3):
            step(X)
            eager(X)
        assert same(model, plain)
        assert in_place(step)


@pytest.mark.parametrize("hold", [
    lambda model, opt: model.weight.data,
    lambda model, opt: model.weight.data[:1],
    lambda model, opt: model.weight.detach(),
    lambda model, opt: model.state_dict(),
    lambda model, opt: model.weight[0],
    lambda model, opt: opt.state[model.weight]["exp_avg"],
    lambda model, opt: memoryview(model.weight.data),
])  # fmt: skip
def test_what_somebody_holds_is_not_written(hold):
    step, model, opt = training()
    with xg.no_grad():
        held = hold(model, opt)
    values = held["weight"] if isinstance(held, dict) else held
    is_view = isinstance(values, xg.Tensor) and values.shape == (3,)  # a view of a tensor follows it
    before = np.array(values.detach().numpy() if isinstance(values, xg.Tensor) else values)
    for _ in range(3):
        step(X)
    now = np.array(values.detach().numpy() if isinstance(values, xg.Tensor) else values)
    if is_view:
        assert now.tobytes() == model.weight.numpy()[0].tobytes()
    else:
        assert now.tobytes() == before.tobytes()
    del held, values
    gc.collect()
    step(X)
    step(X)
    assert in_place(step) or is_view


def test_memory_that_is_made_read_only_is_not_written():
    step, model, _ = training()
    eager, plain, _ = training(compiled=False)
    array = model.weight.data
    array.flags.writeable = False
    before = array.copy()
    step(X)
    eager(X)
    assert array.tobytes() == before.tobytes()
    assert same(model, plain)


def test_a_compiled_step_does_not_hold_the_arrays():
    """An eager step between compiled ones may write in place, too: nobody else holds the memory."""
    step, model, _ = training(optim.SGD)
    where = model.weight.data.ctypes.data
    step(X)
    alone = model.weight.backend.exclusive(model.weight._data)  # outside of the assert, which would hold it
    assert alone
    assert model.weight.data.ctypes.data == where


def test_two_functions_write_to_one_model():
    step, model, _ = training(optim.SGD)
    eager, plain, _ = training(optim.SGD, compiled=False)
    again = xg.compile(step.f)
    for _ in range(3):
        step(X)
        again(X)
        eager(X)
        eager(X)
    assert same(model, plain)


def test_a_float_error_that_raises_leaves_the_state_as_it_was():
    step, model, _ = training(optim.SGD)
    before = [p.numpy().copy() for p in model.parameters()]
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        step(X * 1e200)
    assert all(p.numpy().tobytes() == b.tobytes() for p, b in zip(model.parameters(), before, strict=True))
