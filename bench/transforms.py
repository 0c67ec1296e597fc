"""Measures the time of the transforms compared with backward, and the time of a process's first gradient.

    python -m bench.transforms                    into bench/results/transforms-DATE.{json,md}
    python -m bench.transforms --against FOLDER   also measures the checkout in that folder, in turns with this one
    python -m bench.transforms --no-save          prints, and writes nothing

All times are CPU times of one thread, so that other work on the machine counts little. Programs of many small operations run in
processes of their own, the checkouts in turns. A process reports the lower quartile of its rounds, and the table has the median
of the processes' ratios. First calls are timed in new processes, byte-compiled.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench import machine, report
from bench.runner import ENVIRONMENT, ROOT, spread

WORKER = Path(__file__).with_name("transforms_worker.py")

# The first call of a program, after the import.
FIRST = {
    "grad of a tanh sum": "xg.grad(lambda x: xg.sum(xg.tanh(x) ** 2))(x)",
    "hessian": "xg.hessian(lambda x: xg.sum(xg.tanh(x) ** 2))(x)",
    "hvp": "xg.hvp(lambda x: xg.sum(xg.tanh(x) ** 2), (x,), (x,))",
    "vmap": "xg.vmap(lambda x: xg.sum(xg.tanh(x) ** 2))(np.stack([x, x]))",
    "Linear and Adam": """
model = xg.nn.Linear(3, 2)
optimizer = xg.optim.Adam(model.parameters(), lr=0.1)
xg.mean((model(xg.asarray(x)) - 1.0) ** 2).backward()
optimizer.step()""",
}
TIMED = """import time
start = time.process_time()
import numpy as np
x = np.ones(3)
import xgrad as xg
{imports}
there = time.process_time()
{code}
print(there - start, time.process_time() - there)
"""


def environment(checkout: Path, cache: str) -> dict[str, str]:
    path = {"PYTHONPATH": str(checkout), "PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
    return os.environ | ENVIRONMENT | path


def run(command: list[str], checkout: Path, cache: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        env=environment(checkout, cache),
        cwd=cache,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def programs(checkout: Path, cache: str, rounds: int) -> dict[str, dict[str, float]]:
    """The seconds of each transform of each program, in one process."""
    found: dict[str, dict[str, float]] = json.loads(run([str(WORKER), str(rounds)], checkout, cache))
    return found


def first(code: str, checkout: Path, cache: str) -> dict[str, float]:
    """The seconds of the import and of the first call, in one process."""
    imports = "import xgrad.nn, xgrad.optim" if "nn." in code else ""
    importing, calling = map(float, run(["-c", TIMED.format(imports=imports, code=code)], checkout, cache).split())
    return {"import": importing, "first call": calling, "both": importing + calling}


def measure(checkouts: dict[str, Path], processes: int, rounds: int) -> dict[str, Any]:
    """For each checkout, the seconds of every process."""
    found: dict[str, Any] = {name: {"programs": [], "first": {what: [] for what in FIRST}} for name in checkouts}
    with tempfile.TemporaryDirectory() as cache:
        for number in range(processes + 1):
            for name in sorted(checkouts, reverse=number % 2 == 1):
                folder, own = checkouts[name], found[name]
                own["programs"].append(programs(folder, cache, rounds))
                for what, code in FIRST.items():
                    own["first"][what].append(first(code, folder, cache))
            print(f"process {number} of {processes}", file=sys.stderr, flush=True)
    for own in found.values():  # the first process compiles, and fills the file cache
        del own["programs"][0]
        for times in own["first"].values():
            del times[0]
    return found


def ratios(own: dict[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    """By program and transform: the time relative to backward."""
    names = own["programs"][0]
    return {
        program: {
            way: spread([each[program][way] / each[program]["backward"] for each in own["programs"]])
            for way in names[program]
            if way != "backward"
        }
        for program in names
    }


def summary(own: dict[str, Any]) -> dict[str, Any]:
    return {
        "ratios": ratios(own),
        "backward": {name: spread([each[name]["backward"] for each in own["programs"]]) for name in own["programs"][0]},
        "first": {
            what: {part: spread([each[part] for each in times]) for part in times[0]}
            for what, times in own["first"].items()
        },
    }


def markdown(results: dict[str, Any]) -> str:
    where = results["machine"]
    threads = ", ".join(f"{name}={value}" for name, value in where["environment"].items() if "THREADS" in name)
    parts = [
        "# Transforms and first calls",
        f"{where['date']}, commit {where['commit']}, {where['cpu']}, {where['cores']} cores, {where['python']}, "
        f"NumPy {results['numpy']}, {where['blas']}, {threads}, load {results['load']}. Written by `python -m bench.transforms`.",
        "CPU time as a ratio to `.backward()` of the same program in the same process: the median of the processes, "
        "with the quartiles.",
    ]
    for name, own in results["checkouts"].items():
        ways = list(next(iter(own["ratios"].values())))
        rows = [
            [program, f"{1e3 * own['backward'][program]['median']:.2f}", *(_cell(found[way]) for way in ways)]
            for program, found in own["ratios"].items()
        ]
        parts += [f"## {name}", report.table(["", "backward, ms", *ways], rows)]
        rows = [
            [what, *(f"{1e3 * times[part]['median']:.0f} ({1e3 * times[part]['low']:.0f})" for part in times)]
            for what, times in own["first"].items()
        ]
        header = [
            "milliseconds in a fresh process: median (lower quartile)",
            "NumPy and xgrad imported",
            "first call",
            "both",
        ]
        parts.append(report.table(header, rows))
    return "\n\n".join(parts) + "\n"


def _cell(ratio: dict[str, float]) -> str:
    return f"{ratio['median']:.2f} ({ratio['low']:.2f}-{ratio['high']:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.transforms", description=str(__doc__).splitlines()[0])
    parser.add_argument("--against", type=Path, help="another checkout")
    parser.add_argument("--processes", type=int, default=9)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--no-save", action="store_true", help="print the report, write nothing")
    options = parser.parse_args()
    where = machine.describe()
    checkouts = {f"This checkout ({where['commit']})": ROOT}
    if options.against:
        checkouts[f"Against ({machine.commit(options.against)})"] = options.against.resolve()
    found = measure(checkouts, options.processes, options.rounds)
    results = {
        "machine": where,
        "numpy": version("numpy"),
        "load": round(os.getloadavg()[0], 1),
        "checkouts": {name: summary(own) for name, own in found.items()},
    }
    text = markdown(results)
    print(text)
    if not options.no_save:
        report.write_both("transforms", results, text)


if __name__ == "__main__":
    main()
