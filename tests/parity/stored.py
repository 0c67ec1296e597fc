"""PyTorch's results, stored as a few sums of each array.

    python -m tests.parity.stored [FAMILY ...]

stores them anew. There is a file for each family of cases, in stored/. A sum has weights that differ from element to element, so
that a wrong element changes it.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tests.parity import cases
from tests.parity.case import CASES, Host
from tests.parity.run import Results, Torch, run

FOLDER = Path(__file__).parent / "stored"
SEEDS = (0, 1)  # the draws whose results are stored
SUMS = 3


def sums(array: Host) -> list[float]:
    """Sums of the elements, each with other weights."""
    flat = np.asarray(array, dtype=float).ravel()
    return [float(flat @ np.cos((k + 1.0) * np.arange(1, flat.size + 1))) for k in range(SUMS)]


def summary(results: Results) -> dict[str, Any]:
    """The shape and the sums of each result."""
    return {key: [list(array.shape), sums(array)] for key, array in results.items()}


@cache
def family(name: str) -> dict[str, Any]:
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def stored(name: str, seed: int) -> dict[str, Any]:
    """The stored summary of a case."""
    found: dict[str, Any] = family(CASES[name][0])[f"{name} {seed}"]
    return found


def main(families: list[str]) -> None:
    cases.load()
    for wanted in families or sorted({family for family, _ in CASES.values()}):
        names = [name for name, (family, _) in CASES.items() if family == wanted]
        found = {f"{name} {seed}": summary(run(Torch(), name, seed)) for name in sorted(names) for seed in SEEDS}
        lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in found.items())
        (FOLDER / f"{wanted}.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
