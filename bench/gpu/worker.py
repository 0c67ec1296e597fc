"""Runs one section of bench.gpu in this process; see sections.py."""

from __future__ import annotations

import sys
import traceback
from importlib import import_module
from pathlib import Path

from bench.gpu.job import Job


def main() -> None:
    name, backend, seconds, file, folder = sys.argv[1:]
    job = Job(backend, Path(file), float(seconds), Path(folder))
    try:
        import_module(name if "." in name else f"bench.gpu.{name}").run(job)
    except Exception as error:
        job.fail(f"{type(error).__name__}: {error}")
        job.put(traceback=traceback.format_exc()[-4000:])
    job.put(ok=job.found.get("ok", True))


if __name__ == "__main__":
    main()
