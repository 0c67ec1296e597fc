"""One peer in one process: compares each workload with the baseline, then times it.

Commands are JSON lines on standard input, and answers are JSON lines on standard output. What a library prints goes to standard
error.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import sys
import time
import tracemalloc
from typing import IO, Any

import numpy as np

from bench.layer_problems import ALL_WORKLOADS as WORKLOADS
from bench.peers import PEERS, build, function
from bench.problems import Case

CHECKED_RUNS = 3  # a compiled step may trace twice: the third run is that of the program, on state that was kept
WARM_UP_SECONDS = 0.2
TOLERANCE = {"float32": 1e-4, "float64": 1e-10}  # relative to the largest element of each array
DTYPE = "float32"


def largest_error(peer: str, workload: str, *, tiny: bool = False, dtype: str = DTYPE) -> float:
    """The difference of `peer` from the workload's baseline after `CHECKED_RUNS` runs, relative to each array's largest element.

    It is infinite if a shape or the number of arrays differs.
    """
    return _compared(_case(peer, workload, tiny, dtype), _case(WORKLOADS[workload].baseline, workload, tiny, dtype))


def _compared(case: Case, reference: Case) -> float:
    for _ in range(CHECKED_RUNS):
        case.run()
        reference.run()
    return _difference(case, reference)


def _case(peer: str, workload: str, tiny: bool = False, dtype: str = DTYPE) -> Case:
    row = WORKLOADS[workload]
    return build(peer, row, row.make(tiny, dtype))


def _difference(case: Case, reference: Case) -> float:
    got, wanted = case.values(), reference.values()
    if [a.shape for a in got] != [a.shape for a in wanted]:
        return float("inf")
    errors = [np.max(np.abs(a - b)) / np.max(np.abs(b)) for a, b in zip(got, wanted, strict=True)]
    worst = float(np.max(errors))
    return worst if np.isfinite(worst) else float("inf")


class Worker:
    """Answers commands. Each method is a command, called with the command's other fields."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.case: Case | None = None

    def hello(self) -> dict[str, Any]:
        PEERS[self.peer].load()
        return {"versions": PEERS[self.peer].versions(), "python": platform.python_version(), "numpy": np.__version__}

    def prepare(self, workload: str) -> dict[str, Any]:
        self.case = None
        gc.collect()
        if function(self.peer, WORKLOADS[workload]) is None:
            return {"absent": True}
        case = _case(self.peer, workload)
        error = _compared(case, _case(WORKLOADS[workload].baseline, workload))
        if error > TOLERANCE[DTYPE]:
            raise ArithmeticError(f"differs from {PEERS[WORKLOADS[workload].baseline].label} by {error:.1e}")
        self.case = case  # the one that was checked: some peers compile it for a minute
        end = time.perf_counter() + WARM_UP_SECONDS
        while time.perf_counter() < end:
            case.run()
        return {"error": error}

    def time(self, runs: int) -> dict[str, Any]:
        """The CPU time of the process and its threads: on one core, the time that passes while no other program runs there."""
        assert self.case is not None
        run = self.case.run
        start = time.process_time()
        for _ in range(runs):
            run()
        return {"seconds": time.process_time() - start}

    def memory(self, workload: str) -> dict[str, Any]:
        """The peak bytes of a run by tracemalloc: in total, and above the bytes in use before."""
        row = WORKLOADS[workload]
        problem = row.make(False, DTYPE)
        build(self.peer, row, problem).run()  # so that imports on first use do not count as the step's memory
        tracemalloc.start()
        case = build(self.peer, row, problem)
        for _ in range(3):
            case.run()
        gc.collect()
        tracemalloc.reset_peak()
        held = tracemalloc.get_traced_memory()[0]
        case.run()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return {"peak": peak, "working": peak - held}


def serve(peer: str, commands: IO[str], answers: IO[str]) -> None:
    worker = Worker(peer)
    for line in commands:
        command = json.loads(line)
        try:
            answer = getattr(worker, command.pop("do"))(**command)
        except Exception as error:  # the runner reports it, and continues with the other peers
            answer = {"failed": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main() -> None:
    if hasattr(os, "sched_setaffinity"):  # one core, whatever a library's own settings are
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(sys.argv[1], sys.stdin, answers)


if __name__ == "__main__":
    main()
