"""`xgrad.diagnose.watch` in loops of other kinds: several inputs and outputs, accumulated gradients, closures, schedules."""

from __future__ import annotations

from typing import Any

import pytest

import xgrad as xg
from tests.support.watched import followed
from xgrad import nn, optim
from xgrad.diagnose import Report, Watch, watch

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
F64 = xg.float64


class TwoInputs(nn.Module):
    """Adds what two layers make of two inputs. Its parts are in no Sequential."""

    def __init__(self) -> None:
        rng = xg.random.Generator(0)
        self.one = nn.Linear(2, 6, dtype=F64, rng=rng)
        self.other = nn.Linear(3, 6, dtype=F64, rng=rng)
        self.last = nn.Linear(6, 1, dtype=F64, rng=rng)

    def forward(self, a: Any, b: Any) -> Any:
        return self.last(nn.functional.relu(self.one(a) + self.other(b)))


class TwoOutputs(TwoInputs):
    def forward(self, a: Any, b: Any) -> Any:
        hidden = nn.functional.relu(self.one(a) + self.other(b))
        return {"value": self.last(hidden), "hidden": (hidden,)}


def data(rows: int = 24) -> tuple[xg.Tensor, xg.Tensor, xg.Tensor]:
    rng = xg.random.Generator(1)
    a, b = rng.normal((rows, 2), dtype=F64), rng.normal((rows, 3), dtype=F64)
    return a, b, a[:, :1] + b[:, :1]


def dead(model: TwoInputs) -> None:
    """No unit is positive any more."""
    assert model.one.bias is not None
    model.one.bias.data = xg.full((6,), -1e3, dtype=F64).data


def mse(output: Any, target: Any) -> Any:
    return xg.mean(xg.square(output - target))


def of_dict(output: Any, target: Any) -> Any:
    return mse(output["value"], target["value"])


def line(size: int = 1) -> tuple[nn.Sequential, xg.Tensor, xg.Tensor]:
    rng = xg.random.Generator(0)
    model = nn.Sequential(nn.Linear(1, 8, dtype=F64, rng=rng), nn.Tanh(), nn.Linear(8, size, dtype=F64, rng=rng))
    x = xg.linspace(-1, 1, 32, dtype=F64)[:, None]
    return model, x, x * x


def rules(report: Report) -> set[str]:
    return {finding.rule for finding in report.findings}


# --- inputs and outputs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["tuple", "list", "dict"])
def test_several_inputs(how: str) -> None:
    model, (a, b, y) = TwoInputs(), data()
    model.last.weight.data = xg.zeros((1, 6), dtype=F64).data
    dead(model)
    x: Any = {"tuple": (a, b), "list": [a, b], "dict": {"b": b, "a": a}}[how]
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    w = watch(model, optimizer, loss=mse, x=x, y=y)
    for _ in range(25):
        optimizer.zero_grad()
        loss = mse(model(a, b=b), y)
        loss.backward()
        optimizer.step()
        w.step(loss)
    report = w.report()
    w.close()
    assert "DEAD_LAYER" in rules(report)  # the looks call the model as the loop does
    assert report.lacking["GRADCHECK"] == "needs x as one array"
    assert "OUTPUT_RANGE" not in report.lacking
    assert w.run.x is None
    assert w.run.y is y


def test_the_inputs_of_the_last_batch_by_name() -> None:
    model, (a, b, y) = TwoInputs(), data()
    dead(model)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    w = watch(model, optimizer)
    for _ in range(25):
        optimizer.zero_grad()
        loss = mse(model(b=b, a=a), y)
        loss.backward()
        optimizer.step()
        w.step(loss)
    assert "DEAD_LAYER" in rules(w.report())
    w.close()


def test_outputs_and_targets_in_a_dict() -> None:
    model, (a, b, y) = TwoOutputs(), data()
    targets = {"value": y}
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    w = watch(model, optimizer, loss=of_dict, x=(a, b), y=targets)
    losses = []
    for _ in range(15):
        optimizer.zero_grad()
        loss = of_dict(model(a, b), targets)
        loss.backward()
        optimizer.step()
        w.step(loss)
        losses.append(loss.item())
    report = w.report()
    w.close()
    assert losses[-1] < losses[0]
    assert report.findings == []
    assert report.lacking["UNDERTRAINED"] == "needs x as one array, y as one array"
    assert w.run.looks[-1].activities  # the layers are looked at all the same
    assert report.lacking["OUTPUT_RANGE"] == "needs y as one array"
    assert not any("could not run" in why for why in report.lacking.values())


def test_one_input_and_a_tuple_of_outputs() -> None:
    class Pair(nn.Module):
        def __init__(self) -> None:
            self.inner = line()[0]

        def forward(self, x: Any) -> Any:
            return self.inner(x), x

    model, (_, x, y) = Pair(), line()

    def loss(output: Any, target: Any) -> Any:
        return mse(output[0], target)

    optimizer = optim.SGD(model.parameters(), lr=0.1)
    w = watch(model, optimizer, loss=loss, x=x, y=y)
    report = followed(w, model, optimizer, loss, [(x, y)] * 3)
    assert report.findings == []
    assert "GRADCHECK" not in report.lacking  # the loss takes the outputs as they are


def test_a_mask_without_samples_is_passed_whole() -> None:
    class Masked(nn.Module):
        def __init__(self) -> None:
            self.inner = nn.Linear(2, 1, dtype=F64)

        def forward(self, x: Any, mask: Any) -> Any:
            return self.inner(x * mask)

    x, mask = xg.ones((600, 2), dtype=F64), xg.ones((2,), dtype=F64)
    w = watch(Masked(), x=(x, mask))
    assert w.run.call() == ((x, mask), {})
    w.close()
    w = watch(Masked(), x=(x, xg.ones((600, 2), dtype=F64)))
    call = w.run.call()
    assert call is not None
    assert [each.shape for each in call[0]] == [(512, 2), (512, 2)]
    w.close()


# --- a loss or a model that raises errors ---------------------------------------------------------------------


def test_a_loss_that_cannot_be_repeated_ends_no_training() -> None:
    model, x, y = line()
    calls = list[int]()

    def moody(output: Any, target: Any) -> Any:
        if not training:
            raise LookupError("no batch\nis open")
        calls.append(1)
        return mse(output, target)

    training = False
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    w = watch(model, optimizer, loss=moody, x=x, y=y)
    for _ in range(5):
        optimizer.zero_grad()
        training = True
        loss = moody(model(x), y)
        training = False
        loss.backward()
        optimizer.step()
        w.step(loss)
    report = w.report()
    w.close()
    assert len(calls) == 5
    assert report.lacking["GRADCHECK"] == "could not run: LookupError: no batch is open"
    assert "STEP_UNSTABLE (could not run" in str(report)
    assert "NONFINITE" not in report.lacking


def test_a_model_that_cannot_be_called_again() -> None:
    class Once(nn.Module):
        def __init__(self) -> None:
            self.inner = nn.Linear(1, 1, dtype=F64)
            self.open = True

        def forward(self, x: Any) -> Any:
            if not self.open:
                raise RuntimeError("closed")
            self.open = False
            return self.inner(x)

    model, (_, x, _) = Once(), line()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    w = watch(model, optimizer)
    for _ in range(3):
        model.open = True
        optimizer.zero_grad()
        loss = xg.mean(model(x))
        loss.backward()
        optimizer.step()
        w.step(loss)
    report = w.report()
    w.close()
    assert report.lacking["DEAD_LAYER"] == report.lacking["SATURATED"] == "could not run: RuntimeError: closed"


def test_a_replay_that_raises_an_error() -> None:
    model, x, y = line()

    class Picky(nn.MSELoss):
        calls = 0

        def forward(self, *given: Any) -> Any:
            self.calls += 1
            if self.calls > 21:
                raise ValueError("one call too many")
            return super().forward(*given)

    loss_function = Picky()
    optimizer = optim.SGD(model.parameters(), lr=1e-3)
    w = watch(model, optimizer, loss=loss_function)
    for step in range(21):  # step 20 is past those at which every operation is checked
        optimizer.zero_grad()
        loss = loss_function(model(x if step < 20 else x * xg.inf), y)
        loss.backward()
        optimizer.step()
        w.step(loss)
    report = w.report()
    w.close()
    assert "NONFINITE" in rules(report)
    assert report.lacking["NONFINITE"] == "could not run: ValueError: one call too many"


# --- gradients of several batches -----------------------------------------------------------------------------


def accumulated(model: nn.Module, x: Any, y: Any, w: Watch, optimizer: Any, when: str, clear: bool = True) -> None:
    """16 updates, each from the gradients of four batches. `when` the watcher's step is called: see the tests."""
    for k in range(64):
        loss = mse(model(x[k % 4 :: 4]), y[k % 4 :: 4])
        (loss / 4).backward()
        if when == "before each update":
            w.step(loss)
        if k % 4 == 3:
            optimizer.step()
            if when == "after an update":
                w.step(loss)
            if clear:
                optimizer.zero_grad()
        if when == "after each backward":
            w.step(loss)


WHENS = ["before each update", "after an update", "after each backward"]


@pytest.mark.parametrize("known", [True, False], ids=["with its optimizer", "without"])
@pytest.mark.parametrize("when", WHENS)
def test_accumulated_gradients(when: str, known: bool) -> None:
    model, x, y = line()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    w = watch(model, optimizer if known else None, loss=mse, x=x, y=y)
    accumulated(model, x, y, w, optimizer, when)
    report = w.report()
    w.close()
    assert "FORGOT_ZERO_GRAD" not in rules(report)
    assert report.errors == []
    assert len(w.run.losses) == w.run.steps == (16 if when == "after an update" else 64)
    assert w.run.updates == (16 if known else 48 if when == "after each backward" else w.run.steps)


@pytest.mark.parametrize("known", [True, False], ids=["with its optimizer", "without"])
@pytest.mark.parametrize("when", WHENS)
def test_gradients_that_are_never_cleared_are_found_all_the_same(when: str, known: bool) -> None:
    model, x, y = line()
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    w = watch(model, optimizer if known else None, loss=mse, x=x, y=y)
    accumulated(model, x, y, w, optimizer, when, clear=False)
    found = rules(w.report())
    w.close()
    assert "FORGOT_ZERO_GRAD" in found


def test_gradients_that_are_set_to_zeros() -> None:
    model, x, _ = line()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    w = watch(model, optimizer)
    for _ in range(4):
        optimizer.zero_grad(set_to_none=False)
        for part in (x[:16], x[16:]):
            mse(model(part), part).backward()
        optimizer.step()
        w.step(0.0)
    assert "FORGOT_ZERO_GRAD" not in rules(w.report())
    w.close()


# --- steps of other kinds -------------------------------------------------------------------------------------


def test_an_optimizer_that_calls_a_closure_several_times() -> None:
    values = []
    for watched in (False, True):
        model, x, y = line()
        optimizer = optim.LBFGS(model.parameters(), lr=0.5, max_iter=4)
        w = watch(model, optimizer, loss=mse, x=x, y=y) if watched else None

        def closure(model: Any = model, optimizer: Any = optimizer, x: Any = x, y: Any = y) -> Any:
            optimizer.zero_grad()
            loss = mse(model(x), y)
            loss.backward()
            return loss

        for _ in range(5):
            loss = optimizer.step(closure)
            if w is not None:
                w.step(loss)
        if w is not None:
            assert w.run.updates == w.run.steps == 5
            assert len(w.run.looks) == 5
            assert "FORGOT_ZERO_GRAD" not in rules(w.report())
            w.close()
        values.append([p.numpy().tolist() for p in model.parameters()])
    assert values[0] == values[1]


def test_a_schedule() -> None:
    model, x, y = line()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    w = watch(model, optimizer, loss=mse, x=x, y=y)
    schedule = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    rates = []
    for _ in range(6):
        optimizer.zero_grad()
        loss = mse(model(x), y)
        loss.backward()
        optimizer.step()
        schedule.step()
        w.step(loss)
        rates.append(w.run.rate)
    w.close()
    assert rates == [0.1, 0.05, 0.05, 0.025, 0.025, 0.0125]
    assert w.run.updates == 6


@pytest.mark.filterwarnings("ignore:compile.*runs without compile while operations are watched")
def test_a_compiled_step() -> None:
    """A watched step runs without its program, and has the same numbers. `pause` lets it run as a program."""
    values = []
    for watched in (False, True):
        model, x, y = line()
        optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        w = watch(model, optimizer, loss=mse, x=x, y=y) if watched else None

        @xg.compile
        def step(x: Any, y: Any, model: Any = model, optimizer: Any = optimizer) -> Any:
            optimizer.zero_grad()
            loss = mse(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        for k in range(8):
            if w is not None and k == 4:
                w.pause()
            loss = step(x, y)
            if w is not None:
                (w.step if k < 4 else w.passed)(loss)
        if w is not None:
            w.resume()
            assert w.run.updates == w.run.steps == 8
            assert [look.step for look in w.run.looks] == [0, 1, 2, 3]
            assert w.report().errors == []
            w.close()
        values.append([p.numpy() for p in model.parameters()])
    for one, other in zip(*values, strict=True):
        assert abs(one - other).max() < 1e-14


@pytest.mark.parametrize("closed", [0, 1])
def test_two_watchers_of_one_optimizer(closed: int) -> None:
    model, x, y = line()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    watchers = [watch(model, optimizer), watch(model, optimizer)]
    for k in range(6):
        if k == 3:
            watchers[closed].close()
        optimizer.zero_grad()
        mse(model(x), y).backward()
        optimizer.step()
    assert [w.run.updates for w in watchers] == [3 if k == closed else 6 for k in (0, 1)]
    watchers[1 - closed].close()
    assert "step" not in vars(optimizer)


# --- bad input ------------------------------------------------------------------------------------------------


def wrong(**given: Any) -> tuple[type[Exception], str]:
    model, x, y = line()
    arguments = {"model": model, "optimizer": optim.SGD(model.parameters(), lr=0.1), "x": x, "y": y, **given}
    with pytest.raises((TypeError, ValueError)) as caught:
        watch(**arguments)
    assert "\n" not in str(caught.value)
    return caught.type, str(caught.value)


def test_bad_arguments() -> None:
    other = nn.Linear(1, 1)
    rows, fewer = xg.ones((4, 1)), xg.ones((3, 1))
    assert wrong(loss="mse") == (TypeError, "watch(loss): expected a function of the output and the target, got str")
    assert wrong(optimizer=optim.SGD(other.parameters(), lr=0.1))[1].endswith("none of the parameters of the model")
    assert wrong(x="abc", y=None)[0] is TypeError
    assert wrong(x=(rows, rows), y=fewer)[1] == "watch: x has 4 samples, y 3; they need the same number of samples"
    assert "every" in wrong(every=0)[1]
    assert "every" in wrong(every=2.5)[1]
    assert wrong(allow="log")[1].endswith("use ['log']")
    assert "needs the optimizer" in wrong(optimizer=None, stop=True)[1]
    assert "a function of a row of numbers, got int" in wrong(log=3)[1]


def test_a_model_that_cannot_be_copied() -> None:
    model = nn.Linear(1, 1)
    model.lines = (line for line in "ab")  # type: ignore[assignment]
    with pytest.raises(TypeError, match=r"watch\(model\): it cannot be copied"):
        watch(model)


@pytest.mark.parametrize(
    ("loss", "kind", "said"),
    [
        (xg.ones((3,)), ValueError, r"expected one number, got an array of shape \(3,\)"),
        ("low", TypeError, "expected a 0-d tensor or a number, got str"),
        ([1.0], TypeError, "got list"),
    ],
)
def test_a_loss_that_is_no_number(loss: Any, kind: type[Exception], said: str) -> None:
    w = watch(nn.Linear(1, 1))
    with pytest.raises(kind, match=said):
        w.step(loss)
    w.close()
