"""`xgrad diagnose script.py`: a training script of the user's, run under the watch without a change to it."""

from __future__ import annotations

import contextlib
import io
import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

import xgrad as xg
from xgrad import nn, optim
from xgrad.cli import main
from xgrad.diagnose.operations import Operations
from xgrad.diagnose.script import run_script
from xgrad.engine import tape
from xgrad.engine.plain import plain_types
from xgrad.engine.tensor import Tensor
from xgrad.engine.watching import runs
from xgrad.fit.options import without_arguments

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

HEAD = """
import xgrad as xg
from xgrad import nn, optim
from xgrad.nn import functional as F

rng = xg.random.Generator(0)
"""
# The seed's run: x and y far from unit scale.
RAW = (
    HEAD
    + """
x = xg.linspace(-100.0, 100.0, 201)[:, None]
y = x**2
model = nn.Sequential(nn.Linear(1, 32, rng=rng), nn.ReLU(), nn.Linear(32, 1, rng=rng), nn.ReLU())
optimizer, loss_function = optim.SGD(model.parameters(), lr=0.01), nn.MSELoss()
for step in range(20):
    optimizer.zero_grad()
    loss = loss_function(model(x), y)
    loss.backward()
    optimizer.step()
"""
)
# Two classes, in shuffled batches, with a loss function that is no module.
BATCHES = (
    HEAD
    + """
x = rng.normal((300, 3))
y = xg.astype(x[:, 0] > 0, xg.int64)

xg.random.manual_seed(0)

class Net(nn.Module):
    def __init__(self):
        self.a, self.b = nn.Linear(3, 8, rng=rng), nn.Linear(8, 2, rng=rng)

    def forward(self, x):
        return self.b(F.relu(self.a(x)))

model = Net()
optimizer = optim.Adam(model.parameters(), lr=0.01)
for epoch in range(2):
    for xb, yb in xg.data.DataLoader(xg.data.TensorDataset(x, y), batch_size=32, shuffle=True):
        loss = F.cross_entropy(model(xb), yb, label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with xg.no_grad():
        print("loss", F.cross_entropy(model(x), y).item())
"""
)


@pytest.fixture(autouse=True)
def nothing_is_left() -> Any:
    parts = (
        nn.Module.__call__,
        Tensor.backward,
        optim.Optimizer.step,
        optim.Optimizer.__init__,
        nn.functional.mse_loss,
    )
    before = sys.argv, list(sys.path), sys.modules["__main__"], [signal.getsignal(n) for n in (2, 15)]
    yield
    assert (
        nn.Module.__call__,
        Tensor.backward,
        optim.Optimizer.step,
        optim.Optimizer.__init__,
        nn.functional.mse_loss,
    ) == parts
    assert before == (sys.argv, sys.path, sys.modules["__main__"], [signal.getsignal(n) for n in (2, 15)])
    assert not tape.watchers
    assert Tensor in plain_types
    assert not runs
    assert Operations.busy == 0


class Said:
    """What a run of `xgrad diagnose` printed, and its exit status."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    @property
    def report(self) -> Any:
        return json.loads(self.out)

    @property
    def rules(self) -> set[str]:
        return {finding["rule"] for finding in self.report["findings"]}


@pytest.fixture
def diagnose(tmp_path: Path, capsys: Any) -> Any:
    def run(text: str, *options: str, arguments: tuple[str, ...] = (), name: str = "train.py") -> Said:
        path = tmp_path / name
        path.write_text(text)
        status = main(["diagnose", *options, str(path), *arguments])
        out, err = capsys.readouterr()
        return Said(status, out, err.replace(str(path), name))

    return run


# --- what is found ------------------------------------------------------------------------------------------------


def test_a_script_gets_its_cause(diagnose: Any) -> None:
    said = diagnose(RAW)
    assert said.status == 0
    assert "\nERROR STEP_UNSTABLE at step 0, the whole network: lr 0.01 times" in said.out
    assert "not checked" not in said.out
    assert said.err == ""


def test_the_report_is_that_of_watch(diagnose: Any) -> None:
    found = diagnose(RAW, "--json").report
    watched = RAW.replace("for step", "w = xg.diagnose.watch(model, optimizer, loss=loss_function, x=x, y=y)\nfor step")
    held: dict[str, Any] = {}
    exec(watched.replace("    optimizer.step()", "    optimizer.step()\n    w.step(loss)"), held)
    report = held["w"].report()
    held["w"].close()
    assert found["steps"] == report.steps == 20
    assert found["lacking"] == report.lacking == {}
    rules = [(f["rule"], f["step"], f["where"]) for f in found["findings"]]
    assert rules == [(f.rule, f.step, f.where) for f in report.findings]


def test_a_function_as_the_loss_and_batches_of_a_loader(diagnose: Any) -> None:
    said = diagnose(BATCHES, "--json")
    assert said.status == 0
    assert said.report["steps"] == 20
    assert said.report["findings"] == []
    assert said.report["lacking"] == {}
    assert said.err.count("loss") == 2  # what the script prints does not come between the lines of the JSON


def test_a_run_has_the_same_numbers(diagnose: Any) -> None:
    said = diagnose(BATCHES)
    held: dict[str, Any] = {}
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        exec(BATCHES, held)
    assert said.out == text.getvalue() + "nothing was found wrong in 20 steps\n"


def test_the_operation_behind_a_nan_in_a_batch(diagnose: Any) -> None:
    """At step 15 not every operation is looked at: the step is repeated, with the target that the loss got."""
    text = BATCHES.replace(
        "        loss = F", "        xb = xb if optimizer.state == {} or epoch == 0 else xb * xg.inf\n        loss = F"
    )
    (finding,) = [f for f in diagnose(text, "--json").report["findings"] if f["rule"] == "NONFINITE"]
    assert finding["step"] == 10
    assert finding["evidence"]["op"] == "linear"
    assert "train.py" in finding["evidence"]["line"]


def test_gradients_of_two_batches_make_a_step(diagnose: Any) -> None:
    step = "    loss = loss_function(model(x), y)\n    loss.backward()\n"
    halves = "    for k in (0, 1):\n        (loss_function(model(x[k::2]), y[k::2]) / 2).backward()\n"
    said = diagnose(RAW.replace(step, halves), "--json")
    assert said.report["steps"] == 20
    assert "FORGOT_ZERO_GRAD" not in said.rules
    assert "STEP_UNSTABLE" in said.rules


def test_gradients_that_are_not_cleared(diagnose: Any) -> None:
    assert "FORGOT_ZERO_GRAD" in diagnose(RAW.replace("    optimizer.zero_grad()\n", ""), "--json").rules


@pytest.mark.parametrize("kind", ["SGD(model.parameters(), lr=0.01)", "LBFGS(model.parameters(), lr=0.01, max_iter=2)"])
def test_a_step_with_a_closure(diagnose: Any, kind: str) -> None:
    text = RAW.replace("SGD(model.parameters(), lr=0.01)", kind).replace(
        "    optimizer.zero_grad()\n    loss = loss_function(model(x), y)\n    loss.backward()\n    optimizer.step()",
        "    def closure():\n        optimizer.zero_grad()\n        loss = loss_function(model(x), y)\n        loss.backward()\n"
        "        return loss\n    assert optimizer.step(closure).item() >= 0",
    )
    said = diagnose(text, "--json")
    assert said.status == 0, said.err
    assert said.report["steps"] == 20
    assert "SCALE" in said.rules


@pytest.mark.filterwarnings("ignore:compile.*runs without compile while operations are watched")
def test_a_compiled_step(diagnose: Any) -> None:
    text = RAW.replace("for step", "@xg.compile\ndef train(x, y):\n    for step").replace("range(20)", "range(1)")
    body = text.index("    for step")
    text = text[:body] + text[body:].replace("\n    ", "\n        ") + "for _ in range(20):\n    train(x, y)\n"
    said = diagnose(text, "--json")
    assert said.report["steps"] == 20
    assert "DEAD_LAYER" in said.rules


def test_an_optimizer_of_one_s_own(diagnose: Any) -> None:
    own = """
class Own(optim.Optimizer):
    def __init__(self, params):
        super().__init__(params, {})

    def step(self, closure=None):
        for group in self.param_groups:
            for p in group.params:
                p.data = p.data - 0.01 * p.grad.data

Own.checks = {}
"""
    text = RAW.replace("x = xg.lin", own + "x = xg.lin").replace(
        "optim.SGD(model.parameters(), lr=0.01)", "Own(model.parameters())"
    )
    said = diagnose(text, "--json")
    assert said.status == 0, said.err
    assert said.report["steps"] == 20
    assert "LOSS_EXPLODED" in said.rules


def test_a_trainer_in_a_script(diagnose: Any) -> None:
    text = RAW[: RAW.index("for step")]
    text += "t = xg.Trainer(model, loss_function, optimizer, progress=False, diagnose=True, nonfinite='ignore')\n"
    text += "t.fit((x, y), epochs=12, batch_size=201)\nassert t.report.steps == 12\n"
    said = diagnose(text, "--json")
    assert said.status == 0, said.err
    assert said.report["steps"] == 12
    assert "STEP_UNSTABLE" in said.rules


def test_a_watch_in_a_script(diagnose: Any) -> None:
    text = RAW.replace("for step", "w = xg.diagnose.watch(model, optimizer, loss=loss_function, x=x, y=y)\nfor step")
    text = (
        text.replace("    optimizer.step()", "    optimizer.step()\n    w.step(loss)")
        + "print(w.report())\nw.close()\n"
    )
    heads = [line.partition(":")[0] for line in diagnose(text).out.splitlines() if not line.startswith(" ")]
    assert len(heads) > 4
    assert heads[: len(heads) // 2] == heads[len(heads) // 2 :]


def test_a_second_optimizer_is_named(diagnose: Any) -> None:
    more = "    other.step()\nother = None\n"
    text = (
        RAW.replace("for step", "extra = nn.Linear(1, 1)\nother = optim.SGD(extra.parameters(), lr=0.1)\nfor step")
        + more
    )
    said = diagnose(text)
    assert said.err == "xgrad diagnose: 1 more optimizer was used, which this report is not about\n"
    assert said.status == 0


@pytest.mark.parametrize(("text", "rows"), [(RAW, 201), (BATCHES, 600)], ids=["all at once", "two epochs"])
def test_the_data_of_the_batches(text: str, rows: int) -> None:
    ran = run_script("train.py", compile(text, "train.py", "exec"))
    assert ran.report is not None
    assert ran.report.run.x.shape[0] == ran.report.run.y.shape[0] == rows
    assert (ran.steps, ran.fault, ran.signal) == (20, "", None)


# --- how it is called -----------------------------------------------------------------------------------------------


def test_the_script_is_the_main_program(diagnose: Any, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("SAID = 'found'\n")
    text = RAW + "import sys, pickle, beside\nprint(sys.argv[1:], __name__, beside.SAID, __file__ == sys.argv[0])\n"
    text += "def own():\n    pass\npickle.dumps(own)\nassert sys.modules['__main__'].own is own\n"
    said = diagnose(text, arguments=("--json", "--html", "x", "-3"))
    assert said.out.startswith("['--json', '--html', 'x', '-3'] __main__ found True\nThe loss exploded at step 1")


def test_python_by_its_content(diagnose: Any) -> None:
    assert diagnose(RAW, name="train").out.startswith("The loss exploded at step 1")


def test_a_page_and_a_fix(diagnose: Any, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    said = diagnose(RAW, "--fix", "--html", str(tmp_path / "page.html"))
    assert said.status == 0
    assert "tried x and y standardised, a linear output" in said.out
    assert "STEP_UNSTABLE" in (tmp_path / "page.html").read_text()


def test_a_page_in_place_of_the_script(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "train.py"
    path.write_text(RAW)
    assert main(["diagnose", "--html", str(path), str(path)]) == 2
    assert "name the same file" in capsys.readouterr().err
    assert path.read_text() == RAW


# --- scripts that end early, and bad ones ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("raise ValueError('two\\nlines')", "line 17: ValueError: two lines"),
        ("model(x[:, 0])", "line 17: ValueError: "),
        ("import sys; sys.exit(3)", "it ended with exit status 3"),
        ("import sys; sys.exit('no data')", "no data"),
        ("raise KeyError", "line 17: KeyError, after"),
    ],
)
def test_an_error_in_the_script_comes_after_the_report(diagnose: Any, line: str, said: str) -> None:
    ended = diagnose(RAW + f"    if step == 4: {line}\n")
    assert ended.status == 2
    assert "\nERROR STEP_UNSTABLE" in ended.out
    assert ended.err.count("\n") == 1
    assert ended.err.startswith("xgrad diagnose: error: train.py")
    assert said in ended.err
    assert ended.err.endswith(", after 5 steps\n")


def test_a_script_that_ends_itself_well(diagnose: Any) -> None:
    assert diagnose(RAW + "raise SystemExit\n").status == diagnose(RAW + "raise SystemExit(0)\n").status == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_report(diagnose: Any, number: int) -> None:
    said = diagnose(RAW + f"    import os\n    if step == 4: os.kill(os.getpid(), {int(number)})\n")
    assert said.status == 128 + number
    assert "ERROR STEP_UNSTABLE" in said.out
    assert said.err == "xgrad diagnose: interrupted after 5 steps\n"


def test_a_signal_before_the_first_step(diagnose: Any) -> None:
    said = diagnose("import xgrad\nraise KeyboardInterrupt\n")
    assert (said.status, said.out, said.err) == (130, "", "xgrad diagnose: interrupted\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import xgrad\n", "made no step of an optimizer of xgrad, so there is nothing to diagnose"),
        ("", "made no step of an optimizer of xgrad"),
        ("import os\nfor\n", "train.py, line 2: this is not Python: invalid syntax"),
        ("import os\nx = 1 / 0\n", "train.py, line 2: ZeroDivisionError: division by zero"),
        (
            "import no_such_module_here\n",
            "train.py, line 1: ModuleNotFoundError: No module named 'no_such_module_here'",
        ),
        ("import sys\nsys.exit(2)\n", "train.py: it ended with exit status 2"),
        (
            HEAD
            + "w = xg.asarray([1.0], requires_grad=True)\no = optim.SGD([w], lr=0.1)\nxg.sum(w).backward()\no.step()\n",
            "the parameters of its optimizer are in no module that was called with them",
        ),
    ],
)
def test_scripts_without_a_report(diagnose: Any, text: str, said: str) -> None:
    ended = diagnose(text)
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith("xgrad diagnose: error: train.py")
    assert said in ended.err


def test_files_that_are_no_scripts(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "bytes.py").write_bytes(b"\xff\xfe\x00\x01")
    (tmp_path / "words").write_text("hello")
    wanted = {
        "none.py": "cannot be read: No such file or directory",
        "folder.py": "is a folder; a script or a history is needed",
        "bytes.py": "not Python",
        "words": "is not a history: it is not JSON",
        "a\0b.py": "",
    }
    for name, text in wanted.items():
        assert main(["diagnose", f"{tmp_path}/{name}"]) == 2
        out, err = capsys.readouterr()
        assert text in err
        assert (out, err.count("\n")) == ("", 1)


def test_a_history_is_still_a_history(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "run.json"
    assert main(["fit", "--steps", "5", "--raw", "--out", "", "--quiet", "--history", str(path)]) == 0
    capsys.readouterr()
    assert main(["diagnose", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 5


def test_only_what_stands_behind_a_script_is_the_script_s() -> None:
    split = {
        "diagnose a.py": ("diagnose a.py", ""),
        "diagnose --json a.py --json b": ("diagnose --json a.py", "--json b"),
        "diagnose --html x.py a.py c": ("diagnose --html x.py a.py", "c"),
        "diagnose --html=x.py a.py c": ("diagnose --html=x.py a.py", "c"),
        "diagnose --htm x.py a.py c": ("diagnose --htm x.py a.py", "c"),
        "diagnose run.json --json": ("diagnose run.json --json", ""),
        "fit a.py b": ("fit a.py b", ""),
    }
    for line, (own, rest) in split.items():
        assert without_arguments(line.split()) == (own.split(), rest.split())


def test_xgrad_is_used_by_others(diagnose: Any) -> None:
    """A script may import what this process has imported, and its modules see no trace of the watch after it."""
    diagnose(RAW)
    model = nn.Linear(1, 1)
    xg.sum(model(xg.ones((1, 1)))).backward()
    optim.SGD(model.parameters(), lr=0.1).step()
