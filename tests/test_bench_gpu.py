"""The runner of bench.gpu: its sections, files and exit codes. No figures of a device are tested."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import report as of_bench
from bench.gpu import __main__ as main
from bench.gpu import cupti, profile, readme, report, sections, shard, suite
from bench.gpu.match import of_function, ulps
from bench.gpu.timing import ROUNDS, WARM_UP, WallClock
from tests.support.processes import environment
from xgrad.backends import BackendError, load, usable
from xgrad.engine.op import OPS

ROOT = Path(__file__).resolve().parent.parent


LONG = 36_000.0  # seconds: what a section may take where a test is not about time


def run(name: str, folder: Path) -> dict[str, Any]:
    return sections.run(f"tests.support.gpu_sections.{name}", "numpy", LONG, folder)


# --- one section -----------------------------------------------------------------------------------------


def test_a_section_passes(tmp_path):
    found = run("passes", tmp_path)
    assert found["ok"] is True
    assert found["summary"] == "one number"
    assert found["tables"]["Numbers"]["rows"] == [["one", "1"]]
    assert found["seconds"] >= 0  # which is rounded: 0.0 on a fast machine


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("fails", "one and one is two"),
        ("raises", "ZeroDivisionError: in the middle"),
        ("dies", "exit code -11"),
        ("nowhere", "No module named"),
    ],
)
def test_a_section_fails_and_keeps_what_it_had(tmp_path, name, why):
    found = run(name, tmp_path)
    assert found["ok"] is False
    assert why in found["failures"][-1]
    if name in ("raises", "dies"):
        assert found["notes"] == ["this far it came"]


def test_a_section_is_stopped_with_all_that_it_started(tmp_path, monkeypatch):
    """Its time is over when it has started a process, which holds a pipe open for as long as it runs."""
    os.mkfifo(tmp_path / "running")
    reader = os.open(tmp_path / "running", os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    writer = os.open(tmp_path / "running", os.O_WRONLY)  # until the section has one, the pipe is not at its end

    def over(process: Any, seconds: float) -> None:
        assert seconds == LONG
        assert os.read(reader, 1) == b"."
        os.close(writer)

    monkeypatch.setattr(sections, "wait", over)
    found = run("hangs", tmp_path)
    assert found["ok"] is False
    assert found["failures"] == [f"stopped after {LONG:.0f} s"]
    assert found["notes"] == ["this far it came"]
    assert os.read(reader, 1) == b""  # which waits for the end of all that have it open
    os.close(reader)


def test_a_section_that_takes_too_long_is_noticed():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert sections.wait(process, 0.01) is None
        process.communicate(b"\n")
        assert sections.wait(process, LONG) == 0


# --- all of them ------------------------------------------------------------------------------------------


@pytest.fixture
def some_sections(monkeypatch):
    def choose(*names: str) -> str:
        chosen = {f"tests.support.gpu_sections.{name}": LONG for name in names}
        monkeypatch.setattr(sections, "SECONDS", chosen)
        return ",".join(chosen)

    return choose


def test_one_failure_does_not_stop_the_others(some_sections, tmp_path, capsys):
    only = some_sections("dies", "passes", "fails")
    assert main.main(["--backend", "numpy", "--only", only, "--out", str(tmp_path), "--seconds", str(LONG)]) == 1
    (written,) = tmp_path.glob("*.json")
    results = json.loads(written.read_text(encoding="utf-8"))
    assert [found["ok"] for found in results["sections"].values()] == [False, True, False]
    assert results["ok"] is False
    assert results["rehearsal"] is True
    assert results["device"]["device"].startswith("none")
    assert "commit" in results["device"]["machine"]
    text = written.with_suffix(".md").read_text(encoding="utf-8")
    assert text.startswith("# Rehearsal: nothing here was measured on a GPU")
    assert "FAILED: one and one is two" in text
    assert "one number" in capsys.readouterr().out


def test_all_passing_is_exit_code_0(some_sections, tmp_path):
    only = some_sections("passes")
    assert main.main(["--backend", "numpy", "--only", only, "--out", str(tmp_path), "--seconds", str(LONG)]) == 0


def test_what_is_done_is_written_before_the_next(some_sections, tmp_path, monkeypatch):
    only = some_sections("passes", "fails")
    seen = []

    def watch(results: Any, folder: Path) -> None:
        seen.append((list(results["sections"]), results["ok"], report.markdown(results)))

    monkeypatch.setattr(report, "write", watch)
    main.main(["--backend", "numpy", "--only", only, "--out", str(tmp_path), "--seconds", str(LONG)])
    assert [(len(done), ok) for done, ok, _ in seen] == [(1, False), (2, False)]
    assert "Not run yet: tests.support.gpu_sections.fails" in seen[0][2]


def test_no_time_left_is_a_failure(some_sections, tmp_path):
    only = some_sections("passes")
    assert main.main(["--backend", "numpy", "--only", only, "--out", str(tmp_path), "--seconds", "0"]) == 1
    (written,) = tmp_path.glob("*.json")
    (found,) = json.loads(written.read_text(encoding="utf-8"))["sections"].values()
    assert found["failures"] == ["there was no time left"]


def test_without_a_device_it_says_so_in_one_line():
    try:
        usable("cupy")
    except BackendError:
        pass
    else:
        pytest.skip("there is a device")
    done = subprocess.run([sys.executable, "-m", "bench.gpu"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "'cupy' is not usable" in done.stderr


def test_a_rehearsal_is_never_written_among_the_results(capsys):
    with pytest.raises(SystemExit):
        main.parse(["--backend", "torch", "--out", str(of_bench.RESULTS)])
    assert "a rehearsal is no result" in capsys.readouterr().err
    assert main.parse(["--backend", "torch"]).out is None
    assert main.parse([]).out == of_bench.RESULTS


def test_sections_fit_into_the_time():
    assert sum(seconds for name, seconds in sections.SECONDS.items() if name != "suite") < sections.ALL_SECONDS - 60
    assert sections.ALL_SECONDS < 480
    assert list(sections.SECONDS)[-1] == "suite"


# --- the sections' own arithmetic ---------------------------------------------------------------------------


def test_ulps_are_of_the_largest_element():
    one = np.asarray([1.0, 1000.0], dtype=np.float32)
    other = one + np.asarray([2.0**-23, 0.0], dtype=np.float32)
    assert ulps([other], [one.astype(np.float64)], "float32") == pytest.approx(2.0**-23 / 2.0**-14)
    assert ulps([one], [one.astype(np.float64)], "float32") == 0
    assert ulps([one[:1]], [one], "float32") == float("inf")
    assert ulps([one * np.nan], [one], "float32") == float("inf")
    assert ulps([np.zeros(0)], [np.zeros(0)], "float64") == 0


def test_a_wrong_function_is_found(monkeypatch):
    pytest.importorskip("array_api_strict")
    right = of_function("cumulative_sum", "strict")
    assert right["failures"] == []
    assert right["device"]["float64"]["vjp"] <= 4
    backend = load("strict")
    monkeypatch.setitem(
        OPS["cumulative_sum"].raw, backend, lambda *args, **kw: backend.xp.cumulative_sum(*args, **kw) * (1 + 1e-9)
    )
    wrong = of_function("cumulative_sum", "strict")
    assert any("float64 value" in failure for failure in wrong["failures"])
    assert wrong["device"]["float64"]["value"] > 1e6


def test_a_function_that_raises_is_a_line_of_the_table(monkeypatch):
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise ZeroDivisionError("here")

    monkeypatch.setitem(OPS["cumulative_sum"].raw, load("numpy"), broken)
    assert any("here" in failure for failure in of_function("cumulative_sum", "numpy")["failures"])


def test_every_test_is_in_one_shard():
    items = list(range(1000))
    parts = [shard.of_shard(items, number, 7) for number in range(7)]
    assert sorted(item for part in parts for item in part) == items
    assert max(map(len, parts)) - min(map(len, parts)) <= shard.BLOCK


def test_a_shard_writes_its_outcomes(tmp_path):
    (tmp_path / "test_two.py").write_text("def test_a(): pass\ndef test_b(): assert 1 == 2\n")
    file = tmp_path / "outcomes.jsonl"
    env = environment(XGRAD_SHARD="0/1", XGRAD_OUTCOMES=str(file))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "bench.gpu.shard", "test_two.py", "-c", os.devnull]
    subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=False)
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert lines[0] == {"collected": 2}
    assert [line["outcome"] for line in lines[1:]] == ["passed", "failed"]
    assert "1 == 2" in lines[2]["why"]
    assert suite.tally(lines[1:]) == "1 passed, 1 failed, 0 skipped"


def test_calls_of_cuda_are_told_apart():
    calls = Counter(
        {"cudaMemcpyAsync DtoD": 3, "cuMemcpyDtoHAsync_v2": 1, "cudaStreamSynchronize": 2, "cuLaunchKernel": 9}
    )
    assert profile.count(calls, profile.TRAFFIC) == 1
    assert profile.count(calls, profile.WAITS) == 2
    assert profile.count(calls, profile.LAUNCHES) == 9


def test_the_kind_of_a_copy_is_read_from_its_parameters():
    import ctypes

    class Parameters(ctypes.Structure):
        _fields_ = (
            ("dst", ctypes.c_void_p),
            ("src", ctypes.c_void_p),
            ("count", ctypes.c_size_t),
            ("kind", ctypes.c_int),
        )

    parameters = Parameters(1, 2, 3, 2)
    data = cupti.CallbackData(0, b"cudaMemcpyAsync", ctypes.addressof(parameters))
    assert cupti.name_of(data) == "cudaMemcpyAsync DtoH"
    assert cupti.name_of(cupti.CallbackData(0, b"cuLaunchKernel", None)) == "cuLaunchKernel"


def test_readmes_table_is_of_the_newest_results(tmp_path):
    assert "Not measured yet" in readme.newest(tmp_path)

    def results(seconds: float, date: str) -> str:
        machine = {"cpu": "a CPU", "date": date, "commit": "abc"}
        device = {"device": "A GPU", "driver": "1", "cuda": "12.4", "cupy": "14.2.0", "machine": machine}
        found = {
            "seed": {"took": {"adam float32": [2.0, seconds]}},
            "speed": {"host": {"mlp 1024": 0.01}, "times": {"mlp 1024": {"seconds": 0.0005}}},
        }
        return json.dumps({"ok": True, "device": device, "sections": found})

    (tmp_path / "gpu-Z-2026-01-31.json").write_text(results(1.0, "2026-01-31"))
    (tmp_path / "gpu-A-2026-02-01.json").write_text(results(3.0, "2026-02-01"))
    (tmp_path / "rehearsal-torch-2027-01-01.json").write_text("{}")
    text = readme.newest(tmp_path)
    assert "| the seed, adam float32 | 2.00 s | 3.00 s |" in text
    assert "batch 1,024 | 10.00 ms | 0.50 ms |" in text
    assert "A GPU, driver 1, CUDA 12.4" in text
    assert "every section passed" in text


def test_a_clock_counts_each_step():
    done = []
    times = WallClock(lambda: None).time(lambda: done.append(1), 0.01)
    assert (len(done) - WARM_UP - 1) % ROUNDS == 0  # rounds of equal size, after a step that tells how many fit
    assert len(done) >= WARM_UP + 1 + ROUNDS
    assert times.seconds >= 0
    assert times.limit == "-"
