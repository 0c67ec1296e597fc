"""`xgrad.diagnose` in a training loop: the runs that each rule reports, and those that it does not.

The runs are those that `python -m bench.diagnose` measures over 20 seeds; here are the ones that taught something.
"""

from __future__ import annotations

import copy
import gc
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import xgrad as xg
from bench.diagnose_runs import Outcome, Run, fault_runs, healthy_runs, perform, seed_runs
from bench.diagnose_truth import truth
from xgrad import nn, optim
from xgrad.diagnose import Finding, Report, watch
from xgrad.diagnose.curvature import largest_eigenvalue
from xgrad.diagnose.rules import RULES
from xgrad.engine import tape
from xgrad.engine.plain import plain_types
from xgrad.engine.tensor import Tensor

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

SEED = {run.name: run for run in seed_runs()}
HEALTHY = {run.name: run for run in healthy_runs()}
FAULTS = {run.name: run for run in fault_runs()}


def diagnose(run: Run) -> tuple[Outcome, Report]:
    outcome = perform(run)
    report = outcome.watch.report()
    outcome.watch.close()
    return outcome, report


def named(report: Report, rule: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.rule == rule]


@pytest.fixture(autouse=True)
def nothing_left_on() -> Any:
    yield
    gc.collect()
    xg.zeros(1) + 1.0  # a watcher that was dropped leaves at the next operation
    assert not tape.watchers
    assert Tensor in plain_types


# --- the seed's runs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "dtype", "seed"),
    [
        *(("A", "float64", 0), ("A", "float32", 1)),
        *(("B", "float64", 0), ("B", "float32", 5), ("B", "float64", 9), ("B", "float32", 18)),
        *(("B", "float32", 12), ("B", "float64", 12)),  # dies late only
        *(("C", "float32", 0), ("C", "float64", 0), ("C", "float64", 3)),
    ],
)
def test_the_seed_s_runs_get_their_cause(case: str, dtype: str, seed: int) -> None:
    outcome, report = diagnose(SEED[f"{case} {dtype} seed {seed}"])
    assert list(truth(outcome).compare(report.findings)) == []


def test_born_dead() -> None:
    born = [run for run in SEED.values() if run.kind == "B" and run.dtype == "float64"]
    outcomes = [perform(replace(run, steps=30)) for run in born]
    dead = [outcome for outcome in outcomes if len(set(outcome.watch.run.losses)) == 1]
    for outcome in dead:
        report = outcome.watch.report()
        (finding, *_) = named(report, "DEAD_LAYER")
        assert (finding.severity, finding.step) == ("error", 0)
        assert finding.evidence["born_dead"]
        assert "born dead" in finding.says
        assert named(report, "STEP_UNSTABLE")[0].step == 0
    for outcome in outcomes:
        outcome.watch.close()
    assert dead


def test_step_unstable_says_the_numbers() -> None:
    _, report = diagnose(SEED["B float64 seed 0"])
    whole, update = named(report, "STEP_UNSTABLE")
    assert whole.evidence["lr_times_eigenvalue"] == pytest.approx(107.2, abs=0.5)
    assert whole.evidence["std_x"] == pytest.approx(58.02, abs=0.01)
    assert whole.evidence["std_y"] == pytest.approx(3011.1, abs=0.1)
    assert whole.evidence["lr_times_eigenvalue_standardised"] < 1
    assert update.evidence["ratio"] > 200
    assert update.evidence["ratio_standardised"] < 1
    assert "107.2" in str(report)


def test_an_infinity_that_relu_hides_is_found() -> None:
    outcome, report = diagnose(SEED["B float32 seed 0"])
    (finding,) = named(report, "NONFINITE")
    assert all(abs(loss) < xg.inf for loss in outcome.watch.run.losses)
    assert (finding.step, finding.evidence["op"], finding.where) == (2, "linear", "4 (Linear)")
    assert "diagnose_runs.py" in finding.evidence["line"]


def test_nonfinite_in_the_loss() -> None:
    _, report = diagnose(SEED["C float64 seed 0"])
    (finding,) = named(report, "NONFINITE")
    assert (finding.step, finding.evidence["op"], finding.where) == (3, "square", "MSELoss")


# --- runs with one fault, and without -------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in FAULTS if name.endswith(" 0")])
def test_each_fault_is_found(name: str) -> None:
    run = FAULTS[name]
    _, report = diagnose(run)
    found = {finding.rule for finding in report.findings}
    assert set(run.expected) <= found
    if run.expected[0] in ("GRADCHECK", "FORGOT_ZERO_GRAD", "FROZEN"):
        assert found <= {*run.expected, "UNDERTRAINED", "PLATEAU", "CONST_OUTPUT", "DEAD_LAYER"}


@pytest.mark.parametrize(
    "name",
    [
        "relu sgd float32",
        "tanh momentum float64",
        "sigmoid sgd float64",  # hardly moves: warnings only
        "raw x to 50, adam (case E)",
        "raw x to 50, adagrad, batch (case D)",
        "batch 1, sgd",
        "deep relu, he, adam",
        "he, x = 0 on the kink",  # biases of 0: GRADCHECK must not sit on the kink
        "narrow relu",
        "l1 loss",
        "relu output, targets above 0",
        "classification, sgd, batch",
    ],
)
def test_healthy_runs_have_no_error(name: str) -> None:
    _, report = diagnose(HEALTHY[name])
    assert report.errors == []


def test_a_constant_output_names_the_constant() -> None:
    _, report = diagnose(SEED["A float64 seed 0"])
    (finding,) = named(report, "CONST_OUTPUT")
    assert finding.evidence["constant"] == "mean"
    _, report = diagnose(SEED["B float64 seed 0"])
    (finding,) = named(report, "CONST_OUTPUT")
    assert finding.evidence["constant"] == "zero"


# --- the watcher ----------------------------------------------------------------------------------------------


def small(activation: type[nn.Module] = nn.ReLU) -> tuple[nn.Sequential, xg.Tensor, xg.Tensor]:
    rng = xg.random.Generator(0)
    dtype = xg.float64
    model = nn.Sequential(nn.Linear(1, 8, dtype=dtype, rng=rng), activation(), nn.Linear(8, 1, dtype=dtype, rng=rng))
    x = xg.linspace(-1, 1, 21, dtype=dtype)[:, None]
    return model, x, x * x


def train(model: nn.Module, optimizer: Any, x: Any, y: Any, steps: int, each: Callable[[Any], Any]) -> list[float]:
    losses, loss = [], nn.MSELoss()
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        each(value)
        losses.append(value.item())
    return losses


def test_watching_changes_nothing() -> None:
    losses = []
    for watched in (False, True):
        model, x, y = small()
        optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        if watched:
            w = watch(model, optimizer, loss=nn.MSELoss(), x=x, y=y)
            losses.append(train(model, optimizer, x, y, 60, w.step))
            w.close()
            assert "step" not in vars(optimizer)
            assert not model._forward_hooks
        else:
            losses.append(train(model, optimizer, x, y, 60, lambda value: None))
    assert losses[0] == losses[1]


def test_only_the_model_is_needed(xp: Any) -> None:
    model = nn.Sequential(
        nn.Linear(1, 8, rng=xg.random.Generator(0)), nn.ReLU(), nn.Linear(8, 1, rng=xg.random.Generator(1))
    )
    for p in model[0].parameters():  # type: ignore[union-attr]
        p.data = -xp.abs(p.detach()).data
    x = xp.reshape(xp.linspace(0, 1, 5, dtype=model[0].weight.dtype), (5, 1))  # type: ignore[union-attr]
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    w = watch(model)
    train(model, optimizer, x, x, 30, w.step)
    report = w.report()
    w.close()
    assert [(f.rule, f.where) for f in report.errors] == [("DEAD_LAYER", "0 (Linear)")]
    assert report.lacking["GRADCHECK"] == "needs loss, x, y"
    assert "needs optimizer" in str(report)
    assert "it needs optimizer" in str(report.try_fix())


def test_a_step_with_a_nan_is_run_again_to_name_the_operation() -> None:
    """At step 25, which is not one of those at which every operation is looked at."""
    model, x, y = small()
    optimizer, loss = optim.SGD(model.parameters(), lr=0.01), nn.MSELoss()
    w = watch(model, optimizer, loss=loss, x=x, y=y)
    for step in range(27):
        optimizer.zero_grad()
        batch = x if step != 25 else x * 1e308
        value = loss(model(batch * 10), y)
        value.backward()
        optimizer.step()
        w.step(value)
    (finding,) = named(w.report(), "NONFINITE")
    w.close()
    assert finding.step == 25
    assert finding.evidence["op"]


def test_an_update_that_leaves_the_range() -> None:
    model, x, y = small()
    optimizer = optim.SGD(model.parameters(), lr=1e307)
    w = watch(model, optimizer, loss=nn.MSELoss(), x=x, y=y * 1e6)
    train(model, optimizer, x, y * 1e6, 3, w.step)
    (finding,) = named(w.report(), "NONFINITE")
    w.close()
    assert (finding.evidence["op"], finding.evidence["phase"], finding.step) == ("SGD", "update", 0)


def test_infinities_that_are_meant() -> None:
    model, x, y = small()
    optimizer = optim.SGD(model.parameters(), lr=0.01)

    def loss(output: Any, target: Any) -> Any:
        return xg.mean(xg.square(output - target)) + 0 * xg.sum(xg.exp(xg.log(xg.relu(output - 1e9))))

    for allow, found in (((), True), (("log",), False)):
        w = watch(model, optimizer, allow=allow)
        with xg.no_grad():
            loss(model(x), y)  # unrecorded: nobody's business
        loss(model(x), y)
        assert bool(named(w.report(), "NONFINITE")) == found
        w.close()


def test_a_layer_that_may_recover_is_a_warning_under_momentum() -> None:
    model, x, y = small()
    model[0].weight.data = (-xg.abs(model[0].weight.detach()) * 0).data  # type: ignore[union-attr]
    model[0].bias.data = (0 * model[0].bias.detach() - 1.0).data  # type: ignore[union-attr]
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    w = watch(model, optimizer, loss=nn.MSELoss(), x=x, y=y)
    train(model, optimizer, x, y, 5, w.step)
    assert [f.severity for f in named(w.report(), "DEAD_LAYER")] == ["warning"]
    train(model, optimizer, x, y, 40, w.step)
    assert [f.severity for f in named(w.report(), "DEAD_LAYER")] == ["error"]
    w.close()


def test_saturation_in_a_module_of_one_s_own() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            self.a = nn.Linear(1, 8, dtype=xg.float64, rng=xg.random.Generator(0))
            self.b = nn.Linear(8, 1, dtype=xg.float64, rng=xg.random.Generator(1))

        def forward(self, x: Any) -> Any:
            return self.b(xg.tanh(self.a(x * 1e4)))

    _, x, y = small()
    model = Own()
    optimizer = optim.SGD(model.parameters(), lr=1e-9)
    w = watch(model, optimizer, loss=nn.MSELoss(), x=x, y=y)
    train(model, optimizer, x, y, 5, w.step)
    (finding,) = named(w.report(), "SATURATED")
    w.close()
    assert (finding.where, finding.evidence["kind"], finding.step) == ("a (Linear)", "tanh", 0)


def test_maximum_with_zero_is_a_relu() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            self.a = nn.Linear(1, 8, dtype=xg.float64, rng=xg.random.Generator(0))

        def forward(self, x: Any) -> Any:
            return xg.maximum(self.a(x) - 1e3, 0)

    _, x, y = small()
    model = Own()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    w = watch(model, optimizer, loss=lambda out, y: xg.mean(xg.square(out - y)), x=x, y=y)
    for _ in range(2):
        optimizer.zero_grad()
        value = xg.mean(xg.square(model(x) - y))
        value.backward()
        optimizer.step()
        w.step(value)
    assert named(w.report(), "DEAD_LAYER")[0].evidence["born_dead"]
    w.close()


def test_the_eigenvalue_against_a_matrix() -> None:
    model, x, y = small(nn.Tanh)
    found = largest_eigenvalue(model, nn.MSELoss(), x, y)
    rows = []
    for i in range(x.shape[0]):
        model.zero_grad()
        model(x)[i, 0].backward()
        rows.append(xg.concat([xg.reshape(p.grad, (-1,)) for p in model.parameters() if p.grad is not None]))
    jacobian = xg.stack(rows)
    values = xg.linalg.eigvalsh(2 / x.shape[0] * (jacobian @ jacobian.T))
    assert found == pytest.approx(xg.max(values).item(), rel=0.02)


@pytest.mark.parametrize("order", ["update, step", "step, update", "update, clear, step"])
def test_any_order_in_the_loop(order: str) -> None:
    """`step` after the update or before it, and gradients cleared before it: the same is found at the same steps."""
    run = SEED["B float64 seed 0"]
    _, usual = diagnose(replace(run, steps=30))
    again = perform(replace(run, steps=0))
    w, model, x, y = again.watch, again.model, again.x.numpy(), again.y.numpy()
    w.close()
    optimizer, loss = optim.SGD(model.parameters(), lr=0.01), nn.MSELoss()
    w = watch(model, optimizer, loss=loss, x=x, y=y)  # arrays will do
    x, y = again.x, again.y
    for _ in range(30):
        if "clear" not in order:
            optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        for what in order.split(", "):
            if what == "update":
                optimizer.step()
            elif what == "step":
                w.step(value)
            else:
                optimizer.zero_grad()
    found = w.report()
    w.close()
    assert [(f.rule, f.step) for f in found.findings] == [(f.rule, f.step) for f in usual.findings]


def test_copies_and_pickles_are_not_watched() -> None:
    model, x, y = small()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    w = watch(model, optimizer)
    train(model, optimizer, x, y, 2, w.step)
    twins = copy.deepcopy((model, optimizer))
    for other, its in (twins, pickle.loads(pickle.dumps((model, optimizer)))):
        kept = [p.numpy() for p in model.parameters()]
        train(other, its, x, y, 2, lambda value: None)
        assert w.run.updates == 2
        assert all((p.numpy() == before).all() for p, before in zip(model.parameters(), kept, strict=True))
        assert any((p.numpy() != before).any() for p, before in zip(other.parameters(), kept, strict=True))
    w.close()


def test_a_layer_that_hardly_lives_is_a_warning() -> None:
    model = nn.Sequential(nn.Linear(1, 8, dtype=xg.float64), nn.ReLU(), nn.Linear(8, 1, dtype=xg.float64))
    x = xg.linspace(0, 1, 200, dtype=xg.float64)[:, None]
    bias = [-1.0] * 7 + [-0.999]
    model[0].weight.data = xg.ones((8, 1), dtype=xg.float64).data  # type: ignore[union-attr]
    model[0].bias.data = xg.asarray(bias, dtype=xg.float64).data  # type: ignore[union-attr]
    model[2].weight.data = xg.full((1, 8), 1e-9, dtype=xg.float64).data  # type: ignore[union-attr]
    optimizer = optim.SGD(model.parameters(), lr=1e-3)
    w = watch(model, optimizer, loss=nn.MSELoss(), x=x, y=x)
    train(model, optimizer, x, x, 2, w.step)
    (finding,) = named(w.report(), "DEAD_LAYER")
    w.close()
    assert finding.severity == "warning"
    assert finding.evidence["zeros"] > 0.99


def test_bad_arguments() -> None:
    model, x, _ = small()
    with pytest.raises(TypeError, match="expected a Module"):
        watch(x)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected an Optimizer"):
        watch(model, nn.MSELoss())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="same number of samples"):
        watch(model, x=x, y=x[:-1])


def test_a_watcher_that_is_forgotten_leaves_nothing() -> None:
    model, x, y = small()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    w = watch(model, optimizer)
    assert tape.watchers
    del w
    gc.collect()
    xg.zeros(1) + 1.0
    assert not tape.watchers
    assert Tensor in plain_types
    assert len(train(model, optimizer, x, y, 2, lambda value: None)) == 2


# Watchers in cycles are collected in the middle of whatever allocates next, here of ContextVar.set. The thresholds
# make the collection happen at each of the first 60 allocations.
COLLECTED = """
import gc
import xgrad as xg
from xgrad.diagnose.anomaly import Detector
from xgrad.diagnose.watcher import Watch

gc.disable()
model, detector = xg.nn.Linear(2, 1), Detector(print)
for allocations in range(1, 61):
    gc.collect()
    for _ in range(3):
        watcher = Watch(model, starting=False)
        watcher.itself = watcher
    del watcher
    gc.set_threshold(gc.get_count()[0] + allocations, 1000, 1000)
    gc.enable()
    detector.start()
    detector.stop()
    gc.disable()
"""


def test_a_watcher_may_be_collected_at_any_moment() -> None:
    run = subprocess.run([sys.executable, "-c", COLLECTED], capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stderr) == (0, "")


# --- the report -----------------------------------------------------------------------------------------------


def test_the_report_as_text_json_and_page(tmp_path: Any) -> None:
    pytest.importorskip("matplotlib")
    outcome = perform(replace(SEED["C float64 seed 0"], steps=8))
    report = outcome.watch.report()
    outcome.watch.close()
    text = str(report)
    assert text.startswith(report.sentence)
    assert "ERROR STEP_UNSTABLE at step 0" in text
    assert "fix: standardise" in text
    again = json.loads(report.dumps())
    assert [f["rule"] for f in again["findings"]] == [f.rule for f in report.findings]
    assert {f.rule for f in report.findings} <= {rule.name for rule in RULES}
    path = tmp_path / "run.html"
    report.save(path)
    page = path.read_text(encoding="utf-8")
    assert page.count("<svg") == 5
    assert "NONFINITE" in page
    for loading in ("src=", "@import", "<link", "<script", "url(http"):
        assert loading not in page


def test_a_quiet_report() -> None:
    model, x, y = small(nn.Tanh)
    w = watch(model, optim.SGD(model.parameters(), lr=0.1), loss=nn.MSELoss(), x=x, y=y)
    report = w.report()
    w.close()
    assert "nothing was found wrong" in str(report)
    assert "nothing was found wrong" in str(report.try_fix())


@pytest.mark.parametrize("case", ["A", "B", "C"])
def test_the_fix_is_tried(case: str) -> None:
    outcome = perform(SEED[f"{case} float64 seed 0"] if case != "C" else replace(SEED["C float64 seed 0"], steps=400))
    start = [p.numpy() for p in outcome.model.parameters()]
    fix = outcome.watch.report().try_fix()
    outcome.watch.close()
    assert fix.best is not None
    assert fix.best.change.standardise  # on both: neither alone is ever proposed
    assert fix.best.r2 > 0.9
    assert not fix.before.r2 > 0.1
    assert f"the fix: {fix.best.change}" in str(fix)
    assert fix.json()["fix"] == str(fix.best.change)
    for p, before in zip(outcome.model.parameters(), start, strict=True):
        assert ((p.numpy() == before) | (before != before)).all()


def test_a_wrong_derivative_is_to_be_mended_first() -> None:
    _, report = diagnose(FAULTS["wrong derivative 0"])
    (finding,) = named(report, "GRADCHECK")
    assert finding.evidence["custom"] == ["wrong_relu"]
    assert "GRADCHECK comes first" in str(report.try_fix())


def test_a_large_lr_on_good_data_is_made_smaller() -> None:
    model, x, y = small(nn.Tanh)
    y = y / xg.std(y)
    y, x = y - xg.mean(y), x / xg.std(x)
    optimizer = optim.SGD(model.parameters(), lr=20.0)
    w = watch(model, optimizer, loss=nn.MSELoss(), x=x, y=y)
    train(model, optimizer, x, y, 200, w.step)
    fix = w.report().try_fix()
    w.close()
    assert fix.trials[0].change.lr is not None
    assert fix.best is not None
