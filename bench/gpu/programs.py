"""The programs of bench/programs on the device, in float64, against NumPy: do they end with the same numbers?

All of them take a few steps, and then run in full as far as there is time.
"""

from __future__ import annotations

from time import perf_counter

import xgrad as xg
from bench.gpu.job import Job
from bench.programs import NAMES, Ends, Program, apart, load

TITLE = "The same programs on the host and on the device"
HEADER = ["program", "steps", "tolerance", "ends apart", "seconds host", "seconds device"]
SPARE = 3.0  # seconds that stay: a section is stopped when its time is over


def run(job: Job) -> None:
    rows: dict[str, list[str]] = {}
    programs = [load(name) for name in NAMES]
    right: list[Program] = []
    seconds: dict[str, float] = {}  # of a step
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
    """A row of the table. Returns the seconds of both runs, or None where the program fails or ends elsewhere."""
    try:
        (here, on_host), (there, on_device) = (timed(program, backend, steps) for backend in ("numpy", job.backend))
    except Exception as error:  # a program that fails is a line, not the end of it
        job.fail(f"{program.name}: {type(error).__name__}: {error}")
        return None
    off = apart(there, here)
    cells = [str(steps), f"{program.tolerance:.0e}", f"{off:.0e}", f"{on_host:.2f}", f"{on_device:.2f}"]
    rows[program.name] = [program.name, *cells]
    job.table(TITLE, HEADER, list(rows.values()))
    job.check(off <= program.tolerance, f"{program.name}: its ends are {off:.0e} apart after {steps} steps")
    return on_host + on_device if off <= program.tolerance else None


def timed(program: Program, backend: str, steps: int) -> tuple[Ends, float]:
    """The ends, which are numbers of Python's: the device is done when they are there."""
    with xg.use_backend(backend):
        start = perf_counter()
        ends = program.run(steps)
        return ends, perf_counter() - start
