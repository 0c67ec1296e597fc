"""`xgrad.fit.fit`: what a run computes, records and writes."""

import json
import math
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from xgrad.cli import main
from xgrad.fit import Config, FitError, Result, fit
from xgrad.fit.network import ACTIVATIONS, INITS, LOSSES, OPTIMIZERS
from xgrad.fit.recorder import BLOCK, Recorder
from xgrad.fit.samples import Scale

SHORT: dict[str, Any] = {"range": (-2, 2), "points": 11, "hidden": (4,), "steps": 12}


def drawn_weights(rng: np.random.Generator, *sizes: int) -> list[np.ndarray]:
    """Weights (in, out) and biases as the seed draws them."""
    drawn = []
    for fan_in, fan_out in pairwise(sizes):
        bound = 1 / math.sqrt(fan_in)
        drawn.append(rng.uniform(-bound, bound, (fan_in, fan_out)))
        drawn.append(rng.uniform(-bound, bound, fan_out))
    return drawn


def mean_squared_error(result: Result, stage: int) -> float:
    y = np.asarray(result.record.y)
    return float(np.mean((np.asarray(result.record.stages[stage].prediction) - y) ** 2))


# --- what a run computes


def test_the_defaults_learn_the_parabola_quickly() -> None:
    result = fit()
    assert result.r2 >= 0.999
    assert result.history["seconds"] >= 0
    assert result.completed
    assert result.model(xg.zeros((1, 1), dtype=xg.float32)).shape == (1, 1)


def test_random_numbers_are_drawn_in_the_documented_order() -> None:
    result = fit(**SHORT, batch=5, standardize=False, lr=0.0, dtype="float64")
    rng = np.random.default_rng(0)
    w1, b1, w2, b2 = drawn_weights(rng, 1, 4, 1)
    for parameter, drawn in zip(result.model.parameters(), (w1.T, b1, w2.T, b2), strict=True):
        np.testing.assert_array_equal(parameter.numpy(), drawn)
    x = np.linspace(-2, 2, 11)
    prediction = (np.maximum(x[:, None] @ w1 + b1, 0) @ w2 + b2)[:, 0]
    np.testing.assert_allclose(result.history["prediction"], prediction, rtol=1e-12)
    for loss in result.history["loss"]:
        chosen = rng.integers(0, 11, size=5)
        assert loss == pytest.approx(np.mean((prediction[chosen] - x[chosen] ** 2) ** 2), rel=1e-12)


def test_a_linear_fit_against_its_formula() -> None:
    result = fit(function="3*x + 1", range=(0, 1), points=5, hidden=(), steps=2, lr=0.1,
                 optimizer="sgd", standardize=False, dtype="float64")  # fmt: skip
    w, b = (float(drawn.item()) for drawn in drawn_weights(np.random.default_rng(0), 1, 1))
    x = np.linspace(0, 1, 5)
    losses, norms = [], []
    for _ in range(2):
        away = w * x + b - (3 * x + 1)
        losses.append(np.mean(away**2))
        gradient = np.array([2 * np.mean(away * x), 2 * np.mean(away)])
        norms.append(np.hypot(*gradient))
        w, b = np.array([w, b]) - 0.1 * gradient
    assert result.history["loss"] == pytest.approx(losses, rel=1e-12)
    assert result.record.layers[0].gradient_norm == pytest.approx(norms, rel=1e-12)
    assert result.history["prediction"] == pytest.approx(list(w * x + b), rel=1e-12)


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    first, again, other = (fit(**SHORT, batch=3, seed=seed).history["loss"] for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation(name: str) -> None:
    hidden = fit(**SHORT, activation=name)
    output = fit(**SHORT, output_activation=name)
    for result in (hidden, output):
        assert all(math.isfinite(loss) for loss in result.history["loss"])
    idle = getattr(ACTIVATIONS[name], "idle", None)
    assert [layer.idle for layer in hidden.record.layers] == [idle, None]
    assert [layer.idle for layer in output.record.layers] == ["dead", idle]
    assert all(0 <= share <= 1 for share in hidden.record.layers[0].share)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_descends(name: str) -> None:
    losses = fit(**SHORT, optimizer=name).history["loss"]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss(name: str) -> None:
    result = fit(**SHORT, loss=name, standardize=False, dtype="float64")
    away = np.abs(np.asarray(result.record.stages[0].prediction) - np.asarray(result.record.y))
    expected = {
        "mse": np.mean(away**2),
        "l1": np.mean(away),
        "huber": np.mean(np.where(away < 1, away**2 / 2, away - 0.5)),
    }
    assert result.history["loss"][0] == pytest.approx(expected[name], rel=1e-12)


@pytest.mark.parametrize("name", INITS)
def test_every_init_has_its_spread(name: str) -> None:
    result = fit(**{**SHORT, "hidden": (300, 200), "steps": 1}, init=name, lr=0.0)
    _, _, weight, bias, _, _ = (parameter.numpy() for parameter in result.model.parameters())
    variance = {
        "uniform": 1 / 300 / 3,
        "kaiming_uniform": 2 / 300,
        "kaiming_normal": 2 / 300,
        "xavier_uniform": 2 / 500,
        "xavier_normal": 2 / 500,
    }[name]
    assert weight.shape == (200, 300)
    assert weight.var() == pytest.approx(variance, rel=0.03)
    assert abs(weight.mean()) < 0.01
    assert (bias.any()) == (name == "uniform")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype(dtype: str) -> None:
    model = fit(**SHORT, dtype=dtype).model
    assert all(parameter.dtype == getattr(xg, dtype) for parameter in model.parameters())


def test_standardised_numbers_come_back_in_the_data_s_own_units() -> None:
    result = fit(**{**SHORT, "steps": 1000, "hidden": ()}, function="1000*x + 5000", lr=0.01)
    y = np.asarray(result.history["y"])
    np.testing.assert_allclose(result.history["prediction"], y, atol=1)
    assert result.history["loss"][-1] < 1e-5
    scale = Scale.standard(y.tolist())
    assert (scale.mean, scale.std) == pytest.approx((y.mean(), y.std()))


def test_targets_that_are_all_equal() -> None:
    result = fit(**SHORT, function="7")
    assert math.isnan(result.r2)
    assert result.history["loss"][-1] < result.history["loss"][0]


def test_on_every_backend(xp: Any) -> None:
    name = xg.get_backend().name
    result = fit(**SHORT, batch=4)
    assert next(result.model.parameters()).backend is xg.get_backend()
    assert name in result.history["versions"]
    with xg.use_backend("numpy"):
        on_numpy = fit(**SHORT, batch=4)
    assert result.history["loss"] == pytest.approx(on_numpy.history["loss"], rel=1e-4)


# --- what it records


@pytest.mark.parametrize("batch", [None, 11, 4])
def test_what_is_drawn_is_the_training_forward(batch: int | None) -> None:
    """The seed's first bug: a plot that rebuilt the network and left out a sigmoid."""
    result = fit(**SHORT, activation="sigmoid", output_activation="sigmoid", function="x**2/9",
                 batch=batch, standardize=False, dtype="float64")  # fmt: skip
    for stage in result.record.stages[:-1]:
        if batch is None:
            assert mean_squared_error(result, stage.step) == result.history["loss"][stage.step]
    last = result.record.stages[-1]
    x = xg.asarray([[x] for x in result.record.x], dtype=xg.float64)
    assert last.step == 12
    assert last.prediction == result.history["prediction"]
    assert last.prediction == result.model(x).numpy()[:, 0].tolist()


def test_batches_are_watched_at_all_points() -> None:
    """Drawn again and again as large as the data, a batch is still not all of its points."""
    result = fit(**SHORT, batch=11, lr=0.0)
    first, *rest = result.record.stages
    assert all(stage.prediction == first.prediction for stage in rest)


def test_the_steps_that_are_sampled() -> None:
    result = fit(**{**SHORT, "steps": 250}, every=75)
    assert result.record.sampled == [*range(10), *range(10, 80, 10), 75, 80, 90, 100, 150, 200, 225]
    assert [stage.step for stage in result.record.stages] == [*result.record.sampled, 250]
    for layer in result.record.layers:
        assert len(layer.gradient_norm) == len(result.record.sampled)


def test_every_loss_is_kept_across_blocks() -> None:
    result = fit(**{**SHORT, "steps": 2 * BLOCK + 3})
    assert len(result.history["loss"]) == 2 * BLOCK + 3
    assert all(type(loss) is float for loss in result.history["loss"])


def test_curves_of_many_unordered_points_are_drawn_in_order() -> None:
    xs = np.random.default_rng(0).permutation(3000) / 1000
    result = fit(data=(xs, xs**2), steps=1, hidden=(2,))
    shown = result.record.shown_x
    assert shown == sorted(shown)
    assert (len(shown), shown[0], shown[-1]) == (1000, 0.0, 2.999)
    assert len(result.history["prediction"]) == 3000
    by_x = dict(zip(result.history["x"], result.history["prediction"], strict=True))
    assert result.record.stages[-1].prediction == [by_x[x] for x in shown]
    assert result.record.curve is None
    assert result.history["config"]["data"] == "3000 points"


def test_large_gradients_have_a_norm() -> None:
    result = fit(**SHORT, function="1e12*x", standardize=False, optimizer="sgd", lr=1e-30)
    assert all(math.isfinite(norm) for norm in result.record.layers[0].gradient_norm)
    assert result.record.layers[0].gradient_norm[0] > 1e11


# --- the files


def test_the_history(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    result = fit(**SHORT, history=str(path))
    history = json.loads(path.read_text(encoding="utf-8"))
    assert set(history) == {
        "config", "versions", "seconds", "loss", "r2", "x", "y", "prediction", "findings"
    }  # fmt: skip
    assert history["config"]["hidden"] == [4]
    assert history["config"]["function"] == "x**2"
    assert {"python", "xgrad"} < set(history["versions"])
    assert history["loss"] == result.history["loss"]
    assert history["r2"] == result.r2
    assert len(history["loss"]) == 12
    assert history["x"] == pytest.approx(np.linspace(-2, 2, 11))
    assert history["y"] == pytest.approx(np.linspace(-2, 2, 11) ** 2)
    away = np.asarray(history["y"]) - history["prediction"]
    assert history["r2"] == pytest.approx(1 - np.mean(away**2) / np.var(history["y"]))


def test_a_run_that_diverges_writes_everything(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    result = fit(
        standardize=False,
        optimizer="sgd",
        activation="leaky_relu",
        steps=12,
        out=str(tmp_path / "out.png"),
        gif=str(tmp_path / "gif.gif"),
        history=str(tmp_path / "history.json"),
    )
    assert math.isnan(result.r2)
    text = (tmp_path / "history.json").read_text(encoding="utf-8")
    history = json.loads(text, parse_constant=pytest.fail)
    assert history["r2"] == "nan"
    assert history["loss"][-1] == "nan"
    assert set(history["prediction"]) == {"nan"}
    assert {path.name for path in tmp_path.iterdir()} == {"out.png", "gif.gif", "history.json"}
    assert all(path.stat().st_size > 1000 for path in tmp_path.iterdir())


@pytest.fixture
def terminal() -> Iterator[None]:
    """Ctrl-C does what it does in a terminal, also where the tests run in the background and ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def press_ctrl_c(monkeypatch: pytest.MonkeyPatch, at: int, times: int) -> None:
    see = Recorder.step

    def see_and_press(self: Recorder, step: int, *rest: Any) -> None:
        if step == at:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
        see(self, step, *rest)

    monkeypatch.setattr(Recorder, "step", see_and_press)


@pytest.mark.usefixtures("terminal")
def test_ctrl_c_keeps_what_there_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    press_ctrl_c(monkeypatch, at=7, times=1)
    handler = signal.getsignal(signal.SIGINT)
    path = tmp_path / "run.json"
    result = fit(**SHORT, history=path)
    assert not result.completed
    assert len(json.loads(path.read_text(encoding="utf-8"))["loss"]) == 8  # the step is finished first
    assert result.record.stages[-1].step == 8
    assert math.isfinite(result.r2)
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.usefixtures("terminal")
def test_ctrl_c_twice_breaks_a_step_off_and_keeps_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    press_ctrl_c(monkeypatch, at=7, times=2)
    path = tmp_path / "run.json"
    result = fit(**SHORT, history=path)
    assert not result.completed
    assert result.interrupted_by == signal.SIGINT
    assert len(json.loads(path.read_text(encoding="utf-8"))["loss"]) in (7, 8)


def test_a_run_that_is_out_of_memory_keeps_what_there_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    step, calls = xg.optim.Adam.step, []

    def fail(self: Any, *args: Any) -> Any:
        calls.append(1)
        if len(calls) == 5:
            raise MemoryError("much")
        return step(self, *args)

    monkeypatch.setattr(xg.optim.Adam, "step", fail)
    path = tmp_path / "run.json"
    result = fit(**SHORT, history=path)
    assert (result.completed, result.fault, result.interrupted_by) == (False, "out of memory: much", None)
    losses = json.loads(path.read_text(encoding="utf-8"))["loss"]
    assert losses == result.record.loss
    assert 3 <= len(losses) <= 5  # the optimizer may have been stepped before the run
    path.unlink()
    calls.clear()
    assert main(["fit", "--quiet", "--steps", "12", "--out", "", "--history", str(path)]) == 2
    assert path.exists()


def test_the_line_on_memory(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    see = Recorder.step

    def fail(self: Recorder, step: int, *rest: Any) -> None:
        if step == 3:
            raise MemoryError
        see(self, step, *rest)

    monkeypatch.setattr(Recorder, "step", fail)
    assert main(["fit", "--quiet", "--steps", "12", "--out", ""]) == 2
    assert capsys.readouterr() == ("", "xgrad fit: error: out of memory, after 3 of 12 steps, which are kept\n")


def test_a_fit_in_another_thread() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(fit, **SHORT).result().completed


def test_the_figure_is_made_once() -> None:
    pytest.importorskip("matplotlib")
    result = fit(**SHORT)
    assert result.figure is result.figure
    assert f"R² = {result.r2:.5f}" in result.figure.axes[0].get_title(loc="left")


# --- what cannot be done


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"activation": "rel"}, "--activation 'rel' is unknown; there are none, sigmoid"),
        ({"output_activation": "x"}, "--output-activation"),
        ({"optimizer": "newton"}, "--optimizer 'newton' is unknown"),
        ({"loss": "mae"}, "--loss"),
        ({"init": "zeros"}, "--init"),
        ({"dtype": "int8"}, "--dtype"),
        ({"hidden": (32, 0)}, "--hidden must be a whole number, 1 or more; it is 0"),
        ({"steps": 0}, "--steps must be a whole number, 1 or more"),
        ({"steps": -5}, "--steps"),
        ({"steps": 1.5}, "--steps"),
        ({"points": 10**12}, "--points must be 10000000 or less"),
        ({"batch": 0}, "--batch"),
        ({"every": 0}, "--every"),
        ({"points": 1}, "--points must be a whole number, 2 or more"),
        ({"seed": -1}, "--seed must be a whole number, 0 or more"),
        ({"lr": math.nan}, "--lr must be a finite number, 0 or more; it is nan"),
        ({"lr": math.inf}, "--lr"),
        ({"lr": -0.1}, "--lr"),
        ({"range": (1, 1)}, "--range needs two finite numbers LO < HI"),
        ({"range": (0, math.inf)}, "--range"),
        ({"function": "log(x)"}, "'log(x)' is nan at x = -100"),
        ({"function": "1/x"}, "'1/x' is inf at x = 0"),
        ({"function": "import os"}, "unknown name 'import'"),
        ({"data": "absent.csv"}, "no such file"),
        ({"data": "a.csv", "function": "x"}, "--function and --data exclude each other"),
        ({"data": "a.csv", "range": (0, 1)}, "--range and --data"),
        ({"data": ([1.0], [1.0])}, "two points or more"),
        ({"data": ([1.0, 2.0], [1.0])}, "as many x as y"),
        ({"data": ([1.0, 2.0], [1.0, math.nan])}, "point 1 is"),
        ({"function": "1e200*x"}, "too large"),
        ({"function": "1e40*x", "standardize": False}, "too large"),
        ({"history": "absent/run.json"}, "--history absent/run.json: the folder"),
        ({"history": "."}, "this is a folder"),
        ({"out": "absent/fit.png"}, "--out"),
        ({"out": "fit.xyz"}, "--out fit.xyz: the name must end in .png"),
        ({"gif": "fit.png"}, "--gif fit.png: the name must end in .gif"),
        ({"out": "a.png", "history": "./a.png"}, "--out and --history name the same file"),
    ],
)
def test_bad_options_are_named_before_training(
    options: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("xgrad.fit.run.train", lambda *a, **k: pytest.fail("it trained"))
    with pytest.raises(FitError) as caught:
        fit(**options)
    assert said in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_backend_that_is_not_there() -> None:
    with pytest.raises(xg.BackendError, match="numpy"):
        fit(backend="abacus")
    with pytest.raises(xg.BackendError, match="gpu7"):
        fit(device="gpu7", backend="numpy")


def test_options_are_checked_by_name() -> None:
    with pytest.raises(TypeError, match="not both; got steps too"):
        fit(Config(), steps=3)
    with pytest.raises(TypeError, match="momentum"):
        Config(momentum=0.9)  # type: ignore[call-arg]


@pytest.mark.parametrize("options", [{}, {"batch": 16, "optimizer": "sgd"}, {"function": "x**3", "lr": 0.1}])
def test_a_compiled_fit_is_the_same_fit(options):
    """The steps between two looks are programs. The losses, the curve and the findings stay."""
    plain, compiled = (fit(steps=150, every=50, compile=compile, **options) for compile in (False, True))
    assert compiled.history["loss"] == plain.history["loss"]
    assert compiled.history["prediction"] == plain.history["prediction"]
    assert compiled.record.sampled == plain.record.sampled
    assert compiled.history["config"]["compile"] is True
    assert {f.rule for f in compiled.report.findings} == {f.rule for f in plain.report.findings}


def test_a_compiled_fit_that_diverges_is_found():
    result = fit(
        function="x**2", range=(-100, 100), standardize=False, optimizer="sgd", lr=0.01, steps=60, compile=True
    )
    assert "STEP_UNSTABLE" in {f.rule for f in result.report.findings}
