"""How long a program takes on each engine that is installed: `explain(measure=True)`.

"auto" never changes the engine by itself: another engine may give other last bits, and a run that was stopped and resumed would
then differ from one that was not. So this measures, and the user chooses.
"""

from __future__ import annotations

import math
import statistics
import time
import warnings
from collections.abc import Iterator
from typing import Any

from xgrad.compile.engines.choice import ENGINES, prepare
from xgrad.compile.passes import optimized
from xgrad.compile.program import NUMBER, Program, Spec

SECONDS = 0.2  # for each engine, beside its first run
LEAST_RUNS = 3


def measured(program: Program, backend: Any) -> Iterator[str]:
    """A line for each engine that computes on the backend's arrays: the median time of a run, and that until the first result.

    The inputs have the shapes and dtypes of the program, and hold numbers between 0.1 and 1 (integers: zeros). State that a run
    returns goes into the next one.
    """
    for engine, (_, takes) in ENGINES.items():
        if takes and backend.name not in takes:
            continue
        try:
            first, again = _times(engine, program, backend)
        except Exception as error:  # the engine is not installed, or cannot run this program
            yield f"{engine}: not measured, {type(error).__name__}: {error}"
        else:
            yield f"{engine}: {again * 1e6:,.0f} us a run, {first * 1e3:,.0f} ms until the first result"


def _times(engine: str, program: Program, backend: Any) -> tuple[float, float]:
    """The seconds until the first result, and the median of those of a run."""
    values = [_value(program.specs[number], i, backend) for i, number in enumerate(program.inputs)]
    states = dict(program.state)
    owned = [i in states for i in range(len(values))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of overflows: a measured step may diverge
        start = time.perf_counter()
        runner = prepare(engine, optimized(program, backend.xp), backend)

        def run() -> float:
            before = time.perf_counter()
            outputs = runner.run(values, owned)
            backend.synchronize()
            seconds = time.perf_counter() - before
            for i, j in program.state:
                values[i] = outputs[j]
            return seconds

        run()
        first = time.perf_counter() - start
        run()  # some engines write their code in the second run
        seconds: list[float] = []
        while len(seconds) < LEAST_RUNS or sum(seconds) < SECONDS:
            seconds.append(run())
    return first, statistics.median(seconds)


def _value(spec: Spec, seed: int, backend: Any) -> Any:
    """An input to measure with."""
    if spec.dtype == NUMBER:
        return 0.01
    xp = backend.xp
    dtype = getattr(xp, spec.dtype)
    if not backend.is_inexact(dtype):
        return xp.zeros(spec.shape, dtype=dtype)
    steps = (
        xp.arange(math.prod(spec.shape), dtype=xp.int64) * (7919 + 2 * seed) % 1009
    )  # numbers without a pattern, on every backend
    return xp.reshape(xp.astype(steps, dtype) * (0.9 / 1009) + 0.1, spec.shape)
