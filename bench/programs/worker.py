"""Runs one program on the backend of XGRAD_BACKEND, as a process, and prints its final numbers and its seconds as JSON.

python -m bench.programs.worker NAME STEPS
"""

from __future__ import annotations

import json
import sys
import time

import xgrad as xg
from bench.programs import load


def main(name: str, steps: str) -> None:
    program = load(name)
    start = time.perf_counter()
    ends = dict(program.run(int(steps)))
    seconds = time.perf_counter() - start
    print(json.dumps({"backend": xg.get_backend().name, "ends": ends, "seconds": round(seconds, 2)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
