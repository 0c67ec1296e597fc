"""Times the peers in paired rounds: one process per peer, in turns, so that a disturbance affects all peers alike."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Container, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.layer_problems import ALL_WORKLOADS
from bench.peers import BASELINE, PEERS

ROOT = Path(__file__).parent.parent
ALLOCATOR = str(256 * 2**20)  # malloc keeps large blocks: otherwise W5 on NumPy has two speeds

ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_TRIM_THRESHOLD_": ALLOCATOR,
    "MALLOC_MMAP_THRESHOLD_": ALLOCATOR,
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
    "XGRAD_BACKEND": "numpy",
}


class PeerError(Exception):
    """A peer's process reported an error, or ended. The message is that of its error."""


class Process:
    """A worker process, used as a context manager. `python` runs it: this Python, unless the peer needs another."""

    def __init__(self, peer: str, python: str = sys.executable) -> None:
        self.peer = peer
        self._process = subprocess.Popen(
            [python, "-m", "bench.worker", peer],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | ENVIRONMENT,
        )

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        commands, answers = self._process.stdin, self._process.stdout
        assert commands is not None
        assert answers is not None
        try:
            commands.write(json.dumps({"do": do, **fields}) + "\n")
            commands.flush()
        except BrokenPipeError:
            raise PeerError(f"{self.peer}: its process has ended") from None
        line = answers.readline()
        if not line:
            raise PeerError(f"{self.peer}: its process ended during {do!r}")
        answer: dict[str, Any] = json.loads(line)
        if "failed" in answer:
            raise PeerError(answer["failed"])
        return answer

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()  # this closes its standard input, which ends it


def spread(values: Sequence[float]) -> dict[str, float]:
    """The median and the two quartiles.

    >>> spread([1.0, 2.0, 4.0])
    {'median': 2.0, 'low': 1.5, 'high': 3.0}
    """
    if len(values) == 1:
        return {"median": values[0], "low": values[0], "high": values[0]}
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": median, "low": low, "high": high}


def measure(
    workload: str,
    processes: dict[str, Process],
    *,
    rounds: int,
    round_seconds: float,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Time one workload in every process whose peer computes it. A peer that fails is left out, with the reason.

    Every peer does the same number of runs in a round, chosen so that the baseline's round takes `round_seconds`. A ratio is that
    of two times of one round. Odd rounds ask the peers in reverse order.
    """
    errors: dict[str, float] = {}
    failed: dict[str, str] = {}
    for peer, process in processes.items():
        try:
            answer = process.ask("prepare", workload=workload)
            if "absent" not in answer:
                errors[peer] = answer["error"]
        except PeerError as failure:
            failed[peer] = str(failure)
            say(f"  {peer} left out: {failure}")
    baseline = ALL_WORKLOADS[workload].baseline
    if baseline not in errors:
        raise PeerError(
            f"{baseline}: {failed.get(baseline, 'the baseline of ' + workload + ' is not among the peers')}"
        )

    once: float = processes[baseline].ask("time", runs=1)["seconds"]
    few = max(1, round(round_seconds / 5 / once))
    runs = max(1, round(round_seconds * few / processes[baseline].ask("time", runs=few)["seconds"]))

    times: dict[str, list[float]] = {peer: [] for peer in errors}
    for number in range(rounds):
        for peer in sorted(times, key=list(times).index, reverse=number % 2 == 1):
            times[peer].append(processes[peer].ask("time", runs=runs)["seconds"] / runs)
    peers: dict[str, dict[str, Any]] = {
        peer: {
            "ratio": spread([t / b for t, b in zip(own, times[baseline], strict=True)]),
            "seconds": spread(own),
            "error": errors[peer],
        }
        for peer, own in times.items()
    }
    say("  " + "  ".join(f"{p} {r['ratio']['median']:.2f}" for p, r in peers.items()))
    return {"runs_per_round": runs, "rounds": rounds, "peers": peers, "failed": failed}


def usable_peers(wanted: Sequence[str], elsewhere: Container[str] = ()) -> tuple[list[str], dict[str, str]]:
    """The peers to run, the baseline first, and the reasons why others are left out.

    Those in `elsewhere` run in another Python, so that what is installed in this one does not matter.
    """
    names = [BASELINE, *(p for p in wanted if p != BASELINE)]
    missing = {p: f"{PEERS[p].needs} is not installed" for p in names if p not in elsewhere and not PEERS[p].usable()}
    return [p for p in names if p not in missing], missing
