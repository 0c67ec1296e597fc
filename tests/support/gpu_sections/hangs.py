"""A section of bench.gpu that never ends, and starts a child process that never ends."""

from __future__ import annotations

import signal
import subprocess
import sys

from bench.gpu.job import Job

WAIT = "import signal; signal.pause()"


def run(job: Job) -> None:
    """Wait for ever, beside a process that does so too; both hold the pipe `running` open."""
    running = (job.folder / "running").open("wb", buffering=0)
    subprocess.Popen([sys.executable, "-c", WAIT], pass_fds=[running.fileno()])
    job.note("this far it came")
    running.write(b".")
    signal.pause()
