"""The sections in order, and how each is run: in a process of its own, with a time limit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.runner import ROOT

# The seconds that each may take, together a little less than eight minutes. Sections that need the device for themselves come
# before the suite, which may use the time that the others leave.
SECONDS = {
    "match": 120.0,
    "residency": 30.0,
    "profile": 30.0,
    "determinism": 40.0,
    "seed": 40.0,
    "programs": 45.0,
    "speed": 100.0,
    "suite": 240.0,
}
ALL_SECONDS = 470.0
GRACE = 2.0  # seconds between SIGTERM and SIGKILL


def run(name: str, backend: str, seconds: float, folder: Path) -> dict[str, Any]:
    """The result of one section. `ok` is True, False, or None if the section cannot run here; the summary then says why."""
    began = perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        file, log = Path(scratch) / "found.json", Path(scratch) / "log"
        command = [sys.executable, "-m", "bench.gpu.worker", name, backend, str(seconds), str(file), str(folder)]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=ROOT, stdout=output, stderr=output, start_new_session=True, env=environment()
            )
            try:
                code = wait(process, seconds)
            finally:  # also on Ctrl-C: end all processes that the section started
                end(process)
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        if code != 0:
            why = f"stopped after {seconds:.0f} s" if code is None else f"ended with exit code {code}"
            found["ok"] = False
            found.setdefault("failures", []).append(why)
            found["log"] = log.read_text(errors="replace")[-4000:]
    found.setdefault("ok", True)
    found["seconds"] = round(perf_counter() - began, 1)
    return found


def wait(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """The exit code of a process; None if it is still running after `seconds`."""
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None


def environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started: `start_new_session` gave it a process group of its own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(timeout=GRACE)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
