"""The samples of a config: files of every kind, what is learned from which targets, and how samples are divided."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from xgrad.train import ConfigError, train
from xgrad.train.parts import Prepared, divided
from xgrad.train.problems import Problems
from xgrad.train.reading import header, is_csv
from xgrad.train.settings import Data
from xgrad.trainer import CSVLog

pytest.importorskip("safetensors")

SHORT = "[training]\nepochs = 1\nbatch_size = 16\n"


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("xgrad.train.run._without_pictures", lambda: "no pictures in these tests")


def trained(text: str, **options: Any) -> Any:
    """A short run on the samples that the lines of [data] name, and what was said about it."""
    Path("a.toml").write_text("[data]\n" + text + SHORT)
    said: list[str] = []
    found = train("a.toml", overwrite=True, tell=said.append, **options)
    return found, said[0]


def wrong(text: str) -> list[str]:
    Path("a.toml").write_text("[data]\n" + text + SHORT)
    with pytest.raises(ConfigError) as error:
        train("a.toml")
    return [line.removeprefix("a.toml, ") for line in error.value.lines]


def images(kind: str = "int64") -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 4
    return (rng.normal(size=(40, 6, 5)) + labels[:, None, None]).astype("float32"), labels.astype(kind)


# --- files


def test_arrays_are_found_by_their_usual_names_or_by_the_ones_that_are_given() -> None:
    x, y = images()
    np.savez("a.npz", x=x, y=y)
    found, said = trained('path = "a.npz"\n')
    assert "a.npz, inputs of shape (6, 5), 32 training, 8 validation samples" in said
    assert "classification of y, 4 classes: 0, 1, 2, 3 (the targets are whole numbers of 4 different values;" in said
    assert "network: cnn: conv 16 3 relu maxpool 2 conv 32 3 relu 64 relu 4" in said
    assert found.bundle.shape == (6, 5)
    np.savez("b.npz", picture=x, name=y, other=y)
    _, said = trained('path = "b.npz"\ninputs = "picture"\ntargets = "name"\n')
    assert "classification of name" in said
    assert wrong('path = "b.npz"\n') == [
        "line 1: data.inputs is missing: the array of the inputs; the file has picture, name, other",
        "line 1: data.targets is missing: the array of the targets; the file has picture, name, other",
    ]
    assert wrong('path = "b.npz"\ninputs = "pictures"\ntargets = "name"\n') == [
        "line 3: data.inputs: 'pictures' is no array of b.npz; did you mean \"picture\"?"
    ]


def test_columns_of_an_npy_file_and_a_file_for_the_targets() -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(40, 4))
    table[:, 3] = table[:, 0] * 2
    np.save("table.npy", table)
    found, said = trained('path = "table.npy"\ntargets = -1\nexclude = 1\n')
    assert "2 inputs" in said
    assert "regression of 3 (the targets are not all whole numbers;" in said
    x, y = images()
    np.save("x.npy", x)
    np.save("y.npy", y)
    found, said = trained('path = "x.npy"\ntargets = "y.npy"\n')
    assert "classification of y, 4 classes" in said
    assert found.bundle.outputs == 4
    assert wrong('path = "table.npy"\ntargets = 4\ninputs = ["a", 1]\n') == [
        "line 3: data.targets: there is no column 4; there are 4, from 0 on",
        "line 4: data.inputs[0]: there is no column 'a'; there are 4, from 0 on",
    ]
    assert wrong('path = "x.npy"\ntargets = 1\n')[0].startswith(
        "line 3: data.targets: x.npy has shape (40, 6, 5) and no col"
    )
    assert wrong('path = "x.npy"\ntargets = "z.npy"\n')[0].startswith("line 3: data.targets: there is no file 'z.npy'")


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"x": np.zeros((4, 2)), "y": np.arange(5)}, "data.targets: the array has shape (5,); it must be (4,) or (4, targets)"),
        ({"x": np.zeros(4), "y": np.arange(4)}, "data.inputs: the array has shape (4,); it must be (samples, features),"),
        ({"x": np.zeros((4, 2, 2, 2, 2)), "y": np.arange(4)}, "data.inputs: the array has shape (4, 2, 2, 2, 2)"),
        ({"x": np.zeros((0, 2)), "y": np.arange(0)}, "has no samples"),
        ({"x": np.zeros((4, 2), complex), "y": np.arange(4)}, "data.inputs: real numbers are needed, not complex128"),
        ({"x": np.array([[1.0], [np.nan], [2.0]]), "y": np.arange(3) / 2}, "data.inputs: sample 1, feature 0 is nan"),
        ({"x": np.zeros((3, 1)), "y": np.array([1.5, np.inf, 2])}, "data.targets: sample 1 is inf, not a finite number"),
        ({"x": np.zeros((3, 1)), "y": np.ones(3, int)}, "data.targets: all targets are '1'; a classification needs two"),
        ({"x": np.array([["a"], ["b"]]), "y": np.arange(2)}, "data.path: "),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)  # fmt: skip
def test_arrays_that_do_not_fit(arrays: dict[str, Any], why: str) -> None:
    np.savez("a.npz", **arrays)
    validation = "validation = 0\n" if "sample" in why else ""
    assert any(why in line for line in wrong('path = "a.npz"\n' + validation))


def test_a_damaged_file_is_one_line() -> None:
    x, y = images()
    np.savez("a.npz", x=x, y=y)
    whole = Path("a.npz").read_bytes()
    for part in (whole[:100], whole[: len(whole) // 2], b"", b"PK" + whole[100:]):
        Path("a.npz").write_bytes(part)
        (line,) = wrong('path = "a.npz"\n')
        assert line.startswith("line 2: data.path: a.npz")


def test_a_mapped_file_is_trained_on_as_one_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = images()
    np.savez("a.npz", x=x * 100, y=y)
    text = 'path = "a.npz"\ntest = 0.2\n'
    whole, _ = trained(text, out="whole")
    monkeypatch.setattr("xgrad.backends.host_files.MAP_FROM", 0)
    mapped, _ = trained(text, out="mapped")
    assert isinstance(mapped.trainer.run.loader.dataset.dataset, Prepared)
    assert mapped.history["val_loss"] == pytest.approx(whole.history["val_loss"], rel=1e-5)
    assert mapped.numbers["test"]["accuracy"] == whole.numbers["test"]["accuracy"]
    monkeypatch.setattr("xgrad.train.parts.SAMPLE", 7)
    trained(text, out="sampled")


def test_a_mapped_file_that_shrinks_ends_the_run_with_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = images()
    np.savez("a.npz", x=x, y=y)
    monkeypatch.setattr("xgrad.backends.host_files.MAP_FROM", 0)
    log = CSVLog.on_epoch_end

    def shrink(self: CSVLog, trainer: Any) -> None:
        log(self, trainer)
        with open("a.npz", "rb+") as file:
            file.truncate(1000)

    monkeypatch.setattr(CSVLog, "on_epoch_end", shrink)
    found, _ = trained('path = "a.npz"\n', epochs=5)
    assert "a.npz has shrunk from" in found.fault
    assert found.history.epochs == 1
    assert Path("a-run/model.safetensors").exists()


def test_what_a_csv_file_is() -> None:
    assert is_csv("a.csv")
    assert is_csv("a.txt")
    assert not is_csv("A.NPZ")
    Path("a.csv").write_text("1,2\n3,4\n")
    Path("b.csv").write_text("a;b\n3;4\n")
    assert header("a.csv", ",", "utf-8", None) == ["0", "1"]
    assert header("a.csv", ",", "utf-8", True) == ["1", "2"]
    assert header("b.csv", ";", "utf-8", None) == ["a", "b"]
    assert wrong('path = "b.csv"\ntargets = "b"\n') == [
        "line 3: data.targets: b.csv has no column 'b'; are its columns separated by ';'? Then give delimiter = ';'"
    ]


def test_a_csv_file_without_names_by_places_and_with_another_delimiter() -> None:
    Path("a.csv").write_text("".join(f"{i};{i % 3};{i / 2}\n" for i in range(30)))
    found, said = trained('path = "a.csv"\ndelimiter = ";"\ntargets = -1\ncategories = [1]\n')
    assert "4 inputs" in said
    assert found.bundle.layout["categories"] == {"1": ["0", "1", "2"]}
    Path("b.csv").write_text("x,y\n1,\n" + "".join(f"{i},{i / 2}\n" for i in range(30)))
    _, said = trained('path = "b.csv"\ntargets = "y"\nmissing = "drop"\n')
    assert "24 training, 6 validation" in said
    assert "line 2: data.path: b.csv has 1 bad row: line 2: y is missing" in wrong('path = "b.csv"\ntargets = "y"\n')[0]


# --- what is learned


@pytest.mark.parametrize(
    ("targets", "text", "task"),
    [
        (np.arange(40) % 3 + 7, "", ["7", "8", "9"]),
        ((np.arange(40) % 3 - 1.0), "", ["-1", "0", "1"]),
        (np.arange(40) % 2 == 1, "", ["false", "true"]),
        (np.arange(40) % 3, 'classes = ["low", "mid", "high", "top"]\n', ["low", "mid", "high", "top"]),
        (np.arange(40), "", None),
        (np.arange(40), 'task = "classification"\n', [str(i) for i in range(40)]),
        (np.arange(40) % 3, 'task = "regression"\n', None),
        (np.arange(40) / 3, "", None),
        (np.ones((40, 2)) * np.arange(40)[:, None], "", None),
    ],
)
def test_the_targets_say_what_is_learned(targets: Any, text: str, task: list[str] | None) -> None:
    x, _ = images()
    np.savez("a.npz", x=x[:, 0], y=targets)
    found, said = trained('path = "a.npz"\n' + text)
    assert found.bundle.task.classes == task
    assert f"task: {'regression' if task is None else 'classification'} of y" in said
    assert found.bundle.outputs == (len(task) if task else targets.shape[1] if targets.ndim == 2 else 1)
    assert ("data.task decides otherwise" in said) == ("task" not in text and "classes" not in text)


@pytest.mark.parametrize(
    ("targets", "text", "why"),
    [
        ("words", 'task = "regression"\n', "line 4: data.task: a regression needs numbers, and the targets are words, such as"),
        ("words", 'classes = ["a", "b"]\n', "line 4: data.classes lacks 'c', which is a target"),
        ("halves", 'task = "classification"\n', "line 4: data.task: the targets of a classification are words or whole numbers"),
        ("halves", 'classes = ["a", "b"]\n', "line 4: data.classes: the targets of a classification are words or whole"),
        ("numbers", 'classes = ["a", "b"]\n', "line 4: data.classes has 2 names, for the targets 0 to 1, and one is 2"),
        ("numbers", 'classes = ["a"]\n', "line 4: data.classes must name two classes or more"),
        ("numbers", 'classes = ["a", "b", "c"]\ntask = "regression"\n', "line 4: data.classes belongs to a classification"),
    ],
)  # fmt: skip
def test_targets_that_are_not_what_the_config_says(targets: str, text: str, why: str) -> None:
    cells = {"words": "abc", "halves": [0.5, 1.5, 2], "numbers": [0, 1, 2]}[targets]
    Path("a.csv").write_text("x,y\n" + "".join(f"{i},{cells[i % 3]}\n" for i in range(30)))
    found = wrong('path = "a.csv"\ntargets = "y"\n' + text)
    assert any(line.startswith(why) for line in found), found


def test_the_order_of_the_classes_can_be_given() -> None:
    Path("a.csv").write_text("x,y\n" + "".join(f"{i % 3},{'abc'[i % 3]}\n" for i in range(60)))
    text = 'path = "a.csv"\ntargets = "y"\nclasses = ["c", "a", "b"]\nvalidation = 0\n'
    Path("a.toml").write_text("[data]\n" + text + "[optimizer]\nlr = 0.05\n")
    found = train("a.toml", epochs=20)
    scale = found.bundle.scales.inputs
    assert scale is not None
    with xg.no_grad():
        scores = found.bundle.model(scale(xg.asarray([[0.0], [1.0], [2.0]], dtype=xg.float32)))
    assert [found.bundle.task.classes[i] for i in xg.argmax(scores, axis=-1).tolist()] == ["a", "b", "c"]  # type: ignore[index]


# --- division


def test_samples_are_divided_without_common_ones() -> None:
    problems = Problems("a", {})
    parts = divided(101, Data(validation=0.2, test=0.1), 3, problems)
    assert [len(part) for part in parts.values()] == [71, 20, 10]
    assert sorted(place for part in parts.values() for place in part) == list(range(101))
    assert divided(101, Data(validation=0.2, test=0.1), 3, problems) == parts
    assert divided(101, Data(validation=0.2, test=0.1), 4, problems) != parts
    assert list(divided(5, Data(validation=0, test="a.csv"), 3, problems)) == ["training"]
    assert [len(part) for part in divided(3, Data(validation=0.01), 3, problems).values()] == [2, 1]
    assert len(problems) == 0
    divided(1, Data(), 3, problems)
    assert len(problems) == 1


def test_the_statistics_are_of_the_training_samples_alone() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(50, 2)) * [1, 9], rng.normal(size=50) * 7
    np.savez("a.npz", x=x, y=y)
    found, _ = trained('path = "a.npz"\nvalidation = 0.4\n')
    rows = divided(50, Data(validation=0.4), 0, Problems("a", {}))["training"]
    for scale, values in ((found.bundle.scales.inputs, x[rows]), (found.bundle.scales.targets, y[rows, None])):
        assert scale.mean.numpy() == pytest.approx(values.mean(axis=0), rel=1e-12)
        assert scale.std.numpy() == pytest.approx(values.std(axis=0), rel=1e-12)
