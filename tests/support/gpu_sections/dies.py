"""A section of bench.gpu that kills its own process."""

from __future__ import annotations

import os
import signal

from bench.gpu.job import Job


def run(job: Job) -> None:
    job.note("this far it came")
    os.kill(os.getpid(), signal.SIGSEGV)
