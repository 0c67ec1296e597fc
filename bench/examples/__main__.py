"""Runs the examples, draws their figures, and writes their numbers.

    python -m bench.examples              runs all, each in a process of its own
    python -m bench.examples gpt          runs one
    python -m bench.examples --seeds 1    without the other seeds of those examples that have several

The numbers of the examples that were run replace the old ones in bench/results/examples.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from importlib import import_module, metadata
from typing import Any

from bench import machine
from bench.examples import FIGURES, NAMES, RESULTS
from xgrad._files import replacing

VARIABLES = ("OMP_NUM_THREADS", "XGRAD_BACKEND")
PACKAGES = ("numpy", "scikit-learn", "matplotlib")


def measured(name: str, seeds: int) -> dict[str, Any]:
    """Run one example: with its fixed seed, 0, for the figure and the time, and with others to see what luck does."""
    example = import_module(f"bench.examples.{name}")
    start, used = time.perf_counter(), time.process_time()
    numbers = example.run(seed=0, figure=FIGURES / f"{name}.png")
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - used
    first = numbers[example.UNIT]
    several = [first, *(example.run(seed=seed)[example.UNIT] for seed in range(1, min(seeds, example.SEEDS)))]
    return {
        "title": str(example.__doc__).splitlines()[0],
        "headline": example.UNIT,
        "seed": 0,
        "numbers": numbers,
        "several seeds": {
            "values": several,
            "min": min(several),
            "mean": sum(several) / len(several),
            "max": max(several),
        },
        "seconds": round(seconds, 1),
        "cpu seconds": round(cpu_seconds, 1),
        "machine": machine.describe()
        | {"environment": {each: os.environ.get(each, machine.UNSET) for each in VARIABLES}},
        "versions": {each: metadata.version(each) for each in PACKAGES} | {"python": platform.python_version()},
    }


def keep(name: str, result: dict[str, Any]) -> None:
    """Put the numbers of one example into the file."""
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    results[name] = result
    ordered = {each: results[each] for each in NAMES if each in results}
    with replacing(RESULTS) as temporary:
        temporary.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.examples", description=__doc__.splitlines()[0])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"which to run: {', '.join(NAMES)}; all if none is named"
    )
    parser.add_argument("--seeds", type=int, default=5, help="of how many seeds there are numbers, at most (5)")
    options = parser.parse_args()
    for name in options.names:
        if name not in NAMES:
            parser.error(f"there is no {name!r}; there are {', '.join(NAMES)}")
    if len(options.names) == 1:
        (name,) = options.names
        result = measured(name, options.seeds)
        keep(name, result)
        print(name, json.dumps(result["numbers"], indent=1, ensure_ascii=False))
        print(f"{result['seconds']} s, {result['cpu seconds']} s of CPU time; {FIGURES / name}.png")
        return
    for name in options.names or NAMES:
        subprocess.run([sys.executable, "-m", "bench.examples", name, "--seeds", str(options.seeds)], check=True)


if __name__ == "__main__":
    main()
