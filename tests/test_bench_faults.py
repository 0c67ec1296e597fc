"""The benchmark of random faults: a seed gives the same run again, each fault changes what it says, and the counts are right."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pytest

import xgrad as xg
from bench import faults, faults_training
from bench.faults_cases import HARM, HEALTHY, case, generator
from bench.faults_counting import by_fault, by_rule, of_healthy, reported, wilson, wrong_errors
from bench.faults_generator import BINARY, CLASSES, HELD_OUT, REGRESSION, TASKS, Training, draw, make
from bench.faults_injected import FACTS, FAULTS, POOR, Injected, has_dead_layer, is_overfit
from bench.faults_training import (
    GOOD,
    LAYERS,
    WORST,
    Wrong,
    balanced,
    batches_of,
    loss_of,
    network,
    optimizer_of,
    perform,
    score,
)  # fmt: skip
from xgrad import diagnose, nn, optim

VARIANTS = [(name, place) for name, fault in FAULTS.items() for place in range(len(fault.variants))]


@pytest.fixture(autouse=True)
def on_numpy():
    with xg.use_backend("numpy"):
        yield


def drawn(task: str, **changes: object) -> Training:
    """A small training of a task."""
    plain = {
        "majority": 0.0,
        "is_sorted": False,
        "shuffle": True,
        "samples": 60,
        "inputs": 3,
        "hidden": (5, 4),
        "data": "linear",
        "between": "",
        "batch": 16,
        "steps": 3,
    }
    return replace(draw(np.random.default_rng(0), (task,)), **(plain | changes))  # type: ignore[arg-type]


# --- the trainings --------------------------------------------------------------------------------


def test_a_seed_draws_the_same_training_again():
    first, second = (draw(generator(7, HEALTHY, 3)) for _ in range(2))
    assert first == second
    assert draw(generator(7, HEALTHY, 4)) != first
    assert draw(generator(8, HEALTHY, 3)) != first


@pytest.mark.parametrize("task", TASKS)
def test_data_are_the_same_again_and_held_out_samples_are_others(task):
    t = drawn(task)
    first, second = make(t), make(t)
    for field in fields(first):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(second, field.name))
    assert len(first.x) == len(first.y) == len(first.truth) == 60
    assert len(first.x_held) == len(first.y_held) == HELD_OUT
    assert not {tuple(row) for row in first.x} & {tuple(row) for row in first.x_held}


def test_a_case_is_the_same_run_again():
    cases = [case(9, "LR_LOW", 0) for _ in range(2)]
    rows = [found.row() for found in cases if found is not None]
    for row in rows:
        row.pop("seconds")
    assert rows[0] == rows[1]
    row = json.loads(json.dumps(rows[0]))
    assert row["partner"] >= GOOD - 0.1
    assert row["score"] <= row["partner"] - HARM
    assert {"LR_LOW", "UNDERTRAINED"} == {*row["accept"]}


def test_a_watcher_does_not_change_the_training():
    t = drawn(REGRESSION, steps=20)
    assert perform(t).losses == perform(t, watched=False).losses


def test_a_training_that_fails_is_not_healthy():
    assert not perform(drawn(CLASSES, lr=1e-12, steps=2), watched=False).is_healthy


@pytest.mark.parametrize("task", TASKS)
def test_a_score_is_one_for_the_truth_and_poor_at_chance(task):
    t = drawn(task, last="", loss={CLASSES: "CrossEntropyLoss", REGRESSION: "MSELoss"}.get(task, "BCEWithLogitsLoss"))
    data = make(t)
    truth = data.truth_held.reshape(HELD_OUT, -1).astype(float)
    right = np.eye(t.classes)[data.truth_held] if task == CLASSES else truth if task == REGRESSION else 2 * truth - 1

    class Constant(nn.Module):
        def __init__(self, output):
            self.output = output

        def forward(self, x):
            return xg.asarray(self.output)

    assert score(t, Constant(right), data.x_held, data.truth_held) == 1
    assert score(t, Constant(0 * right), data.x_held, data.truth_held) <= 0.5
    assert score(t, Constant(right * np.nan), data.x_held, data.truth_held) == WORST


def test_balanced_accuracy_counts_each_class_alike():
    assert balanced(np.zeros(100), np.arange(100) >= 98) == 0.5


# --- the faults -----------------------------------------------------------------------------------


def injected(name: str, place: int) -> tuple[Training, Injected]:
    variant = FAULTS[name].variants[place]
    for seed in range(200):
        rng = np.random.default_rng(seed)
        whole = variant.suited(draw(rng, variant.tasks), rng)
        found = None if whole is None else variant.inject(replace(whole, samples=min(whole.samples, 80)), rng)
        if whole is not None and found is not None:
            return replace(whole, samples=min(whole.samples, 80)), found
    raise AssertionError("no training suits it")


@pytest.mark.parametrize(("name", "place"), VARIANTS)
def test_a_fault_changes_the_training_and_is_named_by_its_rule(name, place):
    whole, found = injected(name, place)
    assert found.training != whole
    assert name in found.accept
    assert not found.accept & found.symptoms
    assert found.symptoms >= POOR - found.accept or name == "UNDERTRAINED"
    assert found.says
    assert found.training.seed == whole.seed
    assert found.training.task == whole.task


@pytest.mark.parametrize(("name", "place"), VARIANTS)
def test_a_program_with_a_fault_runs(name, place):
    _, found = injected(name, place)
    outcome = perform(replace(found.training, steps=2), watched=False)
    assert len(outcome.losses) == 2
    assert WORST <= outcome.score <= 1


def test_faults_of_the_data():
    t = drawn(CLASSES, classes=3, samples=300, targets="integers")
    counts = np.bincount(make(replace(t, majority=0.98)).truth, minlength=3)
    assert counts.max() == 294
    assert counts.sum() == 300
    ordered = make(replace(t, is_sorted=True)).y
    np.testing.assert_array_equal(ordered, np.sort(ordered))
    assert 2 not in make(replace(t, missing=2)).y
    assert 2 in make(replace(t, missing=2)).y_held
    assert not make(replace(t, scaled="// 255")).y.any()
    noisy = make(replace(t, flipped=0.5))
    assert 0.2 < (noisy.y != noisy.truth).mean() < 0.5
    pixels = make(replace(t, inputs_are="pixels")).x
    assert (pixels.min(), pixels.max()) == (0, 255)
    prices = make(replace(t, inputs_are="prices")).x
    np.testing.assert_allclose([prices.mean(), prices.std()], [20_000, 4_000], rtol=0.02)
    real = drawn(REGRESSION, reach=False)
    np.testing.assert_allclose(make(replace(real, scaled="* 1000")).y, 1000 * make(real).y, rtol=1e-5)
    assert (make(replace(real, scaled="rounded")).y == 0).any()
    inside = make(replace(real, reach=True)).y
    assert 0 < inside.min() < inside.max() < 1


def test_faults_of_the_network():
    t = drawn(BINARY, activation="tanh", last="sigmoid", loss="BCELoss", init="default")
    kinds = [type(layer).__name__ for layer in network(replace(t, last="softmax"))]
    assert kinds == ["Linear", "Tanh", "Linear", "Tanh", "Linear", "Softmax"]
    assert [type(layer).__name__ for layer in network(replace(t, activation="none"))][:3] == ["Linear"] * 3
    large = [layer for layer in network(replace(t, times=30.0)) if isinstance(layer, nn.Linear)]
    assert np.std(large[0].weight.numpy()) > 5
    assert np.abs(large[-1].weight.numpy()).max() < 1
    low = [layer for layer in network(replace(t, bias=-9.0)) if isinstance(layer, nn.Linear)]
    assert [bool((layer.bias.numpy() == -9).all()) for layer in low if layer.bias is not None] == [True, True, False]
    cut = network(replace(t, detached=0))
    loss_of(t)(cut(xg.asarray(make(t).x)), xg.asarray(make(t).y)).backward()
    assert [p.grad is None for p in cut.parameters()] == [True, True, False, False, False, False]


def test_faults_of_the_program():
    t = drawn(CLASSES, optimizer="SGD", momentum=0.0, weight_decay=0.5)
    model = network(t)
    assert optimizer_of(t, model).param_groups[0]["weight_decay"] == 0.5
    some = optimizer_of(replace(t, left_out=(0, 2)), model)
    given = [id(p) for group in some.param_groups for p in group.params]
    assert given == [id(p) for name, p in model.named_parameters() if name.startswith("2.")]
    data = make(replace(t, is_sorted=True))
    x, y = xg.asarray(data.x), xg.asarray(data.y)
    batch, _ = next(batches_of(replace(t, shuffle=False), data, x, y))
    np.testing.assert_array_equal(batch.numpy(), data.x[:16])
    batch, _ = next(batches_of(t, data, x, y))
    assert not np.array_equal(batch.numpy(), data.x[:16])
    steady = replace(t, batch=0, optimizer="SGD", lr=0.0, weight_decay=0.0, steps=3)
    outcome = perform(replace(steady, zero_grad=False), watched=False)
    last = outcome.model[0].weight.grad
    first = perform(steady, watched=False).model[0].weight.grad
    np.testing.assert_allclose(last.numpy(), 3 * first.numpy(), rtol=1e-4, atol=1e-7)
    assert isinstance(optimizer_of(drawn(CLASSES, optimizer="RMSprop"), model), optim.RMSprop)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_a_wrong_activation_has_the_right_values_and_a_wrong_derivative(activation):
    x = xg.asarray(np.linspace(0.2, 0.8, 5))
    right, wrong = LAYERS[activation](), Wrong(activation)
    np.testing.assert_allclose(wrong(x).numpy(), right(x).numpy())
    gradients = [xg.grad(lambda x, f=f: xg.sum(f(x)))(x).numpy() for f in (right, wrong)]
    assert (np.abs(gradients[0] - gradients[1]) > 0.1 * np.abs(gradients[0])).all()


def test_a_dead_layer_and_overfitting_are_seen():
    t = drawn(BINARY, activation="relu", steps=1)
    assert has_dead_layer(perform(replace(t, bias=-1e4), watched=False))
    assert not has_dead_layer(perform(t, watched=False))
    few = drawn(
        CLASSES, last="", loss="CrossEntropyLoss", targets="integers", activation="tanh", hidden=(64,), samples=20
    )
    few = replace(few, optimizer="Adam", lr=0.02, weight_decay=0.0, batch=0, flipped=0.5)
    assert is_overfit(perform(replace(few, steps=200), watched=False))
    assert not is_overfit(perform(replace(few, steps=1), watched=False))


@pytest.mark.parametrize("takes", [True, False])
def test_a_watcher_gets_held_out_samples_if_it_takes_them(monkeypatch, takes):
    given = {}

    def watch(model, optimizer, **more):
        given.update(more)
        return diagnose.watch(model, optimizer, **{name: more[name] for name in ("loss", "x", "y")})

    monkeypatch.setattr(faults_training, "watch", watch)
    monkeypatch.setattr(faults_training, "TAKES_HELD_OUT", takes)
    t = drawn(REGRESSION, validation=True)
    perform(t)
    assert ("x_val" in given, "y_val" in given) == (takes, takes)
    if takes:
        np.testing.assert_array_equal(given["x_val"].numpy(), make(t).x_held)
    given.clear()
    perform(replace(t, validation=False))
    assert "x_val" not in given


# --- the counts -----------------------------------------------------------------------------------


def row(kind, index, *findings, accept=(), symptoms=(), unfit=0):
    named = [[rule, severity, 0, "x", f"{rule} it is"] for rule, severity in findings]
    more = {} if kind == HEALTHY else {"accept": [*accept], "symptoms": [*symptoms]}
    return {"kind": kind, "index": index, "findings": named, "unfit": unfit, "harmless": 1, "raised": {}} | more


ROWS = [
    row(HEALTHY, 0, unfit=2),
    row(HEALTHY, 1, ("SCALE", "warning"), ("SCALE", "error")),
    row(HEALTHY, 2, ("FROZEN", "warning"), ("SCALE", "note")),
    row("SCALE", 0, ("SCALE", "warning"), ("FROZEN", "error"), accept=["SCALE"], symptoms=["PLATEAU"]),
    row("SCALE", 1, ("PLATEAU", "warning"), ("DEAD_LAYER", "error"), accept=["SCALE"], symptoms=["PLATEAU"]),
    row("SCALE", 2, ("SCALE", "note"), accept=["SCALE"]),
    row("LR_LOW", 0, ("UNDERTRAINED", "warning"), accept=["LR_LOW", "UNDERTRAINED"]),
]


def test_a_report_counts_once_for_each_rule_and_notes_do_not():
    assert reported(ROWS[1]) == {"SCALE": "error"}
    assert reported(ROWS[2]) == {"FROZEN": "warning"}


def test_recall():
    counts = by_fault(ROWS, {"SCALE": 4, "LR_LOW": 1, "FROZEN": 1})
    assert [(c["runs"], c["named"], c["by its own rule"], c["not found"]) for c in counts.values()] == [
        (3, 1, 1, 1), (1, 1, 0, 0), (0, 0, 0, 1),
    ]  # fmt: skip


def test_precision():
    counts = by_rule(ROWS, FACTS)
    assert {rule: (c["reported"], c["right"]) for rule, c in counts.items()} == {
        "DEAD_LAYER": (1, 1),
        "FROZEN": (2, 0),
        "PLATEAU": (1, 1),
        "SCALE": (2, 1),
        "UNDERTRAINED": (1, 1),
    }
    assert (counts["SCALE"]["healthy errors"], counts["SCALE"]["healthy warnings"]) == (1, 0)
    assert (counts["FROZEN"]["healthy errors"], counts["FROZEN"]["healthy warnings"]) == (0, 1)
    assert wrong_errors(ROWS, FACTS) == [("SCALE", 0, "FROZEN")]


def test_alarms_on_healthy_runs():
    counts = of_healthy(ROWS)
    assert (counts["runs"], counts["with an error"], counts["with a warning only"]) == (3, 1, 1)
    assert counts["drawn again"] == 2


@pytest.mark.parametrize(
    ("right", "of", "low", "high"), [(0, 300, 0, 0.0126), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1)]
)
def test_wilson_intervals(right, of, low, high):
    assert wilson(right, of) == pytest.approx((low, high), abs=1e-4)


def test_the_report_says_what_was_counted(monkeypatch):
    made = {(r["kind"], r["index"]): r for r in ROWS}
    monkeypatch.setattr(faults, "row_of", lambda task: (task, made.get(task[1:])))
    results = faults.measure(1000, 3, 3, ["SCALE", "LR_LOW"])
    machine = {"date": "2026-01-01", "commit": "c", "cpu": "a cpu", "python": "CPython", "blas": "a BLAS"}
    text = faults.markdown({"machine": machine, "versions": {"numpy": "2"}, "threads": "1"} | results)
    assert "No rule was fitted on this seed." in text
    assert "| SCALE | 3 | 1 | 0.333 | 0.06 to 0.79 | 1 | no |" in text
    assert "| SCALE | 2 | 1 | 0.500 | 0.09 to 0.91 | 1 | 0 |" in text
    assert "3 runs that train well (2 others were drawn again): 1 with an error (0.333" in text
    assert "* SCALE-0: FROZEN" in text
    assert "* healthy run 1: SCALE (error), SCALE it is" in text
    fitted = faults.markdown({"machine": machine, "versions": {}, "threads": "1"} | results | {"fitted": True})
    assert "Rules were fitted on this seed." in fitted


def test_a_run_is_shown_in_words(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["faults", "--show", "9", "LR_LOW-0"])
    faults.main()
    text = capsys.readouterr().out
    assert text.startswith("LR_LOW 0 of seed 9: ")
    assert "fault: the rate divided by " in text
    assert "named by LR_LOW, UNDERTRAINED" in text
