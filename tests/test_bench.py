"""Every usable peer computes what hand-written NumPy computes, and the report reads back."""

from __future__ import annotations

import dataclasses
import doctest
import json
import platform
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from bench import report, runner
from bench.__main__ import parse
from bench.layer_problems import ALL_WORKLOADS
from bench.peers import BASELINE, PEERS, build, function
from bench.runner import PeerError, Process, measure, spread, usable_peers
from bench.worker import TOLERANCE, largest_error

ROOT = Path(__file__).parent.parent


SHARED = {name for name, row in ALL_WORKLOADS.items() if row.baseline == "torch"}  # written once for PyTorch and xgrad
COMPARED = [(p, w) for p in PEERS if p != BASELINE for w in ALL_WORKLOADS if w not in SHARED] + [
    ("xgrad", w) for w in sorted(SHARED)
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("peer", "workload"), COMPARED, ids=lambda name: f"{name}_and_torch" if name in SHARED else name
)
def test_peer_agrees_with_the_baseline(peer: str, workload: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for needed in (peer, ALL_WORKLOADS[workload].baseline):
        if not PEERS[needed].usable():
            pytest.skip(f"{PEERS[needed].needs} is not installed")
    if function(peer, ALL_WORKLOADS[workload]) is None:
        pytest.skip(f"{peer} has no {workload}")
    if peer == "tinygrad" and dtype == "float64":
        pytest.skip("its optimizers keep their state in float32")
    if peer in (
        "torch_compile",
        "torch_func",
    ):  # run as written: compiling takes minutes, and a worker checks what it times
        torch = import_module("torch")
        monkeypatch.setattr(torch, "compile", lambda step, **options: step)
        monkeypatch.setattr(torch.compiler, "reset", lambda: None)
    assert largest_error(peer, workload, tiny=True, dtype=dtype) < TOLERANCE[dtype]


def test_no_unit_of_w5_is_near_a_tie() -> None:
    problem = ALL_WORKLOADS["w5"].make(False, "float32")
    h = problem.x.astype("float64")
    for weight in problem.weights:
        z = h @ weight.astype("float64")
        assert np.abs(z).min() > 1e-3 * np.sqrt(np.mean(z**2))
        h = np.maximum(z, 0)


def test_a_peer_may_run_in_another_python() -> None:
    with Process(BASELINE, sys.executable) as naive:
        answer = naive.ask("hello")
    assert (answer["python"], answer["numpy"]) == (platform.python_version(), np.__version__)
    assert usable_peers(["advect"], {"advect": "python"}) == ([BASELINE, "advect"], {})
    assert parse(["--python", f"advect={sys.executable}"]).python == [("advect", sys.executable)]


@pytest.mark.parametrize("text", ["advect", "nobody=python3", "advect=/no/such/python"])
def test_another_python_that_is_none_is_an_error(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--python", text])
    assert f"{text!r} is not PEER=PATH" in capsys.readouterr().err


DIFFERENTIATED = {"w1": ("x",), "w4": ("x",), "w5": ("weights",), "w6": ("x", "weight", "bias")}


@pytest.mark.parametrize("workload", [name for name, row in ALL_WORKLOADS.items() if row.baseline == BASELINE])
def test_the_baseline_agrees_with_central_differences(workload: str) -> None:
    row = ALL_WORKLOADS[workload]
    problem: Any = row.make(True, "float64")
    fields = DIFFERENTIATED.get(row.function, ("weights", "biases"))
    arrays = [a for field in fields for a in _as_tuple(getattr(problem, field))]
    case = build(BASELINE, row, problem)
    case.run()
    found = case.values()[-len(arrays) :]
    if hasattr(problem, "lr"):  # a step was made: what it went along is the gradient
        found = [(before - after) / problem.lr for before, after in zip(arrays, found, strict=True)]

    rng, eps = np.random.default_rng(0), 1e-6
    directions = [rng.normal(size=a.shape) for a in arrays]

    def loss(step: float) -> float:
        moved = iter([a + step * d for a, d in zip(arrays, directions, strict=True)])
        changes = {}
        for field in fields:
            old = getattr(problem, field)
            changes[field] = tuple(next(moved) for _ in old) if isinstance(old, tuple) else next(moved)
        output = build(BASELINE, row, dataclasses.replace(problem, **changes)).run()
        return float(np.sum(output * getattr(problem, "seed", 1.0)))

    slope = sum(np.sum(g * d) for g, d in zip(found, directions, strict=True))
    assert slope == pytest.approx((loss(eps) - loss(-eps)) / (2 * eps), rel=1e-5)


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


@pytest.mark.parametrize("module", [report, runner])
def test_examples_run(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


def test_worker_measures_and_reports_failure() -> None:
    with Process(BASELINE) as naive:
        assert naive.ask("hello")["versions"]["numpy"]
        lines: list[str] = []
        result = measure("w1", {BASELINE: naive}, rounds=2, round_seconds=0.001, say=lines.append)
        assert result["peers"][BASELINE]["ratio"] == {"median": 1.0, "low": 1.0, "high": 1.0}
        assert result["peers"][BASELINE]["seconds"]["median"] >= 0
        with pytest.raises(PeerError, match="KeyError"):
            naive.ask("prepare", workload="w99")
        assert naive.ask("prepare", workload="w9") == {"absent": True}


def test_missing_peers_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.peers.importlib.util.find_spec", lambda name: name != "torch" or None)
    names, missing = usable_peers(["torch", "tuned"])
    assert names == [BASELINE, "tuned"]
    assert missing == {"torch": "torch is not installed"}


def test_options_name_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--peers", "tensorflow"])
    assert "'tensorflow' is not one of naive" in capsys.readouterr().err


def _results() -> dict[str, Any]:
    found = {"ratio": spread([1.0, 1.5, 2.0]), "seconds": spread([1e-4, 2e-4]), "error": 0.0}
    row = {
        "runs_per_round": 3,
        "rounds": 2,
        "peers": {BASELINE: found, "xgrad": found},
        "failed": {},
    }
    return {
        "machine": {
            "date": "2020-01-02", "cpu": "a cpu", "cores": 2, "python": "CPython 3", "blas": "a blas",
            "environment": {"OPENBLAS_CORETYPE": "not set"},
        },
        "speed": {"w1": row},
        "missing": {"jax": "jax is not installed"},
        "versions": {"numpy": "2"},
        "memory": {"w3": {BASELINE: {"peak": 2**21, "working": 2**20}, "xgrad": {"peak": 2**20, "working": 2**19}}},
        "imports": {"ratio": spread([1.2]), "numpy": spread([0.1]), "xgrad": spread([0.12])},
    }  # fmt: skip


def test_report_is_written_and_read_back(tmp_path: Path) -> None:
    paths = report.write(_results(), tmp_path)
    assert report.newest(tmp_path) == _results() == json.loads(paths[0].read_text(encoding="utf-8"))
    text = paths[1].read_text(encoding="utf-8")
    assert "| W1 chain of 100 operations on 16 elements | 1.50 (1.25-1.75) |" in text
    assert "JAX jit: jax is not installed" in text
    assert "| 2.00 | 1.00 |" in text
    assert "1.20 (1.20-1.20) times as long" in text


def test_a_report_says_that_the_machine_was_loaded() -> None:
    results = _results()
    assert "load average" not in report.markdown(results)
    assert "load average" not in report.readme(results)
    results["machine"]["load average before"] = "0.4"
    assert "Other programs ran" not in report.markdown(results)
    results["machine"]["load average before"] = "3.5"
    assert "its load average was 3.5 before the run" in report.markdown(results)
    assert "2 cores (load average 3.5 before the run)" in report.readme(results)


def test_no_results_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="python -m bench"):
        report.newest(tmp_path)


def test_readme_says_so_where_there_are_no_results(tmp_path: Path) -> None:
    assert "Not measured yet" in report.newest_readme(tmp_path)
    report.write(_results(), tmp_path)
    text = report.newest_readme(tmp_path)
    assert text == report.readme(_results())
    assert "W3 1.0 MiB against 2.0" in text
    assert "* JAX jit: jax is not installed" in text
    assert "`import xgrad` takes 1.20 times" in text
