"""Runs the programs of bench/programs on the device, in float64, and compares their results with NumPy's.

Each runs for a few steps first, then in full if there is time.
"""

from __future__ import annotations

from time import perf_counter

import xgrad as xg
from bench.gpu.job import Job
from bench.programs import NAMES, Ends, Program, apart, load

TITLE = "The same programs on the host and on the device"
HEADER = ["program", "steps", "tolerance", "ends apart", "seconds host", "seconds device"]
SPARE = 3.0  # seconds to spare: a section is stopped when its time is over


def run(job: Job) -> None:
    rows: dict[str, list[str]] = {}
    programs = [load(name) for name in NAMES]
    right: list[Program] = []
    seconds: dict[str, float] = {}  # per step
    for program in programs:
        took = compare(job, program, program.few, rows)
        if took is not None:
            right.append(program)
            seconds[program.name] = took / program.few
    full, short, wrong = [], [], []
    for program in right:
        if seconds[program.name] * program.steps > job.left - SPARE:
            short.append(program)
            continue
        full.append(program)
        if compare(job, program, program.steps, rows) is None:
            wrong.append(program)
    if short:
        job.note(f"few steps, for want of time: {', '.join(program.name for program in short)}")
    job.put(
        summary=f"{len(right) - len(wrong)} of {len(programs)} programs end as on NumPy, "
        f"{len(full) - len(wrong)} of them in full"
    )


def compare(job: Job, program: Program, steps: int, rows: dict[str, list[str]]) -> float | None:
    """Add a row to the table. Returns the seconds of both runs; None if the program fails or its results differ."""
    try:
        (here, on_host), (there, on_device) = (timed(program, backend, steps) for backend in ("numpy", job.backend))
    except Exception as error:  # a program that fails becomes a line of the table
        job.fail(f"{program.name}: {type(error).__name__}: {error}")
        return None
    off = apart(there, here)
    cells = [str(steps), f"{program.tolerance:.0e}", f"{off:.0e}", f"{on_host:.2f}", f"{on_device:.2f}"]
    rows[program.name] = [program.name, *cells]
    job.table(TITLE, HEADER, list(rows.values()))
    job.check(off <= program.tolerance, f"{program.name}: its ends are {off:.0e} apart after {steps} steps")
    return on_host + on_device if off <= program.tolerance else None


def timed(program: Program, backend: str, steps: int) -> tuple[Ends, float]:
    """The results and the seconds. The results are Python numbers, so the device has finished when they are known."""
    with xg.use_backend(backend):
        start = perf_counter()
        ends = program.run(steps)
        return ends, perf_counter() - start
