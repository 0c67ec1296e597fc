"""Runs the whole test suite on the backend, with the tests marked `gpu`, in as many processes as there are cores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench.gpu.job import Job
from bench.runner import ROOT

MOST = 14  # processes at most: each has a context on the device


def run(job: Job) -> None:
    count = max(1, min(os.cpu_count() or 1, MOST))
    job.put(ok=True, processes=count)
    with tempfile.TemporaryDirectory() as scratch:
        files = [Path(scratch) / f"{number}.jsonl" for number in range(count)]
        started = [start(job.backend, number, count, file) for number, file in enumerate(files)]
        try:
            while any(process.poll() is None for process in started) and job.left > 8:
                time.sleep(1)
                tell(job, files)
            unfinished = [number for number, process in enumerate(started) if process.poll() is None]
        finally:
            for process in started:
                process.kill()
                process.wait()
        outcomes = tell(job, files)
    for number in unfinished:
        job.fail(f"process {number} of {count} was not done in time")
    for process in started:
        job.check(process.returncode in (0, 1, 5, -9), f"pytest ended with exit code {process.returncode}")
    for outcome in outcomes:
        if outcome["outcome"] in ("failed", "error"):
            job.fail(f"{outcome['test']}: {outcome['why'].strip().splitlines()[-1] if outcome['why'] else ''}")
    job.put(failed={o["test"]: o["why"] for o in outcomes if o["outcome"] in ("failed", "error")})
    job.check(any(outcome["outcome"] == "passed" for outcome in outcomes), "no test ran")
    on_device = [outcome for outcome in outcomes if outcome["gpu"]]
    job.note(f"Of those marked `gpu`: {tally(on_device)}.")
    if job.on_device:
        skipped = [outcome["test"] for outcome in on_device if outcome["outcome"] == "skipped"]
        job.put(skipped_on_device=skipped)
        job.check(bool(on_device), "no test marked gpu ran")


def start(backend: str, number: int, count: int, file: Path) -> subprocess.Popen[bytes]:
    env = os.environ | {
        "XGRAD_TEST_BACKENDS": backend,
        "XGRAD_SHARD": f"{number}/{count}",
        "XGRAD_OUTCOMES": str(file),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "bench.gpu.shard", "-p", "no:cacheprovider", "--tb=short"]
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def tell(job: Job, files: list[Path]) -> list[dict[str, Any]]:
    """The outcomes that the processes have written so far."""
    lines = [
        json.loads(line)
        for file in files
        if file.exists()
        for line in file.read_text(encoding="utf-8").splitlines()
        if line[-1:] == "}"
    ]
    outcomes = [line for line in lines if "test" in line]
    collected = sum(line.get("collected", 0) for line in lines)
    job.put(
        tally=dict(Counter(outcome["outcome"] for outcome in outcomes)),
        collected=collected,
        summary=f"{tally(outcomes)} of {collected} tests, in {job.found['processes']} processes",
    )
    return outcomes


def tally(outcomes: list[dict[str, Any]]) -> str:
    """
    >>> tally([{"outcome": "passed"}, {"outcome": "passed"}, {"outcome": "failed"}])
    '2 passed, 1 failed, 0 skipped'
    """
    counts = Counter(outcome["outcome"] for outcome in outcomes)
    return f"{counts['passed']} passed, {counts['failed'] + counts['error']} failed, {counts['skipped']} skipped"
