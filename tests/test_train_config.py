"""A config with every kind of wrong key and value: one clear line for each, with its line in the file, all together."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from xgrad.cli import main
from xgrad.fit.schema import FINITE, FLAG, Several, Whole
from xgrad.train import ConfigError, train
from xgrad.train.classes import NAMES, options_of
from xgrad.train.kinds import Either, faults
from xgrad.train.problems import Problems, instead
from xgrad.train.settings import SECTIONS, keys_of

ROWS = "".join(
    f"{i / 7:.3f},{i * i % 11},{'red' if i % 3 else 'blue'},{'cat' if i % 2 else 'dog'}\n" for i in range(24)
)


@pytest.fixture(autouse=True)
def _samples(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder with samples, in which nothing is trained."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("xgrad.train.run._run", lambda *arguments: pytest.fail("it trained"))
    monkeypatch.setattr("xgrad.backends.registry._usable", lambda: "")  # it imports every library that is installed
    Path("pets.csv").write_text("size,legs,color,kind\n" + ROWS)


def refused(capsys: pytest.CaptureFixture[str], text: str | bytes, *arguments: str) -> list[str]:
    """The errors of a config: each on a line of its own, without the name of the command and of the file."""
    Path("a.toml").write_bytes(text.encode() if isinstance(text, str) else text)
    before = set(Path.cwd().iterdir())
    assert main(["train", "a.toml", *arguments]) == 2
    seen = capsys.readouterr()
    assert seen.out == ""
    assert set(Path.cwd().iterdir()) == before
    lines = seen.err.splitlines()
    assert lines
    for line in lines:
        assert line.startswith("xgrad train: error: ")
        assert "Traceback" not in line
        assert len(line) < 1300
    return [line.removeprefix("xgrad train: error: ").removeprefix("a.toml, ") for line in lines]


# What is wrong: a section, lines of it, and for each wrong line what is said. None: the line is right.
WRONG: list[tuple[str, list[tuple[str, str | None]]]] = [
    ("data", [('validaton = 0.1', 'data.validaton is unknown; did you mean "validation"?')]),
    ("data", [("validation = 1.5", "data.validation must be a number from 0 to below 1 or a text; it is 1.5")]),
    ("data", [('validation = "absent.csv"', "data.validation: there is no file absent.csv")]),
    ("data", [('exclude = ["siz"]', "data.exclude[0]: pets.csv has no column 'siz'; did you mean \"size\"?")]),
    ("data", [("exclude = [", None), ('  "size", 9,', "data.exclude[1]: there is no column 9; there are 4, from 0 on"),
              ('  "size"]', "data.exclude[2]: the column 'size' is named in data.exclude[0] too")]),
    ("data", [("exclude = 3.5", "data.exclude must be the name of a column, or its place")]),
    ("data", [('task = "classify"', "data.task 'classify' is unknown; did you mean \"classification\"?")]),
    ("data", [("one_hot = 1", "data.one_hot must be true or false; it is 1")]),
    ("data", [('standardize = "all"', "data.standardize must be true or false or one of inputs, targets; it is 'all'")]),
    ("data", [('missing = "ignore"', "data.missing must be one of error, drop or a finite number; it is 'ignore'")]),
    ("data", [("test = nan", "data.test must be a number from 0 to below 1 or a text; it is nan")]),
    ("data", [("classes = [", None), ('"cat",', None), ('"cat"]', "data.classes[1]: 'cat' comes twice")]),
    ("data", [("epochs = 3", "data.epochs is unknown; it belongs in [training]")]),
    ("network", [('layers = "64 relo"', 'network.layers, word 2: there is no layer "relo"; did you mean "relu"?')]),
    ("network", [("layers = [", None), ('  "64",', None), ('  "dropout 3" ]', "network.layers[1], word 2: the share of")]),
    ("network", [("layers = 64", "network.layers must be a text or a list; it is 64")]),
    ("network", [('layers = "64"', None), ("hidden = [3]", "network.hidden and network.layers exclude each other")]),
    ("network", [('kind = "transformer"', "network.kind 'transformer' is unknown; there are mlp, cnn, gru, lstm, rnn")]),
    ("network", [("hidden = [3, 0,", "network.hidden[1] must be a whole number, 1 or more; it is 0"),
                 ("  2.5]", "network.hidden[2] must be a whole number, 1 or more; it is 2.5")]),
    ("network", [('activation = "bent"', "network.activation 'bent' is unknown; there are none, sigmoid, tanh, relu")]),
    ("network", [('activation = "rel"', "network.activation 'rel' is unknown; did you mean \"relu\"?")]),
    ("network", [("dropout = 1", "network.dropout must be a number from 0 to below 1; it is 1")]),
    ("loss", [('name = "mce"', "loss.name 'mce' is unknown; did you mean \"mse\"?")]),
    ("loss", [('name = "huber"', "loss.name: huber is not for a classification; use cross_entropy")]),
    ("loss", [('name = "cross_entropy"', None), ("label_smoothing = 3", "loss.label_smoothing: CrossEntropyLoss: label_smoo")]),
    ("loss", [("delta = 2", "loss.delta belongs to a loss, and loss.name is missing")]),
    ("loss", [('name = "cross_entropy"', None), ("delta = 2", "loss.delta is unknown; cross_entropy has the options label")]),
    ("optimizer", [('name = "adamm"', "optimizer.name 'adamm' is unknown; did you mean \"adam\"?")]),
    ("optimizer", [("name = 3", "optimizer.name 3 is unknown; there are ")]),
    ("optimizer", [("lr = -1", "optimizer.lr: Adam: lr must be"), ('betas = [0.9, "x"]', "optimizer.betas[1] must be a finite"),
                   ("weight_decay = -0.5", "optimizer.weight_decay: Adam: weight_decay must")]),
    ("optimizer", [('"lr" = inf', "optimizer.lr must be a finite number; it is inf")]),
    ("optimizer", [("betas = [0.9]", "optimizer.betas must be a list of 2; it has 1")]),
    ("optimizer", [("learning_rate = 0.1", "optimizer.learning_rate is unknown; adam has the options lr, betas, eps")]),
    ("optimizer", [('name = "sgd"', None), ("nesterov = true", "optimizer.nesterov: SGD: nesterov needs momentum")]),
    ("optimizer", [('name = "sgd"', None), ("nesterov = true", None), ("momentum = 0.9", None),
                   ("momentun = 1", 'optimizer.momentun is unknown; did you mean "momentum"?')]),
    ("schedule", [("step_size = 3", "schedule.step_size belongs to a schedule, and schedule.name is missing")]),
    ("schedule", [("[schedule]", "schedule.step_size is missing; step needs step_size"), ('name = "step"', None),
                  ("gama = 0.1", 'schedule.gama is unknown; did you mean "gamma"?')]),
    ("schedule", [('name = "exponential"', None), ('gamma = "x"', "schedule.gamma must be a finite number; it is 'x'")]),
    ("schedule", [('name = "step"', None), ("step_size = 0", "schedule.step_size: StepLR: step_size must be")]),
    ("schedule", [('name = "one_cycle"', None), ("pct_start = 2", "schedule.pct_start: OneCycleLR: pct_start must be")]),
    ("training", [("epochs = 0", "training.epochs must be a whole number, 1 or more; it is 0")]),
    ("training", [("epochs = 9999999999", "training.epochs must be 1000000 or less; it is 9999999999")]),
    ("training", [("batch_size = 2.5", "training.batch_size must be a whole number, 1 or more; it is 2.5")]),
    ("training", [("batch_size = true", "training.batch_size must be a whole number, 1 or more; it is true")]),
    ("training", [("seed = -1", "training.seed must be a whole number, 0 or more; it is -1"),
                  ("clip = 0", "training.clip must be a finite number above 0; it is 0")]),
    ("training", [("early_stopping = true", "training.early_stopping must be a whole number, 1 or more or false; it is true")]),
    ("training", [('metrics = ["accuracy", "acuracy"]', "training.metrics[1] 'acuracy' is unknown; did you mean \"accuracy\"?")]),
    ("training", [('metrics = ["r2"]', "training.metrics[0]: r2 is not for a classification; use accuracy, top5")]),
    ("training", [('metrics = ["f1", "f1"]', "training.metrics[1]: 'f1' comes twice")]),
    ("training", [('monitor = "val_f1"', "training.monitor: there is no 'val_f1'; there are loss, accuracy, val_loss")]),
    ("training", [('precision = "bfloat17"', "training.precision 'bfloat17' is unknown; did you mean \"bfloat16\"?")]),
    ("training", [("lr = 3", "training.lr is unknown; it belongs in [optimizer]")]),
    ("training", [("clip = 1979-05-27", "training.clip must be a finite number above 0; it is datetime.date(1979, 5, 27)")]),
    ("backend", [('name = "nump"', "backend.name: there is no backend 'nump'")]),
    ("backend", [('device = "moon"', "backend.device: ")]),
    ("backend", [('dtype = "float16"', "backend.dtype 'float16' is unknown; did you mean \"float64\"?")]),
    ("optimzer", [("[optimzer]", '[optimzer] is unknown; did you mean "optimizer"?'), ('name = "adam"', None)]),
    ("frobnicate", [("[frobnicate]", "[frobnicate] is unknown; the sections are data, network")]),
]  # fmt: skip
START = [("[data]", None), ('path = "pets.csv"', None), ('targets = "kind"', None)]


def written(chosen: list[tuple[str, list[tuple[str, str | None]]]]) -> tuple[str, dict[int, list[str]]]:
    """A config with these faults, and what is said about each of its lines."""
    lines: list[tuple[str, str | None]] = list(START)
    for section, part in sorted(chosen, key=lambda each: each[0] != "data"):
        if section != "data" and part[0][0] != f"[{section}]":
            lines.append((f"[{section}]", None))
        lines += part
    said = {number: [why] for number, (_, why) in enumerate(lines, 1) if why is not None}
    return "\n".join(line for line, _ in lines) + "\n", said


def check(found: list[str], said: dict[int, list[str]]) -> None:
    """Each fault is told once, with its line, and nothing else is."""
    left = list(found)
    for number, whys in said.items():
        for why in whys:
            told = [line for line in left if line.startswith(f"line {number}: {why}")]
            assert len(told) == 1, (number, why, found)
            left.remove(told[0])
    assert left == []
    numbers = [int(line.split(":")[0].removeprefix("line ")) for line in found]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize(
    "fault", WRONG, ids=lambda fault: f"{fault[0]}-{next(line for line, why in fault[1] if why)}"[:50]
)
def test_one_fault_is_one_line(fault: Any, capsys: pytest.CaptureFixture[str]) -> None:
    text, said = written([fault])
    check(refused(capsys, text), said)


@pytest.mark.parametrize("seed", range(12))
def test_all_faults_are_told_together(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(seed)
    chosen: dict[str, Any] = {}
    for fault in rng.sample(WRONG, len(WRONG)):  # one for each section
        if rng.random() < 0.7:
            chosen.setdefault(fault[0], fault)
    # These are found in the samples, which are read only where nothing is wrong with [data].
    in_data = ("is not for a classification", "training.monitor: there is no")
    kept = [
        fault
        for fault in chosen.values()
        if "data" not in chosen or not any(why and any(each in why for each in in_data) for _, why in fault[1])
    ]
    text, said = written(kept or [WRONG[0]])
    check(refused(capsys, text), said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["a.toml: data.path is missing", "a.toml: data.targets is missing"]),
        ("[data]", ["line 1: data.path is missing", "line 1: data.targets is missing"]),
        ("data = 3\nepochs = 3\nfrob = 1", ["line 1: data must be a section, [data]; it is 3", "line 2: epochs stands in no s",
                                            "line 3: frob stands in no section; the sections are", "line 1: data.path",
                                            "line 1: data.targets"]),
        ("[data]\npath = pets.csv", ["line 2, column 8: Invalid value; the line reads 'path = pets.csv'; a text is in quotat"]),
        ("[data]\npath = 1\npath = 2", ["line 3, the end: Cannot overwrite a value"]),
        ("[data", ["line 1, the end: Expected ']'"]),
        ("[data]\n\n[data]", ["line 3, column 6: Cannot declare"]),
        ('[data]\npath = "pets.csv"\ntargets = "kind"\n[training]\nprecision = "float16"\n[optimizer]\nname = "lbfgs"',
         ['line 5: training.precision: precision="float16" scales the loss for one step, and LBFGS evaluates it']),
        ("x = '''\n\n", ["line 3, the end: "]),
        (b"[data]\npath = '\xff'", ["line 2: byte 0xff is not text in UTF-8"]),
        ("a = " + "[" * 3000, ["a.toml"]),
        ("a = " + "9" * 5000, ["a.toml"]),
        (b"x = 1\n" * 200_000, ["a.toml is no config: it is larger than 1000000 bytes"]),
        ('[data]\npath = "pets.csv"\ntargets = "breed"', ["line 3: data.targets: pets.csv has no column 'breed'; it has size,"]),
        ('[data]\npath = "a.toml"\ntargets = "kind"', ["line 3: data.targets: a.toml has no column 'kind'"]),
        ('[data]\npath = "."\ntargets = "kind"', ["line 2: data.path: it is a folder in the folder of the config"]),
        ('[data]\npath = "pets.csv"\ntargets = "kind"\nvalidation = 0.5\ntest = 0.5', ["line 5: data.test and data.validation"]),
        ('[data]\npath = "pets.csv"\ntargets = "kind"\nvalidation = 0.99', ["line 4: data: 24 samples cannot be divided"]),
        ('[data]\npath = "pets.csv"\ntargets = "kind"\n[training]\nbatch_size = 9\n[network]\nlayers = "batchnorm"',
         ["line 5: training.batch_size: 19 samples"]),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_other_configs(text: str | bytes, said: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    if "batchnorm" in str(text):
        text, said = (
            str(text),
            ["line 5: training.batch_size: 19 training samples in batches of 9 leave one sample alone"],
        )
    found = refused(capsys, text)
    assert len(found) == len(said)
    for why in said:
        assert any(why in line for line in found), (why, found)


def test_an_option_is_named_instead_of_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    text, _ = written([("training", [("epochs = 3", None), ("seed = -1", "training.seed must")])])
    found = refused(capsys, text, "--epochs", "0", "--lr", "-1", "--device", "moon")
    assert any(line.startswith("--device: backend.device") for line in found[:3])
    assert "--epochs: training.epochs must be a whole number, 1 or more; it is 0" in found
    assert any(line.startswith("--lr: optimizer.lr: Adam: lr must be") for line in found)
    assert found[-1].startswith("line 6: training.seed must")
    assert len(found) == 4


VALUES = ["1", "-7", "0.5", "nan", "inf", "true", '""', '"x"', '"relu"', "[]", "[1, 2]", '["a", "b"]', "{}", "{ a = 1 }",
          "1979-05-27", "07:32:00", "[[1]]", '"' + "y" * 3000 + '"', "99999999999999999999", "1e308", '"\\u0000"']  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_any_value_of_any_key_gives_lines_and_no_traceback(
    seed: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class BeganError(Exception):
        pass

    def begin(*arguments: object) -> None:
        raise BeganError

    monkeypatch.setattr("xgrad.train.run._run", begin)
    rng = random.Random(seed)
    for _ in range(12):
        text = "\n".join(line for line, _ in START) + "\n"
        for section in ("data", *rng.sample(["network", "training", "backend", *NAMES], 3)):
            if section in NAMES:
                name = rng.choice([*NAMES[section]])
                keys = [*options_of(NAMES[section][name]), "frob"]
                text += f'[{section}]\nname = "{name}"\n'
            else:
                keys = [name for name in keys_of(section) if name not in ("path", "targets")]
                text += "" if section == "data" else f"[{section}]\n"
            for key in rng.sample(keys, min(len(keys), rng.randrange(1, 4))):
                text += f"{key} = {rng.choice(VALUES)}\n"
        Path("a.toml").write_text(text)
        with pytest.raises((ConfigError, BeganError)) as error:
            train("a.toml", out="run")
        lines = getattr(error.value, "lines", [])
        assert len(lines) == len(set(lines))
        assert all(line.startswith("a.toml, line ") for line in lines), (text, lines)
        assert "\n" not in "".join(lines)
        assert not Path("run").exists()


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_config_is_one_line_or_more(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(seed)
    whole = b'[data]\npath = "pets.csv"\ntargets = "kind"\n[training]\nepochs = 0\nmetrics = ["accuracy",\n "f1"]\n'
    for _ in range(25):
        text = bytearray(whole)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(text))
            if rng.random() < 0.5:
                del text[at : at + rng.randrange(1, 9)]
            else:
                text[at : at + 1] = bytes(rng.randrange(256) for _ in range(rng.randrange(3)))
        if b"epochs = 0" in text:
            refused(capsys, bytes(text))


# --- the parts


def test_every_fault_of_a_list_is_found() -> None:
    kind = Either((Whole(1), Several(Whole(1))))
    assert [at for at, _ in faults(kind, [1, 0, "x", 3], ("a",))] == [("a", 1), ("a", 2)]
    assert [why for _, why in faults(kind, "x")] == ["must be a whole number, 1 or more or a list; it is 'x'"]
    assert list(faults(kind, 3)) == []
    assert [why for _, why in faults(Whole(), False)] == ["must be a whole number; it is false"]


def test_the_options_of_a_class_have_kinds() -> None:
    adam = options_of(NAMES["optimizer"]["adam"])
    assert adam["lr"] == FINITE
    assert adam["betas"] == Several(FINITE, 2)
    assert adam["amsgrad"] == FLAG
    assert set(adam) == {"lr", "betas", "eps", "weight_decay", "amsgrad", "decoupled_weight_decay"}
    assert options_of(NAMES["schedule"]["multi_step"])["milestones"] == Several(Whole(1))
    assert "last_epoch" not in options_of(NAMES["schedule"]["step"])


def test_problems_are_in_the_order_of_the_file() -> None:
    problems = Problems("c.toml", {("a",): 3, ("b",): 1, ("b", "x"): 2}, {("o", "p"): "--p"})
    for path in (("a", "q"), ("b", "x", 0), ("b",), ("o", "p"), ("z",)):
        problems.add(path, "wrong")
    with pytest.raises(ConfigError) as error:
        problems.check()
    assert error.value.lines == [
        "--p: wrong", "c.toml: wrong", "c.toml, line 1: wrong", "c.toml, line 2: wrong", "c.toml, line 3: wrong",
    ]  # fmt: skip
    assert problems.has(("b",))
    assert problems.has(("b", "x"))
    assert not problems.has(("c",))


def test_the_nearest_word() -> None:
    assert instead("EPOCH", ["epochs", "seed"]) == 'did you mean "epochs"?'
    assert instead("zzz", ["epochs", "seed"], "there are") == "there are epochs, seed"
    assert instead("z" * 10**6, [f"column {i}" for i in range(10**4)]).count(",") == 40


def test_the_readme_has_every_key_and_every_name() -> None:
    text = (Path(__file__).parent.parent / "xgrad" / "train" / "README.md").read_text(encoding="utf-8")
    for section in SECTIONS:
        for key in keys_of(section):
            assert f"| `{key}` |" in text.partition(f"### [{section}]")[2].partition("\n###")[0], (section, key)
    for section, names in NAMES.items():
        assert f"### [{section}]" in text
        for name in names:
            assert f"`{name}`" in text, name
