"""A section of bench.gpu that raises an exception."""

from __future__ import annotations

from bench.gpu.job import Job


def run(job: Job) -> None:
    job.note("this far it came")
    raise ZeroDivisionError("in the middle")
