"""`xgrad train`: a run from its config to its folder, runs that end early, and runs that are gone on with."""

from __future__ import annotations

import csv
import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from xgrad.cli import main
from xgrad.fit import FitError
from xgrad.train import ConfigError, bundle, train
from xgrad.train.report import Confusion
from xgrad.trainer import CSVLog

pytest.importorskip("safetensors")

FILES = ["checkpoints", "config.toml", "confusion.png", "curves.png", "history.csv", "model.safetensors", "report.txt",
         "settings.json"]  # fmt: skip
FLOWERS = '[data]\npath = "flowers.csv"\ntargets = "species"\n'
LINE = '[data]\npath = "line.csv"\ntargets = "y"\n[network]\nlayers = []\n'
SHORT = "[training]\nepochs = 3\n"


def without_pictures() -> None:
    """Pictures take most of the time of a short run."""
    raise ImportError("a picture needs matplotlib")


@pytest.fixture(autouse=True)
def _samples(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("xgrad.train.run.require_matplotlib", without_pictures)
    rng = np.random.default_rng(0)
    kinds = np.repeat(["iris", "rose", "tulip"], 20)
    x = rng.normal(size=(60, 2)) * 0.3 + np.repeat([[0, 0], [3, 0], [0, 300]], 20, axis=0) * [1, 1]
    order = rng.permutation(60)
    rows = "".join(f"{a:.6f},{b:.6f},{kind}\n" for (a, b), kind in zip(x[order], kinds[order], strict=True))
    Path("flowers.csv").write_text("length,width,species\n" + rows)
    Path("line.csv").write_text("x,y\n" + "".join(f"{i},{2000 * i + 50000}\n" for i in range(40)))


def write(text: str, name: str = "a.toml") -> str:
    Path(name).write_text(text)
    return name


def arrays(path: str | Path) -> dict[str, Any]:
    """The weights in a file, as safetensors reads them."""
    from safetensors.numpy import load_file

    found: dict[str, Any] = load_file(path)
    return found


def history(folder: str) -> list[dict[str, str]]:
    return list(csv.DictReader(Path(folder, "history.csv").read_text().splitlines()))


def test_five_lines_are_a_config(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setattr("xgrad.train.run.require_matplotlib", lambda: None)
    write(FLOWERS + SHORT)
    assert main(["train", "a.toml"]) == 0
    out, err = capsys.readouterr()
    assert "data: flowers.csv, 2 inputs, 48 training, 12 validation samples, standardized inputs\n" in out
    assert "task: classification of species, 3 classes: iris, rose, tulip (the targets are words; " in out
    assert "network: mlp: 64 relu 64 relu 3 (4547 parameters, float32)\n" in out
    assert "training: Adam, lr 0.001, cross_entropy, 3 epochs of 2 batches on numpy\n" in out
    assert "best epoch: 3 of 3, val_loss" in out
    assert "wrote model.safetensors, history.csv, curves.png, confusion.png, report.txt in a-run\n" in out
    assert "epoch 3/3: loss" in err
    assert sorted(path.name for path in Path("a-run").iterdir()) == FILES
    assert sorted(path.name for path in Path("a-run/checkpoints").iterdir()) == ["best.safetensors", "last.safetensors"]
    assert Path("a-run/config.toml").read_text() == FLOWERS + SHORT
    assert [row["epoch"] for row in history("a-run")] == ["1", "2", "3"]
    assert Path("a-run/curves.png").read_bytes().startswith(b"\x89PNG")
    assert Path("a-run/report.txt").read_text().endswith("\n")


def test_quiet_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["train", write(FLOWERS + SHORT), "--quiet", "--out", "run"]) == 0
    assert capfd.readouterr() == ("", "")


def test_a_line_is_learned_in_its_own_units() -> None:
    """y = 2000 x + 50000: the weight is found, whatever the scale of the numbers."""
    found = train(write(LINE + "[optimizer]\nlr = 0.1\n"), out="run", epochs=60)
    assert found.numbers["validation"]["rmse"] < 200
    assert found.numbers["validation"]["r2"] > 0.9999
    numbers: dict[str, float] = found.numbers["validation"]
    units: Any = found.bundle.scales.targets
    assert numbers["rmse"] == pytest.approx(numbers["loss"] ** 0.5 * units.std.numpy()[0], rel=1e-3)
    made = bundle.load("run")
    (layer,) = made.model.children()
    x: Any = made.scales.inputs
    y: Any = made.scales.targets
    slope = layer.weight.numpy()[0, 0] * y.std.numpy()[0] / x.std.numpy()[0]
    assert slope == pytest.approx(2000, rel=1e-3)


def test_the_statistics_are_those_of_the_training_samples_and_words_stay_0_and_1() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=50) * 9 + 4
    rows = "".join(f"{value!r},{'ab'[i % 2]},{value + i % 2!r}\n" for i, value in enumerate(x.tolist()))
    Path("mixed.csv").write_text("x,word,y\n" + rows)
    found = train(write('[data]\npath = "mixed.csv"\ntargets = "y"\nvalidation = 0\n' + SHORT), out="run")
    scale: Any = found.bundle.scales.inputs
    assert scale.mean.numpy() == pytest.approx([x.mean(), 0, 0], rel=1e-12)
    assert scale.std.numpy() == pytest.approx([x.std(), 1, 1], rel=1e-12)
    found = train(write('[data]\npath = "mixed.csv"\ntargets = "y"\nstandardize = "targets"\n' + SHORT), out="run2")
    assert found.bundle.scales.inputs is None
    assert found.bundle.scales.targets is not None


def test_the_weights_are_those_of_the_best_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    found = train(write(FLOWERS + "[optimizer]\nlr = 0.5\n[training]\nepochs = 12\nearly_stopping = 3\n"), out="run")
    losses = found.history["val_loss"]
    best = min(range(len(losses)), key=losses.__getitem__)
    assert found.numbers["epoch"] == best + 1
    assert found.numbers["validation"]["loss"] == pytest.approx(losses[best], rel=1e-5)


def test_the_same_config_gives_the_same_run() -> None:
    text = FLOWERS + '[network]\nlayers = "8 relu dropout 0.5"\n' + SHORT
    first, second = (train(write(text), out=f"run{i}") for i in range(2))
    other = train(write(text), out="run2", seed=1)
    assert first.history["loss"] == second.history["loss"] != other.history["loss"]
    text = FLOWERS + "validation = 0\n[training]\nbatch_size = 60\nepochs = 1\n"  # only the starting weights differ
    losses = {train(write(text), out=f"seed{seed}", seed=seed).history["loss"][0] for seed in range(3)}
    assert len(losses) == 3


@pytest.mark.parametrize("network", ['layers = "8 relu dropout 0.3 batchnorm"', 'kind = "gru"\nhidden = [4]'])
def test_a_resumed_run_has_the_weights_of_one_that_was_not_stopped(network: str, capsys: Any) -> None:
    text = FLOWERS + f'test = 0.2\n[network]\n{network}\n[schedule]\nname = "exponential"\ngamma = 0.9\n' + SHORT
    write(text)
    assert main(["train", "a.toml", "--out", "whole", "--epochs", "4", "--quiet"]) == 0
    assert main(["train", "a.toml", "--out", "parts", "--epochs", "2", "--quiet"]) == 0
    assert main(["train", "a.toml", "--out", "parts", "--epochs", "4", "--quiet", "--resume"]) == 0
    assert capsys.readouterr().err == ""
    for name in ("model.safetensors", "checkpoints/best.safetensors"):
        whole, parts = arrays(f"whole/{name}"), arrays(f"parts/{name}")
        assert set(whole) == set(parts)
        assert all(np.array_equal(whole[key], parts[key]) for key in whole)
    assert [row["loss"] for row in history("whole")] == [row["loss"] for row in history("parts")]


def failed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(["train", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return [line.removeprefix("xgrad train: error: ") for line in err.splitlines()]


def test_a_folder_with_a_run_is_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    write(FLOWERS + SHORT)
    assert failed(capsys, "a.toml", "--resume") == [
        "--resume: a-run has no run to go on with: checkpoints/last.safetensors and settings.json are needed"
    ]
    assert not Path("a-run").exists()
    assert main(["train", "a.toml", "--quiet"]) == 0
    before = Path("a-run/model.safetensors").read_bytes()
    assert "a-run has a run already: go on with it (--resume), replace it" in failed(capsys, "a.toml")[0]
    assert failed(capsys, "a.toml", "--resume", "--overwrite") == ["--resume and --overwrite exclude each other"]
    write(FLOWERS + "[network]\nlayers = '8'\n[training]\nseed = 1\nepochs = 3\nbatch_size = 7\n")
    assert failed(capsys, "a.toml", "--resume", "--lr", "0.5") == [
        "--lr: optimizer.lr is 0.5 here and None in the run that is resumed; give the old value, or another --out",
        "a.toml, line 5: network.layers is '8' here and None in the run that is resumed; give the old value, or another --out",
        "a.toml, line 7: training.seed is 1 here and 0 in the run that is resumed; give the old value, or another --out",
        "a.toml, line 9: training.batch_size is 7 here and 32 in the run that is resumed; give the old value, or another --out",
    ]
    assert Path("a-run/model.safetensors").read_bytes() == before
    assert main(["train", "a.toml", "--overwrite", "--quiet"]) == 0
    assert Path("a-run/model.safetensors").read_bytes() != before


def test_a_damaged_run_is_not_gone_on_with(capsys: pytest.CaptureFixture[str]) -> None:
    write(FLOWERS + SHORT)
    assert main(["train", "a.toml", "--quiet"]) == 0
    last = Path("a-run/checkpoints/last.safetensors")
    last.write_bytes(last.read_bytes()[:-100])
    (line,) = failed(capsys, "a.toml", "--resume", "--epochs", "5", "--quiet")
    assert "--resume: a-run/checkpoints/last.safetensors" in line
    assert Path("a-run/model.safetensors").exists()
    Path("a-run/settings.json").write_text("[1")
    (line,) = failed(capsys, "a.toml", "--resume", "--epochs", "5", "--quiet")
    assert "a-run/settings.json has no settings of a run" in line


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_the_best_and_the_last(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = CSVLog.on_epoch_end

    def interrupting(self: CSVLog, trainer: Any) -> None:
        log(self, trainer)
        if trainer.epoch == 2:
            signal.raise_signal(number)

    monkeypatch.setattr(CSVLog, "on_epoch_end", interrupting)
    write(FLOWERS + "[training]\nepochs = 500\n")
    assert main(["train", "a.toml"]) == 128 + number
    out, _ = capsys.readouterr()
    assert "ended after 2 of 500 epochs" in out
    assert "wrote model.safetensors" in out
    names = {path.name for path in Path("a-run").rglob("*")}
    assert {"model.safetensors", "last.safetensors", "best.safetensors"} <= names
    assert len(history("a-run")) == 2


def test_a_run_that_diverges_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    text = LINE.replace("[network]", "standardize = false\n[network]") + '[optimizer]\nname = "sgd"\nlr = 1e-8\n'
    write(text.replace("1e-8", "1.0") + "[training]\nepochs = 200\n")
    assert main(["train", "a.toml", "--quiet"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("xgrad train: error: ")
    assert "step" in err
    assert "Traceback" not in err


def test_a_file_that_cannot_be_written_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(self: bundle.Bundle, path: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(bundle.Bundle, "save", full)
    write(FLOWERS + SHORT)
    assert main(["train", "a.toml", "--quiet"]) == 2
    _, err = capsys.readouterr()
    assert err == "xgrad train: error: a-run/model.safetensors was not written: No space left on device\n"
    assert Path("a-run/report.txt").exists()
    assert Path("a-run/checkpoints/last.safetensors").exists()


def test_a_full_disk_during_the_run_ends_it_with_what_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = CSVLog.on_epoch_end

    def full(self: CSVLog, trainer: Any) -> None:
        if trainer.epoch == 2:
            raise OSError(28, "No space left on device", "a-run/history.csv")
        log(self, trainer)

    monkeypatch.setattr(CSVLog, "on_epoch_end", full)
    write(FLOWERS + SHORT)
    assert main(["train", "a.toml", "--quiet"]) == 2
    _, err = capsys.readouterr()
    assert err == (
        "xgrad train: error: a-run/history.csv was not written: No space left on device; what was reached before is kept\n"
    )
    assert Path("a-run/model.safetensors").exists()


@pytest.mark.parametrize(
    ("out", "why"),
    [
        ("flowers.csv", "--out flowers.csv: this is no folder"),
        ("flowers.csv/run", "--out flowers.csv/run"),
        ("x" * 300, "--out x"),
        ("a\0b", "--out a"),
    ],
)
def test_a_folder_that_cannot_be(out: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(Path.cwd().iterdir())
    write(FLOWERS + SHORT, "b.toml")
    (line,) = failed(capsys, "b.toml", "--out", out, "--quiet")
    assert line.startswith(why)
    Path("b.toml").unlink()
    assert sorted(Path.cwd().iterdir()) == before


def test_without_matplotlib_there_are_no_pictures(capsys: pytest.CaptureFixture[str]) -> None:
    write(FLOWERS + SHORT)
    assert main(["train", "a.toml"]) == 0
    out, _ = capsys.readouterr()
    assert "no pictures: a picture needs matplotlib\n" in out
    assert not list(Path("a-run").glob("*.png"))


def test_without_safetensors_nothing_is_trained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> None:
        raise ImportError('xg.save and xg.load need safetensors: pip install "xgrad[state]"')

    monkeypatch.setattr("xgrad.state.files.library", missing)
    (line,) = failed(capsys, write(FLOWERS + SHORT))
    assert line == 'xg.save and xg.load need safetensors: pip install "xgrad[state]"'


def test_bad_rows_are_named_with_their_lines(capsys: pytest.CaptureFixture[str]) -> None:
    Path("flowers.csv").write_text(
        "length,width,species\n1,2,iris\n3,x,rose\n4,5\n6,nan,iris\n7,inf,rose\n8,9,rose\n" * 1
    )
    (line,) = failed(capsys, write(FLOWERS + SHORT))
    assert line.startswith("a.toml, line 2: data.path: flowers.csv has ")
    for what in ("line 4: 2 values where the first row has 3", "line 6: width is inf, not a finite number"):
        assert what in line
    write(FLOWERS + SHORT + "seed = -1\n")
    assert len(failed(capsys, "a.toml")) == 2  # what else is wrong is told too


def test_files_are_looked_for_beside_the_config() -> None:
    Path("sub").mkdir()
    Path("flowers.csv").rename("sub/flowers.csv")
    found = train(write(FLOWERS + SHORT, "sub/a.toml"), epochs=1)
    assert found.folder == Path("a-run")
    assert Path("a-run/model.safetensors").exists()


def test_files_for_validation_and_test() -> None:
    lines = Path("flowers.csv").read_text().splitlines(keepends=True)
    Path("valid.csv").write_text("species,more,width,length\n" + "".join(
        f"{kind},0,{b},{a}\n" for a, b, kind in (line.strip().split(",") for line in lines[40:50])))  # fmt: skip
    Path("test.csv").write_text("".join(lines[:1] + lines[50:]))
    Path("flowers.csv").write_text("".join(lines[:40]))
    found = train(write(FLOWERS + 'validation = "valid.csv"\ntest = "test.csv"\n' + SHORT), out="run")
    assert set(found.numbers) >= {"validation", "test"}
    Path("test.csv").write_text("length,width\n1,2\n")
    Path("valid.csv").write_text("length,width,species\n1,2,oak\n")
    with pytest.raises(ConfigError) as error:
        train("a.toml", out="run2")
    assert error.value.lines == [
        "a.toml, line 4: data.validation: valid.csv has 1 bad row: line 2: species is 'oak', which is none of "
        "['iris', 'rose', 'tulip']"
    ]


def test_options_take_the_place_of_those_in_the_config() -> None:
    text = FLOWERS + SHORT + '[optimizer]\nlr = 0.1\n[backend]\nname = "nowhere"\n'
    found = train(write(text), out="run", epochs=1, batch_size=5, seed=7, lr=0.01, backend="numpy", device="cpu")
    settings = json.loads(Path("run/settings.json").read_text())
    assert settings["training"]["epochs"] == 1
    assert settings["training"]["batch_size"] == 5
    assert settings["training"]["seed"] == 7
    assert settings["optimizer"]["options"] == {"lr": 0.01}
    assert settings["backend"] == {"name": "numpy", "device": "cpu", "dtype": "float32"}
    assert found.trainer.step == 10
    with pytest.raises(TypeError, match="train has no option 'epoch'; it has epochs"):
        train("a.toml", epoch=3)
    with pytest.raises(FitError, match="has a run already"):
        train("a.toml", out="run", backend="numpy")


@pytest.mark.parametrize(
    "text",
    [
        '[optimizer]\nname = "sgd"\nmomentum = 0.9\nnesterov = true\n[schedule]\nname = "one_cycle"\n',
        '[schedule]\nname = "cosine"\n[loss]\nname = "cross_entropy"\nlabel_smoothing = 0.1\n',
        '[schedule]\nname = "plateau"\nfactor = 0.5\n[optimizer]\nname = "adamw"\nbetas = [0.8, 0.9]\n',
        '[schedule]\nname = "multi_step"\nmilestones = [1, 2]\n[optimizer]\nname = "lbfgs"\n',
        '[training]\nepochs = 2\nclip = 1.0\nclip_value = 0.5\naccumulate = 2\ndrop_last = true\nmetrics = ["f1", "top5"]\n'
        'monitor = "val_f1"\ndiagnose = false\nnonfinite = "skip"\ncheckpoint_every = 2\nearly_stopping = false\n',
        '[training]\nepochs = 2\ncompile = true\n[backend]\ndtype = "float64"\n',
        '[network]\nkind = "lstm"\nhidden = [4]\n',
        '[training]\nprecision = "float16"\n',
    ],
)
def test_every_setting_reaches_the_run(text: str) -> None:
    found = train(write(FLOWERS + text), out="run", epochs=2)
    assert found.history.epochs == 2
    assert found.fault is None
    assert "model.safetensors" in found.written
    if "val_f1" in text:
        assert found.numbers["monitor"] == "val_f1"
        assert not Path("run/report.txt").exists()
    if "float64" in text:
        assert found.bundle.model.state_dict()["0.weight"].dtype == xg.float64


def test_a_run_is_the_same_on_every_backend(backend: Any) -> None:
    text = FLOWERS + 'validation = 0\n[network]\nlayers = "3 tanh"\n[training]\nbatch_size = 60\ndiagnose = false\n'
    found = train(write(text), out="run", epochs=1)
    assert next(iter(found.trainer.model.parameters())).backend.name == backend.name
    with xg.use_backend("numpy"):
        reference = train("a.toml", out="reference", epochs=1)
    assert found.history["loss"] == pytest.approx(reference.history["loss"], rel=1e-4)
    mine, wanted = arrays("run/model.safetensors"), arrays("reference/model.safetensors")
    assert set(mine) == set(wanted)
    for name in wanted:
        assert np.allclose(mine[name], wanted[name], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("label", ["7", "-1", "1.5"])
def test_a_label_that_is_no_class_is_named(label: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"{i},{i % 3}\n" for i in range(30))
    Path("train.csv").write_text("x,y\n" + rows)
    Path("valid.csv").write_text(f"x,y\n1,0\n2,{label}\n")
    write('[data]\npath = "train.csv"\nvalidation = "valid.csv"\ntargets = "y"\ntask = "classification"\n' + SHORT)
    assert main(["train", "a.toml"]) == 2
    assert f"line 3 is {label}, which is none of the classes" in capsys.readouterr().err


def test_one_cycle_ends_with_the_run() -> None:
    text = FLOWERS + '[schedule]\nname = "one_cycle"\n[training]\nepochs = 3\nbatch_size = 9\ndrop_last = true\n'
    found = train(write(text + "early_stopping = false\n"), out="run")
    assert found.trainer.scheduler.total_steps == found.trainer.step


def test_the_confusion_is_one_matrix() -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    matrix, rng = Confusion(3), np.random.default_rng(0)
    scores, true = rng.normal(size=(4, 5, 3)), rng.integers(0, 3, (4, 5))
    for some, of in zip(scores, true, strict=True):
        matrix.update(xg.asarray(some), xg.asarray(of))
    assert tuple(matrix.total.shape) == (3, 3)
    assert matrix.matrix() == sklearn.confusion_matrix(true.ravel(), scores.argmax(-1).ravel()).tolist()
