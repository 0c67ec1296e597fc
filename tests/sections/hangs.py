from __future__ import annotations

import subprocess
import sys
import time

from bench.gpu.job import Job


def run(job: Job) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    job.put(child=child.pid)
    job.note("this far it came")
    time.sleep(600)
