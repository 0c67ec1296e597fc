"""Times the gradients that lifelines and SurPyval ask for when they fit, with HIPS autograd and with xgrad.compat.autograd.

    python -m bench.likelihoods             into bench/results/likelihoods-DATE.{json,md}
    python -m bench.likelihoods --no-save   prints, and writes nothing

It needs `pip install lifelines surpyval`. The two libraries' own code runs in two processes, one for each side (see
likelihoods_worker.py). The processes take turns, and a ratio is the median of the pairs'. Times are CPU times of one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import numpy

from bench import machine, report
from bench.runner import ENVIRONMENT

ROOT = Path(__file__).parent.parent
PAIRS, LEAST = 15, 0.02  # pairs of runs, and seconds of one run at least


class Side:
    """A process that computes the gradients with "autograd" or "xgrad"."""

    def __init__(self, name: str) -> None:
        env = {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.likelihoods_worker", name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env, cwd=ROOT,
        )  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.asks, self.answers = self.process.stdin, self.process.stdout
        self.about = self._answer()

    def timed(self, fit: str, runs: int) -> dict[str, Any]:
        print(json.dumps({"fit": fit, "runs": runs}), file=self.asks, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self.answers.readline()
        if not line:
            raise RuntimeError(
                "a process ended early: what it wrote above says why. Both need pip install lifelines surpyval"
            )
        found: dict[str, Any] = json.loads(line)
        return found

    def end(self) -> None:
        self.process.communicate()  # it closes standard input, which ends the process


def compared(theirs: Any, ours: Any, fit: str, pairs: int = PAIRS, least: float = LEAST) -> dict[str, Any]:
    """The seconds of a gradient on each side, and the median of the pairs' ratios."""
    one, other = (side.timed(fit, 3) for side in (theirs, ours))
    numpy.testing.assert_allclose(other["numbers"], one["numbers"], rtol=1e-6, err_msg=fit)
    runs = max(1, round(least / one["seconds"]))
    found = [(theirs.timed(fit, runs)["seconds"], ours.timed(fit, runs)["seconds"]) for _ in range(pairs)]
    return {
        "fit": fit,
        "seconds": [median(row[i] for row in found) for i in (0, 1)],
        "ratio": median(a / b for a, b in found),
    }


def measure() -> dict[str, Any]:
    where = machine.describe()
    theirs, ours = Side("autograd"), Side("xgrad")
    rows = [compared(theirs, ours, fit) for fit in theirs.about["fits"]]
    for side in (theirs, ours):
        side.end()
    return {"machine": where, "versions": theirs.about["versions"], "rows": rows}


def markdown(results: dict[str, Any]) -> str:
    versions, where = results["versions"], results["machine"]
    rows = [
        [row["fit"], *(f"{1e6 * s:.0f} us" for s in row["seconds"]), f"{row['ratio']:.2f}"] for row in results["rows"]
    ]
    said = ", ".join(f"{name} {versions[name]}" for name in versions)
    return (
        "# Gradients of the likelihoods that lifelines and SurPyval fit, with HIPS autograd and with xgrad.compat.autograd\n\n"
        f"{said}, {where['python']}, {where['cpu']}, one thread, load {where['load average before']}; {where['date']}, commit "
        f"{where['commit']}.\n\n" + report.table(["gradient", "autograd", "xgrad", "times as fast"], rows) + "\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.likelihoods", description=str(__doc__).splitlines()[0])
    parser.add_argument("--no-save", action="store_true", help="print the report, write nothing")
    options = parser.parse_args()
    results = measure()
    text = markdown(results)
    print(text)
    if not options.no_save:
        report.write_both("likelihoods", results, text)


if __name__ == "__main__":
    main()
