"""`xgrad predict`: predictions from a file, and files and models that do not fit."""

from __future__ import annotations

import csv
import io
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from xgrad.cli import main
from xgrad.fit import FitError
from xgrad.train import bundle, predict, train

pytest.importorskip("safetensors")


def flowers(count: int, seed: int) -> str:
    rng = np.random.default_rng(seed)
    place = {"iris": (0, 0), "rose": (3, 0), "tulip": (0, 3)}
    lines = ["length,width,species\n"]
    for i in range(count):
        kind = [*place][i % 3]
        a, b = rng.normal(size=2) * 0.3 + place[kind]
        lines.append(f"{a:.6f},{b:.6f},{kind}\n")
    return "".join(lines)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders with trained models: `kinds`, a classification, and `line`, a regression with y = 3 x - 5."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "flowers.csv").write_text(flowers(90, 0))
    (folder / "kinds.toml").write_text('[data]\npath = "flowers.csv"\ntargets = "species"\n[optimizer]\nlr = 0.02\n')
    (folder / "line.csv").write_text("id,x,y\n" + "".join(f"{i},{i},{3 * i - 5}\n" for i in range(50)))
    (folder / "line.toml").write_text(
        '[data]\npath = "line.csv"\ntargets = "y"\nexclude = "id"\n[network]\nlayers = []\n[optimizer]\nlr = 0.1\n'
    )
    x = np.random.default_rng(0).normal(size=(40, 3))
    np.savez(folder / "two.npz", x=x, y=x[:, :2] * [1, 100])
    (folder / "two.toml").write_text('[data]\npath = "two.npz"\n[network]\nlayers = []\n[optimizer]\nlr = 0.1\n')
    with pytest.MonkeyPatch.context() as patch, xg.use_backend("numpy"):
        patch.setattr("xgrad.train.run._without_pictures", lambda: "no pictures in these tests")
        train(folder / "kinds.toml", out=folder / "kinds", epochs=20)
        train(folder / "line.toml", out=folder / "line", epochs=60)
        train(folder / "two.toml", out=folder / "two", epochs=60, batch_size=8)
    return folder


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_classes_with_their_probabilities(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("new.csv").write_text("width,length\n0.1,0\n\n0,3.1\n2.9,0.1\n")
    assert main(["predict", str(runs / "kinds"), "new.csv"]) == 0
    out, err = capsys.readouterr()
    rows = table(out)
    assert list(rows[0]) == ["line", "species", "p(iris)", "p(rose)", "p(tulip)"]
    assert [(row["line"], row["species"]) for row in rows] == [("2", "iris"), ("4", "rose"), ("5", "tulip")]
    for row in rows:
        shares = {name: float(row[f"p({name})"]) for name in ("iris", "rose", "tulip")}
        assert sum(shares.values()) == pytest.approx(1, abs=1e-6)
        assert max(shares, key=lambda name: shares[name]) == row["species"]
    assert err == "3 predictions of species\n"


def test_values_in_their_own_units_to_a_file(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("new.csv").write_text("x\n10\n-4\n")
    assert main(["predict", str(runs / "line" / "model.safetensors"), "new.csv", "--out", "p.csv"]) == 0
    assert capsys.readouterr() == ("2 predictions of y\nwrote p.csv\n", "")
    rows = table(Path("p.csv").read_text())
    assert list(rows[0]) == ["line", "y"]
    assert [float(row["y"]) for row in rows] == pytest.approx([25, -17], abs=0.05)


def test_the_numbers_are_those_of_the_weights(runs: Path) -> None:
    """Computed from the file with NumPy alone."""
    from safetensors.numpy import load_file

    Path("new.csv").write_text("x\n1.5\n17\n")
    weights = load_file(runs / "line" / "model.safetensors")
    made = bundle.load(runs / "line")
    x: Any = made.scales.inputs
    y: Any = made.scales.targets
    z = (np.array([1.5, 17]) - x.mean.numpy()[0]) / x.std.numpy()[0]
    (weight,) = (value for name, value in weights.items() if name.endswith("weight"))
    (bias,) = (value for name, value in weights.items() if name.endswith("bias"))
    wanted = (z * weight[0, 0] + bias[0]) * y.std.numpy()[0] + y.mean.numpy()[0]
    assert [row[0] for row in predict(runs / "line", "new.csv").values] == pytest.approx(wanted.tolist(), rel=1e-5)


def test_a_file_with_targets_is_scored(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("new.csv").write_text(flowers(31, 5))
    assert main(["predict", str(runs / "kinds"), "new.csv", "--out", "p.csv"]) == 0
    right = [row["species"] for row in table(Path("new.csv").read_text())]
    found = [row["species"] for row in table(Path("p.csv").read_text())]
    share = sum(a == b for a, b in zip(right, found, strict=True)) / 31
    assert share > 0.9
    assert f"the file has the targets: accuracy {share:.4g}\n" in capsys.readouterr().out
    Path("new.csv").write_text("id,x,y\n7,10,26\n8,20,54\n")
    score = predict(runs / "line", "new.csv").score
    assert score["mae"] == pytest.approx(1, abs=0.1)
    assert score["rmse"] == pytest.approx(1, abs=0.1)
    assert score["r2"] == pytest.approx(1 - 2 / 392, abs=1e-3)


def test_targets_that_cannot_be_used_give_no_score(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("new.csv").write_text("length,width,species\n0,0,\n3,0,oak\n")
    assert main(["predict", str(runs / "kinds"), "new.csv"]) == 0
    out, err = capsys.readouterr()
    assert [row["species"] for row in table(out)] == ["iris", "rose"]
    assert "no score: new.csv has " in err
    assert "line 3: species is 'oak', which is none of ['iris', 'rose', 'tulip']" in err


def test_arrays(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x = np.random.default_rng(1).normal(size=(5, 3))
    np.savez("new.npz", x=x)
    found = predict(runs / "two", "new.npz", batch_size=2)
    assert found.rows == [0, 1, 2, 3, 4]
    assert found.names == ["y[0]", "y[1]"]
    assert np.allclose(found.values, x[:, :2] * [1, 100], atol=0.5, rtol=0.01)
    np.savez("new.npz", x=x, y=x[:, :2])
    assert set(predict(runs / "two", "new.npz").score) == {"r2", "rmse", "mae"}
    np.savez("new.npz", x=x[:, :2])
    with pytest.raises(FitError, match=r"new\.npz: a sample has shape \(2,\), and those of the model have \(3,\)"):
        predict(runs / "two", "new.npz")


def test_a_mapped_file(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez("new.npz", x=np.random.default_rng(1).normal(size=(5, 3)))
    whole = predict(runs / "two", "new.npz").values
    monkeypatch.setattr("xgrad.backends.host_files.MAP_FROM", 0)
    assert np.allclose(predict(runs / "two", "new.npz").values, whole)


def failed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    before = sorted(Path.cwd().iterdir())
    assert main(["predict", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert sorted(Path.cwd().iterdir()) == before
    return err.removeprefix("xgrad predict: error: ").removesuffix("\n")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("length\n1\n", "new.csv: the column 'width' is missing; the file has length"),
        ("lenght,width\n1,2\n", "new.csv: the column 'length' is missing; did you mean \"lenght\"?; the column 'lenght' was not "
                                "there in the training: take it out"),
        ("length,width,more,most\n1,2,3,4\n", "new.csv: the columns 'more', 'most' were not there in the training: take it out"),
        ("", "new.csv is empty"),
        ("length,width\n", "new.csv has no rows of data"),
        ("length,width\n1,2\n1,x\n1\n", "new.csv has 2 bad rows: line 3: width is 'x', not a number; line 4: 1 values where"),
        ("length,width\n1,\n", "new.csv has 1 bad row: line 2: width is missing"),
        ("length,width\n1,1e999\n", "line 2: width is 1e999, not a finite number"),
    ],
)  # fmt: skip
def test_a_csv_file_that_does_not_fit(runs: Path, text: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("new.csv").write_text(text)
    assert why in failed(capsys, str(runs / "kinds"), "new.csv", "--out", "p.csv")


def test_files_that_are_not_there(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("new.csv").write_text("x\n1\n")
    kinds = str(runs / "kinds")
    assert failed(capsys, kinds, "absent.csv") == "absent.csv: there is no such file"
    assert failed(capsys, "absent", "new.csv") == "absent: there is no such file; xgrad train writes model.safetensors"
    assert "in the folder ." in failed(capsys, ".", "new.csv")
    assert failed(capsys, kinds, ".") == ". is a folder; name a file"
    if os.path.exists("/dev/null"):
        assert "/dev/null is no regular file" in failed(capsys, kinds, "/dev/null")
    assert "the model was trained on a CSV file, and this is none" in failed(capsys, kinds, "new.npz")
    assert "trained on NPZ or NPY files" in failed(capsys, str(runs / "two"), "new.csv")
    assert "--out absent/p.csv: the folder" in failed(capsys, kinds, "new.csv", "--out", "absent/p.csv")
    assert "name the same file" in failed(capsys, kinds, "new.csv", "--out", "new.csv")
    assert "--batch-size must be" in failed(capsys, kinds, "new.csv", "--batch-size", "0")


def test_a_model_that_is_none(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("new.csv").write_text("x\n1\n")
    whole = (runs / "line" / "model.safetensors").read_bytes()
    for part in (b"", whole[:50], whole[: len(whole) // 2], whole[:-1], whole + b"x", b"x" * 200):
        Path("model.safetensors").write_bytes(part)
        assert failed(capsys, "model.safetensors", "new.csv").startswith("model.safetensors")
    shutil.copy(runs / "line/checkpoints/last.safetensors", "model.safetensors")
    assert "it is a checkpoint: give the model.safetensors beside" in failed(capsys, "model.safetensors", "new.csv")
    xg.save({"a": 1}, "model.safetensors")
    assert failed(capsys, "model.safetensors", "new.csv") == "model.safetensors is no model of xgrad train"


@pytest.mark.parametrize(
    "change",
    [
        {"layers": ["relo"]},
        {"layers": ["conv 3 3"]},
        {"layers": [10**9]},
        {"layers": 3},
        {"shape": [2]},
        {"shape": "x"},
        {"outputs": 3},
        {"outputs": None},
        {"task": {"classes": 3}},
        {"task": {"what": 3}},
        {"scales": {"inputs": {"mean": 1}}},
        {"axes": {}},
        {"settings": {}},
        {"settings": {"backend": {"dtype": "float32"}, "data": {"delimiter": 7}}},
        {"model": {}},
    ],
    ids=str,
)
def test_a_model_with_wrong_parts_is_one_line(runs: Path, change: dict[str, Any], capsys: Any) -> None:
    Path("new.csv").write_text("x\n1\n")
    tree = xg.load(runs / "line" / "model.safetensors")
    xg.save({**tree, **change}, "model.safetensors")
    assert failed(capsys, "model.safetensors", "new.csv").startswith("model.safetensors")


def test_predictions_are_the_same_on_every_backend(backend: Any, runs: Path) -> None:
    Path("new.csv").write_text(flowers(20, 3))
    found = predict(runs / "kinds", "new.csv", batch_size=7)
    with xg.use_backend("numpy"):
        wanted = predict(runs / "kinds", "new.csv")
    assert found.classes == wanted.classes
    assert found.score == pytest.approx(wanted.score)
    assert np.allclose(found.values, wanted.values, atol=1e-5)
