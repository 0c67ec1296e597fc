"""A run that is killed anywhere and resumed ends with the same bits as one that was not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import environment

pytest.importorskip("safetensors")

# A process that is started again is killed at the next of these points.
POINTS = ["1:loop", "4:writing", "5:loop", "6:written", "8:replaced", "10:writing"]


def run(path: Path, backend: str, *points: str) -> list[str]:
    command = [sys.executable, "-m", "tests.support.resumed_training", str(path), *points]
    done = subprocess.run(command, env=environment(XGRAD_BACKEND=backend), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_killed_run_resumes_bit_for_bit(backend, tmp_path):
    if backend.name not in ("numpy", "torch", "strict"):
        pytest.skip("has threads, which do not survive a fork; test_state_saving.py has the states of all backends")
    path = tmp_path / "run.safetensors"
    if backend.name == "numpy":  # it resumes for the last time in a new process
        lines = [*run(path, "numpy", "whole", *POINTS), *run(path, "numpy", "end")]
    else:
        lines = run(path, backend.name, "whole", *POINTS, "end")
    whole, *killed, resumed = lines
    assert [line.partition(" by signal 9")[0] for line in killed] == [f"{point}: killed" for point in POINTS]
    assert resumed == whole
