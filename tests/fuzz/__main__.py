"""python -m tests.fuzz --seeds 0:10000 --backend torch

Prints each program that fails, made small, and one line at the end. The exit status is 1 if any fails.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import product
from typing import Any

import xgrad as xg
from tests.conftest import KINDS
from tests.fuzz.check import BeyondError, Fault, first_fault, fits
from tests.fuzz.grammar import generate
from tests.fuzz.shrink import shrunk
from tests.support.arrays import small_chunks

BEYOND: Any = object()


def seeds_of(text: str) -> range:
    first, _, end = text.partition(":")
    return range(int(first), int(end)) if end else range(int(first), int(first) + 1)


def told(fault: Fault, backend: str) -> str:
    """The program as runnable text, what was compared, and what the oracle says."""
    head = f"# seed {fault.program.seed}{', through views' if fault.program.views else ''}: {fault.check}\n# "
    return head + fault.message.replace("\n", "\n# ") + "\n" + fault.program.text(backend)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seeds", type=seeds_of, default=range(300), help="which programs: FIRST:END, or one number")
    parser.add_argument("--backend", default="numpy", choices=[k for k in KINDS if k != "readonly"])
    parser.add_argument("--deep", action="store_true", help="try all compositions on each program, not one of them")
    parser.add_argument(
        "--views",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="a second program from each seed, which writes through views; NumPy's memory is its oracle",
    )
    parser.add_argument("--keep", action="store_true", help="print a failing program as it is, not made small")
    options = parser.parse_args(arguments)
    name, device = KINDS[options.backend]
    tried = skipped = failed = 0
    began = time.monotonic()
    with xg.use_backend(name, device) as backend:
        if name == "dask":
            small_chunks().__enter__()
        for seed, views in product(options.seeds, (False, True) if options.views else (False,)):
            program = generate(seed, views=views)
            try:
                fault = first_fault(program, backend, deep=options.deep) if fits(program, name) else BEYOND
            except BeyondError:
                fault = BEYOND
            if fault is BEYOND:
                skipped += 1
                continue
            tried += 1
            if fault is not None:
                failed += 1
                print(told(fault if options.keep else shrunk(fault, backend), name), flush=True)
    beyond = f", {skipped} not, for what {name} does not have" if skipped else ""
    print(f"{tried} programs tried on {name}{beyond}; {failed} differ; {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
