"""Runs each program on every backend, chosen by XGRAD_BACKEND alone, and compares its final numbers with NumPy's.

    python -m bench.programs                   into bench/results/programs-DATE.{json,md}
    python -m bench.programs --only gpt,vae    some programs; prints, and writes nothing
    python -m bench.programs --backends torch  on some backends; prints, and writes nothing
    python -m bench.programs --no-save         prints, and writes nothing
    python -m bench.programs --add dpnp        adds a column to the newest results, for a library with an environment of its own

Each run is a process of its own, and as many run at a time as there are cores. If a number differs or a program fails, the exit
status is 1 and the programs are named.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from bench import machine
from bench.programs import NAMES, Program, apart, load, table
from bench.runner import ENVIRONMENT, ROOT
from xgrad.backends import BUILT_IN, BackendError, usable

BACKENDS = [name for name in BUILT_IN if name != "numpy"]
PACKAGES = {
    "cupy": "cupy-cuda13x", "dpnp": "dpnp", "torch": "torch", "jax": "jax", "dask": "dask", "strict": "array-api-strict",
}  # fmt: skip
# The backends on which each step is slow: dask plans a graph for each number, dpnp queues a kernel for each operation.
FEW_STEPS = ("dask", "dpnp")
# The programs that are left out, by backend, with the reason.
LEFT_OUT = dict.fromkeys(
    [("dask", "ode_adjoint"), ("dask", "springs"), ("dask", "recurrent")],
    "a step is thousands of operations on a few numbers each, and planning its graph takes minutes",
)
SECONDS = 600.0  # the time limit of a run

Found = dict[str, Any]


def one_run(name: str, backend: str, steps: int) -> Found:
    """A program's final numbers and its seconds; or the reason why it failed."""
    command = [sys.executable, "-m", "bench.programs.worker", name, str(steps)]
    env = os.environ | ENVIRONMENT | {"XGRAD_BACKEND": backend, "XGRAD_DTYPE": "float64"}
    try:
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return {"failed": f"it took more than {SECONDS:.0f} s"}
    if done.returncode != 0:
        return {"failed": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]}
    found: Found = json.loads(done.stdout.splitlines()[-1])
    return found if found["backend"] == backend else {"failed": f"it ran on {found['backend']}"}


def compared(program: Program, backend: str, numpy: dict[int, Found]) -> Found:
    """A run on a backend, compared with NumPy's run of as many steps."""
    if (backend, program.name) in LEFT_OUT:
        return {"left out": LEFT_OUT[backend, program.name]}
    steps = program.few if backend in FEW_STEPS else program.steps
    if steps not in numpy:
        numpy[steps] = one_run(program.name, "numpy", steps)
    if "failed" in numpy[steps]:
        return {"failed": "there is no end on NumPy to compare with"}
    found = one_run(program.name, backend, steps)
    if "failed" not in found:
        found["steps"] = steps
        found["apart"] = apart(found["ends"], numpy[steps]["ends"])
        found["ok"] = found["apart"] <= program.tolerance
    return found


def measure(names: list[str], backends: list[str]) -> tuple[Found, list[str]]:
    """A row for each program, and a list of the runs whose numbers differ from NumPy's."""
    rows: Found = {}
    wrong: list[str] = []
    for name in names:
        program = load(name)
        numpy = {program.steps: one_run(name, "numpy", program.steps)}
        here = numpy[program.steps]
        row = {"title": program.title, "steps": program.steps, "tolerance": program.tolerance, "backends": {}}
        rows[name] = row | {"ends": here.get("ends", {"FAILED": 0.0}), "seconds": here.get("seconds", 0.0)}
        if "failed" in here:
            say(f"{name} on numpy failed: {here['failed']}")
            wrong.append(f"{name} on numpy")
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            each = list(pool.map(lambda backend, p=program, n=numpy: compared(p, backend, n), backends))
        rows[name]["backends"] = dict(zip(backends, each, strict=True))
        for backend, found in rows[name]["backends"].items():
            say(f"{name} on {backend}: {found.get('failed', table.in_words(found))}")
            if "failed" in found or not found.get("ok", True):
                wrong.append(f"{name} on {backend}")
    return rows, wrong


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def choose(wanted: list[str] | None) -> tuple[list[str], dict[str, str]]:
    """The backends to run on, and the reasons why others are left out. A backend that is named must be usable."""
    missing: dict[str, str] = {}
    for name in wanted or BACKENDS:
        try:
            usable(name)
        except BackendError as error:
            missing[name] = str(error).splitlines()[0]
    return [name for name in wanted or BACKENDS if name not in missing], missing


def versions(backends: list[str]) -> dict[str, str]:
    found = {}
    for package in ("numpy", "scipy", *(PACKAGES[backend] for backend in backends)):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "of unknown version"
    return found


def among(allowed: list[str], text: str) -> list[str]:
    words = text.split(",")
    for word in words:
        if word not in allowed:
            raise argparse.ArgumentTypeError(f"{word!r} is not one of {', '.join(allowed)}")
    return words


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.programs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", type=lambda text: among(list(NAMES), text), help=",".join(NAMES))
    parser.add_argument("--backends", type=lambda text: among(BACKENDS, text), help=",".join(BACKENDS))
    parser.add_argument("--no-save", action="store_true", help="print the report, write nothing")
    parser.add_argument("--add", type=lambda text: among(BACKENDS, text), help="as --backends, into the newest results")
    options = parser.parse_args(arguments)
    asked = options.add or options.backends
    backends, missing = choose(asked)
    if asked and missing:
        print("\n".join(f"bench.programs: {why}" for why in missing.values()), file=sys.stderr)
        return 2
    rows, wrong = measure(options.only or list(NAMES), backends)
    results = {
        "machine": machine.describe(),
        "versions": versions(backends),
        "backends": backends,
        "few": [backend for backend in backends if backend in FEW_STEPS],
        "missing": missing,
        "programs": rows,
    }
    print(table.markdown(results))
    if options.add:
        say(f"added: {table.add(results)} and .md")
    elif not (options.no_save or options.only or options.backends):
        say(f"written: {table.write(results)} and .md")
    if wrong:
        say(f"not as on NumPy: {', '.join(wrong)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
