"""Measures what a watcher adds to a step of W3 after the first ten steps: alone, with `stop=True`, and with a log.

    python -m bench.watching             into bench/results/watching-DATE.{json,md}
    python -m bench.watching --no-save   prints, and writes nothing

A watched network and one that is not take blocks of ten steps in turns, in one process. A ratio is that of their CPU times over
all blocks of a round. Each round has new networks and goes on until step 1000: the looks at the layers become rarer with the
steps, and have the share here that they have in a run of some length.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import xgrad as xg
from bench import machine, report
from bench.problems import WORKLOADS
from bench.runner import ENVIRONMENT, ROOT, spread
from xgrad import nn, optim
from xgrad.diagnose import Watch

FIRST = 10  # steps that are not in the ratio: the watcher checks every operation in them
BLOCK = 10  # steps
STEPS = 1000
WAYS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "watched": lambda folder: {},
    "with stop=True": lambda folder: {"stop": True},
    "with a log": lambda folder: {"log": folder / "run.csv"},
}
LIMIT = 1.05  # the ratio that the watcher alone should not exceed


class Training:
    """W3 with or without a watcher. `take` makes steps, and adds their CPU time to `seconds`."""

    def __init__(self, tiny: bool, options: dict[str, Any] | None) -> None:
        problem: Any = WORKLOADS["w3"].make(tiny, "float32")
        layers: list[nn.Module] = []
        for weight, bias in zip(problem.weights, problem.biases, strict=True):
            linear = nn.Linear(*weight.shape, dtype=xg.float32)
            linear.weight = nn.Parameter(xg.asarray(weight.T))
            linear.bias = nn.Parameter(xg.asarray(bias))
            layers += [linear, nn.ReLU()]
        self.model = nn.Sequential(*layers[:-1])
        self.optimizer = optim.SGD(self.model.parameters(), lr=problem.lr, momentum=problem.momentum)
        self.loss, self.x, self.y = nn.CrossEntropyLoss(), xg.asarray(problem.x), xg.asarray(problem.labels)
        self.seconds = 0.0
        start = time.process_time()
        self.watch: Watch | None = None
        if options is not None:
            self.watch = xg.diagnose.watch(self.model, self.optimizer, loss=self.loss, x=self.x, y=self.y, **options)
            self.watch.pause()
        self.began = time.process_time() - start

    def take(self, steps: int) -> None:
        if self.watch is not None:
            self.watch.resume()
        start = time.process_time()
        for _ in range(steps):
            self.optimizer.zero_grad()
            loss = self.loss(self.model(self.x), self.y)
            loss.backward()
            self.optimizer.step()
            if self.watch is not None:
                self.watch.step(loss)
        self.seconds += time.process_time() - start
        if self.watch is not None:
            self.watch.pause()


def compare(
    options: dict[str, Any], steps: int = STEPS, *, tiny: bool = False, swapped: bool = False
) -> dict[str, float]:
    """One round: the seconds of a step without and with a watcher, in the first ten steps and after them, and of `watch`.

    `swapped`: the watched network is made first. The place of its arrays in memory changes the time of a step by some percent.
    """
    ways: list[dict[str, Any] | None] = [None, options]
    made = [Training(tiny, way) for way in (reversed(ways) if swapped else ways)]
    plain, watched = reversed(made) if swapped else made
    gc.collect()
    first: dict[str, float] = {}
    for block in range(0, steps, BLOCK):
        for each in (plain, watched) if block // BLOCK % 2 else (watched, plain):
            each.take(BLOCK)
        if block == 0:
            first = {"plain": plain.seconds / FIRST, "watched": watched.seconds / FIRST}
            plain.seconds = watched.seconds = 0.0
    assert watched.watch is not None
    watched.watch.close()
    count = steps - FIRST
    return {
        "plain": plain.seconds / count,
        "watched": watched.seconds / count,
        "first plain": first["plain"],
        "first watched": first["watched"],
        "begin": watched.began,
    }


def measure(rounds: int) -> dict[str, list[dict[str, float]]]:
    """The rounds of each way, in turns. One round before them warms up."""
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds + 1):
            for way, options in WAYS.items():
                found[way].append(
                    compare(options(Path(folder)), STEPS if number else 2 * BLOCK, swapped=number % 2 == 0)
                )
            print(f"round {number} of {rounds}", file=sys.stderr, flush=True)
    return {way: own[1:] for way, own in found.items()}


def summary(rounds: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    """The ratios of each way, as the median of the rounds with the quartiles, and the times."""
    return {
        way: {
            "ratio": spread([each["watched"] / each["plain"] for each in own]),
            "first ten": spread([each["first watched"] / each["first plain"] for each in own]),
            "plain seconds": spread([each["plain"] for each in own]),
            "begin seconds": spread([each["begin"] for each in own]),
        }
        for way, own in rounds.items()
    }


def markdown(results: dict[str, Any]) -> str:
    """The report."""
    where = results["machine"]

    def cell(found: dict[str, float]) -> str:
        return f"{found['median']:.3f} ({found['low']:.3f}-{found['high']:.3f})"

    rows = [
        [way, cell(own["ratio"]), cell(own["first ten"]), f"{1000 * own['begin seconds']['median']:.0f}"]
        for way, own in results["ways"].items()
    ]
    alone = results["ways"]["watched"]
    parts = [
        "# What watching costs",
        f"{where['date']}, commit {where['commit']}, {where['cpu']}, {where['cores']} cores, {where['python']}, "
        f"{where['blas']}, one thread, load {where['load average before']}. Written by `python -m bench.watching`.",
        f"CPU time of a step of W3 ({1000 * alone['plain seconds']['median']:.1f} ms) with a watcher as a ratio to a step "
        f"without one: the median of {results['rounds']} rounds, with the quartiles. Steps {FIRST} to {results['steps'] - 1} are "
        "in the first column, and the first ten, in which every operation is checked, in the second. At most "
        f"{LIMIT} is wanted of the watcher alone. `watch` itself, with the rules that run before the first step, takes the "
        "milliseconds of the last.",
        report.table(["", f"after {FIRST} steps", "the first ten", "watch(), ms"], rows),
    ]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.watching", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--no-save", action="store_true", help="print the report, and write nothing")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        print(json.dumps(measure(options.rounds)))
        return
    described = machine.describe()
    command = [sys.executable, "-m", "bench.watching", "--worker", "--rounds", str(options.rounds)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | ENVIRONMENT, check=True, stdout=subprocess.PIPE, text=True
    )
    results = {
        "machine": described,
        "rounds": options.rounds,
        "steps": STEPS,
        "ways": summary(json.loads(done.stdout)),
    }
    print(markdown(results))
    if not options.no_save:
        report.write_both("watching", results, markdown(results))


if __name__ == "__main__":
    main()
